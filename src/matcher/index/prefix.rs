//! Address prefixes: which listed prefixes cover an address, nested ones included.
//!
//! Prefixes are sorted by first address, then length. Two prefixes are nested or disjoint, so those that cover an
//! address are the last one that begins at or before it and that one's parents, as far as they reach. For IPv4 a
//! bitmap of covered blocks answers most questions with one read.

use crate::compile::Address;

/// An address as a number.
pub(crate) trait Number: Copy + Ord {
    /// The last address of the prefix that begins here.
    fn last(self, len: u8) -> Self;
    /// The upper 16 bits.
    fn top(self) -> usize;
}

impl Number for u32 {
    fn last(self, len: u8) -> Self {
        self | u32::MAX.checked_shr(u32::from(len)).unwrap_or(0)
    }
    fn top(self) -> usize {
        (self >> 16) as usize
    }
}

impl Number for u128 {
    fn last(self, len: u8) -> Self {
        self | u128::MAX.checked_shr(u32::from(len)).unwrap_or(0)
    }
    fn top(self) -> usize {
        (self >> 112) as usize
    }
}

/// All listed prefixes of one address family.
#[derive(Clone, Debug)]
pub(crate) struct PrefixIndex<A> {
    /// Distinct prefixes, sorted.
    nodes: Vec<Node<A>>,
    /// For each value of the upper 16 bits, the first node that begins there or later.
    tops: Vec<u32>,
    /// Addresses in the order of the nodes.
    atoms: Vec<Address<A>>,
}

#[derive(Clone, Copy, Debug)]
struct Node<A> {
    start: A,
    len: u8,
    /// The next wider prefix around this one; always a lower number.
    parent: u32,
    /// Where its atoms begin; they end where those of the next node begin.
    first_atom: u32,
}

const NONE: u32 = u32::MAX;

impl<A: Number> PrefixIndex<A> {
    pub(crate) fn new(mut atoms: Vec<Address<A>>) -> Self {
        atoms.sort_unstable_by_key(|a| (a.start, a.len, a.entry, a.meta));
        let mut nodes: Vec<Node<A>> = Vec::new();
        for (first_atom, atom) in (0..).zip(&atoms) {
            if nodes.last().is_some_and(|n| n.start == atom.start && n.len == atom.len) {
                continue;
            }
            let mut parent = (nodes.len() as u32).wrapping_sub(1);
            while let Some(node) = nodes.get(parent as usize) {
                if node.start.last(node.len) >= atom.start {
                    break;
                }
                parent = node.parent;
            }
            nodes.push(Node { start: atom.start, len: atom.len, parent, first_atom });
        }
        let mut tops = vec![0; (1 << 16) + 1];
        let mut node = 0;
        for (top, first) in tops.iter_mut().enumerate() {
            while nodes.get(node).is_some_and(|n| n.start.top() < top) {
                node += 1;
            }
            *first = node as u32;
        }
        Self { nodes, tops, atoms }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The distinct prefixes, as first and last address.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (A, A)> {
        self.nodes.iter().map(|n| (n.start, n.start.last(n.len)))
    }

    /// Whether any prefix covers an address.
    #[inline]
    pub(crate) fn contains(&self, address: A) -> bool {
        self.innermost(address) != NONE
    }

    /// All atoms whose prefix covers an address, the narrowest first.
    pub(crate) fn covering(&self, address: A) -> impl Iterator<Item = &Address<A>> {
        let mut node = self.innermost(address);
        std::iter::from_fn(move || {
            let found = self.nodes.get(node as usize)?;
            let last = self.nodes.get(node as usize + 1).map_or(self.atoms.len(), |n| n.first_atom as usize);
            node = found.parent;
            Some(&self.atoms[found.first_atom as usize..last])
        })
        .flatten()
    }

    /// The narrowest prefix that covers an address. All its parents cover it too.
    fn innermost(&self, address: A) -> u32 {
        let (low, high) = (self.tops[address.top()] as usize, self.tops[address.top() + 1] as usize);
        let after = low + self.nodes[low..high].partition_point(|n| n.start <= address);
        let mut node = (after as u32).wrapping_sub(1);
        while let Some(found) = self.nodes.get(node as usize) {
            if found.start.last(found.len) >= address {
                return node;
            }
            node = found.parent;
        }
        NONE
    }
}

/// Which blocks of the IPv4 space hold anything listed: a bit for each /24, or for each /20 when little is listed
/// and a small table that stays in the nearest cache tells as much.
#[derive(Debug)]
pub(crate) struct Blocks {
    bits: Vec<u64>,
    shift: u32,
}

impl Blocks {
    /// Of ranges, each from its first to its last address.
    pub(crate) fn new(ranges: impl Iterator<Item = (u32, u32)>) -> Self {
        let ranges: Vec<_> = ranges.collect();
        let shift = if ranges.len() < 10_000 { 12 } else { 8 };
        let mut bits = vec![0_u64; 1 << (32 - shift - 6)];
        for (first, last) in ranges {
            for block in first >> shift..=last >> shift {
                bits[(block >> 6) as usize] |= 1 << (block & 63);
            }
        }
        Self { bits, shift }
    }

    /// Whether anything in the block of an address is listed.
    #[inline]
    pub(crate) fn may_contain(&self, address: u32) -> bool {
        let block = address >> self.shift;
        self.bits.get((block >> 6) as usize).is_some_and(|word| word >> (block & 63) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Meta;
    use proptest::prelude::*;

    fn address<A: Number>(start: A, len: u8, entry: u32) -> Address<A> {
        Address { start, len, entry, meta: Meta::PLAIN }
    }

    /// Prefixes crowded into a few places, so that many are nested.
    fn crowded() -> impl Strategy<Value = Vec<Address<u32>>> {
        let one =
            (prop_oneof![Just(0_u32), Just(0x0a00_0000), Just(0xffff_ff00), any::<u32>()], any::<u16>(), 0_u8..=32);
        proptest::collection::vec(one, 0..60).prop_map(|list| {
            (0..)
                .zip(list)
                .map(|(entry, (base, low, len))| {
                    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                    address((base | u32::from(low)) & mask, len, entry)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_index_finds_what_looking_at_each_prefix_finds(list in crowded(), probes in proptest::collection::vec(any::<u32>(), 20)) {
            let index = PrefixIndex::new(list.clone());
            let blocks = Blocks::new(index.ranges());
            let edges = list.iter().flat_map(|a| [a.start, a.start.last(a.len), a.start.wrapping_sub(1), a.start.last(a.len).wrapping_add(1)]);
            for address in edges.chain(probes) {
                let mut found: Vec<u32> = index.covering(address).map(|a| a.entry).collect();
                let mut expected: Vec<u32> =
                    list.iter().filter(|a| a.start <= address && address <= a.start.last(a.len)).map(|a| a.entry).collect();
                found.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(index.contains(address), !expected.is_empty());
                prop_assert!(expected.is_empty() || blocks.may_contain(address));
            }
        }
    }

    #[test]
    fn long_addresses_nest_as_short_ones_do() {
        let net = 0x2001_0db8_u128 << 96;
        let index = PrefixIndex::new(vec![address(net, 32, 0), address(net + 1, 128, 1), address(0, 0, 2)]);
        let covering = |a: u128| index.covering(a).map(|found| found.entry).collect::<Vec<_>>();
        assert_eq!(covering(net + 1), [1, 0, 2]);
        assert_eq!(covering(net + 2), [0, 2]);
        assert_eq!(covering(u128::MAX), [2]);
    }
}
