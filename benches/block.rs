//! Deriving a list from a million listed prefixes, names or URLs: guards, union, collapse, order, digest.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use stockade::blocklist::{Blocklist, Capabilities, Policy, Subdomains};
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::observable::{Kind, Value, classify};
use stockade::stix::Timestamp;

/// Values in a list; as a test, which only has to run, few.
fn count() -> u64 {
    if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 1000 }
}

fn main_bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("block");
    group.sample_size(10);
    for (name, kind, rules) in [
        ("ipv4 prefixes", Kind::Ipv4, rules(prefix4)),
        ("ipv6 prefixes", Kind::Ipv6, rules(prefix6)),
        ("names", Kind::Domain, rules(name)),
        ("urls", Kind::Url, rules(url)),
    ] {
        let format = Capabilities {
            kinds: &[kind],
            subdomains: Subdomains::Option,
            exceptions: true,
            merge: true,
            max_entries: None,
            refuses: &|_| None,
        };
        let filter = Filter::at(Timestamp::from_unix(1_790_000_000, 0));
        let policy = Policy::default();
        let build = || Blocklist::build(&rules, &filter, &policy, &format);
        group.bench_function(name, |b| b.iter_batched(|| (), |()| black_box(build().len()), BatchSize::PerIteration));
    }
}

fn rules(value: fn(u64) -> Value) -> RuleSet {
    let mut builder = RuleSetBuilder::default();
    for number in 0..count() {
        builder.add_value(value(scramble(number))).expect("there is room");
    }
    builder.build()
}

/// A bijection that looks like chance (splitmix64).
fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn prefix4(random: u64) -> Value {
    let len = if random.is_multiple_of(8) { 24 + (random >> 40) as u8 % 8 } else { 32 };
    stockade::observable::kind::ip::ipv4_prefix((random as u32).into(), len)
}

fn prefix6(random: u64) -> Value {
    let address = 0x2a00u128 << 112 | u128::from(random) << 40 | u128::from(random & 7);
    stockade::observable::kind::ip::ipv6_prefix(address.into(), 64 + (random % 65) as u8)
}

fn name(random: u64) -> Value {
    let tld = ["com", "net", "org", "ru", "co.uk", "info", "xyz"][(random % 7) as usize];
    let text = match random % 3 {
        0 => format!("host{}.{:x}.{tld}", random % 10, (random >> 8) % 400_000),
        1 => format!("{:x}.{tld}", (random >> 8) % 400_000),
        _ => format!("{random:x}.{tld}"),
    };
    classify(&text).expect("a name")
}

fn url(random: u64) -> Value {
    let text = format!("http://{:x}.example.net/{:x}/file.exe?id={}", random % 100_000, random >> 20, random % 1000);
    classify(&text).expect("a URL")
}

criterion_group!(benches, main_bench);
criterion_main!(benches);
