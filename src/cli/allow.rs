//! Files of allowed values: what is never reported, what is never blocked.

use super::Globals;
use super::config::read_file;
use super::error::Error;
use std::path::{Path, PathBuf};
use stockade::blocklist::read_allowlist;
use stockade::matcher::Allowlist;
use stockade::observable::Value;

/// How many lines that are no values are shown; the rest is counted.
const SHOWN: usize = 3;

/// What these files allow, ready to be asked.
pub(crate) fn allowlist(files: &[PathBuf], globals: &Globals) -> Result<Allowlist, Error> {
    let mut values = Vec::new();
    for path in files {
        values.extend(allowed_in(path, globals)?);
    }
    Ok(Allowlist::new(values))
}

/// The values of a file. A line that is no value is reported and left out.
///
/// # Errors
/// The file cannot be read, or there is no value in it: nothing would be allowed, and nobody would know.
pub(crate) fn allowed_in(path: &Path, globals: &Globals) -> Result<Vec<Value>, Error> {
    let (values, errors) = read_allowlist(&read_file(path)?);
    for error in errors.iter().take(SHOWN) {
        globals.warn(format_args!("{}:{}: not allowed: {}", path.display(), error.line, error.reason));
    }
    if errors.len() > SHOWN {
        globals.warn(format_args!("{}: {} more lines that are no values", path.display(), errors.len() - SHOWN));
    }
    if values.is_empty() && !errors.is_empty() {
        return Err(Error::new(format_args!("{}: nothing in it can be allowed", path.display())));
    }
    Ok(values)
}
