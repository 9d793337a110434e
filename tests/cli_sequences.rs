//! `stockade match` with patterns that need several lines: across lines and files, in the time that the lines tell.
#![cfg(feature = "cli")]

use serde_json::{Value, json};
use std::process::{Command, Output};

struct Place(tempfile::TempDir);

impl Place {
    /// A folder with indicators; the nth pattern has a name and an id that end with n, from 1.
    fn new(patterns: &[&str]) -> Self {
        let indicator = |(number, pattern): (usize, &&str)| {
            let id = format!("indicator--00000000-0000-4000-8000-00000000000{}", number + 1);
            json!({"type": "indicator", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00Z",
                "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z", "pattern_type": "stix",
                "name": (number + 1).to_string(), "pattern": pattern})
        };
        let objects: Vec<Value> = patterns.iter().enumerate().map(indicator).collect();
        let place = Self(tempfile::tempdir().expect("a folder"));
        place.write("i.json", &json!({"type": "bundle", "objects": objects}).to_string());
        place
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_stockade"))
            .args(["match", "--at", "2026-02-01T00:00:00Z", "-i", "i.json"])
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("it runs")
    }

    /// Path, line and pattern of each hit, and the other lines that it has.
    fn hits(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.run(&[&["--json"], arguments].concat());
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let place = |hit: &Value| format!("{}:{}", hit["path"].as_str().unwrap_or(""), hit["line"]);
        let row = |line: &str| {
            let hit: Value = serde_json::from_str(line).expect("JSON");
            let also: Vec<String> = hit["also"].as_array().into_iter().flatten().map(place).collect();
            format!("{} {} {}", place(&hit), hit["indicator"]["name"].as_str().unwrap_or(""), also.join(" "))
        };
        text.lines().map(row).collect()
    }
}

const FOLLOWED: &str =
    "([ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [domain-name:value = 'evil.example']) WITHIN 300 SECONDS";
const BOTH: &str = "[ipv4-addr:value = '203.0.113.9'] AND [domain-name:value = 'evil.example']";
const OFTEN: &str = "[ipv4-addr:value = '198.51.100.7'] REPEATS 3 TIMES WITHIN 60 SECONDS";
const PLAIN: &str = "[domain-name:value = 'evil.example']";

#[test]
fn lines_of_many_formats_tell_their_time() {
    // The second line of each pair is 299 seconds after 2026-01-10T10:00:00Z, and once 300.
    let firsts = [
        "Jan 10 10:00:00 host sshd[1]: from 203.0.113.9",
        "2026-01-10T10:00:00Z 203.0.113.9",
        "2026-01-10T11:00:00.000+01:00 203.0.113.9",
        "203.0.113.9 - - [10/Jan/2026:05:00:00 -0500] \"GET / HTTP/1.1\" 200 1",
        "{\"ts\":1768039200.0,\"id.orig_h\":\"203.0.113.9\"}",
        "1768039200.000 88 203.0.113.9",
        "10-Jan-2026 10:00:00.000 queries: info: client 203.0.113.9#53",
        "<166>Jan 10 2026 10:00:00: %ASA-6-302013: from outside/203.0.113.9",
    ];
    let seconds = [
        ("2026-01-10 10:04:59,500 INFO evil.example", true),
        ("{\"timestamp\":\"2026-01-10T10:04:59.9Z\",\"query\":\"evil.example\"}", true),
        ("Jan 10 10:05:00 host named: evil.example", false),
    ];
    let place = Place::new(&[FOLLOWED]);
    for first in firsts {
        for (second, completes) in seconds {
            place.write("a.log", &format!("{first}\n"));
            place.write("b.log", &format!("nothing here\n{second}\n"));
            let expected = if completes { vec!["b.log:2 1 a.log:1".to_owned()] } else { Vec::new() };
            assert_eq!(place.hits(&["a.log", "b.log"]), expected, "{first} / {second}");
        }
    }
}

#[test]
fn lines_without_time_have_no_order() {
    let place = Place::new(&[FOLLOWED, BOTH, PLAIN]);
    place.write("a.log", "203.0.113.9\nevil.example\n");
    assert_eq!(place.hits(&["a.log"]), ["a.log:2 2 a.log:1", "a.log:2 3 "]);
}

#[test]
fn one_line_is_one_observation() {
    let place = Place::new(&[BOTH, "[domain-name:value = 'evil.example'] AND [domain-name:value = 'evil.example']"]);
    place.write("a.log", "203.0.113.9 evil.example\n");
    assert_eq!(place.hits(&["a.log"]), Vec::<String>::new());
    place.write("a.log", "203.0.113.9 evil.example\nevil.example\n");
    assert_eq!(place.hits(&["a.log"]), ["a.log:2 1 a.log:1", "a.log:2 2 a.log:1"]);
}

#[test]
fn flags_of_grep_count_the_completing_line() {
    let place = Place::new(&[FOLLOWED, OFTEN]);
    place.write("a.log", "2026-01-10T10:00:00Z 203.0.113.9\n2026-01-10T10:00:01Z x\n");
    place.write("b.log", "2026-01-10T10:00:02Z evil.example\n");
    let text = |arguments: &[&str]| String::from_utf8(place.run(arguments).stdout).expect("UTF-8");
    assert_eq!(text(&["-c", "a.log", "b.log"]), "a.log:0\nb.log:1\n");
    assert_eq!(text(&["-l", "a.log", "b.log"]), "b.log\n");
    assert_eq!(text(&["-v", "a.log", "b.log"]).lines().count(), 2);
    assert_eq!(place.run(&["-q", "a.log", "b.log"]).status.code(), Some(0));
    assert_eq!(place.run(&["-q", "a.log"]).status.code(), Some(1));
    place.write("allow", "evil.example\n");
    assert_eq!(text(&["--allow", "allow", "a.log", "b.log"]), "");
}

#[test]
fn a_busy_value_is_kept_near_in_time_and_what_is_forgotten_is_said() {
    let place = Place::new(&[OFTEN]);
    let line = |second: u32| format!("{}.0 198.51.100.7\n", 1_768_039_200 + second);
    // Every 61 seconds, never three within 60.
    place.write("a.log", &(0..17_000).map(|n| line(n * 61)).collect::<String>());
    let output = place.run(&["-c", "a.log"]);
    assert_eq!(output.stdout, b"a.log:0\n");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("17000 lines hold a part of one, 16384 kept to the end, 616 forgotten early"), "{said}");
    place.write("b.log", &[line(0), line(20), line(40), line(59)].concat());
    assert_eq!(place.hits(&["b.log"]), ["b.log:3 1 b.log:1 b.log:2"]);
    let quiet = place.run(&["b.log"]);
    assert!(!String::from_utf8_lossy(&quiet.stderr).contains("several lines: 4 lines"), "nothing was lost");
}
