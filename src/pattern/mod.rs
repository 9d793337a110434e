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
