//! The two ways to parse: with buffers that are kept, and into a value that owns everything.

use super::Reading;
use super::ast::{Ast, Literal, Node, Step};
use super::error::Error;
use super::grammar::{self, Buffers};
use super::repair::Repair;
use std::fmt;

/// Parses patterns one after another, without allocating once its buffers have grown.
///
/// ```
/// use stockade::pattern::{Parser, Reading};
///
/// let mut parser = Parser::new();
/// for text in ["[url:value = 'http://evil.example/a']", "[file:name = 'x.exe' OR file:size > 1024]"] {
///     let ast = parser.parse(text, Reading::Strict)?;
///     assert!(!ast.nodes.is_empty());
/// }
/// # Ok::<(), stockade::pattern::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Parser {
    buffers: Buffers,
}

impl Parser {
    /// A parser with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one pattern. The tree lives as long as both the text and the borrow of the parser.
    ///
    /// # Errors
    /// When the text is no pattern in this reading; the error says where and why.
    pub fn parse<'p>(&'p mut self, text: &'p str, reading: Reading) -> Result<Ast<'p>, Error> {
        grammar::parse(text, reading, &mut self.buffers)?;
        let Buffers { nodes, steps, literals, repairs, .. } = &self.buffers;
        Ok(Ast { text, nodes, steps, literals, repairs })
    }
}

/// A pattern that owns its text and its tree.
///
/// Its `Display` is the canonical text: see [`Ast`].
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    text: Box<str>,
    nodes: Box<[Node]>,
    steps: Box<[Step]>,
    literals: Box<[Literal]>,
    repairs: Box<[Repair]>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When the text is no pattern in this reading; the error says where and why.
    pub fn parse(text: &str, reading: Reading) -> Result<Self, Error> {
        Parser::new().parse(text, reading).map(|ast| Self::from(&ast))
    }

    /// The tree.
    pub fn ast(&self) -> Ast<'_> {
        let Self { text, nodes, steps, literals, repairs } = self;
        Ast { text, nodes, steps, literals, repairs }
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the pragmatic reading mended, in the order of the text.
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }
}

impl From<&Ast<'_>> for Pattern {
    fn from(ast: &Ast<'_>) -> Self {
        Self {
            text: ast.text.into(),
            nodes: ast.nodes.into(),
            steps: ast.steps.into(),
            literals: ast.literals.into(),
            repairs: ast.repairs.into(),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ast().fmt(f)
    }
}
