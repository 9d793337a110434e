//! Texts without a shape, found by their letters: one automaton over just those.

use crate::compile::{EntryId, Literal};
use crate::observable::{literal_is_vague, on_borders};
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::HashMap;
use std::ops::Range;

/// Finds literals on token borders.
#[derive(Debug)]
pub(crate) struct LiteralIndex {
    automaton: Option<AhoCorasick>,
    /// For each pattern of the automaton the text as listed, and who lists it.
    targets: Vec<Target>,
    /// Literals that mean too little in plain text to look for.
    vague: Vec<(EntryId, &'static str)>,
}

#[derive(Debug)]
struct Target {
    text: Box<str>,
    owners: Vec<(EntryId, &'static str)>,
}

/// A literal in a line.
#[derive(Debug)]
pub(crate) struct LiteralFound<'i> {
    pub(crate) span: Range<usize>,
    /// The text as listed.
    pub(crate) text: &'i str,
    /// Who lists it, and the object type of the path.
    pub(crate) owners: &'i [(EntryId, &'static str)],
}

impl LiteralIndex {
    /// Indexes the literals of the rows that take part.
    pub(crate) fn new(literals: &[(EntryId, Literal)], takes_part: &dyn Fn(u32) -> bool) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut targets: Vec<Target> = Vec::new();
        let mut vague = Vec::new();
        for (entry, literal) in literals.iter().filter(|(entry, _)| takes_part(entry.0)) {
            if let Some(reason) = literal_is_vague(&literal.text) {
                vague.push((*entry, reason));
                continue;
            }
            let number = *numbers.entry(&literal.text).or_insert_with(|| {
                targets.push(Target { text: literal.text.clone(), owners: Vec::new() });
                targets.len() - 1
            });
            targets[number].owners.push((*entry, literal.object_type));
        }
        // JSON and C write a backslash twice.
        let escaped: Vec<Target> = targets
            .iter()
            .filter(|target| target.text.contains('\\'))
            .map(|target| Target { text: target.text.clone(), owners: target.owners.clone() })
            .collect();
        let plain = targets.len();
        targets.extend(escaped);
        let needles = targets
            .iter()
            .enumerate()
            .map(|(i, target)| if i < plain { target.text.to_string() } else { target.text.replace('\\', r"\\") });
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

    /// Places in a block where a literal ends; every line that holds one has at least one such place.
    pub(crate) fn suspects(&self, block: &[u8], places: &mut Vec<u32>) {
        if let Some(automaton) = &self.automaton {
            places.extend(automaton.find_iter(block).map(|found| found.start() as u32));
        }
    }

    /// All literals of a line that stand on borders.
    pub(crate) fn find<'i>(&'i self, line: &'i [u8]) -> impl Iterator<Item = LiteralFound<'i>> {
        let found = self.automaton.as_ref().map(|automaton| automaton.find_overlapping_iter(line));
        found.into_iter().flatten().filter(|found| on_borders(line, found.start(), found.end())).filter_map(|found| {
            let target = self.targets.get(found.pattern().as_usize())?;
            Some(LiteralFound { span: found.range(), text: &target.text, owners: &target.owners })
        })
    }
}
