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
