//! The whole search of a block of log lines: candidates, index, decided lines. Megabytes a second of one core.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::matcher::{Matcher, Options};
use stockade::source::{self, Item};
use stockade::stix::Timestamp;
use support::corpus::Corpus;

/// As many indicators as make the index larger than the caches of a core, and as fit into them.
const SIZES: [u64; 2] = [1_000, 200_000];
const LINES: u64 = 40_000;

fn rules(corpus: Corpus) -> Arc<RuleSet> {
    let mut bundle = Vec::new();
    corpus.write_bundle(&mut bundle).expect("writing to memory does not fail");
    let mut builder = RuleSetBuilder::default();
    let read = source::read(&mut bundle.as_slice(), &mut |_, item| {
        if let Item::Indicator { indicator, .. } = item {
            builder.add(&indicator).expect("the corpus is sound");
        }
    });
    read.expect("the bundle is whole");
    Arc::new(builder.build())
}

fn search(criterion: &mut Criterion) {
    let at = Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant");
    let mut group = criterion.benchmark_group("search");
    for count in SIZES {
        let corpus = Corpus { seed: 1, count };
        let rules = rules(corpus);
        let mut log = Vec::new();
        let planted = corpus.write_log(LINES, &mut log).expect("writing to memory does not fail");
        group.throughput(Throughput::Bytes(log.len() as u64));
        for subdomains in [false, true] {
            let options = Options { subdomains, ..Options::new(Filter { include_expired: true, ..Filter::at(at) }) };
            let matcher = Matcher::new(Arc::clone(&rules), options);
            let mut scanner = matcher.scanner();
            let mut hits = Vec::new();
            scanner.scan(&log, &mut hits);
            assert!(hits.len() >= planted.len(), "{} of {} found", hits.len(), planted.len());
            let name = format!("{count} indicators{}", if subdomains { ", with subdomains" } else { "" });
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    hits.clear();
                    scanner.scan(black_box(&log), &mut hits);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);
