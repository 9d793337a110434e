//! What is found in logs of every format, to the byte: each file in `tests/golden/logs` is a log in the shape in which its
//! writer writes it, and the `.jsonl` of its name holds the hits of `stockade match --json`, after a line of what is said of
//! it on standard error.
//!
//! `SNAPSHOTS=overwrite cargo test --test log_golden` writes down what is found instead.

use serde_json::Value;
use snapbox::{Data, assert_data_eq};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/logs")
}

/// The logs, by name.
fn logs() -> BTreeSet<String> {
    let names = fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("readable").file_name());
    let names = names.map(|name| name.into_string().expect("a plain name"));
    names.filter(|name| name.split('.').next_back() != Some("jsonl") && name != "indicators.json").collect()
}

/// The hits in a log, and what is said of it.
fn search(log: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args(["match", "--at", "2026-06-01", "-i", "indicators.json", "--json", log])
        .current_dir(folder())
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let said: Vec<_> = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect();
    let hits = String::from_utf8(output.stdout).expect("text");
    format!("{}\n{hits}", serde_json::json!({ "said": said }))
}

#[test]
fn every_log_has_the_hits_that_it_had() {
    for log in logs() {
        let golden = Data::read_from(&folder().join(format!("{log}.jsonl")), None).raw();
        assert_data_eq!(Data::text(search(&log)).raw(), golden);
    }
}

#[test]
fn every_format_and_family_has_a_log_and_every_hit_its_place() {
    let formats = stockade::log::formats().map(|format| format.name);
    let also: &[(&str, &str)] = &[("w3c", "iis"), ("key-value", "fortigate"), ("csv", "table"), ("json", "unknown")];
    for format in formats {
        let name = also.iter().find(|(of, _)| *of == format).map_or(format, |(_, log)| log);
        assert!(logs().iter().any(|log| log.split('.').next() == Some(name)), "no log of {format}");
    }
    for log in logs() {
        let text = fs::read(folder().join(&log)).expect("readable");
        let golden = fs::read_to_string(folder().join(format!("{log}.jsonl"))).expect("readable");
        assert!(golden.lines().count() > 1, "{log} has no hit");
        for hit in golden.lines().skip(1) {
            let hit: Value = serde_json::from_str(hit).expect("JSON");
            let number = |value: &Value| value.as_u64().expect("a number") as usize;
            let offset = number(&hit["offset"]);
            assert_eq!(number(&hit["line"]), 1 + memchr::memchr_iter(b'\n', &text[..offset]).count(), "{log} {hit}");
            let span = offset + number(&hit["span"][0])..offset + number(&hit["span"][1]);
            assert!(span.start < span.end && !text[span].contains(&b'\n'), "{log} {hit}");
        }
    }
}
