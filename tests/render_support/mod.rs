//! Lists for the tests of output formats.
#![allow(dead_code, reason = "each test program uses its part")]

use stockade::blocklist::{Blocklist, Guard, Policy};
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::observable::{Kind, classify};
use stockade::render::{Format, Options};
use stockade::stix::{Indicator, Timestamp, Tlp};

/// The instant at which lists are made.
pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant")
}

/// The policy of the command, but for the guard of special-purpose addresses, which examples are taken from.
pub(crate) fn policy() -> Policy {
    Policy { unguard: vec![Guard::Special], ..Policy::default() }
}

/// A set of bare values.
pub(crate) fn values<'v>(values: impl IntoIterator<Item = &'v str>) -> RuleSet {
    let mut builder = RuleSetBuilder::default();
    builder.origin("list.txt");
    for value in values {
        builder.add_value(classify(value).unwrap_or_else(|error| panic!("{value}: {error}"))).expect("room");
    }
    builder.build()
}

/// Makes the list of a rule set for a format and writes it.
pub(crate) fn render(format: &str, rules: &RuleSet, policy: &Policy, options: &Options) -> Vec<u8> {
    let format = Format::named(format).unwrap_or_else(|| panic!("no format {format}"));
    let refuses = |item: stockade::blocklist::Item<'_>| format.refuses(item, options);
    let kinds = if options.kinds.is_empty() { format.kinds } else { &options.kinds };
    let list = Blocklist::build(rules, &Filter::at(now()), policy, &format.capabilities(kinds, &refuses));
    let mut bytes = Vec::new();
    let written = format.write(&list, options, &mut bytes).expect("a vector takes everything");
    assert_eq!(written.refused, 0, "{}: what the policy passes can be written", format.name);
    assert_eq!(written.entries, list.len(), "{}: every entry is written", format.name);
    bytes
}

/// As [`render`], for text.
pub(crate) fn text(format: &str, rules: &RuleSet, options: &Options) -> String {
    String::from_utf8(render(format, rules, &policy(), options)).expect("all formats are text")
}

/// Options that name kinds.
pub(crate) fn kinds(names: &[&str]) -> Options {
    Options { kinds: names.iter().flat_map(|name| Kind::named(name)).collect(), ..Options::default() }
}

/// What the golden files are written from: every kind, several indicators behind one value, neighbours, names below names.
pub(crate) fn sample() -> RuleSet {
    let instant = |text: &str| Timestamp::parse(text).ok();
    let mut builder = RuleSetBuilder::default();
    builder.origin("feeds/c2, \"quoted\".json");
    let c2 = Indicator {
        id: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f".into(),
        name: Some("C2 \"panel\"\nof \u{202e}Emotet".into()),
        pattern: "[domain-name:value = 'evil.example' OR domain-name:value = 'www.evil.example' OR \
                  ipv4-addr:value = '198.51.100.7' OR ipv4-addr:value = '203.0.113.0/25']"
            .into(),
        pattern_type: "stix".into(),
        created_by: Some("identity--f431f809-377b-45e0-aa1c-6a4751cae5ff".into()),
        created: instant("2026-04-30T09:00:00Z"),
        modified: instant("2026-05-01T10:00:00.250Z"),
        valid_from: instant("2026-05-01T00:00:00Z"),
        valid_until: instant("2026-07-01T00:00:00Z"),
        revoked: false,
        confidence: Some(85),
        labels: vec!["c2".into(), "=cmd|'/c calc'!A1".into()],
        indicator_types: vec!["malicious-activity".into()],
        tlp: Some(Tlp::Amber),
    };
    builder.add(&c2).expect("a good indicator");
    let other = Indicator {
        id: "indicator--00000000-17d4-4cbf-938f-98ee46b3cd3f".into(),
        name: None,
        pattern: "[domain-name:value = 'evil.example' OR ipv4-addr:value = '203.0.113.128/25' OR \
                  ipv6-addr:value = '2001:db8:bad::/48' OR ipv6-addr:value = '2001:db8::1']"
            .into(),
        confidence: None,
        valid_until: None,
        created_by: None,
        labels: Vec::new(),
        indicator_types: Vec::new(),
        tlp: None,
        ..c2.clone()
    };
    builder.add(&other).expect("a good indicator");
    builder.origin("list.txt");
    for value in [
        "xn--bcher-kva.example",
        "_dmarc.second.example",
        "http://evil.example/a?b='c';d=$e(f)",
        "https://third.example:8443/",
        "fourth.example/path,with,commas",
        "o'brien+x@mail.example",
        "44d88612fea8a8f36de82e1278abb02f",
        "3395856ce81f2b7382dee72602f798b642f14140",
        "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
        "cc805d5fab1fd71a4ab352a9c533e65fb2d5b885518f4e565e68847223b8e6b85cb48f3afad842726d99239c9e36505c64b0dc9a061d9e507d833277ada336ab",
    ] {
        builder.add_value(classify(value).expect("a value")).expect("room");
    }
    builder.build()
}
