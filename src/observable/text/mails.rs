//! Mail addresses: what stands around `@`.

use super::super::kind::{domain, email};
use super::super::{Kind, Value};
use super::escapes::{View, is_name, starts};
use super::names;
use super::urls::Anchors;
use super::{Place, Push};

/// Signs that may stand in a local part but mostly join other text to it.
const JOINTS: &[u8] = b"=/'&?|{}$!#%*^`";

pub(super) fn scan(view: &View<'_>, anchors: &Anchors, push: &mut Push<'_>) {
    for at in memchr::memchr_iter(b'@', view.text) {
        if anchors.in_userinfo(at) || !has_local(view.text, at) {
            continue;
        }
        let Some((end, name)) = domain_at(view, at + 1) else { continue };
        locals(view, at, |start| {
            if let Ok(normal) = email::normal(&view.text[start..at], &name) {
                push(start..end, None, Value::Text(Kind::Email, normal.into()), Place::Whole);
            }
        });
    }
}

/// Whether the run that ends here is followed by `@` and a name.
pub(super) fn is_user(text: &[u8], end: usize) -> bool {
    text.get(end) == Some(&b'@') && text.get(end + 1).is_some_and(|byte| is_name(*byte) || *byte >= 0x80)
}

/// Whether something that could end a local part stands before the `@`.
pub(super) fn has_local(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|byte| email::is_local(*byte) || *byte >= 0x80)
}

/// The domain that begins right here: its end, and normal form.
fn domain_at(view: &View<'_>, start: usize) -> Option<(usize, String)> {
    let text = view.text;
    let part = |byte: &&u8| is_name(**byte) || **byte >= 0x80;
    // One byte more than the longest name, so that a longer one is none.
    let length = text[start..].iter().take(4 * domain::MAX_BYTES + 1).take_while(part).count();
    let mut first = None;
    let mut keep = |run: std::ops::Range<usize>| first = first.take().or(Some(run));
    if text[start..start + length].is_ascii() {
        keep(start..start + length);
    } else {
        names::international(text, start..start + length, &mut keep);
    }
    let mut found = None;
    names::pieces(view, first?, |piece| {
        let user = piece.run_end.is_some_and(|end| is_user(text, end));
        if piece.span.start == start && !user && names::is_shaped(&text[piece.span.clone()]) {
            found = domain::normal(&text[piece.span.clone()]).ok().map(|name| (piece.span.end, name));
        }
    });
    found
}

/// Where the run of ASCII ends that begins here and may be a domain, without what is trimmed.
pub(super) fn domain_end(text: &[u8], start: usize) -> usize {
    let length = text[start..].iter().take(domain::MAX_BYTES + 1).take_while(|byte| is_name(**byte)).count();
    let run = &text[start..start + length];
    let run = &run[..memchr::memmem::find(run, b"..").unwrap_or(run.len())];
    start + run.iter().rposition(|byte| !matches!(byte, b'.' | b'-' | b'_')).map_or(0, |last| last + 1)
}

/// Tells where the local part before `at` may begin, the longest first.
fn locals(view: &View<'_>, at: usize, mut take: impl FnMut(usize)) {
    let text = view.text;
    // Two more than the longest local part: an escape may reach into it.
    let length = text[..at].iter().rev().take(email::MAX_LOCAL + 2).take_while(|byte| email::is_local(**byte)).count();
    let run = at - length;
    let from = starts(view, run);
    let mut last = None;
    let mut once = |start: usize| {
        if start < at && last != Some(start) {
            last = Some(start);
            take(start);
        }
    };
    if let Some(also) = from.also {
        once(also);
    }
    let first = from.at.min(at);
    once(first);
    let mut start = first;
    while start < at {
        let byte = text[start];
        start += 1;
        if JOINTS.contains(&byte) {
            once(starts(view, start).at.min(at));
        } else if byte == b'.' && text[start] == b'.' {
            while start < at && text[start] == b'.' {
                start += 1;
            }
            once(start);
        }
    }
}
