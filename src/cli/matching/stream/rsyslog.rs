//! The protocol of rsyslog's module mmexternal (`plugins/external/INTERFACE.md` of rsyslog): one line for each message,
//! which is its text, its text as it was received, or all of it as JSON; answered with an object whose members replace
//! properties of the message. `$!` is the tree of its variables, into which the answer's is merged.

use super::super::output::{Line, Rules, Scratch, ecs};
use std::collections::HashSet;
use stockade::matcher::Hit;

/// What the message gains.
pub(super) fn answer(line: &Line<'_>, hits: &[Hit], rules: Rules<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let hits = said_once(hits);
    out.extend_from_slice(b"{\"$!\":");
    ecs::event(&Line { text: b"{}", more: false, ..*line }, &hits, rules, scratch, out);
    out.push(b'}');
}

/// A message as JSON holds its text up to three times: as `msg`, as `rawmsg`, and in what other modules made of it. Keeps
/// the hit with the best place.
fn said_once(hits: &[Hit]) -> Vec<Hit> {
    let mut hits = hits.to_vec();
    hits.sort_by_key(|hit| matches!(hit.field.as_deref(), Some("rawmsg" | "rawmsg-after-pri")));
    let mut seen = HashSet::new();
    hits.retain(|hit| seen.insert((hit.entry, hit.value.clone())));
    hits
}
