//! Measures the store, with what stands on standard input, a bundle for example:
//!
//! ```text
//! cargo run --release --example corpus -- bundle 1000000 | cargo run --release --example store -- put DIR
//! cargo run --release --example store -- read DIR
//! ```
//!
//! `put` commits pages of a thousand objects, or of `PAGE`; `snapshot` all of it at once.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use stockade::source;
use stockade::stix::Timestamp;
use stockade::store::{Mode, Reader, StoreError, Writer};

const USAGE: &str = "usage: store put DIR [PAGE] | store snapshot DIR | store read DIR";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["put", dir] => put(Path::new(dir), Mode::Incremental, 1000),
        ["put", dir, page] => put(Path::new(dir), Mode::Incremental, page.parse()?),
        ["snapshot", dir] => put(Path::new(dir), Mode::Snapshot, u64::MAX),
        ["read", dir] => read(Path::new(dir)),
        _ => Err(USAGE.into()),
    }
}

fn put(dir: &Path, mode: Mode, page: u64) -> Result<(), Box<dyn Error>> {
    let now = Timestamp::parse("2026-11-22T00:00:00Z")?;
    let start = Instant::now();
    let mut writer = Writer::open(dir, "feed")?;
    writer.begin(mode, now)?;
    let (mut count, mut result) = (0, Ok(()));
    source::objects(&mut std::io::stdin().lock(), &mut |_, object| {
        let mut take = || -> Result<(), StoreError> {
            if let Ok(object) = object {
                writer.put(object)?;
                count += 1;
                if count % page == 0 {
                    writer.commit(&count.to_string())?;
                }
            }
            Ok(())
        };
        if result.is_ok() {
            result = take();
        }
    })?;
    result?;
    writer.commit("end")?;
    if mode == Mode::Snapshot {
        writer.finish_snapshot(0.5, false)?;
    }
    writer.note_success(now)?;
    drop(writer);
    report("put", count, start);
    Ok(())
}

fn read(dir: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let reader = Reader::open(dir, "feed")?.ok_or("there is no store")?;
    let size = reader.size();
    let (mut count, mut bytes) = (0_u64, 0);
    let mut objects = reader.indicators();
    while let Some(object) = objects.next()? {
        (count, bytes) = (count + 1, bytes + object.len());
    }
    report("read", count, start);
    println!("{bytes} bytes of JSON in {size} on the disk");
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(what: &str, count: u64, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {count} objects in {seconds:.2} s, {:.0} a second", count as f64 / seconds);
}
