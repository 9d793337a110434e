//! Says which indicators take part and yet cannot be found in lines without fields, or in lines with fields: what is not
//! looked for must not look like what is not there.

use std::collections::BTreeMap;
use stockade::compile::EntryId;
use stockade::matcher::Matcher;

/// How many are named for each reason.
const NAMED: usize = 3;

/// What to say of them: counted by reason, the first few of each named.
pub(super) fn messages(matcher: &Matcher, unsought: Vec<(EntryId, &'static str)>, place: &str) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<EntryId>> = BTreeMap::new();
    for (entry, reason) in unsought {
        let entries = by_reason.entry(reason).or_default();
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }
    let message = |(reason, entries): (&str, Vec<EntryId>)| {
        let mut names: Vec<String> =
            entries.iter().take(NAMED).map(|entry| matcher.rules().indicator(*entry).id()).collect();
        if entries.len() > NAMED {
            names.push("...".to_owned());
        }
        format!("{} not looked for in {place}: {reason}: {}", entries.len(), names.join(", "))
    };
    by_reason.into_iter().map(message).collect()
}
