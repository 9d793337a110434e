//! `--allow FILE`: values that are never reported.

use super::Globals;
use super::error::Error;
use std::fs;
use std::path::PathBuf;
use stockade::matcher::Allowlist;
use stockade::observable::{Value, classify};

/// How many lines that are no values are shown; the rest is counted.
const SHOWN: usize = 3;

/// Reads the values of these files, one a line; `#` begins a comment. A line that is no value is reported and left out.
pub(crate) fn allowlist(files: &[PathBuf], globals: &Globals) -> Result<Allowlist, Error> {
    let mut values = Vec::new();
    for path in files {
        let bytes = fs::read(path).map_err(|error| Error::file(path, &error))?;
        let mut wrong = 0;
        for (number, line) in (1..).zip(String::from_utf8_lossy(&bytes).lines()) {
            match value(line) {
                Ok(value) => values.extend(value),
                Err(reason) => {
                    wrong += 1;
                    if wrong <= SHOWN {
                        globals.warn(format_args!("{}:{number}: not allowed: {reason}", path.display()));
                    }
                }
            }
        }
        if wrong > SHOWN {
            globals.warn(format_args!("{}: {} more lines that are no values", path.display(), wrong - SHOWN));
        }
    }
    Ok(Allowlist::new(values))
}

/// The value of a line, if there is one. `*.name` and `.name` are the name, which covers what is below it anyway.
fn value(line: &str) -> Result<Option<Value>, String> {
    let line = line.trim_start_matches('\u{feff}');
    let comment =
        line.match_indices('#').find(|(place, _)| line[..*place].chars().next_back().is_none_or(char::is_whitespace));
    let text = comment.map_or(line, |(place, _)| &line[..place]).trim();
    if text.is_empty() {
        return Ok(None);
    }
    let text = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    classify(text).map(Some).map_err(|error| format!("{text}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_values_comments_or_wrong() {
        for (line, expected) in [
            ("example.com", Ok(Some("example.com"))),
            ("  10.0.0.0/8\t# ours", Ok(Some("10.0.0.0/8"))),
            ("*.example.com", Ok(Some("example.com"))),
            (".Example.COM", Ok(Some("example.com"))),
            ("http://example.com/a#b", Ok(Some("http://example.com/a#b"))),
            ("# all of it", Ok(None)),
            ("\u{feff}", Ok(None)),
            ("", Ok(None)),
            ("no value", Err(())),
        ] {
            let value = value(line).map(|value| value.map(|value| value.to_string())).map_err(|_| ());
            assert_eq!(value, expected.map(|text| text.map(str::to_owned)), "{line:?}");
        }
    }
}
