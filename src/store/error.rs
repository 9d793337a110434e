//! What can go wrong with a store, in words that say what to do.

use rusqlite::{ErrorCode, ffi};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a store could not be opened, read or written.
#[derive(Debug)]
pub struct StoreError(Box<Kind>);

#[derive(Debug)]
enum Kind {
    Busy {
        source: String,
        holder: Option<String>,
    },
    Shrunk(String, Shrunk),
    Damaged {
        path: PathBuf,
        detail: String,
    },
    Newer {
        path: PathBuf,
        version: i64,
    },
    Foreign {
        path: PathBuf,
    },
    OnlyGeneration {
        source: String,
    },
    /// A companion of the database is not there, and whoever reads may not make it.
    Lacking {
        path: PathBuf,
    },
    /// Objects came outside of a poll.
    Idle {
        source: String,
    },
    Failed {
        path: PathBuf,
        doing: &'static str,
        detail: String,
    },
}

/// A snapshot that was refused, since too much would have left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shrunk {
    /// Indicators before, withdrawn ones not counted.
    pub before: u64,
    /// Indicators of the snapshot.
    pub after: u64,
    /// The share that may be lost.
    pub max_drop: f64,
}

impl StoreError {
    pub(super) fn busy(source: &str, holder: Option<String>) -> Self {
        Self(Box::new(Kind::Busy { source: source.to_owned(), holder }))
    }

    pub(super) fn refused(source: &str, shrunk: Shrunk) -> Self {
        Self(Box::new(Kind::Shrunk(source.to_owned(), shrunk)))
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self(Box::new(Kind::Damaged { path: path.to_owned(), detail: detail.into() }))
    }

    pub(super) fn newer(path: &Path, version: i64) -> Self {
        Self(Box::new(Kind::Newer { path: path.to_owned(), version }))
    }

    pub(super) fn foreign(path: &Path) -> Self {
        Self(Box::new(Kind::Foreign { path: path.to_owned() }))
    }

    pub(super) fn only_generation(source: &str) -> Self {
        Self(Box::new(Kind::OnlyGeneration { source: source.to_owned() }))
    }

    pub(super) fn lacking(path: &Path) -> Self {
        Self(Box::new(Kind::Lacking { path: path.to_owned() }))
    }

    pub(super) fn idle(source: &str) -> Self {
        Self(Box::new(Kind::Idle { source: source.to_owned() }))
    }

    pub(super) fn io(path: &Path, doing: &'static str, error: &io::Error) -> Self {
        let text = error.to_string();
        let detail = text.rfind(" (os error ").map_or(&*text, |end| &text[..end]).to_owned();
        Self(Box::new(Kind::Failed { path: path.to_owned(), doing, detail }))
    }

    pub(super) fn sql(path: &Path, doing: &'static str, error: &rusqlite::Error) -> Self {
        let detail = match error {
            rusqlite::Error::SqliteFailure(failure, text) => {
                let text = text.clone().unwrap_or_else(|| failure.to_string());
                match failure.code {
                    ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation => {
                        return Self::damaged(path, text);
                    }
                    ErrorCode::DiskFull => "the disk is full".to_owned(),
                    ErrorCode::ReadOnly | ErrorCode::PermissionDenied => "permission denied".to_owned(),
                    // The database keeps the system's own words to itself.
                    ErrorCode::SystemIoFailure => match failure.extended_code {
                        ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ => {
                            "reading failed: the disk may be broken"
                        }
                        ffi::SQLITE_IOERR_NOMEM => "out of memory",
                        _ => "the system refused to write or to map it: is the disk full or broken?",
                    }
                    .to_owned(),
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "another program has locked it".to_owned(),
                    _ => text,
                }
            }
            // A column holds what it never held when it was written.
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::QueryReturnedNoRows => return Self::damaged(path, error.to_string()),
            other => other.to_string(),
        };
        Self(Box::new(Kind::Failed { path: path.to_owned(), doing, detail }))
    }

    /// Another process writes the store.
    pub fn is_busy(&self) -> bool {
        matches!(*self.0, Kind::Busy { .. })
    }

    /// The file is not what was written.
    pub fn is_damage(&self) -> bool {
        matches!(*self.0, Kind::Damaged { .. })
    }

    /// The numbers, if a snapshot was refused for losing too much.
    pub fn shrunk(&self) -> Option<Shrunk> {
        if let Kind::Shrunk(_, shrunk) = *self.0 { Some(shrunk) } else { None }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Busy { source, holder } => {
                write!(out, "source {source} is in use by ")?;
                match holder {
                    Some(holder) => write!(out, "process {holder}")?,
                    None => out.write_str("another process")?,
                }
                out.write_str("; try again when it is done")
            }
            Kind::Shrunk(source, Shrunk { before, after, max_drop }) => {
                #[expect(clippy::cast_precision_loss, reason = "a share for people")]
                let lost = (before.saturating_sub(*after)) as f64 / (*before).max(1) as f64;
                write!(
                    out,
                    "source {source} would shrink from {before} to {after} indicators, which is {:.1} % less; max_drop \
                     allows {:.1} %; the old set stays",
                    lost * 100.0,
                    max_drop * 100.0
                )
            }
            Kind::Damaged { path, detail } => {
                write!(
                    out,
                    "{}: the store is damaged ({detail}); bring its folder back from a backup, or delete the folder \
                     and fetch the source again from its beginning",
                    path.display()
                )
            }
            Kind::Newer { path, version } => {
                write!(
                    out,
                    "{}: written by a newer stockade (format {version}; this one knows {}); use that one",
                    path.display(),
                    super::schema::VERSION
                )
            }
            Kind::Foreign { path } => {
                write!(out, "{}: not a store of stockade, though it stands in the place of one", path.display())
            }
            Kind::OnlyGeneration { source } => {
                write!(out, "source {source} has no generation to go back to: the one before is not kept")
            }
            Kind::Lacking { path } => write!(
                out,
                "{}: is missing, and cannot be made here; let the user who fetches read the store once",
                path.display()
            ),
            Kind::Idle { source } => write!(out, "source {source}: no such poll is going on; begin it again"),
            Kind::Failed { path, doing, detail } => write!(out, "{}: {doing}: {detail}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {}

/// For readers of [`super::Objects`] as a stream.
impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        let kind = if error.is_damage() { io::ErrorKind::InvalidData } else { io::ErrorKind::Other };
        Self::new(kind, error)
    }
}
