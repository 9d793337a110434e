//! A compiled index among the sources, told by its first bytes.

use super::super::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use stockade::compile::RuleSet;
use stockade::compile::file::MAGIC;
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
