//! URLs in text: where they begin, and the readings of where they end.

use super::super::kind::url::{is_scheme, normal};
use super::super::{Kind, Value};
use super::escapes::{View, starts};
use super::{Interest, Place, Push};
use memchr::memmem;

/// The longest reading in bytes.
pub const LONGEST: usize = 4096;
/// From the 33rd URL within one stretch without white space on: such a text is a list or an attack.
pub const LONGEST_IN_CROWD: usize = 256;
const CROWD: usize = 32;
/// How many soft borders are tried as the end.
const MOST_CUTS: usize = 16;
/// How much punctuation is taken off an end, piece by piece.
const MOST_TRIMMED: usize = 8;
const LONGEST_SCHEME: usize = 32;
/// Schemes that stand by themselves where other text is glued to them by `.` or `-`.
const KNOWN: [&[u8]; 8] = [b"http", b"https", b"ftp", b"ftps", b"sftp", b"ws", b"wss", b"tcp"];

/// One `://`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    /// First byte of the scheme; none if no scheme stands there.
    start: Option<usize>,
    /// Another reading of where it begins.
    also: Option<usize>,
    /// The colon.
    pub(super) colon: usize,
    /// First byte of the host, of the bracket of an IPv6 host.
    host: usize,
}

/// All of a text, in order.
pub(super) struct Anchors(Vec<Anchor>);

impl Anchors {
    /// Whether the host of a URL begins here.
    pub(super) fn is_host(&self, at: usize) -> bool {
        self.0.binary_search_by_key(&at, |anchor| anchor.host).is_ok()
    }
    /// Whether this lies in the user name or password of a URL.
    pub(super) fn in_userinfo(&self, at: usize) -> bool {
        let next = self.0.partition_point(|anchor| anchor.host <= at);
        self.0.get(next).is_some_and(|anchor| anchor.colon + 3 <= at)
    }
}

/// Where a URL surely ends.
pub(super) const fn is_hard(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, 0x7f | b'"' | b'<' | b'>' | b'\\' | b'`' | b'^' | b'{' | b'}' | b'|')
}

const fn is_soft(byte: u8) -> bool {
    matches!(byte, b',' | b';' | b'\'' | b')' | b']')
}

pub(super) fn anchors(view: &View<'_>) -> Anchors {
    Anchors(memmem::find_iter(view.text, b"://").map(|colon| anchor(view, colon)).collect())
}

pub(super) fn anchor(view: &View<'_>, colon: usize) -> Anchor {
    let text = view.text;
    let length = text[..colon].iter().rev().take(LONGEST_SCHEME + 1).take_while(|byte| is_scheme(**byte)).count();
    let run = colon - length;
    let from = starts(view, run);
    let first_letter = |at: usize| (at..colon).find(|at| text[*at].is_ascii_alphabetic());
    let mut start = first_letter(from.at.min(colon)).filter(|_| length <= LONGEST_SCHEME);
    let mut also = from.also.and_then(first_letter);
    if let Some(last) = text[run..colon].iter().rposition(|byte| !byte.is_ascii_alphanumeric())
        && KNOWN.iter().any(|known| text[run + last + 1..colon].eq_ignore_ascii_case(known))
    {
        // `git+https` may be meant as one scheme, `see.http` may not.
        let known = Some(run + last + 1);
        if text[run + last] == b'+' { also = known } else { start = known }
    }
    Anchor { start, also, colon, host: host(text, colon + 3) }
}

/// Where the host begins: behind the last `@` of the authority.
pub(super) fn host(text: &[u8], start: usize) -> usize {
    let end = |byte: &u8| is_hard(*byte) || matches!(*byte, b'/' | b'?' | b'#' | b',' | b';' | b'\'' | b'(' | b')');
    let length = text[start..].iter().position(end).unwrap_or(text.len() - start);
    memchr::memrchr(b'@', &text[start..start + length]).map_or(start, |at| start + at + 1)
}

/// Where the host ends that begins at `host`.
pub(super) fn host_end(text: &[u8], host: usize) -> usize {
    let bracket = text.get(host) == Some(&b'[');
    let end = |byte: &u8| match *byte {
        b']' | b'/' | b'?' | b'#' => true,
        b':' => !bracket,
        byte => is_hard(byte) || is_soft(byte) || byte == b'(',
    };
    let length = text[host..].iter().position(end).unwrap_or(text.len() - host);
    host + length + usize::from(bracket && text.get(host + length) == Some(&b']'))
}

pub(super) fn scan(view: &View<'_>, anchors: &Anchors, interest: Interest<'_>, push: &mut Push<'_>) {
    let mut stretch = Stretch::default();
    for anchor in &anchors.0 {
        // Behind a user name there may be another host for a shorter reading.
        let simple = anchor.host == anchor.colon + 3;
        if simple && interest.skips_host(&view.text[anchor.host..host_end(view.text, anchor.host)]) {
            continue;
        }
        let (end, longest) = stretch.around(view.text, anchor.colon);
        for start in [anchor.start, anchor.also].into_iter().flatten() {
            let amp = follows_equals(view.text, start);
            readings(view.text, start, anchor.colon + 3, end, longest, amp, |end, value| {
                push(start..end, Some(anchor.colon..anchor.colon + 3), value, Place::Whole);
            });
        }
    }
}

/// The stretch without hard border that positions lie in, asked for in ascending order.
#[derive(Default)]
pub(super) struct Stretch {
    end: usize,
    urls: usize,
}

impl Stretch {
    /// The end of the stretch around a position, and how long a URL that begins there may be.
    pub(super) fn around(&mut self, text: &[u8], at: usize) -> (usize, usize) {
        if at >= self.end {
            let length = text[at..].iter().position(|byte| is_hard(*byte)).unwrap_or(text.len() - at);
            *self = Self { end: at + length, urls: 0 };
        }
        self.urls += 1;
        (self.end, if self.urls > CROWD { LONGEST_IN_CROWD } else { LONGEST })
    }
}

/// Whether a URL at `start` is the value of a key or query.
pub(super) fn follows_equals(text: &[u8], start: usize) -> bool {
    let before = &text[..start];
    before.ends_with(b"=") || before.ends_with(b"%3D") || before.ends_with(b"%3d")
}

/// Tells the ends and normal forms of all readings of a URL that begins at `start`, its authority at `host`.
pub(super) fn readings(
    text: &[u8],
    start: usize,
    host: usize,
    end: usize,
    longest: usize,
    amp: bool,
    mut take: impl FnMut(usize, Value),
) {
    let most = end.min(start + longest);
    let mut ends = Vec::with_capacity(8);
    let mut soft = 0;
    for at in host..most {
        let byte = text[at];
        let ampersand = byte == b'&' && (amp || is_bracket_entity(&text[at..]));
        let border = is_soft(byte) || ampersand || (at > host && byte >= 0x80 && text[at - 1] < 0x80);
        if border {
            soft += 1;
            add_trimmed(text, host, at, &mut ends);
            if soft == MOST_CUTS {
                break;
            }
        }
    }
    if most == end {
        add_trimmed(text, host, end, &mut ends);
    }
    if let Some(fragment) = memchr::memchr(b'#', &text[host.min(most)..most]) {
        ends.retain(|end| *end != host + fragment);
        if ends.iter().any(|end| *end > host + fragment) {
            add_trimmed(text, host, host + fragment, &mut ends);
        }
    }
    ends.sort_unstable_by(|a, b| b.cmp(a));
    ends.dedup();
    for end in ends {
        let reading = &text[start..end];
        if let Ok(normal) = normal(reading) {
            take(end, Value::Text(Kind::Url, normal.into()));
        }
        if memmem::find(reading, b"&amp;").is_some()
            && let Ok(normal) = normal(&without_entities(reading))
        {
            take(end, Value::Text(Kind::Url, normal.into()));
        }
    }
}

/// Whether an entity of XML begins here that stands for a quote or an angle bracket, which end URLs.
fn is_bracket_entity(text: &[u8]) -> bool {
    const ENTITIES: [&[u8]; 8] = [b"quot;", b"apos;", b"lt;", b"gt;", b"#34;", b"#39;", b"#x22;", b"#x27;"];
    text.get(1..).is_some_and(|text| ENTITIES.iter().any(|entity| text.starts_with(entity)))
}

/// The text with `&` for each `&amp;`.
fn without_entities(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for at in memmem::find_iter(text, b"&amp;") {
        out.extend_from_slice(&text[copied..=at]);
        copied = at + 5;
    }
    out.extend_from_slice(&text[copied..]);
    out
}

/// Adds an end, and those without the punctuation before it.
fn add_trimmed(text: &[u8], host: usize, end: usize, ends: &mut Vec<usize>) {
    let punctuation = |byte: u8| is_soft(byte) || matches!(byte, b'.' | b':' | b'!' | b'?' | b'*');
    let mut end = end;
    for _ in 0..MOST_TRIMMED {
        if end <= host {
            return;
        }
        ends.push(end);
        if !punctuation(text[end - 1]) {
            return;
        }
        end -= 1;
    }
    while end > host && punctuation(text[end - 1]) {
        end -= 1;
    }
    if end > host {
        ends.push(end);
    }
}

/// If what follows a host at `end` makes it a URL without scheme: whether it is a path, so that the host is a part of something longer.
pub(super) fn follows_host(text: &[u8], end: usize) -> Option<bool> {
    let port = match text.get(end)? {
        b':' => 1 + text[end + 1..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let rest = &text[end + port..];
    match rest.first()? {
        b'/' if port != 1 => {
            // A number or an address is no path: a port, a prefix length, another reading of the host.
            let part = |byte: &&u8| byte.is_ascii_digit() || matches!(**byte, b'.' | b':');
            let number = rest[1..].iter().take(48).take_while(part).count();
            let after = rest.get(1 + number);
            let whole = number > 0
                && after.is_none_or(|byte| is_hard(*byte) || is_soft(*byte) || *byte == b'(' || *byte == b'-');
            Some(!(whole && port == 0))
        }
        b'?' if port == 0 && rest.get(1).is_some_and(u8::is_ascii_alphanumeric) => Some(true),
        _ => None,
    }
}
