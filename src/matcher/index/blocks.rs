//! Which blocks of the IPv4 space hold anything listed: most questions are answered with one read.

use bytes::Bytes;

/// A bit for each /24, or for each /20 when little is listed and a small table that stays in the nearest cache tells
/// as much, or for each /26 when so much is listed that most /24 hold something.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    /// Words, bytes of the lowest value first.
    bits: Bytes,
    shift: u32,
}

impl Blocks {
    /// Of ranges, so many of them, each from its first to its last address.
    pub(crate) fn new(count: usize, ranges: impl Iterator<Item = (u32, u32)>) -> Self {
        let shift: u32 = match count {
            0..10_000 => 12,
            10_000..2_000_000 => 8,
            _ => 6,
        };
        let mut bits = vec![0_u64; 1 << (32 - shift - 6)];
        for (first, last) in ranges {
            let (first, last) = (first >> shift, last >> shift);
            for word in first >> 6..=last >> 6 {
                let low = if word == first >> 6 { first & 63 } else { 0 };
                let high = if word == last >> 6 { last & 63 } else { 63 };
                bits[word as usize] |= (u64::MAX >> (63 - high)) & (u64::MAX << low);
            }
        }
        Self { bits: bits.into_iter().flat_map(u64::to_le_bytes).collect(), shift }
    }

    /// Takes a table from its bytes; `None` if their number is not that of such a table.
    pub(crate) fn open(bytes: &Bytes) -> Option<Self> {
        let bits = bytes.len().checked_mul(8).filter(|bits| bits.is_power_of_two())?;
        let shift = 32_u32.checked_sub(bits.trailing_zeros()).filter(|shift| *shift > 0)?;
        (bits >= 64).then(|| Self { bits: bytes.clone(), shift })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bits
    }

    /// Whether anything in the block of an address is listed.
    #[inline]
    pub(crate) fn may_contain(&self, address: u32) -> bool {
        let block = address >> self.shift;
        self.bits.get((block >> 3) as usize).is_some_and(|byte| byte >> (block & 7) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Blocks;

    #[test]
    fn every_listed_address_is_in_a_block() {
        let ranges = [(0, 0), (0x0a00_0000, 0x0aff_ffff), (0x0100_1000, 0x0100_103f), (u32::MAX, u32::MAX)];
        for count in [0, 50_000, 3_000_000] {
            let blocks = Blocks::new(count, ranges.into_iter());
            let blocks = Blocks::open(blocks.bytes()).expect("its own bytes");
            for (first, last) in ranges {
                assert!([first, first.midpoint(last), last].into_iter().all(|address| blocks.may_contain(address)));
            }
            assert!(
                !blocks.may_contain(0x0b00_0000) && !blocks.may_contain(0x0100_2000) && !blocks.may_contain(0x2000)
            );
        }
        assert!(Blocks::open(&vec![0; 24].into()).is_none());
    }
}
