//! Lines of JSON of any kind: every string and number is a field, named by its path; looks tell what it is.

use super::super::event::{Event, Meaning};
use super::super::json;
use super::{Format, Layout};

pub(in super::super) static FORMAT: Format = Format {
    name: "json",
    about: "JSON, one object a line; ECS, OCSF, Suricata, Zeek and others are told by their keys",
    sniff: json::looks_like_json,
    own_line: Some(json::looks_like_json),
    header: None,
    ragged: Some(|_, line| json::is_ragged(line)),
    decode,
};

fn decode<'l>(_: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let leaves = json::leaves(event.line)?;
    for leaf in &leaves {
        json::push(event, leaf, Meaning::Open);
    }
    Ok(())
}
