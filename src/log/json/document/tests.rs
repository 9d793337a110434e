//! Records of documents become lines, whatever they are cut into.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn cut(text: &str) -> (String, Vec<(u64, Option<List>)>) {
    let (mut bytes, mut cutter) = (text.as_bytes().to_vec(), Cutter::default());
    cutter.pass(&mut bytes, 0, false);
    (String::from_utf8(bytes).expect("text"), cutter.take_lists())
}

#[test]
fn records_become_lines_where_they_stand() {
    for (text, expected) in [
        (r#"{"Records":[{"a":1},{"b":"],{"}]}"#, "           \n{\"a\":1}\n{\"b\":\"],{\"} \n"),
        ("[{\"a\":1},{\"b\":[1,{}]}]\n", " {\"a\":1}\n{\"b\":[1,{}]}\n\n"),
        ("{\n\"a\": {\n}}\n{\n\"b\":1\n}\n", "{ \"a\": { }}\n{ \"b\":1 }\n"),
        (r#"{"c":"x","value":[{"a":1}],"next":"y"}"#, "{\"c\":\"x\"}        \n{\"a\":1}\n{\"next\":\"y\"}"),
        // Documents one behind the other.
        (r#"{"events":[{"a":1}]}{"events":[{"b":1}]}"#, "          \n{\"a\":1} \n          \n{\"b\":1} \n"),
        ("{\n\"a\":1} {\"b\":1}", "{ \"a\":1}\n{\"b\":1}"),
        // Lists of something else, and lists within records.
        (r#"{"Records":[1,2],"x":{}}"#, r#"{"Records":[1,2],"x":{}}"#),
        (r#"{"a":{},"Records":[{"b":1},{}]}"#, r#"{"a":{},"Records":[{"b":1},{}]}"#),
        ("[1,{}]\n[{}]", "[1,{}]\n {}\n"),
        // What is no JSON stays as it is.
        ("{\n}\nplain, text {\n[x] y\n{\n}", "{ }\nplain, text {\n[x] y\n{ }"),
        // What is broken ends where the next begins.
        ("{\n\"a\": 1,\n{\n\"b\": 2}\n", "{ \"a\": 1,\n{ \"b\": 2}\n"),
        ("{\n\"a\": \"x\n{\n\"b\": 2}\n", "{ \"a\": \"x\n{ \"b\": 2}\n"),
        ("[{\"a\":{\"b\":1,\n{\"c\":1},{}]", " {\"a\":{\"b\":1,\n{\"c\":1}\n{}\n"),
        ("]}\n{\n}", "]}\n{ }"),
    ] {
        assert_eq!(cut(text).0, expected, "{text}");
    }
}

#[test]
fn lists_are_told_by_name_and_record() {
    let (_, lists) = cut(r#"{"Records":[{},{}],"a":[{}]}"#);
    let list = lists[0].1.expect("a list");
    assert_eq!((lists[0].0, lists[1]), (12, (17, None)));
    assert_eq!((list.path(0), list.path(1)), ("Records[0]".into(), "Records[1]".into()));
    assert_eq!(cut("[{}]").1[0].1.expect("a list").path(3), "[3]");
}

#[test]
fn documents_are_told_by_their_beginning() {
    for (head, expected) in [
        ("", None),
        ("\u{feff} \n{", None),
        ("{\n", None),
        ("{\n ", None),
        ("{\n\"", None),
        ("{\n\"a\\\"\" :", Some(true)),
        ("{\"a\" b\n", Some(false)),
        ("{\"a\":{\n\"b\":1", Some(true)),
        ("{\"a\":1}\n{", Some(false)),
        ("{\"a\":1,\n{\"b\":1}\n", Some(false)),
        ("{\"a\":\"x\n\"b\":1}\n", Some(false)),
        ("{\"a\":1", None),
        ("[ ", None),
        ("[ {", Some(true)),
        ("[1]", Some(false)),
        ("{x", Some(false)),
        ("text", Some(false)),
        ("{\"Records\":[{\"a\":1}]}\n", Some(true)),
        ("{\"events\":[{\"a\":1}],\"time\":1}\n", Some(false)),
        ("{\"id\":1,\"events\":[{\"a\":1}]}\n", Some(false)),
        ("{\"events\":[{\"a\":1}]", None),
        ("{\"events\":[{\"a\":1}]}", Some(true)),
    ] {
        // A line break alone does not tell whether another line follows.
        assert_eq!(begins_document(head.as_bytes(), false), expected, "{head:?}");
        assert!(begins_document(head.as_bytes(), true).is_some(), "{head:?}");
    }
    assert_eq!(begins_document(br#"{"events":[{"a":1},{"#, true), Some(true));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        "[ -~\\n\u{e4}\u{1f600}]{0,8}".prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\",{}\\[\\]\\\\]{0,4}|Records|events", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn records() -> impl Strategy<Value = Vec<Value>> {
    let record = prop::collection::btree_map("[a-z.]{1,4}", values(), 0..4);
    prop::collection::vec(record.prop_map(|members| Value::Object(members.into_iter().collect())), 1..6)
}

proptest! {
    /// Each record of any document is one line, however the document is laid out and in whatever pieces it comes.
    #[test]
    fn the_lines_are_the_records(records in records(), shape in 0..4, pretty: bool, cuts in prop::collection::vec(1..40_usize, 1..8)) {
        let write = |value: &Value| if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let document = match shape {
            0 => json!({ "Records": records }),
            1 => json!(records),
            2 => json!({ "Records": records, "Zulu": "x" }),
            _ => Value::Null,
        };
        let text = match shape {
            3 => records.iter().map(|record| write(record).expect("JSON") + "\n").collect(),
            _ => write(&document).expect("JSON"),
        };
        let (mut whole, mut cutter) = (text.clone().into_bytes(), Cutter::default());
        cutter.pass(&mut whole, 0, false);
        let lines = whole.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let mut found: Vec<Value> = lines.map(|line| serde_json::from_slice(line).expect("a line of JSON")).collect();
        if shape == 2 {
            prop_assert_eq!(found.pop(), Some(json!({ "Zulu": "x" })));
        }
        prop_assert_eq!(&found, &records);

        let (mut pieces, mut other) = (text.into_bytes(), Cutter::default());
        let (mut to, mut cuts) = (0, cuts.into_iter().cycle());
        while to < pieces.len() {
            let from = to;
            to = pieces.len().min(to + cuts.next().unwrap_or(1));
            other.pass(&mut pieces[..to], from, false);
        }
        prop_assert_eq!(pieces, whole);
        prop_assert_eq!((other.now, other.lists), (cutter.now, cutter.lists));
    }

    /// Whatever comes, nothing is lost but white space, brackets, commas, and the name of a list.
    #[test]
    fn any_bytes_are_cut(text in "([{}\\[\\],:\"\\\\ \n]|\"events\":|x){0,60}") {
        let mut bytes = text.clone().into_bytes();
        Cutter::default().pass(&mut bytes, 0, false);
        let letters = |bytes: &[u8]| memchr::memchr_iter(b'x', bytes).count();
        prop_assert_eq!(letters(&bytes), letters(text.as_bytes()));
    }

    /// Reading that is broken off behind a line goes on as if it had not been.
    #[test]
    fn a_state_is_all_that_is_needed_to_go_on(records in records(), pretty: bool, wrapped: bool) {
        let document = if wrapped { json!({ "events": records, "z": 1 }) } else { json!(records) };
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        let text = text.expect("JSON").into_bytes();
        let mut whole = text.clone();
        Cutter::default().pass(&mut whole, 0, false);
        let mut cutter = Cutter::default();
        let mut lines = Vec::new();
        let mut from = 0;
        while from < text.len() {
            let mut rest = text[from..].to_vec();
            cutter.pass(&mut rest, 0, true);
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
            lines.extend_from_slice(&rest[..end]);
            from += end;
            cutter = Cutter::resume(cutter.state_at_line());
        }
        prop_assert_eq!(String::from_utf8_lossy(&lines), String::from_utf8_lossy(&whole));
    }
}
