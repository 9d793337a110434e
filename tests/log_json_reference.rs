//! The walk over lines of JSON against a naive one: every value of any line, with its path, as docs/logs.md says, and in
//! documents the same for each record.

use proptest::prelude::*;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;
use stockade::log::{Choice, Cutter, Event, Tracker, format_named};

/// A value as a line may write it: members in any order and twice, numbers of any length, letters as escapes.
#[derive(Clone, Debug)]
enum Json {
    Null,
    Word(&'static str),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => prop::sample::select(&["true", "false"][..]).prop_map(Json::Word),
        2 => "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?".prop_map(Json::Number),
        6 => text().prop_map(Json::Text),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::List),
            prop::collection::vec((key(), inner), 0..5).prop_map(Json::Object),
        ]
    })
}

/// Keys of one family would mean more than a path; these are of none.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[xyz]{1,2}",
        1 => "[xyz]\\.[xyz]{1,2}",
        1 => "[xyz:@\\\\\"/ ]{1,4}",
        1 => "x{40}",
        1 => "[x\u{e4}\u{1f600}\n]{1,3}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -~]{0,12}",
        2 => prop::sample::select(&["203.0.113.9", "evil.example", "http://evil.example/a?b", "C:\\Windows\\x.exe"][..]).prop_map(str::to_owned),
        1 => "[\u{e4}\u{20ac}\u{1f600}\t\r\n\u{8}\u{c}\u{1}]{1,4}",
    ]
}

/// Writes a value, now one way and now another.
struct Writer {
    out: String,
    choices: Vec<u8>,
    next: usize,
    /// Line breaks may stand where blanks may.
    pretty: bool,
}

impl Writer {
    fn choose(&mut self) -> u8 {
        self.next += 1;
        self.choices[self.next % self.choices.len()]
    }

    fn space(&mut self) {
        let space = match self.choose() % 8 {
            0 => " ",
            1 => "\t",
            2 if self.pretty => "\n",
            3 if self.pretty => "\r\n  ",
            _ => "",
        };
        self.out.push_str(space);
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            match (letter, self.choose() % 6) {
                (_, 0) => letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                    let _ = write!(self.out, "\\u{unit:04x}");
                }),
                (_, 1) => letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                    let _ = write!(self.out, "\\u{unit:04X}");
                }),
                ('"' | '\\', _) | ('/', 2) => {
                    self.out.push('\\');
                    self.out.push(letter);
                }
                ('\n', _) => self.out.push_str("\\n"),
                ('\r', _) => self.out.push_str("\\r"),
                ('\t', _) => self.out.push_str("\\t"),
                ('\u{8}', _) => self.out.push_str("\\b"),
                ('\u{c}', _) => self.out.push_str("\\f"),
                (control, _) if control < ' ' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(control));
                }
                _ => self.out.push(letter),
            }
        }
        self.out.push('"');
    }

    fn value(&mut self, value: &Json) {
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Word(word) => self.out.push_str(word),
            Json::Number(number) => self.out.push_str(number),
            Json::Text(text) => self.string(text),
            Json::List(values) => {
                self.out.push('[');
                for (number, value) in values.iter().enumerate() {
                    self.out.push_str(if number > 0 { "," } else { "" });
                    self.space();
                    self.value(value);
                    self.space();
                }
                self.out.push(']');
            }
            Json::Object(members) => {
                self.out.push('{');
                for (number, (key, value)) in members.iter().enumerate() {
                    self.out.push_str(if number > 0 { "," } else { "" });
                    self.space();
                    self.string(key);
                    self.space();
                    self.out.push(':');
                    self.space();
                    self.value(value);
                    self.space();
                }
                self.out.push('}');
            }
        }
    }
}

/// Every value below a path that is not nothing, as it is meant. Keys that may be values count too.
fn expected(value: &Json, path: &str, found: &mut Vec<(String, String)>) {
    let mut leaf = |text: &str| {
        if !text.is_empty() {
            found.push((path.to_owned(), text.to_owned()));
        }
    };
    match value {
        Json::Null => {}
        Json::Word(word) => leaf(word),
        Json::Number(text) | Json::Text(text) => leaf(text),
        Json::List(values) => {
            for (number, value) in values.iter().enumerate() {
                expected(value, &format!("{path}[{number}]"), found);
            }
        }
        Json::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                if key.len() >= 32 || key.contains(['.', ':', '@', '\\']) || !key.is_ascii() {
                    found.push((path.clone(), key.clone()));
                }
                expected(value, &path, found);
            }
        }
    }
}

/// What the fields of a line are.
fn fields(line: &str) -> Vec<(String, String)> {
    let choice = Choice { format: format_named("json"), ..Choice::default() };
    let layouts = Tracker::new(Arc::new(choice)).next(line.as_bytes());
    let (_, layout) = layouts.parts(line.len()).next().expect("a layout");
    let mut event = Event::new(line.as_bytes());
    assert_eq!(layout.decode(&mut event), Ok(()), "{line}");
    let field = |field: &stockade::log::Field<'_>| {
        let text = String::from_utf8(field.text.to_vec()).expect("text");
        // What stands there in the line is that text, by another reader's account.
        if field.joints.is_empty() {
            assert_eq!(&line[field.span.clone()], text);
        } else {
            let quoted = format!("\"{}\"", &line[field.span.clone()]);
            assert_eq!(serde_json::from_str::<String>(&quoted).expect("a string"), text);
        }
        (field.name.to_string(), text)
    };
    event.fields.iter().map(field).collect()
}

fn object() -> impl Strategy<Value = Json> {
    prop::collection::vec((key(), json()), 0..6).prop_map(Json::Object)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_value_of_a_line_is_found_with_its_path(object in object(), choices in prop::collection::vec(any::<u8>(), 1..40)) {
        let mut writer = Writer { out: String::new(), choices, next: 0, pretty: false };
        writer.value(&object);
        let line = writer.out;
        prop_assert!(serde_json::from_str::<Value>(&line).is_ok() || line.contains(['e', 'E']), "{}", line);
        let mut naive = Vec::new();
        expected(&object, "", &mut naive);
        prop_assert_eq!(fields(&line), naive, "{}", line);
    }

    #[test]
    fn and_of_each_record_of_a_document(records in prop::collection::vec(object(), 1..5), wrapped: bool, choices in prop::collection::vec(any::<u8>(), 1..40)) {
        let list = Json::List(records.clone());
        let document = if wrapped { Json::Object(vec![("Records".into(), list)]) } else { list };
        let mut writer = Writer { out: String::new(), choices, next: 0, pretty: true };
        // The name of the list as everybody writes it.
        writer.out.push_str(if wrapped { "{\"Records\": " } else { "" });
        match &document {
            Json::Object(members) => members.iter().for_each(|(_, list)| writer.value(list)),
            list => writer.value(list),
        }
        writer.out.push_str(if wrapped { "\n}" } else { "" });
        let mut text = writer.out.clone().into_bytes();
        Cutter::default().pass(&mut text, 0, false);
        let text = String::from_utf8(text).expect("text");
        let lines: Vec<&str> = text.split('\n').filter(|line| !line.trim().is_empty()).collect();
        prop_assert_eq!(lines.len(), records.len(), "{}", writer.out);
        for (line, record) in lines.iter().zip(&records) {
            let mut naive = Vec::new();
            expected(record, "", &mut naive);
            prop_assert_eq!(fields(line), naive, "{}", line);
        }
    }
}
