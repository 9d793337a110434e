//! Values that hold several: an address with its port, lists, the digests and answers that Sysmon writes in one field.

#![expect(clippy::ptr_arg, reason = "a borrowed name that fields share stays borrowed")]

use super::escape::Escapes;
use super::event::{Event, Meaning};
use super::known;
use crate::observable::{canonical_hash_name, classify, kind};
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::ops::Range;

/// Group of the names that a question leads to, apart from the name asked for.
const ANSWERS: u16 = 1;

/// Adds a field by its name, which tells what it holds.
pub(super) fn push_named<'l>(
    event: &mut Event<'l>,
    name: impl Into<Cow<'l, str>>,
    span: Range<usize>,
    escapes: Escapes,
) {
    let name = name.into();
    push_labelled(event, name.clone(), &name, span, escapes);
}

/// Adds a field of which somebody says what it holds.
pub(super) fn push_as_said<'l>(
    event: &mut Event<'l>,
    name: &'l str,
    span: Range<usize>,
    escapes: Escapes,
    meaning: Meaning<'l>,
) {
    match escapes.undo(event.line, span.clone()) {
        Some(unescaped) => event.push_unescaped(name, span, unescaped, meaning),
        None => event.push(name, span, meaning),
    }
}

/// Adds a field of which another name tells what it holds.
pub(super) fn push_labelled<'l>(
    event: &mut Event<'l>,
    name: Cow<'l, str>,
    label: &str,
    span: Range<usize>,
    escapes: Escapes,
) {
    if let Some(unescaped) = escapes.undo(event.line, span.clone()) {
        return event.push_unescaped(name, span, unescaped, known::meaning(label));
    }
    match known::special(label) {
        Some(known::Special::Digests) => push_digests(event, &name, span),
        Some(known::Special::Answers) => push_sysmon_answers(event, &name, span),
        None => push_as(event, name, span, known::meaning(label)),
    }
}

/// Adds a key that may be more than a name: whatever stands before `=` may be an address that somebody lists.
pub(super) fn push_key<'l>(event: &mut Event<'l>, name: &Cow<'l, str>, span: Range<usize>) {
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if span.len() >= 32 || !event.line[span.clone()].iter().all(is_plain) {
        event.push(name.clone(), span, Meaning::Text);
    }
}

/// Adds a field of a known meaning. A value that holds several becomes several fields of that name.
pub(super) fn push_as<'l>(
    event: &mut Event<'l>,
    name: impl Into<Cow<'l, str>>,
    span: Range<usize>,
    meaning: Meaning<'l>,
) {
    let name = name.into();
    let Meaning::Property { path, .. } = meaning else { return event.push(name, span, meaning) };
    match path {
        "network-traffic:src_ref.value" | "network-traffic:dst_ref.value" | "ipv4-addr:value" | "domain-name:value" => {
            for part in elements(event.line, span, b",") {
                push_endpoint(event, &name, part, meaning);
            }
        }
        "mac-addr:value" => push_macs(event, &name, span, meaning),
        "network-traffic:protocols[*]" => push_protocol(event, name, span, meaning),
        "email-addr:value" => push_mails(event, &name, span, meaning),
        _ if path
            .strip_prefix("email-message:")
            .is_some_and(|steps| steps.ends_with("_ref.value") || steps.ends_with("_refs[*].value")) =>
        {
            push_mails(event, &name, span, meaning);
        }
        _ => event.push(name, span, meaning),
    }
}

/// Adds a value as property, or what it looks like where it can be none.
fn push_endpoint<'l>(event: &mut Event<'l>, name: &Cow<'l, str>, span: Range<usize>, meaning: Meaning<'l>) {
    let Some((host, port)) = endpoint(&event.line[span.clone()]) else {
        return event.push(name.clone(), span, meaning);
    };
    let place = |part: Range<usize>| span.start + part.start..span.start + part.end;
    let port_meaning = match meaning {
        Meaning::Property { path: "network-traffic:src_ref.value", group } => {
            Meaning::Property { path: "network-traffic:src_port", group }
        }
        Meaning::Property { path: "network-traffic:dst_ref.value", group } => {
            Meaning::Property { path: "network-traffic:dst_port", group }
        }
        _ => Meaning::Text,
    };
    event.push(name.clone(), place(host), meaning);
    let rest = span.start + port.end..span.end;
    event.push(name.clone(), place(port), port_meaning);
    event.push(name.clone(), rest, Meaning::Text);
}

/// Adds a protocol; numbers of IANA are names too, as STIX has them.
fn push_protocol<'l>(event: &mut Event<'l>, name: Cow<'l, str>, span: Range<usize>, meaning: Meaning<'l>) {
    match protocol(&event.line[span.clone()]) {
        Some(protocol) => event.push_assembled(name, span, protocol.to_vec(), meaning),
        None => event.push(name, span, meaning),
    }
}

/// The name of a protocol of which IANA's number is known.
pub(super) fn protocol(number: &[u8]) -> Option<&'static [u8]> {
    Some(match number {
        b"1" => b"icmp",
        b"2" => b"igmp",
        b"6" => b"tcp",
        b"17" => b"udp",
        b"41" => b"ipv6",
        b"47" => b"gre",
        b"50" => b"esp",
        b"51" => b"ah",
        b"58" => b"ipv6-icmp",
        b"89" => b"ospf",
        b"132" => b"sctp",
        _ => return None,
    })
}

/// Host and port of `192.0.2.1:80`, `[2001:db8::1]:80`, `host.example:80`, `192.0.2.1/80`; firewalls add an interface
/// (`192.0.2.1:80:X1`).
pub(super) fn endpoint(text: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    let (host, port) = if text.first() == Some(&b'[') {
        let end = memchr(b']', text)?;
        (1..end, end + 2)
    } else {
        let end = memchr2(b':', b'/', text)?;
        (0..end, end + 1)
    };
    let sign = *text.get(port - 1)?;
    let digits = text.get(port..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    let ends = match text.get(port + digits) {
        None => true,
        Some(b':') => text[0] != b'[',
        Some(_) => false,
    };
    let named = text[host.clone()].contains(if text[0] == b'[' { &b':' } else { &b'.' });
    // `10.0.0.0/8` is a network.
    let is_port = (1..=5).contains(&digits) && (sign == b':' || sign == b'/' && digits > 2);
    (is_port && ends && named && !host.is_empty()).then_some((host, port..port + digits))
}

/// The elements of a list, without blanks around them.
pub(super) fn elements<'a>(
    line: &'a [u8],
    span: Range<usize>,
    separators: &'a [u8],
) -> impl Iterator<Item = Range<usize>> + use<'a> {
    let mut at = span.start;
    let mut done = false;
    std::iter::from_fn(move || {
        while !done {
            let length = line[at..span.end].iter().position(|b| separators.contains(b));
            let end = length.map_or(span.end, |length| at + length);
            let element = trimmed(line, at..end);
            done = length.is_none();
            at = (end + 1).min(span.end);
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    })
}

/// The columns of a line, the empty ones too; `None` if there are not that many.
pub(super) fn separated(line: &[u8], separator: u8, columns: usize) -> Option<Vec<Range<usize>>> {
    let mut start = 0;
    let ends = memchr::memchr_iter(separator, line).chain([line.len()]);
    let places = ends.map(|end| std::mem::replace(&mut start, end + 1)..end).take(columns + 1);
    let places: Vec<Range<usize>> = places.collect();
    (places.len() == columns).then_some(places)
}

/// A place without the blanks at its ends.
pub(super) fn trimmed(line: &[u8], span: Range<usize>) -> Range<usize> {
    let text = &line[span.clone()];
    let start = span.start + (text.len() - text.trim_ascii_start().len());
    let end = span.end - (text.len() - text.trim_ascii_end().len());
    start..end.max(start)
}

/// MAC addresses: netfilter writes destination, source and type as one chain of fourteen pairs.
fn push_macs<'l>(event: &mut Event<'l>, name: &Cow<'l, str>, span: Range<usize>, meaning: Meaning<'l>) {
    if span.len() == 41 && event.line[span.clone()].iter().skip(2).step_by(3).all(|b| *b == b':') {
        event.push(name.clone(), span.start..span.start + 17, meaning);
        event.push(name.clone(), span.start + 18..span.start + 35, meaning);
    } else {
        event.push(name.clone(), span, meaning);
    }
}

/// Mail addresses: lists of them, with or without names and angle brackets.
fn push_mails<'l>(event: &mut Event<'l>, name: &Cow<'l, str>, span: Range<usize>, meaning: Meaning<'l>) {
    let line = event.line;
    for element in elements(line, span, b",;") {
        let text = &line[element.clone()];
        match (memchr(b'<', text), text.last()) {
            (Some(open), Some(b'>')) => {
                event.push(name.clone(), trimmed(line, element.start..element.start + open), Meaning::Text);
                event.push(name.clone(), element.start + open + 1..element.end - 1, meaning);
            }
            _ if memchr(b'@', text).is_some() => event.push(name.clone(), element, meaning),
            _ => event.push(name.clone(), element, Meaning::Text),
        }
    }
}

/// Digests as Sysmon writes them (`MD5=...,SHA256=...,IMPHASH=...`), and one whose length tells what it is.
fn push_digests<'l>(event: &mut Event<'l>, name: &Cow<'l, str>, span: Range<usize>) {
    let mut end = span.start;
    for (path, part) in digests(&event.line[span.clone()]) {
        let meaning = path.map_or(Meaning::Open, Meaning::property);
        let place = span.start + part.start..span.start + part.end;
        // Names of algorithms are short.
        if place.start - end > 12 {
            event.push(name.clone(), trimmed(event.line, end..place.start), Meaning::Text);
        }
        end = place.end;
        event.push(name.clone(), place, meaning);
    }
}

/// The digests of a list, with the property that each is.
pub(super) fn digests(text: &[u8]) -> impl Iterator<Item = (Option<&'static str>, Range<usize>)> + '_ {
    elements(text, 0..text.len(), b",;| ").map(|part| {
        let (algorithm, digest) = match memchr2(b'=', b':', &text[part.clone()]) {
            Some(at) => (&text[part.start..part.start + at], part.start + at + 1..part.end),
            None => (&b""[..], part),
        };
        let algorithm = std::str::from_utf8(algorithm).unwrap_or_default();
        if algorithm.eq_ignore_ascii_case("imphash") {
            return (Some("file:extensions.windows-pebinary-ext.imphash"), digest);
        }
        let hex = text[digest.clone()].iter().all(u8::is_ascii_hexdigit);
        let name = match algorithm {
            "" if hex => kind::hash::kind_of_length(digest.len()).and_then(|kind| canonical_hash_name(kind.name())),
            _ => canonical_hash_name(algorithm),
        };
        (name.and_then(digest_path), digest)
    })
}

/// Gives digests to the image of the process, where a line speaks of one and of no other file: Sysmon's `Image` and
/// `Hashes` are of one file.
pub(super) fn settle_digests(event: &mut Event<'_>) {
    let has = |paths: [&str; 2]| {
        event
            .fields
            .iter()
            .any(|field| matches!(field.meaning, Meaning::Property { path, group: 0 } if paths.contains(&path)))
    };
    if !has(["process:image_ref.path", "process:image_ref.name"]) || has(["file:path", "file:name"]) {
        return;
    }
    for field in &mut event.fields {
        if let Meaning::Property { path, group: 0 } = &mut field.meaning {
            *path = match *path {
                "file:hashes.MD5" => "process:image_ref.hashes.MD5",
                "file:hashes.SHA-1" => "process:image_ref.hashes.SHA-1",
                "file:hashes.SHA-256" => "process:image_ref.hashes.SHA-256",
                "file:hashes.SHA-512" => "process:image_ref.hashes.SHA-512",
                other => other,
            };
        }
    }
}

/// The property of a file that holds a digest of this canonical name.
fn digest_path(name: &str) -> Option<&'static str> {
    Some(match name {
        "MD5" => "file:hashes.MD5",
        "SHA-1" => "file:hashes.SHA-1",
        "SHA-224" => "file:hashes.SHA-224",
        "SHA-256" => "file:hashes.SHA-256",
        "SHA-384" => "file:hashes.SHA-384",
        "SHA-512" => "file:hashes.SHA-512",
        "SSDEEP" => "file:hashes.SSDEEP",
        "TLSH" => "file:hashes.TLSH",
        _ => return None,
    })
}

fn push_sysmon_answers<'l>(event: &mut Event<'l>, name: &Cow<'l, str>, span: Range<usize>) {
    for part in answers(&event.line[span.clone()]) {
        push_answer(event, name, span.start + part.start..span.start + part.end);
    }
}

/// The answers of Sysmon's `QueryResults`: `type:  5 name.example;::ffff:192.0.2.1;`.
pub(super) fn answers(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    elements(text, 0..text.len(), b";").map(|part| {
        let Some(rest) = text[part.clone()].strip_prefix(b"type:") else { return part };
        let rest = rest.trim_ascii_start();
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if rest.get(digits).is_some_and(|b| *b != b' ') {
            return part;
        }
        trimmed(text, part.end - rest.len() + digits..part.end)
    })
}

/// Adds an answer of the DNS: an address that the name resolves to, a further name, or text.
pub(super) fn push_answer<'l>(event: &mut Event<'l>, name: &Cow<'l, str>, span: Range<usize>) {
    let meaning = answer_meaning(&event.line[span.clone()]);
    event.push(name.clone(), span, meaning);
}

/// What an answer of the DNS is.
pub(super) fn answer_meaning(text: &[u8]) -> Meaning<'static> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    match classify(text).map(|value| value.kind().object_type()) {
        Ok("ipv4-addr" | "ipv6-addr") => Meaning::property("domain-name:resolves_to_refs[*].value"),
        Ok("domain-name") => Meaning::Property { path: "domain-name:value", group: ANSWERS },
        _ if text.contains(' ') => Meaning::Text,
        _ => Meaning::Open,
    }
}

/// A URL put together from its parts; the port is left out where it is the scheme's own.
pub(super) fn url(scheme: &[u8], host: &[u8], port: &[u8], path: &[u8], query: &[u8]) -> Vec<u8> {
    let mut url = Vec::with_capacity(scheme.len() + host.len() + path.len() + query.len() + 12);
    url.extend_from_slice(scheme);
    url.extend_from_slice(if scheme.is_empty() { b"//" } else { b"://" });
    // An IPv6 host needs brackets, and has colons that begin no port.
    if memchr::memchr_iter(b':', host).count() > 1 && host[0] != b'[' {
        url.push(b'[');
        url.extend_from_slice(host);
        url.push(b']');
    } else {
        url.extend_from_slice(host);
    }
    if !port.is_empty() {
        url.push(b':');
        url.extend_from_slice(port);
    }
    if path.first() != Some(&b'/') {
        url.push(b'/');
    }
    url.extend_from_slice(path);
    if !query.is_empty() {
        url.push(b'?');
        url.extend_from_slice(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_host_and_port() {
        for (text, expected) in [
            ("192.0.2.1:80", Some(("192.0.2.1", "80"))),
            ("192.0.2.1:80:X1", Some(("192.0.2.1", "80"))),
            ("192.0.2.1/443", Some(("192.0.2.1", "443"))),
            ("10.0.0.0/8", None),
            ("[2001:db8::1]:443", Some(("2001:db8::1", "443"))),
            ("[2001:db8::1]", None),
            ("2001:db8::1:443", None),
            ("aa:bb:cc:dd:ee:ff", None),
            ("host.example:8080", Some(("host.example", "8080"))),
            ("host.example:80/x", None),
            ("localhost:80", None),
            (":80", None),
            ("192.0.2.1:123456", None),
            ("[", None),
            ("[]:1", None),
            ("", None),
        ] {
            let found = endpoint(text.as_bytes()).map(|(host, port)| (&text[host], &text[port]));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn digests_are_told_by_name_or_length() {
        let text = "MD5=d41d8cd98f00b204e9800998ecf8427e,SHA256=ab,IMPHASH=00000000000000000000000000000000";
        let found: Vec<_> = digests(text.as_bytes()).map(|(path, part)| (path.unwrap_or("?"), &text[part])).collect();
        assert_eq!(
            found,
            [
                ("file:hashes.MD5", "d41d8cd98f00b204e9800998ecf8427e"),
                ("file:hashes.SHA-256", "ab"),
                ("file:extensions.windows-pebinary-ext.imphash", "00000000000000000000000000000000"),
            ]
        );
        let one = b"da39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert_eq!(digests(one).next(), Some((Some("file:hashes.SHA-1"), 0..40)));
        assert_eq!(digests(b"none").next(), Some((None, 0..4)));
        assert_eq!(digests(b"").next(), None);
    }

    #[test]
    fn answers_lose_their_types() {
        let text = "type:  5 a.example;::ffff:192.0.2.1;type: 28 2001:db8::1; ;x";
        let found: Vec<&str> = answers(text.as_bytes()).map(|part| &text[part]).collect();
        assert_eq!(found, ["a.example", "::ffff:192.0.2.1", "2001:db8::1", "x"]);
    }

    #[test]
    fn urls_are_put_together() {
        for (scheme, host, port, path, query, expected) in [
            ("http", "a.example", "", "/x", "", "http://a.example/x"),
            ("https", "a.example", "8443", "/x", "y=1", "https://a.example:8443/x?y=1"),
            ("", "2001:db8::1", "", "", "", "//[2001:db8::1]/"),
            ("http", "a.example:80", "", "x", "", "http://a.example:80/x"),
        ] {
            let bytes = url(scheme.as_bytes(), host.as_bytes(), port.as_bytes(), path.as_bytes(), query.as_bytes());
            assert_eq!(String::from_utf8_lossy(&bytes), expected);
        }
    }
}
