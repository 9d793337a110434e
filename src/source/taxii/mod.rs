//! TAXII 2.1 (and 2.0, as far as its media types and ranges go): collections of a server, page by page into a
//! [`Sink`], with a cursor that continues where the last poll ended, however it ended.
//!
//! Servers page in many ways, and lose objects in many ways. The rule here is that nothing is lost silently: pages
//! overlap by a microsecond on purpose, so that objects which were added at the same instant as the last one of a page
//! are seen; what was seen already is dropped by id and version; and where a server leaves no way to ask for the rest,
//! the poll fails with [`Failure::Gap`] and the cursor stays. See `ladder.rs`.
//!
//! ```no_run
//! use stockade::source::http::{Auth, Secret};
//! use stockade::source::taxii::{BoxError, Settings, Sink, Taxii};
//!
//! struct Print(Option<String>);
//!
//! impl Sink for Print {
//!     fn object(&mut self, raw: &[u8]) -> Result<(), BoxError> {
//!         println!("{}", String::from_utf8_lossy(raw));
//!         Ok(())
//!     }
//!     fn commit(&mut self, cursor: &str) -> Result<(), BoxError> {
//!         self.0 = Some(cursor.to_owned()); // to be kept, together with the objects
//!         Ok(())
//!     }
//! }
//!
//! let mut settings = Settings::new("socdefenders", "https://socdefenders.ai/api/taxii2/")?;
//! settings.http.auth = Auth::Bearer(Secret::from_env("SOCDEFENDERS_KEY")?);
//! settings.collections = vec!["all-iocs".into()];
//! let mut sink = Print(None);
//! let summary = Taxii::new(settings)?.poll(None, &mut sink)?;
//! println!("{} objects in {} pages", summary.objects(), summary.pages());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cursor;
mod discover;
mod ladder;
mod page;
mod poll;
mod probe;
mod seen;

pub use poll::Taxii;
pub use probe::{Finding, Outcome, probe};

use super::documents::Broken;
use super::http;
use std::fmt;

/// The error of a sink.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a poll is told. [`Settings::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The connection; its `url` is that of a discovery document, an API root or a collection, told apart by the
    /// answer.
    pub http: http::Settings,
    /// Ids, aliases or titles of collections; empty: every readable one. An id is used even when the server will not
    /// list it.
    pub collections: Vec<String>,
    /// Parameters that are sent with every request for objects. Objects of other types than `type` or `match[type]`
    /// names are dropped here if the server sends them all the same; marking definitions are not.
    pub query: Vec<(String, String)>,
    /// Objects that are asked for at a time.
    pub limit: u32,
    /// Objects of one collection in one poll, at most.
    pub max_objects: u64,
}

impl Settings {
    /// The defaults for the source of this name and address.
    ///
    /// # Errors
    /// The address is no URL that can be asked.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, http::Error> {
        Ok(Self {
            http: http::Settings::new(name, url)?,
            collections: Vec::new(),
            query: Vec::new(),
            limit: 1000,
            max_objects: 100_000_000,
        })
    }
}

/// Takes what a poll finds. An error of a sink ends the poll.
pub trait Sink {
    /// Takes an object as the server wrote it: one well-formed JSON object. The same object may come again.
    ///
    /// # Errors
    /// The sink's own.
    fn object(&mut self, raw: &[u8]) -> Result<(), BoxError>;

    /// Keeps everything since the last commit together with the cursor, at once or not at all. The text is for the next
    /// [`Taxii::poll`] alone to understand. At the end of a page, and only then.
    ///
    /// # Errors
    /// The sink's own.
    fn commit(&mut self, cursor: &str) -> Result<(), BoxError>;

    /// Takes note of something in place of an object that cannot be read.
    ///
    /// # Errors
    /// The sink's own.
    fn set_aside(&mut self, _what: &SetAside<'_>) -> Result<(), BoxError> {
        Ok(())
    }

    /// Takes note of something that an administrator may want to know, such as a collection that is not listed.
    fn note(&mut self, _text: &str) {}

    /// Takes note of how far the poll is, after each page.
    fn progress(&mut self, _progress: &Progress<'_>) {}
}

/// Something in place of an object that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside<'a> {
    /// The collection: its title, or its id.
    pub collection: &'a str,
    /// The id, if it could be made out.
    pub id: Option<String>,
    /// What is wrong with it.
    pub broken: Broken,
}

/// How far a poll is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The collection: its title, or its id.
    pub collection: &'a str,
    /// Its number among those that are polled, from 1.
    pub number: usize,
    /// How many collections are polled.
    pub collections: usize,
    /// Pages of this collection so far.
    pub pages: u64,
    /// Objects of this collection so far.
    pub objects: u64,
    /// How many objects there are in all, if the server said so.
    pub total: Option<u64>,
}

/// What was polled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Each collection that was asked for.
    pub collections: Vec<Polled>,
    /// Requests made, those tried again included.
    pub requests: u64,
}

/// What was polled of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// The id.
    pub id: String,
    /// The title, if the server told it.
    pub title: Option<String>,
    /// Pages read.
    pub pages: u64,
    /// Objects given to the sink.
    pub objects: u64,
    /// Objects that were given to it already, or that the filter drops.
    pub dropped: u64,
    /// What could not be read.
    pub set_aside: u64,
    /// Whether it was read to its end.
    pub complete: bool,
}

impl Polled {
    /// The title, or the id if there is none.
    pub fn name(&self) -> &str {
        self.title.as_deref().filter(|title| !title.is_empty()).unwrap_or(&self.id)
    }
}

impl Summary {
    /// Objects given to the sink.
    pub fn objects(&self) -> u64 {
        self.collections.iter().map(|collection| collection.objects).sum()
    }

    /// Pages read.
    pub fn pages(&self) -> u64 {
        self.collections.iter().map(|collection| collection.pages).sum()
    }

    /// What could not be read.
    pub fn set_aside(&self) -> u64 {
        self.collections.iter().map(|collection| collection.set_aside).sum()
    }
}

/// Why a poll did not reach its end. What was committed before stays good, and the next poll continues from there.
#[derive(Debug)]
pub struct PollError {
    /// What failed; several, if several collections did.
    pub failures: Vec<Failure>,
    /// What was polled all the same.
    pub summary: Summary,
}

/// What failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// A request, or what came back.
    Http(http::Error),
    /// There may be objects that the server leaves no way to ask for. The cursor was not moved beyond them.
    Gap {
        /// The source.
        source: String,
        /// The collection: its title, or its id.
        collection: String,
        /// What happened.
        what: String,
    },
    /// A collection that is not to be found.
    Collection(String),
    /// The cursor cannot be read, or the sink failed.
    Sink(BoxError),
}

impl PollError {
    /// How long the server asked to be left alone, if it did.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        let asked = |failure: &Failure| if let Failure::Http(error) = failure { error.retry_after() } else { None };
        self.failures.iter().filter_map(asked).max()
    }

    /// Whether objects may be missing.
    pub fn is_gap(&self) -> bool {
        self.failures.iter().any(|failure| matches!(failure, Failure::Gap { .. }))
    }
}

impl fmt::Display for PollError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, failure) in self.failures.iter().enumerate() {
            if at > 0 {
                out.write_str("; ")?;
            }
            failure.fmt(out)?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => error.fmt(out),
            Self::Gap { source, collection, what } => {
                write!(out, "{source}: collection {collection}: possible gap: {what}; the cursor was not moved")
            }
            Self::Collection(what) => out.write_str(what),
            Self::Sink(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for PollError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.failures.first()? {
            Failure::Http(error) => Some(error),
            Failure::Sink(error) => Some(&**error),
            Failure::Gap { .. } | Failure::Collection(_) => None,
        }
    }
}

impl From<http::Error> for Failure {
    fn from(error: http::Error) -> Self {
        Self::Http(error)
    }
}
