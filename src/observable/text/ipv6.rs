//! Runs of hex digits, colons and dots that are IPv6 addresses.

use super::super::Value;
use super::super::kind::ip::ipv6_prefix;
use super::escapes::{View, starts};
use super::urls::Anchors;
use super::{Place, Push};
use std::net::Ipv6Addr;
use std::ops::Range;

/// Longer runs are no address, whatever is cut off at their ends.
const LONGEST: usize = 72;

/// Pushes the addresses and returns where they stand, in order.
pub(super) fn scan(view: &View<'_>, anchors: &Anchors, push: &mut Push<'_>) -> Vec<Range<usize>> {
    let text = view.text;
    let mut covered = Vec::new();
    let mut done = 0;
    for colon in memchr::memchr_iter(b':', text) {
        if colon < done {
            continue;
        }
        let (start, end) = bounds(text, colon, done);
        done = end;
        run(view, start, end, |span, address| {
            covered.push(span.clone());
            let value = value(address);
            let bracket = usize::from(text[..span.start].ends_with(b"["));
            let host = anchors.is_host(span.start - bracket);
            push(span, None, value, if host { Place::HostOfUrl } else { Place::Whole });
        });
    }
    covered
}

pub(super) fn value(address: Ipv6Addr) -> Value {
    ipv6_prefix(address, 128)
}

/// The run around a colon, not before `from`.
pub(super) fn bounds(text: &[u8], colon: usize, from: usize) -> (usize, usize) {
    let before = text[from..colon].iter().rev().take_while(|byte| is_run(**byte)).count();
    let after = text[colon..].iter().take_while(|byte| is_run(**byte)).count();
    (colon - before, colon + after)
}

const fn is_run(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}

/// Tells the address in a maximal run, for each place where the run may begin.
pub(super) fn run(view: &View<'_>, start: usize, end: usize, mut take: impl FnMut(Range<usize>, Ipv6Addr)) {
    let text = view.text;
    // A colon before it and one behind a word belong to the text around.
    let (colons, double) = colons(&text[start..end]);
    if !has_groups(colons, double, 2) {
        return;
    }
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let dots = text[start..end].iter().rev().take_while(|byte| **byte == b'.').count();
    if text.get(end).is_some_and(word) {
        return;
    }
    let end = end - dots;
    let from = starts(view, start);
    if from.escaped && !from.joined && from.at < end {
        read(text, from.at, end, &mut take);
    }
    if !from.escaped || from.also.is_some() {
        let start = from.also.unwrap_or(start);
        if start > 0 && word(&text[start - 1]) {
            // `word:address`, or the end of a word that happens to be hex digits.
            let colon = text[start..end].iter().position(|byte| matches!(byte, b':' | b'.'));
            if let Some(colon) = colon.filter(|colon| text[start + colon] == b':') {
                read(text, start + colon + 1, end, &mut take);
            }
        } else {
            read(text, start, end, &mut take);
        }
    }
}

fn read(text: &[u8], start: usize, end: usize, take: &mut impl FnMut(Range<usize>, Ipv6Addr)) {
    let mut start = start;
    // One colon before an address is punctuation; so are dots.
    while start < end && text[start] == b'.' {
        start += 1;
    }
    let run = &text[start..end];
    if run.starts_with(b":") && (!run.starts_with(b"::") || run.starts_with(b":::")) {
        start += 1;
    }
    if end - start > LONGEST {
        return;
    }
    let Ok(run) = std::str::from_utf8(&text[start..end]) else { return };
    let bare = run.strip_suffix(':');
    let shorter = [Some(run), bare, without_port(run), bare.and_then(without_port)];
    if let Some((run, address)) = shorter.into_iter().flatten().find_map(|run| Some((run, run.parse().ok()?))) {
        take(start..start + run.len(), address);
    }
}

/// Whether so many colons are as many as an address of eight groups has, with or without a dotted tail, a port and a colon
/// behind it, and at most so many more. Hardware addresses and times have others. Or two stand in a row.
pub(super) fn has_groups(colons: usize, double: bool, more: usize) -> bool {
    double || (6..=9 + more).contains(&colons)
}

/// How many colons there are, and whether two are in a row.
fn colons(run: &[u8]) -> (usize, bool) {
    let (mut colons, mut double, mut before) = (0, false, 0);
    for byte in run {
        colons += usize::from(*byte == b':');
        double |= *byte == b':' && before == b':';
        before = *byte;
    }
    (colons, double)
}

/// What remains without a port: after nine groups, after a dotted tail, after a dot.
fn without_port(run: &str) -> Option<&str> {
    let (address, port) = run.rsplit_once([':', '.'])?;
    if port.is_empty() || port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let last = address.rsplit(':').next().unwrap_or("");
    let nine = run.as_bytes()[address.len()] == b':' && address.matches(':').count() == 7 && !address.contains("::");
    let dotted_tail = last.matches('.').count() == 3;
    let dot = run.as_bytes()[address.len()] == b'.' && !last.contains('.');
    (nine || dotted_tail || dot).then_some(address)
}
