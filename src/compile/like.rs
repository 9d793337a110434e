//! The operand of `LIKE`: `%` is any run of characters, `_` is any one, and the whole value has to fit
//! (STIX 2.1 section 9.6.1). Both sides are compared in Unicode normal form C.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A compiled `LIKE` operand.
///
/// ```
/// use stockade::compile::like::Like;
///
/// assert!(Like::new("%.example.___").is_match("www.example.com"));
/// assert!(!Like::new("%.example.___").is_match("www.example.info"));
/// ```
#[derive(Clone, Debug)]
pub struct Like {
    /// The pieces between the `%` signs; the first stands at the beginning and the last at the end.
    pieces: Box<[Piece]>,
}

/// A run of characters without `%`.
#[derive(Clone, Debug)]
struct Piece {
    text: Box<str>,
    /// Whether it holds `_`, so that it cannot be compared as a whole.
    wild: bool,
}

impl Like {
    /// Compiles an operand. Every text is one.
    pub fn new(operand: &str) -> Self {
        let operand = nfc(operand);
        let pieces = operand.split('%').map(|text| Piece { text: text.into(), wild: text.contains('_') });
        Self { pieces: pieces.collect() }
    }

    /// Whether a value fits as a whole.
    pub fn is_match(&self, value: &str) -> bool {
        let value = nfc(value);
        let Some((first, rest)) = self.pieces.split_first() else { return value.is_empty() };
        let Some(mut place) = first.at(&value) else { return false };
        let Some((last, middle)) = rest.split_last() else { return place == value.len() };
        for piece in middle {
            match piece.find(&value[place..]) {
                Some(end) => place += end,
                None => return false,
            }
        }
        last.ends(&value[place..])
    }

    /// The longest run of characters that a fitting value holds; empty if there is none.
    pub fn required(&self) -> &str {
        let runs = self.pieces.iter().flat_map(|piece| piece.text.split('_'));
        runs.max_by_key(|run| run.len()).unwrap_or("")
    }

    /// The operand as one text, if it has neither `%` nor `_` and so means equality.
    pub fn literal(&self) -> Option<&str> {
        match &*self.pieces {
            [only] if !only.wild => Some(&only.text),
            _ => None,
        }
    }
}

impl Piece {
    /// The length of what this piece covers at the beginning of a text.
    fn at(&self, text: &str) -> Option<usize> {
        if !self.wild {
            return text.starts_with(&*self.text).then_some(self.text.len());
        }
        let mut chars = text.chars();
        for wanted in self.text.chars() {
            let found = chars.next()?;
            if wanted != '_' && wanted != found {
                return None;
            }
        }
        Some(text.len() - chars.as_str().len())
    }

    /// The end of the first place in a text where this piece fits.
    fn find(&self, text: &str) -> Option<usize> {
        if !self.wild {
            return memchr::memmem::find(text.as_bytes(), self.text.as_bytes()).map(|at| at + self.text.len());
        }
        text.char_indices().find_map(|(at, _)| self.at(&text[at..]).map(|len| at + len))
    }

    /// Whether this piece fits at the end of a text.
    fn ends(&self, text: &str) -> bool {
        if !self.wild {
            return text.ends_with(&*self.text);
        }
        let mut chars = text.chars().rev();
        self.text.chars().rev().all(|wanted| chars.next().is_some_and(|found| wanted == '_' || wanted == found))
    }
}

/// A text in Unicode normal form C.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_fit_whole_values() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%", "a\nb", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a%", "ab", true),
            ("%a", "ba", true),
            ("%a", "ab", false),
            ("a%a", "a", false),
            ("a%a", "aa", true),
            ("a%b%c", "axxbyyc", true),
            ("a%b%c", "axxcyyb", false),
            ("_", "ü", true),
            ("_", "", false),
            ("__", "ü", false),
            ("%_b%", "b", false),
            ("%_b%", "ab", true),
            ("%a_", "aab", true),
            ("%a_b%", "aaab", true),
            ("e\u{301}", "é", true),
            ("_", "e\u{301}", true),
            ("100.%", "100x1", false),
            ("%%", "", true),
        ];
        for (operand, value, expected) in cases {
            assert_eq!(Like::new(operand).is_match(value), expected, "{value:?} LIKE {operand:?}");
        }
    }

    #[test]
    fn the_required_run_is_the_longest() {
        assert_eq!(Like::new("%ab_cde%f").required(), "cde");
        assert_eq!(Like::new("%_").required(), "");
        assert_eq!(Like::new("abc").literal(), Some("abc"));
        assert_eq!(Like::new("ab_").literal(), None);
    }
}
