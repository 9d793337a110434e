//! A compiled index among the sources, told by its first bytes.

use super::super::error::{Error, say};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stockade::compile::RuleSet;
use stockade::compile::file::{self, MAGIC};
use stockade::pattern::Reading;

/// Opens a file if it is a compiled index. What is no file, such as a pipe, is left as it is.
pub(super) fn open(path: &Path) -> Result<Option<RuleSet>, Error> {
    if path.as_os_str() == "-" || !path.metadata().is_ok_and(|metadata| metadata.is_file()) || !is_index(path) {
        return Ok(None);
    }
    let rules = RuleSet::open(path);
    rules.map(Some).map_err(|error| match error.io() {
        Some(error) => Error::file(path, error),
        None => Error::new(format_args!("{}: {error}", path.display())),
    })
}

/// A check of an index file that goes on beside its use, which does not wait for it.
///
/// What is damaged in a large file shows as values that are not found. A search that takes long should say so, and one of
/// a single line should not read half a gigabyte first.
#[derive(Debug)]
pub(crate) struct Verification(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    is_over: AtomicBool,
    is_damaged: AtomicBool,
}

impl Verification {
    /// Begins to read a file, and says on standard error if it is damaged.
    pub(crate) fn begin(path: &Path) -> Self {
        let told = Arc::new(Told::default());
        let (path, shared) = (path.to_owned(), Arc::clone(&told));
        let check = move || {
            if let Err(error) = file::check(&path, &|| !shared.is_over.load(Ordering::Relaxed)) {
                shared.is_damaged.store(true, Ordering::Relaxed);
                say(format_args!("{}: {error}. What it listed may have been missed", path.display()));
            }
        };
        // Without a thread to spare it is used unchecked, as a search is that is over before the check.
        let _ = std::thread::Builder::new().name("check".into()).spawn(check);
        Self(told)
    }

    /// Whether the file is known to be damaged by now.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.is_damaged.load(Ordering::Relaxed)
    }
}

impl Drop for Verification {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

fn is_index(path: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok() && head == MAGIC
}

/// An index is made for one way of reading patterns.
pub(super) fn check_reading(path: &Path, rules: &RuleSet, wanted: Reading) -> Result<(), Error> {
    let path = path.display();
    match (rules.reading(), wanted) {
        (Reading::Strict, Reading::Pragmatic) => Err(Error::new(format_args!(
            "{path}: was compiled with --strict; use it with --strict, or compile it again without"
        ))),
        (Reading::Pragmatic, Reading::Strict) => {
            Err(Error::new(format_args!("{path}: was compiled without --strict; compile it again with it")))
        }
        _ => Ok(()),
    }
}

/// What comes through a stream.
pub(super) enum Split<R> {
    /// A whole compiled index.
    Index(Vec<u8>),
    /// Anything else: its first bytes, and the rest.
    Text(Vec<u8>, R),
}

/// Looks at the first bytes of a stream.
pub(super) fn split<R: Read>(mut stream: R) -> io::Result<Split<R>> {
    let mut head = Vec::new();
    (&mut stream).take(MAGIC.len() as u64).read_to_end(&mut head)?;
    if head != MAGIC {
        return Ok(Split::Text(head, stream));
    }
    stream.read_to_end(&mut head)?;
    Ok(Split::Index(head))
}
