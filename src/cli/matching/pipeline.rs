//! Several threads search; the output has the order of the input.
//!
//! Each thread takes the next block of the first input that nobody is reading from, opening a further input when all are
//! busy, so that one large file and many small ones both keep every thread at work. A block is read by the thread that
//! searches it and renders what is printed of it; whoever completes the block that is next in order writes it, and what
//! is ready behind it. What waits to be written is limited, and with it how far the threads may run ahead.
//!
//! Threads are not waited for at the end: one may be asleep in a read from a pipe when another finds that no more is
//! needed.

use super::blocks::{Block, Blocks, Limits};
use super::decompress::Text;
use super::gather::Gathered;
use super::name::Name;
use super::open::open;
use super::output::{Rules, Run, Scratch};
use super::report::{Batch, Rendered, Report, Show, Tally};
use super::searched::Searched;
use super::walk::{Input, Walk};
use crate::cli::error::say;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stockade::compile::RuleSet;
use stockade::log::{Choice, Layouts, Tracker};
use stockade::matcher::Hit;

/// What may wait to be written before threads stop running ahead, in bytes.
const WAITING: usize = 32 << 20;
/// What an input costs while it waits for its turn, in bytes, near enough.
const INPUT: usize = 1 << 10;

/// Searches block after block.
pub(super) trait Scan: Send {
    /// Appends the hits of a block of whole lines, in the order of the text.
    fn scan(&mut self, layouts: &Layouts, text: &[u8], hits: &mut Vec<Hit>);
    /// The blocks, by their number, that hits of later ones may name.
    fn kept_blocks(&self) -> BTreeSet<u64> {
        BTreeSet::new()
    }
}

/// What searches for one thread.
pub(super) type Searcher<'a> = Box<dyn Scan + 'a>;

/// What searches a block.
pub(super) trait Search: Send + Sync + 'static {
    /// A searcher for one thread.
    fn searcher(&self) -> Searcher<'_>;
    /// The rule set that the hits refer to.
    fn rules(&self) -> &RuleSet;
    /// Whether one searcher has to see all blocks in order.
    fn is_sequential(&self) -> bool {
        false
    }
    /// How logs are to be read.
    fn log_choice(&self) -> Arc<Choice> {
        Arc::default()
    }
}

/// A search under way.
pub(super) struct Pipeline<S> {
    search: S,
    run: Run,
    report: Report,
    limits: Limits,
    threads: usize,
    sink: Mutex<Sink>,
    state: Mutex<State>,
    changed: Condvar,
}

/// Where everything goes in the end.
struct Sink {
    output: Box<dyn Write + Send>,
    gathered: Gathered,
}

impl Sink {
    fn take(&mut self, batch: Batch) -> io::Result<()> {
        for (name, records) in batch.records {
            self.gathered.add(&name, records);
        }
        if batch.rows.is_empty() {
            return Ok(());
        }
        self.output.write_all(&batch.rows)?;
        self.output.flush()
    }
}

/// What was done so far.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// A line was selected.
    pub(super) any: bool,
    /// Something could not be searched to its end, and was reported.
    pub(super) failed: bool,
    /// Rows left out some of a line.
    pub(super) shortened: bool,
    /// Why the output could not be written.
    pub(super) output_error: Option<io::Error>,
    pub(super) inputs: u64,
    /// Bytes of text, after decompression.
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) hits: u64,
    /// Lines that were too long to be taken apart into fields.
    pub(super) lost_fields: u64,
}

impl Summary {
    /// Notes a block that was searched.
    pub(super) fn add(&mut self, block: &Block, hits: u64) {
        self.bytes += block.new_bytes();
        self.lines += block.lines_ended();
        self.lost_fields += u64::from(block.lost_fields);
        self.hits += hits;
    }
}

struct State {
    walk: Walk,
    /// Every input was begun.
    walked: bool,
    /// The inputs begun and not written to their end, in order; the first has the number `first`.
    files: VecDeque<File>,
    first: u64,
    /// How many of them are not read to their end.
    open: usize,
    /// Bytes that wait to be written.
    waiting: usize,
    /// Somebody is writing.
    writing: bool,
    /// Nothing more is wanted.
    ended: bool,
    summary: Summary,
}

struct File {
    name: Arc<Name>,
    source: Source,
    /// Number of blocks read, and of blocks written.
    read: u64,
    written: u64,
    ready: BTreeMap<u64, Rendered>,
    tally: Tally,
    /// It could not be opened, so nothing is said of it.
    unopened: bool,
}

enum Source {
    Idle(Box<Blocks<Text>>),
    Busy,
    Done,
}

/// A block to read.
struct Task {
    file: u64,
    name: Arc<Name>,
    from: From,
}

enum From {
    Unopened(Input),
    Opened(Box<Blocks<Text>>),
}

/// Starts a search on that many threads.
pub(super) fn start<S: Search>(
    search: S,
    run: Run,
    report: Report,
    walk: Walk,
    (output, gathered): (Box<dyn Write + Send>, Gathered),
    threads: usize,
    limits: Limits,
) -> io::Result<Arc<Pipeline<S>>> {
    let threads = if search.is_sequential() { 1 } else { threads };
    let state = State {
        walk,
        walked: false,
        files: VecDeque::new(),
        first: 0,
        open: 0,
        waiting: 0,
        writing: false,
        ended: false,
        summary: Summary::default(),
    };
    let pipeline = Arc::new(Pipeline {
        search,
        run,
        report,
        limits,
        threads,
        sink: Mutex::new(Sink { output, gathered }),
        state: Mutex::new(state),
        changed: Condvar::new(),
    });
    for _ in 0..threads {
        let pipeline = Arc::clone(&pipeline);
        std::thread::Builder::new().name("search".into()).spawn(move || pipeline.work())?;
    }
    Ok(pipeline)
}

impl<S: Search> Pipeline<S> {
    /// Waits for the end. Meanwhile shows how far it has come, about five times a second.
    pub(super) fn wait(&self, mut show: impl FnMut(&Summary)) -> Summary {
        let mut state = self.lock();
        while !state.over() {
            state =
                self.changed.wait_timeout(state, Duration::from_millis(200)).unwrap_or_else(PoisonError::into_inner).0;
            show(&state.summary);
        }
        state.ended = true;
        self.changed.notify_all();
        std::mem::take(&mut state.summary)
    }

    /// What was kept of hits, once the search is over.
    pub(super) fn gathered(&self) -> Gathered {
        std::mem::take(&mut self.sink.lock().unwrap_or_else(PoisonError::into_inner).gathered)
    }

    /// The rule set that hits refer to.
    pub(super) fn rules(&self) -> &RuleSet {
        self.search.rules()
    }

    /// What is the same for all hits.
    pub(super) fn run(&self) -> &Run {
        &self.run
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let _alarm = Alarm(self);
        let mut search = self.search.searcher();
        // Only patterns over several lines refer to other blocks, and then there is one thread, which sees all of them.
        let (remember, mut searched) = (self.search.is_sequential(), Searched::default());
        let mut block = Block::default();
        let mut hits = Vec::new();
        let mut scratch = Scratch::default();
        while let Some(Task { file, name, from }) = self.take() {
            let mut blocks = match from {
                From::Opened(blocks) => blocks,
                From::Unopened(input) => match open(&input, self.report.show == Show::Rows) {
                    Ok((text, eager)) => {
                        let tracker = Tracker::named(self.search.log_choice(), &name.text);
                        Box::new(Blocks::new(text, eager, self.limits, tracker))
                    }
                    Err(message) => {
                        self.fail(file, &message, true);
                        continue;
                    }
                },
            };
            let some = blocks.next(&mut block);
            if let Some((error, at)) = blocks.error() {
                let what = blocks.reader().explain(&error, at);
                self.fail(file, &format!("{}: {what}", name.text), false);
            }
            let number = self.give_back(file, blocks, some);
            if !some {
                continue;
            }
            hits.clear();
            search.scan(&block.layouts, block.text(), &mut hits);
            if remember {
                searched.push(&name, &block);
            }
            let rules = Rules { set: self.search.rules(), run: &self.run, searched: &searched };
            let rendered = self.report.block(&name, &block, &mut hits, rules, &mut scratch);
            searched.forget(|| search.kept_blocks());
            self.put(file, number, rendered, &block);
        }
    }

    /// Waits for something to read. `None` when there will be no more.
    fn take(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if state.ended {
                return None;
            }
            let room = state.waiting < WAITING;
            let first = state.first;
            for (number, file) in (first..).zip(&mut state.files) {
                // Without room, go on only with what can be written at once.
                if room || number == first && file.read == file.written {
                    match std::mem::replace(&mut file.source, Source::Busy) {
                        Source::Idle(blocks) => {
                            return Some(Task {
                                file: number,
                                name: Arc::clone(&file.name),
                                from: From::Opened(blocks),
                            });
                        }
                        other => file.source = other,
                    }
                }
            }
            if !state.walked && state.open < self.threads && (room || state.files.is_empty()) {
                match state.walk.next() {
                    Some(Ok(input)) => return Some(state.begin(input)),
                    Some(Err(message)) => {
                        say(message);
                        state.summary.failed = true;
                    }
                    None => {
                        state.walked = true;
                        self.changed.notify_all();
                    }
                }
                continue;
            }
            if state.walked && state.open == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reports that an input cannot be read, or no further.
    fn fail(&self, number: u64, message: &str, unopened: bool) {
        say(message);
        let mut state = self.lock();
        state.summary.failed = true;
        if unopened {
            if let Some(file) = state.file(number) {
                file.unopened = true;
            }
            state.close(number);
            self.drain(state);
        }
    }

    /// Lets others read on after a block, if it was `some`. Returns the number of the block.
    fn give_back(&self, number: u64, blocks: Box<Blocks<Text>>, some: bool) -> u64 {
        let mut state = self.lock();
        let ended = blocks.ended();
        let Some(file) = state.file(number) else { return 0 };
        let block = file.read;
        file.read += u64::from(some);
        if !ended {
            file.source = Source::Idle(blocks);
            self.changed.notify_all();
            return block;
        }
        state.close(number);
        if some {
            self.changed.notify_all();
        } else {
            self.drain(state);
        }
        block
    }

    /// Hands in what came of a block.
    fn put(&self, number: u64, block_number: u64, rendered: Rendered, block: &Block) {
        let mut state = self.lock();
        state.summary.add(block, rendered.hits);
        state.summary.shortened |= rendered.shortened;
        if self.report.show == Show::Nothing && rendered.selected > 0 {
            state.summary.any = true;
            state.ended = true;
        }
        let size = rendered.size();
        if let Some(file) = state.file(number) {
            file.ready.insert(block_number, rendered);
            state.waiting += size;
        }
        self.drain(state);
    }

    /// Writes what is next in order, unless somebody does; he will look again before he stops.
    fn drain<'a>(&'a self, mut state: MutexGuard<'a, State>) {
        if state.writing {
            return;
        }
        state.writing = true;
        loop {
            let mut batch = Batch::default();
            state.collect(&self.report, &mut batch);
            if batch.is_empty() {
                break;
            }
            self.changed.notify_all();
            drop(state);
            let written = self.sink.lock().unwrap_or_else(PoisonError::into_inner).take(batch);
            state = self.lock();
            if let Err(error) = written {
                state.summary.output_error = Some(error);
                state.ended = true;
                break;
            }
        }
        state.writing = false;
        self.changed.notify_all();
    }
}

impl State {
    fn over(&self) -> bool {
        self.ended || self.walked && self.files.is_empty() && !self.writing
    }

    fn file(&mut self, number: u64) -> Option<&mut File> {
        self.files.get_mut(number.checked_sub(self.first)? as usize)
    }

    fn begin(&mut self, input: Input) -> Task {
        let name = Arc::new(Name::new(&input));
        let number = self.first + self.files.len() as u64;
        self.open += 1;
        self.waiting += INPUT;
        self.summary.inputs += 1;
        self.files.push_back(File {
            name: Arc::clone(&name),
            source: Source::Busy,
            read: 0,
            written: 0,
            ready: BTreeMap::new(),
            tally: Tally::default(),
            unopened: false,
        });
        Task { file: number, name, from: From::Unopened(input) }
    }

    /// Notes that there is no more to read from an input.
    fn close(&mut self, number: u64) {
        if let Some(file) = self.file(number) {
            file.source = Source::Done;
            self.open -= 1;
        }
    }

    /// Takes what can be written: the blocks of the first input in order, and if it ends, those of the next.
    fn collect(&mut self, report: &Report, out: &mut Batch) {
        while let Some(file) = self.files.front_mut() {
            let mut enough = false;
            while !enough && let Some(block) = file.ready.remove(&file.written) {
                file.written += 1;
                self.waiting -= block.size();
                enough = !file.tally.add(report, &file.name, block, out);
            }
            let done = matches!(file.source, Source::Done);
            if !(enough || done && file.read == file.written) {
                return;
            }
            if !file.unopened {
                file.tally.end(report, &file.name, &mut out.rows);
            }
            self.summary.any |= file.tally.any();
            self.waiting -= file.ready.values().map(Rendered::size).sum::<usize>() + INPUT;
            // If somebody is still reading from it, he will find it gone.
            self.open -= usize::from(!done);
            self.files.pop_front();
            self.first += 1;
        }
    }
}

/// Ends the search should a thread panic: the others would wait for it for ever.
struct Alarm<'a, S: Search>(&'a Pipeline<S>);

impl<S: Search> Drop for Alarm<'_, S> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.lock();
            state.ended = true;
            state.summary.failed = true;
            self.0.changed.notify_all();
        }
    }
}
