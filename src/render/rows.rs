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
const CHUNK: usize = 1 << 14;

/// Writes the row of each entry, in their order. The function is told the number of the row.
pub(super) fn write<'v>(
    view: &View<'v>,
    entries: &[Any<'v>],
    out: &mut Out<'_>,
    row: impl Fn(usize, Any<'v>, &Credit<'v>, &mut Out<'_>) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let list = view.list();
    let rows = |first: usize, entries: &[Any<'v>], out: &mut Out<'_>| {
        entries.iter().zip(first..).try_for_each(|(entry, at)| row(at, *entry, &entry.credit(list), out))
    };
    if entries.len() <= CHUNK {
        return rows(0, entries, out);
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    for (round, wave) in entries.chunks(CHUNK * threads).enumerate() {
        let made = thread::scope(|scope| {
            let rows = &rows;
            let made = |(number, chunk): (usize, _)| {
                let first = (round * threads + number) * CHUNK;
                scope.spawn(move || {
                    let mut bytes = Vec::new();
                    let mut out = Out::new(&mut bytes);
                    rows(first, chunk, &mut out)?;
                    out.flush()?;
                    drop(out);
                    io::Result::Ok(bytes)
                })
            };
            let threads: Vec<_> = wave.chunks(CHUNK).enumerate().map(made).collect();
            let lost = |_| Err(io::Error::other("a thread that writes rows broke off"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(lost)).collect::<io::Result<Vec<_>>>()
        })?;
        for bytes in made {
            out.bytes(&bytes)?;
        }
    }
    Ok(())
}
