//! What users rely on where logs have fields: formats by name, mappings of their own, what is said of broken lines.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    let command = command.arg("match").args(args).current_dir(dir).stdin(Stdio::null());
    let output = command.env_remove("STOCKADE_CONFIG").env("XDG_CONFIG_HOME", dir).output().expect("it runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

const PATTERN: &str = "[network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_port = 443]";

fn indicators(dir: &Path) {
    let indicator = serde_json::json!({
        "type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000001",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
        "pattern": PATTERN, "pattern_type": "stix",
    });
    fs::write(dir.join("i.json"), indicator.to_string()).expect("written");
}

#[test]
fn a_mapping_says_what_fields_mean() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    indicators(dir);
    fs::write(dir.join("app.jsonl"), "{\"svc\":\"x\",\"peers\":[{\"a\":\"203.0.113.9\",\"p\":443}]}\n{\"peers\":[{\"a\":\"203.0.113.9\",\"p\":443}]}\n")
        .expect("written");
    fs::write(dir.join("app.csv"), "svc,whom,which\nx,203.0.113.9,443\nx,203.0.113.9,80\n").expect("written");
    let args = ["-i", "i.json", "--json", "app.jsonl", "app.csv"];
    assert_eq!(run(dir, &args).0, 1, "nobody knows what these are");
    let config = "[[log]]\nkeys = [\"svc\", \"peers\"]\n\
        fields = { \"peers.a\" = \"network-traffic:dst_ref.value\", \"peers[].p\" = \"network-traffic:dst_port\" }\n\
        [[log]]\nfiles = [\"*.csv\"]\nfields = { whom = \"network-traffic:dst_ref.value\", which = \"network-traffic:dst_port\" }\n";
    fs::write(dir.join("stockade.toml"), config).expect("written");
    let (code, out, said) = run(dir, &args);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}{said}");
    assert!(out.contains("\"field\":\"peers[0].a\"") && out.contains("\"field\":\"whom\""), "{out}");

    for (config, part) in [
        ("[[log]]\nfields = { a = \"url:value\" }\n", "needs files or keys"),
        ("[[log]]\nkeys = [\"a\"]\nfields = { a = \"nonsense\" }\n", "nonsense is no object path"),
        ("[[log]]\nkeys = [\"a\"]\nfield = { a = \"text\" }\n", "unknown key"),
    ] {
        fs::write(dir.join("stockade.toml"), config).expect("written");
        let (code, _, said) = run(dir, &args);
        assert!(code == 2 && said.contains(part) && said.contains("stockade.toml"), "{said}");
    }
}

/// The times of hits, as `--format csv` tells them.
fn times(out: &str) -> Vec<&str> {
    out.lines().skip(1).filter_map(|row| row.split(',').nth(5)).collect()
}

#[test]
fn times_without_a_zone_are_in_the_one_that_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    fs::write(dir.join("list"), "evil.example\n").expect("written");
    let text = "2026-01-31 10:05:03 to evil.example\n2026-07-31 10:05:03Z to evil.example\n";
    fs::write(dir.join("a.log"), text).expect("written");
    fs::write(dir.join("b.csv"), "when,host\n2026-07-31 10:05:03,evil.example\n").expect("written");
    // What a format has in UTC stays in UTC.
    let iis = "#Fields: date time cs-host\n2026-01-31 10:05:03 evil.example\n";
    fs::write(dir.join("c.log"), iis).expect("written");
    let long = format!("2026-01-31 10:05:03 evil.example {}\n", "x ".repeat(600_000));
    fs::write(dir.join("d.log"), long).expect("written");
    let args = ["-i", "list", "--format=csv", "-o", "a.log", "b.csv", "c.log"];
    let with = |more: &[&str]| run(dir, &[&args[..], more].concat());

    let (code, out, said) = with(&[]);
    assert_eq!((code, &*said), (0, ""));
    let utc = ["2026-01-31T10:05:03Z", "2026-07-31T10:05:03Z", "2026-07-31T10:05:03Z", "2026-01-31T10:05:03Z"];
    assert_eq!(times(&out), utc);
    let berlin = ["2026-01-31T09:05:03Z", "2026-07-31T10:05:03Z", "2026-07-31T08:05:03Z", "2026-01-31T10:05:03Z"];
    assert_eq!(times(&with(&["--time-zone", "Europe/Berlin"]).1), berlin);
    assert_eq!(times(&with(&["--time-zone", "-01:00"]).1)[0], "2026-01-31T11:05:03Z");

    // A line that is searched in pieces.
    let (_, out, _) = run(dir, &["-i", "list", "--format=csv", "-o", "--time-zone=+02:00", "d.log"]);
    assert_eq!(times(&out), ["2026-01-31T08:05:03Z"]);

    let (code, _, said) = with(&["--time-zone", "Berlin"]);
    assert!(code == 2 && said.contains("Europe/Berlin may be meant"), "{said}");

    let config = "[[log]]\nfiles = [\"a.*\"]\ntime_zone = \"America/New_York\"\n";
    fs::write(dir.join("stockade.toml"), config).expect("written");
    let (_, out, _) = with(&[]);
    assert_eq!(times(&out)[..3], ["2026-01-31T15:05:03Z", "2026-07-31T10:05:03Z", "2026-07-31T10:05:03Z"]);
    assert_eq!(times(&with(&["--time-zone", "Europe/Berlin"]).1), berlin, "the flag goes before the file");
    for (config, part) in [
        ("[[log]]\nkeys = [\"a\"]\ntime_zone = \"UTC\"\n", "needs files"),
        ("[[log]]\nfiles = [\"a\"]\ntime_zone = \"new york\"\n", "America/New_York may be meant"),
    ] {
        fs::write(dir.join("stockade.toml"), config).expect("written");
        let (code, _, said) = with(&[]);
        assert!(code == 2 && said.contains(part), "{said}");
    }
}

#[test]
fn lines_of_machines_in_different_zones_come_after_each_other_as_they_happened() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let indicator = serde_json::json!({
        "type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000001",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
        "pattern": "([domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']) WITHIN 60 SECONDS",
        "pattern_type": "stix",
    });
    fs::write(dir.join("i.json"), indicator.to_string()).expect("written");
    fs::write(dir.join("tokyo.log"), "2026-01-31 19:05:03 to a.example\n").expect("written");
    fs::write(dir.join("utc.csv"), "when,host\n2026-01-31 10:05:33,b.example\n").expect("written");
    let args = ["-i", "i.json", "tokyo.log", "utc.csv"];
    assert_eq!(run(dir, &args).0, 1, "nine hours lie between them");
    let config = "[[log]]\nfiles = [\"tokyo*\"]\ntime_zone = \"Asia/Tokyo\"\n";
    fs::write(dir.join("stockade.toml"), config).expect("written");
    assert_eq!(run(dir, &args).0, 0);
}

#[test]
fn broken_lines_are_counted_by_reason_and_searched_as_text() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    fs::write(dir.join("list"), "evil.example\n").expect("written");
    let log = "{\"a\":\"evil.example\"}\n{\"a\":\"evil.example\"\n{\"a\":1\nnothing\n{\"a\":1}\n";
    fs::write(dir.join("a.jsonl"), log).expect("written");
    let (code, out, said) = run(dir, &["-i", "list", "a.jsonl"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}");
    assert!(said.contains("2 lines searched as plain text: JSON ends too early"), "{said}");
    assert!(said.contains("1 line searched as plain text: line is no JSON object"), "{said}");
    let (code, _, said) = run(dir, &["-i", "list", "--log-format", "jsn", "a.jsonl"]);
    assert!(code == 2 && said.contains("suricata") && said.contains("key-value"), "{said}");
    let (_, out, said) = run(dir, &["-i", "list", "--log-format", "text", "--json", "a.jsonl"]);
    assert!(!out.contains("\"field\"") && said.is_empty(), "{out}{said}");
}

#[test]
fn threads_change_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    indicators(dir);
    let mut log = String::new();
    for number in 0..60_000 {
        let port = if number % 7 == 0 { 443 } else { 80 };
        let _ = writeln!(
            log,
            "{{\"@timestamp\":\"2026-01-01T00:00:00Z\",\"source\":{{\"ip\":\"10.0.0.{}\"}},\"destination\":{{\"ip\":\"203.0.113.{}\",\"port\":{port}}}}}",
            number % 256,
            number % 16
        );
    }
    fs::write(dir.join("ecs.jsonl"), log).expect("written");
    let one = run(dir, &["-i", "i.json", "-j1", "ecs.jsonl"]);
    assert!(one.1.lines().count() > 500, "{}", one.1.lines().count());
    assert_eq!(run(dir, &["-i", "i.json", "-j4", "ecs.jsonl"]), one);
}

#[test]
fn text_in_utf_16_is_read_as_what_it_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    fs::write(dir.join("list"), "evil.example\n").expect("written");
    let log = "\u{feff}when,host,note\r\nx,evil.example,\u{fc}\u{1f600} evil.example\r\n";
    for (name, bytes) in [("little", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("big", u16::to_be_bytes)] {
        fs::write(dir.join(name), log.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()).expect("written");
        let (code, out, said) = run(dir, &["-i", "list", "--format=csv", name]);
        assert_eq!((code, out.lines().count(), &*said), (0, 3, ""), "{out}");
        let row = out.lines().nth(1).expect("a hit");
        assert!(row.starts_with(&format!("{name},2,16,2,14,")), "of the text: {row}");
        assert!(row.contains(",host,") && row.contains("\u{fc}\u{1f600}"), "{row}");
    }
}
