//! Instants as STIX writes them (STIX 2.1 section 3.16): RFC 3339 in UTC, upper-case T and Z.

use std::fmt;
use std::str::FromStr;

/// An instant, in nanoseconds of UTC; the order of values is the order of time.
///
/// ```
/// use stockade::stix::Timestamp;
///
/// let end = Timestamp::parse("2026-05-17T10:30:00.250Z").unwrap();
/// assert_eq!(end.to_string(), "2026-05-17T10:30:00.250Z");
/// assert!(end > Timestamp::parse("2026-05-17T10:30:00Z").unwrap());
/// assert_eq!(Timestamp::parse_lenient("2026-05-17 12:30:00.25+02:00").unwrap(), end);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; years 0000 to 9999.
    pub seconds: i64,
    /// Nanoseconds within the second; further digits of a fraction are dropped.
    pub nanos: u32,
}

/// Why a text is no timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampError(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shape,
    Month,
    Day,
    Time,
    Offset,
}

impl Timestamp {
    /// Parses `YYYY-MM-DDTHH:MM:SS[.f]Z`, the only form that STIX allows: upper-case letters, UTC, a fraction of one
    /// digit or more. Second 60 is the instant at which the next minute begins.
    ///
    /// # Errors
    /// Any other form, and dates and times that do not exist.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let mut rest = Rest(text.as_bytes());
        let days = rest.date()?;
        rest.expect(b'T')?;
        let (second, nanos) = rest.time()?;
        rest.expect(b'Z')?;
        rest.end()?;
        Ok(Self::from_unix(days * DAY + second, nanos))
    }

    /// Parses what feeds write for it too: `t`, a space or several for T; `z`, an offset (`+02:00`, `+0200`, `+02`,
    /// `UTC`, also after a space) or nothing (UTC is meant) for Z; a comma before the fraction; no seconds; a date
    /// alone (its first instant); white space around it.
    ///
    /// # Errors
    /// Any other form, and dates and times that do not exist.
    pub fn parse_lenient(text: &str) -> Result<Self, TimestampError> {
        if let Ok(at) = Self::parse(text) {
            return Ok(at);
        }
        let mut rest = Rest(text.trim_ascii().as_bytes());
        let midnight = rest.date()? * DAY;
        if rest.0.is_empty() {
            return Ok(Self { seconds: midnight, nanos: 0 });
        }
        if !rest.skip_any(b"Tt") && rest.skip_spaces() == 0 {
            return Err(TimestampError(Kind::Shape));
        }
        let (second, nanos) = rest.time_lenient()?;
        rest.skip_spaces();
        let east = rest.offset()?;
        rest.end()?;
        Ok(Self::from_unix(midnight + second - east, nanos))
    }

    /// An instant from seconds since 1970, as system clocks count; outside of the years 0000 to 9999 the nearest
    /// instant inside.
    pub fn from_unix(seconds: i64, nanos: u32) -> Self {
        Self {
            seconds: seconds.clamp(days_from_civil(0, 1, 1) * DAY, days_from_civil(10_000, 1, 1) * DAY - 1),
            nanos: nanos.min(999_999_999),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Writes the form that [`Timestamp::parse`] reads, the fraction with 0, 3, 6 or 9 digits as needed.
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.seconds.div_euclid(DAY));
        let second = self.seconds.rem_euclid(DAY);
        write!(out, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        match self.nanos {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => write!(out, ".{:03}", nanos / 1_000_000)?,
            nanos if nanos % 1_000 == 0 => write!(out, ".{:06}", nanos / 1_000)?,
            nanos => write!(out, ".{nanos:09}")?,
        }
        out.write_str("Z")
    }
}

impl fmt::Display for TimestampError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.0 {
            Kind::Shape => "not of the form YYYY-MM-DDTHH:MM:SS.fffZ",
            Kind::Month => "month is not 01 to 12",
            Kind::Day => "no such day in that month",
            Kind::Time => "time of day is out of range",
            Kind::Offset => "offset from UTC is out of range",
        })
    }
}

impl std::error::Error for TimestampError {}

const DAY: i64 = 86_400;

/// What of the text is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn date(&mut self) -> Result<i64, TimestampError> {
        let year = self.digits::<4>()?;
        self.expect(b'-')?;
        let month = self.digits::<2>()?;
        self.expect(b'-')?;
        let day = self.digits::<2>()?;
        if !(1..=12).contains(&month) {
            return Err(TimestampError(Kind::Month));
        }
        if day < 1 || day > days_in_month(year, month) {
            return Err(TimestampError(Kind::Day));
        }
        Ok(days_from_civil(year, month, day))
    }

    fn time(&mut self) -> Result<(i64, u32), TimestampError> {
        let minutes = self.hours_and_minutes()?;
        self.expect(b':')?;
        let second = self.second()?;
        let nanos = if self.skip_any(b".") { self.fraction()? } else { 0 };
        Ok((minutes * 60 + second, nanos))
    }

    fn time_lenient(&mut self) -> Result<(i64, u32), TimestampError> {
        let minutes = self.hours_and_minutes()?;
        if !self.skip_any(b":") {
            return Ok((minutes * 60, 0));
        }
        let second = self.second()?;
        let nanos = if self.skip_any(b".,") { self.fraction()? } else { 0 };
        Ok((minutes * 60 + second, nanos))
    }

    fn hours_and_minutes(&mut self) -> Result<i64, TimestampError> {
        let hour = self.digits::<2>()?;
        self.expect(b':')?;
        let minute = self.digits::<2>()?;
        if hour > 23 || minute > 59 {
            return Err(TimestampError(Kind::Time));
        }
        Ok(hour * 60 + minute)
    }

    fn second(&mut self) -> Result<i64, TimestampError> {
        let second = self.digits::<2>()?;
        if second > 60 {
            return Err(TimestampError(Kind::Time));
        }
        Ok(second)
    }

    fn fraction(&mut self) -> Result<u32, TimestampError> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(TimestampError(Kind::Shape));
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let padded = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
        Ok(padded.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0')))
    }

    /// Seconds that the clock of the text is ahead of UTC.
    fn offset(&mut self) -> Result<i64, TimestampError> {
        match self.0 {
            [] => return Ok(0),
            zone if [&b"z"[..], b"utc", b"gmt"].iter().any(|name| zone.eq_ignore_ascii_case(name)) => {
                self.0 = &[];
                return Ok(0);
            }
            _ => {}
        }
        let sign = if self.skip_any(b"+") { 1 } else { -1 };
        if sign < 0 {
            self.expect(b'-')?;
        }
        let hours = self.digits::<2>()?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            self.skip_any(b":");
            self.digits::<2>()?
        };
        if hours > 23 || minutes > 59 {
            return Err(TimestampError(Kind::Offset));
        }
        Ok(sign * (hours * 60 + minutes) * 60)
    }

    fn digits<const N: usize>(&mut self) -> Result<i64, TimestampError> {
        let (digits, rest) = self.0.split_first_chunk::<N>().ok_or(TimestampError(Kind::Shape))?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(TimestampError(Kind::Shape));
        }
        self.0 = rest;
        Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    fn expect(&mut self, byte: u8) -> Result<(), TimestampError> {
        if self.skip_any(&[byte]) { Ok(()) } else { Err(TimestampError(Kind::Shape)) }
    }

    fn skip_any(&mut self, bytes: &[u8]) -> bool {
        match self.0 {
            [first, rest @ ..] if bytes.contains(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_spaces(&mut self) -> usize {
        let before = self.0.len();
        self.0 = self.0.trim_ascii_start();
        before - self.0.len()
    }

    fn end(&self) -> Result<(), TimestampError> {
        if self.0.is_empty() { Ok(()) } else { Err(TimestampError(Kind::Shape)) }
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that a leap day is the
/// last of its year, and in cycles of 400, which are all alike (Howard Hinnant, "chrono-compatible low-level date
/// algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let cycle = days.div_euclid(146_097);
    let day_of_cycle = days.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (cycle * 400 + year_of_cycle + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn reads_known_instants() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1969-12-31T23:59:59.5Z", -1, 500_000_000),
            ("2000-02-29T12:00:00Z", 951_825_600, 0),
            ("2026-05-16T08:21:30Z", 1_778_919_690, 0),
            ("2015-05-15T09:12:16.432678Z", 1_431_681_136, 432_678_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
            ("9999-12-31T23:59:59.9999999999Z", 253_402_300_799, 999_999_999),
        ] {
            assert_eq!(Timestamp::parse(text), Ok(Timestamp { seconds, nanos }), "{text}");
        }
    }

    #[test]
    fn second_sixty_is_the_start_of_the_next_minute() {
        assert_eq!(at("2016-12-31T23:59:60Z"), at("2017-01-01T00:00:00Z"));
        assert_eq!(at("2016-12-31T23:59:60.25Z"), at("2017-01-01T00:00:00.25Z"));
    }

    #[test]
    fn strict_form_refuses_everything_else() {
        for text in [
            "",
            "2026-05-16",
            "2026-05-16T08:21:30",
            "2026-05-16T08:21Z",
            "2026-05-16t08:21:30Z",
            "2026-05-16T08:21:30z",
            "2026-05-16 08:21:30Z",
            "2026-05-16T08:21:30.Z",
            "2026-05-16T08:21:30,5Z",
            "2026-05-16T08:21:30+00:00",
            "2026-05-16T08:21:30Z ",
            " 2026-05-16T08:21:30Z",
            "2026-5-16T08:21:30Z",
            "+2026-05-16T08:21:30Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-04-00T00:00:00Z",
            "2026-05-16T24:00:00Z",
            "2026-05-16T08:60:00Z",
            "2026-05-16T08:21:61Z",
            "2026-05-16T08:21:3éZ",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lenient_form_reads_what_feeds_write() {
        let expected = at("2026-05-16T08:21:30Z");
        for text in [
            "2026-05-16T08:21:30Z",
            "2026-05-16t08:21:30z",
            "2026-05-16 08:21:30",
            "2026-05-16  08:21:30 UTC",
            " 2026-05-16T08:21:30.000 \n",
            "2026-05-16T10:21:30+02:00",
            "2026-05-16T10:21:30+0200",
            "2026-05-16 10:21:30 +02",
            "2026-05-16T02:51:30-05:30",
            "2026-05-16T08:21:30,0Z",
        ] {
            assert_eq!(Timestamp::parse_lenient(text), Ok(expected), "{text}");
        }
        assert_eq!(Timestamp::parse_lenient("2026-05-16T08:21Z"), Ok(at("2026-05-16T08:21:00Z")));
        assert_eq!(Timestamp::parse_lenient("2026-05-16"), Ok(at("2026-05-16T00:00:00Z")));
        for text in [
            "",
            "never",
            "2026",
            "2026-05-16T",
            "2026-05-1608:21:30",
            "2026-05-16T08:21:30+24:00",
            "2026-05-16T08:21:30 CET",
            "16/05/2026",
        ] {
            assert!(Timestamp::parse_lenient(text).is_err(), "{text}");
        }
    }

    #[test]
    fn writes_the_shortest_fraction_of_whole_groups() {
        for text in [
            "2026-05-16T08:21:30Z",
            "2026-05-16T08:21:30.010Z",
            "2026-05-16T08:21:30.000001Z",
            "2026-05-16T08:21:30.000000001Z",
        ] {
            assert_eq!(at(text).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn every_instant_reads_back(seconds in -62_167_219_200_i64..253_402_300_800, nanos in 0_u32..1_000_000_000) {
            let instant = Timestamp { seconds, nanos };
            prop_assert_eq!(Timestamp::parse(&instant.to_string()), Ok(instant));
        }

        #[test]
        fn the_calendar_is_the_usual_one(days in -719_528_i64..2_932_896) {
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let (year, month, day) = civil_from_days(days);
            prop_assert_eq!((year, month, day), (i64::from(date.year()), i64::from(date.month()), i64::from(date.day())));
            prop_assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
