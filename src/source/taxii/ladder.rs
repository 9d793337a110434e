//! How to ask for page after page without losing any object, whatever the server says about paging.
//!
//! The watermark is the time at which the last object of the pages so far was added, as the header
//! `X-TAXII-Date-Added-Last` says. Pages are asked for from one microsecond before it, so that the objects that were
//! added at that instant come again, those among them that did not fit on the page before included.
//!
//! 1. `next` is there: the same question, and `next`.
//! 2. Otherwise, as long as a page holds anything new, or moves the watermark: from the watermark on.
//! 3. A full page with nothing new: too many objects were added at one instant. The same with a higher limit.
//! 4. Still nothing new: there may be more that cannot be asked for. That is a [`Gap`].
//! 5. A page that is not full with nothing new: the end, if there is also nothing strictly behind the watermark. This
//!    last question finds servers that hand out fewer objects than asked for.
//!
//! Nothing here does input or output: [`Ladder::question`] says what to ask, [`Ladder::page`] takes what came.

use crate::stix::Timestamp;
use std::collections::HashSet;

/// Limits that are tried, one after the other, when full pages hold nothing new.
const RAISED: [u32; 2] = [1000, 10_000];

/// Pages without an object, one after the other, whose server says that there is more.
const EMPTY: u32 = 50;

/// How often paging begins anew from the watermark, at most, before the watermark moves.
const RESTARTS: u32 = 5;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Objects that were added after this, with six digits of a second.
    pub(super) added_after: Option<String>,
    pub(super) limit: u32,
    pub(super) next: Option<String>,
    /// In TAXII 2.0, the number of the first object.
    pub(super) range: Option<u64>,
    /// It asks for more than was configured: a refusal is no surprise.
    pub(super) raised: bool,
}

/// What a page was like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Objects, whatever became of them.
    pub(super) count: u64,
    /// Objects that were not seen before.
    pub(super) fresh: u64,
    /// When its first and its last object were added.
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) more: Option<bool>,
    pub(super) next: Option<String>,
    /// In TAXII 2.0: how many objects there are behind `range`, if the answer was one of a range.
    pub(super) ranged: Option<Total>,
    /// What identifies the set of its objects.
    pub(super) digest: String,
}

/// How many objects there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Total {
    Known(u64),
    Unknown,
}

/// What to do after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask the next question.
    Again,
    /// Everything was read.
    Done,
}

/// Objects may be missing; why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap(pub(super) String);

/// See the module.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a thing learned about the server, independent of the others")]
pub(super) struct Ladder {
    limit: u32,
    raised: usize,
    /// Where this walk began.
    start: Option<Timestamp>,
    /// What the last page of the last walk was like, until a page has come.
    known: Option<String>,
    /// What the last page was like that was asked for from the watermark on.
    digest: Option<String>,
    watermark: Option<Timestamp>,
    mode: Mode,
    /// Where the questions with `next` began.
    base: Option<Timestamp>,
    /// `next` leads nowhere.
    next_is_useless: bool,
    /// Pages come in an order that is not that of time: the watermark is true only at the end.
    unordered: bool,
    /// Something lies behind the watermark, although the page at it is said to end there.
    suspect: bool,
    /// The page at the watermark is said to be followed by more, although nothing lies behind it.
    insists: bool,
    /// Objects of the largest page.
    largest: u64,
    /// The size of a page that was as large as the server makes them.
    cap: Option<u64>,
    previous: Option<Page>,
    /// The pages that `next` led to.
    visited: HashSet<String>,
    empty: u32,
    restarts: u32,
}

/// What is to be remembered of a page's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// They, and nothing before them: earlier pages cannot come again.
    Only,
    /// They too.
    Too,
    /// Nothing: they will be asked for again.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    /// From the watermark on, what was added at its very instant included.
    Overlap,
    /// As the server says.
    Next(String),
    /// Strictly behind the watermark.
    Behind,
    /// By numbers, as in TAXII 2.0.
    Range(u64),
}

impl Ladder {
    /// A walk that begins where one ended whose watermark was `start` and whose last page was `known`.
    pub(super) fn new(limit: u32, start: Option<Timestamp>, known: Option<String>, by_range: bool) -> Self {
        Self {
            limit,
            raised: 0,
            start,
            digest: known.clone(),
            known,
            watermark: start,
            mode: if by_range { Mode::Range(0) } else { Mode::Overlap },
            base: start,
            next_is_useless: false,
            unordered: false,
            suspect: false,
            insists: false,
            largest: 0,
            cap: None,
            previous: None,
            visited: HashSet::new(),
            empty: 0,
            restarts: 0,
        }
    }

    pub(super) fn question(&self) -> Question {
        let (next, range) = match &self.mode {
            Mode::Next(token) => (Some(token.clone()), None),
            Mode::Range(from) => (None, Some(*from)),
            Mode::Overlap | Mode::Behind => (None, None),
        };
        let from = if next.is_some() || range.is_some() { self.base } else { self.watermark };
        let overlap = u64::from(self.mode != Mode::Behind);
        Question {
            added_after: from.map(|from| microseconds(from, overlap)),
            limit: self.limit,
            next,
            range,
            raised: self.raised > 0,
        }
    }

    /// The watermark that may be kept now.
    pub(super) fn watermark(&self) -> Option<Timestamp> {
        if self.unordered { self.start } else { self.watermark }
    }

    /// The watermark after the end of the walk.
    pub(super) fn final_watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// What the last page was like, for the next walk to know it by.
    pub(super) fn digest(&self) -> Option<String> {
        self.digest.clone()
    }

    /// Whether the question is the one that a walk begins with.
    pub(super) fn is_at_watermark(&self) -> bool {
        self.mode == Mode::Overlap
    }

    /// Takes the word of the server that the page at the watermark is as it was.
    pub(super) fn unchanged(&mut self) -> Result<Step, Gap> {
        let digest = self.known.clone().unwrap_or_default();
        self.page(Page { count: 1, last: self.watermark, digest, ..Page::default() })
    }

    /// What is to be remembered of a page that is about to be taken.
    pub(super) fn memory(&self, page: &Page) -> Memory {
        match self.mode {
            Mode::Behind => Memory::Nothing,
            Mode::Range(_) => Memory::Only,
            Mode::Next(_) if page.last.is_none() => Memory::Only,
            _ if page.last > self.watermark => Memory::Only,
            _ => Memory::Too,
        }
    }

    /// Takes a page.
    pub(super) fn page(&mut self, mut page: Page) -> Result<Step, Gap> {
        if self.known.take().is_some_and(|known| known == page.digest) && page.last <= self.watermark {
            page.fresh = 0;
        }
        if let (Some(first), Some(last)) = (page.first, page.last)
            && last < first
        {
            self.unordered = true;
        }
        if self.mode != Mode::Behind {
            self.digest = Some(page.digest.clone());
        }
        let step = match self.mode {
            Mode::Range(from) => self.ranged(from, &page),
            Mode::Behind => Ok(self.behind(&page)),
            Mode::Overlap | Mode::Next(_) => self.overlapping(&page),
        };
        self.previous = Some(page);
        step
    }

    fn overlapping(&mut self, page: &Page) -> Result<Step, Gap> {
        let by_next = matches!(self.mode, Mode::Next(_));
        let asked = if by_next { self.base } else { self.watermark };
        let moved = page.last.is_some() && page.last > self.watermark;
        self.learn(page, moved, by_next);

        if let Some(next) = page.next.clone().filter(|_| page.more != Some(false) && !self.next_is_useless) {
            return self.follow(next, asked, page, moved);
        }
        let end_of_next = by_next && page.more != Some(true);
        self.mode = Mode::Overlap;
        if end_of_next {
            return Ok(Step::Done);
        }
        if page.last.is_none() && page.count > 0 {
            return self.undated(page);
        }
        let (full, news) = (self.is_full(page), page.fresh > 0 || moved);
        if page.more == Some(false) && !(full && news) || page.more.is_none() && page.count == 0 {
            return Ok(Step::Done);
        }
        if self.unordered {
            return if full || page.more == Some(true) {
                gap("the server gives the newest objects first, and only a part of them".into())
            } else {
                Ok(Step::Done)
            };
        }
        if news {
            return Ok(Step::Again);
        }
        if page.count == 0 {
            return if self.empty > 3 {
                gap("the server says that there is more, and gives nothing".into())
            } else {
                Ok(Step::Again)
            };
        }
        if full || self.suspect || self.insists {
            return self.raise(page);
        }
        self.mode = Mode::Behind;
        Ok(Step::Again)
    }

    /// Takes note of what a page says about the server.
    fn learn(&mut self, page: &Page, moved: bool, by_next: bool) {
        let same_size = self.previous.as_ref().is_some_and(|previous| previous.count == page.count);
        let same = self.previous.as_ref().is_some_and(|previous| previous.digest == page.digest);
        if self.cap.is_some_and(|cap| page.count > cap) {
            self.cap = None;
        } else if same_size && !same && page.count > 1 {
            self.cap = Some(page.count);
        }
        let earlier = self.previous.as_ref().is_some_and(|previous| page.last < previous.last);
        if by_next && page.last.is_some() && earlier && !self.visited.contains(&page.digest) {
            self.unordered = true;
        }
        if moved {
            self.watermark = page.last;
            if !self.unordered {
                self.restarts = 0;
            }
        }
        if page.fresh > 0 || moved {
            (self.suspect, self.insists) = (false, false);
        }
        self.largest = self.largest.max(page.count);
        self.empty = if page.count == 0 { self.empty + 1 } else { 0 };
    }

    /// Goes on with a token. An unchanged token is nothing to go by, since some servers give the same one for every
    /// page; an unchanged page is.
    fn follow(&mut self, next: String, asked: Option<Timestamp>, page: &Page, moved: bool) -> Result<Step, Gap> {
        if self.empty > EMPTY {
            return gap(format!("{EMPTY} pages without an object, and the server says that there is more"));
        }
        let looping = page.count > 0 && !moved && !self.visited.insert(page.digest.clone());
        if !looping {
            self.visited.insert(page.digest.clone());
            self.base = asked;
            self.mode = Mode::Next(next);
            return Ok(Step::Again);
        }
        self.next_is_useless = true;
        self.mode = Mode::Overlap;
        if self.watermark.is_none() || self.unordered {
            return gap("the server gives the same page for every `next`, and no dates to go by".into());
        }
        Ok(Step::Again)
    }

    /// Objects, and no word about when they were added.
    fn undated(&mut self, page: &Page) -> Result<Step, Gap> {
        let exactly = page.count == u64::from(self.limit) || self.cap == Some(page.count);
        match page.more {
            Some(false) => Ok(Step::Done),
            None if !exactly => Ok(Step::Done),
            _ => self.raise(page),
        }
    }

    /// The answer to what is strictly behind the watermark.
    fn behind(&mut self, page: &Page) -> Step {
        self.mode = Mode::Overlap;
        let insists = self.previous.as_ref().is_some_and(|previous| previous.more == Some(true));
        if page.fresh > 0 {
            // Either it has just come in, or the page at the watermark is not all that there is. Asking again tells.
            self.suspect = true;
        } else if insists && !(page.count == 0 && page.more == Some(true)) {
            self.insists = true;
        } else {
            // A server that says `more` of nothing says it of everything.
            return Step::Done;
        }
        Step::Again
    }

    /// Whether the server may have held something back.
    fn is_full(&self, page: &Page) -> bool {
        page.count >= u64::from(self.limit) || self.cap == Some(page.count)
    }

    fn raise(&mut self, page: &Page) -> Result<Step, Gap> {
        while let Some(&limit) = RAISED.get(self.raised) {
            self.raised += 1;
            if limit > self.limit {
                // If the page is no larger then, that is as large as they get.
                self.cap = Some(page.count);
                self.limit = limit;
                return Ok(Step::Again);
            }
        }
        self.stuck(page.count, "no higher limit helps")
    }

    /// A limit that was raised has been refused.
    pub(super) fn refused(&self) -> Result<Step, Gap> {
        let count = self.previous.as_ref().map_or(0, |page| page.count);
        self.stuck(count, &format!("a limit of {} is refused", self.limit))
    }

    fn stuck(&self, count: u64, why: &str) -> Result<Step, Gap> {
        // Nothing but its word speaks for more, and it has given larger pages: servers say `more` of any page.
        let only_said = self.insists && !self.suspect && (count < 10 || count < self.largest);
        if only_said {
            return Ok(Step::Done);
        }
        let at = self.watermark.map_or_else(String::new, |at| format!(" added at {at}"));
        gap(format!("the server gives {count} objects{at}, there may be more, and {why}"))
    }

    fn ranged(&mut self, from: u64, page: &Page) -> Result<Step, Gap> {
        if page.last > self.watermark {
            self.watermark = page.last;
        }
        // Numbers count from where the walk began, and only the end shows that all of them came.
        let end = from + page.count;
        if page.count > 0 && !self.visited.insert(page.digest.clone()) {
            return gap("the server gives the same page for every range".into());
        }
        let more = match page.ranged {
            Some(Total::Known(total)) => end < total,
            Some(Total::Unknown) => page.count > 0,
            None => false,
        };
        if more && page.count == 0 {
            return gap(format!("the server says that there is more behind object {from}, and gives nothing"));
        }
        self.mode = Mode::Range(end);
        Ok(if more { Step::Again } else { Step::Done })
    }

    /// Begins anew at the watermark, because nobody knows what the server did with a `next`. False: that has been
    /// tried often enough. A token that is refused for the second time at the same place is one that the server does not
    /// understand itself: on from there without.
    pub(super) fn restart(&mut self, refused: bool) -> bool {
        self.restarts += 1;
        if refused && self.restarts > 1 && self.watermark().is_some() {
            self.next_is_useless = true;
        }
        self.mode = match self.mode {
            Mode::Range(_) => Mode::Range(0),
            _ => Mode::Overlap,
        };
        self.base = self.watermark();
        if self.unordered {
            self.watermark = self.start;
        }
        (self.previous, self.suspect, self.insists, self.empty) = (None, false, false, 0);
        self.visited.clear();
        self.restarts <= RESTARTS
    }

    /// How often paging began anew since the watermark moved.
    pub(super) fn restarts(&self) -> u32 {
        self.restarts
    }
}

fn gap(what: String) -> Result<Step, Gap> {
    Err(Gap(what))
}

/// The time with six digits of a second, which is the only form that all servers read; `less` microseconds earlier.
fn microseconds(at: Timestamp, less: u64) -> String {
    let micros = i128::from(at.seconds) * 1_000_000 + i128::from(at.nanos / 1000) - i128::from(less);
    let seconds = i64::try_from(micros.div_euclid(1_000_000)).unwrap_or(i64::MIN);
    let whole = Timestamp::from_unix(seconds, 0).to_string();
    format!("{}.{:06}Z", whole.trim_end_matches('Z'), micros.rem_euclid(1_000_000))
}

#[cfg(test)]
mod tests;
