//! `--follow` and `--state`: files are read as they grow, and where an earlier run left them.
//!
//! Everything goes in rounds. A round looks at the files ([`watch`]), takes what is new of them in blocks ([`tail`]),
//! searches the blocks on all threads, and writes the rows in order; only then positions move on ([`output`], [`state`]).
//! So whatever ends the process between two instructions, the next run finds positions that fit what was written.

mod content;
mod output;
mod places;
mod rotations;
mod state;
mod streams;
mod tail;
mod troubles;
mod watch;

use super::Args;
use super::active::{Active, Reloads};
use super::blocks::{Block, Limits};
use super::name::Name;
use super::open::standard_output;
use super::output::{Rules, Scratch};
use super::pipeline::{Search, Searcher, Summary};
use super::report::{Batch, Rendered, Report, Show, Tally};
use super::searched::Searched;
use crate::cli::Globals;
use crate::cli::error::{Error, say};
use crate::cli::signals::Signals;
use output::Output;
use places::Places;
use state::State;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use streams::{Arrival, Streams};
use tail::{Reading, Step};
use watch::{Order, Watched};

/// How often files are looked at, unless that takes so long that it would cost too much.
const TICK: Duration = Duration::from_millis(100);
/// The longest that files are not looked at.
const LONGEST_TICK: Duration = Duration::from_secs(2);
/// What part of the time may be spent looking, one of so many.
const SHARE: u32 = 150;
/// Blocks of a round for each thread.
const BLOCKS: usize = 4;

/// What is wanted.
pub(super) struct Settings<'a> {
    pub(super) args: &'a Args,
    pub(super) threads: usize,
    pub(super) report: Report,
    pub(super) globals: &'a Globals,
}

/// Searches until there is nothing more, or for ever.
///
/// # Errors
/// The state cannot be used, or the output not be written.
pub(super) fn run(settings: &Settings<'_>, mut reloads: Reloads, signals: &Signals) -> Result<Summary, Error> {
    let (state, left) = match &settings.args.state {
        Some(path) => State::open(path).map(|(state, left)| (Some(state), left))?,
        None => (None, state::Left::default()),
    };
    let out = standard_output().map_err(|error| Error::output(&error))?;
    let mut output = Output::new(out, state);
    if let Some((pending, rows)) = left.pending
        && output.recover(pending, &rows, left.records.clone())?
    {
        settings.globals.warn("hits of the run that was cut off are written again, since they may not have arrived");
    }
    let standard_input = [PathBuf::from("-")];
    let named = if settings.args.logs.is_empty() { &standard_input[..] } else { &settings.args.logs };
    let globals = settings.globals.clone();
    let reading = Reading { limits: Limits::DEFAULT, choice: reloads.current().search.log_choice() };
    let mut follow = Follow {
        settings,
        watched: Watched::new(
            Places::new(named, settings.args.recursive),
            left.records,
            settings.args.follow,
            reading.clone(),
            globals,
        ),
        streams: Streams::new(reading.clone()),
        reading,
        arrived: Vec::new(),
        stream_tallies: Vec::new(),
        output,
        spare: Vec::new(),
        summary: Summary::default(),
        enough: false,
    };
    let head = settings.report.look.format.head();
    if settings.report.show == Show::Rows && !head.is_empty() && follow.output.is_empty() {
        let records = follow.watched.records();
        follow.output.write(head.as_bytes(), || records)?;
    }
    if named.iter().any(|path| path.as_os_str() == "-") {
        follow.streams.begin(Path::new("-"), false);
    }
    loop {
        let active = reloads.current();
        reloads.announce();
        // What patterns over several lines have seen so far is of one rule set.
        if !follow.search_with(&active, &mut reloads, signals)? {
            break;
        }
    }
    follow.end()
}

struct Follow<'a> {
    settings: &'a Settings<'a>,
    watched: Watched,
    reading: Reading,
    streams: Streams,
    arrived: Vec<(Arc<Name>, Block)>,
    stream_tallies: Vec<(Arc<Name>, Tally)>,
    output: Output,
    spare: Vec<Block>,
    summary: Summary,
    /// Nothing more is wanted.
    enough: bool,
}

/// A block to be searched.
struct Job {
    name: Arc<Name>,
    /// Whose it is; of a stream, or of what is left of a file, there is none.
    of: Option<Order>,
    block: Block,
}

impl Follow<'_> {
    /// Searches with one rule set. Returns whether there is another to go on with.
    fn search_with(&mut self, active: &Active, reloads: &mut Reloads, signals: &Signals) -> Result<bool, Error> {
        let threads = if active.search.is_sequential() { 1 } else { self.settings.threads };
        let mut searchers: Vec<(Searcher<'_>, Scratch)> =
            (0..threads).map(|_| (active.search.searcher(), Scratch::default())).collect();
        // Only patterns over several lines refer to other blocks, and then there is one thread, which sees all of them.
        let mut searched = active.search.is_sequential().then(Searched::default);
        let (mut tick, mut looked) = (TICK, None::<Instant>);
        loop {
            let now = Instant::now();
            if signals.ended() {
                return Ok(false);
            }
            if reloads.poll(now, signals) {
                return Ok(true);
            }
            if looked.is_none_or(|at: Instant| now.duration_since(at) >= tick) {
                self.watched.scan(now);
                for path in std::mem::take(&mut self.watched.streams) {
                    self.streams.begin(&path, self.settings.args.follow);
                }
                tick = (now.elapsed() * SHARE).clamp(TICK, LONGEST_TICK);
                if looked.is_none() {
                    // Should it be killed now, the next run knows which files these are, whatever they are called then.
                    self.output.save(self.watched.records())?;
                }
                looked = Some(now);
            }
            let jobs = self.gather(threads * BLOCKS, now);
            let some = !jobs.is_empty();
            self.round(jobs, &mut searchers, active, searched.as_mut())?;
            if self.enough {
                return Ok(false);
            }
            if some {
                continue;
            }
            if !self.settings.args.follow && !self.streams.is_open()
                || self.settings.args.follow && !self.streams.is_open() && !self.watched.is_open()
            {
                return Ok(false);
            }
            let left = looked.map_or(TICK, |at| tick.saturating_sub(at.elapsed()));
            self.take_arrivals(left.min(TICK));
        }
    }

    /// Waits for what streams bring, and takes all that is there.
    fn take_arrivals(&mut self, time: Duration) {
        let mut next = self.streams.wait(time);
        while let Some(arrival) = next {
            match arrival {
                Arrival::Block(name, block) => self.arrived.push((name, block)),
                Arrival::Failed(message) => {
                    say(message);
                    self.watched.troubles.failed = true;
                }
                Arrival::Ended => {}
            }
            next = (self.arrived.len() < BLOCKS).then(|| self.streams.wait(Duration::ZERO)).flatten();
        }
    }

    /// Reads the blocks of a round: in order of the files if there is an end to reach, otherwise some of each.
    fn gather(&mut self, most: usize, now: Instant) -> Vec<Job> {
        let mut jobs: Vec<Job> = self.arrived.drain(..).map(|(name, block)| Job { name, of: None, block }).collect();
        jobs.extend(self.watched.leftovers.drain(..).map(|(name, block)| Job { name, of: None, block }));
        let orders: Vec<Order> = self.watched.tails.keys().copied().collect();
        let due = self.watched.tails.values().filter(|tail| tail.is_due()).count().max(1);
        let share = if self.settings.args.follow { (most / due).max(1) } else { most };
        let mut unread_path = None;
        for order in orders {
            if jobs.len() >= most {
                break;
            }
            // What has a path now comes after what had it before.
            if unread_path == Some(order.0) {
                continue;
            }
            if !self.read(order, share.min(most - jobs.len()), now, &mut jobs) {
                unread_path = Some(order.0);
            }
        }
        jobs
    }

    /// Reads some blocks of a file. Returns whether that was all there is.
    fn read(&mut self, order: Order, most: usize, now: Instant, jobs: &mut Vec<Job>) -> bool {
        let mut left = most;
        loop {
            let Some(tail) = self.watched.tails.get_mut(&order) else { return true };
            if !tail.is_due() {
                break;
            }
            if left == 0 {
                return false;
            }
            let mut block = self.spare.pop().unwrap_or_default();
            match tail.next(&mut block, &self.reading) {
                Step::Block => {
                    left -= 1;
                    jobs.push(Job { name: Arc::clone(&tail.name), of: Some(order), block });
                }
                Step::Dry => {
                    let path = tail.path.clone();
                    self.watched.troubles.is_well(&path);
                    break;
                }
                Step::Truncated => {
                    self.watched.truncated(order, now);
                    return false;
                }
                Step::Broken(message, kind) => {
                    let path = tail.path.clone();
                    let packed = tail.has_end();
                    // It may still be written: then there will be more of it.
                    if !packed || kind != io::ErrorKind::UnexpectedEof || !self.settings.args.follow {
                        self.watched.troubles.failed |= packed;
                        self.watched.troubles.say(&path, message);
                    } else {
                        self.watched.troubles.suspect(&path, message, now);
                        if let Some(tail) = self.watched.tails.get_mut(&order) {
                            tail.close();
                        }
                    }
                    break;
                }
            }
        }
        self.finish_line(order, now, jobs);
        true
    }

    /// Hands out the last line of a file to which nothing more will come.
    fn finish_line(&mut self, order: Order, now: Instant, jobs: &mut Vec<Job>) {
        let Some(tail) = self.watched.tails.get(&order) else { return };
        if !self.watched.line_is_final(tail, now) {
            return;
        }
        let Some(tail) = self.watched.tails.get_mut(&order) else { return };
        let mut block = self.spare.pop().unwrap_or_default();
        if tail.finish_line(&mut block) {
            jobs.push(Job { name: Arc::clone(&tail.name), of: Some(order), block });
        }
        if tail.has_end() {
            tail.close();
        }
    }

    /// Searches blocks, writes what is printed of them, and moves positions on.
    fn round(
        &mut self,
        jobs: Vec<Job>,
        searchers: &mut [(Searcher<'_>, Scratch)],
        active: &Active,
        mut searched: Option<&mut Searched>,
    ) -> Result<(), Error> {
        if let Some(searched) = &mut searched {
            for job in &jobs {
                searched.push(&job.name, &job.block);
            }
        }
        // What it says is of this moment, and threads keep what they made of it.
        let run = active.run_now(self.settings.args);
        for (_, scratch) in searchers.iter_mut() {
            *scratch = Scratch::default();
        }
        let report = self.settings.report;
        let none = Searched::default();
        let rules = Rules { set: active.search.rules(), run: &run, searched: searched.as_deref().unwrap_or(&none) };
        let rendered = search_all(&jobs, searchers, &report, rules);
        if let (Some(searched), Some((search, _))) = (searched, searchers.first()) {
            searched.forget(|| search.kept_blocks());
        }
        let mut batch = Batch::default();
        for (job, rendered) in jobs.into_iter().zip(rendered) {
            self.summary.add(&job.block, rendered.hits);
            self.summary.shortened |= rendered.shortened;
            let tally = match job.of.and_then(|order| self.watched.tails.get_mut(&order)) {
                Some(tail) => &mut tail.tally,
                None => tally_of(&mut self.stream_tallies, &job.name),
            };
            tally.add(&report, &job.name, rendered, &mut batch);
            self.summary.any |= tally.any();
            self.enough |= report.show == Show::Nothing && self.summary.any;
            self.spare.push(job.block);
        }
        let watched = &self.watched;
        self.output.write(&batch.rows, || watched.records())
    }

    /// Says what was left, and writes down how far everything was searched.
    fn end(mut self) -> Result<Summary, Error> {
        let mut rows = Vec::new();
        let report = &self.settings.report;
        for tail in self.watched.tails.values() {
            tail.tally.end(report, &tail.name, &mut rows);
        }
        for (name, tally) in &self.stream_tallies {
            tally.end(report, name, &mut rows);
        }
        let records = self.watched.records();
        self.output.write(&rows, || records.clone())?;
        self.output.save(records)?;
        self.watched.troubles.end();
        for tail in self.watched.tails.values().filter(|tail| !tail.line_finished && tail.has_unfinished_line()) {
            let what = if self.output.has_state() { "is left for the next run" } else { "was not searched" };
            self.settings
                .globals
                .warn(format_args!("{}: the last line has no newline yet, and {what}", tail.path.display()));
        }
        self.summary.inputs = self.watched.tails.len() as u64;
        self.summary.failed = self.watched.troubles.any();
        Ok(self.summary)
    }
}

fn tally_of<'t>(tallies: &'t mut Vec<(Arc<Name>, Tally)>, name: &Arc<Name>) -> &'t mut Tally {
    let place = tallies.iter().position(|(known, _)| known.text == name.text).unwrap_or_else(|| {
        tallies.push((Arc::clone(name), Tally::default()));
        tallies.len() - 1
    });
    &mut tallies[place].1
}

/// Searches each block and renders what is printed of it; gives that in order.
fn search_all(
    jobs: &[Job],
    searchers: &mut [(Searcher<'_>, Scratch)],
    report: &Report,
    rules: Rules<'_>,
) -> Vec<Rendered> {
    let one = |job: &Job, (search, scratch): &mut (Searcher<'_>, Scratch)| {
        let mut hits = Vec::new();
        search.scan(&job.block.layouts, job.block.text(), &mut hits);
        report.block(&job.name, &job.block, &mut hits, rules, scratch)
    };
    if jobs.len() < 2 || searchers.len() < 2 {
        let Some(searcher) = searchers.first_mut() else { return Vec::new() };
        return jobs.iter().map(|job| one(job, searcher)).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Rendered)>> = Mutex::new(Vec::with_capacity(jobs.len()));
    std::thread::scope(|scope| {
        for searcher in searchers.iter_mut().take(jobs.len()) {
            scope.spawn(|| {
                while let Some((number, job)) = {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(number).map(|job| (number, job))
                } {
                    let result = one(job, searcher);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|result| result.0);
    results.into_iter().map(|result| result.1).collect()
}
