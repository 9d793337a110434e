//! Patterns that no single value decides, in plain text.

use super::eval::Outcome;
use super::eval::many::{PatternSet, PatternSetBuilder};
use crate::compile::{EntryId, RuleSet};
use crate::stix::ObservedData;

/// Patterns to evaluate on the lines that hold something of them.
#[derive(Debug, Default)]
pub(super) struct Compounds {
    /// Decided by one value of a line.
    single: PatternSet,
    single_entries: Vec<EntryId>,
    /// Decided by several lines, or by when a line was written.
    sequences: PatternSet,
    sequence_entries: Vec<EntryId>,
    /// Not looked for, with the reason.
    unsought: Vec<(EntryId, &'static str)>,
}

impl Compounds {
    /// Makes the patterns of the rows that take part ready to run.
    pub(super) fn new(rules: &RuleSet, takes_part: &dyn Fn(u32) -> bool) -> Self {
        let mut made = Self::default();
        let (mut single, mut sequences) = (PatternSetBuilder::default(), PatternSetBuilder::default());
        for compound in rules.compounds().iter().filter(|compound| takes_part(compound.entry.0)) {
            let entry = compound.entry;
            if !compound.plain {
                made.unsought.push((entry, "needs values that belong together, which only fields tell"));
                continue;
            }
            if compound.cover.is_none() {
                // Text is full of what a value is not; and what merely looks like a digest is none for sure.
                made.unsought.push((entry, "says what a value is not, which plain text does not tell"));
                continue;
            }
            let Ok(program) = rules.program(compound) else {
                made.unsought.push((entry, "cannot be evaluated"));
                continue;
            };
            let (set, entries) = if compound.sequence {
                (&mut sequences, &mut made.sequence_entries)
            } else {
                (&mut single, &mut made.single_entries)
            };
            set.add(program);
            entries.push(entry);
        }
        made.single = single.build();
        made.sequences = sequences.build();
        made
    }

    /// Indicators left out, with the reason.
    pub(super) fn unsought(&self) -> &[(EntryId, &'static str)] {
        &self.unsought
    }

    /// The patterns that several lines decide, and their indicators.
    pub(super) fn sequences(&self) -> (&PatternSet, &[EntryId]) {
        (&self.sequences, &self.sequence_entries)
    }

    /// Whether there is nothing that one value could decide.
    pub(super) fn is_empty(&self) -> bool {
        self.single.is_empty()
    }

    /// The indicators that what one value stands for satisfies.
    pub(super) fn satisfied(&self, observation: ObservedData) -> impl Iterator<Item = EntryId> {
        let outcomes = self.single.evaluate(&[observation]);
        let matched = outcomes.into_iter().filter(|(_, outcome)| matches!(outcome, Outcome::Match(_)));
        matched.filter_map(|(pattern, _)| self.single_entries.get(pattern as usize).copied())
    }
}
