//! From the bytes of a bundle or list to items: megabytes a second of one core.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stockade::source::{self, Item};
use support::corpus::Corpus;

const CORPUS: Corpus = Corpus { seed: 1, count: 20_000 };

fn load(criterion: &mut Criterion) {
    let mut bundle = Vec::new();
    CORPUS.write_bundle(&mut bundle).expect("writing to memory does not fail");
    let list: String = (0..CORPUS.count).map(|indicator| CORPUS.text(indicator) + "\n").collect();

    let mut group = criterion.benchmark_group("load");
    group.sample_size(20);
    for (name, bytes) in [("bundle", &bundle[..]), ("list", list.as_bytes())] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| items(bytes)));
    }
    // What the fastest reading of JSON into the same fields costs with a general parser, for comparison.
    group.throughput(Throughput::Bytes(bundle.len() as u64));
    group.bench_function("bundle by serde_json", |bencher| {
        bencher.iter(|| black_box(serde_json::from_slice::<Bundle<'_>>(&bundle).map(|bundle| bundle.objects.len())));
    });
    group.finish();
}

fn items(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    let summary = source::read(&mut bytes, &mut |_, item| {
        count += u64::from(!matches!(black_box(&item), Item::Rejected(_)));
    });
    assert!(summary.is_ok_and(|summary| summary.rejected == 0) && count == CORPUS.count);
    count
}

#[derive(serde::Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    objects: Vec<Object<'a>>,
}

#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "read to be timed")]
struct Object<'a> {
    id: &'a str,
    name: &'a str,
    pattern: Option<&'a str>,
    modified: Option<&'a str>,
    valid_from: Option<&'a str>,
    confidence: Option<u8>,
    #[serde(default, borrow)]
    labels: Vec<&'a str>,
}

criterion_group!(benches, load);
criterion_main!(benches);
