//! Texts without a shape, found by their letters: one automaton over just those.

use super::Owner;
use crate::compile::{EntryId, Literal};
use crate::observable::{begins_on_border, ends_on_border, literal_is_vague};
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::HashMap;
use std::ops::Range;

/// Finds literals on token borders.
#[derive(Debug)]
pub(crate) struct LiteralIndex {
    automaton: Option<AhoCorasick>,
    /// For each pattern of the automaton the literal, and who lists it.
    targets: Vec<Target>,
    /// Literals that mean too little in plain text to look for.
    vague: Vec<(EntryId, &'static str)>,
}

#[derive(Clone, Debug)]
struct Target {
    literal: Literal,
    owners: Vec<Owner>,
}

/// A literal in a line.
#[derive(Debug)]
pub(crate) struct LiteralFound<'i> {
    pub(crate) span: Range<usize>,
    pub(crate) literal: &'i Literal,
    pub(crate) owners: &'i [Owner],
}

impl LiteralIndex {
    /// Indexes literals with their owners.
    pub(crate) fn new<'l>(literals: impl Iterator<Item = (Owner, &'l Literal)>) -> Self {
        let mut numbers: HashMap<&Literal, usize> = HashMap::new();
        let mut targets: Vec<Target> = Vec::new();
        let mut vague = Vec::new();
        for (owner, literal) in literals {
            if let Some(reason) = literal_is_vague(&literal.text) {
                vague.push((owner.entry, reason));
                continue;
            }
            let number = *numbers.entry(literal).or_insert_with(|| {
                targets.push(Target { literal: literal.clone(), owners: Vec::new() });
                targets.len() - 1
            });
            targets[number].owners.push(owner);
        }
        let mut needles: Vec<String> = targets.iter().map(|target| target.literal.text.to_string()).collect();
        // JSON and C write a backslash twice.
        for number in 0..targets.len() {
            if targets[number].literal.text.contains('\\') {
                needles.push(targets[number].literal.text.replace('\\', r"\\"));
                targets.push(targets[number].clone());
            }
        }
        // Without literals there is nothing to search, and nothing to pay.
        let automaton = (!targets.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::Standard).build(needles).ok())
            .flatten();
        Self { automaton, targets, vague }
    }

    /// Literals left out, with the reason.
    pub(crate) fn vague(&self) -> &[(EntryId, &'static str)] {
        &self.vague
    }

    /// Places in a block where a literal stands; every line that holds one has at least one such place.
    pub(crate) fn suspects(&self, block: &[u8], places: &mut Vec<u32>) {
        if let Some(automaton) = &self.automaton {
            places.extend(automaton.find_iter(block).map(|found| found.start() as u32));
        }
    }

    /// All literals of a line that stand on borders, where they ask for them.
    pub(crate) fn find<'i>(&'i self, line: &'i [u8]) -> impl Iterator<Item = LiteralFound<'i>> {
        let found = self.automaton.as_ref().map(|automaton| automaton.find_overlapping_iter(line));
        found.into_iter().flatten().filter_map(|found| {
            let Target { literal, owners } = self.targets.get(found.pattern().as_usize())?;
            let stands = (literal.open_before || begins_on_border(line, found.start()))
                && (literal.open_behind || ends_on_border(line, found.end()));
            stands.then(|| LiteralFound { span: found.range(), literal, owners })
        })
    }
}
