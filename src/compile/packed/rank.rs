//! A bit for each item, and how many are set before it.

use super::{Damaged, Ints, Section, Sections, Tag};
use bytes::Bytes;

/// Items between counts.
const BLOCK: usize = 512;

const BITS: u8 = 0;
const COUNTS: u8 = 1;

/// Bits with counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rank {
    words: Bytes,
    counts: Ints,
}

impl Rank {
    /// Writes bits.
    pub(crate) fn write(tag: Tag, bits: &[bool], sections: &mut Sections) {
        let (mut words, mut counts, mut set) = (Vec::with_capacity(bits.len() / 8 + 8), Vec::new(), 0_u64);
        for (number, word) in bits.chunks(64).enumerate() {
            if number.is_multiple_of(BLOCK / 64) {
                counts.push(set);
            }
            let word = word.iter().rev().fold(0_u64, |word, bit| word << 1 | u64::from(*bit));
            set += u64::from(word.count_ones());
            words.extend_from_slice(&word.to_le_bytes());
        }
        sections.push_bytes(Tag::new(tag.group, tag.part + BITS), bits.len() as u32, words);
        sections.push(Ints::pack(Tag::new(tag.group, tag.part + COUNTS), 1, 0, counts.into_iter()));
    }

    /// Takes the bits of `count` items.
    pub(crate) fn open(tag: Tag, count: usize, sections: &Sections) -> Result<Self, Damaged> {
        let Section { bytes, .. } = sections.need(Tag::new(tag.group, tag.part + BITS))?;
        if bytes.len() != count.div_ceil(64) * 8 {
            return Err(Damaged("a bit map has another length than its table"));
        }
        let counts = sections.need(Tag::new(tag.group, tag.part + COUNTS))?;
        Ok(Self { words: bytes.clone(), counts: Ints::open(counts, count.div_ceil(BLOCK))? })
    }

    /// Whether the bit of an item is set, and how many are set before it.
    pub(crate) fn get(&self, item: usize) -> (bool, u64) {
        let word = |number: usize| {
            let bytes = self.words.get(number * 8..).and_then(|rest| rest.first_chunk());
            bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        let (block, at) = (item / BLOCK, item / 64);
        let before: u32 = (block * (BLOCK / 64)..at).map(|number| word(number).count_ones()).sum();
        let (last, bit) = (word(at), item % 64);
        let before = u64::from(before + (last & ((1 << bit) - 1)).count_ones());
        (last >> bit & 1 == 1, self.counts.get(block).saturating_add(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_counting() {
        let bits: Vec<bool> = (0..3000_usize).map(|n| n % 3 == 0 || n % 7 == 1 || n > 2000).collect();
        let mut sections = Sections::default();
        Rank::write(Tag::new(0, 0), &bits, &mut sections);
        let rank = Rank::open(Tag::new(0, 0), bits.len(), &sections).expect("its own bits");
        let mut set = 0;
        for (item, bit) in bits.iter().enumerate() {
            assert_eq!(rank.get(item), (*bit, set), "{item}");
            set += u64::from(*bit);
        }
        assert_eq!(rank.get(1 << 40), (false, 0));
    }
}
