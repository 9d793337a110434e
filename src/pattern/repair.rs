//! What the pragmatic reading mends in the syntax of a pattern.

use super::Span;
use std::fmt;

/// One departure from the grammar that the pragmatic reading understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Repair {
    /// What was mended.
    pub kind: RepairKind,
    /// Where, in the text as it was written.
    pub span: Span,
}

/// The kinds of syntactic repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RepairKind {
    /// `and`, `Like`, `matches`: a keyword in other letters than the grammar's, which are given.
    KeywordCase(&'static str),
    /// `file:name = 'x'`: a comparison expression without its brackets.
    MissingBrackets,
    /// `‘x’` or `“x”`: a string, or the inside of any other quotes, in typographic ones.
    SmartQuotes,
    /// `file:hashes.SHA-256`: the name of a hash algorithm that needs quotes.
    UnquotedHashKey,
    /// `START '...' STOP '...'`: plain strings where timestamps belong, as STIX 2.0 wrote them. The strict reading
    /// takes them too.
    StartStopString,
}

impl RepairKind {
    /// A short name for counting, the same for every repair of the kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeywordCase(_) => "keyword-case",
            Self::MissingBrackets => "missing-brackets",
            Self::SmartQuotes => "smart-quotes",
            Self::UnquotedHashKey => "unquoted-hash-key",
            Self::StartStopString => "start-stop-string",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RepairKind::KeywordCase(keyword) => write!(f, "keyword in other than upper case read as `{keyword}`"),
            RepairKind::MissingBrackets => f.write_str("comparison without brackets read as if in `[ ]`"),
            RepairKind::SmartQuotes => f.write_str("typographic quotes read as `'`"),
            RepairKind::UnquotedHashKey => f.write_str("name of a hash algorithm read as if in quotes"),
            RepairKind::StartStopString => f.write_str("plain string of STIX 2.0 read as timestamp"),
        }
    }
}
