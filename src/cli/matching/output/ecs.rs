//! Elastic Common Schema: the event that a line is, with `threat.enrichments` added.
//!
//! A line that is a JSON object is the event, whatever its schema: every byte of it comes out again, but for the list. Any
//! other line becomes an event with the line as `message` and `event.original`.

use super::splice::Object;
use super::{Line, Rules, Scratch, Writer, json};
use stockade::compile::IndicatorRef;
use stockade::matcher::Hit;
use stockade::stix::Tlp;

pub(super) const WRITER: Writer = Writer {
    head: "",
    hits: |_, line, hits, rules, scratch, out| {
        event(line, hits, rules, scratch, out);
        out.push(b'\n');
    },
};

/// The version of the schema whose fields are written.
const VERSION: &str = "9.2.0";

/// Appends the event of a line that has these hits, without an end of line. Their spans are places in `line.text`.
pub(in crate::cli::matching) fn event(
    line: &Line<'_>,
    hits: &[Hit],
    rules: Rules<'_>,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) {
    let mut enrichments = std::mem::take(&mut scratch.line);
    enrichments.clear();
    let text = String::from_utf8_lossy(line.text);
    let object = Object::new(&text).filter(|_| line.is_whole());
    for hit in hits {
        if !enrichments.is_empty() {
            enrichments.push(b',');
        }
        let field = hit.field.as_deref().or(object.is_none().then_some("message"));
        enrichment(hit, field, rules, scratch, &mut enrichments);
    }
    match object {
        Some(object) => object.add("threat", "enrichments", &enrichments, out),
        None => plain(line, &text, &enrichments, rules, out),
    }
    scratch.line = enrichments;
}

/// The event of a line that is none by itself.
fn plain(line: &Line<'_>, text: &str, enrichments: &[u8], rules: Rules<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    if let Some(time) = rules.run.time_of(line) {
        out.extend_from_slice(b"\"@timestamp\":");
        json::string(&time.to_string(), out);
        out.push(b',');
    }
    out.extend_from_slice(b"\"message\":");
    let message = out.len();
    json::string(text, out);
    let message = message..out.len();
    out.extend_from_slice(b",\"event\":{\"original\":");
    out.extend_from_within(message);
    out.extend_from_slice(b"},\"log\":{");
    if line.name.is_file() {
        out.extend_from_slice(b"\"file\":{\"path\":");
        out.extend_from_slice(line.name.json.as_bytes());
        out.extend_from_slice(b"},");
    }
    out.extend_from_slice(b"\"offset\":");
    json::number(line.offset + line.start, out);
    out.push(b'}');
    if !line.is_whole() {
        out.extend_from_slice(b",\"tags\":[\"part_of_line\"]");
    }
    out.extend_from_slice(b",\"ecs\":{\"version\":");
    json::string(VERSION, out);
    out.extend_from_slice(b"},\"threat\":{\"enrichments\":[");
    out.extend_from_slice(enrichments);
    out.extend_from_slice(b"]}}");
}

fn enrichment(hit: &Hit, field: Option<&str>, rules: Rules<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"matched\":{\"atomic\":");
    json::string(&hit.value, out);
    if let Some(field) = field {
        out.extend_from_slice(b",\"field\":");
        json::string(field, out);
    }
    out.extend_from_slice(b",\"relation\":");
    json::string(hit.relation.name(), out);
    scratch.indicator(hit.entry, out, |out| {
        let indicator = rules.set.indicator(hit.entry);
        out.extend_from_slice(b",\"type\":\"indicator_match_rule\",\"occurred\":");
        json::string(&rules.run.occurred, out);
        let id = indicator.id();
        out.extend_from_slice(b",\"id\":");
        json::string(&id, out);
        out.extend_from_slice(b"},\"indicator\":{\"id\":[");
        json::string(&id, out);
        out.push(b']');
        properties(indicator, out);
    });
    out.extend_from_slice(b",\"type\":");
    json::string(hit.object_type, out);
    if rules.set.indicator(hit.entry).name().is_none() {
        out.extend_from_slice(b",\"name\":");
        json::string(&hit.value, out);
    }
    value(hit, out);
    out.extend_from_slice(b"}}");
}

/// What an indicator says besides values, each with a comma before it.
fn properties(indicator: IndicatorRef<'_>, out: &mut Vec<u8>) {
    let mut text = |name: &str, value: &str| {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        json::string(value, out);
    };
    if let Some(name) = indicator.name() {
        text("name", name);
    }
    let mut words: Vec<&str> = indicator.types().collect();
    words.extend(indicator.labels().filter(|label| !indicator.types().any(|kind| kind == *label)));
    if !words.is_empty() {
        text("description", &words.join(", "));
    }
    text("provider", indicator.origin());
    text("confidence", confidence(indicator.confidence()));
    if let Some(from) = indicator.valid_from() {
        text("first_seen", &from.to_string());
    }
    if let Some(modified) = indicator.modified() {
        let modified = modified.to_string();
        text("last_seen", &modified);
        text("modified_at", &modified);
    }
    if let Some(tlp) = indicator.tlp() {
        out.extend_from_slice(b",\"marking\":{\"tlp\":");
        json::string(level(tlp), out);
        out.push(b'}');
    }
}

/// The scale "None / Low / Med / High" (STIX 2.1 appendix A), in the words of the schema.
const fn confidence(stated: Option<u8>) -> &'static str {
    match stated {
        None => "Not Specified",
        Some(0) => "None",
        Some(1..=29) => "Low",
        Some(30..=69) => "Medium",
        Some(_) => "High",
    }
}

const fn level(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "CLEAR",
        Tlp::Green => "GREEN",
        Tlp::Amber => "AMBER",
        Tlp::AmberStrict => "AMBER+STRICT",
        Tlp::Red => "RED",
    }
}

/// The value in the field that the schema has for it, if there is one.
fn value(hit: &Hit, out: &mut Vec<u8>) {
    let (before, after) = match hit.object_type {
        "ipv4-addr" | "ipv6-addr" => ("\"ip\":", ""),
        "domain-name" => ("\"url\":{\"domain\":", "}"),
        // A URL may be listed without its scheme, and a name as a whole URL.
        "url" if hit.value.contains("://") => ("\"url\":{\"full\":", "}"),
        "url" => ("\"url\":{\"original\":", "}"),
        "email-addr" => ("\"email\":{\"address\":", "}"),
        "windows-registry-key" => ("\"registry\":{\"key\":", "}"),
        "file" => match hash(&hit.value) {
            Some("MD5") => ("\"file\":{\"hash\":{\"md5\":", "}}"),
            Some("SHA-1") => ("\"file\":{\"hash\":{\"sha1\":", "}}"),
            Some("SHA-256") => ("\"file\":{\"hash\":{\"sha256\":", "}}"),
            Some("SHA-384") => ("\"file\":{\"hash\":{\"sha384\":", "}}"),
            Some("SHA-512") => ("\"file\":{\"hash\":{\"sha512\":", "}}"),
            Some(_) => return,
            None => ("\"file\":{\"name\":", "}"),
        },
        _ => return,
    };
    out.push(b',');
    out.extend_from_slice(before.as_bytes());
    json::string(&hit.value, out);
    out.extend_from_slice(after.as_bytes());
}

/// The name of the algorithm that makes digests of this length, as STIX spells it; `None` for what is no digest.
pub(super) fn hash(value: &str) -> Option<&'static str> {
    let name = match value.len() {
        32 => "MD5",
        40 => "SHA-1",
        56 => "SHA-224",
        64 => "SHA-256",
        96 => "SHA-384",
        128 => "SHA-512",
        _ => return None,
    };
    value.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(name)
}
