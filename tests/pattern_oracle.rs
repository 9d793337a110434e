//! Corner cases of the grammar beside the reference validator. `oracle/patterns.jsonl` records for each what is right,
//! what the reference says, and where these differ why; `oracle/validator.py` asks the reference again.

use std::path::Path;
use stockade::pattern::{Pattern, Reading};

mod pattern_laws;

#[test]
fn corner_cases_are_judged_as_recorded() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/patterns.jsonl");
    let mut wrong = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["pattern"].as_str().unwrap();
        let result = Pattern::parse(text, Reading::Strict);
        if result.is_ok() != case["valid"].as_bool().unwrap() {
            wrong.push(format!("{text:?}: {:?}", result.map(|pattern| pattern.to_string())));
        }
        assert_eq!(
            case["valid"] != case["reference"],
            case["why"].is_string(),
            "{text:?}: every difference has a reason"
        );
        pattern_laws::hold(text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
