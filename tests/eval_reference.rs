//! The evaluator against a naive one, on random patterns over random observations; and many patterns at once against
//! one after the other.

#[path = "reference/eval.rs"]
mod reference;

use proptest::prelude::*;
use serde_json::{Value, json};
use stockade::compile::Program;
use stockade::matcher::eval::many::PatternSetBuilder;
use stockade::matcher::eval::{Outcome, evaluate};
use stockade::pattern::{Pattern, Reading};
use stockade::stix::ObservedData;
use stockade::stix::observed::Reader;

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "n",
        "n",
        "s",
        "s",
        "t",
        "b",
        "p_bin",
        "p_hex",
        "list[*]",
        "list[0]",
        "list[7]",
        "list",
        "d.k",
        "d.missing",
        "missing",
        "o_ref.n",
        "o_ref.s",
        "o_ref.o_ref.n",
        "o_refs[*].n",
        "o_refs[0].s",
        "o_refs[*].list[*]",
        "o_ref",
        "'s'",
        "ip",
        "deep[*].k",
    ])
}

fn literal() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "0",
        "1",
        "2",
        "1.0",
        "1.5",
        "-1",
        "'a'",
        "'ab'",
        "'b'",
        "''",
        "'é'",
        "'Ā'",
        "'1'",
        "true",
        "false",
        "h'61'",
        "h'6162'",
        "h''",
        "b'YQ=='",
        "b'YWI='",
        "t'2026-01-01T00:00:01Z'",
        "t'2026-01-01T00:00:01.000Z'",
        "'2026-01-01T00:00:01Z'",
    ])
}

fn test() -> impl Strategy<Value = String> {
    let not = prop::sample::select(vec!["", "", "NOT "]);
    let order = prop::sample::select(vec!["=", "=", "!=", "<", "<=", ">", ">="]);
    let like = prop::sample::select(vec!["'a%'", "'_'", "'%b'", "'%'", "''", "'é'"]);
    let regex = prop::sample::select(vec!["'a'", "'^a$'", "'b$'", "'.'", "'^$'", "'[ab]+'"]);
    let net = prop::sample::select(vec!["'10.0.0.0/8'", "'10.1.2.3'", "'10.1.0.0/16'", "'x'", "'0.0.0.0/0'"]);
    let list = prop::sample::select(vec!["()", "(1, 2)", "('a', 'b')", "(h'61', h'62')", "(true)"]);
    prop_oneof![
        6 => (path(), not.clone(), order, literal()).prop_map(|(p, n, o, l)| {
            // Booleans have no order.
            let l = if o.starts_with(['<', '>']) && (l == "true" || l == "false") { "1" } else { l };
            format!("x-t:{p} {n}{o} {l}")
        }),
        1 => (path(), not.clone(), list).prop_map(|(p, n, l)| format!("x-t:{p} {n}IN {l}")),
        1 => (prop::sample::select(vec!["s", "n", "list[*]", "missing"]), not.clone(), like).prop_map(|(p, n, l)| format!("x-t:{p} {n}LIKE {l}")),
        1 => (prop::sample::select(vec!["s", "n", "list[*]", "missing"]), not.clone(), regex).prop_map(|(p, n, l)| format!("x-t:{p} {n}MATCHES {l}")),
        1 => (prop::sample::select(vec!["ISSUBSET", "ISSUPERSET"]), not.clone(), net).prop_map(|(o, n, l)| format!("x-t:ip {n}{o} {l}")),
        1 => (path(), not).prop_map(|(p, n)| format!("{n}EXISTS x-t:{p}")),
        1 => Just("x-u:n = 1".to_owned()),
    ]
}

fn comparison() -> impl Strategy<Value = String> {
    let typed = |test: String| test;
    test().prop_map(typed).prop_recursive(2, 6, 3, |inner| {
        (prop::collection::vec(inner, 2..4), any::<bool>()).prop_map(|(tests, and)| {
            // AND across types is no pattern.
            let and = and && !tests.iter().any(|test| test.contains("x-u"));
            format!("({})", tests.join(if and { " AND " } else { " OR " }))
        })
    })
}

fn observation() -> impl Strategy<Value = String> {
    let simple =
        prop::sample::select(vec!["[x-t:n = 1]", "[x-t:n = 2]", "[x-t:n > 0]", "[x-u:n = 1]", "[x-t:s = 'a']"]);
    let leaf = prop_oneof![3 => simple.prop_map(str::to_owned), 1 => comparison().prop_map(|test| format!("[{test}]"))];
    leaf.prop_recursive(3, 6, 3, |inner| {
        let joined =
            (prop::collection::vec(inner.clone(), 2..4), prop::sample::select(vec![" AND ", " OR ", " FOLLOWEDBY "]))
                .prop_map(|(parts, operator)| format!("({})", parts.join(operator)));
        let qualifier = prop::sample::select(vec![
            "REPEATS 1 TIMES",
            "REPEATS 2 TIMES",
            "REPEATS 3 TIMES",
            "WITHIN 1 SECONDS",
            "WITHIN 2 SECONDS",
            "WITHIN 1.5 SECONDS",
            "WITHIN 10 SECONDS",
            "START t'2026-01-01T00:00:01Z' STOP t'2026-01-01T00:00:04Z'",
        ]);
        let qualified = (inner, qualifier).prop_map(|(inner, qualifier)| format!("({inner}) {qualifier}"));
        prop_oneof![2 => joined, 1 => qualified]
    })
}

fn object() -> impl Strategy<Value = Value> {
    let maybe = |values: Vec<Value>| prop::option::weighted(0.6, prop::sample::select(values));
    let fields = (
        maybe(vec![json!(0), json!(1), json!(1), json!(2), json!(1.0), json!(1.5), json!("1"), json!(true)]),
        maybe(vec![
            json!("a"),
            json!("ab"),
            json!(""),
            json!("é"),
            json!("Ā"),
            json!("2026-01-01T00:00:01Z"),
            json!(1),
            Value::Null,
        ]),
        maybe(vec![json!("2026-01-01T00:00:01Z"), json!("2026-01-01T00:00:02.5Z"), json!("never")]),
        maybe(vec![json!(true), json!(false), json!("true")]),
        maybe(vec![json!("YQ=="), json!("YWI="), json!("!"), json!("")]),
        maybe(vec![json!("61"), json!("6162"), json!("6"), json!("")]),
        maybe(vec![json!([]), json!(["a", 1]), json!(["b"]), json!([["a"]]), json!("a")]),
        maybe(vec![json!({"k": 1}), json!({"k": "a"}), json!({})]),
        maybe(vec![json!("0"), json!("1"), json!("2"), json!("nowhere"), json!({"n": 1})]),
        maybe(vec![json!(["0", "1"]), json!([]), json!(["2", 5]), json!("1")]),
        maybe(vec![json!("10.1.2.3"), json!("10.1.0.0/16"), json!("10.0.0.0/8"), json!("11.0.0.1"), json!("x")]),
        maybe(vec![json!([{"k": 1}, {"k": "a"}]), json!([{}])]),
    );
    fields.prop_map(|(n, s, t, b, bin, hex, list, d, o_ref, o_refs, ip, deep)| {
        let mut object = json!({"type": "x-t"});
        let fields = [
            ("n", n),
            ("s", s),
            ("t", t),
            ("b", b),
            ("p_bin", bin),
            ("p_hex", hex),
            ("list", list),
            ("d", d),
            ("o_ref", o_ref),
            ("o_refs", o_refs),
            ("ip", ip),
            ("deep", deep),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                object[name] = value;
            }
        }
        object
    })
}

fn observed() -> impl Strategy<Value = Value> {
    let objects = prop::collection::vec(prop_oneof![4 => object(), 1 => Just(json!({"type": "x-u", "n": 1}))], 1..3);
    let times = prop::option::weighted(0.95, (0..6_u32, prop::sample::select(vec![0_u32, 0, 0, 1, 3])));
    (objects, times, prop::sample::select(vec![1_u64, 1, 1, 2, 3])).prop_map(|(objects, times, count)| {
        let objects: serde_json::Map<_, _> =
            objects.into_iter().enumerate().map(|(key, object)| (key.to_string(), object)).collect();
        let mut observed = json!({"type": "observed-data", "number_observed": count, "objects": objects});
        if let Some((first, length)) = times {
            observed["first_observed"] = json!(format!("2026-01-01T00:00:0{first}Z"));
            observed["last_observed"] = json!(format!("2026-01-01T00:00:0{}Z", first + length));
        }
        observed
    })
}

fn read(observed: Vec<Value>) -> Vec<ObservedData> {
    let mut reader = Reader::default();
    reader.add(Value::Array(observed));
    reader.finish().0
}

fn check(text: &str, observations: &[ObservedData]) -> Result<(), TestCaseError> {
    let pattern =
        Pattern::parse(text, Reading::Strict).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
    let program = Program::new(&pattern.ast(), Reading::Strict)
        .map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
    let expected = reference::matches(&pattern.ast(), observations);
    match evaluate(&program, observations) {
        Outcome::Match(serving) => {
            prop_assert!(expected, "{text} does not match");
            // What is said to satisfy it does so alone.
            let chosen: Vec<_> = serving.iter().map(|place| observations[*place as usize].clone()).collect();
            prop_assert!(reference::matches(&pattern.ast(), &chosen), "{text} is not satisfied by {serving:?}");
        }
        Outcome::NoMatch => prop_assert!(!expected, "{text} matches"),
        Outcome::Undetermined(limit) => prop_assert!(false, "{text}: {limit}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn comparisons_are_those_of_the_reference(test in comparison(), observed in prop::collection::vec(observed(), 1..3)) {
        check(&format!("[{test}]"), &read(observed))?;
    }

    #[test]
    fn sequences_are_those_of_the_reference(pattern in observation(), observed in prop::collection::vec(observed(), 1..5)) {
        check(&pattern, &read(observed))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn many_at_once_are_as_one_after_the_other(
        patterns in prop::collection::vec(observation(), 1..12),
        observed in prop::collection::vec(observed(), 1..5),
        strict in any::<bool>(),
    ) {
        let reading = if strict { Reading::Strict } else { Reading::Pragmatic };
        let observations = read(observed);
        let mut builder = PatternSetBuilder::default();
        let mut expected = Vec::new();
        for (text, number) in patterns.iter().zip(0..) {
            let pattern = Pattern::parse(text, reading).expect("valid");
            let program = Program::new(&pattern.ast(), reading).expect("valid");
            let outcome = evaluate(&program, &observations);
            builder.add(program);
            if outcome != Outcome::NoMatch {
                expected.push((number, outcome));
            }
        }
        prop_assert_eq!(builder.build().evaluate(&observations), expected);
    }
}
