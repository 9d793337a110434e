//! The database: tables, how it is opened, and how its state is read and written.

use super::error::StoreError;
use super::files::Files;
use super::state::State;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The version of the tables.
pub(super) const VERSION: i64 = 1;

/// Tells a store from other databases; "stkd".
const APPLICATION: i64 = 0x7374_6b64;

/// How long to wait for a moment in which another process rearranges the files.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Objects lie in order of arrival, so that a page of new ones is written in one piece, and are read in one go.
/// The current version of each is the one that `entry` or `fresh` names: `fresh` holds, in order of arrival, entries of
/// objects that are new, until there are so many that sorting them in costs little for each. `previous` holds the entries of the generation before
/// that were replaced or left since; the objects that it names are still there, and only a new generation takes them away.
const TABLES: &str = "
    CREATE TABLE object (number INTEGER PRIMARY KEY, class INTEGER NOT NULL, json BLOB NOT NULL);
    CREATE INDEX object_by_class ON object (class) WHERE class <> 2;
    CREATE TABLE entry (
        key BLOB PRIMARY KEY, number INTEGER NOT NULL, flags INTEGER NOT NULL,
        modified INTEGER, nanos INTEGER, valid_until INTEGER,
        generation INTEGER NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE fresh (
        row INTEGER PRIMARY KEY, key BLOB NOT NULL, number INTEGER NOT NULL, flags INTEGER NOT NULL,
        modified INTEGER, nanos INTEGER, valid_until INTEGER,
        generation INTEGER NOT NULL, sum INTEGER NOT NULL
    );
    CREATE TABLE previous (
        key BLOB PRIMARY KEY, number INTEGER NOT NULL, flags INTEGER NOT NULL,
        modified INTEGER, nanos INTEGER, valid_until INTEGER,
        generation INTEGER NOT NULL, sum INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE aside (sum INTEGER PRIMARY KEY, reason TEXT NOT NULL, json BLOB);
    CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL);
";

/// What a failure was in the middle of.
pub(super) const READING: &str = "cannot be read";
pub(super) const WRITING: &str = "cannot be written";

/// Opens a store for its one writer, and makes it if there is none.
pub(super) fn open_for_writing(files: &Files) -> Result<(Connection, State), StoreError> {
    let path = &files.database;
    files.create_database()?;
    let fail = |error: rusqlite::Error| StoreError::sql(path, WRITING, &error);
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(fail)?;
    set_up(&connection).map_err(fail)?;
    if is_empty(&connection).map_err(fail)? {
        create(&connection).map_err(fail)?;
        File::open(&files.folder)
            .and_then(|folder| if cfg!(unix) { folder.sync_all() } else { Ok(()) })
            .map_err(|error| StoreError::io(&files.folder, WRITING, &error))?;
    }
    check(&connection, path)?;
    // Some room in memory for the entries, which are looked up in no order; the log is written back in large pieces.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384;
             PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY",
        )
        .map_err(fail)?;
    let state = read_state(&connection, path)?;
    Ok((connection, state))
}

/// Opens a store for reading, as it is at this moment. `None` if there is none yet.
pub(super) fn open_for_reading(files: &Files) -> Result<Option<(Connection, State)>, StoreError> {
    let path = &files.database;
    // The system's own words for why not are better than those of the database.
    match File::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.len() == 0 => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(path, READING, &error)),
    }
    let fail = |error: rusqlite::Error| {
        let companion = path.with_extension("db-wal");
        let lacking = !companion.exists() && !matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase));
        if lacking { StoreError::lacking(&companion) } else { StoreError::sql(path, READING, &error) }
    };
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(fail)?;
    set_up(&connection).map_err(fail)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; BEGIN").map_err(fail)?;
    if is_empty(&connection).map_err(fail)? {
        return Ok(None);
    }
    check(&connection, path)?;
    let state = read_state(&connection, path)?;
    Ok(Some((connection, state)))
}

/// What every connection needs.
fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    // The log and its index stay when the last one leaves, for readers that may not make files here.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.execute_batch("PRAGMA cell_size_check = ON")
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0 && number(connection, "user_version")? == 0)
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} INSERT INTO state VALUES (1, '{{}}');
         PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT"
    ))
}

/// Whether this is a store, and one that can be understood.
fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let get = |name| number(connection, name).map_err(|error| StoreError::sql(path, READING, &error));
    if get("application_id")? != APPLICATION {
        return Err(StoreError::foreign(path));
    }
    let version = get("user_version")?;
    if version > VERSION {
        return Err(StoreError::newer(path, version));
    }
    if version < 1 { Err(StoreError::damaged(path, "it has no version")) } else { Ok(()) }
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

pub(super) fn read_state(connection: &Connection, path: &Path) -> Result<State, StoreError> {
    let text: Option<String> = connection
        .query_row("SELECT text FROM state", [], |row| row.get(0))
        .optional()
        .map_err(|error| StoreError::sql(path, READING, &error))?;
    let text = text.ok_or_else(|| StoreError::damaged(path, "it has no state"))?;
    serde_json::from_str(&text).map_err(|error| StoreError::damaged(path, format!("state: {error}")))
}

pub(super) fn write_state(connection: &Connection, state: &State) -> rusqlite::Result<()> {
    let text = serde_json::to_string(state).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.prepare_cached("UPDATE state SET text = ?1")?.execute([text]).map(drop)
}
