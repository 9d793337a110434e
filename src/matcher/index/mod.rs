//! The shapes in which values are looked up, and the one question to all of them: who lists this value?

pub(crate) mod exact;
pub(crate) mod expression;
mod filter;
mod hash;
pub(crate) mod hosts;
pub(crate) mod literal;
pub(crate) mod prefix;

use crate::compile::{Atoms, EntryId, Holder, Meta, Text, pack};
use crate::observable::{Kind, Shape, Value, kind};
use exact::ExactIndex;
use hosts::Hosts;
use prefix::{Blocks, PrefixIndex};

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

/// All typed values, each in the shape of its kind.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) ipv4: PrefixIndex<u32>,
    pub(crate) blocks: Blocks,
    pub(crate) ipv6: PrefixIndex<u128>,
    /// Domains.
    pub(crate) names: ExactIndex,
    /// URLs, mail and hardware addresses, digests.
    pub(crate) rest: ExactIndex,
    /// Where listed URLs and mail addresses live.
    pub(crate) hosts: Hosts,
}

impl Index {
    /// Indexes the atoms of the rows that take part.
    pub(crate) fn new(atoms: &Atoms, takes_part: &dyn Fn(u32) -> bool) -> Self {
        let is_name = |text: &Text| text.kind.shape() == Shape::Suffix;
        let ipv4: Vec<_> = atoms.ipv4().iter().filter(|a| takes_part(a.entry)).copied().collect();
        let ipv6: Vec<_> = atoms.ipv6().iter().filter(|a| takes_part(a.entry)).copied().collect();
        let ipv4 = PrefixIndex::new(ipv4);
        let hosts = Hosts::new(atoms, takes_part);
        let mut names = ExactIndex::new(atoms, |text| is_name(text) && takes_part(text.entry), hosts.names().count());
        hosts.names().for_each(|name| names.admit(Kind::Domain, name.as_bytes()));
        Self {
            blocks: Blocks::new(ipv4.ranges().chain(hosts.ipv4().map(|address| (address, address)))),
            ipv4,
            ipv6: PrefixIndex::new(ipv6),
            names,
            rest: ExactIndex::new(atoms, |text| !is_name(text) && takes_part(text.entry), 0),
            hosts,
        }
    }

    /// Places in a block whose lines may hold a listed value in a notation that only a field can have: digests as pairs
    /// of digits with colons between them.
    pub(crate) fn suspects_in_fields(&self, block: &[u8], places: &mut Vec<u32>) {
        if self.rest.has(|kind| kind.object_type() == Kind::Sha1.object_type()) {
            places.extend(memchr::memmem::find_iter(block, b"ingerprint").map(|at| at as u32));
        }
    }

    /// Reports every atom that lists a value or, for addresses and with `parents` for names, covers it.
    pub(crate) fn lookup(&self, atoms: &Atoms, value: &Value, parents: bool, found: &mut dyn FnMut(Found)) {
        match value {
            Value::Ipv4(address, len) => {
                self.ipv4.covering(u32::from(*address)).filter(|a| a.len <= *len).for_each(|a| {
                    found(Found { entry: a.entry, meta: a.meta, cover: prefix_cover(a.len, *len) });
                });
            }
            Value::Ipv6(address, len) => {
                self.ipv6.covering(u128::from(*address)).filter(|a| a.len <= *len).for_each(|a| {
                    found(Found { entry: a.entry, meta: a.meta, cover: prefix_cover(a.len, *len) });
                });
            }
            Value::Text(kind, text) if kind.shape() == Shape::Suffix => {
                texts(&self.names, atoms, *kind, text, Cover::Same, found);
                for parent in parents_of(text).filter(|_| parents) {
                    texts(&self.names, atoms, *kind, parent, Cover::Parent, found);
                }
            }
            Value::Text(kind, text) => {
                texts(&self.rest, atoms, *kind, text, Cover::Same, found);
                // An indicator written without scheme stands for both of the web's.
                if kind.shape() == Shape::Url
                    && let Some(rest) = kind::url::without_scheme(text)
                {
                    texts(&self.rest, atoms, *kind, rest, Cover::Same, found);
                }
            }
        }
    }
}

/// Reports every atom of an index that lists a text.
fn texts(index: &ExactIndex, atoms: &Atoms, kind: Kind, text: &str, cover: Cover, found: &mut dyn FnMut(Found)) {
    let mut packed = Vec::with_capacity(text.len());
    pack(kind, text.as_bytes(), &mut packed);
    for atom in index.atoms(atoms, kind, &packed) {
        // A host listed as a whole URL is not the URL of what is below it.
        if cover == Cover::Same || atom.meta.holder != Holder::Url {
            found(Found { entry: atom.entry, meta: atom.meta, cover });
        }
    }
}

fn prefix_cover(listed: u8, asked: u8) -> Cover {
    if listed == asked { Cover::Same } else { Cover::Prefix }
}

/// The names that a name is below: `a.b.example` is below `b.example` and `example`.
pub(crate) fn parents_of(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(dot, _)| &name[dot + 1..])
}
