//! Rows that tell of the indicators behind their entry, made on all cores.
//!
//! Looking up an indicator is a walk through memory in no order at all: several cores walk at once, and each glances at
//! what it needs for many rows before it writes the first, so that the waiting overlaps.

use super::out::Out;
use super::view::{Any, View};
use crate::blocklist::Credit;
use std::hint::black_box;
use std::io;
use std::num::NonZero;
use std::thread;

/// Rows that one thread makes at a time.
const CHUNK: usize = 1 << 12;
/// Entries that are glanced at together.
const GLANCE: usize = 1 << 6;

/// Writes the row of each entry, in their order, with a separator between rows.
pub(super) fn write<'v>(
    view: &View<'v>,
    separator: &'static str,
    out: &mut Out<'_>,
    row: impl Fn(Any<'v>, &Credit<'v>, &mut Out<'_>) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let (list, look) = (view.list(), view.look());
    let rows = |numbers: &[u32], out: &mut Out<'_>| {
        let mut rows = Rows::default();
        for numbers in numbers.chunks(GLANCE) {
            black_box(numbers.iter().fold(0, |touched, number| touched ^ list.glance(*number)));
            for entry in numbers.iter().filter_map(|number| look.entry(*number)) {
                let Some(entry) = entry else {
                    rows.refused += 1;
                    continue;
                };
                out.text(if rows.written == 0 { "" } else { separator });
                row(entry, &entry.credit(list), out)?;
                rows.written += 1;
            }
        }
        Ok(rows)
    };
    let all = at_once(0..list.len() as u32, separator, out, rows)?;
    view.count(all.written, all.refused);
    Ok(())
}

/// Writes the row of each of any things, in their order, with a separator between rows. `glance` touches what the row of
/// a thing will need.
pub(super) fn each<T: Sync>(
    things: impl Iterator<Item = T>,
    separator: &'static str,
    out: &mut Out<'_>,
    glance: impl Fn(&T) -> u64 + Sync,
    row: impl Fn(&T, &mut Out<'_>) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let rows = |things: &[T], out: &mut Out<'_>| {
        let mut first = true;
        for things in things.chunks(GLANCE) {
            black_box(things.iter().fold(0, |touched, thing| touched ^ glance(thing)));
            for thing in things {
                out.text(if std::mem::take(&mut first) { "" } else { separator });
                row(thing, out)?;
            }
        }
        Ok(Rows { written: things.len(), refused: 0 })
    };
    at_once(things, separator, out, rows).map(|_| ())
}

/// What became of some entries.
#[derive(Clone, Copy, Default)]
struct Rows {
    written: usize,
    refused: usize,
}

/// Has chunks made on all cores and writes them in their order.
fn at_once<T: Sync>(
    mut things: impl Iterator<Item = T>,
    separator: &'static str,
    out: &mut Out<'_>,
    rows: impl Fn(&[T], &mut Out<'_>) -> io::Result<Rows> + Sync,
) -> io::Result<Rows> {
    let chunk_of = |chunk: &[T]| {
        let mut bytes = Vec::new();
        let mut out = Out::new(&mut bytes);
        let rows = rows(chunk, &mut out)?;
        out.flush()?;
        drop(out);
        io::Result::Ok((rows, bytes))
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut all = Rows::default();
    let mut wave = Vec::new();
    loop {
        // Only what is being written is held, so that a list of any length takes little memory.
        wave.clear();
        wave.extend(things.by_ref().take(CHUNK * threads));
        let made: io::Result<Vec<_>> = match wave.as_slice() {
            [] => return Ok(all),
            wave if wave.len() <= CHUNK => chunk_of(wave).map(|made| vec![made]),
            wave => thread::scope(|scope| {
                let threads: Vec<_> = wave.chunks(CHUNK).map(|chunk| scope.spawn(|| chunk_of(chunk))).collect();
                let lost = |_| Err(io::Error::other("a thread that writes rows broke off"));
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(lost)).collect()
            }),
        };
        for (rows, bytes) in made? {
            out.text(if all.written == 0 || rows.written == 0 { "" } else { separator }).bytes(&bytes)?;
            all.written += rows.written;
            all.refused += rows.refused;
        }
    }
}
