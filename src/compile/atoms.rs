//! All listed values, each in the table of its kind, and whose they are.
//!
//! Atoms are numbered through all tables: addresses, then texts by kind. An indicator's row is counted from the first
//! of its atoms, so that nothing has to be stored for it; only further atoms of the same indicator name their row.

use super::atom::{Address, Atom, AtomId, Holder, Meta, Text, pack};
use super::collect::Collector;
use super::packed::{Damaged, Ints, Rank, Sections, Tag};
use super::prefixes::{Number, Prefixes};
use super::texts::{Order, Texts};
use crate::observable::{Kind, Role, Value};
use std::cmp::Ordering;

/// Groups of sections.
const IPV4: u8 = 3;
const IPV6: u8 = 4;
const OWNERS: u8 = 5;
const TEXTS: u8 = 16;

const FIRSTS: Tag = Tag::new(OWNERS, 0);
const OTHERS: Tag = Tag::new(OWNERS, 2);
const METAS: Tag = Tag::new(OWNERS, 3);

/// All atoms of a rule set.
#[derive(Clone, Debug, Default)]
pub struct Atoms {
    ipv4: Prefixes<u32>,
    ipv6: Prefixes<u128>,
    /// In the order of kinds.
    texts: Vec<Texts>,
    /// Of each atom whether it is the first of its row; so many are before it.
    firsts: Rank,
    /// The rows of the others.
    others: Ints,
    metas: Ints,
}

impl Atoms {
    pub(super) fn open(sections: &Sections) -> Result<Self, Damaged> {
        let (ipv4, ipv6) = (Prefixes::open(IPV4, sections)?, Prefixes::open(IPV6, sections)?);
        let mut texts = Vec::new();
        for kind in Kind::all() {
            texts.extend(Texts::open(TEXTS + kind as u8, kind, sections)?);
        }
        let count = [ipv4.len(), ipv6.len()].into_iter().chain(texts.iter().map(Texts::len));
        let count = count.fold(0, usize::saturating_add);
        let others = Ints::open_any(sections, OTHERS)?;
        let metas = Ints::open(sections.need(METAS)?, count)?;
        Ok(Self { ipv4, ipv6, texts, firsts: Rank::open(FIRSTS, count, sections)?, others, metas })
    }

    /// Listed IPv4 prefixes: single addresses, then the others, each in order.
    pub fn ipv4(&self) -> impl ExactSizeIterator<Item = Address<u32>> {
        self.addresses(&self.ipv4, 0)
    }

    /// Listed IPv6 prefixes: single addresses, then the others, each in order.
    pub fn ipv6(&self) -> impl ExactSizeIterator<Item = Address<u128>> {
        self.addresses(&self.ipv6, self.ipv4.len())
    }

    fn addresses<A: Number>(&self, table: &Prefixes<A>, base: usize) -> impl ExactSizeIterator<Item = Address<A>> {
        (0..table.len()).map(move |place| self.address(table, base, place))
    }

    fn address<A: Number>(&self, table: &Prefixes<A>, base: usize, place: usize) -> Address<A> {
        let (start, len) = table.get(place);
        let (entry, meta) = self.owner(base + place);
        Address { start, len, entry, meta }
    }

    /// The listed prefixes that cover an address, the narrowest first.
    #[inline]
    pub(crate) fn ipv4_covering(&self, address: u32) -> impl Iterator<Item = Address<u32>> {
        self.ipv4.covering(address).map(|place| self.address(&self.ipv4, 0, place))
    }

    /// The listed prefixes that cover an address, the narrowest first.
    #[inline]
    pub(crate) fn ipv6_covering(&self, address: u128) -> impl Iterator<Item = Address<u128>> {
        self.ipv6.covering(address).map(|place| self.address(&self.ipv6, self.ipv4.len(), place))
    }

    /// All other values, by kind.
    pub fn texts(&self) -> impl Iterator<Item = (Text, &[u8])> {
        self.tables().flat_map(move |(base, table)| {
            table.iter().enumerate().map(move |(place, bytes)| (self.text_at(table, base, place), bytes))
        })
    }

    /// How many other values there are.
    pub fn texts_len(&self) -> usize {
        self.texts.iter().map(Texts::len).sum()
    }

    /// One of the other values, by its number among them.
    pub fn text(&self, number: AtomId) -> Option<Text> {
        let (base, table, place) = self.place(number)?;
        Some(self.text_at(table, base, place))
    }

    /// How many of a kind there are.
    pub fn texts_of(&self, kind: Kind) -> usize {
        self.texts.iter().find(|table| table.kind() == kind).map_or(0, Texts::len)
    }

    /// The packed bytes of a text, see [`pack`], by its number.
    pub fn bytes(&self, number: AtomId) -> &[u8] {
        self.place(number).map_or(&[], |(_, table, place)| table.get(place))
    }

    /// The tables of texts, each with the number of its first atom.
    fn tables(&self) -> impl Iterator<Item = (usize, &Texts)> {
        let mut next = self.ipv4.len() + self.ipv6.len();
        self.texts.iter().map(move |table| {
            let base = next;
            next += table.len();
            (base, table)
        })
    }

    fn place(&self, number: AtomId) -> Option<(usize, &Texts, usize)> {
        let atom = self.ipv4.len() + self.ipv6.len() + number as usize;
        let (base, table) = self.tables().take_while(|(base, _)| *base <= atom).last()?;
        (atom - base < table.len()).then_some((base, table, atom - base))
    }

    fn text_at(&self, table: &Texts, base: usize, place: usize) -> Text {
        let (entry, meta) = self.owner(base + place);
        let number = (base + place - self.ipv4.len() - self.ipv6.len()) as AtomId;
        Text { number, kind: table.kind(), meta, entry }
    }

    /// The table of a kind of text.
    #[inline]
    pub(crate) fn table(&self, kind: Kind) -> Option<Table<'_>> {
        self.tables().find(|(_, table)| table.kind() == kind).map(|(base, table)| Table {
            atoms: self,
            base,
            texts: table,
        })
    }

    /// The row of an atom, and what else it says.
    fn owner(&self, atom: usize) -> (u32, Meta) {
        let (is_first, before) = self.firsts.get(atom);
        let row = if is_first { before } else { self.others.get((atom as u64).wrapping_sub(before) as usize) };
        (u32::try_from(row).unwrap_or(u32::MAX), unpack_meta(self.metas.get(atom)))
    }

    /// The value of a row that has but one, if it has any.
    pub(super) fn first_of(&self, row: u32) -> Option<Atom> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            let (is_first, before) = self.firsts.get(middle);
            if before + u64::from(is_first) <= u64::from(row) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.atom(low)
    }

    /// An atom by its number.
    pub(super) fn atom(&self, atom: usize) -> Option<Atom> {
        let (ipv4, addresses) = (self.ipv4.len(), self.ipv4.len() + self.ipv6.len());
        let meta = unpack_meta(self.metas.get(atom));
        let value = if atom < ipv4 {
            let (start, len) = self.ipv4.get(atom);
            Value::Ipv4(start.into(), len)
        } else if atom < addresses {
            let (start, len) = self.ipv6.get(atom - ipv4);
            Value::Ipv6(start.into(), len)
        } else {
            let (_, table, place) = self.place(AtomId::try_from(atom - addresses).ok()?)?;
            Value::Text(table.kind(), unpack(table.kind(), table.get(place))?)
        };
        Some(Atom { value, meta })
    }

    /// All atoms with their rows, in order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Atom)> {
        (0..self.len()).filter_map(|atom| Some((self.owner(atom).0, self.atom(atom)?)))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ipv4.len() + self.ipv6.len() + self.texts_len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The texts of one kind, and whose they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    atoms: &'a Atoms,
    base: usize,
    texts: &'a Texts,
}

impl Table<'_> {
    /// The hash under which a text is looked up.
    #[inline]
    pub(crate) fn hash(&self, text: &[u8]) -> u64 {
        self.texts.hash(text)
    }

    /// All atoms that list a packed text, whose hash is known.
    #[inline]
    pub(crate) fn find(self, text: &[u8], hash: u64) -> impl Iterator<Item = Text> {
        self.texts.find(text, hash).map(move |place| self.atoms.text_at(self.texts, self.base, place))
    }
}

/// Atoms in order of arrival.
#[derive(Debug, Default)]
pub(super) struct AtomsBuilder {
    ipv4: Vec<(u32, u8, u8, u32)>,
    ipv6: Vec<(u128, u8, u8, u32)>,
    /// By kind.
    texts: Vec<Arrived>,
}

/// The texts of one kind, in order of arrival.
#[derive(Debug, Default)]
struct Arrived {
    texts: Vec<Piece>,
    bytes: Vec<u8>,
}

/// Where a text lies, what it says, and its row.
#[derive(Clone, Copy, Debug)]
struct Piece {
    low: u32,
    high: u8,
    meta: u8,
    len: u16,
    row: u32,
}

/// The table has no room: a value of over 64 kB, or over a terabyte of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Arrived {
    fn get(&self, number: u32) -> &[u8] {
        let piece = self.texts[number as usize];
        let start = (u64::from(piece.high) << 32 | u64::from(piece.low)) as usize;
        &self.bytes[start..start + usize::from(piece.len)]
    }
}

impl AtomsBuilder {
    /// Adds the atom of a row.
    pub(super) fn add(&mut self, row: u32, atom: &Atom) -> Result<(), Full> {
        let meta = pack_meta(atom.meta);
        match &atom.value {
            Value::Ipv4(address, len) => self.ipv4.push((u32::from(*address), *len, meta, row)),
            Value::Ipv6(address, len) => self.ipv6.push((u128::from(*address), *len, meta, row)),
            // An empty text is no value; only a damaged file has one.
            Value::Text(_, text) if text.is_empty() => {}
            Value::Text(kind, text) => {
                let at = *kind as usize;
                if self.texts.len() <= at {
                    self.texts.resize_with(at + 1, Arrived::default);
                }
                let Arrived { texts, bytes } = &mut self.texts[at];
                let start = bytes.len() as u64;
                pack(*kind, text.as_bytes(), bytes);
                let len = u16::try_from(bytes.len() as u64 - start).ok().filter(|_| start >> 40 == 0);
                let Some(len) = len.filter(|_| u32::try_from(texts.len()).is_ok()) else {
                    bytes.truncate(start as usize);
                    return Err(Full);
                };
                texts.push(Piece { low: start as u32, high: (start >> 32) as u8, meta, len, row });
            }
        }
        Ok(())
    }

    /// Writes the tables of the rows that are to stay, and gives the new order of rows: by their first atom, then those
    /// without any by id.
    pub(super) fn write(mut self, all: &Collector, stays: &dyn Fn(u32) -> bool, sections: &mut Sections) -> Vec<u32> {
        let (mut owners, mut metas): (Vec<u32>, Vec<u8>) = (Vec::new(), Vec::new());
        let mut own = |row, meta| {
            owners.push(row);
            metas.push(meta);
        };
        let tie = |a: u32, b: u32| all.order(a, b);
        write_prefixes(IPV4, std::mem::take(&mut self.ipv4), stays, &tie, &mut own, sections);
        write_prefixes(IPV6, std::mem::take(&mut self.ipv6), stays, &tie, &mut own, sections);
        for (kind, mut arrived) in Kind::all().zip(std::mem::take(&mut self.texts)) {
            arrived.texts.retain(|piece| stays(piece.row));
            if arrived.texts.is_empty() {
                continue;
            }
            let text = |number: u32| arrived.get(number);
            let tie = |a: u32, b: u32| {
                let (a, b) = (&arrived.texts[a as usize], &arrived.texts[b as usize]);
                tie(a.row, b.row).then(a.meta.cmp(&b.meta))
            };
            let order = Order::new(kind, arrived.texts.len(), &text, &tie);
            Texts::write(TEXTS + kind as u8, kind, &order, &text, arrived.bytes.len(), sections);
            for (_, number) in order.places {
                let piece = &arrived.texts[number as usize];
                own(piece.row, piece.meta);
            }
        }
        let order = number_rows(all, &owners, stays);
        let mut numbers = vec![0_u32; all.len()];
        (0..).zip(&order).for_each(|(number, row)| numbers[*row as usize] = number);
        let mut next = 0;
        let firsts: Vec<bool> = owners
            .iter()
            .map(|row| {
                let first = numbers[*row as usize] == next;
                next += u32::from(first);
                first
            })
            .collect();
        Rank::write(FIRSTS, &firsts, sections);
        let others = owners.iter().zip(&firsts).filter(|(_, first)| !**first);
        sections.push(Ints::pack(OTHERS, 1, 0, others.map(|(row, _)| u64::from(numbers[*row as usize]))));
        sections.push(Ints::pack(METAS, 1, 0, metas.iter().map(|meta| u64::from(*meta))));
        order
    }
}

fn write_prefixes<A: Number>(
    group: u8,
    mut list: Vec<(A, u8, u8, u32)>,
    stays: &dyn Fn(u32) -> bool,
    tie: &dyn Fn(u32, u32) -> Ordering,
    own: &mut dyn FnMut(u32, u8),
    sections: &mut Sections,
) {
    list.retain(|(_, _, _, row)| stays(*row));
    if list.is_empty() {
        return;
    }
    list.sort_unstable_by(|a, b| {
        let wide = |len: u8| len < A::BITS;
        (wide(a.1), a.0, a.1).cmp(&(wide(b.1), b.0, b.1)).then_with(|| tie(a.3, b.3)).then(a.2.cmp(&b.2))
    });
    let (singles, wide) = list.split_at(list.partition_point(|(_, len, ..)| *len == A::BITS));
    let singles: Vec<A> = singles.iter().map(|(start, ..)| *start).collect();
    let wide: Vec<(A, u8)> = wide.iter().map(|(start, len, ..)| (*start, *len)).collect();
    Prefixes::write(group, &singles, &wide, sections);
    for (_, _, meta, row) in &list {
        own(*row, *meta);
    }
}

/// The new order of rows.
fn number_rows(all: &Collector, owners: &[u32], stays: &dyn Fn(u32) -> bool) -> Vec<u32> {
    let mut numbered = vec![false; all.len()];
    let mut order = Vec::with_capacity(all.len());
    for row in owners {
        if !std::mem::replace(&mut numbered[*row as usize], true) {
            order.push(*row);
        }
    }
    let mut silent: Vec<u32> = (0..all.len() as u32).filter(|row| !numbered[*row as usize] && stays(*row)).collect();
    silent.sort_unstable_by(|a, b| all.order(*a, *b));
    order.append(&mut silent);
    order
}

fn pack_meta(meta: Meta) -> u8 {
    meta.role as u8 | (meta.holder as u8) << 2 | u8::from(!meta.exact) << 4
}

/// What is no role or holder is none in particular.
fn unpack_meta(byte: u64) -> Meta {
    let role = match byte & 3 {
        1 => Role::Src,
        2 => Role::Dst,
        _ => Role::Any,
    };
    let holder = match byte >> 2 & 3 {
        1 => Holder::Certificate,
        2 => Holder::Url,
        _ => Holder::Own,
    };
    Meta { role, exact: byte >> 4 & 1 == 0, holder }
}

/// The normal text of packed bytes.
fn unpack(kind: Kind, bytes: &[u8]) -> Option<Box<str>> {
    if kind.object_type() != "file" {
        return std::str::from_utf8(bytes).ok().map(Box::from);
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16);
    let digits: Option<String> = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    digits.map(String::into_boxed_str)
}
