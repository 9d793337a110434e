//! The texts of patterns that tables of values do not tell: those to be lowered again, and in files all that a table
//! would not give back as they were.

use super::lower::{self, Lowered, Seek};
use super::packed::{Blobs, BlobsWriter, Damaged, Ints, Sections, Tag};
use super::{Compound, EntryId};
use crate::pattern::{Parser, Pattern, Reading};

const GROUP: u8 = 6;
const ROWS: Tag = Tag::new(GROUP, 0);
const MORE: Tag = Tag::new(GROUP, 1);
const TEXTS: Tag = Tag::new(GROUP, 2);

/// All are read by the letter of the standard.
const STRICT: u8 = 1;

/// Texts of patterns, by row.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    /// In order.
    rows: Ints,
    /// Whether there is more to each than values in tables.
    more: Ints,
    texts: Blobs,
    reading: Reading,
}

/// A pattern in the making of a rule set.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) row: u32,
    pub(super) text: Box<str>,
    /// There is more to it than values in tables.
    pub(super) more: bool,
}

/// What is sought besides values in tables.
#[derive(Debug, Default)]
pub(super) struct Special {
    pub(super) texts: Vec<(EntryId, Seek)>,
    pub(super) compounds: Vec<Compound>,
}

impl Patterns {
    /// Writes patterns, whose rows are in order, and how they are read.
    pub(super) fn write(noted: &[Noted], reading: Reading, sections: &mut Sections) {
        let flags = if reading == Reading::Strict { STRICT } else { 0 };
        sections.push(Ints::pack(ROWS, 1, flags, noted.iter().map(|noted| u64::from(noted.row))));
        sections.push(Ints::pack(MORE, 1, 0, noted.iter().map(|noted| u64::from(noted.more))));
        let mut texts = BlobsWriter::default();
        for noted in noted {
            texts.push(noted.text.as_bytes());
        }
        texts.write(TEXTS, sections);
    }

    pub(super) fn open(sections: &Sections) -> Result<Self, Damaged> {
        let texts = Blobs::open(TEXTS, sections)?;
        let column = |tag| Ints::open(sections.need(tag)?, texts.len());
        let (rows, more) = (column(ROWS)?, column(MORE)?);
        let reading = if rows.flags() & STRICT == 0 { Reading::Pragmatic } else { Reading::Strict };
        Ok(Self { rows, more, texts, reading })
    }

    /// How patterns are read.
    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    /// The text of a row's pattern, if it is kept.
    pub(super) fn of(&self, row: u32) -> Option<&str> {
        let at = self.rows.find(u64::from(row))?;
        Some(std::str::from_utf8(self.texts.get(at)).unwrap_or_default())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Noted> {
        (0..).zip(self.texts.iter()).map(|(at, text)| {
            let text = std::str::from_utf8(text).unwrap_or_default().into();
            Noted { row: self.rows.get(at) as u32, text, more: self.more.get(at) == 1 }
        })
    }

    /// Lowers what tables do not tell. A text that is no pattern, which only a damaged file holds, says nothing.
    pub(super) fn special(&self) -> Special {
        let mut special = Special::default();
        let mut parser = Parser::default();
        let reading = self.reading;
        for Noted { row, text, .. } in self.iter().filter(|noted| noted.more) {
            let Ok(ast) = parser.parse(&text, reading) else { continue };
            let entry = EntryId(row);
            let lowered = lower::lower(&ast, reading == Reading::Strict);
            let has_more = lowered.has_more();
            let Lowered { exact, cover, plain, sequence, .. } = lowered;
            let others = exact.iter().filter(|seek| !matches!(seek, Seek::Atom(_)));
            special.texts.extend(others.map(|seek| (entry, seek.clone())));
            if has_more {
                let cover = cover.map(|cover| cover.into_iter().filter(|seek| !exact.contains(seek)).collect());
                let pattern = Pattern::from(&ast);
                special.compounds.push(Compound { entry, pattern, cover, plain, sequence });
            }
        }
        special
    }
}
