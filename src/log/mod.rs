//! What a log line says besides its values.

mod time;

pub use time::Clock;
