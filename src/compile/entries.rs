//! What is known of each indicator, in columns: one row an indicator, nothing that a hit does not report.

use super::filter::{Filter, Status};
use crate::observable;
use crate::stix::{Indicator, Timestamp, Tlp};
use hashbrown::HashTable;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher;
use uuid::Uuid;

/// Marks an absent instant in a column.
const NONE: i64 = i64::MIN;
/// Marks an absent confidence.
const NO_CONFIDENCE: u8 = u8::MAX;
/// What nearly every indicator id starts with; a UUID follows.
const PREFIX: &str = "indicator--";

/// The columns. Row numbers are given out in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Entries {
    ids: Vec<[u8; 16]>,
    /// Ids that are not `indicator--` and a canonical UUID.
    odd_ids: HashMap<u32, Box<str>>,
    modified: Vec<i64>,
    valid_from: Vec<i64>,
    valid_until: Vec<i64>,
    confidence: Vec<u8>,
    state: Vec<State>,
    class: Vec<u32>,
    name: Vec<(u32, u16)>,
    names: String,
    classes: Vec<Class>,
    class_numbers: HashMap<Class, u32, foldhash::fast::RandomState>,
    origins: Vec<Box<str>>,
    /// Rows by id, to find earlier versions.
    by_id: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
}

/// What many indicators of a feed have in common, kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Class {
    labels: Box<[Box<str>]>,
    types: Box<[Box<str>]>,
    tlp: Option<Tlp>,
    created_by: Option<Box<str>>,
    origin: u32,
}

impl Class {
    fn is_of(&self, indicator: &Indicator<'_>, origin: u32) -> bool {
        let same = |kept: &[Box<str>], list: &[Cow<'_, str>]| {
            kept.len() == list.len() && kept.iter().zip(list).all(|(a, b)| **a == **b)
        };
        self.origin == origin
            && self.tlp == indicator.tlp
            && self.created_by.as_deref() == indicator.created_by.as_deref()
            && same(&self.labels, &indicator.labels)
            && same(&self.types, &indicator.indicator_types)
    }
}

/// What became of a row apart from time and filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Current,
    Revoked,
    Superseded,
    Duplicate,
    /// Its pattern cannot be used. It still takes the place of older versions, and nothing is listed on its behalf.
    Unusable,
}

impl Entries {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Names where the rows that follow come from.
    pub(super) fn origin(&mut self, name: &str) {
        self.origins.push(name.into());
    }

    /// Adds a row for a version of an indicator. Among versions of one id the newest counts; of equals the first.
    pub(super) fn add(&mut self, indicator: &Indicator<'_>) -> u32 {
        let row = self.next_row();
        let uuid = indicator.id.strip_prefix(PREFIX).and_then(canonical_uuid);
        let id = uuid.unwrap_or_else(|| {
            self.odd_ids.insert(row, indicator.id.as_ref().into());
            // Only has to be the same for the same id; the odd id itself is compared as well.
            Uuid::new_v5(&Uuid::NAMESPACE_OID, indicator.id.as_bytes()).into_bytes()
        });
        let class = self.class_number(indicator);
        let name = self.keep_name(indicator.name.as_deref());
        self.push(
            id,
            [indicator.modified, indicator.valid_from, indicator.valid_until].map(micros),
            indicator.confidence.unwrap_or(NO_CONFIDENCE),
            if indicator.revoked { State::Revoked } else { State::Current },
            class,
            name,
        )
    }

    /// Adds a row for a version that cannot be used.
    pub(super) fn add_unusable(&mut self, indicator: &Indicator<'_>) {
        let row = self.add(indicator);
        let state = &mut self.state[row as usize];
        if *state == State::Current {
            *state = State::Unusable;
        }
    }

    /// Adds a row for a bare value of a list: valid always, with an id that is a function of the value.
    pub(super) fn add_value(&mut self, kind: &str, value: &str) -> u32 {
        let id = observable::id_of_text(kind, value).into_bytes();
        let class = self.value_class();
        self.push(id, [NONE; 3], NO_CONFIDENCE, State::Current, class, (0, 0))
    }

    fn push(
        &mut self,
        id: [u8; 16],
        [modified, valid_from, valid_until]: [i64; 3],
        confidence: u8,
        state: State,
        class: u32,
        name: (u32, u16),
    ) -> u32 {
        let row = self.next_row();
        self.ids.push(id);
        self.modified.push(modified);
        self.valid_from.push(valid_from);
        self.valid_until.push(valid_until);
        self.confidence.push(confidence);
        self.state.push(state);
        self.class.push(class);
        self.name.push(name);
        self.supersede(row);
        row
    }

    /// Decides between this row and the row that held its id until now.
    fn supersede(&mut self, row: u32) {
        let Self { ids, by_id, hasher, odd_ids, modified, state, .. } = self;
        let id = ids[row as usize];
        let same = |&other: &u32| {
            ids[other as usize] == id && (odd_ids.is_empty() || odd_ids.get(&other) == odd_ids.get(&row))
        };
        match by_id.entry(hasher.hash_one(id), same, |&r| hasher.hash_one(ids[r as usize])) {
            hashbrown::hash_table::Entry::Vacant(slot) => {
                slot.insert(row);
            }
            hashbrown::hash_table::Entry::Occupied(mut slot) => {
                let holder = *slot.get();
                let (old, new) = (holder as usize, row as usize);
                // Of one version told twice, a withdrawal wins.
                let newer =
                    (modified[new], state[new] == State::Revoked) > (modified[old], state[old] == State::Revoked);
                let (kept, left) = if newer { (new, old) } else { (old, new) };
                state[left] = if modified[kept] == modified[left] { State::Duplicate } else { State::Superseded };
                *slot.get_mut() = kept as u32;
            }
        }
    }

    fn next_row(&self) -> u32 {
        u32::try_from(self.ids.len()).expect("the builder refuses more than u32::MAX indicators")
    }

    fn current_origin(&self) -> u32 {
        (self.origins.len() as u32).saturating_sub(1)
    }

    /// The class of an indicator. Neighbours in a feed mostly share it, which costs a comparison.
    fn class_number(&mut self, indicator: &Indicator<'_>) -> u32 {
        let origin = self.current_origin();
        if let Some(last) = self.class.last()
            && self.classes[*last as usize].is_of(indicator, origin)
        {
            return *last;
        }
        let boxed = |list: &[Cow<'_, str>]| list.iter().map(|s| Box::from(s.as_ref())).collect();
        self.intern(Class {
            labels: boxed(&indicator.labels),
            types: boxed(&indicator.indicator_types),
            tlp: indicator.tlp,
            created_by: indicator.created_by.as_deref().map(Box::from),
            origin,
        })
    }

    /// The class of bare values.
    fn value_class(&mut self) -> u32 {
        let class = Class { origin: self.current_origin(), ..Class::default() };
        match self.class.last() {
            Some(last) if self.classes[*last as usize] == class => *last,
            _ => self.intern(class),
        }
    }

    fn intern(&mut self, class: Class) -> u32 {
        let Self { classes, class_numbers, .. } = self;
        *class_numbers.entry(class).or_insert_with_key(|class| {
            classes.push(class.clone());
            classes.len() as u32 - 1
        })
    }

    fn keep_name(&mut self, name: Option<&str>) -> (u32, u16) {
        let Some(name) = name.filter(|n| !n.is_empty()) else { return (0, 0) };
        let name = truncate(name, u16::MAX as usize);
        let Ok(start) = u32::try_from(self.names.len()) else { return (0, 0) };
        self.names.push_str(name);
        (start, name.len() as u16)
    }

    /// Confines the validity of a row: observations outside this time do not count.
    pub(super) fn narrow(&mut self, row: u32, start: Timestamp, stop: Timestamp) {
        let (from, until) = (&mut self.valid_from[row as usize], &mut self.valid_until[row as usize]);
        *from = (*from).max(micros(Some(start)));
        let stop = micros(Some(stop));
        *until = if *until == NONE { stop } else { (*until).min(stop) };
    }

    /// Frees what only building needs.
    pub(super) fn finish(&mut self) {
        self.by_id = HashTable::new();
        self.class_numbers = HashMap::default();
    }

    /// A bit of every column of a row that blocklists tell of.
    pub(super) fn touch(&self, row: u32) -> u64 {
        let at = row as usize;
        let number = u64::from(self.ids[at][0]) ^ u64::from(self.confidence[at]) ^ u64::from(self.class[at]);
        let name = u64::from(self.name[at].1);
        let instants = self.modified[at] ^ self.valid_from[at] ^ self.valid_until[at];
        number ^ name ^ instants.cast_unsigned()
    }

    /// The first bytes of the UUID that stands for the id.
    pub(super) fn id_number(&self, row: u32) -> u64 {
        let [first, ..] = self.ids[row as usize].as_chunks::<8>().0 else { return 0 };
        u64::from_be_bytes(*first)
    }

    pub(super) fn id(&self, row: u32) -> String {
        if let Some(id) = self.odd_ids.get(&row) {
            return id.to_string();
        }
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let uuid = Uuid::from_bytes(self.ids[row as usize]).hyphenated().encode_lower(&mut text);
        [PREFIX, uuid].concat()
    }

    pub(super) fn name(&self, row: u32) -> Option<&str> {
        let (start, len) = self.name[row as usize];
        (len > 0).then(|| &self.names[start as usize..start as usize + len as usize])
    }

    pub(super) fn confidence(&self, row: u32) -> Option<u8> {
        Some(self.confidence[row as usize]).filter(|&c| c != NO_CONFIDENCE)
    }

    pub(super) fn modified(&self, row: u32) -> Option<Timestamp> {
        instant(self.modified[row as usize])
    }

    pub(super) fn valid_from(&self, row: u32) -> Option<Timestamp> {
        instant(self.valid_from[row as usize])
    }

    pub(super) fn valid_until(&self, row: u32) -> Option<Timestamp> {
        instant(self.valid_until[row as usize])
    }

    pub(super) fn labels(&self, row: u32) -> &[Box<str>] {
        &self.class_of(row).labels
    }

    pub(super) fn types(&self, row: u32) -> &[Box<str>] {
        &self.class_of(row).types
    }

    pub(super) fn tlp(&self, row: u32) -> Option<Tlp> {
        self.class_of(row).tlp
    }

    pub(super) fn created_by(&self, row: u32) -> Option<&str> {
        self.class_of(row).created_by.as_deref()
    }

    pub(super) fn origin_of(&self, row: u32) -> &str {
        self.origins.get(self.class_of(row).origin as usize).map_or("", AsRef::as_ref)
    }

    fn class_of(&self, row: u32) -> &Class {
        &self.classes[self.class[row as usize] as usize]
    }

    /// Whether a row takes part. The order of the reasons is the order in which a person would ask.
    pub(super) fn status(&self, row: u32, filter: &Filter) -> Status {
        let at = row as usize;
        match self.state[at] {
            State::Revoked => return Status::Revoked,
            State::Superseded | State::Unusable => return Status::Superseded,
            State::Duplicate => return Status::Duplicate,
            State::Current => {}
        }
        let now = micros(Some(filter.at));
        if self.valid_from[at] != NONE && now < self.valid_from[at] {
            return Status::NotYetValid;
        }
        if self.valid_until[at] != NONE && now >= self.valid_until[at] && !filter.include_expired {
            return Status::Expired;
        }
        if self.confidence(row).is_some_and(|c| c < filter.min_confidence) {
            return Status::Confidence;
        }
        let class = self.class_of(row);
        let any = |wanted: &[String], have: &[Box<str>]| {
            wanted.is_empty() || have.iter().any(|h| wanted.iter().any(|w| w.eq_ignore_ascii_case(h)))
        };
        // STIX 2.0 has no indicator_types: its labels are of that vocabulary.
        let types = if class.types.is_empty() { &class.labels } else { &class.types };
        if !any(&filter.labels, &class.labels) {
            Status::Label
        } else if !any(&filter.types, types) {
            Status::Type
        } else if matches!((filter.tlp, class.tlp), (Some(limit), Some(tlp)) if tlp > limit) {
            Status::Tlp
        } else {
            Status::Active
        }
    }

    /// A sum over what names each row, which no order of rows changes.
    pub(super) fn fingerprint(&self, row: u32) -> u64 {
        let at = row as usize;
        let state = self.state[at] as u8;
        foldhash::quality::FixedState::with_seed(1).hash_one((
            self.ids[at],
            self.modified[at],
            self.valid_from[at],
            self.valid_until[at],
            self.confidence[at],
            state,
        ))
    }

    /// Whether a row is neither revoked nor superseded.
    pub(super) fn is_current(&self, row: u32) -> bool {
        self.state[row as usize] == State::Current
    }
}

/// The UUID of a text that prints back as it stands.
fn canonical_uuid(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(text).ok().map(Uuid::into_bytes)
}

/// Microseconds since 1970: room for any year a feed may write, in eight bytes.
fn micros(instant: Option<Timestamp>) -> i64 {
    instant.map_or(NONE, |t| t.seconds.saturating_mul(1_000_000).saturating_add(i64::from(t.nanos / 1000)))
}

fn instant(micros: i64) -> Option<Timestamp> {
    (micros != NONE)
        .then(|| Timestamp { seconds: micros.div_euclid(1_000_000), nanos: micros.rem_euclid(1_000_000) as u32 * 1000 })
}

fn truncate(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
