//! The TAXII client against a server on the loopback address: the shapes that SOC Defenders documents, and every fault.

#![cfg(feature = "fetch")]

mod faults;
mod server;
mod shapes;
mod taxii;
mod tls;

use server::Server;
use std::collections::BTreeSet;
use std::time::Duration;
use stockade::source::taxii::{BoxError, PollError, SetAside, Settings, Sink, Summary, Taxii};

/// What a poll gave; only what was committed counts.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) ids: BTreeSet<String>,
    pending: Vec<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) commits: usize,
    pub(crate) aside: Vec<String>,
    pub(crate) notes: Vec<String>,
    /// The sink fails at this commit.
    pub(crate) fails_at: Option<usize>,
}

impl Sink for Kept {
    fn object(&mut self, raw: &[u8]) -> Result<(), BoxError> {
        let value: serde_json::Value = serde_json::from_slice(raw)?;
        self.pending.push(value["id"].as_str().ok_or("no id")?.to_owned());
        Ok(())
    }

    fn commit(&mut self, cursor: &str) -> Result<(), BoxError> {
        self.commits += 1;
        if self.fails_at == Some(self.commits) {
            return Err("disk full".into());
        }
        self.ids.extend(self.pending.drain(..));
        self.cursor = Some(cursor.to_owned());
        Ok(())
    }

    fn set_aside(&mut self, what: &SetAside<'_>) -> Result<(), BoxError> {
        self.aside.push(format!("{}: {}", what.id.as_deref().unwrap_or("?"), what.broken.detail()));
        Ok(())
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
}

impl Kept {
    pub(crate) fn indicators(&self) -> usize {
        self.ids.iter().filter(|id| id.starts_with("indicator--")).count()
    }

    /// Polls on from where it has come to.
    pub(crate) fn poll(&mut self, settings: &Settings) -> Result<Summary, PollError> {
        self.pending.clear();
        let cursor = self.cursor.clone();
        Taxii::new(settings.clone()).expect("settings make sense").poll(cursor.as_deref(), self)
    }
}

/// Settings for a collection of a server, without long waits.
pub(crate) fn settings(server: &Server, path: &str) -> Settings {
    let mut settings = Settings::new("test", &server.url(path)).expect("a URL");
    settings.limit = 100;
    settings.http.limits.sleep = Duration::from_secs(3);
    settings.http.timeouts.read = Duration::from_millis(700);
    settings
}
