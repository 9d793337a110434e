//! Real bundles and lists, where they are at hand: everything in them is read, and what is rejected is so for a reason.
//!
//! They are looked for in `../shared/data`, or where the environment variable `STOCKADE_DATA` says.

use std::fs::File;
use std::path::PathBuf;
use stockade::source::{self, Item, Summary};

fn data(name: &str) -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = std::env::var_os("STOCKADE_DATA").map_or_else(default, PathBuf::from).join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// What is in a file, and what was rejected with which detail.
fn load(name: &str) -> Option<(Summary, Vec<(&'static str, String)>)> {
    let path = data(name)?;
    let file = File::open(&path).expect("the file can be opened");
    let mut rejected = Vec::new();
    let mut visit = |_, item: Item<'_>| match item {
        Item::Rejected(item) => rejected.push((item.reason, item.detail)),
        Item::Indicator { ignored, .. } => assert!(ignored.is_empty(), "{name}: {ignored:?}"),
        Item::Value(_) => {}
    };
    let summary = if path.extension().is_some_and(|extension| extension == "zst") {
        source::read(&mut zstd::Decoder::new(file).expect("zstd"), &mut visit)
    } else {
        source::read(&mut &file, &mut visit)
    };
    Some((summary.expect("the file is read to its end"), rejected))
}

#[test]
fn every_object_of_real_bundles_is_read() {
    for (name, indicators, other_objects) in [
        ("mvt-predator.stix2", 585, 586),
        ("oasis-apt1", 12, 64),
        ("oasis-indicator-for-malicious-url", 1, 2),
        ("oasis-poisonivy", 25, 130),
        ("oasis-sighting-of-an-indicator", 1, 3),
        ("oasis-sighting-of-observed-data", 0, 8),
        ("socdefenders-page", 1, 1),
        ("unit42-emotet", 886, 1972),
        ("unit42-maze-ransomware", 400, 1290),
        ("unit42-solarphoenix", 720, 1711),
        ("unit42-trickbot", 717, 2332),
    ] {
        let Some((summary, rejected)) = load(&format!("bundles/{name}.json")) else { continue };
        assert_eq!(summary, Summary { indicators, other_objects, ..Summary::default() }, "{name}");
        assert!(rejected.is_empty(), "{name}: {rejected:?}");
    }
}

#[test]
fn every_line_of_real_lists_is_a_value_but_file_names_and_one_more() {
    const FILE: &str = "name of a file, not of a domain";
    for (name, lines, files) in [
        ("benign-domain", 151_146, 0),
        ("cidr4", 1092, 0),
        ("domain", 1_784_418, 4794),
        ("hash", 114_071, 0),
        ("ipv4", 909_838, 0),
        ("ipv6", 1981, 0),
        ("url", 85_014, 0),
    ] {
        let Some((summary, rejected)) = load(&format!("lists/{name}.txt.zst")) else { continue };
        let (file_names, others): (Vec<_>, Vec<_>) = rejected.into_iter().partition(|(reason, _)| *reason == FILE);
        assert_eq!((summary.values, file_names.len() as u64), (lines - files, files), "{name}");
        let half_defanged = "https://www.krcert.or[.kr/data/secNoticeView.do?bulletin_writing_sequence=26998";
        let expected = vec![("character that no domain has", half_defanged.to_owned())];
        assert_eq!(others, if name == "url" { expected } else { vec![] }, "{name}");
    }
}
