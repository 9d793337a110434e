//! All indicators of one run, immutable once built.

use crate::observable::Value;
use crate::stix::{Indicator, Timestamp, Tlp};

/// Number of an indicator in its rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u32);

/// Collects indicators into a [`RuleSet`].
#[derive(Debug, Default)]
pub struct RuleSetBuilder {}

/// Why an indicator could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The kind of reason, for counting: a few words, the same for every indicator it concerns.
    pub reason: &'static str,
    /// What exactly is wrong, for reading.
    pub detail: String,
}

impl RuleSetBuilder {
    /// Names the place that what is added next comes from: a path or source name.
    pub fn origin(&mut self, _name: &str) {}
    /// Adds an indicator. `Err` says why it cannot be used; nothing else is affected.
    pub fn add(&mut self, _indicator: &Indicator<'_>) -> Result<(), Rejected> {
        Ok(())
    }
    /// Adds a bare value of a list, which becomes an indicator with an id derived from it.
    pub fn add_value(&mut self, _value: Value) {}
    /// Sorts and freezes.
    pub fn build(self) -> RuleSet {
        RuleSet {}
    }
}

/// All indicators, indexed; immutable, `Send + Sync`.
#[derive(Debug)]
pub struct RuleSet {}

impl RuleSet {
    /// Number of indicators.
    pub fn len(&self) -> usize {
        0
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        true
    }
    /// Names the content: the same for the same indicators in any order.
    pub fn generation(&self) -> &str {
        ""
    }
    /// One indicator.
    pub fn indicator(&self, entry: EntryId) -> IndicatorRef<'_> {
        IndicatorRef { _rules: self, _entry: entry }
    }
}

/// Which indicators take part; the fields are those of the command's flags.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The instant at which validity is judged.
    pub at: Timestamp,
    /// Take indicators whose `valid_until` has passed.
    pub include_expired: bool,
    /// Least confidence; an indicator that states none passes.
    pub min_confidence: u8,
    /// Any of these labels; empty for all.
    pub labels: Vec<String>,
    /// Any of these `indicator_types`; empty for all.
    pub types: Vec<String>,
    /// The strictest marking allowed.
    pub tlp: Option<Tlp>,
}

/// Whether an indicator takes part, and if not why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It takes part.
    Active,
    /// `valid_from` is still to come.
    NotYetValid,
    /// `valid_until` has passed.
    Expired,
    /// Its producer withdrew it.
    Revoked,
    /// A newer version of the same id is there.
    Superseded,
    /// Below the least confidence.
    Confidence,
    /// None of the labels asked for.
    Label,
    /// None of the types asked for.
    Type,
    /// Marked stricter than allowed.
    Tlp,
}

/// What a rule set knows of one indicator.
#[derive(Clone, Copy, Debug)]
pub struct IndicatorRef<'r> {
    _rules: &'r RuleSet,
    _entry: EntryId,
}

impl<'r> IndicatorRef<'r> {
    /// Its STIX id.
    pub fn id(&self) -> String {
        String::new()
    }
    /// Its title.
    pub fn name(&self) -> Option<&'r str> {
        None
    }
    /// 0 to 100.
    pub fn confidence(&self) -> Option<u8> {
        None
    }
    /// Its labels.
    pub fn labels(&self) -> Vec<&'r str> {
        Vec::new()
    }
    /// Start of validity, inclusive.
    pub fn valid_from(&self) -> Option<Timestamp> {
        None
    }
    /// End of validity, exclusive.
    pub fn valid_until(&self) -> Option<Timestamp> {
        None
    }
    /// The file or source it came from.
    pub fn origin(&self) -> &'r str {
        ""
    }
    /// The pattern's text, where the indicator had one.
    pub fn pattern(&self) -> Option<String> {
        None
    }
    /// Whether it takes part under a filter, and if not why.
    pub fn status(&self, _filter: &Filter) -> Status {
        Status::Active
    }
}
