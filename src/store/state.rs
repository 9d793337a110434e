//! What is kept of a source beside its objects: how far it was read, and what came of it.

use crate::stix::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct State {
    /// How far the source was read, in the words of whoever reads it.
    pub cursor: Option<String>,
    /// The number of the set of objects: it grows with every poll that changed something, and goes back with a rollback;
    /// no number is given out twice. 0 before the first poll.
    pub generation: u64,
    /// A poll has changed something and has not come to its end. What it changed belongs to the next generation.
    pub unfinished: bool,
    /// What the current set holds.
    pub counts: Counts,
    /// When a poll last came to its end.
    #[serde(with = "instant")]
    pub last_success: Option<Timestamp>,
    /// When a poll last failed, and why; kept after the next success.
    pub last_failure: Option<Failure>,
    /// What the last poll did, or the one that is going on.
    pub poll: Poll,
    /// Objects that could not be kept, by reason: of the last snapshot, or since the source was first read.
    pub set_aside: BTreeMap<String, u64>,
    pub(super) history: History,
}

/// How many objects there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Counts {
    /// All of them.
    pub objects: u64,
    /// Indicators, withdrawn ones included.
    pub indicators: u64,
    /// Indicators that are withdrawn.
    pub revoked: u64,
}

/// A poll that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// When.
    #[serde(with = "instant")]
    pub at: Option<Timestamp>,
    /// Why, for people.
    pub message: String,
}

/// What one poll did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Poll {
    /// When it began.
    #[serde(with = "instant")]
    pub began: Option<Timestamp>,
    /// Objects that were not there.
    pub new: u64,
    /// Objects of which a newer version came.
    pub updated: u64,
    /// Objects that were there already, newer or the same.
    pub unchanged: u64,
    /// Objects that left, since a snapshot no longer holds them.
    pub removed: u64,
    /// Of the indicators that are new or updated, those that the source has withdrawn.
    pub revoked: u64,
    /// Of the indicators that are new or updated, those that were no longer valid when they came.
    pub expired: u64,
    /// Objects that could not be kept, by reason.
    pub set_aside: BTreeMap<String, u64>,
    /// Places where the source may have had more than it gave.
    pub gaps: u64,
}

impl State {
    /// The generation that a rollback leads to, if one is kept.
    pub fn previous_generation(&self) -> Option<u64> {
        self.history.before.as_ref().map(|(generation, _)| *generation).filter(|generation| *generation > 0)
    }
}

impl Poll {
    /// Whether anything is different now.
    pub fn changed(&self) -> bool {
        self.new + self.updated + self.removed > 0
    }
}

/// What it takes to go back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct History {
    /// The number that was given out last.
    pub(super) last: u64,
    /// The generation that the kept rows lead back to, and its cursor.
    pub(super) before: Option<(u64, Option<String>)>,
}

/// Instants as text.
mod instant {
    use super::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    #[expect(clippy::ref_option, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        at.map(|at| at.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let text: Option<String> = Option::deserialize(from)?;
        text.map(|text| Timestamp::parse(&text).map_err(de::Error::custom)).transpose()
    }
}
