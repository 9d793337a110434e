//! Collects indicators into a rule set.

use super::atoms::AtomsBuilder;
use super::collect::{ClassOf, Collector, Row};
use super::entries::{Entries, State};
use super::lower::{self, Lowered, Seek};
use super::packed::Sections;
use super::patterns::{Noted, Patterns};
use super::withdrawn::Withdrawn;
use super::{Atom, Holder, Meta, RuleSet, path};
use crate::observable::{self, Field, Kind, Value};
use crate::pattern::{Parser, Reading, simple};
use crate::stix::Indicator;
use std::borrow::Cow;

/// Collects indicators into a [`RuleSet`].
#[derive(Debug)]
pub struct RuleSetBuilder {
    entries: Collector,
    atoms: AtomsBuilder,
    patterns: Vec<Noted>,
    parser: Parser,
    reading: Reading,
    keeps_patterns: bool,
    /// The path last asked for: feeds write the same one again and again.
    last_path: (Box<str>, Option<Field>),
}

/// Why an indicator could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The kind of reason, for counting: a few words, the same for every indicator it concerns.
    pub reason: &'static str,
    /// What exactly is wrong, for reading.
    pub detail: String,
}

impl std::fmt::Display for Rejected {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.reason, self.detail)
    }
}

impl std::error::Error for Rejected {}

impl Rejected {
    fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl Default for RuleSetBuilder {
    fn default() -> Self {
        Self::new(Reading::Pragmatic)
    }
}

impl RuleSetBuilder {
    /// An empty set whose patterns are to be read so.
    pub fn new(reading: Reading) -> Self {
        Self {
            entries: Collector::default(),
            atoms: AtomsBuilder::default(),
            patterns: Vec::new(),
            parser: Parser::default(),
            reading,
            keeps_patterns: false,
            last_path: ("".into(), None),
        }
    }

    /// Keeps the pattern of every indicator as it is written, for [`IndicatorRef::pattern`](super::IndicatorRef::pattern). Costs room for those
    /// that are more than a path and a value.
    pub fn keep_patterns(&mut self) {
        self.keeps_patterns = true;
    }

    /// Names the place that what is added next comes from: a path or source name.
    pub fn origin(&mut self, name: &str) {
        self.entries.origin(name);
    }

    /// Adds an indicator. It takes the place of its older versions, or withdraws them if it is revoked, even if its own
    /// pattern cannot be used.
    ///
    /// # Errors
    /// Says why the indicator cannot be used; nothing else is affected.
    pub fn add(&mut self, indicator: &Indicator<'_>) -> Result<(), Rejected> {
        let result = self.add_pattern(indicator);
        if result.is_err() && self.has_room() {
            self.entries.add(indicator, None, false);
            if indicator.revoked {
                return Ok(());
            }
        }
        result
    }

    fn has_room(&self) -> bool {
        self.entries.len() < u32::MAX as usize - 1
    }

    fn add_pattern(&mut self, indicator: &Indicator<'_>) -> Result<(), Rejected> {
        if !self.has_room() {
            return Err(Rejected::new("too many indicators", "more than four billion"));
        }
        if indicator.pattern_type != "stix" {
            return Err(Rejected::new("pattern type is not stix", indicator.pattern_type.as_ref()));
        }
        if let Some((atom, simple)) = self.common(&indicator.pattern) {
            let told = self.keeps_patterns && is_told(&atom, simple.literal);
            let entry = self.entries.add(indicator, told.then_some(simple.path), true);
            if self.keeps_patterns && !told {
                self.note(entry, &indicator.pattern, false);
            }
            return self.add_atom(entry, &atom);
        }
        let ast = self
            .parser
            .parse(&indicator.pattern, self.reading)
            .map_err(|error| Rejected::new("pattern is not valid", error.to_string()))?;
        let lowered = lower::lower(&ast, self.reading == Reading::Strict);
        if lowered.cover.as_ref().is_some_and(Vec::is_empty) && !lowered.sequence {
            let value = "no value of it is a valid one of its kind, so nothing can ever match it";
            return Err(Rejected::new("value is not valid", value));
        }
        let entry = self.entries.add(indicator, None, true);
        let more = lowered.has_more() || lowered.exact.iter().any(|seek| !matches!(seek, Seek::Atom(_)));
        if more || self.keeps_patterns {
            self.note(entry, &indicator.pattern, more);
        }
        self.add_lowered(entry, &lowered)
    }

    fn note(&mut self, row: u32, text: &str, more: bool) {
        self.patterns.push(Noted { row, text: text.into(), more });
    }

    /// The atom of a pattern of the commonest form, `[path = 'literal']`, without building a tree.
    fn common<'p>(&mut self, pattern: &'p str) -> Option<(Atom, simple::Simple<'p>)> {
        let simple = simple::split(pattern)?;
        if *self.last_path.0 != *simple.path {
            self.last_path = (simple.path.into(), observable::of_path(&path::canonical_text(simple.path)));
        }
        let field = self.last_path.1.filter(|_| !simple.path.contains("resolves_to_ref"))?;
        Some((lower::atom(field, simple.literal, self.reading == Reading::Strict)?, simple))
    }

    /// Adds a bare value of a list, which becomes an indicator with an id derived from it.
    ///
    /// # Errors
    /// When the table of values is full.
    pub fn add_value(&mut self, value: Value) -> Result<(), Rejected> {
        let entry = self.entries.add_value(&value);
        self.add_atom(entry, &Atom { value, meta: Meta::PLAIN })
    }

    /// Adds all indicators of a rule set, with the places that they came from there.
    ///
    /// # Errors
    /// When its patterns are read in another way, and nothing is added; or when there is no room, and what came before
    /// is added.
    pub fn add_rules(&mut self, rules: &RuleSet) -> Result<(), Rejected> {
        if rules.reading() != self.reading {
            let [theirs, ours] = [rules.reading(), self.reading].map(|reading| match reading {
                Reading::Strict => "by the letter of the standard",
                Reading::Pragmatic => "with repairs",
            });
            return Err(Rejected::new("read in another way", format!("its patterns are read {theirs}, not {ours}")));
        }
        let of = rules.entries();
        let mut classes: Vec<Option<u32>> = vec![None; of.classes()];
        // By row of theirs; those that nothing is listed for have none.
        let mut rows: Vec<Option<u32>> = vec![None; of.len()];
        for row in 0..of.len() as u32 {
            let state = of.state(row);
            if matches!(state, State::Superseded | State::Duplicate) {
                continue;
            }
            if !self.has_room() {
                return Err(Rejected::new("too many indicators", "more than four billion"));
            }
            let known = classes.get(of.class(row) as usize).copied().flatten();
            let class = known.unwrap_or_else(|| {
                let class = self.class_of(of, row);
                if let Some(slot) = classes.get_mut(of.class(row) as usize) {
                    *slot = Some(class);
                }
                class
            });
            let (id, odd_id) = of.raw_id(row);
            let [modified, valid_from, valid_until] = of.raw_times(row);
            let (created, confidence, name) = (of.raw_created(row), of.raw_confidence(row), of.name(row));
            let added = Row {
                id,
                odd_id,
                created,
                modified,
                valid_from,
                valid_until,
                confidence,
                state,
                class,
                pattern: 0,
                name,
            };
            rows[row as usize] = Some(self.entries.push(added));
        }
        let new = |row: u32| rows.get(row as usize).copied().flatten();
        for (row, atom) in rules.atoms().iter() {
            if let Some(row) = new(row) {
                self.atoms.add(row, &atom).map_err(|_| full())?;
            }
        }
        let noted = rules.patterns().iter().filter(|noted| !noted.text.is_empty());
        let noted = noted.filter_map(|noted| Some(Noted { row: new(noted.row)?, ..noted }));
        self.patterns.extend(noted);
        rules.withdrawn().enter(&mut self.entries);
        Ok(())
    }

    /// The class of a row of another rule set, here.
    fn class_of(&mut self, of: &Entries, row: u32) -> u32 {
        let labels: Vec<_> = of.labels(row).map(Cow::Borrowed).collect();
        let types: Vec<_> = of.types(row).map(Cow::Borrowed).collect();
        self.entries.origin(of.origin_of(row));
        self.entries.class(ClassOf {
            labels: &labels,
            types: &types,
            tlp: of.tlp(row),
            created_by: of.created_by(row),
            path: of.path(row),
            origin: self.entries.current_origin(),
        })
    }

    fn add_atom(&mut self, entry: u32, atom: &Atom) -> Result<(), Rejected> {
        self.atoms.add(entry, atom).map_err(|_| full())?;
        // A bare host as a URL is what a log without schemes shows of it.
        if let Value::Text(Kind::Url, url) = &atom.value
            && let Some(host) = bare_host(url)
        {
            let meta = Meta { holder: Holder::Url, ..atom.meta };
            self.atoms.add(entry, &Atom { value: Value::Text(Kind::Domain, host.into()), meta }).map_err(|_| full())?;
        }
        Ok(())
    }

    fn add_lowered(&mut self, entry: u32, lowered: &Lowered) -> Result<(), Rejected> {
        if let Some((start, stop)) = lowered.window {
            self.entries.narrow(entry, start, stop);
        }
        for seek in &lowered.exact {
            if let Seek::Atom(atom) = seek {
                self.add_atom(entry, atom)?;
            }
        }
        let rest = lowered.cover.iter().flatten().filter(|seek| !lowered.exact.contains(seek));
        for seek in rest.filter(|_| lowered.has_more()) {
            if let Seek::Atom(atom) = seek {
                let meta = Meta { exact: false, ..atom.meta };
                self.add_atom(entry, &Atom { value: atom.value.clone(), meta })?;
            }
        }
        Ok(())
    }

    /// Freezes the set. Rows are numbered by what they list, whatever the order in which they came.
    pub fn build(self) -> RuleSet {
        self.freeze(&|_| true)
    }

    /// Freezes the set without what can never count: withdrawn and superseded versions. That they were withdrawn is
    /// kept, should an older version turn up elsewhere.
    pub fn build_current(self) -> RuleSet {
        self.freeze(&|state| state == State::Current)
    }

    fn freeze(mut self, stays: &dyn Fn(State) -> bool) -> RuleSet {
        self.entries.finish();
        let mut sections = Sections::default();
        let entries = self.entries;
        let stays = |row: u32| entries.state.get(row as usize).is_some_and(|state| stays(*state));
        let order = self.atoms.write(&entries, &stays, &mut sections);
        Withdrawn::write(&entries, &stays, &mut sections);
        let mut numbers = vec![u32::MAX; entries.len()];
        (0..).zip(&order).for_each(|(number, row)| numbers[*row as usize] = number);
        self.patterns.retain_mut(|noted| {
            noted.row = numbers[noted.row as usize];
            noted.row != u32::MAX
        });
        drop(numbers);
        self.patterns.sort_by_key(|noted| noted.row);
        Patterns::write(&self.patterns, self.reading, &mut sections);
        drop(self.patterns);
        Entries::write(entries, &order, &mut sections);
        drop(order);
        RuleSet::from_sections(sections, None).expect("sections just written go together")
    }
}

/// Whether path and value give a pattern back as it was written.
fn is_told(atom: &Atom, literal: &str) -> bool {
    match &atom.value {
        // A bare host is two atoms.
        Value::Text(Kind::Url, url) if bare_host(url).is_some() => false,
        Value::Text(_, text) => **text == *literal,
        address => address.to_string() == *literal,
    }
}

fn full() -> Rejected {
    Rejected::new("too many values", "a rule set holds a terabyte of values of 64 kB each")
}

/// The host of a URL that is nothing but a host: in normal form `//host/`.
fn bare_host(url: &str) -> Option<&str> {
    let host = url.strip_prefix("//")?.strip_suffix('/')?;
    (!host.contains(['/', ':', '?', '@', '#', '['])).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{EntryId, Filter, Status};
    use crate::stix::Timestamp;

    fn indicator<'a>(id: &'a str, modified: &str, pattern: &'a str) -> Indicator<'a> {
        Indicator {
            id: id.into(),
            name: None,
            pattern: pattern.into(),
            pattern_type: "stix".into(),
            created_by: None,
            created: None,
            modified: Timestamp::parse(modified).ok(),
            valid_from: None,
            valid_until: None,
            revoked: false,
            confidence: None,
            labels: Vec::new(),
            indicator_types: Vec::new(),
            tlp: None,
        }
    }

    const ID: &str = "indicator--00000000-0000-4000-8000-000000000001";

    fn now() -> Filter {
        Filter::at(Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant"))
    }

    #[test]
    fn the_newest_version_of_an_id_counts_in_whatever_order_they_come() {
        let versions = [
            indicator(ID, "2026-01-01T00:00:00Z", "[domain-name:value = 'old.example']"),
            indicator(ID, "2026-03-01T00:00:00Z", "[domain-name:value = 'new.example']"),
            indicator(ID, "2026-02-01T00:00:00Z", "[domain-name:value = 'middle.example']"),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let mut builder = RuleSetBuilder::default();
            for index in order {
                builder.add(&versions[index]).expect("a good indicator");
            }
            let rules = builder.build();
            let active: Vec<_> = rules.indicators().filter(|i| i.status(&now()) == Status::Active).collect();
            assert_eq!(active.len(), 1);
            assert_eq!(active[0].modified(), Timestamp::parse("2026-03-01T00:00:00Z").ok());
        }
    }

    #[test]
    fn a_version_that_cannot_be_used_still_takes_the_place_of_older_ones() {
        let old = indicator(ID, "2026-01-01T00:00:00Z", "[domain-name:value = 'a.example']");
        let new = indicator(ID, "2026-02-01T00:00:00Z", "[domain-name:value = ]");
        for order in [[&old, &new], [&new, &old]] {
            let mut builder = RuleSetBuilder::default();
            for version in order {
                let _ = builder.add(version);
            }
            let rules = builder.build();
            assert!(rules.indicators().all(|i| i.status(&now()) == Status::Superseded));
        }
    }

    #[test]
    fn a_revoked_version_withdraws_the_indicator() {
        let mut builder = RuleSetBuilder::default();
        let good = indicator(ID, "2026-01-01T00:00:00Z", "[domain-name:value = 'a.example']");
        let revoked =
            Indicator { revoked: true, modified: Timestamp::parse("2026-02-01T00:00:00Z").ok(), ..good.clone() };
        builder.add(&revoked).expect("a good indicator");
        builder.add(&good).expect("a good indicator");
        let rules = builder.build();
        let states: Vec<_> = rules.indicators().map(|i| i.status(&now())).collect();
        assert_eq!(states, [Status::Superseded, Status::Revoked]);
    }

    #[test]
    fn a_withdrawal_counts_whatever_its_pattern() {
        let good = indicator(ID, "2026-01-01T00:00:00Z", "[domain-name:value = 'a.example']");
        for (pattern, kind) in [("[broken", "stix"), ("", "stix"), ("title: rule", "sigma")] {
            let mut builder = RuleSetBuilder::default();
            let mut revoked = indicator(ID, "2026-02-01T00:00:00Z", pattern);
            (revoked.revoked, revoked.pattern_type) = (true, kind.into());
            builder.add(&good).expect("a good indicator");
            builder.add(&revoked).expect("a withdrawal");
            let states: Vec<_> = builder.build().indicators().map(|i| i.status(&now())).collect();
            assert_eq!(states, [Status::Superseded, Status::Revoked], "{pattern}");
        }
    }

    #[test]
    fn validity_begins_at_valid_from_and_ends_before_valid_until() {
        let instant = |text| Timestamp::parse(text).ok();
        let mut builder = RuleSetBuilder::default();
        let mut one = indicator(ID, "2026-01-01T00:00:00Z", "[domain-name:value = 'a.example']");
        one.valid_from = instant("2026-01-01T00:00:00Z");
        one.valid_until = instant("2026-02-01T00:00:00Z");
        builder.add(&one).expect("a good indicator");
        let rules = builder.build();
        let status = |at| rules.indicator(EntryId(0)).status(&Filter::at(Timestamp::parse(at).expect("an instant")));
        assert_eq!(status("2025-12-31T23:59:59Z"), Status::NotYetValid);
        assert_eq!(status("2026-01-01T00:00:00Z"), Status::Active);
        assert_eq!(status("2026-01-31T23:59:59.999Z"), Status::Active);
        assert_eq!(status("2026-02-01T00:00:00Z"), Status::Expired);
    }

    #[test]
    fn generation_names_the_content_and_not_its_order() {
        let versions = [
            indicator(ID, "2026-01-01T00:00:00Z", "[domain-name:value = 'a.example']"),
            indicator("indicator--x", "2026-01-01T00:00:00Z", "[domain-name:value = 'b.example']"),
        ];
        let generation = |order: &[usize]| {
            let mut builder = RuleSetBuilder::default();
            for i in order {
                builder.add(&versions[*i]).expect("a good indicator");
            }
            builder.build().generation()
        };
        assert_eq!(generation(&[0, 1]), generation(&[1, 0]));
        assert_ne!(generation(&[0, 1]), generation(&[0]));
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let mut builder = RuleSetBuilder::default();
        let mut reason = |pattern: &str| builder.add(&indicator(ID, "", pattern)).map_err(|r| r.reason);
        assert_eq!(reason("[domain-name:value = ]"), Err("pattern is not valid"));
        assert_eq!(reason("[domain-name:value = 'no domain']"), Err("value is not valid"));
        assert_eq!(reason("[file:x_y = 1]"), Ok(()));
    }
}
