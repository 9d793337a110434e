//! Listed texts of one kind: names, URLs, digests. Sorted by a salted hash; the upper bits of the hash lead to a
//! handful of texts, sixteen more bits tell them apart, and then the text itself is compared.

use super::hash::{hash, hash_name};
use super::packed::{Blobs, BlobsWriter, Damaged, Ints, Sections, Tag};
use crate::observable::{Kind, Shape};

/// The parts of such a table in its group.
const STARTS: u8 = 0;
const TAILS: u8 = 1;
const TEXTS: u8 = 2;

/// So many different texts with one hash mean that someone chose them; another salt spreads them again.
const MOST_ALIKE: usize = 64;
const SALTS: u64 = 16;

/// A table of texts.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    kind: Kind,
    salt: u64,
    /// For each value of the upper bits of the hash, the first text that has it or a higher one.
    starts: Ints,
    bits: u32,
    /// The next sixteen bits of each.
    tails: Ints,
    bytes: Blobs,
}

/// The order in which texts are to be written, found before their bytes are moved.
#[derive(Debug)]
pub(crate) struct Order {
    salt: u64,
    /// Hash, and number of the text before.
    pub(crate) places: Vec<(u64, u32)>,
}

impl Order {
    /// Sorts texts by hash, then bytes, then what `tie` says of two numbers.
    pub(crate) fn new<'t>(
        kind: Kind,
        count: usize,
        text: &dyn Fn(u32) -> &'t [u8],
        tie: &dyn Fn(u32, u32) -> std::cmp::Ordering,
    ) -> Self {
        let mut places: Vec<(u64, u32)> = Vec::new();
        for salt in 0..SALTS {
            places.clear();
            places.extend((0..count as u32).map(|number| (hash_of(kind, salt, text(number)), number)));
            places.sort_unstable_by(|a, b| {
                a.0.cmp(&b.0).then_with(|| text(a.1).cmp(text(b.1))).then_with(|| tie(a.1, b.1))
            });
            let bits = bits(count);
            let alike = places.chunk_by(|a, b| tail_key(a.0, bits) == tail_key(b.0, bits));
            let fits = |group: &[(u64, u32)]| {
                group.len() <= MOST_ALIKE || group.chunk_by(|a, b| text(a.1) == text(b.1)).count() <= MOST_ALIKE
            };
            if alike.into_iter().all(fits) || salt + 1 == SALTS {
                return Self { salt, places };
            }
        }
        Self { salt: 0, places }
    }
}

impl Texts {
    /// Writes a table.
    pub(crate) fn write<'t>(
        group: u8,
        kind: Kind,
        order: &Order,
        text: &dyn Fn(u32) -> &'t [u8],
        bytes: usize,
        sections: &mut Sections,
    ) {
        let Order { salt, places } = order;
        let bits = bits(places.len());
        let mut at = 0;
        let starts: Vec<u64> = (0..=1_u64 << bits)
            .map(|top| {
                while places.get(at).is_some_and(|(hash, _)| top_bits(*hash, bits) < top) {
                    at += 1;
                }
                at as u64
            })
            .collect();
        sections.push(Ints::pack(Tag::new(group, STARTS), 1, *salt as u8, starts.into_iter()));
        let tails = places.iter().map(|(hash, _)| tail_key(*hash, bits) & 0xffff);
        sections.push(Ints::pack(Tag::new(group, TAILS), 1, kind as u8, tails));
        let mut writer = BlobsWriter::with_capacity(places.len(), bytes);
        for (_, number) in places {
            writer.push(text(*number));
        }
        writer.write(Tag::new(group, TEXTS), sections);
    }

    /// Takes the table of a group; `None` if there is none.
    pub(crate) fn open(group: u8, kind: Kind, sections: &Sections) -> Result<Option<Self>, Damaged> {
        let Some(starts) = sections.get(Tag::new(group, STARTS)) else { return Ok(None) };
        let starts = Ints::open(starts, starts.count as usize)?;
        let texts = Blobs::open(Tag::new(group, TEXTS), sections)?;
        let tails = Ints::open(sections.need(Tag::new(group, TAILS))?, texts.len())?;
        let bits = bits(texts.len());
        if starts.len() as u64 != (1 << bits) + 1 {
            return Err(Damaged("a table of texts has another length than stated"));
        }
        Ok(Some(Self { kind, salt: u64::from(starts.flags()), starts, bits, tails, bytes: texts }))
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The text at a place, as it is packed.
    pub(crate) fn get(&self, place: usize) -> &[u8] {
        self.bytes.get(place)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.iter()
    }

    /// The hash under which a text is looked up; of names, in upper or lower case.
    #[inline]
    pub(crate) fn hash(&self, text: &[u8]) -> u64 {
        hash_of(self.kind, self.salt, text)
    }

    /// The places of all texts equal to one, whose hash is known. Names are equal whatever their case.
    #[inline]
    pub(crate) fn find(&self, text: &[u8], hash: u64) -> impl Iterator<Item = usize> {
        let top = top_bits(hash, self.bits) as usize;
        let high = (self.starts.get(top + 1) as usize).min(self.len());
        let tail = tail_key(hash, self.bits) & 0xffff;
        let first = self.tails.lower_bound(self.starts.get(top) as usize, high, tail);
        let is_name = self.kind.shape() == Shape::Suffix;
        (first..high).take_while(move |place| self.tails.get(*place) == tail).filter(move |place| {
            let listed = self.bytes.get(*place);
            listed == text || (is_name && listed.eq_ignore_ascii_case(text))
        })
    }
}

#[inline]
fn hash_of(kind: Kind, salt: u64, text: &[u8]) -> u64 {
    let salt = salt << 8 | kind as u64;
    if kind.shape() == Shape::Suffix { hash_name(salt, text) } else { hash(salt, text) }
}

/// Upper bits of the hash that make buckets of some four texts.
fn bits(count: usize) -> u32 {
    (count as u64 / 4 + 1).next_power_of_two().trailing_zeros()
}

#[inline]
fn top_bits(hash: u64, bits: u32) -> u64 {
    hash.checked_shr(64 - bits).unwrap_or(0)
}

/// The upper bits and sixteen more.
#[inline]
fn tail_key(hash: u64, bits: u32) -> u64 {
    hash >> (48 - bits.min(32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(kind: Kind, list: &[String]) -> Option<Texts> {
        let text = |number: u32| list[number as usize].as_bytes();
        let order = Order::new(kind, list.len(), &text, &|a, b| a.cmp(&b));
        let mut sections = Sections::default();
        Texts::write(7, kind, &order, &text, 0, &mut sections);
        Texts::open(7, kind, &sections).expect("its own table")
    }

    proptest! {
        #[test]
        fn the_table_finds_every_text_that_is_equal_and_no_other(list in proptest::collection::vec("[ab.]{1,5}", 0..200), asked in "[ab.]{0,5}") {
            let table = table(Kind::Domain, &list).expect("a table");
            let found = table.find(asked.as_bytes(), table.hash(asked.as_bytes()));
            let found: Vec<&[u8]> = found.map(|place| table.get(place)).collect();
            prop_assert!(found.iter().all(|text| *text == asked.as_bytes()));
            prop_assert_eq!(found.len(), list.iter().filter(|text| **text == asked).count());
        }
    }

    #[test]
    fn names_are_found_in_either_case_and_urls_are_not() {
        let list = ["evil.example/a".to_owned()];
        for (kind, expected) in [(Kind::Domain, 1), (Kind::Url, 0)] {
            let table = table(kind, &list).expect("a table");
            assert_eq!(table.find(b"EVIL.example/A", table.hash(b"EVIL.example/A")).count(), expected);
        }
    }

    #[test]
    fn one_text_listed_a_hundred_times_is_no_attack() {
        let list = vec!["x".to_owned(); 100];
        let table = table(Kind::Url, &list).expect("a table");
        assert_eq!(table.find(b"x", table.hash(b"x")).count(), 100);
    }
}
