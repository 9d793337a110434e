//! `stockade why`, and the commands that speak of the command line itself.

use std::process::{Command, Output};

fn run(args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args(args)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code().unwrap_or(-1), text(&stdout), text(&stderr))
}

fn why(value: &str, more: &[&str]) -> (i32, Vec<serde_json::Value>) {
    let args = [&["why", "--json", "-i", "indicators.json", value], more].concat();
    let (code, out, _) = run(&args);
    (code, out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

#[test]
fn each_listing_says_whether_it_counts_and_if_not_why() {
    for (value, more, code, listed, relation, reason) in [
        ("203.0.113.66", &[][..], 0, "203.0.113.66", "exact", None),
        ("::ffff:203.0.113.66", &[], 0, "203.0.113.66", "exact", None),
        ("203.0.113.66", &["--min-confidence", "95"], 1, "203.0.113.66", "exact", Some("confidence")),
        ("203.0.113.66", &["--label", "phishing"], 1, "203.0.113.66", "exact", Some("label")),
        ("203.0.113.66", &["--at", "2025-01-01T00:00:00Z"], 1, "203.0.113.66", "exact", Some("not-yet-valid")),
        ("198.51.100.30", &[], 0, "198.51.100.0/27", "cidr", None),
        ("198.51.100.30", &["--allow", "allow.txt"], 1, "198.51.100.0/27", "cidr", Some("allow")),
        ("198.51.100.3", &["--allow", "allow.txt"], 0, "198.51.100.0/27", "cidr", None),
        ("2001:DB8:BAD::1", &[], 0, "2001:db8:bad::/48", "cidr", None),
        ("192.0.2.14", &[], 1, "192.0.2.14", "exact", Some("expired")),
        ("192.0.2.14", &["--include-expired"], 0, "192.0.2.14", "exact", None),
        ("192.0.2.14", &["--at", "2025-05-31T23:59:59Z"], 0, "192.0.2.14", "exact", None),
        ("cdn.shared.example", &[], 1, "cdn.shared.example", "exact", Some("revoked")),
        ("Update.Mirage.Example.", &[], 0, "update.mirage.example", "exact", None),
        ("a.update.mirage.example", &[], 1, "update.mirage.example", "subdomain", Some("subdomain")),
        ("a.update.mirage.example", &["--subdomains"], 0, "update.mirage.example", "subdomain", None),
        ("https://update.mirage.example/x", &[], 0, "update.mirage.example", "host-of-url", None),
        ("root@update.mirage.example", &[], 0, "update.mirage.example", "host-of-email", None),
        ("hxxp://portal[.]example/login/verify.php", &[], 0, "http://portal.example/login/verify.php", "exact", None),
        (
            "http://portal.example/login/verify.php",
            &["--tlp", "green"],
            1,
            "http://portal.example/login/verify.php",
            "exact",
            Some("tlp"),
        ),
        ("203.0.113.200", &[], 1, "203.0.113.200", "exact", Some("more-needed")),
        ("D41D8CD98F00B204E9800998ECF8427E", &[], 0, "d41d8cd98f00b204e9800998ecf8427e", "exact", None),
    ] {
        let (got, listings) = why(value, more);
        assert_eq!((got, listings.len()), (code, 1), "{value} {more:?}: {listings:?}");
        let listing = &listings[0];
        assert_eq!(listing["listed"], listed, "{value} {more:?}");
        assert_eq!(listing["relation"], relation, "{value} {more:?}");
        assert_eq!(listing["reason"].as_str(), reason, "{value} {more:?}");
        assert_eq!(listing["active"], reason.is_none(), "{value} {more:?}");
        assert_eq!(listing["origin"], "indicators.json");
    }
    assert_eq!(why("192.0.2.200", &[]), (1, vec![]));
    assert_eq!(why("evil.mirage.example", &[]), (1, vec![]), "a sibling is not covered");
}

#[test]
fn tests_of_values_and_parts_of_texts_are_known_too() {
    let patterns = [
        "[domain-name:value LIKE '%.dyn.example']",
        "[domain-name:value MATCHES '^dga[0-9]+[.]' AND domain-name:value NOT IN ('dga1.example')]",
        "[ipv4-addr:value = '203.0.113.50' AND ipv4-addr:value != '192.0.2.1']",
        "[file:name = 'invoice_final.exe']",
        "[file:name = 'a']",
        "[domain-name:value LIKE '%.old.example']",
    ];
    let objects: Vec<_> = (0..)
        .zip(patterns)
        .map(|(number, pattern)| {
            serde_json::json!({
                "type": "indicator", "spec_version": "2.1", "id": format!("indicator--0000000{number}-0000-4000-8000-000000000000"),
                "created": "2020-01-01T00:00:00Z", "modified": "2020-01-01T00:00:00Z", "valid_from": "2020-01-01T00:00:00Z",
                "pattern": pattern, "pattern_type": "stix", "revoked": pattern.contains("old"),
            })
        })
        .collect();
    let bundle = serde_json::json!({"type": "bundle", "id": "bundle--1", "objects": objects}).to_string();
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&file, bundle).expect("it is written");
    let path = file.path().to_str().expect("a name in UTF-8");
    for (value, number, listed, relation, reason) in [
        ("x.dyn.example", Some(0), "LIKE '%.dyn.example'", "exact", None),
        ("http://x.dyn.example/a", Some(0), "LIKE '%.dyn.example'", "host-of-url", None),
        ("root@x.dyn.example", Some(0), "LIKE '%.dyn.example'", "host-of-email", None),
        ("dyn.example", None, "", "", None),
        ("dga77.example", Some(1), "MATCHES '^dga[0-9]+[.]'", "exact", None),
        ("dga1.example", Some(1), "MATCHES '^dga[0-9]+[.]'", "exact", Some("more-needed")),
        ("203.0.113.50", Some(2), "203.0.113.50", "exact", None),
        ("invoice_final.exe", Some(3), "invoice_final.exe", "text", None),
        ("C:\\x\\invoice_final.exe", Some(3), "invoice_final.exe", "text", None),
        ("xinvoice_final.exe", None, "", "", None),
        ("a", Some(4), "a", "text", Some("vague")),
        ("a b", None, "", "", None),
        ("x.old.example", Some(5), "LIKE '%.old.example'", "exact", Some("revoked")),
    ] {
        let (code, out, _) = run(&["why", "--json", "-i", path, value]);
        let listings: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(listings.len(), usize::from(number.is_some()), "{value}: {out}");
        assert_eq!(code, i32::from(number.is_none() || reason.is_some()), "{value}: {out}");
        for listing in listings {
            let id = listing["indicator"]["id"].as_str().expect("an id");
            assert!(id.starts_with(&format!("indicator--0000000{}", number.expect("a number"))), "{value}: {out}");
            assert_eq!((&listing["listed"], &listing["relation"]), (&listed.into(), &relation.into()), "{value}");
            assert_eq!(listing["reason"].as_str(), reason, "{value}");
        }
        let log = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(&log, value).expect("it is written");
        let (matched, ..) = run(&["match", "--quiet", "-q", "-i", path, log.path().to_str().expect("UTF-8")]);
        assert_eq!(matched, code, "why and match agree on {value}");
    }
}

#[test]
fn every_source_is_named() {
    let (code, out, _) = run(&["why", "203.0.113.66", "-i", "indicators.json", "-i", "list.txt"]);
    assert_eq!(code, 0);
    assert!(out.contains("from indicators.json") && out.contains("from list.txt"), "{out}");
    assert!(out.contains("Mirage command server\n  active\n"), "{out}");
    let (code, _, notes) = run(&["why", "203.0.113.999", "-i", "list.txt"]);
    assert!(code == 1 && notes.contains("looked for as a text"), "a value that is none is said to be none: {notes}");
    let (code, out, _) = run(&["why", "192.0.2.200", "-i", "list.txt"]);
    assert_eq!((code, &*out), (1, "192.0.2.200: no indicator lists or covers it\n"));
}

#[test]
fn what_why_says_is_what_match_does() {
    for value in
        ["203.0.113.66", "192.0.2.14", "198.51.100.31", "198.51.100.32", "a.update.mirage.example", "203.0.113.200"]
    {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let log = dir.path().join("log");
        std::fs::write(&log, format!("seen {value} today\n")).expect("written");
        for more in [&[][..], &["--subdomains"], &["--include-expired"], &["--allow", "allow.txt"]] {
            let log = log.to_str().expect("UTF-8");
            let matched = run(&[&["match", "-i", "indicators.json", log], more].concat()).0;
            assert_eq!(why(value, more).0, matched, "{value} {more:?}");
        }
    }
}

#[test]
fn a_source_that_is_not_there_is_an_error() {
    let (code, out, err) = run(&["why", "203.0.113.66", "-i", "missing"]);
    assert_eq!((code, &*out, &*err), (2, "", "stockade: missing: No such file or directory\n"));
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, _) = run(&["completions", shell]);
        assert!(code == 0 && out.contains("match") && out.contains("subdomains"), "{shell}");
    }
    assert!(run(&["man"]).1.contains(".TH stockade 1"));
    assert!(run(&["man", "match"]).1.contains("subdomains"));
    assert_eq!(run(&["man", "nothing"]).0, 2);
    let dir = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(run(&["man", "--dir", dir.path().to_str().expect("UTF-8")]).0, 0);
    assert!(dir.path().join("stockade-why.1").exists());
}

#[test]
fn wrong_use_exits_with_two() {
    for args in
        [&[][..], &["nothing"], &["match"], &["match", "-i", "list.txt", "--format", "xml"], &["match", "--follow"]]
    {
        assert_eq!(run(args).0, 2, "{args:?}");
    }
    assert_eq!(run(&["--version"]).0, 0);
    assert_eq!(run(&["match", "--help"]).0, 0);
}
