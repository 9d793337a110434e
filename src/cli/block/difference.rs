//! `--diff` and `--dry-run`: what a new file would add and remove.
//!
//! Neither file is ever held as a whole, nor are their values: both are read twice at most, and what differs is printed as
//! it comes.

use super::replace::Content;
use super::standing::{Seen, values};
use crate::cli::terminal;
use std::collections::BTreeMap;
use std::io;
use stockade::blocklist::{Blocklist, Reason};
use stockade::render::Format;

/// Lines are printed when they come to this many bytes.
const FULL: usize = 1 << 16;

/// What differs between two files of a format.
pub(super) struct Difference<'l> {
    format: &'l Format,
    /// The new list, if reasons are to be told from it.
    list: Option<&'l Blocklist<'l>>,
    lines: Vec<u8>,
    differs: bool,
    unprinted: Option<io::Error>,
}

impl<'l> Difference<'l> {
    pub(super) fn new(format: &'l Format, list: Option<&'l Blocklist<'l>>) -> Self {
        Self { format, list, lines: Vec::new(), differs: false, unprinted: None }
    }

    /// Prints additions, then removals, each in the order of its file; whether there are any.
    ///
    /// # Errors
    /// A file could not be read, or, if there is an [`unprinted`](Self::unprinted) error, no more be printed.
    pub(super) fn print(&mut self, old: Content<'_>, new: Content<'_>) -> io::Result<bool> {
        let mut before = Seen::default();
        values(self.format, old, |value| {
            before.add(&value);
            Ok(())
        })?;
        let mut after = Seen::like(&before);
        values(self.format, new, |value| {
            if after.add(&value) && !before.has(&value) { self.line("+ ", &value, "") } else { Ok(()) }
        })?;
        let reasons = self.list.map(|list| Reasons::of(list, &before, &after));
        values(self.format, old, |value| {
            if !before.take(&value) || after.has(&value) {
                return Ok(());
            }
            match &reasons {
                Some(reasons) => self.line("- ", &value, &format!(" ({})", reasons.why(&value))),
                None => self.line("- ", &value, ""),
            }
        })?;
        self.flush()?;
        Ok(self.differs)
    }

    /// Why lines could not be printed, if they could not.
    pub(super) fn unprinted(self) -> Option<io::Error> {
        self.unprinted
    }

    fn line(&mut self, sign: &str, value: &str, why: &str) -> io::Result<()> {
        self.differs = true;
        for piece in [sign, value, why, "\n"] {
            self.lines.extend_from_slice(piece.as_bytes());
        }
        if self.lines.len() < FULL { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> io::Result<()> {
        let printed = terminal::print(&self.lines);
        self.lines.clear();
        printed.map_err(|error| {
            let kind = error.kind();
            self.unprinted = Some(error);
            kind.into()
        })
    }
}

/// Why values are held back that stood in the old file and do not in the new.
struct Reasons(BTreeMap<String, Reason>);

impl Reasons {
    fn of(list: &Blocklist<'_>, before: &Seen, after: &Seen) -> Self {
        let held = list.held().filter_map(|held| Some((held.item()?.to_string(), held.reason())));
        Self(held.filter(|(value, _)| before.has(value) && !after.has(value)).collect())
    }

    fn why(&self, value: &str) -> &'static str {
        self.0.get(value).map_or("no longer listed, or covered by another entry", |reason| reason.word())
    }
}
