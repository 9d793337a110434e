//! Where indicators and allowed values come from, and whether they are still what they were.

use super::Args;
use crate::cli::Globals;
use crate::cli::error::Error;
use crate::cli::store;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files, and stores of configured sources.
pub(super) struct Origins {
    files: Vec<PathBuf>,
    /// The folder of all stores, and the names of those that are used.
    stores: Option<(PathBuf, Vec<String>)>,
}

/// What is seen of a file or a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Its number, size and age.
    File(PathBuf, Option<(u64, u64, Option<SystemTime>)>),
    /// Its generation, which a fetch that brings nothing new leaves as it is.
    Store(String, Option<u64>),
}

impl Origins {
    /// Those of a search.
    pub(super) fn new(args: &Args, globals: &Globals) -> Result<Self, Error> {
        let config = globals.config()?;
        let (mut files, mut names) = (Vec::new(), Vec::new());
        for source in args.indicators.sources.iter().filter(|source| source.as_os_str() != "-") {
            match source.to_str().and_then(|name| config.source(name)) {
                Some(named) => names.push(named.name.clone()),
                None => files.push(source.clone()),
            }
        }
        files.extend(args.allow.iter().cloned());
        let stores = if names.is_empty() { None } else { Some((store::dir(&config)?, names)) };
        Ok(Self { files, stores })
    }

    /// Looks at all of them.
    pub(super) fn look(&self) -> Vec<Seen> {
        // What cannot be listed is looked at by itself, and so is seen to come back.
        let files = self.files.iter().flat_map(|file| match file.is_dir().then(|| stockade::source::files(file)) {
            Some(Ok(files)) => files,
            _ => vec![file.clone()],
        });
        let files = files.map(|file| {
            let seen = look_at_file(&file);
            Seen::File(file, seen)
        });
        let stores = self.stores.iter().flat_map(|(dir, names)| names.iter().map(move |name| (dir, name)));
        let stores = stores.map(|(dir, name)| {
            let generation = store::fetched(dir, name).ok().map(|reader| reader.state().generation);
            Seen::Store(name.clone(), generation)
        });
        files.chain(stores).collect()
    }
}

fn look_at_file(path: &Path) -> Option<(u64, u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    Some((number, metadata.len(), metadata.modified().ok()))
}
