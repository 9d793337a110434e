//! A filter in front of a table: says for most absent keys that they are absent, with one read.
//!
//! A Bloom filter whose four bits lie in one 64-bit word, with 16 to 32 bits for each key: about half a percent of
//! the absent keys pass. It is built and asked faster than denser filters, and a probe never touches two lines.

/// Says "surely not there" or "perhaps there".
#[derive(Debug, Default)]
pub(crate) struct Filter {
    words: Vec<u64>,
    shift: u32,
}

impl Filter {
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

    /// Whether the key with this hash may be there.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        let pattern = pattern(hash);
        self.words.get((hash >> self.shift) as usize).is_some_and(|word| word & pattern == pattern)
    }
}

/// Four bits of a word, from the low bits of the hash (the high ones choose the word).
#[inline]
fn pattern(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

#[cfg(test)]
mod tests {
    use super::super::hash::hash;
    use super::Filter;

    #[test]
    fn no_key_is_lost_and_few_strangers_pass() {
        for keys in [0_u64, 1, 7, 1000, 50_000] {
            let mut filter = Filter::with_capacity(keys as usize);
            (0..keys).for_each(|key| filter.insert(hash(3, &key.to_le_bytes())));
            assert!((0..keys).all(|key| filter.may_contain(hash(3, &key.to_le_bytes()))));
            let strangers =
                (1 << 40..(1 << 40) + 10_000_u64).filter(|key| filter.may_contain(hash(3, &key.to_le_bytes())));
            assert!(strangers.count() < 150, "{keys} keys");
        }
    }
}
