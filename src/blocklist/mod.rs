//! From indicators to a blocklist that never blocks what it should not.
//!
//! A [`Blocklist`] is derived from a rule set in one step ([`Blocklist::build`]): exact atoms of active indicators, past
//! the guards of a [`Policy`], merged and sorted for a format that states its [`Capabilities`]. Everything that is left
//! out is kept with its [`Reason`]. No clock, no file: what comes out is a function of what goes in.

mod allowlist;
mod build;
mod cores;
mod held;
mod limit;
mod list;
mod listing;
mod names;
mod order;
mod policy;
mod ranges;
mod reason;
mod special;
mod summary;
mod texts;
mod well_known;

pub use allowlist::{ListError, read_allowlist};
pub use held::Held;
pub use list::{
    Address, Blocklist, Capabilities, Counts, Credit, Digest, Entry, Item, Name, Prefix, Refusal, Refuses, Subdomains,
    Text,
};
pub use order::{is_below, reversed};
pub use policy::{Guard, Policy, allowed};
pub use reason::Reason;

pub use crate::compile::{EntryId, IndicatorRef};
pub(crate) use cores::on_all_cores;
