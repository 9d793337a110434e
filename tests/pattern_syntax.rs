//! The grammar of patterns: what each reading accepts, and what it makes of it.

use stockade::pattern::{MAX_NESTING, Parser, Pattern, Reading};

/// Patterns of the standard's grammar, each with its canonical text if that differs.
const VALID: &[(&str, &str)] = &[
    ("[a:b = 1]", ""),
    ("[a:b=1]", "[a:b = 1]"),
    ("  [ a : b == 1 ]\u{3000}\t\r\n", "[a:b = 1]"),
    ("[a:b <> 1]", "[a:b != 1]"),
    ("[a:b NOT = 1]", ""),
    ("[a:b<-5]", "[a:b < -5]"),
    ("[a:b <= +5]", ""),
    ("[a:b > .5]", ""),
    ("[a:b >= -.25]", ""),
    ("[a:b = 00.5]", ""),
    ("[a:b = -0]", ""),
    ("[a:b = 123456789012345678901234567890]", ""),
    ("[a:b = true]", ""),
    ("[a:b != false]", ""),
    ("[a:b = h'']", ""),
    ("[a:b = h'00fF']", ""),
    ("[a:b = b'']", ""),
    ("[a:b = b'QQ==']", ""),
    ("[a:b = b'QUJ\nD']", ""),
    ("[a:b = t'2016-02-29T23:59:60.123456789012Z']", ""),
    ("[a:b = t'0000-01-01T00:00:00Z']", ""),
    (r"[a:b = 'it\'s \\ here']", ""),
    ("[a:b = 'two\nlines']", ""),
    ("[a:b = '']", ""),
    ("[a:b IN ()]", ""),
    ("[a:b IN ('x')]", ""),
    ("[a:b NOT IN('x','y' , 'z')]", "[a:b NOT IN ('x', 'y', 'z')]"),
    ("[a:b IN (true, false)]", ""),
    ("[a:b LIKE 'x%']", ""),
    ("[a:b NOT MATCHES '^x']", ""),
    ("[a:b ISSUBSET '10.0.0.0/8']", ""),
    ("[a:b ISSUPERSET '10.0.0.1']", ""),
    ("[EXISTS a:b]", ""),
    ("[NOT EXISTS a:b.c]", ""),
    ("[(EXISTS a:b)]", "[EXISTS a:b]"),
    ("[file:hashes. 'SHA-256' = 'x']", "[file:hashes.'SHA-256' = 'x']"),
    ("[a:'b'.'c d' = 1]", "[a:b.'c d' = 1]"),
    (r"[a:'it\'s'.x = 1]", ""),
    ("[a:'AND'.'true' = 1]", ""),
    ("[a:'' = 1]", ""),
    ("[a:b[0][*] . c [ 12 ] = 1]", "[a:b[0][*].c[12] = 1]"),
    ("[a:b[+1] = 1]", "[a:b[1] = 1]"),
    ("[x-a-b:c = 1]", ""),
    ("[and:start = 1 OR and:t = 2 OR and:exists = 3]", ""),
    ("[t:h = 1 AND t:b = 2]", ""),
    ("[a:b=1AND a:c='x'OR a:d=2]", "[a:b = 1 AND a:c = 'x' OR a:d = 2]"),
    ("[a:b = 1 AND (a:c = 2 OR a:d = 3)]", ""),
    ("[(a:b = 1 AND a:c = 2) OR a:d = 3]", "[a:b = 1 AND a:c = 2 OR a:d = 3]"),
    ("[a:b = 1 OR (a:c = 2 OR a:d = 3)]", ""),
    ("[((a:b = 1 OR c:d = 2)) AND a:c = 3]", "[(a:b = 1 OR c:d = 2) AND a:c = 3]"),
    ("[(a:b = 1 AND a:c = 2) AND a:d = 3]", ""),
    ("[a:b = 1] AND [c:d = 2] OR [e:f = 3] FOLLOWEDBY [g:h = 4]", ""),
    ("([a:b = 1] FOLLOWEDBY [c:d = 2]) OR [e:f = 3]", ""),
    ("[a:b = 1] FOLLOWEDBY ([c:d = 2] FOLLOWEDBY [e:f = 3])", ""),
    ("(([a:b = 1] OR [c:d = 2]))", "[a:b = 1] OR [c:d = 2]"),
    (
        "(([a:b = 1] OR ([(c:d = 2 OR c:e = 3) AND c:f = 4])) AND [e:f = 3]) WITHIN 5 SECONDS",
        "(([a:b = 1] OR [(c:d = 2 OR c:e = 3) AND c:f = 4]) AND [e:f = 3]) WITHIN 5 SECONDS",
    ),
    ("[a:b = 1] WITHIN 1.5 SECONDS", ""),
    ("[a:b = 1] WITHIN 5SECONDS REPEATS 2 TIMES", "[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES"),
    ("[a:b = 1] REPEATS +2 TIMES", "[a:b = 1] REPEATS 2 TIMES"),
    ("[a:b = 1] START t'2020-01-01T00:00:00Z' STOP t'2020-01-01T00:00:00.1Z'", ""),
    (
        "[a:b = 1] START '2020-01-01T00:00:00Z' STOP '2021-01-01T00:00:00Z'",
        "[a:b = 1] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'",
    ),
    ("([a:b = 1] REPEATS 2 TIMES) REPEATS 3 TIMES", ""),
    ("([a:b = 1] REPEATS 2 TIMES) WITHIN 3 SECONDS", "[a:b = 1] REPEATS 2 TIMES WITHIN 3 SECONDS"),
    ("/* a */ [a:b = 1] // c", "[a:b = 1]"),
    ("[a/**/:/* [ */b//]\n='//x']", "[a:b = '//x']"),
];

#[test]
fn the_grammar_is_accepted_and_printed_in_one_spelling() {
    for &(text, canonical) in VALID {
        let pattern = Pattern::parse(text, Reading::Strict).unwrap_or_else(|error| panic!("{text}: {error}"));
        let canonical = if canonical.is_empty() { text } else { canonical };
        assert_eq!(pattern.to_string(), canonical, "{text}");
        let again = Pattern::parse(canonical, Reading::Strict).unwrap_or_else(|error| panic!("{canonical}: {error}"));
        assert_eq!(again.ast(), pattern.ast(), "{text}");
    }
}

#[test]
fn nesting_has_a_limit_and_a_clear_error() {
    let nested = |n: usize| format!("{}[a:b = 1]{}", "(".repeat(n), ")".repeat(n));
    assert!(Pattern::parse(&nested(MAX_NESTING), Reading::Strict).is_ok());
    let inside = |n: usize| format!("[{}a:b = 1{}]", "(".repeat(n), ")".repeat(n));
    assert!(Pattern::parse(&inside(MAX_NESTING), Reading::Strict).is_ok());
    for text in [nested(MAX_NESTING + 1), inside(MAX_NESTING + 1), nested(100_000), "(".repeat(100_000)] {
        let error = Pattern::parse(&text, Reading::Pragmatic).unwrap_err();
        assert!(error.to_string().contains("256"), "{error}");
    }
}

#[test]
fn long_chains_and_lists_are_fine() {
    let mut parser = Parser::new();
    let ors = vec!["file:name = 'x'"; 100_000].join(" OR ");
    assert_eq!(parser.parse(&format!("[{ors}]"), Reading::Strict).unwrap().nodes.len(), 100_002);
    let list = vec!["'0123456789abcdef'"; 270_000].join(",");
    let text = format!("[file:name IN ({list})]");
    assert!(text.len() > 5_000_000);
    assert_eq!(parser.parse(&text, Reading::Strict).unwrap().literals.len(), 270_000);
    let observations = vec!["[a:b = 1]"; 50_000].join(" AND ");
    assert_eq!(parser.parse(&observations, Reading::Strict).unwrap().nodes.len(), 100_001);
}

/// What only the pragmatic reading takes, as it reads it, and the kinds of repair.
const REPAIRED: &[(&str, &str, &[&str])] = &[
    ("[a:b = 1 and a:c = 2 Or a:d = 3]", "[a:b = 1 AND a:c = 2 OR a:d = 3]", &["keyword-case", "keyword-case"]),
    ("[a:b not like 'x']", "[a:b NOT LIKE 'x']", &["keyword-case", "keyword-case"]),
    ("[not exists a:b]", "[NOT EXISTS a:b]", &["keyword-case", "keyword-case"]),
    (
        "[a:b in (1) OR a:b matches 'x' OR a:b issubset 'x' OR a:b isSuperset 'x']",
        "[a:b IN (1) OR a:b MATCHES 'x' OR a:b ISSUBSET 'x' OR a:b ISSUPERSET 'x']",
        &["keyword-case"; 4],
    ),
    (
        "[a:b = 1] followedby [a:b = 1] and [a:b = 2]",
        "[a:b = 1] FOLLOWEDBY [a:b = 1] AND [a:b = 2]",
        &["keyword-case"; 2],
    ),
    ("[a:b = 1] within 5 seconds repeats 2 times", "[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES", &["keyword-case"; 4]),
    ("a:b = 1", "[a:b = 1]", &["missing-brackets"]),
    (" (a:b = 1 OR a:c = 2) AND a:d = 3 ", "[(a:b = 1 OR a:c = 2) AND a:d = 3]", &["missing-brackets"]),
    (
        "a:b = 1 or c:d = 2 WITHIN 5 SECONDS",
        "[a:b = 1 OR c:d = 2] WITHIN 5 SECONDS",
        &["missing-brackets", "keyword-case"],
    ),
    ("EXISTS a:b", "[EXISTS a:b]", &["missing-brackets"]),
    ("[a:b = ‘x’]", "[a:b = 'x']", &["smart-quotes"]),
    ("[a:b = ’it's \\\\ here’]", r"[a:b = 'it\'s \\ here']", &["smart-quotes"]),
    ("[a:b LIKE “say ‘x’”]", "[a:b LIKE 'say ‘x’']", &["smart-quotes"]),
    ("[a:hashes.‘SHA-256’ IN (‘x’, 'y')]", "[a:hashes.'SHA-256' IN ('x', 'y')]", &["smart-quotes", "smart-quotes"]),
    (
        "[a:b = t‘2020-01-01T00:00:00Z’ OR a:b = h“00”]",
        "[a:b = t'2020-01-01T00:00:00Z' OR a:b = h'00']",
        &["smart-quotes", "smart-quotes"],
    ),
    ("[file:hashes.SHA-256 = 'x']", "[file:hashes.'SHA-256' = 'x']", &["unquoted-hash-key"]),
    ("[file:x.hashes[*].hashes.SHA3-512 = 'x']", "[file:x.hashes[*].hashes.'SHA3-512' = 'x']", &["unquoted-hash-key"]),
    (
        "[a:b = 1] START “2020-01-01T00:00:00Z” STOP '2021-01-01T00:00:00Z'",
        "[a:b = 1] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'",
        &["smart-quotes", "start-stop-string", "start-stop-string"],
    ),
];

/// What neither reading takes, since a guess could be wrong.
const BEYOND_REPAIR: &[&str] = &[
    "[a:b = \"x\"]",
    "[a:b = TRUE]",
    r"[a:b = 'C:\Windows']",
    "[a:b-c = 1]",
    "[a:extensions.x-ext.y = 1]",
    // What is cut off may have held more.
    "[a:b = 1",
    "a:b = 1]",
    "([a:b = 1]",
    // Which side of the operator the brackets belong to is not clear.
    "a:b = 1 FOLLOWEDBY a:c = 2",
    "[a:b = 1] AND a:c = 2",
    "a:b = 1 AND [a:c = 2]",
    "[a:b = ‘x”]",
    "[a:b = 1 && a:c = 2]",
    "evil.example",
    "",
];

#[test]
fn the_pragmatic_reading_repairs_and_says_so() {
    for &(text, canonical, kinds) in REPAIRED {
        assert!(Pattern::parse(text, Reading::Strict).is_err(), "{text}");
        let pattern = Pattern::parse(text, Reading::Pragmatic).unwrap_or_else(|error| panic!("{}", error.render(text)));
        assert_eq!(pattern.to_string(), canonical, "{text}");
        let found: Vec<_> = pattern.repairs().iter().map(|repair| repair.kind.name()).collect();
        assert_eq!(found, kinds, "{text}");
    }
    for text in BEYOND_REPAIR {
        let result = Pattern::parse(text, Reading::Pragmatic);
        assert!(result.is_err(), "{text}: {}", result.unwrap());
    }
}

#[test]
fn an_and_must_be_possible_for_one_object_type() {
    for (text, possible) in [
        ("[a:b = 1 AND a:c = 2]", true),
        ("[a:b = 1 AND c:d = 2]", false),
        ("[a:b = 1 OR c:d = 2]", true),
        ("[(a:b = 1 OR c:d = 2) AND a:e = 3]", true),
        ("[(a:b = 1 OR c:d = 2) AND e:f = 3]", false),
        ("[(a:b = 1 OR c:d = 2) AND (c:e = 3 OR f:g = 4)]", true),
        ("[(a:b = 1 OR c:d = 2) AND (c:e = 3 OR f:g = 4) AND a:h = 5]", false),
        ("[a:b = 1 OR c:d = 2 AND a:e = 3]", false),
        ("[((a:b = 1 OR c:d = 2) AND a:e = 3) OR f:g = 4]", true),
        ("[f:g = 4 OR ((a:b = 1 OR c:d = 2) AND (f:g = 4 OR h:i = 5))]", false),
        ("[EXISTS a:b AND c:d NOT IN (1)]", false),
        ("[a:b = 1] AND [c:d = 2]", true),
        ("[a:b = 1 AND A:b = 2]", false),
    ] {
        for reading in [Reading::Strict, Reading::Pragmatic] {
            assert_eq!(Pattern::parse(text, reading).is_ok(), possible, "{text}");
        }
    }
}
