//! The whole search of a block of log lines: candidates, index, decided lines. Megabytes a second of one core.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::log::{Choice, Tracker};
use stockade::matcher::{Matcher, Options};
use stockade::source::{self, Item};
use stockade::stix::Timestamp;
use support::corpus::{Corpus, Listed};

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

/// Lines of a format, none of them listed but for one in a thousand: an address of the corpus.
fn lines(corpus: Corpus, format: &str, bytes: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut text = String::new();
    if format == "csv" {
        text.push_str("time,src_ip,src_port,dest_ip,dest_port,query,note\n");
    }
    while text.len() < bytes {
        let [a, b, c, d] = [below(223) + 1, below(256), below(256), below(256)];
        let (port, size, second) = (1024 + below(60_000), below(100_000), below(60));
        let listed = (below(1000) == 0).then(|| corpus.listed(below(corpus.count)));
        let host = match listed {
            Some(Listed::Domain(name)) => name,
            _ => format!("www{c}.shop{d}.example-{b}.net"),
        };
        let _ = match format {
            "suricata" => writeln!(
                text,
                "{{\"timestamp\":\"2026-05-17T10:05:{second:02}.123456+0000\",\"flow_id\":{size}{port},\"in_iface\":\"eth0\",\"event_type\":\"dns\",\"src_ip\":\"10.0.{b}.{c}\",\"src_port\":{port},\"dest_ip\":\"{a}.{b}.{c}.{d}\",\"dest_port\":53,\"proto\":\"UDP\",\"dns\":{{\"type\":\"query\",\"id\":{d},\"rrname\":\"{host}\",\"rrtype\":\"A\"}}}}"
            ),
            "ecs" => writeln!(
                text,
                "{{\"@timestamp\":\"2026-05-17T10:05:{second:02}.123Z\",\"ecs\":{{\"version\":\"8.11.0\"}},\"event\":{{\"dataset\":\"zeek.http\",\"kind\":\"event\"}},\"source\":{{\"ip\":\"10.0.{b}.{c}\",\"port\":{port}}},\"destination\":{{\"ip\":\"{a}.{b}.{c}.{d}\",\"port\":443,\"domain\":\"{host}\"}},\"user_agent\":{{\"original\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"}},\"url\":{{\"full\":\"http://{host}/a/{size}?v={d}\"}}}}"
            ),
            "json" => writeln!(
                text,
                "{{\"t\":\"2026-05-17T10:05:{second:02}Z\",\"level\":\"info\",\"svc\":\"gateway-{d}\",\"peer\":{{\"addr\":\"{a}.{b}.{c}.{d}\",\"host\":\"{host}\"}},\"msg\":\"request {size} took {port} us\",\"tags\":[\"a\",\"b\"]}}"
            ),
            "zeek" => writeln!(
                text,
                "1747476305.{size:06}\tCHhAvVGS1DHFjwGM9\t10.0.{b}.{c}\t{port}\t{a}.{b}.{c}.{d}\t53\tudp\t{size}\t0.01\t{host}\t1\tC_INTERNET\t1\tA"
            ),
            "csv" => writeln!(
                text,
                "2026-05-17T10:05:{second:02}Z,10.0.{b}.{c},{port},{a}.{b}.{c}.{d},53,{host},\"answer {size}, from cache\""
            ),
            _ => writeln!(
                text,
                "{a}.{b}.{c}.{d} - - [17/May/2026:10:05:{second:02} +0000] \"GET /images/{c}.png?v={d} HTTP/1.1\" 200 {size} \"http://{host}/p/{b}/\" \"Mozilla/5.0 (X11; Linux x86_64)\""
            ),
        };
    }
    text.into_bytes()
}

const ZEEK: &str = "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\n";

/// Lines with fields, beside the same bytes taken for plain text.
fn fields(criterion: &mut Criterion) {
    let at = Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant");
    let mut group = criterion.benchmark_group("fields");
    let corpus = Corpus { seed: 1, count: SIZES[1] };
    let options = Options::new(Filter { include_expired: true, ..Filter::at(at) });
    let matcher = Matcher::new(rules(corpus), options);
    for format in ["suricata", "ecs", "json", "zeek", "csv", "access"] {
        let mut log = if format == "zeek" { ZEEK.as_bytes().to_vec() } else { Vec::new() };
        log.extend(lines(corpus, format, 8 << 20));
        group.throughput(Throughput::Bytes(log.len() as u64));
        let mut scanner = matcher.scanner();
        let mut hits = Vec::new();
        let layouts = Tracker::new(Arc::new(Choice::default())).next(&log);
        group.bench_function(format!("{format} as text"), |bencher| {
            bencher.iter(|| {
                hits.clear();
                scanner.scan(black_box(&log), &mut hits);
            });
        });
        group.bench_function(format!("{format} by fields"), |bencher| {
            bencher.iter(|| {
                hits.clear();
                scanner.scan_as(&layouts, black_box(&log), &mut hits);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, search, fields);
criterion_main!(benches);
