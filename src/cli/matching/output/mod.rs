//! What is written of hits: one file for each format, one line in the table here.

mod csv;
pub(super) mod ecs;
mod json;
mod ocsf;
pub(super) mod page;
mod scratch;
pub(super) mod sighting;
mod splice;
pub(super) mod summary;
mod text;

use super::document::Document;
use super::name::Name;
use super::searched::Searched;
use std::ops::Range;
use stockade::compile::RuleSet;
use stockade::log::{Clock, Event, Layout, Zone};
use stockade::matcher::Hit;
use stockade::stix::Timestamp;

pub(super) use scratch::Scratch;

/// `--format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Rows for people and for tools that know grep
    #[default]
    Text,
    /// One object for each hit; bytes of paths that are no UTF-8 become U+FFFD
    Json,
    /// Elastic Common Schema: each line that has a hit as an event, with `threat.enrichments` added
    Ecs,
    /// Open Cybersecurity Schema Framework: each line that has a hit as an event with `enrichments` added, or as a
    /// Detection Finding if it is none
    Ocsf,
    /// A table with a header and a row for each hit, safe to open in a spreadsheet
    Csv,
    /// At the end one STIX 2.1 bundle: for each indicator and value a sighting and observed data
    Sighting,
}

/// How a format writes.
struct Writer {
    /// What stands before everything else.
    head: &'static str,
    /// Appends what is written of a line that has these hits.
    hits: fn(Look, &Line<'_>, &[Hit], Rules<'_>, &mut Scratch, &mut Vec<u8>),
}

impl Format {
    fn writer(self) -> &'static Writer {
        match self {
            Self::Text => &text::WRITER,
            Self::Json => &json::WRITER,
            Self::Ecs => &ecs::WRITER,
            Self::Ocsf => &ocsf::WRITER,
            Self::Csv => &csv::WRITER,
            // Written at the end, of what is gathered until then.
            Self::Sighting => &Writer { head: "", hits: |_, _, _, _, _, _| {} },
        }
    }

    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Ecs => "ecs",
            Self::Ocsf => "ocsf",
            Self::Csv => "csv",
            Self::Sighting => "sighting",
        }
    }

    /// What is written before the first hit, and also if there is none.
    pub(super) fn head(self) -> &'static str {
        self.writer().head
    }

    /// Whether what it writes is the line itself, with something added.
    pub(super) fn is_event(self) -> bool {
        matches!(self, Self::Ecs | Self::Ocsf)
    }

    /// Whether each of its rows repeats the line.
    pub(super) fn repeats_line(self) -> bool {
        matches!(self, Self::Text | Self::Csv)
    }

    /// Whether rows say which rule set they come from.
    pub(super) fn names_generation(self) -> bool {
        matches!(self, Self::Json | Self::Ocsf)
    }
}

/// How rows look.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(super) struct Look {
    pub(super) format: Format,
    /// The row begins with the name of the input.
    pub(super) filename: bool,
    /// The row ends before the line.
    pub(super) only_matching: bool,
    /// With colours.
    pub(super) color: bool,
    /// What could steer a terminal is made visible.
    pub(super) escape: bool,
}

impl Look {
    /// Appends what is written of a line that has these hits; their spans are places in `line.text`.
    pub(super) fn hits(
        self,
        line: &Line<'_>,
        hits: &[Hit],
        rules: Rules<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        (self.format.writer().hits)(self, line, hits, rules, scratch, out);
    }
}

/// What is the same for all hits of a search.
#[derive(Debug)]
pub(super) struct Run {
    /// The generation of the rule set, which takes time to find out; empty if it is not to be shown.
    generation: String,
    /// The instant at which indicators were judged.
    at: Timestamp,
    /// The same as text.
    occurred: String,
    clock: Clock,
}

impl Run {
    /// A search at an instant, in logs that were written up to `latest`.
    pub(super) fn new(generation: String, at: Timestamp, latest: Timestamp) -> Self {
        // No schema wants more than milliseconds.
        let at = Timestamp { nanos: at.nanos / 1_000_000 * 1_000_000, ..at };
        Self { generation, at, occurred: at.to_string(), clock: Clock::new(latest) }
    }

    /// When a line was written, if it says so: in the field that its format has for that, or else anywhere.
    pub(super) fn time_of(&self, line: &Line<'_>) -> Option<Timestamp> {
        if line.start > 0 {
            return None;
        }
        let mut event = Event::new(line.text);
        let decoded = line.layout.is_some_and(|layout| !layout.is_text() && layout.decode(&mut event).is_ok());
        let zone = line.layout.map_or(&Zone::UTC, |layout| &layout.zone);
        let stated = || event.records().find_map(|record| self.clock.instant(record.when.as_ref()?, zone));
        decoded.then(stated).flatten().or_else(|| self.clock.time_of(line.text, zone))
    }
}

/// What hits refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) set: &'a RuleSet,
    pub(super) run: &'a Run,
    /// The blocks that the thread has searched, for hits that name other lines too.
    pub(super) searched: &'a Searched,
}

/// A line that has a hit, or for `-v` one that has none.
pub(super) struct Line<'a> {
    pub(super) name: &'a Name,
    pub(super) number: u64,
    /// Where it begins in the input.
    pub(super) offset: u64,
    /// What is there of it.
    pub(super) text: &'a [u8],
    /// The place in the line where `text` begins.
    pub(super) start: u64,
    /// The line goes on where `text` ends.
    pub(super) more: bool,
    /// Rows show a part of it only.
    pub(super) shorten: bool,
    /// How its fields are told, if it has some.
    pub(super) layout: Option<&'a Layout>,
    /// Set if it is a record of a document, or a piece of one, with the place of `text` in its block. Number and offset
    /// are then those of where it begins.
    pub(super) document: Option<(&'a Document, usize)>,
}

/// Where in its input a hit stands.
pub(super) struct Spot {
    /// The number of the line, and where that begins.
    pub(super) line: u64,
    pub(super) offset: u64,
    /// The place in that line.
    pub(super) span: Range<u64>,
}

/// What stands for a part of a line that is not shown.
const LEFT_OUT: &str = "[...]";
/// What is shown on either side of a hit in a line that is too long to be shown whole, in bytes.
const WINDOW: usize = 512;

/// The part of a line that is shown with a hit.
struct Window {
    range: Range<usize>,
    /// The line has more before it.
    cut_before: bool,
    /// The line has more behind it.
    cut_behind: bool,
}

impl Line<'_> {
    /// Where a hit in it stands.
    pub(super) fn spot(&self, hit: &Hit) -> Spot {
        let Some((document, at)) = self.document else {
            let span = self.start + hit.span.start as u64..self.start + hit.span.end as u64;
            return Spot { line: self.number, offset: self.offset, span };
        };
        let (start, end) = (document.place(at + hit.span.start), document.place(at + hit.span.end));
        // A value that is a list of bytes may go on in the next line.
        let span = start.offset - start.line_offset..end.offset - start.line_offset;
        Spot { line: start.line, offset: start.line_offset, span }
    }

    /// What of it is shown with a hit at this place.
    fn window(&self, span: &Range<usize>) -> Window {
        let length = self.text.len();
        let range = if self.shorten {
            span.start.saturating_sub(WINDOW)..span.end.saturating_add(WINDOW).min(length)
        } else {
            0..length
        };
        Window { cut_before: range.start > 0 || self.start > 0, cut_behind: range.end < length || self.more, range }
    }

    /// Whether `text` is all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.start == 0 && !self.more
    }
}
