//! What a log line says: its fields, what they mean, and its time.
//!
//! A [`Tracker`] tells the [`Layout`] of each part of an input; [`Layout::decode`] takes a line apart into an [`Event`];
//! [`assemble`] makes an observation of it. One file in `format/` for each format.

pub mod assemble;
mod escape;
mod event;
mod format;
mod json;
mod known;
mod layout;
mod mapping;
mod time;
mod values;
mod words;
mod zeek;
mod zone;

pub use event::{Event, Field, Joint, Meaning, Unescaped};
pub use format::{Format, all as formats, named as format_named};
pub use json::document::{Cutter, List, State as CutterState, begins_document};
pub use layout::{Choice, Columns, Heading, Layout, Layouts, Tracker};
pub use mapping::Mapping;
pub use time::Clock;
pub use zone::{UnknownZone, Zone};
