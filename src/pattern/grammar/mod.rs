//! The grammar, in nom: tokens, literals, paths and tests, and the levels of operators over them.
//!
//! Every parser works on the bytes that remain, so that what remains tells the place. Tokens are ASCII, and whatever
//! else a text holds stands inside quotes, white space or comments; that is why spans always lie on the borders of
//! characters. The two levels of operators (`expression.rs`) keep a stack of their own: nothing recurses.

mod expression;
mod literal;
mod test;
mod token;

use super::ast::{Literal, Node, Span, Step};
use super::error::{Error, Fault};
use super::repair::{Repair, RepairKind};
use super::{MAX_BYTES, Reading};
use expression::Chain;
pub(super) use token::{KEY, START, WORD, class, is_keyword, is_plain_key};

/// The bytes that remain.
type Input<'i> = &'i [u8];

/// What every parser here returns.
type Parsed<'i, T> = nom::IResult<Input<'i>, T, Fault>;

/// The lists that a parse fills; they keep their memory for the next.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) nodes: Vec<Node>,
    pub(super) steps: Vec<Step>,
    pub(super) literals: Vec<Literal>,
    pub(super) repairs: Vec<Repair>,
    /// What is open around the place being read.
    chains: Vec<Chain>,
    /// The object types seen in the current brackets.
    types: Vec<Span>,
}

/// Reads a whole text into the buffers.
pub(super) fn parse(text: &str, reading: Reading, buffers: &mut Buffers) -> Result<(), Error> {
    let Buffers { nodes, steps, literals, repairs, chains, types } = buffers;
    nodes.clear();
    steps.clear();
    literals.clear();
    repairs.clear();
    chains.clear();
    types.clear();
    if text.len() > MAX_BYTES {
        return Err(Error::too_long(text.len()));
    }
    match (Grammar { text: text.as_bytes(), reading, buffers }).pattern() {
        Ok(()) => Ok(()),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(Error::new(fault, text)),
        Err(nom::Err::Incomplete(_)) => Err(Error::new(Fault::default(), text)),
    }
}

/// One parse: the text and what it is read into.
struct Grammar<'t, 'b> {
    text: &'t [u8],
    reading: Reading,
    buffers: &'b mut Buffers,
}

impl<'t> Grammar<'t, '_> {
    /// The offset at which an input begins.
    #[inline]
    fn at(&self, input: Input<'_>) -> u32 {
        (self.text.len() - input.len()) as u32
    }

    /// The span from the beginning of one input to that of a later one.
    #[inline]
    fn span(&self, from: Input<'_>, to: Input<'_>) -> Span {
        Span { start: self.at(from), end: self.at(to) }
    }

    /// The bytes at a span.
    #[inline]
    fn bytes(&self, span: Span) -> &'t [u8] {
        &self.text[span.start as usize..span.end as usize]
    }

    fn pragmatic(&self) -> bool {
        self.reading == Reading::Pragmatic
    }

    /// Records a repair, if the reading allows any.
    #[cold]
    fn repair(&mut self, kind: RepairKind, span: Span) {
        if self.pragmatic() {
            self.buffers.repairs.push(Repair { kind, span });
        }
    }
}
