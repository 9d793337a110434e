//! Compiled indexes as a user of the library has them: the same hits as from memory, and no reader disturbed.

use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::log::{Choice, Layout, Layouts, format_named};
use stockade::matcher::{Compiled, Matcher, Options};
use stockade::observable::classify;
use stockade::stix::{Indicator, Timestamp};

fn now() -> Filter {
    Filter::at(Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant"))
}

fn write(rules: &RuleSet) -> Vec<u8> {
    let mut bytes = Vec::new();
    Compiled::new(rules).write(&mut bytes).expect("memory takes everything");
    bytes
}

/// All cases of the table: their patterns as indicators, and their observed data as lines of text and of JSON.
fn cases() -> (RuleSetBuilder, String) {
    let (mut builder, mut log) = (RuleSetBuilder::default(), String::new());
    builder.keep_patterns();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = fs::read_dir(folder).expect("the cases").map(|e| e.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let mut number = 0;
    for path in paths {
        for line in fs::read_to_string(path).expect("readable").lines() {
            let case: Value = serde_json::from_str(line).expect("JSON");
            number += 1;
            let object = serde_json::json!({
                "type": "indicator",
                "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
                "pattern": case["pattern"],
                "labels": [format!("l{}", number % 7)],
                "confidence": number % 101,
            });
            let json = object.to_string();
            // What cannot be used is left out of both.
            if let Ok(indicator) = Indicator::from_json(json.as_bytes()) {
                let _ = builder.add(&indicator);
            }
            let mut words = Vec::new();
            strings(&case["observed_data"], &mut words);
            let _ = writeln!(log, "2026-05-01T10:00:00Z app: {}", words.join(" ").replace(['\n', '\r'], " "));
            for word in &words {
                let _ = writeln!(log, "seen {} there", word.replace(['\n', '\r'], " "));
            }
            let _ = writeln!(
                log,
                "{}",
                serde_json::json!({"dest_ip": words.first(), "message": words.join(" "), "file": {"name": words.last()}})
            );
        }
    }
    assert!(number > 100, "{number} cases");
    (builder, log)
}

fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|item| strings(item, out)),
        Value::Object(map) => map.values().for_each(|item| strings(item, out)),
        _ => {}
    }
}

/// All that is told of the hits in a text.
fn told(matcher: &Matcher, log: &str) -> Vec<String> {
    let mut hits = Vec::new();
    matcher.scanner().scan(log.as_bytes(), &mut hits);
    let plain = hits.len();
    let choice = Choice { format: format_named("json"), ..Choice::default() };
    for line in log.lines().filter(|line| line.starts_with('{')) {
        let layouts = Layouts::one(Arc::new(Layout::of(&choice, line.as_bytes())));
        matcher.scanner().scan_as(&layouts, line.as_bytes(), &mut hits);
    }
    assert!(plain > 0 && hits.len() > plain, "{plain} and {}", hits.len());
    let told = |hit: &stockade::matcher::Hit| {
        let one = matcher.rules().indicator(hit.entry);
        let labels: Vec<&str> = one.labels().collect();
        format!(
            "{:?} {:?} {} {:?} {:?} {} {:?} {labels:?} {:?}",
            hit.line_start,
            hit.span,
            hit.value,
            hit.relation,
            hit.field,
            one.id(),
            one.confidence(),
            one.pattern()
        )
    };
    hits.iter().map(told).collect()
}

#[test]
fn the_cases_of_the_table_give_the_same_hits_from_a_file() {
    let (builder, log) = cases();
    let file = write(&builder.build_current());
    let in_memory = Arc::new(cases().0.build());
    let opened = Arc::new(RuleSet::from_bytes(file).expect("in order"));
    opened.verify().expect("in order");
    assert_eq!(opened.generation(), in_memory.generation());
    let filters: [fn(&mut Options); 4] = [
        |_| {},
        |options| options.subdomains = true,
        |options| options.filter.min_confidence = 60,
        |options| options.filter.labels = vec!["l3".into()],
    ];
    for (number, change) in filters.into_iter().enumerate() {
        let matchers = [&in_memory, &opened].map(|rules| {
            let mut options = Options::new(now());
            change(&mut options);
            Matcher::new(Arc::clone(rules), options)
        });
        // By id: rows of what cannot be used are only in memory, so that numbers differ.
        let unsought = |matcher: &Matcher| {
            let id = |entry| matcher.rules().indicator(entry).id();
            let mut unsought: Vec<_> =
                matcher.unsought().into_iter().map(|(entry, reason)| (id(entry), reason)).collect();
            unsought.sort();
            unsought
        };
        let [expected, found] = matchers.map(|matcher| (matcher.active(), unsought(&matcher), told(&matcher, &log)));
        assert_eq!(found, expected, "options {number}");
    }
}

/// An index of one value.
fn index_of(value: &str) -> Vec<u8> {
    let mut builder = RuleSetBuilder::default();
    builder.add_value(classify(value).expect(value)).expect("there is room");
    // Enough to fill many pages, so that a reader has most of it still to fetch.
    for number in 0..20_000 {
        let name = format!("n{number}.of-{value}");
        builder.add_value(classify(&name).expect("a name")).expect("there is room");
    }
    write(&builder.build_current())
}

#[test]
fn an_index_that_is_replaced_while_it_is_read_does_not_change_under_its_reader() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("index.sdx");
    let versions = [index_of("first.example"), index_of("second.example")];
    let replace = |version: &[u8]| {
        let new = folder.path().join("index.new");
        fs::write(&new, version).expect("written");
        fs::rename(&new, &path).expect("renamed");
    };
    replace(&versions[0]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = [0_u32; 2];
                    while !done.load(Ordering::Relaxed) || seen.contains(&0) {
                        let matcher = Matcher::open(&path, Options::new(now())).expect("whole at any time");
                        let own = |name: &str| {
                            let mut hits = Vec::new();
                            let text =
                                format!("a {name}.example b\nc n19999.of-{name}.example d n77.of-{name}.example\n");
                            matcher.scanner().scan(text.as_bytes(), &mut hits);
                            hits.len()
                        };
                        let found = [own("first"), own("second")];
                        std::thread::yield_now();
                        assert_eq!(found, [own("first"), own("second")], "one generation while it is open");
                        assert!(found == [3, 0] || found == [0, 3], "{found:?}");
                        seen[usize::from(found[0] == 0)] += 1;
                    }
                })
            })
            .collect();
        for turn in 0..200 {
            replace(&versions[turn % 2]);
        }
        done.store(true, Ordering::Relaxed);
        // Both are there for whoever has still to see them.
        for turn in 0.. {
            if readers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                break;
            }
            replace(&versions[turn % 2]);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        for reader in readers {
            reader.join().expect("no reader fails");
        }
    });
}

#[test]
fn what_is_mapped_outlives_its_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("index.sdx");
    fs::write(&path, index_of("evil.example")).expect("written");
    let matcher = Matcher::open(&path, Options::new(now())).expect("in order");
    drop(folder);
    let mut hits = Vec::new();
    matcher.scanner().scan(b"to n5.of-evil.example\n", &mut hits);
    assert_eq!(hits.len(), 1);
}
