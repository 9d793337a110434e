//! The command line: one file per command, each with its `Args` (the flags, declared and documented) and its `run`.

mod allow;
mod block;
mod check;
mod compile;
mod completions;
mod config;
mod doctor;
mod error;
mod eval;
mod explain;
mod fetch;
mod formats;
mod indicators;
mod man;
mod matching;
mod signals;
mod sources;
mod store;
mod terminal;
mod test;
mod why;

use clap::{FromArgMatches, Parser, Subcommand};
use error::{Error, Outcome};
use std::path::PathBuf;
use std::process::ExitCode;
use terminal::{ColorChoice, ProgressChoice};

/// Checks logs against STIX threat intelligence.
#[derive(Debug, Parser)]
#[command(name = "stockade", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Exit codes of match: 0 a hit, 1 none, 2 something failed.")]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// The configuration file; without it `$STOCKADE_CONFIG`, `./stockade.toml`, the user's, the system's
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// When to use colour; `NO_COLOR` in the environment turns `auto` into `never`
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// Whether to show on standard error how far a long run has come
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ProgressChoice::Auto)]
    pub(crate) progress: ProgressChoice,
    /// Say nothing on standard error but errors
    #[arg(long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say on standard error what was done
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
}

impl Globals {
    /// Finds and reads the configuration file.
    pub(crate) fn config(&self) -> Result<config::Config, Error> {
        config::Config::find(self.config.as_deref())
    }

    /// Says something that is no error on standard error, unless the user asked for quiet.
    pub(crate) fn warn(&self, message: impl std::fmt::Display) {
        if !self.quiet {
            error::say(message);
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Match(Box<matching::Args>),
    Why(why::Args),
    Check(check::Args),
    Test(test::Args),
    Eval(eval::Args),
    Explain(explain::Args),
    Block(Box<block::Args>),
    Compile(compile::Args),
    Formats(formats::Args),
    Store(store::Args),
    Fetch(fetch::Args),
    Sources(sources::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Reads the arguments, runs the command, and turns what came of it into an exit code.
pub(crate) fn main() -> ExitCode {
    let Cli { globals, command } = match Cli::from_arg_matches(&command().get_matches()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let result = match command {
        Command::Match(args) => matching::run(&args, &globals),
        Command::Why(args) => why::run(&args, &globals),
        Command::Check(args) => check::run(&args, &globals),
        Command::Test(args) => test::run(&args, &globals),
        Command::Eval(args) => eval::run(&args, &globals),
        Command::Explain(args) => explain::run(&args, &globals),
        Command::Block(args) => block::run(&args, &globals),
        Command::Compile(args) => compile::run(&args, &globals),
        Command::Formats(args) => formats::run(&args),
        Command::Store(args) => store::run(&args, &globals),
        Command::Fetch(args) => fetch::run(&args, &globals),
        Command::Doctor(args) => doctor::run(&args, &globals),
        Command::Sources(args) => sources::run(&args, &globals),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    match result {
        Ok(outcome) => outcome.into(),
        // Whoever read our output has seen enough. That is no failure, and nothing to talk about.
        Err(Error::Closed) => ExitCode::SUCCESS,
        Err(Error::Message(message)) => {
            error::say(message);
            Outcome::Failed.into()
        }
    }
}

/// The whole command line as data, for completions and manual pages.
fn command() -> clap::Command {
    // A pattern on the command line stands in for indicators from a source.
    let optional = |sources: clap::Arg| sources.required(false).required_unless_present("patterns");
    <Cli as clap::CommandFactory>::command()
        .mut_subcommand("eval", |eval| eval.mut_arg("sources", optional))
        .mut_subcommand("compile", |compile| {
            compile.mut_arg("sources", |sources| sources.required(false).required_unless_present("verify"))
        })
        // The configuration file may name sources.
        .mut_subcommand("block", |block| block.mut_arg("sources", |sources| sources.required(false)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn declarations_are_consistent() {
        super::command().debug_assert();
    }
}
