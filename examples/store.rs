//! Measures the store with made-up indicators, a million times the same for a seed:
//!
//! ```text
//! cargo run --release --example store -- put DIR COUNT [PAGE]    # in committed pages
//! cargo run --release --example store -- snapshot DIR COUNT      # as one snapshot
//! cargo run --release --example store -- read DIR                # all indicators
//! ```

#[path = "../benches/support/corpus.rs"]
mod corpus;

use corpus::Corpus;
use std::error::Error;
use std::path::Path;
use std::time::Instant;
use stockade::stix::Timestamp;
use stockade::store::{Mode, Reader, Writer};

const USAGE: &str = "usage: store put DIR COUNT [PAGE] | store snapshot DIR COUNT | store read DIR";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let page = |text: Option<&&str>| text.map_or(Ok(1000), |text| text.parse());
    match args[..] {
        ["put", dir, count, ..] => put(Path::new(dir), Mode::Incremental, count.parse()?, page(args.get(3))?),
        ["snapshot", dir, count] => put(Path::new(dir), Mode::Snapshot, count.parse()?, u64::MAX),
        ["read", dir] => read(Path::new(dir)),
        _ => Err(USAGE.into()),
    }
}

fn put(dir: &Path, mode: Mode, count: u64, page: u64) -> Result<(), Box<dyn Error>> {
    let now = Timestamp::parse("2026-11-22T00:00:00Z")?;
    let mut bundle = Vec::new();
    Corpus { seed: 1, count }.write_bundle(&mut bundle)?;
    let mut objects = Vec::new();
    stockade::source::objects(&mut &bundle[..], &mut |_, object| objects.extend(object.map(<[u8]>::to_vec)))?;
    drop(bundle);

    let start = Instant::now();
    let mut writer = Writer::open(dir, "made-up")?;
    writer.begin(mode, now)?;
    for (number, object) in (1_u64..).zip(&objects) {
        writer.put(object)?;
        if number % page == 0 {
            writer.commit(&number.to_string())?;
        }
    }
    writer.commit("end")?;
    if mode == Mode::Snapshot {
        writer.finish_snapshot(0.5, false)?;
    }
    let before_end = start.elapsed();
    writer.note_success(now)?;
    drop(writer);
    report("put", objects.len(), start);
    println!("last commit after {before_end:.2?}");
    Ok(())
}

fn read(dir: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let reader = Reader::open(dir, "made-up")?.ok_or("there is no store")?;
    let size = reader.size();
    let (mut count, mut bytes) = (0, 0);
    let mut objects = reader.indicators();
    while let Some(object) = objects.next()? {
        (count, bytes) = (count + 1, bytes + object.len());
    }
    report("read", count, start);
    println!("{bytes} bytes of JSON in {size} on the disk");
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(what: &str, count: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {count} objects in {seconds:.2} s, {:.0} a second", count as f64 / seconds);
}
