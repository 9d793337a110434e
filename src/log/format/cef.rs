//! The Common Event Format: `CEF:0|vendor|product|version|class|name|severity|key=value key=value`.
//!
//! In the header a backslash escapes `|` and itself, in the extension `=`, line ends (`\n`, `\r`) and itself. A value
//! reaches to the blank before the next key; an `=` that no key stands before, as in the query of a URL, is part of it.
//! What a custom field means is told by its label: `cs1Label=SHA256 cs1=...`.

use super::super::escape::Escapes;
use super::super::event::{Event, MOST, Meaning};
use super::super::{known, values};
use super::{Format, syslog};
use memchr::{memchr, memmem};
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "cef",
    about: "ArcSight Common Event Format, with or without syslog around it",
    sniff: |head| super::most_lines(head, |line| find(line).is_some()),
    own_line: Some(|line| find(line).is_some()),
    header: None,
    ragged: Some(|_, line| find(line).is_none()),
    decode: |_, event| decode(event),
};

/// How far into a line the format may begin, behind an envelope.
const REACH: usize = 512;

/// Escapes of the header and of the extension.
const HEADER_ESCAPES: Escapes = Escapes::Signs(b"|\\", false);
const ESCAPES: Escapes = Escapes::Signs(b"=|\\", true);

/// Where the format begins in a line.
fn find(line: &[u8]) -> Option<usize> {
    let start = memmem::find(&line[..line.len().min(REACH)], b"CEF:")?;
    let begins = start == 0 || matches!(line[start - 1], b' ' | b'\t' | b':' | b'>' | 0xbf);
    let version = line.get(start + 4).is_some_and(u8::is_ascii_digit);
    (begins && version).then_some(start)
}

fn decode(event: &mut Event<'_>) -> Result<(), &'static str> {
    let line = event.line;
    let start = find(line).ok_or("no CEF: in the line")?;
    let (places, extension_start) = header(line, start).ok_or("CEF header has too few fields")?;
    syslog::push_prefix(event, start);
    for (name, place) in HEADER.iter().zip(places) {
        event.push_escaped(*name, place, HEADER_ESCAPES, Meaning::Open);
    }
    let pairs: Vec<_> = extension(line, extension_start).take(MOST).collect();
    let first = pairs.first().map_or(line.len(), |(key, _)| key.start);
    event.push("extension", values::trimmed(line, extension_start..first), Meaning::Text);
    let labels: Vec<(&[u8], &[u8])> = pairs
        .iter()
        .filter_map(|(key, value)| Some((line[key.clone()].strip_suffix(b"Label")?, &line[value.clone()])))
        .collect();
    for (key, value) in &pairs {
        let bytes = &line[key.clone()];
        let name = String::from_utf8_lossy(bytes);
        values::push_key(event, &name, key.clone());
        let label = labels.iter().find(|(of, _)| *of == bytes).map(|(_, label)| String::from_utf8_lossy(label));
        match &*name {
            "rt" => event.when = Some(line[value.clone()].into()),
            "start" | "end" if event.when.is_none() => event.when = Some(line[value.clone()].into()),
            _ => {}
        }
        let own = match &*name {
            "c6a2" => Some(Meaning::property("network-traffic:src_ref.value")),
            "c6a3" => Some(Meaning::property("network-traffic:dst_ref.value")),
            "c6a1" | "c6a4" => Some(Meaning::property("ipv4-addr:value")),
            "name" | "msg" | "reason" | "sntdom" | "dntdom" => Some(Meaning::Text),
            _ => None,
        };
        match (label, own) {
            (Some(label), _) if known::is_known(&label) => {
                values::push_labelled(event, name, &label, value.clone(), ESCAPES);
            }
            (_, Some(meaning)) => event.push_escaped(name, value.clone(), ESCAPES, meaning),
            _ => values::push_named(event, name, value.clone(), ESCAPES),
        }
    }
    values::settle_digests(event);
    Ok(())
}

/// The fields of the header behind the version.
pub(super) const HEADER: [&str; 6] =
    ["deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity"];

/// The places of the header's fields, and where the extension begins.
pub(super) fn header(line: &[u8], start: usize) -> Option<([Range<usize>; 6], usize)> {
    let rest = line.get(start..)?.strip_prefix(b"CEF:")?;
    let version = rest.iter().take(4).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    if version == 0 || rest.get(version) != Some(&b'|') {
        return None;
    }
    let mut at = line.len() - rest.len() + version + 1;
    let mut places = [const { 0..0 }; 6];
    for (number, place) in places.iter_mut().enumerate() {
        let mut end = at;
        while *line.get(end).unwrap_or(&b'|') != b'|' {
            end += if line[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(line.len());
        // Some writers leave out the last bar when there is no extension.
        if end == line.len() && number < 5 {
            return None;
        }
        *place = at..end;
        at = (end + 1).min(line.len());
    }
    Some((places, at))
}

/// The pairs of an extension: the places of keys and values.
pub(super) fn extension(line: &[u8], start: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + '_ {
    let mut next = key_from(line, start);
    std::iter::from_fn(move || {
        let key = next.take()?;
        let from = key.end + 1;
        next = key_from(line, from);
        let mut end = next.as_ref().map_or(line.len(), |key| key.start);
        while end > from && line[end - 1] == b' ' {
            end -= 1;
        }
        Some((key, from..end))
    })
}

/// The first key at or behind a place: a word with a blank before and `=` behind it.
fn key_from(line: &[u8], start: usize) -> Option<Range<usize>> {
    let mut from = start;
    loop {
        let equals = from + memchr(b'=', line.get(from..)?)?;
        let is_key = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'[' | b']' | b'@');
        let length = line[start..equals].iter().rev().take_while(is_key).count();
        let key = equals - length..equals;
        if length > 0 && (key.start == start || matches!(line[key.start - 1], b' ' | b'\t')) {
            return Some(key);
        }
        from = equals + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn lines_are_taken_apart() {
        for (line, expected) in [
            (
                r"CEF:0|Security|threat\|manager|1.0|100|worm \\ stopped|10|src=10.0.0.1 dst=203.0.113.9 spt=1232 msg=a b\=c\nd request=http://a.example/?x=y act=",
                r"deviceVendor=Security
deviceProduct=threat|manager
deviceVersion=1.0
deviceEventClassId=100
name=worm \ stopped
severity=10
src=10.0.0.1 network-traffic:src_ref.value
dst=203.0.113.9 network-traffic:dst_ref.value
spt=1232 network-traffic:src_port
msg=a b=c
d (text)
request=http://a.example/?x=y url:value",
            ),
            (
                "Jan 31 10:05:03 fw.example CEF:0|V|P|1|7|N|3|cs1=D41D8CD98F00B204E9800998ECF8427E cs1Label=File MD5 cs2=x cs2Label=Policy c6a2=2001:db8::1 rt=1769853903250",
                "@1769853903250
host=fw.example domain-name:value
deviceVendor=V
deviceProduct=P
deviceVersion=1
deviceEventClassId=7
name=N
severity=3
cs1=D41D8CD98F00B204E9800998ECF8427E file:hashes.MD5
cs1Label=File MD5
cs2=x
cs2Label=Policy
c6a2=2001:db8::1 network-traffic:src_ref.value
rt=1769853903250",
            ),
            (
                "<14>CEF:1|V|P|1|7|N|Low",
                "deviceVendor=V
deviceProduct=P
deviceVersion=1
deviceEventClassId=7
name=N
severity=Low",
            ),
            ("CEF:0|V|P|1", "! CEF header has too few fields"),
        ] {
            assert_eq!(shown("cef", "", line), expected, "{line}");
        }
    }
}
