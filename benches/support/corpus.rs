//! Indicators and logs made up from a seed: as many as wanted, always the same, and with the truth about what is in
//! them.
//!
//! 35% IPv4 (one in fifty a prefix), 35% domains, 13% URLs, 15% hashes, 2% IPv6. Log lines are of seven formats, 240
//! bytes long on average; one in a thousand holds a listed value, one in two hundred something that only looks like
//! one.

#![allow(dead_code, reason = "not every user of this file needs all of it")]
#![allow(unreachable_pub, reason = "a module of programs, not of a library")]

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A set of indicators and logs that go with it.
#[derive(Clone, Copy, Debug)]
pub struct Corpus {
    pub seed: u64,
    /// Number of indicators.
    pub count: u64,
}

/// A value that the corpus lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    Ipv4(Ipv4Addr),
    /// Network and length.
    Prefix(Ipv4Addr, u8),
    Ipv6(Ipv6Addr),
    Domain(String),
    Url(String),
    /// Name in patterns, and lower-case digits.
    Hash(&'static str, String),
}

/// A listed value that stands in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// Counted from 1.
    pub line: u64,
    /// Bytes of the line.
    pub start: usize,
    pub end: usize,
    /// As written there.
    pub value: String,
    /// Number of the indicator.
    pub indicator: u64,
}

impl Corpus {
    /// The value of an indicator.
    pub fn listed(&self, indicator: u64) -> Listed {
        let mut random = Random(self.seed ^ indicator.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        match random.below(100) {
            // Listed addresses are odd and below 127, those of the background even; prefixes lie between 128 and 191.
            0..35 if random.below(50) == 0 => {
                let length = 18 + random.below(7) as u8;
                let address = 128 << 24 | random.below(64 << 24) as u32;
                Listed::Prefix(Ipv4Addr::from(address & (u32::MAX << (32 - length))), length)
            }
            0..35 => Listed::Ipv4(Ipv4Addr::from(((1 + random.below(125)) << 24 | random.below(1 << 24) | 1) as u32)),
            35..70 => Listed::Domain(listed_name(&mut random, indicator)),
            70..83 => {
                let scheme = if random.below(3) == 0 { "https" } else { "http" };
                let name = listed_name(&mut random, indicator);
                Listed::Url(format!("{scheme}://{name}/{}/{}.php", random.pick(&WORDS), random.below(10_000)))
            }
            83..98 => {
                let (name, length) = random.pick(&[("MD5", 32), ("SHA-1", 40), ("SHA-256", 64), ("SHA-256", 64)]);
                Listed::Hash(name, random.hex(length))
            }
            _ => Listed::Ipv6(Ipv6Addr::from(0x2A03_u128 << 112 | u128::from(random.next()) << 16 | 1)),
        }
    }

    /// The value of an indicator as a list shows it.
    pub fn text(&self, indicator: u64) -> String {
        match self.listed(indicator) {
            Listed::Ipv4(address) => address.to_string(),
            Listed::Prefix(address, length) => format!("{address}/{length}"),
            Listed::Ipv6(address) => address.to_string(),
            Listed::Domain(text) | Listed::Url(text) | Listed::Hash(_, text) => text,
        }
    }

    /// Whether an indicator speaks of a value that stands in a log.
    pub fn covers(&self, indicator: u64, value: &str) -> bool {
        match self.listed(indicator) {
            Listed::Prefix(network, length) => value.parse().is_ok_and(|address: Ipv4Addr| {
                (u32::from(address) ^ u32::from(network)).checked_shr(32 - u32::from(length)).unwrap_or(0) == 0
            }),
            Listed::Url(url) => url == value,
            _ => self.text(indicator).eq_ignore_ascii_case(value),
        }
    }

    /// The id of an indicator.
    pub fn id(&self, indicator: u64) -> String {
        let mut random = Random(self.seed ^ indicator.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let (high, low) = (random.next(), random.next());
        format!(
            "indicator--{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFF,
            low >> 52,
            low & 0xFFFF_FFFF_FFFF
        )
    }

    /// The pattern of an indicator.
    pub fn pattern(&self, indicator: u64) -> String {
        match self.listed(indicator) {
            Listed::Ipv4(address) => format!("[ipv4-addr:value = '{address}']"),
            Listed::Prefix(address, length) => format!("[ipv4-addr:value = '{address}/{length}']"),
            Listed::Ipv6(address) => format!("[ipv6-addr:value = '{address}']"),
            Listed::Domain(name) => format!("[domain-name:value = '{name}']"),
            Listed::Url(url) => format!("[url:value = '{url}']"),
            Listed::Hash("MD5", digits) => format!("[file:hashes.MD5 = '{digits}']"),
            Listed::Hash(name, digits) => format!("[file:hashes.'{name}' = '{digits}']"),
        }
    }

    /// Writes a STIX 2.1 bundle of all indicators, some 570 bytes each.
    pub fn write_bundle(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(br#"{"type": "bundle", "id": "bundle--12345678-1234-4234-8234-123456789abc", "objects": ["#)?;
        out.write_all(br#"{"type": "identity", "spec_version": "2.1", "id": "identity--f8e75d96-8e4c-4b1a-9e3d-4f8a7b6c5d3e", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "corpus"}"#)?;
        let mut object = String::new();
        for indicator in 0..self.count {
            object.clear();
            self.push_object(&mut object, indicator);
            out.write_all(object.as_bytes())?;
        }
        out.write_all(b"]}\n")
    }

    fn push_object(&self, out: &mut String, indicator: u64) {
        let mut random = Random(self.seed ^ !indicator);
        let (day, second) = (1 + random.below(28), random.below(60));
        let when = format!(
            "2026-{:02}-{day:02}T{:02}:{:02}:{second:02}.000Z",
            1 + random.below(5),
            random.below(24),
            random.below(60)
        );
        let (label, name) = (random.pick(&["c2", "phishing", "malware", "scanner"]), random.pick(&WORDS));
        let _ = write!(
            out,
            r#", {{"type": "indicator", "spec_version": "2.1", "id": "{}", "created": "{when}", "modified": "{when}", "created_by_ref": "identity--f8e75d96-8e4c-4b1a-9e3d-4f8a7b6c5d3e", "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"], "name": "Seen with {name}", "indicator_types": ["malicious-activity"], "pattern": "{}", "pattern_type": "stix", "valid_from": "{when}", "confidence": {}, "labels": ["{label}", "{name}"]}}"#,
            self.id(indicator),
            self.pattern(indicator),
            random.below(101),
        );
    }

    /// Writes log lines, one in a thousand with a listed value, and tells where those stand.
    pub fn write_log(&self, lines: u64, out: &mut impl Write) -> io::Result<Vec<Planted>> {
        self.write_log_with(lines, 1, out)
    }

    /// As [`Corpus::write_log`], with so many listed values in a thousand lines.
    pub fn write_log_with(&self, lines: u64, hits: u64, out: &mut impl Write) -> io::Result<Vec<Planted>> {
        let mut random = Random(self.seed ^ 0x00C0_FFEE);
        let mut planted = Vec::new();
        let mut line = String::new();
        for number in 1..=lines {
            line.clear();
            match random.below(1000) {
                share if share < hits && self.count > 0 => {
                    let indicator = random.below(self.count);
                    let value = self.shown(indicator, &mut random);
                    push_line(&mut line, &mut random, Some(&value));
                    let start = line.find(&value).unwrap_or_default();
                    planted.push(Planted { line: number, start, end: start + value.len(), value, indicator });
                }
                share if share < hits + 5 && self.count > 0 => {
                    let trap = self.trap(&mut random);
                    push_line(&mut line, &mut random, Some(&trap));
                }
                _ => push_line(&mut line, &mut random, None),
            }
            line.push('\n');
            out.write_all(line.as_bytes())?;
        }
        Ok(planted)
    }

    /// A value that the indicator covers, as a log might show it.
    fn shown(&self, indicator: u64, random: &mut Random) -> String {
        match self.listed(indicator) {
            Listed::Ipv4(address) => address.to_string(),
            Listed::Prefix(address, length) => {
                Ipv4Addr::from(u32::from(address) | random.below(1 << (32 - length)) as u32).to_string()
            }
            Listed::Ipv6(address) => address.to_string(),
            Listed::Domain(name) if random.below(4) == 0 => name.to_uppercase(),
            Listed::Hash(_, digits) if random.below(2) == 0 => digits.to_uppercase(),
            Listed::Domain(text) | Listed::Url(text) | Listed::Hash(_, text) => text,
        }
    }

    /// Something that holds a listed value as text, but is another value.
    fn trap(&self, random: &mut Random) -> String {
        match self.listed(random.below(self.count)) {
            Listed::Ipv4(address) | Listed::Prefix(address, _) => {
                if random.below(2) == 0 {
                    format!("{address}.7")
                } else {
                    format!("v{address}")
                }
            }
            Listed::Ipv6(address) => format!("{address}:0:0:0:0:0:0:0:0"),
            Listed::Domain(name) => match random.below(3) {
                0 => format!("not{name}"),
                1 => format!("{name}.example.org"),
                _ => format!("{name}-shop.example"),
            },
            Listed::Url(url) => format!("{url}5/more"),
            Listed::Hash(_, digits) => format!("{digits}0"),
        }
    }
}

/// A name of the listed: its second label has a digit, which no name of the background has.
fn listed_name(random: &mut Random, indicator: u64) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut label = String::from(random.pick(&WORDS));
    let mut rest = indicator;
    while rest > 0 {
        label.push(char::from(DIGITS[(rest % 36) as usize]));
        rest /= 36;
    }
    let _ = write!(label, "{}.{}", random.below(10), random.pick(&TLDS));
    match random.below(4) {
        0 => format!("{}.{label}", random.pick(&["www", "login", "cdn", "mail", "update"])),
        _ => label,
    }
}

fn background_name(random: &mut Random) -> String {
    let (first, second, tld) = (random.pick(&WORDS), random.pick(&WORDS), random.pick(&TLDS));
    match random.below(3) {
        0 => format!("{first}{second}.{tld}"),
        1 => format!("www.{first}-{second}.{tld}"),
        _ => format!("{}.{second}{first}.{tld}", random.pick(&WORDS)),
    }
}

fn background_address(random: &mut Random) -> Ipv4Addr {
    let first = random.pick(&[10, 23, 52, 66, 93, 104, 192, 198, 203]);
    Ipv4Addr::from((first << 24 | random.below(1 << 24) & !1) as u32)
}

/// Appends one line, which holds the value if there is one.
fn push_line(out: &mut String, random: &mut Random, value: Option<&str>) {
    let (source, target) = (background_address(random), background_address(random));
    let (name, path, word) = (background_name(random), random.pick(&PATHS), random.pick(&WORDS));
    let agent = random.pick(&AGENTS);
    let (day, hour, minute, second) = (1 + random.below(28), random.below(24), random.below(60), random.below(60));
    let (port, size, id) = (1024 + random.below(60_000), random.below(200_000), random.next());
    let is_url = value.is_some_and(|value| value.contains("://"));
    let is_hex = value.is_some_and(|value| value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let host = value.filter(|_| !is_url && !is_hex).unwrap_or(&name);
    let _ = match random.below(7) {
        _ if is_hex => write!(
            out,
            r#"{{"timestamp":"2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}.000000+0000","flow_id":{id},"event_type":"fileinfo","src_ip":"{source}","src_port":80,"dest_ip":"{target}","dest_port":{port},"proto":"TCP","fileinfo":{{"filename":"{path}","state":"CLOSED","hash":"{}","size":{size}}}}}"#,
            value.unwrap_or_default()
        ),
        0 | 1 => write!(
            out,
            r#"{source} - - [{day:02}/May/2026:{hour:02}:{minute:02}:{second:02} +0000] "GET {path} HTTP/1.1" 200 {size} "{}" "{agent}""#,
            if is_url { value.unwrap_or_default().to_owned() } else { format!("http://{host}/{word}") }
        ),
        _ if is_url => write!(
            out,
            r#"{{"timestamp":"2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}.000000+0000","flow_id":{id},"event_type":"alert","src_ip":"{source}","src_port":{port},"dest_ip":"{target}","dest_port":80,"proto":"TCP","alert":{{"signature":"ET {word}","severity":2}},"url":"{}","user_agent":"{agent}"}}"#,
            value.unwrap_or_default()
        ),
        2 => write!(
            out,
            "17789{id:05}.{size:06}\tC{id:016x}\t{source}\t{port}\t{target}\t53\tudp\t{minute}\t0.0{second}\t{host}\t1\tC_INTERNET\t1\tA\t0\tNOERROR\tF\tF\tT\tT\t0\t{target},{source}\t300.000000,300.000000\tF",
            id = id % 100_000
        ),
        3 => write!(
            out,
            r#"{{"timestamp":"2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}.000000+0000","flow_id":{id},"in_iface":"eth0","event_type":"dns","src_ip":"{source}","src_port":{port},"dest_ip":"{target}","dest_port":53,"proto":"UDP","dns":{{"type":"query","id":{minute},"rrname":"{host}","rrtype":"A","tx_id":0}}}}"#
        ),
        4 => write!(
            out,
            "May {day:2} {hour:02}:{minute:02}:{second:02} fw-{word} kernel: [{size}.{port}] DROP IN=eth0 OUT= MAC=00:16:3e:aa:bb:cc:00:16:3e:dd:ee:ff:08:00 SRC={source} DST={host} LEN=60 TOS=0x00 PREC=0x00 TTL=49 ID={minute} DF PROTO=TCP SPT={port} DPT=443 WINDOW=29200 RES=0x00 SYN URGP=0"
        ),
        5 => write!(
            out,
            "{day:02}-May-2026 {hour:02}:{minute:02}:{second:02}.000 queries: info: client @0x{id:012x} {source}#{port} ({host}): query: {word} IN A +E(0)K ({target})",
        ),
        _ => write!(
            out,
            "May {day:2} {hour:02}:{minute:02}:{second:02} {word} postfix/smtpd[{port}]: NOQUEUE: reject: RCPT from {host}[{source}]: 554 5.7.1 Service unavailable; from={word}@{name} proto=ESMTP helo={name}"
        ),
    };
}

const TLDS: [&str; 10] = ["com", "net", "org", "info", "xyz", "top", "ru", "cn", "co.uk", "online"];

const WORDS: [&str; 24] = [
    "alpha", "banner", "cloud", "delta", "engine", "forest", "garden", "harbor", "island", "jungle", "kernel", "lemon",
    "market", "number", "orange", "parcel", "quartz", "river", "secure", "travel", "update", "violet", "window",
    "yellow",
];

const PATHS: [&str; 6] = [
    "/",
    "/index.html",
    "/static/js/app.3f9a1c.js",
    "/api/v1/items?page=7&sort=desc",
    "/images/2026/05/header-large.jpg",
    "/wp-content/plugins/forms/assets/css/style.min.css?ver=6.5.3",
];

const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "curl/8.5.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
];

/// `SplitMix64`: small, good enough, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    fn hex(&mut self, length: usize) -> String {
        let mut digits = String::with_capacity(length + 16);
        while digits.len() < length {
            let _ = write!(digits, "{:016x}", self.next());
        }
        digits.truncate(length);
        digits
    }
}
