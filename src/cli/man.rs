//! `stockade man`: manual pages, made from the declarations of the flags.

use super::error::{Error, Outcome};
use std::io::Write;
use std::path::PathBuf;

/// Print a manual page, or write all of them into a directory
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command to describe; without it, stockade as a whole
    command: Option<String>,
    /// Write the pages of all commands into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Error> {
    let mut whole = super::command();
    whole.build();
    if let Some(dir) = &args.dir {
        clap_mangen::generate_to(whole, dir).map_err(|error| Error::file(dir, &error))?;
        return Ok(Outcome::Yes);
    }
    let described = match &args.command {
        None => &whole,
        Some(name) => whole.find_subcommand(name).ok_or_else(|| Error::new(format_args!("no command {name}")))?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(described.clone()).render(&mut page).map_err(|error| Error::output(&error))?;
    std::io::stdout().write_all(&page).map_err(|error| Error::output(&error))?;
    Ok(Outcome::Yes)
}
