//! What a command comes to: an [`Outcome`] that sets the exit code, or an [`Error`] that ends it.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// What a command found. Each command's section of the manual says what its codes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A hit, all valid, all passed: exit code 0.
    Yes,
    /// No hit, some invalid, some failed: exit code 1.
    No,
    /// The command itself failed, or an input could not be read to its end: exit code 2. Reported already.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Yes => Self::SUCCESS,
            Outcome::No => Self::from(1),
            Outcome::Failed => Self::from(2),
        }
    }
}

/// Why a command could not go on.
#[derive(Debug)]
pub(crate) enum Error {
    /// Standard output was closed by its reader.
    Closed,
    /// Anything else, as it is to be shown.
    Message(String),
}

impl Error {
    /// An error with this message.
    pub(crate) fn new(message: impl Display) -> Self {
        Self::Message(message.to_string())
    }

    /// An error with a file.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::Message(format!("{}: {}", path.display(), reason(error)))
    }

    /// An error while writing to standard output.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Message(format!("standard output: {}", reason(error))),
        }
    }
}

/// The system's words for an error, without the number that Rust puts behind them.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Writes one message to standard error. That this may fail is nobody's concern: there is no place left to say so.
pub(crate) fn say(message: impl Display) {
    let _ = super::terminal::print_error(format!("stockade: {message}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_no_numbers() {
        let error = std::fs::File::open("/no/such/file").expect_err("nothing is there");
        assert_eq!(reason(&error), "No such file or directory");
        assert_eq!(reason(&io::Error::other("odd")), "odd");
    }

    #[test]
    fn a_closed_pipe_is_told_apart() {
        assert!(matches!(Error::output(&io::ErrorKind::BrokenPipe.into()), Error::Closed));
        assert!(matches!(Error::output(&io::ErrorKind::StorageFull.into()), Error::Message(_)));
    }
}
