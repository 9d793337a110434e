//! URLs, mail addresses and digests of one kind: in order, each once, past what must not be written.

use super::build::item;
use super::held::{Obstacle, Refused};
use super::list::Item;
use super::order::{Candidate, Part, Sorted, each_part_of_texts};
use super::reason::Reason;
use crate::observable::Kind;
use std::ops::Range;

/// What is to be done with texts.
pub(super) struct Rules<'p> {
    pub(super) kind: Kind,
    /// How many atoms stand behind entries of other kinds.
    pub(super) before: u32,
    /// Why a value must not be written.
    pub(super) refuses: &'p (dyn Fn(Item<'_>) -> Option<(Reason, &'static str)> + Sync),
}

/// Decides on all listed texts of a kind; `text` gives that of an atom, and `entry` makes an entry of a value and the
/// places of the atoms behind it.
pub(super) fn approve<'r, E: Clone + Send>(
    listed: Vec<Candidate>,
    text: &(impl Fn(u32) -> &'r [u8] + Sync),
    rules: &Rules<'_>,
    blank: E,
    entry: impl Fn(Item<'r>, Range<u32>) -> Option<E> + Sync,
) -> Sorted<E, Vec<Refused>> {
    each_part_of_texts(listed, text, blank, |Part { atoms, room, start }| {
        let (mut made, mut held) = (0, Vec::new());
        let mut at = rules.before + start;
        for group in atoms.chunk_by(|a, b| text(*a) == text(*b)) {
            let credits = at..at + group.len() as u32;
            at = credits.end;
            let Some(item) = group.first().and_then(|first| item(rules.kind, text(*first))) else { continue };
            if let Some((reason, detail)) = (rules.refuses)(item) {
                held.extend(group.iter().map(|atom| (*atom, reason, Obstacle::Word(detail))));
            } else if let Some(entry) = entry(item, credits) {
                room[made] = entry;
                made += 1;
            }
        }
        (made, held)
    })
}
