//! What holds for every log format: it is told by its lines, nothing of a line is lost, places are places of the line.

mod log_support;

use log_support::{SAMPLES, Sample, decoded, in_fields, in_text, layouts, matcher};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use stockade::log::{Choice, Clock, Layout, Tracker, Zone, formats};
use stockade::matcher::Matcher;
use stockade::observable::text::{self, Options};
use stockade::observable::{Value, classify};
use stockade::stix::Timestamp;

#[test]
fn each_format_is_told_by_its_lines() {
    for Sample { format, header, lines } in SAMPLES {
        let block = format!("{header}{}\n", lines.join("\n"));
        for block in [block.clone(), block.replace('\n', "\r\n").replace("\r\r", "\r")] {
            let layout = Layout::of(&Choice::default(), block.as_bytes());
            assert_eq!(layout.format.name, *format, "{block}");
        }
    }
}

#[test]
fn lines_that_speak_for_themselves_are_read_among_others() {
    for Sample { format, header, lines } in SAMPLES.iter().filter(|sample| sample.header.is_empty()) {
        for line in lines.iter().filter(|_| *format != "text") {
            let block = format!("{header}nothing but text\n{line}\n");
            let fields = decoded(None, block.as_bytes(), |event, result| {
                assert_eq!(result, Ok(()), "{line}");
                event.fields.len()
            });
            assert!(fields > 1, "{line}");
        }
    }
}

#[test]
fn text_stays_text() {
    for line in [
        "Jan 31 10:05:03 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=192.0.2.1 ",
        "Jan 31 10:05:03 LabSZ sshd[24200]: Failed password for invalid user webmaster from 192.0.2.1 port 38926 ssh2",
        "<34>1 2026-01-31T10:05:03Z mymachine.example su - ID47 - 'su root' failed for lonvick on /dev/pts/8",
        "[Sun Jan 31 04:47:44 2026] [error] [client 192.0.2.1] File does not exist: /var/www/x=y, referer: http://a.example/",
        "2026/01/31 10:05:03 [error] 7#7: *1 connect() failed, client: 192.0.2.1, server: a.example, request: \"GET /?a=b HTTP/1.1\", host: \"a.example\"",
        "Jan 31 10:05:03 host postfix/smtp[7]: 3FA: to=<m@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=1.2, status=sent (250 ok)",
        "Jan 31 10:05:03 host kernel: [    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet",
        "Jan 31 10:05:03 host kernel: e1000: eth0 NIC Link is Up 1000 Mbps, x=1 y=2 z=3",
        "If x = 1 and y=2 then z=3, said 192.0.2.1",
        "GET /?a=1&b=2&c=3 HTTP/1.1",
        "Hello, dear reader, of prose, with commas",
        "2016-09-28 04:30:30, Info                  CBS    Loaded Servicing Stack v6.1.7601.23505",
        "081109 203518 143 INFO dfs.DataNode$DataXceiver: Receiving block blk_-1608999687919862906 src: /192.0.2.1:54106 dest: /192.0.2.2:50010",
        "%ASA-6-302013: Built outbound TCP connection 1 for outside:192.0.2.1/443 (192.0.2.1/443) to inside:10.0.0.1/5",
        "- 1131567331 2005.11.09 cn918 Nov 9 12:15:31 cn918/cn918 ntpd[29960]: synchronized to 192.0.2.1, stratum 3",
        "# a comment",
        "-----BEGIN CERTIFICATE-----",
        "",
    ] {
        let block = format!("{line}\n{line}\n");
        let layout = Layout::of(&Choice::default(), block.as_bytes());
        let fields = decoded(None, block.as_bytes(), |event, result| {
            assert_eq!(result, Ok(()), "{line}");
            event.fields.len()
        });
        assert_eq!(fields, 0, "{} reads {line}", layout.format.name);
    }
}

/// Values that are put into lines.
const PLANTS: [&str; 5] = [
    "203.0.113.77",
    "planted.example",
    "http://planted.example/p",
    "p@planted.example",
    "0123456789abcdef0123456789abcdef",
];

#[test]
fn what_plain_text_holds_is_found_in_fields() {
    let mut lost = BTreeSet::new();
    let plants: Vec<Value> = PLANTS.iter().map(|plant| classify(plant).expect(plant)).collect();
    let planting = matcher(&plants);
    for Sample { format, header, lines } in SAMPLES {
        for line in *lines {
            let tokens = text::tokens(line.as_bytes(), Options::default());
            // Readings of text that go across what separates fields are none of a line with fields.
            let across = |value: &Value| {
                value.to_string().contains([',', ';', '^'])
                    || ["suser=", "03.003z"].iter().any(|odd| value.to_string().starts_with(odd))
            };
            let listed: Vec<Value> =
                tokens.into_iter().map(|token| token.value).filter(|value| !across(value)).collect();
            compare(&matcher(&listed), format, header, line, &mut lost);
            // In the place of every word, and of everything between blanks and quotes.
            for separators in [" \t\"=|,;:^/[]{}()<>\\", " \t\"="] {
                let mut start = 0;
                for word in line.split(|letter| separators.contains(letter)) {
                    let end = start + word.len();
                    // What stands behind a URL may belong to it.
                    let continued = line[end..].starts_with([':', ';', '\\']);
                    for plant in PLANTS.iter().filter(|plant| !(word.is_empty() || continued && plant.contains("://")))
                    {
                        let planted = format!("{}{plant}{}", &line[..start], &line[end..]);
                        compare(&planting, format, header, &planted, &mut lost);
                    }
                    start = end + 1;
                }
            }
        }
    }
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.into_iter().take(20).collect::<Vec<_>>().join("\n"));
}

/// Notes what plain text search finds in a line and its format loses.
fn compare(matcher: &Matcher, format: &str, header: &str, line: &str, lost: &mut BTreeSet<String>) {
    let block = format!("{header}{line}\n");
    let layouts = layouts(Some(format), block.as_bytes());
    let found = in_fields(matcher, &layouts, block.as_bytes());
    for hit in in_text(matcher, block.as_bytes()) {
        let same = |other: &&stockade::matcher::Hit| {
            other.line_start == hit.line_start
                && other.entry == hit.entry
                && other.span.start < hit.span.end
                && hit.span.start < other.span.end
        };
        if found.iter().find(same).is_none() {
            lost.insert(format!("{format}: {} at {:?} of {line}", hit.value, hit.span));
        }
    }
}

#[test]
fn a_table_may_begin_behind_something_else() {
    for (before, table, name) in [
        (
            "#Software: Microsoft Internet Information Services 10.0\n",
            "#Fields: c-ip cs-method\n192.0.2.1 GET\n",
            "c-ip",
        ),
        ("{\"a\":1}\n# a comment\nplain\n", "#separator \\x09\n#fields\tid.orig_h\tx\n192.0.2.1\ty\n", "id.orig_h"),
    ] {
        // In one block, and in one block for each line.
        for blocks in
            [vec![format!("{before}{table}")], format!("{before}{table}").lines().map(|l| format!("{l}\n")).collect()]
        {
            let mut tracker = Tracker::new(Arc::new(Choice::default()));
            let mut names = Vec::new();
            for block in &blocks {
                let layouts = tracker.next(block.as_bytes());
                let (part, layout) = layouts.parts(block.len()).last().expect("a part");
                let line = block[part].lines().last().unwrap_or_default().to_owned();
                let mut event = stockade::log::Event::new(line.as_bytes());
                // A comment is no line of JSON.
                let _ = layout.decode(&mut event);
                names = event.fields.iter().map(|field| field.name.to_string()).collect();
            }
            assert_eq!(names.first().map(String::as_str), Some(name), "{blocks:?}");
        }
    }
}

#[test]
fn every_format_says_when() {
    let clock = Clock::new(Timestamp::parse("2026-03-01T00:00:00Z").expect("an instant"));
    for Sample { format, header, lines } in SAMPLES.iter().filter(|sample| !["json", "text"].contains(&sample.format)) {
        for line in *lines {
            let block = format!("{header}{line}\n");
            decoded(Some(format), block.as_bytes(), |event, _| {
                let at = event.when.as_deref().map(|when| clock.instant(when, &Zone::UTC).map(|at| at.to_string()));
                let Some(at) = at else { return };
                let at = at.unwrap_or_else(|| panic!("no time in {:?} of {line}", event.when));
                let expected = ["2026-01-31T10:05:03", "2026-01-31T09:05:03"];
                assert!(expected.iter().any(|expected| at.starts_with(expected)), "{at} of {line}");
            });
        }
    }
}

#[test]
fn results_do_not_depend_on_blocks() {
    let text = "#separator \\x09\n#path\tconn\n#fields\tid.orig_h\tid.resp_h\n192.0.2.1\t192.0.2.2\n\
        #close\tx\n#separator \\x09\n#path\tdns\n#fields\tquery\tanswers\tid.orig_h\n#types\tstring\tset[string]\taddr\n\
        a.example\t192.0.2.3,b.example\t192.0.2.1\nbroken\n192.0.2.4\n";
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let read = |size: usize| {
        let mut tracker = Tracker::new(Arc::new(Choice::default()));
        let mut found = Vec::new();
        for block in lines.chunks(size) {
            let block = block.concat();
            let layouts = tracker.next(block.as_bytes());
            for (part, layout) in layouts.parts(block.len()) {
                for line in block[part].lines() {
                    let mut event = stockade::log::Event::new(line.as_bytes());
                    let result = layout.decode(&mut event);
                    let fields: Vec<_> =
                        event.fields.iter().map(|field| (field.name.to_string(), field.span.clone())).collect();
                    found.push((line.to_owned(), result, fields));
                }
            }
        }
        found
    };
    let whole = read(lines.len());
    assert_eq!(whole[9].2.len(), 4);
    // A first block must hold the line that tells the format.
    for size in 1..lines.len() {
        assert_eq!(read(size), whole, "{size}");
    }
}

#[test]
fn real_logs_are_told() {
    let data = std::env::var_os("STOCKADE_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let mut seen = 0;
    for (name, format) in [
        ("apache-access.log", "access"),
        ("loghub-Apache_2k.log", "text"),
        ("loghub-Linux_2k.log", "text"),
        ("loghub-Mac_2k.log", "text"),
        ("loghub-OpenSSH_2k.log", "text"),
        ("loghub-Proxifier_2k.log", "text"),
        ("loghub-Windows_2k.log", "text"),
        ("nginx-plus.jsonl", "json"),
        ("zeek/conn3.log", "zeek"),
        ("zeek/1-http.log", "zeek"),
        ("zeek/11-smtp.log", "zeek"),
        ("zeek/sip.log", "zeek"),
    ] {
        let Ok(text) = std::fs::read(data.join("logs").join(name)) else { continue };
        seen += 1;
        let layouts = layouts(None, &text);
        for (part, layout) in layouts.parts(text.len()) {
            assert_eq!(layout.format.name, format, "{name}");
            for line in text[part].split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                let mut event = stockade::log::Event::new(line.strip_suffix(b"\r").unwrap_or(line));
                let result = layout.decode(&mut event);
                let shown = String::from_utf8_lossy(line);
                assert_eq!(result, Ok(()), "{name}: {shown}");
                if format == "text" {
                    assert!(event.fields.is_empty(), "{name}: {shown}");
                }
            }
        }
    }
    if seen == 0 {
        eprintln!("skipped: no real logs at {}", data.display());
    }
}

/// Lines made of pieces of lines, and of whatever disturbs them.
fn glued() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let samples: Vec<&'static str> = SAMPLES.iter().flat_map(|sample| sample.lines.iter().copied()).collect();
    let cut = (proptest::sample::select(samples), any::<(u16, u16)>()).prop_map(|(line, (a, b))| {
        let (a, b) = (usize::from(a) % (line.len() + 1), usize::from(b) % (line.len() + 1));
        line.as_bytes()[a.min(b)..a.max(b)].to_vec()
    });
    let piece = prop_oneof![
        3 => cut,
        2 => "[\\\\\"'=|,;: \\t\\[\\]{}<>^#%-]{0,4}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
        1 => "(a|ab\\.c|10\\.0\\.0\\.1|=|\\\\x41|\\\\u0041|%41)".prop_map(String::into_bytes),
    ];
    let line = proptest::collection::vec(piece, 0..8)
        .prop_map(|pieces| pieces.concat().into_iter().filter(|b| *b != b'\n').collect());
    (0..SAMPLES.len(), line)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn places_are_places_of_the_line((sample, line) in glued(), of_another in proptest::option::of(0_usize..32)) {
        let Sample { format, header, .. } = SAMPLES[sample];
        let format = of_another.map_or(Some(format), |number| formats().nth(number).map(|format| format.name));
        let block = [header.as_bytes(), &line, b"\n"].concat();
        decoded(format, &block, |event, result| {
            prop_assert!(result.is_ok() || event.fields.is_empty());
            for field in &event.fields {
                prop_assert!(field.span.start < field.span.end && field.span.end <= event.line.len(), "{field:?}");
                if field.assembled {
                    continue;
                }
                prop_assert_eq!(field.place(0..field.text.len()), field.span.clone());
                if field.joints.is_empty() {
                    prop_assert_eq!(&*field.text, &event.line[field.span.clone()]);
                }
            }
            Ok(())
        })?;
    }
}
