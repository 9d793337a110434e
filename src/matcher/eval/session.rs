//! Patterns over a stream: observations come one by one, roughly in order of time, and what is kept is bounded.
//!
//! What is forgotten, and when:
//! - A pattern that one observation can satisfy keeps nothing.
//! - Under `WITHIN x` as the outermost qualifier, an observation is forgotten once the newest one is `x` and the
//!   allowed disorder later: it can no longer be part of a match. One without times is not kept.
//! - A pattern keeps observations up to a cap ([`Options::kept`], or four times as many as the pattern asks for if that
//!   is more). Beyond, it forgets those that came first; under WITHIN, those whose time is farthest from the newest.
//! - Observations that served a match are forgotten by that pattern, so that each completes it once.
//!
//! Only what was dropped at the cap, and what came later than the allowed disorder, can cost a match; both are
//! counted in [`Figures`].

use super::flow::{List, Seen};
use super::many::PatternSet;
use super::{Answer, seen, sequence};
use crate::compile::program::Sequence;
use crate::stix::ObservedData;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

/// Settings of a [`Session`].
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How much later an observation may come than one that is newer.
    pub disorder: Duration,
    /// How many observations a pattern keeps that no WITHIN bounds.
    pub kept: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { disorder: Duration::from_secs(60), kept: 4096 }
    }
}

/// What a session has seen and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Observations taken.
    pub observations: u64,
    /// Observations that are kept now, once for each pattern that keeps them.
    pub kept: u64,
    /// Observations dropped at the cap of a pattern.
    pub dropped: u64,
    /// Observations that came later than the allowed disorder.
    pub late: u64,
    /// Questions that a limit of steps left open.
    pub undetermined: u64,
    /// Observations without a time that are part of a pattern that asks for times.
    pub untimed: u64,
}

/// A pattern that was completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The number of the pattern.
    pub pattern: u32,
    /// The observations that satisfied it, by their numbers in order of coming; the first is 0.
    pub observations: Vec<u64>,
}

/// Evaluates patterns over a stream of observations.
///
/// ```
/// use stockade::compile::Program;
/// use stockade::matcher::eval::{many::PatternSetBuilder, session::{Options, Session}};
/// use stockade::pattern::{Pattern, Reading};
/// use stockade::stix::observed::Reader;
///
/// let pattern = Pattern::parse("([file:name = 'a'] FOLLOWEDBY [file:name = 'b']) WITHIN 300 SECONDS", Reading::Strict)?;
/// let mut builder = PatternSetBuilder::default();
/// builder.add(Program::new(&pattern.ast(), Reading::Strict)?);
/// let patterns = builder.build();
/// let mut reader = Reader::default();
/// reader.read(br#"
///     {"type": "observed-data", "first_observed": "2026-01-01T00:00:00Z", "objects": {"0": {"type": "file", "name": "a"}}}
///     {"type": "observed-data", "first_observed": "2026-01-01T00:04:00Z", "objects": {"0": {"type": "file", "name": "b"}}}"#);
/// let mut session = Session::new(&patterns, Options::default());
/// let mut completed = Vec::new();
/// for observation in reader.finish().0 {
///     session.push(&observation, &mut completed);
/// }
/// assert_eq!(completed[0].observations, [0, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Session<'p> {
    patterns: &'p PatternSet,
    options: Options,
    states: HashMap<u32, VecDeque<Kept>>,
    newest: i128,
    figures: Figures,
    satisfied: Vec<super::many::Satisfied>,
}

/// An observation that a pattern keeps.
#[derive(Clone, Debug)]
struct Kept {
    number: u64,
    seen: Seen,
    comparisons: Vec<u32>,
}

impl<'p> Session<'p> {
    /// A session that has seen nothing.
    pub fn new(patterns: &'p PatternSet, options: Options) -> Self {
        let (states, satisfied) = (HashMap::new(), Vec::new());
        Self { patterns, options, states, newest: i128::MIN, figures: Figures::default(), satisfied }
    }

    /// What was seen and dropped so far.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// Takes the next observation, and appends the patterns that it completes.
    pub fn push(&mut self, observation: &ObservedData, completed: &mut Vec<Completed>) {
        let number = self.figures.observations;
        self.figures.observations += 1;
        let seen = seen(observation);
        let disorder = i128::try_from(self.options.disorder.as_nanos()).unwrap_or(i128::MAX);
        if observation.times.is_some() {
            self.figures.late += u64::from(seen.first < self.newest.saturating_sub(disorder));
            self.newest = self.newest.max(seen.first);
        }
        let mut satisfied = std::mem::take(&mut self.satisfied);
        satisfied.clear();
        self.patterns.scan(observation, &mut satisfied);
        self.figures.undetermined += satisfied.iter().filter(|found| found.answer == Answer::Unknown).count() as u64;
        satisfied.retain(|found| found.answer == Answer::Yes);
        satisfied.sort_unstable_by_key(|found| (found.pattern, found.comparison));
        let asks = |found: &super::many::Satisfied| {
            self.patterns.program(found.pattern).is_some_and(|program| program.sequence.asks_for_times())
        };
        self.figures.untimed += u64::from(observation.times.is_none() && satisfied.iter().any(asks));
        for group in satisfied.chunk_by(|a, b| a.pattern == b.pattern) {
            let Some(pattern) = group.first().map(|found| found.pattern) else { continue };
            let comparisons = group.iter().map(|found| found.comparison).collect();
            let kept = Kept { number, seen, comparisons };
            match self.patterns.program(pattern).map(|program| &program.sequence) {
                None => completed.push(Completed { pattern, observations: vec![number] }),
                Some(sequence) => completed.extend(self.advance(pattern, sequence, kept, disorder)),
            }
        }
        self.satisfied = satisfied;
    }

    /// Gives a pattern one more observation; what it then completes.
    fn advance(&mut self, pattern: u32, sequence: &Sequence, new: Kept, disorder: i128) -> Option<Completed> {
        let number = new.number;
        // A single observation is decided at once, and kept only if more than one is asked for.
        let own = vec![new.seen];
        if let Some(single) = sequence::singles(sequence, &own, &lists(sequence, std::slice::from_ref(&new))) {
            return (!single.is_empty()).then(|| Completed { pattern, observations: vec![number] });
        }
        let cap = self.options.kept.max(usize::try_from(needed(sequence)).unwrap_or(usize::MAX).saturating_mul(4));
        let cap = cap.min(MOST_KEPT);
        let state = self.states.entry(pattern).or_default();
        let before = state.len();
        let (dropped, near) = if let Sequence::Within(limit, _) = sequence {
            let limit = i128::try_from(*limit).unwrap_or(i128::MAX);
            enter_in_time(state, new, limit, limit.saturating_add(disorder), self.newest, cap)
        } else {
            state.push_back(new);
            let dropped = state.len().saturating_sub(cap);
            state.drain(..dropped);
            (dropped, 0..state.len())
        };
        self.figures.dropped += dropped as u64;
        self.figures.kept = (self.figures.kept + state.len() as u64).saturating_sub(before as u64);
        let kept = state.make_contiguous().get(near).unwrap_or_default();
        if !possible(sequence, kept) {
            return None;
        }
        let seen: Vec<Seen> = kept.iter().map(|kept| kept.seen).collect();
        match sequence::find(sequence, &seen, lists(sequence, kept)) {
            Ok(Some(serving)) => {
                let mut observations: Vec<u64> = serving.iter().map(|place| kept[*place as usize].number).collect();
                observations.sort_unstable();
                let before = state.len();
                state.retain(|kept| observations.binary_search(&kept.number).is_err());
                self.figures.kept -= (before - state.len()) as u64;
                Some(Completed { pattern, observations })
            }
            Ok(None) => None,
            Err(_) => {
                self.figures.undetermined += 1;
                None
            }
        }
    }

    /// The observations that may still be part of a match, by their numbers.
    pub fn kept(&self) -> BTreeSet<u64> {
        self.states.values().flatten().map(|kept| kept.number).collect()
    }

    /// Forgets what can no longer be part of a match; for a stream whose patterns are seldom met.
    pub fn forget(&mut self) {
        let disorder = i128::try_from(self.options.disorder.as_nanos()).unwrap_or(i128::MAX);
        let (patterns, newest) = (self.patterns, self.newest);
        self.states.retain(|pattern, state| {
            if let Some(Sequence::Within(limit, _)) = patterns.program(*pattern).map(|program| &program.sequence) {
                let limit = i128::try_from(*limit).unwrap_or(i128::MAX).saturating_add(disorder);
                state.retain(|kept| kept.seen.first.saturating_add(limit) > newest);
            }
            !state.is_empty()
        });
        self.figures.kept = self.states.values().map(|state| state.len() as u64).sum();
    }
}

/// Enters an observation among those that a WITHIN keeps, in order of their first instants, and forgets what is too old
/// or too much: how many at the cap, and which of those kept are near enough to the new one to be in a match with it.
/// A match that it completes has it as a member, since without it there was none.
fn enter_in_time(
    state: &mut VecDeque<Kept>,
    new: Kept,
    limit: i128,
    age: i128,
    newest: i128,
    cap: usize,
) -> (usize, Range<usize>) {
    let Seen { first, last, .. } = new.seen;
    // Without times it is in no span of time.
    if first == i128::MIN {
        return (0, 0..0);
    }
    let at = state.partition_point(|kept| kept.seen.first <= first);
    state.insert(at, new);
    let old = state.partition_point(|kept| kept.seen.first.saturating_add(age) <= newest);
    state.drain(..old);
    let mut dropped = 0;
    // Logs are often read one after another, each from its own beginning: what is farthest from the new one goes first.
    while state.len() > cap {
        let before = state.front().map_or(0, |oldest| first.saturating_sub(oldest.seen.first));
        let after = state.back().map_or(0, |latest| latest.seen.first.saturating_sub(first));
        if before >= after {
            state.pop_front()
        } else {
            state.pop_back()
        };
        dropped += 1;
    }
    let start = state.partition_point(|kept| kept.seen.first.saturating_add(limit) <= last);
    let end = state.partition_point(|kept| kept.seen.first < first.saturating_add(limit));
    (dropped, start..end.max(start))
}

/// No pattern keeps more, whatever it asks for.
const MOST_KEPT: usize = 1 << 16;

/// For each comparison the observations that satisfy it, sorted by their first instant.
fn lists(sequence: &Sequence, kept: &[Kept]) -> Vec<List> {
    let mut lists = vec![List::new(); comparisons(sequence)];
    let mut order: Vec<u32> = (0..kept.len() as u32).collect();
    order.sort_by_key(|place| kept[*place as usize].seen.first);
    for place in order {
        for comparison in &kept[place as usize].comparisons {
            if let Some(list) = lists.get_mut(*comparison as usize) {
                list.push(place);
            }
        }
    }
    lists
}

/// How many comparisons a sequence speaks of.
fn comparisons(sequence: &Sequence) -> usize {
    match sequence {
        Sequence::Observe(comparison) => *comparison as usize + 1,
        Sequence::All(members) | Sequence::Any(members) | Sequence::Followed(members) => {
            members.iter().map(comparisons).max().unwrap_or(0)
        }
        Sequence::Repeats(_, inner) | Sequence::Within(_, inner) | Sequence::Between(_, _, inner) => comparisons(inner),
    }
}

/// How many observations a sequence asks for at least.
fn needed(sequence: &Sequence) -> u64 {
    match sequence {
        Sequence::Observe(_) => 1,
        Sequence::All(members) | Sequence::Followed(members) => members.iter().map(needed).fold(0, u64::saturating_add),
        Sequence::Any(members) => members.iter().map(needed).min().unwrap_or(0),
        Sequence::Repeats(times, inner) => needed(inner).saturating_mul(*times),
        Sequence::Within(_, inner) | Sequence::Between(_, _, inner) => needed(inner),
    }
}

/// Whether the observations could do, leaving time and sharing aside: a quick no for most.
fn possible(sequence: &Sequence, kept: &[Kept]) -> bool {
    let mut counts = vec![0_u64; comparisons(sequence)];
    for kept in kept {
        for comparison in &kept.comparisons {
            if let Some(count) = counts.get_mut(*comparison as usize) {
                *count = count.saturating_add(kept.seen.count);
            }
        }
    }
    enough(sequence, 1, &counts)
}

fn enough(sequence: &Sequence, times: u64, counts: &[u64]) -> bool {
    match sequence {
        Sequence::Observe(comparison) => counts.get(*comparison as usize).is_some_and(|count| *count >= times),
        Sequence::All(members) | Sequence::Followed(members) => {
            members.iter().all(|member| enough(member, times, counts))
        }
        Sequence::Any(members) => members.iter().any(|member| enough(member, 1, counts)),
        Sequence::Repeats(more, inner) => enough(inner, times.saturating_mul(*more), counts),
        Sequence::Within(_, inner) | Sequence::Between(_, _, inner) => enough(inner, times, counts),
    }
}
