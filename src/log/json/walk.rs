//! One pass over a line of JSON (RFC 8259): each string, number and word with its path and place. Nothing is built but
//! that. Keys that come twice are walked twice, numbers are left as they are written, and bytes that are no UTF-8 are
//! bytes of the value.

use super::super::event::{Event, Meaning, Unescaped};
use super::document::is_list_of_records;
use std::fmt::Write as _;
use std::ops::Range;

/// Containers inside containers, at most.
const MAX_DEPTH: usize = 64;

/// A value that is no container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Leaf {
    /// The keys that lead to it, joined by dots, with indices: `answers[0].data`.
    pub(in super::super) path: String,
    /// Its place in the line, without quotes.
    pub(in super::super) span: Range<usize>,
    /// It stands in quotes.
    pub(in super::super) quoted: bool,
    /// There are escapes in it, or it is a list of bytes.
    pub(in super::super) escaped: bool,
    /// It is a key that looks like more than a name.
    pub(in super::super) key: bool,
}

/// Whether text begins as an object of JSON does.
pub(in super::super) fn looks_like_json(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    text.first() == Some(&b'{') && matches!(text[1..].trim_ascii_start().first(), Some(b'"' | b'}') | None)
}

/// Whether a line does not begin and end as an object does.
pub(in super::super) fn is_ragged(line: &[u8]) -> bool {
    let whole = matches!(line, [b'{', .., b'}'] | [b'{', .., b'}', b'\r']);
    if whole {
        return false;
    }
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    !(line.is_empty() || line.starts_with(b"{") && line.ends_with(b"}"))
}

/// Adds a value as a field.
pub(in super::super) fn push<'l>(event: &mut Event<'l>, leaf: &Leaf, meaning: Meaning<'l>) {
    if leaf.escaped {
        let unescaped = unescape(event.line, leaf.span.clone());
        event.push_unescaped(leaf.path.clone(), leaf.span.clone(), unescaped, meaning);
    } else {
        event.push(leaf.path.clone(), leaf.span.clone(), meaning);
    }
}

/// Whether an input begins with lines that are objects of JSON, and not with an object over several lines.
pub(in super::super) fn sniff(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let Some(first) = lines.next().filter(|line| looks_like_json(line)) else { return false };
    // A first line longer than the head, or one that was cut.
    first.ends_with(b"}") || lines.next().is_none_or(looks_like_json) && first.len() > 1
}

/// The values of each record: an object is one, but for those that are nothing but a list of records
/// (`{"Records":[{...},{...}]}`). With the length of what stands before the paths of the record.
pub(super) fn records(leaves: &[Leaf]) -> Vec<(usize, &[Leaf])> {
    let list = leaves.first().and_then(|leaf| leaf.path.split_once('[')).map_or("", |(list, _)| list);
    let whole = is_list_of_records(list)
        && leaves.iter().all(|leaf| leaf.path.strip_prefix(list).is_some_and(|rest| rest.starts_with('[')));
    if !whole {
        return vec![(0, leaves)];
    }
    let prefix = |leaf: &Leaf| leaf.path.find(']').map_or(leaf.path.len(), |end| end + 1);
    let same = |a: &Leaf, b: &Leaf| a.path[..prefix(a)] == b.path[..prefix(b)];
    leaves.chunk_by(same).map(|record| (record.first().map_or(0, prefix) + 1, record)).collect()
}

/// All values of a part of a line that is one object.
pub(in super::super) fn leaves(line: &[u8], part: Range<usize>) -> Result<Vec<Leaf>, &'static str> {
    let line = line.get(..part.end).unwrap_or_default();
    let start = part.start + if line[part.start..].starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let mut walk = Walk { line, at: start, path: String::new(), leaves: Vec::new() };
    walk.space();
    if walk.peek() != Some(b'{') {
        return Err("line is no JSON object");
    }
    walk.value(0)?;
    walk.space();
    if walk.at < line.len() { Err("JSON object is followed by something else") } else { Ok(walk.leaves) }
}

struct Walk<'l> {
    line: &'l [u8],
    at: usize,
    path: String,
    leaves: Vec<Leaf>,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), &'static str> {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                let (span, escaped) = self.string()?;
                self.leaf(span, true, escaped);
                Ok(())
            }
            Some(_) => {
                let rest = &self.line[self.at..];
                let length =
                    rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
                let span = self.at..self.at + length;
                let text = &rest[..length];
                let number = text.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-')
                    && text.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                if !number && !matches!(text, b"true" | b"false" | b"null") {
                    return Err("no JSON value where there should be one");
                }
                self.at = span.end;
                if text != b"null" {
                    self.leaf(span, false, false);
                }
                Ok(())
            }
            None => Err("JSON ends too early"),
        }
    }

    fn leaf(&mut self, span: Range<usize>, quoted: bool, escaped: bool) {
        if !span.is_empty() {
            self.leaves.push(Leaf { path: self.path.clone(), span, quoted, escaped, key: false });
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth == MAX_DEPTH {
            return Err("JSON is nested too deep");
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(if self.at < self.line.len() {
                    "JSON key is not in quotes"
                } else {
                    "JSON ends too early"
                });
            }
            let (span, escaped) = self.string()?;
            let outer = self.path.len();
            if outer > 0 {
                self.path.push('.');
            }
            let begin = self.path.len();
            let key = &self.line[span.clone()];
            if escaped {
                let undone = unescape(self.line, span.clone());
                self.path.push_str(&String::from_utf8_lossy(&undone.into_text()));
            } else {
                self.path.push_str(&String::from_utf8_lossy(key));
            }
            if is_telling(&self.path.as_bytes()[begin..]) {
                self.leaves.push(Leaf { path: self.path.clone(), span, quoted: true, escaped, key: true });
            }
            self.space();
            if self.peek() != Some(b':') {
                return Err(if self.at < self.line.len() { "JSON key without a colon" } else { "JSON ends too early" });
            }
            self.at += 1;
            self.space();
            self.value(depth + 1)?;
            self.path.truncate(outer);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) => return Err("JSON object without a comma or closing brace"),
                None => return Err("JSON ends too early"),
            }
            self.space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth == MAX_DEPTH {
            return Err("JSON is nested too deep");
        }
        if self.path == BYTES && self.bytes() {
            return Ok(());
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        let outer = self.path.len();
        for index in 0_usize.. {
            // Writing to a string cannot fail.
            let _ = write!(self.path, "[{index}]");
            self.value(depth + 1)?;
            self.path.truncate(outer);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) => return Err("JSON array without a comma or closing bracket"),
                None => return Err("JSON ends too early"),
            }
            self.space();
        }
        Ok(())
    }

    /// Takes a list of numbers that are bytes for the text that they are. Returns whether it is one.
    fn bytes(&mut self) -> bool {
        let start = self.at + 1;
        let Some(length) = memchr::memchr(b']', &self.line[start..]) else { return false };
        let list = &self.line[start..start + length];
        let is_byte = |number: &[u8]| std::str::from_utf8(number.trim_ascii()).is_ok_and(|n| n.parse::<u8>().is_ok());
        if !list.split(|b| *b == b',').all(is_byte) {
            return false;
        }
        self.at = start + length + 1;
        self.leaf(start..start + length, false, true);
        true
    }

    /// The place of a string without its quotes, and whether there are escapes in it.
    fn string(&mut self) -> Result<(Range<usize>, bool), &'static str> {
        let start = self.at + 1;
        let (mut at, mut escaped) = (start, false);
        loop {
            let rest = self.line.get(at..).unwrap_or_default();
            at += memchr::memchr2(b'"', b'\\', rest).ok_or("JSON ends inside a string")?;
            if self.line[at] == b'"' {
                self.at = at + 1;
                return Ok((start..at, escaped));
            }
            escaped = true;
            at += 2;
        }
    }
}

/// Whether a key may hold a value: an address, a name, a digest.
fn is_telling(key: &[u8]) -> bool {
    key.len() >= 32 || key.iter().any(|b| matches!(b, b'.' | b':' | b'@' | b'\\') || *b >= 0x80)
}

/// The member in which journald writes a text as a list of numbers if it has signs that cannot be printed.
const BYTES: &str = "MESSAGE";
/// How a member that may be one looks in a line.
pub(in super::super) const BYTES_MARKS: [&[u8]; 2] = [b"\"MESSAGE\":[", b"\"MESSAGE\" : ["];

/// The text that a list of bytes stands for.
fn bytes(line: &[u8], span: Range<usize>) -> Unescaped {
    let (mut out, mut at) = (Unescaped::default(), span.start);
    for number in line[span].split(|b| *b == b',') {
        let digits = number.trim_ascii();
        let start = at + (number.len() - number.trim_ascii_start().len());
        let value = digits.iter().fold(0_u8, |n, b| n.wrapping_mul(10).wrapping_add(b.wrapping_sub(b'0')));
        out.replace(start..start + digits.len(), &[value]);
        at += number.len() + 1;
    }
    out
}

/// Undoes the escapes of a string, or of a list of bytes. One that the standard does not know means its second byte; half of a surrogate pair
/// is U+FFFD.
pub(in super::super) fn unescape(line: &[u8], span: Range<usize>) -> Unescaped {
    if span.start > 0 && line[span.start - 1] == b'[' {
        return bytes(line, span);
    }
    let mut out = Unescaped::default();
    let mut at = span.start;
    while let Some(next) = memchr::memchr(b'\\', &line[at..span.end]) {
        let escape = at + next;
        out.copy(&line[at..escape]);
        let (length, letter) = match line.get(escape + 1) {
            Some(b'b') => (2, '\u{8}'),
            Some(b'f') => (2, '\u{c}'),
            Some(b'n') => (2, '\n'),
            Some(b'r') => (2, '\r'),
            Some(b't') => (2, '\t'),
            Some(b'u') => unicode(&line[escape..span.end]),
            Some(other) if other.is_ascii() => (2, char::from(*other)),
            _ => (1, '\\'),
        };
        at = (escape + length).min(span.end);
        out.replace(escape..at, letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.copy(&line[at..span.end]);
    out
}

/// Length and meaning of a `\u` escape, or of two that are a surrogate pair.
fn unicode(escape: &[u8]) -> (usize, char) {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6).filter(|unit| unit.starts_with(b"\\u"))?;
        digits[2..].iter().try_fold(0, |n, b| Some(n << 4 | char::from(*b).to_digit(16)?))
    };
    match (unit(0), unit(6)) {
        (Some(high @ 0xD800..0xDC00), Some(low @ 0xDC00..0xE000)) => {
            (12, char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).unwrap_or('\u{fffd}'))
        }
        (Some(unit), _) => (6, char::from_u32(unit).unwrap_or('\u{fffd}')),
        (None, _) => (2, 'u'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Vec<(String, String, String)> {
        let mut event = Event::new(line.as_bytes());
        for leaf in leaves(line.as_bytes(), 0..line.len()).expect(line) {
            push(&mut event, &leaf, Meaning::Open);
        }
        let shown = |field: &crate::log::Field<'_>| {
            let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (field.name.to_string(), lossy(&field.text), lossy(&line.as_bytes()[field.span.clone()]))
        };
        event.fields.iter().map(shown).collect()
    }

    #[test]
    fn values_have_paths_and_places() {
        let line = r#"{"a": {"b.c": [1, "x", {"d": "y\/\u0041\ud83d\ude00"}]}, "e":"", "n":null, "a":true}"#;
        let expected = [
            ("a.b.c", "b.c", "b.c"),
            ("a.b.c[0]", "1", "1"),
            ("a.b.c[1]", "x", "x"),
            ("a.b.c[2].d", "y/A😀", r"y\/\u0041\ud83d\ude00"),
            ("a", "true", "true"),
        ];
        assert_eq!(fields(line), expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    #[test]
    fn what_is_broken_has_a_reason() {
        for (line, reason) in [
            ("[1]", "line is no JSON object"),
            (r#"{"a":1} x"#, "JSON object is followed by something else"),
            (r#"{"a":1"#, "JSON ends too early"),
            (r#"{"a"#, "JSON ends inside a string"),
            (r#"{"a":"\"#, "JSON ends inside a string"),
            ("{a:1}", "JSON key is not in quotes"),
            (r#"{"a" 1}"#, "JSON key without a colon"),
            (r#"{"a":x}"#, "no JSON value where there should be one"),
            (r#"{"a":[1 2]}"#, "JSON array without a comma or closing bracket"),
        ] {
            assert_eq!(leaves(line.as_bytes(), 0..line.len()).expect_err(line), reason, "{line}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(1000));
        assert_eq!(leaves(deep.as_bytes(), 0..deep.len()), Err("JSON is nested too deep"));
    }
}
