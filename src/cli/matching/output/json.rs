//! A hit as an object of JSON, and the parts of which the other formats of JSON are made. Other programs rely on the
//! names.

use super::{Line, Rules, Scratch, Spot, Writer};
use serde::Serialize;
use stockade::compile::IndicatorRef;
use stockade::matcher::Hit;

pub(super) const WRITER: Writer = Writer {
    head: "",
    hits: |_, line, hits, rules, scratch, out| {
        for hit in hits {
            object(line, hit, rules, scratch, out);
        }
    },
};

fn object(line: &Line<'_>, hit: &Hit, rules: Rules<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"path\":");
    out.extend_from_slice(line.name.json.as_bytes());
    place(line, hit, out);
    out.extend_from_slice(b",\"observable\":{\"type\":");
    string(hit.object_type, out);
    out.extend_from_slice(b",\"value\":");
    string(&hit.value, out);
    out.extend_from_slice(b"},\"relation\":");
    string(hit.relation.name(), out);
    if let Some(field) = &hit.field {
        out.extend_from_slice(b",\"field\":");
        string(field, out);
    }
    // The same for all hits of an indicator.
    scratch.indicator(hit.entry, out, |out| {
        out.extend_from_slice(b",\"indicator\":");
        indicator(rules.set.indicator(hit.entry), out);
        out.extend_from_slice(b",\"generation\":");
        string(&rules.run.generation, out);
    });
    let mut also = hit.also.iter().filter_map(|place| rules.searched.line(*place)).peekable();
    if also.peek().is_some() {
        out.extend_from_slice(b",\"also\":[");
        while let Some((name, number)) = also.next() {
            out.extend_from_slice(b"{\"path\":");
            out.extend_from_slice(name.json.as_bytes());
            out.extend_from_slice(b",\"line\":");
            self::number(number, out);
            out.extend_from_slice(if also.peek().is_some() { b"}," } else { b"}]" });
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Appends the line, its offset, and the span of a hit, each after a comma.
pub(super) fn place(line: &Line<'_>, hit: &Hit, out: &mut Vec<u8>) {
    let Spot { line, offset, span } = line.spot(hit);
    out.extend_from_slice(b",\"line\":");
    number(line, out);
    out.extend_from_slice(b",\"offset\":");
    number(offset, out);
    out.extend_from_slice(b",\"span\":[");
    number(span.start, out);
    out.push(b',');
    number(span.end, out);
    out.push(b']');
}

fn indicator(indicator: IndicatorRef<'_>, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Object<'a> {
        id: &'a str,
        name: Option<&'a str>,
        confidence: Option<u8>,
        labels: Vec<&'a str>,
        valid_until: Option<String>,
    }
    let object = Object {
        id: &indicator.id(),
        name: indicator.name(),
        confidence: indicator.confidence(),
        labels: indicator.labels().collect(),
        valid_until: indicator.valid_until().map(|time| time.to_string()),
    };
    // Neither strings nor numbers can fail to become JSON, nor memory to take it.
    let _ = serde_json::to_writer(out, &object);
}

/// Appends a string with its quotes.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, text);
}

/// Appends a list of strings.
pub(super) fn strings<'s>(texts: impl Iterator<Item = &'s str>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, text) in texts.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(text, out);
    }
    out.push(b']');
}

/// Appends a number.
pub(super) fn number(number: u64, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, &number);
}
