//! The most entries: who stays and who goes.

use super::build::item;
use super::held::Held;
use super::list::{Address, Blocklist, Entry, Item, Prefix};
use super::listing::{Listed, Listing};
use super::reason::Reason;
use std::cmp::Reverse;
use std::ops::Range;

/// Drops the least confident entries until so many are left; of equals those that would be written last.
///
/// No stated confidence is less than any. An entry of several indicators counts with the highest of theirs.
pub(super) fn keep_most_confident(list: &mut Blocklist<'_>, most: usize) {
    if list.len() <= most {
        return;
    }
    let mut ranks: Vec<(Reverse<Option<u8>>, u32)> = confidences(list).into_iter().map(Reverse).zip(0..).collect();
    ranks.sort_unstable();
    let mut stays = vec![false; ranks.len()];
    for (_, at) in ranks.iter().take(most) {
        stays[*at as usize] = true;
    }
    let mut dropped = Dropped { held: Vec::new(), stays: &stays };
    let credited = |range: &Range<u32>| {
        let atoms = list.rules.atoms();
        let numbers = list.credits.get(range.start as usize..range.end as usize).unwrap_or_default();
        let listed = numbers.iter().filter_map(|number| atoms.text(*number));
        listed.filter_map(|text| Some((item(text.kind, atoms.bytes(text.number))?, text.entry))).collect::<Vec<_>>()
    };
    dropped.of(&mut list.names, |entry| credited(&entry.credits));
    dropped.of(&mut list.ipv4, |prefix| listed(&list.listed4, *prefix, Item::Ipv4));
    dropped.of(&mut list.ipv6, |prefix| listed(&list.listed6, *prefix, Item::Ipv6));
    dropped.of(&mut list.urls, |entry| credited(&entry.credits));
    dropped.of(&mut list.emails, |entry| credited(&entry.credits));
    dropped.of(&mut list.digests, |entry| credited(&entry.credits));
    let mut held = dropped.held;
    list.held.append(&mut held);
    let exceptions = std::mem::take(&mut list.exceptions);
    list.exceptions = exceptions.into_iter().filter(|name| list.covers_name(name)).collect();
}

/// The confidence of each entry, in the order of writing.
fn confidences(list: &Blocklist<'_>) -> Vec<Option<u8>> {
    fn of<E: Entry>(list: &Blocklist<'_>, entries: &[E], out: &mut Vec<Option<u8>>) {
        out.extend(entries.iter().map(|entry| list.confidence(entry)));
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

/// What was listed behind a prefix; of wider prefixes the part that goes.
fn listed<'r, A: Address>(listed: &Listing<A>, prefix: Prefix<A>, item: fn(A, u8) -> Item<'r>) -> Vec<(Item<'r>, u32)> {
    let part = |one: Listed<A>| if one.len < prefix.len { (prefix.start, prefix.len) } else { (one.start, one.len) };
    listed
        .overlapping(prefix)
        .into_iter()
        .map(|one| {
            let (start, len) = part(one);
            (item(start, len), one.row)
        })
        .collect()
}

struct Dropped<'r, 's> {
    held: Vec<Held<'r>>,
    /// Of the entries that were not looked at yet, whether each stays.
    stays: &'s [bool],
}

impl<'r> Dropped<'r, '_> {
    fn of<E>(&mut self, entries: &mut Vec<E>, behind: impl Fn(&E) -> Vec<(Item<'r>, u32)>) {
        let (these, rest) = self.stays.split_at(entries.len().min(self.stays.len()));
        self.stays = rest;
        let mut these = these.iter();
        entries.retain(|entry| {
            let stays = these.next().is_some_and(|stays| *stays);
            if !stays {
                let items = behind(entry).into_iter();
                self.held.extend(items.map(|(item, row)| Held {
                    item: Some(item),
                    reason: Reason::Limit,
                    detail: "max_entries".into(),
                    row,
                }));
            }
            stays
        });
    }
}
