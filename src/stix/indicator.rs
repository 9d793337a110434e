//! The indicator object (STIX 2.1 section 4.7; 2.0 section 2.5), read leniently: only what cannot be used is refused.

use super::Timestamp;
use std::borrow::Cow;

/// One indicator, borrowed from the JSON that it was read from where that is possible.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator<'a> {
    /// `indicator--` and a UUID, as a rule; any text is kept.
    pub id: Cow<'a, str>,
    /// A short title.
    pub name: Option<Cow<'a, str>>,
    /// The pattern's text.
    pub pattern: Cow<'a, str>,
    /// `stix` unless stated (STIX 2.0 has no such property).
    pub pattern_type: Cow<'a, str>,
    /// The identity that made it.
    pub created_by: Option<Cow<'a, str>>,
    /// When this version was made; the newest version of an id counts.
    pub modified: Option<Timestamp>,
    /// From when on it is valid, inclusive.
    pub valid_from: Option<Timestamp>,
    /// Until when it is valid, exclusive.
    pub valid_until: Option<Timestamp>,
    /// Withdrawn by its producer.
    pub revoked: bool,
    /// 0 to 100.
    pub confidence: Option<u8>,
    /// Free labels; STIX 2.0 keeps its indicator types here.
    pub labels: Vec<Cow<'a, str>>,
    /// Open vocabulary `indicator-type-ov`.
    pub indicator_types: Vec<Cow<'a, str>>,
    /// The strictest traffic-light marking it carries.
    pub tlp: Option<Tlp>,
}

/// Traffic-light markings, from free to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// `TLP:CLEAR`, formerly `TLP:WHITE`.
    Clear,
    /// `TLP:GREEN`
    Green,
    /// `TLP:AMBER`
    Amber,
    /// `TLP:AMBER+STRICT`
    AmberStrict,
    /// `TLP:RED`
    Red,
}
