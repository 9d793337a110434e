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

/// Which member a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Kind,
    SpecVersion,
    Id,
    Name,
    CreatedByRef,
    Created,
    Modified,
    Revoked,
    Labels,
    Confidence,
    ObjectMarkingRefs,
    Pattern,
    PatternType,
    IndicatorTypes,
    ValidFrom,
    ValidUntil,
    DefinitionType,
    Definition,
    Extensions,
    /// What only containers have.
    Envelope,
    /// What is of no interest.
    Foreign,
}

impl Slot {
    pub(crate) fn of(key: &[u8]) -> Self {
        match key {
            b"type" => Self::Kind,
            b"spec_version" => Self::SpecVersion,
            b"id" => Self::Id,
            b"name" => Self::Name,
            b"created_by_ref" => Self::CreatedByRef,
            b"created" => Self::Created,
            b"modified" => Self::Modified,
            b"revoked" => Self::Revoked,
            b"labels" => Self::Labels,
            b"confidence" => Self::Confidence,
            b"object_marking_refs" => Self::ObjectMarkingRefs,
            b"pattern" => Self::Pattern,
            b"pattern_type" => Self::PatternType,
            b"indicator_types" => Self::IndicatorTypes,
            b"valid_from" => Self::ValidFrom,
            b"valid_until" => Self::ValidUntil,
            b"definition_type" => Self::DefinitionType,
            b"definition" => Self::Definition,
            b"extensions" => Self::Extensions,
            b"more" | b"next" | b"objects" => Self::Envelope,
            _ => Self::Foreign,
        }
    }
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
        let extent = json::object(bytes, |key, value| members.set(Slot::of(key), value))?;
        Ok((members, extent))
    }

    /// The members before the first fault of a broken object.
    pub(crate) fn read_what_is_there(bytes: &'a [u8]) -> Self {
        let mut members = Self::default();
        if bytes.first() == Some(&b'{') {
            // Where it ends is of no interest here.
            let _ = json::object(bytes, |key, value| members.set(Slot::of(key), value));
        }
        members
    }

    /// Takes the value of a member.
    #[inline]
    pub(crate) fn set(&mut self, slot: Slot, value: Raw<'a>) {
        let place = match slot {
            Slot::Kind => &mut self.kind,
            Slot::SpecVersion => &mut self.spec_version,
            Slot::Id => &mut self.id,
            Slot::Name => &mut self.name,
            Slot::CreatedByRef => &mut self.created_by_ref,
            Slot::Created => &mut self.created,
            Slot::Modified => &mut self.modified,
            Slot::Revoked => &mut self.revoked,
            Slot::Labels => &mut self.labels,
            Slot::Confidence => &mut self.confidence,
            Slot::ObjectMarkingRefs => &mut self.object_marking_refs,
            Slot::Pattern => &mut self.pattern,
            Slot::PatternType => &mut self.pattern_type,
            Slot::IndicatorTypes => &mut self.indicator_types,
            Slot::ValidFrom => &mut self.valid_from,
            Slot::ValidUntil => &mut self.valid_until,
            Slot::DefinitionType => &mut self.definition_type,
            Slot::Definition => &mut self.definition,
            Slot::Extensions => &mut self.extensions,
            Slot::Envelope => return,
            Slot::Foreign => {
                self.foreign = true;
                return;
            }
        };
        self.foreign = true;
        *place = (!value.is_null()).then_some(value);
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
