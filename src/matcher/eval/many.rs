//! Many patterns over the same observations, at a cost that hardly depends on how many patterns there are.
//!
//! Each pair of brackets is entered under something that it cannot do without: values at a path (found by hashing), a
//! run of characters in a value (all of them sought in one pass), or, where there is neither, the type of its object.
//! Only what was found so is evaluated; a plain equality is decided by being found.

use super::gates::{Gate, Key, are_exact, gates, wide_length};
use super::path::any_value;
use super::{Answer, Outcome, conclude, satisfies};
use crate::compile::Program;
use crate::compile::literal::Number;
use crate::compile::prefix::Prefix;
use crate::compile::program::{Path, Sequence};
use crate::observable::{Value, kind::ip, kind::url};
use crate::stix::ObservedData;
use aho_corasick::{AhoCorasick, MatchKind};
use hashbrown::HashTable;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Patterns, prepared to be looked for together. Immutable once built.
#[derive(Debug, Default)]
pub struct PatternSet {
    /// The programs; none for a pattern that is decided by being found.
    programs: Vec<Option<Box<Program>>>,
    comparisons: Vec<Target>,
    types: HashMap<Box<str>, OfType>,
    paths: Vec<Watched>,
    keys: HashTable<Entry>,
    hasher: foldhash::quality::RandomState,
    /// Comparisons that a key leads to, chained.
    chained: Vec<(u32, u32)>,
    runs: Option<AhoCorasick>,
    /// For each run: the path, and the comparison.
    run_targets: Vec<Vec<(u32, u32)>>,
    always: usize,
}

/// One pair of brackets of a pattern.
#[derive(Clone, Copy, Debug)]
struct Target {
    pattern: u32,
    comparison: u32,
    exact: bool,
}

/// What concerns objects of one type.
#[derive(Debug, Default)]
struct OfType {
    paths: Vec<u32>,
    always: Vec<u32>,
}

/// A path at which values are looked up.
#[derive(Debug)]
struct Watched {
    path: Path,
    /// Whether runs of characters are sought in its values.
    runs: bool,
    /// The lengths of address prefixes that are entered there.
    lengths: Vec<u8>,
    /// The prefixes that values may have to lie in: whether of IPv4, and how long.
    subnets: Vec<(bool, u8)>,
}

#[derive(Debug)]
struct Entry {
    path: u32,
    key: Key,
    /// First of the comparisons, in `chained`.
    head: u32,
}

/// Ends a chain.
const END: u32 = u32::MAX;

/// Collects patterns into a [`PatternSet`]. A pattern's number is its place in the order of adding.
#[derive(Debug, Default)]
pub struct PatternSetBuilder {
    set: PatternSet,
    runs: HashMap<Box<str>, Vec<(u32, u32)>>,
    path_numbers: HashMap<Box<str>, Vec<u32>>,
}

/// What one observation satisfies: pairs of brackets by pattern and place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Satisfied {
    /// The number of the pattern.
    pub pattern: u32,
    /// Which of its pairs of brackets.
    pub comparison: u32,
    /// Whether it is sure.
    pub answer: Answer,
}

impl PatternSetBuilder {
    /// Adds a pattern.
    pub fn add(&mut self, program: Program) {
        let pattern = self.set.programs.len() as u32;
        let mut all_exact = true;
        for (comparison, number) in program.comparisons.iter().zip(0..) {
            let gates = gates(comparison);
            let exact = are_exact(comparison, &gates);
            all_exact &= exact;
            let target = self.set.comparisons.len() as u32;
            self.set.comparisons.push(Target { pattern, comparison: number, exact });
            let mut by_type = false;
            for gate in gates {
                by_type |= matches!(gate, Gate::Type(_));
                self.enter(gate, target);
            }
            self.set.always += usize::from(by_type);
        }
        let found_is_enough = all_exact && program.sequence == Sequence::Observe(0);
        self.set.programs.push((!found_is_enough).then(|| Box::new(program)));
    }

    fn enter(&mut self, gate: Gate<'_>, target: u32) {
        match gate {
            Gate::Type(name) => {
                let always = &mut self.set.types.entry(name.into()).or_default().always;
                if always.last() != Some(&target) {
                    always.push(target);
                }
            }
            Gate::Holds(path, run) => {
                let path = self.watch(path);
                self.set.paths[path as usize].runs = true;
                self.runs.entry(run).or_default().push((path, target));
            }
            Gate::Equal(path, key) => {
                let path = self.watch(path);
                if let Some(length) = wide_length(&key) {
                    let lengths = &mut self.set.paths[path as usize].lengths;
                    if !lengths.contains(&length) {
                        lengths.push(length);
                    }
                }
                if let Key::Inside(prefix) = &key {
                    let subnets = &mut self.set.paths[path as usize].subnets;
                    let subnet = (prefix.address().is_ipv4(), prefix.length());
                    if !subnets.contains(&subnet) {
                        subnets.push(subnet);
                    }
                }
                self.set.enter(path, key, target);
            }
        }
    }

    /// The number of a path, from now on looked at.
    fn watch(&mut self, path: &Path) -> u32 {
        let numbers = self.path_numbers.entry(path.object_type.clone()).or_default();
        if let Some(&number) = numbers.iter().find(|number| self.set.paths[**number as usize].path == *path) {
            return number;
        }
        let number = self.set.paths.len() as u32;
        numbers.push(number);
        self.set.paths.push(Watched { path: path.clone(), runs: false, lengths: Vec::new(), subnets: Vec::new() });
        self.set.types.entry(path.object_type.clone()).or_default().paths.push(number);
        number
    }

    /// Freezes the set.
    pub fn build(mut self) -> PatternSet {
        let (runs, targets): (Vec<Box<str>>, Vec<_>) = self.runs.into_iter().unzip();
        if !runs.is_empty() {
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .ascii_case_insensitive(true)
                .build(runs.iter().map(|run| run.as_bytes()));
            match automaton {
                Ok(automaton) => self.set.runs = Some(automaton),
                // Too many to be sought together: whoever has the type is looked at.
                Err(_) => {
                    for &(path, target) in targets.iter().flatten() {
                        let name = self.set.paths[path as usize].path.object_type.clone();
                        self.set.types.entry(name).or_default().always.push(target);
                        self.set.always += 1;
                    }
                }
            }
        }
        self.set.run_targets = targets;
        self.set
    }
}

impl PatternSet {
    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.programs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// How many pairs of brackets are evaluated for every object of their type, since there is nothing to look them
    /// up by: tests that only say NOT, ranges and the like.
    pub fn always_evaluated(&self) -> usize {
        self.always
    }

    /// The program of a pattern; none if being found is all there is to it.
    pub fn program(&self, pattern: u32) -> Option<&Program> {
        self.programs.get(pattern as usize)?.as_deref()
    }

    /// Evaluates all patterns over a list of observations. Gives those that match and those that a limit left
    /// undetermined, in the order of their numbers.
    ///
    /// ```
    /// use stockade::compile::Program;
    /// use stockade::matcher::eval::{Outcome, many::PatternSetBuilder};
    /// use stockade::pattern::{Pattern, Reading};
    /// use stockade::stix::observed::Reader;
    ///
    /// let mut builder = PatternSetBuilder::default();
    /// for text in ["[url:value = 'http://a.example/']", "[url:value LIKE 'http://b.%']"] {
    ///     let pattern = Pattern::parse(text, Reading::Strict)?;
    ///     builder.add(Program::new(&pattern.ast(), Reading::Strict)?);
    /// }
    /// let mut reader = Reader::default();
    /// reader.read(br#"{"type": "observed-data", "objects": {"0": {"type": "url", "value": "http://b.example/"}}}"#);
    /// let (observations, _) = reader.finish();
    /// assert_eq!(builder.build().evaluate(&observations), [(1, Outcome::Match(vec![0]))]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluate(&self, observations: &[ObservedData]) -> Vec<(u32, Outcome)> {
        let mut satisfied = Vec::new();
        let mut answers: Vec<(u32, u32, u32, Answer)> = Vec::new();
        for (observation, number) in observations.iter().zip(0..) {
            satisfied.clear();
            self.scan(observation, &mut satisfied);
            answers.extend(satisfied.iter().map(|found| (found.pattern, number, found.comparison, found.answer)));
        }
        answers.sort_unstable_by_key(|&(pattern, observation, comparison, _)| (pattern, observation, comparison));
        let mut outcomes = Vec::new();
        for group in answers.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(pattern, ..)) = group.first() else { continue };
            let answers = group.iter().map(|&(_, observation, comparison, answer)| (observation, comparison, answer));
            let outcome = match self.program(pattern) {
                None => Outcome::Match(answers.map(|(observation, ..)| observation).collect()),
                Some(program) => conclude(program, observations, answers),
            };
            if outcome != Outcome::NoMatch {
                outcomes.push((pattern, outcome));
            }
        }
        outcomes
    }

    /// Appends what an observation satisfies, each pair of brackets once.
    pub fn scan(&self, observation: &ObservedData, satisfied: &mut Vec<Satisfied>) {
        let mut found = Vec::new();
        for object in &observation.objects {
            let Some(of_type) = self.types.get(object.object_type()) else { continue };
            found.extend_from_slice(&of_type.always);
            for &number in &of_type.paths {
                let watched = &self.paths[number as usize];
                any_value(observation, object, &watched.path, |value| {
                    self.probe(number, watched, value, &mut found);
                    false
                });
            }
        }
        found.sort_unstable();
        found.dedup();
        for target in found {
            let Target { pattern, comparison, exact } = self.comparisons[target as usize];
            let answer = match self.program(pattern).and_then(|program| program.comparisons.get(comparison as usize)) {
                Some(comparison) if !exact => satisfies(comparison, observation),
                _ => Answer::Yes,
            };
            if answer != Answer::No {
                satisfied.push(Satisfied { pattern, comparison, answer });
            }
        }
    }

    fn probe(&self, number: u32, watched: &Watched, value: &Json, found: &mut Vec<u32>) {
        match value {
            Json::String(text) => {
                self.look_up(number, KeyRef::Text(text), found);
                let normal = watched.path.field.and_then(|field| field.normalise(text).ok());
                if let Some(normal) = normal {
                    self.probe_observable(number, watched, &normal, found);
                }
                if !watched.subnets.is_empty() {
                    self.probe_subnets(number, watched, text, found);
                }
                if watched.runs {
                    self.probe_runs(number, text, found);
                }
            }
            Json::Number(integer) => {
                if let Some(Number::Integer(integer)) = Number::from_json(integer).map(Number::whole) {
                    self.look_up(number, KeyRef::Integer(integer), found);
                }
            }
            _ => {}
        }
    }

    fn probe_observable(&self, number: u32, watched: &Watched, value: &Value, found: &mut Vec<u32>) {
        self.look_up(number, KeyRef::Value(value), found);
        match value {
            Value::Text(kind, text) => {
                if let Some(rest) = url::without_scheme(text) {
                    self.look_up(number, KeyRef::Value(&Value::Text(*kind, rest.into())), found);
                }
            }
            Value::Ipv4(address, own) => {
                for &length in watched.lengths.iter().filter(|length| **length < *own) {
                    self.look_up(number, KeyRef::Value(&ip::ipv4_prefix(*address, length)), found);
                }
            }
            Value::Ipv6(address, own) => {
                for &length in watched.lengths.iter().filter(|length| **length < *own) {
                    self.look_up(number, KeyRef::Value(&ip::ipv6_prefix(*address, length)), found);
                }
            }
        }
    }

    fn probe_subnets(&self, number: u32, watched: &Watched, text: &str, found: &mut Vec<u32>) {
        let Some(own) = Prefix::parse(text) else { return };
        let address = own.address();
        for &(version_4, length) in &watched.subnets {
            if version_4 == address.is_ipv4() && length <= own.length() {
                self.look_up(number, KeyRef::Inside(Prefix::new(address, length)), found);
            }
        }
    }

    fn probe_runs(&self, number: u32, text: &str, found: &mut Vec<u32>) {
        let Some(runs) = &self.runs else { return };
        let mut seek = |text: &str| {
            for run in runs.find_overlapping_iter(text) {
                let targets = self.run_targets.get(run.pattern().as_usize()).into_iter().flatten();
                found.extend(targets.filter(|(path, _)| *path == number).map(|(_, target)| *target));
            }
        };
        let composed = crate::compile::like::nfc(text);
        seek(&composed);
        // Letters beyond ASCII have other ways of being the same.
        if !composed.is_ascii() {
            seek(&composed.to_lowercase());
        }
    }

    fn look_up(&self, path: u32, key: KeyRef<'_>, found: &mut Vec<u32>) {
        let hash = self.hasher.hash_one((path, key));
        let entry = self.keys.find(hash, |entry| entry.path == path && KeyRef::from(&entry.key) == key);
        let mut at = entry.map_or(END, |entry| entry.head);
        while let Some(&(target, next)) = self.chained.get(at as usize) {
            found.push(target);
            at = next;
        }
    }

    fn enter(&mut self, path: u32, key: Key, target: u32) {
        let Self { keys, hasher, chained, .. } = self;
        let hash = hasher.hash_one((path, KeyRef::from(&key)));
        let rehash = |entry: &Entry| hasher.hash_one((entry.path, KeyRef::from(&entry.key)));
        let at = chained.len() as u32;
        let same = |entry: &Entry| entry.path == path && entry.key == key;
        if let Some(entry) = keys.find_mut(hash, same) {
            chained.push((target, entry.head));
            entry.head = at;
        } else {
            chained.push((target, END));
            keys.insert_unique(hash, Entry { path, key, head: at }, rehash);
        }
    }
}

/// A key that need not be owned to be looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum KeyRef<'k> {
    Text(&'k str),
    Value(&'k Value),
    Integer(i128),
    Inside(Prefix),
}

impl<'k> From<&'k Key> for KeyRef<'k> {
    fn from(key: &'k Key) -> Self {
        match key {
            Key::Text(text) => Self::Text(text),
            Key::Value(value) => Self::Value(value),
            Key::Integer(integer) => Self::Integer(*integer),
            Key::Inside(prefix) => Self::Inside(*prefix),
        }
    }
}
