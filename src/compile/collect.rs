//! Collects what is known of each indicator, in order of arrival, and decides between versions of one id.

use super::entries::{NO_CONFIDENCE, NONE, State, micros};
use super::hash::hash;
use crate::observable::{self, Value};
use crate::stix::{Indicator, Timestamp, Tlp};
use hashbrown::HashTable;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use uuid::Uuid;

/// What nearly every indicator id starts with; a UUID follows.
pub(super) const PREFIX: &str = "indicator--";

/// The longest name that is kept, in bytes.
const MAX_NAME: usize = u16::MAX as usize;

/// The columns in the making. Row numbers are given out in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub(super) ids: Vec<[u8; 16]>,
    /// Ids that are not `indicator--` and a canonical UUID.
    pub(super) odd_ids: HashMap<u32, Box<str>>,
    pub(super) created: Vec<i64>,
    pub(super) modified: Vec<i64>,
    pub(super) valid_from: Vec<i64>,
    pub(super) valid_until: Vec<i64>,
    pub(super) confidence: Vec<u8>,
    pub(super) state: Vec<State>,
    pub(super) class: Vec<u32>,
    /// Hashes of patterns, to tell apart what differs in nothing else.
    pattern: Vec<u32>,
    /// Number of the name plus one; zero for none.
    pub(super) name: Vec<u32>,
    pub(super) names: Interned,
    pub(super) classes: Vec<Class>,
    class_numbers: HashTable<u32>,
    pub(super) origins: Vec<Box<str>>,
    hasher: foldhash::fast::FixedState,
}

/// What many indicators of a feed have in common, kept once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) labels: Box<[Box<str>]>,
    pub(super) types: Box<[Box<str>]>,
    pub(super) tlp: Option<Tlp>,
    pub(super) created_by: Option<Box<str>>,
    /// The path of a pattern that compares it with one value and does nothing else.
    pub(super) path: Option<Box<str>>,
    pub(super) origin: u32,
}

/// A class, borrowed from where it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClassOf<'a> {
    pub(super) labels: &'a [Cow<'a, str>],
    pub(super) types: &'a [Cow<'a, str>],
    pub(super) tlp: Option<Tlp>,
    pub(super) created_by: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) origin: u32,
}

impl ClassOf<'_> {
    fn is(&self, class: &Class) -> bool {
        let same = |kept: &[Box<str>], list: &[Cow<'_, str>]| {
            kept.len() == list.len() && kept.iter().zip(list).all(|(a, b)| **a == **b)
        };
        self.origin == class.origin
            && self.tlp == class.tlp
            && self.created_by == class.created_by.as_deref()
            && self.path == class.path.as_deref()
            && same(&class.labels, self.labels)
            && same(&class.types, self.types)
    }

    fn hash(&self, hasher: &foldhash::fast::FixedState) -> u64 {
        let mut state = hasher.build_hasher();
        self.labels.iter().for_each(|label| label.hash(&mut state));
        self.types.iter().for_each(|kind| kind.hash(&mut state));
        (self.tlp, self.created_by, self.path, self.origin).hash(&mut state);
        state.finish()
    }
}

impl Class {
    fn hash(&self, hasher: &foldhash::fast::FixedState) -> u64 {
        let mut state = hasher.build_hasher();
        self.labels.iter().for_each(|label| label.hash(&mut state));
        self.types.iter().for_each(|kind| kind.hash(&mut state));
        (self.tlp, self.created_by.as_deref(), self.path.as_deref(), self.origin).hash(&mut state);
        state.finish()
    }
}

/// What a row holds besides its class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) id: [u8; 16],
    pub(super) odd_id: Option<&'a str>,
    pub(super) created: i64,
    pub(super) modified: i64,
    pub(super) valid_from: i64,
    pub(super) valid_until: i64,
    pub(super) confidence: u8,
    pub(super) state: State,
    pub(super) class: u32,
    /// Hash of its pattern.
    pub(super) pattern: u32,
    pub(super) name: Option<&'a str>,
}

impl Collector {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Names where the rows that follow come from.
    pub(super) fn origin(&mut self, name: &str) {
        // Several files may be of one origin; the last is the current one.
        if self.origins.last().is_none_or(|last| **last != *name) {
            self.origins.push(name.into());
        }
    }

    /// Adds a row for a version of an indicator. Among versions of one id the newest counts.
    pub(super) fn add(&mut self, indicator: &Indicator<'_>, path: Option<&str>, usable: bool) -> u32 {
        let state = match usable {
            _ if indicator.revoked => State::Revoked,
            true => State::Current,
            // A version that cannot be used takes the place of older ones all the same.
            false => State::Unusable,
        };
        let (id, odd_id) = id_of(&indicator.id);
        let class = self.class(ClassOf {
            labels: &indicator.labels,
            types: &indicator.indicator_types,
            tlp: indicator.tlp,
            created_by: indicator.created_by.as_deref(),
            path,
            origin: self.current_origin(),
        });
        self.push(Row {
            id,
            odd_id,
            created: micros(indicator.created),
            modified: micros(indicator.modified),
            valid_from: micros(indicator.valid_from),
            valid_until: micros(indicator.valid_until),
            confidence: indicator.confidence.unwrap_or(NO_CONFIDENCE),
            state,
            class,
            pattern: hash(0, indicator.pattern.as_bytes()) as u32,
            name: indicator.name.as_deref(),
        })
    }

    /// Adds a row for a bare value of a list: valid always, with an id that is a function of the value.
    pub(super) fn add_value(&mut self, value: &Value) -> u32 {
        let id = uuid_of_value(value).into_bytes();
        let class = self.class(ClassOf { origin: self.current_origin(), ..ClassOf::default() });
        self.push(Row {
            id,
            odd_id: None,
            created: NONE,
            modified: NONE,
            valid_from: NONE,
            valid_until: NONE,
            confidence: NO_CONFIDENCE,
            state: State::Current,
            class,
            pattern: 0,
            name: None,
        })
    }

    /// Adds a row.
    pub(super) fn push(&mut self, of: Row<'_>) -> u32 {
        let row = u32::try_from(self.ids.len()).expect("the builder refuses more than u32::MAX indicators");
        if let Some(odd) = of.odd_id.filter(|odd| !odd.is_empty()) {
            self.odd_ids.insert(row, odd.into());
        }
        let name = of.name.filter(|name| !name.is_empty());
        let name = name.and_then(|name| self.names.number(truncate(name, MAX_NAME), self.name.last())).unwrap_or(0);
        self.ids.push(of.id);
        self.created.push(of.created);
        self.modified.push(of.modified);
        self.valid_from.push(of.valid_from);
        self.valid_until.push(of.valid_until);
        self.confidence.push(of.confidence);
        self.state.push(of.state);
        self.class.push(of.class);
        self.pattern.push(of.pattern);
        self.name.push(name);
        row
    }

    /// Decides between the versions of each id. Rows are brought together by sorting, once all are there: a table to find
    /// the earlier version of each as it comes would cost a wait for memory an indicator.
    fn supersede(&mut self) {
        let start = |id: &[u8; 16]| u64::from_be_bytes(*id.first_chunk().expect("sixteen bytes"));
        let mut rows: Vec<(u64, u32)> = self.ids.iter().map(start).zip(0..).collect();
        rows.sort_unstable();
        for alike in rows.chunk_by_mut(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            let id = |row: u32| (self.ids[row as usize], self.odd_ids.get(&row));
            alike.sort_by(|a, b| id(a.1).cmp(&id(b.1)));
            for versions in alike.chunk_by(|a, b| id(a.1) == id(b.1)) {
                let mut holder = versions[0].1;
                for &(_, row) in &versions[1..] {
                    let newer = self.rank(row, holder) == Ordering::Greater;
                    let (kept, left) = if newer { (row, holder) } else { (holder, row) };
                    let same = self.modified[kept as usize] == self.modified[left as usize];
                    self.state[left as usize] = if same { State::Duplicate } else { State::Superseded };
                    holder = kept;
                }
            }
        }
    }

    /// Which of two rows of one id counts: the newer; of one version told twice a withdrawal wins, and otherwise what
    /// they say decides, so that it does not matter which came first.
    fn rank(&self, a: u32, b: u32) -> Ordering {
        let of = |row: u32| {
            let at = row as usize;
            (self.modified[at], self.state[at] == State::Revoked)
        };
        let said = |row: u32| {
            let at = row as usize;
            let class = &self.classes[self.class[at] as usize];
            (
                self.state[at] == State::Unusable,
                (self.valid_from[at], self.valid_until[at], self.created[at]),
                self.confidence[at],
                class.tlp,
                self.names.get(self.name[at]),
                &class.labels,
                &class.types,
                &class.created_by,
            )
        };
        // Of two that say the same the one whose origin comes first in the alphabet.
        let from = |row: u32| (self.origin_of(row), self.pattern[row as usize]);
        of(a).cmp(&of(b)).then_with(|| said(b).cmp(&said(a))).then_with(|| from(b).cmp(&from(a)))
    }

    fn origin_of(&self, row: u32) -> &str {
        let class = &self.classes[self.class[row as usize] as usize];
        self.origins.get(class.origin as usize).map_or("", AsRef::as_ref)
    }

    pub(super) fn current_origin(&self) -> u32 {
        (self.origins.len() as u32).saturating_sub(1)
    }

    /// The number of a class. Neighbours in a feed mostly share it, which costs a comparison.
    pub(super) fn class(&mut self, class: ClassOf<'_>) -> u32 {
        if let Some(last) = self.class.last()
            && class.is(&self.classes[*last as usize])
        {
            return *last;
        }
        let Self { classes, class_numbers, hasher, .. } = self;
        let same = |number: &u32| class.is(&classes[*number as usize]);
        let hash = class.hash(hasher);
        if let Some(number) = class_numbers.find(hash, same) {
            return *number;
        }
        let boxed = |list: &[Cow<'_, str>]| list.iter().map(|text| Box::from(text.as_ref())).collect();
        let number = classes.len() as u32;
        classes.push(Class {
            labels: boxed(class.labels),
            types: boxed(class.types),
            tlp: class.tlp,
            created_by: class.created_by.map(Box::from),
            path: class.path.map(Box::from),
            origin: class.origin,
        });
        class_numbers.insert_unique(hash, number, |number| classes[*number as usize].hash(hasher));
        number
    }

    /// Confines the validity of a row: observations outside this time do not count.
    pub(super) fn narrow(&mut self, row: u32, start: Timestamp, stop: Timestamp) {
        let (from, until) = (&mut self.valid_from[row as usize], &mut self.valid_until[row as usize]);
        *from = (*from).max(micros(Some(start)));
        let stop = micros(Some(stop));
        *until = if *until == NONE { stop } else { (*until).min(stop) };
    }

    /// Decides between versions, and frees what only collecting needs.
    pub(super) fn finish(&mut self) {
        self.supersede();
        self.class_numbers = HashTable::new();
        self.names.finish();
    }

    /// The order of rows that list the same value: by id, then version; then as they came.
    pub(super) fn order(&self, a: u32, b: u32) -> Ordering {
        let (first, second) = (a as usize, b as usize);
        self.ids[first]
            .cmp(&self.ids[second])
            .then_with(|| self.odd_ids.get(&a).cmp(&self.odd_ids.get(&b)))
            .then_with(|| self.modified[first].cmp(&self.modified[second]))
            .then_with(|| self.state[first].cmp(&self.state[second]))
            .then_with(|| self.rank(a, b).reverse())
            .then(a.cmp(&b))
    }
}

/// Texts kept once each.
#[derive(Debug, Default)]
pub(super) struct Interned {
    /// Where each ends.
    ends: Vec<u64>,
    texts: String,
    numbers: HashTable<u32>,
    hasher: foldhash::fast::FixedState,
}

impl Interned {
    /// The number of a text, counted from one; `guess` may be the number of an equal one. `None` beyond four billion.
    fn number(&mut self, text: &str, guess: Option<&u32>) -> Option<u32> {
        if let Some(guess) = guess.filter(|guess| self.get(**guess) == Some(text)) {
            return Some(*guess);
        }
        let Self { ends, texts, numbers, hasher } = self;
        let hash = hasher.hash_one(text);
        let kept = |number: u32| slice(ends, texts, number);
        if let Some(number) = numbers.find(hash, |number| kept(*number) == Some(text)) {
            return Some(*number);
        }
        let number = u32::try_from(ends.len() + 1).ok()?;
        texts.push_str(text);
        ends.push(texts.len() as u64);
        numbers.insert_unique(hash, number, |number| hasher.hash_one(slice(ends, texts, *number).unwrap_or_default()));
        Some(number)
    }

    pub(super) fn get(&self, number: u32) -> Option<&str> {
        slice(&self.ends, &self.texts, number)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn finish(&mut self) {
        self.numbers = HashTable::new();
    }
}

fn slice<'t>(ends: &[u64], texts: &'t str, number: u32) -> Option<&'t str> {
    let at = (number as usize).checked_sub(1)?;
    let start = at.checked_sub(1).map_or(0, |before| ends[before]);
    texts.get(start as usize..*ends.get(at)? as usize)
}

/// The id of the indicator that a bare value of a list becomes: the same for the same value on every machine.
pub fn id_of_value(value: &Value) -> String {
    format!("{PREFIX}{}", uuid_of_value(value).hyphenated())
}

fn uuid_of_value(value: &Value) -> Uuid {
    observable::id_of_text(value.kind().object_type(), &value.to_string())
}

/// An id as sixteen bytes, and as it is if those do not tell it.
fn id_of(id: &str) -> ([u8; 16], Option<&str>) {
    match id.strip_prefix(PREFIX).and_then(canonical_uuid) {
        Some(uuid) => (uuid, None),
        // Only has to be the same for the same id; the odd id itself is compared as well.
        None => (Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()).into_bytes(), Some(id)),
    }
}

/// The UUID of a text that prints back as it stands.
fn canonical_uuid(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(text).ok().map(Uuid::into_bytes)
}

fn truncate(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
