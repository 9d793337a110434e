//! Writes made-up indicators and logs of any size, always the same for a seed, to standard output:
//!
//! ```text
//! cargo run --release --example corpus -- bundle 1000000 > bundle.json
//! cargo run --release --example corpus -- log 1000000 4000000 > access.log     # for the bundle above
//! ```
//!
//! The places of the listed values in a log go to standard error, one a line: `line:start-end value indicator`.

#[path = "../benches/support/corpus.rs"]
mod corpus;

use corpus::Corpus;
use std::io::{self, BufWriter, Write};

const USAGE: &str = "usage: corpus bundle INDICATORS | corpus log INDICATORS LINES";

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| args.get(index).and_then(|text| text.parse().ok());
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    match (args.first().map(String::as_str), number(1), number(2)) {
        (Some("bundle"), Some(count), None) => Corpus { seed: 1, count }.write_bundle(&mut out)?,
        (Some("log"), Some(count), Some(lines)) => {
            let corpus = Corpus { seed: 1, count };
            let mut truth = BufWriter::new(io::stderr().lock());
            for planted in corpus.write_log(lines, &mut out)? {
                let id = corpus.id(planted.indicator);
                writeln!(truth, "{}:{}-{} {} {id}", planted.line, planted.start, planted.end, planted.value)?;
            }
            truth.flush()?;
        }
        _ => return Err(io::Error::other(USAGE)),
    }
    out.flush()
}
