//! Generations: the set of objects as it was at the end of a poll, and the way back to the one before.
//!
//! Only the last step can be undone. Entries that a new generation replaces or drops move to `previous`; what was new in
//! it is known by its number.

use super::error::StoreError;
use super::schema;
use super::state::Counts;
use super::writer::Writer;
use rusqlite::Connection;

impl Writer {
    /// Makes room for a new generation before its first change; the way back from the one before is closed by that.
    pub(super) fn begin_generation(&mut self) -> rusqlite::Result<()> {
        if self.state.unfinished {
            return Ok(());
        }
        forget_previous(&self.connection)?;
        let state = &mut self.state;
        state.unfinished = true;
        // The cursor of the last commit: that of the page in the making belongs to what is new.
        state.history.before = Some((state.generation, self.committed.cursor.clone()));
        state.history.last += 1;
        Ok(())
    }

    /// Moves an entry of the generation before to those that can be brought back.
    pub(super) fn keep(&self, key: &[u8]) -> rusqlite::Result<()> {
        let keep = "INSERT OR IGNORE INTO previous SELECT * FROM entry WHERE key = ?1";
        self.connection.prepare_cached(keep)?.execute([key]).map(drop)
    }

    /// Ends the generation in the making, if there is one.
    pub(super) fn seal(&mut self) {
        if self.state.unfinished {
            self.state.unfinished = false;
            self.state.generation = self.state.history.last;
        }
    }

    /// Goes back to the generation before the current one, or, if a poll has not come to its end, to where it began.
    ///
    /// The cursor goes back with it, so that nothing is lost: the next poll reads again what came since. Its number.
    ///
    /// # Errors
    /// There is no earlier generation, or only the empty one; the store cannot be written.
    pub fn rollback(&mut self) -> Result<u64, StoreError> {
        self.abandon();
        let before = self.committed.history.before.clone();
        let Some((generation, cursor)) = before.filter(|(generation, _)| *generation > 0) else {
            return Err(StoreError::only_generation(&self.files.source));
        };
        self.transact(|writer| {
            writer.sort_in()?;
            let last = writer.state.history.last;
            let new = "DELETE FROM object WHERE number IN (SELECT number FROM entry WHERE generation = ?1)";
            writer.connection.execute(new, [last])?;
            writer.connection.execute("DELETE FROM entry WHERE generation = ?1", [last])?;
            writer
                .connection
                .execute_batch("INSERT OR REPLACE INTO entry SELECT * FROM previous; DELETE FROM previous")?;
            let state = &mut writer.state;
            state.counts = count(&writer.connection)?;
            state.generation = generation;
            state.unfinished = false;
            state.cursor = cursor;
            state.history.before = None;
            Ok(())
        })?;
        self.save()?;
        self.write_back();
        Ok(generation)
    }

    /// Gives space that nothing uses any more back to the system: how many bytes the files took before, and take now.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn compact(&mut self) -> Result<(u64, u64), StoreError> {
        self.abandon();
        let before = self.files.size();
        loop {
            // Piece by piece, so that the log stays small; each piece is whole.
            let free = |connection: &Connection| {
                connection.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0))
            };
            let fail = |error: rusqlite::Error| StoreError::sql(&self.files.database, schema::WRITING, &error);
            let left = free(&self.connection).map_err(fail)?;
            if left == 0 {
                break;
            }
            self.connection.execute_batch("PRAGMA incremental_vacuum(8192)").map_err(fail)?;
            if free(&self.connection).map_err(fail)? >= left {
                break;
            }
        }
        self.write_back();
        Ok((before, self.files.size()))
    }
}

/// Deletes what is only kept for going back.
fn forget_previous(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DELETE FROM object WHERE number IN (SELECT number FROM previous); DELETE FROM previous")
}

/// Counts what there is.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<Counts> {
    let mut counts = Counts::default();
    let mut select = connection.prepare(
        "SELECT flags, count(*) FROM (SELECT flags FROM entry UNION ALL SELECT flags FROM fresh) GROUP BY flags",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (flags, number): (i64, u64) = (row.get(0)?, row.get(1)?);
        counts.objects += number;
        if super::object::is_indicator(flags) {
            counts.indicators += number;
            counts.revoked += if super::object::is_revoked(flags) { number } else { 0 };
        }
    }
    Ok(counts)
}
