//! Cuts an input into blocks of whole lines. A line longer than a block is cut into pieces that overlap, so that memory
//! stays bounded on a line of any length and yet no value is missed or torn.
//!
//! Each piece but the last leaves the hits that end in its last bytes (half of the overlap) to the next one, which sees
//! what follows them; the other half of the overlap shows the next piece what went before. So every value shorter than
//! half of the overlap is judged with as much around it on either side.

use memchr::{memchr, memchr_iter, memrchr};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use stockade::log::{Layout, Layouts, Tracker};
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

    /// How the fields of the line that begins at a place are told.
    pub(super) fn layout_at(&self, place: usize) -> Option<&Layout> {
        self.layouts.parts(self.len).find(|(part, _)| part.contains(&place)).map(|(_, layout)| &**layout)
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
}

impl Position {
    /// The beginning.
    pub(super) const START: Self = Self { offset: 0, line: 1, within: None };

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
    tracker: Tracker,
    bytes_read: u64,
    ended: bool,
    error: Option<io::Error>,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(reader: R, eager: bool, limits: Limits, tracker: Tracker) -> Self {
        Self {
            reader,
            limits,
            eager,
            growing: false,
            carry: Vec::new(),
            offset: 0,
            line: 1,
            long: None,
            tracker,
            bytes_read: 0,
            ended: false,
            error: None,
        }
    }

    /// Goes on at a position of an input that may still grow; the reader stands there.
    pub(super) fn growing(reader: R, position: Position, limits: Limits, tracker: Tracker) -> Self {
        let Position { offset, line, within: long } = position;
        let mark = long.filter(|long| long.mark > 0).map_or(&[][..], |_| JSON_MARK);
        let carry = mark.to_vec();
        let bytes_read = position.byte();
        Self { growing: true, carry, offset, line, long, bytes_read, ..Self::new(reader, false, limits, tracker) }
    }

    /// How far it was handed out.
    pub(super) fn position(&self) -> Position {
        Position { offset: self.offset, line: self.line, within: self.long }
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
        // A piece ends with the first newline, a block of lines with the last.
        let find = if self.long.is_some() { memchr } else { memrchr };
        let mut newline = find(b'\n', &block.buffer[..len]);
        let first_will_do = self.long.is_some() || self.eager;
        let mut paused = false;
        while !(paused || self.ended || len == self.limits.block || first_will_do && newline.is_some()) {
            match self.reader.read(&mut block.buffer[len..]) {
                Ok(0) if self.growing => paused = true,
                Ok(0) => self.ended = true,
                Ok(n) => {
                    newline = find(b'\n', &block.buffer[len..len + n]).map(|place| len + place).or(newline);
                    len += n;
                    self.bytes_read += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    (paused, self.ended) = (self.growing, !self.growing);
                    self.error = Some(error);
                }
            }
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
        block.len > 0
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
        if last {
            self.carry.extend_from_slice(&block.buffer[block.len..len]);
            self.offset += end;
            self.line += block.newlines;
        } else {
            let kept = block.len - self.limits.overlap;
            if mark > 0 || start == 0 && matches!(block.text().trim_ascii_start().first(), Some(b'{' | b'[')) {
                self.carry.extend_from_slice(JSON_MARK);
            }
            self.long = Some(Long { mark: self.carry.len(), start: place_in_line(kept), settled: settles });
            self.carry.extend_from_slice(&block.buffer[kept..block.len]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Limits = Limits { block: 64, overlap: 16 };

    /// Gives out its pieces one read at a time.
    struct Pieces(Vec<Vec<u8>>);
    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(piece) = self.0.first_mut() else { return Ok(0) };
            let n = piece.len().min(buffer.len());
            buffer[..n].copy_from_slice(&piece[..n]);
            piece.drain(..n);
            if piece.is_empty() {
                self.0.remove(0);
            }
            Ok(n)
        }
    }

    /// Puts the input together again from the blocks, and checks what they say of themselves.
    fn put_together(pieces: Vec<Vec<u8>>, eager: bool) -> Vec<u8> {
        let mut blocks = Blocks::new(Pieces(pieces), eager, SMALL, Tracker::default());
        let mut block = Block::default();
        let mut whole: Vec<u8> = Vec::new();
        while blocks.next(&mut block) {
            assert!(block.text().len() <= SMALL.block);
            let Some(piece) = block.piece else {
                assert_eq!(block.offset, whole.len() as u64);
                assert_eq!(block.first_line, 1 + memchr_iter(b'\n', &whole).count() as u64);
                whole.extend_from_slice(block.text());
                continue;
            };
            let line_start = memrchr(b'\n', &whole).map_or(0, |newline| newline + 1);
            assert_eq!(block.offset, line_start as u64);
            assert_eq!(block.first_line, 1 + memchr_iter(b'\n', &whole).count() as u64);
            let (mark, text) = block.text().split_at(piece.mark);
            assert!(mark.is_empty() || mark == JSON_MARK);
            let start = line_start + piece.start as usize;
            assert_eq!(whole[start..], text[..whole.len() - start], "the overlap");
            if piece.start > 0 {
                assert_eq!(piece.settled, whole.len() as u64 - line_start as u64 - SMALL.overlap as u64 / 2);
            }
            whole.truncate(start);
            whole.extend_from_slice(text);
        }
        whole
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_said_twice(
            pieces in prop::collection::vec("[a-c{ \n]{1,90}|[a-c]{150}\n?|\n", 0..12), eager: bool
        ) {
            let pieces: Vec<Vec<u8>> = pieces.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(put_together(pieces.clone(), eager), pieces.concat());
        }
    }

    proptest! {
        /// Reading that is broken off after any block and taken up at its position hands out the same blocks.
        #[test]
        fn a_position_is_all_that_is_needed_to_go_on(text in "([a-c{ \\n]{1,90}|[a-c]{150}\n?|\\n){0,8}") {
            let text = text.into_bytes();
            let mut whole = Blocks::growing(&text[..], Position::START, SMALL, Tracker::default());
            let mut broken = Blocks::growing(&text[..], Position::START, SMALL, Tracker::default());
            let (mut one, mut other) = (Block::default(), Block::default());
            loop {
                let some = whole.next(&mut one);
                prop_assert_eq!(some, broken.next(&mut other));
                if !some {
                    break;
                }
                prop_assert_eq!(one.text(), other.text());
                prop_assert_eq!((one.offset, one.first_line), (other.offset, other.first_line));
                let position = broken.position();
                prop_assert_eq!(position, whole.position());
                broken = Blocks::growing(&text[position.byte() as usize..], position, SMALL, Tracker::default());
            }
            prop_assert!(whole.position().offset as usize <= text.len());
            prop_assert_eq!(whole.finish_line(&mut one), broken.finish_line(&mut other));
            prop_assert_eq!(one.text(), other.text());
            prop_assert_eq!(whole.position().byte(), text.len() as u64);
        }
    }

    #[test]
    fn a_growing_reader_waits_for_the_newline() {
        struct Growing(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
        impl Read for Growing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let mut bytes = self.0.borrow_mut();
                let n = bytes.len().min(buffer.len());
                buffer[..n].copy_from_slice(&bytes[..n]);
                bytes.drain(..n);
                Ok(n)
            }
        }
        let file = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let mut blocks =
            Blocks::growing(Growing(std::rc::Rc::clone(&file)), Position::START, SMALL, Tracker::default());
        let mut block = Block::default();
        for (arrives, handed_out) in [("", ""), ("on", ""), ("e\ntw", "one\n"), ("o", ""), ("\n", "two\n"), ("th", "")]
        {
            file.borrow_mut().extend_from_slice(arrives.as_bytes());
            assert_eq!(blocks.next(&mut block), !handed_out.is_empty());
            assert_eq!(block.text(), handed_out.as_bytes());
        }
        assert_eq!((blocks.position().offset, blocks.position().line), (8, 3));
        assert!(blocks.finish_line(&mut block));
        assert_eq!((block.text(), blocks.position().offset), (&b"th"[..], 10));
        assert!(!blocks.finish_line(&mut block));
    }

    #[test]
    fn an_eager_reader_hands_over_each_line_as_it_comes() {
        let mut blocks = Blocks::new(Pieces(vec![b"one\ntw".into(), b"o\n".into()]), true, SMALL, Tracker::default());
        let mut block = Block::default();
        assert!(blocks.next(&mut block));
        assert_eq!(block.text(), b"one\n");
        assert!(blocks.next(&mut block));
        assert_eq!((block.text(), block.first_line, block.offset), (&b"two\n"[..], 2, 4));
        assert!(!blocks.next(&mut block));
    }
}
