//! Runs of name characters: domains, IPv4 addresses, and URLs without scheme.

use super::super::kind::{domain, ip, mac};
use super::super::{Kind, Value};
use super::escapes::{View, goes_on, is_name, starts};
use super::urls::{Anchors, Stretch, follows_equals, follows_host, readings};
use super::{Interest, Place, Push, mails, versions};
use std::net::Ipv4Addr;
use std::ops::Range;
use unicode_normalization::char::is_combining_mark;

/// One piece of a run, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) span: Range<usize>,
    /// A single dot stands before it.
    after_dot: bool,
    /// The end of the run, if the piece is the last of it.
    pub(super) run_end: Option<usize>,
}

impl Piece {
    pub(super) fn new(span: Range<usize>, after_dot: bool, run_end: Option<usize>) -> Self {
        Self { span, after_dot, run_end }
    }
}

pub(super) fn scan(
    view: &View<'_>,
    anchors: &Anchors,
    covered: &[Range<usize>],
    interest: Interest<'_>,
    push: &mut Push<'_>,
) {
    let text = view.text;
    let mut stretch = Stretch::default();
    let is_covered = |span: &Range<usize>| {
        let next = covered.partition_point(|address| address.end <= span.start);
        covered.get(next).is_some_and(|address| address.start < span.end)
    };
    runs(text, |run| {
        if !text[run.clone()].contains(&b'.') {
            return;
        }
        pieces(view, run, |piece| {
            let span = piece.span.clone();
            if anchors.in_userinfo(span.start) {
                return;
            }
            let user = piece.run_end.is_some_and(|end| mails::is_user(text, end));
            let place = match span.start.checked_sub(1).map(|before| text[before]) {
                _ if anchors.is_host(span.start) => Place::HostOfUrl,
                Some(b'@') if mails::has_local(text, span.start - 1) => Place::HostOfEmail,
                _ => Place::Whole,
            };
            let (mut host, mut address_skipped) = (false, false);
            if !user {
                ipv4(text, &piece, |span, address| {
                    if is_covered(&span) {
                        return;
                    }
                    let skipped = interest.skips_address(address);
                    host |= span == piece.span && !skipped;
                    address_skipped |= span == piece.span && skipped;
                    if !skipped && !versions::is_version(text, span.start, span.end) {
                        let host = place == Place::HostOfUrl && span.start == piece.span.start;
                        let place = if host { place } else { Place::Whole };
                        let place = place_of_host(text, &span, place);
                        push(span, None, Value::Ipv4(address, 32), place);
                    }
                });
            }
            if let Some(value) = (span.len() == 14).then(|| mac::normal(&text[span.clone()])).flatten() {
                push(span.clone(), None, value, Place::Whole);
            }
            if !host
                && !address_skipped
                && !user
                && !interest.skips_name(&text[span.clone()])
                && is_shaped(&text[span.clone()])
                && let Ok(name) = domain::normal(&text[span.clone()])
            {
                host = true;
                let place = place_of_host(text, &span, place);
                push(span.clone(), None, Value::Text(Kind::Domain, name.into()), place);
            }
            if host && place == Place::Whole && follows_name(text, &piece).is_some() {
                let (end, longest) = stretch.around(text, span.start);
                let amp = follows_equals(text, span.start);
                readings(text, span.start, span.start, end, longest, amp, |end, value| {
                    push(span.start..end, Some(span.start..span.end + 1), value, Place::Whole);
                });
            }
        });
    });
}

/// A host before a path is part of a URL without scheme.
fn place_of_host(text: &[u8], span: &Range<usize>, place: Place) -> Place {
    let end = if text.get(span.end) == Some(&b'.') { span.end + 1 } else { span.end };
    match place {
        Place::Whole if span.start > 0 && text[span.start - 1] == b'@' => Place::Whole,
        Place::Whole if follows_host(text, end) == Some(true) => Place::HostOfUrl,
        place => place,
    }
}

fn follows_name(text: &[u8], piece: &Piece) -> Option<bool> {
    let after_at = piece.span.start > 0 && text[piece.span.start - 1] == b'@';
    // A trailing dot belongs to the host here.
    let end = piece.run_end.filter(|end| matches!(&text[piece.span.end..*end], b"" | b"."))?;
    if after_at { None } else { follows_host(text, end) }
}

/// A quick look before the full check of a domain.
pub(super) fn is_shaped(name: &[u8]) -> bool {
    name.len() <= 4 * domain::MAX_BYTES
        && name.contains(&b'.')
        && name.iter().any(|byte| !byte.is_ascii_digit() && *byte != b'.')
}

/// Tells the maximal runs of name characters with a dot; a run without any letter beyond ASCII is given whole.
pub(super) fn runs(text: &[u8], mut take: impl FnMut(Range<usize>)) {
    let mut done = 0;
    for dot in memchr::memchr_iter(b'.', text) {
        if dot < done {
            continue;
        }
        let start = dot - text[done..dot].iter().rev().take_while(|byte| is_part(**byte)).count();
        let end = dot + text[dot..].iter().take_while(|byte| is_part(**byte)).count();
        done = end;
        if text[start..end].is_ascii() {
            take(start..end);
        } else {
            international(text, start..end, &mut take);
        }
    }
}

pub(super) const fn is_part(byte: u8) -> bool {
    is_name(byte) || byte >= 0x80
}

/// Splits a run with bytes beyond ASCII at what is no letter, at invalid UTF-8, and where a script without spaces meets ASCII.
pub(super) fn international(text: &[u8], run: Range<usize>, take: &mut impl FnMut(Range<usize>)) {
    let mut start = run.start;
    let mut at = run.start;
    let mut label = Script::Any;
    for chunk in text[run.clone()].utf8_chunks() {
        for letter in chunk.valid().chars() {
            let script = Script::of(letter);
            if script == Script::Border || script.clashes(label) {
                if at > start {
                    take(start..at);
                }
                start = if script == Script::Border { at + letter.len_utf8() } else { at };
                label = Script::Any;
            }
            at += letter.len_utf8();
            match script {
                Script::Ascii | Script::Spaceless => label = script,
                Script::Any if letter == '.' => label = Script::Any,
                _ => {}
            }
        }
        if !chunk.invalid().is_empty() {
            if at > start {
                take(start..at);
            }
            at += chunk.invalid().len();
            start = at;
            label = Script::Any;
        }
    }
    if at > start {
        take(start..at);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    /// No letter.
    Border,
    /// A letter or digit of ASCII.
    Ascii,
    /// A letter of a script written without spaces.
    Spaceless,
    /// Other letters; dots, hyphens, underscores.
    Any,
}

impl Script {
    fn of(letter: char) -> Self {
        match letter {
            '.' | '-' | '_' => Script::Any,
            '\0'..='\u{7f}' => Script::Ascii,
            '\u{0e00}'..='\u{0eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1100}'..='\u{11ff}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{2e80}'..='\u{2fdf}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3021}'..='\u{303b}'
            | '\u{3041}'..='\u{d7ff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{ff66}'..='\u{ffdc}'
            | '\u{20000}'..='\u{3ffff}'
                if letter.is_alphanumeric() || is_combining_mark(letter) =>
            {
                Script::Spaceless
            }
            _ if letter.is_alphanumeric() || is_combining_mark(letter) => Script::Any,
            _ => Script::Border,
        }
    }
    fn clashes(self, label: Self) -> bool {
        matches!((self, label), (Script::Ascii, Script::Spaceless) | (Script::Spaceless, Script::Ascii))
    }
}

/// Tells the trimmed pieces of a run between stretches of two and more dots, for each place where the run may begin.
pub(super) fn pieces(view: &View<'_>, run: Range<usize>, mut take: impl FnMut(Piece)) {
    let from = starts(view, run.start);
    let joined_right = goes_on(view, run.end);
    let mut each = |start: usize, joined_left: bool| {
        let mut at = start;
        while at < run.end {
            let end = memchr::memmem::find(&view.text[at..run.end], b"..").map_or(run.end, |dots| at + dots);
            let joined = (at == start && joined_left) || (end == run.end && joined_right);
            if !joined && let Some(span) = trimmed(view.text, at..end) {
                let after_dot = view.text[at] == b'.';
                take(Piece::new(span, after_dot, (end == run.end).then_some(end)));
            }
            at = end;
            while at < run.end && view.text[at] == b'.' {
                at += 1;
            }
        }
    };
    if from.at < run.end {
        each(from.at, from.joined);
    }
    if let Some(also) = from.also {
        each(also, false);
    }
}

/// Without dots and hyphens at the ends, and underscores at the right end; `None` if nothing is left.
fn trimmed(text: &[u8], span: Range<usize>) -> Option<Range<usize>> {
    let left = text[span.clone()].iter().position(|byte| !matches!(byte, b'.' | b'-'))?;
    let right = text[span.clone()].iter().rposition(|byte| !matches!(byte, b'.' | b'-' | b'_'))?;
    (left <= right).then_some(span.start + left..span.start + right + 1)
}

/// Tells the addresses in a piece: itself, several joined, or one with the port of tcpdump.
pub(super) fn ipv4(text: &[u8], piece: &Piece, mut take: impl FnMut(Range<usize>, Ipv4Addr)) {
    let span = piece.span.clone();
    let name = &text[span.clone()];
    if piece.after_dot || !name[0].is_ascii_digit() || name.len() > 256 {
        return;
    }
    if let Some(address) = ip::parse_ipv4(name) {
        take(span, address);
        return;
    }
    let joints: &[u8] = if memchr::memchr2(b'-', b'_', name).is_some() { b"-_" } else { b"" };
    for &joint in joints {
        let is_number = |part: &[u8]| part.len() <= 5 && part.iter().all(u8::is_ascii_digit);
        let addresses = || name.split(|byte| *byte == joint).filter_map(ip::parse_ipv4);
        if addresses().count() >= 2
            && name.split(|byte| *byte == joint).all(|part| is_number(part) || ip::parse_ipv4(part).is_some())
        {
            let mut at = span.start;
            for part in name.split(|byte| *byte == joint) {
                if let Some(address) = ip::parse_ipv4(part) {
                    take(at..at + part.len(), address);
                }
                at += part.len() + 1;
            }
            return;
        }
    }
    if let Some((end, address)) = with_port(text, &span)
        && is_tcpdump(text, &span)
    {
        take(span.start..end, address);
    }
}

/// Five numbers: an address and a port.
pub(super) fn with_port(text: &[u8], span: &Range<usize>) -> Option<(usize, Ipv4Addr)> {
    let name = &text[span.clone()];
    let dot = memchr::memrchr(b'.', name)?;
    let port = std::str::from_utf8(&name[dot + 1..]).ok()?;
    port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse::<u16>().ok()).flatten()?;
    Some((span.start + dot, ip::parse_ipv4(&name[..dot])?))
}

/// `IP here > there:` or `block in on em0: here > there:`, where here and there end in a port or not.
fn is_tcpdump(text: &[u8], span: &Range<usize>) -> bool {
    let source = begins_frame(&text[..span.start]) && text[span.end..].starts_with(b" > ");
    let before = text[..span.start].strip_suffix(b" > ").unwrap_or_default();
    let run = before.iter().rev().take(24).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let target = text[span.end..].starts_with(b":") && run >= 7 && begins_frame(&before[..before.len() - run]);
    source || target
}

/// Whether the two ends of a packet follow: `IP `, or the name of an interface as the log of pf gives it.
fn begins_frame(before: &[u8]) -> bool {
    before.ends_with(b"IP ")
        || before.strip_suffix(b": ").is_some_and(|before| {
            let letter = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'.');
            let interface = before.iter().rev().take(24).take_while(letter).count();
            interface > 0 && before[..before.len() - interface].ends_with(b" on ")
        })
}
