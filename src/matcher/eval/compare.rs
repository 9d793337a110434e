//! One pair of brackets over one observation (STIX 2.1 sections 9.5 and 9.6).
//!
//! The rules: every test starts from the same object, and only from one of its type. A path that leads nowhere makes
//! its test false, whatever the operator, except `NOT EXISTS`. Types that cannot be compared are unequal; NOT turns
//! the result of a comparison round, for each value that the path names.

use super::path::any_value;
use crate::compile::literal::{Constants, Moment, Number, Operand, decode_octets, latin_1};
use crate::compile::prefix::Prefix;
use crate::compile::program::{Compare, Comparison, Logic, Octets, Path, Test};
use crate::stix::ObservedData;
use crate::stix::observed::Object;
use serde_json::Value;
use std::cmp::Ordering;

/// An answer that a limit may have kept from being found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// A regular expression reached its limit of steps.
    Unknown,
}

impl Answer {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Whether one object of an observation satisfies a comparison.
pub fn satisfies(comparison: &Comparison, observation: &ObservedData) -> Answer {
    let mut stack = Vec::new();
    let mut answer = Answer::No;
    for object in &observation.objects {
        let object_type = object.object_type();
        if comparison.tests.iter().any(|test| *test.path.object_type == *object_type) {
            answer = answer.or(object_satisfies(comparison, observation, object, object_type, &mut stack));
            if answer == Answer::Yes {
                break;
            }
        }
    }
    answer
}

/// The value of an observation by which a test holds, if it holds for one.
pub(in super::super) fn value_that_satisfies(test: &Test, observation: &ObservedData) -> Option<String> {
    let mut seen = None;
    let objects = observation.objects.iter().filter(|object| *test.path.object_type == *object.object_type());
    for object in objects {
        any_value(observation, object, &test.path, |value| {
            let holds =
                matches!(test.compare, Compare::Exists) || compare(&test.compare, &test.path, value) == Answer::Yes;
            if holds != test.negated {
                seen = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
            seen.is_some()
        });
        if seen.is_some() {
            break;
        }
    }
    seen
}

fn object_satisfies(
    comparison: &Comparison,
    observation: &ObservedData,
    object: &Object,
    object_type: &str,
    stack: &mut Vec<Answer>,
) -> Answer {
    stack.clear();
    for logic in &comparison.logic {
        let (count, neutral, join): (u32, Answer, fn(Answer, Answer) -> Answer) = match *logic {
            Logic::Test(index) => {
                let test = comparison.tests.get(index as usize);
                stack.push(test.map_or(Answer::No, |test| test_holds(test, observation, object, object_type)));
                continue;
            }
            Logic::And(count) => (count, Answer::Yes, Answer::and),
            Logic::Or(count) => (count, Answer::No, Answer::or),
        };
        let first = stack.len().saturating_sub(count as usize);
        let joined = stack.drain(first..).fold(neutral, join);
        stack.push(joined);
    }
    stack.pop().unwrap_or(Answer::No)
}

/// Whether a test holds for an object.
fn test_holds(test: &Test, observation: &ObservedData, object: &Object, object_type: &str) -> Answer {
    if *test.path.object_type != *object_type {
        return Answer::No;
    }
    if let Compare::Exists = test.compare {
        return Answer::from(any_value(observation, object, &test.path, |_| true) != test.negated);
    }
    let mut unknown = false;
    let found = any_value(observation, object, &test.path, |value| match compare(&test.compare, &test.path, value) {
        // What cannot be compared does not satisfy the comparison.
        Answer::Yes => !test.negated,
        Answer::No => test.negated,
        Answer::Unknown => {
            unknown = true;
            false
        }
    });
    if unknown && !found { Answer::Unknown } else { found.into() }
}

fn compare(compare: &Compare, path: &Path, value: &Value) -> Answer {
    let holds = match compare {
        Compare::Exists => true,
        Compare::Equal(constants) => equal(constants, path, value),
        Compare::Order(range, operand) => {
            order(operand, path.octets, value).is_some_and(|ordering| range.holds(ordering))
        }
        Compare::Like { like, any_case } => match text(value, path.octets) {
            Some(Text::Octets(octets)) => like.is_match(&octets.into_iter().map(char::from).collect::<String>()),
            Some(Text::Plain(text)) if *any_case => like.is_match(&text.to_lowercase()),
            Some(Text::Plain(text)) => like.is_match(text),
            None => false,
        },
        Compare::Matches(regex) => {
            let found = match text(value, path.octets) {
                Some(Text::Octets(octets)) => regex.is_match_octets(&octets),
                Some(Text::Plain(text)) => regex.is_match(text),
                None => Ok(false),
            };
            return found.map_or(Answer::Unknown, Answer::from);
        }
        Compare::Subset(prefix) => {
            value_prefix(value).zip(*prefix).is_some_and(|(value, literal)| value.is_inside(literal))
        }
        Compare::Superset(prefix) => {
            value_prefix(value).zip(*prefix).is_some_and(|(value, literal)| literal.is_inside(value))
        }
    };
    holds.into()
}

/// A string of JSON as text, or as the octets that its property holds.
enum Text<'v> {
    Plain(&'v str),
    Octets(Vec<u8>),
}

fn text(value: &Value, octets: Option<Octets>) -> Option<Text<'_>> {
    let text = value.as_str()?;
    match octets {
        Some(octets) => decode_octets(text, octets).map(Text::Octets),
        None => Some(Text::Plain(text)),
    }
}

fn value_prefix(value: &Value) -> Option<Prefix> {
    value.as_str().and_then(Prefix::parse)
}

fn equal(constants: &Constants, path: &Path, value: &Value) -> bool {
    match value {
        Value::Bool(boolean) => constants.booleans.contains(boolean),
        Value::Number(number) => {
            Number::from_json(number).is_some_and(|number| constants.numbers.binary_search(&number).is_ok())
        }
        Value::String(text) => {
            if !constants.times.is_empty() {
                return Moment::parse(text).is_some_and(|moment| constants.times.binary_search(&moment).is_ok());
            }
            if let Some(octets) = path.octets {
                return decode_octets(text, octets).is_some_and(|value| has_octets(constants, &value));
            }
            constants.texts.binary_search_by(|known| (**known).cmp(text)).is_ok()
                || constants.observables.as_ref().is_some_and(|known| known.contains(text))
                || (constants.has_octets && latin_1(text).is_some_and(|value| has_octets(constants, &value)))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn has_octets(constants: &Constants, value: &[u8]) -> bool {
    constants.octets.binary_search_by(|known| (**known).cmp(value)).is_ok()
}

/// How a value compares with a literal; nothing if their types do not compare.
fn order(operand: &Operand, octets: Option<Octets>, value: &Value) -> Option<Ordering> {
    match (operand, value) {
        (Operand::Number(literal), Value::Number(number)) => Some(Number::from_json(number)?.cmp(literal)),
        (Operand::Boolean(literal), Value::Bool(value)) => Some(value.cmp(literal)),
        (Operand::Time(literal), Value::String(text)) => Some(Moment::parse(text)?.cmp(literal)),
        (Operand::Text(literal, literal_octets), Value::String(text)) => match octets {
            Some(octets) => Some((*decode_octets(text, octets)?).cmp(literal_octets.as_deref()?)),
            // The order of UTF-8 is that of code points.
            None => Some((**text).cmp(&**literal)),
        },
        (Operand::Octets(literal), Value::String(text)) => {
            let value = match octets {
                Some(octets) => decode_octets(text, octets)?,
                None => latin_1(text)?,
            };
            Some((*value).cmp(literal))
        }
        _ => None,
    }
}
