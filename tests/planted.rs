//! Listed values planted into real logs: each is found where it was planted, and nothing else is.
//!
//! Needs the logs and lists of `$STOCKADE_DATA` (`../shared/data` by default), and skips with a message without them.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stockade::compile::{Filter, RuleSetBuilder};
use stockade::matcher::{Matcher, Options};
use stockade::observable::classify;
use stockade::stix::Timestamp;

/// What stands around a planted value, as logs write it.
const AROUND: [(&str, &str); 14] = [
    ("", ""),
    ("\"", "\""),
    ("(", ")"),
    ("[", "]"),
    ("<", ">"),
    ("'", "'"),
    ("key=", ""),
    ("key=\"", "\","),
    ("", ","),
    ("", "."),
    ("{\"k\":\"", "\"}"),
    ("\\\"", "\\\""),
    ("|", "|"),
    ("src:", ";"),
];
const LINES: usize = 20_000;

#[test]
fn what_is_planted_into_real_logs_is_found_and_nothing_else() {
    let data = std::env::var_os("STOCKADE_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let lines = lines(&data.join("logs"));
    let values = values(&data.join("lists"), &lines);
    if lines.is_empty() || values.is_empty() {
        eprintln!("skipped: no real logs and lists at {}", data.display());
        return;
    }
    let mut random = 7_u64;
    let mut below = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % end
    };
    let mut log = Vec::new();
    let mut planted = BTreeSet::new();
    for number in 0..LINES {
        let line = &lines[below(lines.len())];
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let place = below(words.len() + 1);
        let value = &values[below(values.len())];
        let (before, after) = AROUND[below(AROUND.len())];
        // What stands behind the word `version` is one.
        let plant = number % 2 == 0 && !words[..place].last().is_some_and(|word| is_version_word(word));
        for (at, word) in words.iter().enumerate() {
            if plant && at == place {
                log.extend_from_slice(format!("{before}{value}{after} ").as_bytes());
            }
            log.extend_from_slice(word);
            log.push(b' ');
        }
        if plant && place == words.len() {
            log.extend_from_slice(format!("{before}{value}{after}").as_bytes());
        }
        if plant {
            planted.insert((number, classify(value).expect("a value").to_string()));
        }
        log.push(b'\n');
    }
    let mut rules = RuleSetBuilder::default();
    for value in &values {
        rules.add_value(classify(value).expect("a value")).expect("there is room");
    }
    let at = Timestamp::parse("2026-01-01T00:00:00Z").expect("an instant");
    let matcher = Matcher::new(Arc::new(rules.build()), Options::new(Filter::at(at)));
    let mut hits = Vec::new();
    matcher.scanner().scan(&log, &mut hits);
    let (mut number, mut counted_to) = (0, 0);
    let found: BTreeSet<(usize, String)> = hits
        .iter()
        .map(|hit| {
            number += memchr::memchr_iter(b'\n', &log[counted_to..hit.line_start]).count();
            counted_to = hit.line_start;
            (number, hit.value.to_string())
        })
        .collect();
    let missed: Vec<_> = planted.difference(&found).take(5).collect();
    let wrong: Vec<_> = found.difference(&planted).take(5).collect();
    assert!(missed.is_empty() && wrong.is_empty(), "missed {missed:?}, wrong {wrong:?}");
    assert!(found.len() > LINES / 3);
}

/// Lines of real logs, none of them very long.
fn lines(folder: &Path) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for folder in [folder.to_owned(), folder.join("zeek")] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.sort();
        for text in files.iter().filter_map(|file| std::fs::read(file).ok()) {
            lines.extend(text.split(|byte| *byte == b'\n').filter(|line| line.len() < 2000).map(<[u8]>::to_vec));
        }
    }
    lines
}

/// Values of real lists whose letters stand in none of the lines.
fn values(folder: &Path, lines: &[Vec<u8>]) -> Vec<String> {
    let logs = String::from_utf8_lossy(&lines.join(&b'\n')).to_lowercase();
    let mut values = Vec::new();
    for (name, every) in [("ipv4", 2000), ("ipv6", 20), ("domain", 4000), ("url", 200), ("hash", 300)] {
        let Ok(file) = std::fs::File::open(folder.join(format!("{name}.txt.zst"))) else { continue };
        let mut text = String::new();
        zstd::Decoder::new(file).and_then(|mut list| list.read_to_string(&mut text)).expect("a list");
        let sound = |value: &&str| {
            let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:/-_?=&".contains(&byte));
            plain
                && value.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '/')
                && classify(value).is_ok()
        };
        let new = |value: &&str| !logs.contains(&value.to_lowercase());
        values.extend(text.lines().step_by(every).filter(sound).filter(new).map(str::to_owned));
    }
    // The host of a listed URL is found by itself where it is listed too.
    let hosts: BTreeSet<String> = values.iter().filter_map(|v| v.split('/').nth(2).map(str::to_owned)).collect();
    values.retain(|value| !hosts.contains(value));
    values
}

fn is_version_word(word: &[u8]) -> bool {
    let word = String::from_utf8_lossy(word).to_lowercase();
    let word = word.trim_end_matches(|end: char| !end.is_ascii_alphanumeric());
    ["version", "ver", "v", "rv", "release", "build", "firmware"].iter().any(|known| word.ends_with(known))
}
