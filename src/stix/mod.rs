//! STIX objects, as far as indicators and observed data need them.

pub mod indicator;
pub(crate) mod json;
pub(crate) mod learned;
pub mod marking;
pub(crate) mod object;
pub mod observed;
pub mod timestamp;

pub use indicator::{Indicator, IndicatorError};
pub use marking::{Tlp, UnknownTlp};
pub use observed::ObservedData;
pub use timestamp::{Timestamp, TimestampError};
