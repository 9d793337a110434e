//! Tokens: white space, words, keywords, numbers, quoted text.

use super::{Input, Parsed};
use crate::pattern::error::{Expected, Fault, What};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_until, take_while, take_while1};
use nom::character::complete::{char, digit0, digit1, one_of};
use nom::combinator::{opt, recognize};
use nom::sequence::{pair, preceded, terminated};
use nom::{AsChar, Parser};

/// Skips white space (the Unicode property) and comments, which may stand between any two tokens.
#[inline]
pub(super) fn blank(input: Input<'_>) -> Parsed<'_, ()> {
    // Mostly there is one space or none.
    let rest = input.strip_prefix(b" ").unwrap_or(input);
    match rest.first() {
        Some(&first) if class(first) & BLANK != 0 => long_blank(rest),
        _ => Ok((rest, ())),
    }
}

/// Any run of white space and comments.
#[inline(never)]
fn long_blank(mut input: Input<'_>) -> Parsed<'_, ()> {
    loop {
        let rest = match input {
            [b' ' | b'\t'..=b'\r', rest @ ..] => rest,
            [b'/', b'/', ..] => line_comment(input)?.0,
            [b'/', b'*', ..] => block_comment(input)?.0,
            [0x80..=0xff, ..] => match wide_blank(input) {
                Some(rest) => rest,
                None => return Ok((input, ())),
            },
            _ => return Ok((input, ())),
        };
        input = rest;
    }
}

/// `// ...` up to the end of the line.
fn line_comment(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    preceded(tag("//"), take_while(|byte| byte != b'\n' && byte != b'\r')).parse(input)
}

/// `/* ... */`
fn block_comment(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    recognize((tag("/*"), take_until("*/"), tag("*/")))
        .parse(input)
        .map_err(|_: nom::Err<Fault>| Fault::new(What::OpenComment, input, &input[2..]))
}

/// White space beyond ASCII: what follows it, or nothing if there is none.
fn wide_blank(input: Input<'_>) -> Option<Input<'_>> {
    let first = first_char(input)?;
    first.is_whitespace().then(|| &input[first.len_utf8()..])
}

/// The first character of bytes that are the end of a text.
pub(super) fn first_char(input: Input<'_>) -> Option<char> {
    let head = &input[..input.len().min(4)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
    };
    text.chars().next()
}

/// A token that is always the same.
#[inline]
pub(super) fn symbol<'i>(text: &'static str, expected: Expected) -> impl Fn(Input<'i>) -> Parsed<'i, ()> {
    move |input| match input.strip_prefix(text.as_bytes()) {
        Some(rest) => Ok((rest, ())),
        None => Err(Fault::expected(expected, input)),
    }
}

/// Letters, digits, underscores and hyphens: object types, unquoted keys, keywords.
#[inline]
pub(super) fn word(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    match input {
        [first, ..] if class(*first) & START != 0 => take_while1(in_word).parse(input),
        _ => Err(Fault::expected(Expected::Name, input)),
    }
}

/// Whether a byte belongs to a word.
#[inline]
pub(super) fn in_word(byte: u8) -> bool {
    class(byte) & WORD != 0
}

/// May begin a word.
pub(in crate::pattern) const START: u8 = 1;
/// May stand in a word.
pub(in crate::pattern) const WORD: u8 = 2;
/// May stand in a key without quotes.
pub(in crate::pattern) const KEY: u8 = 4;
/// May begin white space or a comment.
const BLANK: u8 = 8;

/// What a byte may be part of.
#[inline]
pub(in crate::pattern) fn class(byte: u8) -> u8 {
    CLASS[byte as usize]
}

static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphabetic() || b == b'_' {
            class[byte] = START | WORD | KEY;
        } else if b.is_ascii_digit() {
            class[byte] = WORD | KEY;
        } else if b == b'-' {
            class[byte] = WORD;
        } else if b.is_ascii_whitespace() || b == 0x0b || b == b'/' || b >= 0x80 {
            class[byte] = BLANK;
        }
        byte += 1;
    }
    class
};

/// Every keyword of the grammar; none may be an unquoted key or an object type.
const KEYWORDS: [&str; 19] = [
    "AND",
    "OR",
    "NOT",
    "FOLLOWEDBY",
    "LIKE",
    "MATCHES",
    "ISSUPERSET",
    "ISSUBSET",
    "EXISTS",
    "LAST",
    "IN",
    "START",
    "STOP",
    "SECONDS",
    "true",
    "false",
    "WITHIN",
    "REPEATS",
    "TIMES",
];

/// Whether a word is a keyword, which it is only in the grammar's own letters.
#[inline]
pub(in crate::pattern) fn is_keyword(word: &[u8]) -> bool {
    // Nearly every word is lower case; only two keywords are.
    match word {
        [b'A'..=b'Z', ..] | b"true" | b"false" => KEYWORDS.iter().any(|keyword| keyword.as_bytes() == word),
        _ => false,
    }
}

/// A sign, then `0` or digits that begin with another: no leading zeros.
pub(super) fn integer(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    recognize(pair(opt(one_of("+-")), alt((tag("0"), recognize(pair(one_of("123456789"), digit0)))))).parse(input)
}

/// A sign, any digits, a dot and at least one more digit.
pub(super) fn float(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    recognize((opt(one_of("+-")), digit0, char('.'), digit1)).parse(input)
}

/// The text inside single quotes, and whether it holds escapes; `input` begins with the quote.
#[inline]
pub(super) fn quoted(input: Input<'_>) -> Parsed<'_, (Input<'_>, bool)> {
    let body = &input[1..];
    let mut escaped = false;
    let mut from = 0;
    loop {
        match memchr::memchr2(b'\'', b'\\', &body[from..]).map(|at| from + at) {
            Some(at) if body[at] == b'\'' => return Ok((&body[at + 1..], (&body[..at], escaped))),
            Some(at) => match body.get(at + 1) {
                Some(b'\'' | b'\\') => {
                    escaped = true;
                    from = at + 2;
                }
                Some(_) => return Err(Fault::new(What::Escape, &body[at..], &body[at + 1..])),
                None => return Err(Fault::new(What::OpenString, input, body)),
            },
            None => return Err(Fault::new(What::OpenString, input, body)),
        }
    }
}

/// Text between quotes that knows no escapes: the inside of `h'..'`, `b'..'` and `t'..'`.
pub(super) fn plain_quoted(input: Input<'_>) -> Parsed<'_, Input<'_>> {
    terminated(preceded(char('\''), take_while(|byte| byte != b'\'')), char('\''))
        .parse(input)
        .map_err(|_: nom::Err<Fault>| Fault::new(What::OpenString, input, &input[1..]))
}

/// Two hex digits at a time.
pub(super) fn hex_pairs(input: Input<'_>) -> Parsed<'_, ()> {
    let rest = take_while(u8::is_hex_digit).parse(input)?.0;
    if !rest.is_empty() {
        return Err(Fault::new(What::HexDigit, rest, after_char(rest)));
    }
    if input.len() % 2 == 1 { Err(Fault::new(What::OddHex, input, rest)) } else { Ok((rest, ())) }
}

/// What follows the first character.
pub(super) fn after_char(input: Input<'_>) -> Input<'_> {
    &input[first_char(input).map_or(input.len().min(1), char::len_utf8)..]
}

/// What follows the word that stands here, or the first character.
pub(super) fn after_word(input: Input<'_>) -> Input<'_> {
    word(input).map_or_else(|_| after_char(input), |(rest, _)| rest)
}

/// Whether a key can stand in a path without quotes.
pub(in crate::pattern) fn is_plain_key(key: &str) -> bool {
    matches!(word(key.as_bytes()), Ok(([], key)) if !key.contains(&b'-') && !is_keyword(key))
}
