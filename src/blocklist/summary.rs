//! What is said of a finished list as a whole: counts, the first end of validity, and the digest of its content.

use super::list::sealed::Entry as _;
use super::list::{Address, Blocklist, Listed, Prefix};
use super::reason::Reason;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};

impl Blocklist<'_> {
    /// Fills in what follows from the entries.
    pub(super) fn settle(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_unstable_by(|a, b| {
            let ids = || self.indicator(a).id().cmp(&self.indicator(b).id());
            (a.reason, &a.item).cmp(&(b.reason, &b.item)).then_with(ids)
        });
        held.dedup();
        self.held = held;
        let count = |reasons: &[Reason]| self.held.iter().filter(|held| reasons.contains(&held.reason)).count();
        self.counts.guarded = count(&[Reason::Guard]);
        self.counts.allowlisted = count(&[Reason::Allow, Reason::Own, Reason::CoversAllowed]);
        self.counts.emitted = self.len();
        self.credit_all();
        self.sha256 = self.digest();
    }

    /// Counts the indicators behind all entries and their sources, and finds the first to end.
    fn credit_all(&mut self) {
        let mut written = vec![false; self.rules.len()];
        let mut mark = |row: u32| {
            if let Some(written) = written.get_mut(row as usize) {
                *written = true;
            }
        };
        self.names.iter().for_each(|entry| entry.rows(self).into_iter().for_each(&mut mark));
        self.urls.iter().for_each(|entry| entry.rows(self).into_iter().for_each(&mut mark));
        self.emails.iter().for_each(|entry| entry.rows(self).into_iter().for_each(&mut mark));
        self.digests.iter().for_each(|entry| entry.rows(self).into_iter().for_each(&mut mark));
        mark_written(&self.listed4, &self.ipv4, &mut mark);
        mark_written(&self.listed6, &self.ipv6, &mut mark);
        let mut sources = BTreeSet::new();
        let mut last_source = None;
        for indicator in self.rules.indicators().zip(&written).filter_map(|(i, written)| written.then_some(i)) {
            self.counts.indicators += 1;
            if last_source.replace(indicator.origin()) != Some(indicator.origin()) {
                sources.insert(indicator.origin());
            }
            if let Some(until) = indicator.valid_until() {
                self.expires = Some(self.expires.map_or(until, |first| first.min(until)));
            }
        }
        self.counts.sources = sources.len();
    }

    fn digest(&self) -> String {
        let mut hasher = Hasher { sum: Sha256::new(), line: String::new() };
        let mode = if self.subdomains { "name and below" } else { "name" };
        self.names.iter().for_each(|entry| hasher.line(mode, entry));
        self.exceptions.iter().for_each(|name| hasher.line("except", name));
        self.ipv4.iter().for_each(|entry| hasher.line("ip", entry));
        self.ipv6.iter().for_each(|entry| hasher.line("ip", entry));
        self.urls.iter().for_each(|entry| hasher.line("url", entry));
        self.emails.iter().for_each(|entry| hasher.line("email", entry));
        self.digests.iter().for_each(|entry| hasher.line(entry.kind.name(), entry));
        hasher.sum.update(hasher.line.as_bytes());
        let mut hex = String::with_capacity(64);
        for byte in hasher.sum.finalize() {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
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
    line: String,
}

impl Hasher {
    fn line(&mut self, kind: &str, value: impl Display) {
        let _ = writeln!(self.line, "{kind} {value}");
        if self.line.len() > 1 << 14 {
            self.sum.update(self.line.as_bytes());
            self.line.clear();
        }
    }
}
