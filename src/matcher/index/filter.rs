//! A filter in front of a table: says for most absent keys that they are absent, with one read.
//!
//! A Bloom filter whose four bits lie in one 64-bit word, with 16 to 32 bits for each key: about half a percent of
//! the absent keys pass. It is built and asked faster than denser filters, and a probe never touches two lines.

use bytes::Bytes;

/// Says "surely not there" or "perhaps there".
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// Words, bytes of the lowest value first.
    words: Bytes,
    shift: u32,
}

/// A filter in the making.
#[derive(Debug)]
pub(crate) struct FilterBuilder {
    words: Vec<u64>,
    shift: u32,
}

impl FilterBuilder {
    /// A filter for this many keys.
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let words = (keys / 4 + 1).next_power_of_two().max(8);
        Self { words: vec![0; words], shift: 64 - words.trailing_zeros() }
    }

    /// Adds the key with this hash.
    pub(crate) fn insert(&mut self, hash: u64) {
        let at = (hash >> self.shift) as usize;
        self.words[at] |= pattern(hash);
    }

    pub(crate) fn build(self) -> Filter {
        Filter { words: self.words.into_iter().flat_map(u64::to_le_bytes).collect(), shift: self.shift }
    }
}

impl Filter {
    /// Takes a filter from its bytes; `None` if their number is not that of a filter.
    pub(crate) fn open(bytes: &Bytes) -> Option<Self> {
        let words = bytes.len() / 8;
        let fits = words.is_power_of_two() && words >= 8 && bytes.len().is_multiple_of(8);
        fits.then(|| Self { words: bytes.clone(), shift: 64 - words.trailing_zeros() })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.words
    }

    /// Whether the key with this hash may be there.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        let pattern = pattern(hash);
        let at = (hash >> self.shift) as usize * 8;
        let word = self.words.get(at..).and_then(|rest| rest.first_chunk());
        word.is_some_and(|word| u64::from_le_bytes(*word) & pattern == pattern)
    }
}

/// Four bits of a word, from the low bits of the hash (the high ones choose the word).
#[inline]
fn pattern(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

#[cfg(test)]
mod tests {
    use super::{Filter, FilterBuilder};
    use crate::compile::hash::hash;

    #[test]
    fn no_key_is_lost_and_few_strangers_pass() {
        for keys in [0_u64, 1, 7, 1000, 50_000] {
            let mut filter = FilterBuilder::with_capacity(keys as usize);
            (0..keys).for_each(|key| filter.insert(hash(3, &key.to_le_bytes())));
            let filter = Filter::open(filter.build().bytes()).expect("its own bytes");
            assert!((0..keys).all(|key| filter.may_contain(hash(3, &key.to_le_bytes()))));
            let strangers =
                (1 << 40..(1 << 40) + 10_000_u64).filter(|key| filter.may_contain(hash(3, &key.to_le_bytes())));
            assert!(strangers.count() < 150, "{keys} keys");
        }
    }
}
