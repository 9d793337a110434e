//! `stockade fetch`, `sources` and `doctor` as scripts and monitoring use them, with feeds on disk and on a server of
//! our own.

mod fetch_server;

use fetch_server::{Answer, Server};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder with a configuration whose stores are beside it.
fn place(sources: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "stockade.toml", &format!("[store]\ndir = \"state\"\n{sources}"));
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap();
}

fn source(name: &str, kind: &str, url: &str, rest: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nkind = \"{kind}\"\nurl = \"{url}\"\n{rest}\n")
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    command.args(args).current_dir(dir).stdin(Stdio::null());
    for variable in
        ["STOCKADE_CONFIG", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(variable);
    }
    command
}

/// Exit code, standard output and standard error; times are made equal.
fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = command(dir, args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), timeless(&text(&output.stdout)), text(&output.stderr))
}

/// How long a poll took, if that is worth saying, is left out.
fn timeless(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once("; ") {
        Some((start, end)) if end.ends_with(" s") && !line.starts_with('{') => format!("{start}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn summary(dir: &Path, name: &str) -> Value {
    let (_, out, said) = run(dir, &["fetch", "--json", name]);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{said}"))
}

/// The patterns that a source is used with.
fn patterns(dir: &Path, name: &str) -> BTreeSet<String> {
    let (code, out, said) = run(dir, &["store", "export", name, "-f", "jsonl"]);
    assert_eq!(code, 0, "{said}");
    let pattern = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap();
        object["pattern"].as_str().map(str::to_owned)
    };
    out.lines().filter_map(pattern).collect()
}

fn domains(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("[domain-name:value = '{name}']")).collect()
}

#[test]
fn a_list_is_fetched_compared_and_used() {
    let dir = place(&source("mine", "list", "list.txt", ""));
    let dir = dir.path();
    write(dir, "list.txt", "# mine\nevil.example\n192.0.2.1\nnonsense\n");
    let said = "stockade: mine: 1 set aside: a domain needs a dot\nstockade:   list.txt:4:1: nonsense\n";
    assert_eq!(run(dir, &["fetch"]), (0, "mine: 2 new, 1 set aside; 2 indicators kept\n".to_owned(), said.to_owned()));
    assert_eq!(run(dir, &["fetch"]).1, "mine: 2 unchanged, 1 set aside; 2 indicators kept\n");
    write(dir, "list.txt", "evil.example\nworse.example\n");
    assert_eq!(run(dir, &["fetch"]).1, "mine: 1 new, 1 removed, 1 unchanged; 2 indicators kept\n");
    write(dir, "log", "to worse.example\nto 192.0.2.1\n");
    let (code, out, _) = run(dir, &["match", "-i", "mine", "-o", "--no-filename", "log"]);
    assert_eq!((code, out.contains("worse.example"), out.contains("192.0.2.1")), (0, true, false));
    // A value has one id, however it is read.
    let id = |args: &[&str]| {
        let (_, out, _) = run(dir, args);
        serde_json::from_str::<Value>(&out).unwrap()["indicator"]["id"].clone()
    };
    assert_eq!(id(&["match", "--json", "-i", "mine", "log"]), id(&["match", "--json", "-i", "./list.txt", "log"]));
}

#[test]
fn what_shrinks_too_much_is_refused() {
    let dir = place(&(source("mine", "list", "list.txt", "") + &source("loose", "list", "list.txt", "max_drop = 1.0")));
    let dir = dir.path();
    write(dir, "list.txt", "a.example\nb.example\nc.example\nd.example\n");
    assert_eq!(run(dir, &["fetch"]).0, 0);
    write(dir, "list.txt", "a.example\n");
    let (code, out, said) = run(dir, &["fetch"]);
    assert_eq!((code, out.as_str()), (2, "loose: 3 removed, 1 unchanged; 1 indicator kept\n"));
    assert_eq!(
        said,
        "stockade: mine: would shrink from 4 to 1 indicators, which is 75.0 % less; max_drop allows 50.0 %; \
         the old set stays; if that is right: stockade fetch --force mine\n"
    );
    assert_eq!(patterns(dir, "mine").len(), 4);
    // An empty answer is one like any other.
    write(dir, "list.txt", "");
    assert_eq!(run(dir, &["fetch", "mine"]).0, 2);
    assert_eq!(run(dir, &["fetch", "mine", "--force"]).1, "mine: 4 removed; 0 indicators kept\n");
    // One that loses half is taken.
    write(dir, "list.txt", "a.example\nb.example\n");
    assert_eq!(run(dir, &["fetch", "mine"]).0, 0);
    write(dir, "list.txt", "a.example\n");
    assert_eq!(run(dir, &["fetch", "mine"]).0, 0);
}

#[test]
fn a_dry_run_writes_nothing() {
    let dir = place(&source("mine", "list", "list.txt", ""));
    let dir = dir.path();
    write(dir, "list.txt", "a.example\nb.example\nc.example\n");
    assert_eq!(
        run(dir, &["fetch", "--dry-run"]).1,
        "mine: dry run, nothing written: 3 new; 3 indicators would be kept\n"
    );
    assert!(!dir.join("state").exists());
    run(dir, &["fetch"]);
    write(dir, "list.txt", "a.example\nb.example\nd.example\n");
    let (code, out, _) = run(dir, &["fetch", "--dry-run"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "mine: dry run, nothing written: 1 new, 1 removed, 2 unchanged; 3 indicators would be kept\n")
    );
    assert_eq!(patterns(dir, "mine"), domains(&["a.example", "b.example", "c.example"]));
    write(dir, "list.txt", "a.example\n");
    assert_eq!(run(dir, &["fetch", "--dry-run"]).0, 2);
}

#[test]
fn a_source_that_fails_does_not_stop_the_others() {
    let all = source("gone", "file", "none.json", "") + &source("mine", "list", "list.txt", "");
    let dir = place(&all);
    let dir = dir.path();
    write(dir, "list.txt", "a.example\n");
    let (code, out, said) = run(dir, &["fetch"]);
    assert_eq!((code, out.as_str()), (2, "mine: 1 new; 1 indicator kept\n"));
    assert_eq!(said, "stockade: gone: none.json: No such file or directory\n");
    assert_eq!(run(dir, &["fetch", "mine"]).0, 0);
    let (code, _, said) = run(dir, &["fetch", "other"]);
    assert_eq!((code, said.as_str()), (2, "stockade: there is no source other; there are gone, mine\n"));
}

#[test]
fn half_a_document_replaces_nothing() {
    let dir = place(&source("stix", "file", "feed.json", ""));
    let dir = dir.path();
    let indicator = |n: u32| {
        format!(
            r#"{{"type":"indicator","id":"indicator--{n}","modified":"2026-01-01T00:00:00Z","pattern":"[domain-name:value = 'a{n}.example']"}}"#
        )
    };
    let whole = format!(r#"{{"type":"bundle","objects":[{},{},{}]}}"#, indicator(1), indicator(2), indicator(3));
    write(dir, "feed.json", &whole);
    assert_eq!(run(dir, &["fetch"]).0, 0);
    write(dir, "feed.json", &whole[..whole.len() - 30]);
    let (code, _, said) = run(dir, &["fetch"]);
    assert_eq!(code, 2);
    assert!(said.contains("feed.json: cut short"), "{said}");
    assert_eq!(patterns(dir, "stix").len(), 3);
    // What cannot be used of an object costs that object alone.
    write(
        dir,
        "feed.json",
        &format!(
            r#"[{},{},{{"type":"indicator","id":"indicator--9"}},{{"type":"indicator","id":"indicator--8","pattern":"alert","pattern_type":"snort"}}]"#,
            indicator(1),
            indicator(2)
        ),
    );
    let (code, out, said) = run(dir, &["fetch"]);
    assert_eq!((code, out.as_str()), (0, "stix: 1 new, 1 removed, 2 unchanged, 2 set aside; 3 indicators kept\n"));
    assert!(
        said.contains("1 set aside: no pattern") && said.contains("1 set aside: pattern type is not stix: snort"),
        "{said}"
    );
}

#[test]
fn folders_and_compressed_files() {
    let dir = place(&source("all", "file", "feeds", ""));
    let dir = dir.path();
    fs::create_dir(dir.join("feeds")).unwrap();
    write(dir, "feeds/one.txt", "a.example\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"b.example\nc.example\n").unwrap();
    fs::write(dir.join("feeds/two.gz"), gzip.finish().unwrap()).unwrap();
    write(dir, "feeds/README", "This is a text about feeds\nand nothing else\n");
    let (code, out, said) = run(dir, &["fetch"]);
    assert_eq!((code, out.as_str()), (0, "all: 3 new, 1 set aside; 3 indicators kept\n"));
    assert!(said.contains("feeds/README: neither JSON nor a list"), "{said}");
    fs::remove_file(dir.join("feeds/two.gz")).unwrap();
    assert_eq!(run(dir, &["fetch"]).0, 2, "two thirds are gone");
}

#[test]
fn a_server_is_asked_whether_anything_changed() {
    let server = Server::start(|request| match (request.path.as_str(), request.header("if-none-match")) {
        ("/list.txt", Some("\"one\"")) => Answer::new(304, ""),
        ("/list.txt", _) => Answer::new(200, "a.example\nb.example\n").with("etag", "\"one\""),
        _ => Answer::new(404, "no"),
    });
    let dir = place(&source("net", "list", &server.url("/list.txt"), ""));
    let dir = dir.path();
    assert_eq!(run(dir, &["fetch"]).1, "net: 2 new; 2 indicators kept\n");
    assert_eq!(run(dir, &["fetch"]).1, "net: unchanged, as the server says; 2 indicators kept\n");
    let row = summary(dir, "net");
    assert_eq!((&row["not_modified"], &row["ok"], &row["indicators"]), (&true.into(), &true.into(), &2.into()));
    // Read differently, it is read anew; and if it is asked for.
    assert_eq!(run(dir, &["fetch", "--force"]).1, "net: 2 unchanged; 2 indicators kept\n");
    write(
        dir,
        "stockade.toml",
        &format!(
            "[store]\ndir = \"state\"\n{}",
            source("net", "csv", &server.url("/list.txt"), "columns = { value = 1 }")
        ),
    );
    assert_eq!(run(dir, &["fetch"]).1, "net: 2 unchanged; 2 indicators kept\n");
    assert_eq!(run(dir, &["fetch"]).1, "net: unchanged, as the server says; 2 indicators kept\n");
}

#[test]
fn what_a_server_does_wrong_is_said() {
    let server = Server::start(|request| match request.path.as_str() {
        "/html" => Answer::new(200, "<html><title>Login</title></html>"),
        "/denied" => Answer::new(401, "who are you"),
        "/away" => Answer::new(302, "").with("location", "https://elsewhere.example/list.txt"),
        "/big" => Answer::new(200, "a.example\n".repeat(10_000)),
        _ => Answer::new(404, "no"),
    });
    for (path, rest, expected) in [
        ("/html", "", "neither JSON nor a list: HTML or XML at line 1"),
        ("/denied", "", "401"),
        ("/away", "", "elsewhere.example"),
        ("/missing", "", "404"),
        ("/big", "max_body = \"1KiB\"", "max_body"),
    ] {
        let dir = place(&source("net", "list", &server.url(path), rest));
        let (code, out, said) = run(dir.path(), &["fetch"]);
        assert_eq!((code, out.as_str()), (2, ""), "{path}");
        assert!(said.starts_with("stockade: net: ") && said.contains(expected), "{path}: {said}");
        let (code, _, said) = run(dir.path(), &["match", "-i", "net", "stockade.toml"]);
        assert_eq!(code, 2, "{said}");
    }
}

#[test]
fn keys_are_sent_and_never_shown() {
    let server = Server::start(|request| match request.header("x-otx-api-key") {
        Some("hunter2") => Answer::new(200, "a.example\n"),
        _ => Answer::new(403, "no key: hunter2"),
    });
    let auth = "auth = { scheme = \"api-key\", header = \"X-OTX-API-KEY\", key_env = \"TEST_KEY\" }";
    let dir = place(&source("net", "list", &server.url("/x?token=s3cret"), auth));
    let dir = dir.path();
    let (code, _, said) = run(dir, &["fetch"]);
    assert_eq!((code, said.contains("TEST_KEY")), (2, true), "{said}");
    let with_key = |args: &[&str]| {
        let output = command(dir, args).env("TEST_KEY", "hunter2").output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, said) = with_key(&["fetch", "--verbose"]);
    assert_eq!(code, Some(0), "{said}");
    for args in [&["sources", "--json"][..], &["sources", "--verbose"], &["doctor", "net"], &["fetch", "--json"]] {
        let (code, said) = with_key(args);
        assert_eq!(code, Some(0), "{args:?}: {said}");
        assert!(!said.contains("hunter2") && !said.contains("s3cret"), "{args:?}: {said}");
    }
}

#[test]
fn pages_of_otx_are_followed_on_their_host() {
    let server = Server::start(|request| {
        let pulse = |id: &str, name: &str, next: &str| {
            Answer::new(
                200,
                format!(
                    r#"{{"results":[{{"id":"{id}","name":"p","modified":"2026-01-01T00:00:00","indicators":[{{"indicator":"{name}","type":"domain"}}]}}],"next":{next}}}"#
                ),
            )
        };
        match request.path.as_str() {
            "/pulses?limit=5" => pulse("1", "a.example", "\"/pulses?page=2\""),
            "/pulses?page=2" => pulse("2", "b.example", "null"),
            "/bad" => pulse("1", "a.example", "\"https://elsewhere.example/pulses?page=2\""),
            _ => Answer::new(404, ""),
        }
    });
    let all = source("otx", "url", &server.url("/pulses"), "query = { limit = \"5\" }")
        + &source("bad", "url", &server.url("/bad"), "");
    let dir = place(&all);
    let dir = dir.path();
    assert_eq!(run(dir, &["fetch", "otx"]).1, "otx: 2 new; 2 indicators kept\n");
    assert_eq!(patterns(dir, "otx"), domains(&["a.example", "b.example"]));
    let (code, _, said) = run(dir, &["fetch", "bad"]);
    assert_eq!((code, said.contains("elsewhere.example")), (2, true), "{said}");
}

fn event(number: u32, names: &[&str]) -> String {
    let attributes: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            format!(r#"{{"uuid":"00000000-0000-4000-8000-{:012}","type":"domain","to_ids":true,"value":"{name}","timestamp":"1763600000"}}"#, number as usize * 1000 + at)
        })
        .collect();
    format!(
        r#"{{"Event":{{"uuid":"{}","info":"event","timestamp":"1763600000","Attribute":[{}]}}}}"#,
        uuid(number),
        attributes.join(",")
    )
}

fn uuid(number: u32) -> String {
    format!("00000000-0000-4000-9000-{number:012}")
}

fn manifest(events: &[(u32, u64)]) -> String {
    let entries: Vec<String> = events
        .iter()
        .map(|(number, at)| format!(r#""{}":{{"info":"event","timestamp":"{at}"}}"#, uuid(*number)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

#[test]
fn of_a_misp_feed_only_changed_events_are_read_again() {
    let files = std::sync::Arc::new(std::sync::Mutex::new(std::collections::BTreeMap::new()));
    let set = |name: String, text: String| files.lock().unwrap().insert(format!("/feed/{name}"), text);
    set("manifest.json".into(), manifest(&[(1, 10), (2, 10), (3, 10)]));
    set(uuid(1) + ".json", event(1, &["a.example", "b.example"]));
    set(uuid(2) + ".json", event(2, &["c.example"]));
    let served = std::sync::Arc::clone(&files);
    let server = Server::start(move |request| match served.lock().unwrap().get(&request.path) {
        Some(text) => Answer::new(200, text),
        None => Answer::new(404, "none"),
    });
    let dir = place(&source("misp", "misp", &server.url("/feed"), ""));
    let dir = dir.path();
    let (code, out, said) = run(dir, &["fetch"]);
    assert_eq!((code, out.as_str()), (0, "misp: 3 new, 1 set aside; 3 indicators kept\n"), "{said}");
    assert!(said.contains("1 set aside: an event that cannot be read"), "{said}");
    // The third event turns up, the second changes and the first is left alone.
    set(uuid(3) + ".json", event(3, &["d.example"]));
    set("manifest.json".into(), manifest(&[(1, 10), (2, 11), (3, 10)]));
    set(uuid(2) + ".json", event(2, &["c.example", "e.example"]));
    server.forget();
    assert_eq!(run(dir, &["fetch"]).1, "misp: 2 new, 3 unchanged; 5 indicators kept\n");
    let asked = server.asked();
    assert_eq!(
        asked,
        ["/feed/manifest.json".to_owned(), format!("/feed/{}.json", uuid(2)), format!("/feed/{}.json", uuid(3))]
    );
    // An event that leaves the manifest takes its indicators along.
    set("manifest.json".into(), manifest(&[(1, 10), (2, 11)]));
    assert_eq!(run(dir, &["fetch"]).1, "misp: 1 removed, 4 unchanged; 4 indicators kept\n");
    assert_eq!(patterns(dir, "misp"), domains(&["a.example", "b.example", "c.example", "e.example"]));
}

#[test]
fn a_misp_feed_may_be_a_folder() {
    let dir = place(&source("misp", "misp", "feed", ""));
    let dir = dir.path();
    fs::create_dir(dir.join("feed")).unwrap();
    write(dir, "feed/manifest.json", &manifest(&[(1, 10)]));
    write(dir, &format!("feed/{}.json", uuid(1)), &event(1, &["a.example"]));
    assert_eq!(run(dir, &["fetch"]).1, "misp: 1 new; 1 indicator kept\n");
    assert_eq!(run(dir, &["fetch"]).1, "misp: 1 unchanged; 1 indicator kept\n");
    write(dir, "feed/manifest.json", "not json");
    assert_eq!(run(dir, &["fetch"]).2, "stockade: misp: manifest.json is no JSON object\n");
}

#[test]
fn sources_are_listed_and_checked() {
    let dir =
        place(&(source("mine", "list", "list.txt", "interval = \"1h\"") + &source("never", "list", "none.txt", "")));
    let dir = dir.path();
    write(dir, "list.txt", "a.example\n");
    let (code, out, _) = run(dir, &["sources", "--check"]);
    assert_eq!((code, out.as_str()), (1, "stale: mine: never fetched\nstale: never: never fetched\n"));
    run(dir, &["fetch"]);
    let (code, out, _) = run(dir, &["sources", "--check"]);
    assert_eq!(
        (code, out.as_str()),
        (1, "stale: never: never fetched; the last failure: none.txt: No such file or directory\n")
    );
    assert_eq!(
        run(dir, &["sources", "--check", "mine"]),
        (0, "fresh: 1 source, 1 indicator\n".to_owned(), String::new())
    );
    let (code, out, _) = run(dir, &["sources"]);
    assert_eq!(code, 0);
    assert!(out.contains("mine   list   1 indicator, fetched 0 s ago\n") || out.contains("1 s ago\n"), "{out}");
    let (_, out, _) = run(dir, &["sources", "--json"]);
    let rows: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&rows[0]["name"], &rows[0]["indicators"], &rows[0]["stale"]),
        (&"mine".into(), &1.into(), &false.into())
    );
    assert_eq!((&rows[1]["fetched"], &rows[1]["stale"]), (&false.into(), &true.into()));
    // Three intervals of a millisecond have passed.
    write(
        dir,
        "stockade.toml",
        &format!("[store]\ndir = \"state\"\n{}", source("mine", "list", "list.txt", "interval = \"1ms\"")),
    );
    assert_eq!(run(dir, &["sources", "--check"]).0, 1);
}

#[test]
fn doctor_says_what_is_wrong() {
    let server = Server::start(|request| match request.path.as_str() {
        "/good" => Answer::new(200, "a.example\n").with("content-type", "text/plain"),
        _ => Answer::new(404, "none"),
    });
    let dir =
        place(&(source("good", "list", &server.url("/good"), "") + &source("bad", "list", &server.url("/bad"), "")));
    let dir = dir.path();
    let (code, out, _) = run(dir, &["doctor", "good"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("ok      answer: 200, text/plain\n") && out.contains("1 new"), "{out}");
    let (code, out, _) = run(dir, &["doctor", "bad"]);
    assert_eq!(code, 2);
    assert!(out.contains("FAILED  answer: ") && out.contains("404"), "{out}");
    assert!(!dir.join("state").exists(), "nothing is written");
}

#[test]
fn a_second_process_says_so() {
    let gate = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let open = std::sync::Arc::clone(&gate);
    let server = Server::start(move |_| {
        while !open.load(std::sync::atomic::Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
        }
        Answer::new(200, "a.example\n")
    });
    let dir = place(&source("net", "list", &server.url("/x"), ""));
    let dir = dir.path();
    let mut first = command(dir, &["fetch"]).stdout(Stdio::null()).spawn().unwrap();
    wait_until(|| !server.asked().is_empty());
    let (code, _, said) = run(dir, &["fetch"]);
    assert_eq!(code, 2);
    assert!(said.contains("in use by process"), "{said}");
    // Who reads does not wait.
    assert_eq!(run(dir, &["sources"]).0, 0);
    gate.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(first.wait().unwrap().code(), Some(0));
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "it takes too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(unix)]
fn end(mut child: Child) -> Option<i32> {
    let killed = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    child.wait().unwrap().code()
}

#[cfg(unix)]
#[test]
fn a_watch_goes_on_whatever_happens_and_ends_when_told() {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&count);
    let server = Server::start(move |request| {
        let number = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match (request.path.as_str(), number % 4) {
            ("/hang", _) => Answer::hang(),
            (_, 1) => Answer::new(404, "not now"),
            (_, 2) => Answer::new(200, "<html>"),
            _ => Answer::new(200, format!("a.example\nn{number}.example\n")),
        }
    });
    let all = source("net", "list", &server.url("/list"), "interval = \"50ms\"\nmax_drop = 1.0")
        + &source("hangs", "list", &server.url("/hang"), "interval = \"50ms\"")
        + &source("none", "list", "none.txt", "interval = \"50ms\"");
    let dir = place(&all);
    let dir = dir.path();
    let child = command(dir, &["fetch", "--watch"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| count.load(std::sync::atomic::Ordering::Relaxed) > 20);
    assert_eq!(end(child), Some(0));
    let (_, out, _) = run(dir, &["sources", "--json"]);
    let rows: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&rows[0]["indicators"], &rows[0]["fetched"]), (&2.into(), &true.into()), "{out}");
    assert_eq!(rows[2]["last_failure"]["message"], "none.txt: No such file or directory");
    assert_eq!(run(dir, &["store", "verify", "net"]).0, 0);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let count = std::sync::atomic::AtomicU64::new(0);
    let server = Server::start(move |_| match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Answer::new(200, "a.example\nb.exam").cut(),
        _ => Answer::new(200, "a.example\nb.example\n"),
    });
    let dir = place(&source("net", "list", &server.url("/x"), ""));
    assert_eq!(run(dir.path(), &["fetch"]), (0, "net: 2 new; 2 indicators kept\n".to_owned(), String::new()));
    assert_eq!(patterns(dir.path(), "net"), domains(&["a.example", "b.example"]));
}

#[test]
fn what_is_packed_may_not_grow_without_end() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&b"a.example\n".repeat(1_000_000)).unwrap();
    let bomb = gzip.finish().unwrap();
    let server = Server::start(move |_| Answer::new(200, &bomb));
    let dir = place(&source("net", "list", &server.url("/list.gz"), "max_body = \"1MiB\""));
    let (code, out, said) = run(dir.path(), &["fetch"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(said.contains("larger than 1048576 bytes when decompressed (max_body)"), "{said}");
}

#[test]
fn mistakes_of_the_configuration_are_named() {
    for (kind, url, rest, expected) in [
        ("url", "http://feeds.example/x", "", "plain http is refused"),
        ("url", "ftp://feeds.example/x", "", "a URL begins with https:// or http://"),
        ("url", "https://user:hunter2@feeds.example/", "", "the URL holds a user or password"),
        ("url", "https://feeds.example/", "ca_file = \"none.pem\"", "none.pem"),
        ("url", "https://feeds.example/", "client_cert = \"none.pem\"\nclient_key = \"none.key\"", "none.pem"),
        ("url", "https://feeds.example/", "auth = { scheme = \"bearer\", key_file = \"none.key\" }", "none.key"),
        ("csv", "list.txt", "columns = { value = \"ioc\" }", "there is no column called ioc"),
        ("csv", "list.txt", "columns = { value = 3 }", "there is no column 3: rows have 1"),
        ("taxii", "list.txt", "", "no URL"),
    ] {
        let dir = place(&source("it", kind, url, rest));
        write(dir.path(), "list.txt", "a.example\n");
        let (code, out, said) = run(dir.path(), &["fetch"]);
        assert_eq!((code, out.as_str()), (2, ""), "{url} {rest}");
        assert!(said.starts_with("stockade: it: ") && said.contains(expected), "{url} {rest}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        let (code, out, _) = run(dir.path(), &["doctor", "it"]);
        assert_eq!(code, 2, "{out}");
        assert!(!out.contains("hunter2"), "{out}");
    }
    let dir = place("");
    let (code, _, said) = run(dir.path(), &["fetch"]);
    assert_eq!((code, said.as_str()), (2, "stockade: no source is configured: stockade.toml has no [[source]]\n"));
}

#[test]
fn tables_are_mapped_and_recognised() {
    let mapped =
        "columns = { value = \"ioc\", type = \"kind\", confidence = \"score\", labels = [\"family\", \"tags\"] }";
    let dir = place(&(source("mapped", "csv", "own.csv", mapped) + &source("fox", "csv", "fox.csv", "")));
    let dir = dir.path();
    write(
        dir,
        "own.csv",
        "ioc;kind;score;family;tags\nevil[.]example;domain;90;Evil;a,b\n192.0.2.1:443;ip:port;40;;\n",
    );
    write(
        dir,
        "fox.csv",
        "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"malware_printable\",\"confidence_level\"\n\
         \"2026-11-20 07:00:00\", \"11\", \"192.0.2.2:443\", \"ip:port\", \"botnet_cc\", \"X\", \"100\"\n",
    );
    assert_eq!(run(dir, &["fetch"]).1, "mapped: 2 new; 2 indicators kept\nfox: 1 new; 1 indicator kept\n");
    write(dir, "log", "192.0.2.1 evil.example 192.0.2.2\n");
    let found = |args: &[&str]| {
        let all = [&["match", "-o", "--no-filename", "-i", "mapped", "-i", "fox"], args, &["log"]].concat();
        let (_, out, _) = run(dir, &all);
        out.lines().filter_map(|line| line.split([':', ' ']).nth(1).map(str::to_owned)).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((found(&[]), found(&["--min-confidence", "50"]), found(&["--label", "botnet_cc"])), (3, 2, 1));
    // The same again is the same.
    assert_eq!(run(dir, &["fetch"]).1, "mapped: 2 unchanged; 2 indicators kept\nfox: 1 unchanged; 1 indicator kept\n");
}

#[test]
fn an_index_follows_its_sources() {
    let index = "[[index]]\npath = \"all.index\"\n[[index]]\npath = \"one.index\"\nsources = [\"one\"]\n";
    let all = source("one", "list", "one.txt", "")
        + &source("two", "list", "two.txt", "")
        + &source("never", "list", "none.txt", "");
    let dir = place(&(all + index));
    let dir = dir.path();
    write(dir, "one.txt", "a.example\n");
    write(dir, "two.txt", "b.example\n");
    write(dir, "log", "a.example\nb.example\nc.example\n");
    let found = |index: &str| run(dir, &["match", "-i", index, "-c", "--no-filename", "log"]).1.trim().to_owned();
    let (code, _, said) = run(dir, &["fetch", "one", "two"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!((found("all.index"), found("one.index")), ("2".to_owned(), "1".to_owned()));
    // Only what has changed is written again.
    let made = |name: &str| fs::metadata(dir.join(name)).unwrap().modified().unwrap();
    let before = (made("all.index"), made("one.index"));
    write(dir, "two.txt", "b.example\nc.example\n");
    assert_eq!(run(dir, &["fetch", "two"]).0, 0);
    assert_eq!((found("all.index"), found("one.index")), ("3".to_owned(), "1".to_owned()));
    assert!(made("all.index") > before.0 && made("one.index") == before.1);
    let now = made("all.index");
    assert_eq!(run(dir, &["fetch", "two"]).0, 0);
    assert_eq!(made("all.index"), now);
    // A dry run writes no index either.
    fs::remove_file(dir.join("one.index")).unwrap();
    assert_eq!(run(dir, &["fetch", "--dry-run", "one"]).0, 0);
    assert!(!dir.join("one.index").exists());
    assert_eq!(run(dir, &["fetch", "one"]).0, 0);
    assert_eq!(found("one.index"), "1");
}
