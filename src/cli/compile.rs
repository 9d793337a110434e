//! `stockade compile`: one file that every command and the library open at once.

use super::Globals;
use super::block::replace::replace_file;
use super::error::{Error, Outcome};
use super::indicators::{self, Collected};
use std::path::{Path, PathBuf};
use stockade::compile::{RuleSet, RuleSetBuilder};
use stockade::matcher::Compiled;

/// Write indicators as one index file, which every command opens at once
///
/// The file takes the place of its sources: give it with -i. It keeps everything that is known of each indicator but for
/// versions that were withdrawn or superseded, and is checked, mapped into memory and read only where something is looked up. It is
/// replaced as a whole, so that whoever has it open is not disturbed. Exits with 0 if it was written or has not changed, and
/// with 2 if it was not.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// The file to write
    #[arg(short = 'o', long, value_name = "FILE", required_unless_present = "verify", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Write even if there is no indicator
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// Compare all of an index file with its checksums, and write nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "sources", "force"], help_heading = "Output")]
    verify: Option<PathBuf>,
    #[command(flatten)]
    indicators: indicators::Args,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if let Some(path) = &args.verify {
        return verify(path, globals);
    }
    let Some(path) = &args.output else { return Err(Error::new("no file to write: -o FILE is wanted")) };
    if path.as_os_str() == "-" {
        return Err(Error::new("an index is mapped into memory, so it has to be a file: -o FILE"));
    }
    if let Some(flag) = args.indicators.filter_flag() {
        return Err(Error::new(format_args!(
            "{flag} is for those who use the index: everything is kept in it but withdrawn and superseded versions"
        )));
    }
    let mut builder = RuleSetBuilder::new(args.indicators.reading());
    builder.keep_patterns();
    let Collected { builder, incomplete, .. } =
        indicators::collect(&args.indicators, globals, builder, &mut indicators::take)?;
    if incomplete {
        return Err(Error::new(format_args!("{}: not written: not all indicators could be read", path.display())));
    }
    let rules = builder.build_current();
    if rules.is_empty() && !args.force {
        return Err(Error::new(format_args!(
            "{}: not written: there is no indicator; --force writes it all the same",
            path.display()
        )));
    }
    let (written, generation) = (write(&rules, path)?, rules.generation());
    let what = if written { "written" } else { "nothing changed" };
    globals.warn(format_args!("{}: {what}: {} indicators, generation {generation}", path.display(), rules.len()));
    Ok(Outcome::Yes)
}

/// Writes the index of a rule set, unless the file holds it already; readers of the old one are not disturbed. Whether it
/// was written.
///
/// The set is to be made by [`RuleSetBuilder::build_current`], with its patterns kept.
///
/// # Errors
/// Nothing was replaced.
pub(crate) fn write(rules: &RuleSet, path: &Path) -> Result<bool, Error> {
    let compiled = Compiled::new(rules);
    replace_file(path, &|out| compiled.write(out)).map_err(Error::new)
}

/// Writes the index of what was fetched of sources, unless the file holds it already.
///
/// # Errors
/// Nothing was replaced.
pub(crate) fn index(sources: Vec<PathBuf>, path: &Path, globals: &Globals) -> Result<(), Error> {
    let indicators = indicators::Args::of(sources);
    run(&Args { output: Some(path.to_owned()), force: false, verify: None, indicators }, globals).map(drop)
}

fn verify(path: &Path, globals: &Globals) -> Result<Outcome, Error> {
    let rules = RuleSet::open(path).and_then(|rules| rules.verify().map(|()| rules));
    match rules {
        Ok(rules) => {
            let (count, generation) = (rules.len(), rules.generation());
            globals.warn(format_args!("{}: in order: {count} indicators, generation {generation}", path.display()));
            Ok(Outcome::Yes)
        }
        Err(error) => match error.io() {
            Some(error) => Err(Error::file(path, error)),
            None => Err(Error::new(format_args!("{}: {error}", path.display()))),
        },
    }
}
