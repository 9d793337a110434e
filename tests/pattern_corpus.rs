//! Patterns of public feeds and tools, against the reference validator: where the two differ is written down here,
//! and why.

use std::collections::BTreeMap;
use std::path::PathBuf;
use stockade::pattern::{Pattern, Reading};

mod pattern_laws;

/// Every kind of outcome in the corpus: whether the reference takes the pattern, the error of the strict reading, and
/// that of the pragmatic reading (`ok` for none); how often; and why. Quoted pieces of patterns are cut out.
const OUTCOMES: &[(bool, &str, &str, usize, &str)] = &[
    (true, "ok", "ok", 13020, "valid"),
    (
        true,
        "AND of _ and _ in one pair of brackets can never be true",
        "AND of _ and _ in one pair of brackets can never be true",
        25,
        "STIX 2.1 section 9.6 wants one object type for the operands of AND; the reference does not look",
    ),
    (
        false,
        "ok",
        "ok",
        5,
        "grammatical; the reference wants hash values of the right length too, which are templates here",
    ),
    (false, "the property _ holds a hyphen and needs quotes", "ok", 3, "names of hash algorithms, which are repaired"),
    (
        false,
        "expected a comparison operator, found _",
        "expected a comparison operator, found _",
        180,
        "placeholders of a converter for what it could not express, and a Sigma rule",
    ),
    (
        false,
        "expected _ and a property after the object type, found _",
        "expected _ and a property after the object type, found _",
        2,
        "a Snort and a YARA rule",
    ),
];

#[test]
fn differences_to_the_reference_are_explained() {
    let Some(lines) = corpus() else { return };
    let mut outcomes = BTreeMap::<_, usize>::new();
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = value["pattern"].as_str().unwrap();
        let reference = value["reference_validator"].as_bool().unwrap();
        let outcome = |reading| {
            Pattern::parse(text, reading).map_or_else(|error| without_quotes(error.message()), |_| "ok".into())
        };
        *outcomes.entry((reference, outcome(Reading::Strict), outcome(Reading::Pragmatic))).or_default() += 1;
    }
    let expected = OUTCOMES
        .iter()
        .map(|&(reference, strict, pragmatic, count, _)| ((reference, strict.to_owned(), pragmatic.to_owned()), count));
    assert_eq!(outcomes, expected.collect());
}

#[test]
fn laws_hold_for_the_corpus() {
    let Some(lines) = corpus() else { return };
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        pattern_laws::hold(value["pattern"].as_str().unwrap());
    }
}

/// The lines of the corpus, which is no part of the crate.
fn corpus() -> Option<String> {
    let dir = std::env::var_os("STOCKADE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = dir.join("patterns/patterns.jsonl.zst");
    let Ok(file) = std::fs::File::open(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    Some(String::from_utf8(zstd::decode_all(file).unwrap()).unwrap())
}

/// A message with `_` for everything in backticks.
fn without_quotes(message: &str) -> String {
    let parts = message.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 0 { part } else { "_" }).collect()
}
