//! `stockade match`: which log lines hold something that an indicator describes.
//!
//! Inputs ([`walk`], [`open`], [`decompress`]) become blocks of whole lines ([`blocks`]); threads search them and hand
//! in what is printed of each ([`pipeline`]); options like grep's decide which lines that is ([`report`]), and [`output`]
//! how it looks. What goes on for long is searched in rounds ([`follow`]), or line by line ([`stream`]).

mod active;
mod blocks;
pub(super) mod decompress;
mod document;
mod follow;
mod gather;
mod glob;
mod name;
mod open;
mod origins;
mod output;
mod pipeline;
mod record;
mod report;
mod searched;
mod sequences;
mod stream;
#[cfg(test)]
mod tests;
mod unsought;
mod walk;

use super::Globals;
use super::block::replace::Target;
use super::error::{Error, Outcome, say};
use super::signals::Signals;
use super::{indicators, terminal};
use active::{Active, Reloads};
use blocks::Limits;
use clap::builder::{PossibleValue, PossibleValuesParser};
use gather::{Counts, Gathered};
use output::page::Rows;
use output::sighting::Sightings;
use output::summary::Form;
use output::{Format, Look};
use pipeline::{Pipeline, Search, Summary};
use record::Collect;
use report::{Report, Show};
use sequences::Ledger;
use std::io::{BufWriter, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use stockade::log::Zone;
use walk::Walk;

/// Print the log lines that hold something an indicator describes
///
/// Prints `path:line:matched-value [indicator-id] line` for each hit. Exits with 0 if there was a hit, 1 if there was
/// none, and 2 if something failed.
#[derive(Clone, Debug, clap::Args)]
#[command(args_override_self = true)]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// Logs, plain or compressed; `-` is standard input, which is also read when none is named. A pattern such as
    /// `'/var/log/*.log'` stands for the files that match it
    #[arg(value_name = "LOG")]
    logs: Vec<PathBuf>,

    #[command(flatten)]
    indicators: indicators::Args,

    /// Search the files in directories, and in those below them
    #[arg(short, long, help_heading = "Input")]
    recursive: bool,
    /// How to read log lines
    #[arg(long, value_parser = log_formats(), value_name = "FORMAT", default_value = "auto", help_heading = "Input")]
    log_format: String,
    /// Time zone of logs whose times state none, such as `Europe/Berlin`, `+02:00` or `local`; by default UTC, or what
    /// the configuration says
    #[arg(long, value_parser = Zone::named, value_name = "ZONE", allow_hyphen_values = true, help_heading = "Input")]
    time_zone: Option<Zone>,
    /// Threads that search; by default one for each processor
    #[arg(short = 'j', long, value_name = "N", help_heading = "Input")]
    threads: Option<NonZeroUsize>,

    /// Go on with what is added to files, and with new files, until a signal ends it
    #[arg(long, conflicts_with_all = ["count", "max_count"], help_heading = "Operation")]
    follow: bool,
    /// Search only what was added since the last run with this file, which remembers how far each log was searched
    #[arg(long, value_name = "FILE", conflicts_with_all = ["max_count", "silent"], help_heading = "Operation")]
    state: Option<PathBuf>,
    /// Answer each line of standard input with one line at once: what was found, or `{}`
    #[arg(
        long,
        value_enum,
        value_name = "PROTOCOL",
        conflicts_with_all = [
            "logs", "recursive", "follow", "state", "format", "json", "count", "files_with_matches", "only_matching",
            "silent", "invert_match", "max_count"
        ],
        help_heading = "Operation"
    )]
    stream: Option<stream::Protocol>,

    /// A listed domain stands for its subdomains too
    #[arg(long, help_heading = "Matching")]
    subdomains: bool,
    /// Never report the values in this file, one a line: domains (with their subdomains), addresses, prefixes, URLs,
    /// hashes, mail addresses
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append, help_heading = "Matching")]
    allow: Vec<PathBuf>,
    /// Report only values that a field names, none from free text such as messages and user agents
    #[arg(long, help_heading = "Matching")]
    fields_only: bool,
    /// Find values that were made harmless too, such as `hxxp://evil[.]example`
    #[arg(long, help_heading = "Matching")]
    refang: bool,

    /// How to print hits
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "Output")]
    format: Format,
    /// Print one JSON object for each hit, as `--format json`
    #[arg(long, overrides_with = "format", help_heading = "Output")]
    json: bool,
    /// Print no hits but, at the end, how many there were by indicator, type, relation, field, input and hour
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        help_heading = "Output"
    )]
    summary: Option<Form>,
    /// Write a page (HTML, in one file) with counts, a timeline and a table of hits, too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    report: Option<PathBuf>,
    /// Print only how many lines of each input have a hit
    #[arg(short, long, help_heading = "Output")]
    count: bool,
    /// Print only the names of inputs that have a hit
    #[arg(short = 'l', long, help_heading = "Output")]
    files_with_matches: bool,
    /// Print hits without the line
    #[arg(short, long, help_heading = "Output")]
    only_matching: bool,
    /// Print nothing, and stop at the first hit with exit code 0, whatever else failed
    #[arg(short = 'q', long = "silent", help_heading = "Output")]
    silent: bool,
    /// Select the lines that have no hit
    #[arg(short = 'v', long, help_heading = "Output")]
    invert_match: bool,
    /// Stop reading an input after this many selected lines
    #[arg(short, long, value_name = "N", help_heading = "Output")]
    max_count: Option<u64>,
    /// Print line numbers; they always are
    #[arg(short = 'n', long, help_heading = "Output")]
    line_number: bool,
    /// Print the name of the input in each row; the default
    #[arg(short = 'H', long, overrides_with = "no_filename", help_heading = "Output")]
    with_filename: bool,
    /// Leave the name of the input out
    #[arg(long, overrides_with = "with_filename", help_heading = "Output")]
    no_filename: bool,
}

/// The names of log formats, for clap: `auto`, and those of the library.
fn log_formats() -> PossibleValuesParser {
    let auto = PossibleValue::new("auto").help("As fits each input, and each line that speaks for itself");
    let formats = stockade::log::formats().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(std::iter::once(auto).chain(formats))
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let started = Instant::now();
    let report = args.report(globals)?;
    if report.max == Some(0) {
        return Ok(Outcome::No);
    }
    if args.indicators.use_stdin() && (args.logs.is_empty() || args.logs.iter().any(|log| log.as_os_str() == "-")) {
        return Err(Error::new("standard input cannot be both the indicators and a log"));
    }
    let ledger = Ledger::default();
    let active = Active::load(args, report.look, ledger.clone(), globals)?;
    // Counting them means to look at all of them, which nothing else does with a compiled index.
    let loaded = if globals.verbose { active.count() } else { 0 };
    let (incomplete, check) = (active.is_incomplete(), active.check());
    let searching = Instant::now();
    let summary = if let Some(protocol) = args.stream {
        let reloads = Reloads::new(args, report.look, globals, active, true)?;
        stream::run(args, protocol, reloads, globals)?
    } else if args.follow || args.state.is_some() {
        let signals = Signals::listen(args.follow)?;
        let reloads = Reloads::new(args, report.look, globals, active, args.follow)?;
        let settings = follow::Settings { args, threads: args.threads(), report, globals };
        follow::run(&settings, reloads, &signals)?
    } else {
        search(args, active, report, globals)?
    };
    if summary.shortened {
        globals.warn("lines that are very long were printed in part, with [...] for what was left out");
    }
    if summary.lost_fields > 0 {
        let (count, limit) = (summary.lost_fields, Limits::DEFAULT.block);
        let what = if count == 1 { "line or record" } else { "lines or records" };
        globals.warn(format_args!("{count} {what} searched as plain text: longer than {limit} bytes"));
    }
    if globals.verbose {
        say(format_args!(
            "searched {} bytes, {} lines, {} inputs for {loaded} indicators: {} hits; {:.3} s to load, {:.3} s to search",
            summary.bytes,
            summary.lines,
            summary.inputs,
            summary.hits,
            (searching - started).as_secs_f64(),
            searching.elapsed().as_secs_f64()
        ));
    }
    ledger.say(globals);
    let incomplete = incomplete || check.is_some_and(|check| check.has_failed());
    Ok(match summary {
        _ if summary.any && report.show == Show::Nothing => Outcome::Yes,
        _ if summary.failed || incomplete => Outcome::Failed,
        _ if summary.any => Outcome::Yes,
        _ => Outcome::No,
    })
}

/// Searches all inputs to their ends.
fn search(args: &Args, active: Active, report: Report, globals: &Globals) -> Result<Summary, Error> {
    let mut output = std::io::stdout();
    if report.show == Show::Rows {
        output.write_all(report.look.format.head().as_bytes()).map_err(|error| Error::output(&error))?;
    }
    let page = args.report.as_deref().map(Target::open).transpose().map_err(Error::new)?;
    let sightings = report.look.format == Format::Sighting && report.show == Show::Kept;
    let gathered = Gathered {
        counts: (args.summary.is_some() || page.is_some()).then(Counts::default),
        sightings: sightings.then(|| Sightings::new(active.at())),
        rows: page.is_some().then(Rows::default),
    };
    let walk = Walk::new(&args.logs, args.recursive);
    let (run, output) = (active.run(), (Box::new(output) as Box<_>, gathered));
    let pipeline = pipeline::start(active.search, run, report, walk, output, args.threads(), Limits::DEFAULT)
        .map_err(|error| Error::new(format_args!("no thread to search with: {error}")))?;
    let searching = Instant::now();
    let bar = progress_bar(globals);
    let mut summary = pipeline.wait(|summary| {
        if let Some(bar) = bar.as_ref().filter(|_| searching.elapsed() > Duration::from_secs(1)) {
            bar.set_message(format!("{} hits", summary.hits));
            bar.set_position(summary.bytes);
        }
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if let Some(error) = summary.output_error.take() {
        return Err(Error::output(&error));
    }
    conclude(&pipeline, args, page.as_ref())?;
    Ok(summary)
}

/// Writes what had to wait for the end.
fn conclude<S: Search>(pipeline: &Pipeline<S>, args: &Args, page: Option<&Target>) -> Result<(), Error> {
    let (gathered, rules, run) = (pipeline.gathered(), pipeline.rules(), pipeline.run());
    let mut out = std::io::stdout().lock();
    if let Some(sightings) = &gathered.sightings {
        sightings.write(rules, &mut BufWriter::new(&mut out)).map_err(|error| Error::output(&error))?;
    }
    if let (Some(form), Some(counts)) = (args.summary, &gathered.counts) {
        terminal::print(&form.write(counts, rules, run)).map_err(|error| Error::output(&error))?;
    }
    if let (Some(page), Some(counts), Some(rows)) = (page, &gathered.counts, &gathered.rows) {
        page.write_whole(&|out| rows.write(counts, rules, run, out)).map_err(Error::new)?;
    }
    Ok(())
}

impl Args {
    fn threads(&self) -> usize {
        match self.threads {
            Some(threads) => threads.get(),
            None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// What to print. Where options contradict each other, grep's order holds: `-q` before `-l` before `-c`.
    fn report(&self, globals: &Globals) -> Result<Report, Error> {
        let format = if self.json { Format::Json } else { self.format };
        self.contradiction(format).map_or(Ok(()), |message| Err(Error::new(message)))?;
        let show = if self.silent {
            Show::Nothing
        } else if self.files_with_matches {
            Show::Names
        } else if self.count {
            Show::Count
        } else if self.summary.is_some() || format == Format::Sighting {
            Show::Kept
        } else {
            Show::Rows
        };
        let collect = match (&self.report, show) {
            (Some(_), _) => Collect::Lines,
            (None, Show::Kept) => Collect::Hits,
            (None, _) => Collect::Nothing,
        };
        let look = Look {
            format,
            filename: !self.no_filename,
            only_matching: self.only_matching,
            color: globals.color.for_stdout(),
            escape: std::io::stdout().is_terminal(),
        };
        Ok(Report { show, invert: self.invert_match, max: self.max_count, look, collect })
    }

    /// What was asked for that cannot go together.
    fn contradiction(&self, format: Format) -> Option<String> {
        let lines = [(self.count, "-c"), (self.files_with_matches, "-l"), (self.invert_match, "-v")];
        let mut lines = lines.into_iter().filter_map(|(given, flag)| given.then_some(flag));
        if self.report.is_some() {
            // Both end the reading of an input early.
            let early = [(self.silent, "-q"), (self.files_with_matches, "-l")].into_iter().find(|(given, _)| *given);
            if let Some((_, flag)) = early {
                return Some(format!("{flag} stops at the first hit, so it cannot go with --report"));
            }
            if self.invert_match {
                return Some("-v selects lines without a hit, so it cannot go with --report".to_owned());
            }
        }
        let long = [(self.follow, "--follow"), (self.state.is_some(), "--state"), (self.stream.is_some(), "--stream")];
        if let Some((_, flag)) = long.into_iter().find(|(given, _)| *given) {
            let whole = self.summary.is_some() || self.report.is_some() || format == Format::Sighting;
            if whole {
                return Some(format!(
                    "{flag} writes hits as they come, so --summary, --report and --format sighting do not go with it"
                ));
            }
        }
        if self.silent {
            return None;
        }
        if self.summary.is_some() {
            let other = lines.next().map(str::to_owned);
            let other = other.or((format != Format::Text).then(|| format!("--format {}", format.name())));
            return other.map(|other| format!("--summary is printed in place of hits, so it cannot go with {other}"));
        }
        if let Some(flag) = lines.next().filter(|_| format != Format::Text) {
            return Some(format!("{flag} prints no hits, so it cannot go with --format {}", format.name()));
        }
        let event = self.only_matching && format.is_event();
        event.then(|| format!("-o leaves out the line, which is what --format {} writes", format.name()))
    }
}

/// Shows the bytes searched so far, unless nobody wants to see it. Drawn when it is first set.
fn progress_bar(globals: &Globals) -> Option<indicatif::ProgressBar> {
    if !globals.progress.wanted() || globals.quiet {
        return None;
    }
    let bar = indicatif::ProgressBar::no_length();
    let style =
        indicatif::ProgressStyle::with_template("{spinner} {decimal_bytes} searched, {decimal_bytes_per_sec}, {msg}");
    bar.set_style(style.unwrap_or_else(|_| indicatif::ProgressStyle::default_spinner()));
    Some(bar)
}
