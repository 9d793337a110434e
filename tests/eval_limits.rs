//! Patterns and data that would take forever or all of the stack, each on a thread with 2 MiB: a quick answer, or a
//! limit that is named.

use std::thread;
use std::time::{Duration, Instant};
use stockade::compile::Program;
use stockade::matcher::eval::{Limit, Outcome, evaluate};
use stockade::pattern::{Pattern, Reading};
use stockade::stix::ObservedData;
use stockade::stix::observed::Reader;

/// Far above what any of these takes, debug builds on busy machines included.
const LONG: Duration = Duration::from_secs(10);

/// Observations of `x-t:v`: time in seconds, value, number observed.
fn observed(all: impl IntoIterator<Item = (u32, u32, u64)>) -> Vec<ObservedData> {
    let mut reader = Reader::default();
    for (time, value, count) in all {
        let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
        let text = format!(
            r#"{{"type": "observed-data", "first_observed": "2026-01-01T{hours:02}:{minutes:02}:{seconds:02}Z",
                "number_observed": {count}, "objects": {{"0": {{"type": "x-t", "v": {value}, "s": "{}"}}}}}}"#,
            "a".repeat(60) + "!x"
        );
        reader.read(text.as_bytes());
    }
    reader.finish().0
}

/// What a pattern comes to; nothing if it is refused.
fn outcome(pattern: String, observations: Vec<ObservedData>) -> Option<Outcome> {
    let run = move || {
        let start = Instant::now();
        let pattern = Pattern::parse(&pattern, Reading::Strict).ok()?;
        let program = Program::new(&pattern.ast(), Reading::Strict).ok()?;
        let outcome = evaluate(&program, &observations);
        assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
        Some(outcome)
    };
    thread::Builder::new().stack_size(2 << 20).spawn(run).expect("a thread").join().expect("no overflow")
}

fn matches(pattern: impl Into<String>, observations: Vec<ObservedData>) -> bool {
    match outcome(pattern.into(), observations) {
        Some(Outcome::Match(_)) => true,
        Some(Outcome::NoMatch) => false,
        other => panic!("{other:?}"),
    }
}

fn joined(count: u32, operator: &str, part: impl Fn(u32) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(operator)
}

#[test]
fn ands_are_assigned_without_trying_all_ways() {
    let ands = joined(7, " AND ", |n| format!("[x-t:v > {}]", n + 6));
    assert!(!matches(ands, observed((1..=12).map(|n| (n, n, 1)))));
    let ands = joined(12, " AND ", |n| format!("[x-t:v > {n}]"));
    assert!(matches(ands, observed((1..=12).map(|n| (n, n, 1)))));
    let same = joined(13, " AND ", |_| "[x-t:v > 0]".to_owned());
    assert!(!matches(same, observed((1..=12).map(|n| (n, n, 1)))));
}

#[test]
fn repetitions_that_do_not_suffice() {
    let stream = |hits: u32| observed((0..2000).map(move |n| (n, u32::from(n < hits), 1)));
    assert!(!matches("[x-t:v = 1] REPEATS 1000 TIMES", stream(999)));
    assert!(matches("[x-t:v = 1] REPEATS 1000 TIMES", stream(1000)));
    assert!(!matches("[x-t:v = 1] REPEATS 1000 TIMES WITHIN 999 SECONDS", stream(2000)));
    assert!(matches("[x-t:v = 1] REPEATS 1000 TIMES WITHIN 1000 SECONDS", stream(2000)));
}

#[test]
fn a_billion_is_a_number() {
    let billion = || observed([(0, 1, 1_000_000_000)]);
    assert!(matches("[x-t:v = 1] REPEATS 1000000000 TIMES", billion()));
    assert!(!matches("[x-t:v = 1] REPEATS 1000000001 TIMES", billion()));
    assert!(!matches("([x-t:v = 1] AND [x-t:v = 1]) REPEATS 500000001 TIMES", billion()));
}

#[test]
fn long_chains_do_not_recurse() {
    let zeros = || observed((0..20).map(|n| (n, 0, 1)));
    assert!(!matches(format!("[{}]", joined(20_000, " OR ", |n| format!("x-t:v = {}", n + 1))), zeros()));
    assert!(!matches(joined(5000, " OR ", |n| format!("[x-t:v = {}]", n + 1)), zeros()));
    assert!(matches(joined(500, " FOLLOWEDBY ", |_| "[x-t:v = 1]".to_owned()), observed((0..500).map(|n| (n, 1, 1)))));
    assert!(!matches(joined(501, " FOLLOWEDBY ", |_| "[x-t:v = 1]".to_owned()), observed((0..500).map(|n| (n, 1, 1)))));
    assert!(matches(joined(100, " FOLLOWEDBY ", |_| "[x-t:v = 1]".to_owned()), observed((0..100).map(|_| (7, 1, 1)))));
}

#[test]
fn nesting_has_a_limit() {
    let deep = |depth: usize| format!("{}[x-t:v = 1]{}", "(".repeat(depth), ")".repeat(depth));
    assert!(matches(deep(200), observed([(0, 1, 1)])));
    assert_eq!(outcome(deep(100_000), Vec::new()), None);
    let mixed = |depth: usize| {
        (0..depth).fold("[x-t:v = 1]".to_owned(), |inner, n| {
            format!("({inner} {} [x-t:v = 1])", if n % 2 == 0 { "OR" } else { "AND" })
        })
    };
    assert!(matches(mixed(60), observed((0..60).map(|n| (n, 1, 1)))));
    assert_eq!(outcome(mixed(200), Vec::new()), None);
}

#[test]
fn lists_of_megabytes_are_looked_up() {
    let list = joined(200_000, ", ", |n| n.to_string());
    assert!(matches(format!("[x-t:v IN ({list})]"), observed((0..200).map(|n| (n, 199_999, 1)))));
}

#[test]
fn an_expression_that_explodes_is_undetermined() {
    let pattern = "[x-t:s MATCHES '^(a|aa)+\\\\1?(?<=a)!$']".to_owned();
    assert_eq!(outcome(pattern, observed([(0, 1, 1)])), Some(Outcome::Undetermined(Limit::Regex)));
    // Where something else decides, it is not missed.
    let pattern = "[x-t:s MATCHES '^(a|aa)+\\\\1?(?<=a)!$' OR x-t:v = 1]".to_owned();
    assert!(matches(pattern, observed([(0, 1, 1)])));
    let pattern = "[x-t:s MATCHES '^(a|aa)+\\\\1?(?<=a)!$' AND x-t:v = 2]".to_owned();
    assert!(!matches(pattern, observed([(0, 1, 1)])));
}

#[test]
fn references_in_circles_are_walked_once() {
    let objects: Vec<String> = (0..40)
        .map(|n| {
            let all: Vec<String> = (0..40).map(|other| format!("\"{other}\"")).collect();
            format!("\"{n}\": {{\"type\": \"directory\", \"path\": \"{n}\", \"contains_refs\": [{}]}}", all.join(","))
        })
        .collect();
    let mut reader = Reader::default();
    reader.read(format!("{{\"type\": \"observed-data\", \"objects\": {{{}}}}}", objects.join(",")).as_bytes());
    let observations = reader.finish().0;
    let path = ".contains_refs[*]".repeat(30);
    assert!(!matches(format!("[directory:{}.path = 'none']", &path[1..]), observations));
}

#[test]
fn sequences_in_time_that_cannot_be() {
    let stream = || observed((0..2000).map(|n| (n, n % 6 + 1, 1)));
    let six = joined(6, " FOLLOWEDBY ", |n| format!("[x-t:v = {}]", n + 1));
    assert!(!matches(format!("({six}) WITHIN 5 SECONDS"), stream()));
    assert!(matches(format!("({six}) WITHIN 6 SECONDS"), stream()));
    let pairs = "([x-t:v = 1] FOLLOWEDBY [x-t:v = 2]) REPEATS 50 TIMES";
    assert!(matches(pairs, observed((0..100).map(|n| (n, n % 2 + 1, 1)))));
}

#[test]
fn repeated_sequences_are_decided_by_the_thousand() {
    // The firsts come before all of the seconds, mixed with them, or are one too few.
    let pairs = |count: u32| format!("([x-t:v = 1] FOLLOWEDBY [x-t:v = 2]) REPEATS {count} TIMES");
    let blocks = || observed((0..2000).map(|n| (n, n / 1000 + 1, 1)));
    assert!(matches(pairs(500), blocks()) && matches(pairs(1000), blocks()) && !matches(pairs(1001), blocks()));
    let mixed = || observed((0..2000).map(|n| (n, n % 2 + 1, 1)));
    assert!(matches(pairs(1000), mixed()) && !matches(pairs(1001), mixed()));
    // Turned round, the second of each pair comes too early for its own.
    let turned = || observed((0..2000).map(|n| (n, 2 - n % 2, 1)));
    assert!(matches(pairs(999), turned()) && !matches(pairs(1000), turned()));
    let same = "([x-t:v > 0] FOLLOWEDBY [x-t:v > 0]) REPEATS 1000 TIMES";
    assert!(matches(same, mixed()) && !matches(same, observed((0..1999).map(|n| (n, 1, 1)))));
    let triples = "([x-t:v = 1] FOLLOWEDBY [x-t:v = 2] FOLLOWEDBY [x-t:v = 3]) REPEATS 600 TIMES";
    assert!(matches(triples, observed((0..1800).map(|n| (n, n % 3 + 1, 1)))));
    assert!(!matches(triples, observed((0..1800).map(|n| (n, 3 - n % 3, 1)))));
    let billion = || observed([(0, 1, 1_000_000_000), (1, 2, 999_999_999)]);
    assert!(matches(pairs(999_999_999), billion()) && !matches(pairs(1_000_000_000), billion()));
}
