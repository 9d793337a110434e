//! What is known of each indicator, in columns: one row an indicator, nothing that a hit does not report.

use super::collect::{Class, Collector, PREFIX};
use super::filter::{Filter, Status};
use super::hash::hash;
use super::packed::{Blobs, BlobsWriter, Damaged, Ints, Section, Sections, Tag};
use super::times::Times;
use crate::stix::{Timestamp, Tlp};
use bytes::Bytes;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Marks an absent instant in a column.
pub(super) const NONE: i64 = i64::MIN;
/// Marks an absent confidence.
pub(super) const NO_CONFIDENCE: u8 = u8::MAX;

/// The group of sections that hold the columns.
const GROUP: u8 = 1;
const IDS: Tag = Tag::new(GROUP, 0);
const ODD_ROWS: Tag = Tag::new(GROUP, 1);
const ODD_IDS: Tag = Tag::new(GROUP, 2);
const MODIFIED: Tag = Tag::new(GROUP, 5);
const VALID_FROM: Tag = Tag::new(GROUP, 6);
const VALID_UNTIL: Tag = Tag::new(GROUP, 7);
const CONFIDENCE: Tag = Tag::new(GROUP, 8);
const STATE: Tag = Tag::new(GROUP, 9);
const CLASS: Tag = Tag::new(GROUP, 10);
const NAME: Tag = Tag::new(GROUP, 11);
const NAMES: Tag = Tag::new(GROUP, 12);
const CLASSES: Tag = Tag::new(GROUP, 15);
const STRINGS: Tag = Tag::new(GROUP, 18);
const CREATED: Tag = Tag::new(GROUP, 21);

/// What became of a row apart from time and filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum State {
    Current,
    Revoked,
    Superseded,
    Duplicate,
    /// Its pattern cannot be used. It still takes the place of older versions, and nothing is listed on its behalf.
    Unusable,
}

impl State {
    /// What is no state takes no part.
    fn of(number: u64) -> Self {
        match number {
            0 => Self::Current,
            1 => Self::Revoked,
            3 => Self::Duplicate,
            4 => Self::Unusable,
            _ => Self::Superseded,
        }
    }
}

/// The columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    ids: Bytes,
    /// Rows whose ids are not `indicator--` and a canonical UUID, and those ids.
    odd_rows: Ints,
    odd_ids: Blobs,
    created: Times,
    modified: Times,
    valid_from: Times,
    valid_until: Times,
    confidence: Ints,
    state: Ints,
    class: Ints,
    /// Number of the name plus one; zero for none.
    name: Ints,
    names: Blobs,
    classes: Blobs,
    /// What classes speak of, by number.
    strings: Blobs,
}

/// What a class says: numbers of strings, each in as few bytes as it needs.
#[derive(Clone, Copy, Debug)]
struct Said<'e> {
    entries: &'e Entries,
    tlp: Option<Tlp>,
    origin: u64,
    /// One more than the number; zero for none.
    created_by: u64,
    path: u64,
    /// How many labels; then labels; how many types; then types.
    rest: &'e [u8],
}

impl Entries {
    /// Writes the columns of the rows `order` names, in that order, and lets go of each collected one once it is written.
    pub(super) fn write(mut all: Collector, order: &[u32], sections: &mut Sections) {
        fn take<T>(column: &mut Vec<T>) -> Vec<T> {
            std::mem::take(column)
        }
        let rows = || order.iter().map(|row| *row as usize);
        let number = |tag, column: Vec<u8>| {
            let ordered: Vec<u8> = rows().map(|row| column[row]).collect();
            Ints::pack(tag, 1, 0, ordered.into_iter().map(u64::from))
        };

        let column = take(&mut all.ids);
        let mut ids = Vec::with_capacity(order.len() * 16);
        rows().for_each(|row| ids.extend_from_slice(&column[row]));
        drop(column);
        sections.push_bytes(IDS, order.len() as u32, ids);
        let odd = (0_u64..).zip(order).filter_map(|(row, old)| Some((row, all.odd_ids.get(old)?)));
        sections.push(Ints::pack(ODD_ROWS, 1, 0, odd.clone().map(|(row, _)| row)));
        let mut odd_ids = BlobsWriter::default();
        odd.for_each(|(_, id)| odd_ids.push(id.as_bytes()));
        odd_ids.write(ODD_IDS, sections);

        let times = |column: Vec<i64>| -> Vec<i64> { rows().map(|row| column[row]).collect() };
        let from = times(take(&mut all.valid_from));
        let column = times(take(&mut all.modified));
        sections.push(Times::pack(MODIFIED, &column, Some(&from)));
        let created = times(take(&mut all.created));
        sections.push(Times::pack(CREATED, &created, Some(&column)));
        drop((created, column));
        let column = times(take(&mut all.valid_until));
        sections.push(Times::pack(VALID_UNTIL, &column, Some(&from)));
        sections.push(Times::pack(VALID_FROM, &from, None));
        drop((from, column));
        sections.push(number(CONFIDENCE, take(&mut all.confidence)));
        sections.push(number(STATE, take(&mut all.state).into_iter().map(|state| state as u8).collect()));

        let column = take(&mut all.class);
        let numbers = write_classes(&all, rows().map(|row| column[row]), sections);
        let class: Vec<u32> = rows().map(|row| numbers[column[row] as usize]).collect();
        sections.push(Ints::pack(CLASS, 1, 0, class.into_iter().map(u64::from)));
        let column = take(&mut all.name);
        let numbers = write_names(&all, rows().map(|row| column[row]), sections);
        let name: Vec<u32> = rows().map(|row| numbers[column[row] as usize]).collect();
        sections.push(Ints::pack(NAME, 1, 0, name.into_iter().map(u64::from)));
    }

    pub(super) fn open(sections: &Sections) -> Result<Self, Damaged> {
        let Section { bytes, count, .. } = sections.need(IDS)?;
        let rows = *count as usize;
        if bytes.len() != rows * 16 {
            return Err(Damaged("the column of ids has another length than stated"));
        }
        let ints = |tag| Ints::open(sections.need(tag)?, rows);
        let times = |tag| Times::open(sections.need(tag)?, rows);
        let odd_ids = Blobs::open(ODD_IDS, sections)?;
        Ok(Self {
            ids: bytes.clone(),
            odd_rows: Ints::open(sections.need(ODD_ROWS)?, odd_ids.len())?,
            odd_ids,
            created: times(CREATED)?,
            modified: times(MODIFIED)?,
            valid_from: times(VALID_FROM)?,
            valid_until: times(VALID_UNTIL)?,
            confidence: ints(CONFIDENCE)?,
            state: ints(STATE)?,
            class: ints(CLASS)?,
            name: ints(NAME)?,
            names: Blobs::open(NAMES, sections)?,
            classes: Blobs::open(CLASSES, sections)?,
            strings: Blobs::open(STRINGS, sections)?,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len() / 16
    }

    /// The sixteen bytes of an id, and the id itself if those do not tell it.
    pub(super) fn raw_id(&self, row: u32) -> ([u8; 16], Option<&str>) {
        let id = self.ids.get(row as usize * 16..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        (id, self.odd_rows.find(u64::from(row)).map(|odd| text(self.odd_ids.get(odd))))
    }

    /// A bit of every column of a row that blocklists tell of.
    pub(super) fn touch(&self, row: u32) -> u64 {
        let at = row as usize;
        let id = self.ids.get(at * 16).copied().map_or(0, u64::from);
        let [modified, from, until] = self.raw_times(row);
        let numbers = self.confidence.get(at) ^ self.class.get(at) ^ self.name.get(at);
        id ^ numbers ^ (modified ^ from ^ until).cast_unsigned()
    }

    /// The first bytes of the UUID that stands for the id.
    pub(super) fn id_number(&self, row: u32) -> u64 {
        let first = self.ids.get(row as usize * 16..).and_then(|rest| rest.first_chunk());
        first.map_or(0, |first| u64::from_be_bytes(*first))
    }

    pub(super) fn id(&self, row: u32) -> String {
        match self.raw_id(row) {
            (_, Some(odd)) => odd.to_owned(),
            (id, None) => {
                let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
                let uuid = Uuid::from_bytes(id).hyphenated().encode_lower(&mut text);
                [PREFIX, uuid].concat()
            }
        }
    }

    pub(super) fn name(&self, row: u32) -> Option<&str> {
        let number = (self.name.get(row as usize) as usize).checked_sub(1)?;
        Some(text(self.names.get(number)))
    }

    /// As a column keeps it.
    pub(super) fn raw_confidence(&self, row: u32) -> u8 {
        self.confidence.get(row as usize) as u8
    }

    pub(super) fn confidence(&self, row: u32) -> Option<u8> {
        Some(self.raw_confidence(row)).filter(|&c| c != NO_CONFIDENCE)
    }

    /// Modified, start and end of validity, as columns keep them.
    pub(super) fn raw_times(&self, row: u32) -> [i64; 3] {
        let at = row as usize;
        let from = self.valid_from.get(at, NONE);
        [self.modified.get(at, from), from, self.valid_until.get(at, from)]
    }

    /// When the first version was made, as the column keeps it.
    pub(super) fn raw_created(&self, row: u32) -> i64 {
        self.created.get(row as usize, self.raw_times(row)[0])
    }

    pub(super) fn created(&self, row: u32) -> Option<Timestamp> {
        instant(self.raw_created(row))
    }

    pub(super) fn modified(&self, row: u32) -> Option<Timestamp> {
        instant(self.raw_times(row)[0])
    }

    pub(super) fn valid_from(&self, row: u32) -> Option<Timestamp> {
        instant(self.raw_times(row)[1])
    }

    pub(super) fn valid_until(&self, row: u32) -> Option<Timestamp> {
        instant(self.raw_times(row)[2])
    }

    pub(super) fn labels(&self, row: u32) -> impl Iterator<Item = &str> {
        self.said(row).lists().0
    }

    /// Types, and of STIX 2.0, which has no such property, nothing.
    pub(super) fn types(&self, row: u32) -> impl Iterator<Item = &str> {
        self.said(row).lists().1
    }

    pub(super) fn tlp(&self, row: u32) -> Option<Tlp> {
        self.said(row).tlp
    }

    pub(super) fn created_by(&self, row: u32) -> Option<&str> {
        let said = self.said(row);
        (said.created_by > 0).then(|| self.string(said.created_by - 1))
    }

    /// The path of the row's pattern, if it compares that with one value and does nothing else.
    pub(super) fn path(&self, row: u32) -> Option<&str> {
        let said = self.said(row);
        (said.path > 0).then(|| self.string(said.path - 1))
    }

    pub(super) fn origin_of(&self, row: u32) -> &str {
        self.string(self.said(row).origin)
    }

    /// The number of a row's class: rows of one class have labels, types, marking, maker and origin in common.
    pub(super) fn class(&self, row: u32) -> u32 {
        self.class.get(row as usize) as u32
    }

    /// Number of classes.
    pub(super) fn classes(&self) -> usize {
        self.classes.len()
    }

    pub(super) fn state(&self, row: u32) -> State {
        State::of(self.state.get(row as usize))
    }

    fn string(&self, number: u64) -> &str {
        text(self.strings.get(usize::try_from(number).unwrap_or(usize::MAX)))
    }

    fn said(&self, row: u32) -> Said<'_> {
        let mut rest = self.classes.get(self.class(row) as usize);
        let tlp = tlp_of(number(&mut rest));
        let origin = number(&mut rest);
        let created_by = number(&mut rest);
        let path = number(&mut rest);
        Said { entries: self, tlp, origin, created_by, path, rest }
    }

    /// Whether a row takes part. The order of the reasons is the order in which a person would ask.
    pub(super) fn status(&self, row: u32, filter: &Filter) -> Status {
        if row as usize >= self.len() {
            return Status::Superseded;
        }
        match self.state(row) {
            State::Revoked => return Status::Revoked,
            State::Superseded | State::Unusable => return Status::Superseded,
            State::Duplicate => return Status::Duplicate,
            State::Current => {}
        }
        let now = micros(Some(filter.at));
        let [_, from, until] = self.raw_times(row);
        if from != NONE && now < from {
            return Status::NotYetValid;
        }
        if until != NONE && now >= until && !filter.include_expired {
            return Status::Expired;
        }
        if self.confidence(row).is_some_and(|c| c < filter.min_confidence) {
            return Status::Confidence;
        }
        if filter.labels.is_empty() && filter.types.is_empty() && filter.tlp.is_none() {
            return Status::Active;
        }
        let said = self.said(row);
        let any = |wanted: &[String], mut have: &mut dyn Iterator<Item = &str>| {
            wanted.is_empty() || Iterator::any(&mut have, |h| wanted.iter().any(|w| w.eq_ignore_ascii_case(h)))
        };
        let (mut labels, types) = said.lists();
        // STIX 2.0 has no indicator_types: its labels are of that vocabulary.
        let mut types = types.peekable();
        let is_of_type = if types.peek().is_some() {
            any(&filter.types, &mut types)
        } else {
            any(&filter.types, &mut said.lists().0)
        };
        if !any(&filter.labels, &mut labels) {
            Status::Label
        } else if !is_of_type {
            Status::Type
        } else if matches!((filter.tlp, said.tlp), (Some(limit), Some(tlp)) if tlp > limit) {
            Status::Tlp
        } else {
            Status::Active
        }
    }

    /// A sum over what names each row that is neither revoked nor superseded, which no order of rows changes.
    pub(super) fn generation(&self) -> u64 {
        let current = (0..self.len() as u32).filter(|row| self.state(*row) == State::Current);
        current.fold(0, |sum, row| sum.wrapping_add(self.fingerprint(row)))
    }

    fn fingerprint(&self, row: u32) -> u64 {
        let (id, odd) = self.raw_id(row);
        let mut key = [0; 41];
        key[..16].copy_from_slice(&id);
        for (at, time) in self.raw_times(row).into_iter().enumerate() {
            key[16 + at * 8..24 + at * 8].copy_from_slice(&time.to_le_bytes());
        }
        key[40] = self.raw_confidence(row);
        hash(odd.map_or(1, |odd| hash(2, odd.as_bytes())), &key)
    }
}

impl<'e> Said<'e> {
    /// Labels and types.
    fn lists(&self) -> (impl Iterator<Item = &'e str> + use<'e>, impl Iterator<Item = &'e str> + use<'e>) {
        let entries = self.entries;
        let strings = |mut bytes: &'e [u8], count: u64| {
            (0..count.min(bytes.len() as u64)).map(move |_| entries.string(number(&mut bytes)))
        };
        let mut rest = self.rest;
        let labels = number(&mut rest).min(rest.len() as u64);
        let first = rest;
        for _ in 0..labels {
            number(&mut rest);
        }
        let types = number(&mut rest);
        (strings(first, labels), strings(rest, types))
    }
}

/// Writes the classes in use, in order of what they say, and gives each collected one its number.
fn write_classes(all: &Collector, used: impl Iterator<Item = u32>, sections: &mut Sections) -> Vec<u32> {
    let origin = |class: &Class| all.origins.get(class.origin as usize).map_or("", |origin| &**origin);
    let mut is_used = vec![false; all.classes.len()];
    used.for_each(|class| is_used[class as usize] = true);
    let classes = || all.classes.iter().zip(&is_used).filter_map(|(class, used)| used.then_some(class));
    let of = |class: &'_ Class| -> Vec<String> {
        let lists = class.labels.iter().chain(&class.types).chain(&class.created_by).chain(&class.path);
        lists.map(ToString::to_string).chain([origin(class).to_owned()]).collect()
    };
    let strings: BTreeSet<String> = classes().flat_map(of).collect();
    let strings: Vec<String> = strings.into_iter().collect();
    let number_of = |text: &str| strings.binary_search_by(|other| (**other).cmp(text)).map_or(0, |at| at as u64);
    let encode = |class: &Class| {
        let mut out = Vec::new();
        push_number(&mut out, class.tlp.map_or(0, |tlp| tlp as u64 + 1));
        push_number(&mut out, number_of(origin(class)));
        push_number(&mut out, class.created_by.as_deref().map_or(0, |by| number_of(by) + 1));
        push_number(&mut out, class.path.as_deref().map_or(0, |path| number_of(path) + 1));
        for list in [&class.labels, &class.types] {
            push_number(&mut out, list.len() as u64);
            list.iter().for_each(|text| push_number(&mut out, number_of(text)));
        }
        out
    };
    let mut encoded: Vec<(Vec<u8>, usize)> =
        (0..).zip(&all.classes).filter(|(at, _)| is_used[*at]).map(|(at, class)| (encode(class), at)).collect();
    encoded.sort_unstable();
    let mut numbers = vec![0; all.classes.len()];
    let (mut classes, mut next) = (BlobsWriter::default(), 0);
    for group in encoded.chunk_by(|a, b| a.0 == b.0) {
        for (_, at) in group {
            numbers[*at] = next;
        }
        classes.push(&group[0].0);
        next += 1;
    }
    classes.write(CLASSES, sections);
    let mut writer = BlobsWriter::default();
    for text in &strings {
        writer.push(text.as_bytes());
    }
    writer.write(STRINGS, sections);
    numbers
}

/// Writes the names in use, in order, and gives each collected one its number plus one.
fn write_names(all: &Collector, used: impl Iterator<Item = u32>, sections: &mut Sections) -> Vec<u32> {
    let mut numbers = vec![0; all.names.len() + 1];
    used.for_each(|name| numbers[name as usize] = 1);
    let mut names: Vec<u32> = (1..=all.names.len() as u32).filter(|name| numbers[*name as usize] == 1).collect();
    names.sort_unstable_by(|a, b| all.names.get(*a).cmp(&all.names.get(*b)));
    let mut writer = BlobsWriter::default();
    numbers[0] = 0;
    for (number, name) in (1..).zip(&names) {
        numbers[*name as usize] = number;
        writer.push(all.names.get(*name).unwrap_or_default().as_bytes());
    }
    writer.write(NAMES, sections);
    numbers
}

fn tlp_of(number: u64) -> Option<Tlp> {
    [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red].into_iter().find(|tlp| *tlp as u64 + 1 == number)
}

/// Appends a number, seven bits a byte, the lowest first.
fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number from the front.
fn number(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let Some((byte, rest)) = bytes.split_first() else { return number };
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

/// Texts of a rule set are UTF-8; those of a damaged file may be anything.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Microseconds since 1970: room for any year a feed may write, in eight bytes.
pub(super) fn micros(instant: Option<Timestamp>) -> i64 {
    instant.map_or(NONE, |t| t.seconds.saturating_mul(1_000_000).saturating_add(i64::from(t.nanos / 1000)))
}

fn instant(micros: i64) -> Option<Timestamp> {
    (micros != NONE)
        .then(|| Timestamp { seconds: micros.div_euclid(1_000_000), nanos: micros.rem_euclid(1_000_000) as u32 * 1000 })
}
