//! `stockade compile`: the file stands for its sources in every command, whatever came in which order.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    let Output { status, stdout, stderr } =
        command.args(args).current_dir(dir).stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code().unwrap_or(-1), text(&stdout), text(&stderr))
}

/// An indicator as JSON; `more` are further properties.
fn indicator(number: u32, pattern: &str, more: &str) -> String {
    format!(
        r#"{{"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-{number:012}", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z", "pattern_type": "stix", "pattern": {}{more}}}"#,
        serde_json::Value::from(pattern)
    )
}

fn bundle(objects: &[String]) -> String {
    format!(
        r#"{{"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": [{}]}}"#,
        objects.join(", ")
    )
}

/// Everything that an indicator may be.
fn objects() -> Vec<String> {
    let sha256 = "0123456789abcdef".repeat(4);
    [
        (1, "[ipv4-addr:value = '203.0.113.9']".to_owned(), r#", "confidence": 85, "name": "one", "labels": ["c2"]"#),
        (2, "[ipv4-addr:value = '203.0.113.0/24']".to_owned(), r#", "confidence": 10, "indicator_types": ["benign"]"#),
        (3, "[ipv4-addr:value = '203.0.0.0/16']".to_owned(), r#", "labels": ["scanner", "c2"]"#),
        (4, "[domain-name:value = 'Evil.Example']".to_owned(), r#", "name": "four", "valid_until": "2026-02-01T00:00:00Z""#),
        (5, "[domain-name:value = 'evil.example'] ".to_owned(), ""),
        (6, "[url:value = 'http://bad.example/a']".to_owned(), r#", "valid_until": "2099-01-01T00:00:00.5Z""#),
        (7, "[url:value = 'http://host.example/']".to_owned(), ""),
        (8, format!("[file:hashes.'SHA-256' = '{sha256}']"), r#", "confidence": 100"#),
        (9, format!("[file:hashes.'SHA-256' = '{sha256}' AND file:name = 'evil.exe']"), ""),
        (10, "[file:name = 'dropper-7.dll']".to_owned(), ""),
        (11, "[domain-name:value LIKE '%.bad.example']".to_owned(), ""),
        (12, "[domain-name:value MATCHES '^c2-[0-9]+\\\\.example$']".to_owned(), ""),
        (13, "[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [domain-name:value = 'second.example']".to_owned(), ""),
        (14, "[ipv6-addr:value = '2001:db8::1' OR ipv6-addr:value = '2001:db8:1::/48']".to_owned(), ""),
        (15, "[email-addr:value = 'a@mail.example']".to_owned(), ""),
        (16, "[network-traffic:dst_ref.value = '198.51.100.7']".to_owned(), ""),
        (17, "[mac-addr:value = 'aa:bb:cc:dd:ee:ff']".to_owned(), ""),
        (18, "[ipv4-addr:value = '203.0.113.9']".to_owned(), r#", "revoked": true"#),
        (19, "[x509-certificate:hashes.'SHA-1' = '0123456789012345678901234567890123456789']".to_owned(), ""),
        (20, "[ipv4-addr:value != '10.0.0.1']".to_owned(), ""),
        (21, "[domain-name:value = 'future.example'] START t'2027-01-01T00:00:00Z' STOP t'2028-01-01T00:00:00Z'".to_owned(), ""),
    ]
    .into_iter()
    .map(|(number, pattern, more)| indicator(number, &pattern, more))
    .chain([format!(
        r#"{{"type": "indicator", "id": "indicator--odd", "modified": "2026-03-01T10:00:00.123456Z", "pattern": "{}", "object_marking_refs": ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]}}"#,
        "[domain-name:value = 'odd.example']"
    )])
    .collect()
}

const LIST: &str = "203.0.113.9\n198.51.100.0/24\nevil.example\nhttp://bad.example/a\nhost.example/p\n2001:db8::/32\n\
    d41d8cd98f00b204e9800998ecf8427e\nuser@mail.example\n";

/// A directory with a bundle, a list, logs, and the index of both.
fn place() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let put = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
    put("bundle.json", &bundle(&objects()));
    put("list.txt", LIST);
    let values = "203.0.113.9 203.0.113.77 203.0.9.9 198.51.100.7 evil.example www.evil.example x.bad.example \
        c2-17.example http://bad.example/a http://host.example/ host.example/p odd.example future.example 192.0.2.1 \
        second.example 2001:db8::1 2001:db8:1::5 a@mail.example user@mail.example aa:bb:cc:dd:ee:ff dropper-7.dll \
        d41d8cd98f00b204e9800998ecf8427e";
    let mut log = format!("2026-05-01T10:00:00Z all {values} {}\n", "0123456789abcdef".repeat(4));
    for (second, value) in values.split(' ').enumerate() {
        let _ = writeln!(log, "2026-05-01T10:00:{second:02}Z host app: seen {value} here");
        let _ = writeln!(
            log,
            r#"{{"ts":"2026-05-01T10:01:{second:02}Z","dst_ip":"{value}","query":"{value}","url":"{value}"}}"#
        );
    }
    put("all.log", &log);
    let (code, _, err) = run(dir.path(), &["compile", "-i", "bundle.json", "-i", "list.txt", "-o", "all.sdx"]);
    assert_eq!(code, 0, "{err}");
    dir
}

const SOURCES: &[&str] = &["-i", "bundle.json", "-i", "list.txt"];
const INDEX: &[&str] = &["-i", "all.sdx"];

/// Both give the same rows, code and complaints.
fn same(dir: &Path, args: &[&str]) -> String {
    let [expected, found] = [SOURCES, INDEX].map(|sources| run(dir, &[args, sources].concat()));
    assert_eq!(found, expected, "{args:?}");
    found.1
}

#[test]
fn every_line_is_matched_as_by_the_sources() {
    let dir = place();
    let filters: &[&[&str]] = &[
        &[],
        &["--at", "2026-01-15T00:00:00Z"],
        &["--at", "2025-01-15T00:00:00Z"],
        &["--at", "2027-06-01T00:00:00Z"],
        &["--include-expired"],
        &["--min-confidence", "50"],
        &["--label", "c2"],
        &["--label", "C2", "--label", "x"],
        &["--type", "benign"],
        &["--tlp", "green"],
        &["--subdomains"],
        &["--fields-only"],
        &["--refang", "--subdomains"],
    ];
    for filter in filters {
        let args = [&["match", "--json", "all.log"], *filter].concat();
        let rows = same(dir.path(), &args);
        assert_ne!(rows.lines().count(), 0, "{filter:?}");
        same(dir.path(), &[&["match", "--log-format", "text", "all.log"], *filter].concat());
    }
    let rows = same(dir.path(), &["match", "--json", "all.log"]);
    // Nested prefixes, several indicators for one value.
    assert!(
        rows.lines().filter(|row| row.contains(r#""line":1,"#) && row.contains(r#""value":"203.0.113.9""#)).count()
            >= 4
    );
}

#[test]
fn why_says_the_same_but_of_what_is_no_longer_there() {
    let dir = place();
    for value in [
        "203.0.113.77",
        "203.0.113.0/25",
        "evil.example",
        "a.evil.example",
        "http://bad.example/a",
        "host.example",
        "x.bad.example",
        "c2-1.example",
        "odd.example",
        "future.example",
        "2001:db8::1",
        "a@mail.example",
        "dropper-7.dll",
        "d41d8cd98f00b204e9800998ecf8427e",
        "192.0.2.1",
        "nobody.example",
    ] {
        same(dir.path(), &["why", value]);
        same(dir.path(), &["why", "--json", "--at", "2026-01-15T00:00:00Z", value]);
    }
    // A withdrawn indicator is gone.
    let rows = |sources: &[&str]| run(dir.path(), &[&["why", "--json", "203.0.113.9"], sources].concat()).1;
    let withdrawn = |rows: &str| rows.lines().filter(|row| row.contains("revoked")).count();
    assert_eq!((withdrawn(&rows(SOURCES)), withdrawn(&rows(INDEX))), (1, 0));
    let others = |rows: &str| -> Vec<serde_json::Value> {
        let rows = rows.lines().filter(|row| !row.contains("revoked"));
        let mut rows: Vec<serde_json::Value> = rows.map(|row| serde_json::from_str(row).expect("JSON")).collect();
        // What holds a value back is told of all who list it, and one who lists it no more is among them.
        for row in &mut rows {
            row["held_back"] = serde_json::Value::Null;
        }
        rows
    };
    assert_eq!(others(&rows(SOURCES)), others(&rows(INDEX)));
}

/// Without what tells when it was written.
fn undated(text: &str) -> String {
    let dated = |line: &&str| !line.contains("built=") && !line.contains("SOA") && !line.contains("created");
    text.lines().filter(dated).collect::<Vec<_>>().join("\n")
}

#[test]
fn blocklists_of_every_format_are_the_same() {
    let dir = place();
    let (_, formats, _) = run(dir.path(), &["formats"]);
    let names: Vec<&str> = formats.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let mut written = 0;
    for name in
        names.iter().filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
    {
        for more in [&[][..], &["--min-confidence", "50"], &["--at", "2026-01-15T00:00:00Z"]] {
            let [expected, found] = [SOURCES, INDEX].map(|sources| {
                let (code, out, _) =
                    run(dir.path(), &[&["block", "-f", name, "--kinds", "domain"], more, sources].concat());
                (code, undated(&out))
            });
            assert_eq!(found, expected, "{name} {more:?}");
            let [expected, found] = [SOURCES, INDEX].map(|sources| {
                let (code, out, _) = run(dir.path(), &[&["block", "-f", name], more, sources].concat());
                (code, undated(&out))
            });
            assert_eq!(found, expected, "{name} {more:?}");
            written += usize::from(expected.0 == 0);
        }
    }
    assert!(written > 20, "{written} lists of {names:?}");
}

#[test]
fn patterns_are_evaluated_as_those_of_the_sources() {
    let dir = place();
    let observed = r#"{"type": "observed-data", "id": "observed-data--00000000-0000-4000-8000-000000000001", "first_observed": "2026-05-01T00:00:00Z", "last_observed": "2026-05-01T00:00:00Z", "number_observed": 1, "objects": {"0": {"type": "ipv4-addr", "value": "203.0.113.9"}, "1": {"type": "domain-name", "value": "evil.example"}, "2": {"type": "file", "name": "evil.exe", "hashes": {"SHA-256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}, "3": {"type": "network-traffic", "dst_ref": "0"}}}"#;
    fs::write(dir.path().join("observed.json"), observed).expect("written");
    let rows = |sources: &[&str]| {
        let (code, out, _) = run(dir.path(), &[&["eval", "--json", "observed.json"], sources].concat());
        let mut rows: Vec<String> = out.lines().map(str::to_owned).collect();
        rows.sort();
        (code, rows)
    };
    let found = rows(INDEX);
    assert_eq!(found, rows(SOURCES));
    assert!(found.1.len() > 5, "{found:?}");
}

#[test]
fn the_same_indicators_give_the_same_bytes_in_any_order() {
    let dir = place();
    let first = fs::read(dir.path().join("all.sdx")).expect("written");
    let mut objects = objects();
    for turn in 1..5 {
        objects.rotate_left(turn * 3 + 1);
        objects.swap(0, turn);
        // Told twice, it is the same.
        let twice = [&objects[..], &objects[..turn]].concat();
        fs::write(dir.path().join("bundle.json"), bundle(&twice)).expect("written");
        let list: Vec<&str> = LIST.lines().rev().collect();
        fs::write(dir.path().join("list.txt"), list.join("\n")).expect("written");
        let (code, _, err) = run(dir.path(), &["compile", "-i", "list.txt", "-i", "bundle.json", "-o", "again.sdx"]);
        assert_eq!(code, 0, "{err}");
        assert!(fs::read(dir.path().join("again.sdx")).expect("written") == first, "turn {turn}");
    }
}

#[test]
fn an_index_goes_together_with_other_sources_and_the_newest_version_counts() {
    let dir = place();
    let put = |name: &str, objects: &[String]| fs::write(dir.path().join(name), bundle(objects)).expect("written");
    let newer = |text: &str| text.replace(r#""modified": "2026-01-01"#, r#""modified": "2026-04-01"#);
    let older = |text: &str| text.replace(r#""modified": "2026-01-01"#, r#""modified": "2025-12-01"#);
    // One takes the place of what the index holds, one is older than it, and one is older than a withdrawal in it.
    put(
        "more.json",
        &[
            newer(&indicator(5, "[domain-name:value = 'moved.example']", "")),
            older(&indicator(6, "[url:value = 'http://old.example/a']", "")),
            older(&indicator(18, "[domain-name:value = 'withdrawn.example']", "")),
            indicator(30, "[domain-name:value = 'fresh.example']", ""),
        ],
    );
    fs::write(dir.path().join("b.log"), "evil.example moved.example http://old.example/a http://bad.example/a withdrawn.example fresh.example 203.0.113.9\n")
        .expect("written");
    let expected = run(dir.path(), &[&["match", "--json", "b.log", "-i", "more.json"], SOURCES].concat());
    assert!(!expected.1.contains("withdrawn.example") && expected.1.contains("moved.example"), "{}", expected.1);
    for sources in [["-i", "all.sdx", "-i", "more.json"], ["-i", "more.json", "-i", "all.sdx"]] {
        let found = run(dir.path(), &[&["match", "--json", "b.log"], &sources[..]].concat());
        assert_eq!(found, expected, "{sources:?}");
        // Compiled again, and from a compiled half.
        let (code, _, err) = run(dir.path(), &[&["compile", "-o", "merged.sdx"], &sources[..]].concat());
        assert_eq!(code, 0, "{err}");
        assert_eq!(run(dir.path(), &["match", "--json", "b.log", "-i", "merged.sdx"]), expected);
    }
    let (code, _, err) = run(dir.path(), &[&["compile", "-o", "direct.sdx", "-i", "more.json"], SOURCES].concat());
    assert_eq!(code, 0, "{err}");
    let bytes = |name: &str| fs::read(dir.path().join(name)).expect("written");
    assert!(bytes("merged.sdx") == bytes("direct.sdx"), "a merged index is that of all sources");
    // In a folder, through a pipe, compressed.
    fs::create_dir(dir.path().join("folder")).expect("made");
    fs::copy(dir.path().join("all.sdx"), dir.path().join("folder/a.sdx")).expect("copied");
    fs::copy(dir.path().join("more.json"), dir.path().join("folder/b.json")).expect("copied");
    assert_eq!(run(dir.path(), &["match", "--json", "b.log", "-i", "folder"]), expected);
    let packed = zstd::encode_all(&bytes("merged.sdx")[..], 1).expect("compressed");
    fs::write(dir.path().join("merged.zst"), packed).expect("written");
    assert_eq!(run(dir.path(), &["match", "--json", "b.log", "-i", "merged.zst"]), expected);
}

#[test]
fn a_file_is_replaced_as_a_whole_or_left_as_it_is() {
    let dir = place();
    let path = dir.path().join("all.sdx");
    let before = fs::metadata(&path).expect("it is there").modified().expect("a time");
    let (code, _, err) = run(dir.path(), &["compile", "-i", "bundle.json", "-i", "list.txt", "-o", "all.sdx"]);
    assert_eq!(code, 0);
    assert!(err.contains("nothing changed"), "{err}");
    assert_eq!(fs::metadata(&path).expect("it is there").modified().expect("a time"), before);
    fs::write(dir.path().join("empty.txt"), "# nothing\n").expect("written");
    let content = fs::read(&path).expect("it is there");
    for (args, words) in [
        (&["-i", "empty.txt"][..], "there is no indicator"),
        (&["-i", "missing.txt"], "missing.txt"),
        (&["-i", "list.txt", "--min-confidence", "5"], "--min-confidence is for those who use the index"),
        (&["-i", "list.txt", "--at", "2026-01-01T00:00:00Z"], "--at is for those who use the index"),
        (&["-i", "all.sdx", "--strict"], "its patterns are read with repairs"),
    ] {
        let (code, _, err) = run(dir.path(), &[&["compile", "-o", "all.sdx"], args].concat());
        assert_eq!(code, 2, "{args:?}");
        assert!(err.contains(words), "{args:?}: {err}");
        assert!(fs::read(&path).expect("it is there") == content, "{args:?}");
    }
    let names: Vec<_> = fs::read_dir(dir.path()).expect("readable").map(|e| e.expect("readable").file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("tmp")), "{names:?}");
}

#[test]
fn generations_tell_two_indexes_apart_and_are_those_of_the_sources() {
    let dir = place();
    let generation = |args: &[&str]| {
        let (_, out, _) = run(dir.path(), &[&["match", "--json", "all.log", "-m", "1"], args].concat());
        let row: serde_json::Value = serde_json::from_str(out.lines().next().expect("a hit")).expect("JSON");
        row["generation"].as_str().expect("a text").to_owned()
    };
    let first = generation(INDEX);
    assert_eq!(first, generation(SOURCES));
    let (code, _, _) = run(dir.path(), &["compile", "-i", "list.txt", "-o", "all.sdx"]);
    assert_eq!(code, 0);
    let second = generation(INDEX);
    assert_ne!(first, second);
    assert_eq!(second, generation(&["-i", "list.txt"]));
}

#[test]
fn a_damaged_index_is_an_error_that_says_so() {
    let dir = place();
    let path = dir.path().join("all.sdx");
    assert_eq!(run(dir.path(), &["compile", "--verify", "all.sdx"]).0, 0);
    let mut bytes = fs::read(&path).expect("it is there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).expect("written");
    for args in [
        &["compile", "--verify", "all.sdx"][..],
        &["match", "-i", "all.sdx", "all.log"],
        &["why", "-i", "all.sdx", "evil.example"],
        &["block", "-f", "hosts", "-i", "all.sdx"],
        &["match", "-i", "all.sdx", "-i", "list.txt", "all.log"],
    ] {
        let (code, out, err) = run(dir.path(), args);
        assert_eq!((code, &*out), (2, ""), "{args:?}: {err}");
        assert!(err.contains("all.sdx: the compiled index is damaged"), "{args:?}: {err}");
    }
    // Compiling repairs it.
    let (code, _, err) = run(dir.path(), &["compile", "-i", "bundle.json", "-i", "list.txt", "-o", "all.sdx"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(run(dir.path(), &["compile", "--verify", "all.sdx"]).0, 0);
    let (code, _, err) = run(dir.path(), &["compile", "--verify", "list.txt"]);
    assert_eq!(code, 2);
    assert!(err.contains("list.txt: not a compiled index"), "{err}");
}

/// A file of more than 4 MB is not read as a whole when it is opened.
#[test]
fn damage_deep_in_a_large_index_is_found_while_it_is_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let names: Vec<String> = (0..90_000).map(|number| format!("a-rather-long-host-name-{number}.example")).collect();
    fs::write(dir.path().join("list.txt"), names.join("\n")).expect("the list");
    assert_eq!(run(dir.path(), &["compile", "-i", "list.txt", "-o", "large.sdx"]).0, 0);
    let path = dir.path().join("large.sdx");
    let mut bytes = fs::read(&path).expect("the index");
    assert!(bytes.len() > 5 << 20, "{}", bytes.len());
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("the damaged index");

    let (code, out, err) = run(dir.path(), &["why", "-i", "large.sdx", "a.example"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("large.sdx: the compiled index is damaged: a checksum is wrong; compile it again"), "{err}");

    // A search that goes on until the damage is known.
    let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .current_dir(&dir)
        .args(["match", "-i", "large.sdx"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut told = BufReader::new(child.stderr.take().expect("its standard error"));
    let mut line = String::new();
    told.read_line(&mut line).expect("it is text");
    assert!(line.contains("large.sdx: the compiled index is damaged"), "{line}");
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(2));
}

#[test]
fn an_index_is_for_one_way_of_reading_patterns() {
    let dir = place();
    let (code, _, err) = run(dir.path(), &["match", "--strict", "-i", "all.sdx", "all.log"]);
    assert_eq!(code, 2);
    assert!(err.contains("was compiled without --strict"), "{err}");
    assert_eq!(run(dir.path(), &["compile", "--strict", "-i", "bundle.json", "-o", "strict.sdx"]).0, 0);
    let (code, _, err) = run(dir.path(), &["match", "-i", "strict.sdx", "all.log"]);
    assert_eq!(code, 2);
    assert!(err.contains("was compiled with --strict"), "{err}");
    let rows = |source: &str| run(dir.path(), &["match", "--strict", "--json", "-i", source, "all.log"]);
    assert_eq!(rows("strict.sdx"), rows("bundle.json"));
}
