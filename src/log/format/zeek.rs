//! Zeek's own tables: columns between tabs, with lines of `#fields` and `#types`.
//!
//! Header lines count wherever they stand, since logs are rotated and put together. A line that has not as many
//! columns as the header names is no line of the table. `-` is a value that is not there, `(empty)` a set without
//! elements; the elements of sets and vectors are fields of their own. What a column means depends on the log (`#path`).

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning, Unescaped};
use super::super::layout::Columns;
use super::super::values;
use super::super::zeek::{self, Log};
use super::{Format, Header, Layout};
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "zeek",
    about: "Zeek's tables with #fields and #types; JSON from Zeek is json",
    sniff: |head| {
        let has = |mark: &[u8]| super::header_lines(head).any(|line| line.starts_with(mark));
        has(b"#separator ") || has(b"#fields")
    },
    own_line: None,
    header: Some(Header { mark: Some(b"#"), read }),
    ragged: Some(|layout, line| {
        let separator = layout.columns.as_ref().and_then(|columns| columns.separator.first());
        !line.starts_with(b"#") && super::has_other_columns(layout.columns.as_ref(), *separator.unwrap_or(&b'\t'), line)
    }),
    decode,
};

fn read(line: &[u8], before: Option<&Columns>) -> Option<Columns> {
    if let Some(separator) = line.strip_prefix(b"#separator ") {
        let separator = meant(separator);
        return Some(Columns { separator, ..defaults() });
    }
    let mut columns = before.cloned().unwrap_or_else(defaults);
    let words = |rest: &[u8], columns: &Columns| -> Option<Vec<Box<str>>> {
        let rest = rest.strip_prefix(&*columns.separator)?;
        Some(
            split(rest, 0..rest.len(), &columns.separator)
                .take(super::MOST_COLUMNS)
                .map(|word| lossy(&rest[word]))
                .collect(),
        )
    };
    let set = |mark: &[u8], columns: &Columns| -> Option<Vec<u8>> {
        Some(meant(line.strip_prefix(mark)?.strip_prefix(&*columns.separator)?))
    };
    if let Some(rest) = line.strip_prefix(b"#fields") {
        columns.names = words(rest, &columns)?;
        columns.types.clear();
    } else if let Some(rest) = line.strip_prefix(b"#types") {
        columns.types = words(rest, &columns)?;
    } else if let Some(rest) = line.strip_prefix(b"#path") {
        columns.kind = words(rest, &columns)?.first()?.clone();
    } else if let Some(separator) = set(b"#set_separator", &columns) {
        columns.set_separator = separator;
    } else if let Some(empty) = set(b"#empty_field", &columns) {
        columns.empty = empty;
    } else if let Some(unset) = set(b"#unset_field", &columns) {
        columns.unset = unset;
    } else {
        return None;
    }
    Some(columns)
}

/// What holds where the header does not say.
fn defaults() -> Columns {
    Columns {
        separator: b"\t".to_vec(),
        set_separator: b",".to_vec(),
        empty: b"(empty)".to_vec(),
        unset: b"-".to_vec(),
        ..Columns::default()
    }
}

/// A text whose escapes (`\x09`) are undone; never empty, since nothing can be split by nothing.
fn meant(text: &[u8]) -> Vec<u8> {
    let undone = Escapes::Hex.undo(text, 0..text.len()).map_or_else(|| text.to_vec(), Unescaped::into_text);
    if undone.is_empty() { b"\t".to_vec() } else { undone }
}

fn lossy(text: &[u8]) -> Box<str> {
    String::from_utf8_lossy(text).into()
}

fn decode<'l>(layout: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let line = event.line;
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(());
    }
    let Some(columns) = layout.columns.as_ref().filter(|columns| !columns.names.is_empty()) else {
        return Err("no #fields line before it");
    };
    let places = split(line, 0..line.len(), &columns.separator).take(columns.names.len() + 1);
    let places: Vec<Range<usize>> = places.collect();
    if places.len() != columns.names.len() {
        return Err("not as many columns as #fields names");
    }
    let log = Log::of_path(&columns.kind);
    let is_set = |text: &[u8]| text != columns.unset && text != columns.empty;
    for (number, place) in places.iter().enumerate() {
        if !is_set(&line[place.clone()]) {
            continue;
        }
        let name = &*columns.names[number];
        let several =
            columns.types.get(number).is_some_and(|kind| kind.starts_with("set[") || kind.starts_with("vector["));
        if several {
            for element in split(line, place.clone(), &columns.set_separator) {
                if line[element.clone()] != *columns.unset {
                    push(event, log, name, element);
                }
            }
        } else {
            push(event, log, name, place.clone());
        }
    }
    if log == Log::Http {
        let value = |name: &str| {
            let number = columns.names.iter().position(|column| **column == *name)?;
            Some(places[number].clone()).filter(|place| is_set(&line[place.clone()]))
        };
        if let (Some(host), Some(uri)) = (value("host"), value("uri")) {
            let text = |name: &str| value(name).map_or(&b""[..], |place| &line[place]);
            if let Some(url) = zeek::http_url(&line[host], text("id.resp_p"), &line[uri.clone()]) {
                let url = Escapes::Hex.undo(&url, 0..url.len()).map_or_else(|| url.clone(), Unescaped::into_text);
                event.push_assembled("uri", uri, url, Meaning::property("url:value"));
            }
        }
    }
    if let Some(number) = columns.names.iter().position(|name| &**name == "ts") {
        event.when = Some(line[places[number].clone()].into());
    }
    Ok(())
}

fn push<'l>(event: &mut Event<'l>, log: Log, name: &'l str, place: Range<usize>) {
    let text = &event.line[place.clone()];
    let meaning = zeek::meaning(log, name, text);
    match Escapes::Hex.undo(event.line, place.clone()) {
        Some(unescaped) => event.push_unescaped(name, place, unescaped, meaning),
        None => values::push_as(event, name, place, meaning),
    }
}

/// The pieces of a part of a line between separators.
fn split<'a>(line: &'a [u8], span: Range<usize>, separator: &'a [u8]) -> impl Iterator<Item = Range<usize>> + use<'a> {
    let mut at = Some(span.start);
    std::iter::from_fn(move || {
        let start = at?;
        let rest = &line[start..span.end];
        let length = match separator {
            [byte] => memchr::memchr(*byte, rest),
            _ => memchr::memmem::find(rest, separator),
        };
        at = length.map(|length| start + length + separator.len());
        Some(start..length.map_or(span.end, |length| start + length))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    const HTTP: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n\
        #fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\thost\turi\tuser_agent\ttags\tproxied\n\
        #types\ttime\taddr\taddr\tport\tstring\tstring\tstring\tset[enum]\tset[string]\n";

    #[test]
    fn lines_are_taken_apart() {
        assert_eq!(
            shown(
                "zeek",
                HTTP,
                "1769853903.250000\t10.0.0.1\t203.0.113.9\t8080\ta.example\t/x\\x09y\tcurl\\\\8\t(empty)\tVIA \\x2c x,XFF"
            ),
            "@1769853903.250000
ts=1769853903.250000
id.orig_h=10.0.0.1 network-traffic:src_ref.value
id.resp_h=203.0.113.9 network-traffic:dst_ref.value
id.resp_p=8080 network-traffic:dst_port
host=a.example domain-name:value
uri=/x\ty (text)
user_agent=curl\\8 network-traffic:extensions.http-request-ext.request_header.User-Agent
proxied=VIA , x (text)
proxied=XFF (text)
uri+=http://a.example:8080/x\ty url:value"
        );
        assert_eq!(shown("zeek", HTTP, "#close\t2026-01-31-10-05-03"), "");
        assert_eq!(shown("zeek", HTTP, "1\t2"), "! not as many columns as #fields names");
        assert_eq!(shown("zeek", "", "1\t2"), "! no #fields line before it");
    }

    #[test]
    fn answers_of_the_dns_are_names_or_addresses() {
        let header = "#path\tdns\n#fields\tquery\tanswers\n#types\tstring\tvector[string]\n";
        assert_eq!(
            shown("zeek", header, "a.example\tb.example,203.0.113.9,-,TXT 5 c.example,2001:db8::1"),
            "query=a.example domain-name:value
answers=b.example domain-name:value#1
answers=203.0.113.9 domain-name:resolves_to_refs[*].value
answers=TXT 5 c.example (text)
answers=2001:db8::1 domain-name:resolves_to_refs[*].value"
        );
    }

    #[test]
    fn headers_count_wherever_they_stand() {
        let first =
            "#separator \\x09\n#path\tfiles\n#fields\tmd5\tfilename\nd41d8cd98f00b204e9800998ecf8427e\tx\n#close\tx\n";
        let second = "#separator \\x7c\n#set_separator|;\n#unset_field|?\n#path|dns\n#fields|query|answers\n#types|string|set[string]\n";
        assert_eq!(
            shown("zeek", &format!("{first}{second}"), "?|a.example;203.0.113.9"),
            "answers=a.example domain-name:value#1\nanswers=203.0.113.9 domain-name:resolves_to_refs[*].value"
        );
        assert_eq!(shown("zeek", first, "-\tx.exe"), "filename=x.exe file:name");
    }
}
