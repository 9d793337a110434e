//! What a source is, told from how it begins.

use super::window::Place;
use super::{csv, list};
use std::fmt;

/// Lines that are looked at for a value before a text is no list.
const SAMPLE: usize = 1000;

/// A format that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    List,
    Csv(csv::Plan),
}

/// Why a file is nothing that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// Two bytes a letter.
    Utf16,
    /// A zero byte at this offset.
    Binary(u64),
    /// HTML or XML.
    Markup(Place),
    /// Lines of text that are no values; the first of them, and why.
    NoValue(Place, &'static str, String),
}

/// The format of a source that begins with these bytes; `whole` if they are all there is.
pub(crate) fn detect(bytes: &[u8], whole: bool) -> Result<Format, Unknown> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || is_wide(bytes) {
        return Err(Unknown::Utf16);
    }
    let text = bytes.trim_ascii_start();
    let start = bytes.len() - text.len();
    match text {
        [b'{' | 0x1E, ..] => return Ok(Format::Json),
        [b'[', rest @ ..] if matches!(rest.trim_ascii_start().first(), None | Some(b'{' | b'[' | b'"' | b']')) => {
            return Ok(Format::Json);
        }
        [b'<', ..] => return Err(Unknown::Markup(place(bytes, start))),
        _ => {}
    }
    let zero = memchr::memchr(0, bytes).map(|zero| Unknown::Binary(zero as u64));
    // A line or two that are broken do not make a list a program.
    let zeros = bytes.split(|byte| *byte == b'\n').filter(|line| line.contains(&0)).count();
    if let Some(binary) = zero.clone().filter(|_| zeros * 10 > memchr::memchr_iter(b'\n', bytes).count()) {
        return Err(binary);
    }
    let lines = if whole { bytes } else { &bytes[..memchr::memrchr(b'\n', bytes).unwrap_or(bytes.len())] };
    match csv::plan(lines) {
        Some(plan) => Ok(Format::Csv(plan)),
        None => list_or_nothing(lines).map_err(|unknown| zero.unwrap_or(unknown)),
    }
}

/// Whether this is text of two bytes a letter: with a zero in every other one, if it is mostly ASCII.
fn is_wide(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(64)];
    let zeros = memchr::memchr_iter(0, start).count();
    zeros > 8 && zeros >= start.len() / 3 && memchr::memchr(0, start).is_some_and(|first| first < 2)
}

/// A text is a list if one in ten of its first lines holds a value, or if there is nothing but comments in it.
fn list_or_nothing(lines: &[u8]) -> Result<Format, Unknown> {
    let (mut with_value, mut without) = (0, 0);
    let mut first = None;
    let mut offset = 0;
    for line in lines.split(|byte| *byte == b'\n') {
        let (mut is_value, mut is_none) = (false, false);
        list::entries(line, &mut |column, entry| match entry {
            Ok(_) => is_value = true,
            Err((invalid, text)) => {
                is_none = true;
                if first.is_none() {
                    first = Some((offset + column, invalid.reason(), list::shown(text)));
                }
            }
        });
        with_value += usize::from(is_value);
        without += usize::from(is_none && !is_value);
        offset += line.len() + 1;
        if with_value + without >= SAMPLE {
            break;
        }
    }
    match first {
        Some((at, reason, text)) if with_value * 9 < without => Err(Unknown::NoValue(place(lines, at), reason, text)),
        _ => Ok(Format::List),
    }
}

fn place(bytes: &[u8], at: usize) -> Place {
    let before = &bytes[..at.min(bytes.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    Place {
        line: memchr::memchr_iter(b'\n', before).count() as u64 + 1,
        column: (before.len() - line_start) as u64 + 1,
    }
}

impl Unknown {
    /// Whether this may be a table of values that do not show by their looks what they are.
    pub(crate) fn may_be_table(&self) -> bool {
        matches!(self, Self::NoValue(..))
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf16 => out.write_str("UTF-16 text; convert it to UTF-8"),
            Self::Binary(offset) => write!(out, "neither JSON nor a list: binary data at byte {offset}"),
            Self::Markup(place) => {
                write!(out, "neither JSON nor a list: HTML or XML at line {}, column {}", place.line, place.column)
            }
            Self::NoValue(place, reason, text) => {
                write!(out, "neither JSON nor a list: line {}, column {}: {reason}: {text}", place.line, place.column)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_beginning() {
        for (text, json) in [
            ("{\"type\": 1}", true),
            (" \r\n\t{", true),
            ("[", true),
            ("[ {", true),
            ("[\"evil.example\"]", true),
            ("[]", true),
            ("\u{1e}{}", true),
            ("", false),
            ("\n\n", false),
            ("# nothing here\n", false),
            ("[Adblock Plus 2.0]\n||evil.example^\n", false),
            ("[2001:db8::1]:443\n", false),
            ("nonsense\nevil.example\n", false),
        ] {
            assert_eq!(detect(text.as_bytes(), true), Ok(if json { Format::Json } else { Format::List }), "{text}");
        }
        let broken = "192.0.2.1\n".repeat(20) + "evil\0.example\n";
        assert_eq!(detect(broken.as_bytes(), true), Ok(Format::List));
        let prose = |lines: usize| "prose\n".repeat(lines) + "192.0.2.1\n192.0.2.2\n";
        assert_eq!(detect(prose(18).as_bytes(), true), Ok(Format::List));
        assert!(detect(prose(19).as_bytes(), true).is_err());
        assert!(matches!(detect(b"ip,port\n192.0.2.1,1\n", true), Ok(Format::Csv(_))));
    }

    #[test]
    fn anything_else_is_named_with_its_place() {
        for (text, message) in [
            (&b"\xFF\xFEa\0"[..], "UTF-16 text; convert it to UTF-8"),
            (b"1\x009\x002\0.\x000\0.\x002\0.\x001\0\r\0\n\x001\0", "UTF-16 text; convert it to UTF-8"),
            (b"{\0\"\0t\0y\0p\0e\0\"\0:\0\"\0b\0\"\0}\0", "UTF-16 text; convert it to UTF-8"),
            (b"\x7fELF\x02\x01\x01\0", "neither JSON nor a list: binary data at byte 7"),
            (b"\n <html>", "neither JSON nor a list: HTML or XML at line 2, column 2"),
            (
                b"# c\n\n  Not found\nagain\n",
                "neither JSON nor a list: line 3, column 3: a domain needs a dot: Not found",
            ),
        ] {
            assert_eq!(detect(text, true).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_line_that_is_cut_off_decides_nothing() {
        assert_eq!(detect(b"192.0.2.1\n192.0.2.2,a,b", false), Ok(Format::List));
    }
}
