//! What a scan reports.

use crate::compile::EntryId;
use std::ops::Range;

/// One value in a text that one indicator describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where its line begins in the block.
    pub line_start: usize,
    /// Where the line ends, its newline (and carriage return) left out.
    pub line_end: usize,
    /// The bytes of the value, counted from the beginning of the line.
    pub span: Range<usize>,
    /// The STIX object type of what was seen.
    pub object_type: &'static str,
    /// What was seen, in normal form.
    pub value: Box<str>,
    /// How it relates to what the indicator lists.
    pub relation: Relation,
    /// The field it stood in, where the line has fields.
    pub field: Option<Box<str>>,
    /// The indicator.
    pub entry: EntryId,
    /// For a pattern that asks for several observations, the other lines that satisfied it.
    pub also: Box<[SeenAt]>,
}

/// A line that a scanner has scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenAt {
    /// The block, counted from 0 in the order in which the scanner took them.
    pub block: u64,
    /// The line in that block, counted from 0.
    pub line: u64,
}

/// How a value seen relates to the value listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// It is the same.
    Exact,
    /// It lies inside a listed prefix.
    Cidr,
    /// It is a name below a listed domain.
    Subdomain,
    /// It is the host of a URL.
    HostOfUrl,
    /// It is the host of a mail address.
    HostOfEmail,
    /// It stands in free text.
    Text,
}

impl Relation {
    /// Its name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Cidr => "cidr",
            Self::Subdomain => "subdomain",
            Self::HostOfUrl => "host-of-url",
            Self::HostOfEmail => "host-of-email",
            Self::Text => "text",
        }
    }
}
