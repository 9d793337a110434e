//! Reading what was kept, as it was when it was opened, whatever the writer does meanwhile.

use super::error::StoreError;
use super::files::Files;
use super::numbers::Numbers;
use super::object::Class;
use super::schema::{self, READING};
use super::state::State;
use crate::stix::Timestamp;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes of objects that are read ahead, more or less.
const AHEAD: usize = 256 * 1024;

/// The store of a source as it is at one moment.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) files: Files,
    state: State,
}

/// Something that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Why.
    pub reason: String,
    /// The beginning of it.
    pub text: Vec<u8>,
}

impl Reader {
    /// Opens the store of a source as it is now. `None` if it was never fetched.
    ///
    /// That waits for nobody, and whoever may read the files may open them.
    ///
    /// # Errors
    /// The store cannot be read, is damaged, or was written by a newer version.
    pub fn open(dir: &Path, source: &str) -> Result<Option<Self>, StoreError> {
        let files = Files::new(dir, source);
        let opened = schema::open_for_reading(&files)?;
        Ok(opened.map(|(connection, state)| Self { connection, files, state }))
    }

    /// What is known of the source.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The folder of the source.
    pub fn folder(&self) -> &Path {
        &self.files.folder
    }

    /// Bytes that the files take on the disk.
    pub fn size(&self) -> u64 {
        self.files.size()
    }

    /// Indicators that are not withdrawn and no longer valid at an instant.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn expired(&self, at: Timestamp) -> Result<u64, StoreError> {
        let count = "SELECT (SELECT count(*) FROM entry WHERE flags = ?1 AND valid_until <= ?2) +
                     (SELECT count(*) FROM fresh WHERE flags = ?1 AND valid_until <= ?2)";
        let count = self.connection.query_row(count, [Class::Indicator as i64, at.seconds], |row| row.get(0));
        count.map_err(|error| self.fail(&error))
    }

    /// A digest of all current objects, the same for the same objects.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn fingerprint(&self) -> Result<[u8; 16], StoreError> {
        let read = || {
            sort_fresh(&self.connection)?;
            let mut digest = Sha256::new();
            let select = "SELECT key, sum FROM entry UNION ALL SELECT key, sum FROM sorted ORDER BY key";
            let mut select = self.connection.prepare(select)?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                digest.update(row.get_ref(0)?.as_blob()?);
                digest.update(row.get::<_, i64>(1)?.to_le_bytes());
            }
            let mut fingerprint = [0; 16];
            fingerprint.copy_from_slice(&digest.finalize()[..16]);
            Ok(fingerprint)
        };
        read().map_err(|error| self.fail(&error))
    }

    /// The first objects that were set aside.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn set_aside(&self) -> Result<Vec<Aside>, StoreError> {
        let select = "SELECT reason, json FROM aside WHERE json IS NOT NULL ORDER BY reason, sum";
        let read = || -> rusqlite::Result<Vec<Aside>> {
            let mut select = self.connection.prepare(select)?;
            let aside = |row: &rusqlite::Row<'_>| Ok(Aside { reason: row.get(0)?, text: row.get(1)? });
            select.query_map([], aside)?.collect()
        };
        read().map_err(|error| self.fail(&error))
    }

    /// All current objects, in an order that depends on nothing but their ids.
    pub fn objects(self) -> Objects {
        Objects::new(self, vec![Pass::Everything])
    }

    /// The current indicators, behind the marking definitions and identities that they may refer to; all of them in the
    /// order in which they came.
    pub fn indicators(self) -> Objects {
        Objects::new(self, [Class::Indicator, Class::Identity, Class::Marking].map(Pass::Of).into())
    }

    fn fail(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::sql(&self.files.database, READING, error)
    }
}

/// Objects of a store, one after the other. As a stream it gives a line of JSON for each.
#[derive(Debug)]
pub struct Objects {
    connection: Connection,
    database: PathBuf,
    /// What is still to be read, the next last.
    passes: Vec<Pass>,
    /// Rows that are only kept for going back.
    dead: Option<Numbers>,
    /// Where to go on.
    number: i64,
    key: Vec<u8>,
    /// What was read ahead, and where each object in it ends.
    ahead: Vec<u8>,
    ends: std::collections::VecDeque<usize>,
    at: usize,
}

#[derive(Clone, Copy, Debug)]
enum Pass {
    Everything,
    Of(Class),
}

impl Objects {
    fn new(reader: Reader, passes: Vec<Pass>) -> Self {
        Self {
            connection: reader.connection,
            database: reader.files.database,
            passes,
            dead: None,
            number: i64::MIN,
            key: Vec::new(),
            ahead: Vec::new(),
            ends: std::collections::VecDeque::new(),
            at: 0,
        }
    }

    /// The JSON of the next object. It is no iterator, since it lends what it has read.
    ///
    /// # Errors
    /// The store cannot be read any further.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<&[u8]>, StoreError> {
        if !self.fill()? {
            return Ok(None);
        }
        let start = self.at;
        self.at = self.ends.pop_front().unwrap_or(self.ahead.len());
        // Each ends with a newline.
        Ok(Some(&self.ahead[start..self.at - 1]))
    }

    /// Sees to it that something is read ahead; false at the end.
    fn fill(&mut self) -> Result<bool, StoreError> {
        while self.at == self.ahead.len() {
            let Some(&pass) = self.passes.last() else { return Ok(false) };
            self.ahead.clear();
            self.ends.clear();
            self.at = 0;
            let more = match pass {
                Pass::Everything => self.read_by_key(),
                Pass::Of(class) => self.read_by_number(class),
            };
            if !more.map_err(|error| StoreError::sql(&self.database, READING, &error))? {
                self.passes.pop();
                self.number = i64::MIN;
            }
        }
        Ok(true)
    }

    /// Reads some objects. False if there are no more.
    fn read_by_key(&mut self) -> rusqlite::Result<bool> {
        if self.key.is_empty() {
            sort_fresh(&self.connection)?;
        }
        let select = "SELECT key, number FROM entry WHERE key > ?1
                      UNION ALL SELECT key, number FROM sorted WHERE key > ?1 ORDER BY key";
        let mut select = self.connection.prepare_cached(select)?;
        let mut object = self.connection.prepare_cached("SELECT json FROM object WHERE number = ?1")?;
        let mut rows = select.query([&self.key])?;
        while let Some(row) = rows.next()? {
            let (ahead, ends) = (&mut self.ahead, &mut self.ends);
            object.query_row([row.get::<_, i64>(1)?], |object| {
                append(ahead, ends, object.get_ref(0)?.as_blob()?);
                Ok(())
            })?;
            if self.ahead.len() >= AHEAD {
                self.key = row.get(0)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Likewise, of one class.
    fn read_by_number(&mut self, class: Class) -> rusqlite::Result<bool> {
        if self.dead.is_none() {
            let mut dead = Numbers::default();
            let mut select = self.connection.prepare("SELECT number FROM previous")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                dead.add(row.get(0)?);
            }
            self.dead = Some(dead);
        }
        // The few objects of other classes have an index, which the condition names.
        let select = if class == Class::Indicator {
            "SELECT number, json FROM object WHERE number > ?1 AND +class = ?2 ORDER BY number"
        } else {
            "SELECT number, json FROM object WHERE class <> 2 AND class = ?2 AND number > ?1 ORDER BY number"
        };
        let mut select = self.connection.prepare_cached(select)?;
        let mut rows = select.query([self.number, class as i64])?;
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            if self.dead.as_ref().is_some_and(|dead| dead.contains(number)) {
                continue;
            }
            append(&mut self.ahead, &mut self.ends, row.get_ref(1)?.as_blob()?);
            if self.ahead.len() >= AHEAD {
                self.number = number;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Sorts what is new by its keys, in memory. There is little of it, and none once a poll has come to its end.
fn sort_fresh(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS sorted (key BLOB PRIMARY KEY, number INTEGER, sum INTEGER) WITHOUT ROWID;
         INSERT OR IGNORE INTO sorted SELECT key, number, sum FROM fresh",
    )
}

/// Appends an object as a line. A line feed can only stand between its parts, where a space means the same.
fn append(ahead: &mut Vec<u8>, ends: &mut std::collections::VecDeque<usize>, json: &[u8]) {
    let start = ahead.len();
    ahead.extend_from_slice(json);
    if memchr::memchr(b'\n', json).is_some() {
        ahead[start..].iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    }
    ahead.push(b'\n');
    ends.push_back(ahead.len());
}

impl Read for Objects {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || !self.fill()? {
            return Ok(0);
        }
        let rest = &self.ahead[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}
