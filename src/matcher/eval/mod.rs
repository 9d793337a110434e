//! Evaluates whole patterns over observed data, to the letter of the standard (STIX 2.1 section 9).

mod chains;
mod compare;
mod flow;
mod gates;
pub mod many;
mod path;
mod sequence;
pub mod session;

pub(super) use compare::value_that_satisfies;
pub use compare::{Answer, satisfies};

use crate::compile::Program;
use crate::stix::{ObservedData, Timestamp};
use flow::{List, Seen};
use std::fmt;

/// What evaluating a pattern came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It matches. These observations satisfy it, by their places in the list and in order: all that do if one is
    /// enough, otherwise as many as it takes.
    Match(Vec<u32>),
    /// It does not match.
    NoMatch,
    /// A limit was reached before this could be decided.
    Undetermined(Limit),
}

/// A limit on the work that one evaluation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Steps of a regular expression that has to backtrack.
    Regex,
    /// Steps of the search for observations that satisfy a sequence.
    Assignment,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regex => "a regular expression took too many steps",
            Self::Assignment => "finding observations for the sequence took too many steps",
        })
    }
}

/// Evaluates a pattern over a list of observations, in any order.
///
/// ```
/// use stockade::compile::Program;
/// use stockade::matcher::eval::{Outcome, evaluate};
/// use stockade::pattern::{Pattern, Reading};
/// use stockade::stix::observed::Reader;
///
/// let pattern = Pattern::parse("[file:size > 10] FOLLOWEDBY [file:name LIKE '%.exe']", Reading::Strict)?;
/// let program = Program::new(&pattern.ast(), Reading::Strict)?;
/// let mut reader = Reader::default();
/// reader.read(br#"
///     {"type": "observed-data", "first_observed": "2026-01-01T00:00:05Z", "objects": {"0": {"type": "file", "name": "a.exe"}}}
///     {"type": "observed-data", "first_observed": "2026-01-01T00:00:00Z", "objects": {"0": {"type": "file", "size": 11}}}"#);
/// let (observations, _) = reader.finish();
/// assert_eq!(evaluate(&program, &observations), Outcome::Match(vec![0, 1]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate(program: &Program, observations: &[ObservedData]) -> Outcome {
    let answers = observations.iter().zip(0..).flat_map(|(observation, number)| {
        let comparisons = program.comparisons.iter().zip(0..);
        comparisons.map(move |(comparison, index)| (number, index, satisfies(comparison, observation)))
    });
    conclude(program, observations, answers)
}

/// Decides a pattern from the answers of its comparisons: observation, comparison and answer, by observation.
fn conclude(
    program: &Program,
    observations: &[ObservedData],
    answers: impl Iterator<Item = (u32, u32, Answer)>,
) -> Outcome {
    let mut lists = vec![Vec::new(); program.comparisons.len()];
    let mut unknown = lists.clone();
    let mut relevant: Vec<u32> = Vec::new();
    for (observation, comparison, answer) in answers {
        let lists = match answer {
            Answer::No => continue,
            Answer::Yes => &mut lists,
            Answer::Unknown => &mut unknown,
        };
        if relevant.last() != Some(&observation) {
            relevant.push(observation);
        }
        if let Some(list) = lists.get_mut(comparison as usize) {
            list.push(relevant.len() as u32 - 1);
        }
    }
    let seen: Vec<Seen> = relevant.iter().map(|observation| seen(&observations[*observation as usize])).collect();
    let sorted = |mut list: List| {
        list.sort_unstable_by_key(|observation| (seen[*observation as usize].first, *observation));
        list
    };
    let is_unknown = unknown.iter().any(|list| !list.is_empty());
    let possible: Vec<List> =
        lists.iter().zip(&unknown).map(|(sure, unsure)| sorted([&sure[..], unsure].concat())).collect();
    let lists: Vec<List> = lists.into_iter().map(sorted).collect();
    if let Some(single) = sequence::singles(&program.sequence, &seen, &lists).filter(|single| !single.is_empty()) {
        return Outcome::Match(single.into_iter().map(|number| relevant[number as usize]).collect());
    }
    match sequence::find(&program.sequence, &seen, lists) {
        Ok(Some(serving)) => Outcome::Match(serving.into_iter().map(|number| relevant[number as usize]).collect()),
        Ok(None) if !is_unknown => Outcome::NoMatch,
        // If it fails even with everything that is not known taken for a yes, it fails.
        Ok(None) => match sequence::find(&program.sequence, &seen, possible) {
            Ok(None) => Outcome::NoMatch,
            _ => Outcome::Undetermined(Limit::Regex),
        },
        Err(_) => Outcome::Undetermined(Limit::Assignment),
    }
}

fn seen(observation: &ObservedData) -> Seen {
    let times = observation.times.map(|(first, last)| (nanoseconds(first), nanoseconds(last)));
    let (first, last) = times.unwrap_or((i128::MIN, i128::MAX));
    Seen { first, last, count: observation.count }
}

/// Nanoseconds since 1970.
fn nanoseconds(time: Timestamp) -> i128 {
    i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos)
}
