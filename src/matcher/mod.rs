//! Finds what indicators describe in text and observations.

use crate::compile::{EntryId, Filter, RuleSet};
use crate::observable::Kind;
use std::ops::Range;
use std::sync::Arc;

/// Checks text against a rule set. Immutable: share it between threads, and swap it whole when indicators change.
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<RuleSet>,
}

/// Settings of a [`Matcher`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Which indicators take part.
    pub filter: Filter,
    /// A listed domain stands for its subdomains too.
    pub subdomains: bool,
    /// Undo `hxxp`, `[.]` and the like in the text before looking.
    pub refang: bool,
    /// Values that are never reported.
    pub allow: Allowlist,
}

/// Known-good values: names with their subdomains, address prefixes, URLs, hashes, mail addresses.
#[derive(Clone, Debug, Default)]
pub struct Allowlist {}

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

impl Matcher {
    /// Prepares a rule set for matching.
    pub fn new(rules: Arc<RuleSet>, _options: Options) -> Self {
        Self { rules }
    }
    /// The rule set it looks things up in.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }
    /// A scanner with working memory of its own, one for each thread.
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner { _matcher: self, _kind: Kind::Ipv4 }
    }
}

/// Scans blocks of text.
#[derive(Debug)]
pub struct Scanner<'m> {
    _matcher: &'m Matcher,
    _kind: Kind,
}

impl Scanner<'_> {
    /// Appends the hits of a block of whole lines, in the order of the text (then of the indicators' ids).
    pub fn scan(&mut self, _block: &[u8], _hits: &mut Vec<Hit>) {}
}
