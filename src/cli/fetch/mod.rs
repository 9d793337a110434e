//! `stockade fetch`: polls configured sources into their stores.

mod cursor;
mod feed;
mod index;
mod intake;
mod misp;
mod poll;
mod probe;
mod progress;
mod settings;
mod summary;
mod taxii;
mod watch;

use super::Globals;
use super::config::{Config, Source};
use super::error::{Error, Outcome, say};
use super::terminal;
use poll::{Job, Report};
pub(super) use probe::{Check, Grade, probe_feed};
pub(super) use settings::place;
use settings::settings;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
pub(super) use summary::indicators;
pub(super) use taxii::probe as probe_taxii;

/// Sources that are polled at the same time, at most.
const AT_ONCE: usize = 8;

/// Poll configured sources into their stores
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all sources were polled, what was set aside included; 2 one failed, or another \
                        process holds it. The others are polled in any case.")]
#[group(skip)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Args {
    /// Names of sources; without any, all that are configured
    #[arg(value_name = "SOURCE")]
    sources: Vec<String>,
    /// Poll each source once; this is the default
    #[arg(long)]
    once: bool,
    /// Go on polling, each source on its interval, until interrupted
    #[arg(long, conflicts_with_all = ["once", "dry_run", "force"])]
    watch: bool,
    /// Ask the servers, say what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Take a snapshot that lost more than `max_drop`, and ask for it even if the server says that it is unchanged
    #[arg(long)]
    force: bool,
    /// Print the summary of each source as an object of JSON on a line of its own
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let config = globals.config()?;
    let sources = chosen(&config, &args.sources)?;
    let dir = store_dir(&config)?;
    let out = Printer { json: args.json, globals };
    if args.watch {
        return watch::run(&config, &sources, &dir, &out, globals);
    }
    let work = Work { dir: &dir, dry_run: args.dry_run, force: args.force, stop: Arc::default() };
    let (mut all, mut changed) = (true, BTreeSet::new());
    for_each(&sources, &work, globals, &mut |report| {
        all &= report.result.is_ok();
        if report.changed() {
            changed.insert(report.source.clone());
        }
        out.print(report)
    })?;
    if !args.dry_run {
        all &= index::Indexes::new(&config, &dir, globals).write(&changed);
    }
    Ok(if all { Outcome::Yes } else { Outcome::Failed })
}

/// The folder of all stores.
pub(super) fn store_dir(config: &Config) -> Result<PathBuf, Error> {
    config.store_dir().ok_or_else(|| Error::new("no folder for stores: set dir in [store], or HOME"))
}

/// The sources of these names; all if there are none.
pub(super) fn chosen<'c>(config: &'c Config, names: &[String]) -> Result<Vec<&'c Source>, Error> {
    if config.sources.is_empty() {
        return Err(Error::new("no source is configured: stockade.toml has no [[source]]"));
    }
    if names.is_empty() {
        return Ok(config.sources.iter().collect());
    }
    let mut chosen: Vec<&Source> = Vec::new();
    for name in names {
        let source = config.source(name).ok_or_else(|| {
            let known: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
            Error::new(format_args!("there is no source {}; there are {}", name.escape_debug(), known.join(", ")))
        })?;
        if !chosen.iter().any(|other| other.name == source.name) {
            chosen.push(source);
        }
    }
    Ok(chosen)
}

/// How sources are polled.
struct Work<'a> {
    dir: &'a Path,
    dry_run: bool,
    force: bool,
    stop: Arc<AtomicBool>,
}

/// Polls sources, several at a time, and hands over the reports in order.
fn for_each(
    sources: &[&Source],
    work: &Work<'_>,
    globals: &Globals,
    take: &mut dyn FnMut(&Report) -> Result<(), Error>,
) -> Result<(), Error> {
    let bars = progress::Bars::new(globals);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(sources.len()) {
            let (sender, next, bars) = (sender.clone(), &next, &bars);
            scope.spawn(move || {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(source) = sources.get(number)
                {
                    let Work { dir, dry_run, force, ref stop } = *work;
                    let bar = bars.add(&source.name);
                    let report = Job { source, dir, dry_run, force, stop: Arc::clone(stop), bar }.run();
                    // Whoever waits for it may have given up.
                    let _ = sender.send((number, report));
                }
            });
        }
        drop(sender);
        let mut waiting = std::collections::BTreeMap::new();
        let mut shown = 0;
        for (number, report) in receiver {
            waiting.insert(number, report);
            while let Some(report) = waiting.remove(&shown) {
                bars.suspend(|| take(&report))?;
                shown += 1;
            }
        }
        Ok(())
    })
}

/// Prints what came of polls: the result on standard output, what is wrong on standard error.
struct Printer<'g> {
    json: bool,
    globals: &'g Globals,
}

impl Printer<'_> {
    fn print(&self, report: &Report) -> Result<(), Error> {
        for line in summary::warnings(report) {
            self.globals.warn(line);
        }
        if let Err(message) = &report.result {
            say(format_args!("{}: {message}", report.source));
        }
        let line = if self.json {
            summary::json(report)
        } else if report.result.is_ok() && !self.globals.quiet {
            summary::text(report)
        } else {
            return Ok(());
        };
        terminal::print(format!("{line}\n").as_bytes()).map_err(|error| Error::output(&error))
    }
}
