//! `stockade formats`: what a blocklist can be written as.

use super::error::{Error, Outcome};
use super::terminal;
use serde::Serialize;
use std::fmt::Write as _;
use stockade::blocklist::Subdomains;
use stockade::render::Format;

/// List the formats of blocklists, with the kinds that each can carry
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    kinds: Vec<&'static str>,
    one_kind: bool,
    subdomains: &'static str,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Error> {
    let mut out = String::new();
    if args.json {
        let rows: Vec<Row> = Format::all().map(row).collect();
        // Strings and booleans always become JSON.
        out.push_str(&serde_json::to_string_pretty(&rows).unwrap_or_default());
        out.push('\n');
    } else {
        let width = Format::all().map(|format| format.name.len()).max().unwrap_or(0);
        for format in Format::all() {
            let kinds = format.kind_names().join(if format.one_kind { " | " } else { " " });
            // Writing to memory cannot fail.
            let _ = writeln!(out, "{:width$}  {} ({kinds})", format.name, format.about);
        }
    }
    terminal::print(out.as_bytes()).map_err(|error| Error::output(&error))?;
    Ok(Outcome::Yes)
}

fn row(format: &'static Format) -> Row {
    let subdomains = match format.subdomains {
        Subdomains::Option => "option",
        Subdomains::Always => "always",
        Subdomains::Never => "never",
    };
    Row { name: format.name, kinds: format.kind_names(), one_kind: format.one_kind, subdomains }
}
