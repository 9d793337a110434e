//! From syntax trees to what a matcher looks up: atoms, and the set of all indicators.

pub mod ruleset;

pub use ruleset::{EntryId, Filter, IndicatorRef, RuleSet, RuleSetBuilder, Status};
