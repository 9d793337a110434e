//! Sources that publish all they have: STIX, lists and tables, by path or URL. Each poll reads them as a whole.

use super::cursor::Cursor;
use super::intake::{Asides, Intake};
use super::poll::{Done, Job, Report};
use super::settings;
use crate::cli::config::{Source, SourceKind};
use crate::cli::error::reason;
use crate::cli::indicators::now;
use crate::cli::matching::decompress::Text;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stockade::source::feed::{self, Options, Shape};
use stockade::source::http::{self, Ask, Client, SystemClock, Url};
use stockade::source::{self, ReadError};
use stockade::store::{Mode, Writer};

/// Pages of one source, at most.
const MAX_PAGES: u64 = 100_000;

/// What servers may send. The first is what the indicators are most likely in.
const ACCEPT: &str = "application/stix+json, application/json;q=0.9, text/csv;q=0.8, text/plain;q=0.8, */*;q=0.5";

/// Where a source is.
pub(super) enum Location {
    Path(PathBuf),
    Url,
}

impl Location {
    pub(super) fn of(source: &Source) -> Self {
        if let Some(path) = source.url.strip_prefix("file://") {
            return Self::Path(path.into());
        }
        if source.url.contains("://") { Self::Url } else { Self::Path(source.url.clone().into()) }
    }
}

pub(super) fn poll(job: &Job<'_>, writer: &mut Writer, report: &mut Report) -> Result<Done, String> {
    match Location::of(job.source) {
        Location::Path(path) => {
            writer.begin(Mode::Snapshot, now()).map_err(|error| error.to_string())?;
            let mut intake = Intake::new(writer, &mut report.asides, &job.bar, &job.stop);
            let is_folder = path.is_dir();
            let files = source::files(&path).map_err(|error| reason(&error))?;
            for (number, file) in files.iter().enumerate() {
                if is_folder {
                    job.bar.parts("file", number as u64 + 1, Some(files.len() as u64));
                }
                read_file(job, file, is_folder, &mut intake)?;
            }
            intake.check()?;
            finish(job, writer, &Cursor::new(job.source))?;
            Ok(Done::default())
        }
        Location::Url => poll_url(job, writer, report),
    }
}

/// Reads a file. One of a folder that is nothing of ours is set aside; but what cannot be read to its end is missing.
fn read_file(job: &Job<'_>, path: &Path, in_folder: bool, intake: &mut Intake<'_>) -> Result<(), String> {
    let name = path.display().to_string();
    let fail = |error: &io::Error| format!("{name}: {}", reason(error));
    let file = File::open(path).map_err(|error| fail(&error))?;
    let mut text = Text::new(file).map_err(|error| fail(&error))?;
    match read(job, &name, &mut text, intake) {
        Ok(_) => Ok(()),
        Err(Broken::Foreign(error)) if in_folder => {
            intake.set_aside("a file that is neither STIX nor a list", name.as_bytes(), || format!("{name}: {error}"));
            Ok(())
        }
        Err(error) => Err(format!("{name}: {}", error.message())),
    }
}

fn poll_url(job: &Job<'_>, writer: &mut Writer, report: &mut Report) -> Result<Done, String> {
    let mut client = client(job)?;
    let mut first = client.settings().url.clone();
    if !job.source.query.is_empty() {
        first.query_pairs_mut().extend_pairs(&job.source.query);
    }
    let cursor = Cursor::read(writer.state().cursor.as_deref(), job.source);
    let known = cursor.validator.as_ref().filter(|_| !job.force);
    let mut tries = 0;
    loop {
        tries += 1;
        report.asides = Asides::default();
        let error = match attempt(job, &mut client, &first, known, writer, &mut report.asides) {
            Ok(done) => return Ok(done),
            Err(Failed::Message(message)) => return Err(message),
            Err(Failed::Request(error)) => error,
            // What came of a body that broke off is undone when the next poll begins.
            Err(Failed::Body(error)) => match client.wait(tries, error) {
                Ok(()) => continue,
                Err(error) => error,
            },
        };
        report.retry_after = error.retry_after();
        return Err(error.to_string());
    }
}

/// Why an attempt failed.
enum Failed {
    Message(String),
    /// There was no answer that could be used.
    Request(http::Error),
    /// The body broke off. Another attempt may succeed.
    Body(http::Error),
}

impl From<String> for Failed {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

fn attempt(
    job: &Job<'_>,
    client: &mut Client,
    first: &Url,
    known: Option<&http::Validator>,
    writer: &mut Writer,
    asides: &mut Asides,
) -> Result<Done, Failed> {
    let mut url = first.clone();
    let mut cursor = Cursor::new(job.source);
    writer.begin(Mode::Snapshot, now()).map_err(|error| error.to_string())?;
    let mut intake = Intake::new(writer, asides, &job.bar, &job.stop);
    for page in 1.. {
        let ask = Ask { accept: ACCEPT, known: known.filter(|_| page == 1), ..Ask::default() };
        let response = client.get(&url, &ask).map_err(Failed::Request)?;
        if response.is_unchanged() {
            return Ok(Done { same: true });
        }
        cursor.validator = response.validator().filter(|_| page == 1);
        let name = response.url.path().rsplit('/').find(|part| !part.is_empty()).unwrap_or("answer").to_owned();
        let text = Text::new(response.body).map_err(|error| message(&error))?;
        let mut text = Capped::new(text, job.source.max_body.0);
        let summary = read(job, &name, &mut text, &mut intake).map_err(Broken::failed)?;
        let Some(next) = summary.next else { break };
        let next = url.join(&next).map_err(|error| format!("the next page has no URL: {error}"))?;
        client.allows(&next).map_err(|error| error.to_string())?;
        if next == url || page >= MAX_PAGES {
            return Err(Failed::Message(format!("page {page} leads to itself, or there is no end of pages")));
        }
        job.bar.parts("page", page + 1, None);
        // The first page may stay the same while the others change.
        cursor.validator = None;
        url = next;
    }
    intake.check()?;
    finish(job, writer, &cursor)?;
    Ok(Done::default())
}

/// The client of a source, whose waits end when the program does.
pub(super) fn client(job: &Job<'_>) -> Result<Client, String> {
    let settings = settings(job.source)?;
    let client = Client::new(settings).map_err(|error| error.to_string())?;
    Ok(client.with_clock(Box::new(SystemClock::new(Arc::clone(&job.stop)))))
}

/// Ends a snapshot behind its guard.
pub(super) fn finish(job: &Job<'_>, writer: &mut Writer, cursor: &Cursor) -> Result<(), String> {
    writer.commit(&cursor.text()).map_err(|error| error.to_string())?;
    writer.finish_snapshot(job.source.max_drop.0, job.force).map(drop).map_err(|error| match error.shrunk() {
        Some(_) => format!("{error}; if that is right: stockade fetch --force {}", job.source.name),
        None => error.to_string(),
    })
}

/// Why a stream could not be read.
pub(super) enum Broken {
    /// The reader failed.
    Io(io::Error),
    /// It is nothing that can be read.
    Foreign(ReadError),
    /// It ends in the middle.
    Cut,
}

impl Broken {
    pub(super) fn message(&self) -> String {
        match self {
            Self::Io(error) => message(error),
            Self::Foreign(error) => error.to_string(),
            Self::Cut => "cut short: the document ends inside an object or list".to_owned(),
        }
    }

    fn failed(self) -> Failed {
        match self {
            Self::Io(error) if http::Error::of_body(&error).is_some() => {
                match error.into_inner().map(<dyn std::error::Error + Send + Sync>::downcast::<http::Error>) {
                    Some(Ok(error)) => Failed::Body(*error),
                    _ => Failed::Message("the answer cannot be read to its end".to_owned()),
                }
            }
            other => Failed::Message(other.message()),
        }
    }
}

fn message(error: &io::Error) -> String {
    match http::Error::of_body(error) {
        Some(error) => error.to_string(),
        None => format!("cannot be read to its end: {}", reason(error)),
    }
}

/// Reads one stream into the store.
pub(super) fn read(
    job: &Job<'_>,
    name: &str,
    text: &mut dyn Read,
    intake: &mut Intake<'_>,
) -> Result<feed::Summary, Broken> {
    let shape = match job.source.kind {
        SourceKind::Csv => Shape::Table(job.source.columns.as_ref().map(|columns| &columns.0)),
        _ => Shape::Any,
    };
    let options = Options { source: &job.source.name, shape };
    match feed::read(text, &options, &mut |place, found| intake.found(name, place, &found)) {
        Ok(summary) if summary.cut => Err(Broken::Cut),
        Ok(summary) => Ok(summary),
        Err(error) => Err(match error.into_io() {
            Ok(error) => Broken::Io(error),
            Err(error) => Broken::Foreign(error),
        }),
    }
}

/// A reader that gives no more than it may: an answer may be small until it is decompressed.
pub(super) struct Capped<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R> Capped<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit, limit }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("larger than {} bytes when decompressed (max_body)", self.limit))
        })?;
        Ok(count)
    }
}
