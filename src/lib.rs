//! Stockade checks logs against STIX threat intelligence.

pub mod blocklist;
pub mod compile;
pub mod log;
pub mod matcher;
pub mod observable;
pub mod pattern;
pub mod render;
pub mod source;
pub mod stix;
#[cfg(feature = "store")]
pub mod store;

/// The examples of README.md, for `cargo test` to run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
