//! `stockade fetch --watch`: each source on its own interval, until the process is told to end.
//!
//! Sources do not wait for each other, and no fault of one ends the watch. What was committed when the end comes is
//! kept, and the rest was never there, so that ending in the middle of a poll is as good as between two.

use super::index::Indexes;
use super::poll::{Job, Report};
use super::{Printer, progress};
use crate::cli::Globals;
use crate::cli::config::{Config, Source};
use crate::cli::error::{Error, Outcome, say};
use crate::cli::indicators::now;
use crate::cli::signals::Signals;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use stockade::store::Reader;

/// Between two looks at whether the end has come.
const LOOK: Duration = Duration::from_millis(50);

/// How long polls may take to end when the process does.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first wait after a failure; it doubles with each further one, up to the interval.
const FIRST_WAIT: Duration = Duration::from_secs(30);

pub(super) fn run(
    config: &Config,
    sources: &[&Source],
    dir: &Path,
    out: &Printer<'_>,
    globals: &Globals,
) -> Result<Outcome, Error> {
    let stop = Signals::listen(false)?.end();
    let bars = progress::Bars::new(globals);
    let (sender, receiver) = mpsc::channel::<Report>();
    let indexes = Indexes::new(config, dir, globals);
    std::thread::scope(|scope| {
        let running: Vec<_> = sources
            .iter()
            .map(|source| {
                let (sender, stop, bars) = (sender.clone(), Arc::clone(&stop), &bars);
                scope.spawn(move || watch(source, dir, &stop, bars, &sender))
            })
            .collect();
        drop(sender);
        let mut result = Ok(Outcome::Yes);
        let mut ending: Option<Instant> = None;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(report) => {
                    let stopped = stop.load(Ordering::Relaxed) && report.result.is_err();
                    if !stopped && let Err(error) = bars.suspend(|| out.print(&report)) {
                        // Nobody reads what is printed: there is nothing to go on for.
                        result = Err(error);
                        stop.store(true, Ordering::Relaxed);
                    }
                    if report.changed() {
                        // What cannot be written now is tried again with the next change.
                        bars.suspend(|| indexes.write(&BTreeSet::from([report.source])));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if stop.load(Ordering::Relaxed) {
                let since = *ending.get_or_insert_with(Instant::now);
                if since.elapsed() > PATIENCE {
                    // A server is silent. Nothing that was not committed counts, so that it can be left alone.
                    let busy = running.iter().filter(|thread| !thread.is_finished()).count();
                    globals.warn(format_args!("ended while {busy} polls were going on; what they committed is kept"));
                    std::process::exit(0);
                }
            }
        }
        result
    })
}

/// Polls one source until the end.
fn watch(source: &Source, dir: &Path, stop: &Arc<AtomicBool>, bars: &progress::Bars, sender: &mpsc::Sender<Report>) {
    let interval = source.interval.0.get();
    let mut wait = until_due(source, dir, interval);
    let mut failures = 0;
    while sleep(wait, stop) {
        let bar = bars.add(&source.name);
        let job = Job { source, dir, dry_run: false, force: false, stop: Arc::clone(stop), bar };
        // A fault in the program itself must not end the watch of the others, nor of this one.
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.run()));
        let asked = polled.as_ref().ok().and_then(|report| report.retry_after);
        if let Ok(report) = polled {
            failures = if report.result.is_ok() { 0 } else { failures + 1 };
            if sender.send(report).is_err() {
                return;
            }
        } else {
            failures += 1;
            say(format_args!("{}: the poll ended in a fault of this program; it goes on", source.name));
        }
        wait = match failures {
            0 => jittered(interval),
            _ => jittered(FIRST_WAIT.saturating_mul(1 << (failures - 1).min(16)).min(interval)),
        };
        wait = wait.max(asked.unwrap_or_default());
    }
}

/// How long until a source is due: one that was polled a moment ago can wait, even if this process has just begun.
fn until_due(source: &Source, dir: &Path, interval: Duration) -> Duration {
    let reader = Reader::open(dir, &source.name).ok().flatten();
    let Some(last) = reader.and_then(|reader| reader.state().last_success) else { return Duration::ZERO };
    let Ok(age) = u64::try_from(now().seconds - last.seconds) else { return Duration::ZERO };
    interval.saturating_sub(Duration::from_secs(age))
}

/// A tenth more or less, so that sources of one interval, and machines of one fleet, drift apart.
fn jittered(interval: Duration) -> Duration {
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    // Nothing hangs on how random it is.
    interval.mul_f64(0.9 + 0.2 * f64::from(nanos % 1000) / 1000.0)
}

/// Waits. False: the end has come.
fn sleep(time: Duration, stop: &AtomicBool) -> bool {
    let until = Instant::now().checked_add(time);
    while !stop.load(Ordering::Relaxed) {
        let left = until.map_or(LOOK, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
    false
}
