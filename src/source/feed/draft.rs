//! An indicator in the making: what a foreign format says of a value, written as a STIX 2.1 object.
//!
//! The object is a function of what the feed says: an unchanged feed gives the same bytes. Times that the feed does not
//! state are the beginning of 1970, which all of stockade reads as "not stated"; the standard demands some.

use super::types::Pattern;
use crate::stix::{Timestamp, Tlp};
use std::borrow::Cow;
use uuid::Uuid;

/// Most labels of one indicator, and most bytes of a text: a feed may say anything.
const MAX_LABELS: usize = 200;
const MAX_TEXT: usize = 4 * 1024;

/// The namespace of ids that are derived from what a feed says of a value.
const NAMESPACE: Uuid = Uuid::from_u128(0x1b5c_9d0e_7a42_4c8f_8e61_5d2f_a3b7_c914);

/// Stands for a time that is not stated.
const NOT_STATED: &str = "1970-01-01T00:00:00Z";

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Draft<'a> {
    pub(super) id: Uuid,
    pub(super) pattern: Pattern,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) description: Option<Cow<'a, str>>,
    pub(super) created: Option<Timestamp>,
    pub(super) modified: Option<Timestamp>,
    pub(super) valid_from: Option<Timestamp>,
    pub(super) valid_until: Option<Timestamp>,
    pub(super) revoked: bool,
    pub(super) confidence: Option<u8>,
    pub(super) types: Vec<Cow<'a, str>>,
    pub(super) labels: Vec<Cow<'a, str>>,
    pub(super) tlp: Option<Tlp>,
    pub(super) reference: Option<Reference<'a>>,
}

/// Where an indicator comes from.
#[derive(Clone, Debug)]
pub(super) struct Reference<'a> {
    /// The name of the format or feed.
    pub(super) source: &'static str,
    /// The number or UUID of the report there.
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) url: Option<Cow<'a, str>>,
}

impl<'a> Draft<'a> {
    /// An indicator of which nothing but the pattern is known.
    pub(super) fn new(id: Uuid, pattern: Pattern) -> Self {
        Self {
            id,
            pattern,
            name: None,
            description: None,
            created: None,
            modified: None,
            valid_from: None,
            valid_until: None,
            revoked: false,
            confidence: None,
            types: Vec::new(),
            labels: Vec::new(),
            tlp: None,
            reference: None,
        }
    }

    /// Adds a label, once.
    pub(super) fn label(&mut self, label: impl Into<Cow<'a, str>>) {
        let label = label.into();
        if !label.trim().is_empty() && self.labels.len() < MAX_LABELS && !self.labels.contains(&label) {
            self.labels.push(label);
        }
    }

    /// Writes the object.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let Pattern { language, text } = &self.pattern;
        out.extend_from_slice(b"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--");
        out.extend_from_slice(self.id.hyphenated().encode_lower(&mut [0; uuid::fmt::Hyphenated::LENGTH]).as_bytes());
        out.push(b'"');
        let created = self.created.or(self.modified);
        // No version is older than the object.
        let modified = self.modified.max(created);
        for (key, at) in [("created", created), ("modified", modified), ("valid_from", self.valid_from.or(created))] {
            match at {
                Some(at) => member(out, key, &at.to_string()),
                None => member(out, key, NOT_STATED),
            }
        }
        if let Some(until) = self.valid_until {
            member(out, "valid_until", &until.to_string());
        }
        if self.revoked {
            out.extend_from_slice(b",\"revoked\":true");
        }
        for (key, text) in [("name", &self.name), ("description", &self.description)] {
            if let Some(text) = text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
                member(out, key, cut(text));
            }
        }
        member(out, "pattern", text);
        member(out, "pattern_type", language);
        if let Some(confidence) = self.confidence {
            out.extend_from_slice(format!(",\"confidence\":{confidence}").as_bytes());
        }
        list(out, "indicator_types", &self.types);
        list(out, "labels", &self.labels);
        if let Some(tlp) = self.tlp {
            list(out, "object_marking_refs", &[Cow::Borrowed(tlp.marking())]);
        }
        if let Some(Reference { source, id, url }) = &self.reference {
            out.extend_from_slice(b",\"external_references\":[{\"source_name\":");
            json(out, source);
            for (key, text) in [("external_id", id), ("url", url)] {
                if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
                    member(out, key, cut(text));
                }
            }
            out.extend_from_slice(b"}]");
        }
        out.push(b'}');
    }
}

/// The id of what a feed says of a value: the same on every machine, another one for each feed. Two feeds that say
/// different things of one value are two indicators, so that neither hides what the other says.
pub(super) fn id(parts: &[&str]) -> Uuid {
    let mut text = String::new();
    for part in parts {
        // Lengths keep `a`, `bc` and `ab`, `c` apart.
        text.extend([&part.len().to_string(), ":", part]);
    }
    Uuid::new_v5(&NAMESPACE, text.as_bytes())
}

fn member(out: &mut Vec<u8>, key: &str, text: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    json(out, text);
}

fn list(out: &mut Vec<u8>, key: &str, texts: &[Cow<'_, str>]) {
    if texts.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    for (at, text) in texts.iter().enumerate() {
        out.push(if at == 0 { b'[' } else { b',' });
        json(out, cut(text.trim()));
    }
    out.push(b']');
}

fn json(out: &mut Vec<u8>, text: &str) {
    // Writing a text to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stix::Indicator;

    #[test]
    fn what_was_said_is_what_is_read() {
        let at = |text| Some(Timestamp::parse(text).unwrap());
        let mut draft = Draft::new(id(&["feed", "evil"]), Pattern::stix("[url:value = 'http://a.b/\"']"));
        draft.name = Some(" caf\u{e9} \"x\"\n".into());
        draft.modified = at("2026-01-02T00:00:00Z");
        draft.valid_until = at("2026-02-02T00:00:00Z");
        draft.confidence = Some(75);
        draft.label("c2");
        draft.label("c2");
        draft.label(" ");
        draft.tlp = Some(Tlp::Amber);
        let mut out = Vec::new();
        draft.write(&mut out);
        let read = Indicator::from_json(&out).unwrap();
        assert_eq!(read.id, format!("indicator--{}", draft.id));
        assert_eq!(read.name.as_deref(), Some("caf\u{e9} \"x\""));
        assert_eq!(read.pattern, "[url:value = 'http://a.b/\"']");
        assert_eq!((read.modified, read.valid_from), (draft.modified, draft.modified));
        assert_eq!((read.valid_until, read.confidence, read.tlp), (draft.valid_until, Some(75), Some(Tlp::Amber)));
        assert_eq!(read.labels, ["c2"]);
        let whole: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(whole["created"], "2026-01-02T00:00:00Z");
    }

    #[test]
    fn ids_tell_parts_apart() {
        assert_eq!(id(&["a", "bc"]), id(&["a", "bc"]));
        assert_ne!(id(&["a", "bc"]), id(&["ab", "c"]));
        assert_ne!(id(&["a", "b"]), id(&["b", "a"]));
    }
}
