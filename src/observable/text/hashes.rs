//! Runs of hex digits that are hashes.

use super::super::Value;
use super::super::kind::hash::kind_of_length;
use super::escapes::{View, goes_on, starts};
use super::{Place, Push};

pub(super) fn scan(view: &View<'_>, push: &mut Push<'_>) {
    let text = view.text;
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_hexdigit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < text.len() && text[at].is_ascii_hexdigit() {
            at += 1;
        }
        if at - start >= 32 {
            run(view, start, at, |from| {
                if let Some(kind) = kind_of_length(at - from) {
                    let digits =
                        text[from..at].iter().map(|digit| digit.to_ascii_lowercase() as char).collect::<String>();
                    push(from..at, None, Value::Text(kind, digits.into()), Place::Whole);
                }
            });
        }
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
