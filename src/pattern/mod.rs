//! The STIX pattern language: text to syntax tree and back (STIX 2.1 section 9).
//!
//! [`Pattern`] owns its text and tree; [`Parser`] keeps its buffers from one pattern to the next, for those who read
//! millions. Both give an [`Ast`], and an [`Error`] that knows its place when the text is no pattern.
//!
//! ```
//! use stockade::pattern::{Pattern, Reading};
//!
//! let pattern = Pattern::parse("[domain-name:value='evil.example' and domain-name:x_seen = 1]", Reading::Pragmatic)?;
//! assert_eq!(pattern.to_string(), "[domain-name:value = 'evil.example' AND domain-name:x_seen = 1]");
//! assert_eq!(pattern.repairs()[0].to_string(), "keyword in other than upper case read as `AND`");
//!
//! let error = Pattern::parse("[domain-name:value = evil.example]", Reading::Strict).unwrap_err();
//! assert_eq!((error.span().start, error.span().end), (21, 25));
//! # Ok::<(), stockade::pattern::Error>(())
//! ```
//!
//! # What is accepted
//!
//! The grammar of the standard and of its reference parser. Where these leave a choice or differ:
//!
//! - White space is the Unicode property; `/* */` and `//` comments stand wherever white space may, in paths too.
//! - Numbers are kept as text: integers of any length, no exponent, no leading zeros, no dot at the end.
//! - `b'..'` is base64 with padding, and may hold line ends or nothing; timestamps name days of the calendar, and the
//!   second may be 60.
//! - The values of `IN` are of one type, to which integers and floats are two; `IN ()` is legal. Booleans have no order.
//! - `AND` in brackets must be possible for one object type: `(a:x = 1 OR b:y = 2) AND a:z = 3` is, and
//!   `a:x = 1 AND b:y = 2` is an error.
//! - An expression has one qualifier of each kind, and so has one in parentheses; `REPEATS` takes at least 1, `WITHIN`
//!   more than 0, and `START` is before `STOP`. Plain strings behind these, as of STIX 2.0, are read as timestamps.
//! - Texts are limited to [`MAX_BYTES`], open parentheses to [`MAX_NESTING`]; chains and lists to neither. Nothing here
//!   recurses.

pub mod ast;
mod caret;
mod error;
mod grammar;
mod parser;
mod print;
mod repair;
pub mod simple;

pub use ast::{Ast, Span};
pub use caret::excerpt;
pub use error::Error;
pub use parser::{Parser, Pattern};
pub use repair::{Repair, RepairKind};

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Reading {
    /// The standard to the letter.
    Strict,
    /// The standard, and the repairs of [`RepairKind`], each of them recorded.
    #[default]
    Pragmatic,
}

/// The longest text that is read as a pattern, in bytes. It bounds the memory that a stranger's pattern can take, and
/// leaves room for lists of several hundred thousand values.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How many parentheses and brackets may be open at one place. Real patterns open fewer than ten.
pub const MAX_NESTING: usize = 256;
