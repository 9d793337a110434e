//! The translation of PCRE on whatever a stranger may write: no panic, and where both the `regex` crate and PCRE mean
//! the same, the same answer.

use proptest::prelude::*;
use stockade::compile::like::Like;
use stockade::compile::regex::Regex;

/// Pieces of expressions, whole and broken.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "b",
        "é",
        "Ā",
        "\u{301}",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "|",
        "*",
        "+",
        "?",
        "\\",
        "^",
        "$",
        ".",
        "-",
        ",",
        "1",
        "10",
        "(?",
        "(?:",
        "(?=",
        "(?!",
        "(?<=",
        "(?<!",
        "(?>",
        "(?P<n>",
        "(?<n>",
        "(?'n'",
        "(?i)",
        "(?x)",
        "(?-s)",
        "(?(1)",
        "(?(?=",
        "(*F)",
        "(?#",
        "\\1",
        "\\k<n>",
        "\\g{-1}",
        "\\Q",
        "\\E",
        "\\x{41}",
        "\\x",
        "\\o{",
        "\\c",
        "\\d",
        "\\W",
        "\\h",
        "\\R",
        "\\X",
        "\\b",
        "\\B",
        "\\Z",
        "\\K",
        "\\p{Lu}",
        "\\p{",
        "[:alpha:]",
        "[^",
        "[[:digit:]",
        "{2}",
        "{1,",
        "{,3}",
        "++",
        "*?",
        "#",
        " ",
        "\n",
        "(?R)",
        "(?C)",
        "&&",
        "~~",
        "--",
        "\\N",
        "\\0",
        "\\777",
    ])
}

/// Expressions that the `regex` crate and PCRE read alike.
fn common() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a", "b", "c", ".", "[ab]", "[^a]", "^", "\\z", "(?:a|bc)", "(b|)", "\\x{61}", "a{1,2}", "(?i:A)",
    ]);
    let part = (atom, prop::sample::select(vec!["", "", "*", "+", "?", "*?", "{2}"]));
    prop::collection::vec(part, 1..5).prop_map(|parts| {
        let whole = |(atom, times): &(&str, &str)| match *atom {
            "^" | "\\z" | "a{1,2}" => (*atom).to_owned(),
            atom => format!("{atom}{times}"),
        };
        parts.iter().map(whole).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(pieces in prop::collection::vec(piece(), 0..10), value in "[ab\\n é]{0,8}") {
        let pattern = pieces.concat();
        if let Ok(regex) = Regex::new(&pattern)
            && regex.is_match(&value) == Ok(true)
        {
            let lower = value.to_ascii_lowercase();
            prop_assert!(lower.contains(regex.required()), "{pattern:?} requires {:?} of {value:?}", regex.required());
        }
        if let Ok(regex) = Regex::for_octets(&pattern) {
            let _ = regex.is_match_octets(value.as_bytes());
        }
        let _ = Like::new(&pattern).is_match(&value);
    }

    #[test]
    fn what_both_engines_know_is_the_same(pattern in common(), value in "[abcA\\n]{0,6}") {
        let expected = regex::Regex::new(&format!("(?s){pattern}")).expect("valid").is_match(&value);
        prop_assert_eq!(Regex::new(&pattern).map(|regex| regex.is_match(&value)), Ok(Ok(expected)), "{}", pattern);
        // With a look-ahead that says nothing the backtracking engine has to do it.
        let backtracking = format!("(?=){pattern}");
        prop_assert_eq!(Regex::new(&backtracking).map(|regex| regex.is_match(&value)), Ok(Ok(expected)), "{}", backtracking);
    }
}
