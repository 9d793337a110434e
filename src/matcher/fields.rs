//! Patterns that only fields decide: values that belong together, values without a shape of their own, numbers, and
//! what is not there. A structured line is an observation, and all of these are evaluated on it.

use super::eval::many::{PatternSet, PatternSetBuilder};
use super::eval::{Outcome, value_that_satisfies};
use super::structured::objects_of_open;
use super::{Relation, plain};
use crate::compile::like::Like;
use crate::compile::program::{Compare, Path, Program, Step, Test};
use crate::compile::regex::Regex;
use crate::compile::{EntryId, RuleSet, Seek};
use crate::log::{Field, Meaning, assemble};
use crate::observable;
use crate::observable::text::{self, Place};
use crate::stix::ObservedData;
use aho_corasick::{AhoCorasick, MatchKind};
use std::collections::BTreeSet;
use std::ops::Range;

/// Patterns to evaluate on structured lines.
#[derive(Debug, Default)]
pub(super) struct FieldPatterns {
    /// Decided by one line.
    single: Group,
    /// Decided by several lines, and by none of plain text.
    sequences: Group,
    /// Over letters without which a line can be part of none of them.
    letters: Option<AhoCorasick>,
    /// Some pattern has no such letters.
    every_line: bool,
    /// Indicators whose patterns cannot be evaluated.
    unusable: Vec<(EntryId, &'static str)>,
}

/// Patterns, and where each comes from.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) set: PatternSet,
    pub(super) owners: Vec<Owner>,
}

/// The pattern of an indicator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) entry: EntryId,
    from: From,
}

#[derive(Clone, Copy, Debug)]
enum From {
    /// A place in `RuleSet::compounds`.
    Compound(u32),
    /// A place in `RuleSet::texts`.
    Text(u32),
}

/// The field by which a line satisfies a pattern.
#[derive(Debug)]
pub(super) struct Seen {
    /// Its place in the event.
    pub(super) field: usize,
    pub(super) span: Range<usize>,
    pub(super) object_type: &'static str,
    pub(super) value: String,
    /// How it relates to the field.
    pub(super) relation: Relation,
}

/// Fewer letters stand in too many lines to be worth seeking.
const FEWEST: usize = 3;

const CANNOT: &str = "cannot be evaluated";

impl FieldPatterns {
    pub(super) fn new(rules: &RuleSet, takes_part: &dyn Fn(u32) -> bool) -> Self {
        let mut made = Self::default();
        let (mut single, mut sequences) = (PatternSetBuilder::default(), PatternSetBuilder::default());
        let mut letters = BTreeSet::new();
        for (compound, number) in rules.compounds().iter().zip(0..).filter(|(c, _)| takes_part(c.entry.0)) {
            let Ok(program) = rules.program(compound) else {
                made.unusable.push((compound.entry, CANNOT));
                continue;
            };
            let owner = Owner { entry: compound.entry, from: From::Compound(number) };
            if !compound.sequence {
                single.add(program);
                made.single.owners.push(owner);
            } else if !compound.plain || compound.cover.is_none() {
                sequences.add(program);
                made.sequences.owners.push(owner);
            }
            match &compound.cover {
                None => made.every_line = true,
                Some(cover) => cover.iter().for_each(|seek| made.ask_for(seek, &mut letters)),
            }
        }
        for ((entry, seek), number) in rules.texts().iter().zip(0..).filter(|(text, _)| takes_part(text.0.0)) {
            // What has a kind is tried on every value of that kind.
            if seek.as_expression().is_some_and(|expression| !expression.kinds.is_empty()) {
                continue;
            }
            let Some(program) = rules.program_of(seek) else {
                made.unusable.push((*entry, CANNOT));
                continue;
            };
            single.add(program);
            made.single.owners.push(Owner { entry: *entry, from: From::Text(number) });
            made.ask_for(seek, &mut letters);
        }
        made.single.set = single.build();
        made.sequences.set = sequences.build();
        if !letters.is_empty() {
            let automaton = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .ascii_case_insensitive(true)
                .build(letters.iter().map(String::as_bytes));
            made.every_line |= automaton.is_err();
            made.letters = automaton.ok();
        }
        made
    }

    /// Notes the letters that what is sought cannot do without, in whatever way a line escapes the others.
    fn ask_for(&mut self, seek: &Seek, letters: &mut BTreeSet<String>) {
        let required = match seek {
            // The index knows it.
            Seek::Atom(_) => return,
            Seek::Literal(literal) => literal.text.to_string(),
            Seek::Expression(expression) if expression.regex => {
                let Ok(regex) = Regex::new(&expression.text) else { return };
                regex.required().to_owned()
            }
            Seek::Expression(expression) => Like::new(&expression.text).required().to_owned(),
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '_' | '-' | '.');
        match required.split(|letter| !plain(letter)).max_by_key(|run| run.len()) {
            Some(run) if run.len() >= FEWEST => drop(letters.insert(run.to_ascii_lowercase())),
            _ => self.every_line = true,
        }
    }

    /// Indicators left out, with the reason.
    pub(super) fn unusable(&self) -> &[(EntryId, &'static str)] {
        &self.unusable
    }

    /// Whether any structured line may satisfy some pattern, so that every one has to be read.
    pub(super) fn need_every_line(&self) -> bool {
        self.every_line
    }

    /// Whether there is nothing to evaluate on a line.
    pub(super) fn is_empty(&self) -> bool {
        self.single.set.is_empty()
    }

    /// The patterns that several lines with fields decide.
    pub(super) fn sequences(&self) -> &Group {
        &self.sequences
    }

    /// Places in a block whose lines may be part of a pattern.
    pub(super) fn suspects(&self, block: &[u8], places: &mut Vec<u32>) {
        if let Some(letters) = &self.letters {
            places.extend(letters.find_iter(block).map(|found| found.start() as u32));
            // Any letter can be written by its number.
            places.extend(memchr::memmem::find_iter(block, b"\\u").map(|at| at as u32));
        }
    }

    /// The patterns that a line satisfies.
    pub(super) fn satisfied(&self, observation: ObservedData) -> impl Iterator<Item = Owner> {
        let outcomes = self.single.set.evaluate(&[observation]);
        let matched = outcomes.into_iter().filter(|(_, outcome)| matches!(outcome, Outcome::Match(_)));
        matched.filter_map(|(pattern, _)| self.single.owners.get(pattern as usize).copied())
    }
}

impl Owner {
    /// Of one of the patterns that plain text can satisfy too.
    pub(super) fn of_entry(rules: &RuleSet, entry: EntryId) -> Option<Self> {
        let number = rules.compounds().iter().position(|compound| compound.entry == entry)?;
        Some(Self { entry, from: From::Compound(number as u32) })
    }

    /// The field by which an event satisfies the pattern: the first that one of its tests accepts, in the order of the
    /// pattern. A pattern that only says what is not there is shown at the first field.
    pub(super) fn seen(self, rules: &RuleSet, fields: &[Field<'_>]) -> Option<Seen> {
        let program = match self.from {
            From::Compound(number) => rules.program(rules.compounds().get(number as usize)?).ok()?,
            From::Text(number) => rules.program_of(&rules.texts().get(number as usize)?.1)?,
        };
        first_seen(&program, fields)
    }
}

fn first_seen(program: &Program, fields: &[Field<'_>]) -> Option<Seen> {
    let tests = || program.comparisons.iter().flat_map(|comparison| comparison.tests.iter());
    let alone = |field| assemble::observation(std::slice::from_ref(field), None, objects_of_open(field));
    let alone: Vec<ObservedData> = fields.iter().map(alone).collect();
    for test in tests().filter(|test| !test.negated).chain(tests().filter(|test| test.negated)) {
        for (number, observation) in alone.iter().enumerate().filter(|(_, alone)| !alone.objects.is_empty()) {
            let Some(value) = value_that_satisfies(test, observation) else { continue };
            let field = &fields[number];
            let free = is_free_text(&test.path) && matches!(test.compare, Compare::Like { .. } | Compare::Matches(_));
            let (object_type, value) = match normal(field) {
                Some((object_type, normal)) => (object_type, normal),
                None => (untyped(&test.path), value),
            };
            let relation = if free { Relation::Text } else { Relation::Exact };
            return Some(Seen { field: number, span: narrow(field, &value), object_type, value, relation });
        }
    }
    if let Some(seen) = tests().filter(|test| !test.negated).find_map(|test| seen_within(test, fields)) {
        return Some(seen);
    }
    let number = fields.iter().position(|field| matches!(field.meaning, Meaning::Property { .. })).unwrap_or(0);
    let field = fields.get(number)?;
    let lossy = || String::from_utf8_lossy(&field.text).into_owned();
    let (object_type, value) = normal(field).unwrap_or_else(|| ("observed-data", lossy()));
    Some(Seen { field: number, span: field.span.clone(), object_type, value, relation: Relation::Exact })
}

/// The value within a longer one that a test accepts: in a text, or as the host of a URL or mail address.
fn seen_within(test: &Test, fields: &[Field<'_>]) -> Option<Seen> {
    fields.iter().enumerate().filter(|(_, field)| !field.assembled).find_map(|(number, field)| {
        text::tokens(&field.text, text::Options::default()).into_iter().find_map(|token| {
            let relation = match token.place {
                _ if field.meaning == Meaning::Text => Relation::Text,
                Place::HostOfUrl => Relation::HostOfUrl,
                Place::HostOfEmail => Relation::HostOfEmail,
                Place::Whole if field.meaning == Meaning::Open => Relation::Text,
                Place::Whole => return None,
            };
            let mut objects = Vec::new();
            plain::objects_without_ends(&token.value, 0, &mut objects);
            value_that_satisfies(test, &ObservedData::new("", None, 1, objects))?;
            let object_type = token.value.kind().object_type();
            Some(Seen {
                field: number,
                span: field.place(token.span),
                object_type,
                value: token.value.to_string(),
                relation,
            })
        })
    })
}

/// The type and normal form of the value of a field that has a kind.
fn normal(field: &Field<'_>) -> Option<(&'static str, String)> {
    let path = match field.meaning {
        Meaning::Property { path, .. } => path,
        Meaning::Open => {
            let value = observable::classify(std::str::from_utf8(&field.text).ok()?).ok()?;
            return Some((value.kind().object_type(), value.to_string()));
        }
        Meaning::Text => return None,
    };
    let of_path = observable::of_path(path)?;
    let value = of_path.normalise(&String::from_utf8_lossy(&field.text)).ok()?;
    Some((of_path.object_type(&value), value.to_string()))
}

/// The place of a value that is the end of a field, as a file's name is of its path; the field if it is not.
fn narrow(field: &Field<'_>, value: &str) -> Range<usize> {
    if field.text.len() > value.len() && field.text.ends_with(value.as_bytes()) {
        field.place(field.text.len() - value.len()..field.text.len())
    } else {
        field.span.clone()
    }
}

/// The object types of the standard that a hit can name.
const TYPES: &[&str] = &[
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

/// The object type that a hit on a value without a kind names.
fn untyped(path: &Path) -> &'static str {
    if path.steps.iter().any(|step| matches!(step, Step::Key { name, .. } if &**name == "parent_directory_ref")) {
        return "directory";
    }
    TYPES.iter().find(|name| ***name == *path.object_type).copied().unwrap_or("observed-data")
}

/// Whether what stands at a path is written for people or by anybody, so that something within it is found in text.
fn is_free_text(path: &Path) -> bool {
    path.steps.last().is_some_and(|step| {
        matches!(step, Step::Key { name, .. } if ["command_line", "User-Agent", "subject", "body", "data"].contains(&&**name))
    })
}
