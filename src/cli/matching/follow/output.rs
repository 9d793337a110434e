//! Where rows go, and that none of them is lost or written twice when the process is killed between two writes.

use super::content::Id;
use super::state::{Pending, Record, State};
use crate::cli::error::{Error, reason};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// How much of the output is compared at a time.
const PIECE: usize = 64 << 10;

/// The output of a search, with the state that goes with it.
pub(super) struct Output {
    out: File,
    /// Set if it is a regular file.
    id: Option<Id>,
    state: Option<State>,
}

impl Output {
    pub(super) fn new(out: File, state: Option<State>) -> Self {
        let id = out.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| Id::of(&metadata));
        Self { out, id, state }
    }

    pub(super) fn has_state(&self) -> bool {
        self.state.is_some()
    }

    /// Whether nothing was written to it before; a pipe never was.
    pub(super) fn is_empty(&self) -> bool {
        self.id.is_none() || self.out.metadata().is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Writes what an earlier run was about to write when it ended. Returns whether any of it may stand there twice.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(super) fn recover(&mut self, pending: Pending, rows: &[u8], records: Vec<Record>) -> Result<bool, Error> {
        let arrived = match self.id {
            Some(id) if id == pending.id => self.arrived(pending.at, rows),
            _ => None,
        };
        // Until all is written, what is missing stays in the state.
        self.out.write_all(&rows[arrived.unwrap_or(0)..]).map_err(|error| Error::output(&error))?;
        self.save(records)?;
        Ok(arrived.is_none())
    }

    /// How many bytes of rows arrived at this place of the file. `None` if something else stands there.
    fn arrived(&mut self, at: u64, rows: &[u8]) -> Option<usize> {
        let length = self.out.seek(SeekFrom::End(0)).ok()?;
        let there = usize::try_from(length.checked_sub(at)?).ok()?.min(rows.len());
        if there == 0 {
            return Some(0);
        }
        // The output itself can only be written.
        let mut file = File::open("/proc/self/fd/1").or_else(|_| File::open("/dev/fd/1")).ok()?;
        file.seek(SeekFrom::Start(at)).ok()?;
        let mut piece = vec![0; PIECE];
        for rows in rows[..there].chunks(PIECE) {
            file.read_exact(&mut piece[..rows.len()]).ok()?;
            if piece[..rows.len()] != *rows {
                return None;
            }
        }
        Some(there)
    }

    /// Writes rows, and then how far inputs were searched. With nothing to write, positions wait until they are due.
    ///
    /// # Errors
    /// The output is closed or cannot be written, nor the state.
    pub(super) fn write(&mut self, rows: &[u8], records: impl FnOnce() -> Vec<Record>) -> Result<(), Error> {
        if rows.is_empty() {
            return match &self.state {
                Some(state) if state.is_due() => self.save(records()),
                _ => Ok(()),
            };
        }
        let Some(state) = &mut self.state else {
            return self.out.write_all(rows).map_err(|error| Error::output(&error));
        };
        let Some(id) = self.id else {
            self.out.write_all(rows).map_err(|error| Error::output(&error))?;
            return self.save(records());
        };
        // What was written last time must be on disk before the state forgets it.
        self.out.sync_data().map_err(|error| Error::output(&error))?;
        let at = self.out.seek(SeekFrom::End(0)).map_err(|error| Error::output(&error))?;
        state.save(records(), Some((Pending { id, at }, rows))).map_err(|error| failed(&error))?;
        self.out.write_all(rows).map_err(|error| Error::output(&error))
    }

    /// Writes down how far inputs were searched.
    ///
    /// # Errors
    /// The state cannot be written.
    pub(super) fn save(&mut self, records: Vec<Record>) -> Result<(), Error> {
        let Some(state) = &mut self.state else { return Ok(()) };
        if state.has_pending() && self.id.is_some() {
            self.out.sync_data().map_err(|error| Error::output(&error))?;
        }
        state.save(records, None).map_err(|error| failed(&error))
    }
}

fn failed(error: &io::Error) -> Error {
    Error::new(format_args!("the state cannot be written: {}", reason(error)))
}
