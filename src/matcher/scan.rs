//! Scans blocks of many lines: finds the few lines worth deciding.

use super::{Hit, Matcher};

/// Scans blocks of text.
#[derive(Debug)]
pub struct Scanner<'m> {
    _matcher: &'m Matcher,
}

impl<'m> Scanner<'m> {
    pub(super) fn new(matcher: &'m Matcher) -> Self {
        Self { _matcher: matcher }
    }

    /// Appends the hits of a block of whole lines, in the order of the text (then of the indicators' ids).
    pub fn scan(&mut self, _block: &[u8], _hits: &mut Vec<Hit>) {}
}
