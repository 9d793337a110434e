//! What was fetched of each source, kept on disk: the newest version of every STIX object, whatever its type, as the
//! JSON that the source sent.
//!
//! Each source has a store of its own, so that an object of two sources leaves only when both drop it. One process at
//! a time writes it, with a [`Writer`]; any number read, with a [`Reader`], and never wait. Objects and the cursor that
//! says how far a source was read are committed together.
//!
//! - *Incremental* polls bring what is new since the cursor, page by page; each committed page counts at once.
//! - *Snapshots* bring everything there is. They count as a whole or not at all, and what they no longer hold leaves.
//!
//! A poll that changed something makes a new generation, and [`Writer::rollback`] goes back to the one before. What has
//! expired stays: whether an indicator is valid is judged when it is used.
//!
//! ```
//! use stockade::stix::Timestamp;
//! use stockade::store::{Mode, Put, Reader, Writer};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let now = Timestamp::parse("2026-11-22T03:00:00Z")?;
//! let mut writer = Writer::open(folder, "feed")?;
//! assert_eq!(writer.state().cursor, None);
//! writer.begin(Mode::Incremental, now)?;
//! let put = writer.put(br#"{"type": "tool", "id": "tool--1", "modified": "2026-11-01T00:00:00Z"}"#)?;
//! assert_eq!(put, Put::New);
//! assert_eq!(writer.put(br#"{"type": "tool"}"#)?, Put::SetAside("no id"));
//! writer.commit("2026-11-22T02:59:00Z")?;
//! writer.note_success(now)?;
//!
//! let reader = Reader::open(folder, "feed")?.expect("it was fetched");
//! assert_eq!(reader.state().counts.objects, 1);
//! assert_eq!(reader.state().cursor.as_deref(), Some("2026-11-22T02:59:00Z"));
//! let mut objects = reader.objects();
//! assert!(objects.next()?.is_some_and(|json| json.starts_with(br#"{"type": "tool", "id": "tool--1""#)));
//! assert!(objects.next()?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod files;
mod generation;
mod numbers;
mod object;
mod reader;
mod schema;
mod state;
mod verify;
mod writer;

pub use error::{Shrunk, StoreError};
pub use files::sources;
pub use reader::{Aside, Objects, Reader};
pub use state::{Counts, Failure, Poll, State};
pub use verify::Verified;
pub use writer::{Mode, Put, Writer};
