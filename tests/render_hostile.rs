//! Hostile indicators: whatever they say, a file holds legitimate values in the syntax of its target and nothing else.
//!
//! Indicators come in by every door: as patterns, as values of lists, and as values that a program makes by itself. What
//! comes out is read back line by line by a reader that knows of each format only what a legitimate line looks like.

mod render_support;

use regex::Regex;
use render_support::{kinds, now, policy, render};
use std::collections::HashMap;
use std::sync::LazyLock;
use stockade::compile::{Filter, RuleSet, RuleSetBuilder, Status};
use stockade::observable::{Kind, Value, classify};
use stockade::render::{Format, Options};
use stockade::stix::{Indicator, Timestamp};

const NAME: &str = r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}";
const NET: &str = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?|[0-9a-f:.]{2,39}(?:/[0-9]{1,3})?)";
const URL: &str = r"(?:[a-z][a-z0-9+.-]*:)?//[!#-;=?-\[\]_a-z~]+";
const REST: &str = r"[!#-;=?-\[\]_a-z~]+";
const HASH: &str = r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})";

/// What a line of a format may be, but for JSON.
static LINES: LazyLock<HashMap<&str, Regex>> = LazyLock::new(|| {
    let cell = r#"(?:[^",\x00-\x1f\x7f]*|"(?:[^"\x00-\x1f\x7f]|"")*")"#;
    [
        ("domains", NAME.to_owned()),
        ("ips", NET.to_owned()),
        ("urls", URL.to_owned()),
        ("hashes", HASH.to_owned()),
        ("hosts", format!(r"(?:0\.0\.0\.0|::) {NAME}")),
        ("rpz", format!(r"\$TTL 300|@ SOA localhost\. hostmaster\.localhost\. 1 3600 600 86400 300|@ NS localhost\.|(?:\*\.)?{NAME} CNAME \.|[0-9a-fz.]+\.rpz-ip CNAME \.")),
        ("unbound", format!(r#"local-zone: "{NAME}\." always_nxdomain"#)),
        ("dnsmasq", format!("local=/{NAME}/")),
        ("adguard", format!(r"\|\|{NAME}\^")),
        ("dnscrypt-proxy", NAME.to_owned()),
        ("nftables", format!(r"table inet stockade(?: \{{)?|delete table inet stockade|\}}|\t(?:set|chain) [a-z46]+ \{{|\t\ttype [a-z0-9_]+|\t\ttype filter hook [a-z]+ priority -10; policy accept;|\t\tflags interval|\t\telements = \{{|\t\t?\}}|\t\tip6? [sd]addr @blocked[46] counter drop|{NET},?")),
        ("ipset", format!(r"create stockade[46](?:-new)? hash:net family inet6? maxelem 16777216 -exist|flush stockade[46]-new|add stockade[46]-new {NET} -exist|swap stockade[46]-new stockade[46]|destroy stockade[46]-new")),
        ("iptables", format!(r"\*filter|:STOCKADE - \[0:0\]|-[46] -A STOCKADE -[sd] {NET} -j DROP|COMMIT")),
        ("pf", NET.to_owned()),
        ("crowdsec", format!("duration,scope,value,reason,type|14400s,(?:ip|range),{NET},stockade,ban")),
        ("edl", format!("{NAME}|{NET}|{REST}")),
        ("palo-alto", format!("{NAME}|{NET}|{REST}")),
        ("fortinet", format!("{NAME}|{NET}|{REST}|{HASH}")),
        ("cisco", format!("{NAME}|{NET}|{REST}")),
        ("suricata", format!("[A-Za-z0-9+/]+={{0,2}}|{HASH}")),
        ("suricata-rules", r#"# With rules.*|# for instance.*|alert (?:dns|tls|http|ip) any any -> any any \(msg:"stockade: [A-Za-z ]+"; [^"]*sid:[0-9]+; rev:1;\)"#.to_owned()),
        ("suricata-iprep", format!("{NET},1,100")),
        ("zeek", format!(r"#fields\tindicator\tindicator_type\tmeta\.source\tmeta\.desc|(?:{NAME}|{NET}|{REST}|{HASH}|[^\s@]+@{NAME})\t[A-Z_]+\t[^\t\x00-\x1f]+\t[^\t\x00-\x1f]+")),
        ("haproxy", format!(r"\.{NAME}|{NET}")),
        ("nginx", format!("{NET} 1;")),
        ("squid", format!(r"\.{NAME}|{NET}")),
        ("postfix", format!(r"\.?{NAME} REJECT|{NET} REJECT")),
        ("rspamd", format!("{NAME}|{NET}")),
        ("clamav", format!(r"{HASH}:\*:Stockade\.Listed:73")),
        ("wazuh", format!(r#"(?:{NAME}|[0-9.]+|{HASH}|"[0-9a-f:.]+"|"{URL}"):stockade"#)),
        ("splunk", format!("(?:{cell},){{3}}{cell}")),
        ("csv", format!("(?:{cell},){{6}}{cell}")),
    ]
    .into_iter()
    .map(|(format, line)| (format, Regex::new(&format!("^(?:{line})$")).expect("a pattern")))
    .collect()
});

/// Texts that have broken out of some target's syntax, or could.
fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "evil.example\nok.example",
        "evil.example\r\n$INCLUDE /etc/passwd",
        "$INCLUDE /etc/passwd",
        "$ORIGIN .",
        "evil.example. CNAME . ; x",
        "evil.example ( CNAME",
        "evil.example\" always_nxdomain\ninclude: \"/etc/passwd",
        "a/ok.example",
        "*.com",
        "*.evil.example",
        "#",
        "//",
        "evil.example^$badfilter",
        "@@||ok.example^",
        "||ok.example^",
        "/ok.*/",
        "!ok.example",
        "evil.example 0.0.0.0 ok.example",
        "1.2.3.4 }\n}\n}\nflush ruleset\n",
        "1.2.3.4, 0.0.0.0/0",
        "1.2.3.4;include /etc/passwd;",
        "!8.0.0.0/8",
        "0.0.0.0/0",
        "::/0",
        "1.2.3.4-9.9.9.9",
        "8.0.0.0.127.rpz-client-ip",
        "32.4.3.2.1.rpz-ip",
        "ns.evil.example.rpz-nsdname",
        "24.0.2.0.192.rpz-nsip",
        "evil.rpz-drop",
        "rpz-passthru.",
        "evil..example",
        ".evil.example",
        "evil.example..",
        "-.example",
        "com",
        "co.uk",
        "github.io",
        "localhost",
        "http://evil.example/\";include:\"x",
        "http://evil.example/a b\tc\nd",
        "http://user:pass@evil.example/",
        "http://ok.example#@evil.example/",
        "http://evil.example/%0a%0d%00",
        "http://evil.example/';DROP TABLE x;--",
        "http://evil.example/{}|^`<>\\",
        "javascript://evil.example/%0aalert(1)",
        "=cmd|'/c calc'!A1@evil.example",
        "+evil@evil.example",
        "d41d8cd98f00b204e9800998ecf8427e:*:x:73\nevil",
        "d41d8cd98f00b204e9800998ecf8427g",
        // Look-alikes: Cyrillic, full width, zero width, right to left, a dot of another script, soft hyphen.
        "\u{435}vil.example",
        "\u{ff45}\u{ff56}\u{ff49}\u{ff4c}.example",
        "ev\u{200b}il.example",
        "\u{202e}elpmaxe.live",
        "evil\u{3002}example",
        "ev\u{ad}il.example",
        "xn--.example",
        "xn--a.example",
        "\u{130}.example",
        "evil.example\0.ok.example",
        "\u{1}evil.example",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("{}.example", "a".repeat(64)));
    texts.push(format!("{}example", "a.".repeat(124)));
    texts.push(format!("{}example", "a.".repeat(500)));
    texts.push(format!("http://evil.example/{}", "a".repeat(70_000)));
    // Every byte at the beginning, in the middle and at the end of a value of each kind.
    for byte in 0..=255_u8 {
        let letter = char::from(byte);
        for value in ["evil.example", "203.0.113.9", "2001:db8::1", "http://evil.example/a", "x@evil.example"] {
            let middle = value.len() / 2;
            texts.push(format!("{letter}{value}"));
            texts.push(format!("{}{letter}{}", &value[..middle], &value[middle..]));
            texts.push(format!("{value}{letter}"));
            texts.push(format!("{value}{letter}{value}"));
        }
        texts.push(format!("275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0{letter}"));
    }
    texts
}

/// The texts as patterns of every kind, as values of lists, and if `raw` as values that nobody brought into normal form;
/// every other text of an indicator is hostile too. One value is honest.
fn hostile_rules(raw: bool) -> RuleSet {
    let mut builder = RuleSetBuilder::default();
    let evil = "x\"'\n\r\t,;{}|=<>\\\u{0}\u{2028}";
    builder.origin(evil);
    let paths = [
        "domain-name:value",
        "ipv4-addr:value",
        "ipv6-addr:value",
        "url:value",
        "email-addr:value",
        "file:hashes.MD5",
        "file:hashes.'SHA-1'",
        "file:hashes.'SHA-256'",
        "file:hashes.'SHA-512'",
    ];
    for (number, text) in hostile_texts().iter().enumerate() {
        for (at, path) in paths.iter().enumerate() {
            let literal = text.replace('\\', "\\\\").replace('\'', "\\'");
            let indicator = Indicator {
                id: format!("indicator--{number}-{at}{evil}").into(),
                name: Some(evil.into()),
                pattern: format!("[{path} = '{literal}']").into(),
                pattern_type: "stix".into(),
                created_by: Some(evil.into()),
                created: None,
                modified: Timestamp::parse("2026-05-01T00:00:00Z").ok(),
                valid_from: None,
                valid_until: None,
                revoked: false,
                confidence: Some(255),
                labels: vec![evil.into(), "=1+1".into()],
                indicator_types: vec![evil.into()],
                tlp: None,
            };
            let _ = builder.add(&indicator);
        }
        if let Ok(value) = classify(text) {
            let _ = builder.add_value(value);
        }
        for kind in [Kind::Domain, Kind::Url, Kind::Email].into_iter().filter(|_| raw) {
            let _ = builder.add_value(Value::Text(kind, text.as_str().into()));
        }
    }
    builder.add_value(classify("honest.example").expect("a name")).expect("room");
    builder.build()
}

#[test]
fn only_legitimate_lines_reach_a_file() {
    let rules = hostile_rules(true);
    let mut formats = 0;
    for format in Format::all() {
        let names = format.kind_names();
        let ways: Vec<Vec<&str>> =
            if format.one_kind { names.iter().map(|name| vec![*name]).collect() } else { vec![names] };
        for way in ways {
            let options = kinds(&way);
            let bytes = render(format.name, &rules, &policy(), &options);
            let written = String::from_utf8(bytes).expect("text");
            formats += 1;
            match format.name {
                "stix" | "misp" => {
                    assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok(), "{}", format.name);
                    assert!(written.is_ascii() && !written.contains(['\r', '\0', '\t']), "{}", format.name);
                }
                "jsonl" | "ecs" => {
                    for line in written.split_terminator('\n') {
                        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{}: {line}", format.name);
                        assert!(line.is_ascii() && !line.contains(['\r', '\0', '\t']), "{}: {line}", format.name);
                    }
                }
                name => {
                    let line_of = LINES.get(name).unwrap_or_else(|| panic!("no rule for the lines of {name}"));
                    for line in written.split_terminator('\n') {
                        assert!(line_of.is_match(line), "{name} {way:?}: {line:?}");
                    }
                }
            }
            if way.contains(&"domain") && !matches!(format.name, "suricata" | "suricata-rules") {
                assert!(written.contains("honest.example"), "{}", format.name);
            }
        }
    }
    assert!(formats > Format::all().count());
}

#[test]
fn what_reaches_a_file_is_its_own_normal_form_and_was_listed() {
    let rules = hostile_rules(false);
    for (format, kind) in [("domains", "domain"), ("ips", "ip"), ("hashes", "sha256"), ("urls", "url")] {
        let written = String::from_utf8(render(format, &rules, &policy(), &kinds(&[kind]))).expect("text");
        assert!(written.lines().count() > 0, "{format}: nothing came through, so nothing was tested");
        for line in written.lines() {
            let value = classify(line).unwrap_or_else(|error| panic!("{format}: {line:?}: {error}"));
            assert_eq!(value.to_string(), line, "{format}");
            assert!(Kind::named(kind).contains(&value.kind()), "{format}: {line:?}");
        }
        for wrong in ["ok.example", "com", "github.io", "0.0.0.0/0", "::/0", "8.0.0.0/8", "localhost"] {
            assert!(!written.lines().any(|line| line == wrong), "{format}: {wrong}");
        }
    }
}

#[test]
fn a_bundle_of_hostile_indicators_reads_back_whole() {
    let rules = hostile_rules(false);
    let written = String::from_utf8(render("stix", &rules, &policy(), &Options::default())).expect("text");
    let bundle: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    let mut builder = RuleSetBuilder::default();
    let mut objects = 0;
    for object in bundle["objects"].as_array().expect("objects") {
        let json = object.to_string();
        let indicator = Indicator::from_json(json.as_bytes()).expect("an indicator");
        builder.add(&indicator).unwrap_or_else(|error| panic!("{error:?}: {json}"));
        objects += 1;
    }
    let again = builder.build();
    assert_eq!(again.indicators().filter(|one| one.status(&Filter::at(now())) == Status::Active).count(), objects);
    for format in ["domains", "ips", "hashes", "urls"] {
        let lines = |rules: &RuleSet| render(format, rules, &policy(), &Options::default());
        assert_eq!(String::from_utf8(lines(&again)), String::from_utf8(lines(&rules)), "{format}");
    }
}
