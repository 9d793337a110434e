//! `--allow FILE`: values that are never reported.

use super::Globals;
use super::error::Error;
use std::fs;
use std::path::PathBuf;
use stockade::blocklist::read_allowlist;
use stockade::matcher::Allowlist;

/// How many lines that are no values are shown; the rest is counted.
const SHOWN: usize = 3;

/// Reads the values of these files. A line that is no value is reported and left out.
pub(crate) fn allowlist(files: &[PathBuf], globals: &Globals) -> Result<Allowlist, Error> {
    let mut values = Vec::new();
    for path in files {
        let file = fs::read(path).map_err(|error| Error::file(path, &error))?;
        let (read, errors) = read_allowlist(&file);
        values.extend(read);
        for error in errors.iter().take(SHOWN) {
            globals.warn(format_args!("{}:{}: not allowed: {}", path.display(), error.line, error.reason));
        }
        if errors.len() > SHOWN {
            globals.warn(format_args!("{}: {} more lines that are no values", path.display(), errors.len() - SHOWN));
        }
    }
    Ok(Allowlist::new(values))
}
