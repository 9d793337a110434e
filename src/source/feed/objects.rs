//! JSON: STIX objects pass through; events of MISP and pulses of OTX are told by their members.

use super::super::documents::{self, Broken, Sink};
use super::super::{ReadErrorKind, Rejected};
use super::{Out, Place, Window, misp, otx};
use crate::observable;
use crate::stix::json::{self, Extent, Fault, Raw};
use crate::stix::object::Members;

pub(super) fn read(window: &mut Window<'_>, source: &str, out: &mut Out<'_>) -> Result<(), ReadErrorKind> {
    let mut objects = Objects { out, source, found: false, fault: None, unknown: None };
    documents::walk(window, &mut objects);
    match (objects.fault, objects.unknown) {
        _ if objects.found => Ok(()),
        (Some((place, broken)), _) => Err(ReadErrorKind::Json(place, broken)),
        (None, Some(place)) => Err(ReadErrorKind::NoFeed(place)),
        (None, None) => Ok(()),
    }
}

struct Objects<'o, 'v, 's> {
    out: &'o mut Out<'v>,
    source: &'s str,
    /// Something was found that is no fault.
    found: bool,
    /// The first fault.
    fault: Option<(Place, Broken)>,
    /// The first object that is nothing of ours.
    unknown: Option<Place>,
}

/// The members by which shapes other than STIX are told.
#[derive(Default)]
struct Foreign<'a> {
    event: Option<Raw<'a>>,
    response: Option<Raw<'a>>,
    results: Option<Raw<'a>>,
    indicators: Option<Raw<'a>>,
    attributes: Option<Raw<'a>>,
    next: Option<Raw<'a>>,
    /// It is an attribute of MISP on its own.
    is_attribute: bool,
    /// It is an indicator of OTX on its own.
    is_indicator: bool,
}

impl Objects<'_, '_, '_> {
    fn foreign(&mut self, whole: Raw<'_>, place: Place) {
        let mut members = Foreign::default();
        whole.members(|key, value| {
            let slot = match key {
                b"to_ids" => return members.is_attribute = true,
                b"indicator" => return members.is_indicator = true,
                b"Event" => &mut members.event,
                b"response" => &mut members.response,
                b"results" => &mut members.results,
                b"indicators" => &mut members.indicators,
                b"Attribute" => &mut members.attributes,
                b"next" => &mut members.next,
                _ => return,
            };
            *slot = Some(value);
        });
        let is_list = |raw: Option<Raw<'_>>| raw.is_some_and(|raw| raw.0.first() == Some(&b'['));
        if let Some(event) = members.event {
            misp::event(event, place, self.out);
        } else if members.attributes.is_some() {
            misp::event(whole, place, self.out);
        } else if members.is_attribute {
            misp::lone_attribute(whole, place, self.out);
        } else if let Some(response) = members.response {
            each(Some(response), |element| self.foreign(element, place));
        } else if is_list(members.indicators) {
            otx::pulse(whole, self.source, place, self.out);
        } else if is_list(members.results) {
            for element in members.results.into_iter().flat_map(Raw::elements) {
                otx::result(element, self.source, place, self.out);
            }
            let next = members.next.and_then(Raw::string).and_then(Result::ok);
            self.out.summary.next = next.map(std::borrow::Cow::into_owned).filter(|next| !next.is_empty());
        } else if members.is_indicator {
            otx::result(whole, self.source, place, self.out);
        } else {
            let detail = "neither STIX, nor an event of MISP, nor a pulse of OTX";
            self.unknown = self.unknown.or(Some(place));
            return self.out.rejected(place, Rejected::new("not a STIX object", detail));
        }
        self.found = true;
    }
}

impl Sink for Objects<'_, '_, '_> {
    fn object(&mut self, bytes: &[u8], place: Place) -> Result<Extent, Fault> {
        let (members, extent) = Members::read(bytes)?;
        let Extent::Object(length) = extent else {
            self.found = true;
            return Ok(extent);
        };
        let whole = &bytes[..length];
        let is_indicator = members.kind.is_some_and(|kind| kind.0 == b"\"indicator\"");
        if members.looks_like_stix() || is_indicator {
            self.found = true;
            self.out.object(place, whole);
        } else if members.is_empty_envelope() {
            self.found = true;
        } else {
            self.foreign(Raw(whole), place);
        }
        Ok(extent)
    }

    /// A list of values may be an array of strings, too.
    fn string(&mut self, raw: Raw<'_>, place: Place) {
        self.found = true;
        let text = raw.string().and_then(Result::ok);
        match text.as_deref().map(observable::classify) {
            Some(Ok(value)) => self.out.value(place, &value),
            invalid => {
                let reason = invalid.map_or("not UTF-8", |result| result.err().map_or("", observable::Invalid::reason));
                self.out.rejected(place, Rejected::new(reason, String::from_utf8_lossy(raw.0)));
            }
        }
    }

    fn broken(&mut self, _: &[u8], place: Place, broken: Broken) {
        self.fault = self.fault.or(Some((place, broken)));
        self.out.summary.cut |= broken == Broken::Cut;
        self.out.rejected(place, Rejected::new(broken.reason(), broken.detail()));
    }
}

/// Visits the elements of a list that may also be a lone object.
pub(super) fn each<'a>(raw: Option<Raw<'a>>, mut visit: impl FnMut(Raw<'a>)) {
    let Some(raw) = raw else { return };
    if raw.0.first() == Some(&b'{') {
        return visit(raw);
    }
    raw.elements().for_each(visit);
}

/// The text of a string, or of a number or truth value as it is written.
pub(super) fn text(raw: Option<Raw<'_>>) -> Option<std::borrow::Cow<'_, str>> {
    let raw = raw.filter(|raw| !raw.is_null())?;
    match raw.string() {
        Some(text) => text.ok(),
        None if matches!(raw.0.first(), Some(b'{' | b'[')) => None,
        None => std::str::from_utf8(raw.0).ok().map(std::borrow::Cow::Borrowed),
    }
}

/// A truth value in the spellings of web applications.
pub(super) fn flag(raw: Option<Raw<'_>>) -> Option<bool> {
    match text(raw)?.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Whether bytes are the beginning of a JSON object, for those who read one from elsewhere.
pub(super) fn whole_object(bytes: &[u8]) -> Option<Raw<'_>> {
    let bytes = bytes.trim_ascii();
    if bytes.first() != Some(&b'{') {
        return None;
    }
    json::value_end(bytes, 0).ok().map(|end| Raw(&bytes[..end]))
}
