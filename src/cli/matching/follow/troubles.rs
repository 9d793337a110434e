//! What is wrong with files that are followed. Each trouble is said once, and forgotten when it is over.

use crate::cli::error::say;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a compressed file that ends too early may be quiet before that is said.
const WRITTEN: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Troubles {
    /// What is wrong now, by name.
    now: BTreeMap<PathBuf, String>,
    /// Files that ended too early, and may still be written.
    suspects: BTreeMap<PathBuf, (String, Instant)>,
    /// Something was lost for good.
    pub(super) failed: bool,
}

impl Troubles {
    /// Whether something is wrong, or was lost.
    pub(super) fn any(&self) -> bool {
        self.failed || !self.now.is_empty()
    }

    /// The names with which something was wrong so far.
    pub(super) fn begin(&self) -> BTreeSet<PathBuf> {
        self.now.keys().cloned().collect()
    }

    /// Says what is wrong with a path, unless it was said.
    pub(super) fn say(&mut self, path: &Path, message: String) {
        if self.now.get(path) != Some(&message) {
            say(format_args!("{}: {message}", path.display()));
            self.now.insert(path.to_owned(), message);
        }
    }

    /// Notes that a file ends too early, which is no trouble while somebody is writing it.
    pub(super) fn suspect(&mut self, path: &Path, message: String, now: Instant) {
        self.suspects.insert(path.to_owned(), (message, now));
    }

    /// Says what is wrong with files that nobody seems to be writing any more.
    pub(super) fn give_up(&mut self, now: Instant) {
        self.say_suspects(|since| now.duration_since(since) >= WRITTEN);
    }

    /// Says what is wrong with files of which no more has come.
    pub(super) fn end(&mut self) {
        self.say_suspects(|_| true);
    }

    fn say_suspects(&mut self, is_over: impl Fn(Instant) -> bool) {
        let (over, waiting) =
            std::mem::take(&mut self.suspects).into_iter().partition(|(_, (_, since))| is_over(*since));
        self.suspects = waiting;
        let over: BTreeMap<PathBuf, (String, Instant)> = over;
        for (path, (message, _)) in over {
            self.failed = true;
            self.say(&path, message);
        }
    }

    /// Notes that a path can be read.
    pub(super) fn is_well(&mut self, path: &Path) {
        self.now.remove(path);
        self.suspects.remove(path);
    }

    /// Forgets what was wrong with paths.
    pub(super) fn forget(&mut self, paths: &BTreeSet<PathBuf>) {
        self.now.retain(|path, _| !paths.contains(path));
    }
}
