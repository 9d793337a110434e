//! Values of the configuration file that are written as text or have a range.

use serde::de::{Deserialize, Deserializer, Error as _};
use std::fmt;
use std::ops::Deref;

/// Something that has a name.
pub(crate) trait ByName: Sized {
    /// What to say of any other name.
    const WHAT: &str;
    fn of_name(text: &str) -> Option<Self>;
}

/// A value that is read by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named<T>(pub(crate) T);

impl<T> Deref for Named<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ByName> std::str::FromStr for Named<T> {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        T::of_name(text).map(Self).ok_or_else(|| format!("{}: {}", text.escape_debug(), T::WHAT))
    }
}

/// What a TOML value looks like as text, so that numbers and texts are read alike.
struct Text;

impl serde::de::Visitor<'_> for Text {
    type Value = String;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text or a number")
    }
    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
    fn visit_f64<E>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

impl<'de, T: ByName> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)?.parse().map_err(D::Error::custom)
    }
}

/// A length of time: "500ms", "30s", "15m", "1h", "30d".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Duration(std::time::Duration);

impl Duration {
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    pub(crate) const fn get(self) -> std::time::Duration {
        self.0
    }

    pub(crate) const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }
}

impl std::str::FromStr for Duration {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let millis = match unit {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let number = number.parse::<u64>().ok();
        millis
            .zip(number)
            .and_then(|(unit, number)| number.checked_mul(unit))
            .map(|millis| Self(std::time::Duration::from_millis(millis)))
            .ok_or_else(|| format!("{}: no length of time such as 500ms, 30s, 15m, 1h or 30d", text.escape_debug()))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)?.parse().map_err(D::Error::custom)
    }
}

/// A number of bytes: "64KiB", "1GiB", or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl Default for Size {
    fn default() -> Self {
        Self(1 << 30)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Text)?;
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let unit = match unit.trim() {
            "" | "B" => Some(1),
            "KB" => Some(1000),
            "MB" => Some(1_000_000),
            "GB" => Some(1_000_000_000),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        let bytes = unit.zip(number.parse::<u64>().ok()).and_then(|(unit, number)| number.checked_mul(unit));
        bytes.map(Self).ok_or_else(|| {
            D::Error::custom(format_args!("{}: no number of bytes such as 500MB or 1GiB", text.escape_debug()))
        })
    }
}

/// A part of a whole: 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share(pub(crate) f64);

impl std::str::FromStr for Share {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
        number.map(Self).ok_or_else(|| format!("{}: no number from 0 to 1", text.escape_debug()))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)?.parse().map_err(D::Error::custom)
    }
}

/// 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hundred(pub(crate) u8);

impl ByName for Hundred {
    const WHAT: &str = "no whole number from 0 to 100";
    fn of_name(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number <= 100).map(Self)
    }
}

/// At least 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Factor(pub(crate) f64);

impl ByName for Factor {
    const WHAT: &str = "no factor of 1 or more";
    fn of_name(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &f64| *number >= 1.0 && number.is_finite()).map(Self)
    }
}
