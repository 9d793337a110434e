//! Literals as values: decoded once, compared often (STIX 2.1 section 9.4 and 9.6.1).

use super::program::Octets;
use crate::observable::{Field, Value, kind::url};
use crate::stix::Timestamp;
use std::cmp::Ordering;
use std::collections::HashSet;

/// One literal.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A string, and the octets it stands for if all its characters are below U+0100.
    Text(Box<str>, Option<Box<[u8]>>),
    /// An integer or float.
    Number(Number),
    /// `true` or `false`.
    Boolean(bool),
    /// `h'..'` or `b'..'`.
    Octets(Box<[u8]>),
    /// `t'..'`.
    Time(Moment),
}

/// A number of a pattern or of JSON. Numbers compare by value, however they are written.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// Within 64 bits.
    Integer(i128),
    /// Anything else, as the nearest double. Never NaN.
    Float(f64),
}

/// An instant with all digits of its fraction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    at: Timestamp,
    /// The digits beyond nanoseconds, without zeros at the end.
    beyond: Box<str>,
}

/// The range of values that an operator of order asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The literals of `=` or `IN`, sorted for looking up.
#[derive(Clone, Debug, Default)]
pub struct Constants {
    /// Strings.
    pub texts: Box<[Box<str>]>,
    /// Octets, of strings too.
    pub octets: Box<[Box<[u8]>]>,
    /// Numbers.
    pub numbers: Box<[Number]>,
    /// Timestamps.
    pub times: Box<[Moment]>,
    /// Booleans.
    pub booleans: Box<[bool]>,
    /// Whether there are literals that are octets by themselves, not as strings.
    pub has_octets: bool,
    /// In the pragmatic reading: observables in normal form, for paths that name one.
    pub observables: Option<Box<Observables>>,
}

/// Observables to look values up in.
#[derive(Clone, Debug)]
pub struct Observables {
    /// What the path names.
    pub field: Field,
    /// Single values.
    pub values: HashSet<Value>,
    /// Prefixes of more than one address.
    pub prefixes: Vec<Value>,
}

impl Operand {
    /// A string.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into(), latin_1(text).map(Into::into))
    }

    /// The text of a string; empty for what is none.
    pub fn as_text(&self) -> &str {
        match self {
            Self::Text(text, _) => text,
            _ => "",
        }
    }

    /// The octets that it stands for, if it can stand for octets.
    pub fn as_octets(&self) -> Option<&[u8]> {
        match self {
            Self::Text(_, octets) => octets.as_deref(),
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }
}

impl Moment {
    /// Reads a timestamp as STIX writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let at = Timestamp::parse(text).ok()?;
        let fraction =
            text.strip_suffix('Z').and_then(|text| text.split_once('.')).map_or("", |(_, fraction)| fraction);
        let beyond = fraction.get(9..).unwrap_or("").trim_end_matches('0').into();
        Some(Self { at, beyond })
    }
}

impl Number {
    /// Reads a number of a pattern. One beyond 64 bits becomes a double, as it does when JSON is read.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.strip_prefix('+').unwrap_or(text);
        if let Ok(integer) = plain.parse::<i128>()
            && i128::from(i64::MIN) <= integer
            && integer <= i128::from(u64::MAX)
        {
            return Some(Self::Integer(integer));
        }
        plain.parse().ok().filter(|float: &f64| !float.is_nan()).map(Self::Float)
    }

    /// The same number as an integer, if it is one.
    #[must_use]
    pub fn whole(self) -> Self {
        match self {
            Self::Float(float) if float.fract() == 0.0 && float.abs() < 1e30 => Self::Integer(float as i128),
            number => number,
        }
    }

    /// Takes a number from JSON.
    pub fn from_json(number: &serde_json::Number) -> Option<Self> {
        let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        integer.map(Self::Integer).or_else(|| number.as_f64().filter(|float| !float.is_nan()).map(Self::Float))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Integer(a), Self::Float(b)) => compare(a, b),
            (Self::Float(a), Self::Integer(b)) => compare(b, a).reverse(),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

/// Compares without rounding the integer, which a double may not be able to hold.
fn compare(integer: i128, float: f64) -> Ordering {
    // Beyond this every double is larger or smaller than any integer of 64 bits.
    const BEYOND: f64 = 1e30;
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float <= -BEYOND {
        return Ordering::Greater;
    }
    let floor = float.floor();
    // Exact: a whole double below 1e30 fits 128 bits.
    let whole = floor as i128;
    integer.cmp(&whole).then(if float > floor { Ordering::Less } else { Ordering::Equal })
}

impl Range {
    /// Whether a value that compares so with the literal is in the range.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Constants {
    /// Sorts literals. With a field, those that are observables of it are compared as such.
    pub fn new(operands: Vec<Operand>, field: Option<Field>) -> Self {
        let (mut texts, mut octets, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let (mut times, mut booleans, mut has_octets) = (Vec::new(), Vec::new(), false);
        let observables = field.map(|field| Box::new(Observables::new(field, &operands)));
        for operand in operands {
            match operand {
                Operand::Text(text, as_octets) => {
                    texts.push(text);
                    octets.extend(as_octets);
                }
                Operand::Octets(value) => {
                    has_octets = true;
                    octets.push(value);
                }
                Operand::Number(number) => numbers.push(number),
                Operand::Time(moment) => times.push(moment),
                Operand::Boolean(boolean) => booleans.push(boolean),
            }
        }
        texts.sort_unstable();
        octets.sort_unstable();
        numbers.sort_unstable();
        times.sort_unstable();
        booleans.sort_unstable();
        Self {
            texts: texts.into(),
            octets: octets.into(),
            numbers: numbers.into(),
            times: times.into(),
            booleans: booleans.into(),
            has_octets,
            observables,
        }
    }
}

impl Observables {
    fn new(field: Field, operands: &[Operand]) -> Self {
        let (mut values, mut prefixes) = (HashSet::new(), Vec::new());
        for operand in operands {
            let Operand::Text(text, _) = operand else { continue };
            match field.normalise(text) {
                Ok(value) if is_wide(&value) => prefixes.push(value),
                Ok(value) => {
                    values.insert(value);
                }
                Err(_) => {}
            }
        }
        Self { field, values, prefixes }
    }

    /// Whether a text is one of the values, or lies inside one of the prefixes.
    pub fn contains(&self, text: &str) -> bool {
        let Ok(value) = self.field.normalise(text) else { return false };
        if self.values.contains(&value) || self.prefixes.iter().any(|prefix| covers(prefix, &value)) {
            return true;
        }
        // A URL written without scheme stands for those of http and https.
        let Value::Text(kind, normal) = value else { return false };
        url::without_scheme(&normal).is_some_and(|rest| self.values.contains(&Value::Text(kind, rest.into())))
    }
}

/// Whether a value is a prefix of more than one address.
pub fn is_wide(value: &Value) -> bool {
    matches!(value, Value::Ipv4(_, 0..=31) | Value::Ipv6(_, 0..=127))
}

/// Whether every address of one value lies in the other.
pub fn covers(outer: &Value, inner: &Value) -> bool {
    match (outer, inner) {
        (Value::Ipv4(outer, length), Value::Ipv4(inner, inner_length)) => {
            let kept = u32::MAX.checked_shl(32 - u32::from(*length).min(32)).unwrap_or(0);
            length <= inner_length && u32::from(*inner) & kept == u32::from(*outer) & kept
        }
        (Value::Ipv6(outer, length), Value::Ipv6(inner, inner_length)) => {
            let kept = u128::MAX.checked_shl(128 - u32::from(*length).min(128)).unwrap_or(0);
            length <= inner_length && u128::from(*inner) & kept == u128::from(*outer) & kept
        }
        _ => false,
    }
}

/// A string as octets, if all its characters are below U+0100.
pub fn latin_1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// Decodes hexadecimal digits or base64.
pub fn decode_octets(text: &str, octets: Octets) -> Option<Vec<u8>> {
    match octets {
        Octets::Hex => {
            let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
            let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            });
            pairs.collect()
        }
        Octets::Base64 => base64(text),
    }
}

/// Base64 of RFC 4648 section 4; the padding may be missing.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if digits.len() % 4 == 1 || padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in digits.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_their_full_value() {
        let cases = [
            ("1", "1.0", Ordering::Equal),
            ("9007199254740993", "9007199254740992.0", Ordering::Greater),
            ("-1", "-0.5", Ordering::Less),
            ("-1", "-1.5", Ordering::Greater),
            ("18446744073709551615", "18446744073709551614", Ordering::Greater),
            ("-0", "0", Ordering::Equal),
            ("+5", "5", Ordering::Equal),
            (".5", "0.5", Ordering::Equal),
            ("99999999999999999999", "1e400", Ordering::Less),
        ];
        for (a, b, expected) in cases {
            assert_eq!(Number::parse(a).cmp(&Number::parse(b)), expected, "{a} {b}");
        }
    }

    #[test]
    fn octets_are_decoded_or_refused() {
        let cases: [(&str, Octets, Option<&[u8]>); 9] = [
            ("", Octets::Hex, Some(b"")),
            ("fF00", Octets::Hex, Some(&[255, 0])),
            ("f", Octets::Hex, None),
            ("fg", Octets::Hex, None),
            ("", Octets::Base64, Some(b"")),
            ("aGk=", Octets::Base64, Some(b"hi")),
            ("aGk", Octets::Base64, Some(b"hi")),
            ("aGk==", Octets::Base64, None),
            ("a", Octets::Base64, None),
        ];
        for (text, octets, expected) in cases {
            assert_eq!(decode_octets(text, octets).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn moments_keep_every_digit() {
        let moment = |text| Moment::parse(text);
        assert!(moment("2026-01-01T00:00:00.0000000001Z") > moment("2026-01-01T00:00:00Z"));
        assert_eq!(moment("2026-01-01T00:00:00.100000000000Z"), moment("2026-01-01T00:00:00.1Z"));
    }
}
