//! What a backslash stands for.

use super::class::{Class, DIGIT, HORIZONTAL, SPACE, VERTICAL, WORD};
use super::{Dialect, Failure, Translator, refuse};
use std::fmt::Write;

pub(super) const WORD_BOUNDARY: &str = "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))";
const NO_WORD_BOUNDARY: &str = "(?:(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<![0-9A-Za-z_])(?![0-9A-Za-z_]))";

impl Translator<'_> {
    pub(super) fn escape(&mut self) -> Result<(), Failure> {
        self.eat(1);
        let Some(c) = self.rest.chars().next() else { return refuse("the pattern ends with a backslash") };
        self.eat(c.len_utf8());
        match c {
            'Q' => {
                let (text, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = after;
                text.chars().try_for_each(|c| self.character(c))?;
            }
            'E' => {}
            'A' | 'G' => self.assertion("\\A"),
            'z' => self.assertion("\\z"),
            'Z' => self.end_of_text()?,
            // What the match begins with does not matter, only whether there is one.
            'K' => self.assertion("(?:)"),
            'b' | 'B' => match self.dialect {
                Dialect::Plain => self.assertion(if c == 'b' { "(?-u:\\b)" } else { "(?-u:\\B)" }),
                Dialect::Fancy => self.assertion(if c == 'b' { WORD_BOUNDARY } else { NO_WORD_BOUNDARY }),
            },
            'R' => match self.dialect {
                // Without atomic groups: \r\n may also be read as two, which matters only to what follows.
                Dialect::Plain => return Err(Failure::NeedsFancy),
                Dialect::Fancy => self.piece("(?>\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])"),
            },
            'X' => {
                self.fancy()?;
                self.piece("(?>\\r\\n|\\P{M}\\p{M}*|\\p{M}+)");
            }
            'N' if !self.rest.starts_with("{U+") => self.piece("[^\\n]"),
            '1'..='9' => return self.numbered_escape(c),
            'g' => return self.escape_g(),
            'k' => {
                for (opening, closing) in [("<", ">"), ("'", "'"), ("{", "}")] {
                    if self.eat_if(opening) {
                        let name = self.until(closing)?;
                        return self.back_reference_by_name(name.trim());
                    }
                }
                return refuse("\\k is not followed by a name");
            }
            'C' => return refuse("\\C is not supported"),
            _ => {
                if let Some(class) = self.class_escape(c)? {
                    let mut text = String::new();
                    class.write(&mut text, false);
                    self.piece(&text);
                } else {
                    let c = self.character_escape(c)?;
                    self.character(c)?;
                }
            }
        }
        Ok(())
    }

    /// `\1`: a reference, or from `\10` on an octal number if there are not so many groups.
    fn numbered_escape(&mut self, first: char) -> Result<(), Failure> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let text = format!("{first}{}", &self.rest[..digits]);
        let number = text.parse::<usize>().unwrap_or(usize::MAX);
        if number < 10 || number <= self.groups {
            self.eat(digits);
            return self.back_reference(number);
        }
        let octal = text.bytes().take(3).take_while(|digit| *digit < b'8').count();
        if octal == 0 {
            return refuse(format!("a reference names group {number}, which is not there"));
        }
        let value = u32::from_str_radix(&text[..octal], 8).unwrap_or(0);
        self.eat(octal - 1);
        self.code_point(value).and_then(|c| self.character(c))
    }

    /// `\g1`, `\g{-1}`, `\g{name}`; `\g<...>` calls a subroutine.
    fn escape_g(&mut self) -> Result<(), Failure> {
        if self.rest.starts_with(['<', '\'']) {
            return refuse("recursion and subroutine calls are not supported");
        }
        let text = if self.eat_if("{") {
            self.until("}")?
        } else {
            let sign = usize::from(self.rest.starts_with(['-', '+']));
            let digits = self.rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
            let text = &self.rest[..sign + digits];
            self.eat(sign + digits);
            text
        };
        let text = text.trim();
        if let Some(back) = text.strip_prefix('-') {
            let number = back.parse().ok().and_then(|back: usize| (self.groups_seen + 1).checked_sub(back));
            return self.back_reference(number.unwrap_or(0));
        }
        match text.trim_start_matches('+').parse::<usize>() {
            Ok(ahead) if text.starts_with('+') => self.back_reference(self.groups_seen.saturating_add(ahead)),
            Ok(number) => self.back_reference(number),
            Err(_) => self.back_reference_by_name(text),
        }
    }

    /// The class that an escape stands for, if it stands for one.
    pub(super) fn class_escape(&mut self, c: char) -> Result<Option<Class>, Failure> {
        let ranges = match c.to_ascii_lowercase() {
            'd' => DIGIT,
            'w' => WORD,
            's' => SPACE,
            'h' => HORIZONTAL,
            'v' => VERTICAL,
            'p' => return self.property(c == 'P').map(Some),
            _ => return Ok(None),
        };
        let mut class = Class::default();
        class.add(ranges, c.is_ascii_uppercase());
        Ok(Some(class))
    }

    /// `\pL`, `\p{Lu}`, `\P{Han}`, `\p{^Lu}`.
    fn property(&mut self, negated: bool) -> Result<Class, Failure> {
        let name = if self.eat_if("{") {
            self.until("}")?
        } else {
            let length = self.rest.chars().next().map_or(0, char::len_utf8);
            let name = &self.rest[..length];
            self.eat(length);
            name
        };
        let (negated, name) = name.strip_prefix('^').map_or((negated, name), |name| (!negated, name));
        let mut class = Class::default();
        let sign = if negated { "^" } else { "" };
        let members = match name {
            "Any" => "\\x{0}-\\x{10FFFF}",
            "L&" => "\\p{Lu}\\p{Ll}\\p{Lt}",
            "Xan" => "\\p{L}\\p{N}",
            "Xwd" => "\\p{L}\\p{N}_",
            "Xsp" | "Xps" => "\\s",
            name if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_ -=:".contains(&b)) => {
                let _ = write!(class.raw, "[{sign}\\p{{{name}}}]");
                return Ok(class);
            }
            _ => return refuse(format!("'{name}' is no property of characters")),
        };
        let _ = write!(class.raw, "[{sign}{members}]");
        Ok(class)
    }

    /// The character that an escape stands for; its letter is behind us.
    pub(super) fn character_escape(&mut self, c: char) -> Result<char, Failure> {
        let code = match c {
            'a' => 7,
            'e' => 27,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            '0' => {
                let digits = self.rest.bytes().take(2).take_while(|byte| (b'0'..b'8').contains(byte)).count();
                let code = u32::from_str_radix(&self.rest[..digits], 8).unwrap_or(0);
                self.eat(digits);
                code
            }
            'o' if self.eat_if("{") => {
                let text = self.until("}")?;
                u32::from_str_radix(text.trim(), 8).or_else(|_| refuse("\\o{} holds no octal number"))?
            }
            'x' if self.eat_if("{") => {
                let text = self.until("}")?;
                u32::from_str_radix(text.trim(), 16).or_else(|_| refuse("\\x{} holds no hexadecimal number"))?
            }
            'x' => {
                let digits = self.rest.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
                let code = u32::from_str_radix(&self.rest[..digits], 16).unwrap_or(0);
                self.eat(digits);
                code
            }
            'N' if self.eat_if("{U+") => {
                let text = self.until("}")?;
                u32::from_str_radix(text, 16).or_else(|_| refuse("\\N{U+} holds no hexadecimal number"))?
            }
            'c' => match self.rest.bytes().next() {
                Some(byte @ b' '..=b'~') => {
                    self.eat(1);
                    u32::from(byte.to_ascii_uppercase() ^ 0x40)
                }
                _ => return refuse("\\c is not followed by a printable character"),
            },
            'l' | 'L' | 'u' | 'U' => return refuse(format!("\\{c} is not supported")),
            // A letter without a meaning of its own is itself, as in Perl.
            c => return Ok(c),
        };
        self.code_point(code)
    }

    pub(super) fn code_point(&self, code: u32) -> Result<char, Failure> {
        match char::from_u32(code) {
            Some(c) if !self.octets || c <= '\u{ff}' => Ok(c),
            _ => refuse(format!("there is no character with the code {code:#x}")),
        }
    }
}
