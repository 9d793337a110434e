//! How the lines of an input are read: which format they have, and what its header lines say.
//!
//! An input is looked at once, at its head, and by whoever reads it in order: header lines in the middle (a rotated Zeek
//! log, a second `#Fields`) change what the lines behind them mean, and blocks are searched by whichever thread is free.
//! So the reader asks a [`Tracker`] what is valid in each block, and hands that over with it.

use super::event::Event;
use super::format::{self, Format};
use super::json;
use super::mapping::Mapping;
use super::zone::Zone;
use memchr::memchr;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// How much of an input is looked at to tell its format, in bytes.
const HEAD: usize = 64 << 10;
/// The most that is remembered of what header lines said, in bytes.
const HEADING: usize = 64 << 10;

/// How lines are to be read.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The format.
    pub format: &'static Format,
    /// It was asked for by name; otherwise lines that speak for themselves are read as what they say.
    pub chosen: bool,
    /// What the header lines said.
    pub columns: Option<Columns>,
    /// What the user says of its fields.
    pub mappings: Arc<[Mapping]>,
    /// In which zone times are that do not say it.
    pub zone: Zone,
}

/// What header lines said of an input up to some place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The name of the format.
    format: Box<str>,
    columns: Columns,
}

/// What header lines say of the lines behind them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// The names of the columns.
    pub names: Vec<Box<str>>,
    /// Their types, where the format states them.
    pub types: Vec<Box<str>>,
    /// What kind of log it is: the `#path` of Zeek.
    pub kind: Box<str>,
    /// What stands between columns.
    pub separator: Vec<u8>,
    /// What stands between the elements of a set.
    pub set_separator: Vec<u8>,
    /// How an empty set is written.
    pub empty: Vec<u8>,
    /// How a missing value is written.
    pub unset: Vec<u8>,
}

impl Columns {
    /// What it takes to keep them, in bytes, near enough.
    fn size(&self) -> usize {
        self.names.iter().chain(&self.types).map(|name| size_of::<Box<str>>() + name.len()).sum()
    }
}

/// What a user chose.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The format of all inputs; if there is none each is looked at.
    pub format: Option<&'static Format>,
    /// What the user says of the fields of some logs; the first that fits counts.
    pub mappings: Vec<Mapping>,
    /// In which zone times are that do not say it, whatever the mappings say; otherwise UTC.
    pub zone: Option<Zone>,
}

impl Layout {
    /// Plain text.
    pub fn text() -> Self {
        let format = &format::text::FORMAT;
        Self { format, chosen: true, columns: None, mappings: Arc::default(), zone: Zone::UTC }
    }

    /// The layout of an input without a name, from its first lines.
    pub fn of(choice: &Choice, head: &[u8]) -> Self {
        Self::of_input(choice, "", head)
    }

    /// The layout of an input, from its name and first lines.
    fn of_input(choice: &Choice, name: &str, head: &[u8]) -> Self {
        let head = &head[..head.len().min(HEAD)];
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let format = choice
            .format
            .unwrap_or_else(|| format::all().find(|format| (format.sniff)(head)).unwrap_or(&format::text::FORMAT));
        let mappings: Arc<[Mapping]> = choice.mappings.iter().filter(|mapping| mapping.covers(name)).cloned().collect();
        let zone = choice.zone.as_ref().or_else(|| mappings.iter().find_map(Mapping::zone)).cloned();
        Self { format, chosen: choice.format.is_some(), columns: None, mappings, zone: zone.unwrap_or_default() }
    }

    /// Whether no line can have fields.
    pub fn is_text(&self) -> bool {
        self.chosen && std::ptr::eq(self.format, &raw const format::text::FORMAT)
    }

    /// Takes a line apart. One that has no fields is plain text.
    ///
    /// # Errors
    /// It is not what the format asks for; the reason is a few words, the same for all lines that are wrong in that
    /// way. Such a line is searched as plain text.
    pub fn decode<'l>(&'l self, event: &mut Event<'l>) -> Result<(), &'static str> {
        // A line of a table may hold a line of another format in one of its columns.
        if self.chosen || self.columns.is_some() {
            let result = self.decode_as(self.format, event);
            if self.chosen || result.is_ok() {
                return result;
            }
        }
        self.decode_as(self.format_of(event.line), event)
    }

    fn decode_as<'l>(&'l self, format: &Format, event: &mut Event<'l>) -> Result<(), &'static str> {
        let mut result = (format.decode)(self, event);
        if event.is_too_long() {
            result = Err("more fields than a line is taken apart for");
        }
        if result.is_err() {
            *event = Event::new(event.line);
        }
        result
    }

    /// Places in a block of lines that are not what they should be, as far as a glance tells: those have to be read to be
    /// counted.
    pub(crate) fn suspects(&self, block: &[u8], places: &mut Vec<u32>) {
        if self.format.is_json() {
            // What is written as numbers nobody else sees.
            for mark in json::BYTES_MARKS {
                places.extend(memchr::memmem::find_iter(block, mark).map(|at| at as u32));
            }
        }
        let Some(ragged) = self.format.ragged else { return };
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block).chain([block.len()]) {
            if start < end && ragged(self, &block[start..end]) {
                places.push(start as u32);
            }
            start = end + 1;
        }
    }

    /// The format of one line: its own where it speaks for itself, otherwise that of the input.
    fn format_of(&self, line: &[u8]) -> &'static Format {
        if self.format.speaks(line) {
            return self.format;
        }
        format::all().find(|format| format.speaks(line)).unwrap_or(self.format)
    }
}

/// Follows an input in order, and says which layout holds where.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    choice: Arc<Choice>,
    /// The name of the input.
    name: Box<str>,
    current: Option<Arc<Layout>>,
    /// What its header lines said, once that was asked for.
    heading: Option<Arc<Heading>>,
}

/// The layouts of a block of lines: each holds from its place on, the first from the beginning.
/// Without any, all is plain text.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    parts: Vec<(usize, Arc<Layout>)>,
}

impl Tracker {
    /// For one input, of no name.
    pub fn new(choice: Arc<Choice>) -> Self {
        Self::named(choice, "")
    }

    /// For an input of that name.
    pub fn named(choice: Arc<Choice>, name: &str) -> Self {
        Self { choice, name: name.into(), current: None, heading: None }
    }

    /// What holds in the next block of whole lines.
    pub fn next(&mut self, block: &[u8]) -> Layouts {
        let current = self.current.get_or_insert_with(|| Arc::new(Layout::of_input(&self.choice, &self.name, block)));
        let mut parts = vec![(0, Arc::clone(current))];
        let mut from = 0;
        // A table that says so may begin behind something else: a comment, or another log.
        if !current.chosen
            && current.format.header.is_none()
            && let Some((at, format)) = table_in(block)
        {
            *current = Arc::new(Layout { format, columns: None, ..Layout::clone(current) });
            parts.push((at, Arc::clone(current)));
            self.heading = None;
            from = at;
        }
        if let Some(header) = &current.format.header {
            let columns_before = current.columns.clone();
            for line in header_lines(&block[from..], header.mark, columns_before.is_none()) {
                let line = line.start + from..line.end + from;
                let text = &block[line.clone()];
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                // Most say what those before them said.
                let columns = (header.read)(text, current.columns.as_ref());
                if let Some(columns) = columns.filter(|columns| current.columns.as_ref() != Some(columns)) {
                    *current = Arc::new(Layout { columns: Some(columns), ..Layout::clone(current) });
                    // No line stands between two headers that follow each other.
                    if parts.len() > 1 {
                        parts.pop_if(|(begin, _)| *begin == line.start);
                    }
                    parts.push(((line.end + 1).min(block.len()), Arc::clone(current)));
                    self.heading = None;
                }
            }
        }
        Layouts { parts }
    }

    /// Whether the input may be a document of JSON.
    pub fn may_be_document(&self) -> bool {
        self.choice.format.is_none_or(Format::is_json)
    }

    /// What header lines have said of the lines to come, so that reading can go on there another time; nothing if that is
    /// very much.
    pub fn heading(&mut self) -> Option<Arc<Heading>> {
        if self.heading.is_none() {
            let layout = self.current.as_ref()?;
            let columns = layout.columns.as_ref().filter(|columns| columns.size() <= HEADING)?;
            let heading = Heading { format: layout.format.name.into(), columns: columns.clone() };
            self.heading = Some(Arc::new(heading));
        }
        self.heading.clone()
    }

    /// Goes on behind header lines that said this.
    pub fn resume(&mut self, heading: &Heading) {
        let wanted = self.choice.format.is_none_or(|chosen| *chosen.name == *heading.format);
        if let Some(format) = format::named(&heading.format).filter(|format| wanted && format.header.is_some()) {
            let layout = Layout::of_input(&self.choice, &self.name, b"");
            let columns = Some(heading.columns.clone());
            self.current = Some(Arc::new(Layout { format, columns, ..layout }));
        }
    }

    /// Whether lines may have fields, as far as was seen.
    pub fn has_fields(&self) -> bool {
        let is_text = |layout: &Arc<Layout>| std::ptr::eq(layout.format, &raw const format::text::FORMAT);
        self.current.as_ref().is_some_and(|layout| !is_text(layout))
    }

    /// What holds in a piece of a line, of which no format can say anything.
    pub fn piece(&mut self, piece: &[u8]) -> Layouts {
        let current = self.current.get_or_insert_with(|| Arc::new(Layout::of_input(&self.choice, &self.name, piece)));
        Layouts::one(Arc::new(Layout { zone: current.zone.clone(), ..Layout::text() }))
    }
}

impl Layouts {
    /// One layout for all of a block.
    pub fn one(layout: Arc<Layout>) -> Self {
        Self { parts: vec![(0, layout)] }
    }

    /// Whether there are parts in which lines may be plain text, and parts in which they may have fields.
    pub fn kinds(&self) -> (bool, bool) {
        let is_text = |layout: &Layout| std::ptr::eq(layout.format, &raw const format::text::FORMAT);
        let text = self.parts.is_empty() || self.parts.iter().any(|(_, layout)| is_text(layout));
        (text, self.parts.iter().any(|(_, layout)| !is_text(layout)))
    }

    /// The layout of the line that begins at a place.
    pub fn at(&self, place: usize) -> Option<&Layout> {
        let behind = self.parts.partition_point(|(begin, _)| *begin <= place);
        self.parts.get(behind.checked_sub(1)?).map(|(_, layout)| &**layout)
    }

    /// Each layout with the part of a block of that length in which it holds; parts begin where lines do.
    pub fn parts(&self, len: usize) -> impl Iterator<Item = (Range<usize>, &Arc<Layout>)> {
        let ends = self.parts.iter().skip(1).map(|part| part.0).chain([len]);
        self.parts
            .iter()
            .zip(ends)
            .map(move |((start, layout), end)| (*start..end.min(len), layout))
            .filter(|part| !part.0.is_empty())
    }
}

/// Where a line begins that can only be the header of a table, and of which format it is.
fn table_in(block: &[u8]) -> Option<(usize, &'static Format)> {
    let behind = memchr::memmem::find_iter(block, b"\n#").map(|at| at + 1);
    let mut starts = block.starts_with(b"#").then_some(0).into_iter().chain(behind);
    starts.find_map(|at| Some((at, format::of_header(&block[at..])?)))
}

/// Lines that begin with a mark, and the first line if it may be a header without one.
fn header_lines(block: &[u8], mark: Option<&'static [u8]>, first: bool) -> impl Iterator<Item = Range<usize>> {
    let line_at = |start: usize| start..memchr(b'\n', &block[start..]).map_or(block.len(), |end| start + end);
    let marked = mark.into_iter().flat_map(move |mark| {
        let at_start = block.starts_with(mark).then_some(0);
        let behind = memchr::memmem::find_iter(block, mark).filter(|at| *at > 0 && block[at - 1] == b'\n');
        at_start.into_iter().chain(behind)
    });
    let unmarked = (mark.is_none() && first && !block.is_empty()).then_some(0);
    unmarked.into_iter().chain(marked).map(line_at)
}
