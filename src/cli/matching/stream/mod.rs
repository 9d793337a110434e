//! `--stream`: a filter for pipelines. Each line of standard input is answered with one line, at once and in order.
//!
//! One thread reads, searches and answers. Another keeps the indicators up to date and listens to signals; the answers to
//! a block of lines are of one rule set, whole.

mod jsonl;
mod rsyslog;

use super::Args;
use super::active::{Active, Reloads};
use super::blocks::{Block, Blocks, Limits, Piece};
use super::name::Name;
use super::open::{standard_input, standard_output};
use super::output::{Line, Rules, Scratch};
use super::pipeline::{Search, Summary};
use super::report::strip_line_end;
use super::searched::Searched;
use super::walk::Input;
use crate::cli::Globals;
use crate::cli::error::{Error, reason, say};
use crate::cli::signals::Signals;
use memchr::memchr;
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};
use stockade::log::Tracker;
use stockade::matcher::Hit;

/// How often signals and files of indicators are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long answers that are being written may hold up a signal to end.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much of a line is repeated that is too long to be held, in bytes.
const SHOWN: usize = 4096;
/// The most hits that are named of such a line.
const MOST_HITS: usize = 1000;

/// What the other side expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Protocol {
    /// The line as an event of the Elastic Common Schema with `threat.enrichments` added, as `--format ecs`
    Jsonl,
    /// What rsyslog's mmexternal merges into a message: `threat.enrichments` under `$!`
    Rsyslog,
}

impl Protocol {
    fn answer(self) -> Answer {
        match self {
            Self::Jsonl => jsonl::answer,
            Self::Rsyslog => rsyslog::answer,
        }
    }
}

/// Appends the answer to a line that has these hits, without an end of line.
type Answer = fn(&Line<'_>, &[Hit], Rules<'_>, &mut Scratch, &mut Vec<u8>);

/// The answer to a line without a hit.
const NOTHING: &[u8] = b"{}\n";

/// What both threads know.
struct Shared {
    current: Mutex<Arc<Active>>,
    /// Held while a block is answered.
    answering: Mutex<()>,
    any: AtomicBool,
    incomplete: AtomicBool,
}

/// Answers until standard input ends.
///
/// # Errors
/// Standard input cannot be read, or the answers not be written.
pub(super) fn run(args: &Args, protocol: Protocol, mut reloads: Reloads, globals: &Globals) -> Result<Summary, Error> {
    let signals = Signals::listen(true)?;
    let current = reloads.current();
    let shared = Arc::new(Shared {
        any: AtomicBool::new(false),
        incomplete: AtomicBool::new(current.is_incomplete()),
        current: Mutex::new(current),
        answering: Mutex::new(()),
    });
    let keeper = Arc::clone(&shared);
    std::thread::Builder::new()
        .name("keeper".into())
        .spawn(move || keep(&keeper, &mut reloads, &signals))
        .map_err(|error| Error::new(format_args!("no thread to listen to signals with: {error}")))?;
    let choice = shared.active().search.log_choice();
    let input = standard_input().map_err(|error| Error::new(format_args!("standard input: {}", reason(&error))))?;
    let mut stream = Stream {
        args,
        shared: &shared,
        answer: protocol.answer(),
        blocks: Blocks::of_lines(input, true, Limits::DEFAULT, Tracker::new(choice)),
        output: standard_output().map_err(|error| Error::output(&error))?,
        name: Name::new(&Input::Stdin),
        long: Long::default(),
        summary: Summary { inputs: 1, ..Summary::default() },
    };
    let mut block = Block::default();
    let mut some = stream.blocks.next(&mut block);
    while some {
        let active = stream.shared.active();
        some = stream.answer_with(&active, &mut block)?;
    }
    if let Some((error, at)) = stream.blocks.error() {
        say(format_args!("(standard input): {} at byte {at}", reason(&error)));
        stream.summary.failed = true;
    }
    if stream.long.cut > 0 {
        globals.warn(format_args!(
            "{} lines were too long to be repeated; their answers hold what was found and the first {SHOWN} bytes",
            stream.long.cut
        ));
    }
    Ok(stream.summary)
}

/// Looks after indicators and signals.
fn keep(shared: &Shared, reloads: &mut Reloads, signals: &Signals) {
    loop {
        std::thread::sleep(TICK);
        if reloads.poll(Instant::now(), signals) {
            *shared.lock() = reloads.current();
            reloads.announce();
        }
        if signals.ended() {
            end(shared);
        }
    }
}

/// Ends the process between two answers. The other thread may wait for a line that never comes.
fn end(shared: &Shared) {
    let since = Instant::now();
    let answering = loop {
        match shared.answering.try_lock() {
            Ok(guard) => break Some(guard),
            Err(TryLockError::Poisoned(_)) => break None,
            Err(TryLockError::WouldBlock) if since.elapsed() >= PATIENCE => break None,
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let code = match () {
        () if shared.incomplete.load(Ordering::Relaxed) || answering.is_none() => 2,
        () if shared.any.load(Ordering::Relaxed) => 0,
        () => 1,
    };
    std::process::exit(code);
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Arc<Active>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn active(&self) -> Arc<Active> {
        Arc::clone(&self.lock())
    }
}

struct Stream<'a> {
    args: &'a Args,
    shared: &'a Shared,
    answer: Answer,
    blocks: Blocks<File>,
    output: File,
    name: Name,
    long: Long,
    summary: Summary,
}

/// A line that is too long to be held.
#[derive(Default)]
struct Long {
    /// How it begins.
    begin: Vec<u8>,
    hits: Vec<Hit>,
    /// How many such lines there were.
    cut: u64,
}

impl Stream<'_> {
    /// Answers a block, and those that follow until there are other indicators. Returns whether there is a block that
    /// was not answered.
    fn answer_with(&mut self, active: &Arc<Active>, block: &mut Block) -> Result<bool, Error> {
        let mut search = active.search.searcher();
        let (mut hits, mut out) = (Vec::new(), Vec::new());
        let mut made = Instant::now();
        let mut run = active.run_now(self.args);
        let mut scratch = Scratch::default();
        // Patterns over several lines name none here.
        let none = Searched::default();
        loop {
            {
                let _answering = self.shared.answering.lock().unwrap_or_else(PoisonError::into_inner);
                hits.clear();
                out.clear();
                search.scan(&block.layouts, block.text(), &mut hits);
                self.summary.add(block, hits.len() as u64);
                if !hits.is_empty() && made.elapsed() > Duration::from_secs(1) {
                    // It says when something was found.
                    (made, run, scratch) = (Instant::now(), active.run_now(self.args), Scratch::default());
                }
                let rules = Rules { set: active.search.rules(), run: &run, searched: &none };
                match block.piece {
                    None => self.lines(block, &mut hits, rules, &mut scratch, &mut out),
                    Some(piece) => self.piece(block, piece, &mut hits, rules, &mut scratch, &mut out),
                }
                if !out.is_empty() {
                    self.output.write_all(&out).map_err(|error| Error::output(&error))?;
                }
            }
            if !self.blocks.next(block) {
                return Ok(false);
            }
            // There may be others since it was begun to wait. A line is answered by one rule set.
            if block.piece.is_none_or(|piece| piece.start == 0) && !Arc::ptr_eq(active, &self.shared.lock()) {
                return Ok(true);
            }
        }
    }

    fn lines(
        &mut self,
        block: &Block,
        hits: &mut Vec<Hit>,
        rules: Rules<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let text = block.text();
        let (mut start, mut number) = (0, block.first_line);
        let mut hits = hits.drain(..).peekable();
        while start < text.len() {
            let next = memchr(b'\n', &text[start..]).map_or(text.len(), |end| start + end + 1);
            let mut own = Vec::new();
            while let Some(hit) = hits.next_if(|hit| hit.line_start < next) {
                own.push(hit);
            }
            if own.is_empty() {
                out.extend_from_slice(NOTHING);
            } else {
                self.found();
                let line = Line {
                    name: &self.name,
                    number,
                    offset: block.offset + start as u64,
                    text: strip_line_end(&text[start..next]),
                    start: 0,
                    more: false,
                    shorten: false,
                    layout: block.layout_at(start),
                    document: None,
                };
                (self.answer)(&line, &own, rules, scratch, out);
                out.push(b'\n');
            }
            start = next;
            number += 1;
        }
    }

    /// Takes a piece of a line; the last one is answered.
    fn piece(
        &mut self,
        block: &Block,
        piece: Piece,
        hits: &mut Vec<Hit>,
        rules: Rules<'_>,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        if piece.start == 0 {
            let text = block.text();
            self.long.begin = text[..text.len().min(SHOWN)].to_vec();
            self.long.hits.clear();
        }
        piece.settle(hits);
        let room = MOST_HITS.saturating_sub(self.long.hits.len());
        self.long.hits.extend(hits.drain(..).take(room));
        if !piece.last {
            return;
        }
        if self.long.hits.is_empty() {
            out.extend_from_slice(NOTHING);
            return;
        }
        self.found();
        self.long.cut += 1;
        let line = Line {
            name: &self.name,
            number: block.first_line,
            offset: block.offset,
            text: &self.long.begin,
            start: 0,
            more: true,
            shorten: true,
            layout: None,
            document: None,
        };
        (self.answer)(&line, &self.long.hits, rules, scratch, out);
        out.push(b'\n');
    }

    fn found(&mut self) {
        self.summary.any = true;
        self.shared.any.store(true, Ordering::Relaxed);
    }
}
