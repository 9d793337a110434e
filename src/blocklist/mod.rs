//! From indicators to a blocklist that never blocks what it should not.

mod list;
mod order;
mod reason;

pub use list::{
    Address, Blocklist, Capabilities, Counts, Credit, Digest, Entry, Item, Name, Prefix, Refusal, Subdomains, Target,
    Text,
};
pub use order::{is_below, reversed};
pub use reason::Reason;
