//! The question of three in the morning: who lists this value, and does it count?
//!
//! One value is asked for at a time, of active and inactive indicators alike, so nothing is indexed: every listed
//! value and every expression is looked at.

use super::compound::Compounds;
use super::index::expression::ExpressionIndex;
use super::index::parents_of;
use super::{Relation, plain, sought};
use crate::compile::{EntryId, Meta, RuleSet};
use crate::observable::{Kind, Shape, Value, begins_on_border, ends_on_border, kind, literal_is_vague};

/// An indicator that lists or covers a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The indicator.
    pub entry: EntryId,
    /// How the value asked for relates to what is listed.
    pub relation: Relation,
    /// What is listed: a value in normal form, or a test as it is written, such as `LIKE '%.example'`.
    pub listed: String,
    /// Seeing the value alone is a match; otherwise the pattern asks for more.
    pub alone: bool,
    /// Why it is not looked for in plain text, if it is not.
    pub vague: Option<&'static str>,
}

/// All indicators that list or cover a value, in the order in which they were read.
pub fn listings(rules: &RuleSet, value: &Value) -> Vec<Listing> {
    let mut found = Vec::new();
    // Where the pattern asks for more than a listed value, the value may yet be all of it.
    let compounds = Compounds::new(rules, &|_| true);
    let mut satisfied = Vec::new();
    let host = kind::url::host(value);
    let seen = [(Some(value), Relation::Exact), (host.as_ref(), Relation::HostOfUrl)];
    for (value, whole) in seen.into_iter().filter_map(|(value, whole)| Some((value?, whole))) {
        let mut add = |entry, alone, listed, relation| {
            let relation = if relation == Relation::Exact { whole } else { relation };
            found.push(Listing { entry, relation, listed, alone, vague: None });
        };
        typed(rules, value, &mut |entry, meta, listed, relation| add(EntryId(entry), meta.exact, listed, relation));
        tested(rules, value, &mut |entry, alone, listed| add(entry, alone, listed, Relation::Exact));
        let mut objects = Vec::new();
        plain::objects_of_value(value, 0, &mut objects);
        satisfied.extend(compounds.satisfied(plain::observation(objects)));
    }
    for listing in &mut found {
        listing.alone |= satisfied.contains(&listing.entry);
    }
    found.sort_by_key(|l| (l.entry, l.relation));
    found.dedup();
    found
}

/// All indicators that list a text without a shape of its own, such as a file name, which is this text or stands in it.
pub fn literal_listings(rules: &RuleSet, text: &str) -> Vec<Listing> {
    let mut found = Vec::new();
    for (owner, seek) in sought(rules) {
        let Some(literal) = seek.as_literal().filter(|literal| !literal.text.is_empty()) else { continue };
        let stands = text.match_indices(&*literal.text).any(|(start, part)| {
            let end = start + part.len();
            (literal.open_before || begins_on_border(text.as_bytes(), start))
                && (literal.open_behind || ends_on_border(text.as_bytes(), end))
        });
        let vague = literal_is_vague(&literal.text);
        // What is not looked for in longer texts is listed only if it was asked for by itself.
        if stands && (vague.is_none() || text == &*literal.text) {
            let (listed, alone) = (literal.text.to_string(), owner.exact);
            found.push(Listing { entry: owner.entry, relation: Relation::Text, listed, alone, vague });
        }
    }
    found.sort_by_key(|listing| listing.entry);
    found.dedup();
    found
}

/// Tries every `LIKE` and `MATCHES` on a value.
fn tested(rules: &RuleSet, value: &Value, found: &mut dyn FnMut(EntryId, bool, String)) {
    for (owner, seek) in sought(rules) {
        let Some(expression) = seek.as_expression().filter(|e| e.kinds.contains(&value.kind())) else { continue };
        ExpressionIndex::new([(owner, expression)].into_iter()).lookup(value, None, &mut |owner| {
            let operator = if expression.regex { "MATCHES" } else { "LIKE" };
            found(owner.entry, owner.exact, format!("{operator} '{}'", expression.text));
        });
    }
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
