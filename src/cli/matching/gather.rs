//! What is gathered from all hits of a search: counts for the summary and the page, values seen for sightings, rows for
//! the page. It is given hits in the order of the input, so that threads do not show.

use super::name::Name;
use super::output::page::Rows;
use super::output::sighting::Sightings;
use super::record::Record;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use stockade::compile::EntryId;
use stockade::stix::Timestamp;

/// Everything that is gathered; what is not asked for is absent.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) counts: Option<Counts>,
    pub(super) sightings: Option<Sightings>,
    pub(super) rows: Option<Rows>,
}

impl Gathered {
    /// Adds hits of an input.
    pub(super) fn add(&mut self, name: &Arc<Name>, records: Vec<Record>) {
        if let Some(counts) = &mut self.counts {
            counts.add(name, &records);
        }
        if let Some(sightings) = &mut self.sightings {
            sightings.add(name, &records);
        }
        if let Some(rows) = &mut self.rows {
            rows.add(name, records);
        }
    }
}

/// Hits, counted by everything that people ask for.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) hits: u64,
    pub(super) lines: u64,
    /// When the lines were written that state it.
    pub(super) span: Span,
    /// Hits on lines that state no time.
    pub(super) untimed: u64,
    pub(super) indicators: HashMap<EntryId, Tally, foldhash::fast::FixedState>,
    pub(super) types: BTreeMap<&'static str, u64>,
    pub(super) relations: BTreeMap<&'static str, u64>,
    pub(super) fields: Limited<Box<str>>,
    /// In the order of the input.
    pub(super) sources: Vec<Source>,
    /// Hits on lines of inputs beyond those.
    pub(super) other_sources: u64,
    /// By hours since 1970.
    pub(super) hours: Limited<i64>,
}

/// Hits of an indicator.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) hits: u64,
    pub(super) span: Span,
    /// The first value seen: what an indicator without a name is known by.
    pub(super) value: Box<str>,
}

/// Hits of an input.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: Arc<Name>,
    pub(super) hits: u64,
    pub(super) lines: u64,
}

/// The first and the last of some instants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span(pub(super) Option<(Timestamp, Timestamp)>);

impl Span {
    pub(super) fn add(&mut self, at: Timestamp) {
        let (first, last) = self.0.unwrap_or((at, at));
        self.0 = Some((first.min(at), last.max(at)));
    }
}

/// How many inputs, fields and hours are told apart. Beyond that, hits are counted together.
const TOLD_APART: usize = 10_000;

/// Hits by something of which a log may have any number.
#[derive(Debug)]
pub(super) struct Limited<K> {
    pub(super) counts: BTreeMap<K, u64>,
    /// Hits of what came when the table was full.
    pub(super) other: u64,
}

impl<K> Default for Limited<K> {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), other: 0 }
    }
}

impl<K: Ord + Hash> Limited<K> {
    fn add<Q: Ord + ?Sized>(&mut self, key: &Q, own: impl FnOnce() -> K)
    where
        K: std::borrow::Borrow<Q>,
    {
        let room = self.counts.len() < TOLD_APART;
        match self.counts.get_mut(key) {
            Some(count) => *count += 1,
            None if room => _ = self.counts.insert(own(), 1),
            None => self.other += 1,
        }
    }
}

const HOUR: i64 = 3600;

impl Counts {
    fn add(&mut self, name: &Arc<Name>, records: &[Record]) {
        let lines = records.iter().filter(|record| record.place.first).count() as u64;
        self.lines += lines;
        self.hits += records.len() as u64;
        let room = self.sources.len() < TOLD_APART;
        match self.sources.last_mut() {
            Some(source) if Arc::ptr_eq(&source.name, name) => {
                source.hits += records.len() as u64;
                source.lines += lines;
            }
            _ if room => {
                self.sources.push(Source { name: Arc::clone(name), hits: records.len() as u64, lines });
            }
            _ => self.other_sources += records.len() as u64,
        }
        for Record { hit, place } in records {
            let first = || Tally { hits: 0, span: Span::default(), value: hit.value.clone() };
            let indicator = self.indicators.entry(hit.entry).or_insert_with(first);
            indicator.hits += 1;
            *self.types.entry(hit.object_type).or_default() += 1;
            *self.relations.entry(hit.relation.name()).or_default() += 1;
            if let Some(field) = &hit.field {
                self.fields.add(&**field, || field.clone());
            }
            match place.time {
                Some(time) => {
                    indicator.span.add(time);
                    self.span.add(time);
                    let hour = time.seconds.div_euclid(HOUR);
                    self.hours.add(&hour, || hour);
                }
                None => self.untimed += 1,
            }
        }
    }

    /// Indicators, those with most hits first; of equals, in the order in which they were read.
    pub(super) fn top_indicators(&self) -> Vec<(EntryId, &Tally)> {
        let mut top: Vec<(EntryId, &Tally)> = self.indicators.iter().map(|(entry, tally)| (*entry, tally)).collect();
        top.sort_unstable_by_key(|(entry, tally)| (std::cmp::Reverse(tally.hits), *entry));
        top
    }

    /// Hours in which there were hits, in order of time.
    pub(super) fn hours(&self) -> impl Iterator<Item = (Timestamp, u64)> {
        self.hours.counts.iter().map(|(hour, count)| (Timestamp::from_unix(hour * HOUR, 0), *count))
    }
}

/// Names with their counts, the largest first; of equals, by name.
pub(super) fn by_count<'c, K: Ord>(counts: impl IntoIterator<Item = (K, &'c u64)>) -> Vec<(K, u64)> {
    let mut sorted: Vec<(K, u64)> = counts.into_iter().map(|(key, count)| (key, *count)).collect();
    sorted.sort_by(|(a, many), (b, few)| few.cmp(many).then_with(|| a.cmp(b)));
    sorted
}
