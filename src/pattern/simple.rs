//! The fast path for the commonest pattern, `[path = 'literal']`, without a tree.
//!
//! Four of five indicators in public feeds have this shape. [`split`] finds path and literal in one walk over the bytes
//! and gives up at anything that is not plain; what it takes, the grammar reads in the same way.

use super::MAX_BYTES;
use super::grammar::{KEY, START, WORD, class, is_keyword};

/// The parts of `[path = 'literal']`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simple<'p> {
    /// The object path as it is written, without white space, list indices and escapes.
    pub path: &'p str,
    /// The string, which holds no escapes.
    pub literal: &'p str,
}

/// Splits a pattern of the form `[path = 'literal']`. `None` says no more of a text than that it takes the grammar.
///
/// ```
/// use stockade::pattern::simple::split;
///
/// let simple = split("[file:hashes.'SHA-256' = 'c0ffee']").unwrap();
/// assert_eq!((simple.path, simple.literal), ("file:hashes.'SHA-256'", "c0ffee"));
/// assert_eq!(split("[file:size = 5]"), None);
/// ```
#[inline]
pub fn split(text: &str) -> Option<Simple<'_>> {
    let bytes = text.as_bytes();
    let [b'[', first, ..] = *bytes else { return None };
    if class(first) & START == 0 || bytes.len() > MAX_BYTES {
        return None;
    }
    let mut at = skip(bytes, 2, WORD);
    if *bytes.get(at)? != b':' || is_keyword(&bytes[1..at]) {
        return None;
    }
    at = key_end(bytes, at + 1)?;
    while *bytes.get(at)? == b'.' {
        at = key_end(bytes, at + 1)?;
    }
    let path = &text[1..at];
    at = skip_spaces(bytes, at);
    if *bytes.get(at)? != b'=' {
        return None;
    }
    at = skip_spaces(bytes, at + 1);
    if *bytes.get(at)? != b'\'' {
        return None;
    }
    let literal = text.get(at + 1..)?.strip_suffix("']")?;
    (memchr::memchr2(b'\'', b'\\', literal.as_bytes()).is_none()).then_some(Simple { path, literal })
}

/// Where a key ends that begins at this place.
#[inline]
fn key_end(bytes: &[u8], start: usize) -> Option<usize> {
    let first = *bytes.get(start)?;
    if class(first) & START != 0 {
        let end = skip(bytes, start + 1, KEY);
        return (!is_keyword(&bytes[start..end])).then_some(end);
    }
    if first != b'\'' {
        return None;
    }
    let close = bytes[start + 1..].iter().position(|&byte| byte == b'\'' || byte == b'\\')? + start + 1;
    (bytes[close] == b'\'').then_some(close + 1)
}

/// Where the bytes of a class end.
#[inline]
fn skip(bytes: &[u8], start: usize, of: u8) -> usize {
    bytes[start..].iter().position(|&byte| class(byte) & of == 0).map_or(bytes.len(), |length| start + length)
}

#[inline]
fn skip_spaces(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|&byte| byte != b' ').map_or(bytes.len(), |length| start + length)
}
