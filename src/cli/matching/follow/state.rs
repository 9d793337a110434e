//! `--state FILE`: how far each input was searched, so that the next run goes on there.
//!
//! The file is a line that says what it is and holds a digest of the rest, a line of JSON, and behind it rows that were
//! about to be written to a file. It is replaced as a whole. Rows that go to a regular file are stored here before they
//! are written there: whenever the process is killed, the next one finds out how many of them arrived, and writes the
//! rest. Rows that go to a pipe are written first, since nobody can tell what its reader has got.

use super::super::blocks::Position;
use super::content::{Id, Print};
use crate::cli::error::{Error, reason};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use stockade::log::Heading;

/// What the first line begins with.
const MARK: &str = "stockade state 1 ";
/// What could be a state of a later version.
const ANY_MARK: &str = "stockade state ";
/// How often positions are written while there is nothing to be printed. What is searched again then had no hits.
const INTERVAL: Duration = Duration::from_secs(2);
/// A state larger than this is none.
const LARGEST: u64 = 1 << 30;

/// How far a file was searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The name under which it was searched.
    #[serde(with = "path")]
    pub(super) path: PathBuf,
    #[serde(flatten)]
    pub(super) id: Id,
    #[serde(flatten)]
    pub(super) position: Position,
    /// What the header lines of a table said of the lines behind that position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) heading: Option<Arc<Heading>>,
    pub(super) print: Print,
    /// When it was last written to, in seconds of the Unix clock and nanoseconds.
    pub(super) modified: (u64, u32),
    /// Another file has its path.
    #[serde(default)]
    pub(super) rotated: bool,
    /// It was rotated away and searched to its end.
    #[serde(default)]
    pub(super) closed: bool,
}

impl Record {
    pub(super) fn new(path: PathBuf, id: Id) -> Self {
        let position = Position::START;
        let (print, modified) = (Print::default(), (0, 0));
        Self { path, id, position, heading: None, print, modified, rotated: false, closed: false }
    }

    pub(super) fn modified(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::new(self.modified.0, self.modified.1)
    }

    pub(super) fn set_modified(&mut self, time: SystemTime) {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.modified = (since.as_secs(), since.subsec_nanos());
    }
}

/// Rows that may not have arrived in the file to which the output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    #[serde(flatten)]
    pub(super) id: Id,
    /// The length of that file before.
    pub(super) at: u64,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Contents {
    inputs: Vec<Record>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
}

/// What was left by the run before.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) records: Vec<Record>,
    pub(super) pending: Option<(Pending, Vec<u8>)>,
}

/// A state file that is ours as long as this lives.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    /// Holds the lock.
    file: Option<File>,
    written: Vec<Record>,
    saved: Instant,
    /// The last one that was written holds rows.
    pending: bool,
}

impl State {
    /// Takes a state file, or begins one.
    ///
    /// # Errors
    /// It is not a state, is damaged, cannot be read or written, or another process holds it.
    pub(super) fn open(path: &Path) -> Result<(Self, Left), Error> {
        // Where the name is a link, the file that it leads to is replaced.
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let wrong = |what: &str| Error::new(format_args!("state {}: {what}", path.display()));
        let failed = |error: io::Error| wrong(&reason(&error));
        let mut state =
            Self { path: path.clone(), file: None, written: Vec::new(), saved: Instant::now(), pending: false };
        for _ in 0..100 {
            let mut file = match File::open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    state.save(Vec::new(), None).map_err(failed)?;
                    return Ok((state, Left::default()));
                }
                Err(error) => return Err(failed(error)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(wrong("another process is using it")),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // It may have been replaced by its owner before it was locked.
            let metadata = file.metadata().map_err(failed)?;
            if fs::metadata(path).is_ok_and(|now| Id::of(&now) != Id::of(&metadata)) {
                continue;
            }
            if !metadata.is_file() || metadata.len() > LARGEST {
                return Err(wrong("this is no state of stockade"));
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed)?;
            let (contents, rows) = parse(&bytes).map_err(wrong)?;
            state.file = Some(file);
            state.written.clone_from(&contents.inputs);
            state.pending = contents.pending.is_some();
            let pending = contents.pending.map(|pending| (pending, rows.to_vec()));
            return Ok((state, Left { records: contents.inputs, pending }));
        }
        Err(wrong("another process is using it"))
    }

    /// Whether the time has come to write positions down.
    pub(super) fn is_due(&self) -> bool {
        self.saved.elapsed() >= INTERVAL
    }

    /// Whether what was written last holds rows.
    pub(super) fn has_pending(&self) -> bool {
        self.pending
    }

    /// Writes it, unless the same stands there.
    pub(super) fn save(&mut self, records: Vec<Record>, pending: Option<(Pending, &[u8])>) -> io::Result<()> {
        self.saved = Instant::now();
        if self.file.is_some() && self.written == records && !self.pending && pending.is_none() {
            return Ok(());
        }
        let contents = Contents { inputs: records, pending: pending.map(|pending| pending.0) };
        let mut body = serde_json::to_vec(&contents)?;
        body.push(b'\n');
        body.extend_from_slice(pending.map_or(&[], |pending| pending.1));
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        self.file = Some(replace(Path::new(&new), &self.path, &[header(&body).as_bytes(), &body])?);
        self.written = contents.inputs;
        self.pending = contents.pending.is_some();
        Ok(())
    }
}

/// Replaces a file at once, and gives the new one, locked.
fn replace(new: &Path, path: &Path, parts: &[&[u8]]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // Rows hold parts of logs, which are not for everybody to read.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(new)?;
    let written = (|| {
        if let Ok(before) = fs::metadata(path) {
            file.set_permissions(before.permissions())?;
        }
        file.lock()?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        fs::rename(new, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(new);
    }
    written.map(|()| file)
}

fn header(body: &[u8]) -> String {
    let digest = Sha256::digest(body).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("{MARK}{digest}\n")
}

fn parse(bytes: &[u8]) -> Result<(Contents, &[u8]), &'static str> {
    if bytes.is_empty() {
        return Err("the file is empty; remove it to begin anew");
    }
    if !bytes.starts_with(ANY_MARK.as_bytes()) {
        return Err("this is no state of stockade, and is left as it is");
    }
    if !bytes.starts_with(MARK.as_bytes()) {
        return Err("this state was written by another version of stockade");
    }
    let damaged = "the state is damaged; remove it to search everything anew";
    let start = memchr::memchr(b'\n', bytes).ok_or(damaged)? + 1;
    let body = &bytes[start..];
    if header(body).as_bytes() != &bytes[..start] {
        return Err(damaged);
    }
    let end = memchr::memchr(b'\n', body).ok_or(damaged)? + 1;
    let contents = serde_json::from_slice(&body[..end]).map_err(|_| damaged)?;
    Ok((contents, &body[end..]))
}

/// Names of files as text where they are text, and as bytes where they are not.
mod path {
    use super::{OsString, PathBuf};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::path::Path;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        match path.to_str() {
            Some(text) => text.serialize(serializer),
            None => path.as_os_str().as_encoded_bytes().serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(match Name::deserialize(deserializer)? {
            Name::Text(text) => text.into(),
            Name::Bytes(bytes) => from_bytes(bytes).into(),
        })
    }

    #[cfg(unix)]
    fn from_bytes(bytes: Vec<u8>) -> OsString {
        std::os::unix::ffi::OsStringExt::from_vec(bytes)
    }

    #[cfg(not(unix))]
    fn from_bytes(bytes: Vec<u8>) -> OsString {
        String::from_utf8_lossy(&bytes).into_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str, offset: u64) -> Record {
        let mut record = Record::new(path.into(), Id { device: 1, inode: 2 });
        record.position = serde_json::from_value(serde_json::json!({"offset": offset, "line": 3})).expect("a position");
        record
    }

    #[test]
    fn what_was_saved_is_found_again() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("state");
        let (mut state, left) = State::open(&path).expect("begun");
        assert!(left.records.is_empty() && left.pending.is_none());
        let mut records = vec![record("a.log", 10), record("b\u{fc}.log", 20)];
        #[cfg(unix)]
        records.push(Record {
            path: <OsString as std::os::unix::ffi::OsStringExt>::from_vec(vec![b'x', 0xff]).into(),
            ..record("", 7)
        });
        let pending = Pending { id: Id { device: 3, inode: 4 }, at: 77 };
        state.save(records.clone(), Some((pending, b"rows\n\xff\x00"))).expect("saved");
        assert!(State::open(&path).is_err_and(|error| format!("{error:?}").contains("another process")));
        drop(state);
        let (state, left) = State::open(&path).expect("readable");
        assert_eq!((left.records, left.pending), (records, Some((pending, b"rows\n\xff\x00".to_vec()))));
        drop(state);
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1, "nothing stays beside it");
    }

    #[test]
    fn no_byte_of_a_state_can_change_unnoticed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("state");
        State::open(&path).expect("begun").0.save(vec![record("a.log", 10)], None).expect("saved");
        let good = fs::read(&path).expect("readable");
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            assert!(parse(&bad).is_err(), "byte {place}");
            assert!(parse(&good[..place]).is_err(), "cut at {place}");
        }
        assert!(parse(&good).is_ok());
    }
}
