//! Which indicators of a rule set take part.

use crate::stix::{Timestamp, Tlp};

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

impl Filter {
    /// Everything that is valid at an instant.
    pub fn at(at: Timestamp) -> Self {
        Self { at, include_expired: false, min_confidence: 0, labels: Vec::new(), types: Vec::new(), tlp: None }
    }
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
    /// The same version of the same id is there already.
    Duplicate,
    /// Below the least confidence.
    Confidence,
    /// None of the labels asked for.
    Label,
    /// None of the types asked for.
    Type,
    /// Marked stricter than allowed.
    Tlp,
}
