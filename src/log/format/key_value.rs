//! `key=value` lines: logfmt, firewalls (`FortiGate`, Sophos, `SonicWall`), netfilter, the audit daemon.
//!
//! What separates the pairs is told by the first one: white space, or one of `,` `;` `|` before the next key. A value
//! in quotes ends at a quote that a separator or the end of the line follows. Within double quotes a backslash
//! escapes, but not in a value that begins as a Windows path with single backslashes (`"C:\dir\"`). A value in single
//! quotes that holds pairs of its own, as the audit daemon writes them, is read as those.
//!
//! A line is one of these if it begins with a pair, has three of them, and at most one word without `=` for every two
//! pairs. netfilter's lines are told by their keys, whatever the rule writes before `IN=`.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::values;
use super::Format;
use memchr::{memchr, memmem};
use std::borrow::Cow;
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "key-value",
    about: "key=value pairs: logfmt, FortiGate and other firewalls, netfilter, the audit daemon",
    sniff: |head| super::most_lines(head, own_line),
    own_line: Some(own_line),
    header: None,
    ragged: Some(|_, line| memchr(b'=', line).is_none()),
    decode: |layout, event| {
        if layout.chosen || own_line(event.line) { decode(event, 0) } else { Err("line is not one of key=value pairs") }
    },
};

/// Longest key; longer is no key.
const LONGEST_KEY: usize = 64;
/// Pairs and words that are looked at to decide whether a line is one of pairs.
const SAMPLE: usize = 32;

/// Whether a line is one of pairs, or of netfilter.
pub(super) fn own_line(line: &[u8]) -> bool {
    looks_like(line) || netfilter(line).is_some()
}

/// Reads the part of a line from `start` on.
pub(super) fn decode(event: &mut Event<'_>, start: usize) -> Result<(), &'static str> {
    let line = event.line;
    let begin = netfilter(&line[start..]).map_or(start, |at| start + at);
    event.push("text", values::trimmed(line, start..begin), Meaning::Text);
    let mut time = Time::default();
    let mut pairs = 0;
    for pair in Pairs::new(line, begin..line.len()) {
        pairs += usize::from(!pair.key.is_empty());
        match pair.quote {
            Quote::Single if key_at(&line[..pair.value.end], pair.value.start).is_some() => {
                values::push_key(event, &String::from_utf8_lossy(&line[pair.key.clone()]), pair.key);
                for inner in Pairs::new(line, pair.value) {
                    push(event, inner, &mut time);
                }
            }
            _ => push(event, pair, &mut time),
        }
    }
    if pairs == 0 {
        return Err("line holds no key=value pair");
    }
    values::settle_digests(event);
    if let Some(when) = time.when(line) {
        event.when = Some(when);
    }
    Ok(())
}

fn push(event: &mut Event<'_>, pair: Pair, time: &mut Time) {
    let line = event.line;
    if pair.key.is_empty() {
        return event.push("text", pair.value, Meaning::Text);
    }
    let escapes = if pair.quote == Quote::Escaped { Escapes::Backslash } else { Escapes::None };
    let key = String::from_utf8_lossy(&line[pair.key.clone()]);
    values::push_key(event, &key, pair.key);
    time.see(&key, &pair.value);
    values::push_named(event, key, pair.value, escapes);
}

/// The fields that say when.
#[derive(Default)]
struct Time {
    date: Option<Range<usize>>,
    clock: Option<Range<usize>>,
    zone: Option<Range<usize>>,
    whole: Option<Range<usize>>,
    utc: Option<Range<usize>>,
}

impl Time {
    fn see(&mut self, key: &str, value: &Range<usize>) {
        let place = match key {
            "date" => &mut self.date,
            "time" => &mut self.clock,
            "tz" => &mut self.zone,
            "ts" | "timestamp" | "@timestamp" | "t" | "datetime" | "TimeCreated" | "eventTime" => &mut self.whole,
            "UtcTime" => &mut self.utc,
            _ => return,
        };
        if place.is_none() {
            *place = Some(value.clone());
        }
    }

    /// `date` and `time` of firewalls with the zone they name, or one field that says it all.
    fn when<'l>(&self, line: &'l [u8]) -> Option<Cow<'l, [u8]>> {
        if let (Some(date), Some(clock)) = (&self.date, &self.clock) {
            let zone = self.zone.clone().map_or(&b""[..], |zone| &line[zone]);
            return Some([&line[date.clone()], b" ", &line[clock.clone()], zone].concat().into());
        }
        if let Some(utc) = self.utc.clone() {
            return Some([&line[utc], b"Z"].concat().into());
        }
        let whole = self.whole.clone().or_else(|| self.clock.clone())?;
        Some(line[whole].into())
    }
}

/// A pair of a line, or a word without `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Where the key stands; empty for a word.
    pub(super) key: Range<usize>,
    /// Where the value stands, without its quotes.
    pub(super) value: Range<usize>,
    pub(super) quote: Quote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    /// None, or quotes within which nothing is escaped.
    Plain,
    /// Double quotes within which a backslash escapes.
    Escaped,
    /// Single quotes.
    Single,
}

/// What stands between pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Space,
    Byte(u8),
}

/// The pairs and words of a part of a line, in their order.
#[derive(Clone, Debug)]
pub(super) struct Pairs<'a> {
    line: &'a [u8],
    at: usize,
    end: usize,
    separator: Separator,
    /// A quote that nothing closes, double or single: none behind it is closed either.
    unclosed: [bool; 2],
}

impl<'a> Pairs<'a> {
    pub(super) fn new(line: &'a [u8], part: Range<usize>) -> Self {
        let separator = separator(&line[..part.end], part.start);
        Self { line, at: part.start, end: part.end, separator, unclosed: [false; 2] }
    }

    fn is_separator(&self, byte: u8) -> bool {
        match self.separator {
            Separator::Space => matches!(byte, b' ' | b'\t'),
            Separator::Byte(separator) => byte == separator,
        }
    }

    /// Where a value without quotes ends that begins at `from`.
    fn plain_end(&self, from: usize) -> usize {
        let text = &self.line[..self.end];
        match self.separator {
            Separator::Space => {
                let end = text[from..].iter().position(|b| matches!(b, b' ' | b'\t')).map_or(self.end, |at| from + at);
                // `a=1, b=2` and `a=1; b=2` among words.
                if end > from && matches!(text[end - 1], b',' | b';') { end - 1 } else { end }
            }
            Separator::Byte(separator) => {
                let mut end = from;
                while let Some(at) = memchr(separator, &text[end..]) {
                    end += at;
                    if key_at(text, skip_blank(text, end + 1)).is_some() || end + 1 == self.end {
                        return end;
                    }
                    end += 1;
                }
                self.end
            }
        }
    }

    /// The value that begins at `from`, and where what follows it begins.
    fn value(&mut self, from: usize) -> (Range<usize>, Quote, usize) {
        let text = &self.line[..self.end];
        if let Some(quote @ (b'"' | b'\'')) = text.get(from).copied()
            && !self.unclosed[usize::from(quote == b'\'')]
        {
            if let Some(end) = closing(text, from, quote) {
                let kind = match quote {
                    b'\'' => Quote::Single,
                    _ if is_raw(&text[from + 1..end]) => Quote::Plain,
                    _ => Quote::Escaped,
                };
                return (from + 1..end, kind, end + 1);
            }
            self.unclosed[usize::from(quote == b'\'')] = true;
        }
        let end = self.plain_end(from);
        (from..end, Quote::Plain, end)
    }
}

impl Iterator for Pairs<'_> {
    type Item = Pair;

    fn next(&mut self) -> Option<Pair> {
        while self.at < self.end
            && (self.is_separator(self.line[self.at]) || matches!(self.line[self.at], b' ' | b'\t' | b',' | b';'))
        {
            self.at += 1;
        }
        if self.at >= self.end {
            return None;
        }
        let text = &self.line[..self.end];
        if let Some(key) = key_at(text, self.at) {
            let (value, quote, next) = self.value(key.end + 1);
            self.at = next;
            return Some(Pair { key, value, quote });
        }
        let start = self.at;
        let (value, quote, next) = self.value(start);
        // A word is never empty, so that this comes to an end.
        self.at = next.max(start + 1);
        Some(Pair { key: start..start, value: value.start..value.end.max(value.start), quote })
    }
}

/// What separates pairs: whatever stands behind the first value.
fn separator(text: &[u8], start: usize) -> Separator {
    let Some(key) = key_at(text, skip_blank(text, start)) else { return Separator::Space };
    let from = key.end + 1;
    let after = match text.get(from) {
        Some(quote @ (b'"' | b'\'')) => closing(text, from, *quote).map(|end| end + 1),
        _ => None,
    };
    let from = after.unwrap_or(from);
    for (at, byte) in text.iter().enumerate().skip(from) {
        match byte {
            b' ' | b'\t' => break,
            b',' | b';' | b'|' if key_at(text, skip_blank(text, at + 1)).is_some() => {
                return if stands_before_most(text, start, *byte) { Separator::Byte(*byte) } else { Separator::Space };
            }
            _ => {}
        }
    }
    Separator::Space
}

/// Whether more keys have a sign before them than only a blank; the query of a URL holds signs too.
fn stands_before_most(text: &[u8], start: usize, sign: u8) -> bool {
    let text = &text[start..text.len().min(start + 1024)];
    let (mut signs, mut blanks) = (0, 0);
    for equals in memchr::memchr_iter(b'=', text) {
        let before = text[..equals].trim_ascii_end();
        let key =
            before.iter().rev().take(LONGEST_KEY).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let before = &before[..before.len() - key];
        let joined = before.trim_ascii_end();
        if joined.last() == Some(&sign) {
            signs += 1;
        } else if joined.len() < before.len() {
            blanks += 1;
        }
    }
    signs > blanks
}

fn skip_blank(text: &[u8], from: usize) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// The key that begins here, if `=` follows it.
fn key_at(text: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let first = rest.first()?;
    if !(first.is_ascii_alphabetic() || matches!(first, b'_' | b'@')) {
        return None;
    }
    let is_key = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'@' | b'/' | b'[' | b']');
    let length = rest.iter().take(LONGEST_KEY + 1).take_while(is_key).count();
    (length <= LONGEST_KEY && rest.get(length) == Some(&b'=')).then(|| from..from + length)
}

/// Where a value in quotes ends: at a quote that is not escaped and that a separator or the end follows.
fn closing(text: &[u8], open: usize, quote: u8) -> Option<usize> {
    let inner = &text[open + 1..];
    let raw = quote == b'\'' || is_raw(inner);
    let mut from = 0;
    loop {
        let at = from + memchr(quote, &inner[from..])?;
        let escaped = !raw && inner[..at].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1;
        let ends = inner.get(at + 1).is_none_or(|b| matches!(b, b' ' | b'\t' | b',' | b';' | b'|' | b']' | b')'));
        if !escaped && ends {
            return Some(open + 1 + at);
        }
        from = at + 1;
    }
}

/// Whether a value is a Windows path written without escapes: `C:\dir`, `\\host\share`.
fn is_raw(value: &[u8]) -> bool {
    match value {
        [drive, b':', b'\\', next, ..] => drive.is_ascii_alphabetic() && *next != b'\\',
        [b'\\', b'\\', next, ..] => *next != b'\\' && *next != b'"',
        _ => false,
    }
}

/// Where the pairs of a line of netfilter begin.
pub(super) fn netfilter(text: &[u8]) -> Option<usize> {
    let start = memmem::find(text, b"IN=")?;
    let rest = &text[start..];
    let has = |key: &[u8]| memmem::find(rest, key).is_some();
    let begins = start == 0 || !text[start - 1].is_ascii_alphanumeric();
    (begins && has(b" OUT=") && has(b" SRC=") && has(b" DST=") && has(b" PROTO=")).then_some(start)
}

/// Whether a text is one of pairs.
pub(super) fn looks_like(text: &[u8]) -> bool {
    let start = skip_blank(text, 0);
    if key_at(text, start).is_none() {
        return false;
    }
    let (mut pairs, mut words) = (0, 0);
    for pair in Pairs::new(text, start..text.len()).take(SAMPLE) {
        if pair.key.is_empty() { words += 1 } else { pairs += 1 }
    }
    pairs >= 3 && words * 2 <= pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(line: &str) -> Vec<(String, String)> {
        Pairs::new(line.as_bytes(), 0..line.len())
            .map(|pair| (line[pair.key].to_owned(), line[pair.value].to_owned()))
            .collect()
    }

    fn joined(line: &str) -> String {
        pairs(line).into_iter().map(|(key, value)| format!("{key}→{value}")).collect::<Vec<_>>().join(" ¦ ")
    }

    #[test]
    fn pairs_are_split_as_their_writers_mean_it() {
        for (line, expected) in [
            ("a=1 b=2", "a→1 ¦ b→2"),
            ("a= b=\"\" c=3", "a→ ¦ b→ ¦ c→3"),
            ("a=1, b=2, c=x y, d=4", "a→1 ¦ b→2 ¦ c→x y ¦ d→4"),
            ("a=1,b=2,3,c=4", "a→1 ¦ b→2,3 ¦ c→4"),
            ("a=1;b=2;", "a→1 ¦ b→2"),
            ("a=\"x\"; b=\"y\"", "a→x ¦ b→y"),
            ("a=1|b=x y|c=", "a→1 ¦ b→x y ¦ c→"),
            ("a=\"x y\" b='p q' c=r", "a→x y ¦ b→p q ¦ c→r"),
            ("msg=\"say \\\"hi\\\" now\" a=1", "msg→say \\\"hi\\\" now ¦ a→1"),
            ("msg=\"an \"odd\"quote\" a=1", "msg→an \"odd\"quote ¦ a→1"),
            ("dir=\"C:\\Windows\\\" src=1.2.3.4", "dir→C:\\Windows\\ ¦ src→1.2.3.4"),
            ("dir=\"C:\\\\Windows\\\\\" src=1", "dir→C:\\\\Windows\\\\ ¦ src→1"),
            ("a=\"never closed b=1", "a→\"never ¦ →closed ¦ b→1"),
            ("SYN a=1 DF b=2", "→SYN ¦ a→1 ¦ →DF ¦ b→2"),
            ("url=http://a/?x=1;y=2 b=3", "url→http://a/?x=1;y=2 ¦ b→3"),
            ("a=b=c d=e", "a→b=c ¦ d→e"),
            ("  a=1\tb=2  ", "a→1 ¦ b→2"),
            ("", ""),
            ("=", "→="),
            ("\"", "→\""),
        ] {
            assert_eq!(joined(line), expected, "{line}");
        }
    }

    #[test]
    fn lines_of_pairs_are_told_from_prose() {
        for line in [
            "date=2026-01-31 time=10:05:03 devname=\"fw\" srcip=10.0.0.1 action=\"accept\"",
            "level=info ts=2026-01-31T10:05:03Z msg=\"x\"",
            "type=SYSCALL msg=audit(1769853903.250:42): arch=c000003e syscall=59 success=yes",
            "id=firewall sn=0 time=\"2026-01-31 10:05:03\" fw=192.0.2.1 pri=6 src=10.0.0.1:123:X0",
        ] {
            assert!(looks_like(line.as_bytes()), "{line}");
        }
        for line in [
            "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=173.234.31.186 ",
            "a=b and c=d are what we say of e=f in prose, here and everywhere else",
            "x=1 y=2",
            "session opened for user test by (uid=509)",
            "GET /?a=1&b=2&c=3 HTTP/1.1",
            "",
        ] {
            assert!(!looks_like(line.as_bytes()), "{line}");
        }
        assert_eq!(netfilter(b"[UFW BLOCK] IN=eth0 OUT= MAC= SRC=1.2.3.4 DST=10.0.0.1 LEN=40 PROTO=TCP"), Some(12));
        assert_eq!(netfilter(b"BEGIN=eth0 OUT= SRC=1 DST=2 PROTO=TCP"), None);
    }
}
