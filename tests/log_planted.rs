//! Listed values planted into the fields of generated lines of every format: each is found in the field it was planted
//! in, related as it should be, and nothing else is found.

mod log_support;

use log_support::{in_fields, layouts, matcher};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use stockade::observable::{Value, classify};

/// Lines of each format.
const LINES: usize = 400;

/// What a line tells, and what of it is listed.
struct Flow {
    source: String,
    target: String,
    port: u16,
    host: String,
    path: String,
    referrer: String,
    digest: String,
    note: String,
}

/// A hit that there should be: field, value, relation.
type Truth = BTreeSet<(String, String, &'static str)>;

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn address(&mut self) -> String {
        let n = self.below(200);
        match self.below(6) {
            0 => format!("203.0.113.{n}"),
            1 => format!("198.18.{n}.7"),
            2 => format!("2001:db8:bad::{n:x}"),
            _ => format!("10.0.{n}.{}", n / 2),
        }
    }

    fn flow(&mut self) -> Flow {
        let n = self.below(40);
        let (host, path) = match self.below(4) {
            0 => (format!("evil{n}.example"), format!("/p{n}")),
            1 => (format!("url{n}.example"), format!("/bad?x={n}")),
            _ => (format!("good{n}.example"), format!("/q{n}")),
        };
        let referrer = match self.below(3) {
            0 => format!("http://evil{n}.example/from"),
            1 => format!("http://url{n}.example/bad?x={n}"),
            _ => "http://good.example/".to_owned(),
        };
        let digest = if self.below(3) == 0 { format!("bad{n:061x}") } else { format!("0a{n:062x}") };
        let note =
            if self.below(3) == 0 { format!("seen at evil{n}.example (twice)") } else { "nothing seen".to_owned() };
        let port = 1024 + self.below(60_000) as u16;
        Flow { source: self.address(), target: self.address(), port, host, path, referrer, digest, note }
    }
}

fn listed() -> Vec<Value> {
    let mut values = vec!["198.18.0.0/16".to_owned()];
    for n in 0..200 {
        values.push(format!("203.0.113.{n}"));
        values.push(format!("2001:db8:bad::{n:x}"));
    }
    for n in 0..40 {
        values.push(format!("evil{n}.example"));
        values.push(format!("http://url{n}.example/bad?x={n}"));
        values.push(format!("bad{n:061x}"));
    }
    values.iter().map(|value| classify(value).expect(value)).collect()
}

/// What should be found.
#[derive(Default)]
struct Expected(Truth);

impl Expected {
    fn hit(&mut self, field: &str, value: &str, relation: &'static str) {
        self.0.insert((field.to_owned(), value.to_owned(), relation));
    }

    fn address(mut self, field: &str, value: &str) -> Self {
        if value.starts_with("203.0.113.") || value.starts_with("2001:db8:bad:") {
            let normal = classify(value).expect(value).to_string();
            self.hit(field, &normal, "exact");
        } else if value.starts_with("198.18.") {
            self.hit(field, value, "cidr");
        }
        self
    }

    fn host(mut self, field: &str, value: &str) -> Self {
        if value.starts_with("evil") {
            self.hit(field, value, "exact");
        }
        self
    }

    /// A URL written as such.
    fn url(mut self, field: &str, value: &str) -> Self {
        if value.contains("/bad?") {
            self.hit(field, value, "exact");
        } else if let Some(host) = value.split('/').nth(2).filter(|host| host.starts_with("evil")) {
            self.hit(field, host, "host-of-url");
        }
        self
    }

    /// A URL put together.
    fn assembled(mut self, field: &str, flow: &Flow) -> Self {
        if flow.path.starts_with("/bad?") {
            self.hit(field, &format!("http://{}{}", flow.host, flow.path), "exact");
        }
        self
    }

    fn digest(mut self, field: &str, value: &str) -> Self {
        if value.starts_with("bad") {
            self.hit(field, value, "exact");
        }
        self
    }

    fn text(mut self, field: &str, value: &str) -> Self {
        if let Some(host) = value.split(' ').find(|word| word.starts_with("evil")) {
            self.hit(field, host, "text");
        }
        self
    }
}

fn check(format: &str, header: &str, render: impl Fn(&Flow) -> (String, Expected)) {
    let matcher = matcher(&listed());
    let mut numbers = Numbers(7);
    let (mut block, mut expected) = (header.to_owned(), BTreeSet::new());
    let first = header.matches('\n').count();
    for number in 0..LINES {
        let (line, truth) = render(&numbers.flow());
        writeln!(block, "{line}").expect("writing to memory does not fail");
        expected.extend(truth.0.into_iter().map(|hit| (first + number, hit)));
    }
    let layouts = layouts(None, block.as_bytes());
    let found: BTreeSet<_> = in_fields(&matcher, &layouts, block.as_bytes())
        .into_iter()
        .map(|hit| {
            let number = block[..hit.line_start].matches('\n').count();
            let line = &block[hit.line_start..hit.line_end];
            assert!(line.is_char_boundary(hit.span.start) && hit.span.end <= line.len());
            let field = hit.field.as_deref().unwrap_or("none").to_owned();
            (number, (field, hit.value.to_string(), hit.relation.name()))
        })
        .collect();
    let shown = |of: &(usize, (String, String, &'static str))| {
        format!("{of:?}: {}", block.lines().nth(of.0).unwrap_or_default())
    };
    let missed: Vec<String> = expected.difference(&found).take(3).map(shown).collect();
    let wrong: Vec<String> = found.difference(&expected).take(3).map(shown).collect();
    assert!(
        missed.is_empty() && wrong.is_empty(),
        "{format}\nmissed\n{}\nwrong\n{}",
        missed.join("\n"),
        wrong.join("\n")
    );
    assert!(expected.len() > LINES / 8, "{format}: {}", expected.len());
}

#[test]
fn zeek() {
    let header = |path: &str, fields: &str, types: &str| {
        let tabs = |words: &str| words.replace(' ', "\t");
        format!(
            "#separator \\x09\n#set_separator\t,\n#unset_field\t-\n#path\t{path}\n#fields\t{}\n#types\t{}\n",
            tabs(fields),
            tabs(types)
        )
    };
    check("conn", &header("conn", "ts id.orig_h id.resp_h id.resp_p proto", "time addr addr port enum"), |flow| {
        let line = format!("1769853903.25\t{}\t{}\t{}\ttcp", flow.source, flow.target, flow.port);
        (line, Expected::default().address("id.orig_h", &flow.source).address("id.resp_h", &flow.target))
    });
    check("dns", &header("dns", "ts id.orig_h query answers", "time addr string vector[string]"), |flow| {
        let line = format!("1769853903.25\t{}\t{}\tc.example,{},-", flow.source, flow.host, flow.target);
        let truth = Expected::default().address("id.orig_h", &flow.source).host("query", &flow.host);
        (line, truth.address("answers", &flow.target))
    });
    check("http", &header("http", "ts host uri referrer user_agent", "time string string string string"), |flow| {
        let line = format!("1769853903.25\t{}\t{}\t{}\tcurl {}", flow.host, flow.path, flow.referrer, flow.note);
        let truth = Expected::default().host("host", &flow.host).assembled("uri", flow);
        (line, truth.url("referrer", &flow.referrer).text("user_agent", &flow.note))
    });
    check("files", &header("files", "ts tx_hosts sha256 filename", "time set[addr] string string"), |flow| {
        let line = format!("1769853903.25\t{},{}\t{}\ta\\x09b.exe", flow.source, flow.target, flow.digest);
        let truth = Expected::default().address("tx_hosts", &flow.source).address("tx_hosts", &flow.target);
        (line, truth.digest("sha256", &flow.digest))
    });
}

#[test]
fn tables() {
    for separator in [',', ';', '\t', '|'] {
        let names = ["time", "src_ip", "Dest IP", "url", "sha256", "comment", "whatever"];
        let header = format!("{}\n", names.join(&separator.to_string()));
        check("csv", &header, |flow| {
            let cells = [
                "2026-01-31T10:05:03Z".to_owned(),
                flow.source.clone(),
                format!("\"{}\"", flow.target),
                format!("\"{}\"", flow.referrer),
                flow.digest.clone(),
                format!("\"say \"\"{}{separator} {}\"\"\"", flow.note, flow.note),
                flow.host.clone(),
            ];
            let truth = Expected::default().address("src_ip", &flow.source).address("Dest IP", &flow.target);
            let truth = truth.url("url", &flow.referrer).digest("sha256", &flow.digest);
            (cells.join(&separator.to_string()), truth.text("comment", &flow.note).host("whatever", &flow.host))
        });
    }
}

#[test]
fn events_of_security_products() {
    let truth = |flow: &Flow| {
        let truth = Expected::default().address("src", &flow.source).address("dst", &flow.target);
        truth.text("msg", &flow.note)
    };
    for envelope in ["", "<134>Jan 31 10:05:03 fw.example ", "<134>1 2026-01-31T10:05:03Z fw.example app - - - "] {
        check("cef", "", |flow| {
            let Flow { source, target, port, referrer, digest, note, host, .. } = flow;
            let escaped = referrer.replace('=', "\\=");
            let line = format!(
                "{envelope}CEF:0|V|P\\|Q|1|7|{note}|3|src={source} spt=9 dst={target} dpt={port} request={escaped} msg={note} a\\=b\\nc fileHash={digest} cs1Label=Host cs1={host}"
            );
            let truth = truth(flow).url("request", referrer).digest("fileHash", digest).host("cs1", host);
            (line, truth.text("name", note))
        });
        check("leef", "", |flow| {
            let Flow { source, target, port, referrer, note, .. } = flow;
            let line = format!(
                "{envelope}LEEF:1.0|V|P|1|7|src={source}\tdst={target}\tdstPort={port}\turl={referrer}\tmsg={note}"
            );
            (line, truth(flow).url("url", referrer))
        });
        check("leef 2", "", |flow| {
            let Flow { source, target, referrer, note, .. } = flow;
            let line = format!("{envelope}LEEF:2.0|V|P|1|7|0x5e|src={source}^dst={target}^url={referrer}^msg={note}");
            (line, truth(flow).url("url", referrer))
        });
    }
}

#[test]
fn envelopes_of_syslog() {
    check("structured data", "", |flow| {
        let Flow { source, target, host, note, .. } = flow;
        let quoted = note.replace(['(', ')'], "\\\"");
        let line = format!(
            "<165>1 2026-01-31T10:05:03Z {host} app 7 ID [x@1 src=\"{source}\" dst=\"{target}\"][y@1 note=\"{quoted}\"] {note}"
        );
        let truth = Expected::default().address("x@1.src", source).address("x@1.dst", target).host("host", host);
        (line, truth.text("y@1.note", note).text("message", note))
    });
    check("json", "", |flow| {
        let Flow { source, host, note, .. } = flow;
        let line =
            format!("Jan 31 10:05:03 {host} app[7]: {{\"a\":{{\"addr\":\"{source}\"}},\"text\":\"\\u0041 {note}\"}}");
        (line, Expected::default().host("host", host).address("a.addr", source).text("text", note))
    });
}

#[test]
fn pairs() {
    check("firewall", "", |flow| {
        let Flow { source, target, port, host, referrer, note, digest, .. } = flow;
        let line = format!(
            "<189>date=2026-01-31 time=10:05:03 devname=\"FG\" srcip={source} dstip={target} dstport={port} hostname=\"{host}\" referralurl=\"{referrer}\" msg=\"say \\\"{note}\\\"\" analyticscksum=\"{digest}\""
        );
        let truth = Expected::default().address("srcip", source).address("dstip", target).host("hostname", host);
        (line, truth.url("referralurl", referrer).text("msg", note).digest("analyticscksum", digest))
    });
    check("logfmt", "", |flow| {
        let Flow { source, target, port, host, note, .. } = flow;
        let target_port = if target.contains(':') { format!("[{target}]:{port}") } else { format!("{target}:{port}") };
        let line = format!(
            "level=info ts=2026-01-31T10:05:03Z msg=\"{note}\" remote_addr={source} dst={target_port} host={host}"
        );
        let truth = Expected::default().text("msg", note).address("remote_addr", source);
        (line, truth.address("dst", target).host("host", host))
    });
    check("netfilter", "", |flow| {
        let Flow { source, target, port, .. } = flow;
        let line = format!(
            "Jan 31 10:05:03 fw kernel: [12.5] [UFW BLOCK] IN=eth0 OUT= MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC={source} DST={target} LEN=40 TTL=5 DF PROTO=TCP SPT=1 DPT={port} SYN URGP=0"
        );
        (line, Expected::default().address("SRC", source).address("DST", target))
    });
    check("sysmon", "", |flow| {
        let Flow { source, target, digest, host, .. } = flow;
        let line = format!(
            "EventID=22 Image=\"C:\\Windows\\x.exe\" QueryName=\"{host}\" QueryResults=\"type:  5 c.example;{source};::ffff:10.0.0.1;{target};\" Hashes=\"MD5=00000000000000000000000000000001,SHA256={digest},IMPHASH=00000000000000000000000000000002\""
        );
        let truth = Expected::default().host("QueryName", host).address("QueryResults", source);
        (line, truth.address("QueryResults", target).digest("Hashes", digest))
    });
}

#[test]
fn web_servers() {
    check("combined", "", |flow| {
        let Flow { source, path, referrer, note, .. } = flow;
        let line = format!(
            "{source} - - [31/Jan/2026:10:05:03 +0000] \"GET {path} HTTP/1.1\" 200 1 \"{referrer}\" \"curl \\\"{note}\\\"\""
        );
        (line, Expected::default().address("client", source).url("referrer", referrer).text("user_agent", note))
    });
    check("virtual hosts", "", |flow| {
        let Flow { source, target, host, path, .. } = flow;
        let line = format!(
            "{host}:80 {source} - - [31/Jan/2026:10:05:03 +0000] \"GET {path} HTTP/1.1\" 200 1 \"-\" \"-\" \"{target}, 10.9.9.9\""
        );
        let truth = Expected::default().host("vhost", host).address("client", source).assembled("request", flow);
        (line, truth.address("forwarded_for", target))
    });
    check("squid", "", |flow| {
        let Flow { source, target, referrer, .. } = flow;
        let line =
            format!("1769853903.250     88 {source} TCP_MISS/200 1234 GET {referrer} - HIER_DIRECT/{target} text/html");
        (line, Expected::default().address("client", source).url("url", referrer).address("hierarchy", target))
    });
    let header = "#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) cs(Referer) cs-host\n";
    check("iis", header, |flow| {
        let Flow { source, target, host, path, referrer, note, .. } = flow;
        let (stem, query) = path.split_once('?').unwrap_or((path, "-"));
        let agent = note.replace(' ', "+");
        let line = format!("2026-01-31 10:05:03 {target} GET {stem} {query} 80 {source} {agent} {referrer} {host}");
        let truth = Expected::default().address("s-ip", target).address("c-ip", source).host("cs-host", host);
        let truth = truth.assembled("cs-uri-stem", flow).url("cs(Referer)", referrer);
        (line, truth.text("cs(User-Agent)", note))
    });
    let header = "#Version: 1.0\n#Fields: date\ttime\tc-ip\tcs-uri-stem\tcs-uri-query\tcs(Referer)\tcs(User-Agent)\tx-host-header\tcs-protocol\n";
    check("cloudfront", header, |flow| {
        let Flow { source, host, path, referrer, note, .. } = flow;
        let (stem, query) = path.split_once('?').unwrap_or((path, "-"));
        let agent = note.replace(' ', "%20");
        let line = format!("2026-01-31\t10:05:03\t{source}\t{stem}\t{query}\t{referrer}\t{agent}\t{host}\thttp");
        let truth = Expected::default().address("c-ip", source).host("x-host-header", host);
        let truth = truth.assembled("cs-uri-stem", flow).url("cs(Referer)", referrer);
        (line, truth.text("cs(User-Agent)", note))
    });
}

#[test]
fn services_of_aws() {
    check("flow log", "", |flow| {
        let Flow { source, target, port, .. } = flow;
        let line =
            format!("2 123456789012 eni-0a1b {source} {target} 49152 {port} 6 20 4249 1769853903 1769853960 ACCEPT OK");
        (line, Expected::default().address("srcaddr", source).address("dstaddr", target))
    });
    let header = "version pkt-srcaddr dstaddr srcaddr srcport protocol\n";
    check("flow log with a header", header, |flow| {
        let Flow { source, target, port, .. } = flow;
        let line = format!("5 {source} {target} 10.0.0.1 {port} 6");
        (line, Expected::default().address("pkt-srcaddr", source).address("dstaddr", target))
    });
    check("load balancer", "", |flow| {
        let Flow { source, port, referrer, note, host, .. } = flow;
        let client = if source.contains(':') { format!("[{source}]:{port}") } else { format!("{source}:{port}") };
        let line = format!(
            "http 2026-01-31T10:05:03.25Z app/lb/5 {client} 10.0.0.1:80 0 0 0 200 200 0 5 \"GET {referrer} HTTP/1.1\" \"curl {note}\" - - arn:aws:x \"Root=1\" \"{host}\" \"-\" 1 2026-01-31T10:05:02Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\""
        );
        let truth = Expected::default().address("client:port", source).url("request", referrer);
        (line, truth.text("user_agent", note).host("domain_name", host))
    });
    check("network load balancer", "", |flow| {
        let Flow { source, port, host, .. } = flow;
        let client = if source.contains(':') { format!("[{source}]:{port}") } else { format!("{source}:{port}") };
        let line = format!(
            "tls 2.0 2026-01-31T10:05:03 net/lb/c g3 {client} 10.0.0.1:443 5 2 29 32 - arn:aws:acm - ECDHE tlsv12 - {host} h2 - - 2026-01-31T10:05:02"
        );
        (line, Expected::default().address("client:port", source).host("domain_name", host))
    });
    check("s3", "", |flow| {
        let Flow { source, host, path, referrer, note, .. } = flow;
        let owner = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
        let line = format!(
            "{owner} b [31/Jan/2026:10:05:03 +0000] {source} - 3E REST.GET.OBJECT k \"GET {path} HTTP/1.1\" 200 - 1 - 7 - \"{referrer}\" \"curl {note}\" - s9l= SigV4 - AuthHeader {host} - - -"
        );
        let truth = Expected::default().address("remote_ip", source).url("referer", referrer).text("user_agent", note);
        (line, truth.host("host_header", host).assembled("request_uri", flow))
    });
}
