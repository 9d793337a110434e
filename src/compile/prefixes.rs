//! Listed address prefixes of one family: which of them cover an address, nested ones included.
//!
//! Single addresses are a sorted column and nothing else. Wider prefixes are sorted by first address, then length, and
//! each knows the next wider one around it: two prefixes are nested or disjoint, so those that cover an address are
//! the last one that begins at or before it and that one's parents, as far as they reach.

use super::packed::{Damaged, Ints, Sections, Tag};
use bytes::Bytes;

/// An address as a number.
pub(crate) trait Number: Copy + Ord + std::fmt::Debug + sealed::Number {
    /// Bits of an address.
    const BITS: u8;
    /// The last address of the prefix that begins here.
    #[must_use]
    fn last(self, len: u8) -> Self;
}

mod sealed {
    pub(crate) trait Number: Sized {
        const BYTES: usize;
        /// The number that the first bytes are; zero where there are too few.
        fn read(bytes: &[u8]) -> Self;
        fn write(self, out: &mut Vec<u8>);
        /// The upper bits, so many of them.
        fn top(self, bits: u32) -> usize;
    }
}

macro_rules! number {
    ($number:ty) => {
        impl Number for $number {
            const BITS: u8 = <$number>::BITS as u8;
            #[inline]
            fn last(self, len: u8) -> Self {
                self | <$number>::MAX.checked_shr(u32::from(len)).unwrap_or(0)
            }
        }
        impl sealed::Number for $number {
            const BYTES: usize = size_of::<$number>();
            #[inline]
            fn read(bytes: &[u8]) -> Self {
                bytes.first_chunk().map_or(0, |bytes| <$number>::from_le_bytes(*bytes))
            }
            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            #[inline]
            fn top(self, bits: u32) -> usize {
                self.checked_shr(<$number>::BITS - bits).unwrap_or(0) as usize
            }
        }
    };
}

number!(u32);
number!(u128);

/// The parts of such a table in its group.
const SINGLES: u8 = 0;
const TOPS: u8 = 1;
const STARTS: u8 = 2;
const LENGTHS: u8 = 3;
const PARENTS: u8 = 4;

/// A table of prefixes. Places count single addresses first, then wider prefixes.
#[derive(Clone, Debug)]
pub(crate) struct Prefixes<A> {
    singles: Bytes,
    /// For each value of the upper bits, the first single address that begins there or later.
    tops: Ints,
    top_bits: u32,
    starts: Bytes,
    lengths: Bytes,
    /// One more than the place of the next wider prefix, among the wider ones; zero for none.
    parents: Ints,
    number: std::marker::PhantomData<A>,
}

impl<A> Default for Prefixes<A> {
    fn default() -> Self {
        let number = std::marker::PhantomData;
        let (singles, starts, lengths) = <(Bytes, Bytes, Bytes)>::default();
        Self { singles, tops: Ints::default(), top_bits: 0, starts, lengths, parents: Ints::default(), number }
    }
}

impl<A: Number> Prefixes<A> {
    /// Writes the table of prefixes that are in order: single addresses by number, then the others by number and
    /// length. Both may repeat.
    pub(crate) fn write(group: u8, singles: &[A], wide: &[(A, u8)], sections: &mut Sections) {
        let tag = |part| Tag::new(group, part);
        let numbers = |list: &mut dyn Iterator<Item = A>| {
            let mut bytes = Vec::with_capacity(list.size_hint().0 * A::BYTES);
            list.for_each(|number| number.write(&mut bytes));
            bytes
        };
        // Four addresses for each value of the upper bits, if they were spread evenly.
        let top_bits = (singles.len() as u64 / 4 + 1).next_power_of_two().trailing_zeros();
        let mut at = 0;
        let tops: Vec<u64> = (0..=1_usize << top_bits)
            .map(|top| {
                while singles.get(at).is_some_and(|single| single.top(top_bits) < top) {
                    at += 1;
                }
                at as u64
            })
            .collect();
        sections.push_bytes(tag(SINGLES), singles.len() as u32, numbers(&mut singles.iter().copied()));
        sections.push(Ints::pack(tag(TOPS), 1, top_bits as u8, tops.into_iter()));
        sections.push_bytes(tag(STARTS), wide.len() as u32, numbers(&mut wide.iter().map(|(start, _)| *start)));
        sections.push_bytes(tag(LENGTHS), wide.len() as u32, wide.iter().map(|(_, len)| *len).collect());
        let mut parents: Vec<u64> = Vec::with_capacity(wide.len());
        for (place, (start, len)) in wide.iter().enumerate() {
            let before = place.checked_sub(1);
            let parent = match before {
                Some(before) if wide[before] == (*start, *len) => parents[before],
                _ => {
                    let mut parent = place as u64;
                    while let Some(above) = (parent as usize).checked_sub(1) {
                        let (above_start, above_len) = wide[above];
                        if above_start.last(above_len) >= *start {
                            break;
                        }
                        parent = parents[above];
                    }
                    parent
                }
            };
            parents.push(parent);
        }
        sections.push(Ints::pack(tag(PARENTS), 1, 0, parents.into_iter()));
    }

    /// A table of its own of prefixes in any order.
    pub(crate) fn of(mut list: Vec<(A, u8)>) -> Self {
        list.sort_unstable_by_key(|(start, len)| (*len < A::BITS, *start, *len));
        let (singles, wide) = list.split_at(list.partition_point(|(_, len)| *len == A::BITS));
        let singles: Vec<A> = singles.iter().map(|(start, _)| *start).collect();
        let mut sections = Sections::default();
        Self::write(0, &singles, wide, &mut sections);
        Self::open(0, &sections).expect("sections just written go together")
    }

    /// Takes the table of a group; empty if there is none.
    pub(crate) fn open(group: u8, sections: &Sections) -> Result<Self, Damaged> {
        let tag = |part| Tag::new(group, part);
        if sections.get(tag(SINGLES)).is_none() {
            return Ok(Self::default());
        }
        let bytes = |part, width: usize| {
            let section = sections.need(tag(part))?;
            let fits = section.bytes.len() == section.count as usize * width;
            fits.then(|| section.bytes.clone()).ok_or(Damaged("a table of prefixes has another length than stated"))
        };
        let (singles, starts) = (bytes(SINGLES, A::BYTES)?, bytes(STARTS, A::BYTES)?);
        let lengths = bytes(LENGTHS, 1)?;
        let wide = lengths.len();
        let tops = Ints::open_any(sections, tag(TOPS))?;
        let top_bits = u32::from(tops.flags());
        if starts.len() != wide * A::BYTES || top_bits > 31 || tops.len() != (1 << top_bits) + 1 {
            return Err(Damaged("the columns of a table of prefixes do not go together"));
        }
        let parents = Ints::open(sections.need(tag(PARENTS))?, wide)?;
        Ok(Self { singles, tops, top_bits, starts, lengths, parents, number: std::marker::PhantomData })
    }

    pub(crate) fn singles(&self) -> usize {
        self.singles.len() / A::BYTES
    }

    pub(crate) fn len(&self) -> usize {
        self.singles() + self.lengths.len()
    }

    /// The prefix at a place: first address and length.
    pub(crate) fn get(&self, place: usize) -> (A, u8) {
        match place.checked_sub(self.singles()) {
            None => (self.single(place), A::BITS),
            Some(wide) => (self.start(wide), self.length(wide)),
        }
    }

    /// The places of all prefixes that cover an address, the narrowest first.
    #[inline]
    pub(crate) fn covering(&self, address: A) -> impl Iterator<Item = usize> {
        let mut single = self.first_single(address);
        let singles = self.singles();
        let same = std::iter::from_fn(move || {
            let found = single < singles && self.single(single) == address;
            single += 1;
            found.then(|| single - 1)
        });
        same.chain(self.wider(address).map(move |place| singles + place))
    }

    /// The first of the single addresses that is not below one.
    #[inline]
    fn first_single(&self, address: A) -> usize {
        let top = address.top(self.top_bits);
        let mut low = self.tops.get(top) as usize;
        let mut high = (self.tops.get(top + 1) as usize).min(self.singles());
        while low < high {
            let middle = low.midpoint(high);
            if self.single(middle) < address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The places of the wider prefixes that cover an address, among the wider ones.
    #[inline]
    fn wider(&self, address: A) -> impl Iterator<Item = usize> {
        let (mut low, mut high) = (0, self.lengths.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle) <= address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        // One more than the place to look at next.
        let mut next = low;
        std::iter::from_fn(move || {
            while let Some(place) = next.checked_sub(1) {
                let (start, len) = (self.start(place), self.length(place));
                let repeated = place > 0 && self.start(place - 1) == start && self.length(place - 1) == len;
                // Links lead down, so that this ends whatever they are.
                next = if repeated { place } else { (self.parents.get(place) as usize).min(place) };
                if start <= address && start.last(len) >= address {
                    return Some(place);
                }
            }
            None
        })
    }

    #[inline]
    fn single(&self, place: usize) -> A {
        A::read(self.singles.get(place * A::BYTES..).unwrap_or_default())
    }

    #[inline]
    fn start(&self, place: usize) -> A {
        A::read(self.starts.get(place * A::BYTES..).unwrap_or_default())
    }

    fn length(&self, place: usize) -> u8 {
        self.lengths.get(place).map_or(A::BITS, |length| A::BITS.min(*length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Prefixes crowded into a few places, so that many are nested.
    fn crowded() -> impl Strategy<Value = Vec<(u32, u8)>> {
        let one =
            (prop_oneof![Just(0_u32), Just(0x0a00_0000), Just(0xffff_ff00), any::<u32>()], any::<u8>(), 0_u8..=32);
        proptest::collection::vec(one, 0..80).prop_map(|list| {
            let masked = |(base, low, len): (u32, u8, u8)| {
                let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                ((base | u32::from(low)) & mask, len)
            };
            list.into_iter().map(masked).collect()
        })
    }

    proptest! {
        #[test]
        fn the_table_finds_what_looking_at_each_prefix_finds(list in crowded(), probes in proptest::collection::vec(any::<u32>(), 20)) {
            let table = Prefixes::of(list.clone());
            let edges = list.iter().flat_map(|(start, len)| [*start, start.last(*len), start.wrapping_sub(1), start.last(*len).wrapping_add(1)]);
            for address in edges.chain(probes) {
                let found: Vec<(u32, u8)> = table.covering(address).map(|place| table.get(place)).collect();
                let mut expected: Vec<(u32, u8)> =
                    list.iter().filter(|(start, len)| *start <= address && address <= start.last(*len)).copied().collect();
                expected.sort_unstable_by_key(|(_, len)| std::cmp::Reverse(*len));
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn long_addresses_nest_as_short_ones_do() {
        let net = 0x2001_0db8_u128 << 96;
        let table = Prefixes::of(vec![(net, 32), (net + 1, 128), (0, 0)]);
        let covering = |a: u128| table.covering(a).map(|place| table.get(place).1).collect::<Vec<_>>();
        assert_eq!(covering(net + 1), [128, 32, 0]);
        assert_eq!(covering(net + 2), [32, 0]);
        assert_eq!(covering(u128::MAX), [0]);
    }
}
