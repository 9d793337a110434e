//! Groups of every kind: captures, look-around, options, conditions; and back-references to them.

use super::{Atom, Dialect, Failure, Flags, Group, Translator, refuse};

impl<'p> Translator<'p> {
    fn capture(&mut self) -> Result<(), Failure> {
        self.groups_seen += 1;
        self.push_open(Group::Plain, if self.dialect == Dialect::Plain { "(?:" } else { "(" })
    }

    pub(super) fn open_group(&mut self) -> Result<(), Failure> {
        if self.rest.starts_with("(*") {
            let name = self.rest[2..].split([')', ':']).next().unwrap_or("");
            if matches!(name, "F" | "FAIL") {
                self.eat(name.len() + 3);
                self.piece("[^\\x{0}-\\x{10FFFF}]");
                return Ok(());
            }
            return refuse(format!("the verb (*{name}) is not supported"));
        }
        self.eat(1);
        if !self.eat_if("?") {
            return if self.flags.no_capture { self.push_open(Group::Plain, "(?:") } else { self.capture() };
        }
        if self.eat_if("#") {
            let Some(end) = self.rest.find(')') else { return refuse("a comment is not closed") };
            self.eat(end + 1);
            return Ok(());
        }
        for (spelling, kind) in [("=", "(?="), ("!", "(?!"), ("<=", "(?<="), ("<!", "(?<!")] {
            if self.eat_if(spelling) {
                self.fancy()?;
                return self.push_open(Group::Assertion, kind);
            }
        }
        if self.eat_if(":") {
            return self.push_open(Group::Plain, "(?:");
        }
        if self.eat_if(">") {
            self.fancy()?;
            return self.push_open(Group::Plain, "(?>");
        }
        if self.eat_if("|") {
            return refuse("branch reset (?| is not supported");
        }
        if self.eat_if("(") {
            return self.condition();
        }
        if self.eat_if("P=") {
            let name = self.until(")")?;
            return self.back_reference_by_name(name);
        }
        for (opening, closing) in [("P<", ">"), ("<", ">"), ("'", "'")] {
            if self.eat_if(opening) {
                let name = self.until(closing)?;
                if !is_name(name) {
                    return refuse("a group has no proper name");
                }
                return self.capture();
            }
        }
        match self.rest.chars().next() {
            Some('R' | '0'..='9' | '&' | '+') => refuse("recursion and subroutine calls are not supported"),
            Some('P') if self.rest.starts_with("P>") => refuse("recursion and subroutine calls are not supported"),
            Some('-') if self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                refuse("recursion and subroutine calls are not supported")
            }
            Some('C') => refuse("callouts are not supported"),
            _ => self.options(),
        }
    }

    /// `(?i)`, `(?i-s:...)`, `(?^x)` and the like.
    fn options(&mut self) -> Result<(), Failure> {
        let mut flags = self.flags;
        let mut on = true;
        if self.eat_if("^") {
            flags = Flags { dot_all: false, ungreedy: flags.ungreedy, ..Flags::default() };
        }
        loop {
            let Some(c) = self.rest.chars().next() else { return refuse("a group is not closed") };
            self.eat(c.len_utf8());
            match c {
                '-' => on = false,
                'i' => flags.ignore_case = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_all = on,
                'n' => flags.no_capture = on,
                'U' => flags.ungreedy = on,
                'J' => {}
                'x' => {
                    flags.extended_more = on && self.eat_if("x");
                    flags.extended = on;
                }
                ')' => {
                    // They hold to the end of the group around them.
                    self.end_run();
                    self.flags = flags;
                    self.atom = Atom::None;
                    return Ok(());
                }
                ':' => {
                    self.push_open(Group::Plain, "(?:")?;
                    self.flags = flags;
                    return Ok(());
                }
                c => return refuse(format!("'{c}' after (? is not supported")),
            }
        }
    }

    /// `(?(1)yes|no)`, `(?(<name>)...)`, `(?(?=...)yes|no)`; the second parenthesis is behind us.
    fn condition(&mut self) -> Result<(), Failure> {
        self.fancy()?;
        for (spelling, kind) in [("?=", "(?="), ("?!", "(?!"), ("?<=", "(?<="), ("?<!", "(?<!")] {
            if self.eat_if(spelling) {
                self.push_open(Group::Condition, "(?(")?;
                return self.push_open(Group::Test, kind);
            }
        }
        let text = self.until(")")?;
        let name = text.trim_matches(['<', '>', '\'']);
        let relative = name.strip_prefix('-').and_then(|back| back.parse::<usize>().ok());
        let number = match (name.parse::<usize>(), relative) {
            (Ok(number), _) => Some(number),
            (_, Some(back)) => (self.groups_seen + 1).checked_sub(back),
            _ => self.group_named(name),
        };
        match number {
            Some(number) if (1..=self.groups).contains(&number) => {
                self.push_open(Group::Condition, &format!("(?({number})"))
            }
            _ if name.starts_with('R') || name == "DEFINE" => {
                refuse("recursion and subroutine calls are not supported")
            }
            _ => refuse(format!("the condition ({text}) names no group")),
        }
    }

    pub(super) fn until(&mut self, closing: &str) -> Result<&'p str, Failure> {
        let Some((text, after)) = self.rest.split_once(closing) else { return refuse("a name is not closed") };
        self.rest = after;
        Ok(text)
    }

    fn group_named(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| *known == name).map(|&(_, number)| number)
    }

    pub(super) fn back_reference_by_name(&mut self, name: &str) -> Result<(), Failure> {
        match self.group_named(name) {
            Some(number) => self.back_reference(number),
            None => refuse(format!("a reference names the group '{name}', which is not there")),
        }
    }

    pub(super) fn back_reference(&mut self, number: usize) -> Result<(), Failure> {
        self.fancy()?;
        if number == 0 || number > self.groups {
            return refuse(format!("a reference names group {number}, which is not there"));
        }
        let option = if self.flags.ignore_case { "i" } else { "" };
        self.piece(&format!("(?{option}:\\{number})"));
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// How many groups capture, and the names of those that have one. Classes, quotations and comments are passed over.
pub(super) fn groups(pattern: &str) -> (usize, Vec<(&str, usize)>) {
    let (mut count, mut names) = (0, Vec::new());
    let mut rest = pattern;
    while let Some(at) = rest.find(['\\', '[', '(']) {
        rest = &rest[at..];
        if let Some(quoted) = rest.strip_prefix("\\Q") {
            rest = quoted.split_once("\\E").map_or("", |(_, after)| after);
        } else if rest.starts_with('\\') {
            rest = rest[1..].chars().next().map_or("", |c| &rest[1 + c.len_utf8()..]);
        } else if rest.starts_with('[') {
            rest = &rest[class_length(rest)..];
        } else {
            let inside = &rest[1..];
            let named = [("?P<", '>'), ("?<", '>'), ("?'", '\'')].iter().find_map(|(opening, closing)| {
                let name = inside.strip_prefix(opening)?.split_once(*closing)?.0;
                is_name(name).then_some(name)
            });
            if let Some(name) = named {
                count += 1;
                names.push((name, count));
            } else if !inside.starts_with(['?', '*']) {
                count += 1;
            } else if inside.starts_with("?(") && !inside.starts_with("?(?") {
                // The name or number of a condition is no group.
                rest = inside.split_once(')').map_or("", |(_, after)| after);
                continue;
            } else if inside.starts_with("?#") {
                rest = inside.split_once(')').map_or("", |(_, after)| after);
                continue;
            }
            rest = inside;
        }
    }
    (count, names)
}

/// The length of the class that a text begins with.
fn class_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    at += usize::from(bytes.get(at) == Some(&b'^'));
    at += usize::from(bytes.get(at) == Some(&b']'));
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b']' => return at + 1,
            b'[' if bytes.get(at + 1) == Some(&b':') => {
                at += text.get(at..).and_then(|rest| rest.find(":]")).map_or(1, |end| end + 2);
            }
            _ => at += 1,
        }
    }
    text.len()
}
