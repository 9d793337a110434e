//! Whether a store is what was written.

use super::error::StoreError;
use super::generation;
use super::object::Facts;
use super::reader::Reader;
use super::schema::READING;
use rusqlite::Connection;

/// The first faults that are named; the others are only counted.
const NAMED: usize = 20;

/// What a look at everything came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Objects that were read and are right.
    pub objects: u64,
    /// What is wrong, the first of it in words.
    pub faults: Vec<String>,
    /// How much is wrong.
    pub fault_count: u64,
}

impl Verified {
    fn fault(&mut self, fault: impl Into<String>) {
        self.fault_count += 1;
        if self.faults.len() < NAMED {
            self.faults.push(fault.into());
        }
    }
}

impl Reader {
    /// Looks at all of it: the pages of the database, that every object is the one that was put, and the counts.
    ///
    /// # Errors
    /// The store cannot be read. Damage is a finding, and an error only where it prevents going on.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        let run = |verified: &mut Verified| {
            check_pages(&self.connection, verified)?;
            check_objects(&self.connection, "entry", verified)?;
            check_objects(&self.connection, "fresh", verified)?;
            check_objects(&self.connection, "previous", verified)?;
            let unnamed = "SELECT count(*) FROM object WHERE number NOT IN
                           (SELECT number FROM entry UNION ALL SELECT number FROM fresh UNION ALL SELECT number FROM previous)";
            let unnamed: u64 = self.connection.query_row(unnamed, [], |row| row.get(0))?;
            if unnamed > 0 {
                verified.fault(format!("{unnamed} objects that no entry names"));
            }
            let twice = "SELECT count(*) FROM fresh WHERE key IN (SELECT key FROM entry)";
            let twice: u64 = self.connection.query_row(twice, [], |row| row.get(0))?;
            if twice > 0 {
                verified.fault(format!("{twice} objects are entered twice"));
            }
            let (counts, state) = (generation::count(&self.connection)?, self.state().counts);
            if counts != state {
                verified.fault(format!("the counts do not agree: {counts:?} are there, {state:?} are noted"));
            }
            Ok(())
        };
        match run(&mut verified) {
            Ok(()) => Ok(verified),
            Err(error) => {
                let error = StoreError::sql(&self.files.database, READING, &error);
                if !error.is_damage() {
                    return Err(error);
                }
                verified.fault("the rest cannot be read");
                Ok(verified)
            }
        }
    }
}

/// Has the database check itself.
fn check_pages(connection: &Connection, verified: &mut Verified) -> rusqlite::Result<()> {
    let mut check = connection.prepare("PRAGMA integrity_check(100)")?;
    let mut rows = check.query([])?;
    while let Some(row) = rows.next()? {
        let finding: String = row.get(0)?;
        if finding != "ok" {
            verified.fault(format!("database: {}", finding.replace('\n', " ")));
        }
    }
    Ok(())
}

/// Holds the objects that a table names against what it says of them.
fn check_objects(connection: &Connection, table: &str, verified: &mut Verified) -> rusqlite::Result<()> {
    let select = format!(
        "SELECT t.key, t.flags, t.sum, object.json, t.number FROM {table} AS t LEFT JOIN object ON object.number = t.number"
    );
    let mut select = connection.prepare(&select)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(4)?;
        let Some(json) = row.get_ref(3)?.as_blob_or_null()? else {
            verified.fault(format!("object {number} is missing"));
            continue;
        };
        let (key, flags, sum): (Vec<u8>, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match Facts::read(json) {
            Ok(facts) if facts.key[..] == key && (facts.flags(), facts.sum) == (flags, sum) => {
                verified.objects += u64::from(table != "previous");
            }
            Ok(_) => verified.fault(format!("object {number} is not the one that was put")),
            Err(reason) => verified.fault(format!("object {number}: {reason}")),
        }
    }
    Ok(())
}
