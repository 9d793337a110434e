//! The sieve: lets the few names and addresses pass that may be listed, so that nobody has to look at the others.
//!
//! A name is judged by its end alone: the last two labels, or the last 16 bytes of them. A listed name has the same end as
//! all names below it, so one question answers for a name and all its parents.

use bytes::Bytes;

/// Names and IPv4 addresses that may be listed.
#[derive(Clone, Debug)]
pub struct Sieve {
    pub(crate) tails: Tails,
    pub(crate) blocks: Blocks,
}

impl Sieve {
    /// Lets everything pass.
    pub fn open() -> Self {
        Self {
            tails: Tails { words: vec![0xff; 16].into(), shift: 63 },
            blocks: Blocks { bits: vec![0xff].into(), shift: 29 },
        }
    }
}

/// The ends of listed names: a Bloom filter whose three bits lie in one 64-bit word.
#[derive(Clone, Debug)]
pub(crate) struct Tails {
    /// Words, bytes of the lowest value first: as many as the upper bits of a hash tell apart.
    words: Bytes,
    /// How far a hash is shifted to give the number of its word.
    shift: u32,
}

/// [`Tails`] in the making.
#[derive(Debug)]
pub(crate) struct TailsBuilder {
    words: Vec<u64>,
    shift: u32,
}

impl TailsBuilder {
    /// For this many names.
    pub(crate) fn with_capacity(names: usize) -> Self {
        let words = (names / 6).next_power_of_two().max(8);
        Self { words: vec![0; words], shift: 64 - words.trailing_zeros() }
    }

    /// Adds a name in lower case.
    pub(crate) fn insert(&mut self, name: &[u8]) {
        match tail(name) {
            Some(tail) => {
                let hash = tail.hash();
                self.words[(hash >> self.shift) as usize] |= pattern(hash);
            }
            // Whatever is below a name of one label may be listed.
            None => self.words.fill(u64::MAX),
        }
    }

    pub(crate) fn build(self) -> Tails {
        Tails { words: self.words.into_iter().flat_map(u64::to_le_bytes).collect(), shift: self.shift }
    }
}

impl Tails {
    /// Takes them from their bytes; `None` if their number is not that of such a table.
    pub(crate) fn from_bytes(bytes: &Bytes) -> Option<Self> {
        let words = bytes.len() / 8;
        let fits = words.is_power_of_two() && words >= 2 && bytes.len().is_multiple_of(8);
        fits.then(|| Self { words: bytes.clone(), shift: 64 - words.trailing_zeros() })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.words
    }

    /// The table, and how far a hash is shifted to give a place in it: never one outside.
    #[inline]
    pub(super) fn table(&self) -> (&[[u8; 8]], u32) {
        let (words, _) = self.words.as_chunks();
        assert!(words.len() == 1 << (64 - self.shift), "as many words as the hash tells apart");
        (words, self.shift)
    }

    /// Whether a name may be listed, or below a listed one.
    pub(crate) fn may_hold(&self, name: &[u8]) -> bool {
        let (words, shift) = self.table();
        tail(name).is_none_or(|tail| holds(words, shift, tail.hash()))
    }
}

/// Whether the word of a hash has its bits.
#[inline(always)]
#[allow(clippy::inline_always, reason = "part of a loop that is compiled anew for machines with more instructions")]
pub(super) fn holds(words: &[[u8; 8]], shift: u32, hash: u64) -> bool {
    let pattern = pattern(hash);
    words.get((hash >> shift) as usize).is_some_and(|word| u64::from_le_bytes(*word) & pattern == pattern)
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn pattern(hash: u64) -> u64 {
    SHIFTS.iter().fold(0, |bits, shift| bits | 1 << (hash >> shift & 63))
}

/// Where in a hash the numbers of its three bits stand: above what the low bits of a product tell, below the number of the word.
pub(super) const SHIFTS: [u32; 3] = [16, 22, 28];
/// The multipliers of the hash.
pub(super) const MULTIPLIERS: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93, 0xff51_afd7_ed55_8ccd];
pub(super) const ROTATION: i32 = 29;
/// Set in every byte, so that letters are lower case; of other name bytes this changes `_` alone, to a byte that no name has.
pub(super) const LOWER: u8 = 0x20;

/// The end of a name, in two halves; zeros stand before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Tail {
    /// Of 16 bytes that end where a name ends, of which the first `skip` do not belong to the end of the name.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    pub(super) fn new(bytes: &[u8; 16], skip: u32) -> Self {
        let lower = u128::from_ne_bytes([LOWER; 16]);
        let kept = u128::MAX.checked_shl(8 * skip).unwrap_or(0);
        let bytes = (u128::from_le_bytes(*bytes) | lower) & kept;
        Self { first: bytes as u64, last: (bytes >> 64) as u64 }
    }

    /// Multiplications of 64 bits that keep the low half, which vector units have too.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    pub(super) fn hash(self) -> u64 {
        let [a, b, c] = MULTIPLIERS;
        let mixed = (self.last ^ self.first.wrapping_mul(a).rotate_left(ROTATION as u32)).wrapping_mul(b);
        (mixed ^ mixed >> 32).wrapping_mul(c)
    }
}

/// The end of a name; `None` if it has but one label.
fn tail(name: &[u8]) -> Option<Tail> {
    let dot = memchr::memrchr(b'.', name)?;
    let start = memchr::memrchr(b'.', &name[..dot]).map_or(0, |dot| dot + 1);
    let start = start.max(name.len().saturating_sub(16));
    let mut bytes = [0; 16];
    let skip = 16 - (name.len() - start);
    bytes[skip..].copy_from_slice(&name[start..]);
    Some(Tail::new(&bytes, skip as u32))
}

/// Which blocks of the IPv4 space hold anything listed: a bit for each /24, or for each /20 when little is listed and a small
/// table that stays in the nearest cache tells as much, or for each /26 when so much is listed that most /24 hold something.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    /// Bytes, the lowest bit first.
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
    pub(crate) fn from_bytes(bytes: &Bytes) -> Option<Self> {
        let bits = bytes.len().checked_mul(8).filter(|bits| bits.is_power_of_two())?;
        let shift = 32_u32.checked_sub(bits.trailing_zeros()).filter(|shift| *shift > 0)?;
        (bits >= 64).then(|| Self { bits: bytes.clone(), shift })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bits
    }

    /// The byte that tells of an address, for those who fetch it early.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    pub(super) fn place(&self, address: u32) -> Option<&u8> {
        self.bits.get((address >> self.shift >> 3) as usize)
    }

    /// Whether anything in the block of an address is listed.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    pub(crate) fn may_contain(&self, address: u32) -> bool {
        self.place(address).is_some_and(|byte| byte >> (address >> self.shift & 7) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_listed_ones_pass_and_few_others() {
        let listed = [
            "evil.com",
            "a.b.example",
            "x.co.uk",
            "a-label-longer-than-sixteen-bytes.example",
            "t.co",
            "1.a_b.xn--p1ai",
        ];
        let mut builder = TailsBuilder::with_capacity(listed.len());
        for name in listed {
            builder.insert(name.as_bytes());
        }
        let tails = Tails::from_bytes(builder.build().bytes()).expect("its own bytes");
        for name in listed {
            for name in [name.to_owned(), name.to_uppercase(), format!("www.{name}"), format!("a.b.c.{name}")] {
                assert!(tails.may_hold(name.as_bytes()), "{name}");
            }
        }
        let strangers = (0..1000).filter(|n| tails.may_hold(format!("host{n}.name{n}.org").as_bytes())).count();
        assert!(strangers < 100, "{strangers}");
        assert!(Tails::from_bytes(&vec![0; 24].into()).is_none());
    }

    #[test]
    fn below_a_listed_name_of_one_label_everything_passes() {
        let mut builder = TailsBuilder::with_capacity(1);
        builder.insert(b"zip");
        assert!(builder.build().may_hold(b"any.thing.at.all"));
    }

    #[test]
    fn every_listed_address_is_in_a_block() {
        let ranges = [(0, 0), (0x0a00_0000, 0x0aff_ffff), (0x0100_1000, 0x0100_103f), (u32::MAX, u32::MAX)];
        for count in [0, 50_000, 3_000_000] {
            let blocks = Blocks::new(count, ranges.into_iter());
            let blocks = Blocks::from_bytes(blocks.bytes()).expect("its own bytes");
            for (first, last) in ranges {
                assert!([first, first.midpoint(last), last].into_iter().all(|address| blocks.may_contain(address)));
            }
            assert!(
                !blocks.may_contain(0x0b00_0000) && !blocks.may_contain(0x0100_2000) && !blocks.may_contain(0x2000)
            );
        }
        assert!(Blocks::from_bytes(&vec![0; 24].into()).is_none());
    }

    #[test]
    fn an_open_sieve_lets_everything_pass() {
        let sieve = Sieve::open();
        assert!(sieve.tails.may_hold(b"any.name") && sieve.blocks.may_contain(0) && sieve.blocks.may_contain(u32::MAX));
    }
}
