//! Speed of the finder and the tokenizer, in bytes a second, on one core.
//!
//! The text is mixed log lines made from a seed, and real logs where there are some.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use stockade::observable::text::find::{Candidates, Wanted, find};
use stockade::observable::text::{Options, tokens};

/// Lines of web servers, firewalls, DNS, Zeek, EVE and syslog, about 240 bytes each.
fn mixed(bytes: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut text = String::new();
    while text.len() < bytes {
        let [a, b, c, d] = [below(223) + 1, below(256), below(256), below(256)];
        let ip = format!("{a}.{b}.{c}.{d}");
        let host = format!(
            "{}{}.example{}.{}",
            ["www", "api", "cdn", "mail"][b as usize % 4],
            c,
            d,
            ["com", "net", "org"][a as usize % 3]
        );
        let (port, size) = (1024 + below(60000), below(100_000));
        let _ = match below(6) {
            0 => writeln!(
                text,
                "{ip} - - [17/May/2026:10:05:{:02} +0000] \"GET /images/{c}/kibana-search.png?v={d} HTTP/1.1\" 200 {size} \"http://{host}/presentations/{b}/\" \"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36\"",
                below(60)
            ),
            1 => writeln!(
                text,
                "{{\"timestamp\":\"2026-05-17T10:05:{:02}.123456+0000\",\"flow_id\":{size}{port},\"event_type\":\"dns\",\"src_ip\":\"10.0.{b}.{c}\",\"src_port\":{port},\"dest_ip\":\"{ip}\",\"dest_port\":53,\"proto\":\"UDP\",\"dns\":{{\"type\":\"query\",\"id\":{d},\"rrname\":\"{host}\",\"rrtype\":\"A\"}}}}",
                below(60)
            ),
            2 => writeln!(
                text,
                "1747476305.{size:06}\tCHhAvVGS1DHFjwGM9\t10.0.{b}.{c}\t{port}\t{ip}\t443\ttcp\tssl\t0.{size}\t1234\t{size}\tSF\tT\tF\t0\tShADadFf\t12\t{d}\t10\t2345\t-\t{host}\tTLSv12\tTLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\tsecp256r1"
            ),
            3 => writeln!(
                text,
                "May 17 10:05:{:02} fw01 kernel: [123456.{size}] DROP IN=eth0 OUT= MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC={ip} DST=10.0.{b}.{c} LEN=60 TOS=0x00 PREC=0x00 TTL=54 ID={port} DF PROTO=TCP SPT={port} DPT=22 WINDOW=64240 RES=0x00 SYN URGP=0",
                below(60)
            ),
            4 => writeln!(
                text,
                "17-May-2026 10:05:{:02}.123 queries: info: client @0x7f8a2c0b5e30 10.0.{b}.{c}#{port} ({host}): query: {host} IN A +E(0)K (10.0.0.53)",
                below(60)
            ),
            _ => writeln!(
                text,
                "May 17 10:05:{:02} combo sshd[{port}]: Failed password for invalid user test{d} from {ip} port {port} ssh2; rhost={host} authentication failure; logname= uid=0 euid=0 tty=ssh ruser=",
                below(60)
            ),
        };
    }
    text.into_bytes()
}

/// Real logs, one after the other; empty if there are none.
fn real() -> Vec<u8> {
    let folder = std::env::var("STOCKADE_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data").to_owned());
    let mut text = Vec::new();
    let mut folders = vec![Path::new(&folder).join("logs")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() { folders.push(path) } else { text.extend(std::fs::read(path).unwrap_or_default()) }
        }
    }
    text
}

fn scan(criterion: &mut Criterion) {
    for (name, text) in [("mixed", mixed(16 << 20)), ("real", real())] {
        if text.is_empty() {
            continue;
        }
        let mut group = criterion.benchmark_group("scan");
        group.sample_size(20).throughput(Throughput::Bytes(text.len() as u64));
        let mut found = Candidates::default();
        for (kinds, wanted) in [
            ("all", Wanted::ALL),
            ("hosts", Wanted { ipv4: true, names: true, ..Wanted::NONE }),
            ("hashes", Wanted { hashes: true, ..Wanted::NONE }),
        ] {
            group.bench_function(format!("find/{name}/{kinds}"), |bench| {
                bench.iter(|| {
                    for block in text.chunks(1 << 20) {
                        find(black_box(block), wanted, &mut found);
                    }
                });
            });
        }
        let few = &text[..text.len().min(1 << 20)];
        group.sample_size(10).throughput(Throughput::Bytes(few.len() as u64));
        group.bench_function(format!("tokens/{name}"), |bench| {
            bench.iter(|| {
                few.split(|byte| *byte == b'\n').map(|line| tokens(line, Options::default()).len()).sum::<usize>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, scan);
criterion_main!(benches);
