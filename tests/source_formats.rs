//! Every format that indicators come in, whole and broken, through any reader.

use proptest::prelude::*;
use std::io::{self, Read};
use stockade::source::{self, Broken, Item, ReadError, Summary};
use stockade::stix::{Indicator, Tlp};

/// Items as text: `line:column kind what`.
fn items_of(reader: &mut dyn Read) -> (Vec<String>, Result<Summary, ReadError>) {
    let mut items = Vec::new();
    let summary = source::read(reader, &mut |place, item| {
        let shown = match item {
            Item::Indicator { indicator, .. } => format!("{} {}", indicator.id, indicator.pattern),
            Item::Value(value) => format!("{} {value}", value.kind().object_type()),
            Item::Rejected(rejected) => {
                format!("{}: {} {}", rejected.reason, rejected.detail, rejected.id.unwrap_or_default())
            }
        };
        items.push(format!("{}:{} {}", place.line, place.column, shown.trim_end()));
    });
    (items, summary)
}

fn items(text: impl AsRef<[u8]>) -> Vec<String> {
    let (items, summary) = items_of(&mut text.as_ref());
    summary.unwrap_or_else(|error| panic!("{error}"));
    items
}

fn refused(text: impl AsRef<[u8]>) -> String {
    let (items, summary) = items_of(&mut text.as_ref());
    assert!(items.is_empty(), "{items:?}");
    summary.expect_err("it is no source").to_string()
}

/// All indicators, in the order of their ids.
fn indicators(text: &str) -> Vec<Indicator<'static>> {
    let mut found = Vec::new();
    let result = source::read(&mut text.as_bytes(), &mut |_, item| {
        if let Item::Indicator { indicator, .. } = item {
            found.push(owned(indicator));
        }
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

fn owned(indicator: Indicator<'_>) -> Indicator<'static> {
    let all = |texts: Vec<std::borrow::Cow<'_, str>>| texts.into_iter().map(|text| text.into_owned().into()).collect();
    Indicator {
        id: indicator.id.into_owned().into(),
        name: indicator.name.map(|text| text.into_owned().into()),
        pattern: indicator.pattern.into_owned().into(),
        pattern_type: indicator.pattern_type.into_owned().into(),
        created_by: indicator.created_by.map(|text| text.into_owned().into()),
        created: indicator.created,
        modified: indicator.modified,
        valid_from: indicator.valid_from,
        valid_until: indicator.valid_until,
        revoked: indicator.revoked,
        confidence: indicator.confidence,
        labels: all(indicator.labels),
        indicator_types: all(indicator.indicator_types),
        tlp: indicator.tlp,
    }
}

/// A reader that hands out a few bytes at a time, and is interrupted in between.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.sizes.next() {
            Some(0) | None => Err(io::ErrorKind::Interrupted.into()),
            Some(size) => self.bytes.by_ref().take(size as u64).read(buffer),
        }
    }
}

const ONE: &str = r#"{"type":"indicator","spec_version":"2.1","id":"indicator--1","pattern":"[ipv4-addr:value = '192.0.2.1']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}"#;
const TWO: &str = r#"{"type":"indicator","id":"indicator--2","labels":["c2"],"pattern":"[domain-name:value = 'evil.example']","valid_from":"2026-01-01T00:00:00Z"}"#;
const OTHER: &str = r#"{"type":"identity","id":"identity--3","name":"x"}"#;

#[test]
fn stix_in_every_frame() {
    let pretty = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    };
    for text in [
        format!(r#"{{"type":"bundle","id":"bundle--1","spec_version":"2.0","objects":[{OTHER},{ONE},{TWO}]}}"#),
        format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{ONE},{TWO},{OTHER}]}}"#),
        format!(r#"{{"more":true,"next":"2","objects":[{ONE},{TWO}]}}"#),
        format!(r#"{{"objects":[{ONE},{TWO}],"more":false}}"#),
        format!("[{ONE},{OTHER},{TWO}]"),
        format!("{ONE}\n{TWO}\n{OTHER}\n"),
        format!("{ONE}\r\n\r\n{TWO}"),
        format!("{ONE}{TWO}"),
        format!("{}\n{}\n", pretty(ONE), pretty(TWO)),
        format!("{{\"objects\":[{ONE}]}}\n{{\"objects\":[{TWO}]}}\n"),
        pretty(&format!(r#"{{"type":"bundle","objects":[{ONE},{TWO}]}}"#)),
        format!("\u{feff}[{ONE},{TWO}]"),
    ] {
        let found = indicators(&text);
        let ids: Vec<_> = found.iter().map(|indicator| &*indicator.id).collect();
        assert_eq!(ids, ["indicator--1", "indicator--2"], "{text}");
        assert_eq!(found[1].indicator_types, ["c2"]);
    }
}

#[test]
fn an_empty_source_is_no_fault() {
    let envelope = r#"{"more": false, "next": null}"#;
    let bundle = r#"{"type": "bundle", "objects": []}"#;
    for text in ["", "\n", "[]", bundle, "{}", envelope, "# nothing\n", "\u{feff}", "ip,port\n"] {
        assert!(items(text).is_empty(), "{text}");
    }
}

#[test]
fn broken_parts_are_named_and_the_rest_is_read() {
    for (broken, fault) in [
        (r#"{"type":"indicator" "id":"indicator--9"}"#, "4:21 broken JSON: expected a comma or a closing brace"),
        (
            r#"{"id":"indicator--9","type":"indicator","pattern":"[a:b = 'c']""#,
            "5:1 broken JSON: expected a comma or a closing brace indicator--9",
        ),
        (r#"{"type":"indicator","pattern":"[a:b = 'c']"}"#, "4:1 no id: the property is missing"),
        (r#"{"type":"indicator","id":"indicator--9"}"#, "4:1 no pattern: the property is missing indicator--9"),
        (
            r#"{"type":"indicator","id":"indicator--9","pattern":7}"#,
            "4:1 no pattern: its pattern is no text indicator--9",
        ),
        (r#"{"id":"indicator--9"}"#, "4:1 not a STIX object: it has no type indicator--9"),
        ("7", "4:1 not an object: expected a JSON object"),
        ("null", "4:1 not an object: expected a JSON object"),
        ("nonsense", "4:1 broken JSON: expected a value"),
    ] {
        let text = format!("[\n{ONE}\n,\n{broken}\n{TWO}]");
        let text =
            if broken.ends_with('"') { text } else { text.replace(&format!("{broken}\n"), &format!("{broken},\n")) };
        let found = items(&text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[1], fault);
        assert!(found[0].contains("indicator--1") && found[2].contains("indicator--2"));
    }
}

#[test]
fn a_cut_bundle_gives_what_came_before_the_cut() {
    let text = format!("{{\"type\":\"bundle\",\"objects\":[\n{ONE},\n{TWO}]}}");
    let cut = &text[..text.len() - 20];
    let (found, summary) = items_of(&mut cut.as_bytes());
    let summary = summary.expect("something was read");
    assert!(summary.cut && summary.indicators == 1);
    let last_line = cut.lines().last().unwrap();
    assert_eq!(
        found[1],
        format!("3:{} cut short: the document ends inside an object or list indicator--2", last_line.len() + 1)
    );
    assert_eq!(refused(&text[..40]), "cut short at line 2, column 12: the document ends inside an object or list");
}

#[test]
fn what_is_neither_json_nor_a_list_is_refused_with_its_place() {
    for (text, message) in [
        (&b"{not json}\n"[..], "neither JSON nor a list: broken JSON at line 1, column 2: expected a key in quotes"),
        (b"\n[{\"a\" 1}]", "neither JSON nor a list: broken JSON at line 2, column 7: expected a colon"),
        (b"<!DOCTYPE html>\n<html>", "neither JSON nor a list: HTML or XML at line 1, column 1"),
        (
            b"Dear reader,\n\nthis is no list.\n",
            "neither JSON nor a list: line 1, column 1: a domain needs a dot: Dear reader,",
        ),
        (b"\x7fELF\x02\x01\x01\0\0", "neither JSON nor a list: binary data at byte 7"),
        (b"\xFF\xFE1\x009\x002\x00", "UTF-16 text; convert it to UTF-8"),
    ] {
        assert_eq!(refused(text), message);
    }
}

#[test]
fn lists_tables_and_hosts_files() {
    let list = "# a list\n192.0.2.1\n198.51.100.0/24 ; SBL\r\n2001:db8::/32\nEVIL.example\nhxxps://evil[.]example/a?b#c\n\nnonsense\nD41D8CD98F00B204E9800998ECF8427E\nabuse[at]evil.example\n";
    assert_eq!(
        items(list),
        [
            "2:1 ipv4-addr 192.0.2.1",
            "3:1 ipv4-addr 198.51.100.0/24",
            "4:1 ipv6-addr 2001:db8::/32",
            "5:1 domain-name evil.example",
            "6:1 url https://evil.example/a?b#c",
            "8:1 a domain needs a dot: nonsense",
            "9:1 file d41d8cd98f00b204e9800998ecf8427e",
            "10:1 email-addr abuse@evil.example",
        ]
    );
    assert_eq!(
        items("127.0.0.1 localhost\n::1 localhost ip6-localhost\n0.0.0.0 evil.example www.evil.example # both\n"),
        ["3:9 domain-name evil.example", "3:22 domain-name www.evil.example"]
    );
    assert_eq!(
        items("first_seen,dst_ip,dst_port\n2026-01-01,192.0.2.1,443\n2026-01-01,192.0.2.2,447\n"),
        ["2:1 ipv4-addr 192.0.2.1", "3:1 ipv4-addr 192.0.2.2"]
    );
    assert_eq!(
        items(r#"["192.0.2.1", "evil[.]example", "x"]"#)[..2],
        ["1:2 ipv4-addr 192.0.2.1", "1:15 domain-name evil.example"]
    );
}

#[test]
fn markings_are_known_wherever_they_are_defined() {
    let marking =
        |id: &str, rest: &str| format!(r#"{{"type":"marking-definition","id":"marking-definition--{id}",{rest}}}"#);
    let amber = marking("a", r#""definition_type":"tlp","definition":{"tlp":"amber"}"#);
    let strict = marking(
        "s",
        r#""extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"amber+strict"}}"#,
    );
    let statement = marking("t", r#""definition_type":"statement","definition":{"statement":"red"}"#);
    let marked = |id: u32, refs: &str| {
        format!(r#"{{"type":"indicator","id":"indicator--{id}","pattern":"x","object_marking_refs":[{refs}]}}"#)
    };
    let objects = [
        marked(1, r#""marking-definition--a""#),
        marked(2, r#""marking-definition--a","marking-definition--s","marking-definition--t""#),
        marked(3, r#""marking-definition--t""#),
        marked(4, r#""marking-definition--nowhere""#),
        marked(5, r#""marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed""#),
        marked(6, r#""marking-definition--nowhere","marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487""#),
        amber,
        statement,
        strict,
    ];
    let expected = [Some(Tlp::Amber), Some(Tlp::AmberStrict), None, None, Some(Tlp::Red), Some(Tlp::Clear)];
    for turn in 0..objects.len() {
        let mut objects = objects.clone();
        objects.rotate_left(turn);
        let found = indicators(&format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(",")));
        let levels: Vec<_> = found.iter().map(|indicator| indicator.tlp).collect();
        assert_eq!(levels, expected, "rotated by {turn}");
    }
}

#[test]
fn a_reader_that_fails_is_an_error_after_what_came_before() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable was cut"))
        }
    }
    for text in [
        format!("[{ONE},{TWO}"),
        "192.0.2.1\n192.0.2.2\n192.0.2.3".to_owned(),
        "ip,port\n192.0.2.1,1\n192.0.2.2,2\n192.0.2.3".to_owned(),
    ] {
        // What stands before the failure on the last line of a list may be part of a longer value.
        let (found, summary) = items_of(&mut text.as_bytes().chain(Fails));
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(summary.unwrap_err().io().map(ToString::to_string).as_deref(), Some("the cable was cut"));
    }
    let (found, summary) = items_of(&mut Fails);
    assert!(found.is_empty() && summary.unwrap_err().io().is_some());
}

#[test]
fn the_objects_of_documents_can_be_visited_whatever_they_are() {
    let text = format!(r#"{{"type":"bundle","objects":[{OTHER},{{"type":"x" }},{{"pattern":1]}},{ONE}]}} {{"a":1}}"#);
    let mut seen = Vec::new();
    source::objects(&mut text.as_bytes(), &mut |_, object| {
        seen.push(object.map(|json| String::from_utf8_lossy(json).into_owned()).map_err(Broken::reason));
    })
    .unwrap();
    assert_eq!(
        seen,
        [
            Ok(OTHER.to_owned()),
            Ok(r#"{"type":"x" }"#.to_owned()),
            Err("broken JSON"),
            Ok(ONE.to_owned()),
            Ok(r#"{"a":1}"#.to_owned())
        ]
    );
}

fn source_text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        ONE,
        TWO,
        OTHER,
        "[",
        "]",
        "{\"objects\":[",
        "]}",
        ",",
        "192.0.2.1",
        "evil.example # c",
        "0.0.0.0 evil.example",
        "a,b",
        "ip,port",
        "\"192.0.2.1\",\"1\"",
        "\"open",
        "",
        "# c",
        "nonsense",
        "é",
        "{",
        "}",
        "\"x\\\"y\"",
        "\u{feff}",
    ]);
    prop::collection::vec((line, prop::sample::select(vec!["\n", "\r\n", "", " "])), 0..12)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end]).collect())
}

proptest! {
    #[test]
    fn pieces_of_any_size_give_the_same_items(text in source_text(), mut sizes in prop::collection::vec(0_usize..20, 1..8)) {
        sizes.push(1);
        let (whole, expected) = items_of(&mut text.as_bytes());
        let (pieces, result) = items_of(&mut Pieces { bytes: text.as_bytes(), sizes: sizes.into_iter().cycle() });
        prop_assert_eq!(whole, pieces);
        prop_assert_eq!(expected.map_err(|error| error.to_string()), result.map_err(|error| error.to_string()));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), prefix in prop::sample::select(vec!["", "{", "[", "[{", "a,b\n"])) {
        let _ = items_of(&mut prefix.as_bytes().chain(&bytes[..]));
    }

    #[test]
    fn the_order_of_objects_does_not_matter(order in Just((0..30_u32).collect::<Vec<_>>()).prop_shuffle()) {
        let text = |order: &[u32]| {
            let objects: Vec<_> = order.iter().map(|number| match number % 5 {
                0 => format!(r#"{{"type":"marking-definition","id":"marking-definition--{number}","definition":{{"tlp":"red"}}}}"#),
                _ => format!(r#"{{"type":"indicator","id":"indicator--{number}","pattern":"x","object_marking_refs":["marking-definition--{}"]}}"#, number % 10),
            }).collect();
            format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(","))
        };
        let sorted: Vec<u32> = (0..30).collect();
        prop_assert_eq!(indicators(&text(&order)), indicators(&text(&sorted)));
    }

    #[test]
    fn a_bundle_cut_anywhere_gives_whole_objects_only(at in 0_usize..500) {
        let text = format!("{{\"type\":\"bundle\",\"objects\":[{ONE},{OTHER},{TWO}],\"more\":false}}");
        let cut = &text[..at.min(text.len())];
        let (found, summary) = items_of(&mut cut.as_bytes());
        let whole = [ONE, TWO].iter().filter(|object| cut.contains(*object)).count();
        prop_assert_eq!(found.iter().filter(|item| item.contains(" indicator--") && item.contains('[')).count(), whole);
        if let Ok(summary) = summary {
            prop_assert_eq!(summary.cut, !cut.is_empty() && cut.len() < text.len());
        }
    }
}
