//! Chains of hex pairs that are MAC addresses.

use super::super::Value;
use super::super::kind::mac;
use super::escapes::{View, starts};
use super::{Place, Push};
use std::ops::Range;

/// Destination, source and type as netfilter logs them.
const NETFILTER_PAIRS: usize = 14;

pub(super) fn scan(view: &View<'_>, push: &mut Push<'_>) {
    within(view, 0..view.text.len(), |span, value| push(span, None, value, Place::Whole));
}

/// Tells the addresses in chains that begin in a range; it ends where no chain goes on.
pub(super) fn within(view: &View<'_>, range: Range<usize>, mut take: impl FnMut(Range<usize>, Value)) {
    let text = view.text;
    let mut at = range.start;
    while let Some(found) = text[at..range.end].iter().position(u8::is_ascii_hexdigit) {
        let start = at + found;
        at = start;
        let from = starts(view, start);
        for (first, escaped) in [(Some(from.at), from.escaped && !from.joined), (from.also, false)] {
            let Some(first) = first else { continue };
            let pairs = if from.joined && !escaped { 0 } else { chain(text, first, escaped) };
            addresses(text, first, pairs, |from| {
                if let Some(value) = mac::normal(&text[from..from + 17]) {
                    take(from..from + 17, value);
                }
            });
            // A chain begins where a word does: past the chain, else past this word.
            if pairs > 1 {
                at = at.max(first + 3 * pairs - 1);
            }
        }
        while at < range.end && text[at].is_ascii_hexdigit() {
            at += 1;
        }
        at = at.min(range.end);
    }
}

/// Tells where in a chain of pairs the addresses begin.
fn addresses(text: &[u8], first: usize, pairs: usize, mut take: impl FnMut(usize)) {
    let netfilter = pairs == NETFILTER_PAIRS && text[first + 2] == b':';
    if pairs == 6 || netfilter {
        take(first);
    }
    if netfilter {
        take(first + 18);
    }
}

/// How many pairs are in the chain that begins at `first`; none if it is part of something longer.
fn chain(text: &[u8], first: usize, escaped: bool) -> usize {
    let clean = escaped || first == 0 || !text[first - 1].is_ascii_alphanumeric();
    let Some(&joint) = text.get(first + 2).filter(|joint| matches!(joint, b':' | b'-')) else { return 0 };
    if !clean || (!escaped && follows_group(text, first, joint)) {
        return 0;
    }
    let pair = |at: usize| {
        text.get(at..at + 2).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
            && !text.get(at + 2).is_some_and(u8::is_ascii_alphanumeric)
    };
    let mut pairs = 0;
    let mut at = first;
    while pair(at) {
        pairs += 1;
        at += 2;
        if text.get(at) != Some(&joint) {
            return pairs;
        }
        at += 1;
    }
    // The last joint is followed by something else: by a longer group of hex digits, or by other text.
    let longer = joint == b':' && text.get(at).is_some_and(u8::is_ascii_hexdigit);
    if longer { 0 } else { pairs }
}

/// Whether the joint before `start` joins the pair to another group of hex digits.
fn follows_group(text: &[u8], start: usize, joint: u8) -> bool {
    let Some(before) = text[..start].strip_suffix(&[joint]) else { return false };
    let word = before.iter().rev().take(6).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = &before[before.len() - word..];
    let most = if joint == b':' { 4 } else { 2 };
    !word.is_empty() && word.len() <= most && word.iter().all(u8::is_ascii_hexdigit)
}
