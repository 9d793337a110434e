//! Why a value is not in a list.

use std::fmt;

/// Why a value, or all that an indicator says, is held back. Its `Display` is the word that reports use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// `valid_until` has passed, or it is older than the policy takes.
    Expired,
    /// `valid_from` is still to come.
    NotYetValid,
    /// Withdrawn by its producer.
    Revoked,
    /// Below the least confidence, or none stated where one is required.
    Confidence,
    /// None of the labels asked for.
    Label,
    /// None of the types asked for.
    Type,
    /// Marked stricter than may be written.
    Tlp,
    /// The pattern is of another language.
    PatternType,
    /// No valid pattern or value, or one that would mean something else in this format.
    Invalid,
    /// The pattern asks for more than this value.
    NotExact,
    /// A guard rail.
    Guard,
    /// On the allowlist.
    Allow,
    /// Our own.
    Own,
    /// It stands for a name that is allowed, and the format knows no exceptions.
    CoversAllowed,
    /// More entries than wanted, or too long for the format.
    Limit,
}

impl Reason {
    /// Every reason, in the order in which they are shown.
    pub const ALL: [Self; 15] = [
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::Confidence,
        Self::Label,
        Self::Type,
        Self::Tlp,
        Self::PatternType,
        Self::Invalid,
        Self::NotExact,
        Self::Guard,
        Self::Allow,
        Self::Own,
        Self::CoversAllowed,
        Self::Limit,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::Revoked => "revoked",
            Self::Confidence => "confidence",
            Self::Label => "label",
            Self::Type => "type",
            Self::Tlp => "tlp",
            Self::PatternType => "pattern type",
            Self::Invalid => "invalid",
            Self::NotExact => "not exact",
            Self::Guard => "guard",
            Self::Allow => "allow",
            Self::Own => "own",
            Self::CoversAllowed => "covers-allowed",
            Self::Limit => "limit",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}
