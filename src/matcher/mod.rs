//! Finds what indicators describe in text and observations.

mod allow;
mod compound;
pub mod eval;
mod fields;
mod file;
mod hit;
mod index;
mod line;
mod plain;
mod scan;
mod structured;
mod watch;
mod why;

pub use allow::Allowlist;
pub use file::Compiled;
pub use hit::{Hit, Relation, SeenAt};
pub use scan::Scanner;
pub use why::{Listing, listings, literal_listings};

use crate::compile::{EntryId, Filter, RuleSet, Seek, Status};
use crate::log::Clock;
use crate::observable::Value;
use crate::observable::text::find::Wanted;
use crate::observable::{Kind, Shape};
use compound::Compounds;
use fields::FieldPatterns;
use index::expression::ExpressionIndex;
use index::hosts::Use;
use index::literal::LiteralIndex;
use index::{Filters, Index, Owner};
use std::sync::Arc;

/// Checks text against a rule set. Immutable: share it between threads, and swap it whole when indicators change.
///
/// ```
/// use stockade::compile::{Filter, RuleSetBuilder};
/// use stockade::matcher::{Matcher, Options, Relation};
/// use stockade::observable::classify;
/// use stockade::stix::Timestamp;
/// use std::sync::Arc;
///
/// let mut builder = RuleSetBuilder::default();
/// builder.add_value(classify("203.0.113.0/24")?).unwrap();
/// let now = Timestamp::parse("2026-01-01T00:00:00Z")?;
/// let matcher = Matcher::new(Arc::new(builder.build()), Options::new(Filter::at(now)));
///
/// let mut hits = Vec::new();
/// matcher.scanner().scan(b"login from 203.0.113.9 port 22\nall quiet\n", &mut hits);
/// assert_eq!(hits.len(), 1);
/// assert_eq!((&*hits[0].value, hits[0].span.clone(), hits[0].relation), ("203.0.113.9", 11..22, Relation::Cidr));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<RuleSet>,
    options: Options,
    index: Index,
    literals: LiteralIndex,
    expressions: ExpressionIndex,
    compounds: Compounds,
    fields: FieldPatterns,
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
    /// Leave out what stands in free text, and literals in plain text.
    pub fields_only: bool,
    /// Values that are never reported.
    pub allow: Allowlist,
}

impl Options {
    /// The indicators that a filter lets pass; listed domains stand for themselves; nothing is allowed.
    pub fn new(filter: Filter) -> Self {
        Self { filter, subdomains: false, refang: false, fields_only: false, allow: Allowlist::default() }
    }

    /// What reads the times of lines.
    fn clock(&self) -> Clock {
        Clock::new(self.filter.at)
    }
}

impl Matcher {
    /// Prepares a rule set for matching: judges each indicator and builds the index over those that take part.
    pub fn new(rules: Arc<RuleSet>, options: Options) -> Self {
        // What came with a compiled index serves whoever takes part.
        let filters = Filters::open(rules.sections()).ok().flatten();
        let index = Index::new(Arc::clone(&rules), options.filter.clone(), filters);
        let takes_part = |row: u32| index.takes_part(row);
        let sought = || sought(&rules).filter(|(owner, _)| takes_part(owner.entry.0));
        let literals = LiteralIndex::new(sought().filter_map(|(owner, seek)| Some((owner, seek.as_literal()?))));
        let expressions =
            ExpressionIndex::new(sought().filter_map(|(owner, seek)| Some((owner, seek.as_expression()?))));
        let compounds = Compounds::new(&rules, &takes_part);
        let fields = FieldPatterns::new(&rules, &takes_part);
        Self { rules, options, index, literals, expressions, compounds, fields }
    }

    /// Whether an indicator that takes part lists a value or covers it: a prefix its addresses and, with
    /// [`Options::subdomains`], a domain the names below it. For whoever has values rather than lines, such as a resolver.
    ///
    /// ```
    /// # use stockade::{compile::{Filter, RuleSetBuilder}, matcher::{Matcher, Options}, observable::classify, stix::Timestamp};
    /// let mut rules = RuleSetBuilder::default();
    /// rules.add_value(classify("203.0.113.0/24")?)?;
    /// let filter = Filter::at(Timestamp::parse("2026-01-01T00:00:00Z")?);
    /// let matcher = Matcher::new(rules.build().into(), Options::new(filter));
    /// assert!(matcher.lists(&classify("203.0.113.9")?));
    /// assert!(!matcher.lists(&classify("198.51.100.9")?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lists(&self, value: &Value) -> bool {
        let mut listed = false;
        self.index.lookup(value, self.options.subdomains, &mut |found| listed |= found.meta.exact);
        listed
    }

    /// The rule set it looks things up in.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Its settings.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How many indicators take part; looks at all of them.
    pub fn active(&self) -> usize {
        self.rules.indicators().filter(|indicator| indicator.status(&self.options.filter) == Status::Active).count()
    }

    /// A scanner with working memory of its own, one for each thread.
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner::new(self)
    }

    /// Whether some pattern asks for several lines. Then one scanner has to be given all blocks, in order.
    pub fn has_sequences(&self) -> bool {
        !self.compounds.sequences().0.is_empty() || !self.fields.sequences().set.is_empty()
    }

    /// What the finder has to look for.
    fn wanted(&self) -> Wanted {
        let (index, hosts) = (&self.index, self.index.hosts());
        // URLs and mail addresses are met at their hosts. Only where a host is hidden have all of them to be found.
        let hidden = hosts.hidden();
        Wanted {
            ipv4: index.has(|kind| kind == Kind::Ipv4) || hosts.has_ipv4(),
            ipv6: index.has(|kind| kind == Kind::Ipv6) || hosts.has_ipv6(),
            names: index.has(|kind| kind.shape() == Shape::Suffix)
                || hosts.has_names()
                || hidden.url
                || hidden.mail
                || !self.expressions.is_empty(),
            hashes: index.has(|kind| kind.object_type() == "file"),
            mails: hidden.mail,
            urls: hidden.url,
            macs: index.has(|kind| kind == Kind::Mac),
            refang: self.options.refang,
        }
    }

    /// Whether some pattern can be told from no line before the line is read.
    fn reads_every_line(&self, structured: bool) -> bool {
        self.expressions.needs_every_line()
            || structured && (self.fields.need_every_line() || self.index.hosts().hidden() != Use::default())
    }

    /// Indicators that take part but are not looked for in plain text, and why.
    pub fn unsought(&self) -> Vec<(EntryId, &'static str)> {
        let mut unsought = [self.literals.vague(), self.expressions.unusable(), self.compounds.unsought()].concat();
        unsought.sort_by_key(|(entry, _)| *entry);
        unsought
    }

    /// Indicators that take part but are not looked for in lines with fields either, and why.
    pub fn unsought_in_fields(&self) -> Vec<(EntryId, &'static str)> {
        self.fields.unusable().to_vec()
    }
}

/// What is sought by its letters: what alone is a match, and what a pattern cannot match without.
fn sought(rules: &RuleSet) -> impl Iterator<Item = (Owner, &Seek)> {
    let parts = rules.compounds().iter().filter(|compound| compound.plain).flat_map(|compound| {
        compound.cover.iter().flatten().map(move |seek| (Owner { entry: compound.entry, exact: false }, seek))
    });
    rules.texts().iter().map(|(entry, seek)| (Owner { entry: *entry, exact: true }, seek)).chain(parts)
}
