//! `stockade store show`: what is kept of each source.

use super::Selection;
use crate::cli::error::{Error, Outcome, say};
use crate::cli::indicators::now;
use crate::cli::terminal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use stockade::stix::Timestamp;
use stockade::store::{Aside, Reader, State, StoreError};

/// How much of a cursor or of something set aside is shown, in characters.
const SHOWN: usize = 120;

/// Show what is kept of each source; without a command, too
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// The sources; all, if none is named
    sources: Vec<String>,
    /// Print an object a source, as a line of JSON
    #[arg(long)]
    json: bool,
    /// Print the beginning of objects that could not be kept
    #[arg(long, conflicts_with = "json")]
    set_aside: bool,
}

pub(super) fn run(args: &Args, selection: &Selection<'_>) -> Result<Outcome, Error> {
    let now = now();
    let mut outcome = Outcome::Yes;
    for name in selection.names(&args.sources)? {
        let configured = selection.config.source(&name).is_some();
        let row = match Row::read(selection.dir, &name, configured, now) {
            Ok(row) => row,
            Err(error) => {
                say(error);
                outcome = Outcome::Failed;
                continue;
            }
        };
        let mut out = String::new();
        if args.json {
            // Strings and numbers always become JSON.
            out.push_str(&serde_json::to_string(&row).unwrap_or_default());
            out.push('\n');
        } else {
            row.text(now, &mut out);
        }
        if args.set_aside {
            for Aside { reason, text } in &row.aside {
                let _ = writeln!(out, "  {reason}: {}", shorten(&String::from_utf8_lossy(text)));
            }
        }
        terminal::print(out.as_bytes()).map_err(|error| Error::output(&error))?;
    }
    Ok(outcome)
}

/// What is known of one source.
#[derive(Default, Serialize)]
struct Row {
    name: String,
    /// It is in the configuration file.
    configured: bool,
    folder: Option<String>,
    bytes: u64,
    objects: u64,
    indicators: u64,
    revoked: u64,
    expired: u64,
    generation: u64,
    /// A poll has not come to its end.
    unfinished: bool,
    /// Where a rollback leads.
    previous_generation: Option<u64>,
    cursor: Option<String>,
    last_success: Option<String>,
    last_failure: Option<Failure>,
    set_aside: BTreeMap<String, u64>,
    #[serde(skip)]
    success: Option<Timestamp>,
    #[serde(skip)]
    aside: Vec<Aside>,
}

#[derive(Serialize)]
struct Failure {
    at: Option<String>,
    message: String,
}

impl Row {
    fn read(dir: &Path, name: &str, configured: bool, now: Timestamp) -> Result<Self, StoreError> {
        let Some(reader) = Reader::open(dir, name)? else {
            return Ok(Self { name: name.to_owned(), configured, ..Self::default() });
        };
        let State { counts, last_failure, .. } = reader.state();
        let State { cursor, generation, unfinished, set_aside, last_success, .. } = reader.state().clone();
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Ok(Self {
            name: name.to_owned(),
            configured,
            folder: Some(reader.folder().display().to_string()),
            bytes: reader.size(),
            objects: counts.objects,
            indicators: counts.indicators,
            revoked: counts.revoked,
            expired: reader.expired(now)?,
            generation,
            unfinished,
            previous_generation: reader.state().previous_generation(),
            cursor,
            last_success: text(last_success.map(|at| Timestamp { nanos: 0, ..at })),
            last_failure: last_failure.as_ref().map(|failure| Failure {
                at: text(failure.at.map(|at| Timestamp { nanos: 0, ..at })),
                message: failure.message.clone(),
            }),
            set_aside,
            success: last_success,
            aside: reader.set_aside()?,
        })
    }

    fn text(&self, now: Timestamp, out: &mut String) {
        let note = if self.configured { "" } else { " (not in the configuration file)" };
        let _ = writeln!(out, "{}{note}", self.name);
        let Some(folder) = &self.folder else {
            // Writing to memory cannot fail.
            let _ = writeln!(out, "  never fetched");
            return;
        };
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "  {name:<12} {value}");
        };
        line(
            "objects",
            format!(
                "{}; {} indicators, {} of them withdrawn, {} expired",
                self.objects, self.indicators, self.revoked, self.expired
            ),
        );
        if !self.set_aside.is_empty() {
            let reasons: Vec<String> =
                self.set_aside.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            line("set aside", reasons.join(", "));
        }
        let unfinished = if self.unfinished { "; a poll has not come to its end" } else { "" };
        let back = self.previous_generation.map(|number| format!("; {number} can be brought back")).unwrap_or_default();
        line("generation", format!("{}{unfinished}{back}", self.generation));
        line("cursor", self.cursor.as_deref().map_or_else(|| "none".to_owned(), shorten));
        let success = self.success.map(|at| format!("{}, {} ago", Timestamp { nanos: 0, ..at }, age(at, now)));
        line("last success", success.unwrap_or_else(|| "never".to_owned()));
        if let Some(Failure { at, message }) = &self.last_failure {
            line("last failure", format!("{}: {}", at.as_deref().unwrap_or_default(), shorten(message)));
        }
        line("size", format!("{} in {folder}", size(self.bytes)));
    }
}

/// The beginning of a text, on one line.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// The time between two instants, as people say it.
fn age(from: Timestamp, now: Timestamp) -> String {
    let seconds = now.seconds.saturating_sub(from.seconds).max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A number of bytes, as people say it.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
