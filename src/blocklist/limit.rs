//! The most entries: who stays and who goes.

use super::cores::on_all_cores;
use super::held::{HeldBack, Listable, Obstacle};
use super::list::{Blocklist, Entry, Prefix};
use super::listing::Listing;
use super::reason::Reason;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

/// What is said of those that go.
const DETAIL: &str = "max_entries";

/// Entries whose confidence is found out by one thread at a time.
const CHUNK: usize = 1 << 12;

/// Drops the least confident entries until so many are left; of equals those that would be written last.
///
/// No stated confidence is less than any. An entry of several indicators counts with the highest of theirs.
pub(super) fn keep_most_confident(list: &mut Blocklist<'_>, most: usize) {
    if list.len() <= most {
        return;
    }
    let confidences = confidences(list);
    // The lowest confidence that stays, and how many of that one do.
    let mut counts = BTreeMap::new();
    for confidence in &confidences {
        *counts.entry(Reverse(*confidence)).or_insert(0) += 1;
    }
    let (mut lowest, mut room) = (None, most);
    for (Reverse(confidence), count) in counts {
        lowest = confidence;
        if count >= room {
            break;
        }
        room -= count;
    }
    let stays = confidences.into_iter().map(|confidence| {
        let is_last = confidence == lowest && room > 0;
        room -= usize::from(is_last);
        confidence > lowest || is_last
    });
    let mut leaving = Leaving { stays, held: std::mem::take(&mut list.held) };
    leaving.held.notes.reserve_exact(list.len() - most);
    let (atoms, credits) = (list.rules.atoms(), &list.credits);
    let credited = |range: &Range<u32>, held: &mut HeldBack| {
        let numbers = credits.get(range.start as usize..range.end as usize).unwrap_or_default();
        for text in numbers.iter().filter_map(|number| atoms.text(*number)) {
            held.text(text.number, text.entry, Reason::Limit, Obstacle::Word(DETAIL));
        }
    };
    leaving.of(&mut list.names, |entry, held| credited(&entry.credits, held));
    leaving.of(&mut list.ipv4, |prefix, held| listed(&list.listed4, *prefix, held));
    leaving.of(&mut list.ipv6, |prefix, held| listed(&list.listed6, *prefix, held));
    leaving.of(&mut list.urls, |entry, held| credited(&entry.credits, held));
    leaving.of(&mut list.emails, |entry, held| credited(&entry.credits, held));
    leaving.of(&mut list.digests, |entry, held| credited(&entry.credits, held));
    list.held = leaving.held;
    let exceptions = std::mem::take(&mut list.exceptions);
    list.exceptions = exceptions.into_iter().filter(|name| list.covers_name(name)).collect();
}

/// The confidence of each entry, in the order of writing.
fn confidences(list: &Blocklist<'_>) -> Vec<Option<u8>> {
    fn of<E: Entry + Sync>(list: &Blocklist<'_>, entries: &[E], out: &mut Vec<Option<u8>>) {
        let of_chunk = |chunk: &[E]| chunk.iter().map(|entry| list.confidence(entry)).collect::<Vec<_>>();
        out.extend(on_all_cores(entries.chunks(CHUNK).collect(), of_chunk).into_iter().flatten());
    }
    let mut out = Vec::with_capacity(list.len());
    of(list, &list.names, &mut out);
    of(list, &list.ipv4, &mut out);
    of(list, &list.ipv6, &mut out);
    of(list, &list.urls, &mut out);
    of(list, &list.emails, &mut out);
    of(list, &list.digests, &mut out);
    out
}

/// Entries that leave.
struct Leaving<S> {
    /// Of the entries that were not looked at yet, whether each stays.
    stays: S,
    held: HeldBack,
}

impl<S: Iterator<Item = bool>> Leaving<S> {
    /// Drops those of a kind that do not stay, and notes what was behind them.
    fn of<E>(&mut self, entries: &mut Vec<E>, behind: impl Fn(&E, &mut HeldBack)) {
        entries.retain(|entry| {
            let stays = self.stays.next().unwrap_or(false);
            if !stays {
                behind(entry, &mut self.held);
            }
            stays
        });
    }
}

/// Notes what was listed behind a prefix; of wider prefixes the part that goes.
fn listed<A: Listable>(listed: &Listing<A>, prefix: Prefix<A>, held: &mut HeldBack) {
    for one in listed.overlapping(prefix) {
        let part = if one.len < prefix.len { prefix } else { Prefix { start: one.start, len: one.len } };
        held.prefix(part, one.row, Reason::Limit, DETAIL);
    }
}
