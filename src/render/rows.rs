//! Rows that tell of the indicators behind their entry, made on all cores.
//!
//! Looking up an indicator is a walk through memory in no order at all; several at a time take the time of one.

use super::out::Out;
use super::view::{Any, View};
use crate::blocklist::Credit;
use std::io;
use std::num::NonZero;
use std::thread;

/// Entries that one thread makes rows of at a time.
const CHUNK: usize = 1 << 12;

/// Writes the row of each entry, in their order. The function is told the number of the row.
pub(super) fn write<'v>(
    view: &View<'v>,
    out: &mut Out<'_>,
    row: impl Fn(usize, Any<'v>, &Credit<'v>, &mut Out<'_>) -> io::Result<()> + Sync,
) -> io::Result<()> {
    write_of(view, view.all().map(|(_, entry)| entry), out, row)
}

/// As [`write`], of some entries.
pub(super) fn write_of<'v>(
    view: &View<'v>,
    entries: impl Iterator<Item = Any<'v>>,
    out: &mut Out<'_>,
    row: impl Fn(usize, Any<'v>, &Credit<'v>, &mut Out<'_>) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let list = view.list();
    each(entries, out, |at, entry, out| row(at, *entry, &entry.credit(list), out))
}

/// Writes the row of each of any things, in their order.
pub(super) fn each<T: Sync>(
    mut things: impl Iterator<Item = T>,
    out: &mut Out<'_>,
    row: impl Fn(usize, &T, &mut Out<'_>) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let rows = |first: usize, things: &[T], out: &mut Out<'_>| {
        things.iter().zip(first..).try_for_each(|(thing, at)| row(at, thing, out))
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut wave = Vec::new();
    let mut before = 0;
    loop {
        // Only what is being written is held, so that a list of any length takes little memory.
        wave.clear();
        wave.extend(things.by_ref().take(CHUNK * threads));
        if wave.len() <= CHUNK {
            rows(before, &wave, out)?;
        } else {
            for bytes in at_once(&wave, before, &rows)? {
                out.bytes(&bytes)?;
            }
        }
        if wave.len() < CHUNK * threads {
            return Ok(());
        }
        before += wave.len();
    }
}

/// The rows of each chunk, made by a thread of its own.
fn at_once<T: Sync>(
    wave: &[T],
    before: usize,
    rows: &(impl Fn(usize, &[T], &mut Out<'_>) -> io::Result<()> + Sync),
) -> io::Result<Vec<Vec<u8>>> {
    thread::scope(|scope| {
        let made = |(number, chunk): (usize, _)| {
            scope.spawn(move || {
                let mut bytes = Vec::new();
                let mut out = Out::new(&mut bytes);
                rows(before + number * CHUNK, chunk, &mut out)?;
                out.flush()?;
                drop(out);
                io::Result::Ok(bytes)
            })
        };
        let threads: Vec<_> = wave.chunks(CHUNK).enumerate().map(made).collect();
        let lost = |_| Err(io::Error::other("a thread that writes rows broke off"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(lost)).collect()
    })
}
