//! What users rely on where a log is a document of JSON and not lines of it: each record counts as a line does, and places
//! are those of the document as it is.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const FOUND: &str = "203.0.113.9";

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    let command = command.args(["match", "-i", "list"]).args(args).current_dir(dir).stdin(Stdio::null());
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("list"), format!("{FOUND}\n")).expect("written");
    dir
}

/// An event of `CloudTrail`. Every hundredth comes from an address that is listed.
fn event(number: usize) -> Value {
    let address =
        if number % 100 == 7 { FOUND.to_owned() } else { format!("10.0.{}.{}", number / 250 % 250, number % 250) };
    json!({
        "eventVersion": "1.08",
        "userIdentity": { "type": "IAMUser", "userName": format!("user{number}"), "note": "brackets ]} and \"quotes\"" },
        "eventTime": "2026-01-31T10:05:03Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject",
        "awsRegion": "eu-west-1", "sourceIPAddress": address,
        "requestParameters": { "bucketName": "b", "Host": ["x", { "y": null }] },
    })
}

fn document(count: usize) -> Value {
    json!({ "Records": (0..count).map(event).collect::<Vec<_>>() })
}

/// Holds the places of hits against the text, and gives their fields.
fn fields(hits: &str, text: &[u8]) -> Vec<String> {
    let field = |hit: &str| {
        let hit: Value = serde_json::from_str(hit).expect("JSON");
        let number = |value: &Value| value.as_u64().expect("a number") as usize;
        let offset = number(&hit["offset"]);
        let (start, end) = (number(&hit["span"][0]), number(&hit["span"][1]));
        assert_eq!(&text[offset + start..offset + end], FOUND.as_bytes());
        assert!(!text[offset..offset + end].contains(&b'\n'), "on one line");
        assert!(offset == 0 || text[offset - 1] == b'\n');
        assert_eq!(number(&hit["line"]), 1 + memchr::memchr_iter(b'\n', &text[..offset]).count());
        hit["field"].as_str().unwrap_or("none").to_owned()
    };
    hits.lines().map(field).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text).and_then(|()| out.finish()).expect("in memory")
}

#[test]
fn documents_of_any_size_and_layout_have_fields() {
    let dir = place();
    let dir = dir.path();
    let count = 9000;
    let expected: Vec<String> = (7..count).step_by(100).map(|n| format!("Records[{n}].sourceIPAddress")).collect();
    let compact = serde_json::to_vec(&document(count)).expect("JSON");
    let pretty = serde_json::to_vec_pretty(&document(count)).expect("JSON");
    assert!(compact.len() > 2 << 20 && !compact.contains(&b'\n'));
    let crlf = String::from_utf8(pretty.clone()).expect("text").replace('\n', "\r\n").into_bytes();
    let marked = [b"\xef\xbb\xbf", &compact[..]].concat();
    for (name, text) in [("compact", &compact), ("pretty", &pretty), ("crlf", &crlf), ("marked", &marked)] {
        fs::write(dir.join(name), text).expect("written");
        fs::write(dir.join("packed.gz"), gzip(text)).expect("written");
        for file in [name, "packed.gz"] {
            let (code, hits, said) = run(dir, &["--json", file]);
            assert_eq!((code, &*said), (0, ""), "{name}");
            assert_eq!(fields(&hits, text), expected, "{name}");
        }
        assert_eq!(run(dir, &["-c", "--log-format", "cloudtrail", name]).1, format!("{name}:90\n"));
    }
    // From a pipe, with as many threads as there are.
    let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args(["match", "-i", "list", "--json"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("a pipe").write_all(&compact).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(fields(&String::from_utf8_lossy(&output.stdout), &compact), expected);
    // As text, nothing of this holds.
    let (_, hits, _) = run(dir, &["--json", "--log-format", "text", "pretty"]);
    assert_eq!(fields(&hits, &pretty), vec!["none"; 90]);
}

#[test]
fn lists_objects_and_what_stands_around_them() {
    let dir = place();
    let dir = dir.path();
    let hit = json!({ "a": { "src_ip": FOUND } });
    let other = json!({ "a": { "src_ip": "10.0.0.1" } });
    let pretty = |value: &Value| serde_json::to_string_pretty(value).expect("JSON") + "\n";
    for (text, expected) in [
        (pretty(&json!([other, hit, hit])), vec!["[1].a.src_ip", "[2].a.src_ip"]),
        (format!("[{other},{hit}]\n[{hit}]\n"), vec!["[1].a.src_ip", "[0].a.src_ip"]),
        (pretty(&hit) + &pretty(&other) + &pretty(&hit), vec!["a.src_ip", "a.src_ip"]),
        (
            pretty(&json!({ "@odata.context": "x", "client_ip": FOUND, "value": [other, hit], "zone_ip": FOUND })),
            vec!["client_ip", "value[1].a.src_ip", "zone_ip"],
        ),
        // Lines of JSON stay lines.
        (format!("{hit}\n{other}\n{hit}\n"), vec!["a.src_ip", "a.src_ip"]),
        (format!("{}\n", json!({ "events": [other, hit], "time": 1 })), vec!["events[1].a.src_ip"]),
        (format!("{}\n{other}\n", json!({ "Records": [other, hit] })), vec!["Records[1].a.src_ip"]),
    ] {
        fs::write(dir.join("log"), &text).expect("written");
        let (_, hits, said) = run(dir, &["--json", "log"]);
        assert_eq!(
            (fields(&hits, text.as_bytes()), &*said),
            (expected.iter().map(ToString::to_string).collect(), ""),
            "{text}"
        );
    }
}

#[test]
fn a_record_is_what_a_line_is_elsewhere() {
    let dir = place();
    let dir = dir.path();
    fs::write(dir.join("log"), serde_json::to_vec_pretty(&document(10)).expect("JSON")).expect("written");
    // Events are records, whole, and their fields those of the event.
    let (_, out, _) = run(dir, &["--format", "ecs", "log"]);
    let mut found: Value = serde_json::from_str(&out).expect("one event");
    let threat = found.as_object_mut().and_then(|event| event.remove("threat")).expect("enriched");
    assert_eq!(found, event(7));
    assert_eq!(threat["enrichments"][0]["matched"]["field"], "sourceIPAddress");
    assert!(threat["enrichments"].as_array().is_some_and(|hits| hits.len() == 1));
    let (_, out, _) = run(dir, &["--format", "csv", "log"]);
    let row = out.lines().nth(1).expect("a hit");
    assert!(row.contains(",2026-01-31T10:05:03Z,") && row.contains("user7") && !row.contains("user8"), "{row}");

    assert_eq!(run(dir, &["-c", "log"]).1, "log:1\n");
    assert_eq!(run(dir, &["-v", "-c", "log"]).1, "log:9\n");
    let (_, out, _) = run(dir, &["-v", "log"]);
    assert_eq!(out.lines().count(), 9);
    assert!(out.starts_with("log:3:{ ") && out.contains("user8") && !out.contains("user7"), "{out}");
    let (_, out, _) = run(dir, &["-m1", "-v", "log"]);
    assert!(out.lines().count() == 1 && out.contains("user0"), "{out}");
}

#[test]
fn what_is_broken_costs_the_fields_of_few_records_and_no_hit() {
    let dir = place();
    let dir = dir.path();
    let good = serde_json::to_string_pretty(&event(7)).expect("JSON");
    let mut documents = vec![(format!("{good}\n%%% {FOUND}\n{good}\n"), 2)];
    for end in (1..good.len()).step_by(97) {
        let cut = &good[..end];
        documents.push((format!("{good}\n{cut}\n{good}\n{good}\n"), 2));
        documents.push((format!("[{good},\n{cut}\n{good},\n{good}]\n"), 1));
    }
    for (broken, expected) in documents {
        fs::write(dir.join("log"), &broken).expect("written");
        let (code, hits, _) = run(dir, &["--json", "log"]);
        let fields = fields(&hits, broken.as_bytes());
        let with = fields.iter().filter(|field| field.ends_with("sourceIPAddress")).count();
        assert!(code == 0 && with >= expected, "{broken}\n{hits}");
        assert_eq!(fields.len(), broken.matches(FOUND).count(), "nothing is lost:\n{broken}\n{hits}");
    }
    // A record longer than is taken apart is text, those around it are not.
    let long = json!({ "sourceIPAddress": FOUND, "long": "x ".repeat(1 << 20) });
    let text = serde_json::to_string_pretty(&json!({ "Records": [event(7), long, event(7)] })).expect("JSON");
    fs::write(dir.join("log"), &text).expect("written");
    let (code, hits, said) = run(dir, &["--json", "log"]);
    assert_eq!(fields(&hits, text.as_bytes()), ["Records[0].sourceIPAddress", "none", "Records[2].sourceIPAddress"]);
    assert_eq!(code, 0);
    assert!(said.contains("1 line or record searched as plain text: longer than 1048576 bytes"), "{said}");
    // An archive that ends too early: what there is of it is searched.
    let whole = gzip(&serde_json::to_vec(&document(5000)).expect("JSON"));
    fs::write(dir.join("cut.gz"), &whole[..whole.len() / 2]).expect("written");
    let (code, hits, said) = run(dir, &["--json", "cut.gz"]);
    assert!(code == 2 && said.contains("cut.gz") && hits.lines().count() > 10, "{said}");
}

#[test]
fn documents_are_searched_once_with_a_state_and_named_by_patterns_over_several_records() {
    let dir = place();
    let dir = dir.path();
    let text = serde_json::to_vec(&document(9000)).expect("JSON");
    fs::write(dir.join("a.json"), &text).expect("written");
    fs::write(dir.join("b.json.gz"), gzip(&text)).expect("written");
    // No newline ends it, but its bracket does.
    fs::write(dir.join("c.json"), serde_json::to_vec(&document(10)).expect("JSON")).expect("written");
    let args = ["--state", "state", "--json", "a.json", "b.json.gz", "c.json"];
    let (code, hits, said) = run(dir, &args);
    assert_eq!((code, hits.lines().count(), &*said), (0, 181, ""));
    assert_eq!(run(dir, &args), (1, String::new(), String::new()), "nothing is new");

    let pattern =
        format!("[user-account:account_login = 'user1'] FOLLOWEDBY [network-traffic:src_ref.value = '{FOUND}']");
    let indicator = json!({
        "type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000001",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
        "pattern": pattern, "pattern_type": "stix",
    });
    fs::write(dir.join("list"), indicator.to_string()).expect("written");
    let text = serde_json::to_string_pretty(&document(10)).expect("JSON");
    fs::write(dir.join("c.json"), &text).expect("written");
    let (_, hits, _) = run(dir, &["--json", "c.json"]);
    let hit: Value = serde_json::from_str(&hits).expect("one hit");
    // The record of the other begins on this line.
    let line = 1 + text[..text.find("user1\"").expect("it is there")].matches('\n').count() as u64;
    let other = hit["also"][0]["line"].as_u64().expect("a line");
    assert!(text.lines().nth(other as usize - 1).is_some_and(|line| line.trim() == "{"), "{hit}");
    assert!(other < line && line - other < 30, "{other} {line}");
}
