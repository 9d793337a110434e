//! Random lines: values and borders of every sort glued together.

use std::fmt::Write as _;

/// A small generator of random numbers (xorshift64*), the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }
    /// Below a bound that is not zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// What stands between values, and what is easily taken for one.
pub(crate) const GLUE: [&str; 118] = [
    " ",
    " ",
    " ",
    " ",
    "\t",
    ",",
    ";",
    ":",
    "=",
    "\"",
    "'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "|",
    "/",
    "\\",
    "-",
    "_",
    ".",
    "..",
    "...",
    "@",
    "#",
    "&",
    "%",
    "?",
    "!",
    "*",
    "~",
    "`",
    "^",
    "$",
    "+",
    "\0",
    "\r",
    "::",
    "://",
    "->",
    " > ",
    "IP ",
    "%20",
    "%2F",
    "%2f",
    "%3A",
    "%3D",
    "%40",
    "%25",
    "%252F",
    "%2E",
    "%41",
    "%zz",
    "\\n",
    "\\t",
    "\\r",
    "\\\\",
    "\\\\n",
    "\\/",
    "\\\"",
    "\\u003d",
    "\\u002e",
    "\\u0040",
    "\\x3d",
    "\\u00fc",
    "a",
    "f",
    "x",
    "0",
    "1",
    "9",
    "0x",
    "v",
    "V",
    "Version ",
    "version=",
    "\"version\":\"",
    "rv:",
    "Firefox/",
    "curl/",
    "outside/",
    "host:",
    "src=",
    "dst=",
    "addr:",
    "mac:",
    "http://",
    "https://",
    "hxxp://",
    "ftp://",
    "mailto:",
    "user@",
    "www.",
    "not",
    ".com",
    ".org",
    "-x.net",
    ":443",
    ":80/",
    "/24",
    "/a/b?c=d&e=",
    "?u=",
    "#frag",
    "[.]",
    "(dot)",
    "[@]",
    "é",
    "中",
    "“",
    "”",
    "…",
    "，",
    "%eth0",
    "std::",
];

/// Appends a value of some kind, perhaps in another spelling.
pub(crate) fn value(random: &mut Random, out: &mut String) {
    let names = [
        "evil.com",
        "a.b.evil.com",
        "good.org",
        "x-y.z_1.net",
        "xn--bcher-kva.example",
        "evil.co.uk",
        "bücher.example",
        "例え.テスト",
    ];
    let mut text = String::new();
    match random.below(12) {
        0 | 1 => text.push_str(random.pick(&names)),
        2 | 3 => {
            let _ = write!(text, "{}.{}.{}.{}", random.below(3), random.below(260), random.below(3), random.below(300));
        }
        4 => text.push_str(random.pick(&[
            "2001:db8::1",
            "::1",
            "fe80::1",
            "2001:DB8:0:0:0:0:0:1",
            "::ffff:1.2.3.4",
            "64:ff9b::1.2.3.4",
            "1:2:3:4:5:6:7:8",
            "2001:db8::",
            "12:34:56",
        ])),
        5 => {
            let length = random.below(140);
            let digits = if random.below(3) == 0 { length } else { [32, 40, 56, 64, 96, 128][random.below(6)] };
            for _ in 0..digits {
                let _ = write!(text, "{:x}", random.below(16));
            }
        }
        6 => {
            let joint = random.pick(&[":", "-"]);
            let pairs = if random.below(3) == 0 { random.below(16) } else { 6 };
            for number in 0..pairs {
                let _ = write!(text, "{}{:02x}", if number == 0 { "" } else { joint }, random.below(256));
            }
        }
        7 => text.push_str(random.pick(&["user@evil.com", "A.b+c@good.org", "x=y@evil.com", "a@b@c.de", "b@1.2.3.4"])),
        8 => text.push_str(random.pick(&[
            "http://evil.com/a",
            "https://User:pw@evil.com:8443/a/../b?c=d#e",
            "http://1.2.3.4:8080/x",
            "http://[2001:db8::1]/y",
            "http://localhost/z",
            "http%3A%2F%2Fevil.com%2Fa",
            "http:\\/\\/evil.com\\/a",
            "evil.com/a",
            "1.2.3.4/a",
            "evil.com:8080/",
        ])),
        9 => text.push_str(random.pick(&[
            "1.2.3.4.5",
            "10.0.0.1-10.0.0.9",
            "10.0.0.1_10.0.0.2",
            "10.0.0.1.443",
            "aabb.ccdd.eeff",
            "1.2.3.4-1",
            ".1.3.6.1",
        ])),
        _ => {
            for _ in 0..random.below(12) {
                text.push(random.pick(&["a", "B", "c", "0", "7", "f", "z", "-", "_"]).chars().next().unwrap_or('a'));
            }
        }
    }
    if random.below(6) == 0 {
        text = text.to_uppercase();
    }
    out.push_str(&text);
}

/// Appends a line without newline, sometimes with bytes that are no UTF-8.
pub(crate) fn line(random: &mut Random, out: &mut Vec<u8>) {
    if random.below(4) == 0 {
        out.extend_from_slice(random.pick(&["{\"a\":\"", "[", " {"]).as_bytes());
    }
    // Long lines hold every sort of thing; in short ones no other escape hides what one piece does.
    let most = if random.below(2) == 0 { 5 } else { 14 };
    for _ in 0..random.below(most) {
        let mut piece = String::new();
        if random.below(2) == 0 {
            piece.push_str(GLUE[random.below(GLUE.len())]);
        } else {
            value(random, &mut piece);
        }
        out.extend_from_slice(piece.as_bytes());
        if random.below(60) == 0 {
            out.push(0x80 + random.below(0x80) as u8);
        }
    }
    out.retain(|byte| *byte != b'\n');
}
