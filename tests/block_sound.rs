//! Soundness: every value in a blocklist, alone in an observation, matches the pattern of each indicator behind it.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use stockade::blocklist::{Blocklist, Capabilities, Entry, Guard, Policy, Subdomains};
use stockade::compile::{Filter, Program, RuleSetBuilder};
use stockade::matcher::eval::{Outcome, evaluate};
use stockade::observable::Kind;
use stockade::pattern::{Pattern, Reading};
use stockade::stix::observed::Reader;
use stockade::stix::{Indicator, Timestamp};

/// Paths and values from small pools, so that parts of a pattern meet.
fn comparison() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["evil.net", "www.evil.net", "EVIL.org.", "co.uk"]);
    let address =
        prop::sample::select(vec!["45.1.2.3", "45.1.2.0/24", "45.1.2.3/32", "8.8.8.8", "2a00::1", "2a00::/32"]);
    let url = prop::sample::select(vec!["http://evil.net/a", "evil.net/a", "evil.net", "http://45.1.2.3/"]);
    let digest = prop::sample::select(vec!["44d88612fea8a8f36de82e1278abb02f", "44D88612FEA8A8F36DE82E1278ABB02F"]);
    let mail = prop::sample::select(vec!["a@evil.net", "B@EVIL.net"]);
    let operator = || prop::sample::select(vec!["=", "=", "=", "!=", "NOT =", "IN", "LIKE", "ISSUBSET"]);
    let test = |path: &'static str, value: BoxedStrategy<&'static str>| {
        (operator(), value.clone(), value).prop_map(move |(operator, a, b)| match operator {
            "IN" => format!("{path} IN ('{a}', '{b}')"),
            "NOT =" => format!("{path} NOT = '{a}'"),
            _ => format!("{path} {operator} '{a}'"),
        })
    };
    prop_oneof![
        test("domain-name:value", name.clone().boxed()),
        test("ipv4-addr:value", address.clone().boxed()),
        test("ipv6-addr:value", address.clone().boxed()),
        test("network-traffic:dst_ref.value", address.boxed()),
        test("network-traffic:src_ref.value", name.boxed()),
        test("url:value", url.boxed()),
        test("file:hashes.MD5", digest.clone().boxed()),
        test("x509-certificate:hashes.MD5", digest.boxed()),
        test("email-addr:value", mail.clone().boxed()),
        test("email-message:from_ref.value", mail.boxed()),
        Just("network-traffic:dst_port = 443".to_owned()),
        Just("network-traffic:dst_ref.type = 'ipv4-addr'".to_owned()),
        Just("file:name = 'evil.exe'".to_owned()),
        Just("domain-name:resolves_to_refs[*].value = '45.1.2.3'".to_owned()),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let join = |word: &'static str| move |(a, b): (String, String)| format!("({a} {word} {b})");
    let inner = comparison().prop_recursive(3, 8, 2, move |part| {
        prop_oneof![(part.clone(), part.clone()).prop_map(join("OR")), (part.clone(), part).prop_map(join("AND")),]
    });
    let observation = inner.prop_map(|inner| format!("[{inner}]"));
    observation.prop_recursive(2, 6, 2, move |part| {
        prop_oneof![
            4 => (part.clone(), part.clone()).prop_map(join("OR")),
            1 => (part.clone(), part.clone()).prop_map(join("AND")),
            1 => (part.clone(), part.clone()).prop_map(join("FOLLOWEDBY")),
            1 => part.clone().prop_map(|part| format!("({part}) REPEATS 2 TIMES")),
            1 => part.clone().prop_map(|part| format!("({part}) WITHIN 5 SECONDS")),
            1 => part.prop_map(|part| format!("({part}) START t'2026-01-01T00:00:00Z' STOP t'2026-03-01T00:00:00Z'")),
        ]
    })
}

/// Observations that hold a value and nothing else: by itself, or as an end of a connection or message that tells nothing more.
fn alone(object: &Json) -> Vec<Json> {
    let observed = |mut objects: Vec<Json>| {
        let refs: Vec<String> = objects
            .iter_mut()
            .enumerate()
            .map(|(number, object)| {
                let id =
                    format!("{}--{number:08}-0000-4000-8000-000000000000", object["type"].as_str().expect("a type"));
                object["id"] = json!(id);
                id
            })
            .collect();
        if let (Some(first), Some(last)) = (refs.first().cloned(), objects.last_mut().filter(|_| refs.len() > 1)) {
            for (_, value) in
                last.as_object_mut().expect("an object").iter_mut().filter(|(key, _)| key.ends_with("_ref"))
            {
                *value = json!(first);
            }
        }
        objects.push(json!({
            "type": "observed-data", "spec_version": "2.1", "id": "observed-data--00000000-0000-4000-8000-000000000000",
            "created": AT, "modified": AT, "first_observed": AT, "last_observed": AT,
            "number_observed": 1, "object_refs": refs,
        }));
        json!(objects)
    };
    let ends = [("network-traffic", "dst_ref"), ("network-traffic", "src_ref"), ("email-message", "from_ref")];
    // An address counts as one wherever it is written: feeds do put it where a name or the other family belongs.
    let mut objects = vec![object.clone()];
    if object["type"].as_str().is_some_and(|kind| kind.ends_with("-addr") && kind.starts_with("ipv")) {
        let written = ["ipv4-addr", "ipv6-addr", "domain-name", "url"];
        objects.extend(written.map(|kind| json!({"type": kind, "value": object["value"]})));
    }
    let mut all: Vec<Json> = objects.iter().map(|object| observed(vec![object.clone()])).collect();
    for object in &objects {
        all.extend(ends.map(|(kind, end)| observed(vec![object.clone(), json!({"type": kind, end: ""})])));
    }
    all
}

const AT: &str = "2026-02-01T00:00:00Z";

fn matches(pattern: &str, object: &Json) -> bool {
    let parsed = Pattern::parse(pattern, Reading::Pragmatic).expect(pattern);
    let program = Program::new(&parsed.ast(), Reading::Pragmatic).expect(pattern);
    alone(object).into_iter().any(|objects| {
        let mut reader = Reader::default();
        reader.add(objects);
        matches!(evaluate(&program, &reader.finish().0), Outcome::Match(_))
    })
}

/// Checks all entries of a list against the patterns behind them; how many there were.
fn check(list: &Blocklist<'_>, pattern: &str) -> Result<usize, TestCaseError> {
    fn behind(list: &Blocklist<'_>, entry: &impl Entry, pattern: &str, object: &Json) -> Result<usize, TestCaseError> {
        prop_assert_eq!(list.indicators(entry).len(), 1);
        prop_assert!(matches(pattern, object), "{} does not match {}", object, pattern);
        Ok(1)
    }
    let mut checked = 0;
    for entry in list.names() {
        checked += behind(list, entry, pattern, &json!({"type": "domain-name", "value": entry.name}))?;
    }
    for entry in list.ipv4() {
        for address in [entry.start, entry.last()] {
            let address = std::net::Ipv4Addr::from(address).to_string();
            checked += behind(list, entry, pattern, &json!({"type": "ipv4-addr", "value": address}))?;
        }
    }
    for entry in list.ipv6() {
        for address in [entry.start, entry.last()] {
            let address = std::net::Ipv6Addr::from(address).to_string();
            checked += behind(list, entry, pattern, &json!({"type": "ipv6-addr", "value": address}))?;
        }
    }
    for entry in list.urls() {
        let url = entry.text.strip_prefix("//").map_or(entry.text.to_owned(), |rest| format!("http://{rest}"));
        checked += behind(list, entry, pattern, &json!({"type": "url", "value": url}))?;
    }
    for entry in list.emails() {
        checked += behind(list, entry, pattern, &json!({"type": "email-addr", "value": entry.text}))?;
    }
    for entry in list.digests() {
        checked += behind(list, entry, pattern, &json!({"type": "file", "hashes": {"MD5": entry.to_string()}}))?;
    }
    Ok(checked)
}

fn indicator(pattern: &str) -> Indicator<'_> {
    Indicator {
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
    }
}

fn blocked(pattern: &str, merge: bool) -> Result<usize, TestCaseError> {
    let mut builder = RuleSetBuilder::default();
    if builder.add(&indicator(pattern)).is_err() {
        return Ok(0);
    }
    let rules = builder.build();
    let kinds: Vec<Kind> = Kind::all().collect();
    let format = Capabilities {
        kinds: &kinds,
        subdomains: Subdomains::Never,
        exceptions: true,
        merge,
        max_entries: None,
        refuses: &|_| None,
    };
    let policy = Policy { unguard: Guard::ALL.to_vec(), ..Policy::default() };
    let list = Blocklist::build(&rules, &Filter::at(Timestamp::parse(AT).expect("an instant")), &policy, &format);
    check(&list, pattern)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn every_blocked_value_alone_matches_its_pattern(pattern in pattern(), merge: bool) {
        blocked(&pattern, merge)?;
    }
}

#[test]
fn the_property_looks_at_something() {
    for (pattern, checked) in [
        ("[domain-name:value = 'evil.net']", 1),
        ("[ipv4-addr:value = '45.1.2.0/24' OR url:value = 'evil.net/a']", 3),
        ("[network-traffic:dst_ref.value = '45.1.2.3']", 2),
        ("[email-message:from_ref.value = 'a@evil.net']", 1),
        ("[domain-name:value = 'evil.net'] OR ([url:value = 'http://a.net/'] AND [url:value = 'http://b.net/'])", 1),
        ("[network-traffic:dst_ref.value = '45.1.2.3' AND network-traffic:dst_port = 443]", 0),
        ("[url:value = 'evil.net']", 1),
        ("[x509-certificate:hashes.MD5 = '44d88612fea8a8f36de82e1278abb02f']", 0),
    ] {
        assert_eq!(blocked(pattern, true).expect("sound"), checked, "{pattern}");
    }
}
