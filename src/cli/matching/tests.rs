//! The whole of `match` but its scanner, against a reference that goes line by line.

use super::blocks::Limits;
use super::gather::Gathered;
use super::output::{Format, Look, Run};
use super::pipeline::{self, Scan, Search, Searcher};
use super::report::{Report, Show};
use super::walk::Walk;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use stockade::compile::{EntryId, RuleSet, RuleSetBuilder};
use stockade::log::Layouts;
use stockade::matcher::{Hit, Relation};
use stockade::observable::classify;
use stockade::stix::Timestamp;

/// So small that every border is crossed.
const SMALL: Limits = Limits { block: 64, overlap: 32 };

/// Finds two words.
struct Words {
    rules: RuleSet,
}

const SOUGHT: [&str; 2] = ["evil", "hit"];

impl Words {
    fn new() -> Self {
        let mut builder = RuleSetBuilder::default();
        for value in ["evil.example", "hit.example"] {
            builder.add_value(classify(value).expect("a domain")).expect("room for two");
        }
        Self { rules: builder.build() }
    }

    fn id(&self, word: usize) -> String {
        self.rules.indicator(EntryId(word as u32)).id()
    }
}

struct ScanWords;

impl Scan for ScanWords {
    fn scan(&mut self, _: &Layouts, text: &[u8], hits: &mut Vec<Hit>) {
        let mut line_start = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let line_end = line_start + without_end(line).len();
            for (span, word) in words(without_end(line)) {
                hits.push(Hit {
                    line_start,
                    line_end,
                    span,
                    object_type: "domain-name",
                    value: SOUGHT[word].into(),
                    relation: Relation::Exact,
                    field: None,
                    entry: EntryId(word as u32),
                    also: Box::default(),
                });
            }
            line_start += line.len();
        }
    }
}

impl Search for Words {
    fn searcher(&self) -> Searcher<'_> {
        Box::new(ScanWords)
    }
    fn rules(&self) -> &RuleSet {
        &self.rules
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let Some(line) = line.strip_suffix(b"\n") else { return line };
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The places of whole words that are sought.
fn words(line: &[u8]) -> Vec<(std::ops::Range<usize>, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for run in line.split(|byte| !byte.is_ascii_alphanumeric()) {
        if let Some(word) = SOUGHT.iter().position(|word| word.as_bytes() == run) {
            found.push((start..start + run.len(), word));
        }
        start += run.len() + 1;
    }
    found
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);
impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the pipeline prints, and whether it selected anything. Every second file is compressed.
fn run(files: &[Vec<u8>], report: Report, threads: usize) -> (String, bool) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let paths: Vec<PathBuf> = (0..files.len()).map(|n| dir.path().join(n.to_string())).collect();
    for (n, (path, text)) in paths.iter().zip(files).enumerate() {
        let packed = if n % 2 == 1 { zstd::encode_all(&text[..], 1).expect("in memory") } else { text.clone() };
        std::fs::write(path, packed).expect("written");
    }
    let output = Shared::default();
    let walk = Walk::new(&paths, false);
    let at = Timestamp::from_unix(0, 0);
    let run = Run::new(Words::new().rules.generation(), at, at);
    let search = pipeline::start(
        Words::new(),
        run,
        report,
        walk,
        (Box::new(output.clone()), Gathered::default()),
        threads,
        SMALL,
    )
    .expect("threads");
    let summary = search.wait(|_| ());
    assert!(!summary.failed && summary.output_error.is_none());
    if report.max.is_none() && matches!(report.show, Show::Rows | Show::Count) {
        assert_eq!(summary.bytes, files.iter().map(|text| text.len() as u64).sum::<u64>());
        let lines = |text: &Vec<u8>| text.split_inclusive(|byte| *byte == b'\n').count() as u64;
        assert_eq!(summary.lines, files.iter().map(lines).sum::<u64>());
        let hits = |text: &Vec<u8>| words(text).len() as u64;
        assert_eq!(summary.hits, files.iter().map(hits).sum::<u64>());
    }
    let text = String::from_utf8_lossy(&output.0.lock().expect("not poisoned")).into_owned();
    (text.replace(&format!("{}/", dir.path().display()), ""), summary.any)
}

/// The same, written down as simply as it goes.
fn reference(files: &[Vec<u8>], report: Report) -> (String, bool) {
    let rules = Words::new();
    let (mut out, mut any) = (String::new(), false);
    for (n, text) in files.iter().enumerate() {
        let (mut offset, mut selected) = (0, 0);
        for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
            let found = words(line);
            let text = String::from_utf8_lossy(without_end(line));
            if report.max.is_none_or(|max| selected < max) && found.is_empty() == report.invert {
                selected += 1;
                if report.show == Show::Rows && report.invert && !report.look.only_matching {
                    let _ = writeln!(out, "{n}:{number}:{text}");
                }
                for (span, word) in found.into_iter().filter(|_| report.show == Show::Rows) {
                    let (value, id) = (SOUGHT[word], rules.id(word));
                    let _ = if report.look.format == Format::Json {
                        let value = format!(
                            r#""span":[{},{}],"observable":{{"type":"domain-name","value":"{value}"}}"#,
                            span.start, span.end
                        );
                        let place =
                            format!(r#""path":"{n}","line":{number},"offset":{offset},{value},"relation":"exact""#);
                        let indicator =
                            format!(r#""id":"{id}","name":null,"confidence":null,"labels":[],"valid_until":null"#);
                        let generation = rules.rules.generation();
                        writeln!(out, r#"{{{place},"indicator":{{{indicator}}},"generation":"{generation}"}}"#)
                    } else if report.look.only_matching {
                        writeln!(out, "{n}:{number}:{value} [{id}]")
                    } else {
                        writeln!(out, "{n}:{number}:{value} [{id}] {text}")
                    };
                }
            }
            offset += line.len();
        }
        any |= selected > 0;
        let _ = match report.show {
            Show::Count => writeln!(out, "{n}:{selected}"),
            Show::Names if selected > 0 => writeln!(out, "{n}"),
            _ => Ok(()),
        };
    }
    (out, any)
}

fn file(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        2 => Just("hit"), 1 => Just("evil"), 4 => Just("devil"), 2 => Just("x"), 2 => Just("\u{fc}"), 1 => Just("{"), 2 => Just("longer_word"),
    ];
    let separator = prop_oneof![5 => Just(&b" "[..]), 1 => Just(&b"."[..]), 1 => Just(&b"\""[..]), 1 => Just(&b"\xff"[..]), 1 => Just(&b""[..])];
    let line = prop::collection::vec((word, separator), 0..longest).prop_map(|parts| {
        parts.into_iter().flat_map(|(word, separator)| [word.as_bytes(), separator].concat()).collect::<Vec<u8>>()
    });
    let end = prop_oneof![3 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..])];
    (prop::collection::vec((line, end), 0..12), any::<bool>()).prop_map(|(lines, ended)| {
        let mut text: Vec<u8> = lines.iter().flat_map(|(line, end)| [line, *end].concat()).collect();
        if !ended {
            text.pop();
        }
        text
    })
}

fn report() -> impl Strategy<Value = Report> {
    let show = prop_oneof![3 => Just(Show::Rows), 1 => Just(Show::Count), 1 => Just(Show::Names)];
    (show, any::<bool>(), prop::option::of(1..4u64), any::<bool>(), any::<bool>()).prop_map(
        |(show, invert, max, json, only_matching)| {
            let format = if json && !invert { Format::Json } else { Format::Text };
            let look = Look { format, only_matching, filename: true, ..Look::default() };
            Report { show, invert, max, look, ..Report::default() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn short_lines_print_as_the_reference_says(
        files in prop::collection::vec(file(5), 1..5), report in report(), threads in 1..5usize
    ) {
        prop_assert_eq!(run(&files, report, threads), reference(&files, report));
    }

    #[test]
    fn no_hit_is_lost_or_doubled_in_lines_of_any_length(
        files in prop::collection::vec(file(60), 1..4), mut report in report(), threads in 1..5usize
    ) {
        // Rows show such lines in part, so rows are compared without the line.
        report.look.only_matching = true;
        prop_assert_eq!(run(&files, report, threads), reference(&files, report));
    }
}

#[test]
fn the_first_selected_line_ends_a_silent_search() {
    let report = Report { show: Show::Nothing, ..Report::default() };
    assert_eq!(run(&[b"quiet\n".to_vec(), b"a hit\n".to_vec()], report, 2), (String::new(), true));
    assert_eq!(run(&[b"quiet\n".to_vec()], report, 2), (String::new(), false));
    assert_eq!(run(&[b"a hit\n".to_vec()], Report { invert: true, ..report }, 2), (String::new(), false));
}

#[test]
fn a_line_too_long_to_be_shown_is_shown_in_part() {
    let look = Look { filename: true, ..Look::default() };
    let line = [&b"a".repeat(2000)[..], b" hit ", &b"b".repeat(2000)[..], b"\nshort hit\n"].concat();
    let (text, _) = run(std::slice::from_ref(&line), Report { look, ..Report::default() }, 2);
    let id = Words::new().id(1);
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 2, "{text}");
    let shown = rows[0].strip_prefix(&format!("0:1:hit [{id}] ")).expect("a row of line 1");
    assert!(
        shown.starts_with("[...]") && shown.ends_with("[...]") && shown.contains(" hit ") && shown.len() < 100,
        "{shown}"
    );
    assert_eq!(rows[1], format!("0:2:hit [{id}] short hit"));

    let quiet = [&b"a".repeat(2000)[..], b"\nshort hit\n"].concat();
    let (text, _) = run(&[quiet], Report { look, invert: true, ..Report::default() }, 2);
    assert_eq!(text, format!("0:1:{}[...]\n", "a".repeat(64)));
    let (text, any) = run(&[line], Report { look, invert: true, ..Report::default() }, 2);
    assert_eq!((&*text, any), ("", false));
}
