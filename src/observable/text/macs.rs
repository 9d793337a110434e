//! Chains of hex pairs that are MAC addresses.

use super::super::kind::mac;
use super::escapes::{View, starts};
use super::{Place, Push};

/// Destination, source and type as netfilter logs them.
const NETFILTER_PAIRS: usize = 14;

pub(super) fn scan(view: &View<'_>, push: &mut Push<'_>) {
    let text = view.text;
    let mut at = 0;
    while let Some(found) = text[at..].iter().position(u8::is_ascii_hexdigit) {
        let start = at + found;
        let (first, pairs) = chain(view, start);
        addresses(first, pairs, |from| {
            if let Some(value) = mac::normal(&text[from..from + 17]) {
                push(from..from + 17, None, value, Place::Whole);
            }
        });
        // Past the chain, else past this word: a chain begins where a word does.
        at = if pairs > 1 { first + 3 * pairs - 1 } else { start };
        while at < text.len() && text[at].is_ascii_hexdigit() {
            at += 1;
        }
    }
}

/// Tells where in a chain of pairs the addresses begin.
fn addresses(first: usize, pairs: usize, mut take: impl FnMut(usize)) {
    if pairs == 6 || pairs == NETFILTER_PAIRS {
        take(first);
    }
    if pairs == NETFILTER_PAIRS {
        take(first + 18);
    }
}

/// The chain of pairs that begins with the run of hex digits at `start`: where its first pair is, and how many there are; none
/// if it is part of something longer.
fn chain(view: &View<'_>, start: usize) -> (usize, usize) {
    let text = view.text;
    let from = starts(view, start);
    let first = from.at;
    let clean = from.escaped && !from.joined || start == 0 || !text[start - 1].is_ascii_alphanumeric();
    let Some(&joint) = text.get(first + 2).filter(|joint| matches!(joint, b':' | b'-')) else { return (first, 0) };
    if !clean || (!from.escaped && follows_group(text, start, joint)) {
        return (first, 0);
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
            return (first, pairs);
        }
        at += 1;
    }
    // The last joint is followed by something else: by a longer group of hex digits, or by other text.
    let longer = joint == b':' && text.get(at).is_some_and(u8::is_ascii_hexdigit);
    (first, if longer { 0 } else { pairs })
}

/// Whether the joint before `start` joins the pair to another group of hex digits.
fn follows_group(text: &[u8], start: usize, joint: u8) -> bool {
    let Some(before) = text[..start].strip_suffix(&[joint]) else { return false };
    let word = before.iter().rev().take(6).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = &before[before.len() - word..];
    let most = if joint == b':' { 4 } else { 2 };
    !word.is_empty() && word.len() <= most && word.iter().all(u8::is_ascii_hexdigit)
}
