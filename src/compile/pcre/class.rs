//! Classes of characters: `[...]`.

use super::escape::WORD_BOUNDARY;
use super::{Failure, Translator, refuse};
use std::fmt::Write;

pub(super) const DIGIT: &[(char, char)] = &[('0', '9')];
pub(super) const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
pub(super) const SPACE: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];
pub(super) const HORIZONTAL: &[(char, char)] = &[
    ('\t', '\t'),
    (' ', ' '),
    ('\u{a0}', '\u{a0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{2000}', '\u{200a}'),
    ('\u{202f}', '\u{202f}'),
    ('\u{205f}', '\u{205f}'),
    ('\u{3000}', '\u{3000}'),
];
pub(super) const VERTICAL: &[(char, char)] = &[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')];

impl Translator<'_> {
    /// `[...]`
    pub(super) fn bracket(&mut self) -> Result<(), Failure> {
        for (spelling, c) in [("[[:<:]]", '<'), ("[[:>:]]", '>')] {
            if self.eat_if(spelling) {
                self.fancy()?;
                let (inside, outside) = ("(?=[0-9A-Za-z_])", "(?<=[0-9A-Za-z_])");
                self.assertion(&format!("{WORD_BOUNDARY}{}", if c == '<' { inside } else { outside }));
                return Ok(());
            }
        }
        self.eat(1);
        let negated = self.eat_if("^");
        let mut class = Class::default();
        let mut first = true;
        loop {
            let Some(c) = self.rest.chars().next() else { return refuse("a class is not closed") };
            if c == ']' && !first {
                self.eat(1);
                break;
            }
            first = false;
            let Some(low) = self.member(&mut class)? else { continue };
            let mut ahead = self.rest.chars();
            let range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
            if !range {
                class.ranges.push((low, low));
                continue;
            }
            self.eat(1);
            match self.member(&mut class)? {
                Some(high) if low <= high => class.ranges.push((low, high)),
                Some(_) => return refuse("a range of characters is out of order"),
                // `a-\d`: the dash is one of the characters.
                None => class.ranges.extend([(low, low), ('-', '-')]),
            }
        }
        let mut text = String::new();
        if self.flags.ignore_case && self.octets {
            class.fold_ascii();
        }
        class.write(&mut text, negated);
        if self.flags.ignore_case && !self.octets {
            text = format!("(?i:{text})");
        }
        self.piece(&text);
        Ok(())
    }

    /// The next member of a class: a character, or nothing if it was a whole set, which is added.
    fn member(&mut self, class: &mut Class) -> Result<Option<char>, Failure> {
        if self.flags.extended_more {
            while self.eat_if(" ") || self.eat_if("\t") {}
        }
        if let Some(rest) = self.rest.strip_prefix("[:")
            && let Some((name, after)) = rest.split_once(":]")
        {
            {
                let (negated, plain) = name.strip_prefix('^').map_or((false, name), |plain| (true, plain));
                if plain.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    let Some(ranges) = posix(plain) else { return refuse(format!("there is no class [:{name}:]")) };
                    class.add(ranges, negated);
                    self.rest = after;
                    return Ok(None);
                }
            }
        }
        let Some(c) = self.rest.chars().next() else { return refuse("a class is not closed") };
        self.eat(c.len_utf8());
        if c != '\\' {
            return Ok(Some(c));
        }
        let Some(c) = self.rest.chars().next() else { return refuse("the pattern ends with a backslash") };
        self.eat(c.len_utf8());
        match c {
            'b' => Ok(Some('\u{8}')),
            'E' => Ok(None),
            'Q' => {
                let (text, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = after;
                class.ranges.extend(text.chars().map(|c| (c, c)));
                Ok(None)
            }
            'N' if !self.rest.starts_with("{U+") => refuse("\\N cannot stand in a class"),
            'B' | 'R' | 'X' => refuse(format!("\\{c} cannot stand in a class")),
            '1'..='7' => {
                let more = self.rest.bytes().take(2).take_while(|byte| (b'0'..b'8').contains(byte)).count();
                let text = format!("{c}{}", &self.rest[..more]);
                self.eat(more);
                self.code_point(u32::from_str_radix(&text, 8).unwrap_or(0)).map(Some)
            }
            c => match self.class_escape(c)? {
                Some(set) => {
                    class.ranges.extend(set.ranges);
                    class.raw.push_str(&set.raw);
                    Ok(None)
                }
                None => self.character_escape(c).map(Some),
            },
        }
    }
}

/// A set of characters.
#[derive(Debug, Default)]
pub(super) struct Class {
    pub(super) ranges: Vec<(char, char)>,
    /// Sets by property, in the syntax of the engines.
    pub(super) raw: String,
}

impl Class {
    /// Adds sorted ranges, or all other characters.
    pub(super) fn add(&mut self, ranges: &[(char, char)], negated: bool) {
        if !negated {
            self.ranges.extend_from_slice(ranges);
            return;
        }
        let mut next = 0;
        for &(low, high) in ranges {
            if let (Some(from), Some(to)) = (char::from_u32(next), u32::from(low).checked_sub(1)) {
                // No range here ends beside the surrogates, so its neighbours are characters.
                self.ranges.extend(char::from_u32(to).filter(|to| from <= *to).map(|to| (from, to)));
            }
            next = u32::from(high) + 1;
        }
        self.ranges.extend(char::from_u32(next).map(|from| (from, char::MAX)));
    }

    fn fold_ascii(&mut self) {
        for index in 0..self.ranges.len() {
            let (low, high) = self.ranges[index];
            for (from, to, shift) in [('a', 'z', -32_i32), ('A', 'Z', 32)] {
                let (from, to) = (low.max(from), high.min(to));
                if from <= to {
                    let shifted =
                        |c: char| u32::from(c).checked_add_signed(shift).and_then(char::from_u32).unwrap_or(c);
                    self.ranges.push((shifted(from), shifted(to)));
                }
            }
        }
    }

    pub(super) fn write(&self, out: &mut String, negated: bool) {
        out.push_str(if negated { "[^" } else { "[" });
        for &(low, high) in &self.ranges {
            push_class_char(out, low);
            if low != high {
                out.push('-');
                push_class_char(out, high);
            }
        }
        out.push_str(&self.raw);
        out.push(']');
    }
}

/// The sets that POSIX names, of ASCII characters.
fn posix(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => DIGIT,
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => SPACE,
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    })
}

/// Writes a character so that both engines take it for itself.
pub(super) fn push_char(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() || c == '_' || (!c.is_ascii() && !c.is_control() && !c.is_whitespace()) {
        out.push(c);
    } else {
        push_class_char(out, c);
    }
}

fn push_class_char(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
    }
}
