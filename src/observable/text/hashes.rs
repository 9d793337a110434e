//! Runs of hex digits that are hashes.

use super::super::Value;
use super::super::kind::hash::kind_of_length;
use super::escapes::{View, goes_on, starts};
use super::{Place, Push};

/// Digits of the shortest hash.
const SHORTEST: usize = 32;

pub(super) fn scan(view: &View<'_>, push: &mut Push<'_>) {
    let text = view.text;
    let is_digit = |byte: &&u8| byte.is_ascii_hexdigit();
    // Of 32 digits in a row, one stands at each 32nd place.
    let mut at = SHORTEST - 1;
    while at < text.len() {
        let before = text[..at].iter().rev().take(SHORTEST - 1).take_while(is_digit).count();
        let end = at + text[at..].iter().take_while(is_digit).count();
        if end > at && end - at + before >= SHORTEST {
            let start = at - text[..at].iter().rev().take_while(is_digit).count();
            run(view, start, end, |from| {
                if let Some(kind) = kind_of_length(end - from) {
                    let digits =
                        text[from..end].iter().map(|digit| digit.to_ascii_lowercase() as char).collect::<String>();
                    push(from..end, None, Value::Text(kind, digits.into()), Place::Whole);
                }
            });
        }
        at = end + SHORTEST;
    }
}

/// Tells from where on a maximal run of hex digits may be a hash.
pub(super) fn run(view: &View<'_>, start: usize, end: usize, mut take: impl FnMut(usize)) {
    let text = view.text;
    if text.get(end).is_some_and(u8::is_ascii_alphanumeric) || goes_on(view, end) {
        return;
    }
    let from = starts(view, start);
    let alphanumeric = |back: usize| start.checked_sub(back).is_some_and(|at| text[at].is_ascii_alphanumeric());
    // `0x`: the zero is not part of the run, since x is no digit.
    let prefixed = text[..start].ends_with(b"0x") || text[..start].ends_with(b"0X");
    let clean = !alphanumeric(1) || (prefixed && !alphanumeric(3));
    if from.escaped {
        if !from.joined && from.at < end {
            take(from.at);
        }
        if let Some(also) = from.also
            && clean
        {
            take(also);
        }
    } else if clean {
        take(start);
    }
}
