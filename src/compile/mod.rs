//! From syntax trees to what a matcher looks up: atoms, and the set of all indicators.

mod atom;
mod entries;
mod filter;
pub mod like;
pub mod literal;
mod lower;
mod path;
mod pcre;
pub mod prefix;
pub mod program;
pub mod regex;
pub mod repair;
mod ruleset;
mod written;

pub use atom::{Address, Atom, AtomId, Atoms, Holder, Meta, Text, pack};
pub use filter::{Filter, Status};
pub use lower::{Expression, Literal, Lowered, Seek, lower};
pub use path::canonical;
pub use program::{Program, ProgramError};
pub use ruleset::{Compound, EntryId, IndicatorRef, Rejected, RuleSet, RuleSetBuilder};
pub use written::written_patterns;
