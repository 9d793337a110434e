//! A STIX 2.1 bundle of the indicators behind the list, each with a pattern of what the list holds of it.
//!
//! Ids, versions, validity, confidence, types, labels and traffic-light markings are those of the indicators. What was read
//! from a plain list has no times; where STIX demands one, the beginning of 1970 stands for it.

use super::super::view::Any;
use super::super::{Format, Options, Out, View, rows};
use super::{ALL, BASE, Family};
use crate::blocklist::{EntryId, IndicatorRef, on_all_cores};
use crate::observable::Kind;
use std::cmp::Ordering;
use std::io;
use std::ops::Range;
use uuid::Uuid;

pub(super) const FAMILY: Family = Family { file: "stix", formats: &[STIX] };

const STIX: Format = Format {
    name: "stix",
    about: "STIX 2.1 bundle of the indicators that are active and approved",
    kinds: ALL,
    merge: false,
    comment: None,
    body,
    ..BASE
};

/// The namespace of the ids of bundles.
const NAMESPACE: Uuid = Uuid::from_u128(0xa4b7_0d58_6c13_4e92_b0a5_92f4_1d3e_7c86);

/// Entries whose indicators one thread looks up at a time, and how many such chunks are gathered at once.
const CHUNK: u32 = 1 << 12;
const GATHERED: usize = 1 << 5;

/// An entry as one indicator lists it.
struct Listed {
    /// Tells most indicators apart at once.
    key: u64,
    indicator: EntryId,
    /// The number of the entry in the list.
    entry: u32,
}

impl Listed {
    fn is_of(&self, other: &Self) -> bool {
        self.indicator == other.indicator
    }
}

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    let list = view.list();
    let mut listed = listed(view);
    // By indicator, in an order that their ids alone decide; what one indicator lists is in the order of the list.
    listed.sort_unstable_by(|a, b| {
        let id = |listed: &Listed| list.numbered(listed.indicator).id();
        let by_id = || if a.is_of(b) { Ordering::Equal } else { id(a).cmp(&id(b)) };
        a.key.cmp(&b.key).then_with(by_id).then_with(|| a.entry.cmp(&b.entry))
    });

    let id = Uuid::new_v5(&NAMESPACE, list.sha256().as_bytes());
    out.text("{\"type\":\"bundle\",\"id\":").json(&format!("bundle--{id}")).text(",\"objects\":[").end()?;
    let glance = |group: &&[Listed]| {
        let touch = |first: &Listed| list.numbered(first.indicator).touch() ^ list.glance(first.entry);
        group.first().map_or(0, touch)
    };
    rows::each(listed.chunk_by(Listed::is_of), ",\n", out, glance, |group, out| {
        let Some(first) = group.first() else { return Ok(()) };
        let indicator = list.numbered(first.indicator);
        out.text("{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":").json(&indicator.id());
        properties(&indicator, out);
        out.text(",\"pattern_type\":\"stix\",\"pattern\":\"[");
        for (at, entry) in group.iter().filter_map(|listed| Any::numbered(list, listed.entry)).enumerate() {
            out.text(if at == 0 { "" } else { " OR " });
            comparison(entry, out);
        }
        out.text("]\"}");
        Ok(())
    })?;
    out.text("\n]}").end()
}

/// Every entry with each of its indicators.
fn listed(view: &View<'_>) -> Vec<Listed> {
    let (list, look) = (view.list(), view.look());
    let of_chunk = |numbers: Range<u32>| {
        let (mut listed, mut written, mut refused) = (Vec::with_capacity(numbers.len()), 0, 0);
        for (number, entry) in numbers.filter_map(|number| Some((number, look.entry(number)?))) {
            let Some(entry) = entry else {
                refused += 1;
                continue;
            };
            written += 1;
            entry.for_each_indicator(list, |indicator| {
                listed.push(Listed { key: indicator.id_number(), indicator: indicator.entry(), entry: number });
            });
        }
        (listed, written, refused)
    };
    let (count, mut all) = (list.len() as u32, Vec::with_capacity(list.len()));
    // Not all chunks at once: together they take as much memory as what they are gathered in.
    for start in (0..count).step_by(GATHERED * CHUNK as usize) {
        let starts = (start..count).step_by(CHUNK as usize).take(GATHERED);
        let chunks = starts.map(|start| start..count.min(start + CHUNK)).collect();
        for (mut listed, written, refused) in on_all_cores(chunks, of_chunk) {
            all.append(&mut listed);
            view.count(written, refused);
        }
    }
    all
}

/// Everything but type, id and pattern.
fn properties(indicator: &IndicatorRef<'_>, out: &mut Out<'_>) {
    let instant = |at: Option<String>| at.unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned());
    let modified = instant(indicator.modified().map(|at| at.to_string()));
    // No version is older than the first.
    let created = indicator.created().filter(|at| indicator.modified().is_none_or(|modified| *at <= modified));
    let created = created.map_or_else(|| modified.clone(), |at| at.to_string());
    out.text(",\"created\":").json(&created).text(",\"modified\":").json(&modified);
    let from = instant(indicator.valid_from().or(indicator.modified()).map(|at| at.to_string()));
    out.text(",\"valid_from\":").json(&from);
    if let Some(until) = indicator.valid_until() {
        out.text(",\"valid_until\":").json(&until.to_string());
    }
    if let Some(name) = indicator.name() {
        out.text(",\"name\":").json(name);
    }
    if let Some(maker) = indicator.created_by() {
        out.text(",\"created_by_ref\":").json(maker);
    }
    if let Some(confidence) = indicator.confidence() {
        out.text(",\"confidence\":").number(u64::from(confidence));
    }
    if indicator.types().next().is_some() {
        out.text(",\"indicator_types\":").json_list(indicator.types());
    }
    if indicator.labels().next().is_some() {
        out.text(",\"labels\":").json_list(indicator.labels());
    }
    if let Some(marking) = indicator.tlp().and_then(|tlp| marking(&tlp.to_string())) {
        out.text(",\"object_marking_refs\":[").json(marking).text("]");
    }
}

/// The marking definition of a traffic-light level (STIX 2.1 section 7.2.1.4; TLP 2.0 for the level that 1.0 lacks).
fn marking(level: &str) -> Option<&'static str> {
    Some(match level {
        "clear" => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        "green" => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        "amber" => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        "amber+strict" => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        "red" => "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        _ => return None,
    })
}

/// One comparison inside of a JSON string. No value holds a backslash; the quote of URLs and mail addresses is escaped
/// for the pattern, and the backslash of that for JSON.
fn comparison(entry: Any<'_>, out: &mut Out<'_>) {
    out.text(match entry.kind() {
        Kind::Md5 => "file:hashes.MD5",
        Kind::Sha1 => "file:hashes.'SHA-1'",
        Kind::Sha256 => "file:hashes.'SHA-256'",
        Kind::Sha512 => "file:hashes.'SHA-512'",
        kind => kind.object_type(),
    });
    out.text(if matches!(entry, Any::Digest(_)) { " = '" } else { ":value = '" });
    match entry {
        Any::Host(host, _) => _ = out.host(host),
        Any::Net(net) => _ = out.net(net),
        Any::Url(url, _) => _ = out.quoted(url.bare()),
        Any::Mail(mail, _) => _ = out.quoted(mail.text()),
        Any::Digest(digest) => _ = out.digest(digest),
    }
    out.text("'");
}
