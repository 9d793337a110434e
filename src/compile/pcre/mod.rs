//! From the syntax of PCRE to that of the two engines that run it.
//!
//! What is written depends on no option of the engine: every letter, class and anchor is spelled out with the
//! meaning it has in PCRE with DOTALL and Unicode text (so `\d`, `\w`, `\s` and `\b` are ASCII, `$` also stands
//! before a last line feed, `\h` is horizontal space). Nothing here recurses; open groups wait on a stack.
//! What neither engine can do is refused by name: recursion and subroutine calls, callouts, branch reset,
//! backtracking verbs, and groups nested deeper than the engines go.

mod class;
mod escape;
mod group;

use class::push_char;
use group::groups;
use std::fmt::Write;

/// What a translation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The `regex` crate: linear time, without look-around and back-references.
    Plain,
    /// The `fancy-regex` crate: backtracking, with them.
    Fancy,
}

/// What a translation came to.
#[derive(Debug)]
pub(super) enum Failure {
    /// The pattern needs the fancy dialect.
    NeedsFancy,
    /// The pattern is broken or uses what no engine here can do.
    Refused(String),
}

/// A translated pattern.
#[derive(Debug)]
pub(super) struct Translated {
    /// In the syntax of the engine.
    pub(super) text: String,
    /// A run of characters that every match holds, in lower case; empty if none was found. Where the pattern
    /// disregards case, values have to be searched for it disregarding the case of ASCII letters.
    pub(super) required: String,
}

/// Groups may be nested so deep; the engines' own limits are higher.
const MAX_DEPTH: usize = 48;
/// A quantifier may say at most this, as in PCRE.
const MAX_REPEAT: u32 = 65_535;
/// Longer patterns are refused before an engine sees them.
const MAX_LENGTH: usize = 1 << 20;

/// Translates a pattern. With `octets` the subject will be octets written as the characters U+0000 to U+00FF.
pub(super) fn translate(pattern: &str, dialect: Dialect, octets: bool) -> Result<Translated, Failure> {
    if pattern.len() > MAX_LENGTH {
        return refuse("the pattern is too long");
    }
    let (groups, names) = groups(pattern);
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() * 2),
        dialect,
        octets,
        flags: Flags { dot_all: true, ..Flags::default() },
        open: Vec::new(),
        atom: Atom::None,
        groups_seen: 0,
        groups,
        names,
        run: String::new(),
        required: String::new(),
        alternation: false,
    };
    translator.run()?;
    let required = if translator.alternation { String::new() } else { translator.required };
    Ok(Translated { text: translator.out, required })
}

fn refuse<T>(what: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Refused(what.into()))
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    dialect: Dialect,
    octets: bool,
    flags: Flags,
    open: Vec<Open>,
    atom: Atom,
    groups_seen: usize,
    groups: usize,
    names: Vec<(&'p str, usize)>,
    /// The run of literal characters that the last atoms make up, outside all groups.
    run: String,
    required: String,
    alternation: bool,
}

/// Options that a pattern can switch in its midst.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that PCRE has")]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
    extended: bool,
    extended_more: bool,
    ungreedy: bool,
    no_capture: bool,
}

/// A group whose end is still to come.
#[derive(Clone, Copy, Debug)]
struct Open {
    flags: Flags,
    kind: Group,
    /// Where it begins in the output.
    start: usize,
    /// How many branches it has so far; a condition allows two.
    branches: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Plain,
    Assertion,
    Condition,
    /// The assertion that is the condition of the group around it.
    Test,
}

/// What a quantifier would apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Atom {
    /// Nothing that can be repeated.
    None,
    /// The output from here on.
    Piece(usize),
    /// An assertion from here on: repeating it means nothing, and none of it means leaving it out.
    Assertion(usize),
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        self.leading_options()?;
        while let Some(c) = self.rest.chars().next() {
            self.one(c)?;
        }
        self.end_run();
        if self.open.is_empty() { Ok(()) } else { refuse("a group is not closed") }
    }

    /// `(*UTF)` and the like at the very beginning.
    fn leading_options(&mut self) -> Result<(), Failure> {
        while let Some(rest) = self.rest.strip_prefix("(*") {
            let Some((name, after)) = rest.split_once(')') else { return refuse("a group is not closed") };
            match name {
                "UTF" | "UTF8" | "LF" => self.rest = after,
                "F" | "FAIL" => return Ok(()),
                _ => return refuse(format!("the verb (*{name}) is not supported")),
            }
        }
        Ok(())
    }

    fn one(&mut self, c: char) -> Result<(), Failure> {
        if self.flags.extended && self.skip_extended(c) {
            return Ok(());
        }
        match c {
            '\\' => self.escape(),
            '[' => self.bracket(),
            '(' => self.open_group(),
            ')' => self.close_group(),
            '|' => self.branch(),
            '.' => {
                self.eat(1);
                self.piece(if self.flags.dot_all { "(?s:.)" } else { "[^\\n]" });
                Ok(())
            }
            '^' => {
                self.eat(1);
                if self.flags.multi_line {
                    self.fancy()?;
                    self.assertion("(?:\\A|(?<=\\n)(?!\\z))");
                } else {
                    self.assertion("\\A");
                }
                Ok(())
            }
            '$' => {
                self.eat(1);
                if self.flags.multi_line {
                    self.assertion("(?m:$)");
                    Ok(())
                } else {
                    self.end_of_text()
                }
            }
            '*' | '+' | '?' => {
                self.eat(1);
                let (min, max) = match c {
                    '*' => (0, None),
                    '+' => (1, None),
                    _ => (0, Some(1)),
                };
                self.quantify(min, max)
            }
            '{' => match counts(self.rest) {
                Some((length, min, max)) => {
                    self.eat(length);
                    self.quantify(min, max)
                }
                None => self.literal(c),
            },
            c => self.literal(c),
        }
    }

    /// White space and comments under `(?x)`; whether there was any.
    fn skip_extended(&mut self, c: char) -> bool {
        if c == '#' {
            let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
            self.eat(end);
            return true;
        }
        let space = matches!(c, ' ' | '\t'..='\r');
        if space {
            self.eat(1);
        }
        space
    }

    fn eat(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    /// Whether the rest began with this, which is then passed over.
    fn eat_if(&mut self, text: &str) -> bool {
        let found = self.rest.strip_prefix(text);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn fancy(&self) -> Result<(), Failure> {
        if self.dialect == Dialect::Plain { Err(Failure::NeedsFancy) } else { Ok(()) }
    }

    /// Takes one character of the pattern for itself.
    fn literal(&mut self, c: char) -> Result<(), Failure> {
        self.eat(c.len_utf8());
        self.character(c)
    }

    fn character(&mut self, c: char) -> Result<(), Failure> {
        if self.octets && c > '\u{ff}' {
            return refuse("a character above U+00FF cannot stand in octets");
        }
        self.atom = Atom::Piece(self.out.len());
        let folds = self.flags.ignore_case && (!c.is_ascii() || c.is_ascii_alphabetic());
        match (folds, self.octets) {
            (false, _) => push_char(&mut self.out, c),
            (true, _) if c.is_ascii() || self.octets => {
                self.out.push('[');
                push_char(&mut self.out, c.to_ascii_lowercase());
                push_char(&mut self.out, c.to_ascii_uppercase());
                match c {
                    'k' | 'K' if !self.octets => self.out.push('\u{212a}'),
                    's' | 'S' if !self.octets => self.out.push('\u{17f}'),
                    _ => {}
                }
                self.out.push(']');
            }
            (true, _) => {
                self.out.push_str("(?i:");
                push_char(&mut self.out, c);
                self.out.push(')');
            }
        }
        // The long s and the sign of kelvin are s and k to whoever disregards case.
        let keeps = !folds || (c.is_ascii() && !matches!(c, 'k' | 'K' | 's' | 'S'));
        if self.open.is_empty() && keeps {
            self.run.push(c.to_ascii_lowercase());
        } else {
            self.end_run();
        }
        Ok(())
    }

    fn piece(&mut self, text: &str) {
        self.end_run();
        self.atom = Atom::Piece(self.out.len());
        self.out.push_str(text);
    }

    fn assertion(&mut self, text: &str) {
        self.end_run();
        self.atom = Atom::Assertion(self.out.len());
        self.out.push_str(text);
    }

    fn end_run(&mut self) {
        if self.run.len() > self.required.len() {
            self.required.clone_from(&self.run);
        }
        self.run.clear();
    }

    /// `$` and `\Z`: the end, or before a line feed there.
    fn end_of_text(&mut self) -> Result<(), Failure> {
        // Where nothing comes after it the line feed may as well be taken, which the linear engine can do.
        let last = self.rest.bytes().all(|byte| byte == b')') || (self.rest.starts_with('|') && self.open.is_empty());
        if last && self.open.iter().all(|open| open.kind == Group::Plain) {
            self.assertion("(?:\\n?\\z)");
        } else {
            self.fancy()?;
            self.assertion("(?=\\n?\\z)");
        }
        Ok(())
    }

    fn branch(&mut self) -> Result<(), Failure> {
        self.eat(1);
        self.end_run();
        self.out.push('|');
        self.atom = Atom::None;
        match self.open.last_mut() {
            None => self.alternation = true,
            Some(open) => {
                open.branches += 1;
                if open.kind == Group::Condition && open.branches > 2 {
                    return refuse("a condition has more than two branches");
                }
            }
        }
        Ok(())
    }

    fn quantify(&mut self, min: u32, max: Option<u32>) -> Result<(), Failure> {
        let possessive = self.eat_if("+");
        let lazy = !possessive && (self.eat_if("?") != self.flags.ungreedy);
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT) {
            return refuse("a number of repetitions is too big");
        }
        if max.is_some_and(|max| max < min) {
            return refuse("the numbers of a quantifier are out of order");
        }
        // The last character of a run may be repeated or missing: it closes the run, or leaves it.
        if min == 0 {
            self.run.pop();
        }
        self.end_run();
        match self.atom {
            Atom::None => return refuse("a quantifier follows nothing that it could repeat"),
            Atom::Assertion(start) => {
                if min == 0 {
                    self.out.truncate(start);
                    self.out.push_str("(?:)");
                }
            }
            Atom::Piece(start) => {
                if possessive {
                    self.fancy()?;
                }
                // fancy-regex 0.20 takes `a+b?a+` for `a+(?:b?a+)?`; behind an alternative it does not see the repetition.
                let guarded = self.dialect == Dialect::Fancy && (min, max) == (1, None) && !possessive && !lazy;
                if guarded {
                    self.out.insert_str(start, "(?:");
                }
                let _ = match (min, max) {
                    (0, None) => self.out.write_str("*"),
                    (1, None) => self.out.write_str("+"),
                    (0, Some(1)) => self.out.write_str("?"),
                    (min, None) => write!(self.out, "{{{min},}}"),
                    (min, Some(max)) => write!(self.out, "{{{min},{max}}}"),
                };
                if possessive || lazy {
                    self.out.push(if possessive { '+' } else { '?' });
                }
                if guarded {
                    self.out.push_str("|[^\\x{0}-\\x{10FFFF}])");
                }
            }
        }
        self.atom = Atom::None;
        Ok(())
    }

    fn push_open(&mut self, kind: Group, text: &str) -> Result<(), Failure> {
        if self.open.len() >= MAX_DEPTH {
            return refuse("groups are nested too deeply");
        }
        self.end_run();
        self.open.push(Open { flags: self.flags, kind, start: self.out.len(), branches: 1 });
        self.out.push_str(text);
        self.atom = Atom::None;
        Ok(())
    }

    fn close_group(&mut self) -> Result<(), Failure> {
        self.eat(1);
        self.end_run();
        let Some(open) = self.open.pop() else { return refuse("a closing parenthesis has no opening one") };
        self.out.push(')');
        self.flags = open.flags;
        self.atom = match open.kind {
            Group::Plain | Group::Condition => Atom::Piece(open.start),
            Group::Assertion => Atom::Assertion(open.start),
            Group::Test => {
                self.out.push(')');
                Atom::None
            }
        };
        Ok(())
    }
}

/// `{n}`, `{n,}` or `{n,m}` at the beginning of a text: its length and numbers.
fn counts(text: &str) -> Option<(usize, u32, Option<u32>)> {
    let (inside, _) = text.strip_prefix('{')?.split_once('}')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u32::MAX))
    };
    let (min, max) = match inside.split_once(',') {
        None => (number(inside)?, Some(number(inside)?)),
        Some((min, "")) => (number(min)?, None),
        Some((min, max)) => (number(min)?, Some(number(max)?)),
    };
    Some((inside.len() + 2, min, max))
}
