//! The compiled index file: the sections of a rule set behind a header that tells where they lie.
//!
//! | bytes | content |
//! | --- | --- |
//! | 0..8 | [`MAGIC`] |
//! | 8..12 | version of the format |
//! | 12..16 | number of sections |
//! | 16..24 | length of the file |
//! | 24..32 | generation |
//! | 32..40 | number of indicators |
//! | 40..56 | zero |
//! | 56..64 | checksum of the header before it and the table behind it |
//! | then | the table: 40 bytes a section |
//! | then | the sections in the order of the table, each from a multiple of 64 on, with zeros between |
//!
//! Numbers have the byte of lowest value first. A row of the table holds group, part, width and flags, a byte each, the
//! number of items in four bytes, and then in eight bytes each the length, least item, step and checksum.

mod map;

use super::RuleSet;
use super::hash::{Checksum, checksum};
use super::packed::{Damaged, Section, Sections, Tag};
use bytes::Bytes;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// What every index file begins with. It holds a byte that no text has and ends of line that transfers as text change.
pub const MAGIC: [u8; 8] = *b"\x89SDX\r\n\x1a\n";

/// The version of the format that is written and read.
const VERSION: u32 = 2;
const HEADER: usize = 64;
const ROW: usize = 40;
/// Where sections begin: a multiple of what is read from memory at once.
const ALIGNMENT: usize = 64;
/// A table is no longer than this.
const MOST_SECTIONS: usize = 1000;
/// Files up to this length are checked as a whole when they are opened: it takes no time.
const CHECKED_AT_ONCE: usize = 4 << 20;
/// Bytes that are read at a time where a file is only checked.
const PIECE: usize = 256 << 10;

/// Why an index file cannot be used.
#[derive(Debug)]
pub struct FileError(Problem);

#[derive(Debug)]
enum Problem {
    Io(io::Error),
    NoIndex,
    Version(u32),
    Cut { stated: u64, found: u64 },
    Damaged(&'static str),
}

impl FileError {
    /// The error of the system, if it was one.
    pub fn io(&self) -> Option<&io::Error> {
        if let Problem::Io(error) = &self.0 { Some(error) } else { None }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Io(error) => error.fmt(out),
            Problem::NoIndex => out.write_str("not a compiled index"),
            Problem::Version(version) => write!(
                out,
                "a compiled index of format {version}, and this program reads format {VERSION}; compile it again"
            ),
            Problem::Cut { stated, found } => {
                write!(out, "the compiled index is damaged: {found} bytes long instead of {stated}; compile it again")
            }
            Problem::Damaged(what) => write!(out, "the compiled index is damaged: {what}; compile it again"),
        }
    }
}

impl std::error::Error for FileError {}

impl From<Damaged> for FileError {
    fn from(damaged: Damaged) -> Self {
        Self(Problem::Damaged(damaged.0))
    }
}

fn damaged<T>(what: &'static str) -> Result<T, FileError> {
    Err(FileError(Problem::Damaged(what)))
}

/// Compares all of an index file with its checksums. It is read piece by piece, so that nothing of it stays in memory;
/// `goes_on` is asked before each piece, and if it says no, what was read so far was in order.
///
/// # Errors
/// As [`RuleSet::open`], and something is not as it was written.
pub fn check(path: &Path, goes_on: &dyn Fn() -> bool) -> Result<(), FileError> {
    let io = |error| FileError(Problem::Io(error));
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut start = Vec::new();
    (&mut file).take((HEADER + MOST_SECTIONS * ROW) as u64).read_to_end(&mut start).map_err(io)?;
    let head = Head::read(&start, length)?;
    let mut bytes = start.as_slice().chain(file);
    let mut piece = vec![[0; 32]; PIECE / 32];
    let mut at = 0;
    for (_, range, sum) in head.sections {
        // Zeros lie between sections.
        io::copy(&mut (&mut bytes).take((range.start - at) as u64), &mut io::sink()).map_err(io)?;
        at = range.end;
        let mut left = range.len();
        let mut found = Checksum::default();
        while left >= 32 {
            if !goes_on() {
                return Ok(());
            }
            let blocks = &mut piece[..(PIECE / 32).min(left / 32)];
            bytes.read_exact(blocks.as_flattened_mut()).map_err(io)?;
            found.add(blocks);
            left -= blocks.len() * 32;
        }
        let rest = &mut piece[0][..left];
        bytes.read_exact(rest).map_err(io)?;
        if found.finish(rest) != sum {
            return damaged("a checksum is wrong");
        }
    }
    Ok(())
}

/// What the header and table of a file say.
struct Head {
    generation: u64,
    /// Of each section, without its bytes: where those lie, and their checksum.
    sections: Vec<(Section, std::ops::Range<usize>, u64)>,
}

impl RuleSet {
    /// Opens a compiled index: maps the file, and looks at little more than its header.
    ///
    /// A long file is not read as a whole; [`Self::verify`] does that. What is not in order then shows as values that are
    /// not found, never as a fault.
    ///
    /// # Errors
    /// The file cannot be read, or is no compiled index, of another version, cut, or damaged in what was looked at.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(|error| FileError(Problem::Io(error)))?;
        let metadata = file.metadata().map_err(|error| FileError(Problem::Io(error)))?;
        if !metadata.is_file() || metadata.len() < HEADER as u64 {
            return Err(FileError(Problem::NoIndex));
        }
        let map = map::map(&file).map_err(|error| FileError(Problem::Io(error)))?;
        Self::from_bytes(Bytes::from_owner(map))
    }

    /// Takes a compiled index from memory.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, FileError> {
        let bytes = bytes.into();
        let head = Head::read(&bytes, bytes.len() as u64)?;
        let mut sections = Sections::default();
        let mut checksums = Vec::with_capacity(head.sections.len());
        for (section, range, sum) in head.sections {
            checksums.push(sum);
            sections.push(Section { bytes: bytes.slice(range), ..section });
        }
        let mut rules = Self::from_sections(sections, Some(head.generation))?;
        rules.set_checksums(checksums);
        if bytes.len() <= CHECKED_AT_ONCE {
            rules.verify()?;
        }
        Ok(rules)
    }

    /// Compares everything that was opened from a file with its checksums; reads all of it. Of a rule set that was built
    /// in memory there is nothing to compare.
    ///
    /// # Errors
    /// Something is not as it was written.
    pub fn verify(&self) -> Result<(), FileError> {
        let Some(checksums) = self.checksums() else { return Ok(()) };
        let sums = self.sections().iter().map(|section| checksum(&section.bytes));
        // A fuzzer cannot make checksums fit, and what matters is behind them.
        if cfg!(fuzzing) || sums.eq(checksums.iter().copied()) { Ok(()) } else { damaged("a checksum is wrong") }
    }

    /// Writes an index file of given sections.
    pub(crate) fn write_with(&self, sections: &Sections, out: &mut dyn Write) -> io::Result<()> {
        let rows = sections.iter().count();
        let mut head = Vec::with_capacity(HEADER + rows * ROW);
        let mut length = HEADER + rows * ROW;
        for section in sections.iter() {
            length = length.next_multiple_of(ALIGNMENT) + section.bytes.len();
        }
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&(rows as u32).to_le_bytes());
        for number in [length as u64, self.generation_number(), self.len() as u64, 0, 0, 0] {
            head.extend_from_slice(&number.to_le_bytes());
        }
        for Section { tag, width, flags, count, base, step, bytes } in sections.iter() {
            head.extend_from_slice(&[tag.group, tag.part, *width, *flags]);
            head.extend_from_slice(&count.to_le_bytes());
            for number in [bytes.len() as u64, *base, *step, checksum(bytes)] {
                head.extend_from_slice(&number.to_le_bytes());
            }
        }
        let sum = checksum_of_head(&head);
        head[HEADER - 8..HEADER].copy_from_slice(&sum.to_le_bytes());
        out.write_all(&head)?;
        let mut at = head.len();
        for section in sections.iter() {
            let start = at.next_multiple_of(ALIGNMENT);
            out.write_all(&[0; ALIGNMENT][..start - at])?;
            out.write_all(&section.bytes)?;
            at = start + section.bytes.len();
        }
        Ok(())
    }
}

impl Head {
    /// Reads it from the beginning of a file of some length.
    fn read(bytes: &[u8], length: u64) -> Result<Self, FileError> {
        if bytes.len() < HEADER || !bytes.starts_with(&MAGIC) {
            return Err(FileError(Problem::NoIndex));
        }
        let version = word(bytes, 8) as u32;
        if version != VERSION {
            return Err(FileError(Problem::Version(version)));
        }
        let (found, stated) = (length, word(bytes, 16));
        if found != stated {
            return Err(FileError(Problem::Cut { stated, found }));
        }
        let rows = (word(bytes, 8) >> 32) as usize;
        let Some(head) = bytes.get(..HEADER + rows.min(MOST_SECTIONS) * ROW).filter(|_| rows <= MOST_SECTIONS) else {
            return damaged("the table of sections does not fit");
        };
        if !cfg!(fuzzing) && checksum_of_head(head) != word(bytes, HEADER - 8) {
            return damaged("the checksum of its header is wrong");
        }
        let (mut at, mut last, mut sections) = (head.len(), None, Vec::with_capacity(rows));
        let (table, _) = head[HEADER..].as_chunks::<ROW>();
        for row in table {
            let tag = Tag::new(row[0], row[1]);
            if last.replace(tag).is_some_and(|last| last >= tag) {
                return damaged("the table of sections is not in order");
            }
            let start = at.next_multiple_of(ALIGNMENT);
            let end = usize::try_from(word(row, 8)).ok().and_then(|length| start.checked_add(length));
            let Some(end) = end.filter(|end| *end as u64 <= length) else {
                return damaged("a section lies beyond its end");
            };
            let (width, flags, count) = (row[2], row[3], (word(row, 0) >> 32) as u32);
            let (base, step, bytes) = (word(row, 16), word(row, 24), Bytes::new());
            let section = Section { tag, width, flags, count, base, step, bytes };
            sections.push((section, start..end, word(row, 32)));
            at = end;
        }
        if at as u64 != length {
            return damaged("there is more than its sections");
        }
        Ok(Self { generation: word(bytes, 24), sections })
    }
}

/// The checksum of header and table, without the place where it stands.
fn checksum_of_head(head: &[u8]) -> u64 {
    let sums = [checksum(&head[..HEADER - 8]), checksum(&head[HEADER..])].map(u64::to_le_bytes);
    checksum(sums.as_flattened())
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word))
}

/// Makes length and checksums those of the bytes, as far as there is a table.
#[cfg(test)]
pub(crate) fn reseal(bytes: &mut [u8]) {
    let rows = (word(bytes, 8) >> 32) as usize;
    let end = HEADER + rows.min(MOST_SECTIONS) * ROW;
    if bytes.len() < end {
        return;
    }
    let length = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&length.to_le_bytes());
    let mut at = end;
    for row in (HEADER..end).step_by(ROW) {
        let start = at.next_multiple_of(ALIGNMENT);
        let stop = start.saturating_add(usize::try_from(word(bytes, row + 8)).unwrap_or(usize::MAX));
        let sum = bytes.get(start..stop).map_or(0, checksum);
        bytes[row + 32..row + 40].copy_from_slice(&sum.to_le_bytes());
        at = stop.min(bytes.len());
    }
    let sum = checksum_of_head(&bytes[..end]);
    bytes[HEADER - 8..HEADER].copy_from_slice(&sum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::RuleSetBuilder;
    use crate::observable::classify;

    fn written(values: &[&str]) -> Vec<u8> {
        let mut builder = RuleSetBuilder::default();
        for value in values {
            builder.add_value(classify(value).expect(value)).expect("there is room");
        }
        let rules = builder.build_current();
        let mut out = Vec::new();
        rules.write_with(rules.sections(), &mut out).expect("memory takes everything");
        out
    }

    #[test]
    fn what_is_no_index_says_what_it_is() {
        let good = written(&["evil.example", "192.0.2.1"]);
        let error = |bytes: &[u8]| RuleSet::from_bytes(bytes.to_vec()).map(drop).expect_err("not in order").to_string();
        assert_eq!(error(b"192.0.2.1\n"), "not a compiled index");
        assert_eq!(error(&[]), "not a compiled index");
        let mut other = good.clone();
        other[8] = 9;
        let version =
            format!("a compiled index of format 9, and this program reads format {VERSION}; compile it again");
        assert_eq!(error(&other), version);
        let cut = error(&good[..good.len() - 1]);
        assert!(cut.contains(&format!("{} bytes long instead of {}", good.len() - 1, good.len())), "{cut}");
        let mut flipped = good.clone();
        *flipped.last_mut().expect("not empty") ^= 1;
        assert_eq!(error(&flipped), "the compiled index is damaged: a checksum is wrong; compile it again");
        let mut flipped = good;
        flipped[30] ^= 1;
        assert_eq!(
            error(&flipped),
            "the compiled index is damaged: the checksum of its header is wrong; compile it again"
        );
    }

    #[test]
    fn a_file_is_checked_piece_by_piece() {
        let values: Vec<String> = (0..40_000).map(|number| format!("host{number}.example")).collect();
        let good = written(&values.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(good.len() > 2 * PIECE);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index");
        let told = |bytes: &[u8]| {
            std::fs::write(&path, bytes).expect("it is written");
            check(&path, &|| true).map_err(|error| error.to_string())
        };
        assert_eq!(told(&good), Ok(()));
        let used: Vec<_> = Head::read(&good, good.len() as u64).expect("its own").sections;
        for (_, range, _) in used.iter().filter(|(_, range, _)| !range.is_empty()) {
            for at in [range.start, range.start.midpoint(range.end), range.end - 1] {
                let mut flipped = good.clone();
                flipped[at] ^= 1;
                assert_eq!(
                    told(&flipped),
                    Err("the compiled index is damaged: a checksum is wrong; compile it again".into())
                );
                assert_eq!(check(&path, &|| false).map_err(|error| error.to_string()), Ok(()));
            }
        }
        assert!(told(&good[..good.len() - 1]).is_err_and(|error| error.contains("bytes long instead of")));
    }

    #[test]
    fn a_table_that_fits_in_a_page_holds_every_kind() {
        let digests: Vec<String> = [32, 40, 56, 64, 96, 128].map(|length| "a".repeat(length)).into();
        let mut values: Vec<&str> = digests.iter().map(String::as_str).collect();
        values.extend(["192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32", "evil.example"]);
        values.extend(["http://evil.example/a", "m@evil.example", "aa:bb:cc:dd:ee:ff"]);
        let rows = (word(&written(&values), 8) >> 32) as usize;
        assert!(HEADER + (rows + 4) * ROW <= 4096, "{rows} sections");
    }
}
