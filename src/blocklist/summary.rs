//! What is said of a finished list as a whole: counts, the first end of validity, and the digest of its content.

use super::cores::sort_on_all_cores;
use super::held::Held;
use super::list::{Address, Blocklist, Prefix};
use super::listing::Listed;
use super::reason::Reason;
use crate::stix::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::{panic, thread};

impl Blocklist<'_> {
    /// Fills in what follows from the entries.
    pub(super) fn settle(&mut self) {
        let mut held = std::mem::take(&mut self.held.notes);
        let list = &*self;
        sort_on_all_cores(&mut held, |a, b| Held::new(list, a).order(&Held::new(list, b)));
        held.dedup_by(|a, b| Held::new(list, a).is_same(&Held::new(list, b)));
        self.held.notes = held;
        let count = |reasons: &[Reason]| self.held.notes.iter().filter(|held| reasons.contains(&held.reason)).count();
        self.counts.guarded = count(&[Reason::Guard]);
        self.counts.allowlisted = count(&[Reason::Allow, Reason::Own, Reason::CoversAllowed]);
        self.counts.emitted = self.len();
        let list = &*self;
        // Both go over all entries, and have nothing to do with each other.
        let (sha256, behind) = thread::scope(|scope| {
            let digest = scope.spawn(|| list.digest());
            let behind = list.behind();
            (digest.join(), behind)
        });
        self.sha256 = sha256.unwrap_or_else(|broken| panic::resume_unwind(broken));
        self.counts.indicators = behind.indicators;
        self.counts.sources = behind.sources;
        self.expires = behind.expires;
    }

    /// Counts the indicators behind all entries and their sources, and finds the first to end.
    fn behind(&self) -> Behind {
        let mut written = vec![false; self.rules.len()];
        let mut mark = |row: u32| {
            if let Some(written) = written.get_mut(row as usize) {
                *written = true;
            }
        };
        let atoms = self.rules.atoms();
        let texts = self.urls.iter().chain(&self.emails).map(|entry| &entry.credits);
        let ranges = self.names.iter().map(|entry| &entry.credits).chain(texts);
        for range in ranges.chain(self.digests.iter().map(|entry| &entry.credits)) {
            let numbers = self.credits.get(range.start as usize..range.end as usize).unwrap_or_default();
            numbers.iter().filter_map(|number| atoms.text(*number)).for_each(|atom| mark(atom.entry));
        }
        mark_written(&self.listed4.prefixes, &self.ipv4, &mut mark);
        mark_written(&self.listed6.prefixes, &self.ipv6, &mut mark);
        let mut behind = Behind::default();
        let mut sources = BTreeSet::new();
        let mut last_source = None;
        for indicator in self.rules.indicators().zip(&written).filter_map(|(i, written)| written.then_some(i)) {
            behind.indicators += 1;
            if last_source.replace(indicator.origin()) != Some(indicator.origin()) {
                sources.insert(indicator.origin());
            }
            if let Some(until) = indicator.valid_until() {
                behind.expires = Some(behind.expires.map_or(until, |first| first.min(until)));
            }
        }
        behind.sources = sources.len();
        behind
    }

    /// Each entry by its kind and its bytes, in order.
    fn digest(&self) -> String {
        let mut hasher = Hasher { sum: Sha256::new(), buffer: Vec::new() };
        let mode = if self.subdomains { "name and below" } else { "name" };
        self.names.iter().for_each(|entry| hasher.entry(mode, &[entry.name.as_bytes()]));
        self.exceptions.iter().for_each(|name| hasher.entry("except", &[name.as_bytes()]));
        self.ipv4.iter().for_each(|entry| hasher.entry("ipv4", &[&entry.start.to_be_bytes(), &[entry.len]]));
        self.ipv6.iter().for_each(|entry| hasher.entry("ipv6", &[&entry.start.to_be_bytes(), &[entry.len]]));
        self.urls.iter().for_each(|entry| hasher.entry("url", &[entry.text.as_bytes()]));
        self.emails.iter().for_each(|entry| hasher.entry("email", &[entry.text.as_bytes()]));
        self.digests.iter().for_each(|entry| hasher.entry(entry.kind.name(), &[entry.bytes]));
        hasher.sum.update(&hasher.buffer);
        let mut hex = String::with_capacity(64);
        for byte in hasher.sum.finalize() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

/// What stands behind all entries together.
#[derive(Default)]
struct Behind {
    indicators: usize,
    sources: usize,
    /// The first instant at which one of them ends.
    expires: Option<Timestamp>,
}

/// Marks the rows of the listed prefixes that share addresses with a written one; both in order.
fn mark_written<A: Address>(listed: &[Listed<A>], written: &[Prefix<A>], mark: &mut impl FnMut(u32)) {
    let mut written = written.iter().peekable();
    for one in listed {
        while written.next_if(|prefix| prefix.last() < one.start).is_some() {}
        if written.peek().is_some_and(|prefix| prefix.start <= one.start.last_of(one.len)) {
            mark(one.row);
        }
    }
}

struct Hasher {
    sum: Sha256,
    buffer: Vec<u8>,
}

impl Hasher {
    fn entry(&mut self, kind: &str, parts: &[&[u8]]) {
        self.buffer.extend_from_slice(kind.as_bytes());
        self.buffer.push(0);
        for part in parts {
            self.buffer.extend_from_slice(part);
        }
        self.buffer.push(b'\n');
        if self.buffer.len() > 1 << 14 {
            self.sum.update(&self.buffer);
            self.buffer.clear();
        }
    }
}
