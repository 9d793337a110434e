//! The columns of feeds that many use: a table whose header is theirs needs no mapping.

use super::Window;
use super::table::{self, Column, Columns};

/// A feed that is known.
struct Preset {
    name: &'static str,
    /// Columns that together are its own.
    signature: &'static [&'static str],
    columns: fn() -> Columns,
}

const PRESETS: &[Preset] = &[
    Preset { name: "urlhaus", signature: &["url", "url_status", "urlhaus_link"], columns: urlhaus },
    Preset { name: "feodo", signature: &["dst_ip", "c2_status", "malware"], columns: feodo },
    Preset { name: "threatfox", signature: &["ioc_value", "ioc_type", "threat_type"], columns: threatfox },
];

/// The columns of a preset by its name.
pub(super) fn named(name: &str) -> Option<Columns> {
    PRESETS.iter().find(|preset| preset.name == name).map(|preset| (preset.columns)())
}

/// The names of all presets.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// The columns of the preset whose header this is.
pub(super) fn of_header(window: &Window<'_>) -> Option<Columns> {
    let names = table::header_names(window.rest());
    let has = |wanted: &&str| names.iter().any(|name| name == wanted);
    PRESETS.iter().find(|preset| preset.signature.iter().all(has)).map(|preset| (preset.columns)())
}

fn column(name: &str) -> Column {
    Column::Name(name.to_owned())
}

fn several(names: &[&str]) -> Vec<Column> {
    names.iter().copied().map(column).collect()
}

/// `id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter`
fn urlhaus() -> Columns {
    Columns {
        value: Some(column("url")),
        id: Some(column("id")),
        created: Some(column("dateadded")),
        modified: Some(column("last_online")),
        labels: several(&["threat", "url_status", "tags"]),
        reference: Some(column("urlhaus_link")),
        lenient: true,
        ..Columns::default()
    }
}

/// `first_seen_utc,dst_ip,dst_port,c2_status,last_online,malware`
fn feodo() -> Columns {
    Columns {
        value: Some(column("dst_ip")),
        name: Some(column("malware")),
        created: Some(column("first_seen_utc")),
        modified: Some(column("last_online")),
        labels: several(&["malware", "c2_status"]),
        lenient: true,
        ..Columns::default()
    }
}

/// `first_seen_utc,ioc_id,ioc_value,ioc_type,threat_type,fk_malware,malware_alias,malware_printable,last_seen_utc,
/// confidence_level,reference,tags,anonymous,reporter`
fn threatfox() -> Columns {
    Columns {
        value: Some(column("ioc_value")),
        kind: Some(column("ioc_type")),
        id: Some(column("ioc_id")),
        name: Some(column("malware_printable")),
        created: Some(column("first_seen_utc")),
        modified: Some(column("last_seen_utc")),
        confidence: Some(column("confidence_level")),
        labels: several(&["threat_type", "malware_printable", "tags"]),
        reference: Some(column("reference")),
        lenient: true,
        ..Columns::default()
    }
}
