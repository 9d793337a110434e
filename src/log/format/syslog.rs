//! The envelope of syslog: RFC 5424, RFC 3164 as it is written in fact, and ISO times in its place.
//!
//! The envelope gives host and program; what it carries is read in its own format. Text in an envelope stays plain text,
//! unless the envelope has structured data (RFC 5424 section 6.3), whose parameters are fields; then the text is one too.
//!
//! Read are an octet count (RFC 6587) and `<PRI>` in front, both optional; `Jan 31 10:05:03`, with a year, fraction, zone
//! or a leading `*` as routers write them; a host; `program[pid]:`. What does not look like a program is the message.

use super::super::Layout;
use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::json;
use super::super::values;
use super::{Format, access, key_value};
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "syslog",
    about: "syslog (RFC 3164, RFC 5424) around JSON, key=value or access log lines; its text stays text",
    sniff: |head| super::most_lines(head, own_line),
    own_line: Some(own_line),
    header: None,
    ragged: None,
    decode,
};

/// The parts of an envelope, as places in the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) time: Option<Range<usize>>,
    pub(super) host: Option<Range<usize>>,
    pub(super) program: Option<Range<usize>>,
    pub(super) process: Option<Range<usize>>,
    pub(super) message_id: Option<Range<usize>>,
    /// Structured data, with its brackets.
    pub(super) data: Option<Range<usize>>,
    /// Where the message begins.
    pub(super) message: usize,
}

/// A parameter of structured data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) element: Range<usize>,
    pub(super) name: Range<usize>,
    /// The value without its quotes, escapes as they are.
    pub(super) value: Range<usize>,
}

/// What an envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    Json(usize),
    Pairs,
    Access,
    Text,
}

/// Whether a line has an envelope around fields.
fn own_line(line: &[u8]) -> bool {
    envelope(line).is_some_and(|envelope| envelope.data.is_some() || inner(line, envelope.message) != Inner::Text)
}

fn inner(line: &[u8], message: usize) -> Inner {
    let text = &line[message..];
    // A cookie may stand before JSON (`@cee:`).
    let json = message + if text.starts_with(b"@cee:") { 5 } else { 0 };
    if json::looks_like_json(&line[json..]) {
        Inner::Json(json)
    } else if access::own_line(text) {
        Inner::Access
    } else if key_value::own_line(after_uptime(text)) {
        Inner::Pairs
    } else {
        Inner::Text
    }
}

/// The text behind the kernel's `[12345.678901] `.
fn after_uptime(text: &[u8]) -> &[u8] {
    let Some(rest) = text.strip_prefix(b"[") else { return text };
    let end = rest.iter().take(24).position(|b| *b == b']');
    match end {
        Some(end)
            if rest[..end].iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b' '))
                && memchr::memchr_iter(b'.', &rest[..end]).count() == 1 =>
        {
            rest[end + 1..].trim_ascii_start()
        }
        _ => text,
    }
}

fn decode<'l>(layout: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let line = event.line;
    let Some(envelope) = envelope(line) else { return Ok(()) };
    let inner = inner(line, envelope.message);
    if inner == Inner::Text && envelope.data.is_none() {
        return Ok(());
    }
    push_envelope(event, &envelope);
    let when = event.when.take();
    match inner {
        Inner::Json(start) => json::decode_part(event, start..line.len(), None, &layout.mappings)?,
        Inner::Access => access::decode(event, envelope.message)?,
        Inner::Pairs => {
            let start = line.len() - after_uptime(&line[envelope.message..]).len();
            key_value::decode(event, start)?;
        }
        Inner::Text => event.push("message", envelope.message..line.len(), Meaning::Text),
    }
    if event.when.is_none() {
        event.when = when;
    }
    Ok(())
}

/// Adds the fields of an envelope, all but its message.
fn push_envelope(event: &mut Event<'_>, envelope: &Envelope) {
    let line = event.line;
    if let Some(time) = &envelope.time {
        event.when = Some(line[time.clone()].into());
    }
    if let Some(host) = &envelope.host {
        event.push("host", host.clone(), Meaning::property("domain-name:value"));
    }
    if let Some(program) = &envelope.program {
        event.push("program", program.clone(), Meaning::Open);
    }
    if let Some(process) = &envelope.process {
        event.push("pid", process.clone(), Meaning::Open);
    }
    if let Some(id) = &envelope.message_id {
        event.push("msgid", id.clone(), Meaning::Open);
    }
    if let Some(data) = &envelope.data {
        parameters(line, data.start, &mut |parameter| {
            let text = |place: &Range<usize>| String::from_utf8_lossy(&line[place.clone()]);
            let name = format!("{}.{}", text(&parameter.element), text(&parameter.name));
            let escapes = Escapes::Signs(b"\"\\]", false);
            if parameter.element.len() + parameter.name.len() >= 32 || name.matches('.').count() > 1 {
                event.push(name.clone(), parameter.element.start..parameter.element.end, Meaning::Text);
                event.push(name.clone(), parameter.name.clone(), Meaning::Text);
            }
            values::push_labelled(event, name.into(), &text(&parameter.name), parameter.value, escapes);
        });
    }
}

/// Adds what stands before a format that finds its own beginning in a line.
pub(super) fn push_prefix(event: &mut Event<'_>, end: usize) {
    let line = event.line;
    let prefix = &line[..end];
    let message = match envelope(prefix) {
        Some(envelope) => {
            push_envelope(event, &envelope);
            envelope.message.min(end)
        }
        None => 0,
    };
    event.push("prefix", values::trimmed(line, message..end), Meaning::Text);
}

/// The envelope of a line; `None` if it has none.
pub(super) fn envelope(line: &[u8]) -> Option<Envelope> {
    let start = octet_count(line);
    match priority(line, start) {
        Some(after) if line[after..].starts_with(b"1 ") => modern(line, after + 2),
        Some(after) => Some(classic(line, after).unwrap_or(Envelope { message: after, ..Envelope::default() })),
        None => classic(line, start),
    }
}

/// Where the line begins behind a count of its octets.
fn octet_count(line: &[u8]) -> usize {
    let digits = line.iter().take(7).take_while(|b| b.is_ascii_digit()).count();
    if digits > 0 && line[digits..].starts_with(b" <") { digits + 1 } else { 0 }
}

/// Where `<PRI>` ends.
fn priority(line: &[u8], start: usize) -> Option<usize> {
    let rest = line.get(start..)?.strip_prefix(b"<")?;
    let digits = rest.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    ((1..=3).contains(&digits) && rest.get(digits) == Some(&b'>')).then_some(start + digits + 2)
}

/// RFC 5424, behind its version.
fn modern(line: &[u8], start: usize) -> Option<Envelope> {
    let mut at = start;
    let mut word = || {
        let length = line.get(at..)?.iter().position(|b| *b == b' ')?;
        let word = at..at + length;
        at += length + 1;
        (length > 0).then_some(word)
    };
    let known = |word: Range<usize>| (line[word.clone()] != *b"-").then_some(word);
    let (time, host, program, process, message_id) = (word()?, word()?, word()?, word()?, word()?);
    if line[time.clone()] != *b"-" && !is_iso(&line[time.clone()]) {
        return None;
    }
    let mut envelope = Envelope {
        time: known(time),
        host: known(host),
        program: known(program),
        process: known(process),
        message_id: known(message_id),
        ..Envelope::default()
    };
    if line.get(at) == Some(&b'-') {
        at += 1;
    } else {
        let end = parameters(line, at, &mut |_| {})?;
        envelope.data = Some(at..end);
        at = end;
    }
    // A message may be missing altogether.
    if line.get(at) == Some(&b' ') {
        at += 1;
    } else if at < line.len() {
        return None;
    }
    if line[at..].starts_with("\u{feff}".as_bytes()) {
        at += 3;
    }
    envelope.message = at;
    Some(envelope)
}

/// Reads structured data and gives each parameter. Where it ends; `None` if it is none.
pub(super) fn parameters(line: &[u8], start: usize, each: &mut dyn FnMut(Parameter)) -> Option<usize> {
    let mut at = start;
    let name = |from: usize| {
        let length = line[from..].iter().position(|b| matches!(b, b'=' | b' ' | b']' | b'"'))?;
        (length > 0).then_some(from..from + length)
    };
    while line.get(at) == Some(&b'[') {
        let element = name(at + 1)?;
        at = element.end;
        while line.get(at) == Some(&b' ') {
            while line.get(at) == Some(&b' ') {
                at += 1;
            }
            let name = name(at)?;
            if line.get(name.end..name.end + 2) != Some(b"=\"") {
                return None;
            }
            let from = name.end + 2;
            let mut end = from;
            while *line.get(end)? != b'"' {
                end += if line[end] == b'\\' { 2 } else { 1 };
            }
            at = end + 1;
            each(Parameter { element: element.clone(), name, value: from..end });
        }
        if line.get(at) != Some(&b']') {
            return None;
        }
        at += 1;
    }
    (at > start).then_some(at)
}

/// A time, a host and perhaps a program.
fn classic(line: &[u8], start: usize) -> Option<Envelope> {
    let time = time(line, start)?;
    let mut envelope = Envelope { time: Some(time.clone()), ..Envelope::default() };
    let mut at = time.end;
    if line.get(at) == Some(&b':') {
        at += 1;
    }
    if line.get(at) != Some(&b' ') {
        return None;
    }
    at += spaces(line, at);
    // A host is one word; with a colon at its end it is the program already, and routers begin with `%FACILITY`.
    let word = at..at + word_length(line, at);
    if !word.is_empty() && is_host(&line[word.clone()]) && line.get(word.end) == Some(&b' ') {
        at = word.end + spaces(line, word.end);
        envelope.host = Some(word);
    }
    if let Some((program, process, next)) = tag(line, at) {
        (envelope.program, envelope.process) = (Some(program), process);
        at = next;
    }
    envelope.message = at;
    Some(envelope)
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// `Jan 31 10:05:03`, `Jan 31 2026 10:05:03.123 UTC`, or an ISO time with `T` and zone, as it stands before a host.
fn time(line: &[u8], start: usize) -> Option<Range<usize>> {
    let at = start + usize::from(matches!(line.get(start), Some(b'*' | b'.')));
    let rest = line.get(at..)?;
    if rest.first()?.is_ascii_digit() {
        let length = rest.iter().position(|b| *b == b' ')?;
        return is_iso(&rest[..length]).then_some(at..at + length);
    }
    if !MONTHS.iter().any(|month| rest.starts_with(month)) {
        return None;
    }
    let mut end = at + 3;
    let number = |from: usize, least: usize, most: usize| {
        let digits = line[from..].iter().take(most + 1).take_while(|b| b.is_ascii_digit()).count();
        (least..=most).contains(&digits).then_some(from + digits)
    };
    end += spaces(line, end).clamp(1, 2);
    end = number(end.min(line.len()), 1, 2)?;
    if let Some(year) = line.get(end).filter(|b| **b == b' ').and_then(|_| number(end + 1, 4, 4)) {
        end = year;
    }
    let clock = line.get(end..end + 9)?;
    let shape = |(i, b): (usize, &u8)| match i {
        0 => *b == b' ',
        3 | 6 => *b == b':',
        _ => b.is_ascii_digit(),
    };
    if !clock.iter().enumerate().all(shape) {
        return None;
    }
    end += 9;
    if matches!(line.get(end), Some(b'.' | b','))
        && let Some(fraction) = number(end + 1, 1, 9)
    {
        end = fraction;
    }
    if line[end..].starts_with(b" UTC") {
        end += 4;
    }
    Some(start..end)
}

/// Whether a text is a time as RFC 3339 has it.
fn is_iso(text: &[u8]) -> bool {
    let shape = |(i, b): (usize, &u8)| match i {
        4 | 7 => *b == b'-',
        10 => *b == b'T',
        13 | 16 => *b == b':',
        _ => b.is_ascii_digit(),
    };
    let Some((moment, rest)) = text.split_at_checked(19) else { return false };
    let zone = match rest {
        [b'.' | b',', fraction @ ..] => &fraction[fraction.iter().take_while(|b| b.is_ascii_digit()).count()..],
        _ => rest,
    };
    let is_zone = match zone {
        [] | [b'Z' | b'z'] => true,
        [b'+' | b'-', offset @ ..] => {
            matches!(offset.len(), 4..=5) && offset.iter().all(|b| b.is_ascii_digit() || *b == b':')
        }
        _ => false,
    };
    moment.iter().enumerate().all(shape) && is_zone && text.len() < 40
}

/// `program:`, `program[7]:`, `some/program(module)[7]:`: the program, the process, and where the message begins.
fn tag(line: &[u8], at: usize) -> Option<(Range<usize>, Option<Range<usize>>, usize)> {
    let rest = line.get(at..)?;
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'@' | b'(' | b')');
    let length = rest.iter().take(65).take_while(|b| is_name(b)).count();
    if length == 0 || length > 64 {
        return None;
    }
    // `CEF:` and `LEEF:` are formats, not programs.
    if matches!(&rest[..length], b"CEF" | b"LEEF") {
        return None;
    }
    let program = at..at + length;
    let mut end = program.end;
    let mut process = None;
    if line.get(end) == Some(&b'[') {
        let close = end + line[end..].iter().take(66).position(|b| *b == b']')?;
        process = Some(end + 1..close);
        end = close + 1;
    }
    if line.get(end) != Some(&b':') || !matches!(line.get(end + 1), None | Some(b' ' | b'{' | b'[')) {
        return None;
    }
    Some((program, process, end + 1 + spaces(line, end + 1)))
}

fn is_host(word: &[u8]) -> bool {
    let is_letter = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'%');
    word.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b':')
        && word.iter().all(is_letter)
        && (!word.ends_with(b":") || word.ends_with(b"::"))
        && !(word.starts_with(b"CEF:") || word.starts_with(b"LEEF:"))
}

fn spaces(line: &[u8], at: usize) -> usize {
    line.get(at..).unwrap_or_default().iter().take_while(|b| **b == b' ').count()
}

fn word_length(line: &[u8], at: usize) -> usize {
    line.get(at..).unwrap_or_default().iter().take_while(|b| **b != b' ').count()
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    fn parts(line: &str) -> String {
        let Some(envelope) = envelope(line.as_bytes()) else { return "none".to_owned() };
        let text = |place: &Option<Range<usize>>| place.clone().map_or("-", |place| &line[place]);
        let Envelope { time, host, program, process, data, message, .. } = &envelope;
        let parts = [text(time), text(host), text(program), text(process), text(data), &line[*message..]];
        parts.join(" ¦ ")
    }

    #[test]
    fn envelopes_are_read_as_they_are_written() {
        for (line, expected) in [
            ("Jan 31 10:05:03 h sshd[7]: text", "Jan 31 10:05:03 ¦ h ¦ sshd ¦ 7 ¦ - ¦ text"),
            ("<34>Jan  3 10:05:03 h su: text", "Jan  3 10:05:03 ¦ h ¦ su ¦ - ¦ - ¦ text"),
            ("Jan 31 10:05:03 h sshd(pam_unix)[7]: x", "Jan 31 10:05:03 ¦ h ¦ sshd(pam_unix) ¦ 7 ¦ - ¦ x"),
            ("Jan 31 2026 10:05:03 h app: x", "Jan 31 2026 10:05:03 ¦ h ¦ app ¦ - ¦ - ¦ x"),
            ("*Mar  1 18:46:11.123 UTC: %SYS-5: x", "*Mar  1 18:46:11.123 UTC ¦ - ¦ - ¦ - ¦ - ¦ %SYS-5: x"),
            ("2026-01-31T10:05:03.5+01:00 h app[7]: x", "2026-01-31T10:05:03.5+01:00 ¦ h ¦ app ¦ 7 ¦ - ¦ x"),
            ("Jan 31 10:05:03 app: x", "Jan 31 10:05:03 ¦ - ¦ app ¦ - ¦ - ¦ x"),
            ("Jan 31 10:05:03 2001:db8::1 app: x", "Jan 31 10:05:03 ¦ 2001:db8::1 ¦ app ¦ - ¦ - ¦ x"),
            ("Jan 31 10:05:03 h a=1 b=2", "Jan 31 10:05:03 ¦ h ¦ - ¦ - ¦ - ¦ a=1 b=2"),
            ("<189>date=2026-01-31 time=10:05:03", "- ¦ - ¦ - ¦ - ¦ - ¦ date=2026-01-31 time=10:05:03"),
            ("<34>1 2026-01-31T10:05:03Z h su 7 ID47 - text", "2026-01-31T10:05:03Z ¦ h ¦ su ¦ 7 ¦ - ¦ text"),
            ("<34>1 - - - - - -", "- ¦ - ¦ - ¦ - ¦ - ¦ "),
            (
                r#"117 <165>1 2026-01-31T10:05:03Z h app - ID [a@1 x="1" y="\"]"][b] text"#,
                r#"2026-01-31T10:05:03Z ¦ h ¦ app ¦ - ¦ [a@1 x="1" y="\"]"][b] ¦ text"#,
            ),
            ("<165>1 2026-01-31T10:05:03Z h app - ID [a x=1] text", "none"),
            ("<165>1 2026-01-31T10:05:03Z", "none"),
            ("Jan 31 10:05 h app: x", "none"),
            ("January 31 10:05:03", "none"),
            ("", "none"),
        ] {
            assert_eq!(parts(line), expected, "{line}");
        }
    }

    #[test]
    fn what_an_envelope_carries_is_read_in_its_own_format() {
        for (line, expected) in [
            ("Jan 31 10:05:03 h sshd[7]: Failed password from 203.0.113.9 port=1", ""),
            (
                r#"<34>1 2026-01-31T10:05:03Z fw.example app - - [x@1 src="203.0.113.9" note="a\]b"] text a.example"#,
                "@2026-01-31T10:05:03Z
host=fw.example domain-name:value
program=app
x@1.src=203.0.113.9 network-traffic:src_ref.value
x@1.note=a]b
message=text a.example (text)",
            ),
            (
                r#"Jan 31 10:05:03 h app[7]: {"a":"x\/y"}"#,
                "@Jan 31 10:05:03
host=h domain-name:value
program=app
pid=7
a=x/y",
            ),
            (
                "Jan 31 10:05:03 h kernel: [123.456] IN=eth0 OUT= SRC=10.0.0.1 DST=203.0.113.9 LEN=40 PROTO=TCP SPT=1 DPT=443 SYN",
                "@Jan 31 10:05:03
host=h domain-name:value
program=kernel
IN=eth0
SRC=10.0.0.1 network-traffic:src_ref.value
DST=203.0.113.9 network-traffic:dst_ref.value
LEN=40
PROTO=TCP network-traffic:protocols[*]
SPT=1 network-traffic:src_port
DPT=443 network-traffic:dst_port
text=SYN (text)",
            ),
        ] {
            assert_eq!(shown("syslog", "", line), expected, "{line}");
        }
    }
}
