//! Cases of lines with fields, in `tests/cases/fields/`: what is listed, a line, and every hit that it has.
//!
//! A case is a block of lines: `pattern:` or `value:` (several may stand), `format:` if it is not `auto`, `option:`,
//! `line:`, and for each hit `hit: FIELD RELATION TEXT`, the text being that of the span; `-` for no field. Several
//! `line:` are one log; their hits follow each.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSetBuilder};
use stockade::log::{Choice, Tracker, format_named};
use stockade::matcher::{Matcher, Options};
use stockade::observable::classify;
use stockade::stix::{Indicator, Timestamp};

#[derive(Default)]
struct Case {
    patterns: Vec<String>,
    values: Vec<String>,
    format: Option<String>,
    fields_only: bool,
    subdomains: bool,
    lines: Vec<(String, Vec<String>)>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in text.split("\n\n") {
        let mut case = Case::default();
        for line in block.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (key, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            match key {
                "pattern" => case.patterns.push(value.to_owned()),
                "value" => case.values.push(value.to_owned()),
                "format" => case.format = Some(value.to_owned()),
                "option" if value == "fields-only" => case.fields_only = true,
                "option" if value == "subdomains" => case.subdomains = true,
                "line" => case.lines.push((value.replace("\\t", "\t"), Vec::new())),
                "raw" => case.lines.push((value.to_owned(), Vec::new())),
                "hit" => case.lines.last_mut().expect("a line before its hits").1.push(value.to_owned()),
                _ => panic!("no such key: {line}"),
            }
        }
        if !case.lines.is_empty() {
            cases.push(case);
        }
    }
    cases
}

fn matcher(case: &Case) -> Matcher {
    let mut builder = RuleSetBuilder::default();
    for (number, pattern) in case.patterns.iter().enumerate() {
        let indicator = Indicator {
            id: format!("indicator--00000000-0000-4000-8000-{number:012}").into(),
            name: None,
            pattern: pattern.as_str().into(),
            pattern_type: "stix".into(),
            created_by: None,
            created: None,
            modified: Timestamp::parse("2026-01-01T00:00:00Z").ok(),
            valid_from: None,
            valid_until: None,
            revoked: false,
            confidence: None,
            labels: Vec::new(),
            indicator_types: Vec::new(),
            tlp: None,
        };
        builder.add(&indicator).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    }
    for value in &case.values {
        builder.add_value(classify(value).expect(value)).expect("there is room");
    }
    let at = Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant");
    let options =
        Options { fields_only: case.fields_only, subdomains: case.subdomains, ..Options::new(Filter::at(at)) };
    Matcher::new(Arc::new(builder.build()), options)
}

/// The hits of each line, as the cases write them.
fn hits(case: &Case) -> Vec<Vec<String>> {
    let matcher = matcher(case);
    let format = case.format.as_deref().map(|name| format_named(name).unwrap_or_else(|| panic!("no format {name}")));
    let log: String = case.lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let mut hits = Vec::new();
    let layouts = Tracker::new(Arc::new(Choice { format, ..Choice::default() })).next(log.as_bytes());
    matcher.scanner().scan_as(&layouts, log.as_bytes(), &mut hits);
    let mut found = vec![Vec::new(); case.lines.len()];
    for hit in hits {
        let number = log[..hit.line_start].lines().count();
        let text = &log[hit.line_start + hit.span.start..hit.line_start + hit.span.end];
        let field = hit.field.as_deref().unwrap_or("-");
        found[number].push(format!("{field} {} {text}", hit.relation.name()));
    }
    found
}

#[test]
fn every_line_has_the_hits_that_its_case_states() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/fields");
    let mut wrong = String::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("there are cases") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("cases are UTF-8");
        for case in cases(&text) {
            count += 1;
            for ((line, expected), found) in case.lines.iter().zip(hits(&case)) {
                if *expected != found {
                    let listed = [&case.patterns[..], &case.values[..]].concat().join(", ");
                    let _ = writeln!(
                        wrong,
                        "{}: {listed}\n  {line}\n  expected {expected:#?}\n  found {found:#?}",
                        path.display()
                    );
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count > 20, "only {count} cases");
}
