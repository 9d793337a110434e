//! `stockade match`: which log lines hold something that an indicator describes.

use super::Globals;
use super::error::{Error, Outcome};
use std::path::PathBuf;

/// Print the log lines that hold something an indicator describes
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Logs, plain or compressed; `-` is standard input, which is also read when none is named
    #[arg(value_name = "LOG")]
    logs: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, _globals: &Globals) -> Result<Outcome, Error> {
    Err(Error::new(format_args!("{} logs: not searched yet", args.logs.len())))
}
