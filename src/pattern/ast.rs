//! The syntax tree of a pattern, as flat lists over the text it was read from.
//!
//! Nodes stand in postfix order: an operator comes after its operands and says how many they are. So a chain of a
//! thousand ORs is one node after a thousand others, nothing recurses, and reading a pattern allocates nothing once
//! the lists of a [`super::Parser`] have grown. Operators are n-ary: `a OR b OR c` is `a b c Or(3)`, which means
//! the same as the left-associative reading of the standard (STIX 2.1 section 9.5 and 9.6).

use super::repair::Repair;
use std::borrow::Cow;
use std::fmt;

/// A range of bytes in the text of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// One node of the tree, in postfix order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// A comparison inside brackets, `path op literal` or `EXISTS path`.
    Test(Test),
    /// All of the last n comparison expressions.
    And(u32),
    /// Any of the last n comparison expressions.
    Or(u32),
    /// `[ ... ]`: one observation must satisfy the comparison expression before this node.
    Observation,
    /// `AND` of the last n observation expressions: different observations satisfy them.
    AllObserved(u32),
    /// `OR` of the last n observation expressions.
    AnyObserved(u32),
    /// `FOLLOWEDBY` of the last n observation expressions, each after all before it.
    FollowedBy(u32),
    /// A qualifier on the observation expression before this node.
    Qualified(Qualifier),
}

/// `path NOT? op literal` or `NOT? EXISTS path`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// What is compared.
    pub path: Path,
    /// Whether `NOT` stands before the operator.
    pub negated: bool,
    /// The operator.
    pub op: Op,
    /// First of the literals compared with, in [`Ast::literals`].
    pub first_literal: u32,
    /// How many literals: one, none for `EXISTS`, any number for `IN`.
    pub literals: u32,
    /// The whole test in the text.
    pub span: Span,
}

/// An object path: `type:key.key[0].key[*]` (STIX 2.1 section 9.7).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// The object type before the colon.
    pub object_type: Span,
    /// First of the steps, in [`Ast::steps`].
    pub first_step: u32,
    /// How many steps.
    pub steps: u32,
}

/// One step of an object path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// A property or dictionary key; the span leaves the quotes out.
    Key {
        /// Where it stands, without quotes.
        span: Span,
        /// Whether it holds escapes (`\'`, `\\`).
        escaped: bool,
    },
    /// `[n]`: one element of a list.
    Index(i64),
    /// `[*]`: any element of a list.
    Any,
}

/// Comparison operators (STIX 2.1 section 9.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `=` or `==`
    Eq,
    /// `!=` or `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `IN`
    In,
    /// `LIKE`
    Like,
    /// `MATCHES`
    Matches,
    /// `ISSUBSET`
    IsSubset,
    /// `ISSUPERSET`
    IsSuperset,
    /// `EXISTS`
    Exists,
}

impl Op {
    /// How it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::In => "IN",
            Self::Like => "LIKE",
            Self::Matches => "MATCHES",
            Self::IsSubset => "ISSUBSET",
            Self::IsSuperset => "ISSUPERSET",
            Self::Exists => "EXISTS",
        }
    }
}

/// A literal, by where it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Literal {
    /// Which type of literal.
    pub kind: LiteralKind,
    /// Its text, without quotes and prefix.
    pub span: Span,
    /// For strings: whether it holds escapes (`\'`, `\\`).
    pub escaped: bool,
}

/// The types of literals (STIX 2.1 section 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LiteralKind {
    /// `'text'`
    String,
    /// `42`
    Integer,
    /// `4.2`
    Float,
    /// `h'c0ffee'`
    Hex,
    /// `b'base64=='`
    Binary,
    /// `t'2026-01-01T00:00:00Z'`
    Timestamp,
    /// `true` or `false`
    Boolean,
}

/// What stands behind an observation expression (STIX 2.1 section 9.5.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Qualifier {
    /// `WITHIN x SECONDS`; the number is the literal with this index.
    Within {
        /// Index in [`Ast::literals`] of an integer or float.
        seconds: u32,
    },
    /// `REPEATS n TIMES`
    Repeats {
        /// At least one.
        times: u64,
    },
    /// `START t'..' STOP t'..'`
    StartStop {
        /// Index in [`Ast::literals`] of the inclusive beginning.
        start: u32,
        /// Index in [`Ast::literals`] of the exclusive end.
        stop: u32,
    },
}

/// A parsed pattern: nodes, steps and literals over its text.
#[derive(Clone, Copy, Debug)]
pub struct Ast<'p> {
    /// The text that spans point into.
    pub text: &'p str,
    /// The tree in postfix order; the last node is the root.
    pub nodes: &'p [Node],
    /// Steps of all paths.
    pub steps: &'p [Step],
    /// Literals of all tests and qualifiers.
    pub literals: &'p [Literal],
    /// What the pragmatic reading mended in the syntax, in the order of the text.
    pub repairs: &'p [Repair],
}

impl<'p> Ast<'p> {
    /// The text at a span.
    ///
    /// # Panics
    /// If the span is not of this tree.
    pub fn slice(&self, span: Span) -> &'p str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// The object type of a path.
    pub fn object_type(&self, path: Path) -> &'p str {
        self.slice(path.object_type)
    }

    /// The steps of a path.
    pub fn path_steps(&self, path: Path) -> &'p [Step] {
        &self.steps[path.first_step as usize..(path.first_step + path.steps) as usize]
    }

    /// The literals that a test compares with.
    pub fn test_literals(&self, test: &Test) -> &'p [Literal] {
        &self.literals[test.first_literal as usize..(test.first_literal + test.literals) as usize]
    }

    /// A key with its escapes resolved.
    pub fn key(&self, span: Span, escaped: bool) -> Cow<'p, str> {
        unescape(self.slice(span), escaped)
    }

    /// The value of a string literal with its escapes resolved; for other kinds the text as it stands.
    pub fn string(&self, literal: &Literal) -> Cow<'p, str> {
        unescape(self.slice(literal.span), literal.escaped)
    }
}

/// The canonical text: single spaces, no comments, no needless quotes or parentheses; literals as they were written.
/// Parsing it gives an equal tree.
impl fmt::Display for Ast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::print::write(self, f)
    }
}

/// Two trees are equal when they say the same, wherever in their texts the parts stand.
impl PartialEq for Ast<'_> {
    fn eq(&self, other: &Self) -> bool {
        let literal = |ast: &Self, at: u32| ast.literals.get(at as usize).map(|l| (l.kind, ast.string(l)));
        let same_test = |a: &Test, b: &Test| {
            let step = |ast: &Self, step: &Step| match *step {
                Step::Key { span, escaped } => Some(ast.key(span, escaped)),
                Step::Index(_) | Step::Any => None,
            };
            let (a_steps, b_steps) = (self.path_steps(a.path), other.path_steps(b.path));
            (a.op, a.negated, self.object_type(a.path)) == (b.op, b.negated, other.object_type(b.path))
                && a_steps.len() == b_steps.len()
                && a_steps.iter().zip(b_steps).all(|(a, b)| match (step(self, a), step(other, b)) {
                    (None, None) => a == b,
                    (a, b) => a == b,
                })
                && a.literals == b.literals
                && (0..a.literals).all(|i| literal(self, a.first_literal + i) == literal(other, b.first_literal + i))
        };
        self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(other.nodes).all(|(a, b)| match (a, b) {
                (Node::Test(a), Node::Test(b)) => same_test(a, b),
                (Node::Qualified(a), Node::Qualified(b)) => match (*a, *b) {
                    (Qualifier::Within { seconds: a }, Qualifier::Within { seconds: b }) => {
                        literal(self, a) == literal(other, b)
                    }
                    (Qualifier::StartStop { start: a, stop: c }, Qualifier::StartStop { start: b, stop: d }) => {
                        literal(self, a) == literal(other, b) && literal(self, c) == literal(other, d)
                    }
                    (a, b) => a == b,
                },
                (a, b) => a == b,
            })
    }
}

/// Takes the backslash off `\'` and `\\`, the only escapes there are (STIX 2.1 section 9.2).
fn unescape(text: &str, escaped: bool) -> Cow<'_, str> {
    if !escaped {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
