//! Files of allowed values: plain lists, top lists with a rank before the name, and MISP warninglists.

use super::policy::allowed;
use crate::observable::{Kind, Value};
use serde::Deserialize;
use std::fmt;

/// Something in a file of allowed values that could not be read. The rest counts all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListError {
    /// The line, counted from 1; of a MISP warninglist the number of the value.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for ListError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ListError {}

/// A MISP warninglist, as far as it matters here.
#[derive(Deserialize)]
struct Warninglist {
    list: Vec<String>,
    #[serde(default, rename = "type")]
    matching: String,
}

/// Reads a file of allowed values.
///
/// A file that begins with `{` is a MISP warninglist (misp-warninglists `list.json`) whose values are compared as a whole,
/// as names or as prefixes; single labels in it are left out, for its lists of top-level domains are not meant to allow
/// everything. Anything else is a plain list: one value a line as [`allowed`] reads it; `#`, `;` and `//` begin a
/// comment; a rank may stand before a comma, as in lists of the most popular names.
///
/// ```
/// use stockade::blocklist::read_allowlist;
///
/// let (values, errors) = read_allowlist(b"example.com # ours\n2,example.org\n10.0.0.0/8\n");
/// assert_eq!((values.len(), errors.len()), (3, 0));
/// let (values, _) = read_allowlist(br#"{"name": "x", "type": "cidr", "list": ["192.0.2.0/24"]}"#);
/// assert_eq!(values[0].to_string(), "192.0.2.0/24");
/// ```
pub fn read_allowlist(file: &[u8]) -> (Vec<Value>, Vec<ListError>) {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    if file.trim_ascii_start().first() == Some(&b'{') { warninglist(file) } else { plain(file) }
}

fn warninglist(file: &[u8]) -> (Vec<Value>, Vec<ListError>) {
    let list: Warninglist = match serde_json::from_slice(file) {
        Ok(list) => list,
        Err(error) => {
            let reason = format!("not a MISP warninglist: {error}");
            return (Vec::new(), vec![ListError { line: error.line(), reason }]);
        }
    };
    if matches!(list.matching.as_str(), "regex" | "substring") {
        let reason = format!("a warninglist of type {} cannot be applied", list.matching);
        return (Vec::new(), vec![ListError { line: 1, reason }]);
    }
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for (text, line) in list.list.iter().zip(1..) {
        match allowed(text) {
            Ok(Value::Text(Kind::Domain, name)) if !name.contains('.') => {}
            Ok(value) => values.push(value),
            Err(error) => errors.push(ListError { line, reason: format!("{}: {error}", text.escape_debug()) }),
        }
    }
    (values, errors)
}

fn plain(file: &[u8]) -> (Vec<Value>, Vec<ListError>) {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for (bytes, line) in file.split(|byte| *byte == b'\n').zip(1..) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim();
        if text.is_empty() || text.starts_with(['#', ';', '!']) || text.starts_with("//") {
            continue;
        }
        // A URL may hold `#` and `;`: a comment begins after white space.
        let text = match text.split_once([' ', '\t']) {
            Some((value, comment)) if is_comment(comment.trim_start()) => value,
            _ => text,
        };
        let text = match text.split_once(',') {
            Some((rank, name)) if rank.bytes().all(|byte| byte.is_ascii_digit()) => name,
            Some((value, "")) => value,
            _ => text,
        };
        match allowed(text.trim_matches('"')) {
            Ok(value) => values.push(value),
            Err(error) => errors.push(ListError { line, reason: format!("{}: {error}", text.escape_debug()) }),
        }
    }
    (values, errors)
}

fn is_comment(text: &str) -> bool {
    text.starts_with(['#', ';']) || text.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(file: &str) -> (String, usize) {
        let (values, errors) = read_allowlist(file.as_bytes());
        (values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), errors.len())
    }

    #[test]
    fn plain_lists_and_top_lists() {
        let file = "# comment\r\nExample.COM\r\n\n.example.net # note\n1,google.com\n2001:db8::/32\nhttp://a.example/x#y\ncorp\n// x\n\u{a0}\n\"a.example\",\nb.example  // x\n10.0.0.0/8\t# ours\n*.c.example\n";
        let expected = "example.com example.net google.com 2001:db8::/32 http://a.example/x#y corp a.example b.example 10.0.0.0/8 c.example";
        assert_eq!(shown(file), (expected.to_owned(), 0));
        let (values, errors) = read_allowlist(b"example.com\nno good value\n\xff\xfe\n");
        assert_eq!((values.len(), errors.iter().map(|error| error.line).collect::<Vec<_>>()), (1, vec![2, 3]));
    }

    #[test]
    fn warninglists() {
        let hostnames = r#"{"name":"n","version":1,"type":"hostname","list":[".example.com","example.org"],"matching_attributes":["domain"]}"#;
        assert_eq!(shown(hostnames), ("example.com example.org".to_owned(), 0));
        assert_eq!(shown(r#"{"type":"string","list":["com","8.8.8.8","a b"]}"#), ("8.8.8.8".to_owned(), 1));
        for broken in [r#"{"type":"regex","list":[".*"]}"#, r#"{"list":"x"}"#, "{"] {
            assert_eq!(shown(broken), (String::new(), 1), "{broken}");
        }
    }
}
