//! A window on a stream: the bytes that were read and not yet used, and where in the stream they stand.

use std::io::{self, Read};

/// Bytes asked for at a time.
const CAPACITY: usize = 256 * 1024;

/// The most that a window holds, which limits the size of one object or line.
const LIMIT: usize = 64 * 1024 * 1024;

/// A place in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, counted from 1.
    pub line: u64,
    /// Byte in the line, counted from 1.
    pub column: u64,
}

/// See the module.
pub(crate) struct Window<'r> {
    reader: &'r mut dyn Read,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    limit: usize,
    finished: bool,
    failure: Option<io::Error>,
    /// Everything before this index is accounted for in `line` and `line_start`.
    counted: usize,
    line: u64,
    /// Where the current line begins in the stream.
    line_start: u64,
    /// Where `bytes` begins in the stream.
    base: u64,
}

impl<'r> Window<'r> {
    pub(crate) fn new(reader: &'r mut dyn Read) -> Self {
        Self::with_sizes(reader, CAPACITY, LIMIT)
    }

    pub(crate) fn with_sizes(reader: &'r mut dyn Read, capacity: usize, limit: usize) -> Self {
        let bytes = vec![0; capacity];
        Self {
            reader,
            bytes,
            start: 0,
            end: 0,
            limit,
            finished: false,
            failure: None,
            counted: 0,
            line: 1,
            line_start: 0,
            base: 0,
        }
    }

    /// The bytes that were read and not yet used.
    #[inline]
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Marks bytes as used.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Reads on, until the window is full; it grows if most of it is still in use. False if there is no more, or no
    /// more fits.
    pub(crate) fn more(&mut self) -> bool {
        if self.finished || self.is_full() {
            return false;
        }
        self.count_lines();
        self.bytes.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        (self.start, self.counted) = (0, 0);
        if self.end > self.bytes.len() / 2 {
            self.bytes.resize((self.bytes.len() * 2).min(self.limit), 0);
        }
        let before = self.end;
        while self.end < self.bytes.len() && !self.finished {
            match self.reader.read(&mut self.bytes[self.end..]) {
                Ok(0) => self.finished = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    self.finished = true;
                }
            }
        }
        self.end > before
    }

    /// Length of the line that the rest begins with, without its newline; reads on if need be. `None` at the end, and
    /// for what came of a line before the reader failed: part of a value may look like another value.
    pub(crate) fn line(&mut self) -> Option<usize> {
        self.line_from(0)
    }

    /// As [`Window::line`], of the line that begins `ahead` of the rest; its end is counted from the rest.
    pub(crate) fn line_from(&mut self, ahead: usize) -> Option<usize> {
        let mut searched = ahead;
        loop {
            if let Some(length) = memchr::memchr(b'\n', self.rest().get(searched..)?) {
                return Some(searched + length);
            }
            searched = self.rest().len();
            if !self.more() {
                return (searched > ahead && !self.has_failed()).then_some(searched);
            }
        }
    }

    /// Whether nothing can be added before something is used.
    pub(crate) fn is_full(&self) -> bool {
        self.end - self.start >= self.limit
    }

    /// Whether the stream has been read to its end, or to a failure.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The failure that ended the reading, if one did.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Whether a failure ended the reading.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Where the first byte of the rest stands.
    pub(crate) fn place(&mut self) -> Place {
        self.count_lines();
        Place { line: self.line, column: self.base + self.start as u64 - self.line_start + 1 }
    }

    /// Where a byte of the rest stands.
    pub(crate) fn place_of(&mut self, ahead: usize) -> Place {
        let here = self.place();
        let before = &self.rest()[..ahead.min(self.end - self.start)];
        match memchr::memrchr(b'\n', before) {
            Some(newline) => Place {
                line: here.line + memchr::memchr_iter(b'\n', before).count() as u64,
                column: (before.len() - newline) as u64,
            },
            None => Place { line: here.line, column: here.column + before.len() as u64 },
        }
    }

    fn count_lines(&mut self) {
        let passed = &self.bytes[self.counted..self.start];
        let count = memchr::memchr_iter(b'\n', passed).count();
        if count > 0 {
            self.line += count as u64;
            if let Some(newline) = memchr::memrchr(b'\n', passed) {
                self.line_start = self.base + (self.counted + newline + 1) as u64;
            }
        }
        self.counted = self.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_at_any_size() {
        let text = b"one\n\nthree and more\nfour";
        for capacity in 1..30 {
            let mut reader = &text[..];
            let mut window = Window::with_sizes(&mut reader, capacity, 1000);
            let (mut line, mut column) = (1, 1);
            for byte in text {
                assert!(!window.rest().is_empty() || window.more());
                assert_eq!(window.rest()[0], *byte);
                assert_eq!(window.place(), Place { line, column });
                (line, column) = if *byte == b'\n' { (line + 1, 1) } else { (line, column + 1) };
                window.advance(1);
            }
            assert!(!window.more() && window.is_finished());
        }
    }

    #[test]
    fn grows_to_its_limit() {
        let mut reader = io::repeat(b'x');
        let mut window = Window::with_sizes(&mut reader, 8, 20);
        while window.more() {}
        assert_eq!(window.rest().len(), 20);
        window.advance(5);
        assert!(window.more());
        assert_eq!(window.place_of(3), Place { line: 1, column: 9 });
    }

    #[test]
    fn keeps_what_came_before_a_failure() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let mut reader = (&b"abc"[..]).chain(Breaks);
        let mut window = Window::new(&mut reader);
        assert!(window.more());
        assert_eq!(window.rest(), b"abc");
        assert!(!window.more());
        assert_eq!(window.take_failure().unwrap().to_string(), "gone");
    }
}
