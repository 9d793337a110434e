//! Stockade checks logs against STIX threat intelligence.

pub mod blocklist;
pub mod compile;
pub mod log;
pub mod matcher;
pub mod observable;
pub mod pattern;
pub mod source;
pub mod stix;
