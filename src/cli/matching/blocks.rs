//! Cuts an input into blocks of whole lines. A line longer than a block is cut into pieces that overlap, so that memory
//! stays bounded on a line of any length and yet no value is missed or torn.
//!
//! Each piece but the last leaves the hits that end in its last bytes (half of the overlap) to the next one, which sees
//! what follows them; the other half of the overlap shows the next piece what went before. So every value shorter than
//! half of the overlap is judged with as much around it on either side.

use super::document::{Document, Mode, Resume};
use memchr::{memchr, memchr_iter, memrchr};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use std::sync::Arc;
use stockade::log::{Heading, Layout, Layouts, Tracker};
use stockade::matcher::Hit;

/// How large things may become, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// A block, and so a line that is searched in one go.
    pub(super) block: usize,
    /// What two pieces of a longer line share.
    pub(super) overlap: usize,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self { block: 1 << 20, overlap: 128 << 10 };
}

/// Put in front of a piece whose line began as JSON, because the rules for escapes in JSON ask how a line begins.
const JSON_MARK: &[u8] = b"{ ";

/// A block of whole lines, or a piece of one line.
#[derive(Debug, Default)]
pub(super) struct Block {
    buffer: Vec<u8>,
    len: usize,
    /// Where in the input its first byte stands, or for a piece where its line begins.
    pub(super) offset: u64,
    /// The number of its first line, from 1.
    pub(super) first_line: u64,
    /// Newlines in it.
    pub(super) newlines: u64,
    /// Bytes at its front that are a mark, or repeat what the block before had.
    repeated: u64,
    /// How its lines are to be read.
    pub(super) layouts: Layouts,
    /// Set if it is a piece of a line.
    pub(super) piece: Option<Piece>,
    /// Set if its lines are records of a document, or pieces of one.
    pub(super) document: Option<Box<Document>>,
    /// It ends a line that would have fields, were it not too long to be taken apart.
    pub(super) lost_fields: bool,
}

/// Where a piece lies in its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// How many bytes at the front are no part of the line.
    pub(super) mark: usize,
    /// The place in the line of the first byte after the mark.
    pub(super) start: u64,
    /// Hits that end here or before were those of earlier pieces.
    pub(super) settled: u64,
    /// Hits that end after this place are those of later pieces.
    pub(super) settles: u64,
    /// The line ends with it.
    pub(super) last: bool,
}

impl Piece {
    /// Leaves the hits that are its own, with their places in the text after the mark.
    pub(super) fn settle(&self, hits: &mut Vec<Hit>) {
        hits.retain_mut(|hit| {
            hit.span.start = hit.span.start.saturating_sub(self.mark);
            hit.span.end = hit.span.end.saturating_sub(self.mark);
            let end = self.start + hit.span.end as u64;
            self.settled < end && end <= self.settles
        });
    }
}

impl Block {
    /// The text to search.
    pub(super) fn text(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// Its bytes as they are in the input.
    pub(super) fn original(&self) -> &[u8] {
        self.document.as_ref().map_or_else(|| self.text(), |document| &document.original)
    }

    /// How the fields of the line that begins at a place are told.
    pub(super) fn layout_at(&self, place: usize) -> Option<&Layout> {
        self.layouts.at(place)
    }

    /// Bytes of the input in it that no block before it had.
    pub(super) fn new_bytes(&self) -> u64 {
        self.len as u64 - self.repeated
    }

    /// Lines that end in it, the last of the input included if it has no newline.
    pub(super) fn lines_ended(&self) -> u64 {
        let ends_without_newline = match self.piece {
            Some(piece) => piece.last && self.newlines == 0,
            None => self.text().last().is_some_and(|last| *last != b'\n'),
        };
        self.newlines + u64::from(ends_without_newline)
    }
}

/// A line of which one piece or more were handed out, and what is known of the next: see [`Piece`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Long {
    mark: usize,
    start: u64,
    settled: u64,
}

/// How far an input was handed out in blocks, so that reading can go on there at another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Where the first line that was not handed out whole begins.
    pub(super) offset: u64,
    /// Its number.
    pub(super) line: u64,
    /// What was handed out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<Long>,
    /// How to go on in a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<Resume>,
}

impl Position {
    /// The beginning.
    pub(super) const START: Self = Self { offset: 0, line: 1, within: None, document: None };

    /// The byte with which reading goes on.
    pub(super) fn byte(&self) -> u64 {
        self.offset.saturating_add(self.within.map_or(0, |long| long.start))
    }
}

/// Reads blocks from an input.
pub(super) struct Blocks<R> {
    reader: R,
    limits: Limits,
    /// Hand over what has arrived rather than wait for a block to fill.
    eager: bool,
    /// More may come after the end: a line is handed out when its newline has arrived.
    growing: bool,
    /// Read already, but part of the next block.
    carry: Vec<u8>,
    offset: u64,
    line: u64,
    /// Set while the carry continues a line.
    long: Option<Long>,
    /// Whether it is a document.
    mode: Mode,
    tracker: Tracker,
    bytes_read: u64,
    ended: bool,
    error: Option<io::Error>,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(reader: R, eager: bool, limits: Limits, tracker: Tracker) -> Self {
        let mode = if tracker.may_be_document() { Mode::Unknown } else { Mode::Lines };
        Self {
            reader,
            limits,
            eager,
            growing: false,
            carry: Vec::new(),
            offset: 0,
            line: 1,
            long: None,
            mode,
            tracker,
            bytes_read: 0,
            ended: false,
            error: None,
        }
    }

    /// Reads an input whose lines are wanted as they are, also of a document.
    pub(super) fn of_lines(reader: R, eager: bool, limits: Limits, tracker: Tracker) -> Self {
        Self { mode: Mode::Lines, ..Self::new(reader, eager, limits, tracker) }
    }

    /// Goes on at a position of an input that may still grow; the reader stands there.
    pub(super) fn growing(reader: R, position: Position, limits: Limits, tracker: Tracker) -> Self {
        let Position { offset, line, within: long, document } = position;
        let mark = long.filter(|long| long.mark > 0).map_or(&[][..], |_| JSON_MARK);
        let carry = mark.to_vec();
        let bytes_read = position.byte();
        let mut blocks = Self::new(reader, false, limits, tracker);
        if bytes_read > 0 {
            blocks.mode = Mode::resume(document, mark);
        }
        Self { growing: true, carry, offset, line, long, bytes_read, ..blocks }
    }

    /// How far it was handed out.
    pub(super) fn position(&self) -> Position {
        Position { offset: self.offset, line: self.line, within: self.long, document: self.mode.position() }
    }

    /// What header lines have said up to there.
    pub(super) fn heading(&mut self) -> Option<Arc<Heading>> {
        self.tracker.heading()
    }

    /// Hands out what has come of a line whose newline will not come.
    pub(super) fn finish_line(&mut self, block: &mut Block) -> bool {
        self.growing = false;
        let some = self.next(block);
        (self.growing, self.ended) = (true, false);
        some
    }

    /// Fills the next block; false at the end, which may have come early (see [`Self::error`]), or for now.
    pub(super) fn next(&mut self, block: &mut Block) -> bool {
        block.buffer.resize(self.limits.block, 0);
        let mut len = self.carry.len();
        block.buffer[..len].copy_from_slice(&self.carry);
        self.carry.clear();
        let first_will_do = self.long.is_some() || self.eager;
        let mut newline = self.newline(&mut block.buffer[..len], 0);
        let mut paused = false;
        while !(paused || self.ended || len == self.limits.block || first_will_do && newline.is_some()) {
            let before = len;
            match self.reader.read(&mut block.buffer[len..]) {
                Ok(0) if self.growing => paused = true,
                Ok(0) => self.ended = true,
                Ok(n) => {
                    len += n;
                    self.bytes_read += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    (paused, self.ended) = (self.growing, !self.growing);
                    self.error = Some(error);
                }
            }
            newline = self.newline(&mut block.buffer[..len], before).or(newline);
        }
        if paused && newline.is_none() {
            self.carry.extend_from_slice(&block.buffer[..len]);
            block.len = 0;
            return false;
        }
        match self.long.take() {
            Some(long) => self.cut_piece(block, len, newline, long),
            None if newline.is_none() && !self.ended => self.cut_piece(block, len, None, Long::default()),
            None => self.cut_lines(block, len, newline),
        }
        block.layouts = match block.piece {
            None => self.tracker.next(block.text()),
            Some(_) => self.tracker.piece(block.text()),
        };
        block.lost_fields = block.piece.is_some_and(|piece| piece.last) && self.tracker.has_fields();
        block.len > 0
    }

    /// Where what is handed out next ends: a piece with the first newline, a block of lines with the last. What stands
    /// before `from` was looked at before.
    fn newline(&mut self, buffer: &mut [u8], from: usize) -> Option<usize> {
        let whole = self.ended || buffer.len() == self.limits.block;
        let part = self.mode.take(buffer, from, whole, self.long.is_some())?;
        let find = if self.long.is_some() { memchr } else { memrchr };
        find(b'\n', &buffer[part.clone()]).map(|place| part.start + place)
    }

    /// Why the input ended before its end, and how many bytes of it were read.
    pub(super) fn error(&mut self) -> Option<(io::Error, u64)> {
        self.error.take().map(|error| (error, self.bytes_read))
    }

    /// Whether every block was handed out.
    pub(super) fn ended(&self) -> bool {
        self.ended && self.carry.is_empty()
    }

    /// What the blocks are read from.
    pub(super) fn reader(&self) -> &R {
        &self.reader
    }

    /// The same, to be changed.
    pub(super) fn reader_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    fn cut_lines(&mut self, block: &mut Block, len: usize, newline: Option<usize>) {
        block.len = match newline {
            Some(newline) if !self.ended => newline + 1,
            _ => len,
        };
        self.carry.extend_from_slice(&block.buffer[block.len..len]);
        block.piece = None;
        block.repeated = 0;
        block.offset = self.offset;
        block.first_line = self.line;
        block.newlines = memchr_iter(b'\n', block.text()).count() as u64;
        block.document = match &mut self.mode {
            Mode::Document(cutting) => Some(Box::new(cutting.hand_out(0, block.len))),
            _ => None,
        };
        self.offset += block.len as u64;
        self.line += block.newlines;
    }

    fn cut_piece(&mut self, block: &mut Block, len: usize, newline: Option<usize>, long: Long) {
        let last = newline.is_some() || self.ended;
        block.len = newline.map_or(len, |newline| newline + 1);
        let place_in_line = |place: usize| long.start + (place - long.mark) as u64;
        let end = place_in_line(block.len);
        let settles = if last { u64::MAX } else { end - self.limits.overlap as u64 / 2 };
        let Long { mark, start, settled } = long;
        block.repeated = if start > 0 { (mark + self.limits.overlap) as u64 } else { 0 };
        block.piece = Some(Piece { mark, start, settled, settles, last });
        block.offset = self.offset;
        block.first_line = self.line;
        block.newlines = u64::from(newline.is_some());
        block.document = None;
        if last {
            self.carry.extend_from_slice(&block.buffer[block.len..len]);
            if let Mode::Document(cutting) = &mut self.mode {
                block.document = Some(Box::new(cutting.hand_out(mark, block.len)));
            }
            self.offset += end;
            self.line += block.newlines;
        } else {
            let kept = block.len - self.limits.overlap;
            if mark > 0 || start == 0 && matches!(block.text().trim_ascii_start().first(), Some(b'{' | b'[')) {
                self.carry.extend_from_slice(JSON_MARK);
            }
            if let Mode::Document(cutting) = &mut self.mode {
                block.document = Some(Box::new(cutting.hand_out_piece(mark, block.len, kept, &self.carry)));
            }
            self.long = Some(Long { mark: self.carry.len(), start: place_in_line(kept), settled: settles });
            self.carry.extend_from_slice(&block.buffer[kept..block.len]);
        }
    }
}

#[cfg(test)]
mod tests;
