//! Says which indicators take part and yet cannot be found in plain text: what is not looked for must not look like
//! what is not there.

use crate::cli::Globals;
use std::collections::BTreeMap;
use stockade::compile::EntryId;
use stockade::matcher::Matcher;

/// How many are named for each reason.
const NAMED: usize = 3;

/// Counts them by reason, and names the first few of each.
pub(super) fn say(matcher: &Matcher, globals: &Globals) {
    let mut by_reason: BTreeMap<&str, Vec<EntryId>> = BTreeMap::new();
    for (entry, reason) in matcher.unsought() {
        let entries = by_reason.entry(reason).or_default();
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }
    for (reason, entries) in by_reason {
        let mut names: Vec<String> =
            entries.iter().take(NAMED).map(|entry| matcher.rules().indicator(*entry).id()).collect();
        if entries.len() > NAMED {
            names.push("...".to_owned());
        }
        globals.warn(format_args!("{} not looked for in plain text: {reason}: {}", entries.len(), names.join(", ")));
    }
}
