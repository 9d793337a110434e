//! What a user of the library relies on: which values of a line are reported, for whom, and how.

use std::sync::Arc;
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::matcher::{Allowlist, Hit, Matcher, Options};
use stockade::observable::classify;
use stockade::stix::{Indicator, Timestamp};

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

/// A rule set of patterns; the number of a pattern is the last digits of its id.
fn rules(patterns: &[&str]) -> Arc<RuleSet> {
    let mut builder = RuleSetBuilder::default();
    for (number, pattern) in patterns.iter().enumerate() {
        let id = format!("indicator--00000000-0000-4000-8000-{number:012}");
        let indicator = Indicator {
            id: id.into(),
            name: None,
            pattern: (*pattern).into(),
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
        builder.add(&indicator).unwrap_or_else(|rejected| panic!("{pattern}: {rejected:?}"));
    }
    Arc::new(builder.build())
}

fn options() -> Options {
    Options::new(Filter::at(instant("2026-01-01T00:00:00Z")))
}

/// `number:value:relation` of each hit.
fn shown(matcher: &Matcher, hits: &[Hit]) -> Vec<String> {
    hits.iter()
        .map(|hit| {
            let id = matcher.rules().indicator(hit.entry).id();
            let number: u32 = id[id.len() - 12..].parse().expect("a number");
            format!("{number}:{}:{}:{}", hit.object_type, hit.value, hit.relation.name())
        })
        .collect()
}

fn scan(matcher: &Matcher, text: &str) -> Vec<String> {
    let mut hits = Vec::new();
    matcher.scanner().scan(text.as_bytes(), &mut hits);
    shown(matcher, &hits)
}

#[test]
fn each_kind_of_value_is_found_with_its_relation() {
    let md5 = "0123456789abcdef0123456789abcdef";
    let cases: &[(&str, &str, &[&str])] = &[
        ("[ipv4-addr:value = '203.0.113.9']", "from 203.0.113.9:443", &["0:ipv4-addr:203.0.113.9:exact"]),
        ("[ipv4-addr:value = '203.0.113.0/24']", "from 203.0.113.9", &["0:ipv4-addr:203.0.113.9:cidr"]),
        ("[ipv4-addr:value = '203.0.113.9']", "from ::ffff:203.0.113.9", &["0:ipv4-addr:203.0.113.9:exact"]),
        ("[ipv6-addr:value = '2001:db8::1']", "from [2001:DB8:0:0::1]:443", &["0:ipv6-addr:2001:db8::1:exact"]),
        ("[domain-name:value = 'Evil.example']", "query EVIL.EXAMPLE. A", &["0:domain-name:evil.example:exact"]),
        ("[domain-name:value = 'evil.example']", "notevil.example evil.example.org www.evil.example", &[]),
        (
            "[domain-name:value = 'evil.example']",
            "GET http://evil.example/a",
            &["0:domain-name:evil.example:host-of-url"],
        ),
        ("[domain-name:value = 'evil.example']", "to=<a@evil.example>", &["0:domain-name:evil.example:host-of-email"]),
        (
            "[url:value = 'http://evil.example/a']",
            "GET http://EVIL.example:80/a.",
            &["0:url:http://evil.example/a:exact"],
        ),
        ("[url:value = 'evil.example/a']", "see https://evil.example/a", &["0:url:https://evil.example/a:exact"]),
        ("[url:value = 'evil.example']", "see evil.example", &["0:url:evil.example:exact"]),
        (
            "[url:value = 'evil.example']",
            "see http://evil.example and http://evil.example/b",
            &["0:url:http://evil.example/:exact"],
        ),
        (
            "[email-addr:value = 'Mallory@evil.example']",
            "from=mallory@evil.example",
            &["0:email-addr:mallory@evil.example:exact"],
        ),
        (
            "[file:hashes.MD5 = '0123456789ABCDEF0123456789ABCDEF']",
            &format!("md5={md5}"),
            &[&format!("0:file:{md5}:exact")],
        ),
        (
            "[x509-certificate:hashes.MD5 = '0123456789ABCDEF0123456789ABCDEF']",
            &format!("cert {md5}"),
            &[&format!("0:x509-certificate:{md5}:exact")],
        ),
        ("[file:name = 'dropper.exe']", r"ran C:\temp\dropper.exe", &["0:file:dropper.exe:text"]),
        (
            r"[windows-registry-key:key = 'HKLM\\Software\\Evil']",
            r#"{"key":"HKLM\\Software\\Evil"}"#,
            &[r"0:windows-registry-key:HKLM\Software\Evil:text"],
        ),
        (
            "[domain-name:value LIKE '%.example' AND domain-name:value != 'good.example']",
            "evil.example good.example evil.org",
            &["0:domain-name:evil.example:exact"],
        ),
        ("[ipv4-addr:value != '10.0.0.1']", "10.0.0.1 10.0.0.2", &[]),
        ("[process:command_line LIKE '%mimikatz%']", r#"cmd="C:\x\Mmimikatz.exe --x""#, &["0:process:mimikatz:text"]),
        ("[file:name = 'dropper.exe' AND file:size = 5]", "ran dropper.exe", &[]),
        (
            "[domain-name:value LIKE '%.evil.example']",
            "www.evil.example evil.example",
            &["0:domain-name:www.evil.example:exact"],
        ),
        (
            r"[domain-name:value MATCHES '^x[0-9]+\\.example$']",
            "X12.example x.example",
            &["0:domain-name:x12.example:exact"],
        ),
        (
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.9']",
            "to 203.0.113.9",
            &["0:ipv4-addr:203.0.113.9:exact"],
        ),
        (
            "[network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_port = 443]",
            "to 203.0.113.9:443",
            &[],
        ),
    ];
    for (pattern, line, expected) in cases {
        let matcher = Matcher::new(rules(&[pattern]), options());
        assert_eq!(scan(&matcher, line), *expected, "{pattern} in {line}");
    }
}

#[test]
fn every_covering_indicator_is_reported_in_order_of_place_then_id() {
    let matcher = Matcher::new(
        rules(&[
            "[ipv4-addr:value = '10.1.2.3']",
            "[ipv4-addr:value = '10.0.0.0/8']",
            "[ipv4-addr:value = '10.1.0.0/16']",
            "[ipv4-addr:value = '10.1.2.3']",
        ]),
        options(),
    );
    let expected = [
        "0:ipv4-addr:10.1.2.3:exact",
        "1:ipv4-addr:10.1.2.3:cidr",
        "2:ipv4-addr:10.1.2.3:cidr",
        "3:ipv4-addr:10.1.2.3:exact",
    ];
    assert_eq!(scan(&matcher, "a 10.1.2.3"), expected);
}

#[test]
fn subdomains_are_reported_only_when_asked_for() {
    let rules = rules(&["[domain-name:value = 'evil.example']"]);
    let exact = Matcher::new(Arc::clone(&rules), options());
    assert!(scan(&exact, "a.b.evil.example").is_empty());
    let wide = Matcher::new(rules, Options { subdomains: true, ..options() });
    assert_eq!(
        scan(&wide, "a.b.Evil.example and evil.example"),
        ["0:domain-name:a.b.evil.example:subdomain", "0:domain-name:evil.example:exact"]
    );
    assert!(scan(&wide, "notevil.example evil.example.org").is_empty());
}

#[test]
fn allowed_values_are_never_reported() {
    let rules = rules(&["[domain-name:value = 'www.good.example']", "[ipv4-addr:value = '10.0.0.0/8']"]);
    let allow = Allowlist::new(["good.example", "10.1.0.0/16"].map(|v| classify(v).expect("a value")));
    let matcher = Matcher::new(rules, Options { allow, ..options() });
    assert_eq!(scan(&matcher, "www.good.example 10.1.2.3 10.2.2.3"), ["1:ipv4-addr:10.2.2.3:cidr"]);
}

#[test]
fn a_sequence_is_completed_across_lines_and_blocks() {
    let pattern =
        "([ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [domain-name:value = 'evil.example']) WITHIN 300 SECONDS";
    let matcher = Matcher::new(rules(&[pattern]), options());
    let mut scanner = matcher.scanner();
    let mut scan = |text: &str| {
        let mut hits = Vec::new();
        scanner.scan(text.as_bytes(), &mut hits);
        hits
    };
    assert!(scan("2025-12-01T10:00:00Z nothing\n2025-12-01T10:00:00Z from 203.0.113.9\n").is_empty());
    assert!(scan("2025-12-01T10:05:00Z too late for evil.example\n").is_empty());
    assert!(scan("2025-12-01T10:00:01Z and 198.51.100.1\n").is_empty());
    let hits = scan("2025-12-01T10:01:00Z x\n2025-12-01T10:04:59Z query evil.example\n");
    assert_eq!(shown(&matcher, &hits), ["0:domain-name:evil.example:exact"]);
    assert_eq!(hits[0].also.iter().map(|place| (place.block, place.line)).collect::<Vec<_>>(), [(0, 1)]);
}

#[test]
fn lines_are_told_by_their_place_in_the_block() {
    let matcher = Matcher::new(rules(&["[domain-name:value = 'evil.example']"]), options());
    let text = b"first\r\nevil.example\r\n\nlast evil.example";
    let mut hits = Vec::new();
    matcher.scanner().scan(text, &mut hits);
    let places: Vec<_> = hits.iter().map(|hit| (hit.line_start, hit.line_end, hit.span.clone())).collect();
    assert_eq!(places, [(7, 19, 0..12), (22, 39, 5..17)]);
}
