//! MISP: events, and the feeds that are made of them (a folder with `manifest.json` and one file for each event).
//!
//! An attribute that is meant for detection (`to_ids`) becomes an indicator with the attribute's own UUID, as in MISP's own
//! conversion, so that one attribute shared over several feeds is one indicator; its timestamp is the version.

use super::draft::{Draft, Reference};
use super::objects::{each, flag, text, whole_object};
use super::{Out, Place, types};
use crate::source::Rejected;
use crate::stix::json::Raw;
use crate::stix::{Timestamp, Tlp};
use std::borrow::Cow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The most events of a manifest.
const MAX_EVENTS: usize = 1_000_000;

/// What a manifest lists: UUIDs of events, and when each was changed last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// By UUID. The file of an event is called `UUID.json`.
    pub events: BTreeMap<Uuid, i64>,
    /// What is no UUID, or has no timestamp.
    pub unusable: Vec<String>,
}

impl Manifest {
    /// Reads `manifest.json`.
    ///
    /// # Errors
    /// It is no JSON object, or lists too much.
    pub fn from_json(json: &[u8]) -> Result<Self, &'static str> {
        let whole = whole_object(json).ok_or("manifest.json is no JSON object")?;
        let mut manifest = Self::default();
        whole.members(|key, about| {
            let key = String::from_utf8_lossy(key);
            let mut timestamp = None;
            about.members(|name, value| {
                if name == b"timestamp" {
                    timestamp = text(Some(value)).and_then(|text| text.parse().ok());
                }
            });
            match (Uuid::try_parse(&key), timestamp) {
                (Ok(uuid), Some(timestamp)) => _ = manifest.events.insert(uuid, timestamp),
                _ => manifest.unusable.push(key.into_owned()),
            }
        });
        if manifest.events.len() > MAX_EVENTS {
            return Err("manifest.json lists more than a million events");
        }
        if manifest.events.is_empty() && !manifest.unusable.is_empty() {
            return Err("manifest.json lists no events: it is no manifest of a MISP feed");
        }
        Ok(manifest)
    }
}

/// The event that an object made here comes from.
pub fn event_of(json: &[u8]) -> Option<Uuid> {
    let mut event = None;
    whole_object(json)?.members(|key, references| {
        if key == b"external_references" {
            for reference in references.elements() {
                let (mut is_misp, mut id) = (false, None);
                reference.members(|key, value| match key {
                    b"source_name" => is_misp = value.0 == b"\"misp\"",
                    b"external_id" => id = text(Some(value)).and_then(|text| Uuid::try_parse(&text).ok()),
                    _ => {}
                });
                event = event.or(id.filter(|_| is_misp));
            }
        }
    });
    event
}

/// What all attributes of an event have in common.
#[derive(Default)]
struct Event<'a> {
    info: Option<Cow<'a, str>>,
    uuid: Option<Cow<'a, str>>,
    timestamp: Option<Raw<'a>>,
    tags: Option<Raw<'a>>,
    attributes: Option<Raw<'a>>,
    objects: Option<Raw<'a>>,
}

#[derive(Default)]
struct Attribute<'a> {
    uuid: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    value: Option<Cow<'a, str>>,
    comment: Option<Cow<'a, str>>,
    timestamp: Option<Raw<'a>>,
    first_seen: Option<Raw<'a>>,
    to_ids: Option<Raw<'a>>,
    deleted: Option<Raw<'a>>,
    tags: Option<Raw<'a>>,
}

/// Reads the inner object of an event.
pub(super) fn event(raw: Raw<'_>, place: Place, out: &mut Out<'_>) {
    let mut event = Event::default();
    raw.members(|key, value| match key {
        b"info" => event.info = text(Some(value)),
        b"uuid" => event.uuid = text(Some(value)),
        b"timestamp" => event.timestamp = Some(value),
        b"Tag" => event.tags = Some(value),
        b"Attribute" => event.attributes = Some(value),
        b"Object" => event.objects = Some(value),
        _ => {}
    });
    each(event.attributes, |raw| attribute(&event, raw, false, place, out));
    each(event.objects, |object| {
        let (mut attributes, mut deleted) = (None, None);
        object.members(|key, value| match key {
            b"Attribute" => attributes = Some(value),
            b"deleted" => deleted = Some(value),
            _ => {}
        });
        let deleted = flag(deleted) == Some(true);
        each(attributes, |raw| attribute(&event, raw, deleted, place, out));
    });
}

/// Reads an attribute that stands outside of any event, as searches give it.
pub(super) fn lone_attribute(raw: Raw<'_>, place: Place, out: &mut Out<'_>) {
    attribute(&Event::default(), raw, false, place, out);
}

fn attribute(event: &Event<'_>, raw: Raw<'_>, deleted: bool, place: Place, out: &mut Out<'_>) {
    let mut attribute = Attribute::default();
    raw.members(|key, value| match key {
        b"uuid" => attribute.uuid = text(Some(value)),
        b"type" => attribute.kind = text(Some(value)),
        b"value" => attribute.value = text(Some(value)),
        b"comment" => attribute.comment = text(Some(value)),
        b"timestamp" => attribute.timestamp = Some(value),
        b"first_seen" => attribute.first_seen = Some(value),
        b"to_ids" => attribute.to_ids = Some(value),
        b"deleted" => attribute.deleted = Some(value),
        b"Tag" => attribute.tags = Some(value),
        _ => {}
    });
    if flag(attribute.to_ids) != Some(true) {
        out.summary.passed_over += 1;
        return;
    }
    let kind = attribute.kind.as_deref().unwrap_or_default();
    let value = attribute.value.as_deref().unwrap_or_default();
    let uuid = attribute.uuid.as_deref().and_then(|uuid| Uuid::try_parse(uuid).ok());
    let made = match (uuid, types::of_type(kind, value)) {
        (None, _) => Err("an attribute without UUID"),
        (_, _) if kind.is_empty() => Err("an attribute without type"),
        (Some(uuid), Ok((pattern, value))) => Ok((uuid, pattern, value)),
        (_, Err(invalid)) => Err(invalid.reason()),
    };
    let (uuid, pattern, normal) = match made {
        Ok(made) => made,
        Err(reason) => {
            let id = uuid.map(|uuid| Cow::Owned(format!("indicator--{uuid}")));
            let detail = format!("{kind}: {value}");
            let shown: String = detail.chars().take(200).collect();
            return out.rejected(place, Rejected { id, ..Rejected::new(reason, shown) });
        }
    };
    let mut draft = Draft::new(uuid, pattern);
    draft.name.clone_from(&event.info);
    // What of the value is not in the pattern, and what someone remarked on it.
    let rest = if normal.is_none_or(|normal| normal.to_string() == value) { "" } else { value };
    let remark = [rest, attribute.comment.as_deref().unwrap_or_default()];
    draft.description = Some(remark.join("\n").into());
    let modified = unix(attribute.timestamp).or_else(|| unix(event.timestamp));
    draft.created = modified;
    draft.modified = modified;
    draft.valid_from = text(attribute.first_seen).and_then(|text| Timestamp::parse_lenient(&text).ok()).or(modified);
    draft.revoked = deleted || flag(attribute.deleted) == Some(true);
    draft.reference = Some(Reference { source: "misp", id: event.uuid.clone(), url: None });
    for tags in [event.tags, attribute.tags] {
        each(tags, |tag| {
            tag.members(|key, value| {
                if key == b"name"
                    && let Some(name) = text(Some(value))
                {
                    take_tag(&mut draft, name);
                }
            });
        });
    }
    out.draft(place, &draft);
}

/// A tag is a label; some of them mean more. What the attribute says goes before what the event says, but for markings,
/// of which the strictest counts.
fn take_tag<'a>(draft: &mut Draft<'a>, name: Cow<'a, str>) {
    if let Some(level) = name.get(..4).filter(|start| start.eq_ignore_ascii_case("tlp:")).map(|_| &name[4..]) {
        draft.tlp = draft.tlp.max(level.parse::<Tlp>().ok());
    }
    if let Some(level) = name.strip_prefix("misp:confidence-level=") {
        draft.confidence = match level.trim_matches('"') {
            "completely-confident" => Some(100),
            "usually-confident" => Some(75),
            "fairly-confident" => Some(50),
            "rarely-confident" => Some(25),
            "unconfident" => Some(0),
            _ => draft.confidence,
        };
    }
    draft.label(name);
}

/// Seconds since 1970, as number or text.
fn unix(raw: Option<Raw<'_>>) -> Option<Timestamp> {
    let seconds = text(raw)?.trim().parse::<i64>().ok().filter(|seconds| *seconds > 0)?;
    Some(Timestamp::from_unix(seconds, 0))
}
