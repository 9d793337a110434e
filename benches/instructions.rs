//! The loops whose instructions `benches/instructions/run` counts: `instructions LOOP` runs one, once. What stands before
//! `measured` is not counted.

mod support;

use std::hint::black_box;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::matcher::{Matcher, Options};
use stockade::observable::{Value, classify};
use stockade::source::{self, Item};
use stockade::stix::Timestamp;
use support::corpus::Corpus;

const CORPUS: Corpus = Corpus { seed: 1, count: 20_000 };
const LOOPS: [(&str, fn()); 4] =
    [("scan", scan), ("lookup", lookup), ("load-bundle", load_bundle), ("load-list", load_list)];

fn main() {
    // `cargo bench` and `cargo test` add flags of their own.
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    for (_, run) in LOOPS.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name)) {
        run();
    }
}

/// The script finds it by this name.
#[inline(never)]
fn measured(mut work: impl FnMut()) {
    work();
}

fn scan() {
    let matcher = matcher(load(&bundle()));
    let mut log = Vec::new();
    CORPUS.write_log(8000, &mut log).expect("writing to memory does not fail");
    let (mut scanner, mut hits) = (matcher.scanner(), Vec::new());
    measured(|| scanner.scan(black_box(&log), &mut hits));
    assert!(!hits.is_empty());
}

fn lookup() {
    let matcher = matcher(load(&bundle()));
    let text =
        |number: u64| if number.is_multiple_of(4) { CORPUS.text(number) } else { format!("a{number}.shop.example") };
    let values: Vec<Value> = (0..CORPUS.count).map(|number| classify(&text(number)).expect("a value")).collect();
    let mut listed = 0;
    measured(|| listed = values.iter().filter(|value| matcher.lists(black_box(value))).count());
    assert!(listed as u64 >= CORPUS.count / 4);
}

fn load_bundle() {
    let bundle = bundle();
    measured(|| {
        black_box(matcher(load(&bundle)));
    });
}

fn load_list() {
    let list: String = (0..CORPUS.count).map(|number| CORPUS.text(number) + "\n").collect();
    measured(|| {
        black_box(matcher(load(list.as_bytes())));
    });
}

fn bundle() -> Vec<u8> {
    let mut bundle = Vec::new();
    CORPUS.write_bundle(&mut bundle).expect("writing to memory does not fail");
    bundle
}

fn load(mut bytes: &[u8]) -> RuleSet {
    let mut rules = RuleSetBuilder::default();
    let read = source::read(&mut bytes, &mut |_, item| match item {
        Item::Indicator { indicator, .. } => rules.add(&indicator).expect("the corpus is sound"),
        Item::Value(value) => rules.add_value(value).expect("there is room"),
        Item::Rejected(rejected) => panic!("{rejected:?}"),
    });
    read.expect("it is whole");
    rules.build()
}

fn matcher(rules: RuleSet) -> Matcher {
    let at = Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant");
    Matcher::new(Arc::new(rules), Options { subdomains: true, ..Options::new(Filter::at(at)) })
}
