//! Writes made-up indicators and logs of any size, always the same for a seed, to standard output:
//!
//! ```text
//! cargo run --release --example corpus -- bundle 1000000 > bundle.json
//! cargo run --release --example corpus -- list 1000000 > list.txt                 # the same values, one a line
//! cargo run --release --example corpus -- log 1000000 4000000 > access.log 2> truth.txt
//! cargo run --release --example corpus -- check 1000000 truth.txt < hits.jsonl
//! ```
//!
//! A log goes with the bundle of as many indicators. Of a thousand lines one holds a listed value, or as many as a
//! further argument says. The places of those values go to standard error, one a line: `line:start-end value indicator`.
//! `check` compares them with what `stockade match --json` found, and fails if anything was missed or is wrong.

#[path = "../benches/support/corpus.rs"]
mod corpus;

use corpus::Corpus;
use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: corpus bundle COUNT | corpus list COUNT | corpus log COUNT LINES [HITS-IN-A-THOUSAND] | \
    corpus check COUNT TRUTH < HITS";

/// Where a value stands: line, first byte, end.
type Place = (u64, u64, u64);

fn main() -> io::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().map_err(|_| io::Error::other(USAGE));
    let corpus = |count: &str| number(count).map(|count| Corpus { seed: 1, count });
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    match *args {
        ["bundle", count] => corpus(count)?.write_bundle(&mut out)?,
        ["list", count] => {
            let corpus = corpus(count)?;
            for indicator in 0..corpus.count {
                writeln!(out, "{}", corpus.text(indicator))?;
            }
        }
        ["log", count, lines] => log(corpus(count)?, number(lines)?, 1, &mut out)?,
        ["log", count, lines, hits] => log(corpus(count)?, number(lines)?, number(hits)?, &mut out)?,
        ["check", count, truth] => return check(corpus(count)?, &std::fs::read_to_string(truth)?, &mut out),
        _ => return Err(io::Error::other(USAGE)),
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn log(corpus: Corpus, lines: u64, hits: u64, out: &mut impl Write) -> io::Result<()> {
    let mut truth = BufWriter::new(io::stderr().lock());
    for planted in corpus.write_log_with(lines, hits, out)? {
        let id = corpus.id(planted.indicator);
        writeln!(truth, "{}:{}-{} {} {id}", planted.line, planted.start, planted.end, planted.value)?;
    }
    truth.flush()
}

/// A planted value is found if its indicator is reported at its place. What is reported beyond that is wrong, unless a
/// second indicator lists the same value.
fn check(corpus: Corpus, truth: &str, out: &mut impl Write) -> io::Result<ExitCode> {
    let planted: Option<Vec<(Place, &str, &str)>> = truth.lines().map(planted).collect();
    let planted = planted.ok_or_else(|| io::Error::other("no line of `corpus log`"))?;
    let values: HashMap<Place, &str> = planted.iter().map(|(place, value, _)| (*place, *value)).collect();
    let mut found: HashSet<(Place, String)> = HashSet::new();
    for line in io::stdin().lock().lines() {
        let hit: serde_json::Value = serde_json::from_str(&line?).map_err(io::Error::other)?;
        let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
        let place = (number(&hit["line"]), number(&hit["span"][0]), number(&hit["span"][1]));
        found.insert((place, hit["indicator"]["id"].as_str().unwrap_or_default().to_owned()));
    }
    let all = found.len();
    let missed = planted.iter().filter(|(place, _, id)| !found.remove(&(*place, (*id).to_owned()))).count();
    let further: HashSet<&str> = found.iter().map(|(_, id)| id.as_str()).collect();
    let numbers = (0..if further.is_empty() { 0 } else { corpus.count }).map(|number| (corpus.id(number), number));
    let numbers: HashMap<String, u64> = numbers.filter(|(id, _)| further.contains(id.as_str())).collect();
    let is_right = |(place, id): &(Place, String)| {
        values.get(place).zip(numbers.get(id)).is_some_and(|(value, number)| corpus.covers(*number, value))
    };
    let wrong = found.iter().filter(|hit| !is_right(hit)).count();
    writeln!(out, "{} planted, {all} found, {missed} missed, {wrong} wrong", planted.len())?;
    out.flush()?;
    Ok(if missed + wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads a line of the truth.
fn planted(line: &str) -> Option<(Place, &str, &str)> {
    let (place, rest) = line.split_once(' ')?;
    let (value, id) = rest.rsplit_once(' ')?;
    let (line, span) = place.split_once(':')?;
    let (start, end) = span.split_once('-')?;
    Some(((line.parse().ok()?, start.parse().ok()?, end.parse().ok()?), value, id))
}
