//! The indicator object (STIX 2.1 section 4.7; 2.0 section 2.5), read leniently: only what cannot be used is refused.

use super::json::{Extent, Fault, Raw};
use super::marking::{self, Markings, Tlp};
use super::object::{Members, Object};
use super::timestamp::Timestamp;
use std::borrow::Cow;
use std::fmt;

/// One indicator, borrowed from the JSON that it was read from where that is possible.
///
/// ```
/// use stockade::stix::Indicator;
///
/// let json = br#"{"type": "indicator", "id": "indicator--00000000-0000-4000-8000-000000000001", "confidence": 85,
///     "pattern": "[ipv4-addr:value = '203.0.113.9']", "pattern_type": "stix", "valid_from": "2026-05-16T08:21:30Z"}"#;
/// let indicator = Indicator::from_json(json).unwrap();
/// assert_eq!(indicator.pattern, "[ipv4-addr:value = '203.0.113.9']");
/// assert_eq!(indicator.confidence, Some(85));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator<'a> {
    /// `indicator--` and a UUID, as a rule; any text is kept.
    pub id: Cow<'a, str>,
    /// A short title.
    pub name: Option<Cow<'a, str>>,
    /// The pattern's text; may be empty if it is revoked.
    pub pattern: Cow<'a, str>,
    /// `stix` unless stated (STIX 2.0 has no such property).
    pub pattern_type: Cow<'a, str>,
    /// The identity that made it.
    pub created_by: Option<Cow<'a, str>>,
    /// When its first version was made.
    pub created: Option<Timestamp>,
    /// When this version was made (or the object, if that alone is stated); the newest version of an id counts.
    pub modified: Option<Timestamp>,
    /// From when on it is valid, inclusive.
    pub valid_from: Option<Timestamp>,
    /// Until when it is valid, exclusive.
    pub valid_until: Option<Timestamp>,
    /// Withdrawn by its producer.
    pub revoked: bool,
    /// 0 to 100.
    pub confidence: Option<u8>,
    /// Free labels; STIX 2.0 keeps its indicator types here.
    pub labels: Vec<Cow<'a, str>>,
    /// Open vocabulary `indicator-type-ov`; of STIX 2.0, the labels.
    pub indicator_types: Vec<Cow<'a, str>>,
    /// The strictest traffic-light marking it carries, as a whole or by a label such as `tlp:amber`.
    pub tlp: Option<Tlp>,
}

/// Why an object is no indicator that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorError(Problem);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Json { at: usize, what: &'static str },
    Cut,
    OtherType,
    Unusable(&'static str, &'static str),
}

/// An object that cannot be used, with what identifies it.
#[derive(Clone, Debug)]
pub(crate) struct Unusable<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) pattern: Option<Cow<'a, str>>,
    /// A few words, the same for all that it concerns.
    pub(crate) reason: &'static str,
    pub(crate) detail: &'static str,
}

impl<'a> Indicator<'a> {
    /// Reads one indicator object. Of its markings those count that STIX itself defines; a reader of bundles knows
    /// the others too.
    ///
    /// # Errors
    /// Broken JSON, an object of another type, and an indicator without `id` or `pattern`. Optional properties of a
    /// wrong type are left out.
    pub fn from_json(json: &'a [u8]) -> Result<Self, IndicatorError> {
        let json = json.trim_ascii();
        if json.first() != Some(&b'{') {
            return Err(IndicatorError(Problem::Json { at: 0, what: "expected an object" }));
        }
        match Members::read(json) {
            Ok((members, Extent::Object(_))) => match members.object(&mut Markings::default(), false) {
                Object::Indicator(indicator, _) => Ok(indicator),
                Object::Unusable(unusable) => Err(IndicatorError(Problem::Unusable(unusable.reason, unusable.detail))),
                _ => Err(IndicatorError(Problem::OtherType)),
            },
            Ok((_, Extent::Container(_))) => Err(IndicatorError(Problem::OtherType)),
            Err(Fault::Incomplete) => Err(IndicatorError(Problem::Cut)),
            Err(Fault::Syntax { at, what }) => Err(IndicatorError(Problem::Json { at, what })),
        }
    }

    /// Takes an indicator from its members. What had to be ignored is named in `ignored`.
    pub(crate) fn from_members(
        members: &Members<'a>,
        markings: &Markings,
        ignored: &mut Vec<&'static str>,
    ) -> Result<Self, Unusable<'a>> {
        let unusable = |reason, detail| Err(Unusable::new(members, reason, detail));
        let id = match members.id.map(Raw::string) {
            Some(Some(Ok(id))) if !id.is_empty() => id,
            Some(_) => return unusable("no id", "its id is no text"),
            None => return unusable("no id", "the property is missing"),
        };
        let pattern = match members.pattern.map(Raw::string) {
            Some(Some(Ok(pattern))) => pattern,
            Some(Some(Err(_))) => return unusable("no pattern", "its pattern is not UTF-8"),
            Some(None) => return unusable("no pattern", "its pattern is no text"),
            // A withdrawal needs none.
            None if members.revoked.is_some_and(|revoked| revoked.0 == b"true") => Cow::Borrowed(""),
            None => return unusable("no pattern", "the property is missing"),
        };
        let mut reader = Lenient { ignored };
        let labels = reader.texts(members.labels, "labels");
        let mut indicator_types = reader.texts(members.indicator_types, "indicator_types");
        if members.indicator_types.is_none() && members.spec_version.is_none_or(|version| version.0 == b"\"2.0\"") {
            indicator_types.clone_from(&labels);
        }
        let tlp = members
            .marking_refs()
            .filter_map(|id| markings.level(&id).tlp())
            .chain(labels.iter().filter_map(|label| marking::of_label(label)))
            .max();
        let created = reader.instant(members.created, "created");
        // Most indicators are valid from when they were made, and were never changed.
        let instant = |reader: &mut Lenient<'_>, raw: Option<Raw<'_>>, property| match (created, raw) {
            (Some(_), Some(raw)) if members.created == Some(raw) => created,
            _ => reader.instant(raw, property),
        };
        Ok(Self {
            id,
            name: reader.text(members.name, "name"),
            pattern,
            pattern_type: reader.pattern_type(members.pattern_type),
            created_by: reader.text(members.created_by_ref, "created_by_ref"),
            created,
            modified: instant(&mut reader, members.modified, "modified").or(created),
            valid_from: instant(&mut reader, members.valid_from, "valid_from"),
            valid_until: reader.instant(members.valid_until, "valid_until"),
            revoked: reader.flag(members.revoked, "revoked"),
            confidence: reader.percent(members.confidence, "confidence"),
            labels,
            indicator_types,
            tlp,
        })
    }
}

/// Reads optional properties: one of a wrong type is as good as absent, and named.
struct Lenient<'n> {
    ignored: &'n mut Vec<&'static str>,
}

impl Lenient<'_> {
    fn text<'a>(&mut self, raw: Option<Raw<'a>>, property: &'static str) -> Option<Cow<'a, str>> {
        let text = raw?.string().and_then(Result::ok);
        self.note(text, property)
    }

    /// A list of texts; a lone text is a list of one.
    fn texts<'a>(&mut self, raw: Option<Raw<'a>>, property: &'static str) -> Vec<Cow<'a, str>> {
        let Some(raw) = raw else { return Vec::new() };
        if let Some(text) = raw.string() {
            return self.note(text.ok(), property).into_iter().collect();
        }
        if raw.0.first() != Some(&b'[') {
            self.ignored.push(property);
        }
        raw.elements().filter_map(|element| self.text(Some(element), property)).collect()
    }

    fn pattern_type<'a>(&mut self, raw: Option<Raw<'a>>) -> Cow<'a, str> {
        match self.text(raw, "pattern_type") {
            Some(name) if !name.eq_ignore_ascii_case("stix") => name,
            _ => Cow::Borrowed("stix"),
        }
    }

    fn instant(&mut self, raw: Option<Raw<'_>>, property: &'static str) -> Option<Timestamp> {
        let instant = raw?.string().and_then(Result::ok).and_then(|text| Timestamp::parse_lenient(&text).ok());
        self.note(instant, property)
    }

    fn flag(&mut self, raw: Option<Raw<'_>>, property: &'static str) -> bool {
        let Some(raw) = raw else { return false };
        let flag = match raw.0 {
            b"1" | b"\"true\"" | b"\"True\"" => Some(true),
            b"0" | b"\"false\"" | b"\"False\"" => Some(false),
            _ => raw.boolean(),
        };
        self.note(flag, property).unwrap_or(false)
    }

    /// A number from 0 to 100, also as text.
    fn percent(&mut self, raw: Option<Raw<'_>>, property: &'static str) -> Option<u8> {
        let raw = raw?;
        let number = raw.number().or_else(|| raw.string()?.ok()?.trim().parse().ok());
        #[expect(clippy::cast_sign_loss, reason = "the range is checked")]
        let percent = number.filter(|number| (0.0..=100.0).contains(number)).map(|number| number as u8);
        self.note(percent, property)
    }

    fn note<T>(&mut self, value: Option<T>, property: &'static str) -> Option<T> {
        if value.is_none() {
            self.ignored.push(property);
        }
        value
    }
}

impl<'a> Unusable<'a> {
    pub(crate) fn new(members: &Members<'a>, reason: &'static str, detail: &'static str) -> Self {
        let text = |raw: Option<Raw<'a>>| raw.and_then(Raw::string).and_then(Result::ok);
        Self { id: text(members.id), name: text(members.name), pattern: text(members.pattern), reason, detail }
    }
}

impl IndicatorError {
    /// Whether it is an indicator that lacks what an indicator needs, as opposed to no indicator at all.
    pub fn is_unusable(&self) -> bool {
        matches!(self.0, Problem::Unusable(..))
    }
}

impl fmt::Display for IndicatorError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Problem::Json { at, what } => write!(out, "broken JSON at byte {at}: {what}"),
            Problem::Cut => out.write_str("the JSON ends inside the object"),
            Problem::OtherType => out.write_str("an object of another type"),
            Problem::Unusable(reason, detail) => write!(out, "{reason}: {detail}"),
        }
    }
}

impl std::error::Error for IndicatorError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (Indicator<'_>, Vec<&'static str>) {
        let (members, _) = Members::read(json.as_bytes()).unwrap();
        match members.object(&mut Markings::default(), false) {
            Object::Indicator(indicator, ignored) => (indicator, ignored),
            other => panic!("{other:?}"),
        }
    }

    fn with(members: &str) -> String {
        format!(
            r#"{{"type":"indicator","id":"indicator--1","pattern":"[a:b = 'c']"{}{members}}}"#,
            if members.is_empty() { "" } else { "," }
        )
    }

    #[test]
    fn reads_every_property() {
        let json = r#"{"type": "indicator", "spec_version": "2.1", "id": "indicator--1", "name": "caf\u00e9", "pattern": "[url:value = 'http://a/\"b']",
            "pattern_type": "stix", "created_by_ref": "identity--1", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-02T00:00:00.5Z",
            "valid_from": "2026-01-03T00:00:00Z", "valid_until": "2026-01-04T00:00:00Z", "revoked": true, "confidence": 85, "lang": "en",
            "labels": ["c2", "botnet"], "indicator_types": ["malicious-activity"], "kill_chain_phases": [{"phase_name": "x"}],
            "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"]}"#;
        let at = |text| Some(Timestamp::parse(text).unwrap());
        let expected = Indicator {
            id: "indicator--1".into(),
            name: Some("café".into()),
            pattern: "[url:value = 'http://a/\"b']".into(),
            pattern_type: "stix".into(),
            created_by: Some("identity--1".into()),
            created: at("2026-01-01T00:00:00Z"),
            modified: at("2026-01-02T00:00:00.5Z"),
            valid_from: at("2026-01-03T00:00:00Z"),
            valid_until: at("2026-01-04T00:00:00Z"),
            revoked: true,
            confidence: Some(85),
            labels: vec!["c2".into(), "botnet".into()],
            indicator_types: vec!["malicious-activity".into()],
            tlp: Some(Tlp::AmberStrict),
        };
        assert_eq!(read(json), (expected, vec![]));
    }

    #[test]
    fn borrows_text_without_escapes() {
        let json = with("");
        assert!(matches!(read(&json).0.pattern, Cow::Borrowed(_)));
    }

    #[test]
    fn tolerates_and_names_wrong_types() {
        let json = with(
            r#""name":1,"modified":"soon","created":"2026-01-01 00:00","valid_until":7,"revoked":"maybe","confidence":"high","labels":{"a":1},"indicator_types":["x",1]"#,
        );
        let (indicator, ignored) = read(&json);
        assert_eq!(ignored, ["labels", "indicator_types", "name", "modified", "valid_until", "revoked", "confidence"]);
        assert_eq!(
            (indicator.name, indicator.valid_until, indicator.revoked, indicator.confidence),
            (None, None, false, None)
        );
        assert_eq!(indicator.modified, Some(Timestamp::parse("2026-01-01T00:00:00Z").unwrap()));
        assert_eq!(indicator.indicator_types, ["x"]);
    }

    #[test]
    fn takes_near_misses_for_what_they_mean() {
        let json = with(
            r#""revoked":"true","confidence":"85","labels":"c2","pattern_type":"STIX","valid_until":null,"object_marking_refs":"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed""#,
        );
        let (indicator, ignored) = read(&json);
        assert!(ignored.is_empty(), "{ignored:?}");
        assert!(indicator.revoked);
        assert_eq!((indicator.confidence, indicator.tlp, indicator.valid_until), (Some(85), Some(Tlp::Red), None));
        assert_eq!((&indicator.pattern_type[..], &indicator.labels[..]), ("stix", &["c2".into()][..]));
    }

    #[test]
    fn confidence_outside_of_the_scale_is_ignored() {
        for (text, expected) in
            [("0", Some(0)), ("100", Some(100)), ("99.9", Some(99)), ("101", None), ("-1", None), ("1e9", None)]
        {
            assert_eq!(read(&with(&format!(r#""confidence":{text}"#))).0.confidence, expected, "{text}");
        }
    }

    #[test]
    fn a_withdrawal_needs_no_pattern() {
        let (indicator, _) = read(r#"{"type":"indicator","id":"indicator--1","revoked":true}"#);
        assert!(indicator.revoked && indicator.pattern.is_empty());
    }

    #[test]
    fn labels_of_version_two_zero_are_types() {
        assert_eq!(read(&with(r#""labels":["malicious-activity"]"#)).0.indicator_types, ["malicious-activity"]);
        assert_eq!(read(&with(r#""spec_version":"2.0","labels":["a"]"#)).0.indicator_types, ["a"]);
        assert!(read(&with(r#""spec_version":"2.1","labels":["a"]"#)).0.indicator_types.is_empty());
        assert_eq!(read(&with(r#""indicator_types":["b"],"labels":["a"]"#)).0.indicator_types, ["b"]);
    }

    #[test]
    fn says_why_an_object_cannot_be_used() {
        for (json, message) in [
            (r#"{"type":"indicator","pattern":"[a:b = 1]"}"#, "no id: the property is missing"),
            (r#"{"type":"indicator","id":7,"pattern":"[a:b = 1]"}"#, "no id: its id is no text"),
            (r#"{"type":"indicator","id":"indicator--1"}"#, "no pattern: the property is missing"),
            (r#"{"type":"indicator","id":"indicator--1","pattern":["a"]}"#, "no pattern: its pattern is no text"),
            (r#"{"type":"malware","id":"malware--1"}"#, "an object of another type"),
            (r#"{"type":"bundle","objects":[]}"#, "an object of another type"),
            (r#"{"id":"indicator--1"}"#, "not a STIX object: it has no type"),
            (r#"{"type":"indicator" "id":1}"#, "broken JSON at byte 20: expected a comma or a closing brace"),
            (r#"{"type":"indic"#, "the JSON ends inside the object"),
            ("[]", "broken JSON at byte 0: expected an object"),
        ] {
            assert_eq!(Indicator::from_json(json.as_bytes()).unwrap_err().to_string(), message, "{json}");
        }
    }
}
