//! `-i SRC` as scripts use it: what is read, what is filtered, what is said of the rest, and the exit codes.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A directory with a log that shows what is listed below.
fn place() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let lines = ["192.0.2.1", "192.0.2.2", "a.example", "b.example", "c.example", "d41d8cd98f00b204e9800998ecf8427e"];
    fs::write(dir.path().join("log"), lines.join("\n") + "\n").unwrap();
    dir
}

/// Exit code, the values that were found, and standard error.
fn search(dir: &Path, args: &[&str]) -> (i32, String, String) {
    search_with(dir, args, b"")
}

fn search_with(dir: &Path, args: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args(["match", "-o", "--no-filename"])
        .args(args)
        .arg("log")
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let value = |row: &str| row.split([':', ' ']).nth(1).unwrap_or_default().to_owned();
    let values: Vec<_> = text(output.stdout).lines().map(value).collect();
    (output.status.code().unwrap(), values.join(" "), text(output.stderr))
}

fn indicator(number: u32, pattern: &str, rest: &Value) -> Value {
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
        "pattern": pattern, "pattern_type": "stix",
    });
    object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    object
}

fn domain(number: u32, name: &str, rest: &Value) -> Value {
    indicator(number, &format!("[domain-name:value = '{name}']"), rest)
}

fn write(dir: &TempDir, name: &str, objects: &[Value]) {
    let bundle = json!({"type": "bundle", "id": "bundle--1", "objects": objects});
    fs::write(dir.path().join(name), bundle.to_string()).unwrap();
}

#[test]
fn sources_of_all_sorts_add_up() {
    let dir = place();
    let path = |name: &str| dir.path().join(name);
    write(&dir, "bundle.json", &[domain(1, "a.example", &json!({}))]);
    fs::create_dir_all(path("feeds/deep/.hidden")).unwrap();
    fs::write(path("feeds/deep/list.txt"), "# list\n192[.]0[.]2[.]1  # defanged\n").unwrap();
    fs::write(path("feeds/table.csv"), "first_seen,dst_ip,dst_port\n2026-01-01,192.0.2.2,443\n").unwrap();
    fs::write(path("feeds/deep/.hidden/list.txt"), "c.example\n").unwrap();
    fs::write(path("packed"), zstd::encode_all(&b"0.0.0.0 b.example\n127.0.0.1 localhost\n"[..], 1).unwrap()).unwrap();
    let all = ["-i", "bundle.json", "-i", "feeds", "-i", "packed", "-i", "-"];
    let (code, found, said) = search_with(dir.path(), &all, b"D41D8CD98F00B204E9800998ECF8427E");
    assert_eq!((code, said.as_str()), (0, ""));
    assert_eq!(found, "192.0.2.1 192.0.2.2 a.example b.example d41d8cd98f00b204e9800998ecf8427e");
}

#[test]
fn filters_choose_indicators() {
    let dir = place();
    let objects = [
        domain(1, "a.example", &json!({"valid_until": "2026-02-01T00:00:00Z", "confidence": 20, "labels": ["c2"]})),
        domain(
            2,
            "b.example",
            &json!({"confidence": 80, "indicator_types": ["malicious-activity"],
            "object_marking_refs": ["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]}),
        ),
        domain(
            3,
            "c.example",
            &json!({"valid_from": "2026-03-01T00:00:00Z", "labels": ["c2", "bot"],
            "object_marking_refs": ["marking-definition--own"]}),
        ),
        json!({"type": "marking-definition", "id": "marking-definition--own", "definition": {"tlp": "amber"}}),
    ];
    write(&dir, "b", &objects);
    for (args, expected) in [
        (&["--at", "2026-01-15T00:00:00Z"][..], "a.example b.example"),
        (&["--at", "2026-01-31 23:59:59"], "a.example b.example"),
        (&["--at", "2026-02-01T00:00:00Z"], "b.example"),
        (&["--at", "2026-02-01T00:00:00Z", "--include-expired"], "a.example b.example"),
        (&["--at", "2026-03-01T00:00:00Z"], "b.example c.example"),
        (&["--at", "2025-12-31T23:59:59Z"], ""),
        (&["--at", "2026-01-15T00:00:00Z", "--min-confidence", "21"], "b.example"),
        (&["--at", "2026-03-15T00:00:00Z", "--min-confidence", "80"], "b.example c.example"),
        (&["--at", "2026-03-15T00:00:00Z", "--min-confidence", "81"], "c.example"),
        (&["--at", "2026-03-15", "--include-expired", "--label", "c2"], "a.example c.example"),
        (&["--at", "2026-03-15", "--label", "bot", "--label", "x"], "c.example"),
        (&["--at", "2026-03-15", "--type", "malicious-activity"], "b.example"),
        (&["--at", "2026-03-15", "--tlp", "amber"], "c.example"),
        (&["--at", "2026-03-15", "--tlp", "TLP:RED"], "b.example c.example"),
        (&["--at", "2026-03-15", "--include-expired", "--tlp", "clear"], "a.example"),
    ] {
        let (code, found, said) = search(dir.path(), &[&["-i", "b"], args].concat());
        assert_eq!(found, expected, "{args:?}: {said}");
        assert_eq!(code, i32::from(expected.is_empty()), "{args:?}");
    }
    for wrong in [["--at", "soon"], ["--min-confidence", "101"], ["--tlp", "purple"]] {
        assert_eq!(search(dir.path(), &[&["-i", "b"], &wrong[..]].concat()).0, 2, "{wrong:?}");
    }
}

#[test]
fn values_of_lists_are_valid_at_any_time() {
    let dir = place();
    fs::write(dir.path().join("list"), "a.example\n").unwrap();
    for at in ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        assert_eq!(search(dir.path(), &["-i", "list", "--at", at, "--min-confidence", "100"]).1, "a.example");
    }
}

#[test]
fn what_cannot_be_used_is_counted_shown_and_written() {
    let dir = place();
    let mut objects = vec![
        domain(1, "a.example", &json!({})),
        domain(2, "b.example", &json!({"pattern_type": "sigma", "name": "a rule"})),
        indicator(3, "[domain-name:value = ", &json!({})),
        json!({"type": "indicator", "id": "indicator--4"}),
    ];
    objects.extend((10..16).map(|number| indicator(number, "nonsense", &json!({}))));
    write(&dir, "b.json", &objects);
    fs::write(dir.path().join("list"), "# c\nc.example\nnonsense\n").unwrap();
    let args = ["-i", "b.json", "-i", "list", "--rejects", "rejects"];
    let (code, found, said) = search(dir.path(), &args);
    assert_eq!((code, found.as_str()), (0, "a.example c.example"));
    for expected in [
        "1 not used: pattern type is not stix: sigma",
        "7 not used: pattern is not valid",
        "and 4 more",
        "1 not used: no pattern",
        "list:3:1: nonsense",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let text = fs::read_to_string(dir.path().join("rejects")).unwrap();
    let rejects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejects.len(), 10);
    assert_eq!(rejects[0]["id"], "indicator--00000000-0000-4000-8000-000000000002");
    assert_eq!(rejects[0]["name"], "a rule");
    assert_eq!(rejects[0]["source"], "b.json");
    assert_eq!(rejects[0]["line"], 1);
    assert_eq!(rejects[0]["detail"], "sigma");
    assert_eq!(rejects[0]["pattern"], "[domain-name:value = 'b.example']");
    assert_eq!(rejects[2]["id"], "indicator--4");
    assert_eq!((&rejects[9]["id"], &rejects[9]["line"]), (&Value::Null, &json!(3)));
    assert_eq!(search(dir.path(), &[&args[..], &["--quiet"]].concat()).2, "");
}

#[test]
fn sources_that_are_none_stop_the_command() {
    let dir = place();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("prose"), "Dear reader,\nnothing here.\n").unwrap();
    fs::write(path("page"), "<html></html>").unwrap();
    fs::write(path("json"), "\n {\"type\": oops}").unwrap();
    fs::write(path("list"), "a.example\n").unwrap();
    for (source, message) in [
        ("missing", "stockade: missing: No such file or directory\n"),
        ("prose", "stockade: prose: neither JSON nor a list: line 1, column 1: a domain needs a dot: Dear reader,\n"),
        ("page", "stockade: page: neither JSON nor a list: HTML or XML at line 1, column 1\n"),
        ("json", "stockade: json: neither JSON nor a list: broken JSON at line 2, column 11: expected a value\n"),
    ] {
        let (code, found, said) = search(dir.path(), &["-i", "list", "-i", source]);
        assert_eq!((code, found.as_str(), said.as_str()), (2, "", message));
    }
    assert_eq!(search(dir.path(), &["-i", "list", "--rejects", "no/such/folder"]).0, 2);
}

#[test]
fn a_source_without_indicators_is_named() {
    let dir = place();
    fs::write(dir.path().join("empty"), "").unwrap();
    fs::write(dir.path().join("list"), "a.example\n").unwrap();
    write(&dir, "bundle", &[json!({"type": "identity", "id": "identity--1"})]);
    let (code, found, said) = search(dir.path(), &["-i", "list", "-i", "empty", "-i", "bundle"]);
    assert_eq!((code, found.as_str()), (0, "a.example"));
    assert_eq!(said, "stockade: empty: no indicators\nstockade: bundle: no indicators\n");
}

#[test]
fn other_files_of_a_folder_are_named_and_passed_over() {
    let dir = place();
    fs::create_dir(dir.path().join("feeds")).unwrap();
    fs::write(dir.path().join("feeds/README.md"), "About these feeds\n").unwrap();
    fs::write(dir.path().join("feeds/list"), "a.example\n").unwrap();
    let (code, found, said) = search(dir.path(), &["-i", "feeds"]);
    assert_eq!((code, found.as_str()), (0, "a.example"));
    assert!(said.contains("feeds/README.md: neither JSON nor a list: line 1"), "{said}");
}

#[test]
fn what_ends_too_early_is_used_as_far_as_it_goes() {
    let dir = place();
    let path = |name: &str| dir.path().join(name);
    write(&dir, "whole.json", &[domain(1, "a.example", &json!({})), domain(2, "b.example", &json!({}))]);
    let whole = fs::read(path("whole.json")).unwrap();
    fs::write(path("cut.json"), &whole[..whole.len() - 30]).unwrap();
    let (code, found, said) = search(dir.path(), &["-i", "cut.json"]);
    assert_eq!((code, found.as_str()), (2, "a.example"));
    assert!(said.contains("cut short") && said.contains(&format!("cut.json:1:{}:", whole.len() - 29)), "{said}");

    let noise: Vec<_> = (0..50_000_u32).map(|n| format!("{:08x}.test", n.wrapping_mul(2_654_435_761))).collect();
    let noise = noise.join("\n");
    let packed = zstd::encode_all(format!("a.example\n{noise}\nb.example\n").as_bytes(), 1).unwrap();
    fs::write(path("cut.zst"), &packed[..packed.len() / 2]).unwrap();
    let (code, found, said) = search(dir.path(), &["-i", "cut.zst"]);
    assert_eq!((code, found.as_str()), (2, "a.example"));
    assert!(said.contains("cut.zst: cannot be read to its end"), "{said}");
    assert!(!said.contains("not used"), "{said}");
}

#[test]
fn the_newest_version_counts_and_may_withdraw() {
    let dir = place();
    let old = domain(1, "a.example", &json!({}));
    let new = domain(1, "b.example", &json!({"modified": "2026-02-01T00:00:00Z"}));
    let gone = domain(1, "b.example", &json!({"modified": "2026-03-01T00:00:00Z", "revoked": true}));
    for (objects, expected) in [
        (vec![&old, &new], "b.example"),
        (vec![&new, &old], "b.example"),
        (vec![&gone, &new, &old], ""),
        (vec![&old, &new, &gone], ""),
    ] {
        for (number, object) in objects.iter().enumerate() {
            write(&dir, &format!("{number}.json"), &[(*object).clone()]);
        }
        let names: Vec<_> = (0..objects.len()).flat_map(|number| ["-i".to_owned(), format!("{number}.json")]).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        assert_eq!(search(dir.path(), &names).1, expected, "{objects:?}");
    }
}
