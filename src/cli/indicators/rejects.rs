//! What could not be used: counted by reason, the first few shown, all of it written to `--rejects FILE`.

use crate::cli::Globals;
use crate::cli::error::Error;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How many examples of a reason are shown.
const SHOWN: usize = 3;

/// How much of an example's detail is shown, in characters.
const DETAIL: usize = 160;

/// Something that could not be used; serialised, a line of the file.
#[derive(Debug, Default, Serialize)]
pub(super) struct Unused<'a> {
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) source: &'a str,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) reason: &'a str,
    pub(super) detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<&'a str>,
    /// Unless it is `stix`: each is counted for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pattern_type: Option<&'a str>,
}

/// Something that could not be used, kept for a report.
#[derive(Clone, Debug)]
pub(crate) struct NotUsed {
    pub(crate) id: Option<String>,
    /// A few words, the same for all that it concerns.
    pub(crate) reason: String,
    pub(crate) detail: String,
}

pub(super) struct Rejects {
    kept: Option<Vec<NotUsed>>,
    reasons: BTreeMap<String, Group>,
    ignored: BTreeMap<&'static str, u64>,
    file: Option<(PathBuf, BufWriter<File>)>,
    /// The first failure to write; reported at the end.
    failure: Option<io::Error>,
}

#[derive(Default)]
struct Group {
    count: u64,
    examples: Vec<String>,
}

impl Rejects {
    pub(super) fn new(path: Option<&Path>, keep: bool) -> Result<Self, Error> {
        let create = |path: &Path| File::create(path).map_err(|error| Error::file(path, &error));
        let file = path.map(|path| Ok((path.to_owned(), BufWriter::new(create(path)?)))).transpose()?;
        let kept = keep.then(Vec::new);
        Ok(Self { kept, reasons: BTreeMap::new(), ignored: BTreeMap::new(), file, failure: None })
    }

    pub(super) fn add(&mut self, unused: &Unused<'_>) {
        if let Some(kept) = &mut self.kept {
            kept.push(NotUsed {
                id: unused.id.map(str::to_owned),
                reason: unused.reason.to_owned(),
                detail: unused.detail.to_owned(),
            });
        }
        let reason = match unused.pattern_type {
            Some(other) => format!("{}: {other}", unused.reason),
            None => unused.reason.to_owned(),
        };
        let group = self.reasons.entry(reason).or_default();
        group.count += 1;
        if group.examples.len() < SHOWN {
            group.examples.push(unused.example());
        }
        if let Some((_, file)) = &mut self.file
            && self.failure.is_none()
        {
            let written = serde_json::to_writer(&mut *file, unused).map_err(io::Error::from);
            self.failure = written.and_then(|()| file.write_all(b"\n")).err();
        }
    }

    /// Counts properties of indicators that were left out.
    pub(super) fn ignored(&mut self, properties: &[&'static str]) {
        for property in properties {
            *self.ignored.entry(property).or_default() += 1;
        }
    }

    /// Shows the counts, closes the file, and hands over what was kept.
    pub(super) fn finish(mut self, globals: &Globals) -> Result<Vec<NotUsed>, Error> {
        for (reason, group) in &self.reasons {
            globals.warn(format_args!("{} not used: {reason}", group.count));
            for example in &group.examples {
                globals.warn(format_args!("  {example}"));
            }
            let more = group.count - group.examples.len() as u64;
            if more > 0 {
                globals.warn(format_args!("  and {more} more"));
            }
        }
        if globals.verbose {
            for (property, count) in &self.ignored {
                globals.warn(format_args!("{property} of {count} indicators makes no sense and was left out"));
            }
        }
        if let Some((path, mut file)) = self.file.take() {
            let flushed = file.flush();
            self.failure.map_or(flushed, Err).map_err(|error| Error::file(&path, &error))?;
        }
        Ok(self.kept.unwrap_or_default())
    }
}

impl Unused<'_> {
    fn example(&self) -> String {
        let id = self.id.map(|id| format!(" {id}:")).unwrap_or_default();
        let mut detail: String = self.detail.chars().take(DETAIL).collect();
        if detail.len() < self.detail.len() {
            detail.push_str("...");
        }
        format!("{}:{}:{}:{id} {detail}", self.source, self.line, self.column)
    }
}
