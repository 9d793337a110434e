//! How long to wait: what servers ask for, and what a client chooses when they do not.

use super::transport::Headers;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wait after the first fault; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that a client chooses by itself.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Time, as a client sees it.
pub trait Clock: Send {
    /// What time it is.
    fn now(&self) -> SystemTime;
    /// Waits. False: do not go on, the program is about to end.
    fn sleep(&self, time: Duration) -> bool;
    /// Whether the program is about to end.
    fn is_stopped(&self) -> bool {
        false
    }
    /// A number from 0 to 1, another one each time, so that clients which failed together do not come back
    /// together.
    fn jitter(&self) -> f64;
}

/// The system's clock; waits end early once the flag is set.
#[derive(Clone, Debug, Default)]
pub struct SystemClock {
    stop: Arc<AtomicBool>,
}

impl SystemClock {
    /// A clock whose waits end as soon as `stop` is set.
    pub fn new(stop: Arc<AtomicBool>) -> Self {
        Self { stop }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, time: Duration) -> bool {
        const SLICE: Duration = Duration::from_millis(50);
        let mut left = time;
        while !self.is_stopped() && !left.is_zero() {
            let slice = left.min(SLICE);
            std::thread::sleep(slice);
            left -= slice;
        }
        !self.is_stopped()
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn jitter(&self) -> f64 {
        use std::hash::BuildHasher;
        let bits = foldhash::fast::RandomState::default().hash_one(SystemTime::now());
        f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
    }
}

/// The wait before the next try when the server named none: half of it is certain, the other half up to chance.
pub(super) fn backoff(tries: u32, jitter: f64) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_WAIT);
    whole.mul_f64(0.5 + 0.5 * jitter)
}

/// How long a refused client is asked to wait.
pub(super) fn retry_after(headers: &Headers, now: SystemTime) -> Option<Duration> {
    let asked = headers.get("retry-after").and_then(|text| {
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let date = httpdate::parse_http_date(text).ok()?;
        Some(date.duration_since(now).unwrap_or_default())
    });
    asked.or_else(|| reset(headers, now))
}

/// How long to wait before the next request, although this one was answered: nothing remains of what may be asked.
pub(super) fn exhausted(headers: &Headers, now: SystemTime) -> Option<Duration> {
    let remaining = ["x-ratelimit-remaining", "ratelimit-remaining"].iter().find_map(|name| headers.get(name))?;
    (remaining.parse::<f64>().ok()? <= 0.0).then(|| reset(headers, now)).flatten()
}

/// When the count of requests begins anew. Most servers say it in seconds since 1970, some in milliseconds, some in
/// seconds from now.
fn reset(headers: &Headers, now: SystemTime) -> Option<Duration> {
    let text =
        ["x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"].iter().find_map(|name| headers.get(name))?;
    let number = text.parse::<f64>().ok().filter(|number| *number >= 0.0)?;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let seconds = match number {
        relative if relative < 1e9 => relative,
        seconds if seconds < 1e11 => seconds - now,
        millis => millis / 1000.0 - now,
    };
    Duration::try_from_secs_f64(seconds.max(0.0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000;

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        pairs.iter().copied().collect()
    }

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(NOW)
    }

    #[test]
    fn servers_say_when_to_come_back() {
        let date = httpdate::fmt_http_date(now() + Duration::from_secs(90));
        let past = httpdate::fmt_http_date(now() - Duration::from_secs(90));
        for (pairs, seconds) in [
            (vec![("Retry-After", "7")], Some(7)),
            (vec![("Retry-After", date.as_str())], Some(90)),
            (vec![("Retry-After", past.as_str())], Some(0)),
            (vec![("X-RateLimit-Reset", "1790000012")], Some(12)),
            (vec![("X-RateLimit-Reset", "1790000012000")], Some(12)),
            (vec![("X-RateLimit-Reset", "30")], Some(30)),
            (vec![("X-RateLimit-Reset", "1700000000")], Some(0)),
            (vec![("Retry-After", "3"), ("X-RateLimit-Reset", "30")], Some(3)),
            (vec![("Retry-After", "soon"), ("X-RateLimit-Reset", "30")], Some(30)),
            (vec![("Retry-After", "-1")], None),
            (vec![("Retry-After", "1e300")], None),
            (vec![("X-RateLimit-Reset", "NaN")], None),
            (vec![], None),
        ] {
            assert_eq!(retry_after(&headers(&pairs), now()), seconds.map(Duration::from_secs), "{pairs:?}");
        }
        let spent = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1790000012")];
        assert_eq!(exhausted(&headers(&spent), now()), Some(Duration::from_secs(12)));
        assert_eq!(exhausted(&headers(&[("X-RateLimit-Remaining", "1"), spent[1]]), now()), None);
        assert_eq!(exhausted(&headers(&[spent[0]]), now()), None);
    }

    #[test]
    fn waits_grow_and_are_bounded() {
        assert_eq!(backoff(1, 0.0), Duration::from_millis(250));
        assert_eq!(backoff(1, 1.0), Duration::from_millis(500));
        assert_eq!(backoff(3, 1.0), Duration::from_secs(2));
        assert_eq!(backoff(4_000_000, 1.0), LONGEST_WAIT);
        let jitter = SystemClock::default().jitter();
        assert!((0.0..=1.0).contains(&jitter));
    }
}
