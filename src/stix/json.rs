//! JSON read in place (RFC 8259): where values begin and end, checked as far as that needs, nothing built. Reading a
//! bundle is mostly this.

use std::borrow::Cow;

/// Containers inside containers, at most.
const MAX_DEPTH: u32 = 128;

/// Why no value could be read from the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes end before the value does.
    Incomplete,
    /// No JSON.
    Syntax {
        /// Offset of the first byte that does not fit.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

/// What an object turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// An object of this many bytes, all members visited.
    Object(usize),
    /// A bundle or envelope: the elements of its `objects` begin at this offset, behind the bracket. Only the members
    /// before it were visited.
    Container(usize),
}

/// Walks the members of the object that begins at the first byte. A member `objects` that is an array ends the walk:
/// see [`Extent`].
pub(crate) fn object<'a>(bytes: &'a [u8], mut visit: impl FnMut(&'a [u8], Raw<'a>)) -> Result<Extent, Fault> {
    let mut at = 1;
    loop {
        match step(bytes, at)? {
            Step::Member { key, value } => {
                at = value_end(bytes, value)?;
                visit(key, Raw(&bytes[value..at]));
            }
            Step::End(extent) => return Ok(extent),
        }
    }
}

/// What comes next in an object.
pub(crate) enum Step<'a> {
    /// A member: its key, and where its value begins.
    Member { key: &'a [u8], value: usize },
    /// Its end, or the objects of a container.
    End(Extent),
}

/// Reads on in the object that begins at the first byte: from 1 on, which is behind its brace, or from the end of a value.
#[inline]
pub(crate) fn step(bytes: &[u8], at: usize) -> Result<Step<'_>, Fault> {
    let first = at == 1;
    let mut at = skip_space(bytes, at);
    match byte(bytes, at)? {
        b'}' => return Ok(Step::End(Extent::Object(at + 1))),
        b',' if !first => at = skip_space(bytes, at + 1),
        _ if first => {}
        _ => return syntax(at, "expected a comma or a closing brace"),
    }
    let (key, value) = key(bytes, at)?;
    if key == b"objects" && byte(bytes, value)? == b'[' {
        return Ok(Step::End(Extent::Container(value + 1)));
    }
    Ok(Step::Member { key, value })
}

/// Offset behind the value that begins at `at`.
#[inline]
pub(crate) fn value_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match byte(bytes, at)? {
        b'"' => string_end(bytes, at),
        b'{' | b'[' => nested_end(bytes, at),
        _ => scalar_end(bytes, at),
    }
}

/// Offset of the first byte from `at` on that is no white space.
#[inline]
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The key at `at` without its quotes, and the offset of its value.
#[inline]
pub(crate) fn key(bytes: &[u8], at: usize) -> Result<(&[u8], usize), Fault> {
    if byte(bytes, at)? != b'"' {
        return syntax(at, "expected a key in quotes");
    }
    let end = string_end(bytes, at)?;
    let colon = skip_space(bytes, end);
    if byte(bytes, colon)? != b':' {
        return syntax(colon, "expected a colon");
    }
    Ok((&bytes[at + 1..end - 1], skip_space(bytes, colon + 1)))
}

#[inline]
fn byte(bytes: &[u8], at: usize) -> Result<u8, Fault> {
    bytes.get(at).copied().ok_or(Fault::Incomplete)
}

fn syntax<T>(at: usize, what: &'static str) -> Result<T, Fault> {
    Err(Fault::Syntax { at, what })
}

/// Offset behind the closing quote of the string that begins at `at`.
#[inline]
fn string_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let mut at = at + 1;
    loop {
        // A raw line end is what tells a forgotten quote from a long text.
        at += bytes.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)).ok_or(Fault::Incomplete)?;
        match bytes[at] {
            b'"' => return Ok(at + 1),
            b'\\' => at = escape_end(bytes, at)?,
            _ => return syntax(at, "line ends inside a string"),
        }
    }
}

fn escape_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match byte(bytes, at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
        b'u' => {
            for digit in at + 2..at + 6 {
                if !byte(bytes, digit)?.is_ascii_hexdigit() {
                    return syntax(at, "escape is not \\u and four hex digits");
                }
            }
            Ok(at + 6)
        }
        _ => syntax(at, "no such escape"),
    }
}

/// Offset behind the array or object that begins at `at`.
fn nested_end(bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    // One bit a level: whether it is an object.
    let mut objects = 0_u128;
    let mut depth = 0;
    loop {
        let mut closed = true;
        match byte(bytes, at)? {
            open @ (b'{' | b'[') => {
                if depth == MAX_DEPTH {
                    return syntax(at, "nested too deep");
                }
                depth += 1;
                objects = objects << 1 | u128::from(open == b'{');
                at = skip_space(bytes, at + 1);
                let next = byte(bytes, at)?;
                if open == b'{' && next != b'}' {
                    (_, at) = key(bytes, at)?;
                    closed = false;
                } else if open == b'[' && next != b']' {
                    closed = false;
                }
            }
            b'"' => at = skip_space(bytes, string_end(bytes, at)?),
            _ => at = skip_space(bytes, scalar_end(bytes, at)?),
        }
        while closed {
            match (byte(bytes, at)?, objects & 1) {
                (b',', 0) => {
                    at = skip_space(bytes, at + 1);
                    closed = false;
                }
                (b',', _) => {
                    (_, at) = key(bytes, skip_space(bytes, at + 1))?;
                    closed = false;
                }
                (b'}', 1) | (b']', 0) => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(at + 1);
                    }
                    objects >>= 1;
                    at = skip_space(bytes, at + 1);
                }
                (_, 1) => return syntax(at, "expected a comma or a closing brace"),
                _ => return syntax(at, "expected a comma or a closing bracket"),
            }
        }
    }
}

/// Offset behind the number or word that begins at `at`.
fn scalar_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let rest = &bytes[at..];
    let length = rest
        .iter()
        .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'E'))
        .ok_or(Fault::Incomplete)?;
    match &rest[..length] {
        b"true" | b"false" | b"null" => Ok(at + length),
        [b'-' | b'0'..=b'9', tail @ ..]
            if tail.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) =>
        {
            Ok(at + length)
        }
        _ => syntax(at, "expected a value"),
    }
}

/// The text of one well-formed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

/// A string that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8;

impl<'a> Raw<'a> {
    pub(crate) fn is_null(self) -> bool {
        self.0 == b"null"
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        match self.0 {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    pub(crate) fn number(self) -> Option<f64> {
        let text = std::str::from_utf8(self.0).ok()?;
        text.starts_with(|first: char| first == '-' || first.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    }

    /// The text of a string, escapes undone; `None` if the value is no string.
    #[inline]
    pub(crate) fn string(self) -> Option<Result<Cow<'a, str>, NotUtf8>> {
        let [b'"', inner @ .., b'"'] = self.0 else { return None };
        let Ok(text) = std::str::from_utf8(inner) else { return Some(Err(NotUtf8)) };
        Some(Ok(if memchr::memchr(b'\\', inner).is_none() { Cow::Borrowed(text) } else { Cow::Owned(unescape(text)) }))
    }

    /// The elements of an array; none if the value is no array.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements { bytes: self.0, at: if self.0.first() == Some(&b'[') { skip_space(self.0, 1) } else { self.0.len() } }
    }

    /// Visits the members of an object, if the value is one.
    pub(crate) fn members(self, visit: impl FnMut(&'a [u8], Raw<'a>)) {
        if self.0.first() == Some(&b'{') {
            // The value is well formed, so that nothing can fail.
            let _ = object(self.0, visit);
        }
    }
}

/// Iterator over the elements of an array.
pub(crate) struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        let start = self.at;
        let end = value_end(self.bytes, start).ok()?;
        let comma = skip_space(self.bytes, end);
        self.at = skip_space(self.bytes, comma + 1);
        Some(Raw(&self.bytes[start..end]))
    }
}

/// Undoes the escapes of a string that the walk has found well formed. Half of a surrogate pair becomes U+FFFD.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let (length, letter) = match escape.as_bytes().get(1) {
            Some(b'b') => (2, '\u{8}'),
            Some(b'f') => (2, '\u{c}'),
            Some(b'n') => (2, '\n'),
            Some(b'r') => (2, '\r'),
            Some(b't') => (2, '\t'),
            Some(b'u') => unescape_unicode(escape),
            Some(&other) => (2, char::from(other)),
            None => (1, '\\'),
        };
        out.push(letter);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Length and meaning of a `\u` escape, or of two that are a surrogate pair.
fn unescape_unicode(escape: &str) -> (usize, char) {
    let unit = |text: Option<&str>| text.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let first = unit(escape.get(2..6)).unwrap_or(0xFFFD);
    if (0xD800..0xDC00).contains(&first)
        && escape.get(6..8) == Some("\\u")
        && let Some(second @ 0xDC00..0xE000) = unit(escape.get(8..12))
    {
        let letter = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        return (12, letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    (6, char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk(text: &str) -> Result<(Extent, Vec<(String, String)>), Fault> {
        let mut members = Vec::new();
        let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
        object(text.as_bytes(), |key, value| members.push((lossy(key), lossy(value.0)))).map(|extent| (extent, members))
    }

    fn string(text: &str) -> String {
        Raw(text.as_bytes()).string().unwrap().unwrap().into_owned()
    }

    #[test]
    fn visits_members_and_finds_the_end() {
        let text = r#"{"a": "x\"}", "b" : [1, {"c": []}, null] ,"d":-1.5e3, "e":{}, "f":true} tail"#;
        let (extent, members) = walk(text).unwrap();
        assert_eq!(extent, Extent::Object(text.len() - 5));
        let shown: Vec<_> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(shown, [r#"a="x\"}""#, r#"b=[1, {"c": []}, null]"#, "d=-1.5e3", "e={}", "f=true"]);
        assert_eq!(walk("{ }").unwrap().0, Extent::Object(3));
    }

    #[test]
    fn stops_at_the_objects_of_a_container_but_not_at_a_dictionary() {
        assert_eq!(walk(r#"{"type":"bundle","objects": [{}]}"#).unwrap().0, Extent::Container(29));
        assert_eq!(walk(r#"{"objects":{"0":{}}}"#).unwrap().0, Extent::Object(20));
    }

    #[test]
    fn every_prefix_is_incomplete() {
        let text = r#"{"a":"x\u00e9\n","b":[1,{"c":[],"g":false}],"d":-1.5e3,"e":{}}"#;
        for end in 1..text.len() {
            assert_eq!(walk(&text[..end]), Err(Fault::Incomplete), "{}", &text[..end]);
        }
    }

    #[test]
    fn names_what_is_wrong_and_where() {
        for (text, at, what) in [
            (r#"{"a" 1}"#, 5, "expected a colon"),
            (r#"{"a":1 "b":2}"#, 7, "expected a comma or a closing brace"),
            (r#"{"a":1,}"#, 7, "expected a key in quotes"),
            (r#"{"a":[1,]}"#, 8, "expected a value"),
            (r#"{"a":[1}}"#, 7, "expected a comma or a closing bracket"),
            (r#"{"a":{"b":1]}"#, 11, "expected a comma or a closing brace"),
            (r#"{"a":nul}"#, 5, "expected a value"),
            (r#"{"a":'x'}"#, 5, "expected a value"),
            ("{\"a\":\"x\n\"}", 7, "line ends inside a string"),
            (r#"{"a":"\x"}"#, 6, "no such escape"),
            (r#"{"a":"\u12g4"}"#, 6, "escape is not \\u and four hex digits"),
        ] {
            assert_eq!(walk(text), Err(Fault::Syntax { at, what }), "{text}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(1000));
        assert_eq!(walk(&deep), Err(Fault::Syntax { at: 5 + MAX_DEPTH as usize, what: "nested too deep" }));
    }

    #[test]
    fn reads_values() {
        assert_eq!(string(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83dx""#), "a\"\\/\u{8}\u{c}\n\r\té😀\u{fffd}x");
        assert_eq!(Raw(b"\"\xff\"").string(), Some(Err(NotUtf8)));
        assert_eq!(Raw(b"12").string(), None);
        assert_eq!(Raw(b"85").number(), Some(85.0));
        assert_eq!(Raw(b"\"85\"").number(), None);
        assert_eq!(Raw(b"true").boolean(), Some(true));
        let elements: Vec<_> = Raw(b"[1 , \"a\",[2]]").elements().map(|raw| raw.0).collect();
        assert_eq!(elements, [&b"1"[..], b"\"a\"", b"[2]"]);
        assert_eq!(Raw(b"[ ]").elements().count(), 0);
        assert_eq!(Raw(b"{\"a\":1}").elements().count(), 0);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap() + " ";
            prop_assert_eq!(value_end(text.as_bytes(), 0), Ok(text.len() - 1));
            let raw = Raw(text.trim_end().as_bytes());
            if let Some(expected) = value.as_str() {
                prop_assert_eq!(raw.string().unwrap().unwrap(), expected);
            }
            // Read back, since the last bit of a float may change on the way.
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            if let Some(expected) = value.as_array() {
                let elements: Vec<serde_json::Value> = raw.elements().map(|element| serde_json::from_slice(element.0).unwrap()).collect();
                prop_assert_eq!(&elements, expected);
            }
        }

        #[test]
        fn never_panics_and_accepts_what_serde_json_accepts(bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\ \n01eutfalsrn-.".to_vec()), 0..40)) {
            if serde_json::from_slice::<serde_json::Value>(&bytes).is_ok() {
                let start = skip_space(&bytes, 0);
                let refused = matches!(value_end(&bytes, start), Err(Fault::Syntax { .. }));
                prop_assert!(!refused);
            } else {
                let _ = value_end(&bytes, 0);
            }
        }
    }
}
