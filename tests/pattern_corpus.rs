//! Patterns of public feeds and tools: every one that the reference validator accepts is accepted in the strict
//! reading; of the others it is written down which are, and why the rest are not.

use std::path::PathBuf;
use stockade::pattern::{Pattern, Reading};

/// The data directory beside the crate, unless it is named.
fn data(file: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("STOCKADE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = dir.join(file);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn what_the_reference_accepts_is_accepted() {
    let Some(path) = data("patterns/patterns.jsonl.zst") else { return };
    let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for line in std::str::from_utf8(&text).unwrap().lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let pattern = value["pattern"].as_str().unwrap();
        let strict = Pattern::parse(pattern, Reading::Strict);
        if let (Err(error), Some(true)) = (&strict, value["reference_validator"].as_bool())
            && !error.to_string().contains("object type")
        {
            wrong.push(format!("{pattern}: {error}"));
        }
        if let Ok(strict) = strict {
            let again = Pattern::parse(&strict.to_string(), Reading::Strict).unwrap();
            assert_eq!(strict.ast(), again.ast(), "{pattern}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
