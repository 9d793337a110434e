//! When a log line was written, as the line itself says.
//!
//! The first instant in the first 400 bytes counts. Read are RFC 3339 and its relatives (`2026-01-31T10:05:03.5Z`,
//! `2026-01-31 10:05:03,123`, `2026/01/31 10:05:03`), the common log format (`31/Jan/2026:10:05:03 +0100`), that of BIND
//! (`31-Jan-2026 10:05:03.123`) and of Snort (`01/31/2026-10:05:03.123`), RFC 3164 (`Jan 31 10:05:03`, with a year as
//! Cisco writes it), the C library (`Sat Jan 31 10:05:03 2026`), and seconds since 1970 at the beginning of a line
//! (`1769853903.25`, `[1769853903]`) or behind `"ts":` and the like, there also milliseconds. What zone a time is in it
//! may say itself: `Z`, `UTC`, `GMT`, or an offset; other letters (`CET`, `EST`) mean too many things to be heard. Without,
//! it is in the [`Zone`] of the log.

use super::zone::{self, Zone};
use crate::stix::Timestamp;

/// How far into a line its time is looked for, in bytes.
const REACH: usize = 400;

/// Reads times of lines, and keeps the year for those that state none.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Times without a year are put into the year that ends with this instant and a day.
    latest: Timestamp,
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const DAY: i64 = 86_400;

impl Clock {
    /// A clock for lines written up to an instant, mostly now.
    pub fn new(latest: Timestamp) -> Self {
        Self { latest }
    }

    /// When a line of a log of some zone was written, if it says so.
    ///
    /// ```
    /// use stockade::log::{Clock, Zone};
    /// use stockade::stix::Timestamp;
    ///
    /// let clock = Clock::new(Timestamp::parse("2026-03-01T00:00:00Z")?);
    /// let berlin = Zone::named("Europe/Berlin")?;
    /// let at = |line: &str| clock.time_of(line.as_bytes(), &berlin).map(|at| at.to_string());
    /// let expected = Some("2026-01-31T10:05:03Z".to_owned());
    /// assert_eq!(at("198.51.100.7 - - [31/Jan/2026:05:05:03 -0500] \"GET / HTTP/1.1\""), expected);
    /// assert_eq!(at("Jan 31 11:05:03 host sshd[7]: closed"), expected);
    /// assert_eq!(at("no time at all"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn time_of(&self, line: &[u8], zone: &Zone) -> Option<Timestamp> {
        let line = &line[..line.len().min(REACH)];
        if let Some(at) = seconds(line) {
            return Some(at);
        }
        // Every other form has a colon between digits; what stands before the first such colon tells which it is.
        (2..line.len()).filter(|&at| line[at] == b':' && line[at - 1].is_ascii_digit()).find_map(|colon| {
            let hour = colon - 2;
            let (clock, rest) = time_of_day(&line[hour..])?;
            let before = &line[..hour];
            let shown = Shown::new(clock, rest, zone)?;
            iso(before, &shown)
                .or_else(|| common_log(before, &shown))
                .or_else(|| alert(before, &shown))
                .or_else(|| self.month_first(before, &shown))
        })
    }

    /// The instant that a text states which is nothing but an instant: any form that lines have, and seconds, milli-, micro-
    /// or nanoseconds since 1970 as a bare number.
    ///
    /// ```
    /// use stockade::log::{Clock, Zone};
    /// use stockade::stix::Timestamp;
    ///
    /// let clock = Clock::new(Timestamp::parse("2026-03-01T00:00:00Z").unwrap());
    /// let expected = Timestamp::parse("2026-01-31T10:05:03.25Z").ok();
    /// assert_eq!(clock.instant(b"1769853903250", &Zone::UTC), expected);
    /// assert_eq!(clock.instant(b"2026-01-31T10:05:03.250+00:00", &Zone::UTC), expected);
    /// ```
    pub fn instant(&self, text: &[u8], zone: &Zone) -> Option<Timestamp> {
        let text = text.trim_ascii();
        unix(text).filter(|(.., tail)| tail.is_empty()).map(|(at, ..)| at).or_else(|| self.time_of(text, zone))
    }

    /// `Jan 31 ` before the time, perhaps with a year behind the day or the time.
    fn month_first(&self, before: &[u8], shown: &Shown<'_>) -> Option<Timestamp> {
        let before = before.strip_suffix(b" ")?;
        let (year, before) = match before.split_last_chunk::<5>() {
            Some((rest, [b' ', year @ ..])) if leading_year(year).is_some() => (leading_year(year), rest),
            _ => (None, before),
        };
        let (day, before) = trailing_number(before)?;
        let before = before.trim_ascii_end();
        let month = month(before.get(before.len().checked_sub(3)?..)?)?;
        if let Some(year) = year.or_else(|| shown.year_behind()) {
            return shown.on(year, month, day);
        }
        let limit = self.latest.seconds + DAY;
        let year = year_of(limit);
        // The 29th of February was in the last leap year.
        (year - 8..=year).rev().filter_map(|year| shown.on(year, month, day)).find(|at| at.seconds <= limit)
    }
}

/// A time of day, with what is written behind it.
struct Shown<'t> {
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    zone: std::borrow::Cow<'t, Zone>,
    behind: &'t [u8],
}

impl<'t> Shown<'t> {
    fn new(clock: &[u8], rest: &'t [u8], zone: &'t Zone) -> Option<Self> {
        let two = |at: usize| number(&clock[at..at + 2]).and_then(|number| i8::try_from(number).ok());
        let (fraction, behind) = fraction(rest);
        let nanos = fraction.iter().chain(std::iter::repeat(&b'0')).take(9);
        let (stated, behind) = stated_zone(behind);
        let zone = stated.map_or(std::borrow::Cow::Borrowed(zone), std::borrow::Cow::Owned);
        let nanos = nanos.fold(0, |n, b| n * 10 + i32::from(b - b'0'));
        Some(Self { hour: two(0)?, minute: two(3)?, second: two(6)?, nanos, zone, behind })
    }

    /// The instant on a day. Second 60 is the one at which the next minute begins.
    fn on(&self, year: i64, month: i64, day: i64) -> Option<Timestamp> {
        let (year, month, day) = (year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
        let leap = i64::from(self.second == 60);
        let second = if leap == 1 { 59 } else { self.second };
        let date = jiff::civil::Date::new(year, month, day).ok()?;
        let time = jiff::civil::Time::new(self.hour, self.minute, second, self.nanos).ok()?;
        let at = self.zone.instant(date.to_datetime(time))?;
        Some(Timestamp::from_unix(at.seconds + leap, at.nanos))
    }

    /// ` 2026` behind the time, perhaps with the letters of a zone before.
    fn year_behind(&self) -> Option<i64> {
        let rest = self.behind.strip_prefix(b" ")?;
        let letters = rest.iter().take_while(|b| b.is_ascii_uppercase()).count();
        let year = if (2..=5).contains(&letters) { rest[letters..].strip_prefix(b" ")? } else { rest };
        leading_year(year)
    }
}

/// Names behind which an instant may stand as a number.
const KEYS: [&[u8]; 5] = [b"\"ts\":", b"\"timestamp\":", b"\"@timestamp\":", b"\"time\":", b"msg=audit("];

/// Seconds since 1970: at the beginning of the line with a fraction or in brackets, or behind one of the names.
fn seconds(line: &[u8]) -> Option<Timestamp> {
    let start = line.trim_ascii_start();
    if let Some(rest) = start.strip_prefix(b"[") {
        return unix(rest).filter(|(.., tail)| tail.starts_with(b"]")).map(|(at, ..)| at);
    }
    if start.first().is_some_and(u8::is_ascii_digit) {
        let with_fraction = unix(start).filter(|(_, fraction, _)| !fraction.is_empty());
        return with_fraction.filter(|(.., tail)| ends(tail)).map(|(at, ..)| at);
    }
    KEYS.iter().find_map(|key| {
        let at = memchr::memmem::find(line, key)? + key.len();
        unix(line[at..].trim_ascii_start()).filter(|(.., tail)| ends(tail)).map(|(at, ..)| at)
    })
}

fn ends(tail: &[u8]) -> bool {
    tail.first().is_none_or(|b| matches!(b, b'\t' | b' ' | b',' | b'}' | b':'))
}

/// An instant as seconds since 1970, or as milli-, micro- or nanoseconds; with the digits of its fraction, and what
/// follows. Ten digits of seconds are 2001 to 2286; fewer are some other number.
fn unix(text: &[u8]) -> Option<(Timestamp, &[u8], &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (whole, tail) = text.split_at(digits);
    let (fraction, tail) = fraction(tail);
    let (seconds, more) = whole.split_at_checked(10).filter(|_| matches!(digits, 10 | 13 | 16 | 19))?;
    let below = more.iter().chain(fraction).chain(std::iter::repeat(&b'0')).take(9);
    let nanos = below.fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    Some((Timestamp::from_unix(number(seconds)?, nanos), fraction, tail))
}

/// `hh:mm:ss` and what follows.
fn time_of_day(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (clock, rest) = text.split_at_checked(8)?;
    let shape = |(i, b): (usize, &u8)| if i % 3 == 2 { *b == b':' } else { b.is_ascii_digit() };
    clock.iter().enumerate().all(shape).then_some((clock, rest))
}

/// `2026-01-31T` or `2026/01/31 ` before the time.
fn iso(before: &[u8], shown: &Shown<'_>) -> Option<Timestamp> {
    let (date, separator) = before.get(before.len().checked_sub(11)?..)?.split_at(10);
    let (b'-' | b'/', b'T' | b't' | b' ') = (date[4], separator[0]) else { return None };
    if date[7] != date[4] {
        return None;
    }
    shown.on(number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?)
}

/// `31/Jan/2026:` or `31-Jan-2026 ` before the time.
fn common_log(before: &[u8], shown: &Shown<'_>) -> Option<Timestamp> {
    let date = before.get(before.len().checked_sub(12)?..)?;
    let ((b'/', b'/', b':') | (b'-', b'-', b' ')) = (date[2], date[6], date[11]) else { return None };
    shown.on(number(&date[7..11])?, month(&date[3..6])?, number(&date[..2])?)
}

/// `01/31/2026-` before the time, as Snort and Suricata write alerts.
fn alert(before: &[u8], shown: &Shown<'_>) -> Option<Timestamp> {
    let date = before.get(before.len().checked_sub(11)?..)?;
    let (b'/', b'/', b'-') = (date[2], date[5], date[10]) else { return None };
    shown.on(number(&date[6..10])?, number(&date[..2])?, number(&date[3..5])?)
}

/// Digits behind a `.` or `,`, and what follows them.
fn fraction(text: &[u8]) -> (&[u8], &[u8]) {
    match text {
        [b'.' | b',', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => {
            rest.split_at(rest.iter().take_while(|b| b.is_ascii_digit()).count())
        }
        _ => (b"", text),
    }
}

/// The zone that stands behind a time, if one does that means the same everywhere, and what follows it.
fn stated_zone(text: &[u8]) -> (Option<Zone>, &[u8]) {
    let rest = text.strip_prefix(b" ").unwrap_or(text);
    if let Some((seconds, behind)) = zone::offset(rest) {
        return (Zone::ahead(seconds), behind);
    }
    let utc = [&b"Z"[..], b"z", b"UTC", b"GMT"].into_iter().find_map(|name| rest.strip_prefix(name));
    match utc.filter(|behind| !behind.first().is_some_and(u8::is_ascii_alphanumeric)) {
        Some(behind) => (Some(Zone::UTC), behind),
        None => (None, text),
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

fn month(name: &[u8]) -> Option<i64> {
    (1..).zip(MONTHS).find(|(_, month)| month.eq_ignore_ascii_case(name)).map(|(number, _)| number)
}

fn trailing_number(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count().min(2);
    let (rest, digits) = text.split_at(text.len() - digits);
    Some((number(digits).filter(|_| !digits.is_empty())?, rest))
}

fn leading_year(text: &[u8]) -> Option<i64> {
    let (year, rest) = text.split_at_checked(4)?;
    number(year).filter(|year| (1970..2200).contains(year) && !rest.first().is_some_and(u8::is_ascii_alphanumeric))
}

/// The calendar year of an instant.
fn year_of(seconds: i64) -> i64 {
    let text = Timestamp::from_unix(seconds, 0).to_string();
    text.get(..4).and_then(|year| number(year.as_bytes())).unwrap_or(1970)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_their_time_in_many_ways() {
        let clock = Clock::new(Timestamp::parse("2026-03-01T00:00:00Z").expect("an instant"));
        let cases = [
            ("2026-01-31T10:05:03Z x", "2026-01-31T10:05:03Z"),
            ("{\"timestamp\":\"2026-01-31T11:05:03.250+01:00\"}", "2026-01-31T10:05:03.25Z"),
            ("{\"timestamp\":\"2026-01-31T11:05:03.250000+0100\",\"x\":1}", "2026-01-31T10:05:03.25Z"),
            ("2026-01-31 10:05:03,250 INFO x", "2026-01-31T10:05:03.25Z"),
            ("2026/01/31 10:05:03 [error] x", "2026-01-31T10:05:03Z"),
            ("h - - [31/Jan/2026:11:05:03 +0100] \"GET / HTTP/1.1\"", "2026-01-31T10:05:03Z"),
            ("<34>Jan 31 10:05:03 host app: x", "2026-01-31T10:05:03Z"),
            ("Jan  3 10:05:03 host app: x", "2026-01-03T10:05:03Z"),
            ("Dec 31 10:05:03 host app: x", "2025-12-31T10:05:03Z"),
            ("[Sun Dec 04 04:47:44 2005] [notice] x", "2005-12-04T04:47:44Z"),
            ("1769853903.250000\tC1\t10.0.0.1", "2026-01-31T10:05:03.25Z"),
            ("{\"ts\":1769853903.25,\"uid\":\"C\"}", "2026-01-31T10:05:03.25Z"),
            ("{\"ts\":1769853903,\"uid\":\"C\"}", "2026-01-31T10:05:03Z"),
            ("[1769853903] unbound[7:0] info: x", "2026-01-31T10:05:03Z"),
            ("  1769853903.250    88 10.0.0.1 TCP_MISS/200", "2026-01-31T10:05:03.25Z"),
            ("{\"timestamp\":1769853903250,\"x\":1}", "2026-01-31T10:05:03.25Z"),
            ("type=SYSCALL msg=audit(1769853903.250:42): x", "2026-01-31T10:05:03.25Z"),
            ("31-Jan-2026 10:05:03.250 queries: info: x", "2026-01-31T10:05:03.25Z"),
            ("01/31/2026-10:05:03.250000  [**] x", "2026-01-31T10:05:03.25Z"),
            ("<166>Jan 31 2026 10:05:03: %ASA-6-302013: x", "2026-01-31T10:05:03Z"),
            ("%ASA x 2026-01-31 10:05:03 y 2027-01-31 10:05:03", "2026-01-31T10:05:03Z"),
        ];
        for (line, expected) in cases {
            let at = clock.time_of(line.as_bytes(), &Zone::UTC).unwrap_or_else(|| panic!("no time in {line}"));
            assert_eq!(at, Timestamp::parse(expected).expect("an instant"), "{line}");
        }
    }

    #[test]
    fn a_time_without_zone_is_in_that_of_the_log() {
        let clock = Clock::new(Timestamp::parse("2026-03-01T00:00:00Z").expect("an instant"));
        let zone = Zone::named("-05:00").expect("a zone");
        for (line, expected) in [
            ("2026-01-31 10:05:03,250 INFO x", "2026-01-31T15:05:03.25Z"),
            ("2026-01-31T10:05:03Z x", "2026-01-31T10:05:03Z"),
            ("2026-01-31 10:05:03.250 UTC [7] LOG: x", "2026-01-31T10:05:03.25Z"),
            ("2026-01-31 10:05:03.250+01 x", "2026-01-31T09:05:03.25Z"),
            ("I, [2026-01-31 10:05:03 +0100] x", "2026-01-31T09:05:03Z"),
            ("2026-01-31 10:05:03 GMTX x", "2026-01-31T15:05:03Z"),
            ("2026-01-31 10:05:03 EST x", "2026-01-31T15:05:03Z"),
            ("<34>Jan 31 10:05:03 host app: x", "2026-01-31T15:05:03Z"),
            ("*Jan 31 10:05:03.250 UTC: %SYS-5-CONFIG_I: x", "2026-01-31T10:05:03.25Z"),
            ("Sat Jan 31 10:05:03 EST 2026 x", "2026-01-31T15:05:03Z"),
            ("Sat Jan 31 10:05:03 UTC 2026 x", "2026-01-31T10:05:03Z"),
            ("[Sun Dec 04 04:47:44 2005] [notice] x", "2005-12-04T09:47:44Z"),
            ("01/31/2026-10:05:03.250000  [**] x", "2026-01-31T15:05:03.25Z"),
            ("h - - [31/Jan/2026:11:05:03 +0100] x", "2026-01-31T10:05:03Z"),
            ("1769853903.250000\tC1\t10.0.0.1", "2026-01-31T10:05:03.25Z"),
        ] {
            let at = clock.time_of(line.as_bytes(), &zone).unwrap_or_else(|| panic!("no time in {line}"));
            assert_eq!(at, Timestamp::parse(expected).expect("an instant"), "{line}");
        }
    }

    /// RFC 3164 states neither year nor zone: the last such time before tomorrow.
    #[test]
    fn a_time_without_a_year_is_the_last_there_was() {
        let at = |now: &str, zone: &str, line: &str| {
            let clock = Clock::new(Timestamp::parse(now).expect("an instant"));
            let at = clock.time_of(line.as_bytes(), &Zone::named(zone).expect("a zone"));
            at.map(|at| at.to_string())
        };
        let is = |text: &str| Some(text.to_owned());
        // Clocks that are ahead, and zones that are.
        assert_eq!(at("2026-01-01T00:10:00Z", "UTC", "Jan  1 12:00:00 h x"), is("2026-01-01T12:00:00Z"));
        assert_eq!(at("2025-12-31T23:30:00Z", "Asia/Tokyo", "Jan  1 08:25:00 h x"), is("2025-12-31T23:25:00Z"));
        assert_eq!(at("2026-01-01T00:10:00Z", "America/New_York", "Dec 31 19:05:00 h x"), is("2026-01-01T00:05:00Z"));
        // Older ones.
        assert_eq!(at("2026-01-01T00:10:00Z", "UTC", "Jan  3 12:00:00 h x"), is("2025-01-03T12:00:00Z"));
        assert_eq!(at("2026-07-01T00:00:00Z", "UTC", "Feb 29 12:00:00 h x"), is("2024-02-29T12:00:00Z"));
        assert_eq!(at("2026-07-01T00:00:00Z", "UTC", "Feb 30 12:00:00 h x"), None);
    }

    #[test]
    fn what_is_no_time_is_none() {
        let clock = Clock::new(Timestamp::parse("2026-03-01T00:00:00Z").expect("an instant"));
        for line in [
            "",
            ":",
            "12:34:56",
            "10.0.0.1:80 10:05",
            "2026-13-31T10:05:03Z",
            "99/Jan/2026:10:05:03",
            "1769853903 packets",
            "aa:bb:cc:dd:ee:ff",
            "Feb 30 10:05:03",
        ] {
            assert_eq!(clock.time_of(line.as_bytes(), &Zone::UTC), None, "{line}");
        }
    }
}
