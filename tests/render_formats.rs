//! What each format writes, to the byte, and what all formats have in common.

mod render_support;

use render_support::{kinds, now, policy, render, sample, text, values};
use snapbox::{Data, assert_data_eq};
use std::path::PathBuf;
use stockade::blocklist::{Policy, Subdomains};
use stockade::observable::{Kind, classify};
use stockade::render::{Action, Format, Options};

fn golden(name: &str) -> Data {
    Data::read_from(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/render").join(name), None).raw()
}

/// A format with each kind alone if a file of it holds one, else with all.
fn ways(format: &Format) -> Vec<(String, Vec<&'static str>)> {
    let names = format.kind_names();
    if format.one_kind {
        names.iter().map(|kind| (format!("{}-{kind}.txt", format.name), vec![*kind])).collect()
    } else {
        vec![(format!("{}.txt", format.name), names)]
    }
}

#[test]
fn every_format_writes_what_it_wrote() {
    let rules = sample();
    for format in Format::all() {
        for (file, names) in ways(format) {
            let options =
                Options { built: Some("2026-06-01T00:00:00Z".to_owned()), serial: 1_780_272_000, ..kinds(&names) };
            let policy = Policy { allow: vec![classify("good.evil.example").expect("a value")], ..policy() };
            // Where the target knows no exceptions, the name above an allowed one is held back.
            let policy = if format.exceptions { policy } else { render_support::policy() };
            let bytes = render(format.name, &rules, &policy, &options);
            assert_data_eq!(Data::text(String::from_utf8(bytes).expect("text")).raw(), golden(&file));
        }
    }
}

#[test]
fn decisions_end_after_the_timeout_that_was_asked_for() {
    let options = Options { timeout: Some(90), ..Options::default() };
    let written = text("crowdsec", &values(["198.51.100.9"]), &options);
    assert_eq!(written, "duration,scope,value,reason,type\n90s,ip,198.51.100.9,stockade,ban\n");
}

#[test]
fn the_order_of_the_input_changes_nothing() {
    let listed =
        ["b.example", "a.example", "x.a.example", "198.51.100.9", "198.51.100.8", "2001:db8::9", "http://a.example/"];
    let forwards = values(listed);
    let backwards = values(listed.into_iter().rev());
    for format in Format::all() {
        for (_, names) in ways(format) {
            let options = kinds(&names);
            assert_eq!(
                text(format.name, &forwards, &options),
                text(format.name, &backwards, &options),
                "{}",
                format.name
            );
        }
    }
}

#[test]
fn the_header_is_one_comment_at_the_top_and_the_only_place_for_time() {
    let rules = sample();
    for format in Format::all() {
        let (_, names) = ways(format).remove(0);
        let options = kinds(&names);
        let bare = text(format.name, &rules, &options);
        let with =
            text(format.name, &rules, &Options { built: Some("2026-06-01T00:00:00Z\nevil".to_owned()), ..options });
        match format.comment {
            None => assert_eq!(with, bare, "{}", format.name),
            Some(sign) => {
                let (header, rest) = with.split_once('\n').expect("a line");
                assert_eq!(rest, bare, "{}", format.name);
                assert!(header.starts_with(&format!("{sign} stockade ")), "{header}");
                assert!(
                    header.contains(" built=2026-06-01T00:00:00Z_evil ") && header.contains(" sha256="),
                    "{header}"
                );
            }
        }
    }
}

#[test]
fn nothing_listed_is_still_a_file_that_its_target_reads() {
    let rules = values([]);
    let nft = text("nftables", &rules, &Options::default());
    assert!(!nft.contains("elements") && nft.ends_with("\t}\n}\n"), "{nft}");
    let zone = text("rpz", &rules, &Options::default());
    assert_eq!(zone.lines().count(), 3, "{zone}");
    for format in ["stix", "misp"] {
        let json: serde_json::Value = serde_json::from_str(&text(format, &rules, &Options::default())).expect("JSON");
        assert!(json.is_object());
    }
}

#[test]
fn without_subdomains_each_name_stands_for_itself() {
    let rules = values(["a.example", "x.a.example"]);
    let exact = Policy { subdomains: false, ..policy() };
    let options = kinds(&["domain"]);
    let lines = |format: &str| {
        let written = String::from_utf8(render(format, &rules, &exact, &options)).expect("text");
        written.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("domains"), ["a.example", "x.a.example"]);
    assert_eq!(lines("squid"), ["a.example", "x.a.example"]);
    assert_eq!(lines("dnscrypt-proxy"), ["=a.example", "=x.a.example"]);
    assert_eq!(lines("rpz")[3..], ["a.example CNAME .", "x.a.example CNAME ."]);
    for format in Format::all().filter(|format| format.kind_names().contains(&"domain")) {
        if format.subdomains == Subdomains::Always {
            let written = text(format.name, &rules, &options);
            assert!(!written.contains("x.a.example"), "{} covers what is below a name: {written}", format.name);
        }
    }
}

#[test]
fn triggers_of_policy_zones_are_names_in_no_format() {
    let triggers = ["8.0.0.0.127.rpz-client-ip", "ns.evil.rpz-nsdname", "32.1.2.3.4.rpz-ip", "a.rpz-"];
    let rules = values(triggers.into_iter().chain(["rpz-ip.example"]));
    for format in Format::all().filter(|format| format.kinds.contains(&Kind::Domain)) {
        let written = text(format.name, &rules, &Options { kinds: vec![Kind::Domain], ..Options::default() });
        let found = triggers.iter().find(|trigger| written.contains(*trigger));
        assert_eq!(found, None, "{}: {written}", format.name);
    }
    assert!(text("domains", &rules, &Options::default()).contains("rpz-ip.example\n"));
}

#[test]
fn actions_are_those_of_the_target() {
    let rules = values(["a.example", "198.51.100.9"]);
    let with = |format: &str, action, sinkhole: &[&str]| {
        let sinkhole = sinkhole.iter().map(|address| address.parse().expect("an address")).collect();
        text(format, &rules, &Options { action, sinkhole, ..Options::default() })
    };
    for (action, record) in [
        (Action::Nxdomain, "CNAME ."),
        (Action::Nodata, "CNAME *."),
        (Action::Drop, "CNAME rpz-drop."),
        (Action::Refuse, "CNAME ."),
    ] {
        let zone = with("rpz", action, &[]);
        for owner in ["a.example", "*.a.example", "32.9.100.51.198.rpz-ip"] {
            assert!(zone.contains(&format!("\n{owner} {record}\n")), "{zone}");
        }
    }
    let zone = with("rpz", Action::Sinkhole, &["192.0.2.1", "2001:db8::1"]);
    for record in ["a.example A 192.0.2.1", "a.example AAAA 2001:db8::1", "*.a.example AAAA 2001:db8::1"] {
        assert!(zone.contains(&format!("\n{record}\n")), "{zone}");
    }
    assert!(with("rpz", Action::Sinkhole, &[]).contains("\na.example CNAME .\n"), "a sinkhole nowhere is no name");
    assert!(with("unbound", Action::Refuse, &[]).contains("\"a.example.\" always_refuse\n"));
    assert_eq!(with("dnsmasq", Action::Sinkhole, &["192.0.2.1"]), "address=/a.example/192.0.2.1\n");
    assert_eq!(with("hosts", Action::Sinkhole, &["192.0.2.1"]), "192.0.2.1 a.example\n");
    assert!(with("nftables", Action::Refuse, &[]).contains("@blocked4 counter reject\n"));
}

#[test]
fn json_formats_are_json() {
    let rules = sample();
    for format in ["stix", "misp"] {
        serde_json::from_str::<serde_json::Value>(&text(format, &rules, &Options::default())).expect("one object");
    }
    for format in ["jsonl", "ecs"] {
        let written = text(format, &rules, &Options::default());
        assert!(written.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{written}");
    }
}

#[test]
fn a_written_bundle_reads_back_as_the_same_values() {
    let rules = sample();
    let bundle: serde_json::Value = serde_json::from_str(&text("stix", &rules, &Options::default())).expect("JSON");
    let mut builder = stockade::compile::RuleSetBuilder::default();
    for object in bundle["objects"].as_array().expect("objects") {
        let json = object.to_string();
        let indicator = stockade::stix::Indicator::from_json(json.as_bytes()).expect("an indicator");
        builder.add(&indicator).expect("a pattern");
    }
    let again = builder.build();
    let filter = stockade::compile::Filter::at(now());
    assert!(again.indicators().all(|indicator| indicator.status(&filter) == stockade::compile::Status::Active));
    for format in ["domains", "ips", "urls", "hashes"] {
        assert_eq!(text(format, &again, &Options::default()), text(format, &rules, &Options::default()));
    }
}

#[test]
fn keys_of_a_cdb_list_are_dotted_beginnings_and_unique() {
    let rules = values(["203.0.112.0/22", "203.0.113.0/24", "203.0.113.7", "11.0.0.0/9", "2001:db8::0", "2001:db8::1"]);
    let written = text("wazuh", &rules, &Options::default());
    let mut keys: Vec<&str> = written.lines().map(|line| line.strip_suffix(":stockade").expect("a value")).collect();
    assert_eq!(keys.len(), 4 + 128 + 2);
    for key in ["11.0.", "11.127.", "203.0.112.", "203.0.115.", "\"2001:db8::1\""] {
        assert!(keys.contains(&key), "{key}: {written}");
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 4 + 128 + 2);
}

#[test]
fn rows_of_a_long_list_are_all_there_and_in_order() {
    let names: Vec<String> = (0..40_000).map(|number| format!("host{number:05}.example")).collect();
    let rules = values(names.iter().map(String::as_str));
    let names: Vec<String> = text("domains", &rules, &Options::default()).lines().map(str::to_owned).collect();
    assert_eq!(names.len(), 40_000);
    let csv = text("csv", &rules, &Options::default());
    let cells = csv.lines().skip(1).map(|line| line.split(',').nth(1).expect("a value").to_owned());
    assert_eq!(cells.collect::<Vec<_>>(), names);
    let event: serde_json::Value = serde_json::from_str(&text("misp", &rules, &Options::default())).expect("JSON");
    let attributes = event["Event"]["Attribute"].as_array().expect("attributes");
    let values = attributes.iter().map(|one| one["value"].as_str().expect("a value").to_owned());
    assert_eq!(values.collect::<Vec<_>>(), names);
}

#[test]
fn no_indicator_is_said_to_list_more_than_it_does() {
    let rules = values(["203.0.112.0/22", "203.0.113.0/24", "203.0.113.7", "2001:db8::/32", "2001:db8::1"]);
    let bundle: serde_json::Value = serde_json::from_str(&text("stix", &rules, &Options::default())).expect("JSON");
    let patterns: Vec<&str> =
        bundle["objects"].as_array().expect("objects").iter().filter_map(|one| one["pattern"].as_str()).collect();
    assert_eq!(patterns.len(), 5);
    assert!(patterns.iter().all(|pattern| !pattern.contains(" OR ")), "{patterns:?}");
    // What is left of a prefix with a hole is told by who lists the prefix.
    let hole = Policy { allow: vec![classify("203.0.112.0/25").expect("a value")], ..policy() };
    let written = String::from_utf8(render("csv", &values(["203.0.112.0/24"]), &hole, &kinds(&["ip"]))).expect("text");
    assert_eq!(written.lines().count(), 2, "{written}");
    assert!(written.contains("\nip,203.0.112.128/25,indicator--"), "{written}");
}
