//! Flow logs of AWS VPCs: words between blanks, whose order a first line may name.
//!
//! Without such a line a record of version 2 in its default order speaks for itself. Addresses on the network
//! interface and those of the packet (`pkt-srcaddr`) are two connections with the same ports.

use super::super::event::{Event, Meaning};
use super::super::layout::{Columns, Layout};
use super::super::{known, values};
use super::{Format, Header};
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "vpc-flow",
    about: "flow logs of AWS VPCs, with or without a header line",
    sniff: |head| {
        super::header_lines(head).next().is_some_and(|line| names(line).is_some()) || super::most_lines(head, own_line)
    },
    own_line: Some(own_line),
    header: Some(Header { mark: None, read: |line, _| names(line) }),
    ragged: Some(|layout, line| {
        let separators = memchr::memchr_iter(b' ', line).count();
        separators + 1 != layout.columns.as_ref().map_or(DEFAULT.len(), |columns| columns.names.len())
    }),
    decode,
};

/// The default order of version 2.
const DEFAULT: [&str; 14] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
];

/// Columns, at most; there are some forty.
const MOST: usize = 256;

/// The columns that a header line names. It names at least an end of a connection and nothing but words.
fn names(line: &[u8]) -> Option<Columns> {
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').filter(|word| !word.is_empty()).take(MOST).collect();
    let is_name = |word: &&[u8]| word.iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_'));
    let has = |name: &[u8]| words.contains(&name);
    let named = has(b"srcaddr") || has(b"dstaddr") || has(b"pkt-srcaddr") || has(b"pkt-dstaddr");
    (named && words.len() > 2 && words.iter().all(is_name)).then(|| Columns {
        names: words.iter().map(|word| String::from_utf8_lossy(word).into()).collect(),
        ..Columns::default()
    })
}

/// Whether a line is a record of version 2 in its default order.
fn own_line(line: &[u8]) -> bool {
    if !line.starts_with(b"2 ") {
        return false;
    }
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').take(MOST).collect();
    let number = |word: &[u8]| word == b"-" || word.iter().all(u8::is_ascii_digit);
    words.len() == DEFAULT.len()
        && words[2].starts_with(b"eni-")
        && words[5..12].iter().all(|word| number(word))
        && matches!(words[12], b"ACCEPT" | b"REJECT" | b"-")
        && matches!(words[13], b"OK" | b"NODATA" | b"SKIPDATA")
}

fn decode<'l>(layout: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let line = event.line;
    // Files put together repeat their first line.
    if line.is_empty() || names(line).is_some() {
        return Ok(());
    }
    let places: Vec<Range<usize>> = values::elements(line, 0..line.len(), b" ").take(MOST).collect();
    match &layout.columns {
        Some(columns) if std::ptr::eq(layout.format, &raw const FORMAT) && !own_line(line) => {
            push(event, columns.names.iter().map(|name| &**name), &places)
        }
        _ => push(event, DEFAULT.into_iter(), &places),
    }
}

fn push<'l>(
    event: &mut Event<'l>,
    names: impl ExactSizeIterator<Item = &'l str>,
    places: &[Range<usize>],
) -> Result<(), &'static str> {
    if names.len() != places.len() {
        return Err("not as many words as the flow log has columns");
    }
    for (name, place) in names.zip(places) {
        let text = &event.line[place.clone()];
        if text == b"-" {
            continue;
        }
        let meaning = match name {
            "pkt-srcaddr" => Meaning::Property { path: "network-traffic:src_ref.value", group: 1 },
            "pkt-dstaddr" => Meaning::Property { path: "network-traffic:dst_ref.value", group: 1 },
            "protocol" => Meaning::Open,
            _ => known::meaning(name),
        };
        event.push(name, place.clone(), meaning);
        match name {
            "srcport" => {
                event.push(name, place.clone(), Meaning::Property { path: "network-traffic:src_port", group: 1 });
            }
            "dstport" => {
                event.push(name, place.clone(), Meaning::Property { path: "network-traffic:dst_port", group: 1 });
            }
            "protocol" => {
                if let Some(protocol) = values::protocol(text) {
                    let path = "network-traffic:protocols[*]";
                    for group in 0..2 {
                        let meaning = Meaning::Property { path, group };
                        event.push_assembled(name, place.clone(), protocol.to_vec(), meaning);
                    }
                }
            }
            "start" => event.when = Some(text.into()),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn lines_are_taken_apart() {
        let record = "2 123456789012 eni-0a1b 10.0.0.5 203.0.113.9 49152 443 6 20 4249 1769853903 1769853960 ACCEPT OK";
        let expected = "@1769853903
version=2
account-id=123456789012
interface-id=eni-0a1b
srcaddr=10.0.0.5 network-traffic:src_ref.value
dstaddr=203.0.113.9 network-traffic:dst_ref.value
srcport=49152 network-traffic:src_port
srcport=49152 network-traffic:src_port#1
dstport=443 network-traffic:dst_port
dstport=443 network-traffic:dst_port#1
protocol=6
protocol+=tcp network-traffic:protocols[*]
protocol+=tcp network-traffic:protocols[*]#1
packets=20
bytes=4249
start=1769853903
end=1769853960
action=ACCEPT
log-status=OK";
        assert_eq!(shown("vpc-flow", "", record), expected);
        assert_eq!(
            shown("vpc-flow", "", "2 123456789012 eni-0a1b - - - - - - - 1769853903 1769853960 - NODATA"),
            "@1769853903
version=2
account-id=123456789012
interface-id=eni-0a1b
start=1769853903
end=1769853960
log-status=NODATA"
        );
        let header = "pkt-srcaddr dstaddr dstport flow-direction\n";
        assert_eq!(
            shown("vpc-flow", header, "203.0.113.9 10.0.0.5 22 ingress"),
            "pkt-srcaddr=203.0.113.9 network-traffic:src_ref.value#1
dstaddr=10.0.0.5 network-traffic:dst_ref.value
dstport=22 network-traffic:dst_port
dstport=22 network-traffic:dst_port#1
flow-direction=ingress"
        );
        assert_eq!(shown("vpc-flow", header, "pkt-srcaddr dstaddr dstport flow-direction"), "");
        assert_eq!(shown("vpc-flow", header, "a b"), "! not as many words as the flow log has columns");
    }
}
