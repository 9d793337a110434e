//! The question of three in the morning: who lists this value, and does it count?
//!
//! One value is asked for at a time, of active and inactive indicators alike: it is looked up among the listed values,
//! and every expression is tried on it.

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

/// All indicators that list or cover a value, in the order of their numbers.
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

/// Who lists or covers a value, as a value of its kind.
fn typed(rules: &RuleSet, value: &Value, found: &mut dyn FnMut(u32, Meta, String, Relation)) {
    let atoms = rules.atoms();
    let relation = |exact| if exact { Relation::Exact } else { Relation::Cidr };
    match value {
        Value::Ipv4(address, len) => {
            for a in atoms.ipv4_covering(u32::from(*address)).filter(|a| a.len <= *len) {
                found(a.entry, a.meta, Value::Ipv4(a.start.into(), a.len).to_string(), relation(a.len == *len));
            }
        }
        Value::Ipv6(address, len) => {
            for a in atoms.ipv6_covering(u128::from(*address)).filter(|a| a.len <= *len) {
                found(a.entry, a.meta, Value::Ipv6(a.start.into(), a.len).to_string(), relation(a.len == *len));
            }
        }
        Value::Text(kind, text) => {
            let Some(table) = atoms.table(*kind) else { return };
            let parents = parents_of(text).filter(|_| kind.shape() == Shape::Suffix);
            let web = kind::url::without_scheme(text).filter(|_| *kind == Kind::Url);
            let names = std::iter::once((&**text, Relation::Exact))
                .chain(parents.map(|name| (name, Relation::Subdomain)))
                .chain(web.map(|url| (url, Relation::Exact)));
            for (name, relation) in names {
                let mut packed = Vec::new();
                crate::compile::pack(*kind, name.as_bytes(), &mut packed);
                for atom in table.find(&packed, table.hash(&packed)) {
                    found(atom.entry, atom.meta, name.to_owned(), relation);
                }
            }
        }
    }
}
