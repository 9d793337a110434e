//! The indicators that a search works with, made ready; and the next ones, when they change under a search that goes on.

use super::Args;
use super::origins::{Origins, Seen};
use super::output::{Look, Run};
use super::sequences::{Ledger, Recorded};
use crate::cli::Globals;
use crate::cli::allow::allowlist;
use crate::cli::error::{Error, say};
use crate::cli::indicators::{self, Loaded, Verification};
use crate::cli::signals::Signals;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use stockade::compile::RuleSet;
use stockade::log::Choice;
use stockade::matcher::{Matcher, Options};
use stockade::stix::Timestamp;

/// How often files and stores of indicators are looked at.
const INTERVAL: Duration = Duration::from_millis(500);
/// How often at most it is judged anew which indicators are valid.
const JUDGED: Duration = Duration::from_secs(60);

/// A rule set made ready to search with.
pub(super) struct Active {
    pub(super) search: Recorded,
    rules: Arc<RuleSet>,
    /// What is said of the search in the end, whatever indicators it had.
    pub(super) ledger: Ledger,
    made: Made,
    /// When the next indicator becomes valid, or stops to be.
    changes: OnceLock<Option<Timestamp>>,
}

/// What stays the same when it is judged anew which indicators are valid.
#[derive(Clone)]
struct Made {
    choice: Choice,
    /// The generation of the rule set, which takes time to find out; empty if it is not to be shown.
    generation: String,
    incomplete: bool,
    /// The check of a compiled index, which goes on beside the search.
    check: Option<Arc<Verification>>,
}

impl Active {
    /// Reads the indicators that were asked for.
    ///
    /// # Errors
    /// A source cannot be read at all.
    pub(super) fn load(args: &Args, look: Look, ledger: Ledger, globals: &Globals) -> Result<Self, Error> {
        let allow = allowlist(&args.allow, globals)?;
        let Loaded { rules, filter, incomplete, compiled, .. } = indicators::load(&args.indicators, globals)?;
        let options = Options {
            subdomains: args.subdomains,
            refang: args.refang,
            fields_only: args.fields_only,
            allow,
            ..Options::new(filter)
        };
        let mappings = globals.config()?.log_mappings()?;
        let zone = args.time_zone.clone();
        let choice = Choice { format: stockade::log::format_named(&args.log_format), mappings, zone };
        let named = look.format.names_generation() || args.summary.is_some() || args.report.is_some();
        let generation = if named { rules.generation() } else { String::new() };
        let check = compiled.map(|path| Arc::new(Verification::begin(&path)));
        let made = Made { choice, generation, incomplete, check };
        Ok(Self::new(Arc::new(rules), options, ledger, made, globals))
    }

    fn new(rules: Arc<RuleSet>, options: Options, ledger: Ledger, made: Made, globals: &Globals) -> Self {
        let matcher = Matcher::new(Arc::clone(&rules), options);
        let search = Recorded::new(matcher, ledger.clone(), made.choice.clone(), globals);
        Self { search, rules, ledger, made, changes: OnceLock::new() }
    }

    /// When the next indicator becomes or ceases to be valid. Looks at all of them, once, which only a search that goes on
    /// for long has to.
    fn changes(&self) -> Option<Timestamp> {
        let instants = || self.rules.indicators().flat_map(|one| [one.valid_from(), one.valid_until()]);
        *self.changes.get_or_init(|| instants().flatten().filter(|instant| *instant > self.at()).min())
    }

    /// The same indicators, judged at another instant.
    fn judged(&self, at: Timestamp, globals: &Globals) -> Self {
        let mut options = self.search.matcher().options().clone();
        options.filter.at = at;
        Self::new(Arc::clone(&self.rules), options, self.ledger.clone(), self.made.clone(), globals)
    }

    /// The instant at which it was judged which indicators are valid.
    pub(super) fn at(&self) -> Timestamp {
        self.search.matcher().options().filter.at
    }

    /// What is the same for all hits that are found now.
    pub(super) fn run(&self) -> Run {
        Run::new(self.made.generation.clone(), self.at(), indicators::now())
    }

    /// The same, of a search that goes on for long.
    pub(super) fn run_now(&self, args: &Args) -> Run {
        let now = indicators::now();
        let at = if args.indicators.at_is_now() { now } else { self.at() };
        Run::new(self.made.generation.clone(), at, now)
    }

    /// The check of its compiled index.
    pub(super) fn check(&self) -> Option<Arc<Verification>> {
        self.made.check.clone()
    }

    /// Whether a source could not be read to its end.
    pub(super) fn is_incomplete(&self) -> bool {
        self.made.incomplete
    }

    /// How many indicators take part.
    pub(super) fn count(&self) -> usize {
        self.search.matcher().active()
    }
}

/// Keeps the indicators of a search up to date: reads them anew when their files or stores change, on `SIGHUP`, and judges anew
/// when some become or cease to be valid. The search goes on with what it has until the next set is ready.
pub(super) struct Reloads {
    args: Arc<Args>,
    look: Look,
    globals: Globals,
    current: Arc<Active>,
    origins: Origins,
    /// What these looked like when they were last read, and when they were last looked at.
    read: Vec<Seen>,
    seen: Vec<Seen>,
    looked: Instant,
    judged: Instant,
    next: Option<Receiver<Result<Active, Error>>>,
    enabled: bool,
    /// The current ones were read anew, and that was not said yet.
    is_news: bool,
}

impl Reloads {
    /// For a search with these indicators; `enabled` if it goes on for long.
    ///
    /// # Errors
    /// The configuration cannot be read any more.
    pub(super) fn new(
        args: &Args,
        look: Look,
        globals: &Globals,
        current: Active,
        enabled: bool,
    ) -> Result<Self, Error> {
        let origins = Origins::new(args, globals)?;
        let read = if enabled { origins.look() } else { Vec::new() };
        let now = Instant::now();
        Ok(Self {
            args: Arc::new(args.clone()),
            look,
            globals: globals.clone(),
            current: Arc::new(current),
            origins,
            seen: read.clone(),
            read,
            looked: now,
            judged: now,
            next: None,
            enabled,
            is_news: false,
        })
    }

    /// What to search with.
    pub(super) fn current(&self) -> Arc<Active> {
        Arc::clone(&self.current)
    }

    /// Whether there is something new to search with.
    pub(super) fn poll(&mut self, now: Instant, signals: &Signals) -> bool {
        if !self.enabled {
            return false;
        }
        if let Some(next) = &self.next {
            let result = match next.try_recv() {
                Ok(result) => result,
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => Err(Error::new("the thread that read them ended")),
            };
            self.next = None;
            return self.take(result);
        }
        if signals.take_reload() {
            self.begin_reload();
        } else if now.duration_since(self.looked) >= INTERVAL {
            self.looked = now;
            let seen = self.origins.look();
            // A file that still changes is being written.
            let settled = seen == self.seen;
            self.seen = seen;
            if settled && self.seen != self.read {
                self.begin_reload();
            } else if self.is_outdated(now) {
                self.judged = now;
                let (current, globals) = (self.current(), self.globals.clone());
                self.begin(move || Ok(current.judged(indicators::now(), &globals)));
            }
        }
        false
    }

    /// Says that there is something new, to be called when it is in use.
    pub(super) fn announce(&mut self) {
        if std::mem::take(&mut self.is_news) {
            self.globals.warn(format_args!("indicators were read anew: {} take part", self.current.count()));
        }
    }

    fn is_outdated(&self, now: Instant) -> bool {
        self.args.indicators.at_is_now()
            && now.duration_since(self.judged) >= JUDGED
            && self.current.changes().is_some_and(|changes| changes <= indicators::now())
    }

    fn begin_reload(&mut self) {
        if self.args.indicators.use_stdin() {
            self.globals.warn("indicators came from standard input and cannot be read again");
            self.read.clone_from(&self.seen);
            return;
        }
        self.seen = self.origins.look();
        self.read.clone_from(&self.seen);
        self.judged = Instant::now();
        let (args, look, globals) = (Arc::clone(&self.args), self.look, self.globals.clone());
        let ledger = self.current.ledger.clone();
        self.begin(move || Active::load(&args, look, ledger, &globals));
    }

    fn begin(&mut self, make: impl FnOnce() -> Result<Active, Error> + Send + 'static) {
        let (sender, receiver) = sync_channel(1);
        let begun = std::thread::Builder::new().name("indicators".into()).spawn(move || {
            // Nobody waits for it when the search has ended.
            let _ = sender.send(make());
        });
        match begun {
            Ok(_) => self.next = Some(receiver),
            Err(error) => keep(&error),
        }
    }

    fn take(&mut self, result: Result<Active, Error>) -> bool {
        match result {
            Ok(active) if active.is_incomplete() => keep(&"a source could not be read to its end"),
            Ok(active) if active.rules.is_empty() && !self.current.rules.is_empty() => {
                keep(&"there are no indicators any more");
            }
            Ok(active) => {
                self.is_news = !Arc::ptr_eq(&active.rules, &self.current.rules);
                self.current = Arc::new(active);
                return true;
            }
            Err(Error::Message(message)) => keep(&message),
            Err(Error::Closed) => {}
        }
        false
    }
}

fn keep(why: &dyn std::fmt::Display) {
    say(format_args!("indicators cannot be read anew, and those that were loaded before stay in use: {why}"));
}
