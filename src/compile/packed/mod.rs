//! Columns of numbers and texts as bytes: the form in which indicators are kept in memory and in files alike.
//!
//! Everything is read in place, bytes of the lowest value first, so the same bytes serve every machine and may be a
//! mapped file. Lengths are compared once, when a column is taken from its section; a read beyond the end gives
//! nothing rather than a fault, for offsets within a column may be anything in a damaged file.

mod blobs;
mod ints;
mod rank;
mod sections;

pub(crate) use blobs::{Blobs, BlobsWriter};
pub(crate) use ints::Ints;
pub(crate) use rank::Rank;
pub(crate) use sections::{Damaged, Section, Sections, Tag};
