//! Whatever the bytes, a search goes through, and says what is true of them.

use proptest::prelude::*;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSetBuilder};
use stockade::matcher::{Matcher, Options};
use stockade::observable::classify;
use stockade::stix::Timestamp;

fn matcher(refang: bool, subdomains: bool) -> Matcher {
    let mut builder = RuleSetBuilder::default();
    for value in ["192.0.2.0/24", "2001:db8::/32", "evil.example", "http://evil.example/a", "a@evil.example"] {
        builder.add_value(classify(value).expect("a value")).expect("room");
    }
    let now = Timestamp::parse("2026-01-01T00:00:00Z").expect("a time");
    Matcher::new(Arc::new(builder.build()), Options { refang, subdomains, ..Options::new(Filter::at(now)) })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "evil.example",
        "192.0.2.7",
        "2001:db8::1",
        "::ffff:192.0.2.7",
        "http://",
        "hxxp://",
        "a@",
        "[.]",
        "/",
        "//",
        ".",
        "..",
        ":",
        "::",
        "@",
        "=",
        "%",
        "%2F",
        "%25",
        "%3D",
        "%E4",
        "?",
        "&",
        "#",
        "\\",
        "\\n",
        "\\u00e4",
        "\"",
        "{",
        "[",
        "]",
        "(",
        ",",
        " ",
        "\t",
        "\r",
        "\n",
        "x",
        "1",
        "\u{e4}",
        "\u{4f8b}",
        "\u{3002}",
        "d41d8cd98f00b204e9800998ecf8427e",
    ]);
    let bytes =
        prop_oneof![9 => part.prop_map(|part| part.as_bytes().to_vec()), 1 => any::<u8>().prop_map(|byte| vec![byte])];
    let length = prop_oneof![0..8usize, 0..40usize];
    length.prop_flat_map(move |length| prop::collection::vec(bytes.clone(), length)).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn names_beyond_ascii_are_followed_by_anything(rest in text(), name in "[\u{e4}\u{4f8b}a]{1,3}", space in " ?") {
        let mut hits = Vec::new();
        let text = [space.as_bytes(), name.as_bytes(), b".evil.example/", &rest].concat();
        matcher(false, true).scanner().scan(&text, &mut hits);
        prop_assert!(!hits.is_empty());
    }

    #[test]
    fn hits_lie_in_their_lines_in_order(text in text(), refang: bool, subdomains: bool) {
        let matcher = matcher(refang, subdomains);
        let mut hits = Vec::new();
        matcher.scanner().scan(&text, &mut hits);
        for hit in &hits {
            let line = &text[hit.line_start..hit.line_end];
            prop_assert!(!line.contains(&b'\n'));
            prop_assert!(hit.line_start == 0 || text[hit.line_start - 1] == b'\n');
            prop_assert!(hit.line_end == text.len() || matches!(text[hit.line_end], b'\n' | b'\r'));
            prop_assert!(hit.span.start < hit.span.end && hit.span.end <= line.len());
        }
        let places: Vec<_> = hits.iter().map(|hit| (hit.line_start, hit.span.start)).collect();
        prop_assert!(places.is_sorted(), "{:?}", places);
    }

    #[test]
    fn a_line_has_the_same_hits_whatever_stands_before_it(before in text(), line in text()) {
        let line: Vec<u8> = line.into_iter().filter(|byte| *byte != b'\n').collect();
        let matcher = matcher(false, false);
        let (mut alone, mut after) = (Vec::new(), Vec::new());
        matcher.scanner().scan(&line, &mut alone);
        let text = [&before[..], b"\n", &line].concat();
        matcher.scanner().scan(&text, &mut after);
        after.retain(|hit| hit.line_start > before.len());
        for hit in &mut after {
            hit.line_start -= before.len() + 1;
            hit.line_end -= before.len() + 1;
        }
        prop_assert_eq!(alone, after);
    }
}
