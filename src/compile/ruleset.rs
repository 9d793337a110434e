//! All indicators of one run, immutable once built.

use super::atoms::Atoms;
use super::entries::Entries;
use super::filter::{Filter, Status};
use super::lower::Seek;
use super::packed::{Damaged, Sections};
use super::patterns::{Patterns, Special};
use super::withdrawn::Withdrawn;
use super::{Program, ProgramError};
use crate::observable::Value;
use crate::pattern::{Parser, Pattern, Reading};
use crate::stix::{Timestamp, Tlp};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Number of an indicator in its rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u32);

/// All indicators and what to look for on their behalf; immutable, `Send + Sync`.
///
/// Rows are numbered by what they list: the same indicators have the same numbers whatever the order in which they came.
#[derive(Debug)]
pub struct RuleSet {
    sections: Sections,
    entries: Entries,
    atoms: Atoms,
    patterns: Patterns,
    withdrawn: Withdrawn,
    generation: u64,
    /// Of each section, if they were opened from a file.
    checksums: Option<Vec<u64>>,
    /// Made when first asked for.
    special: OnceLock<Special>,
}

impl Default for RuleSet {
    fn default() -> Self {
        super::RuleSetBuilder::default().build()
    }
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
    /// Takes the columns from sections. The generation is found by looking at all rows, unless it is known.
    pub(super) fn from_sections(sections: Sections, generation: Option<u64>) -> Result<Self, Damaged> {
        let entries = Entries::open(&sections)?;
        let (atoms, patterns) = (Atoms::open(&sections)?, Patterns::open(&sections)?);
        let withdrawn = Withdrawn::open(&sections)?;
        let generation = generation.unwrap_or_else(|| entries.generation());
        Ok(Self {
            sections,
            entries,
            atoms,
            patterns,
            withdrawn,
            generation,
            checksums: None,
            special: OnceLock::new(),
        })
    }

    /// What the columns are kept in.
    pub(crate) fn sections(&self) -> &Sections {
        &self.sections
    }

    pub(super) fn checksums(&self) -> Option<&[u64]> {
        self.checksums.as_deref()
    }

    pub(super) fn set_checksums(&mut self, checksums: Vec<u64>) {
        self.checksums = Some(checksums);
    }

    pub(super) fn entries(&self) -> &Entries {
        &self.entries
    }

    pub(super) fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    pub(super) fn withdrawn(&self) -> &Withdrawn {
        &self.withdrawn
    }

    /// Number of indicators, of all versions and states.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order of their numbers.
    pub fn indicators(&self) -> impl Iterator<Item = IndicatorRef<'_>> {
        (0..self.len() as u32).map(|row| self.indicator(EntryId(row)))
    }

    /// Names the content: the same for the same indicators in any order.
    pub fn generation(&self) -> String {
        format!("{:016x}", self.generation)
    }

    /// The number behind [`Self::generation`].
    pub(super) fn generation_number(&self) -> u64 {
        self.generation
    }

    /// One indicator.
    pub fn indicator(&self, entry: EntryId) -> IndicatorRef<'_> {
        IndicatorRef { rules: self, row: entry.0 }
    }

    /// Typed values to look up.
    pub fn atoms(&self) -> &Atoms {
        &self.atoms
    }

    /// How patterns are read.
    pub fn reading(&self) -> Reading {
        self.patterns.reading()
    }

    fn special(&self) -> &Special {
        self.special.get_or_init(|| self.patterns.special())
    }

    /// Literals and expressions; each alone is a match.
    pub fn texts(&self) -> &[(EntryId, Seek)] {
        &self.special().texts
    }

    /// Patterns that have to be evaluated.
    pub fn compounds(&self) -> &[Compound] {
        &self.special().compounds
    }

    /// The pattern of a compound, made ready to run.
    ///
    /// # Errors
    /// It uses something that cannot be run, such as an unsupported regular expression.
    pub fn program(&self, compound: &Compound) -> Result<Program, ProgramError> {
        Program::new(&compound.pattern.ast(), self.reading())
    }

    /// A literal or expression that alone is a match, made ready to run as the pattern that it is. `None` if that
    /// cannot be done, and for typed values, which need none.
    pub fn program_of(&self, seek: &Seek) -> Option<Program> {
        let pattern = seek.pattern()?;
        let mut parser = Parser::default();
        let ast = parser.parse(&pattern, self.reading()).ok()?;
        Program::new(&ast, self.reading()).ok()
    }
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
        self.rules.entries.labels(self.row)
    }

    /// Its `indicator_types`.
    pub fn types(&self) -> impl Iterator<Item = &'r str> + use<'r> {
        self.rules.entries.types(self.row)
    }

    /// Its pattern, if patterns were kept ([`RuleSetBuilder::keep_patterns`](super::RuleSetBuilder::keep_patterns)); a value of a list has none.
    pub fn pattern(&self) -> Option<Cow<'r, str>> {
        if let Some(text) = self.rules.patterns.of(self.row) {
            return Some(text.into());
        }
        let path = self.rules.entries.path(self.row)?;
        let value = self.rules.atoms.first_of(self.row)?.value;
        Some(format!("[{path} = '{value}']").into())
    }

    /// The value of a list that it stands for, if it does; to be asked where patterns were kept.
    pub fn list_value(&self) -> Option<Value> {
        let is_pattern = self.rules.patterns.of(self.row).is_some() || self.rules.entries.path(self.row).is_some();
        if is_pattern { None } else { self.rules.atoms.first_of(self.row).map(|atom| atom.value) }
    }

    /// The strictest traffic-light marking it carries.
    pub fn tlp(&self) -> Option<Tlp> {
        self.rules.entries.tlp(self.row)
    }

    /// The identity that made it.
    pub fn created_by(&self) -> Option<&'r str> {
        self.rules.entries.created_by(self.row)
    }

    /// When its first version was made.
    pub fn created(&self) -> Option<Timestamp> {
        self.rules.entries.created(self.row)
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
