//! What a source gives, on its way into the store: counted, and set aside with its reason if it cannot be used.

use super::progress::Bar;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use stockade::source::Place;
use stockade::source::feed::Found;
use stockade::stix::Indicator;
use stockade::store::{Put, StoreError, Writer};

/// How many examples of a reason are shown.
const SHOWN: usize = 3;

/// How much of an example is shown, in characters.
const DETAIL: usize = 160;

/// What was set aside: how much of it by reason, and the first of each.
#[derive(Debug, Default)]
pub(super) struct Asides(pub(super) BTreeMap<String, Group>);

/// What was set aside for one reason.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) count: u64,
    pub(super) examples: Vec<String>,
}

impl Asides {
    pub(super) fn add(&mut self, reason: &str, example: impl FnOnce() -> String) {
        // A server may invent reasons, such as types of patterns.
        let reason = if self.0.len() < 100 || self.0.contains_key(reason) { reason } else { "other reasons" };
        let group = self.0.entry(reason.to_owned()).or_default();
        group.count += 1;
        if group.examples.len() < SHOWN {
            let text = example();
            let mut cut: String = text.chars().take(DETAIL).collect();
            if cut.len() < text.len() {
                cut.push_str("...");
            }
            group.examples.push(cut);
        }
    }
}

/// Puts objects into a store. The first failure to write is kept, and nothing is written after it.
pub(super) struct Intake<'a> {
    writer: &'a mut Writer,
    asides: &'a mut Asides,
    bar: &'a Bar,
    stop: &'a AtomicBool,
    failure: Option<StoreError>,
    objects: u64,
}

impl<'a> Intake<'a> {
    pub(super) fn new(writer: &'a mut Writer, asides: &'a mut Asides, bar: &'a Bar, stop: &'a AtomicBool) -> Self {
        Self { writer, asides, bar, stop, failure: None, objects: 0 }
    }

    /// Takes what stands at a place of a file, or of whatever `file` names.
    pub(super) fn found(&mut self, file: &str, place: Place, found: &Found<'_>) {
        let at = || format!("{file}:{}:{}", place.line, place.column);
        match found {
            Found::Object(json) => self.object(&at, json),
            Found::Rejected(rejected) => {
                let id = rejected.id.as_deref().map(|id| format!(" {id}:")).unwrap_or_default();
                self.set_aside(rejected.reason, rejected.detail.as_bytes(), || {
                    format!("{}:{id} {}", at(), rejected.detail)
                });
            }
        }
    }

    /// Takes an object as JSON.
    pub(super) fn object(&mut self, at: &dyn Fn() -> String, json: &[u8]) {
        if self.failure.is_some() || self.stop.load(Ordering::Relaxed) {
            return;
        }
        self.objects += 1;
        self.bar.objects(self.objects);
        match Indicator::from_json(json) {
            Err(error) if error.is_unusable() => {
                let message = error.to_string();
                let reason = message.split(": ").next().unwrap_or(&message);
                return self.set_aside(reason, json, || format!("{}: {message}", at()));
            }
            // It is kept, since an update of it may be usable; but nothing can be sought by it.
            Ok(indicator) if indicator.pattern_type != "stix" && !indicator.revoked => {
                let reason = format!("pattern type is not stix: {}", indicator.pattern_type);
                self.asides.add(&reason, || format!("{}: {}", at(), indicator.id));
            }
            _ => {}
        }
        match self.writer.put(json) {
            Ok(Put::SetAside(reason)) => self.asides.add(reason, || format!("{}: {}", at(), start(json))),
            Ok(_) => {}
            Err(error) => self.failure = Some(error),
        }
    }

    /// Sets something aside that is no object.
    pub(super) fn set_aside(&mut self, reason: &str, text: &[u8], example: impl FnOnce() -> String) {
        if self.failure.is_some() {
            return;
        }
        self.asides.add(reason, example);
        if let Err(error) = self.writer.set_aside(reason, text) {
            self.failure = Some(error);
        }
    }

    /// Commits what was taken, with how far the source was read.
    pub(super) fn commit(&mut self, cursor: &str) -> Result<(), String> {
        self.check()?;
        self.writer.commit(cursor).map_err(|error| error.to_string())
    }

    /// Whether everything was written so far.
    ///
    /// # Errors
    /// It was not, or the program is about to end.
    pub(super) fn check(&mut self) -> Result<(), String> {
        match self.failure.take() {
            Some(error) => Err(error.to_string()),
            None if self.stop.load(Ordering::Relaxed) => Err("stopped".to_owned()),
            None => Ok(()),
        }
    }
}

fn start(json: &[u8]) -> String {
    String::from_utf8_lossy(&json[..json.len().min(DETAIL)]).into_owned()
}
