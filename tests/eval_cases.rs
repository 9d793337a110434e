//! The table of cases in `tests/cases`, each with the section of the standard that it comes from: through the evaluator,
//! through many patterns at once, and through the naive reference. From it the conformance page is written:
//! `STOCKADE_WRITE=1 cargo test --test eval_cases`.

#[path = "reference/eval.rs"]
mod reference;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use stockade::compile::Program;
use stockade::matcher::eval::many::PatternSetBuilder;
use stockade::matcher::eval::{Outcome, evaluate};
use stockade::pattern::{Pattern, Reading};
use stockade::stix::ObservedData;
use stockade::stix::observed::Reader;

struct Case {
    name: String,
    section: String,
    pattern: String,
    expect: String,
    /// Whether the reference can do it: it knows no PCRE, no normal forms, no IPv6, no large numbers.
    within_reference: bool,
    observations: Vec<ObservedData>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The cases of each file.
fn cases() -> BTreeMap<String, Vec<Case>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder()).expect("the cases are there") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        all.insert(name, text.lines().map(case).collect());
    }
    all
}

fn case(line: &str) -> Case {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let text = |key: &str| value[key].as_str().unwrap_or_else(|| panic!("{line}: no {key}")).to_owned();
    let mut reader = Reader::default();
    reader.add(Value::Array(value["observed_data"].as_array().cloned().unwrap_or_default()));
    Case {
        name: text("name"),
        section: text("section"),
        pattern: text("pattern"),
        expect: text("expect"),
        within_reference: value["reference"].as_bool().unwrap_or(true),
        observations: reader.finish().0,
    }
}

/// What a case comes to.
fn outcome(case: &Case) -> &'static str {
    let Ok(pattern) = Pattern::parse(&case.pattern, Reading::Strict) else { return "reject" };
    let Ok(program) = Program::new(&pattern.ast(), Reading::Strict) else { return "reject" };
    if case.expect == "accept" || case.expect == "reject" {
        return "accept";
    }
    let outcome = evaluate(&program, &case.observations);
    let mut builder = PatternSetBuilder::default();
    builder.add(program.clone());
    let together = builder.build().evaluate(&case.observations).pop().map_or(Outcome::NoMatch, |(_, outcome)| outcome);
    assert_eq!(together, outcome, "{}: {}", case.name, case.pattern);
    if case.within_reference {
        let matches = reference::matches(&pattern.ast(), &case.observations);
        assert_eq!(matches, matches!(outcome, Outcome::Match(_)), "the reference on {}: {}", case.name, case.pattern);
    }
    match outcome {
        Outcome::Match(_) => "match",
        Outcome::NoMatch => "nomatch",
        Outcome::Undetermined(_) => "undetermined",
    }
}

#[test]
fn every_case_comes_out_as_expected() {
    let mut wrong = String::new();
    for case in cases().values().flatten() {
        let got = outcome(case);
        if got != case.expect {
            let _ = writeln!(wrong, "{}: expected {}, got {got}: {}", case.name, case.expect, case.pattern);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_conformance_page_is_current() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/conformance.md");
    if std::env::var_os("STOCKADE_WRITE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, page).expect("written");
        return;
    }
    let standing = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(standing, page, "STOCKADE_WRITE=1 cargo test --test eval_cases writes it anew");
}

/// The levels of section 12.7 and the cases that speak for each.
const LEVELS: &[(&str, &str, &[&str])] = &[
    ("1", "comparisons within one observation", &["9.4", "9.5", "9.6.1", "9.7", "4.14", "9.2"]),
    ("2", "and AND, OR, START STOP, REPEATS over observations", &["9.3", "9.8"]),
    ("3", "and FOLLOWEDBY, WITHIN", &["9.3", "9.8"]),
];

const SECTIONS: &[(&str, &str)] = &[
    ("4.14", "observed data"),
    ("9.2", "patterns: what is one and what is none"),
    ("9.3", "pattern expressions"),
    ("9.4", "constants"),
    ("9.5", "comparison expressions"),
    ("9.6.1", "comparison operators"),
    ("9.7", "object paths"),
    ("9.8", "observation expressions and qualifiers; the examples of the standard"),
];

fn page() -> String {
    let all = cases();
    let mut out = String::from(
        "# Conformance with STIX 2.1 patterning\n\n\
         Written by `STOCKADE_WRITE=1 cargo test --test eval_cases` from the cases in `tests/cases`.\n\n\
         Stockade evaluates the whole language, conformance level 3 (section 12.7).\n\n\
         | level | asks for | sections |\n| --- | --- | --- |\n",
    );
    for (level, asks, sections) in LEVELS {
        let _ = writeln!(out, "| {level} | {asks} | {} |", sections.join(", "));
    }
    out.push_str("\n| section | about | cases | pass |\n| --- | --- | --- | --- |\n");
    let mut total = (0, 0);
    for (section, about) in SECTIONS {
        let here: Vec<&Case> = all.values().flatten().filter(|case| case.section == *section).collect();
        let passed = here.iter().filter(|case| outcome(case) == case.expect).count();
        total = (total.0 + here.len(), total.1 + passed);
        let _ = writeln!(out, "| {section} | {about} | {} | {passed} |", here.len());
    }
    let _ = writeln!(out, "| all | | {} | {} |", total.0, total.1);
    assert_eq!(total.0, all.values().flatten().count(), "every section of a case has a row");
    out.push_str(
        "\nEvery case also runs through the evaluation of many patterns at once, and those within its reach through a naive\n\
         second evaluator (`tests/reference/eval.rs`), which random patterns over random observations are compared with too\n\
         (`tests/eval_reference.rs`).\n\n## Where the standard leaves room\n\n",
    );
    for choice in CHOICES {
        let _ = writeln!(out, "- {choice}");
    }
    out.push_str(
        "\n## Differences from the OASIS reference tools\n\n\
         `tests/oracle/matcher.py` asks stix2-matcher 3.0.0 about every case above that has data; these are all the differences.\n\
         Where the language keeps clear of them, `tests/oracle/random_matcher.py` finds none on random patterns and data.\n\n",
    );
    out.push_str(&differences());
    out
}

/// The differences that the comparison with the reference tools found, from the list that it is checked against.
fn differences() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/eval_differences.tsv");
    let mut out = String::from("| id | who is right | section | what |\n| --- | --- | --- | --- |\n");
    for line in fs::read_to_string(path).unwrap_or_default().lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let _ = writeln!(out, "| {} |", fields.join(" | "));
    }
    out
}

const CHOICES: &[&str] = &[
    "An absent path makes its test false whatever the operator; only `NOT EXISTS` is true of it.",
    "Types that do not compare are unequal: `=` is false, `!=` is true, and NOT turns the result of the comparison round.",
    "`[*]` is true if any element satisfies the test, under NOT too.",
    "An observation has two times, `first_observed` and `last_observed`: WITHIN, START STOP and FOLLOWEDBY hold for both. \
     One without times satisfies none of them.",
    "Second 60 is the instant at which the next minute begins.",
    "MATCHES is PCRE with DOTALL and UTF, without UCP: `\\d`, `\\w`, `\\s` and `\\b` are ASCII. Recursion, subroutine calls, \
     callouts, branch reset and backtracking verbs are refused by name. A limit of steps that is reached is reported as \
     undetermined.",
    "Observation expressions may be nested 64 deep (chains of one operator count once).",
];
