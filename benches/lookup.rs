//! What one question to the index costs, at a million indicators: nanoseconds a value, on one core. Values are asked for
//! in an order that no cache expects.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::matcher::{Compiled, Matcher, Options};
use stockade::observable::{Kind, Value, classify};
use stockade::stix::Timestamp;
use support::corpus::Corpus;

/// Values that are asked for in a round.
const ASKED: u64 = 20_000;

/// A million indicators; few where `cargo test` runs each bench once.
fn corpus() -> Corpus {
    let timed = std::env::args().any(|arg| arg == "--bench");
    Corpus { seed: 1, count: if timed { 1_000_000 } else { 20_000 } }
}

fn lookup(criterion: &mut Criterion) {
    let corpus = corpus();
    let filter = Filter::at(Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant"));
    let options = Options { subdomains: true, ..Options::new(filter) };
    let matcher = Matcher::new(Arc::new(rules()), options);
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(ASKED));
    let picked = |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % corpus.count;
    let listed: Vec<Value> = (0..corpus.count).map(picked).map(|number| value(&corpus.text(number))).collect();
    let of = |kind: Kind| listed.iter().filter(move |value| value.kind() == kind).take(ASKED as usize).cloned();
    // Listed addresses are odd and below 127.
    let misses = (0..ASKED).map(|number| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32 & !1);
    let cases: [(&str, Vec<Value>, bool); 6] = [
        (
            "IPv4, not listed",
            misses.map(|address| Value::Ipv4(Ipv4Addr::from(address % (127 << 24)), 32)).collect(),
            false,
        ),
        ("IPv4, listed", of(Kind::Ipv4).collect(), true),
        (
            "name of four labels, not listed",
            (0..ASKED).map(|n| value(&format!("a{n}.b{}.shop.example", picked(n)))).collect(),
            false,
        ),
        ("name, listed", of(Kind::Domain).collect(), true),
        ("digest, not listed", (0..ASKED).map(|n| value(&format!("{:064x}", picked(n)))).collect(), false),
        ("digest, listed", of(Kind::Sha256).collect(), true),
    ];
    for (name, values, expected) in cases {
        assert!(values.iter().all(|value| matcher.lists(value) == expected), "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| values.iter().filter(|value| matcher.lists(black_box(value))).count());
        });
    }
    group.finish();
}

/// A compiled index is ready when it is opened, however large it is.
fn open(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index.sdx");
    write(&rules(), &path);
    let filter = Filter::at(Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant"));
    criterion.bench_function("open", |bencher| {
        bencher.iter(|| Matcher::open(&path, Options::new(filter.clone())).expect("its own file"));
    });
}

fn write(rules: &RuleSet, path: &Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    Compiled::new(rules).write(&mut file).expect("it is written");
}

fn rules() -> RuleSet {
    let corpus = corpus();
    let mut rules = RuleSetBuilder::default();
    for number in 0..corpus.count {
        rules.add_value(value(&corpus.text(number))).expect("there is room");
    }
    rules.build()
}

fn value(text: &str) -> Value {
    classify(text).expect("a value")
}

criterion_group!(benches, lookup, open);
criterion_main!(benches);
