//! Time zones, for logs whose times state none.

use crate::stix::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use std::fmt;

/// The clock by which a log is written.
///
/// ```
/// use stockade::log::Zone;
///
/// assert!(Zone::named("Europe/Berlin").is_ok() && Zone::named("+05:30").is_ok());
/// let error = Zone::named("berlin").unwrap_err().to_string();
/// assert!(error.contains("Europe/Berlin"), "{error}");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone(
    /// Without one, UTC.
    Option<TimeZone>,
);

/// A name that is no time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownZone {
    name: String,
    /// A zone that may be meant.
    near: Option<String>,
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(None);

    /// A zone by its name in the database of IANA (`Europe/Berlin`), which is the system's, or one that comes along where
    /// the system has none; by its offset (`+02:00`, `-0330`, `+01`); `UTC`; or `local`, that of this machine.
    ///
    /// # Errors
    /// There is no such zone, or the machine does not know its own.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        if ["utc", "gmt", "z"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
            return Ok(Self::UTC);
        }
        let zone = if name.eq_ignore_ascii_case("local") {
            TimeZone::try_system().ok()
        } else if name.starts_with(['+', '-']) {
            offset(name.as_bytes())
                .filter(|(_, rest)| rest.is_empty())
                .and_then(|(seconds, _)| Some(Offset::from_seconds(seconds).ok()?.to_time_zone()))
        } else {
            jiff::tz::db().get(name).ok()
        };
        zone.map(|zone| Self(Some(zone))).ok_or_else(|| UnknownZone { name: name.to_owned(), near: near(name) })
    }

    /// The instant at which clocks of this zone show a time. Where they show it twice, the first; one that they skip is
    /// told by the clock of before.
    pub(super) fn instant(&self, shown: DateTime) -> Option<Timestamp> {
        let at = match &self.0 {
            None => Offset::UTC.to_timestamp(shown),
            Some(zone) => zone.to_ambiguous_timestamp(shown).compatible(),
        };
        let at = at.ok()?;
        let nanos = at.as_nanosecond();
        let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
        Some(Timestamp::from_unix(seconds, nanos.rem_euclid(1_000_000_000) as u32))
    }

    /// A zone that is so many seconds ahead of UTC.
    pub(super) fn ahead(seconds: i32) -> Option<Self> {
        Some(Self(Some(Offset::from_seconds(seconds).ok()?.to_time_zone())))
    }
}

/// `+0100`, `+01:00` or `+01` in seconds, and what follows.
pub(super) fn offset(text: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, rest) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let two = |digits: &[u8]| match digits {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', ..] => Some(i32::from(a - b'0') * 10 + i32::from(b - b'0')),
        _ => None,
    };
    let hours = two(rest)?;
    let rest = &rest[2..];
    let behind = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = two(behind).map_or((0, rest), |minutes| (minutes, &behind[2..]));
    let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
    (ends && hours < 24 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

/// The zone that has such a name as its last part, whatever the case of its letters and the sign between its words.
fn near(name: &str) -> Option<String> {
    let bare = |text: &str| text.replace([' ', '-'], "_").to_ascii_lowercase();
    let wanted = bare(name);
    let last = wanted.rsplit('/').next().filter(|last| !last.is_empty())?;
    let known = jiff::tz::db().available().map(|name| name.to_string());
    known.filter(|known| known.contains('/')).find(|known| bare(known).rsplit('/').next() == Some(last))
}

impl fmt::Display for UnknownZone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.eq_ignore_ascii_case("local") {
            return out.write_str("this machine does not say its time zone; name it, such as Europe/Berlin, or set TZ");
        }
        write!(out, "no such time zone: {}; ", self.name.escape_debug())?;
        match &self.near {
            Some(near) => write!(out, "{near} may be meant"),
            None => out.write_str("known are names such as Europe/Berlin, offsets such as +02:00, UTC, and local"),
        }
    }
}

impl std::error::Error for UnknownZone {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_names_and_offsets() {
        let noon = jiff::civil::date(2026, 7, 1).at(12, 0, 0, 0);
        for (name, expected) in [
            ("UTC", "2026-07-01T12:00:00Z"),
            ("gmt", "2026-07-01T12:00:00Z"),
            ("+02:00", "2026-07-01T10:00:00Z"),
            ("-0330", "2026-07-01T15:30:00Z"),
            ("+01", "2026-07-01T11:00:00Z"),
            ("Europe/Berlin", "2026-07-01T10:00:00Z"),
            ("America/New_York", "2026-07-01T16:00:00Z"),
        ] {
            let zone = Zone::named(name).expect(name);
            assert_eq!(zone.instant(noon).map(|at| at.to_string()).as_deref(), Some(expected), "{name}");
        }
        for (name, part) in [
            ("Berlin", "Europe/Berlin may be meant"),
            ("europe/new york", "America/New_York may be meant"),
            ("Europa/Nirgendwo", "such as Europe/Berlin"),
            ("+25:00", "offsets such as +02:00"),
            ("+2", "offsets such as +02:00"),
            ("../../etc/passwd", "no such time zone"),
            ("", "no such time zone"),
        ] {
            let error = Zone::named(name).expect_err(name).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_first_and_one_that_is_skipped_is_told_by_the_clock_of_before() {
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        let at = |month, day, hour| {
            let shown = jiff::civil::date(2026, month, day).at(hour, 30, 0, 0);
            berlin.instant(shown).map(|at| at.to_string()).expect("an instant")
        };
        assert_eq!(at(10, 25, 2), "2026-10-25T00:30:00Z", "twice");
        assert_eq!(at(3, 29, 2), "2026-03-29T01:30:00Z", "skipped");
    }
}
