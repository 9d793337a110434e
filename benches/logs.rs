//! Lines with fields beside the same lines as plain text: the whole search where one line in a thousand holds a listed
//! value, and taking every line apart. Megabytes a second of one core.

#[path = "../tests/log_support/mod.rs"]
mod log_support;
mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use log_support::{SAMPLES, Sample, layouts};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSetBuilder};
use stockade::log::Event;
use stockade::matcher::{Matcher, Options};
use stockade::source::{self, Item};
use stockade::stix::Timestamp;
use support::corpus::{Corpus, Listed};

const INDICATORS: u64 = 200_000;
const LINES: usize = 20_000;

/// Many lines of a format, each with addresses of its own.
fn block(sample: &Sample, listed: &[String]) -> String {
    let mut block = sample.header.to_owned();
    for number in 0..LINES {
        let line = sample.lines[number % sample.lines.len()];
        let address = match number % 1000 {
            0 => listed[number % listed.len()].clone(),
            _ => format!("10.{}.{}.2", number / 250 % 250, number % 250),
        };
        let line = line.replace("192.0.2.1", &address).replace("a.example", &format!("a{number}.example"));
        writeln!(block, "{line}").expect("writing to memory does not fail");
    }
    block
}

fn search(criterion: &mut Criterion) {
    let corpus = Corpus { seed: 1, count: INDICATORS };
    let mut bundle = Vec::new();
    corpus.write_bundle(&mut bundle).expect("writing to memory does not fail");
    let mut builder = RuleSetBuilder::default();
    let read = source::read(&mut bundle.as_slice(), &mut |_, item| {
        if let Item::Indicator { indicator, .. } = item {
            builder.add(&indicator).expect("the corpus is sound");
        }
    });
    read.expect("the bundle is whole");
    let rules = Arc::new(builder.build());
    let listed: Vec<String> = (0..INDICATORS)
        .filter_map(|number| match corpus.listed(number) {
            Listed::Ipv4(address) => Some(address.to_string()),
            _ => None,
        })
        .take(1000)
        .collect();
    let at = Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant");
    let options = Options::new(Filter { include_expired: true, ..Filter::at(at) });
    let matcher = Matcher::new(rules, options);
    for (number, sample) in SAMPLES.iter().enumerate() {
        let block = block(sample, &listed);
        let block = block.as_bytes();
        let layouts = layouts(None, block);
        let mut group = criterion.benchmark_group(format!("logs/{} {number}", sample.format));
        group.throughput(Throughput::Bytes(block.len() as u64)).sample_size(20);
        let mut scanner = matcher.scanner();
        let mut hits = Vec::new();
        group.bench_function("as text", |bencher| {
            bencher.iter(|| {
                hits.clear();
                scanner.scan(black_box(block), &mut hits);
            });
        });
        group.bench_function("by fields", |bencher| {
            bencher.iter(|| {
                hits.clear();
                scanner.scan_as(&layouts, black_box(block), &mut hits);
            });
        });
        let (_, layout) = layouts.parts(block.len()).last().expect("a layout");
        group.bench_function("taken apart", |bencher| {
            bencher.iter(|| {
                let mut fields = 0;
                for line in block.split(|byte| *byte == b'\n') {
                    let mut event = Event::new(line);
                    if layout.decode(&mut event).is_ok() {
                        fields += event.fields.len();
                    }
                }
                fields
            });
        });
        group.finish();
    }
}

criterion_group!(benches, search);
criterion_main!(benches);
