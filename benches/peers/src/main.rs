//! Patterns parsed, and observations matched, a second: stockade beside the crates `rstix` and `stix2`.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [PATTERNS]`, where PATTERNS is a file of one pattern a
//! line. All take turns within one run and the median of the rounds counts, since machines are shared. What a program
//! refuses counts as parsed: it has read it. `simple` is the way that stockade takes first when it loads indicators: a
//! pattern that is one plain equality is cut apart without the grammar, anything else is left to it.

use std::hint::black_box;
use std::time::{Duration, Instant};
use stockade::compile::Program;
use stockade::matcher::eval::many::{PatternSet, PatternSetBuilder};
use stockade::pattern::{Parser, Reading, simple};
use stockade::stix::observed::Reader;

const ROUNDS: usize = 11;
/// How long one program works in one round.
const TURN: Duration = Duration::from_millis(60);

/// One program: does its work once, and says how many things that were.
type Worker<'w> = (&'static str, Box<dyn FnMut() -> usize + 'w>);

fn main() {
    let common = vec!["[domain-name:value = 'host1234.example']".to_owned()];
    parsing("the common pattern", &common);
    if let Some(path) = std::env::args().nth(1) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let corpus: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        parsing(&format!("{} patterns of {path}", corpus.len()), &corpus);
    }
    for count in [100, 1_000, 10_000] {
        matching(count);
    }
}

fn parsing(what: &str, patterns: &[String]) {
    let mut parser = Parser::new();
    compare(
        &format!("patterns parsed a second: {what}"),
        vec![
            (
                "stockade",
                Box::new(move || {
                    for text in patterns {
                        let _ = black_box(parser.parse(black_box(text), Reading::Strict).is_ok());
                    }
                    patterns.len()
                }),
            ),
            (
                "simple",
                Box::new(move || {
                    patterns.iter().filter(|text| black_box(simple::split(black_box(text))).is_some()).count().max(1)
                }),
            ),
            (
                "stix2",
                Box::new(|| {
                    for text in patterns {
                        let _ = black_box(stix2::patterns::parse_pattern(black_box(text)));
                    }
                    patterns.len()
                }),
            ),
            (
                "rstix",
                Box::new(|| {
                    for text in patterns {
                        let _ = black_box(rstix::pattern::parse_ast(black_box(text)));
                    }
                    patterns.len()
                }),
            ),
        ],
    );
}

fn matching(count: usize) {
    let texts: Vec<String> = (0..count).map(|n| format!("[domain-name:value = 'host{n}.example']")).collect();
    let set = pattern_set(&texts);
    let theirs: Vec<_> = texts.iter().filter_map(|text| rstix::pattern::Pattern::parse(text).ok()).collect();
    assert_eq!(theirs.len(), count, "rstix reads all of them");
    let value = "host7.elsewhere.example";
    let mut reader = Reader::default();
    reader.read(
        format!(r#"{{"type":"observed-data","objects":{{"0":{{"type":"domain-name","value":"{value}"}}}}}}"#)
            .as_bytes(),
    );
    let observations = reader.finish().0;
    let json = serde_json::json!({
        "type": "domain-name", "spec_version": "2.1", "id": "domain-name--220a2699-5ebf-5b57-bf02-424964bb19c0", "value": value,
    });
    let object = rstix::model::ScoObject::DomainName(serde_json::from_value(json).expect("an object"));
    let mut satisfied = Vec::new();
    compare(
        &format!("observations a second against {count} equalities"),
        vec![
            (
                "stockade",
                Box::new(move || {
                    for _ in 0..1000 {
                        satisfied.clear();
                        observations.iter().for_each(|observation| set.scan(black_box(observation), &mut satisfied));
                    }
                    1000
                }),
            ),
            (
                "rstix",
                Box::new(move || {
                    black_box(
                        theirs
                            .iter()
                            .filter(|pattern| pattern.matches_single(black_box(&object)).unwrap_or(false))
                            .count(),
                    );
                    1
                }),
            ),
        ],
    );
}

fn pattern_set(texts: &[String]) -> PatternSet {
    let (mut parser, mut builder) = (Parser::new(), PatternSetBuilder::default());
    for text in texts {
        let ast = parser.parse(text, Reading::Strict).expect("valid");
        builder.add(Program::new(&ast, Reading::Strict).expect("valid"));
    }
    builder.build()
}

/// Lets all take turns, and prints the median rate of each and its part of the first one's.
fn compare(what: &str, mut workers: Vec<Worker<'_>>) {
    let mut rates = vec![Vec::new(); workers.len()];
    for _ in 0..ROUNDS {
        for ((_, work), rates) in workers.iter_mut().zip(&mut rates) {
            let (start, mut done) = (Instant::now(), 0);
            while start.elapsed() < TURN {
                done += work();
            }
            rates.push(done as f64 / start.elapsed().as_secs_f64());
        }
    }
    println!("{what}");
    let medians: Vec<f64> = rates.iter_mut().map(|rates| median(rates)).collect();
    for ((name, _), rate) in workers.iter().zip(&medians) {
        println!("  {name:10} {rate:>14.0}  {:.5} of the first", rate / medians[0]);
    }
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
