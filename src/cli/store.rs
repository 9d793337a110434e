//! `stockade store`: what was fetched and kept, and what can be done with it.

mod export;
mod show;

use super::Globals;
use super::config::Config;
use super::error::{Error, Outcome, say};
use super::terminal;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use stockade::store::{self, Reader, StoreError, Writer};

/// Show and look after what was fetched
///
/// Each configured source has a store of its own: the newest version of every object that it sent. Fetching writes it,
/// one process at a time; everything else reads it, and never waits.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    show: show::Args,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Show(show::Args),
    /// Check that every store is what was written: exit 1 if one is damaged
    Verify {
        /// The sources; all, if none is named
        sources: Vec<String>,
    },
    /// Give space that nothing uses any more back to the system
    Compact {
        /// The sources; all, if none is named
        sources: Vec<String>,
    },
    Export(export::Args),
    /// Go back to the set of objects before the last poll that changed something
    ///
    /// The cursor goes back with it, so that nothing is lost: the next fetch reads again what came since. Leave the source
    /// out of fetching until it is repaired. One step is kept.
    Rollback {
        /// The sources
        #[arg(required = true)]
        sources: Vec<String>,
    },
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let config = globals.config()?;
    let dir = dir(&config)?;
    let selection = Selection { config: &config, dir: &dir };
    match &args.action {
        None => show::run(&args.show, &selection),
        Some(Action::Show(args)) => show::run(args, &selection),
        Some(Action::Verify { sources }) => verify(&selection, sources),
        Some(Action::Compact { sources }) => compact(&selection, sources),
        Some(Action::Export(args)) => export::run(args, &selection, globals),
        Some(Action::Rollback { sources }) => rollback(&selection, sources),
    }
}

/// The folder of all state.
pub(crate) fn dir(config: &Config) -> Result<PathBuf, Error> {
    config.store_dir().ok_or_else(|| Error::new("there is no folder for state: neither [store] dir nor $HOME is set"))
}

/// What was fetched of a source.
///
/// # Errors
/// Nothing was, or it cannot be read.
pub(crate) fn fetched(dir: &Path, name: &str) -> Result<Reader, Error> {
    let reader = Reader::open(dir, name).map_err(Error::new)?;
    let failure = reader.as_ref().and_then(|reader| reader.state().last_failure.as_ref());
    let failure = failure.map(|failure| format!(" (last failure: {})", failure.message)).unwrap_or_default();
    // One that failed before anything came is as good as none.
    reader.filter(|reader| reader.state().last_success.is_some() || reader.state().counts.objects > 0).ok_or_else(
        || {
            Error::new(format_args!(
                "source {name} has never been fetched; fetch it first: stockade fetch {name}{failure}"
            ))
        },
    )
}

/// Sources that commands may speak of: those of the configuration file, and those of which something is kept.
struct Selection<'c> {
    config: &'c Config,
    dir: &'c Path,
}

impl Selection<'_> {
    /// Those that are named, or all.
    fn names(&self, named: &[String]) -> Result<Vec<String>, Error> {
        let mut known: Vec<String> = self.config.sources.iter().map(|source| source.name.clone()).collect();
        for kept in store::sources(self.dir).map_err(Error::new)? {
            if !known.contains(&kept) {
                known.push(kept);
            }
        }
        if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
            return Err(Error::new(format_args!("there is no source {unknown}, neither configured nor kept")));
        }
        Ok(if named.is_empty() { known } else { named.to_vec() })
    }

    /// Those of which something is kept.
    fn kept(&self, named: &[String]) -> Result<Vec<String>, Error> {
        let kept = store::sources(self.dir).map_err(Error::new)?;
        let (names, missing): (Vec<_>, Vec<_>) = self.names(named)?.into_iter().partition(|name| kept.contains(name));
        match missing.first().filter(|_| !named.is_empty()) {
            Some(name) => Err(Error::new(format_args!(
                "source {name} has never been fetched; fetch it first: stockade fetch {name}"
            ))),
            None => Ok(names),
        }
    }

    /// Does something with each, and prints what came of it. One that fails does not stop the others.
    fn each(
        &self,
        named: &[String],
        mut run: impl FnMut(&str, &mut String) -> Result<Outcome, StoreError>,
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome::Yes;
        for name in self.kept(named)? {
            let mut out = String::new();
            match run(&name, &mut out) {
                Ok(Outcome::Yes) => {}
                Ok(worse) if outcome != Outcome::Failed => outcome = worse,
                Ok(_) => {}
                Err(error) => {
                    say(error);
                    outcome = Outcome::Failed;
                }
            }
            terminal::print(out.as_bytes()).map_err(|error| Error::output(&error))?;
        }
        Ok(outcome)
    }
}

fn verify(selection: &Selection<'_>, sources: &[String]) -> Result<Outcome, Error> {
    selection.each(sources, |name, out| {
        let verified = match Reader::open(selection.dir, name) {
            Ok(Some(reader)) => reader.verify()?,
            Ok(None) => {
                let _ = writeln!(out, "{name}: empty");
                return Ok(Outcome::Yes);
            }
            Err(error) if error.is_damage() => {
                let _ = writeln!(out, "{name}: damaged\n  {error}");
                return Ok(Outcome::No);
            }
            Err(error) => return Err(error),
        };
        if verified.fault_count == 0 {
            let _ = writeln!(out, "{name}: sound, {} objects", verified.objects);
            return Ok(Outcome::Yes);
        }
        let _ =
            writeln!(out, "{name}: damaged, {} faults, {} objects are right", verified.fault_count, verified.objects);
        for fault in &verified.faults {
            let _ = writeln!(out, "  {fault}");
        }
        let folder = selection.dir.join("sources").join(name);
        let _ = writeln!(
            out,
            "  bring {} back from a backup, or delete it and fetch the source again from its beginning",
            folder.display()
        );
        Ok(Outcome::No)
    })
}

fn compact(selection: &Selection<'_>, sources: &[String]) -> Result<Outcome, Error> {
    selection.each(sources, |name, out| {
        let (before, after) = Writer::open(selection.dir, name)?.compact()?;
        let _ = writeln!(out, "{name}: {} before, {} now", show::size(before), show::size(after));
        Ok(Outcome::Yes)
    })
}

fn rollback(selection: &Selection<'_>, sources: &[String]) -> Result<Outcome, Error> {
    selection.each(sources, |name, out| {
        let mut writer = Writer::open(selection.dir, name)?;
        let generation = writer.rollback()?;
        let _ = writeln!(
            out,
            "{name}: back at generation {generation}, {} objects; the next fetch reads again what came since",
            writer.state().counts.objects
        );
        Ok(Outcome::Yes)
    })
}
