//! A column of whole numbers, each in as few bytes as the widest of them takes above the least.

use super::{Damaged, Section, Sections, Tag};
use bytes::Bytes;

/// Numbers `base + step * code`, whose codes are stored with the same number of bytes each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ints {
    bytes: Bytes,
    width: usize,
    mask: u64,
    base: u64,
    step: u64,
    count: usize,
    flags: u8,
}

impl Ints {
    /// Packs numbers that are multiples of `step` above the least of them.
    pub(crate) fn pack(tag: Tag, step: u64, flags: u8, numbers: impl Iterator<Item = u64> + Clone) -> Section {
        let (mut count, mut least, mut most) = (0_u32, u64::MAX, 0);
        for number in numbers.clone() {
            count += 1;
            least = least.min(number);
            most = most.max(number);
        }
        let base = if count == 0 { 0 } else { least };
        let width = (64 - (most.saturating_sub(base) / step).leading_zeros()).div_ceil(8) as usize;
        // Each number is written with eight bytes, of which the next one covers those that are not its own.
        let mut bytes = vec![0; count as usize * width + 8];
        let mut at = 0;
        for number in numbers.take(if width == 0 { 0 } else { usize::MAX }) {
            let code = (number - base) / step;
            bytes[at..at + 8].copy_from_slice(&code.to_le_bytes());
            at += width;
        }
        bytes.truncate(at);
        Section { tag, width: width as u8, flags, count, base, step, bytes: bytes.into() }
    }

    /// Takes a column of `count` numbers from its section.
    pub(crate) fn open(section: &Section, count: usize) -> Result<Self, Damaged> {
        let width = usize::from(section.width);
        let length = count.checked_mul(width).ok_or(Damaged("a column is too long"))?;
        if width > 8 || section.count as usize != count || section.bytes.len() != length {
            return Err(Damaged("a column has another length than its table"));
        }
        let mask = if width == 8 { u64::MAX } else { (1 << (8 * width)) - 1 };
        let (base, step, flags) = (section.base, section.step, section.flags);
        Ok(Self { bytes: section.bytes.clone(), width, mask, base, step, count, flags })
    }

    /// Takes a column of as many numbers as there are.
    pub(crate) fn open_any(sections: &Sections, tag: Tag) -> Result<Self, Damaged> {
        let section = sections.need(tag)?;
        Self::open(section, section.count as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn flags(&self) -> u8 {
        self.flags
    }

    /// The number at a place; the least of all beyond the end.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> u64 {
        self.base.wrapping_add(self.code(at).wrapping_mul(self.step))
    }

    #[inline]
    fn code(&self, at: usize) -> u64 {
        let Some(start) = at.checked_mul(self.width) else { return 0 };
        let rest = self.bytes.get(start..).unwrap_or_default();
        match rest.first_chunk() {
            Some(word) => u64::from_le_bytes(*word) & self.mask,
            // The last few numbers of a column.
            None => rest.iter().take(self.width).rev().fold(0, |code, byte| code << 8 | u64::from(*byte)),
        }
    }

    /// The place of a number, where all are in order.
    pub(crate) fn find(&self, number: u64) -> Option<usize> {
        let at = self.lower_bound(0, self.count, number);
        (at < self.count && self.get(at) == number).then_some(at)
    }

    /// The first place in a range whose number is not below; numbers are in order there.
    #[inline]
    pub(crate) fn lower_bound(&self, mut low: usize, mut high: usize, number: u64) -> usize {
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle) < number {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(numbers in proptest::collection::vec(prop_oneof![any::<u64>(), 0..70_000_u64, Just(9)], 0..40), step in 1..1000_u64, base in 0..1000_u64) {
            let scaled: Vec<u64> = numbers.iter().map(|n| (n >> 11).wrapping_mul(step).wrapping_add(base)).collect();
            let section = Ints::pack(Tag::new(0, 0), step, 0, scaled.iter().copied());
            let ints = Ints::open(&section, scaled.len()).expect("its own column");
            let back: Vec<u64> = (0..scaled.len()).map(|at| ints.get(at)).collect();
            prop_assert_eq!(back, scaled);
            prop_assert!(Ints::open(&section, numbers.len() + 1).is_err());
        }
    }

    #[test]
    fn a_column_of_one_number_takes_no_room() {
        let section = Ints::pack(Tag::new(0, 0), 1, 0, std::iter::repeat_n(77, 1000));
        assert!(section.bytes.is_empty());
        assert_eq!(Ints::open(&section, 1000).map(|ints| ints.get(999)), Ok(77));
    }
}
