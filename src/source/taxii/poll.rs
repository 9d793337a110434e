//! One poll: every collection, page after page, each page committed with its cursor.

use super::cursor::{Cursor, Place};
use super::discover::{self, Target, Version};
use super::ladder::{Gap, Ladder, Memory, Page, Question, Step, Total};
use super::page::{self, PageError};
use super::seen::Seen;
use super::{Failure, PollError, Polled, Progress, Settings, Sink, Summary};
use crate::source::http::{Ask, Client, Clock, Error, Fault, Headers, Response, Validator};
use crate::stix::Timestamp;
use std::collections::VecDeque;
use std::time::{Duration, UNIX_EPOCH};
use url::Url;

/// A date further ahead than this is no date to go by.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// The client of one TAXII server. See [the module](super).
pub struct Taxii {
    settings: Settings,
    client: Client,
}

impl Taxii {
    /// A client over the network.
    ///
    /// # Errors
    /// The settings make no sense, or a file that they name cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let client = Client::new(settings.http.clone())?;
        Self::with_client(settings, client)
    }

    /// A client over a connection of one's own.
    ///
    /// # Errors
    /// The settings make no sense.
    pub fn with_client(settings: Settings, client: Client) -> Result<Self, Error> {
        let wrong = |what: &str| Err(Error::new(&settings.http.name, None, Fault::Settings(what.into())));
        if settings.limit == 0 {
            return wrong("limit is 0; ask for 1 object or more at a time");
        }
        for key in ["added_after", "limit", "next"] {
            if settings.query.iter().any(|(name, _)| name == key) {
                return wrong(&format!("query: {key:?} is set by the client itself"));
            }
        }
        Ok(Self { settings, client })
    }

    /// The same client with another clock, such as one whose waits can be ended.
    #[must_use]
    pub fn with_clock(mut self, clock: Box<dyn Clock>) -> Self {
        self.client = self.client.with_clock(clock);
        self
    }

    /// Polls every collection from where the cursor says, or from the beginning. A collection that fails does not stop
    /// the others.
    ///
    /// # Errors
    /// Something failed, or objects may be missing; what was committed before is good, and the next poll goes on from
    /// there.
    pub fn poll(&mut self, cursor: Option<&str>, sink: &mut dyn Sink) -> Result<Summary, PollError> {
        self.client.begin();
        let mut summary = Summary::default();
        let mut failures = Vec::new();
        match Cursor::read(cursor) {
            Ok(cursor) => self.collections(cursor, sink, &mut summary, &mut failures),
            Err(error) => failures.push(Failure::Sink(error)),
        }
        summary.requests = self.client.requests();
        if failures.is_empty() { Ok(summary) } else { Err(PollError { failures, summary }) }
    }

    fn collections(
        &mut self,
        mut cursor: Cursor,
        sink: &mut dyn Sink,
        summary: &mut Summary,
        failures: &mut Vec<Failure>,
    ) {
        let (targets, failed) = discover::targets(&mut self.client, &self.settings, &mut |note| sink.note(note));
        failures.extend(failed);
        let collections = targets.len();
        for (at, target) in targets.into_iter().enumerate() {
            let mut polled = Polled { id: target.id.clone(), title: target.title.clone(), ..Polled::default() };
            let walked = self.collection(&target, (at + 1, collections), &mut cursor, sink, &mut polled);
            polled.complete = walked.is_ok();
            summary.collections.push(polled);
            if let Err(failure) = walked {
                // Nothing else can succeed after these.
                let last = match &failure {
                    Failure::Sink(_) => true,
                    Failure::Http(error) => {
                        matches!(error.fault(), Fault::Stopped | Fault::Budget(_)) || error.status() == Some(401)
                    }
                    _ => false,
                };
                failures.push(failure);
                if last {
                    return;
                }
            }
        }
    }

    /// One collection, at the first API root that knows it.
    fn collection(
        &mut self,
        target: &Target,
        number: (usize, usize),
        cursor: &mut Cursor,
        sink: &mut dyn Sink,
        polled: &mut Polled,
    ) -> Result<(), Failure> {
        let mut roots: VecDeque<&Url> = target.objects.iter().collect();
        while let Some(objects) = roots.pop_front() {
            let mut walk = Walk {
                taxii: self,
                target,
                objects,
                number,
                cursor: &mut *cursor,
                sink: &mut *sink,
                polled: &mut *polled,
                version: target.version,
                unanswered: true,
            };
            match walk.run() {
                Err(Failure::Http(error)) if walk.unanswered && matches!(error.status(), Some(403 | 404)) => {
                    if roots.is_empty() {
                        return Err(target.unknown(&self.settings.http.name, error));
                    }
                }
                done => return done,
            }
        }
        Ok(())
    }
}

/// The walk over one collection.
struct Walk<'a> {
    taxii: &'a mut Taxii,
    target: &'a Target,
    objects: &'a Url,
    number: (usize, usize),
    cursor: &'a mut Cursor,
    sink: &'a mut dyn Sink,
    polled: &'a mut Polled,
    version: Version,
    /// No page has come yet.
    unanswered: bool,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        let query = fingerprint(&self.taxii.settings.query);
        let key = self.objects.path().to_owned();
        let mut place = self.cursor.place(&key).cloned().unwrap_or_default();
        if place.query != query {
            if place.added.is_some() {
                self.sink.note(&format!(
                    "collection {}: query has changed, so it is read from its beginning",
                    self.target.name()
                ));
            }
            place = Place { query, ..Place::default() };
        }
        let target = self.target;
        let types = types(&self.taxii.settings.query);
        let limit = self.taxii.settings.limit;
        let mut known = place.known.take();
        let mut ladder = Ladder::new(limit, place.watermark(), place.page.take(), self.version == Version::V20);
        let mut seen = Seen::new();
        let mut faults = 0;
        let mut answered = None;
        loop {
            let question = ladder.question();
            let ask_known = known.take();
            let response = match self.ask(&question, ask_known.as_ref()) {
                Ok(response) => response,
                Err(error)
                    if self.unanswered && self.version == Version::V21 && matches!(error.status(), Some(406 | 415)) =>
                {
                    self.version = Version::V20;
                    ladder = Ladder::new(limit, place.watermark(), None, true);
                    continue;
                }
                Err(error) if question.range.is_some() && error.status() == Some(416) => {
                    return self.finish(&key, place, &ladder, None);
                }
                Err(error) if question.raised && matches!(error.status(), Some(400 | 413 | 422)) => {
                    return match ladder.refused() {
                        Ok(_) => self.finish(&key, place, &ladder, answered),
                        Err(gap) => Err(self.gap(gap)),
                    };
                }
                Err(error) if question.next.is_some() => {
                    self.restart(&mut ladder, error)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if response.is_unchanged() {
                answered = ask_known.map(|known| (question, known));
                match ladder.unchanged() {
                    Ok(Step::Again) => continue,
                    Ok(Step::Done) => return self.finish(&key, place, &ladder, answered),
                    Err(gap) => return Err(self.gap(gap)),
                }
            }
            if ladder.is_at_watermark() {
                answered = response.validator().map(|known| (question.clone(), known)).or(answered);
            }
            let mut page = self.facts(&response);
            seen.begin();
            let name = target.name();
            let source = &self.taxii.settings.http;
            let envelope = match page::read(response, source, name, &types, &mut seen, self.sink) {
                Ok(envelope) => envelope,
                Err(PageError::Sink(error)) => return Err(Failure::Sink(error)),
                Err(PageError::Http(error)) if question.next.is_some() && error.is_transient() => {
                    self.restart(&mut ladder, error)?;
                    continue;
                }
                Err(PageError::Http(error)) => {
                    faults += 1;
                    self.taxii.client.wait(faults, error)?;
                    continue;
                }
            };
            faults = 0;
            self.unanswered = false;
            (page.count, page.fresh) = (envelope.count, envelope.fresh);
            (page.more, page.next, page.digest) = (envelope.more, envelope.next, seen.digest());
            self.polled.pages += 1;
            self.polled.objects += envelope.given;
            self.polled.set_aside += envelope.set_aside;
            self.polled.dropped += envelope.count - envelope.given - envelope.set_aside;
            match ladder.memory(&page) {
                Memory::Only => seen.end(true),
                Memory::Too => seen.end(false),
                Memory::Nothing => seen.begin(),
            }
            let total = match page.ranged {
                Some(Total::Known(total)) => Some(total),
                _ => None,
            };
            let step = ladder.page(page);
            let (number, collections) = self.number;
            let (pages, objects) = (self.polled.pages, self.polled.objects);
            self.sink.progress(&Progress { collection: name, number, collections, pages, objects, total });
            match step {
                Ok(Step::Again) => self.commit(&key, Place { added: added(ladder.watermark()), ..place.clone() })?,
                Ok(Step::Done) => return self.finish(&key, place, &ladder, answered),
                Err(gap) => return Err(self.gap(gap)),
            }
            if self.polled.objects + self.polled.dropped > self.taxii.settings.max_objects {
                let what = format!(
                    "more than {} objects in one poll; the next one goes on from here",
                    self.taxii.settings.max_objects
                );
                return Err(Error::new(&self.taxii.settings.http.name, Some(self.objects), Fault::Answer(what)).into());
            }
        }
    }

    fn ask(&mut self, question: &Question, known: Option<&Validator>) -> Result<Response, Error> {
        let mut url = self.objects.clone();
        {
            let mut pairs = url.query_pairs_mut();
            if let Some(after) = &question.added_after {
                pairs.append_pair("added_after", after);
            }
            if question.range.is_none() {
                pairs.append_pair("limit", &question.limit.to_string());
            }
            for (name, value) in &self.taxii.settings.query {
                pairs.append_pair(name, value);
            }
            if let Some(next) = &question.next {
                pairs.append_pair("next", next);
            }
        }
        let range =
            question.range.map(|from| ("range", format!("items {from}-{}", from + u64::from(question.limit) - 1)));
        let ask =
            Ask { accept: self.version.objects(), known, headers: range.as_slice(), once: question.next.is_some() };
        self.taxii.client.get(&url, &ask)
    }

    /// What the headers say about a page.
    fn facts(&mut self, response: &Response) -> Page {
        let now = self.taxii.client.now().duration_since(UNIX_EPOCH).unwrap_or_default() + AHEAD;
        let latest = Timestamp::from_unix(i64::try_from(now.as_secs()).unwrap_or(i64::MAX), 0);
        let mut date = |name: &str| {
            let text = response.headers.get(name)?;
            let time = Timestamp::parse_lenient(text).ok().filter(|time| *time <= latest);
            if time.is_none() {
                let text = crate::source::http::tidy(text);
                self.sink
                    .note(&format!("collection {}: {name} is {text:?}, which is no date to go by", self.target.name()));
            }
            time
        };
        let first = date("x-taxii-date-added-first");
        let last = date("x-taxii-date-added-last");
        Page { first, last, ranged: (response.status == 206).then(|| total(&response.headers)), ..Page::default() }
    }

    /// After a fault in the midst of `next`: nobody knows what became of the token.
    fn restart(&mut self, ladder: &mut Ladder, error: Error) -> Result<(), Failure> {
        let refused = matches!(error.status(), Some(400 | 404 | 410 | 422));
        if !error.is_transient() && !refused || !ladder.restart(refused) {
            return Err(error.into());
        }
        if !refused {
            self.taxii.client.wait(ladder.restarts().min(self.taxii.settings.http.limits.tries - 1), error)?;
        }
        Ok(())
    }

    fn commit(&mut self, key: &str, place: Place) -> Result<(), Failure> {
        self.cursor.set(key, place);
        self.sink.commit(&self.cursor.text()).map_err(Failure::Sink)
    }

    /// Keeps where the walk has ended. What the server said to the question that the next walk begins with is kept, too.
    fn finish(
        &mut self,
        key: &str,
        place: Place,
        ladder: &Ladder,
        answered: Option<(Question, Validator)>,
    ) -> Result<(), Failure> {
        let end = ladder.final_watermark();
        let first = Ladder::new(self.taxii.settings.limit, end, None, false).question();
        let known = answered.filter(|(question, _)| *question == first && end.is_some()).map(|(_, known)| known);
        self.commit(key, Place { added: added(end), page: ladder.digest(), known, ..place })
    }

    fn gap(&self, gap: Gap) -> Failure {
        Failure::Gap {
            source: self.taxii.settings.http.name.clone(),
            collection: self.target.name().to_owned(),
            what: gap.0,
        }
    }
}

fn added(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// The extra parameters as one text, the same for every order of them.
fn fingerprint(query: &[(String, String)]) -> String {
    let mut pairs: Vec<_> = query.iter().collect();
    pairs.sort();
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(pairs);
    text.finish()
}

/// The types that the extra parameters ask for.
fn types(query: &[(String, String)]) -> Vec<String> {
    let named = query.iter().filter(|(name, _)| name == "type" || name == "match[type]");
    named
        .flat_map(|(_, value)| value.split(','))
        .map(|kind| kind.trim().to_owned())
        .filter(|kind| !kind.is_empty())
        .collect()
}

/// `Content-Range: items 0-99/1200`.
fn total(headers: &Headers) -> Total {
    let range = headers.get("content-range").and_then(|range| range.rsplit_once('/'));
    range.and_then(|(_, total)| total.trim().parse().ok()).map_or(Total::Unknown, Total::Known)
}
