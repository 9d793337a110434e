//! The commands `test`, `eval` and `explain`, as scripts use them.
#![cfg(feature = "cli")]

use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn stockade(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // It may end without reading.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn lines(output: &Output) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn observed(id: &str, objects: &Value) -> Value {
    json!({"type": "observed-data", "id": id, "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:00Z",
        "number_observed": 1, "objects": objects})
}

#[test]
fn test_counts_what_passed_and_failed() {
    let data = observed("observed-data--1", &json!({"0": {"type": "ipv4-addr", "value": "192.0.2.1"}}));
    let case = |name: &str, pattern: &str, expect: &str| {
        json!({"name": name, "pattern": pattern, "expect": expect, "observed_data": [data]}).to_string()
    };
    let listed = "[ipv4-addr:value = '192.0.2.1']";
    let good = [
        case("a", listed, "match"),
        case("b", "[ipv4-addr:value = '192.0.2.2']", "nomatch"),
        case("c", "[ipv4-addr:value = ]", "reject"),
        case("d", listed, "accept"),
    ];
    let output = stockade(&["test", "-"], &good.join("\n"));
    assert_eq!((text(&output).as_str(), code(&output)), ("4 passed, 0 failed\n", 0));

    let bad = [good[0].clone(), case("e", listed, "nomatch"), case("f", listed, "reject")].join("\n");
    let output = stockade(&["test", "-"], &bad);
    let printed = text(&output);
    assert!(printed.contains("e: expected nomatch, got match"), "{printed}");
    assert!(printed.ends_with("1 passed, 2 failed\n"), "{printed}");
    assert_eq!(code(&output), 1);
    let output = stockade(&["test", "--json", "-"], &bad);
    assert_eq!(lines(&output)[1], json!({"name": "e", "ok": false, "expect": "nomatch", "got": "match"}));

    let output = stockade(&["test", "-"], &format!("{}\nno case\n", good[0]));
    assert_eq!(code(&output), 2);
    assert_eq!(code(&stockade(&["test", "/no/such/file"], "")), 2);
}

#[test]
fn test_is_strict_unless_told_otherwise() {
    let data = observed("observed-data--1", &json!({"0": {"type": "domain-name", "value": "evil.example"}}));
    let case = json!({"name": "a", "pattern": "[domain-name:value = 'EVIL.example.']", "expect": "match", "observed_data": [data]});
    assert_eq!(code(&stockade(&["test", "-"], &case.to_string())), 1);
    assert_eq!(code(&stockade(&["test", "--pragmatic", "-"], &case.to_string())), 0);
}

#[test]
fn every_checked_in_case_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let files: Vec<String> = std::fs::read_dir(folder)
        .expect("the cases are there")
        .map(|entry| entry.expect("readable").path().display().to_string())
        .collect();
    let mut arguments = vec!["test"];
    arguments.extend(files.iter().map(String::as_str));
    let output = stockade(&arguments, "");
    assert!(text(&output).ends_with(", 0 failed\n"), "{}", text(&output));
}

#[test]
fn eval_names_the_observations() {
    let data = [
        observed("observed-data--1", &json!({"0": {"type": "ipv4-addr", "value": "192.0.2.1"}})),
        observed("observed-data--2", &json!({"0": {"type": "domain-name", "value": "Evil.Example"}})),
        observed("observed-data--3", &json!({"0": {"type": "url", "value": "http://quiet.example/"}})),
    ];
    let input = data.map(|value| value.to_string()).join("\n");
    let patterns =
        ["-p", "[ipv4-addr:value = '192.0.2.0/24'] AND [domain-name:value = 'evil.example']", "-p", "[file:size = 1]"];
    let output = stockade(&[&["eval", "--json"], &patterns[..]].concat(), &input);
    assert_eq!(code(&output), 0);
    let rows = lines(&output);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["observations"], json!(["observed-data--1", "observed-data--2"]));

    let output = stockade(&[&["eval", "--strict"], &patterns[..]].concat(), &input);
    assert_eq!((text(&output).as_str(), code(&output)), ("", 1));
    assert_eq!(code(&stockade(&["eval", "-p", "[broken"], &input)), 2);
    assert_eq!(code(&stockade(&["eval"], &input)), 2);
    assert_eq!(code(&stockade(&["eval", "-p", "[file:size = 1]"], "no json")), 2);
}

#[test]
fn eval_takes_indicators_that_are_valid() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("indicators.json");
    let indicator = |number: u32, until: &str, pattern: &str| {
        json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--0000000{number}-0000-4000-8000-000000000000"),
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
            "valid_until": until, "pattern_type": "stix", "pattern": pattern})
    };
    // A host without a dot is nothing that a log line could be searched for; here it is a value like any other.
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": [
        indicator(1, "2026-02-01T00:00:00Z", "[domain-name:value = 'localhost']"),
        indicator(2, "2026-03-01T00:00:00Z", "[domain-name:value LIKE 'local%']"),
        indicator(3, "2026-03-01T00:00:00Z", "[broken"),
    ]});
    std::fs::write(&path, bundle.to_string()).expect("written");
    let input = observed("observed-data--1", &json!({"0": {"type": "domain-name", "value": "localhost"}})).to_string();
    let path = path.display().to_string();
    let ids = |at: &str| -> Vec<String> {
        let output = stockade(&["eval", "--json", "-i", &path, "--at", at], &input);
        lines(&output).iter().map(|row| row["indicator"]["id"].as_str().expect("an id")[..19].to_owned()).collect()
    };
    assert_eq!(ids("2026-01-15T00:00:00Z"), ["indicator--00000001", "indicator--00000002"]);
    assert_eq!(ids("2026-02-01T00:00:00Z"), ["indicator--00000002"]);
}

#[test]
fn explain_says_what_can_be_blocked() {
    let explain = |pattern: &str| lines(&stockade(&["explain", "--json", pattern], "")).remove(0);
    let carries = |explained: &Value| -> Vec<String> {
        let formats = explained["formats"].as_array().expect("a list").iter();
        formats.filter(|row| row["carries"] == true).map(|row| row["name"].as_str().unwrap_or("").to_owned()).collect()
    };
    let one = explain("[domain-name:value = 'Evil.example']");
    assert!(carries(&one).contains(&"rpz".to_owned()) && !carries(&one).contains(&"ipset".to_owned()));
    assert_eq!(one["repairs"], json!(["'Evil.example' read as 'evil.example'"]));
    let both = explain("[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]");
    assert_eq!(carries(&both), Vec::<String>::new());
    assert_eq!(both["exact"], json!([]));
    let output = stockade(&["explain", "[file:size > 1] FOLLOWEDBY [file:name = 'a']"], "");
    assert!(text(&output).contains("FOLLOWEDBY") && text(&output).contains("blocklists"), "{}", text(&output));
    assert_eq!(code(&stockade(&["explain", "[broken"], "")), 1);
}

#[test]
fn inputs_may_be_compressed_and_a_cut_one_is_an_error() {
    let data = observed("observed-data--1", &json!({"0": {"type": "ipv4-addr", "value": "192.0.2.1"}}));
    let pattern = "[ipv4-addr:value = '192.0.2.1']";
    let case = json!({"name": "a", "pattern": pattern, "expect": "match", "observed_data": [data]}).to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let packed = |text: &str| zstd::encode_all(text.as_bytes(), 1).expect("in memory");
    let output = stockade(&["test", &file("cases.zst", &packed(&case))], "");
    assert_eq!((text(&output).as_str(), code(&output)), ("1 passed, 0 failed\n", 0));
    let output = stockade(&["eval", "-p", pattern, &file("data.zst", &packed(&data.to_string()))], "");
    assert_eq!((text(&output).contains("observed-data--1"), code(&output)), (true, 0));
    let output = stockade(&["check", "--json", &file("patterns.zst", &packed(pattern))], "");
    assert_eq!((&lines(&output)[0]["valid"], code(&output)), (&json!(true), 0));

    let whole = packed(&case);
    let cut = file("cut.zst", &whole[..whole.len() - 5]);
    for command in [&["test", &cut][..], &["eval", "-p", pattern, &cut], &["check", &cut]] {
        let output = stockade(command, "");
        assert_eq!(code(&output), 2, "{command:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cut.zst"), "{command:?}");
    }
}

#[test]
fn what_is_no_case_is_told_with_its_file_and_line() {
    let input = "\n{\"pattern\": \"[x:a = 1]\", \"expect\": \"accept\"}\nno case\n[]\n{\"pattern\": 1}\n{\"pattern\": \"[x:a = 1]\"}\n";
    let output = stockade(&["test", "-"], input);
    assert_eq!((text(&output).as_str(), code(&output)), ("1 passed, 0 failed\n", 2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for place in ["-:3: no valid JSON", "-:4: a case is", "-:5: a case has a `pattern`", "-:6: a case has an `expect`"]
    {
        assert!(said.contains(place), "{place}: {said}");
    }
    let output = stockade(&["eval", "-p", "[x:a = 1]"], "{broken\n");
    assert_eq!(code(&output), 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("(standard input): line 1: no JSON"));
}
