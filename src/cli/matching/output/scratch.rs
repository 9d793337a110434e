//! What a thread keeps from line to line: what is written of an indicator is the same in all its hits.

use std::collections::HashMap;
use stockade::compile::EntryId;

/// What may be kept, in bytes. Beyond that, everything is forgotten: what is hit often comes back at once.
const LIMIT: usize = 8 << 20;
/// What an entry costs besides its bytes, near enough.
const ENTRY: usize = 64;

/// Kept by one thread, for one format and one rule set.
#[derive(Debug, Default)]
pub(in crate::cli::matching) struct Scratch {
    indicators: HashMap<EntryId, Box<[u8]>, foldhash::fast::FixedState>,
    bytes: usize,
    /// Free for use within one line.
    pub(super) line: Vec<u8>,
}

impl Scratch {
    /// Appends what is written of an indicator, which is made once.
    pub(super) fn indicator(&mut self, entry: EntryId, out: &mut Vec<u8>, make: impl FnOnce(&mut Vec<u8>)) {
        if let Some(known) = self.indicators.get(&entry) {
            out.extend_from_slice(known);
            return;
        }
        let start = out.len();
        make(out);
        let made = &out[start..];
        if self.bytes > LIMIT {
            self.indicators.clear();
            self.bytes = 0;
        }
        self.bytes += made.len() + ENTRY;
        self.indicators.insert(entry, made.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_once_comes_again() {
        let mut scratch = Scratch::default();
        let mut out = Vec::new();
        scratch.indicator(EntryId(1), &mut out, |out| out.extend_from_slice(b"one"));
        scratch.indicator(EntryId(2), &mut out, |out| out.extend_from_slice(b" two "));
        scratch.indicator(EntryId(1), &mut out, |_| panic!("made already"));
        assert_eq!(out, b"one two one");
    }

    #[test]
    fn memory_is_bounded() {
        let mut scratch = Scratch::default();
        for number in 0..20 {
            scratch.indicator(EntryId(number), &mut Vec::new(), |out| out.resize(LIMIT / 4, b'x'));
            assert!(scratch.bytes <= 2 * LIMIT && scratch.indicators.len() <= 6);
        }
    }
}
