//! Index files that follow the stores: each `[[index]]` is written anew when one of its sources has changed.

use crate::cli::config::{Config, Index};
use crate::cli::error::{Error, say};
use crate::cli::{Globals, compile};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use stockade::store::Reader;

/// The index files of a configuration.
pub(super) struct Indexes<'c> {
    config: &'c Config,
    dir: &'c Path,
    globals: &'c Globals,
}

impl<'c> Indexes<'c> {
    pub(super) fn new(config: &'c Config, dir: &'c Path, globals: &'c Globals) -> Self {
        Self { config, dir, globals }
    }

    /// Writes the files of which a source has changed, and those that are not there. Whether all went well; what did
    /// not is said.
    pub(super) fn write(&self, changed: &BTreeSet<String>) -> bool {
        let is_due = |index: &&Index| !index.path.exists() || self.sources(index).any(|name| changed.contains(name));
        let mut all = true;
        for index in self.config.indexes.iter().filter(is_due) {
            match self.write_one(index) {
                Ok(()) => {}
                Err(Error::Closed) => all = false,
                Err(Error::Message(message)) => {
                    all = false;
                    say(message);
                }
            }
        }
        all
    }

    fn write_one(&self, index: &Index) -> Result<(), Error> {
        // What was never fetched is nothing that an index could wait for.
        let fetched = |name: &&str| Reader::open(self.dir, name).is_ok_and(|reader| reader.is_some());
        let sources: Vec<PathBuf> = self.sources(index).filter(fetched).map(PathBuf::from).collect();
        if sources.is_empty() {
            return Ok(());
        }
        compile::index(sources, &index.path, self.globals)
    }

    /// The sources of an index; all, if it names none.
    fn sources<'s>(&'s self, index: &'s Index) -> impl Iterator<Item = &'s str> {
        let all = self.config.sources.iter().map(|source| source.name.as_str());
        all.filter(|name| index.sources.is_empty() || index.sources.iter().any(|other| other == name))
    }
}
