//! Literals (STIX 2.1 section 9.2), checked as far as their text alone can be wrong.

use super::token::{first_char, float, hex_pairs, integer, plain_quoted, quoted, word};
use super::{Grammar, Input, Parsed};
use crate::pattern::ast::{Literal, LiteralKind, Span};
use crate::pattern::error::{Expected, Fault, What};
use crate::pattern::repair::RepairKind;
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::{char, digit1};
use nom::combinator::opt;
use nom::sequence::preceded;
use nom::{AsChar, Parser};

impl Grammar<'_, '_> {
    /// Any literal.
    #[inline]
    pub(super) fn literal<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Literal> {
        match input {
            [b'\'', ..] => self.string(input),
            _ => self.other_literal(input),
        }
    }

    /// A string and nothing else.
    #[inline]
    pub(super) fn string<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Literal> {
        if let [b'\'', body @ ..] = input {
            let (rest, (text, escaped)) = quoted(input)?;
            let start = self.at(body);
            let span = Span { start, end: start + text.len() as u32 };
            return Ok((rest, Literal { kind: LiteralKind::String, span, escaped }));
        }
        self.smart_string(input, Expected::String)
    }

    fn other_literal<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Literal> {
        match input {
            [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => self.number(input),
            [b't', b'\'' | 0x80..=0xff, ..] => self.prefixed(input, LiteralKind::Timestamp, timestamp),
            [b'h', b'\'' | 0x80..=0xff, ..] => self.prefixed(input, LiteralKind::Hex, hex_pairs),
            [b'b', b'\'' | 0x80..=0xff, ..] => self.prefixed(input, LiteralKind::Binary, base64),
            _ => match word(input) {
                Ok((rest, b"true" | b"false")) => {
                    Ok((rest, Literal { kind: LiteralKind::Boolean, span: self.span(input, rest), escaped: false }))
                }
                _ => self.smart_string(input, Expected::Value),
            },
        }
    }

    /// An integer or a float.
    pub(super) fn number<'i>(&mut self, input: Input<'i>) -> Parsed<'i, Literal> {
        let (rest, kind) = if let Ok((rest, _)) = float(input) {
            (rest, LiteralKind::Float)
        } else if let Ok((rest, _)) = integer(input) {
            (rest, LiteralKind::Integer)
        } else {
            return Err(Fault::expected(Expected::Number, input));
        };
        match rest {
            // A leading zero, a second dot, a date, a hexadecimal number, an exponent.
            [b'0'..=b'9' | b'.' | b'-' | b'x', ..] | [b'e' | b'E', b'0'..=b'9' | b'+' | b'-', ..] => {
                let in_value = |byte: &u8| byte.is_alphanum() || b"+-.:/".contains(byte);
                let end = rest.iter().position(|byte| !in_value(byte)).unwrap_or(rest.len());
                Err(Fault::new(What::NoNumber, input, &rest[end..]))
            }
            _ => Ok((rest, Literal { kind, span: self.span(input, rest), escaped: false })),
        }
    }

    /// A letter, then text in quotes that `check` must accept to its end.
    fn prefixed<'i>(
        &mut self,
        input: Input<'i>,
        kind: LiteralKind,
        check: impl Fn(Input<'_>) -> Parsed<'_, ()>,
    ) -> Parsed<'i, Literal> {
        let quoted = &input[1..];
        let (rest, span) = if quoted.starts_with(b"'") {
            let (rest, text) = plain_quoted(quoted)?;
            let start = self.at(quoted) + 1;
            (rest, Span { start, end: start + text.len() as u32 })
        } else {
            let (rest, literal) = self.smart_string(quoted, Expected::Value)?;
            (rest, literal.span)
        };
        // A check counts what remains of the literal, not of the whole.
        let behind = self.text.len() - span.end as usize;
        check(self.bytes(span)).map_err(|error| error.map(|fault| fault.within(behind)))?;
        Ok((rest, Literal { kind, span, escaped: false }))
    }

    /// A string in typographic quotes, single or double, which only the pragmatic reading knows.
    #[cold]
    pub(super) fn smart_string<'i>(&mut self, input: Input<'i>, expected: Expected) -> Parsed<'i, Literal> {
        let family: &[char] = match first_char(input) {
            Some('\u{2018}'..='\u{201B}') => &['\u{2018}', '\u{2019}', '\u{201A}', '\u{201B}'],
            Some('\u{201C}'..='\u{201F}') => &['\u{201C}', '\u{201D}', '\u{201E}', '\u{201F}'],
            Some('"' | '`') => return Err(Fault::new(What::Quotes, input, &input[1..])),
            _ => return Err(Fault::expected(expected, input)),
        };
        let body = &input[3..];
        if !self.pragmatic() {
            return Err(Fault::new(What::Quotes, input, body));
        }
        let mut rest = body;
        let mut escaped = false;
        while let Some(c) = first_char(rest) {
            let after = &rest[c.len_utf8()..];
            match (c, after) {
                (c, _) if family.contains(&c) => {
                    self.repair(RepairKind::SmartQuotes, self.span(input, after));
                    let span = self.span(body, rest);
                    return Ok((after, Literal { kind: LiteralKind::String, span, escaped }));
                }
                ('\\', [b'\\' | b'\'', after @ ..]) => {
                    escaped = true;
                    rest = after;
                }
                ('\\', _) => return Err(Fault::new(What::Escape, rest, after)),
                _ => rest = after,
            }
        }
        Err(Fault::new(What::OpenString, input, body))
    }
}

/// Base64 with padding (RFC 4648 section 4), line ends between any two characters.
fn base64(input: Input<'_>) -> Parsed<'_, ()> {
    let (mut digits, mut padding) = (0_usize, 0_usize);
    for (at, &byte) in input.iter().enumerate() {
        match byte {
            b'\n' | b'\r' => {}
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => digits += 1,
            b'=' if padding < 2 && digits % 4 >= 2 => padding += 1,
            _ => return Err(Fault::new(What::Base64Digit, &input[at..], super::token::after_char(&input[at..]))),
        }
    }
    if (digits + padding) % 4 == 0 { Ok((&[], ())) } else { Err(Fault::new(What::Base64Length, input, &[])) }
}

/// `YYYY-MM-DDThh:mm:ss`, a fraction of any length, `Z`; a day of the calendar, a second of at most 60.
pub(super) fn timestamp(input: Input<'_>) -> Parsed<'_, ()> {
    let shape = (
        digits::<4>,
        preceded(char('-'), digits::<2>),
        preceded(char('-'), digits::<2>),
        preceded(char('T'), digits::<2>),
        preceded(char(':'), digits::<2>),
        preceded(char(':'), digits::<2>),
        opt(preceded(char('.'), digit1)),
        char('Z'),
    )
        .parse(input);
    let (rest, (year, month, day, hour, minute, second, _, _)) =
        shape.map_err(|_: nom::Err<Fault>| Fault::new(What::TimestampShape, input, &[]))?;
    if !rest.is_empty() {
        return Err(Fault::new(What::TimestampShape, input, &[]));
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if (1..=12).contains(&month) && (1..=days).contains(&day) && hour < 24 && minute < 60 && second <= 60 {
        Ok((rest, ()))
    } else {
        Err(Fault::new(What::TimestampRange, input, &[]))
    }
}

/// Exactly `N` decimal digits, as a number.
fn digits<const N: usize>(input: Input<'_>) -> Parsed<'_, u32> {
    let (rest, digits) = take_while_m_n(N, N, u8::is_dec_digit).parse(input)?;
    Ok((rest, digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))))
}
