//! The question of three in the morning: who lists this value, and does it count?
//!
//! One value is asked for at a time, of active and inactive indicators alike, so nothing is indexed: every listed
//! value is looked at.

use super::Relation;
use super::index::parents_of;
use crate::compile::{EntryId, Meta, RuleSet, Seek};
use crate::observable::{Kind, Shape, Value, kind};

/// An indicator that lists or covers a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The indicator.
    pub entry: EntryId,
    /// How the value asked for relates to what is listed.
    pub relation: Relation,
    /// What is listed, in normal form.
    pub listed: String,
    /// Seeing the value alone is a match; otherwise the pattern asks for more.
    pub alone: bool,
}

/// All indicators that list or cover a value, in the order in which they were read.
pub fn listings(rules: &RuleSet, value: &Value) -> Vec<Listing> {
    let mut found = Vec::new();
    typed(rules, value, &mut |entry, meta, listed, relation| {
        let relation =
            if relation == Relation::Exact || relation == Relation::Cidr { relation } else { Relation::Subdomain };
        found.push(Listing { entry: EntryId(entry), relation, listed, alone: meta.exact });
    });
    if let Some(host) = kind::url::host(value) {
        typed(rules, &host, &mut |entry, meta, listed, relation| {
            let relation = if relation == Relation::Exact { Relation::HostOfUrl } else { relation };
            found.push(Listing { entry: EntryId(entry), relation, listed, alone: meta.exact });
        });
    }
    found.sort_by_key(|l| (l.entry, l.relation));
    found.dedup();
    found
}

/// All indicators that list a text without a shape of its own, such as a file name.
pub fn literal_listings(rules: &RuleSet, text: &str) -> Vec<Listing> {
    let listed = |(entry, seek): &(EntryId, Seek)| {
        let literal = seek.as_literal()?;
        let listed = match (literal.open_before, literal.open_behind) {
            (true, true) => text.contains(&*literal.text),
            (true, false) => text.ends_with(&*literal.text),
            (false, true) => text.starts_with(&*literal.text),
            (false, false) => *literal.text == *text,
        };
        listed.then(|| Listing {
            entry: *entry,
            relation: Relation::Text,
            listed: literal.text.to_string(),
            alone: true,
        })
    };
    rules.texts().iter().filter_map(listed).collect()
}

/// Compares a value with every listed one of its kind.
fn typed(rules: &RuleSet, value: &Value, found: &mut dyn FnMut(u32, Meta, String, Relation)) {
    let atoms = rules.atoms();
    match value {
        Value::Ipv4(address, len) => {
            for a in atoms.ipv4().iter().filter(|a| a.len <= *len && same_prefix(a.start, u32::from(*address), a.len)) {
                let relation = if a.len == *len { Relation::Exact } else { Relation::Cidr };
                found(a.entry, a.meta, Value::Ipv4(a.start.into(), a.len).to_string(), relation);
            }
        }
        Value::Ipv6(address, len) => {
            let (high, low) = halves(u128::from(*address));
            for a in atoms.ipv6().iter().filter(|a| a.len <= *len) {
                let (listed_high, listed_low) = halves(a.start);
                let inside = same_prefix(listed_high, high, a.len.min(64))
                    && same_prefix(listed_low, low, a.len.saturating_sub(64));
                if inside {
                    let relation = if a.len == *len { Relation::Exact } else { Relation::Cidr };
                    found(a.entry, a.meta, Value::Ipv6(a.start.into(), a.len).to_string(), relation);
                }
            }
        }
        Value::Text(kind, text) => {
            let mut names = vec![&**text];
            if kind.shape() == Shape::Suffix {
                names.extend(parents_of(text));
            }
            if *kind == Kind::Url {
                names.extend(kind::url::without_scheme(text));
            }
            let packed: Vec<Vec<u8>> = names
                .iter()
                .map(|name| {
                    let mut out = Vec::new();
                    crate::compile::pack(*kind, name.as_bytes(), &mut out);
                    out
                })
                .collect();
            for atom in atoms.texts().iter().filter(|atom| atom.kind == *kind) {
                let bytes = atoms.bytes(atom);
                if let Some(at) = packed.iter().position(|name| name == bytes) {
                    let below = at > 0 && kind.shape() == Shape::Suffix;
                    let relation = if below { Relation::Subdomain } else { Relation::Exact };
                    found(atom.entry, atom.meta, names[at].to_owned(), relation);
                }
            }
        }
    }
}

/// Whether two numbers agree in their upper bits.
fn same_prefix<N: Into<u64> + Copy>(a: N, b: N, len: u8) -> bool {
    let width = (size_of::<N>() * 8) as u32;
    let differ: u64 = a.into() ^ b.into();
    differ.checked_shr(width - u32::from(len).min(width)).unwrap_or(0) == 0
}

fn halves(number: u128) -> (u64, u64) {
    ((number >> 64) as u64, number as u64)
}
