//! What is kept of a hit for what is written at the end: summary, sightings, page.

use super::output::{Line, Rules};
use stockade::matcher::Hit;
use stockade::stix::Timestamp;

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Collect {
    #[default]
    Nothing,
    /// The hit and its time.
    Hits,
    /// With what stands around it in the line.
    Lines,
}

/// A hit, and where it was.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) hit: Hit,
    pub(super) place: Place,
}

/// Where a hit was.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) line: u64,
    /// The first hit of its line.
    pub(super) first: bool,
    /// When the line was written, as it says itself.
    pub(super) time: Option<Timestamp>,
    pub(super) context: Option<Box<Context>>,
}

/// What stands around a hit.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) before: Box<str>,
    pub(super) seen: Box<str>,
    pub(super) behind: Box<str>,
}

/// What is kept on either side of a hit, in bytes.
const AROUND: usize = 240;
/// What is kept of the value itself as it is written, in bytes.
const VALUE: usize = 1024;
/// Stands where something was left out.
const LEFT_OUT: &str = "\u{2026}";

impl Collect {
    /// Appends a place for each hit of a line.
    pub(super) fn line(self, line: &Line<'_>, hits: &[Hit], rules: Rules<'_>, places: &mut Vec<Place>) {
        if self == Self::Nothing || hits.is_empty() {
            return;
        }
        let time = rules.run.time_of(line);
        places.extend(hits.iter().enumerate().map(|(at, hit)| Place {
            line: line.spot(hit).line,
            first: at == 0,
            time,
            context: (self == Self::Lines).then(|| Box::new(Context::new(line, hit))),
        }));
    }
}

impl Context {
    fn new(line: &Line<'_>, hit: &Hit) -> Self {
        let text = line.text;
        let (start, end) = (hit.span.start.min(text.len()), hit.span.end.min(text.len()));
        let from = start.saturating_sub(AROUND);
        let to = end.saturating_add(AROUND).min(text.len());
        let part = |cut_before: bool, part: &[u8], cut_behind: bool| {
            let mut text = String::with_capacity(part.len());
            text.push_str(if cut_before { LEFT_OUT } else { "" });
            text.push_str(&String::from_utf8_lossy(part));
            text.push_str(if cut_behind { LEFT_OUT } else { "" });
            text.into_boxed_str()
        };
        let value = end.min(start.saturating_add(VALUE));
        Self {
            before: part(from > 0 || line.start > 0, text.get(from..start).unwrap_or_default(), false),
            seen: part(false, text.get(start..value).unwrap_or_default(), value < end),
            behind: part(false, text.get(end..to).unwrap_or_default(), to < text.len() || line.more),
        }
    }

    fn len(&self) -> usize {
        self.before.len() + self.seen.len() + self.behind.len()
    }
}

impl Record {
    /// What it costs to keep, in bytes, near enough.
    pub(super) fn size(&self) -> usize {
        let context = self.place.context.as_ref().map_or(0, |context| size_of::<Context>() + context.len());
        size_of::<Self>() + self.hit.value.len() + context
    }
}
