//! `stockade check`: its forms of input, what it writes, and its exit codes.
#![cfg(feature = "cli")]

use serde_json::Value;
use snapbox::cmd::{Command, cargo_bin};
use std::io::Write;

/// Runs `stockade check` with these arguments on this standard input; the exit code, and both outputs.
fn check(args: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let output = Command::new(cargo_bin!("stockade")).arg("check").args(args).stdin(stdin).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), out, err)
}

/// The JSON objects that it writes, and the exit code.
fn verdicts(args: &[&str], stdin: impl AsRef<[u8]>) -> (i32, Vec<Value>) {
    let (code, out, _) = check(&[&["--json"], args].concat(), stdin.as_ref());
    (code, out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What `valid` says of each input.
fn valid(stdin: impl AsRef<[u8]>) -> (i32, Vec<Option<bool>>) {
    let (code, verdicts) = verdicts(&[], stdin);
    (code, verdicts.iter().map(|verdict| verdict["valid"].as_bool()).collect())
}

const GOOD: &str = "[file:name = 'x']";
const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

#[test]
fn plain_lines_are_patterns() {
    assert_eq!(valid(""), (0, vec![]));
    assert_eq!(valid(GOOD), (0, vec![YES]));
    assert_eq!(valid(format!("\u{feff}{GOOD}\r\n\r\n  \n{GOOD}\n")), (0, vec![YES, YES]));
    assert_eq!(valid(format!("{GOOD}\n[]\n5\n# comment\n{GOOD}")), (1, vec![YES, NO, NO, NO, YES]));
    assert_eq!(valid(b"[file:name = '\xff']\n[file:name = 'x']"), (1, vec![NO, YES]));
}

#[test]
fn json_lines_are_strings_or_objects_with_a_pattern() {
    let lines = r#"
        "[file:name = 'a\u0062']"
        {"pattern": "[file:name = 'x']", "comment": {"pattern": 5}}
        {"pattern": "[file:name = x]"}
        {"pattern": 5}
        {"pattern": null}
        {"comment": "none"}
        {"pattern":
        [file:name = 'mixed']
        {"type": "identity", "name": "no pattern expected"}
        {"type": "indicator"}
        {"pattern": "rule x { condition: true }", "pattern_type": "yara"}
        {"pattern": "[file:name = 'x']", "pattern_type": "stix"}"#;
    assert_eq!(valid(lines), (1, vec![YES, YES, NO, NO, NO, NO, NO, YES, NO, None, YES]));
}

#[test]
fn bundles_and_envelopes_hold_indicators() {
    let bundle = format!(
        r#"{{
  "type": "bundle",
  "objects": [
    {{"type": "indicator", "id": "indicator--1", "pattern": "{GOOD}"}},
    {{"type": "observed-data", "objects": {{"0": {{"type": "file", "name": "pattern"}}}}}},
    {{"type": "indicator", "id": "indicator--2", "pattern": "alert tcp any", "pattern_type": "snort"}},
    {{"type": "indicator", "id": "indicator--3", "pattern": "[file:name]", "pattern_type": "stix"}}
  ]
}}"#
    );
    let line = bundle.replace('\n', "");
    let envelope = bundle.replace("\"type\": \"bundle\",", "");
    let array = format!("[{bundle}, {bundle}]");
    let one = vec![YES, None, NO];
    for (text, expected) in [
        (bundle.clone(), one.clone()),
        (line.clone(), one.clone()),
        (envelope, one.clone()),
        (array, one.repeat(2)),
        (format!("{bundle}\n{bundle}"), one.repeat(2)),
        (format!("{line}\n{line}\n{GOOD}"), [one.repeat(2), vec![YES]].concat()),
    ] {
        assert_eq!(valid(&text), (1, expected), "{text}");
    }
    assert_eq!(verdicts(&[], &bundle).1[2]["id"], "indicator--3");
    assert_eq!(check(&["--json"], &bundle.as_bytes()[..bundle.len() / 2]).0, 2, "a document that is cut off");
}

#[test]
fn verdicts_have_error_span_and_repairs() {
    let text = "[file:name = 'x' and file:hashes.SHA-256 like 'a%']";
    let (code, pragmatic) = verdicts(&[], text);
    assert_eq!((code, &pragmatic[0]["valid"]), (0, &Value::Bool(true)));
    let repairs: Vec<_> = pragmatic[0]["repairs"].as_array().unwrap().iter().map(|repair| &repair["kind"]).collect();
    assert_eq!(repairs, ["keyword-case", "unquoted-hash-key", "keyword-case"]);
    let (code, strict) = verdicts(&["--strict"], text);
    assert_eq!((code, &strict[0]["valid"]), (1, &Value::Bool(false)));
    assert_eq!(strict[0]["span"], serde_json::json!([17, 20]));
    assert_eq!(strict[0]["error"], "expected AND, OR or `]`, found `and`; keywords are upper case: AND");
    // Spans are of the pattern, not of the JSON around it.
    let escaped = serde_json::to_string("[file:name = 'ü\n' and x]").unwrap();
    assert_eq!(verdicts(&["--strict"], escaped).1[0]["span"], serde_json::json!([19, 22]));
}

#[test]
fn changes_of_meaning_are_listed_too() {
    let (code, verdicts) = verdicts(&[], "[network-traffic:dst_port = '443' or file:hashes.SHA256 = 'aa']");
    let kinds: Vec<_> = verdicts[0]["repairs"].as_array().unwrap().iter().map(|repair| &repair["kind"]).collect();
    assert_eq!(code, 0);
    assert_eq!(kinds, ["integer-as-text", "keyword-case", "hash-name"], "in the order of the text");
}

#[test]
fn a_pattern_that_can_never_match_is_valid_but_shown() {
    let text = "[file:name MATCHES '(']";
    let (code, verdicts) = verdicts(&["--strict"], text);
    assert_eq!((code, &verdicts[0]["valid"]), (0, &Value::Bool(true)));
    assert!(verdicts[0]["warning"]["message"].is_string(), "{}", verdicts[0]);
    let (code, out, err) = check(&[], text.as_bytes());
    assert!(code == 0 && out.contains("never matches") && out.contains('^'), "{out}");
    assert_eq!(err, "stockade: 1 valid (1 of them can never match), 0 invalid\n");
}

#[test]
fn text_shows_the_place() {
    let (code, out, err) = check(&[], format!("{GOOD}\n[file:name = x]\n[file:name like 'x']\n").as_bytes());
    assert_eq!(code, 1);
    snapbox::assert_data_eq!(
        out,
        snapbox::str![[r"
(standard input):2: expected a value, found `x`
  |
1 | [file:name = x]
  |              ^
  = help: a string stands in single quotes: 'x'

(standard input):3: repaired at byte 11: keyword in other than upper case read as `LIKE`

"]]
    );
    assert_eq!(err, "stockade: 2 valid (1 of them after repairs), 1 invalid\n");
}

#[test]
fn files_are_read_in_order_and_a_missing_one_is_a_failure() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{GOOD}\n[]").unwrap();
    let path = file.path().to_str().unwrap();
    let (code, verdicts) = verdicts(&[path, "-", path], GOOD);
    assert_eq!(code, 1);
    let paths: Vec<_> = verdicts.iter().map(|verdict| verdict["path"].as_str().unwrap()).collect();
    assert_eq!(paths, [path, path, "(standard input)", path, path]);
    let (code, out, err) = check(&["/no/such/file", path], b"");
    assert_eq!(code, 2);
    assert!(out.contains("expected a comparison") && err.contains("/no/such/file: No such file"), "{out}{err}");
}
