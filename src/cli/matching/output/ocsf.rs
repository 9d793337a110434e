//! Open Cybersecurity Schema Framework: an event of that schema with `enrichments` added; of any other line, a Detection
//! Finding (class 2004) that holds the line as `raw_data`.

use super::splice::Object;
use super::{Line, Rules, Scratch, Writer, ecs, json};
use stockade::compile::IndicatorRef;
use stockade::matcher::Hit;
use stockade::stix::Timestamp;
use uuid::Uuid;

pub(super) const WRITER: Writer = Writer {
    head: "",
    hits: |_, line, hits, rules, scratch, out| {
        event(line, hits, rules, scratch, out);
        out.push(b'\n');
    },
};

/// The version of the schema whose attributes are written.
const VERSION: &str = "1.5.0";

/// The namespace of the ids of findings.
const NAMESPACE: Uuid = Uuid::from_u128(0x5c0e_7d2b_94f1_4b86_8a3d_61c7_f0e2_9b15);

fn event(line: &Line<'_>, hits: &[Hit], rules: Rules<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let mut enrichments = std::mem::take(&mut scratch.line);
    enrichments.clear();
    let text = String::from_utf8_lossy(line.text);
    // Every event of the schema has a class, which is a number.
    let is_event = |object: &Object<'_>| {
        object.has("class_uid", |first| first.is_ascii_digit()) && object.has("metadata", |first| first == b'{')
    };
    let object = Object::new(&text).filter(|object| line.is_whole() && is_event(object));
    for hit in hits {
        if !enrichments.is_empty() {
            enrichments.push(b',');
        }
        enrichment(line, hit, rules, scratch, &mut enrichments);
    }
    match object {
        Some(object) => object.add_to("enrichments", &enrichments, out),
        None => finding(line, &text, hits, &enrichments, rules, out),
    }
    scratch.line = enrichments;
}

fn enrichment(line: &Line<'_>, hit: &Hit, rules: Rules<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    json::string(field(hit), out);
    out.extend_from_slice(b",\"value\":");
    json::string(&hit.value, out);
    scratch.indicator(hit.entry, out, |out| {
        let indicator = rules.set.indicator(hit.entry);
        out.extend_from_slice(b",\"type\":\"indicator\",\"provider\":");
        json::string(indicator.origin(), out);
        out.extend_from_slice(b",\"created_time\":");
        milliseconds(rules.run.at, out);
        out.extend_from_slice(b",\"short_desc\":");
        json::string(indicator.name().unwrap_or("listed value"), out);
        out.extend_from_slice(b",\"data\":{\"indicator\":");
        properties(indicator, out);
        out.extend_from_slice(b",\"generation\":");
        json::string(&rules.run.generation, out);
    });
    out.extend_from_slice(b",\"observable_type\":");
    json::string(hit.object_type, out);
    out.extend_from_slice(b",\"relation\":");
    json::string(hit.relation.name(), out);
    out.extend_from_slice(b",\"path\":");
    out.extend_from_slice(line.name.json.as_bytes());
    json::place(line, hit, out);
    out.extend_from_slice(b"}}");
}

/// Where the value stood: the attribute of the event, or the raw line.
fn field(hit: &Hit) -> &str {
    hit.field.as_deref().unwrap_or("raw_data")
}

fn properties(indicator: IndicatorRef<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    json::string(&indicator.id(), out);
    let mut text = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            json::string(&value, out);
        }
    };
    text("name", indicator.name().map(str::to_owned));
    text("created_by", indicator.created_by().map(str::to_owned));
    text("tlp", indicator.tlp().map(|tlp| tlp.to_string()));
    text("modified", indicator.modified().map(|time| time.to_string()));
    text("valid_from", indicator.valid_from().map(|time| time.to_string()));
    text("valid_until", indicator.valid_until().map(|time| time.to_string()));
    if let Some(confidence) = indicator.confidence() {
        out.extend_from_slice(b",\"confidence\":");
        json::number(u64::from(confidence), out);
    }
    for (name, mut values) in [
        ("labels", Box::new(indicator.labels()) as Box<dyn Iterator<Item = &str>>),
        ("indicator_types", Box::new(indicator.types())),
    ] {
        if let Some(first) = values.next() {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":");
            json::strings(std::iter::once(first).chain(values), out);
        }
    }
    out.push(b'}');
}

/// A finding about a line that is no event of the schema.
fn finding(line: &Line<'_>, text: &str, hits: &[Hit], enrichments: &[u8], rules: Rules<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"{\"activity_id\":1,\"activity_name\":\"Create\",\"category_uid\":2,\"category_name\":\"Findings\",\
          \"class_uid\":2004,\"class_name\":\"Detection Finding\",\"type_uid\":200401,\
          \"type_name\":\"Detection Finding: Create\",\"severity_id\":0,\"severity\":\"Unknown\",\"status_id\":1,\
          \"status\":\"New\",\"is_alert\":true,\"time\":",
    );
    milliseconds(rules.run.at, out);
    if let Some(time) = rules.run.time_of(line) {
        out.extend_from_slice(b",\"start_time\":");
        milliseconds(time, out);
        out.extend_from_slice(b",\"end_time\":");
        milliseconds(time, out);
    }
    // No more sure than the surest of the indicators.
    if let Some(score) = hits.iter().filter_map(|hit| rules.set.indicator(hit.entry).confidence()).max() {
        out.extend_from_slice(b",\"confidence_score\":");
        json::number(u64::from(score), out);
        let level: &[u8] = match score {
            0 => b",\"confidence_id\":0,\"confidence\":\"Unknown\"",
            1..=29 => b",\"confidence_id\":1,\"confidence\":\"Low\"",
            30..=69 => b",\"confidence_id\":2,\"confidence\":\"Medium\"",
            _ => b",\"confidence_id\":3,\"confidence\":\"High\"",
        };
        out.extend_from_slice(level);
    }
    out.extend_from_slice(b",\"metadata\":{\"version\":");
    json::string(VERSION, out);
    out.extend_from_slice(b",\"product\":{\"name\":\"stockade\",\"vendor_name\":\"stockade\",\"version\":");
    json::string(env!("CARGO_PKG_VERSION"), out);
    out.extend_from_slice(b"},\"log_name\":");
    out.extend_from_slice(line.name.json.as_bytes());
    out.extend_from_slice(b"},\"finding_info\":{\"uid\":");
    let place = format!("{}\n{}\n{}\n", line.name.text, line.offset, line.start);
    json::string(&Uuid::new_v5(&NAMESPACE, &[place.as_bytes(), line.text].concat()).to_string(), out);
    out.extend_from_slice(b",\"title\":");
    let first = hits.first().map_or("", |hit| &hit.value);
    let more = if hits.len() > 1 { format!(" and {} more", hits.len() - 1) } else { String::new() };
    json::string(&format!("Indicator match: {first}{more}"), out);
    out.extend_from_slice(b",\"types\":[\"Indicator Match\"],\"data_sources\":[");
    out.extend_from_slice(line.name.json.as_bytes());
    out.extend_from_slice(b"]},\"observables\":[");
    for (at, hit) in hits.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let (number, name) = observable_type(hit);
        out.extend_from_slice(b"{\"name\":");
        json::string(field(hit), out);
        out.extend_from_slice(b",\"type_id\":");
        json::number(number, out);
        out.extend_from_slice(b",\"type\":");
        json::string(name, out);
        out.extend_from_slice(b",\"value\":");
        json::string(&hit.value, out);
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"enrichments\":[");
    out.extend_from_slice(enrichments);
    out.extend_from_slice(b"],\"raw_data\":");
    json::string(text, out);
    out.push(b'}');
}

/// The number and caption that the schema has for what was seen.
fn observable_type(hit: &Hit) -> (u64, &'static str) {
    match hit.object_type {
        "domain-name" => (1, "Hostname"),
        "ipv4-addr" | "ipv6-addr" => (2, "IP Address"),
        "mac-addr" => (3, "MAC Address"),
        "email-addr" => (5, "Email Address"),
        "url" => (6, "URL String"),
        "file" if ecs::hash(&hit.value).is_some() => (8, "Hash"),
        "file" => (7, "File Name"),
        "process" => (13, "Command Line"),
        "x509-certificate" => (30, "Fingerprint"),
        "windows-registry-key" => (28, "Registry Key"),
        other => (99, other),
    }
}

/// Appends an instant as the schema writes it: milliseconds since 1970.
fn milliseconds(at: Timestamp, out: &mut Vec<u8>) {
    let number = at.seconds.saturating_mul(1000).saturating_add(i64::from(at.nanos / 1_000_000));
    let _ = serde_json::to_writer(out, &number);
}
