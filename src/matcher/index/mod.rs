//! The shapes in which values are looked up, and the one question to all of them: who lists this value?
//!
//! The tables of values are the rule set's own. Here are the filters in front of them, which keep nearly everything
//! that is not listed away from the tables, and the judgement of who takes part, made when something is found.

pub(crate) mod expression;
mod filter;
pub(crate) mod hosts;
pub(crate) mod literal;

use crate::compile::packed::{Damaged, Section, Sections, Tag};
use crate::compile::{Address, Atoms, EntryId, Holder, Meta, RuleSet, Status, Table, Text, pack};
use crate::observable::text::find::{Blocks, Sieve, Tails, TailsBuilder};
use crate::observable::{Kind, Shape, Value, kind};
use filter::{Filter, FilterBuilder};
use hosts::{Hosts, HostsBuilder};
use std::sync::Arc;

/// Who lists a literal or an expression.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) entry: EntryId,
    /// Seeing it alone is a match.
    pub(crate) exact: bool,
}

/// How a listed value covers the value that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// They are the same.
    Same,
    /// It lies inside the listed prefix.
    Prefix,
    /// It is a name below the listed one.
    Parent,
}

/// An atom that lists or covers a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The row of the indicator.
    pub(crate) entry: u32,
    pub(crate) meta: Meta,
    pub(crate) cover: Cover,
}

/// The group of sections that hold filters, and the parts.
const GROUP: u8 = 8;
const BLOCKS: Tag = Tag::new(GROUP, 0);
const NAMES: Tag = Tag::new(GROUP, 1);
const REST: Tag = Tag::new(GROUP, 2);
const HOSTS: Tag = Tag::new(GROUP, 3);
const TAILS: Tag = Tag::new(GROUP, 4);

/// The filters in front of the tables of a rule set.
#[derive(Clone, Debug)]
pub(crate) struct Filters {
    /// Of listed IPv4 prefixes and of addresses that listed URLs live on; of the ends of all names.
    sieve: Sieve,
    /// Of domains, and of hosts of URLs and mail addresses.
    names: Filter,
    /// Of URLs, mail and hardware addresses, digests.
    rest: Filter,
    /// Where listed URLs and mail addresses live.
    hosts: Hosts,
}

impl Filters {
    /// Of the rows that take part.
    pub(crate) fn new(atoms: &Atoms, takes_part: &dyn Fn(u32) -> bool) -> Self {
        let hosted = atoms.texts_of(Kind::Url) + atoms.texts_of(Kind::Email);
        let names = atoms.texts_of(Kind::Domain);
        let mut hosts = HostsBuilder::with_capacity(hosted);
        let mut all_names = FilterBuilder::with_capacity(names + hosted);
        let mut tails = TailsBuilder::with_capacity(names + hosted);
        let mut rest = FilterBuilder::with_capacity(atoms.texts_len() - names);
        let mut addresses = Vec::new();
        let name_table = atoms.table(Kind::Domain);
        let mut table: Option<Table<'_>> = None;
        let mut kind = Kind::Ipv4;
        for (text, bytes) in atoms.texts().filter(|(text, _)| takes_part(text.entry)) {
            if table.is_none() || kind != text.kind {
                (kind, table) = (text.kind, atoms.table(text.kind));
            }
            let Some(table) = table else { continue };
            if text.kind.shape() == Shape::Suffix {
                all_names.insert(table.hash(bytes));
                tails.insert(bytes);
                continue;
            }
            rest.insert(table.hash(bytes));
            if let Ok(listed) = std::str::from_utf8(bytes) {
                let mut name = |host: &str| {
                    all_names.insert(hash_of_name(name_table, host.as_bytes()));
                    tails.insert(host.as_bytes());
                };
                hosts.add(text.kind, listed, &mut name, &mut |address| addresses.push(address));
            }
        }
        let hosted = addresses.iter().map(|address| (*address, *address));
        let listed = atoms
            .ipv4()
            .filter(|address| takes_part(address.entry))
            .map(|address| (address.start, address.start | u32::MAX.checked_shr(u32::from(address.len)).unwrap_or(0)));
        let blocks = Blocks::new(atoms.ipv4().len() + addresses.len(), listed.chain(hosted));
        let sieve = Sieve { tails: tails.build(), blocks };
        Self { sieve, names: all_names.build(), rest: rest.build(), hosts: hosts.build() }
    }

    /// Adds what a file keeps of them.
    pub(crate) fn write(&self, sections: &mut Sections) {
        let Self { sieve, names, rest, hosts } = self;
        let parts = [
            (BLOCKS, 0, sieve.blocks.bytes()),
            (TAILS, 0, sieve.tails.bytes()),
            (NAMES, 0, names.bytes()),
            (REST, 0, rest.bytes()),
            (HOSTS, hosts.flags(), hosts.bytes()),
        ];
        for (tag, flags, bytes) in parts {
            sections.push(Section { tag, width: 1, flags, count: 0, base: 0, step: 1, bytes: bytes.clone() });
        }
    }

    /// Takes them from a file; `None` if there are none.
    pub(crate) fn open(sections: &Sections) -> Result<Option<Self>, Damaged> {
        if sections.get(BLOCKS).is_none() {
            return Ok(None);
        }
        let broken = Damaged("a filter has a length that no filter has");
        let filter = |tag| Filter::open(&sections.need(tag)?.bytes).ok_or(broken);
        let hosts = sections.need(HOSTS)?;
        let blocks = Blocks::from_bytes(&sections.need(BLOCKS)?.bytes).ok_or(broken)?;
        let tails = Tails::from_bytes(&sections.need(TAILS)?.bytes).ok_or(broken)?;
        Ok(Some(Self {
            sieve: Sieve { tails, blocks },
            names: filter(NAMES)?,
            rest: filter(REST)?,
            hosts: Hosts::open(&hosts.bytes, hosts.flags).ok_or(broken)?,
        }))
    }
}

/// Hosts are asked for as names are, whether or not there is a table of names.
fn hash_of_name(table: Option<Table<'_>>, name: &[u8]) -> u64 {
    table.map_or_else(|| crate::compile::hash::hash_name(0, name), |table| table.hash(name))
}

/// All typed values of a rule set, and who of those that list them takes part.
#[derive(Debug)]
pub(crate) struct Index {
    rules: Arc<RuleSet>,
    filter: crate::compile::Filter,
    filters: Filters,
}

impl Index {
    /// Prepares the values of a rule set; filters that came with it serve all rows.
    pub(crate) fn new(rules: Arc<RuleSet>, filter: crate::compile::Filter, filters: Option<Filters>) -> Self {
        let takes_part = |row: u32| rules.indicator(EntryId(row)).status(&filter) == Status::Active;
        let filters = filters.unwrap_or_else(|| Filters::new(rules.atoms(), &takes_part));
        Self { rules, filter, filters }
    }

    fn atoms(&self) -> &Atoms {
        self.rules.atoms()
    }

    /// Whether an indicator takes part.
    pub(crate) fn takes_part(&self, row: u32) -> bool {
        self.rules.indicator(EntryId(row)).status(&self.filter) == Status::Active
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.filters.hosts
    }

    /// Whether values of a kind that `wanted` picks are listed.
    pub(crate) fn has(&self, wanted: impl Fn(Kind) -> bool) -> bool {
        let count = |kind| match kind {
            Kind::Ipv4 => self.atoms().ipv4().len(),
            Kind::Ipv6 => self.atoms().ipv6().len(),
            _ => self.atoms().texts_of(kind),
        };
        Kind::all().any(|kind| wanted(kind) && count(kind) > 0)
    }

    /// What holds back most of what is not listed.
    pub(crate) fn sieve(&self) -> &Sieve {
        &self.filters.sieve
    }

    /// Holds nothing back any more.
    #[cfg(test)]
    pub(crate) fn open_sieve(&mut self) {
        self.filters.sieve = Sieve::open();
    }

    /// Whether an IPv4 address is listed.
    pub(crate) fn lists_ipv4(&self, address: u32) -> bool {
        self.atoms().ipv4_covering(address).any(|listed| self.takes_part(listed.entry))
    }

    /// Whether an IPv6 address is listed.
    pub(crate) fn lists_ipv6(&self, address: u128) -> bool {
        self.atoms().ipv6_covering(address).any(|listed| self.takes_part(listed.entry))
    }

    /// The names, for many questions.
    pub(crate) fn names(&self) -> Names<'_> {
        Names { index: self, table: self.atoms().table(Kind::Domain) }
    }

    /// Whether a packed text that is no name is listed.
    pub(crate) fn lists_text(&self, kind: Kind, packed: &[u8]) -> bool {
        let Some(table) = self.atoms().table(kind) else { return false };
        let hash = table.hash(packed);
        self.filters.rest.may_contain(hash) && table.find(packed, hash).any(|listed| self.takes_part(listed.entry))
    }

    /// Places in a block whose lines may hold a listed value in a notation that only a field can have: digests as pairs
    /// of digits with colons between them.
    pub(crate) fn suspects_in_fields(&self, block: &[u8], places: &mut Vec<u32>) {
        if self.has(|kind| kind.object_type() == Kind::Sha1.object_type()) {
            places.extend(memchr::memmem::find_iter(block, b"ingerprint").map(|at| at as u32));
        }
    }

    /// Reports every atom that lists a value or, for addresses and with `parents` for names, covers it, and whose
    /// indicator takes part.
    pub(crate) fn lookup(&self, value: &Value, parents: bool, found: &mut dyn FnMut(Found)) {
        lookup(self.atoms(), Some(&self.filters), value, parents, &mut |one| {
            if self.takes_part(one.entry) {
                found(one);
            }
        });
    }
}

/// The names of an index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'i> {
    index: &'i Index,
    table: Option<Table<'i>>,
}

impl Names<'_> {
    /// The hash of a name as it is written, in upper or lower case.
    #[inline]
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        hash_of_name(self.table, name)
    }

    /// Whether a name with this hash may be listed or host something listed. Wrong for about one in two hundred that do
    /// not.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        self.index.filters.names.may_contain(hash)
    }

    /// Whether a name, as it is written, is listed; its hash is known.
    pub(crate) fn contains(&self, name: &[u8], hash: u64) -> bool {
        self.table.is_some_and(|table| table.find(name, hash).any(|listed| self.index.takes_part(listed.entry)))
    }
}

/// Reports every atom of any indicator that lists or covers a value.
pub(crate) fn lookup(
    atoms: &Atoms,
    filters: Option<&Filters>,
    value: &Value,
    parents: bool,
    found: &mut dyn FnMut(Found),
) {
    match value {
        // Most addresses are in no block where anything is listed.
        Value::Ipv4(address, 32) if !filters.is_none_or(|it| it.sieve.blocks.may_contain(u32::from(*address))) => {}
        Value::Ipv4(address, len) => {
            atoms.ipv4_covering(u32::from(*address)).for_each(|listed| found_prefix(&listed, *len, found));
        }
        Value::Ipv6(address, len) => {
            atoms.ipv6_covering(u128::from(*address)).for_each(|listed| found_prefix(&listed, *len, found));
        }
        Value::Text(kind, text) if kind.shape() == Shape::Suffix => {
            let filter = filters.map(|filters| &filters.names);
            texts(atoms, filter, *kind, text, Cover::Same, found);
            for parent in parents_of(text).filter(|_| parents) {
                texts(atoms, filter, *kind, parent, Cover::Parent, found);
            }
        }
        Value::Text(kind, text) => {
            let filter = filters.map(|filters| &filters.rest);
            texts(atoms, filter, *kind, text, Cover::Same, found);
            // An indicator written without scheme stands for both of the web's.
            if kind.shape() == Shape::Url
                && let Some(rest) = kind::url::without_scheme(text)
            {
                texts(atoms, filter, *kind, rest, Cover::Same, found);
            }
        }
    }
}

fn found_prefix<A>(listed: &Address<A>, asked: u8, found: &mut dyn FnMut(Found)) {
    if listed.len <= asked {
        let cover = if listed.len == asked { Cover::Same } else { Cover::Prefix };
        found(Found { entry: listed.entry, meta: listed.meta, cover });
    }
}

/// Reports every atom that lists a text.
fn texts(atoms: &Atoms, filter: Option<&Filter>, kind: Kind, text: &str, cover: Cover, found: &mut dyn FnMut(Found)) {
    let Some(table) = atoms.table(kind) else { return };
    // Only digests are packed into anything but themselves.
    let mut digest;
    let packed = if kind.object_type() == Kind::Sha1.object_type() {
        digest = Vec::with_capacity(text.len() / 2);
        pack(kind, text.as_bytes(), &mut digest);
        &digest
    } else {
        text.as_bytes()
    };
    let hash = table.hash(packed);
    if filter.is_some_and(|filter| !filter.may_contain(hash)) {
        return;
    }
    for Text { entry, meta, .. } in table.find(packed, hash) {
        // A host listed as a whole URL is not the URL of what is below it.
        if cover == Cover::Same || meta.holder != Holder::Url {
            found(Found { entry, meta, cover });
        }
    }
}

/// The names that a name is below: `a.b.example` is below `b.example` and `example`.
pub(crate) fn parents_of(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(dot, _)| &name[dot + 1..])
}
