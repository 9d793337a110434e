//! Writing a list of a million entries in every format.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::io;
use stockade::blocklist::{Blocklist, Policy};
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::observable::{Kind, Value};
use stockade::render::{Format, Options};
use stockade::stix::Timestamp;

/// Entries of a list; as a test, which only has to run, few.
fn count() -> u64 {
    if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 1000 }
}

fn main_bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render");
    group.sample_size(10).throughput(Throughput::Elements(count()));
    let filter = Filter::at(Timestamp::from_unix(1_790_000_000, 0));
    let policy = Policy::default();
    let rules: Vec<(Kind, RuleSet)> =
        [Kind::Domain, Kind::Ipv4, Kind::Url, Kind::Md5].map(|kind| (kind, rules(kind))).into();
    for format in Format::all() {
        let Some((kind, rules)) = rules.iter().find(|(kind, _)| format.kinds.contains(kind)) else { continue };
        let options = Options { kinds: vec![*kind], built: Some("now".to_owned()), ..Options::default() };
        let refuses = |item: stockade::blocklist::Item<'_>| format.refuses(item, &options);
        let list = Blocklist::build(rules, &filter, &policy, &format.capabilities(&options.kinds, &refuses));
        group.bench_function(format.name, |bench| {
            bench.iter(|| format.write(black_box(&list), &options, &mut io::sink()).expect("a sink takes everything"));
        });
    }
}

/// A million values of a kind that are no neighbours.
fn rules(kind: Kind) -> RuleSet {
    let mut builder = RuleSetBuilder::default();
    builder.origin("feed.json");
    for number in 0..count() {
        let value = match kind {
            Kind::Ipv4 => Value::Ipv4((0x0b00_0000 + number as u32 * 3).into(), 32),
            Kind::Url => Value::Text(kind, format!("http://host{number}.example/path/{number}").into()),
            Kind::Md5 => Value::Text(kind, format!("{:032x}", u128::from(number) * 0x1234_5678_9abc_def1).into()),
            kind => Value::Text(kind, format!("host{number}.some-domain{}.example", number % 5000).into()),
        };
        builder.add_value(value).expect("room");
    }
    builder.build()
}

criterion_group!(benches, main_bench);
criterion_main!(benches);
