//! All indicators of one run, immutable once built.

use super::atom::Atoms;
use super::entries::Entries;
use super::filter::{Filter, Status};
use super::lower::{self, Lowered, Seek};
use super::{Atom, Holder, Meta, Program, ProgramError, path};
use crate::observable::{self, Field, Kind, Value};
use crate::pattern::{Parser, Pattern, Reading, simple};
use crate::stix::{Indicator, Timestamp, Tlp};

/// Number of an indicator in its rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u32);

/// Collects indicators into a [`RuleSet`].
#[derive(Debug)]
pub struct RuleSetBuilder {
    rules: RuleSet,
    parser: Parser,
    reading: Reading,
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
            rules: RuleSet { reading, ..RuleSet::default() },
            parser: Parser::default(),
            reading,
            last_path: ("".into(), None),
        }
    }

    /// Names the place that what is added next comes from: a path or source name.
    pub fn origin(&mut self, name: &str) {
        self.rules.entries.origin(name);
    }

    /// Adds an indicator. It takes the place of its older versions, or withdraws them if it is revoked, even if its own
    /// pattern cannot be used.
    ///
    /// # Errors
    /// Says why the indicator cannot be used; nothing else is affected.
    pub fn add(&mut self, indicator: &Indicator<'_>) -> Result<(), Rejected> {
        let result = self.add_pattern(indicator);
        if result.is_err() && self.rules.entries.len() < u32::MAX as usize - 1 {
            self.rules.entries.add_unusable(indicator);
            if indicator.revoked {
                return Ok(());
            }
        }
        result
    }

    fn add_pattern(&mut self, indicator: &Indicator<'_>) -> Result<(), Rejected> {
        if self.rules.entries.len() >= u32::MAX as usize - 1 {
            return Err(Rejected::new("too many indicators", "more than four billion"));
        }
        if indicator.pattern_type != "stix" {
            return Err(Rejected::new("pattern type is not stix", indicator.pattern_type.as_ref()));
        }
        if let Some(atom) = self.common(&indicator.pattern) {
            let entry = self.rules.entries.add(indicator);
            return self.rules.add_atom(entry, &atom);
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
        let entry = self.rules.entries.add(indicator);
        let pattern = lowered.has_more().then(|| Pattern::from(&ast));
        self.rules.add_lowered(entry, pattern, lowered)
    }

    /// The atom of a pattern of the commonest form, `[path = 'literal']`, without building a tree.
    fn common(&mut self, pattern: &str) -> Option<Atom> {
        let simple = simple::split(pattern)?;
        if *self.last_path.0 != *simple.path {
            self.last_path = (simple.path.into(), observable::of_path(&path::canonical_text(simple.path)));
        }
        let field = self.last_path.1.filter(|_| !simple.path.contains("resolves_to_ref"))?;
        lower::atom(field, simple.literal, self.reading == Reading::Strict)
    }

    /// Adds a bare value of a list, which becomes an indicator with an id derived from it.
    ///
    /// # Errors
    /// When the table of values is full.
    pub fn add_value(&mut self, value: Value) -> Result<(), Rejected> {
        let kind = value.kind().object_type();
        let entry = self.rules.entries.add_value(kind, &value.to_string());
        self.rules.add_atom(entry, &Atom { value, meta: Meta::PLAIN })
    }

    /// Freezes the set.
    pub fn build(mut self) -> RuleSet {
        self.rules.entries.finish();
        self.rules
    }
}

/// All indicators and what to look for on their behalf; immutable, `Send + Sync`.
#[derive(Debug, Default)]
pub struct RuleSet {
    entries: Entries,
    atoms: Atoms,
    texts: Vec<(EntryId, Seek)>,
    compounds: Vec<Compound>,
    reading: Reading,
}

/// An indicator whose pattern has to be evaluated as a whole.
#[derive(Clone, Debug)]
pub struct Compound {
    /// The indicator.
    pub entry: EntryId,
    /// Its pattern.
    pub pattern: Pattern,
    /// What has to be seen before evaluating is worth while; `None` means always.
    pub cover: Option<Vec<Seek>>,
    /// Whether values without fields can satisfy it.
    pub plain: bool,
    /// Whether it asks for several observations, or for their time.
    pub sequence: bool,
}

impl RuleSet {
    fn add_atom(&mut self, entry: u32, atom: &Atom) -> Result<(), Rejected> {
        let full = |_| Rejected::new("too many values", "a rule set holds four gigabytes of values of 64 kB each");
        self.atoms.add(entry, atom).map_err(full)?;
        // A bare host as a URL is what a log without schemes shows of it.
        if let Value::Text(Kind::Url, url) = &atom.value
            && let Some(host) = bare_host(url)
        {
            let meta = Meta { holder: Holder::Url, ..atom.meta };
            self.atoms.add(entry, &Atom { value: Value::Text(Kind::Domain, host.into()), meta }).map_err(full)?;
        }
        Ok(())
    }

    fn add_lowered(&mut self, entry: u32, pattern: Option<Pattern>, lowered: Lowered) -> Result<(), Rejected> {
        let Lowered { exact, cover, plain, sequence, window } = lowered;
        if let Some((start, stop)) = window {
            self.entries.narrow(entry, start, stop);
        }
        for seek in &exact {
            match seek {
                Seek::Atom(atom) => self.add_atom(entry, atom)?,
                text => self.texts.push((EntryId(entry), text.clone())),
            }
        }
        let Some(pattern) = pattern else { return Ok(()) };
        let rest = cover.map(|cover| cover.into_iter().filter(|seek| !exact.contains(seek)).collect::<Vec<_>>());
        for seek in rest.iter().flatten() {
            if let Seek::Atom(atom) = seek {
                let meta = Meta { exact: false, ..atom.meta };
                self.add_atom(entry, &Atom { value: atom.value.clone(), meta })?;
            }
        }
        self.compounds.push(Compound { entry: EntryId(entry), pattern, cover: rest, plain, sequence });
        Ok(())
    }

    /// Number of indicators, of all versions and states.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order of arrival.
    pub fn indicators(&self) -> impl Iterator<Item = IndicatorRef<'_>> {
        (0..self.len() as u32).map(|row| self.indicator(EntryId(row)))
    }

    /// Names the content: the same for the same indicators in any order.
    pub fn generation(&self) -> String {
        let sum = (0..self.len() as u32)
            .filter(|row| self.entries.is_current(*row))
            .fold(0_u64, |sum, row| sum.wrapping_add(self.entries.fingerprint(row)));
        format!("{sum:016x}")
    }

    /// One indicator.
    pub fn indicator(&self, entry: EntryId) -> IndicatorRef<'_> {
        IndicatorRef { rules: self, row: entry.0 }
    }

    /// Typed values to look up.
    pub fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    /// Literals and expressions; each alone is a match.
    pub fn texts(&self) -> &[(EntryId, Seek)] {
        &self.texts
    }

    /// Patterns that have to be evaluated.
    pub fn compounds(&self) -> &[Compound] {
        &self.compounds
    }

    /// The pattern of a compound, made ready to run.
    ///
    /// # Errors
    /// It uses something that cannot be run, such as an unsupported regular expression.
    pub fn program(&self, compound: &Compound) -> Result<Program, ProgramError> {
        Program::new(&compound.pattern.ast(), self.reading)
    }

    /// A literal or expression that alone is a match, made ready to run as the pattern that it is. `None` if that
    /// cannot be done, and for typed values, which need none.
    pub fn program_of(&self, seek: &Seek) -> Option<Program> {
        let pattern = seek.pattern()?;
        let mut parser = Parser::default();
        let ast = parser.parse(&pattern, self.reading).ok()?;
        Program::new(&ast, self.reading).ok()
    }
}

/// The host of a URL that is nothing but a host: in normal form `//host/`.
fn bare_host(url: &str) -> Option<&str> {
    let host = url.strip_prefix("//")?.strip_suffix('/')?;
    (!host.contains(['/', ':', '?', '@', '#', '['])).then_some(host)
}

/// What a rule set knows of one indicator.
#[derive(Clone, Copy, Debug)]
pub struct IndicatorRef<'r> {
    rules: &'r RuleSet,
    row: u32,
}

impl<'r> IndicatorRef<'r> {
    /// Its number in the rule set.
    pub fn entry(&self) -> EntryId {
        EntryId(self.row)
    }

    /// Has what is known of it brought near, for a caller who will ask soon. What it gives means nothing.
    pub(crate) fn touch(&self) -> u64 {
        self.rules.entries.touch(self.row)
    }

    /// A number that tells most ids apart, the same for the same id wherever it comes from.
    pub(crate) fn id_number(&self) -> u64 {
        self.rules.entries.id_number(self.row)
    }

    /// Its STIX id.
    pub fn id(&self) -> String {
        self.rules.entries.id(self.row)
    }

    /// Its title.
    pub fn name(&self) -> Option<&'r str> {
        self.rules.entries.name(self.row)
    }

    /// 0 to 100.
    pub fn confidence(&self) -> Option<u8> {
        self.rules.entries.confidence(self.row)
    }

    /// Its labels.
    pub fn labels(&self) -> impl Iterator<Item = &'r str> + use<'r> {
        self.rules.entries.labels(self.row).iter().map(AsRef::as_ref)
    }

    /// Its `indicator_types`.
    pub fn types(&self) -> impl Iterator<Item = &'r str> + use<'r> {
        self.rules.entries.types(self.row).iter().map(AsRef::as_ref)
    }

    /// The strictest traffic-light marking it carries.
    pub fn tlp(&self) -> Option<Tlp> {
        self.rules.entries.tlp(self.row)
    }

    /// The identity that made it.
    pub fn created_by(&self) -> Option<&'r str> {
        self.rules.entries.created_by(self.row)
    }

    /// When this version was made.
    pub fn modified(&self) -> Option<Timestamp> {
        self.rules.entries.modified(self.row)
    }

    /// Start of validity, inclusive.
    pub fn valid_from(&self) -> Option<Timestamp> {
        self.rules.entries.valid_from(self.row)
    }

    /// End of validity, exclusive.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.rules.entries.valid_until(self.row)
    }

    /// The file or source it came from.
    pub fn origin(&self) -> &'r str {
        self.rules.entries.origin_of(self.row)
    }

    /// Whether it takes part under a filter, and if not why.
    pub fn status(&self, filter: &Filter) -> Status {
        self.rules.entries.status(self.row, filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indicator<'a>(id: &'a str, modified: &str, pattern: &'a str) -> Indicator<'a> {
        Indicator {
            id: id.into(),
            name: None,
            pattern: pattern.into(),
            pattern_type: "stix".into(),
            created_by: None,
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
        assert_eq!(states, [Status::Revoked, Status::Superseded]);
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
