//! From the hits of a block to what is printed of it, and from blocks to inputs: which lines are selected, counted and
//! shown. Lines are what grep's options count, however many hits a line has.

use super::blocks::{Block, Piece};
use super::document::trimmed;
use super::name::Name;
use super::output::{Line, Look, Rules, Scratch};
use super::record::{Collect, Place, Record};
use memchr::{memchr, memchr_iter};
use std::sync::Arc;
use stockade::matcher::Hit;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    pub(super) show: Show,
    /// `-v`: select the lines without a hit.
    pub(super) invert: bool,
    /// `-m`: no more lines of an input than this.
    pub(super) max: Option<u64>,
    pub(super) look: Look,
    /// What is kept of hits for what is written at the end.
    pub(super) collect: Collect,
}

/// What is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Show {
    /// A row for each hit, or with `-v` for each line without one.
    #[default]
    Rows,
    /// `-c`: for each input, how many lines are selected.
    Count,
    /// `-l`: the names of the inputs that have a selected line.
    Names,
    /// Nothing until the end, when what was kept of hits is told.
    Kept,
    /// `-q`: nothing; the first selected line ends the search.
    Nothing,
}

/// What came of a block.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// What to print.
    pub(super) rows: Vec<u8>,
    /// What is kept of each hit, in order.
    pub(super) records: Vec<Record>,
    /// Selected lines.
    pub(super) selected: u64,
    /// Hits, on selected lines or not.
    pub(super) hits: u64,
    /// Where the rows and the records of each selected line end, if `-m` may want to know.
    ends: Vec<(usize, usize)>,
    /// Where the hits stand that records are made of.
    places: Vec<Place>,
    /// Set if the block is a piece of a line.
    part: Option<Part>,
    /// Whether rows leave out some of a line.
    pub(super) shortened: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    last: bool,
    hit: bool,
}

/// All rows of a line together may repeat this much of it; beyond that, each shows a part of the line. In bytes.
const REPEAT: usize = 1 << 20;

impl Report {
    /// Renders one block. The hits are those of the block's text, in its order.
    pub(super) fn block(
        &self,
        name: &Name,
        block: &Block,
        hits: &mut Vec<Hit>,
        rules: Rules<'_>,
        scratch: &mut Scratch,
    ) -> Rendered {
        let mut out = Rendered::default();
        match block.piece {
            Some(piece) => self.piece((name, block, piece), hits, rules, scratch, &mut out),
            None if self.invert => self.lines_without(name, block, hits, &mut out),
            None => self.lines_with(name, block, hits, rules, scratch, &mut out),
        }
        out.hits = hits.len() as u64;
        let places = std::mem::take(&mut out.places);
        out.records.extend(places.into_iter().zip(hits.drain(..)).map(|(place, hit)| Record { hit, place }));
        out
    }

    fn lines_with(
        &self,
        name: &Name,
        block: &Block,
        hits: &mut [Hit],
        rules: Rules<'_>,
        scratch: &mut Scratch,
        out: &mut Rendered,
    ) {
        let text = block.text();
        let (mut counted_to, mut number) = (0, block.first_line);
        if let Some(document) = &block.document {
            // An event is the record, and what its fields are called is not where it stands in the document.
            document.settle(text, hits, !self.look.format.is_event());
        }
        for hits in hits.chunk_by(|a, b| a.line_start == b.line_start) {
            out.selected += 1;
            let wanted = self.show == Show::Rows || self.collect != Collect::Nothing;
            let Some(first) = hits.first().filter(|_| wanted) else { continue };
            number += memchr_iter(b'\n', text.get(counted_to..first.line_start).unwrap_or_default()).count() as u64;
            counted_to = first.line_start;
            let line_text = text.get(first.line_start..first.line_end).unwrap_or_default();
            let line = Line {
                name,
                number: block.document.as_ref().map_or(number, |document| document.place(first.line_start).line),
                offset: block.offset + first.line_start as u64,
                text: line_text,
                start: 0,
                more: false,
                shorten: hits.len() > 1 && hits.len().saturating_mul(line_text.len()) > REPEAT,
                layout: block.layout_at(first.line_start),
                document: block.document.as_deref().map(|document| (document, first.line_start)),
            };
            if self.show == Show::Rows {
                out.shortened |= line.shorten && self.look.format.repeats_line() && !self.look.only_matching;
                self.look.hits(&line, hits, rules, scratch, &mut out.rows);
            }
            self.collect.line(&line, hits, rules, &mut out.places);
            self.end_line(out);
        }
    }

    fn lines_without(&self, name: &Name, block: &Block, hits: &[Hit], out: &mut Rendered) {
        let text = block.text();
        let mut hits = hits.iter().map(|hit| hit.line_start).peekable();
        let (mut start, mut number) = (0, block.first_line);
        while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
            let next = start + memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            let (record, number_now) = match &block.document {
                Some(document) => {
                    let record = trimmed(text, start..next);
                    let number = document.place(record.start).line;
                    (record, number)
                }
                None => (start..start + strip_line_end(&text[start..next]).len(), number),
            };
            // Between records there is nothing.
            let nothing = block.document.is_some() && record.is_empty();
            if hits.peek() != Some(&start) && !nothing {
                out.selected += 1;
                if self.show == Show::Rows {
                    let offset = block.offset + record.start as u64;
                    let line = Line {
                        name,
                        number: number_now,
                        offset,
                        text: &text[record],
                        start: 0,
                        more: false,
                        shorten: false,
                        layout: None,
                        document: None,
                    };
                    self.look.miss(&line, &mut out.rows);
                    self.end_line(out);
                }
            }
            while hits.next_if_eq(&start).is_some() {}
            start = next;
            number += 1;
        }
    }

    fn piece(
        &self,
        (name, block, piece): (&Name, &Block, Piece),
        hits: &mut Vec<Hit>,
        rules: Rules<'_>,
        scratch: &mut Scratch,
        out: &mut Rendered,
    ) {
        let mut line = Line {
            name,
            number: block.document.as_ref().map_or(block.first_line, |document| document.place(0).line),
            offset: block.offset,
            text: block.text().get(piece.mark..).unwrap_or_default(),
            start: piece.start,
            more: !piece.last,
            shorten: true,
            layout: block.layout_at(0),
            document: block.document.as_deref().map(|document| (document, 0)),
        };
        if piece.last {
            line.text = strip_line_end(line.text);
        }
        piece.settle(hits);
        out.part = Some(Part { last: piece.last, hit: !hits.is_empty() });
        let format = self.look.format;
        out.shortened = self.show == Show::Rows
            && (format.repeats_line() && !self.look.only_matching || format.is_event() && !hits.is_empty());
        if !self.invert {
            self.collect.line(&line, hits, rules, &mut out.places);
        }
        if self.show != Show::Rows {
            return;
        }
        if self.invert && piece.start == 0 {
            self.look.miss(&line, &mut out.rows);
        } else if !self.invert && !hits.is_empty() {
            self.look.hits(&line, hits, rules, scratch, &mut out.rows);
        }
    }

    fn end_line(&self, out: &mut Rendered) {
        if self.max.is_some() {
            out.ends.push((out.rows.len(), out.places.len()));
        }
    }
}

/// A line without its newline, and without the carriage return before that.
pub(super) fn strip_line_end(line: &[u8]) -> &[u8] {
    let Some(line) = line.strip_suffix(b"\n") else { return line };
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl Rendered {
    /// What it costs to keep, in bytes, near enough.
    pub(super) fn size(&self) -> usize {
        self.rows.len() + self.records.iter().map(Record::size).sum::<usize>()
    }
}

/// What comes of blocks, in the order of the input.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// What to print.
    pub(super) rows: Vec<u8>,
    /// What was kept of hits, by input.
    pub(super) records: Vec<(Arc<Name>, Vec<Record>)>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.records.is_empty()
    }

    fn add(&mut self, name: &Arc<Name>, records: Vec<Record>) {
        if !records.is_empty() {
            self.records.push((Arc::clone(name), records));
        }
    }
}

/// What is known of an input after some of its blocks.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Selected lines so far.
    selected: u64,
    /// The line of the last piece has a hit.
    hit: bool,
    /// The row of a long line that counts if no piece of it has a hit.
    held: Vec<u8>,
}

impl Tally {
    /// Adds the next block of the input to what is printed and kept. Returns whether the rest of the input matters.
    pub(super) fn add(&mut self, report: &Report, name: &Arc<Name>, mut block: Rendered, out: &mut Batch) -> bool {
        let before = self.selected;
        let room = report.max.unwrap_or(u64::MAX).saturating_sub(before);
        match block.part {
            None if block.selected > room => {
                let last = room.checked_sub(1).and_then(|last| block.ends.get(last as usize)).copied();
                let (rows, records) = last.unwrap_or_default();
                self.selected += room;
                out.rows.extend_from_slice(&block.rows[..rows]);
                block.records.truncate(records);
                out.add(name, block.records);
            }
            None => {
                self.selected += block.selected;
                out.rows.extend_from_slice(&block.rows);
                out.add(name, block.records);
            }
            Some(part) => {
                // Of a long line, the first hit alone is the first of its line.
                if self.hit {
                    block.records.iter_mut().for_each(|record| record.place.first = false);
                }
                self.add_part(report, part, block.rows, &mut out.rows);
                out.add(name, block.records);
            }
        }
        let first = before == 0 && self.selected > 0;
        if first && report.show == Show::Names {
            report.look.name(name, &mut out.rows);
        }
        let line_open = block.part.is_some_and(|part| !part.last);
        match report.show {
            Show::Names | Show::Nothing => self.selected == 0,
            Show::Rows | Show::Count | Show::Kept => line_open || report.max.is_none_or(|max| self.selected < max),
        }
    }

    /// Adds a piece of a line. The line is selected with its first hit, or with `-v` at its end for want of one.
    fn add_part(&mut self, report: &Report, part: Part, rows: Vec<u8>, out: &mut Vec<u8>) {
        let newly_hit = part.hit && !self.hit;
        self.hit |= part.hit;
        if report.invert {
            if !rows.is_empty() {
                self.held = rows;
            }
            if part.last && !self.hit {
                self.selected += 1;
                out.append(&mut self.held);
            }
        } else {
            self.selected += u64::from(newly_hit);
            out.extend_from_slice(&rows);
        }
        if part.last {
            self.hit = false;
            self.held.clear();
        }
    }

    /// Ends the input.
    pub(super) fn end(&self, report: &Report, name: &Name, out: &mut Vec<u8>) {
        if report.show == Show::Count {
            report.look.count(name, self.selected, out);
        }
    }

    /// Whether any line was selected.
    pub(super) fn any(&self) -> bool {
        self.selected > 0
    }
}
