//! One object of a bundle: an indicator, a marking definition, or something else.

use super::indicator::{Indicator, Unusable};
use super::json::{self, Extent, Fault, Raw};
use super::marking::{self, Level, Markings};

/// The members of an object that indicators and marking definitions are made of, as they stand in the JSON. Of a key
/// that is there twice the last counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Members<'a> {
    pub(crate) kind: Option<Raw<'a>>,
    pub(crate) spec_version: Option<Raw<'a>>,
    pub(crate) id: Option<Raw<'a>>,
    pub(crate) name: Option<Raw<'a>>,
    pub(crate) created_by_ref: Option<Raw<'a>>,
    pub(crate) created: Option<Raw<'a>>,
    pub(crate) modified: Option<Raw<'a>>,
    pub(crate) revoked: Option<Raw<'a>>,
    pub(crate) labels: Option<Raw<'a>>,
    pub(crate) confidence: Option<Raw<'a>>,
    pub(crate) object_marking_refs: Option<Raw<'a>>,
    pub(crate) pattern: Option<Raw<'a>>,
    pub(crate) pattern_type: Option<Raw<'a>>,
    pub(crate) indicator_types: Option<Raw<'a>>,
    pub(crate) valid_from: Option<Raw<'a>>,
    pub(crate) valid_until: Option<Raw<'a>>,
    definition_type: Option<Raw<'a>>,
    definition: Option<Raw<'a>>,
    extensions: Option<Raw<'a>>,
    /// It has a member that no TAXII envelope has.
    foreign: bool,
}

/// What an object is, for a reader of indicators.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "made and used up one at a time; a box would cost an allocation an indicator"
)]
pub(crate) enum Object<'a> {
    /// An indicator, and what in it was ignored.
    Indicator(Indicator<'a>, Vec<&'static str>),
    /// An indicator that refers to markings which have not been defined yet; read it again later.
    AwaitsMarking,
    /// A marking definition; it has been kept.
    Marking,
    /// An object of another type.
    Other,
    /// Something that cannot be used.
    Unusable(Unusable<'a>),
}

impl<'a> Members<'a> {
    /// Reads the object that begins at the first byte.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<(Self, Extent), Fault> {
        let mut members = Self::default();
        let extent = json::object(bytes, |key, value| members.set(key, value))?;
        Ok((members, extent))
    }

    /// The members before the first fault of a broken object.
    pub(crate) fn read_what_is_there(bytes: &'a [u8]) -> Self {
        let mut members = Self::default();
        if bytes.first() == Some(&b'{') {
            // Where it ends is of no interest here.
            let _ = json::object(bytes, |key, value| members.set(key, value));
        }
        members
    }

    #[inline]
    fn set(&mut self, key: &[u8], value: Raw<'a>) {
        let slot = match key {
            b"type" => &mut self.kind,
            b"spec_version" => &mut self.spec_version,
            b"id" => &mut self.id,
            b"name" => &mut self.name,
            b"created_by_ref" => &mut self.created_by_ref,
            b"created" => &mut self.created,
            b"modified" => &mut self.modified,
            b"revoked" => &mut self.revoked,
            b"labels" => &mut self.labels,
            b"confidence" => &mut self.confidence,
            b"object_marking_refs" => &mut self.object_marking_refs,
            b"pattern" => &mut self.pattern,
            b"pattern_type" => &mut self.pattern_type,
            b"indicator_types" => &mut self.indicator_types,
            b"valid_from" => &mut self.valid_from,
            b"valid_until" => &mut self.valid_until,
            b"definition_type" => &mut self.definition_type,
            b"definition" => &mut self.definition,
            b"extensions" => &mut self.extensions,
            b"more" | b"next" | b"objects" => return,
            _ => {
                self.foreign = true;
                return;
            }
        };
        self.foreign = true;
        *slot = (!value.is_null()).then_some(value);
    }

    /// What the object is. With `patient`, an indicator is not taken before all its markings are known.
    pub(crate) fn object(&self, markings: &mut Markings, patient: bool) -> Object<'a> {
        match self.kind.map(|kind| kind.0) {
            Some(b"\"indicator\"") => {
                if patient && !self.marking_refs().all(|id| markings.level(&id) != Level::Undefined) {
                    return Object::AwaitsMarking;
                }
                let mut ignored = Vec::new();
                match Indicator::from_members(self, markings, &mut ignored) {
                    Ok(indicator) => Object::Indicator(indicator, ignored),
                    Err(unusable) => Object::Unusable(unusable),
                }
            }
            Some(b"\"marking-definition\"") => {
                if let Some(Ok(id)) = self.id.and_then(Raw::string) {
                    markings.define(
                        &id,
                        marking::of_definition(self.definition_type, self.name, self.definition, self.extensions),
                    );
                }
                Object::Marking
            }
            Some([b'"', ..]) => Object::Other,
            None if self.is_empty_envelope() => Object::Other,
            _ => Object::Unusable(Unusable::new(self, "not a STIX object", "it has no type")),
        }
    }

    /// Whether it is an envelope without objects, which is how servers say that there is nothing more.
    pub(crate) fn is_empty_envelope(&self) -> bool {
        self.kind.is_none() && !self.foreign
    }

    /// Whether it has what every STIX object has: a type, and an id made of a type and something.
    pub(crate) fn looks_like_stix(&self) -> bool {
        let is_text = |raw: Option<Raw<'_>>| raw.is_some_and(|raw| raw.0.first() == Some(&b'"'));
        is_text(self.kind) && is_text(self.id) && self.id.is_some_and(|id| memchr::memmem::find(id.0, b"--").is_some())
    }

    /// Ids of the markings that the whole object carries. A lone string counts as a list of one.
    pub(crate) fn marking_refs(&self) -> impl Iterator<Item = std::borrow::Cow<'a, str>> + use<'a> {
        let refs = self.object_marking_refs;
        let lone = refs.filter(|raw| raw.string().is_some());
        lone.into_iter().chain(refs.into_iter().flat_map(Raw::elements)).filter_map(|raw| raw.string()?.ok())
    }
}
