//! The one process that changes a store.

use super::error::{Shrunk, StoreError};
use super::files::{Files, Lock};
use super::numbers::Numbers;
use super::object::{self, Facts};
use super::schema::{self, WRITING};
use super::state::{Failure, Poll, State};
use crate::stix::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

/// Entries of new objects that wait to be sorted in, at most; few where it is tested, so that it happens there.
const FRESH_LIMIT: usize = if cfg!(debug_assertions) { 8 } else { 1 << 17 };

/// Objects set aside that are remembered, so that the same is not counted again.
const ASIDE_LIMIT: u64 = 10_000;

/// Those of them whose text is kept, and how much of it.
const ASIDE_SHOWN: u64 = 100;
const ASIDE_BYTES: usize = 16 * 1024;

/// What a poll brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What is new since the cursor.
    Incremental,
    /// Everything there is.
    Snapshot,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// There was none of its id.
    New,
    /// It took the place of another version.
    Updated,
    /// It is there already.
    Unchanged,
    /// There is a newer version of it.
    Older,
    /// It cannot be kept; why.
    SetAside(&'static str),
}

/// Writes the store of one source. It holds the source's lock; what has not been committed when it is dropped, or when
/// its process ends in whatever way, never was.
///
/// After an error what was put since the last commit is undone, and the poll is over; another may [begin](Writer::begin).
#[derive(Debug)]
pub struct Writer {
    pub(super) connection: Connection,
    pub(super) files: Files,
    /// With everything that was put.
    pub(super) state: State,
    /// As it is on the disk.
    pub(super) committed: State,
    /// A transaction is open.
    pub(super) open: bool,
    /// What kind of poll is going on.
    mode: Option<Mode>,
    began: Option<Timestamp>,
    /// Rows that the snapshot holds.
    seen: Numbers,
    /// Indicators of the snapshot that are not withdrawn.
    seen_active: u64,
    /// Objects set aside that are remembered.
    aside: u64,
    /// Rows of `fresh` by key; none before they are read.
    fresh: Option<HashMap<[u8; 16], i64, foldhash::fast::RandomState>>,
    _lock: Lock,
}

const INSERT_FRESH: &str = "INSERT INTO fresh (key, number, flags, modified, nanos, valid_until, generation, sum)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const REPLACE_ENTRY: &str =
    "INSERT OR REPLACE INTO entry (key, number, flags, modified, nanos, valid_until, generation, sum)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// What is kept of the current version of an object.
struct Entry {
    number: i64,
    flags: i64,
    modified: Option<(i64, u32)>,
    generation: u64,
    sum: i64,
}

impl Entry {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let modified: Option<i64> = row.get(2)?;
        let nanos: Option<u32> = row.get(3)?;
        Ok(Self {
            number: row.get(0)?,
            flags: row.get(1)?,
            modified: modified.map(|seconds| (seconds, nanos.unwrap_or(0))),
            generation: row.get(4)?,
            sum: row.get(5)?,
        })
    }
}

impl Writer {
    /// Opens the store of a source for writing, and makes it if there is none.
    ///
    /// # Errors
    /// Another process has it open ([`StoreError::is_busy`]); it cannot be read or written, is damaged, or was written by
    /// a newer version.
    pub fn open(dir: &Path, source: &str) -> Result<Self, StoreError> {
        let files = Files::new(dir, source);
        files.create_folder()?;
        let lock = files.lock()?;
        let (connection, state) = schema::open_for_writing(&files)?;
        let aside = connection.query_row("SELECT count(*) FROM aside", [], |row| row.get(0));
        let aside = aside.map_err(|error| StoreError::sql(&files.database, schema::READING, &error))?;
        Ok(Self {
            connection,
            files,
            committed: state.clone(),
            state,
            open: false,
            mode: None,
            began: None,
            seen: Numbers::default(),
            seen_active: 0,
            aside,
            fresh: None,
            _lock: lock,
        })
    }

    /// What is known of the source, what was put and not yet committed included.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What this poll has done so far, what is not yet committed included.
    pub fn poll(&self) -> &Poll {
        &self.state.poll
    }

    /// Begins a poll. What was put and not committed is undone.
    ///
    /// An incremental poll without a cursor reads a source from its beginning: nothing leaves on that account.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn begin(&mut self, mode: Mode, now: Timestamp) -> Result<(), StoreError> {
        self.undo();
        self.mode = Some(mode);
        self.began = Some(now);
        (self.seen, self.seen_active) = (Numbers::default(), 0);
        self.state.poll = Poll { began: Some(now), ..Poll::default() };
        if mode == Mode::Snapshot || self.state.cursor.is_none() {
            self.state.set_aside = BTreeMap::new();
            self.aside = 0;
            self.transact(|writer| writer.connection.execute_batch("DELETE FROM aside"))?;
        }
        Ok(())
    }

    /// Takes one object, as the JSON that the source sent.
    ///
    /// Of two versions of an id the one with the later `modified` is kept; if they say the same, the one that comes last. A
    /// snapshot replaces what was there before it in any case.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn put(&mut self, json: &[u8]) -> Result<Put, StoreError> {
        self.in_poll()?;
        let json = json.trim_ascii();
        let facts = match Facts::read(json) {
            Ok(facts) => facts,
            Err(reason) => {
                self.set_aside(reason, json)?;
                return Ok(Put::SetAside(reason));
            }
        };
        let put = self.transact(|writer| writer.take(&facts, json))?;
        let poll = &mut self.state.poll;
        match put {
            Put::New => poll.new += 1,
            Put::Updated => poll.updated += 1,
            _ => poll.unchanged += 1,
        }
        if matches!(put, Put::New | Put::Updated) && object::is_indicator(facts.flags()) {
            poll.revoked += u64::from(facts.revoked);
            let over = facts.valid_until.zip(self.began).is_some_and(|(until, now)| until <= now);
            poll.expired += u64::from(over && !facts.revoked);
        }
        Ok(put)
    }

    /// Counts something that the source sent and that is no object, or none that can be used, such as half an object
    /// at the end of a page. The first of them are kept to be shown. What was set aside before is not counted again.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn set_aside(&mut self, reason: &str, text: &[u8]) -> Result<(), StoreError> {
        self.in_poll()?;
        *self.state.poll.set_aside.entry(reason.to_owned()).or_default() += 1;
        let fresh = self.transact(|writer| {
            if writer.aside >= ASIDE_LIMIT {
                return Ok(true);
            }
            let shown = (writer.aside < ASIDE_SHOWN).then(|| &text[..text.len().min(ASIDE_BYTES)]);
            let insert = "INSERT OR IGNORE INTO aside (sum, reason, json) VALUES (?1, ?2, ?3)";
            let inserted =
                writer.connection.prepare_cached(insert)?.execute(params![object::sum(text), reason, shown])?;
            writer.aside += inserted as u64;
            Ok(inserted > 0)
        })?;
        if fresh {
            *self.state.set_aside.entry(reason.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    /// Notes that the source may have had more than it gave.
    pub fn note_gap(&mut self) {
        self.state.poll.gaps += 1;
    }

    /// Commits what was put since the last commit, together with how far the source was read. When it returns, both are on
    /// the disk.
    ///
    /// Of a snapshot nothing counts before [`Writer::finish_snapshot`]; the cursor is kept until then.
    ///
    /// # Errors
    /// The store cannot be written; what was put since the last commit is undone.
    pub fn commit(&mut self, cursor: &str) -> Result<(), StoreError> {
        let mode = self.in_poll()?;
        self.state.cursor = Some(cursor.to_owned());
        match mode {
            Mode::Incremental => self.save(),
            Mode::Snapshot => Ok(()),
        }
    }

    /// Ends a snapshot: what it does not hold leaves, and all of it counts from now on. What left.
    ///
    /// With `force` the set may shrink to any size, otherwise to no less than `1 - max_drop` of the indicators that were
    /// there and not withdrawn.
    ///
    /// # Errors
    /// The set would shrink by more ([`StoreError::shrunk`]), or the store cannot be written: everything is as before.
    pub fn finish_snapshot(&mut self, max_drop: f64, force: bool) -> Result<u64, StoreError> {
        if self.in_poll()? != Mode::Snapshot {
            return Err(StoreError::idle(&self.files.source));
        }
        let counts = self.committed.counts;
        let before = counts.indicators.saturating_sub(counts.revoked);
        let shrunk = Shrunk { before, after: self.seen_active, max_drop };
        #[expect(clippy::cast_precision_loss, reason = "sets are smaller than 2^52")]
        if !force && before.saturating_sub(self.seen_active) as f64 > max_drop * before as f64 {
            self.abandon();
            return Err(StoreError::refused(&self.files.source, shrunk));
        }
        self.transact(|writer| writer.sort_in().and_then(|()| writer.remove_unseen()))?;
        let removed = self.state.poll.removed;
        self.seal();
        self.save()?;
        (self.seen, self.mode) = (Numbers::default(), None);
        Ok(removed)
    }

    /// Notes that a poll came to its end, and that the source has nothing more for now. What changed since the last time
    /// is a new generation.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn note_success(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.mode.take() == Some(Mode::Snapshot) {
            // It was not finished, and so was not needed.
            self.undo();
        }
        self.state.last_success = Some(now);
        self.transact(Self::sort_in)?;
        self.seal();
        self.save()?;
        self.write_back();
        Ok(())
    }

    /// Notes that a poll failed. What was put since the last commit is undone; what was committed stays.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn note_failure(&mut self, now: Timestamp, message: &str) -> Result<(), StoreError> {
        let Poll { began, gaps, .. } = self.state.poll;
        self.abandon();
        // What the poll did is worth knowing as far as it counts; perhaps it committed nothing.
        if self.began.is_some() && self.state.poll.began != self.began {
            self.state.poll = Poll { began: self.began, ..Poll::default() };
        }
        if began == self.began {
            self.state.poll.gaps = gaps;
        }
        self.state.last_failure = Some(Failure { at: Some(now), message: message.to_owned() });
        self.save()?;
        self.write_back();
        Ok(())
    }

    /// The kind of poll that is going on.
    fn in_poll(&self) -> Result<Mode, StoreError> {
        self.mode.ok_or_else(|| StoreError::idle(&self.files.source))
    }

    /// Enters an object whose facts are known.
    fn take(&mut self, facts: &Facts, json: &[u8]) -> rusqlite::Result<Put> {
        let row = self.fresh()?.get(&facts.key).copied();
        let entry = if let Some(row) = row {
            let select = "SELECT number, flags, modified, nanos, generation, sum FROM fresh WHERE row = ?1";
            Some(self.connection.prepare_cached(select)?.query_row([row], Entry::of)?)
        } else {
            let select = "SELECT number, flags, modified, nanos, generation, sum FROM entry WHERE key = ?1";
            self.connection.prepare_cached(select)?.query_row([facts.key], Entry::of).optional()?
        };
        let Some(entry) = entry else {
            self.begin_generation()?;
            let number = self.insert_object(facts, json)?;
            let row = self.insert_entry(INSERT_FRESH, facts, number)?;
            self.count(facts.flags(), 1);
            self.see(number, None, facts.flags());
            let fresh = self.fresh()?;
            fresh.insert(facts.key, row);
            if fresh.len() >= FRESH_LIMIT {
                self.sort_in()?;
            }
            return Ok(Put::New);
        };
        let modified = facts.modified.map(|at| (at.seconds, at.nanos));
        // The text is the same if the digest is, unless somebody worked hard to send himself a wrong version.
        let same = entry.sum == facts.sum && entry.modified == modified;
        // In a snapshot, what came before it does not bind.
        let counted = self.seen.contains(entry.number).then_some(entry.flags);
        let bound = self.mode == Some(Mode::Incremental) || counted.is_some();
        if same || bound && modified < entry.modified {
            self.see(entry.number, counted, entry.flags);
            return Ok(if same { Put::Unchanged } else { Put::Older });
        }
        self.begin_generation()?;
        let number = if entry.generation == self.state.history.last {
            self.connection
                .prepare_cached("UPDATE object SET class = ?2, json = ?3 WHERE number = ?1")?
                .execute(params![entry.number, facts.class as i64, json])?;
            entry.number
        } else {
            self.keep(&facts.key)?;
            self.insert_object(facts, json)?
        };
        if let Some(row) = row {
            self.connection.prepare_cached("DELETE FROM fresh WHERE row = ?1")?.execute([row])?;
            let row = self.insert_entry(INSERT_FRESH, facts, number)?;
            self.fresh()?.insert(facts.key, row);
        } else {
            self.insert_entry(REPLACE_ENTRY, facts, number)?;
        }
        self.count(entry.flags, -1);
        self.count(facts.flags(), 1);
        self.see(number, counted, facts.flags());
        Ok(Put::Updated)
    }

    /// The rows of `fresh`, read again after something was undone.
    fn fresh(&mut self) -> rusqlite::Result<&mut HashMap<[u8; 16], i64, foldhash::fast::RandomState>> {
        if self.fresh.is_none() {
            let mut select = self.connection.prepare("SELECT key, row FROM fresh")?;
            let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            self.fresh = Some(rows.collect::<rusqlite::Result<_>>()?);
        }
        Ok(self.fresh.get_or_insert_default())
    }

    /// Sorts the entries of new objects in among the others.
    pub(super) fn sort_in(&mut self) -> rusqlite::Result<()> {
        if !self.fresh()?.is_empty() {
            self.connection.execute_batch(
                "INSERT INTO entry SELECT key, number, flags, modified, nanos, valid_until, generation, sum
                 FROM fresh ORDER BY key;
                 DELETE FROM fresh",
            )?;
            self.fresh()?.clear();
        }
        Ok(())
    }

    fn insert_object(&self, facts: &Facts, json: &[u8]) -> rusqlite::Result<i64> {
        let insert = "INSERT INTO object (class, json) VALUES (?1, ?2)";
        self.connection.prepare_cached(insert)?.insert(params![facts.class as i64, json])
    }

    /// Inserts an entry by one of the statements above, and says where.
    fn insert_entry(&self, insert: &str, facts: &Facts, number: i64) -> rusqlite::Result<i64> {
        self.connection.prepare_cached(insert)?.insert(params![
            facts.key,
            number,
            facts.flags(),
            facts.modified.map(|at| at.seconds),
            facts.modified.map(|at| at.nanos).filter(|nanos| *nanos > 0),
            // The first whole second at which it is over.
            facts.valid_until.map(|at| at.seconds + i64::from(at.nanos > 0)),
            self.state.history.last,
            facts.sum,
        ])
    }

    /// Notes that the snapshot holds a row; `counted` are the flags by which its object is counted already.
    fn see(&mut self, number: i64, counted: Option<i64>, flags: i64) {
        if self.mode == Some(Mode::Snapshot) {
            let active = |flags| u64::from(object::is_indicator(flags) && !object::is_revoked(flags));
            self.seen.add(number);
            self.seen_active = self.seen_active + active(flags) - counted.map_or(0, active);
        }
    }

    /// Takes out what the snapshot does not hold.
    fn remove_unseen(&mut self) -> rusqlite::Result<()> {
        let mut after: Vec<u8> = Vec::new();
        loop {
            let mut gone = Vec::new();
            let mut looked_at = 0;
            {
                let select = "SELECT key, number, flags, generation FROM entry WHERE key > ?1 ORDER BY key LIMIT 10000";
                let mut select = self.connection.prepare_cached(select)?;
                let mut rows = select.query([&after])?;
                while let Some(row) = rows.next()? {
                    looked_at += 1;
                    let key: Vec<u8> = row.get(0)?;
                    let number: i64 = row.get(1)?;
                    if !self.seen.contains(number) {
                        gone.push((key.clone(), number, row.get(2)?, row.get(3)?));
                    }
                    after = key;
                }
            }
            if looked_at == 0 {
                return Ok(());
            }
            for (key, number, flags, generation) in gone {
                self.begin_generation()?;
                self.remove(&key, number, flags, generation)?;
            }
        }
    }

    fn remove(&mut self, key: &[u8], number: i64, flags: i64, generation: u64) -> rusqlite::Result<()> {
        if generation == self.state.history.last {
            self.connection.prepare_cached("DELETE FROM object WHERE number = ?1")?.execute([number])?;
        } else {
            self.keep(key)?;
        }
        self.connection.prepare_cached("DELETE FROM entry WHERE key = ?1")?.execute([key])?;
        self.count(flags, -1);
        self.state.poll.removed += 1;
        Ok(())
    }

    fn count(&mut self, flags: i64, by: i64) {
        let counts = &mut self.state.counts;
        let add = |count: &mut u64, applies: bool| *count = count.saturating_add_signed(if applies { by } else { 0 });
        add(&mut counts.objects, true);
        add(&mut counts.indicators, object::is_indicator(flags));
        add(&mut counts.revoked, object::is_indicator(flags) && object::is_revoked(flags));
    }

    /// Runs statements within the open transaction, or a new one. If they fail, everything since the last commit is undone.
    pub(super) fn transact<T>(&mut self, run: impl FnOnce(&mut Self) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let result = if self.open {
            run(self)
        } else {
            self.connection.execute_batch("BEGIN IMMEDIATE").and_then(|()| {
                self.open = true;
                run(self)
            })
        };
        result.map_err(|error| self.failed(&error))
    }

    /// Commits, with the state as it is now.
    pub(super) fn save(&mut self) -> Result<(), StoreError> {
        self.transact(|writer| {
            schema::write_state(&writer.connection, &writer.state)?;
            writer.connection.execute_batch("COMMIT")
        })?;
        self.open = false;
        self.committed.clone_from(&self.state);
        Ok(())
    }

    fn failed(&mut self, error: &rusqlite::Error) -> StoreError {
        let failure = StoreError::sql(&self.files.database, WRITING, error);
        self.abandon();
        failure
    }

    /// Ends a poll that has not come to its end.
    pub(super) fn abandon(&mut self) {
        self.undo();
        self.mode = None;
    }

    /// Goes back to the last commit.
    fn undo(&mut self) {
        if self.open {
            // Some failures have rolled back already. Another failure leaves a transaction that is never committed.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.open = false;
            self.fresh = None;
            self.aside = self.connection.query_row("SELECT count(*) FROM aside", [], |row| row.get(0)).unwrap_or(0);
        }
        self.state.clone_from(&self.committed);
        (self.seen, self.seen_active) = (Numbers::default(), 0);
    }

    /// Moves what was committed from the log to its place. A reader that is busy with it may prevent that, and there
    /// will be another time.
    pub(super) fn write_back(&self) {
        let _ = self.connection.busy_timeout(Duration::ZERO);
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = self.connection.busy_timeout(schema::PATIENCE);
    }
}
