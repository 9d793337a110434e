//! What was held back: counted by reason on standard error, and every value in `--report FILE`.

use crate::cli::Globals;
use crate::cli::error::Error;
use crate::cli::indicators::NotUsed;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use stockade::blocklist::{Blocklist, Reason};

/// A line of the report.
#[derive(Serialize)]
struct Row<'a> {
    value: Option<String>,
    kind: Option<&'static str>,
    reason: &'static str,
    indicator: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    /// The name of the output, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
}

/// The file of the report.
pub(super) struct Report {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Report {
    /// # Errors
    /// The file cannot be made.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path).map_err(|error| Error::file(path, &error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    /// Adds what was read but could not be used.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn unused(&mut self, unused: &[NotUsed]) -> Result<(), Error> {
        for unused in unused {
            let other = unused.reason == "pattern type is not stix";
            self.row(&Row {
                value: None,
                kind: None,
                reason: if other { Reason::PatternType.word() } else { Reason::Invalid.word() },
                indicator: unused.id.as_deref(),
                detail: &unused.detail,
                output: None,
            })?;
        }
        Ok(())
    }

    /// Adds what was held back from a list.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn held(&mut self, list: &Blocklist<'_>, output: Option<&str>) -> Result<(), Error> {
        for held in list.held() {
            let (id, item) = (held.indicator().id(), held.item());
            self.row(&Row {
                value: item.map(|item| item.to_string()),
                kind: item.map(|item| item.kind().name()),
                reason: held.reason().word(),
                indicator: Some(&id),
                detail: &held.detail(),
                output,
            })?;
        }
        Ok(())
    }

    /// # Errors
    /// The file cannot be written.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.file.flush().map_err(|error| Error::file(&self.path, &error))
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let written = serde_json::to_writer(&mut self.file, row).map_err(io::Error::from);
        written.and_then(|()| self.file.write_all(b"\n")).map_err(|error| Error::file(&self.path, &error))
    }
}

/// Counts what was held back by reason, and by guard: `stockade: dns: 3 held back: guard (special 2, suffix 1)`.
pub(super) fn say_held(list: &Blocklist<'_>, name: &str, globals: &Globals) {
    let mut reasons: BTreeMap<Reason, (usize, BTreeMap<Cow<'_, str>, usize>)> = BTreeMap::new();
    for held in list.held() {
        let (count, details) = reasons.entry(held.reason()).or_default();
        *count += 1;
        if held.reason() == Reason::Guard {
            // Of a name that covers a guarded one, the detail is that name.
            let detail = held.detail();
            let guard = if detail.starts_with("covers ") { "covers".into() } else { detail };
            *details.entry(guard).or_default() += 1;
        }
    }
    for (reason, (count, details)) in &reasons {
        let details: Vec<String> = details.iter().map(|(detail, count)| format!("{detail} {count}")).collect();
        let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        globals.warn(format_args!("{name}: {count} held back: {reason}{details}"));
    }
}
