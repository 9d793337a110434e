//! One poll of one source: its store is opened, what its kind asks for is done, and what came of it is noted.

use super::progress::Bar;
use super::{feed, intake::Asides, misp, taxii};
use crate::cli::config::{Source, SourceKind};
use crate::cli::indicators::now;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stockade::store::{Counts, Mode, Poll, Reader, StoreError, Writer};

/// A poll that is to be done.
pub(super) struct Job<'a> {
    pub(super) source: &'a Source,
    /// The folder of all stores.
    pub(super) dir: &'a Path,
    pub(super) dry_run: bool,
    pub(super) force: bool,
    /// Set when the program is about to end.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) bar: Bar,
}

/// What came of a poll.
pub(crate) struct Report {
    pub(super) source: String,
    /// Why it failed, in words that do not repeat the source's name.
    pub(super) result: Result<Done, String>,
    pub(super) dry_run: bool,
    pub(super) poll: Poll,
    /// What the store holds now.
    pub(super) counts: Counts,
    pub(super) asides: Asides,
    /// What an administrator may want to know.
    pub(super) notes: Vec<String>,
    /// How long the server asked to be left alone.
    pub(super) retry_after: Option<Duration>,
    pub(super) took: Duration,
}

/// How a poll ended well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// The server says that nothing has changed.
    pub(super) same: bool,
}

impl Report {
    /// Whether the store holds anything else than before.
    pub(super) fn changed(&self) -> bool {
        !self.dry_run && self.poll.changed()
    }
}

impl Job<'_> {
    /// Polls the source.
    pub(super) fn run(self) -> Report {
        let began = Instant::now();
        let mut report = Report {
            source: self.source.name.clone(),
            result: Ok(Done::default()),
            dry_run: self.dry_run,
            poll: Poll::default(),
            counts: Counts::default(),
            asides: Asides::default(),
            notes: Vec::new(),
            retry_after: None,
            took: Duration::ZERO,
        };
        report.result = self.poll(&mut report);
        report.took = began.elapsed();
        self.bar.finish();
        report
    }

    fn poll(&self, report: &mut Report) -> Result<Done, String> {
        let scratch = if self.dry_run { Some(Scratch::new()?) } else { None };
        let dir = scratch.as_ref().map_or(self.dir, |scratch| &scratch.0);
        let shortened = |error: &dyn std::fmt::Display| self.plain(&error.to_string());
        let mut writer = Writer::open(dir, &self.source.name).map_err(|error| shortened(&error))?;
        if self.dry_run {
            self.copy_to(&mut writer).map_err(|error| shortened(&error))?;
        }
        let result = match self.source.kind {
            SourceKind::Taxii => taxii::poll(self, &mut writer, report),
            SourceKind::Misp => misp::poll(self, dir, &mut writer, report),
            _ => feed::poll(self, &mut writer, report),
        };
        let result = result.map_err(|message| self.plain(&message));
        let noted = match &result {
            Ok(_) => writer.note_success(now()),
            // What is interrupted is no failure of the source.
            Err(_) if self.stop.load(Ordering::Relaxed) => Ok(()),
            Err(message) => writer.note_failure(now(), message),
        };
        report.poll = writer.poll().clone();
        report.counts = writer.state().counts;
        match (result, noted) {
            (Err(message), _) => Err(message),
            (Ok(_), Err(error)) => Err(shortened(&error)),
            (Ok(done), Ok(())) => Ok(done),
        }
    }

    /// A message without the name of the source in front: whoever shows it names the source.
    pub(super) fn plain(&self, message: &str) -> String {
        let name = &self.source.name;
        let rest = message.strip_prefix("source ").unwrap_or(message).strip_prefix(name.as_str());
        rest.and_then(|rest| rest.strip_prefix(": ").or_else(|| rest.strip_prefix(' '))).unwrap_or(message).to_owned()
    }

    /// Copies what is there, so that a dry run is a run like any other but for where it writes.
    fn copy_to(&self, writer: &mut Writer) -> Result<(), StoreError> {
        let Some(reader) = Reader::open(self.dir, &self.source.name)? else { return Ok(()) };
        let cursor = reader.state().cursor.clone();
        writer.begin(Mode::Incremental, now())?;
        let mut objects = reader.objects();
        while let Some(json) = objects.next()? {
            writer.put(json)?;
        }
        if let Some(cursor) = cursor {
            writer.commit(&cursor)?;
        }
        writer.note_success(now())
    }
}

/// A folder that is removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("stockade-dry-run-{}-{number}", std::process::id()));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It lies where things are cleaned up sooner or later.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
