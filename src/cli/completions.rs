//! `stockade completions`: what a shell needs to complete our commands and flags.

use super::error::{Error, Outcome};
use std::io::Write;

/// Print a shell's completion script
///
/// For example: `stockade completions bash > ~/.local/share/bash-completion/completions/stockade`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "stockade", &mut script);
    std::io::stdout().write_all(&script).map_err(|error| Error::output(&error))?;
    Ok(Outcome::Yes)
}
