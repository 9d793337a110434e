//! Looking at a source without taking anything: what `stockade doctor` finds.

use super::feed::Location;
use super::poll::Job;
use super::{progress, settings, summary};
use crate::cli::config::{Source, SourceKind};
use crate::cli::error::Error;
use std::path::Path;
use std::sync::Arc;
use stockade::source::http::{Ask, Client, Fault};

/// Something that was looked at.
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) grade: Grade,
    /// What was found; then what can be done about it.
    pub(crate) lines: Vec<String>,
}

/// How something looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grade {
    Good,
    /// It may be wrong, and a poll copes with it.
    Doubtful,
    /// A poll fails here.
    Failed,
}

impl Check {
    pub(crate) fn good(what: &str, found: impl Into<String>) -> Self {
        Self { what: what.to_owned(), grade: Grade::Good, lines: vec![found.into()] }
    }

    pub(crate) fn bad(what: &str, found: impl Into<String>) -> Self {
        Self { grade: Grade::Failed, ..Self::good(what, found) }
    }

    pub(crate) fn doubtful(what: &str, found: impl Into<String>) -> Self {
        Self { grade: Grade::Doubtful, ..Self::good(what, found) }
    }

    pub(crate) fn advised(mut self, advice: impl Into<String>) -> Self {
        self.lines.push(advice.into());
        self
    }
}

/// Where checks go; the error is that of printing them.
pub(crate) type Tell<'t> = dyn FnMut(Check) -> Result<(), Error> + 't;

/// Looks at a source that is no TAXII server: where it is, what it answers, what could be read of it.
pub(crate) fn probe_feed(source: &Source, dir: &Path, tell: &mut Tell<'_>) -> Result<(), Error> {
    if matches!(Location::of(source), Location::Url) && !answers(source, tell)? {
        return Ok(());
    }
    let bar = progress::Bars::none().add(&source.name);
    let report = Job { source, dir, dry_run: true, force: false, stop: Arc::default(), bar }.run();
    for line in summary::warnings(&report) {
        let line = line.strip_prefix(&format!("{}: ", source.name)).unwrap_or(&line).trim().to_owned();
        tell(Check::doubtful("content", line))?;
    }
    match &report.result {
        Ok(_) => tell(Check::good("poll", summary::what(&report))),
        Err(message) => tell(Check::bad("poll", message.clone())),
    }
}

/// Whether the server gives an answer that can be used.
fn answers(source: &Source, tell: &mut Tell<'_>) -> Result<bool, Error> {
    let settings = match settings(source) {
        Ok(settings) => settings,
        Err(message) => return tell(Check::bad("settings", message)).map(|()| false),
    };
    let mut client = match Client::new(settings) {
        Ok(client) => client,
        Err(error) => return tell(Check::bad("settings", error.to_string())).map(|()| false),
    };
    let mut url = client.settings().url.clone();
    if source.kind == SourceKind::Misp && !url.path().ends_with("manifest.json") {
        url.set_path(&format!("{}/manifest.json", url.path().trim_end_matches('/')));
    }
    match client.get(&url, &Ask::default()) {
        Ok(response) => {
            let kind = response.media_type();
            let kind = if kind.is_empty() { "no media type".to_owned() } else { kind };
            tell(Check::good("answer", format!("{}, {kind}", response.status)))?;
            let check = match response.validator() {
                Some(_) => Check::good("repeats", "the server can say that nothing has changed"),
                None => Check::good("repeats", "every poll reads everything again")
                    .advised("the server gives neither ETag nor Last-Modified; choose the interval with that in mind"),
            };
            tell(check).map(|()| true)
        }
        Err(error) => {
            let check = Check::bad("answer", error.to_string());
            tell(match advice(error.fault()) {
                Some(advice) => check.advised(advice),
                None => check,
            })
            .map(|()| false)
        }
    }
}

fn advice(fault: &Fault) -> Option<&'static str> {
    Some(match fault {
        Fault::Connect(_) => "is the host right, and may this machine reach it? A proxy is taken from HTTPS_PROXY",
        Fault::Tls(_) => "a private authority is named by ca_file",
        Fault::Silent(_) | Fault::Slow(_) => "timeouts = { read = \"...\", total = \"...\" } allow for more time",
        Fault::TooLarge(_) => "max_body allows for more",
        Fault::Status { status: 404, .. } => "is the path right?",
        _ => return None,
    })
}
