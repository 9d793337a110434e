//! IBM's Log Event Extended Format: `LEEF:1.0|vendor|product|version|event|key=value<tab>key=value`.
//!
//! Version 2 names the delimiter in a field of its own, as a sign (`^`) or spelled (`0x5E`, `x5E`); nothing there means a
//! tab. A tab that a relay wrote as `#011` is one.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::values;
use super::{Format, syslog};
use memchr::memmem;
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "leef",
    about: "IBM Log Event Extended Format 1 and 2, with or without syslog around it",
    sniff: |head| super::most_lines(head, |line| find(line).is_some()),
    own_line: Some(|line| find(line).is_some()),
    header: None,
    ragged: Some(|_, line| find(line).is_none()),
    decode: |_, event| decode(event),
};

/// How far into a line the format may begin, behind an envelope.
const REACH: usize = 512;

/// Where the format begins in a line.
fn find(line: &[u8]) -> Option<usize> {
    let start = memmem::find(&line[..line.len().min(REACH)], b"LEEF:")?;
    let begins = start == 0 || matches!(line[start - 1], b' ' | b'\t' | b':' | b'>' | 0xbf);
    (begins && matches!(line.get(start + 5), Some(b'1' | b'2'))).then_some(start)
}

fn decode(event: &mut Event<'_>) -> Result<(), &'static str> {
    let line = event.line;
    let start = find(line).ok_or("no LEEF: in the line")?;
    let header = header(line, start).ok_or("LEEF header has too few fields")?;
    syslog::push_prefix(event, start);
    for (name, place) in HEADER.iter().zip(&header.fields) {
        event.push(*name, place.clone(), Meaning::Open);
    }
    for (key, value) in attributes(line, &header) {
        if key.is_empty() {
            event.push("text", value, Meaning::Text);
            continue;
        }
        let name = String::from_utf8_lossy(&line[key.clone()]);
        values::push_key(event, &name, key);
        if name == "devTime" {
            event.when = Some(line[value.clone()].into());
        }
        values::push_named(event, name, value, Escapes::None);
    }
    values::settle_digests(event);
    Ok(())
}

/// The fields of the header behind the version.
pub(super) const HEADER: [&str; 4] = ["vendor", "product", "version", "eventId"];

/// A header: the places of its fields, the delimiter of the attributes, and where they begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fields: [Range<usize>; 4],
    pub(super) delimiter: Vec<u8>,
    pub(super) attributes: usize,
}

pub(super) fn header(line: &[u8], start: usize) -> Option<Header> {
    let rest = line.get(start..)?.strip_prefix(b"LEEF:")?;
    let (second, rest) = match rest {
        [b'1', rest @ ..] => (false, rest),
        [b'2', rest @ ..] => (true, rest),
        _ => return None,
    };
    let rest = rest.strip_prefix(b".0").unwrap_or(rest).strip_prefix(b"|")?;
    let mut at = line.len() - rest.len();
    let mut fields = [const { 0..0 }; 4];
    for field in &mut fields {
        let length = memchr::memchr(b'|', line.get(at..)?)?;
        *field = at..at + length;
        at += length + 1;
    }
    let mut delimiter = vec![b'\t'];
    if second
        && let Some(length) = line[at..].iter().take(7).position(|b| *b == b'|')
        && let Some(named) = named_delimiter(&line[at..at + length])
    {
        delimiter = vec![named];
        at += length + 1;
    }
    let attributes = &line[at..];
    if delimiter == b"\t" && memchr::memchr(b'\t', attributes).is_none() && memmem::find(attributes, b"#011").is_some()
    {
        delimiter = b"#011".to_vec();
    }
    Some(Header { fields, delimiter, attributes: at })
}

/// The delimiter that the sixth field of a header of version 2 names.
fn named_delimiter(name: &[u8]) -> Option<u8> {
    match name {
        [] | [b'\\', b't'] => Some(b'\t'),
        [sign] => Some(*sign),
        [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] if (1..=4).contains(&digits.len()) => {
            let code = digits.iter().try_fold(0, |n, b| Some(n * 16 + char::from(*b).to_digit(16)?))?;
            u8::try_from(code).ok()
        }
        _ => None,
    }
}

/// The attributes: the places of keys and values.
pub(super) fn attributes<'a>(
    line: &'a [u8],
    header: &Header,
) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + 'a {
    let delimiter = header.delimiter.clone();
    let mut at = header.attributes;
    std::iter::from_fn(move || {
        loop {
            if at >= line.len() {
                return None;
            }
            let length = memmem::find(&line[at..], &delimiter).unwrap_or(line.len() - at);
            let part = at..at + length;
            at = part.end + delimiter.len();
            if let Some(equals) = memchr::memchr(b'=', &line[part.clone()]) {
                let key = trimmed(line, part.start..part.start + equals);
                return Some((key, part.start + equals + 1..part.end));
            }
            if !part.is_empty() {
                return Some((part.start..part.start, part));
            }
        }
    })
}

fn trimmed(line: &[u8], part: Range<usize>) -> Range<usize> {
    let blanks = line[part.clone()].iter().take_while(|b| b.is_ascii_whitespace()).count();
    part.start + blanks..part.end
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn lines_are_taken_apart() {
        for (line, expected) in [
            (
                "LEEF:1.0|V|P|4.0|41|src=10.0.0.1\tdst=203.0.113.9\tdstPort=443\tusrName=joe b\turl=http://a.example/?x=y",
                "vendor=V
product=P
version=4.0
eventId=41
src=10.0.0.1 network-traffic:src_ref.value
dst=203.0.113.9 network-traffic:dst_ref.value
dstPort=443 network-traffic:dst_port
usrName=joe b user-account:account_login
url=http://a.example/?x=y url:value",
            ),
            (
                "LEEF:2.0|V|P|1|7|^|src=10.0.0.1^msg=a\tb",
                "vendor=V
product=P
version=1
eventId=7
src=10.0.0.1 network-traffic:src_ref.value
msg=a\tb",
            ),
            (
                "LEEF:2.0|V|P|1|7|0x7c|src=10.0.0.1|stray",
                "vendor=V
product=P
version=1
eventId=7
src=10.0.0.1 network-traffic:src_ref.value
text=stray (text)",
            ),
            (
                "LEEF:2.0|V|P|1|7||src=10.0.0.1\tx=1",
                "vendor=V
product=P
version=1
eventId=7
src=10.0.0.1 network-traffic:src_ref.value
x=1",
            ),
            (
                "LEEF:2.0|V|P|1|7|src=10.0.0.1\tx=1",
                "vendor=V
product=P
version=1
eventId=7
src=10.0.0.1 network-traffic:src_ref.value
x=1",
            ),
            (
                "<13>Jan 31 10:05:03 192.0.2.1 LEEF:1.0|V|P|1|7|src=10.0.0.1#011devTime=Jan 31 2026 10:05:02",
                "@Jan 31 2026 10:05:02
host=192.0.2.1 domain-name:value
vendor=V
product=P
version=1
eventId=7
src=10.0.0.1 network-traffic:src_ref.value
devTime=Jan 31 2026 10:05:02",
            ),
            ("LEEF:1.0|V|P", "! LEEF header has too few fields"),
        ] {
            assert_eq!(shown("leef", "", line), expected, "{line}");
        }
    }
}
