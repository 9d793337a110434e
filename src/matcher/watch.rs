//! Patterns that several lines decide: each line that holds something of one becomes an observation with the time that
//! the line states, and a session tells when they suffice.

use super::eval::many::{PatternSet, Satisfied};
use super::eval::session::{Completed, Figures, Options, Session};
use super::fields::Owner;
use super::hit::{Hit, SeenAt};
use super::{Matcher, Relation, plain};
use crate::compile::EntryId;
use crate::log::{Clock, Event, Zone};
use crate::observable::text::Token;
use crate::stix::observed::Object;
use crate::stix::{ObservedData, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

/// Logs are searched one after another, so a line may be much older than the one before. What a pattern keeps is
/// bounded by number, not by age.
const SESSION: Options = Options { disorder: Duration::from_secs(100 * 366 * 86_400), kept: 1 << 14 };

/// So many observations may come before it is asked which of them may still be part of a match.
const FORGOTTEN: usize = 1024;

/// Watches lines for patterns that need several.
#[derive(Debug)]
pub(super) struct Watch<'m> {
    /// Patterns that any line can be part of.
    any: Course<'m>,
    /// Patterns that only lines with fields can be part of.
    fields: Course<'m>,
    clock: Clock,
    /// In which zone times of the lines at hand are that do not say it.
    pub(super) zone: Zone,
    block: u64,
    /// Lines of the block counted so far, and up to where.
    counted: (u64, usize),
}

/// Some patterns, and what was seen of them.
#[derive(Debug)]
struct Course<'m> {
    session: Session<'m>,
    patterns: &'m PatternSet,
    owners: Owners<'m>,
    /// How many observations it was given, and where those stood that may still be part of a match, and some others.
    pushed: u64,
    places: BTreeMap<u64, SeenAt>,
    /// How many were left when the others were forgotten last.
    kept: usize,
    satisfied: Vec<Satisfied>,
}

/// Whose patterns they are.
#[derive(Clone, Copy, Debug)]
enum Owners<'m> {
    Entries(&'m [EntryId]),
    Fields(&'m [Owner]),
}

/// A line of a block.
#[derive(Clone, Debug)]
pub(super) struct Line<'b> {
    pub(super) block: &'b [u8],
    pub(super) range: Range<usize>,
}

/// A value in the line at hand that is part of such a pattern.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) entry: EntryId,
    pub(super) span: Range<usize>,
    pub(super) object_type: &'static str,
    pub(super) value: String,
    pub(super) relation: Relation,
    pub(super) field: Option<Box<str>>,
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
        if !matcher.has_sequences() {
            return None;
        }
        let (patterns, entries) = matcher.compounds.sequences();
        let group = matcher.fields.sequences();
        Some(Self {
            any: Course::new(patterns, Owners::Entries(entries)),
            fields: Course::new(&group.set, Owners::Fields(&group.owners)),
            clock: matcher.options.clock(),
            zone: Zone::UTC,
            block: 0,
            counted: (0, 0),
        })
    }

    pub(super) fn figures(&self) -> Figures {
        let (any, fields) = (self.any.session.figures(), self.fields.session.figures());
        Figures {
            observations: any.observations + fields.observations,
            kept: any.kept + fields.kept,
            dropped: any.dropped + fields.dropped,
            late: any.late + fields.late,
            undetermined: any.undetermined + fields.undetermined,
            untimed: any.untimed + fields.untimed,
        }
    }

    /// The blocks of which later hits may name lines.
    pub(super) fn kept_blocks(&self) -> BTreeSet<u64> {
        [&self.any, &self.fields]
            .into_iter()
            .flat_map(|course| course.session.kept().into_iter().filter_map(|number| course.places.get(&number)))
            .map(|place| place.block)
            .collect()
    }

    pub(super) fn end_block(&mut self) {
        self.block += 1;
        self.counted = (0, 0);
    }

    /// When a line with fields was written.
    pub(super) fn time(&self, event: &Event<'_>) -> Option<Timestamp> {
        let stated = event.when.as_ref().and_then(|text| self.clock.instant(text, &self.zone));
        stated.or_else(|| self.clock.time_of(event.line, &self.zone))
    }

    /// Takes what a line of plain text holds, and appends a hit for each pattern that it completes.
    pub(super) fn see(&mut self, line: &Line<'_>, sighting: Sighting, hits: &mut Vec<Hit>) {
        if sighting.marks.is_empty() {
            return;
        }
        let at = self.seen_at(line);
        let text = line.block.get(line.range.clone()).unwrap_or_default();
        let times = self.clock.time_of(text, &self.zone).map(|at| (at, at));
        let observation = ObservedData::new("", times, 1, sighting.objects);
        let marks = sighting.marks;
        let mut mark = |entry, _| marks.iter().find(|mark| mark.entry == entry).cloned();
        self.any.push(line, at, &observation, &mut mark, hits);
    }

    /// Takes a line with fields; `mark` tells by what it is part of a pattern.
    pub(super) fn see_fields(
        &mut self,
        line: &Line<'_>,
        observation: &ObservedData,
        mark: &mut dyn FnMut(EntryId, Option<Owner>) -> Option<Mark>,
        hits: &mut Vec<Hit>,
    ) {
        let at = self.seen_at(line);
        for course in [&mut self.any, &mut self.fields] {
            course.satisfied.clear();
            course.patterns.scan(observation, &mut course.satisfied);
            if !course.satisfied.is_empty() {
                course.push(line, at, observation, mark, hits);
            }
        }
    }

    fn seen_at(&mut self, line: &Line<'_>) -> SeenAt {
        let (lines, upto) = self.counted;
        let before = line.block.get(upto..line.range.start).unwrap_or_default();
        self.counted = (lines + memchr::memchr_iter(b'\n', before).count() as u64, line.range.start.max(upto));
        SeenAt { block: self.block, line: self.counted.0 }
    }
}

impl<'m> Course<'m> {
    fn new(patterns: &'m PatternSet, owners: Owners<'m>) -> Self {
        let session = Session::new(patterns, SESSION);
        Self { session, patterns, owners, pushed: 0, places: BTreeMap::new(), kept: 0, satisfied: Vec::new() }
    }

    fn push(
        &mut self,
        line: &Line<'_>,
        at: SeenAt,
        observation: &ObservedData,
        mark: &mut dyn FnMut(EntryId, Option<Owner>) -> Option<Mark>,
        hits: &mut Vec<Hit>,
    ) {
        self.places.insert(self.pushed, at);
        self.pushed += 1;
        let mut completed = Vec::new();
        self.session.push(observation, &mut completed);
        for Completed { pattern, observations } in completed {
            let place = pattern as usize;
            let owner = match self.owners {
                Owners::Entries(entries) => entries.get(place).map(|entry| (*entry, None)),
                Owners::Fields(owners) => owners.get(place).map(|owner| (owner.entry, Some(*owner))),
            };
            let Some(mark) = owner.and_then(|(entry, owner)| mark(entry, owner)) else { continue };
            let last = self.pushed - 1;
            let others = observations.iter().filter(|number| **number != last);
            hits.push(Hit {
                line_start: line.range.start,
                line_end: line.range.end,
                span: mark.span,
                object_type: mark.object_type,
                value: mark.value.into(),
                relation: mark.relation,
                field: mark.field,
                entry: mark.entry,
                also: others.filter_map(|number| self.places.get(number).copied()).collect(),
            });
        }
        if self.places.len() >= 2 * self.kept + FORGOTTEN {
            let kept = self.session.kept();
            self.places.retain(|number, _| kept.contains(number));
            self.kept = self.places.len();
        }
    }
}
