//! Text of anybody's making, made fit for a page: markup is text, and what cannot be seen is shown.

use serde::Serialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

/// Text with everything in it that cannot be seen, or that turns what can, shown as `\u{202e}` and the like.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_hidden(letter) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

fn is_hidden(letter: char) -> bool {
    letter.is_control() && letter != '\t'
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// Text between tags or in an attribute.
pub(super) fn html(text: &str) -> impl Display {
    struct Html<'t>(Cow<'t, str>);
    impl Display for Html<'_> {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.chars().try_for_each(|letter| match letter {
                '&' => out.write_str("&amp;"),
                '<' => out.write_str("&lt;"),
                '>' => out.write_str("&gt;"),
                '"' => out.write_str("&quot;"),
                '\'' => out.write_str("&#39;"),
                letter => out.write_char(letter),
            })
        }
    }
    Html(Cow::Owned(shown(text).into_owned()))
}

/// Text as part of a fragment (`#name=text`) in an attribute.
pub(super) fn fragment(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Writes JSON into a script element, where neither markup nor the end of the element may be seen.
pub(super) struct Json<'o>(pub(super) &'o mut dyn Write);

impl Json<'_> {
    pub(super) fn string(&mut self, text: &str) -> io::Result<()> {
        self.value(&shown(text))
    }

    pub(super) fn strings(&mut self, texts: &[&str]) -> io::Result<()> {
        self.value(&texts.iter().map(|text| shown(text)).collect::<Vec<_>>())
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        serde_json::to_writer(&mut *self, value)?;
        Ok(())
    }
}

impl Write for Json<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // These stand in strings alone, never between them.
        let mut written = 0;
        while let Some(at) = text[written..].iter().position(|byte| matches!(byte, b'<' | b'>' | b'&')) {
            self.0.write_all(&text[written..written + at])?;
            write!(self.0, "\\u{:04x}", text[written + at])?;
            written += at + 1;
        }
        self.0.write_all(&text[written..])?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The source expression that names a text in a content security policy.
pub(super) fn digest(text: &str) -> String {
    let mut out = String::from("sha256-");
    for chunk in Sha256::digest(text.as_bytes()).chunks(3) {
        let bits = chunk.iter().chain([&0, &0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..4 {
            const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let letter = char::from(LETTERS[bits >> (18 - 6 * place) & 63]);
            out.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text_and_what_is_hidden_is_seen() {
        for (text, expected) in [
            ("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"),
            ("</script>", "&lt;/script&gt;"),
            ("\u{202e}txt.exe\0\x1b[0m", "\\u{202e}txt.exe\\u{0}\\u{1b}[0m"),
            ("zero\u{200b}width \u{2028} b\u{fc}cher \u{5d0}", "zero\\u{200b}width \\u{2028} b\u{fc}cher \u{5d0}"),
        ] {
            assert_eq!(html(text).to_string(), expected);
        }
    }

    #[test]
    fn data_never_ends_its_element() {
        let mut out = Vec::new();
        Json(&mut out).strings(&["</script><!--", "\u{2028}&\"\\"]).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        let read: Vec<String> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, ["</script><!--", "\\u{2028}&\"\\"]);
    }

    #[test]
    fn digests_are_those_of_the_policy() {
        assert_eq!(digest(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(digest("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn fragments_hold_anything() {
        assert_eq!(fragment("a b&c=\"\u{e9}.log"), "a%20b%26c%3D%22%C3%A9.log");
    }
}
