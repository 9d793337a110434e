//! Lines of every log format, in the shapes in which their writers write them.

#![allow(dead_code)] // Each test uses its part.

use std::sync::Arc;
use stockade::compile::{Filter, RuleSetBuilder};
use stockade::log::{Choice, Event, Layouts, Tracker, format_named};
use stockade::matcher::{Hit, Matcher, Options};
use stockade::observable::Value;
use stockade::stix::Timestamp;

/// A format, its header lines, and lines.
pub(crate) struct Sample {
    pub(crate) format: &'static str,
    pub(crate) header: &'static str,
    pub(crate) lines: &'static [&'static str],
}

pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        format: "zeek",
        header: "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#open\t2026-01-31-10-05-03\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tanswers\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tvector[string]\n",
        lines: &[
            "1769853903.250000\tCAbc1\t10.0.0.1\t53124\t192.0.2.53\t53\tudp\twww.a.example\tb.example,198.51.100.1,TXT 12 v=spf1 c.example",
            "1769853903.250000\tCAbc2\t2001:db8::1\t53124\t192.0.2.53\t53\tudp\t-\t(empty)",
        ],
    },
    Sample {
        format: "zeek",
        header: "#separator \\x09\n#path\thttp\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\thost\turi\treferrer\tuser_agent\torig_filenames\n#types\ttime\taddr\taddr\tport\tstring\tstring\tstring\tstring\tvector[string]\n",
        lines: &[
            "1769853903.25\t10.0.0.1\t192.0.2.1\t80\twww.a.example\t/x?u=http%3A%2F%2Fb.example%2Fy\thttp://c.example/\tMozilla/5.0 (+http://bot.example/)\ta.exe,b\\x2cc.exe",
        ],
    },
    Sample {
        format: "zeek",
        header: "#separator \\x09\n#path\tfiles\n#fields\tts\ttx_hosts\trx_hosts\tfilename\tmd5\tsha1\tsha256\n#types\ttime\tset[addr]\tset[addr]\tstring\tstring\tstring\tstring\n",
        lines: &[
            "1769853903.25\t192.0.2.1,192.0.2.2\t10.0.0.1\ta.example.exe\td41d8cd98f00b204e9800998ecf8427e\tda39a3ee5e6b4b0d3255bfef95601890afd80709\t-",
        ],
    },
    Sample {
        format: "csv",
        header: "time,src_ip,dst_ip,dst_port,url,sha256,note\n",
        lines: &[
            "2026-01-31T10:05:03Z,10.0.0.1,192.0.2.1,443,http://a.example/x,e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855,\"say \"\"hi\"\", b.example\"",
            "2026-01-31T10:05:03Z,10.0.0.1,,,-,,\"m@c.example;198.51.100.2\"",
            "2026-01-31T10:05:03Z,10.0.0.1,192.0.2.1",
        ],
    },
    Sample {
        format: "csv",
        header: "\u{feff}\"Source IP\";\"Host Name\";\"Message\"\r\n",
        lines: &["192.0.2.1;www.a.example;\"from 198.51.100.3; to b.example\""],
    },
    Sample {
        format: "cef",
        header: "",
        lines: &[
            "CEF:0|Vendor|Product|1.0|100|worm \\| stopped at a.example|10|src=10.0.0.1 dst=192.0.2.1 spt=1232 dpt=443 request=http://b.example/?x=y act=blocked msg=to c.example\\nand more\\=x",
            "<134>Jan 31 10:05:03 fw.example CEF:0|V|P|1|7|N|3|cs1=d41d8cd98f00b204e9800998ecf8427e cs1Label=File MD5 c6a2=2001:db8::1 suser=m@d.example fname=C:\\\\x\\\\a.exe",
        ],
    },
    Sample {
        format: "leef",
        header: "",
        lines: &[
            "LEEF:1.0|V|P|4.0|41|src=10.0.0.1\tdst=192.0.2.1\tdstPort=443\tusrName=joe\turl=http://a.example/?x=y\tmsg=b.example x",
            "<13>1 2026-01-31T10:05:03Z host.example app - - - LEEF:2.0|V|P|1|7|^|src=192.0.2.1^dst=10.0.0.1^note=c.example stray^d.example",
        ],
    },
    Sample {
        format: "syslog",
        header: "",
        lines: &[
            "<165>1 2026-01-31T10:05:03.003Z host.example app 7 ID47 [exampleSDID@32473 src=\"192.0.2.1\" note=\"a \\\"b.example\\\"\"] text of c.example",
            "Jan 31 10:05:03 host.example app[7]: {\"src_ip\":\"192.0.2.1\",\"note\":\"a\\/b d.example\"}",
            "2026-01-31T10:05:03.5+01:00 10.0.0.9 date=2026-01-31 time=10:05:03 srcip=192.0.2.1 dstip=198.51.100.4 msg=\"to e.example\"",
            "Jan 31 10:05:03 host.example kernel: [123.456] [UFW BLOCK] IN=eth0 OUT= MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=192.0.2.1 DST=10.0.0.1 LEN=40 PROTO=TCP SPT=1 DPT=22 SYN URGP=0",
            "Jan 31 10:05:03 web.example nginx: 192.0.2.1 - - [31/Jan/2026:10:05:03 +0000] \"GET /f HTTP/1.1\" 200 1 \"http://f.example/\" \"curl\"",
        ],
    },
    Sample {
        format: "w3c",
        header: "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status cs-host\n",
        lines: &[
            "2026-01-31 10:05:03 10.0.0.5 GET /a.aspx u=http://b.example/ 443 - 192.0.2.1 Mozilla/5.0+(+http://bot.example/) http://c.example/x 200 www.a.example",
        ],
    },
    Sample {
        format: "w3c",
        header: "#Version: 1.0\n#Fields: date time c-ip cs(Host) cs-uri-stem cs(Referer) cs(User-Agent) x-host-header cs-protocol\n",
        lines: &[
            "2026-01-31\t10:05:03\t192.0.2.1\td1.cdn.example\t/a%20b\thttp://b.example/\tMozilla/5.0%20(x)%20c.example\twww.a.example\thttps",
        ],
    },
    Sample {
        format: "vpc-flow",
        header: "",
        lines: &["2 123456789012 eni-0a1b 10.0.0.5 192.0.2.1 49152 443 6 20 4249 1769853903 1769853960 ACCEPT OK"],
    },
    Sample {
        format: "vpc-flow",
        header: "version pkt-srcaddr pkt-dstaddr srcaddr dstaddr srcport dstport protocol flow-direction\n",
        lines: &["5 192.0.2.1 10.0.0.5 10.0.0.9 10.0.0.5 49152 443 6 ingress"],
    },
    Sample {
        format: "elb",
        header: "",
        lines: &[
            "https 2026-01-31T10:05:03.250000Z app/my-lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET https://www.a.example:443/x?y HTTP/1.1\" \"curl/8 b.example\" ECDHE TLSv1.2 arn:aws:x \"Root=1-58\" \"www.a.example\" \"arn:aws:acm\" 1 2026-01-31T10:05:02Z \"forward\" \"http://c.example/\" \"-\" \"10.0.0.1:80 198.51.100.5:80\" \"200\" \"-\" \"-\" TID_1",
            "tls 2.0 2026-01-31T10:05:03 net/my-nlb/c6e7 g3d4 192.0.2.1:51341 10.0.0.1:443 5 2 29 32 - arn:aws:acm - ECDHE tlsv12 - my.a.example h2 - - 2026-01-31T10:05:02",
        ],
    },
    Sample {
        format: "s3",
        header: "",
        lines: &[
            "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be my-bucket [31/Jan/2026:10:05:03 +0000] 192.0.2.1 - 3E57 REST.GET.OBJECT a/b.exe \"GET /my-bucket/a/b.exe?u=a.example HTTP/1.1\" 200 - 113 - 7 - \"http://b.example/\" \"curl/8\" - s9l= SigV4 ECDHE AuthHeader my-bucket.s3.example TLSv1.2 - -",
        ],
    },
    Sample {
        format: "access",
        header: "",
        lines: &[
            "192.0.2.1 - joe [31/Jan/2026:11:05:03 +0100] \"GET /a?b=http://a.example/ HTTP/1.1\" 200 12 \"http://b.example/\" \"curl \\\"8\\\" c.example\"",
            "www.a.example:443 2001:db8::1 - - [31/Jan/2026:11:05:03 +0100] \"GET /a HTTP/1.1\" 200 - \"-\" \"-\"",
            "10.0.0.1 - - [31/Jan/2026:11:05:03 +0100] \"CONNECT d.example:443 HTTP/1.1\" 200 1 \"-\" \"x\" \"198.51.100.7, 10.0.0.2\" 0.02",
            "h.example - - [31/Jan/2026:11:05:03 +0100] \"\\x16\\x03 e.example\" 400 0",
        ],
    },
    Sample {
        format: "squid",
        header: "",
        lines: &[
            "1769853903.250     88 10.0.0.1 TCP_MISS/200 1234 GET http://a.example/x - HIER_DIRECT/192.0.2.1 text/html",
            "1769853903.250     88 10.0.0.1 TCP_TUNNEL/200 1234 CONNECT b.example:443 joe HIER_DIRECT/192.0.2.1 -",
        ],
    },
    Sample {
        format: "key-value",
        header: "",
        lines: &[
            "date=2026-01-31 time=10:05:03 tz=\"+0100\" devname=\"FGT\" logid=\"0000000013\" type=\"traffic\" srcip=10.0.0.1 srcport=49152 dstip=192.0.2.1 dstport=443 proto=6 action=\"accept\" hostname=\"www.a.example\" url=\"/x?b.example\" msg=\"say \\\"c.example\\\"\"",
            "level=info ts=2026-01-31T10:05:03.5Z msg=\"dial tcp 192.0.2.1:443\" host=d.example err=",
            "id=firewall sn=0 time=\"2026-01-31 10:05:03\" fw=192.0.2.2 pri=6 src=10.0.0.1:123:X0 dst=192.0.2.1:443:X1:e.example note=\"x\"",
            "type=USER_LOGIN msg=audit(1769853903.250:42): pid=7 uid=0 msg='op=login id=0 exe=\"/usr/sbin/sshd\" hostname=f.example addr=192.0.2.1 terminal=ssh res=failed'",
            "EventID=1 Image=\"C:\\Windows\\a.exe\" CurrentDirectory=\"C:\\Windows\\\" Hashes=\"MD5=d41d8cd98f00b204e9800998ecf8427e,SHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855,IMPHASH=00000000000000000000000000000001\" QueryResults=\"type:  5 g.example;::ffff:192.0.2.1;\"",
        ],
    },
    Sample {
        format: "pan-os",
        header: "",
        lines: &[
            "<14>Jan 31 10:05:03 fw.example 1,2026/01/31 10:05:03,0011C100,TRAFFIC,end,2305,2026/01/31 10:05:03,10.0.0.2,192.0.2.1,198.51.100.7,192.0.2.1,\"allow, all\",corp\\joe,,ssl,vsys1,trust,untrust,eth1,eth2,fwd,2026/01/31 10:05:03,7,1,49152,443,20077,443,0x40,tcp,allow,5000,1000,4000,20",
            "1,2026/01/31 10:05:03,0011C100,THREAT,url,2305,2026/01/31 10:05:03,10.0.0.2,192.0.2.1,0.0.0.0,0.0.0.0,block,,,web-browsing,vsys1,trust,untrust,eth1,eth2,fwd,2026/01/31 10:05:03,7,1,49152,443,0,0,0x40,tcp,block-url,\"a.example/x?y\",(9999),malware,high,client-to-server,1,0x0,US,DE,0,text/html,0,,,1,\"curl b.example\",,,\"http://c.example/\",m@d.example,subject,n@e.example",
        ],
    },
    Sample { format: "json", header: "", lines: &["{\"src\":\"192.0.2.1\",\"note\":\"see a.example\"}"] },
    Sample { format: "text", header: "", lines: &["from 192.0.2.1 port 22: b.example"] },
];

/// The layouts of a block, of a format asked for by name or told by the block.
pub(crate) fn layouts(format: Option<&str>, block: &[u8]) -> Layouts {
    let format = format.map(|name| format_named(name).expect(name));
    Tracker::new(Arc::new(Choice { format, ..Choice::default() })).next(block)
}

/// Takes the last line of a block apart.
pub(crate) fn decoded<R>(
    format: Option<&str>,
    block: &[u8],
    with: impl FnOnce(&Event<'_>, Result<(), &'static str>) -> R,
) -> R {
    let layouts = layouts(format, block);
    let block = block.strip_suffix(b"\n").unwrap_or(block);
    let start = memchr::memrchr(b'\n', block).map_or(0, |at| at + 1);
    let (_, layout) = layouts.parts(block.len() + 1).filter(|(part, _)| part.start <= start).last().expect("a layout");
    let mut event = Event::new(&block[start..]);
    let result = layout.decode(&mut event);
    with(&event, result)
}

/// A matcher of listed values.
pub(crate) fn matcher(values: &[Value]) -> Matcher {
    let mut rules = RuleSetBuilder::default();
    for value in values {
        rules.add_value(value.clone()).expect("there is room");
    }
    let at = Timestamp::parse("2026-01-31T00:00:00Z").expect("an instant");
    Matcher::new(Arc::new(rules.build()), Options::new(Filter::at(at)))
}

/// The hits of a block in plain text.
pub(crate) fn in_text(matcher: &Matcher, block: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    matcher.scanner().scan(block, &mut hits);
    hits
}

/// The hits of a block read in its format.
pub(crate) fn in_fields(matcher: &Matcher, layouts: &Layouts, block: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    matcher.scanner().scan_as(layouts, block, &mut hits);
    hits
}
