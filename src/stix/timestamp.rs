//! Instants as STIX writes them (STIX 2.1 section 2.16): RFC 3339, upper-case T and Z.

/// An instant, in nanoseconds of UTC; the order of values is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; years 0000 to 9999.
    pub seconds: i64,
    /// Nanoseconds within the second; further digits of a fraction are dropped.
    pub nanos: u32,
}
