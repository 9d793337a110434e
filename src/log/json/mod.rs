//! Lines of JSON: the walk over their values, and the families of logs that are told by their keys. One file for each
//! family.

mod azure;
mod cloudtrail;
mod ecs;
mod eve;
mod family;
mod gcp;
mod guardduty;
mod journald;
mod ocsf;
mod resolver;
mod walk;
mod windows;
mod zeek;

use super::event::Event;
use super::layout::Layout;
pub(super) use family::Family;
use family::Line;
use std::ops::Range;
pub(super) use walk::{is_ragged, looks_like_json, sniff};

/// Every family, in the order in which a line is asked whether it is of one.
pub(super) static FAMILIES: &[&Family] = &[
    &eve::FAMILY,
    &ocsf::FAMILY,
    &cloudtrail::FAMILY,
    &guardduty::FAMILY,
    &resolver::FAMILY,
    &gcp::FAMILY,
    &azure::FAMILY,
    &journald::FAMILY,
    &zeek::FAMILY,
    &ecs::FAMILY,
    &windows::FAMILY,
];

/// Takes a line of JSON apart, as the family that was chosen, or the one that it is of.
pub(super) fn decode<'l>(layout: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let chosen = layout.chosen.then_some(layout.format.name);
    decode_part(event, 0..event.line.len(), chosen)
}

/// Takes a part of a line apart that is an object of JSON, behind the header of syslog for one.
pub(super) fn decode_part(event: &mut Event<'_>, part: Range<usize>, chosen: Option<&str>) -> Result<(), &'static str> {
    let leaves = walk::leaves(event.line, part)?;
    let text = event.line;
    for (number, (prefix, record)) in walk::records(&leaves).into_iter().enumerate() {
        if number > 0 {
            event.begin_record();
        }
        let line = Line { text, leaves: record, prefix };
        let named = chosen.and_then(|name| FAMILIES.iter().find(|family| family.format.name == name));
        let family = named.or_else(|| FAMILIES.iter().find(|family| (family.is)(&line)));
        family::push_all(family.copied(), &line, event);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observable;
    use std::collections::BTreeSet;

    #[test]
    fn no_family_is_missing_from_the_table() {
        let table = include_str!("mod.rs")
            .split_once("static FAMILIES")
            .expect("a table")
            .1
            .split_once(';')
            .expect("its end")
            .0;
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/log/json")).expect("a folder") {
            let name = entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned();
            let other = ["mod", "family", "walk"].contains(&&*name);
            assert!(other || table.contains(&format!("&{name}::")), "{name} is not in the table");
        }
    }

    #[test]
    fn tables_name_paths_that_there_are() {
        for family in FAMILIES {
            let mut seen = BTreeSet::new();
            for (name, path, _) in family.fields {
                assert!(seen.insert(name), "{}: {name} twice", family.format.name);
                let bare = path.trim_end_matches(['?', '*', ';']).trim_end_matches('.');
                let known = path.is_empty()
                    || path.starts_with("autonomous-system:")
                    || observable::of_path(bare).is_some()
                    || observable::literal_path(bare).is_some()
                    || KINDLESS.contains(&bare.rsplit(['.', ':']).next().expect("a last key"));
                assert!(known, "{}: {name} means {path}", family.format.name);
            }
        }
    }

    /// Properties of objects without a kind that patterns may ask for.
    const KINDLESS: &[&str] = &[
        "src_port",
        "dst_port",
        "protocols[*]",
        "src_byte_count",
        "dst_byte_count",
        "src_packets",
        "dst_packets",
        "pid",
        "command_line",
        "cwd",
        "path",
        "name",
        "size",
        "message_id",
        "issuer",
        "subject",
        "account_login",
        "user_id",
        "display_name",
        "key",
        "hashes",
        "serial_number",
        "SSDEEP",
        "TLSH",
        "User-Agent",
        "mime_type",
        "method",
        "request_method",
        "body",
    ];
}
