//! Versions that were left out of a rule set and still take the place of older ones: withdrawn by their producer, or
//! with a pattern that cannot be used.

use super::collect::{ClassOf, Collector, Row};
use super::entries::{NO_CONFIDENCE, NONE, State};
use super::packed::{Blobs, BlobsWriter, Damaged, Ints, Section, Sections, Tag};
use super::times::Times;
use bytes::Bytes;

const GROUP: u8 = 7;
const IDS: Tag = Tag::new(GROUP, 0);
const STATES: Tag = Tag::new(GROUP, 1);
const MODIFIED: Tag = Tag::new(GROUP, 2);
const ODD_ROWS: Tag = Tag::new(GROUP, 3);
const ODD_IDS: Tag = Tag::new(GROUP, 4);

/// Ids, and the version that was withdrawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Withdrawn {
    ids: Bytes,
    states: Ints,
    modified: Times,
    /// Which of them sixteen bytes do not tell, and their ids.
    odd_rows: Ints,
    odd_ids: Blobs,
}

impl Withdrawn {
    /// Writes the rows that do not stay.
    pub(super) fn write(all: &Collector, stays: &dyn Fn(u32) -> bool, sections: &mut Sections) {
        let counts = |row: &u32| matches!(all.state[*row as usize], State::Revoked | State::Unusable);
        let mut rows: Vec<u32> = (0..all.len() as u32).filter(|row| !stays(*row) && counts(row)).collect();
        if rows.is_empty() {
            return;
        }
        rows.sort_unstable_by(|a, b| all.order(*a, *b));
        let ids: Vec<u8> = rows.iter().flat_map(|row| all.ids[*row as usize]).collect();
        sections.push_bytes(IDS, rows.len() as u32, ids);
        sections.push(Ints::pack(STATES, 1, 0, rows.iter().map(|row| all.state[*row as usize] as u64)));
        let modified: Vec<i64> = rows.iter().map(|row| all.modified[*row as usize]).collect();
        sections.push(Times::pack(MODIFIED, &modified, None));
        let odd = (0_u64..).zip(&rows).filter_map(|(at, row)| Some((at, all.odd_ids.get(row)?)));
        sections.push(Ints::pack(ODD_ROWS, 1, 0, odd.clone().map(|(at, _)| at)));
        let mut odd_ids = BlobsWriter::default();
        odd.for_each(|(_, id)| odd_ids.push(id.as_bytes()));
        odd_ids.write(ODD_IDS, sections);
    }

    pub(super) fn open(sections: &Sections) -> Result<Self, Damaged> {
        let Some(Section { bytes, count, .. }) = sections.get(IDS) else { return Ok(Self::default()) };
        let rows = *count as usize;
        let odd_ids = Blobs::open(ODD_IDS, sections)?;
        if bytes.len() != rows * 16 {
            return Err(Damaged("the list of withdrawn indicators has another length than stated"));
        }
        let states = Ints::open(sections.need(STATES)?, rows)?;
        let modified = Times::open(sections.need(MODIFIED)?, rows)?;
        let odd_rows = Ints::open(sections.need(ODD_ROWS)?, odd_ids.len())?;
        Ok(Self { ids: bytes.clone(), states, modified, odd_rows, odd_ids })
    }

    /// Adds them to a set in the making, where they count against older versions.
    pub(super) fn enter(&self, all: &mut Collector) {
        let class = all.class(ClassOf { origin: all.current_origin(), ..ClassOf::default() });
        let (ids, _) = self.ids.as_chunks::<16>();
        for (at, id) in ids.iter().enumerate().take(u32::MAX as usize - all.len().min(u32::MAX as usize)) {
            let odd = self.odd_rows.find(at as u64).map(|odd| std::str::from_utf8(self.odd_ids.get(odd)));
            all.push(Row {
                id: *id,
                odd_id: odd.map(Result::unwrap_or_default),
                created: NONE,
                modified: self.modified.get(at, NONE),
                valid_from: NONE,
                valid_until: NONE,
                confidence: NO_CONFIDENCE,
                state: if self.states.get(at) == State::Revoked as u64 { State::Revoked } else { State::Unusable },
                class,
                pattern: 0,
                name: None,
            });
        }
    }
}
