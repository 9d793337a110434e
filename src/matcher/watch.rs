//! Patterns that several lines decide: each line that holds something of one becomes an observation with the time that
//! the line states, and a session tells when they suffice.

use super::eval::session::{Completed, Figures, Options, Session};
use super::hit::{Hit, SeenAt};
use super::{Matcher, Relation, plain};
use crate::compile::EntryId;
use crate::log::Clock;
use crate::observable::text::Token;
use crate::stix::ObservedData;
use crate::stix::observed::Object;
use std::ops::Range;
use std::time::Duration;

/// Logs are searched one after another, so a line may be much older than the one before. What a pattern keeps is
/// bounded by number, not by age.
const SESSION: Options = Options { disorder: Duration::from_secs(100 * 366 * 86_400), kept: 1 << 14 };

/// Watches lines for patterns that need several.
#[derive(Debug)]
pub(super) struct Watch<'m> {
    session: Session<'m>,
    entries: &'m [EntryId],
    clock: Clock,
    /// Where each observation stood.
    places: Vec<SeenAt>,
    completed: Vec<Completed>,
    block: u64,
    /// Lines of the block counted so far, and up to where.
    counted: (u64, usize),
}

/// A value in the line at hand that is part of such a pattern.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) entry: EntryId,
    pub(super) span: Range<usize>,
    pub(super) object_type: &'static str,
    pub(super) value: String,
    pub(super) relation: Relation,
}

/// What the line at hand holds of such patterns.
#[derive(Debug, Default)]
pub(super) struct Sighting {
    pub(super) marks: Vec<Mark>,
    objects: Vec<Object>,
}

impl Sighting {
    pub(super) fn add_value(&mut self, token: &Token) {
        let number = self.objects.len();
        plain::objects_of_value(&token.value, number, &mut self.objects);
    }

    pub(super) fn add_text(&mut self, path: &str, text: &str) {
        let number = self.objects.len();
        plain::objects_of_text(path, text, number, &mut self.objects);
    }
}

impl<'m> Watch<'m> {
    pub(super) fn new(matcher: &'m Matcher) -> Option<Self> {
        let (patterns, entries) = matcher.compounds.sequences()?;
        Some(Self {
            session: Session::new(patterns, SESSION),
            entries,
            clock: Clock::new(matcher.options.filter.at),
            places: Vec::new(),
            completed: Vec::new(),
            block: 0,
            counted: (0, 0),
        })
    }

    pub(super) fn figures(&self) -> Figures {
        self.session.figures()
    }

    pub(super) fn end_block(&mut self) {
        self.block += 1;
        self.counted = (0, 0);
    }

    /// Takes what a line of the block holds, and appends a hit for each pattern that it completes.
    pub(super) fn see(&mut self, block: &[u8], line: Range<usize>, sighting: Sighting, hits: &mut Vec<Hit>) {
        if sighting.marks.is_empty() {
            return;
        }
        let (lines, upto) = self.counted;
        let before = block.get(upto..line.start).unwrap_or_default();
        self.counted = (lines + memchr::memchr_iter(b'\n', before).count() as u64, line.start.max(upto));
        self.places.push(SeenAt { block: self.block, line: self.counted.0 });
        let times = self.clock.time_of(block.get(line.clone()).unwrap_or_default()).map(|at| (at, at));
        self.completed.clear();
        self.session.push(&ObservedData::new("", times, 1, sighting.objects), &mut self.completed);
        for Completed { pattern, observations } in &self.completed {
            let Some(&entry) = self.entries.get(*pattern as usize) else { continue };
            let Some(mark) = sighting.marks.iter().find(|mark| mark.entry == entry) else { continue };
            let last = self.places.len() as u64 - 1;
            let others = observations.iter().filter(|number| **number != last);
            hits.push(Hit {
                line_start: line.start,
                line_end: line.end,
                span: mark.span.clone(),
                object_type: mark.object_type,
                value: mark.value.as_str().into(),
                relation: mark.relation,
                field: None,
                entry,
                also: others.filter_map(|number| self.places.get(*number as usize).copied()).collect(),
            });
        }
    }
}
