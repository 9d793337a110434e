//! Whole texts: names, URLs, mail addresses, digests. A filter, then an open table of fingerprints, then the text.

use super::filter::Filter;
use super::hash::{hash, hash_name};
use crate::compile::{AtomId, Atoms, Text};
use crate::observable::{Kind, Shape};

/// Finds all atoms that list one text.
#[derive(Debug)]
pub(crate) struct ExactIndex {
    filter: Filter,
    /// Fingerprint in the upper half, atom number plus one in the lower; zero is free.
    slots: Vec<u64>,
    /// For each atom the one before it with the same kind and text.
    chain: Vec<AtomId>,
    salt: u64,
    /// The kinds of its texts, a bit each.
    kinds: u32,
}

const END: AtomId = AtomId::MAX;
/// A longer search means that someone chose the keys; another salt spreads them again.
const LONGEST_SEARCH: usize = 256;
const SALTS: u64 = 16;

impl ExactIndex {
    /// Indexes the texts that `wanted` picks; its filter has room for `more` keys, see [`Self::admit`].
    pub(crate) fn new(atoms: &Atoms, wanted: impl Fn(&Text) -> bool, more: usize) -> Self {
        let count = atoms.texts().iter().filter(|text| wanted(text)).count();
        let mut index = Self::empty(count, more, 0);
        for salt in 0..SALTS {
            index = Self::empty(count, more, salt);
            let fits = (0..)
                .zip(atoms.texts())
                .filter(|(_, text)| wanted(text))
                .all(|(id, text)| index.insert(atoms, id, text) <= LONGEST_SEARCH || salt + 1 == SALTS);
            if fits {
                break;
            }
        }
        index
    }

    fn empty(count: usize, more: usize, salt: u64) -> Self {
        let slots = (count * 3 / 2 + 1).next_power_of_two();
        Self { filter: Filter::with_capacity(count + more), slots: vec![0; slots], chain: Vec::new(), salt, kinds: 0 }
    }

    /// Whether it holds texts of a kind that `wanted` picks.
    pub(crate) fn has(&self, wanted: impl Fn(Kind) -> bool) -> bool {
        Kind::all().any(|kind| self.kinds >> kind as u32 & 1 == 1 && wanted(kind))
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.kinds == 0
    }

    /// Lets a key that is not listed pass the filter, because the caller has more to say about it.
    pub(crate) fn admit(&mut self, kind: Kind, bytes: &[u8]) {
        self.filter.insert(self.hash(kind, bytes));
    }

    /// Inserts an atom and returns how many slots were searched.
    fn insert(&mut self, atoms: &Atoms, id: AtomId, text: &Text) -> usize {
        if self.chain.is_empty() {
            self.chain = vec![END; atoms.texts().len()];
        }
        self.kinds |= 1 << text.kind as u32;
        let hash = self.hash(text.kind, atoms.bytes(text));
        self.filter.insert(hash);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        for searched in 1.. {
            let slot = self.slots[at];
            let fresh = fingerprint(hash) | (u64::from(id) + 1);
            if slot == 0 {
                self.slots[at] = fresh;
                return searched;
            }
            if fingerprint(slot) == fingerprint(hash) {
                let holder = slot as AtomId - 1;
                let other = &atoms.texts()[holder as usize];
                if other.kind == text.kind && atoms.bytes(other) == atoms.bytes(text) {
                    self.chain[id as usize] = holder;
                    self.slots[at] = fresh;
                    return searched;
                }
            }
            at = (at + 1) & mask;
        }
        unreachable!("a third of the slots are free")
    }

    /// The hash under which a key is looked up.
    #[inline]
    pub(crate) fn hash(&self, kind: Kind, bytes: &[u8]) -> u64 {
        let salt = (self.salt << 8) | kind as u64;
        if kind.shape() == Shape::Suffix { hash_name(salt, bytes) } else { hash(salt, bytes) }
    }

    /// The hash of a name as it is written, in upper or lower case.
    #[inline]
    pub(crate) fn hash_name(&self, name: &[u8]) -> u64 {
        hash_name((self.salt << 8) | Kind::Domain as u64, name)
    }

    /// Whether a key with this hash may be listed. Wrong for about one absent key in two hundred.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        self.filter.may_contain(hash)
    }

    /// Whether a text is listed.
    #[inline]
    pub(crate) fn contains(&self, atoms: &Atoms, kind: Kind, bytes: &[u8]) -> bool {
        let hash = self.hash(kind, bytes);
        self.filter.may_contain(hash) && self.find(atoms, kind, bytes, hash) != END
    }

    /// Whether a name, as it is written, is listed; its hash is known.
    pub(crate) fn contains_name(&self, atoms: &Atoms, name: &[u8], hash: u64) -> bool {
        self.find(atoms, Kind::Domain, name, hash) != END
    }

    /// All atoms that list a text.
    pub(crate) fn atoms<'a>(
        &'a self,
        atoms: &'a Atoms,
        kind: Kind,
        bytes: &[u8],
    ) -> impl Iterator<Item = &'a Text> + 'a {
        let hash = self.hash(kind, bytes);
        let mut next = if self.filter.may_contain(hash) { self.find(atoms, kind, bytes, hash) } else { END };
        std::iter::from_fn(move || {
            let text = atoms.texts().get(next as usize)?;
            next = self.chain[next as usize];
            Some(text)
        })
    }

    fn find(&self, atoms: &Atoms, kind: Kind, bytes: &[u8], hash: u64) -> AtomId {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return END;
            }
            if fingerprint(slot) == fingerprint(hash) {
                let id = slot as AtomId - 1;
                let text = &atoms.texts()[id as usize];
                let listed = atoms.bytes(text);
                if text.kind == kind
                    && (listed == bytes || (kind == Kind::Domain && listed.eq_ignore_ascii_case(bytes)))
                {
                    return id;
                }
            }
            at = (at + 1) & mask;
        }
    }
}

fn fingerprint(hash: u64) -> u64 {
    hash & !u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Atom, Meta};
    use crate::observable::Value;
    use proptest::prelude::*;

    fn atoms(list: &[String]) -> Atoms {
        let mut atoms = Atoms::default();
        for (entry, text) in (0..).zip(list) {
            let atom = Atom { value: Value::Text(Kind::Domain, text.as_str().into()), meta: Meta::PLAIN };
            atoms.add(entry, &atom).expect("there is room");
        }
        atoms
    }

    proptest! {
        #[test]
        fn the_index_finds_every_owner_of_a_text_and_no_other(list in proptest::collection::vec("[ab.]{0,5}", 0..200), asked in "[ab.]{0,5}") {
            let atoms = atoms(&list);
            let index = ExactIndex::new(&atoms, |text| text.entry % 3 != 0, 0);
            let mut found: Vec<u32> = index.atoms(&atoms, Kind::Domain, asked.as_bytes()).map(|t| t.entry).collect();
            found.sort_unstable();
            let expected: Vec<u32> = (0..).zip(&list).filter(|(i, t)| i % 3 != 0 && **t == asked).map(|(i, _)| i).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(index.atoms(&atoms, Kind::Url, asked.as_bytes()).count(), 0);
        }
    }
}
