//! A TAXII server in a few lines: collections of numbered indicators, paged as a test wants it.

use super::server::{Asked, Told};
use std::fmt::Write;

/// How the server pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// Nothing but `X-TAXII-Date-Added-*`.
    Headers,
    /// `more` and the headers.
    More,
    /// `more`, `next` and the headers.
    Next,
    /// `next` and no headers.
    NextAlone,
}

/// A collection, and what its server is like.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    /// When each indicator was added, in microseconds since 1970, ascending.
    pub(crate) added: Vec<u64>,
    pub(crate) paging: Paging,
    /// Objects it gives at a time, at most.
    pub(crate) cap: usize,
    /// `bundle` rather than envelope.
    pub(crate) bundle: bool,
    /// An identity comes first on every page.
    pub(crate) identity: bool,
}

pub(crate) const START: u64 = 1_790_000_000_000_000;

impl Collection {
    pub(crate) fn new(added: Vec<u64>, paging: Paging) -> Self {
        Self { added, paging, cap: 1000, bundle: false, identity: false }
    }

    /// Bursts of objects that were added at one instant each.
    pub(crate) fn bursts(sizes: &[usize], paging: Paging) -> Self {
        let added =
            sizes.iter().enumerate().flat_map(|(at, size)| std::iter::repeat_n(START + at as u64 * 1000, *size));
        Self::new(added.collect(), paging)
    }

    /// The answer to a request for objects.
    pub(crate) fn objects(&self, asked: &Asked) -> Told {
        let limit: usize = asked.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let start = match (asked.query("next"), asked.query("added_after")) {
            (Some(token), _) => token.parse().expect("a token of its own"),
            (None, Some(after)) => {
                let after = micros(after);
                self.added.partition_point(|added| *added <= after)
            }
            (None, None) => 0,
        };
        let end = self.added.len().min(start + limit.min(self.cap));
        self.page(start, end)
    }

    pub(crate) fn page(&self, start: usize, end: usize) -> Told {
        let mut objects: Vec<String> = (start..end).map(indicator).collect();
        if self.identity {
            objects.insert(0, r#"{"type":"identity","spec_version":"2.1","id":"identity--00000000-0000-4000-8000-000000000000","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","name":"SOC Defenders"}"#.into());
        }
        let mut body = String::from(if self.bundle { r#"{"type":"bundle","id":"bundle--0","# } else { "{" });
        let more = end < self.added.len();
        if self.paging != Paging::Headers {
            let _ = write!(body, "\"more\":{more},");
        }
        let _ = write!(body, "\"objects\":[{}]", objects.join(","));
        if more && matches!(self.paging, Paging::Next | Paging::NextAlone) {
            let _ = write!(body, ",\"next\":\"{end}\"");
        }
        body.push('}');
        let told = Told::json(body);
        if self.paging == Paging::NextAlone || start >= end {
            return told;
        }
        told.with("X-TAXII-Date-Added-First", date(self.added[start]))
            .with("X-TAXII-Date-Added-Last", date(self.added[end - 1]))
    }
}

pub(crate) fn id(number: usize) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012x}")
}

pub(crate) fn indicator(number: usize) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z","pattern":"[ipv4-addr:value = '10.{}.{}.{}']","pattern_type":"stix"}}"#,
        id(number),
        number >> 16 & 255,
        number >> 8 & 255,
        number & 255
    )
}

fn date(micros: u64) -> String {
    stockade::stix::Timestamp::from_unix(
        i64::try_from(micros / 1_000_000).expect("in range"),
        u32::try_from(micros % 1_000_000).expect("in range") * 1000,
    )
    .to_string()
}

fn micros(text: &str) -> u64 {
    assert_eq!(text.len(), "2026-01-01T00:00:00.000000Z".len(), "six digits: {text}");
    let at = stockade::stix::Timestamp::parse(text).expect("the only form that all servers read");
    u64::try_from(at.seconds).expect("after 1970") * 1_000_000 + u64::from(at.nanos / 1000)
}
