//! Cases of lines with fields, in `tests/cases/fields/`: what is listed, a line, and every hit that it has.
//!
//! A case is a block of lines: `pattern:` or `value:` (several may stand), `format:` if it is not `auto`, `option:`,
//! `line:`, and for each hit `hit: FIELD RELATION TEXT`, the text being that of the span; `-` for no field. Several
//! `line:` are one log; their hits follow each.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSetBuilder};
use stockade::log::{Choice, Tracker, format_named};
use stockade::matcher::{Matcher, Options};
use stockade::observable::classify;
use stockade::stix::{Indicator, Timestamp};

#[derive(Default)]
struct Case {
    patterns: Vec<String>,
    values: Vec<String>,
    format: Option<String>,
    fields_only: bool,
    subdomains: bool,
    lines: Vec<(String, Vec<String>)>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in text.split("\n\n") {
        let mut case = Case::default();
        for line in block.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (key, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            match key {
                "pattern" => case.patterns.push(value.to_owned()),
                "value" => case.values.push(value.to_owned()),
                "format" => case.format = Some(value.to_owned()),
                "option" if value == "fields-only" => case.fields_only = true,
                "option" if value == "subdomains" => case.subdomains = true,
                "line" => case.lines.push((value.replace("\\t", "\t"), Vec::new())),
                "raw" => case.lines.push((value.to_owned(), Vec::new())),
                "hit" => case.lines.last_mut().expect("a line before its hits").1.push(value.to_owned()),
                _ => panic!("no such key: {line}"),
            }
        }
        if !case.lines.is_empty() {
            cases.push(case);
        }
    }
    cases
}

fn matcher(case: &Case) -> Matcher {
    let mut builder = RuleSetBuilder::default();
    for (number, pattern) in case.patterns.iter().enumerate() {
        let indicator = Indicator {
            id: format!("indicator--00000000-0000-4000-8000-{number:012}").into(),
            name: None,
            pattern: pattern.as_str().into(),
            pattern_type: "stix".into(),
            created_by: None,
            created: None,
            modified: Timestamp::parse("2026-01-01T00:00:00Z").ok(),
            valid_from: None,
            valid_until: None,
            revoked: false,
            confidence: None,
            labels: Vec::new(),
            indicator_types: Vec::new(),
            tlp: None,
        };
        builder.add(&indicator).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    }
    for value in &case.values {
        builder.add_value(classify(value).expect(value)).expect("there is room");
    }
    let at = Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant");
    let options =
        Options { fields_only: case.fields_only, subdomains: case.subdomains, ..Options::new(Filter::at(at)) };
    Matcher::new(Arc::new(builder.build()), options)
}

/// The hits of each line, as the cases write them.
fn hits(case: &Case) -> Vec<Vec<String>> {
    let matcher = matcher(case);
    let format = case.format.as_deref().map(|name| format_named(name).unwrap_or_else(|| panic!("no format {name}")));
    let log = case.lines.iter().fold(String::new(), |log, (line, _)| log + line + "\n");
    let mut hits = Vec::new();
    let layouts = Tracker::new(Arc::new(Choice { format, ..Choice::default() })).next(log.as_bytes());
    matcher.scanner().scan_as(&layouts, log.as_bytes(), &mut hits);
    let mut found = vec![Vec::new(); case.lines.len()];
    for hit in hits {
        let number = log[..hit.line_start].lines().count();
        let text = &log[hit.line_start + hit.span.start..hit.line_start + hit.span.end];
        let field = hit.field.as_deref().unwrap_or("-");
        found[number].push(format!("{field} {} {text}", hit.relation.name()));
    }
    found
}

#[test]
fn every_line_has_the_hits_that_its_case_states() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/fields");
    let mut wrong = String::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("there are cases") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("cases are UTF-8");
        for case in cases(&text) {
            count += 1;
            for ((line, expected), found) in case.lines.iter().zip(hits(&case)) {
                if *expected != found {
                    let listed = [&case.patterns[..], &case.values[..]].concat().join(", ");
                    let _ = writeln!(
                        wrong,
                        "{}: {listed}\n  {line}\n  expected {expected:#?}\n  found {found:#?}",
                        path.display()
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count > 20, "only {count} cases");
}

/// Listed values of every kind, and patterns that fields decide.
const VALUES: &[&str] = &[
    "203.0.113.9",
    "10.0.0.0/8",
    "2001:db8::1",
    "evil.example",
    "http://evil.example/a",
    "http://url.example/p",
    "http://intranet/z",
    "m@mail.example",
    "aa:bb:cc:dd:ee:ff",
    "d41d8cd98f00b204e9800998ecf8427e",
];
const PATTERNS: &[&str] = &[
    "[network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_port = 443]",
    "[file:name = 'evil.exe']",
    "[file:name = 'b\u{f6}se.exe']",
    "[file:name = 'x']",
    "[file:parent_directory_ref.path = 'C:\\\\tmp']",
    "[process:command_line LIKE '%mimi\"katz%']",
    "[network-traffic:dst_port = 4444]",
    "[domain-name:value LIKE '%.evil.example' AND domain-name:value != 'a.evil.example']",
    "[url:value LIKE 'http://evil.example/%']",
    "[user-account:account_login MATCHES '^adm[0-9]+$']",
];

mod prefilter {
    use super::*;
    use proptest::prelude::*;
    use stockade::log::{Layouts, Tracker};

    const KEYS: &[&str] = &[
        "source.ip",
        "destination.ip",
        "destination.port",
        "file.name",
        "file.path",
        "process.command_line",
        "user.name",
        "url.full",
        "message",
        "x",
        "host",
        "http",
        "hostname",
        "url",
        "event_type",
        "src_ip",
        "dest_ip",
        "dest_port",
        "uri",
        "method",
        "id.orig_h",
        "ts",
        "uid",
        "203.0.113.9",
        "@timestamp",
    ];
    const TEXTS: &[&str] = &[
        "203.0.113.9",
        "::ffff:203.0.113.9",
        "10.1.2.3",
        "2001:DB8:0::1",
        "evil.example",
        "EVIL.example.",
        "b.evil.example",
        "http://evil.example/a",
        "http://evil.example/a#x",
        "/a",
        "/p",
        "/z",
        "intranet",
        "url.example",
        "m@mail.example",
        "AA-BB-CC-DD-EE-FF",
        "D41D8CD98F00B204E9800998ECF8427E",
        "evil.exe",
        "b\u{f6}se.exe",
        "x",
        "C:\\tmp\\evil.exe",
        "a mimi\"katz b",
        "443",
        "4444",
        "adm7",
        "see evil.example now",
        "203.0.113.9, evil.example",
        "2026-01-01T00:00:00Z",
    ];

    /// A string of JSON in which any letter may be escaped.
    fn quoted(text: &str, escapes: &[u8]) -> String {
        let mut out = String::from("\"");
        for (letter, escape) in text.chars().zip(escapes.iter().cycle()) {
            match (letter, escape) {
                ('"' | '\\', _) => out.extend(['\\', letter]),
                ('/', 0..80) => out.push_str("\\/"),
                (_, 0..8) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                _ => out.push(letter),
            }
        }
        out.push('"');
        out
    }

    fn value() -> impl Strategy<Value = String> {
        let text = (proptest::sample::select(TEXTS), proptest::collection::vec(any::<u8>(), 1..40));
        let leaf = prop_oneof![
            8 => text.prop_map(|(text, escapes)| quoted(text, &escapes)),
            1 => proptest::sample::select(&["443", "4444", "null", "true", "1.5e3"][..]).prop_map(str::to_owned),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
                proptest::collection::vec((proptest::sample::select(KEYS), inner), 0..4).prop_map(|members| {
                    let members: Vec<String> =
                        members.into_iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                    format!("{{{}}}", members.join(", "))
                }),
            ]
        })
    }

    fn log() -> impl Strategy<Value = String> {
        let member = (proptest::sample::select(KEYS), value()).prop_map(|(key, value)| format!("\"{key}\":{value}"));
        let line = proptest::collection::vec(member, 0..8).prop_map(|members| format!("{{{}}}\n", members.join(",")));
        proptest::collection::vec(line, 0..6).prop_map(|lines| lines.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]
        #[test]
        fn a_line_among_others_has_the_hits_that_it_has_when_every_line_is_read(
            log in log(),
            values in proptest::sample::subsequence(VALUES, 0..=VALUES.len()),
            patterns in proptest::sample::subsequence(PATTERNS, 0..=PATTERNS.len()),
        ) {
            let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
            let mut case = Case { values: owned(values), patterns: owned(patterns), ..Case::default() };
            let layouts = || -> Layouts { Tracker::new(Arc::new(Choice { format: format_named("json"), ..Choice::default() })).next(log.as_bytes()) };
            let (looking, mut fast) = (matcher(&case), Vec::new());
            looking.scanner().scan_as(&layouts(), log.as_bytes(), &mut fast);
            // A pattern that nothing can be told by makes every line be read.
            case.patterns.push("[x-never:y NOT = 'z']".to_owned());
            let reading = matcher(&case);
            let mut slow = Vec::new();
            reading.scanner().scan_as(&layouts(), log.as_bytes(), &mut slow);
            let shown = |matcher: &Matcher, hits: &[stockade::matcher::Hit]| -> Vec<String> {
                hits.iter().map(|hit| format!("{} {:?} {:?} {}", hit.line_start, hit.span, hit.field, matcher.rules().indicator(hit.entry).id())).collect()
            };
            prop_assert_eq!(shown(&looking, &fast), shown(&reading, &slow));
        }
    }
}
