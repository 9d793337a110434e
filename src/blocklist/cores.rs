//! Work on all cores.

use std::cmp::Ordering;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Fewer things than this are not worth a thread.
const LEAST: usize = if cfg!(test) { 4 } else { 1 << 12 };

/// How many cores there are to work on.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Does some work with each of some things, and gives what came of it in their order.
pub(crate) fn on_all_cores<T: Send, R: Send>(things: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = cores().min(things.len());
    if threads <= 1 {
        return things.into_iter().map(work).collect();
    }
    let mut results: Vec<Option<R>> = things.iter().map(|_| None).collect();
    let queue = Mutex::new(things.into_iter().zip(&mut results));
    // Others take their things from the queue although one broke off; the scope breaks off with it in the end.
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((thing, result)) = next() {
                    *result = Some(work(thing));
                }
            });
        }
    });
    results.into_iter().flatten().collect()
}

/// Sorts on all cores; equal things keep their order.
pub(super) fn sort_on_all_cores<T: Send>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering + Sync) {
    let run = list.len().div_ceil(cores()).max(LEAST);
    on_all_cores(list.chunks_mut(run).collect(), |run: &mut [T]| run.sort_by(&compare));
    // It finds the runs and merges them.
    list.sort_by(compare);
}
