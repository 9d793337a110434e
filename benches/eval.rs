//! One observation against many patterns: plain equalities from a thousand to a million, and a mix with compound and
//! LIKE and MATCHES patterns.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stockade::compile::Program;
use stockade::matcher::eval::many::{PatternSet, PatternSetBuilder};
use stockade::pattern::{Parser, Reading};
use stockade::stix::ObservedData;
use stockade::stix::observed::Reader;

const OBSERVATIONS: u64 = 1000;

/// What part of the patterns to take: all of them, or as a test, which only has to run, few.
fn part(count: u64) -> u64 {
    if std::env::args().any(|argument| argument == "--bench") { count } else { count / 1000 }
}

fn main_bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("eval");
    group.sample_size(10);
    group.throughput(Throughput::Elements(OBSERVATIONS));
    let observations = observations();
    for count in [1_000, 100_000, 1_000_000] {
        let set = patterns((0..part(count)).map(equality));
        let scan = || scan(&set, &observations);
        group.bench_function(format!("{count} equalities"), |b| {
            b.iter_batched(|| (), |()| black_box(scan()), BatchSize::PerIteration);
        });
    }
    let few = part(10_000);
    let mixed = (0..8 * few).map(equality).chain((0..few).map(compound)).chain((0..few).map(like));
    let set = patterns(mixed);
    group.bench_function("100000 with 10000 compound and 10000 LIKE and MATCHES", |b| {
        b.iter_batched(|| (), |()| black_box(scan(&set, &observations)), BatchSize::PerIteration);
    });
}

/// How many pairs of brackets the observations satisfy.
fn scan(set: &PatternSet, observations: &[ObservedData]) -> usize {
    let mut satisfied = Vec::new();
    for observation in observations {
        set.scan(observation, &mut satisfied);
    }
    satisfied.len()
}

fn patterns(texts: impl Iterator<Item = String>) -> PatternSet {
    let (mut parser, mut builder) = (Parser::new(), PatternSetBuilder::default());
    for text in texts {
        let ast = parser.parse(&text, Reading::Strict).expect("valid");
        builder.add(Program::new(&ast, Reading::Strict).expect("valid"));
    }
    builder.build()
}

fn equality(number: u64) -> String {
    match number % 4 {
        0 => format!("[domain-name:value = 'host{number}.example']"),
        1 => format!("[ipv4-addr:value = '{}']", address(number)),
        2 => format!("[url:value = 'http://host{number}.example/a']"),
        _ => format!("[file:hashes.'SHA-256' = '{number:064x}']"),
    }
}

fn compound(number: u64) -> String {
    format!("[ipv4-addr:value = '{}'] AND [file:name = 'name{number}' AND file:size > {number}]", address(number))
}

fn like(number: u64) -> String {
    if number.is_multiple_of(2) {
        format!("[process:command_line LIKE '%--token{number}=%']")
    } else {
        format!("[process:command_line MATCHES '--token{number}=[0-9a-f]+$']")
    }
}

fn address(number: u64) -> String {
    format!("{}.{}.{}.{}", 1 + number % 200, number / 200 % 256, number / 51_200 % 256, number / 13_107_200 % 256)
}

/// As a sensor reports them: a connection, a name, a file or a process each; one in a thousand is listed.
fn observations() -> Vec<ObservedData> {
    let mut reader = Reader::default();
    for number in 0..OBSERVATIONS {
        let other = if number == 7 { 9 } else { number + 50_000_000 };
        let objects = match number % 4 {
            0 => format!(r#""0": {{"type": "domain-name", "value": "host{other}.example"}}"#),
            1 => format!(
                r#""0": {{"type": "ipv4-addr", "value": "{}"}}, "1": {{"type": "network-traffic", "dst_ref": "0", "dst_port": 443}}"#,
                address(other)
            ),
            2 => format!(r#""0": {{"type": "process", "command_line": "run --user u{other} --level 3 --quiet"}}"#),
            _ => format!(
                r#""0": {{"type": "file", "name": "n{other}", "size": 7, "hashes": {{"SHA-256": "{other:064x}"}}}}"#
            ),
        };
        let text = format!(
            r#"{{"type": "observed-data", "first_observed": "2026-01-01T00:00:00Z", "objects": {{{objects}}}}}"#
        );
        reader.read(text.as_bytes());
    }
    reader.finish().0
}

criterion_group!(benches, main_bench);
criterion_main!(benches);
