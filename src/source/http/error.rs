//! Why a request failed, in words for the one who configured the source.

use super::explain::{address, duration, tidy};
use std::fmt;
use std::io;
use std::time::Duration;
use url::Url;

/// Why a request failed. It names the source and the address, without its query; never a credential.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    source: String,
    address: Option<String>,
    fault: Fault,
    /// Tries that were made, if it was more than one.
    tries: u32,
    retry_after: Option<Duration>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The settings make no sense, or a file that they name cannot be used.
    Settings(String),
    /// The request would have gone where the source does not allow it.
    Refused(String),
    /// No connection came about.
    Connect(String),
    /// The server's certificate is not trusted, or no encryption was agreed on.
    Tls(String),
    /// The server was silent for too long.
    Silent(Duration),
    /// The request took too long in all.
    Slow(Duration),
    /// The answer is larger than it may be.
    TooLarge(u64),
    /// The connection broke, or what came is no HTTP.
    Broken(String),
    /// The server answered with a status that is no success.
    Status {
        /// The status.
        status: u16,
        /// What the server said about it.
        said: Option<String>,
        /// What can be done about it.
        advice: Option<String>,
    },
    /// The server asks to wait for longer than the client may sleep.
    Wait(Duration),
    /// All requests of one poll are used up.
    Budget(u64),
    /// The answer is not what was asked for.
    Answer(String),
    /// The client was told to stop.
    Stopped,
}

impl Error {
    pub(crate) fn new(source: &str, url: Option<&Url>, fault: Fault) -> Self {
        let retry_after = if let Fault::Wait(wait) = fault { Some(wait) } else { None };
        Self(Box::new(Inner { source: source.to_owned(), address: url.map(address), fault, tries: 1, retry_after }))
    }

    pub(super) fn with_tries(mut self, tries: u32) -> Self {
        self.0.tries = tries;
        self
    }

    pub(super) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait.or(self.0.retry_after);
        self
    }

    /// What went wrong.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The status of the answer, if there was one that was no success.
    pub fn status(&self) -> Option<u16> {
        if let Fault::Status { status, .. } = self.0.fault { Some(status) } else { None }
    }

    /// How long the server asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same request may well succeed later.
    pub fn is_transient(&self) -> bool {
        self.0.fault.is_transient()
    }

    /// The error that a [`super::Body`] gave, inside the one that a reader of it gave.
    pub fn of_body(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl Fault {
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Silent(_) | Self::Broken(_) => true,
            Self::Status { status, .. } => is_transient_status(*status),
            _ => false,
        }
    }
}

/// Whether a status says that the server, or what stands before it, may do better soon.
pub(super) fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 520..=529)
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { source, address, fault, tries, retry_after } = &*self.0;
        write!(out, "{}: ", tidy(source))?;
        if let Some(address) = address {
            write!(out, "{address}: ")?;
        }
        fault.fmt(out)?;
        if let (Some(wait), false) = (retry_after, matches!(fault, Fault::Wait(_))) {
            write!(out, "; it asks to come back in {}", duration(*wait))?;
        }
        if *tries > 1 {
            write!(out, " (tried {tries} times)")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(what) | Self::Refused(what) | Self::Answer(what) => out.write_str(what),
            Self::Connect(what) => write!(out, "no connection: {what}"),
            Self::Tls(what) => write!(out, "no trusted connection: {what}"),
            Self::Silent(after) => write!(out, "the server was silent for {} (timeouts.read)", duration(*after)),
            Self::Slow(after) => write!(out, "not done after {} (timeouts.total)", duration(*after)),
            Self::TooLarge(limit) => write!(out, "the answer is larger than {limit} bytes (max_body)"),
            Self::Broken(what) => write!(out, "the answer broke off: {what}"),
            Self::Status { status, said, advice } => {
                write!(out, "the server answered {status}")?;
                let reason = reqwest::StatusCode::from_u16(*status).ok().and_then(|code| code.canonical_reason());
                if let Some(reason) = reason {
                    write!(out, " {reason}")?;
                }
                if let Some(said) = said {
                    write!(out, ", {said:?}")?;
                }
                advice.as_ref().map_or(Ok(()), |advice| write!(out, "; {advice}"))
            }
            Self::Wait(wait) => {
                write!(out, "the server asks to wait for {}, longer than one poll may", duration(*wait))
            }
            Self::Budget(requests) => write!(out, "all {requests} requests that one poll may make are used up"),
            Self::Stopped => out.write_str("stopped"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::other(error)
    }
}
