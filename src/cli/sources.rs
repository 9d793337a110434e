//! `stockade sources`: what is configured, and how fresh what was fetched of it is.

use super::Globals;
use super::config::Source;
use super::error::{Error, Outcome};
use super::fetch::{chosen, indicators as of_indicators, place, store_dir};
use super::indicators::now;
use super::terminal;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;
use stockade::stix::Timestamp;
use stockade::store::{Reader, State};

/// Intervals without success after which a source is stale.
const STALE: u64 = 3;

/// List configured sources with what was fetched of them, or check that it is fresh
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0; with --check 1 if a source is stale: never fetched, or without success for three \
                        times its interval; 2 failed."
)]
#[group(skip)]
pub(crate) struct Args {
    /// Names of sources; without any, all that are configured
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// Say which sources are stale, for monitoring
    #[arg(long)]
    check: bool,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// What is known of a source.
#[derive(Serialize)]
struct Row {
    name: String,
    kind: &'static str,
    /// Without anything that might be a secret.
    url: String,
    fetched: bool,
    stale: bool,
    indicators: u64,
    objects: u64,
    revoked: u64,
    generation: u64,
    cursor: Option<String>,
    interval_seconds: f64,
    last_success: Option<String>,
    /// Seconds since then.
    age_seconds: Option<i64>,
    last_failure: Option<Failure>,
    set_aside: std::collections::BTreeMap<String, u64>,
    /// The store cannot be read; why.
    error: Option<String>,
}

#[derive(Serialize)]
struct Failure {
    at: Option<String>,
    message: String,
    /// There was no success since.
    current: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let config = globals.config()?;
    if config.sources.is_empty() && !args.check {
        globals.warn("no source is configured: stockade.toml has no [[source]]");
        if args.json {
            print("[]\n")?;
        }
        return Ok(Outcome::Yes);
    }
    let sources = chosen(&config, &args.sources)?;
    let dir = store_dir(&config)?;
    let rows: Vec<Row> = sources.iter().map(|source| row(source, &dir, now())).collect();
    let unreadable = rows.iter().any(|row| row.error.is_some());
    let stale = rows.iter().any(|row| row.stale);
    if args.json {
        // Texts and numbers always become JSON.
        print(&format!("{}\n", serde_json::to_string_pretty(&rows).unwrap_or_default()))?;
    } else if args.check {
        print(&checked(&rows))?;
    } else {
        print(&table(&rows, globals.verbose))?;
    }
    Ok(match (unreadable, args.check && stale) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::No,
        (false, false) => Outcome::Yes,
    })
}

fn print(text: &str) -> Result<(), Error> {
    terminal::print(text.as_bytes()).map_err(|error| Error::output(&error))
}

fn row(source: &Source, dir: &Path, now: Timestamp) -> Row {
    let (state, error) = match Reader::open(dir, &source.name) {
        Ok(reader) => (reader.map(|reader| reader.state().clone()).unwrap_or_default(), None),
        Err(error) => (State::default(), Some(error.to_string())),
    };
    let age = state.last_success.map(|at| (now.seconds - at.seconds).max(0));
    let interval = source.interval.0.get();
    // In milliseconds, since tests have intervals below a second.
    let elapsed = state.last_success.map(|at| {
        u128::try_from(
            i128::from(now.seconds - at.seconds) * 1000 + i128::from(now.nanos / 1_000_000)
                - i128::from(at.nanos / 1_000_000),
        )
        .unwrap_or(0)
    });
    let failure = state.last_failure.map(|failure| Failure {
        current: failure.at >= state.last_success,
        at: failure.at.map(|at| at.to_string()),
        message: failure.message,
    });
    Row {
        name: source.name.clone(),
        kind: source.kind.name(),
        url: place(source),
        fetched: state.last_success.is_some(),
        stale: elapsed.is_none_or(|elapsed| elapsed > interval.as_millis() * u128::from(STALE)),
        indicators: state.counts.indicators.saturating_sub(state.counts.revoked),
        objects: state.counts.objects,
        revoked: state.counts.revoked,
        generation: state.generation,
        cursor: state.cursor,
        interval_seconds: interval.as_secs_f64(),
        last_success: state.last_success.map(|at| at.to_string()),
        age_seconds: age,
        last_failure: failure,
        set_aside: state.set_aside,
        error,
    }
}

/// A line for each source that is wrong; one line if none is.
fn checked(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows {
        let why = if let Some(error) = &row.error {
            error.clone()
        } else if row.stale {
            let since = match row.age_seconds {
                None if row.objects > 0 => "never read to its end".to_owned(),
                None => "never fetched".to_owned(),
                Some(age) => {
                    format!("no success for {}, and its interval is {}", ago(age), ago(whole(row.interval_seconds)))
                }
            };
            match row.last_failure.as_ref().filter(|failure| failure.current) {
                Some(failure) => format!("{since}; the last failure: {}", failure.message),
                None => since,
            }
        } else {
            continue;
        };
        // Writing to memory cannot fail.
        let _ = writeln!(out, "stale: {}: {why}", row.name);
    }
    if out.is_empty() {
        let indicators: u64 = rows.iter().map(|row| row.indicators).sum();
        let sources = if rows.len() == 1 { "source" } else { "sources" };
        let _ = writeln!(out, "fresh: {} {sources}, {}", rows.len(), of_indicators(indicators));
    }
    out
}

fn table(rows: &[Row], verbose: bool) -> String {
    let mut out = String::new();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        let state = match (&row.error, row.age_seconds) {
            (Some(_), _) => "unreadable".to_owned(),
            (None, None) if row.objects > 0 => {
                format!("{}, but never read to its end", of_indicators(row.indicators))
            }
            (None, None) => "never fetched".to_owned(),
            (None, Some(age)) => {
                format!(
                    "{}, fetched {} ago{}",
                    of_indicators(row.indicators),
                    ago(age),
                    if row.stale { ", stale" } else { "" }
                )
            }
        };
        // Writing to memory cannot fail.
        let _ = writeln!(out, "{:width$}  {:5}  {state}", row.name, row.kind);
        let _ = writeln!(out, "{:width$}         {}", "", row.url);
        if let Some(error) = &row.error {
            let _ = writeln!(out, "{:width$}         {error}", "");
        }
        if let Some(failure) = row.last_failure.as_ref().filter(|failure| failure.current || verbose) {
            let at = failure.at.as_deref().map_or("once", |at| at.get(..19).unwrap_or(at));
            let _ = writeln!(out, "{:width$}         failed {at}: {}", "", failure.message);
        }
        for (reason, count) in &row.set_aside {
            let _ = writeln!(out, "{:width$}         {count} set aside: {reason}", "");
        }
        if verbose {
            let _ = writeln!(
                out,
                "{:width$}         generation {}, {} objects, {} revoked, interval {}",
                "",
                row.generation,
                row.objects,
                row.revoked,
                ago(whole(row.interval_seconds))
            );
            if let Some(cursor) = &row.cursor {
                let _ = writeln!(out, "{:width$}         cursor {}", "", shortened(cursor));
            }
        }
    }
    out
}

/// A cursor may be long, and is for machines.
fn shortened(cursor: &str) -> String {
    let cut: String = cursor.chars().take(200).collect();
    if cut.len() < cursor.len() { format!("{cut}...") } else { cut }
}

#[expect(clippy::cast_possible_truncation, reason = "an interval is no longer than time itself")]
fn whole(seconds: f64) -> i64 {
    seconds.round() as i64
}

/// A length of time in its largest whole unit.
fn ago(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_unit() {
        for (seconds, text) in [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 days")] {
            assert_eq!(ago(seconds), text);
        }
    }
}
