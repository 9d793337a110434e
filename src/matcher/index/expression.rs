//! `LIKE` and `MATCHES` on values: tried only on values that hold the letters an expression cannot do without.

use super::Owner;
use crate::compile::like::Like;
use crate::compile::regex::Regex;
use crate::compile::{EntryId, Expression};
use crate::observable::{self, Kind, Role, Value};
use aho_corasick::{AhoCorasick, MatchKind};

/// Finds the expressions that a value satisfies.
#[derive(Debug, Default)]
pub(crate) struct ExpressionIndex {
    expressions: Vec<Compiled>,
    /// Over the required letters of expressions, without regard to the case of ASCII letters.
    automaton: Option<AhoCorasick>,
    /// For each pattern of the automaton its expression.
    targets: Vec<usize>,
    /// Expressions that any value may satisfy.
    always: Vec<usize>,
    /// Expressions that cannot be tried, and why.
    unusable: Vec<(EntryId, &'static str)>,
}

#[derive(Debug)]
struct Compiled {
    owner: Owner,
    kinds: &'static [Kind],
    /// The end that its path names.
    role: Role,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Like(Like),
    Matches(Regex),
}

impl Test {
    fn required(&self) -> &str {
        match self {
            Self::Like(like) => like.required(),
            Self::Matches(regex) => regex.required(),
        }
    }
}

impl ExpressionIndex {
    /// Compiles expressions with their owners.
    pub(crate) fn new<'e>(expressions: impl Iterator<Item = (Owner, &'e Expression)>) -> Self {
        let mut index = Self::default();
        let mut needles = Vec::new();
        for (owner, expression) in expressions {
            if expression.kinds.is_empty() {
                index.unusable.push((owner.entry, "compares a text that only a field can tell"));
                continue;
            }
            let test = if expression.regex {
                let Ok(regex) = Regex::new(&expression.text) else {
                    index.unusable.push((owner.entry, "its regular expression is not supported"));
                    continue;
                };
                Test::Matches(regex)
            } else {
                Test::Like(Like::new(&expression.text))
            };
            let number = index.expressions.len();
            if test.required().is_empty() {
                index.always.push(number);
            } else {
                needles.push(test.required().to_owned());
                index.targets.push(number);
            }
            let role = observable::of_path(&expression.path).map_or(Role::Any, |field| field.role);
            index.expressions.push(Compiled { owner, kinds: expression.kinds, role, test });
        }
        if !needles.is_empty() {
            let builder =
                AhoCorasick::builder().match_kind(MatchKind::Standard).ascii_case_insensitive(true).build(&needles);
            match builder {
                Ok(automaton) => index.automaton = Some(automaton),
                Err(_) => index.always.append(&mut index.targets),
            }
        }
        index
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }

    /// Expressions left out, with the reason.
    pub(crate) fn unusable(&self) -> &[(EntryId, &'static str)] {
        &self.unusable
    }

    /// Whether some expression can be told apart from no text by its letters, so that every line has to be read.
    pub(crate) fn needs_every_line(&self) -> bool {
        !self.always.is_empty()
    }

    /// Places in a block where required letters stand.
    pub(crate) fn suspects(&self, block: &[u8], places: &mut Vec<u32>) {
        if let Some(automaton) = &self.automaton {
            places.extend(automaton.find_iter(block).map(|found| found.start() as u32));
        }
    }

    /// Reports who lists an expression that a value satisfies; `role` is the end that the value is, if that is known.
    pub(crate) fn lookup(&self, value: &Value, role: Option<Role>, found: &mut dyn FnMut(Owner)) {
        if self.is_empty() {
            return;
        }
        let text = value.to_string();
        let mut tried = self.always.clone();
        if let Some(automaton) = &self.automaton {
            tried.extend(automaton.find_overlapping_iter(&text).map(|m| self.targets[m.pattern().as_usize()]));
            tried.sort_unstable();
            tried.dedup();
        }
        for expression in tried.into_iter().filter_map(|number| self.expressions.get(number)) {
            let at_its_end = expression.role == Role::Any || role.is_none_or(|role| role == expression.role);
            let matches = at_its_end
                && expression.kinds.contains(&value.kind())
                && match &expression.test {
                    Test::Like(like) => like.is_match(&text),
                    Test::Matches(regex) => regex.is_match(&text).unwrap_or(false),
                };
            if matches {
                found(expression.owner);
            }
        }
    }
}
