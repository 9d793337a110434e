//! Pulses of AlienVault OTX: as exported, or as the pages of its API hold them.

use super::draft::{Draft, Reference, id};
use super::objects::{each, flag, text};
use super::{Out, Place, types};
use crate::source::Rejected;
use crate::stix::Timestamp;
use crate::stix::json::Raw;
use std::borrow::Cow;

/// What all indicators of a pulse have in common.
#[derive(Default)]
struct Pulse<'a> {
    id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    adversary: Option<Cow<'a, str>>,
    tlp: Option<Cow<'a, str>>,
    modified: Option<Timestamp>,
    tags: Vec<Cow<'a, str>>,
    families: Option<Raw<'a>>,
    indicators: Option<Raw<'a>>,
}

/// Reads an element of a page: a pulse, or an indicator on its own.
pub(super) fn result(raw: Raw<'_>, source: &str, place: Place, out: &mut Out<'_>) {
    let mut is_pulse = false;
    raw.members(|key, _| is_pulse |= key == b"indicators");
    if is_pulse {
        pulse(raw, source, place, out);
    } else {
        indicator(&Pulse::default(), raw, source, place, out);
    }
}

/// Reads a pulse.
pub(super) fn pulse(raw: Raw<'_>, source: &str, place: Place, out: &mut Out<'_>) {
    let mut pulse = Pulse::default();
    raw.members(|key, value| match key {
        b"id" => pulse.id = text(Some(value)),
        b"name" => pulse.name = text(Some(value)),
        b"adversary" => pulse.adversary = text(Some(value)),
        b"TLP" | b"tlp" => pulse.tlp = text(Some(value)),
        b"modified" => pulse.modified = instant(Some(value)),
        b"tags" => pulse.tags = value.elements().filter_map(|tag| text(Some(tag))).collect(),
        b"malware_families" => pulse.families = Some(value),
        b"indicators" => pulse.indicators = Some(value),
        _ => {}
    });
    each(pulse.indicators, |raw| indicator(&pulse, raw, source, place, out));
}

fn indicator(pulse: &Pulse<'_>, raw: Raw<'_>, source: &str, place: Place, out: &mut Out<'_>) {
    let (mut kind, mut value, mut title, mut description) = (None, None, None, None);
    let (mut created, mut expiration, mut active) = (None, None, None);
    raw.members(|key, member| match key {
        b"type" => kind = text(Some(member)),
        b"indicator" => value = text(Some(member)),
        b"title" => title = text(Some(member)),
        b"description" => description = text(Some(member)),
        b"created" => created = instant(Some(member)),
        b"expiration" => expiration = instant(Some(member)),
        b"is_active" => active = flag(Some(member)),
        _ => {}
    });
    let (kind, value) = (kind.unwrap_or_default(), value.unwrap_or_default());
    let (pattern, _) = match types::of_type(&kind, &value) {
        Ok(made) if !kind.is_empty() => made,
        result => {
            let reason = result.err().map_or("an indicator without type", crate::observable::Invalid::reason);
            let shown: String = format!("{kind}: {value}").chars().take(200).collect();
            return out.rejected(place, Rejected::new(reason, shown));
        }
    };
    let pulse_id = pulse.id.as_deref().unwrap_or_default();
    // A pulse is the same whoever subscribes to it.
    let id =
        if pulse_id.is_empty() { id(&["otx", source, &pattern.text]) } else { id(&["otx", pulse_id, &pattern.text]) };
    let mut draft = Draft::new(id, pattern);
    draft.name = title.filter(|title| !title.trim().is_empty()).or_else(|| pulse.name.clone());
    draft.description = description;
    draft.created = created;
    draft.modified = pulse.modified.max(created);
    draft.valid_from = created;
    draft.valid_until = expiration;
    draft.revoked = active == Some(false);
    draft.tlp = pulse.tlp.as_deref().and_then(|tlp| tlp.parse().ok());
    draft.reference = pulse.id.clone().map(|id| {
        let url = format!("https://otx.alienvault.com/pulse/{id}").into();
        Reference { source: "otx", id: Some(id), url: Some(url) }
    });
    for tag in pulse.tags.iter().chain(&pulse.adversary) {
        draft.label(tag.clone());
    }
    // A family is a name, or an object with one.
    for family in pulse.families.into_iter().flat_map(Raw::elements) {
        let mut name = text(Some(family));
        family.members(|key, value| {
            if key == b"display_name" {
                name = text(Some(value));
            }
        });
        if let Some(name) = name {
            draft.label(name);
        }
    }
    out.draft(place, &draft);
}

fn instant(raw: Option<Raw<'_>>) -> Option<Timestamp> {
    Timestamp::parse_lenient(&text(raw)?).ok()
}
