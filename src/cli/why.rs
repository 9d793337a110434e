//! `stockade why`: which indicators list or cover a value, and whether each takes part.

use super::Globals;
use super::error::{Error, Outcome};

/// Show which indicators list or cover a value, and whether each is active
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An address, domain, URL, hash or mail address
    value: String,
}

pub(crate) fn run(args: &Args, _globals: &Globals) -> Result<Outcome, Error> {
    Err(Error::new(format_args!("{}: not looked up yet", args.value)))
}
