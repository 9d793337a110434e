//! From syntax trees to what a matcher looks up: atoms, and the set of all indicators.

mod atom;
mod atoms;
mod builder;
mod collect;
mod entries;
mod filter;
pub(crate) mod hash;
pub mod like;
pub mod literal;
mod lower;
pub(crate) mod packed;
mod path;
mod patterns;
mod pcre;
pub mod prefix;
mod prefixes;
pub mod program;
pub mod regex;
pub mod repair;
mod ruleset;
mod texts;
mod times;
mod withdrawn;
mod written;

pub use atom::{Address, Atom, AtomId, Holder, Meta, Text, pack};
pub use atoms::Atoms;
pub(crate) use atoms::Table;
pub use builder::{Rejected, RuleSetBuilder};
pub use collect::id_of_value;
pub use filter::{Filter, Status};
pub use lower::{Expression, Literal, Lowered, Seek, lower};
pub use path::canonical;
pub(crate) use prefixes::{Number, Prefixes};
pub use program::{Program, ProgramError};
pub use ruleset::{Compound, EntryId, IndicatorRef, RuleSet};
pub use written::written_patterns;
