//! Lines of words with blanks between them, some in quotes or brackets: what access logs, load balancers and flow logs
//! are made of.

use memchr::memchr;
use std::ops::Range;

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands, without quotes or brackets.
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bare,
    Quoted,
    Bracketed,
}

/// Words of a line, at most.
const MOST: usize = 4096;

/// The words of a line from `start` on. `None` if there are far too many, a quote or bracket is not closed, or a quote closes in the middle of a word.
pub(super) fn words(line: &[u8], start: usize) -> Option<Vec<Word>> {
    let mut words = Vec::with_capacity(24);
    let mut at = start;
    loop {
        while matches!(line.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        let Some(first) = line.get(at) else { return Some(words) };
        let (span, kind, next) = match first {
            b'"' => {
                let end = closing_quote(line, at + 1)?;
                (at + 1..end, Kind::Quoted, end + 1)
            }
            b'[' if !is_ipv6(line, at) => {
                let end = at + memchr(b']', &line[at..])?;
                (at + 1..end, Kind::Bracketed, end + 1)
            }
            _ => {
                let end = line[at..].iter().position(|b| matches!(b, b' ' | b'\t')).map_or(line.len(), |n| at + n);
                (at..end, Kind::Bare, end)
            }
        };
        if !matches!(line.get(next), None | Some(b' ' | b'\t')) {
            return None;
        }
        if words.len() == MOST {
            return None;
        }
        words.push(Word { span, kind });
        at = next;
    }
}

/// Whether a text is a time of the common log format: `31/Jan/2026:10:05:03 +0100`.
pub(super) fn is_time(text: &[u8]) -> bool {
    let shape = |(i, b): (usize, &u8)| match i {
        2 | 6 => *b == b'/',
        11 | 14 | 17 => *b == b':',
        20 => *b == b' ',
        21 => matches!(b, b'+' | b'-'),
        3..=5 => b.is_ascii_alphabetic(),
        _ => b.is_ascii_digit(),
    };
    text.len() == 26 && text.iter().enumerate().all(shape)
}

/// An address in brackets with a port: a word, not something in brackets.
fn is_ipv6(line: &[u8], at: usize) -> bool {
    let rest = &line[at + 1..];
    memchr(b']', rest).is_some_and(|end| {
        rest[..end].contains(&b':')
            && rest[..end].iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
            && rest.get(end + 1) == Some(&b':')
    })
}

/// The quote that closes a text: not escaped, and with a blank or the end of the line behind it. Writers that do not
/// escape leave quotes within a text, which the blank tells apart.
fn closing_quote(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memchr(b'"', line.get(at..)?)?;
        let escaped = line[from..at].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1;
        if !escaped && matches!(line.get(at + 1), None | Some(b' ' | b'\t')) {
            return Some(at);
        }
        at += 1;
    }
}
