//! Escapes of log formats, undone with the way back to the line.

use super::event::{Event, Meaning, Unescaped};
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::ops::Range;

/// How a text is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// Every byte means itself.
    None,
    /// `\"` `\\` `\/` `\n` `\t` `\r` `\u0041` `\x41`; any other backslash stands for itself.
    Backslash,
    /// Zeek's `\x09` and `\\`.
    Hex,
    /// Any sign of these behind a backslash, and `\n`, `\r` if the last is true.
    Signs(&'static [u8], bool),
    /// Quotes are doubled.
    Doubled,
    /// `%20`, and `+` for a blank if true.
    Percent(bool),
}

impl<'l> Event<'l> {
    /// Adds a field whose escapes are to be undone.
    pub(super) fn push_escaped(
        &mut self,
        name: impl Into<Cow<'l, str>>,
        span: Range<usize>,
        escapes: Escapes,
        meaning: Meaning<'l>,
    ) {
        match escapes.undo(self.line, span.clone()) {
            Some(unescaped) => self.push_unescaped(name, span, unescaped, meaning),
            None => self.push(name, span, meaning),
        }
    }
}

impl Escapes {
    /// What a part of a line means; `None` if it is written as it is meant.
    pub(super) fn undo(self, line: &[u8], span: Range<usize>) -> Option<Unescaped> {
        let text = line.get(span.clone())?;
        let next = |from: usize| {
            let rest = text.get(from..)?;
            let at = match self {
                Self::None => None,
                Self::Doubled => memchr(b'"', rest),
                Self::Percent(true) => memchr2(b'%', b'+', rest),
                Self::Percent(false) => memchr(b'%', rest),
                _ => memchr(b'\\', rest),
            };
            at.map(|at| from + at)
        };
        let mut at = next(0)?;
        let (mut out, mut copied, mut changed) = (Unescaped::default(), 0, false);
        loop {
            let mut letter = [0; 4];
            let step = match self.one(&text[at..], &mut letter) {
                Some((length, meant)) => {
                    out.copy(&text[copied..at]);
                    out.replace(span.start + at..span.start + at + length, &letter[..meant]);
                    copied = at + length;
                    changed = true;
                    length
                }
                None => 1,
            };
            match next(at + step) {
                Some(found) => at = found,
                None => break,
            }
        }
        out.copy(&text[copied..]);
        changed.then_some(out)
    }

    /// The escape at the beginning of a text: its length, and that of what it means.
    fn one(self, text: &[u8], letter: &mut [u8; 4]) -> Option<(usize, usize)> {
        let mut byte = |byte: u8, length: usize| {
            letter[0] = byte;
            Some((length, 1))
        };
        let kind = *text.get(1).unwrap_or(&0);
        match self {
            Self::None => None,
            Self::Doubled => (kind == b'"').then(|| byte(b'"', 2)).flatten(),
            Self::Percent(_) if text[0] == b'+' => byte(b' ', 1),
            Self::Percent(_) => byte(hex(&text[1..], 2)? as u8, 3),
            Self::Signs(signs, line_ends) => match kind {
                b'n' if line_ends => byte(b'\n', 2),
                b'r' if line_ends => byte(b'\r', 2),
                _ if signs.contains(&kind) => byte(kind, 2),
                _ => None,
            },
            Self::Hex => match kind {
                b'x' => byte(hex(&text[2..], 2)? as u8, 4),
                b'\\' => byte(b'\\', 2),
                _ => None,
            },
            Self::Backslash => match kind {
                b'"' | b'\\' | b'/' | b'\'' => byte(kind, 2),
                b'n' => byte(b'\n', 2),
                b't' => byte(b'\t', 2),
                b'r' => byte(b'\r', 2),
                b'x' => byte(hex(&text[2..], 2)? as u8, 4),
                b'u' => {
                    let found = char::from_u32(hex(&text[2..], 4)?)?;
                    Some((6, found.encode_utf8(letter).len()))
                }
                _ => None,
            },
        }
    }
}

/// The number that so many hex digits stand for.
pub(super) fn hex(text: &[u8], digits: usize) -> Option<u32> {
    let digits = text.get(..digits)?;
    digits.iter().try_fold(0, |n, b| Some(n * 16 + char::from(*b).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meant(escapes: Escapes, text: &[u8]) -> Vec<u8> {
        let mut event = Event::new(text);
        event.push_escaped("x", 0..text.len(), escapes, Meaning::Text);
        event.fields.first().map(|field| field.text.to_vec()).unwrap_or_default()
    }

    #[test]
    fn escapes_are_undone_where_they_are_known() {
        for (escapes, text, expected) in [
            (Escapes::None, r"a\n%20", r"a\n%20"),
            (Escapes::Backslash, r#"say \"hi\""#, r#"say "hi""#),
            (Escapes::Backslash, r"C:\\Windows\\x", r"C:\Windows\x"),
            (Escapes::Backslash, r"\u0041\x42\n\/", "AB\n/"),
            (Escapes::Backslash, r"\q\u00zz\x4\ud800", r"\q\u00zz\x4\ud800"),
            (Escapes::Backslash, "end\\", "end\\"),
            (Escapes::Backslash, r"\u00fc", "\u{fc}"),
            (Escapes::Hex, r"a\x2cb\\c\n", "a,b\\c\\n"),
            (Escapes::Signs(b"=|\\", true), r"a\=b\|c\\d\ne\q", "a=b|c\\d\ne\\q"),
            (Escapes::Signs(b"\"\\]", false), r#"a\"b\]c\n"#, r#"a"b]c\n"#),
            (Escapes::Doubled, "say \"\"hi\"\" \"", "say \"hi\" \""),
            (Escapes::Percent(false), "a%20b%2Fc+d%zz%", "a b/c+d%zz%"),
            (Escapes::Percent(true), "a+b%2520", "a b%20"),
        ] {
            assert_eq!(meant(escapes, text.as_bytes()), expected.as_bytes(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_place_of_the_text_leads_into_its_span(
            text in proptest::collection::vec(proptest::sample::select(br#"\"x09%2f+au0041n=|]"#.to_vec()), 0..24),
            which in 0_usize..6,
        ) {
            let all = [Escapes::Backslash, Escapes::Hex, Escapes::Signs(b"=|\\", true), Escapes::Doubled,
                Escapes::Percent(true), Escapes::Percent(false)];
            let mut event = Event::new(&text);
            event.push_escaped("x", 0..text.len(), all[which], Meaning::Text);
            for field in &event.fields {
                prop_assert_eq!(field.place(0..field.text.len()), field.span.clone());
                for at in 0..field.text.len() {
                    let place = field.place(at..at + 1);
                    prop_assert!(place.start < place.end && place.end <= text.len());
                }
            }
        }
    }
}
