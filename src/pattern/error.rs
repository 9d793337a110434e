//! Why a text is no pattern, and where.

use super::{MAX_BYTES, MAX_NESTING, Span};
use std::fmt;

/// Why a text is no pattern.
///
/// `Display` gives one line: what is wrong and, where that helps, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    what: What,
    span: Span,
    /// Pieces of the text that the message quotes.
    found: Box<str>,
    other: Box<str>,
}

impl Error {
    /// Where in the text, in bytes; it always lies on the borders of characters. Empty at the end of the text.
    pub fn span(&self) -> Span {
        self.span
    }

    pub(super) fn new(fault: Fault, text: &str) -> Self {
        let [mut start, mut end] = [fault.start, fault.end].map(|remains| text.len().saturating_sub(remains));
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        end = end.max(start);
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let span = Span { start: start as u32, end: end as u32 };
        Self { what: fault.what, span, found: text[start..end].into(), other: "".into() }
    }

    pub(super) fn too_long(bytes: usize) -> Self {
        Self { what: What::TooLong(bytes), span: Span::default(), found: "".into(), other: "".into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Expected(expected) => write!(f, "expected {expected}, found `{}`", self.found),
            What::Nesting => write!(f, "more than {MAX_NESTING} parentheses are open"),
            What::TooLong(bytes) => write!(f, "{bytes} bytes are too long for a pattern; the limit is {MAX_BYTES}"),
            What::AcrossTypes { .. } => f.write_str("AND of tests on different object types can never be true"),
            what => write!(f, "{what:?} {}", self.other),
        }
    }
}

impl std::error::Error for Error {}

/// A failure inside the grammar, before the text is known to it. Places are counted in what remains of the text, the
/// one thing that every parser knows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fault {
    what: What,
    start: usize,
    end: usize,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Something else should stand here.
    Expected(&'static str),
    OpenComment,
    OpenString,
    OpenParenthesis,
    OpenBracket,
    NotOpen,
    Quotes,
    Escape,
    LeadingZero,
    TrailingDot,
    Exponent,
    TooLarge,
    HexDigit,
    OddHex,
    Base64Digit,
    Base64Length,
    TimestampShape,
    TimestampRange,
    KeywordAsKey,
    KeywordAsType,
    HyphenInKey,
    NegativeIndex,
    OrderedBoolean,
    MixedList,
    NotBeforeTest,
    AcrossTypes {
        left: Span,
        right: Span,
    },
    RepeatedQualifier,
    Within,
    Repeats,
    StartNotBeforeStop,
    NoBrackets,
    Nesting,
    TooLong(usize),
}

impl Default for What {
    fn default() -> Self {
        Self::Expected("")
    }
}

impl Fault {
    /// A failure that ends a parse, from one input to a later one.
    #[cold]
    pub(super) fn new(what: What, from: &[u8], to: &[u8]) -> nom::Err<Self> {
        nom::Err::Error(Self { what, start: from.len(), end: to.len() })
    }

    /// Something else should stand where `input` begins.
    #[cold]
    pub(super) fn expected(what: &'static str, input: &[u8]) -> nom::Err<Self> {
        Self::new(What::Expected(what), input, input)
    }

    /// Names what was expected for a failure that says nothing more special.
    #[cold]
    pub(super) fn or_expected(mut self, expected: &'static str) -> Self {
        if let What::Expected(what) = &mut self.what {
            *what = expected;
        }
        self
    }

    /// A failure in a part of the text that `behind` bytes follow.
    #[cold]
    pub(super) fn within(mut self, behind: usize) -> Self {
        self.start += behind;
        self.end += behind;
        self
    }
}

impl<'i> nom::error::ParseError<&'i [u8]> for Fault {
    fn from_error_kind(input: &'i [u8], _: nom::error::ErrorKind) -> Self {
        Self { what: What::default(), start: input.len(), end: input.len() }
    }

    fn append(_: &'i [u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}
