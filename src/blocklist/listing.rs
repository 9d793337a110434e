//! What indicators list of addresses, before it is aggregated: who stands behind a prefix is found here.

use super::list::{Address, Prefix};

/// A prefix that an indicator lists, before aggregation; in order of address, wider ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed<A> {
    pub(super) start: A,
    pub(super) len: u8,
    pub(super) row: u32,
}

/// All listed prefixes of a family, sorted.
#[derive(Debug)]
pub(super) struct Listing<A> {
    pub(super) prefixes: Vec<Listed<A>>,
    /// The lengths that occur, the longest first. They are few, and nothing of another length is worth a search.
    lengths: Vec<u8>,
}

impl<A> Default for Listing<A> {
    fn default() -> Self {
        Self { prefixes: Vec::new(), lengths: Vec::new() }
    }
}

impl<A: Address> Listing<A> {
    pub(super) fn new(prefixes: Vec<Listed<A>>) -> Self {
        let mut occurs = [false; 256];
        for one in &prefixes {
            occurs[usize::from(one.len)] = true;
        }
        let lengths = (0..=A::BITS).rev().filter(|len| occurs[usize::from(*len)]).collect();
        Self { prefixes, lengths }
    }

    /// Those that share addresses with a prefix: those inside it, and those around it.
    pub(super) fn overlapping(&self, prefix: Prefix<A>) -> Vec<Listed<A>> {
        let listed = self.prefixes.as_slice();
        let from = listed.partition_point(|l| (l.start, l.len) < (prefix.start, prefix.len));
        let mut found: Vec<_> = listed[from..].iter().take_while(|l| l.start <= prefix.last()).copied().collect();
        for len in self.lengths.iter().copied().filter(|len| *len < prefix.len) {
            let around = Prefix::containing(prefix.start, len);
            let at = listed.partition_point(|l| (l.start, l.len) < (around.start, len));
            found.extend(listed[at..].iter().take_while(|l| (l.start, l.len) == (around.start, len)));
        }
        found
    }
}
