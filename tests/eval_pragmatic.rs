//! The pragmatic reading: what it matches that the letter of the standard does not, and that every such change is told.

use serde_json::{Value, json};
use stockade::compile::Program;
use stockade::matcher::eval::many::PatternSetBuilder;
use stockade::matcher::eval::{Outcome, evaluate};
use stockade::pattern::{Pattern, Reading};
use stockade::stix::ObservedData;
use stockade::stix::observed::Reader;

/// Whether a pattern matches in a reading, and the repairs made.
fn matches(text: &str, observations: &[ObservedData], reading: Reading) -> (bool, Vec<&'static str>) {
    let pattern = Pattern::parse(text, reading).unwrap_or_else(|error| panic!("{text}: {error}"));
    let program = Program::new(&pattern.ast(), reading).unwrap_or_else(|error| panic!("{text}: {error}"));
    let repairs = program.repairs.iter().map(|repair| repair.kind.name()).collect();
    let outcome = evaluate(&program, observations);
    let mut builder = PatternSetBuilder::default();
    builder.add(program);
    let together = builder.build().evaluate(observations);
    assert_eq!(!together.is_empty(), outcome != Outcome::NoMatch, "many at once: {text}");
    (matches!(outcome, Outcome::Match(_)), repairs)
}

fn observed(objects: &[Value]) -> Vec<ObservedData> {
    let objects: serde_json::Map<_, _> =
        objects.iter().enumerate().map(|(key, object)| (key.to_string(), object.clone())).collect();
    let mut reader = Reader::default();
    reader.add(json!({"type": "observed-data", "objects": objects}));
    reader.finish().0
}

fn object(object_type: &str, value: &str) -> Value {
    json!({"type": object_type, "value": value})
}

/// Pattern, what it matches, what it does not match, the repairs.
type Row = (String, Vec<Vec<Value>>, Vec<Vec<Value>>, Vec<&'static str>);

#[test]
fn repairs_match_what_was_meant_and_are_told() {
    let hash = "AEC070645FE53EE3B3763059376134F058CC337247C978ADD178B6CCDFB0019F";
    let lower = hash.to_lowercase();
    let file = |name: &str, digest: &str| json!({"type": "file", "hashes": {name: digest}});
    let placed = |name: &str, directory: &str| {
        vec![
            json!({"type": "file", "name": name, "parent_directory_ref": "1"}),
            json!({"type": "directory", "path": directory}),
        ]
    };
    let traffic = |value: &str| {
        vec![json!({"type": "network-traffic", "dst_ref": "1", "dst_port": 443}), object("ipv4-addr", value)]
    };
    let rows: Vec<Row> = vec![
        (
            format!("[file:hashes.SHA256 = '{hash}']"),
            vec![vec![file("SHA-256", &lower)], vec![file("SHA256", hash)], vec![file("sha256", &lower)]],
            vec![vec![file("SHA-1", &lower)], vec![file("SHA-256", "00")]],
            vec!["hash-name", "normal-form"],
        ),
        (
            format!("[file:hashes.'SHA-256' = '{lower}']"),
            vec![vec![file("SHA-256", hash)]],
            vec![vec![file("MD5", hash)]],
            vec![],
        ),
        (
            "[domain-name:value = 'EVIL.Example.']".into(),
            vec![vec![object("domain-name", "evil.example")], vec![object("domain-name", "Evil.example.")]],
            vec![vec![object("domain-name", "www.evil.example")], vec![object("url", "evil.example")]],
            vec!["normal-form"],
        ),
        (
            "[domain-name:value = 'bücher.example']".into(),
            vec![vec![object("domain-name", "xn--bcher-kva.example")], vec![object("domain-name", "BÜCHER.example")]],
            vec![],
            vec!["normal-form"],
        ),
        (
            "[domain-name:value LIKE '%.Evil.example']".into(),
            vec![vec![object("domain-name", "WWW.evil.EXAMPLE")]],
            vec![vec![object("domain-name", "evil.example")]],
            vec!["normal-form"],
        ),
        (
            "[email-addr:value = 'Joe@Evil.example']".into(),
            vec![vec![object("email-addr", "joe@evil.EXAMPLE")]],
            vec![vec![object("email-addr", "jane@evil.example")]],
            vec!["normal-form"],
        ),
        (
            "[ipv4-addr:value = '192.0.2.1/32']".into(),
            vec![vec![object("ipv4-addr", "192.0.2.1")], vec![object("ipv4-addr", "192.0.2.1/32")]],
            vec![vec![object("ipv4-addr", "192.0.2.2")]],
            vec!["normal-form"],
        ),
        (
            "[ipv4-addr:value = '10.0.0.0/8']".into(),
            vec![vec![object("ipv4-addr", "10.1.2.3")], vec![object("ipv4-addr", "10.1.0.0/16")]],
            vec![vec![object("ipv4-addr", "11.1.2.3")], vec![object("ipv4-addr", "0.0.0.0/0")]],
            vec!["prefix"],
        ),
        (
            "[ipv4-addr:value IN ('10.0.0.0/8', '192.0.2.1')]".into(),
            vec![vec![object("ipv4-addr", "10.1.2.3")], vec![object("ipv4-addr", "192.0.2.1")]],
            vec![vec![object("ipv4-addr", "192.0.2.2")]],
            vec!["prefix"],
        ),
        (
            "[ipv4-addr:value != '10.0.0.0/8']".into(),
            vec![vec![object("ipv4-addr", "11.1.2.3")]],
            vec![vec![object("ipv4-addr", "10.1.2.3")], vec![object("url", "x")]],
            vec!["prefix"],
        ),
        (
            "[ipv6-addr:value = '2001:DB8:0:0::1']".into(),
            vec![vec![object("ipv6-addr", "2001:db8::1")]],
            vec![vec![object("ipv6-addr", "2001:db8::2")]],
            vec!["normal-form"],
        ),
        (
            "[domain-name:value = '192.0.2.1']".into(),
            vec![vec![object("ipv4-addr", "192.0.2.1")], vec![object("domain-name", "192.0.2.1")]],
            vec![vec![object("ipv4-addr", "192.0.2.2")]],
            vec!["misplaced-address"],
        ),
        (
            "[url:value = '192.0.2.1']".into(),
            vec![vec![object("ipv4-addr", "192.0.2.1")]],
            vec![vec![object("ipv4-addr", "192.0.2.2")]],
            vec!["misplaced-address"],
        ),
        (
            "[url:value = 'evil.example/a']".into(),
            vec![vec![object("url", "http://evil.example/a")], vec![object("url", "HTTPS://Evil.example:443/a")]],
            vec![vec![object("url", "ftp://evil.example/a")], vec![object("url", "http://evil.example/A")]],
            vec!["url-without-scheme"],
        ),
        (
            "[network-traffic:dst_port = '443']".into(),
            vec![traffic("192.0.2.1")],
            vec![vec![json!({"type": "network-traffic", "dst_port": 80})]],
            vec!["integer-as-text"],
        ),
        (
            "[autonomous-system:number = '174']".into(),
            vec![vec![json!({"type": "autonomous-system", "number": 174})]],
            vec![vec![json!({"type": "autonomous-system", "number": 175})]],
            vec!["integer-as-text"],
        ),
        (
            "[file:path = 'C:\\\\Temp\\\\a.exe']".into(),
            vec![
                placed("a.exe", "C:\\Temp"),
                placed("a.exe", "C:\\Temp\\"),
                vec![json!({"type": "file", "path": "C:\\Temp\\a.exe"})],
            ],
            vec![placed("a.exe", "C:\\Windows"), placed("b.exe", "C:\\Temp")],
            vec!["file-path"],
        ),
        (
            "[file:path LIKE '/tmp/%.sh']".into(),
            vec![placed("a.sh", "/tmp")],
            vec![placed("a.sh", "/home")],
            vec!["file-path"],
        ),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1']".into(),
            vec![traffic("192.0.2.1")],
            vec![traffic("192.0.2.2"), vec![object("ipv4-addr", "192.0.2.1")]],
            vec!["reference-pair"],
        ),
    ];
    for (pattern, found, not_found, expected) in rows {
        for objects in &found {
            let (matched, repairs) = matches(&pattern, &observed(objects), Reading::Pragmatic);
            assert!(matched, "{pattern} on {objects:?}");
            assert_eq!(repairs, expected, "{pattern}");
        }
        for objects in &not_found {
            let (matched, _) = matches(&pattern, &observed(objects), Reading::Pragmatic);
            assert!(!matched, "{pattern} on {objects:?}");
        }
    }
}

#[test]
fn the_strict_reading_repairs_nothing() {
    for (pattern, object) in [
        ("[domain-name:value = 'EVIL.example']", object("domain-name", "evil.example")),
        ("[ipv4-addr:value = '10.0.0.0/8']", object("ipv4-addr", "10.1.2.3")),
        ("[network-traffic:dst_port = '443']", json!({"type": "network-traffic", "dst_port": 443})),
        ("[url:value = 'evil.example/a']", object("url", "http://evil.example/a")),
    ] {
        assert_eq!(matches(pattern, &observed(&[object]), Reading::Strict), (false, vec![]), "{pattern}");
    }
}

#[test]
fn without_a_repair_both_readings_agree() {
    for (pattern, object) in [
        ("[domain-name:value = 'evil.example']", object("domain-name", "evil.example")),
        ("[ipv4-addr:value = '10.1.2.3']", object("ipv4-addr", "10.1.2.3")),
        ("[ipv4-addr:value ISSUBSET '10.0.0.0/8']", object("ipv4-addr", "10.1.2.3")),
        ("[url:value = 'http://evil.example/a']", object("url", "http://evil.example/a")),
        ("[domain-name:value = 'localhost']", object("domain-name", "localhost")),
        ("[ipv4-addr:value = 'no address']", object("ipv4-addr", "no address")),
        ("[domain-name:value != 'evil.example']", object("domain-name", "good.example")),
    ] {
        for reading in [Reading::Strict, Reading::Pragmatic] {
            assert_eq!(
                matches(pattern, &observed(std::slice::from_ref(&object)), reading),
                (true, vec![]),
                "{pattern}"
            );
        }
    }
}

/// Paths with values in normal form, as data has them, and in other spellings, as patterns have them too.
const FIELDS: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "domain-name",
        "value",
        &["evil.example", "a.evil.example", "localhost", "xn--bcher-kva.example"],
        &["Evil.example"],
    ),
    ("ipv4-addr", "value", &["192.0.2.1", "192.0.2.255", "10.1.2.3", "none"], &["192.0.2.0/24", "192.0.2.1/32"]),
    ("ipv6-addr", "value", &["2001:db8::1", "::1"], &["2001:DB8::1", "2001:db8::/32"]),
    ("url", "value", &["http://evil.example/a", "https://evil.example/a", "http://192.0.2.1/"], &["evil.example/a"]),
    ("email-addr", "value", &["joe@evil.example"], &["Joe@Evil.example"]),
    ("file", "hashes.'MD5'", &["d41d8cd98f00b204e9800998ecf8427e"], &["D41D8CD98F00B204E9800998ECF8427E", "d41d"]),
    ("file", "name", &["a.exe", "A.EXE", "evil.example"], &["a%", "_.exe"]),
    ("x-thing", "value", &["evil.example", "192.0.2.1"], &["EVIL.example", "192.0.2.0/24"]),
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_pattern_without_repairs_means_the_same_in_both_readings(
        tests in proptest::collection::vec((0..FIELDS.len(), 0..9_usize, 0..8_usize, 0..6_usize), 1..4),
        objects in proptest::collection::vec((0..FIELDS.len(), 0..8_usize), 1..5),
    ) {
        let operators = ["=", "!=", "NOT =", "IN", "NOT IN", "LIKE", "MATCHES", "ISSUBSET", ">"];
        let test = |&(field, operator, value, other): &(usize, usize, usize, usize)| {
            let (object_type, path, normal, odd) = FIELDS[field];
            let all = [normal, odd].concat();
            let (operator, value, other) = (operators[operator], all[value % all.len()], all[other % all.len()]);
            let operand = if operator.ends_with("IN") { format!("('{value}', '{other}')") } else { format!("'{value}'") };
            format!("{object_type}:{path} {operator} {operand}")
        };
        let pattern = format!("[{}]", tests.iter().map(test).collect::<Vec<_>>().join(" OR "));
        let object = |&(field, value): &(usize, usize)| {
            let (object_type, path, normal, _) = FIELDS[field];
            let value = normal[value % normal.len()];
            match path {
                "value" => object(object_type, value),
                "name" => json!({"type": object_type, "name": value}),
                _ => json!({"type": object_type, "hashes": {"MD5": value}}),
            }
        };
        let observations = observed(&objects.iter().map(object).collect::<Vec<_>>());
        let (strict, none) = matches(&pattern, &observations, Reading::Strict);
        let (pragmatic, repairs) = matches(&pattern, &observations, Reading::Pragmatic);
        proptest::prop_assert!(none.is_empty());
        if repairs.is_empty() {
            proptest::prop_assert_eq!(strict, pragmatic, "{}", pattern);
        }
    }
}
