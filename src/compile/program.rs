//! A pattern made ready to run: paths split, literals decoded, `LIKE` and `MATCHES` operands compiled.
//!
//! A [`Program`] has two storeys, as the language has. Below, each pair of brackets is a [`Comparison`]: tests on
//! one object, joined by AND and OR, in postfix order so that long chains do not recurse. Above stands a
//! [`Sequence`]: which observations are needed, in which order and within which time.

use super::like::Like;
use super::literal::{Constants, Moment, Number, Operand, Range, decode_octets};
use super::prefix::Prefix;
use super::regex::Regex;
use super::repair::{Repair, Repairs, disregards_case, fold};
use crate::observable::Field;
use crate::pattern::Reading;
use crate::pattern::ast::{self, Ast, LiteralKind, Node, Op, Span};
use crate::stix::Timestamp;
use std::fmt;

/// A pattern made ready to run.
#[derive(Clone, Debug)]
pub struct Program {
    /// Each pair of brackets.
    pub comparisons: Box<[Comparison]>,
    /// Which observations are needed; leaves are numbers of comparisons.
    pub sequence: Sequence,
    /// What the pragmatic reading changed.
    pub repairs: Box<[Repair]>,
}

/// One pair of brackets: what one object has to satisfy.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The tests in the order of the text.
    pub tests: Box<[Test]>,
    /// How they are joined, in postfix order.
    pub logic: Box<[Logic]>,
}

/// A step in working out a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// Works out the test with this number.
    Test(u32),
    /// All of the last n.
    And(u32),
    /// Any of the last n.
    Or(u32),
}

/// A path and what its value is compared with.
#[derive(Clone, Debug)]
pub struct Test {
    /// Where the value stands.
    pub path: Path,
    /// Whether the result of the comparison is turned round (`NOT`, `!=`).
    pub negated: bool,
    /// The comparison.
    pub compare: Compare,
}

/// An object path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The type of the object that it begins at.
    pub object_type: Box<str>,
    /// The way from there.
    pub steps: Box<[Step]>,
    /// How values of the property are written, if they are octets.
    pub octets: Option<Octets>,
    /// The observable that stands there, in the pragmatic reading: its values compare by their normal form.
    pub field: Option<Field>,
}

/// A step of an object path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A property or dictionary key.
    Key {
        /// Its name.
        name: Box<str>,
        /// The value before it is a reference, and the key one of the object referred to.
        hop: bool,
    },
    /// The key of a hash, however its name is spelled.
    Hash(Box<str>),
    /// An element of a list.
    Index(usize),
    /// Any element of a list.
    Any,
    /// The path of a file: that of its parent directory, and its name.
    FilePath,
}

/// How octets are written in JSON (STIX 2.1 sections 2.1 and 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Octets {
    /// `_bin`: base64.
    Base64,
    /// `_hex`: hexadecimal digits.
    Hex,
}

/// A comparison.
#[derive(Clone, Debug)]
pub enum Compare {
    /// `EXISTS`
    Exists,
    /// `=` and `IN`: equal to any of these.
    Equal(Constants),
    /// `<`, `<=`, `>`, `>=`
    Order(Range, Operand),
    /// `LIKE`
    Like {
        /// The operand.
        like: Like,
        /// It is in lower case, and the value is to be.
        any_case: bool,
    },
    /// `MATCHES`
    Matches(Regex),
    /// `ISSUBSET`; nothing is inside what is no address.
    Subset(Option<Prefix>),
    /// `ISSUPERSET`
    Superset(Option<Prefix>),
}

/// Which observations a pattern needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// One that satisfies the comparison with this number.
    Observe(u32),
    /// `AND`: all of these, each by observations of its own.
    All(Box<[Sequence]>),
    /// `OR`: any of these.
    Any(Box<[Sequence]>),
    /// `FOLLOWEDBY`: all of these, each no earlier than all before it.
    Followed(Box<[Sequence]>),
    /// `REPEATS`: so many times, each by observations of its own.
    Repeats(u64, Box<Sequence>),
    /// `WITHIN`: the time from the earliest to the latest is below so many nanoseconds.
    Within(u128, Box<Sequence>),
    /// `START STOP`: all of it from the first instant on and before the second.
    Between(Timestamp, Timestamp, Box<Sequence>),
}

impl Sequence {
    /// Whether observations without a time cannot satisfy all of it: `FOLLOWEDBY`, `WITHIN`, `START STOP`.
    pub fn asks_for_times(&self) -> bool {
        match self {
            Self::Observe(_) => false,
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_for_times),
            Self::Repeats(_, part) => part.asks_for_times(),
            Self::Followed(_) | Self::Within(..) | Self::Between(..) => true,
        }
    }
}

/// Why a pattern that parses cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramError {
    /// Where it stands in the text.
    pub span: Span,
    reason: String,
}

/// Observation expressions may be nested so deep; chains of one operator count once.
pub const MAX_NESTING: usize = 64;

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ProgramError {}

impl Program {
    /// Makes a pattern ready to run.
    ///
    /// # Errors
    /// A regular expression is broken or not supported, a literal is none of its kind, or observation expressions are
    /// nested beyond [`MAX_NESTING`].
    pub fn new(ast: &Ast<'_>, reading: Reading) -> Result<Self, ProgramError> {
        let mut builder = Builder { ast, reading, repairs: Repairs::default(), comparisons: Vec::new() };
        let sequence = builder.build()?;
        Ok(Self { comparisons: builder.comparisons.into(), sequence, repairs: builder.repairs.into_list() })
    }
}

/// What the pragmatic reading would change in the meaning of a pattern, without making it ready to run.
pub fn repairs(ast: &Ast<'_>) -> Box<[Repair]> {
    let (reading, comparisons) = (Reading::Pragmatic, Vec::new());
    let mut builder = Builder { ast, reading, repairs: Repairs::default(), comparisons };
    for node in ast.nodes {
        match node {
            Node::Test(test) => {
                let mut path = builder.path(test.path);
                let mut operands: Vec<Operand> =
                    ast.test_literals(test).iter().filter_map(|literal| builder.operand(literal).ok()).collect();
                builder.repairs.apply(&mut path, test, &mut operands);
            }
            Node::Observation => builder.repairs.end_comparison(),
            _ => {}
        }
    }
    builder.repairs.into_list()
}

struct Builder<'a, 'p> {
    ast: &'a Ast<'p>,
    reading: Reading,
    repairs: Repairs,
    comparisons: Vec<Comparison>,
}

impl Builder<'_, '_> {
    fn build(&mut self) -> Result<Sequence, ProgramError> {
        let (mut tests, mut logic) = (Vec::new(), Vec::new());
        let mut stack: Vec<(Sequence, usize)> = Vec::new();
        for node in self.ast.nodes {
            match *node {
                Node::Test(test) => self.test(&test, &mut tests, &mut logic)?,
                Node::And(n) => logic.push(Logic::And(n)),
                Node::Or(n) => logic.push(Logic::Or(n)),
                Node::Observation => {
                    self.repairs.end_comparison();
                    let comparison = Comparison {
                        tests: std::mem::take(&mut tests).into(),
                        logic: std::mem::take(&mut logic).into(),
                    };
                    stack.push((Sequence::Observe(self.comparisons.len() as u32), 1));
                    self.comparisons.push(comparison);
                }
                Node::AllObserved(n) => self.join(&mut stack, n, Sequence::All)?,
                Node::AnyObserved(n) => self.join(&mut stack, n, Sequence::Any)?,
                Node::FollowedBy(n) => self.join(&mut stack, n, Sequence::Followed)?,
                Node::Qualified(qualifier) => {
                    let Some((inner, depth)) = stack.pop() else { return Err(self.broken()) };
                    stack.push((self.qualified(qualifier, inner)?, self.deeper(depth)?));
                }
            }
        }
        match (stack.pop(), stack.is_empty()) {
            (Some((sequence, _)), true) => Ok(sequence),
            _ => Err(self.broken()),
        }
    }

    fn join(
        &self,
        stack: &mut Vec<(Sequence, usize)>,
        n: u32,
        make: fn(Box<[Sequence]>) -> Sequence,
    ) -> Result<(), ProgramError> {
        let Some(first) = stack.len().checked_sub(n as usize) else { return Err(self.broken()) };
        let members = stack.split_off(first);
        let depth = members.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
        let members = members.into_iter().map(|(member, _)| member).collect();
        stack.push((make(members), self.deeper(depth)?));
        Ok(())
    }

    fn deeper(&self, depth: usize) -> Result<usize, ProgramError> {
        if depth >= MAX_NESTING {
            let all = Span { start: 0, end: self.ast.text.len() as u32 };
            return Err(error(all, format!("observation expressions are nested deeper than {MAX_NESTING}")));
        }
        Ok(depth + 1)
    }

    fn broken(&self) -> ProgramError {
        error(Span { start: 0, end: self.ast.text.len() as u32 }, "the syntax tree is broken")
    }

    fn qualified(&self, qualifier: ast::Qualifier, inner: Sequence) -> Result<Sequence, ProgramError> {
        let inner = Box::new(inner);
        Ok(match qualifier {
            ast::Qualifier::Repeats { times } => Sequence::Repeats(times, inner),
            ast::Qualifier::Within { seconds } => {
                let literal = self.literal(seconds)?;
                Sequence::Within(nanoseconds(self.ast.slice(literal.span)), inner)
            }
            ast::Qualifier::StartStop { start, stop } => {
                Sequence::Between(self.time(self.literal(start)?)?, self.time(self.literal(stop)?)?, inner)
            }
        })
    }

    fn literal(&self, index: u32) -> Result<ast::Literal, ProgramError> {
        self.ast.literals.get(index as usize).copied().ok_or_else(|| self.broken())
    }

    fn time(&self, literal: ast::Literal) -> Result<Timestamp, ProgramError> {
        Timestamp::parse(&self.ast.string(&literal)).map_err(|reason| error(literal.span, reason.to_string()))
    }

    /// Adds a test; the pragmatic reading may make several of it.
    fn test(&mut self, test: &ast::Test, tests: &mut Vec<Test>, logic: &mut Vec<Logic>) -> Result<(), ProgramError> {
        let mut path = self.path(test.path);
        let literals = self.ast.test_literals(test);
        let mut operands = Vec::with_capacity(literals.len());
        for literal in literals {
            operands.push(self.operand(literal)?);
        }
        let mut others = Vec::new();
        if self.reading == Reading::Pragmatic {
            others = self.repairs.apply(&mut path, test, &mut operands);
        }
        let compare = match (test.op, operands.first()) {
            (Op::Exists, _) => Compare::Exists,
            (Op::Eq | Op::Ne | Op::In, _) => Compare::Equal(Constants::new(operands, path.field)),
            (_, None) => return Err(error(test.span, "the operator has nothing to compare with")),
            (Op::Lt, Some(_)) => Compare::Order(Range::Less, operands.swap_remove(0)),
            (Op::Le, Some(_)) => Compare::Order(Range::LessOrEqual, operands.swap_remove(0)),
            (Op::Gt, Some(_)) => Compare::Order(Range::Greater, operands.swap_remove(0)),
            (Op::Ge, Some(_)) => Compare::Order(Range::GreaterOrEqual, operands.swap_remove(0)),
            (Op::Like, Some(operand)) => Compare::Like {
                like: Like::new(&fold(path.field, operand.as_text())),
                any_case: disregards_case(path.field),
            },
            (Op::Matches, Some(operand)) => {
                let regex = if path.octets.is_some() {
                    Regex::for_octets(operand.as_text())
                } else {
                    Regex::new(operand.as_text())
                };
                let span = literals.first().map_or(test.span, |literal| literal.span);
                Compare::Matches(regex.map_err(|reason| error(span, reason))?)
            }
            (Op::IsSubset, Some(operand)) => Compare::Subset(Prefix::parse(operand.as_text())),
            (Op::IsSuperset, Some(operand)) => Compare::Superset(Prefix::parse(operand.as_text())),
        };
        let negated = test.negated != (test.op == Op::Ne);
        let alternatives = others.len() as u32 + 1;
        for path in std::iter::once(path).chain(others) {
            logic.push(Logic::Test(tests.len() as u32));
            tests.push(Test { path, negated, compare: compare.clone() });
        }
        if alternatives > 1 {
            logic.push(Logic::Or(alternatives));
        }
        Ok(())
    }

    fn path(&mut self, path: ast::Path) -> Path {
        let (mut steps, mut octets, mut hop) = (Vec::new(), None, false);
        let mut list_of_references = false;
        for step in self.ast.path_steps(path) {
            match *step {
                ast::Step::Key { span, escaped } => {
                    let name = self.ast.key(span, escaped);
                    octets = match () {
                        () if name.ends_with("_bin") => Some(Octets::Base64),
                        () if name.ends_with("_hex") => Some(Octets::Hex),
                        () => None,
                    };
                    let next_hop = name.ends_with("_ref");
                    list_of_references = name.ends_with("_refs");
                    steps.push(Step::Key { name: name.into(), hop });
                    hop = next_hop;
                }
                ast::Step::Index(index) => {
                    // A negative index is beyond every list.
                    steps.push(Step::Index(usize::try_from(index).unwrap_or(usize::MAX)));
                    hop = std::mem::take(&mut list_of_references);
                }
                ast::Step::Any => {
                    steps.push(Step::Any);
                    hop = std::mem::take(&mut list_of_references);
                }
            }
        }
        let object_type = self.ast.object_type(path).into();
        Path { object_type, steps: steps.into(), octets, field: None }
    }

    fn operand(&self, literal: &ast::Literal) -> Result<Operand, ProgramError> {
        let text = self.ast.slice(literal.span);
        let wrong = |what: &str| error(literal.span, format!("{what} is expected here"));
        Ok(match literal.kind {
            LiteralKind::String => Operand::text(&self.ast.string(literal)),
            LiteralKind::Integer | LiteralKind::Float => {
                Operand::Number(Number::parse(text).ok_or_else(|| wrong("a number"))?)
            }
            LiteralKind::Boolean => Operand::Boolean(text == "true"),
            LiteralKind::Hex => {
                Operand::Octets(decode_octets(text, Octets::Hex).ok_or_else(|| wrong("a hex literal"))?.into())
            }
            LiteralKind::Binary => {
                let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                Operand::Octets(decode_octets(&text, Octets::Base64).ok_or_else(|| wrong("base64"))?.into())
            }
            LiteralKind::Timestamp => Operand::Time(Moment::parse(text).ok_or_else(|| wrong("a timestamp"))?),
        })
    }
}

fn error(span: Span, reason: impl Into<String>) -> ProgramError {
    ProgramError { span, reason: reason.into() }
}

/// Seconds as written, in nanoseconds and rounded up: times differ by whole nanoseconds, so `difference < x` means
/// the same for both.
fn nanoseconds(seconds: &str) -> u128 {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    if whole.starts_with('-') {
        return 0;
    }
    let digits = whole.trim_start_matches('+');
    let whole = if digits.is_empty() { 0 } else { digits.parse::<u128>().unwrap_or(u128::MAX) };
    let (kept, dropped) = fraction.as_bytes().split_at(fraction.len().min(9));
    let nanos =
        (0..9).fold(0, |sum, place| sum * 10 + u128::from(kept.get(place).map_or(0, |digit| digit.wrapping_sub(b'0'))));
    let rest = u128::from(dropped.iter().any(|digit| *digit != b'0'));
    whole.saturating_mul(1_000_000_000).saturating_add(nanos + rest)
}
