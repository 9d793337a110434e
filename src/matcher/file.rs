//! Compiled index files as a matcher writes and opens them: the tables of a rule set with the filters in front of them.

use super::index::Filters;
use super::{Matcher, Options};
use crate::compile::RuleSet;
use crate::compile::file::FileError;
use crate::compile::packed::Sections;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A compiled index to be written: everything that a rule set knows, and the filters that a [`Matcher`] works with, so
/// that [`Matcher::open`] has nothing left to build. The same indicators give the same bytes, in whatever order they came.
///
/// What no use of the file can bring back to life has no place in it, so the set is made by
/// [`RuleSetBuilder::build_current`](crate::compile::RuleSetBuilder::build_current). Write to a temporary file and
/// rename that: readers have the file mapped.
///
/// ```
/// use stockade::compile::{Filter, RuleSetBuilder};
/// use stockade::matcher::{Compiled, Matcher, Options};
/// use stockade::observable::classify;
/// use stockade::stix::Timestamp;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("indicators.sdx");
///
/// let mut builder = RuleSetBuilder::default();
/// builder.keep_patterns();
/// builder.add_value(classify("203.0.113.0/24")?)?;
/// let mut file = std::fs::File::create(&path)?;
/// Compiled::new(&builder.build_current()).write(&mut file)?;
///
/// let now = Timestamp::parse("2026-01-01T00:00:00Z")?;
/// let matcher = Matcher::open(&path, Options::new(Filter::at(now)))?;
/// let mut hits = Vec::new();
/// matcher.scanner().scan(b"login from 203.0.113.9\n", &mut hits);
/// assert_eq!(hits.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Compiled<'r> {
    rules: &'r RuleSet,
    sections: Sections,
}

impl<'r> Compiled<'r> {
    /// The index of a rule set.
    pub fn new(rules: &'r RuleSet) -> Self {
        let mut sections = rules.sections().clone();
        if matches!(Filters::open(&sections), Ok(None)) {
            Filters::new(rules.atoms(), &|_| true).write(&mut sections);
        }
        Self { rules, sections }
    }

    /// Writes it.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rules.write_with(&self.sections, out)
    }
}

impl Matcher {
    /// Opens a compiled index. The file is mapped, and read only where something is looked up; which of its indicators
    /// take part is judged when they are found.
    ///
    /// A file that takes its place later is not seen: open it again, and swap the matcher.
    ///
    /// # Errors
    /// The file cannot be read, or is no compiled index, of another version, cut, or damaged in what was looked at.
    pub fn open(path: &Path, options: Options) -> Result<Self, FileError> {
        Ok(Self::new(Arc::new(RuleSet::open(path)?), options))
    }
}
