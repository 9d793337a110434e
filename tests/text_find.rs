//! The finder misses nothing that the tokenizer finds: on glued random pieces, at every alignment, and on real logs.

mod reference;

use reference::generate::{Random, line};
use std::path::PathBuf;
use stockade::observable::text::find::{Candidates, Wanted, find};
use stockade::observable::text::{Options, Token, tokens};
use stockade::observable::{Kind, Value};

/// Says which tokens of a block's lines the finder did not announce.
fn missed(block: &[u8], wanted: Wanted, options: Options) -> Vec<String> {
    let mut found = Candidates::default();
    find(block, wanted, &mut found);
    let mut missed = Vec::new();
    let mut start = 0;
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        let range = start..start + line.len();
        start = range.end;
        if found.odd.iter().any(|at| range.contains(&(*at as usize))) {
            continue;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        for token in tokens(text, options) {
            if is_wanted(&token, wanted) && !announced(&token, text, range.start, &found) {
                missed.push(format!("{token:?} in {:?}", String::from_utf8_lossy(text)));
            }
        }
    }
    missed
}

fn is_wanted(token: &Token, wanted: Wanted) -> bool {
    match token.value.kind() {
        Kind::Ipv4 => wanted.ipv4,
        Kind::Ipv6 => wanted.ipv6,
        Kind::Domain => wanted.names,
        Kind::Url => wanted.urls && wanted.names && wanted.ipv4,
        Kind::Email => wanted.mails,
        Kind::Mac => wanted.macs,
        _ => wanted.hashes,
    }
}

fn announced(token: &Token, line: &[u8], base: usize, found: &Candidates) -> bool {
    let (start, end) = ((base + token.span.start) as u32, (base + token.span.end) as u32);
    match &token.value {
        Value::Ipv4(address, _) => {
            found.ipv4.iter().any(|at| (at.start, at.end, at.address) == (start, end, u32::from(*address)))
        }
        Value::Ipv6(address, _) => {
            found.ipv6.iter().any(|at| (at.start, at.end, at.address) == (start, end, u128::from(*address)))
        }
        Value::Text(Kind::Domain, _) => found.names.iter().any(|at| (at.start, at.end) == (start, end)),
        Value::Text(Kind::Email, _) => {
            found.mails.iter().any(|mail| start < mail.at && mail.at < end && mail.end == end)
        }
        Value::Text(Kind::Mac, _) => found.macs.iter().any(|at| (at.start, at.end) == (start, end)),
        Value::Text(Kind::Url, text) if !text.starts_with("//") => {
            let colon = line[token.span.clone()].windows(3).position(|three| three == b"://");
            colon
                .is_some_and(|colon| found.urls.iter().any(|url| url.colon as usize == base + token.span.start + colon))
        }
        Value::Text(Kind::Url, _) => {
            found.names.iter().any(|at| at.start == start) || found.ipv4.iter().any(|at| at.start == start)
        }
        Value::Text(..) => found.hashes.iter().any(|at| (at.start, at.end) == (start, end)),
    }
}

fn assert_none(missed: &[String]) {
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed[..missed.len().min(20)].join("\n"));
}

#[test]
fn nothing_is_missed_in_random_text() {
    let mut random = Random::new(1);
    for round in 0..300 {
        let mut block = Vec::new();
        for _ in 0..random.below(60) {
            line(&mut random, &mut block);
            block.push(b'\n');
        }
        if round % 3 == 0 {
            block.pop();
        }
        let wanted = Wanted { refang: round % 4 == 0, ..Wanted::ALL };
        assert_none(&missed(&block, wanted, Options { refang: wanted.refang }));
    }
}

#[test]
fn nothing_is_missed_behind_a_colour() {
    let block = "\x1b[0m203.0.113.9\n\x1b[36mip=\x1b[0mevil.com\n\x1b[1;31mm@evil.com\n\x1b[m2001:db8::1\n\x1b[7mhttp://evil.com/a\n\x1b[32m0cc175b9c0f1b6a831c399e269772661\n";
    assert_none(&missed(block.as_bytes(), Wanted::ALL, Options::default()));
}

#[test]
fn nothing_is_missed_when_only_one_kind_is_wanted() {
    let mut random = Random::new(2);
    for round in 0..200 {
        let mut block = Vec::new();
        for _ in 0..40 {
            line(&mut random, &mut block);
            block.push(b'\n');
        }
        let mut wanted = Wanted::NONE;
        match round % 6 {
            0 => wanted.ipv4 = true,
            1 => wanted.ipv6 = true,
            2 => wanted.names = true,
            3 => wanted.hashes = true,
            4 => wanted.mails = true,
            _ => wanted.macs = true,
        }
        assert_none(&missed(&block, wanted, Options::default()));
    }
}

#[test]
fn nothing_is_missed_at_any_alignment() {
    let texts = [
        "203.0.113.9",
        "2001:db8:0:1:2:3:4:5",
        "fe80::1",
        "::ffff:1.2.3.4",
        "a-very-long-name-of-a-host.with.many.labels.evil.com",
        "http://evil.com/a?b=c",
        "user@evil.com",
        "aa:bb:cc:dd:ee:ff",
        "aa-bb-cc-dd-ee-ff",
        "aabb.ccdd.eeff",
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "10.0.0.1-10.0.0.9",
        "user%40evil.com",
        "bücher.example",
    ];
    for text in texts {
        for before in 0..140 {
            for (left, right) in [(" ", " "), ("=", ","), ("\"", "\""), ("", "")] {
                let block = format!("{}{left}{text}{right}\n", ".".repeat(before));
                assert_none(&missed(block.as_bytes(), Wanted::ALL, Options::default()));
                let block = format!("{}{left}{text}{right}", " ".repeat(before));
                assert_none(&missed(block.as_bytes(), Wanted::ALL, Options::default()));
            }
        }
    }
}

#[test]
fn nothing_is_missed_behind_escapes() {
    let values =
        ["evil.com", "203.0.113.9", "fe80::1", "d41d8cd98f00b204e9800998ecf8427e", "u@evil.com", "http://evil.com/a"];
    for value in values.into_iter().chain(["aa:bb:cc:dd:ee:ff", "aa-bb-cc-dd-ee-ff", "aabb.ccdd.eeff"]) {
        for escape in ["\\n", "\\t", "\\r", "\\b", "\\f", "\\\\n", "\\u003d", "\\x3d", "%20", "%2F", "%252F", "\\", "%"]
        {
            for before in ["{\"a\":\"", "[\"", "a ", ""] {
                let block = format!("{before}{escape}{value}\n");
                assert_none(&missed(block.as_bytes(), Wanted::ALL, Options::default()));
            }
        }
    }
}

#[test]
fn nothing_is_missed_in_random_bytes() {
    let mut random = Random::new(3);
    let alphabet = b"aAfFgZ019..::--__@@//%%\\\\  \n\"=,{[xXnu2\xc3\xa9\xe4\xb8\xad";
    for _ in 0..3000 {
        let block: Vec<u8> = (0..random.below(400)).map(|_| alphabet[random.below(alphabet.len())]).collect();
        assert_none(&missed(&block, Wanted::ALL, Options::default()));
    }
}

/// The folder with real data, if there is one.
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("STOCKADE_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data")), PathBuf::from);
    folder.join("logs").is_dir().then_some(folder)
}

#[test]
fn nothing_is_missed_in_real_logs() {
    let Some(data) = data() else {
        eprintln!("skipped: no real logs here");
        return;
    };
    let mut folders = vec![data.join("logs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut text = std::fs::read(&path).expect("readable");
            // Enough of each file for its shapes; the lines are much alike.
            text.truncate(300_000);
            for block in text.chunk_by(|a, _| *a != b'\n').collect::<Vec<_>>().chunks(200) {
                assert_none(&missed(&block.concat(), Wanted::ALL, Options::default()));
            }
        }
    }
}

#[test]
fn hostile_blocks_take_linear_time() {
    let mut found = Candidates::default();
    for piece in [
        "@",
        "%",
        "://",
        "a://",
        ".",
        ":",
        "a",
        "f",
        "0",
        "a.",
        "1.",
        "::",
        "a:",
        "aa:",
        "aa-",
        "1:",
        "a@",
        "a@a.b",
        "%25",
        "\\",
        "\\u0041",
        "a.b/",
        "1.2.3.4-",
        "é",
        "é.",
        "..",
        "[.]",
        "http://",
        "http://[",
        "x://aaaaaaa@",
        "1::",
        "aabb.ccdd.eeff.",
        "_",
        "-",
        "\u{0}",
        "0123456789abcdef0123456789abcdef.",
    ] {
        let mut block = piece.repeat((1 << 20) / piece.len());
        block.push('\n');
        find(block.as_bytes(), Wanted { refang: true, ..Wanted::ALL }, &mut found);
    }
}
