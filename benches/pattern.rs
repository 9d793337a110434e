//! How fast patterns are read: single shapes, and a corpus of public patterns where it is there.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::PathBuf;
use stockade::pattern::{Parser, Pattern, Reading, simple};

const SHAPES: &[(&str, &str)] = &[
    ("domain", "[domain-name:value='update.adboeonline.example']"),
    ("sha256", "[file:hashes.'SHA-256' = '5e18d5146e75cc45bf964ea4990dc577b6a228a68f5c93975891a00c4d159ef3']"),
    ("reference", "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7']"),
    (
        "compound",
        "([file:name = 'a.exe' OR file:size IN (1, 2, 3)] FOLLOWEDBY [process:command_line LIKE '%a.exe%']) WITHIN 300 SECONDS",
    ),
];

fn shapes(c: &mut Criterion) {
    let mut group = c.benchmark_group("pattern");
    let mut parser = Parser::new();
    for (name, text) in SHAPES {
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("parse/{name}"), |b| {
            b.iter(|| black_box(parser.parse(black_box(text), Reading::Pragmatic).is_ok()));
        });
        group.bench_function(format!("simple/{name}"), |b| b.iter(|| black_box(simple::split(black_box(text)))));
    }
    group.bench_function("own/sha256", |b| {
        b.iter_batched(|| SHAPES[1].1, |text| Pattern::parse(text, Reading::Pragmatic), BatchSize::SmallInput);
    });
    group.finish();
}

fn corpus(c: &mut Criterion) {
    let dir = std::env::var_os("STOCKADE_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let Ok(file) = std::fs::File::open(dir.join("patterns/patterns.jsonl.zst")) else {
        eprintln!("skipped: no patterns in {}", dir.display());
        return;
    };
    let lines = zstd::decode_all(file).expect("the corpus is compressed with zstd");
    let patterns: Vec<String> = serde_json::Deserializer::from_slice(&lines)
        .into_iter::<serde_json::Value>()
        .filter_map(|value| Some(value.ok()?["pattern"].as_str()?.to_owned()))
        .collect();
    let mut parser = Parser::new();
    let mut group = c.benchmark_group("corpus");
    group.throughput(Throughput::Elements(patterns.len() as u64));
    group.bench_function("parse", |b| {
        b.iter(|| patterns.iter().filter(|text| parser.parse(text, Reading::Pragmatic).is_ok()).count());
    });
    let common: Vec<_> = patterns.iter().filter(|text| text.len() < 200).collect();
    group.throughput(Throughput::Elements(common.len() as u64));
    group.bench_function("parse/shorter-than-200", |b| {
        b.iter(|| common.iter().filter(|text| parser.parse(text, Reading::Pragmatic).is_ok()).count());
    });
    group.bench_function("simple", |b| b.iter(|| patterns.iter().filter(|text| simple::split(text).is_some()).count()));
    group.finish();
}

criterion_group!(benches, shapes, corpus);
criterion_main!(benches);
