//! Scans blocks of many lines: finds the few lines worth deciding.

use super::{Hit, Matcher};
use memchr::memchr;

/// Scans blocks of text.
#[derive(Debug)]
pub struct Scanner<'m> {
    matcher: &'m Matcher,

    /// Places in the block whose lines have to be decided.
    suspects: Vec<u32>,
}

impl<'m> Scanner<'m> {
    pub(super) fn new(matcher: &'m Matcher) -> Self {
        Self { matcher, suspects: Vec::new() }
    }

    /// Appends the hits of a block of whole lines, in the order of the text (then of the indicators' ids).
    pub fn scan(&mut self, block: &[u8], hits: &mut Vec<Hit>) {
        let mut start = 0;
        while start < block.len() {
            let end = memchr(b'\n', &block[start..]).map_or(block.len(), |at| start + at);
            let line = block[start..end].strip_suffix(b"\r").unwrap_or(&block[start..end]);
            self.matcher.decide_line(line, start, hits);
            start = end + 1;
        }
    }
}
