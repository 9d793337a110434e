//! What has to be seen before a comparison is worth evaluating.

use crate::compile::literal::{Constants, Number, is_wide};
use crate::compile::prefix::Prefix;
use crate::compile::program::{Compare, Comparison, Logic, Path, Test};
use crate::observable::Value;

/// A condition that a comparison cannot do without; of several, one is enough.
#[derive(Clone, Debug)]
pub(super) enum Gate<'c> {
    /// A value at a path.
    Equal(&'c Path, Key),
    /// A run of characters in a value at a path, whatever the case of its ASCII letters.
    Holds(&'c Path, Box<str>),
    /// An object of this type.
    Type(&'c str),
}

/// A value to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A string as it is written.
    Text(Box<str>),
    /// An observable in normal form.
    Value(Value),
    /// An integer.
    Integer(i128),
    /// An address or prefix that a value has to lie in.
    Inside(Prefix),
}

/// Shorter runs of characters are in too many values to be worth seeking.
const SHORTEST_RUN: usize = 3;

/// The gates of a comparison: if none of them is open for any object, it does not hold.
pub(super) fn gates(comparison: &Comparison) -> Vec<Gate<'_>> {
    let mut stack: Vec<Vec<Gate<'_>>> = Vec::new();
    for logic in &comparison.logic {
        let joined = match *logic {
            Logic::Test(index) => comparison.tests.get(index as usize).map(test_gates).unwrap_or_default(),
            Logic::Or(count) => take(&mut stack, count).into_iter().flatten().collect(),
            // All have to hold, so the cheapest to watch stands for all.
            Logic::And(count) => {
                take(&mut stack, count).into_iter().min_by_key(|gates| cost(gates)).unwrap_or_default()
            }
        };
        stack.push(joined);
    }
    stack.pop().unwrap_or_default()
}

/// Whether an open gate of equality alone means that the comparison holds.
pub(super) fn are_exact(comparison: &Comparison, gates: &[Gate<'_>]) -> bool {
    gates.iter().all(|gate| matches!(gate, Gate::Equal(..)))
        && comparison.logic.iter().all(|logic| !matches!(logic, Logic::And(_)))
}

fn take<'c>(stack: &mut Vec<Vec<Gate<'c>>>, count: u32) -> Vec<Vec<Gate<'c>>> {
    stack.split_off(stack.len().saturating_sub(count as usize))
}

fn cost(gates: &[Gate<'_>]) -> usize {
    let cost = |gate: &Gate<'_>| match gate {
        Gate::Equal(..) => 1,
        Gate::Holds(..) => 100,
        Gate::Type(_) => 10_000,
    };
    gates.iter().map(cost).sum()
}

fn test_gates(test: &Test) -> Vec<Gate<'_>> {
    let path = &test.path;
    let by_type = || vec![Gate::Type(&path.object_type)];
    if test.negated {
        return by_type();
    }
    let run = |run: &str| {
        if run.len() < SHORTEST_RUN { by_type() } else { vec![Gate::Holds(path, run.to_ascii_lowercase().into())] }
    };
    match &test.compare {
        Compare::Equal(constants) => keys(constants, path)
            .map_or_else(by_type, |keys| keys.into_iter().map(|key| Gate::Equal(path, key)).collect()),
        Compare::Like { .. } | Compare::Matches(_) if path.octets.is_some() => by_type(),
        Compare::Like { like, .. } => run(like.required()),
        Compare::Matches(regex) => run(regex.required()),
        // Nothing lies in what is no address.
        Compare::Subset(prefix) => prefix.iter().map(|prefix| Gate::Equal(path, Key::Inside(*prefix))).collect(),
        Compare::Exists | Compare::Order(..) | Compare::Superset(_) => by_type(),
    }
}

/// The keys of literals, if all of them can be looked up.
fn keys(constants: &Constants, path: &Path) -> Option<Vec<Key>> {
    let odd = !constants.times.is_empty() || !constants.booleans.is_empty() || constants.has_octets;
    if odd || path.octets.is_some() {
        return None;
    }
    let mut keys = Vec::new();
    for text in &constants.texts {
        let value = path.field.and_then(|field| field.normalise(text).ok());
        keys.push(value.map_or_else(|| Key::Text(text.clone()), Key::Value));
    }
    for number in &constants.numbers {
        match number {
            Number::Integer(integer) => keys.push(Key::Integer(*integer)),
            Number::Float(_) => return None,
        }
    }
    Some(keys)
}

/// The length of a prefix of more than one address.
pub(super) fn wide_length(key: &Key) -> Option<u8> {
    match key {
        Key::Value(value @ (Value::Ipv4(_, length) | Value::Ipv6(_, length))) if is_wide(value) => Some(*length),
        _ => None,
    }
}
