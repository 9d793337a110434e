//! Feeds as they are published, in small: what becomes of them are STIX indicators that say what the feed said, the same
//! ones each time.

use serde_json::Value;
use std::collections::BTreeSet;
use stockade::source::feed::{self, Column, Columns, Found, Options, Shape, Summary};
use stockade::stix::Indicator;

/// The objects of a feed, and what could not be used as `line: reason: detail`.
fn read(text: &str, shape: Shape<'_>) -> (Vec<Value>, Vec<String>, Summary) {
    let mut objects = Vec::new();
    let mut rejected = Vec::new();
    let mut visit = |place: stockade::source::Place, found: Found<'_>| match found {
        Found::Object(json) => {
            Indicator::from_json(json)
                .map(drop)
                .or_else(|error| match error.to_string().as_str() {
                    "an object of another type" => Ok(()),
                    other => Err(other.to_owned()),
                })
                .expect("every indicator can be read");
            objects.push(serde_json::from_slice(json).expect("every object is JSON"));
        }
        Found::Rejected(no) => rejected.push(format!("{}: {}: {}", place.line, no.reason, no.detail)),
    };
    let summary = feed::read(&mut text.as_bytes(), &Options { source: "feed", shape }, &mut visit);
    let summary = summary.unwrap_or_else(|error| panic!("{error}: {text}"));
    (objects, rejected, summary)
}

fn patterns(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["pattern"].as_str().unwrap()).collect()
}

fn error(text: &str, shape: Shape<'_>) -> String {
    let options = Options { source: "feed", shape };
    feed::read(&mut text.as_bytes(), &options, &mut |_, _| {}).expect_err("it cannot be read").to_string()
}

fn columns(set: impl FnOnce(&mut Columns)) -> Columns {
    let mut columns = Columns::default();
    set(&mut columns);
    columns
}

fn column(name: &str) -> Column {
    Column::Name(name.to_owned())
}

#[test]
fn stix_passes_as_it_is_written() {
    let identity = r#"{"type":"identity",  "id":"identity--1","name":"me"}"#;
    let indicator = r#"{"type":"indicator","id":"indicator--1","pattern":"[a:b = 'c']", "x_custom": 1.50}"#;
    for text in [
        format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{identity},{indicator}]}}"#),
        format!("{identity}\n{indicator}\n"),
        format!("[{identity},{indicator}]"),
        format!(r#"{{"more":false,"objects":[{identity},{indicator}]}}"#),
    ] {
        let mut seen = Vec::new();
        let options = Options { source: "feed", shape: Shape::Any };
        feed::read(&mut text.as_bytes(), &options, &mut |_, found| {
            if let Found::Object(json) = found {
                seen.push(String::from_utf8(json.to_vec()).unwrap());
            }
        })
        .unwrap();
        assert_eq!(seen, [identity, indicator], "{text}");
    }
    for empty in ["{}", "{\"objects\": []}", "[]", ""] {
        assert!(read(empty, Shape::Any).0.is_empty(), "{empty}");
    }
}

#[test]
fn values_of_lists_become_indicators() {
    let text =
        "# a list\n0.0.0.0 evil.example\n192.0.2.0/24 # remark\nhxxp://evil[.]example/a\nnonsense\nevil.example/b\n";
    let (objects, rejected, summary) = read(text, Shape::Any);
    assert_eq!(
        patterns(&objects),
        [
            "[domain-name:value = 'evil.example']",
            "[ipv4-addr:value = '192.0.2.0/24']",
            "[url:value = 'http://evil.example/a']",
            "[url:value = 'evil.example/b']"
        ]
    );
    assert_eq!(rejected, ["5: a domain needs a dot: nonsense"]);
    assert_eq!((summary.objects, summary.rejected), (4, 1));
    for object in &objects {
        // Valid STIX that is valid at any time.
        for key in ["created", "modified", "valid_from"] {
            assert_eq!(object[key], "1970-01-01T00:00:00Z");
        }
        assert_eq!((&object["spec_version"], &object["pattern_type"]), (&"2.1".into(), &"stix".into()));
        assert!(object.get("valid_until").is_none());
    }
    // The same value is the same indicator wherever it is listed.
    let again = read("[\"evil.example\"]", Shape::Any).0;
    assert_eq!(again[0], objects[0]);
}

const URLHAUS: &str = "\
################################################################
# abuse.ch URLhaus Database Dump (CSV - recent URLs only)      #
# Last updated: 2026-11-20 08:00:00 (UTC)                      #
################################################################
#
# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter
\"3\",\"2026-11-20 07:59:05\",\"http://192.0.2.1:5000/i\",\"online\",\"2026-11-20 07:59:05\",\"malware_download\",\"32-bit,elf,mips\",\"https://urlhaus.example/url/3/\",\"geenensp\"\r
\"2\",\"2026-11-19 07:58:04\",\"http://evil.example/a,b.exe\",\"offline\",\"\",\"malware_download\",\"None\",\"https://urlhaus.example/url/2/\",\"me\"\r
";

#[test]
fn urlhaus() {
    let (objects, rejected, _) = read(URLHAUS, Shape::Any);
    assert_eq!(rejected, [""; 0]);
    assert_eq!(
        patterns(&objects),
        ["[url:value = 'http://192.0.2.1:5000/i']", "[url:value = 'http://evil.example/a,b.exe']"]
    );
    assert_eq!(objects[0]["labels"], serde_json::json!(["malware_download", "online", "32-bit", "elf", "mips"]));
    assert_eq!(objects[1]["labels"], serde_json::json!(["malware_download", "offline"]));
    assert_eq!(
        (&objects[1]["created"], &objects[1]["modified"]),
        (&"2026-11-19T07:58:04Z".into(), &"2026-11-19T07:58:04Z".into())
    );
    assert_eq!(objects[0]["external_references"][0]["url"], "https://urlhaus.example/url/3/");
    // Asked for by name it is the same.
    let asked = Columns::preset("urlhaus").unwrap();
    assert_eq!(read(URLHAUS, Shape::Table(Some(&asked))).0, objects);
    assert_eq!(read(URLHAUS, Shape::Table(None)).0, objects);
}

#[test]
fn feodo() {
    let text = "\
################################################################
# abuse.ch Feodo Tracker Botnet C2 IP Blocklist (CSV)          #
# Last updated: 2026-11-20 08:00:00 UTC                        #
################################################################
#
\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"
\"2026-10-01 10:00:00\",\"192.0.2.7\",\"443\",\"online\",\"2026-11-20\",\"QakBot\"
# END 1 entries
";
    let (objects, rejected, _) = read(text, Shape::Any);
    assert_eq!(rejected, [""; 0]);
    assert_eq!(patterns(&objects), ["[ipv4-addr:value = '192.0.2.7']"]);
    assert_eq!((&objects[0]["name"], &objects[0]["modified"]), (&"QakBot".into(), &"2026-11-20T00:00:00Z".into()));
    assert_eq!(objects[0]["labels"], serde_json::json!(["QakBot", "online"]));
}

#[test]
fn threatfox() {
    let text = "\
################################################################
# ThreatFox IOCs: recent - CSV format                          #
################################################################
#
# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"
\"2026-11-20 07:00:00\", \"11\", \"192.0.2.1:443\", \"ip:port\", \"botnet_cc\", \"win.cobalt_strike\", \"Agentemis,BEACON\", \"Cobalt Strike\", \"\", \"100\", \"False\", \"https://ref.example/1\", \"CobaltStrike,x\", \"0\", \"me\"
\"2026-11-20 07:00:01\", \"12\", \"192.0.2.1:8080\", \"ip:port\", \"botnet_cc\", \"win.x\", \"None\", \"X\", \"2026-11-21 07:00:00\", \"50\", \"False\", \"None\", \"None\", \"0\", \"me\"
\"2026-11-20 07:00:02\", \"13\", \"evil.example\", \"domain\", \"payload_delivery\", \"js.y\", \"None\", \"Y\", \"\", \"75\", \"False\", \"None\", \"None\", \"1\", \"me\"
\"2026-11-20 07:00:03\", \"14\", \"d41d8cd98f00b204e9800998ecf8427e\", \"md5_hash\", \"payload\", \"js.y\", \"None\", \"Y\", \"\", \"75\", \"False\", \"None\", \"None\", \"1\", \"me\"
\"2026-11-20 07:00:04\", \"15\", \"odd\", \"carrier_pigeon\", \"payload\", \"js.y\", \"None\", \"Y\", \"\", \"75\", \"False\", \"None\", \"None\", \"1\", \"me\"
# Number of entries: 5
";
    let (objects, rejected, _) = read(text, Shape::Any);
    assert_eq!(rejected, ["10: a type that no log shows: carrier_pigeon: odd"]);
    assert_eq!(
        patterns(&objects),
        [
            "[ipv4-addr:value = '192.0.2.1']",
            "[ipv4-addr:value = '192.0.2.1']",
            "[domain-name:value = 'evil.example']",
            "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']"
        ]
    );
    // Two entries of one address say different things: two indicators.
    assert_ne!(objects[0]["id"], objects[1]["id"]);
    assert_eq!(objects[0]["confidence"], 100);
    assert_eq!(objects[0]["description"], "192.0.2.1:443");
    assert_eq!(objects[0]["labels"], serde_json::json!(["botnet_cc", "Cobalt Strike", "CobaltStrike", "x"]));
    assert_eq!(objects[1]["modified"], "2026-11-21T07:00:00Z");
}

#[test]
fn tables_are_read_by_their_mapping() {
    let text =
        "1;domain;evil[.]example;high;c2|botnet;2026-01-01;2027-01-01\n2;ip;192.0.2.1;x;;;\n3;mutex;Global\\x;;;;\n";
    let map = columns(|map| {
        map.value = Some(Column::Number(3));
        map.kind = Some(Column::Number(2));
        map.confidence = Some(Column::Number(4));
        map.labels = vec![Column::Number(5)];
        map.valid_from = Some(Column::Number(6));
        map.valid_until = Some(Column::Number(7));
    });
    let (objects, rejected, _) = read(text, Shape::Table(Some(&map)));
    assert_eq!(rejected, [""; 0]);
    assert_eq!(
        patterns(&objects),
        ["[domain-name:value = 'evil.example']", "[ipv4-addr:value = '192.0.2.1']", "[mutex:name = 'Global\\\\x']"]
    );
    assert_eq!((&objects[0]["confidence"], &objects[0]["labels"]), (&85.into(), &serde_json::json!(["c2", "botnet"])));
    assert_eq!(
        (&objects[0]["valid_from"], &objects[0]["valid_until"]),
        (&"2026-01-01T00:00:00Z".into(), &"2027-01-01T00:00:00Z".into())
    );
    assert_eq!(objects[1].get("confidence"), None);

    // A header is passed over, whether it is used or not.
    let text = "No,Kind,Entry\n1,domain,evil.example\n2,url,http://a.example/\n";
    let by_number = columns(|map| map.value = Some(Column::Number(3)));
    let by_name = columns(|map| (map.value, map.kind) = (Some(column("entry")), Some(column("kind"))));
    for map in [by_number, by_name] {
        let (objects, rejected, _) = read(text, Shape::Table(Some(&map)));
        assert_eq!(rejected, [""; 0]);
        assert_eq!(patterns(&objects), ["[domain-name:value = 'evil.example']", "[url:value = 'http://a.example/']"]);
    }
    // With nothing but values, it is as good as a list.
    let (objects, ..) = read(text, Shape::Table(Some(&columns(|map| map.value = Some(Column::Number(3))))));
    assert_eq!(objects[0], read("evil.example\n", Shape::Any).0[0]);
    // A single column is a table, too; a row may lack what it should have.
    let one = columns(|map| map.value = Some(Column::Number(1)));
    assert_eq!(patterns(&read("evil.example\n", Shape::Table(Some(&one))).0), ["[domain-name:value = 'evil.example']"]);
    let (_, rejected, _) = read(
        "1,a.example\n2,b.example\n3\n4,\n",
        Shape::Table(Some(&columns(|map| map.value = Some(Column::Number(2))))),
    );
    assert_eq!(rejected, ["3: no value in this row: 3", "4: no value in this row: 4,"]);
}

#[test]
fn what_is_no_table_of_that_kind_says_so() {
    let map = columns(|map| map.value = Some(column("ioc")));
    let shape = Shape::Table(Some(&map));
    assert_eq!(error("ip,port\n192.0.2.1,1\n", shape), "there is no column called ioc; the header names ip, port");
    let number = columns(|map| map.value = Some(Column::Number(9)));
    assert_eq!(error("a,192.0.2.1\n", Shape::Table(Some(&number))), "there is no column 9: rows have 2");
    assert_eq!(error("{\"objects\": []}", shape), "JSON, not CSV");
    assert!(error("<html><body>503</body></html>", shape).starts_with("neither JSON nor a list: HTML or XML"));
    assert!(error("<html>", Shape::Any).starts_with("neither JSON nor a list: HTML or XML"));
    assert!(error("{\"error\": \"no key\"}", Shape::Any).starts_with("JSON that is neither STIX"));
    assert!(error("Service unavailable\n", Shape::Any).starts_with("neither JSON nor a list: line 1"));
}

#[test]
fn events_of_misp() {
    let text = r#"{"Event": {"uuid": "5f4e0d3c-0000-4000-8000-000000000001", "info": "OSINT - evil things", "timestamp": "1763600000",
      "date": "2026-11-20", "threat_level_id": "1", "Orgc": {"name": "CIRCL"},
      "Tag": [{"name": "tlp:amber", "colour": "\u0023ffffff"}, {"name": "osint:lifetime=\"perpetual\""}, {"name": "misp:confidence-level=\"usually-confident\""}],
      "Attribute": [
        {"uuid": "5f4e0d3c-0000-4000-8000-000000000011", "type": "ip-dst", "category": "Network activity", "to_ids": true, "value": "192.0.2.1", "timestamp": "1763600001", "comment": "C2"},
        {"uuid": "5f4e0d3c-0000-4000-8000-000000000012", "type": "filename|sha1", "to_ids": true, "value": "a.exe|da39a3ee5e6b4b0d3255bfef95601890afd80709", "timestamp": 1763600002, "deleted": false},
        {"uuid": "5f4e0d3c-0000-4000-8000-000000000013", "type": "comment", "to_ids": false, "value": "192.0.2.99"},
        {"uuid": "5f4e0d3c-0000-4000-8000-000000000014", "type": "domain", "to_ids": true, "value": "gone.example", "timestamp": "1763600003", "deleted": true},
        {"uuid": "5f4e0d3c-0000-4000-8000-000000000015", "type": "btc", "to_ids": true, "value": "1A"},
        {"uuid": "5f4e0d3c-0000-4000-8000-000000000016", "type": "yara", "to_ids": true, "value": "rule x { condition: true }", "timestamp": "1763600003"}],
      "Object": [{"name": "url", "Attribute": [
        {"uuid": "5f4e0d3c-0000-4000-8000-000000000017", "type": "url", "object_relation": "url", "to_ids": true, "value": "http://evil.example/", "timestamp": "1763600004", "Tag": [{"name": "tlp:red"}]}]}]}}"#;
    let (objects, rejected, summary) = read(text, Shape::Any);
    assert_eq!(rejected, ["1: a type that no log shows: btc: 1A"]);
    assert_eq!(summary.passed_over, 1);
    assert_eq!(
        patterns(&objects),
        [
            "[ipv4-addr:value = '192.0.2.1']",
            "[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
            "[domain-name:value = 'gone.example']",
            "rule x { condition: true }",
            "[url:value = 'http://evil.example/']"
        ]
    );
    let first = &objects[0];
    assert_eq!(first["id"], "indicator--5f4e0d3c-0000-4000-8000-000000000011");
    assert_eq!((&first["name"], &first["description"]), (&"OSINT - evil things".into(), &"C2".into()));
    assert_eq!((&first["modified"], &first["confidence"]), (&"2025-11-20T00:53:21Z".into(), &75.into()));
    assert_eq!(first["labels"].as_array().map(Vec::len), Some(3));
    assert_eq!(objects[1]["description"], "a.exe|da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_eq!(objects[2]["revoked"], true);
    assert_eq!(objects[3]["pattern_type"], "yara");
    let tlp = |object: &Value| Indicator::from_json(object.to_string().as_bytes()).unwrap().tlp.unwrap().to_string();
    assert_eq!((tlp(first), tlp(&objects[4])), ("amber".to_owned(), "red".to_owned()));
    assert_eq!(
        feed::misp::event_of(first.to_string().as_bytes()).unwrap().to_string(),
        "5f4e0d3c-0000-4000-8000-000000000001"
    );
    // As a search of MISP answers.
    let wrapped = format!(r#"{{"response": [{text}]}}"#);
    assert_eq!(read(&wrapped, Shape::Any).0, objects);
}

#[test]
fn manifests_of_misp() {
    let manifest = feed::misp::Manifest::from_json(
        br#"{"5f4e0d3c-0000-4000-8000-000000000001": {"info": "a", "timestamp": "1763600000", "Orgc": {"timestamp": "1"}},
             "5f4e0d3c-0000-4000-8000-000000000002": {"info": "b", "timestamp": 1763600001}, "../../etc/passwd": {"timestamp": "1"}}"#,
    )
    .unwrap();
    let events: Vec<_> = manifest.events.iter().map(|(uuid, timestamp)| (uuid.to_string(), *timestamp)).collect();
    assert_eq!(
        events,
        [
            ("5f4e0d3c-0000-4000-8000-000000000001".to_owned(), 1_763_600_000),
            ("5f4e0d3c-0000-4000-8000-000000000002".to_owned(), 1_763_600_001)
        ]
    );
    assert_eq!(manifest.unusable, ["../../etc/passwd"]);
    assert!(feed::misp::Manifest::from_json(b"{}").unwrap().events.is_empty());
    assert!(feed::misp::Manifest::from_json(b"[]").is_err());
    assert!(feed::misp::Manifest::from_json(br#"{"error": "no"}"#).is_err());
}

#[test]
fn pulses_of_otx() {
    let text = r#"{"results": [{"id": "6543210", "name": "Evil pulse", "author_name": "me", "TLP": "green", "adversary": "APT0",
      "created": "2026-11-01T10:00:00.123000", "modified": "2026-11-02T10:00:00.456000", "tags": ["c2", "apt"], "malware_families": [{"id": "Emotet", "display_name": "Emotet"}],
      "indicators": [
        {"id": 1, "indicator": "192.0.2.1", "type": "IPv4", "created": "2026-11-01T10:00:01", "content": "", "title": "", "is_active": 1, "expiration": null},
        {"id": 2, "indicator": "evil.example", "type": "hostname", "created": "2026-11-01T10:00:01", "title": "the host", "is_active": 0},
        {"id": 3, "indicator": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "type": "FileHash-SHA1", "created": "2026-11-01T10:00:01", "expiration": "2026-12-01T00:00:00"},
        {"id": 4, "indicator": "CVE-2026-1", "type": "CVE"}]}],
      "count": 1, "previous": null, "next": "https://otx.example/api/v1/pulses/subscribed?page=2"}"#;
    let (objects, rejected, summary) = read(text, Shape::Any);
    assert_eq!(rejected, ["1: a type that no log shows: CVE: CVE-2026-1"]);
    assert_eq!(summary.next.as_deref(), Some("https://otx.example/api/v1/pulses/subscribed?page=2"));
    assert_eq!(
        patterns(&objects),
        [
            "[ipv4-addr:value = '192.0.2.1']",
            "[domain-name:value = 'evil.example']",
            "[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']"
        ]
    );
    assert_eq!((&objects[0]["name"], &objects[1]["name"]), (&"Evil pulse".into(), &"the host".into()));
    assert_eq!(objects[0]["labels"], serde_json::json!(["c2", "apt", "APT0", "Emotet"]));
    assert_eq!(
        (&objects[0]["created"], &objects[0]["modified"]),
        (&"2026-11-01T10:00:01Z".into(), &"2026-11-02T10:00:00.456Z".into())
    );
    assert_eq!(objects[1]["revoked"], true);
    assert_eq!(objects[2]["valid_until"], "2026-12-01T00:00:00Z");
    let ids: BTreeSet<_> = objects.iter().map(|object| object["id"].to_string()).collect();
    assert_eq!(ids.len(), 3);
    // A single pulse, as exported.
    let pulse = &text[text.find("[{").unwrap() + 1..text.rfind("],\n").unwrap()];
    assert_eq!(read(pulse, Shape::Any).0, objects);
}

#[test]
fn what_is_cut_short_is_told() {
    let (_, rejected, summary) = read(r#"{"objects": [{"type":"tool","id":"tool--1"}, {"type":"to"#, Shape::Any);
    assert!(summary.cut && rejected.len() == 1, "{rejected:?}");
    let (_, rejected, summary) = read("{\"foo\": 1}\n{\"type\":\"tool\",\"id\":\"tool--1\"}\n", Shape::Any);
    assert_eq!((summary.objects, rejected.len()), (1, 1));
}

#[test]
fn an_entry_that_is_repeated_counts_once() {
    let map = columns(|map| (map.value, map.labels) = (Some(Column::Number(1)), vec![Column::Number(2)]));
    let text = "a.example,one\nb.example,x\na.example,two\n";
    let (objects, _, summary) = read(text, Shape::Table(Some(&map)));
    assert_eq!(patterns(&objects), ["[domain-name:value = 'a.example']", "[domain-name:value = 'b.example']"]);
    assert_eq!((summary.objects, summary.passed_over), (2, 1));
}
