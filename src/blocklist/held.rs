//! What is held back: a value or a whole indicator, with the reason.

use super::list::{Digest, Item, Prefix};
use super::reason::Reason;
use crate::observable::Kind;
use std::borrow::Cow;
use std::fmt;

/// A value that is not in a list although an indicator names it, or an indicator without any value that could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<'r> {
    /// The value; `None` for an indicator that names none.
    pub item: Option<Item<'r>>,
    /// Why.
    pub reason: Reason,
    /// What exactly: the name of a guard, the allowed name that is covered, and so on. May be empty.
    pub detail: Cow<'static, str>,
    /// Number of the indicator in its rule set.
    pub(super) row: u32,
}

impl Item<'_> {
    /// The kind of the value.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Name(_) => Kind::Domain,
            Self::Ipv4(..) => Kind::Ipv4,
            Self::Ipv6(..) => Kind::Ipv6,
            Self::Url(_) => Kind::Url,
            Self::Email(_) => Kind::Email,
            Self::Digest(kind, _) => *kind,
        }
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Name(text) | Self::Url(text) | Self::Email(text) => out.write_str(text),
            Self::Ipv4(start, len) => Prefix { start, len }.fmt(out),
            Self::Ipv6(start, len) => Prefix { start, len }.fmt(out),
            Self::Digest(kind, bytes) => Digest { kind, bytes, credits: 0..0 }.fmt(out),
        }
    }
}
