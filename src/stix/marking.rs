//! Traffic-light markings: TLP 1.0 as STIX defines it (STIX 2.1 section 7.2.1.4, the same ids in 2.0), and TLP 2.0 as
//! the OASIS extension `extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d` does.

use super::json::Raw;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// Traffic-light markings, from free to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// `TLP:CLEAR`, formerly `TLP:WHITE`.
    Clear,
    /// `TLP:GREEN`
    Green,
    /// `TLP:AMBER`
    Amber,
    /// `TLP:AMBER+STRICT`
    AmberStrict,
    /// `TLP:RED`
    Red,
}

/// A text that names no traffic-light marking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTlp;

/// Reads `amber`, `TLP:AMBER+STRICT`, `tlp:white` and the like.
impl FromStr for Tlp {
    type Err = UnknownTlp;

    fn from_str(text: &str) -> Result<Self, UnknownTlp> {
        let text = text.trim();
        let name = without_prefix(text).unwrap_or(text).to_ascii_lowercase().replace(['-', '_', ' '], "+");
        match name.as_str() {
            "clear" | "white" => Ok(Self::Clear),
            "green" => Ok(Self::Green),
            "amber" => Ok(Self::Amber),
            "amber+strict" => Ok(Self::AmberStrict),
            "red" => Ok(Self::Red),
            _ => Err(UnknownTlp),
        }
    }
}

/// Writes `clear`, `green`, `amber`, `amber+strict` or `red`.
impl fmt::Display for Tlp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        })
    }
}

impl fmt::Display for UnknownTlp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not one of clear, green, amber, amber+strict, red")
    }
}

impl std::error::Error for UnknownTlp {}

impl Tlp {
    /// The id of the marking definition that states this level: of STIX 2.1 section 7.2.1.4, and of TLP 2.0 for the level
    /// that 1.0 lacks.
    pub(crate) fn marking(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
            Self::Green => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
            Self::Amber => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        }
    }
}

/// The level of a label such as `tlp:amber`, which some producers use beside or instead of a marking.
pub(crate) fn of_label(label: &str) -> Option<Tlp> {
    without_prefix(label)?.parse().ok()
}

fn without_prefix(text: &str) -> Option<&str> {
    let prefix = text.get(..4)?;
    prefix.eq_ignore_ascii_case("tlp:").then(|| &text[4..])
}

/// Definitions that are kept, at most.
const MAX_DEFINITIONS: usize = 100_000;

/// What the marking definitions read so far say, by id.
#[derive(Debug, Default)]
pub(crate) struct Markings {
    seen: HashMap<Box<str>, Option<Tlp>>,
}

impl Markings {
    /// The level of a marking.
    pub(crate) fn level(&self, id: &str) -> Level {
        if let Some(tlp) = well_known(id) {
            return Level::Tlp(tlp);
        }
        match self.seen.get(id) {
            Some(&Some(tlp)) => Level::Tlp(tlp),
            Some(None) => Level::Other,
            None => Level::Undefined,
        }
    }

    /// Keeps what a definition says. There is an end to that, so that no bundle takes all memory.
    pub(crate) fn define(&mut self, id: &str, level: Option<Tlp>) {
        if self.seen.len() < MAX_DEFINITIONS {
            self.seen.insert(id.into(), level);
        }
    }
}

/// What is known of a marking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A traffic light.
    Tlp(Tlp),
    /// Something else, such as a statement.
    Other,
    /// Its definition has not been seen.
    Undefined,
}

impl Level {
    pub(crate) fn tlp(self) -> Option<Tlp> {
        if let Self::Tlp(tlp) = self { Some(tlp) } else { None }
    }
}

/// The marking definitions that need no object beside them.
fn well_known(id: &str) -> Option<Tlp> {
    match id.strip_prefix("marking-definition--")? {
        "613f2e26-407d-48c7-9eca-b8e91df99dc9" | "94868c89-83c2-464b-929b-a1a8aa3c8487" => Some(Tlp::Clear),
        "34098fce-860f-48ae-8e50-ebd3cc5e41da" | "bab4a63c-aed9-4cf5-a766-dfca5abac2bb" => Some(Tlp::Green),
        "f88d31f6-486f-44da-b317-01333bde0b82" | "55d920b0-5e8b-4f79-9ee9-91f868d9b421" => Some(Tlp::Amber),
        "939a9414-2ddd-4d32-a0cd-375ea402b003" => Some(Tlp::AmberStrict),
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed" | "e828b379-4e03-4974-9ac4-e53a884c97c1" => Some(Tlp::Red),
        _ => None,
    }
}

/// The level that a marking definition states: in its `definition`, in an extension's `tlp_2_0`, or by a type or name
/// such as `TLP:AMBER`.
pub(crate) fn of_definition(
    definition_type: Option<Raw<'_>>,
    name: Option<Raw<'_>>,
    definition: Option<Raw<'_>>,
    extensions: Option<Raw<'_>>,
) -> Option<Tlp> {
    let mut strictest = None;
    let mut take = |raw: Raw<'_>, read: fn(&str) -> Option<Tlp>| {
        if let Some(Ok(text)) = raw.string() {
            strictest = strictest.max(read(&text));
        }
    };
    if let Some(definition) = definition {
        definition.members(|key, value| {
            if key == b"tlp" {
                take(value, |text| text.parse().ok());
            }
        });
    }
    if let Some(extensions) = extensions {
        extensions.members(|_, extension| {
            extension.members(|key, value| {
                if key == b"tlp_2_0" {
                    take(value, |text| text.parse().ok());
                }
            });
        });
    }
    for text in [definition_type, name].into_iter().flatten() {
        take(text, of_label);
    }
    strictest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_and_print() {
        for (text, level) in [
            ("white", Tlp::Clear),
            ("TLP:CLEAR", Tlp::Clear),
            ("tlp:green", Tlp::Green),
            ("Amber", Tlp::Amber),
            ("TLP:AMBER+STRICT", Tlp::AmberStrict),
            ("amber-strict", Tlp::AmberStrict),
            ("RED", Tlp::Red),
        ] {
            assert_eq!(text.parse(), Ok(level), "{text}");
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert_eq!("".parse::<Tlp>(), Err(UnknownTlp));
        assert_eq!("tlp:".parse::<Tlp>(), Err(UnknownTlp));
        assert_eq!("ambér".parse::<Tlp>(), Err(UnknownTlp));
        assert_eq!(of_label("red"), None);
    }

    #[test]
    fn markings_state_their_level() {
        for tlp in [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red] {
            assert_eq!(well_known(tlp.marking()), Some(tlp));
        }
    }

    #[test]
    fn levels_are_ordered_from_free_to_strict() {
        assert!(
            Tlp::Clear < Tlp::Green
                && Tlp::Green < Tlp::Amber
                && Tlp::Amber < Tlp::AmberStrict
                && Tlp::AmberStrict < Tlp::Red
        );
    }

    #[test]
    fn definitions_state_levels_in_several_ways() {
        let raw = |text: &'static str| Some(Raw(text.as_bytes()));
        for (kind, name, definition, extensions, level) in [
            (raw(r#""tlp""#), None, raw(r#"{"tlp": "amber"}"#), None, Some(Tlp::Amber)),
            (
                None,
                None,
                None,
                raw(
                    r#"{"extension-definition--x": {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}"#,
                ),
                Some(Tlp::AmberStrict),
            ),
            (raw(r#""TLP:RED""#), None, None, None, Some(Tlp::Red)),
            (raw(r#""statement""#), raw(r#""TLP:GREEN""#), raw(r#"{"statement": "red"}"#), None, Some(Tlp::Green)),
            (raw(r#""statement""#), raw(r#""red""#), raw(r#"{"statement": "tlp:red"}"#), None, None),
            (raw("1"), raw("null"), raw("[]"), raw("[]"), None),
        ] {
            assert_eq!(of_definition(kind, name, definition, extensions), level);
        }
    }
}
