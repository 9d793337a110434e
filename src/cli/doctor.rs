//! `stockade doctor SOURCE`: what stands between a source and its indicators, step by step.

use super::Globals;
use super::config::{Scheme, Source, SourceKind};
use super::error::{Error, Outcome};
use super::fetch::{Check, Grade, chosen, indicators, place, probe_feed, probe_taxii, store_dir};
use super::terminal;
use std::fmt::Write as _;
use stockade::stix::Timestamp;
use stockade::store::Reader;

/// Ask a source step by step, and say what was found and what can be done about it; nothing is written
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nothing is wrong, 2 something is.")]
#[group(skip)]
pub(crate) struct Args {
    /// Name of a source
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<String>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let config = globals.config()?;
    let dir = store_dir(&config)?;
    let mut well = true;
    for source in chosen(&config, &args.sources)? {
        show(&Check::good("configuration", configuration(source)))?;
        let mut check = |check: Check| {
            well &= check.grade != Grade::Failed;
            show(&check)
        };
        check(store(source, &dir))?;
        match source.kind {
            SourceKind::Taxii => probe_taxii(source, &mut check)?,
            _ => probe_feed(source, &dir, &mut check)?,
        }
    }
    Ok(if well { Outcome::Yes } else { Outcome::Failed })
}

fn show(check: &Check) -> Result<(), Error> {
    let mark = match check.grade {
        Grade::Good => "ok",
        Grade::Doubtful => "doubt",
        Grade::Failed => "FAILED",
    };
    let mut out = format!("{mark:6}  {}: ", check.what);
    // Writing to memory cannot fail.
    let _ = writeln!(out, "{}", check.lines.join("\n        "));
    terminal::print(out.as_bytes()).map_err(|error| Error::output(&error))
}

/// What the configuration says, secrets left out.
fn configuration(source: &Source) -> String {
    let auth = &source.auth;
    let key = match (&auth.key_env, &auth.key_file) {
        (Some(variable), _) => format!(", key from the environment variable {variable}"),
        (None, Some(file)) => format!(", key from {}", file.display()),
        (None, None) => String::new(),
    };
    let scheme = match auth.scheme {
        Scheme::None => "no authentication",
        Scheme::Bearer => "bearer",
        Scheme::Token => "token",
        Scheme::ApiKey => "api-key",
        Scheme::Basic => "basic",
    };
    format!("{}, {}, {scheme}{key}", source.kind.name(), place(source))
}

fn store(source: &Source, dir: &std::path::Path) -> Check {
    match Reader::open(dir, &source.name) {
        Ok(None) => Check::good("store", "never fetched"),
        Ok(Some(reader)) => {
            let state = reader.state();
            let active = state.counts.indicators.saturating_sub(state.counts.revoked);
            let success = state.last_success.map(|at| Timestamp { nanos: 0, ..at });
            let success = success.map_or("never".to_owned(), |at| at.to_string());
            let found = format!("{}, last success {success}", indicators(active));
            match &state.last_failure {
                Some(failure) if failure.at >= state.last_success => {
                    Check::doubtful("store", found).advised(format!("the last poll failed: {}", failure.message))
                }
                _ => Check::good("store", found),
            }
        }
        Err(error) => Check::bad("store", error.to_string()),
    }
}
