//! What the store knows of an object: enough to tell its versions apart and to count it.

use crate::stix::Timestamp;
use crate::stix::json::{Extent, Raw};
use crate::stix::object::Members;
use sha2::{Digest, Sha256};

/// The most that one object may hold, as when bundles are read.
const LIMIT: usize = 64 * 1024 * 1024;

/// Types that are read apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Marking = 0,
    Identity = 1,
    Indicator = 2,
    Other = 3,
}

/// Marks a withdrawn object in the column of classes.
const REVOKED: i64 = 8;

/// What an object says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// A digest of its id, by which its versions are found.
    pub(super) key: [u8; 16],
    /// A digest of the whole text.
    pub(super) sum: i64,
    pub(super) class: Class,
    pub(super) revoked: bool,
    /// When this version was made; none sorts before all.
    pub(super) modified: Option<Timestamp>,
    pub(super) valid_until: Option<Timestamp>,
}

impl Facts {
    /// Reads an object that begins and ends without white space.
    ///
    /// # Errors
    /// The reason why it cannot be kept.
    pub(super) fn read(json: &[u8]) -> Result<Self, &'static str> {
        if json.len() > LIMIT {
            return Err("too large");
        }
        if json.first() != Some(&b'{') {
            return Err("not an object");
        }
        let members = match Members::read(json) {
            Ok((members, Extent::Object(length))) if length == json.len() => members,
            Ok((_, Extent::Container(_))) => return Err("a bundle in place of an object"),
            _ => return Err("broken JSON"),
        };
        let id = match members.id.map(Raw::string) {
            Some(Some(Ok(id))) if !id.is_empty() => id,
            _ => return Err("no id"),
        };
        let class = match members.kind.map(|kind| kind.0) {
            Some(b"\"marking-definition\"") => Class::Marking,
            Some(b"\"identity\"") => Class::Identity,
            Some(b"\"indicator\"") => Class::Indicator,
            Some([b'"', _, _, ..]) => Class::Other,
            _ => return Err("no type"),
        };
        let instant = |raw: Option<Raw<'_>>| {
            raw.and_then(Raw::string).and_then(Result::ok).and_then(|text| Timestamp::parse_lenient(&text).ok())
        };
        let mut key = [0; 16];
        key.copy_from_slice(&Sha256::digest(id.as_bytes())[..16]);
        Ok(Self {
            key,
            sum: sum(json),
            class,
            revoked: members.revoked.is_some_and(|raw| matches!(raw.0, b"true" | b"1" | b"\"true\"" | b"\"True\"")),
            modified: instant(members.modified).or_else(|| instant(members.created)),
            valid_until: instant(members.valid_until),
        })
    }

    /// The column of classes.
    pub(super) fn flags(&self) -> i64 {
        self.class as i64 | if self.revoked { REVOKED } else { 0 }
    }
}

/// A digest of a text.
pub(super) fn sum(text: &[u8]) -> i64 {
    let mut sum = [0; 8];
    sum.copy_from_slice(&Sha256::digest(text)[..8]);
    i64::from_le_bytes(sum)
}

/// Whether the column of classes says that it is an indicator, and whether it is withdrawn.
pub(super) fn is_indicator(flags: i64) -> bool {
    flags & !REVOKED == Class::Indicator as i64
}

/// See [`is_indicator`].
pub(super) fn is_revoked(flags: i64) -> bool {
    flags & REVOKED != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_say_what_they_are() {
        let read = |json: &str| Facts::read(json.as_bytes());
        let facts = read(r#"{"type":"indicator","id":"indicator--1","created":"2026-01-01T00:00:00Z","revoked":true}"#);
        let facts = facts.expect("an indicator");
        assert!(facts.revoked && is_indicator(facts.flags()) && is_revoked(facts.flags()));
        assert_eq!(facts.modified, Timestamp::parse("2026-01-01T00:00:00Z").ok());
        let again = read(r#"{"id":"indicator--\u0031","type":"indicator"}"#).expect("an indicator");
        assert_eq!(facts.key, again.key, "ids are compared as texts");
        assert!(again.modified < facts.modified && !is_revoked(again.flags()));
        for (json, reason) in [
            ("", "not an object"),
            ("[]", "not an object"),
            ("{", "broken JSON"),
            ("{}", "no id"),
            (r#"{"type":"x","id":7}"#, "no id"),
            (r#"{"type":"x","id":""}"#, "no id"),
            (r#"{"id":"x--1"}"#, "no type"),
            (r#"{"id":"x--1","type":""}"#, "no type"),
            (r#"{"id":"x--1","type":"x"}}"#, "broken JSON"),
            (r#"{"type":"bundle","id":"bundle--1","objects":[]}"#, "a bundle in place of an object"),
        ] {
            assert_eq!(read(json), Err(reason), "{json}");
        }
    }
}
