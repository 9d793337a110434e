//! STIX objects, as far as indicators and observed data need them.

pub mod indicator;
pub mod timestamp;

pub use indicator::{Indicator, Tlp};
pub use timestamp::Timestamp;
