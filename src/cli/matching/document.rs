//! Documents of JSON among the inputs: their records are cut into lines as they are read ([`Cutter`]), and what is said of a
//! hit is where it stands in the document as it is.

use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::OnceLock;
use stockade::log::{Cutter, CutterState, List, begins_document};
use stockade::matcher::Hit;

/// A block of records, as it was before they became lines.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The bytes of the block.
    pub(super) original: Vec<u8>,
    /// Where in the input they begin, on which line, and where that line begins.
    begin: Place,
    /// Where lists of records begin and end.
    lists: Vec<(usize, Option<List>)>,
    /// Where lines end.
    newlines: OnceLock<Vec<usize>>,
}

/// A place in an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) offset: u64,
    /// The number of its line, and where that begins.
    pub(super) line: u64,
    pub(super) line_offset: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self { offset: 0, line: 1, line_offset: 0 }
    }
}

impl Place {
    fn behind(self, text: &[u8]) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text).count() as u64;
        let last = memchr::memrchr(b'\n', text);
        Self {
            offset: self.offset + text.len() as u64,
            line: self.line + newlines,
            line_offset: last.map_or(self.line_offset, |last| self.offset + last as u64 + 1),
        }
    }
}

impl Document {
    /// The place of a byte of the block.
    pub(super) fn place(&self, at: usize) -> Place {
        let newlines = self.newlines.get_or_init(|| memchr::memchr_iter(b'\n', &self.original).collect());
        let before = newlines.partition_point(|newline| *newline < at);
        let last = before.checked_sub(1).map(|last| newlines[last] as u64 + 1);
        Place {
            offset: self.begin.offset + at as u64,
            line: self.begin.line + before as u64,
            line_offset: last.map_or(self.begin.line_offset, |last| self.begin.offset + last),
        }
    }

    /// Lets hits say which record of the document their field is in, and lines begin and end as records do.
    pub(super) fn settle(&self, text: &[u8], hits: &mut [Hit], name_records: bool) {
        let (mut list, mut lists) = (None, self.lists.iter().peekable());
        // Up to where lines were counted, and how many of the list began.
        let (mut counted, mut later) = (0, 0);
        for hit in hits {
            let at = hit.line_start + hit.span.start;
            while let Some((begin, now)) = lists.next_if(|(begin, _)| *begin <= at) {
                (list, counted, later) = (*now, *begin, 0);
            }
            later += memchr::memchr_iter(b'\n', text.get(counted..at).unwrap_or_default()).count() as u64;
            counted = counted.max(at);
            if let (Some(list), Some(field), true) = (list, &mut hit.field, name_records) {
                *field = format!("{}.{field}", list.path(later)).into();
            }
            let record = trimmed(text, hit.line_start..hit.line_end);
            let before = record.start - hit.line_start;
            hit.span = hit.span.start.saturating_sub(before)..hit.span.end.saturating_sub(before);
            (hit.line_start, hit.line_end) = (record.start, record.end);
        }
    }
}

/// A part of a text without the white space around it.
pub(super) fn trimmed(text: &[u8], part: Range<usize>) -> Range<usize> {
    let line = text.get(part.clone()).unwrap_or_default();
    let start = part.start + (line.len() - line.trim_ascii_start().len());
    start..(start + line.trim_ascii().len()).max(start)
}

/// What is needed to go on in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resume {
    place: Place,
    state: CutterState,
}

/// Whether an input is a document, and what is done about it.
#[derive(Debug)]
pub(super) enum Mode {
    /// Its lines are what is searched.
    Lines,
    /// That is not known yet.
    Unknown,
    Document(Box<Cutting>),
}

/// A document that is cut.
#[derive(Debug)]
pub(super) struct Cutting {
    cutter: Cutter,
    /// What is in the buffer of the blocks, as it was.
    original: Vec<u8>,
    /// How much of it was cut.
    cut: usize,
    /// Lists of records that begin or end in it, by place in the input.
    lists: Vec<(u64, Option<List>)>,
    /// Where it begins, what is no part of the input (a mark) left out, and how to go on there.
    resume: Resume,
}

impl Mode {
    /// As it was left.
    pub(super) fn resume(resume: Option<Resume>, mark: &[u8]) -> Self {
        resume.map_or(Self::Lines, |resume| Self::Document(Box::new(Cutting::new(resume, mark))))
    }

    /// How to go on in the document at the place up to which it was handed out.
    pub(super) fn position(&self) -> Option<Resume> {
        match self {
            Self::Document(cutting) => Some(cutting.resume),
            _ => None,
        }
    }

    /// Takes what was read into a buffer from a place on, `whole` if no more will be, and makes lines of it. Of a record that
    /// goes on from earlier buffers, only up to its end. Returns up to where lines may be sought; nothing while it is not known what a line is.
    pub(super) fn take(&mut self, buffer: &mut [u8], from: usize, whole: bool, long: bool) -> Option<Range<usize>> {
        if matches!(self, Self::Unknown) {
            *self = if begins_document(buffer, whole)? {
                Self::Document(Box::new(Cutting::new(Resume::default(), b"")))
            } else {
                Self::Lines
            };
            return self.take(buffer, 0, whole, long);
        }
        match self {
            Self::Document(cutting) => {
                cutting.original.extend_from_slice(&buffer[cutting.original.len()..]);
                cutting.cut = cutting.cutter.pass(buffer, cutting.cut, long);
                cutting.lists.append(&mut cutting.cutter.take_lists());
                Some(0..cutting.cut)
            }
            _ => Some(from..buffer.len()),
        }
    }
}

impl Cutting {
    fn new(resume: Resume, mark: &[u8]) -> Self {
        Self {
            cutter: Cutter::resume(resume.state),
            original: mark.to_vec(),
            cut: mark.len(),
            lists: Vec::new(),
            resume,
        }
    }

    /// Hands out the first part of what is at hand, behind a mark, which ends with a line, or with the document.
    pub(super) fn hand_out(&mut self, mark: usize, end: usize) -> Document {
        let document = self.document(mark, end, end);
        let ends_with_line = end < self.cut || self.cutter.state_at_line().at() == self.cutter.state().at();
        let state = if ends_with_line { self.cutter.state_at_line() } else { self.cutter.state() };
        self.original.drain(..end);
        self.cut -= end;
        self.resume = Resume { place: self.resume.place.behind(&document.original), state };
        document
    }

    /// Hands out all that is at hand, of which what stands behind `kept` is handed out again in the next piece, there behind a
    /// mark.
    pub(super) fn hand_out_piece(&mut self, mark: usize, end: usize, kept: usize, next_mark: &[u8]) -> Document {
        let document = self.document(mark, end, kept);
        let passed = &document.original[..kept - mark];
        // Where the cutter stood there is found out once more, which a record this long is rare enough for.
        let mut cutter = Cutter::resume(self.resume.state);
        cutter.pass(&mut passed.to_vec(), 0, false);
        self.resume = Resume { place: self.resume.place.behind(passed), state: cutter.state() };
        self.original.splice(..kept, next_mark.iter().copied());
        self.cut = self.original.len();
        document
    }

    fn document(&mut self, mark: usize, end: usize, lists_to: usize) -> Document {
        let begin = self.resume.place;
        let mut lists = vec![(0, self.resume.state.list())];
        let passed = begin.offset + (lists_to - mark) as u64;
        self.lists.retain(|(at, list)| {
            if *at >= begin.offset && *at < passed {
                lists.push(((at - begin.offset) as usize, *list));
            }
            *at >= passed
        });
        Document { original: self.original[mark..end].to_vec(), begin, lists, newlines: OnceLock::new() }
    }
}
