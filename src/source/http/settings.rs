//! What a client of one source is told.

use super::error::{Error, Fault};
use super::secret::Auth;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// What a client of one source is told. [`Settings::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the source, for messages.
    pub name: String,
    /// Where it is; decides which hosts may be asked if `hosts` says nothing.
    pub url: Url,
    /// How the client says who it is.
    pub auth: Auth,
    /// Who may be asked: `host` (any port) or `host:port`. By default the host and port of `url` and the same with, or
    /// without, `www.`.
    pub hosts: Option<Vec<String>>,
    /// Plain HTTP is allowed to any listed host, not to the machine itself alone.
    pub allow_http: bool,
    /// Certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificate (PEM) that the client shows.
    pub client_cert: Option<PathBuf>,
    /// The key of that certificate (PEM), if it is not in the same file.
    pub client_key: Option<PathBuf>,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Bytes of one answer, after decompression, at most.
    pub max_body: u64,
    /// What one poll may cost.
    pub limits: Limits,
}

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte: the longest silence.
    pub read: Duration,
    /// For one request in all, its body included. Past it nothing is tried again.
    pub total: Duration,
}

/// What one poll may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tries of one request, when faults are transient.
    pub tries: u32,
    /// Time slept in all, be it for faults or because the server asked for it.
    pub sleep: Duration,
    /// Requests in all, those tried again included.
    pub requests: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), read: Duration::from_secs(30), total: Duration::from_secs(600) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { tries: 4, sleep: Duration::from_secs(300), requests: 100_000 }
    }
}

impl Settings {
    /// The defaults for the source of this name and address.
    ///
    /// # Errors
    /// The address is no URL of the scheme `https` or `http` with a host, or it holds a user or password.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, Error> {
        let name = name.into();
        let fault = |what: String| Error::new(&name, None, Fault::Settings(what));
        let url = Url::parse(url.trim()).map_err(|error| fault(format!("url is no URL: {error}")))?;
        check_url(&url).map_err(fault)?;
        Ok(Self {
            name,
            url,
            auth: Auth::None,
            hosts: None,
            allow_http: false,
            ca_file: None,
            client_cert: None,
            client_key: None,
            timeouts: Timeouts::default(),
            max_body: 1 << 30,
            limits: Limits::default(),
        })
    }
}

/// Whether an address is one that a client may have been given.
pub(super) fn check_url(url: &Url) -> Result<(), String> {
    if !matches!(url.scheme(), "https" | "http") {
        return Err(format!("a URL begins with https:// or http://, not {}:", super::tidy(url.scheme())));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the URL names no host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user or password; say them in auth".into());
    }
    Ok(())
}
