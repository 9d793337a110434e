//! Sets of addresses as sorted, disjoint ranges; and the prefixes that make up a range.

use super::list::{Address, Prefix};
use super::listing::Listed;

/// A set of addresses: inclusive ranges, sorted, neither overlapping nor touching.
#[derive(Clone, Debug)]
pub(super) struct Ranges<A>(Vec<(A, A)>);

impl<A> Default for Ranges<A> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<A: Address> Ranges<A> {
    pub(super) fn new(prefixes: impl IntoIterator<Item = Prefix<A>>) -> Self {
        Self::union(prefixes.into_iter().map(|prefix| (prefix.start, prefix.last())).collect())
    }

    /// The union of any ranges.
    fn union(mut ranges: Vec<(A, A)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(A, A)> = Vec::new();
        for (start, last) in ranges {
            match merged.last_mut() {
                Some(before) if touches(before.1, start) => before.1 = before.1.max(last),
                _ => merged.push((start, last)),
            }
        }
        Self(merged)
    }

    /// The union with other sets.
    pub(super) fn with<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self
    where
        A: 'a,
    {
        Self::union(sets.into_iter().flat_map(|set| set.0.iter().copied()).collect())
    }

    /// The ranges that share addresses with a prefix.
    pub(super) fn overlapping(&self, prefix: Prefix<A>) -> &[(A, A)] {
        let from = self.0.partition_point(|range| range.1 < prefix.start);
        let rest = &self.0[from..];
        &rest[..rest.partition_point(|range| range.0 <= prefix.last())]
    }

    /// Whether all addresses of a prefix are in the set.
    pub(super) fn cover(&self, prefix: Prefix<A>) -> bool {
        self.overlapping(prefix).first().is_some_and(|range| range.0 <= prefix.start && prefix.last() <= range.1)
    }

    /// Prefixes that make up what the set and a prefix have in common.
    pub(super) fn common(&self, prefix: Prefix<A>) -> Vec<Prefix<A>> {
        let mut found = Vec::new();
        for (start, last) in self.overlapping(prefix) {
            push_range((*start).max(prefix.start), (*last).min(prefix.last()), &mut found);
        }
        found
    }
}

/// The fewest prefixes that hold exactly the addresses of the listed ones but for the holes. `listed` is sorted.
pub(super) fn aggregate<A: Address>(listed: &[Listed<A>], holes: &Ranges<A>) -> Vec<Prefix<A>> {
    let mut out = Vec::with_capacity(listed.len());
    let mut holes = holes.0.as_slice();
    let mut open: Option<(A, A)> = None;
    for prefix in listed {
        let last = prefix.start.last_of(prefix.len);
        match &mut open {
            Some(range) if touches(range.1, prefix.start) => range.1 = range.1.max(last),
            _ => {
                let done = open.replace((prefix.start, last));
                holes = push_without(done, holes, &mut out);
            }
        }
    }
    push_without(open, holes, &mut out);
    out
}

/// Each listed prefix by itself, without the holes. `listed` is sorted.
pub(super) fn separate<A: Address>(listed: &[Listed<A>], holes: &Ranges<A>) -> Vec<Prefix<A>> {
    let mut out: Vec<Prefix<A>> = Vec::with_capacity(listed.len());
    for prefix in listed.iter().map(|l| Prefix { start: l.start, len: l.len }) {
        let holes = holes.overlapping(prefix);
        if holes.is_empty() {
            out.push(prefix);
        } else {
            push_without(Some((prefix.start, prefix.last())), holes, &mut out);
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Appends the prefixes of a range without the holes in it. Gives back the holes that end behind the range.
fn push_without<'h, A: Address>(
    range: Option<(A, A)>,
    mut holes: &'h [(A, A)],
    out: &mut Vec<Prefix<A>>,
) -> &'h [(A, A)] {
    let Some((mut start, last)) = range else { return holes };
    while let Some((hole, rest)) = holes.split_first() {
        if hole.0 > last {
            break;
        }
        if let Some(before) = hole.0.previous()
            && before >= start
        {
            push_range(start, before, out);
        }
        if hole.1 >= last {
            return holes;
        }
        if let Some(after) = hole.1.next() {
            start = start.max(after);
        }
        holes = rest;
    }
    push_range(start, last, out);
    holes
}

/// Appends the prefixes that make up a range.
fn push_range<A: Address>(mut start: A, last: A, out: &mut Vec<Prefix<A>>) {
    loop {
        let mut len = start.widest();
        while start.last_of(len) > last {
            len += 1;
        }
        out.push(Prefix { start, len });
        match start.last_of(len).next() {
            Some(next) if next <= last => start = next,
            _ => return,
        }
    }
}

/// Whether nothing lies between the end of one range and the start of the next.
fn touches<A: Address>(last: A, start: A) -> bool {
    last.next().is_none_or(|next| start <= next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn prefix(text: &str) -> Prefix<u32> {
        let (address, len) = text.split_once('/').unwrap_or((text, "32"));
        Prefix { start: address.parse::<std::net::Ipv4Addr>().unwrap().into(), len: len.parse().unwrap() }
    }

    fn listed(prefixes: &[&str]) -> Vec<Listed<u32>> {
        let mut listed: Vec<_> =
            prefixes.iter().map(|text| prefix(text)).map(|p| Listed { start: p.start, len: p.len, row: 0 }).collect();
        listed.sort_unstable();
        listed
    }

    fn shown(prefixes: &[Prefix<u32>]) -> String {
        prefixes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_union_without_the_holes() {
        for (prefixes, holes, expected) in [
            (&["10.0.0.0/25", "10.0.0.128/25"][..], &[][..], "10.0.0.0/24"),
            (&["10.0.0.0/24", "10.0.0.7", "10.0.0.0/24"], &[], "10.0.0.0/24"),
            (&["10.0.0.0/30"], &["10.0.0.1"], "10.0.0.0 10.0.0.2/31"),
            (&["10.0.0.0/30"], &["10.0.0.0/29"], ""),
            (&["10.0.0.0/31", "10.0.0.4/31"], &["10.0.0.1", "10.0.0.4"], "10.0.0.0 10.0.0.5"),
            (&["0.0.0.0/1", "128.0.0.0/1"], &[], "0.0.0.0/0"),
            (
                &["0.0.0.0/0"],
                &["0.0.0.0/1", "255.255.255.255"],
                "128.0.0.0/2 192.0.0.0/3 224.0.0.0/4 240.0.0.0/5 248.0.0.0/6 252.0.0.0/7 254.0.0.0/8 255.0.0.0/9 255.128.0.0/10 255.192.0.0/11 255.224.0.0/12 255.240.0.0/13 255.248.0.0/14 255.252.0.0/15 255.254.0.0/16 255.255.0.0/17 255.255.128.0/18 255.255.192.0/19 255.255.224.0/20 255.255.240.0/21 255.255.248.0/22 255.255.252.0/23 255.255.254.0/24 255.255.255.0/25 255.255.255.128/26 255.255.255.192/27 255.255.255.224/28 255.255.255.240/29 255.255.255.248/30 255.255.255.252/31 255.255.255.254",
            ),
        ] {
            let holes = Ranges::new(holes.iter().map(|text| prefix(text)));
            assert_eq!(shown(&aggregate(&listed(prefixes), &holes)), expected, "{prefixes:?}");
        }
    }

    #[test]
    fn separate_prefixes_stay_apart_and_lose_their_holes() {
        let holes = Ranges::new([prefix("10.0.0.1")]);
        let listed = listed(&["10.0.0.0/31", "10.0.0.0", "10.0.1.0/24", "10.0.1.7"]);
        assert_eq!(shown(&separate(&listed, &holes)), "10.0.0.0 10.0.1.0/24 10.0.1.7");
    }

    proptest! {
        #[test]
        fn exactly_the_addresses_that_are_listed_and_no_hole(
            wanted in prop::collection::vec((0u32..256, 24u8..=32), 0..12),
            holes in prop::collection::vec((0u32..256, 24u8..=32), 0..6),
        ) {
            let base = 0xffff_ff00u32;
            let make = |list: &[(u32, u8)]| -> Vec<Prefix<u32>> {
                list.iter().map(|(low, len)| Prefix::containing(base | low, *len)).collect()
            };
            let members = |list: &[Prefix<u32>]| -> BTreeSet<u32> {
                (0..256).map(|low| base | low).filter(|a| list.iter().any(|p| p.start <= *a && *a <= p.last())).collect()
            };
            let (wanted, holes) = (make(&wanted), make(&holes));
            let mut sorted: Vec<_> = wanted.iter().map(|p| Listed { start: p.start, len: p.len, row: 0 }).collect();
            sorted.sort_unstable();
            let set = Ranges::new(holes.iter().copied());
            let merged = aggregate(&sorted, &set);
            let expected: BTreeSet<u32> = members(&wanted).difference(&members(&holes)).copied().collect();
            prop_assert_eq!(&members(&merged), &expected);
            prop_assert_eq!(&members(&separate(&sorted, &set)), &expected);
            for pair in merged.windows(2) {
                prop_assert!(pair[0].last() < pair[1].start, "sorted and disjoint");
                let parent = Prefix::containing(pair[0].start, pair[0].len.saturating_sub(1));
                prop_assert!(pair[0].len != pair[1].len || parent.last() != pair[1].last(), "as few as possible");
            }
        }
    }
}
