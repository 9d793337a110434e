//! Adds elements to a list inside of the text of a JSON object, and leaves every other byte of the text as it is: numbers
//! keep their digits, strings their escapes, members their order.

use memchr::memchr2;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::Range;

/// The text of a JSON object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'t> {
    /// From brace to brace, known to be valid.
    text: &'t [u8],
}

/// A member of an object.
struct Member<'t> {
    /// The name, its escapes undone.
    name: Cow<'t, str>,
    /// Where the value stands in the text.
    value: Range<usize>,
}

impl<'t> Object<'t> {
    /// The object that a text is, if it is one.
    pub(super) fn new(text: &'t str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}').trim_ascii().as_bytes();
        let valid = text.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(text).is_ok();
        valid.then_some(Self { text })
    }

    /// Whether it has a member of this name whose value begins with one of these bytes.
    pub(super) fn has(self, name: &str, first: impl Fn(u8) -> bool) -> bool {
        self.members().any(|member| member.name == name && first(self.text[member.value.start]))
    }

    /// Appends the object with the elements added to the list `group.list`, which is made if there is none.
    ///
    /// An event may write such a name nested or with a dot. A list that is there is added to; a single value becomes a
    /// list. Where `group` is something that can have no members, it stays, and the list comes beside it with a dot.
    pub(super) fn add(self, group: &str, list: &str, elements: &[u8], out: &mut Vec<u8>) {
        let dotted = [group, ".", list].concat();
        let (mut nested, mut flat, mut beside) = (None, None, false);
        // Of members of one name the last one counts, as it does to most readers.
        for member in self.members() {
            if member.name == group {
                nested = Some(member.value);
            } else if member.name == dotted {
                flat = Some(member.value);
            } else {
                beside |= member.name.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'));
            }
        }
        let start = out.len();
        let (group, list, dotted) = (group.as_bytes(), list.as_bytes(), dotted.as_bytes());
        match (flat, nested) {
            (Some(value), _) => self.with_elements(value, elements, out),
            (None, Some(value)) if self.text[value.start] == b'{' => {
                out.extend_from_slice(&self.text[..value.start]);
                Object { text: &self.text[value.clone()] }.add_elements(list, elements, out);
                out.extend_from_slice(&self.text[value.end..]);
            }
            (None, Some(value)) if self.text[value.start] == b'n' => {
                self.replaced(value, &[b"{\"", list, b"\":[", elements, b"]}"], out);
            }
            (None, None) if !beside => {
                self.with_member(&[b"\"", group, b"\":{\"", list, b"\":[", elements, b"]}"], out);
            }
            (None, _) => self.with_member(&[b"\"", dotted, b"\":[", elements, b"]"], out),
        }
        without_carriage_returns(start, out);
    }

    /// Appends the object with the elements added to a list among its members, which is made if there is none.
    pub(super) fn add_to(self, list: &str, elements: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        self.add_elements(list.as_bytes(), elements, out);
        without_carriage_returns(start, out);
    }

    fn add_elements(self, list: &[u8], elements: &[u8], out: &mut Vec<u8>) {
        match self.members().filter(|member| member.name.as_bytes() == list).last() {
            Some(member) => self.with_elements(member.value, elements, out),
            None => self.with_member(&[b"\"", list, b"\":[", elements, b"]"], out),
        }
    }

    /// Appends the object with the elements added to a value.
    fn with_elements(self, value: Range<usize>, elements: &[u8], out: &mut Vec<u8>) {
        let text = &self.text[value.clone()];
        match text[0] {
            b'[' => {
                let list = &text[..text.len() - 1];
                let comma: &[u8] = if list[1..].trim_ascii().is_empty() { b"" } else { b"," };
                self.replaced(value, &[list, comma, elements, b"]"], out);
            }
            b'n' => self.replaced(value, &[b"[", elements, b"]"], out),
            _ => self.replaced(value, &[b"[", text, b",", elements, b"]"], out),
        }
    }

    /// Appends the object with a member more.
    fn with_member(self, member: &[&[u8]], out: &mut Vec<u8>) {
        let inner = &self.text[..self.text.len() - 1];
        out.extend_from_slice(inner);
        if !inner[1..].trim_ascii().is_empty() {
            out.push(b',');
        }
        for part in member {
            out.extend_from_slice(part);
        }
        out.push(b'}');
    }

    fn replaced(self, value: Range<usize>, new: &[&[u8]], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.text[..value.start]);
        for part in new {
            out.extend_from_slice(part);
        }
        out.extend_from_slice(&self.text[value.end..]);
    }

    fn members(self) -> impl Iterator<Item = Member<'t>> {
        let text = self.text;
        let mut at = 1;
        std::iter::from_fn(move || {
            at = skip(text, at, b" \t\r\n,");
            if text.get(at) != Some(&b'"') {
                return None;
            }
            let name = at..value_end(text, at);
            let start = skip(text, name.end, b" \t\r\n:");
            at = value_end(text, start);
            let quoted = &text[name];
            let plain = std::str::from_utf8(&quoted[1..quoted.len() - 1]).ok().filter(|name| !name.contains('\\'));
            // A name that is no text, such as half of a surrogate pair, is none that is asked for.
            let unescaped = || serde_json::from_slice(quoted).map_or(Cow::Borrowed(""), Cow::Owned);
            let name = plain.map_or_else(unescaped, Cow::Borrowed);
            Some(Member { name, value: start..at })
        })
    }
}

fn skip(text: &[u8], at: usize, over: &[u8]) -> usize {
    at + text.get(at..).unwrap_or_default().iter().take_while(|byte| over.contains(byte)).count()
}

/// Where the value that begins at a place of valid JSON ends.
fn value_end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    let mut depth = 0_usize;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at = string_end(text, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            _ if depth > 0 => {
                at += 1;
                continue;
            }
            // A number, `true`, `false` or `null`.
            _ => return at + text[at..].iter().take_while(|b| !b",}] \t\r\n".contains(b)).count(),
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Between values a carriage return is white space, but some readers of lines take it for the end of one.
fn without_carriage_returns(start: usize, out: &mut Vec<u8>) {
    if memchr::memchr(b'\r', &out[start..]).is_some() {
        let kept: Vec<u8> = out[start..].iter().copied().filter(|byte| *byte != b'\r').collect();
        out.truncate(start);
        out.extend_from_slice(&kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn added(text: &str) -> String {
        let mut out = Vec::new();
        Object::new(text).expect("an object").add("threat", "enrichments", b"1,2", &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn the_list_comes_where_it_belongs() {
        for (event, expected) in [
            (r"{}", r#"{"threat":{"enrichments":[1,2]}}"#),
            (" {\"a\" : 1.0e2 }\t", r#"{"a" : 1.0e2 ,"threat":{"enrichments":[1,2]}}"#),
            (r#"{"threat":{},"z":1}"#, r#"{"threat":{"enrichments":[1,2]},"z":1}"#),
            (
                r#"{"threat":{"framework":"x","enrichments":[ {"a":"]}"} ]},"z":1}"#,
                r#"{"threat":{"framework":"x","enrichments":[ {"a":"]}"} ,1,2]},"z":1}"#,
            ),
            (r#"{"threat":{"enrichments":[ ]}}"#, r#"{"threat":{"enrichments":[ 1,2]}}"#),
            (r#"{"threat":{"enrichments":{"a":1}}}"#, r#"{"threat":{"enrichments":[{"a":1},1,2]}}"#),
            (r#"{"threat":{"enrichments":null}}"#, r#"{"threat":{"enrichments":[1,2]}}"#),
            (r#"{"threat":null,"z":1}"#, r#"{"threat":{"enrichments":[1,2]},"z":1}"#),
            (r#"{"threat.enrichments":[0]}"#, r#"{"threat.enrichments":[0,1,2]}"#),
            (r#"{"threat.framework":"x"}"#, r#"{"threat.framework":"x","threat.enrichments":[1,2]}"#),
            (r#"{"threat":"Trojan.X"}"#, r#"{"threat":"Trojan.X","threat.enrichments":[1,2]}"#),
            (r#"{"threat":1,"threat":{"a":1}}"#, r#"{"threat":1,"threat":{"a":1,"enrichments":[1,2]}}"#),
            (r#"{"thre\u0061t":{}}"#, r#"{"thre\u0061t":{"enrichments":[1,2]}}"#),
            (r#"{"threats":{"a\\":"\""}}"#, r#"{"threats":{"a\\":"\""},"threat":{"enrichments":[1,2]}}"#),
            (r#"{"\ud800":1e999}"#, r#"{"\ud800":1e999,"threat":{"enrichments":[1,2]}}"#),
            ("{\"a\":1,\r\"b\":2}", r#"{"a":1,"b":2,"threat":{"enrichments":[1,2]}}"#),
        ] {
            assert_eq!(added(event), expected, "{event}");
        }
    }

    #[test]
    fn what_is_no_object_is_none() {
        for text in ["", "x", "[]", "{", "{}{}", r#"{"a":1} x"#, r#"{"a":}"#, "Jan 1 {\"a\":1}"] {
            assert!(Object::new(text).is_none(), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\],: \u{e9}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(
                    "threat|enrichments|threat\\.enrichments|threat\\.x|[a-z\"\\\\]{0,3}",
                    inner,
                    0..4
                )
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn everything_else_survives(
            members in prop::collection::btree_map("threat|threat\\.enrichments|[a-z\"\\\\]{0,3}", value(), 0..5), pretty: bool
        ) {
            let event = Value::Object(members.into_iter().collect());
            let text = if pretty { serde_json::to_string_pretty(&event).unwrap() } else { event.to_string() };
            let mut result: Value = serde_json::from_str(&added(&text)).expect("JSON");
            let flat = result.as_object().unwrap().contains_key("threat.enrichments");
            // Taking out what was added gives the event back.
            let list = if flat { &mut result["threat.enrichments"] } else { &mut result["threat"]["enrichments"] };
            let elements = list.as_array_mut().expect("a list");
            prop_assert_eq!(elements.split_off(elements.len() - 2), vec![json!(1), json!(2)]);
            let rest = list.take();
            let group = if flat { None } else { Some("threat") };
            let old = match group {
                None => event.get("threat.enrichments").cloned(),
                Some(group) => event.get(group).and_then(|group| group.get("enrichments")).cloned(),
            };
            match old {
                Some(Value::Array(old)) => prop_assert_eq!(rest, Value::Array(old)),
                None | Some(Value::Null) => prop_assert_eq!(rest, json!([])),
                Some(single) => prop_assert_eq!(rest, json!([single])),
            }
            for (name, value) in event.as_object().unwrap() {
                if name != "threat" && name != "threat.enrichments" {
                    prop_assert_eq!(&result[name], value);
                }
            }
        }
    }
}
