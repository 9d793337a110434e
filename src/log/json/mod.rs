//! Lines of JSON: the walk over their values, and the families of logs that are told by their keys. One file for each
//! family.

mod azure;
mod cloudtrail;
pub(super) mod document;
mod ecs;
mod eve;
mod family;
mod gcp;
mod guardduty;
mod journald;
mod ocsf;
mod resolver;
mod walk;
mod windows;
mod zeek;

use super::event::Event;
use super::layout::Layout;
use super::mapping::Mapping;
pub(super) use family::Family;
use family::Line;
use std::ops::Range;
pub(super) use walk::{BYTES_MARKS, is_ragged, looks_like_json, sniff};

/// Every family, in the order in which a line is asked whether it is of one.
pub(super) static FAMILIES: &[&Family] = &[
    &eve::FAMILY,
    &ocsf::FAMILY,
    &cloudtrail::FAMILY,
    &guardduty::FAMILY,
    &resolver::FAMILY,
    &gcp::FAMILY,
    &azure::FAMILY,
    &journald::FAMILY,
    &zeek::FAMILY,
    &ecs::FAMILY,
    &windows::FAMILY,
];

/// Takes a line of JSON apart, as the family that was chosen, or the one that it is of.
pub(super) fn decode<'l>(layout: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let chosen = layout.chosen.then_some(layout.format.name);
    decode_part(event, 0..event.line.len(), chosen, &layout.mappings)
}

/// Takes a part of a line apart that is an object of JSON.
pub(super) fn decode_part<'l>(
    event: &mut Event<'l>,
    part: Range<usize>,
    chosen: Option<&str>,
    mappings: &'l [Mapping],
) -> Result<(), &'static str> {
    let leaves = walk::leaves(event.line, part)?;
    let text = event.line;
    for (number, (prefix, record)) in walk::records(&leaves).into_iter().enumerate() {
        if number > 0 {
            event.begin_record();
        }
        let line = Line { text, leaves: record, prefix };
        let named = chosen.and_then(|name| FAMILIES.iter().find(|family| family.format.name == name));
        let family = named.or_else(|| FAMILIES.iter().find(|family| (family.is)(&line)));
        let mapping = mappings.iter().find(|mapping| mapping.is_of(|key| line.has(key) || line.has_below(key)));
        family::push_all(family.copied(), mapping, &line, event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Filter, RuleSetBuilder};
    use crate::log::{Choice, Tracker};
    use crate::matcher::{Matcher, Options, Relation};
    use crate::observable;
    use crate::stix::{Indicator, Timestamp};
    use std::collections::{BTreeSet, HashMap};
    use std::sync::Arc;

    #[test]
    fn no_family_is_missing_from_the_table() {
        let table = include_str!("mod.rs")
            .split_once("static FAMILIES")
            .expect("a table")
            .1
            .split_once(';')
            .expect("its end")
            .0;
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/log/json")).expect("a folder") {
            let name = entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned();
            let other = ["mod", "document", "family", "walk"].contains(&&*name);
            assert!(other || table.contains(&format!("&{name}::")), "{name} is not in the table");
        }
    }

    #[test]
    fn tables_name_paths_that_there_are() {
        for family in FAMILIES {
            let mut seen = BTreeSet::new();
            for (name, path, _) in family.fields {
                assert!(seen.insert(name), "{}: {name} twice", family.format.name);
                let bare = path.trim_end_matches(['?', '*', ';']).trim_end_matches('.');
                let known = path.is_empty()
                    || path.starts_with("autonomous-system:")
                    || observable::of_path(bare).is_some()
                    || observable::literal_path(bare).is_some()
                    || KINDLESS.contains(&bare.rsplit(['.', ':']).next().expect("a last key"));
                assert!(known, "{}: {name} means {path}", family.format.name);
            }
        }
    }

    /// Properties of objects without a kind that patterns may ask for.
    const KINDLESS: &[&str] = &[
        "src_port",
        "dst_port",
        "protocols[*]",
        "src_byte_count",
        "dst_byte_count",
        "src_packets",
        "dst_packets",
        "pid",
        "command_line",
        "cwd",
        "path",
        "name",
        "size",
        "message_id",
        "issuer",
        "subject",
        "account_login",
        "user_id",
        "display_name",
        "key",
        "hashes",
        "serial_number",
        "SSDEEP",
        "TLSH",
        "User-Agent",
        "mime_type",
        "method",
        "request_method",
        "flow-tuple",
        "body",
    ];

    /// A line that is of each family.
    const SAMPLES: &[(&str, &str)] = &[
        ("suricata", r#"{"timestamp":"2026-01-31T10:05:03Z","flow_id":1,"event_type":"x"}"#),
        ("ocsf", r#"{"class_uid":1001,"category_uid":1,"time":1769853903250}"#),
        (
            "cloudtrail",
            r#"{"eventVersion":"1.08","eventSource":"x","eventName":"X","eventTime":"2026-01-31T10:05:03Z"}"#,
        ),
        ("route53", r#"{"query_type":"A","query_name":"x","query_timestamp":"2026-01-31T10:05:03Z"}"#),
        ("gcp", r#"{"logName":"x","insertId":"1","timestamp":"2026-01-31T10:05:03Z"}"#),
        ("azure", r#"{"time":"2026-01-31T10:05:03Z","operationName":"x","resourceId":"y"}"#),
        ("journald", r#"{"__REALTIME_TIMESTAMP":"1769853903250000"}"#),
        ("zeek-json", r#"{"ts":1769853903.25,"uid":"C","id.orig_p":1}"#),
        ("ecs", r#"{"@timestamp":"2026-01-31T10:05:03Z"}"#),
        ("windows", r#"{"Event":{"System":{"EventID":1}}}"#),
    ];

    /// A value of a kind that a property may have.
    fn planted(path: &str) -> Option<&'static str> {
        let of_path = observable::of_path(path)?;
        Some(match of_path.kinds[0] {
            observable::Kind::Ipv4 => "203.0.113.9",
            observable::Kind::Ipv6 => "2001:db8::9",
            observable::Kind::Domain => "evil.example",
            observable::Kind::Url => "http://evil.example/x",
            observable::Kind::Email => "m@evil.example",
            observable::Kind::Mac => "aa:bb:cc:dd:ee:0f",
            observable::Kind::Md5 => "d41d8cd98f00b204e9800998ecf8427e",
            observable::Kind::Sha1 => "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            observable::Kind::Sha256 => "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            kind => {
                let digits = if kind == observable::Kind::Sha384 { 96 } else { 128 };
                &HEX[..digits]
            }
        })
    }
    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    /// Puts a value at a path; `[]` is a list of two, the value in the second place.
    fn put(object: &mut serde_json::Map<String, serde_json::Value>, path: &str, value: &str, flat: bool) -> String {
        use serde_json::{Value, json};
        if flat && !path.contains('[') {
            object.insert(path.into(), value.into());
            return path.into();
        }
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let inner = |flat| {
            let mut below = serde_json::Map::new();
            rest.map_or((Value::from(value), String::new()), |rest| {
                let name = put(&mut below, rest, value, flat);
                (Value::Object(below), format!(".{name}"))
            })
        };
        if let Some(list) = first.strip_suffix("[]") {
            let (inner, name) = inner(false);
            object.insert(list.into(), json!([{"other": 1}, inner]));
            return format!("{list}[1]{name}");
        }
        if let (Some(rest), Some(Value::Object(below))) = (rest, object.get_mut(first)) {
            return format!("{first}.{}", put(below, rest, value, false));
        }
        let (inner, name) = inner(false);
        object.insert(first.into(), inner);
        format!("{first}{name}")
    }

    /// Of one indicator with that pattern.
    fn matcher(pattern: &str) -> Matcher {
        let indicator = Indicator {
            id: "indicator--00000000-0000-4000-8000-000000000001".into(),
            name: None,
            pattern: pattern.into(),
            pattern_type: "stix".into(),
            created_by: None,
            created: None,
            modified: None,
            valid_from: None,
            valid_until: None,
            revoked: false,
            confidence: None,
            labels: Vec::new(),
            indicator_types: Vec::new(),
            tlp: None,
        };
        let mut builder = RuleSetBuilder::default();
        builder.add(&indicator).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let at = Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant");
        Matcher::new(Arc::new(builder.build()), Options::new(Filter::at(at)))
    }

    #[test]
    fn every_field_of_every_family_is_found_where_it_stands_and_as_what_it_is() {
        let (mut count, mut matchers) = (0, HashMap::new());
        for (name, sample) in SAMPLES {
            let family = FAMILIES.iter().find(|family| family.format.name == *name).expect(name);
            for (field, path, _) in family.fields {
                let path = path.replace(".?", ".SHA-256");
                let Some(value) = planted(&path) else { continue };
                let role = observable::of_path(&path).expect("it has a kind").role;
                for flat in [false, true] {
                    let mut object = serde_json::from_str(sample).expect("a sample");
                    let place = put(&mut object, field, value, flat);
                    let line = serde_json::to_string(&object).expect("JSON");
                    // The property itself, and the same property of the other end.
                    for (asked, expected) in
                        [(path.clone(), 1), (other_end(&path), usize::from(role == observable::Role::Any))]
                    {
                        let asked = asked
                            .replace("SHA-", "'SHA-")
                            .replace("'SHA-1", "'SHA-1'")
                            .replace("'SHA-256", "'SHA-256'");
                        let asked = asked.replace("'SHA-384", "'SHA-384'").replace("'SHA-512", "'SHA-512'");
                        let pattern = format!("[{asked} = '{value}']");
                        let matcher = matchers.entry(pattern.clone()).or_insert_with(|| matcher(&pattern));
                        let layouts = Tracker::new(Arc::new(Choice::default())).next(line.as_bytes());
                        let mut hits = Vec::new();
                        matcher.scanner().scan_as(&layouts, line.as_bytes(), &mut hits);
                        let found: Vec<_> = hits
                            .iter()
                            .map(|hit| (hit.field.as_deref().unwrap_or(""), hit.relation, &line[hit.span.clone()]))
                            .collect();
                        let all = [(&*place, Relation::Exact, value)];
                        assert_eq!(found, &all[..expected], "{name}: {pattern} in {line}");
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 800, "{count}");
    }

    /// The same property of the other end, or the property itself if it has no end.
    fn other_end(path: &str) -> String {
        for (one, other) in [
            ("src_ref", "dst_ref"),
            ("dst_ref", "src_ref"),
            ("from_ref", "to_refs[*]"),
            ("sender_ref", "to_refs[*]"),
            (":to_refs[*]", ":from_ref"),
            (":bcc_refs[*]", ":from_ref"),
            (":cc_refs[*]", ":from_ref"),
        ] {
            if path.contains(one) {
                return path.replace(one, other);
            }
        }
        path.to_owned()
    }
}
