//! Lines of JSON in, lines of JSON out, as programs that pipe events through others expect it.

use super::super::output::{Line, Rules, Scratch, ecs};
use stockade::matcher::Hit;

/// The event that the line is, enriched.
pub(super) fn answer(line: &Line<'_>, hits: &[Hit], rules: Rules<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    ecs::event(line, hits, rules, scratch, out);
}
