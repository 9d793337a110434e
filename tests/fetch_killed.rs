//! `stockade fetch` killed at hundreds of random moments, while it asks a server that pages as SOC Defenders does: whatever
//! was going on, the next run goes on from there, and the set in the end is always the same.
#![cfg(unix)]

mod fetch_server;

use fetch_server::{Answer, Server};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Objects of the collection, added in bursts at one instant each.
const OBJECTS: usize = 1200;
const BURST: usize = 30;
const PAGE: usize = 40;

/// Times that the command is killed.
const KILLS: usize = 300;

const KIND: &str = "application/taxii+json;version=2.1";

fn id(number: usize) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

fn added(number: usize) -> String {
    let second = number / BURST;
    format!("2026-05-{:02}T08:{:02}:{:02}.250000Z", 1 + second / 3600, second / 60 % 60, second % 60)
}

/// A page: a bundle that begins with an identity; `added_after` is exclusive; where it begins and ends is in the headers.
fn page(query: &str) -> Answer {
    std::thread::sleep(Duration::from_millis(3));
    let value = |key: &str| {
        query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=')).map(|text| text.replace("%3A", ":"))
    };
    let after = value("added_after").unwrap_or_default();
    let limit = value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let numbers: Vec<usize> = (0..OBJECTS).filter(|number| added(*number) > after).take(limit).collect();
    let mut objects = vec![r#"{"type":"identity","id":"identity--00000000-0000-4000-8000-000000000001","name":"me","modified":"2026-01-01T00:00:00Z"}"#.to_owned()];
    objects.extend(numbers.iter().map(|number| {
        format!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"{}","created":"2026-05-01T00:00:00Z","modified":"2026-05-01T00:00:00Z","valid_from":"2026-05-01T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = 'n{number}.example']","confidence":85}}"#,
            id(*number)
        )
    }));
    let body = format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, objects.join(","));
    let answer = Answer::new(200, body).with("content-type", KIND);
    match (numbers.first(), numbers.last()) {
        (Some(first), Some(last)) => {
            answer.with("x-taxii-date-added-first", &added(*first)).with("x-taxii-date-added-last", &added(*last))
        }
        _ => answer,
    }
}

fn server() -> Server {
    Server::start(|request| {
        if request.header("authorization") != Some("Bearer hunter2") {
            return Answer::new(401, r#"{"error":{"code":"unauthorized"}}"#);
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let json = |text: &str| Answer::new(200, text).with("content-type", KIND);
        match path {
            "/api/taxii2/" => {
                json(r#"{"title":"SOC Defenders","api_roots":["/api/taxii2/api/"],"default":"/api/taxii2/api/"}"#)
            }
            "/api/taxii2/api/" => {
                json(r#"{"title":"api","versions":["application/taxii+json;version=2.1"],"max_content_length":1}"#)
            }
            "/api/taxii2/api/collections/" => {
                json(r#"{"collections":[{"id":"all-iocs","title":"All IOCs","can_read":true,"can_write":false}]}"#)
            }
            "/api/taxii2/api/collections/all-iocs/" => {
                json(r#"{"id":"all-iocs","title":"All IOCs","can_read":true,"can_write":false}"#)
            }
            "/api/taxii2/api/collections/all-iocs/objects/" => page(query),
            _ => Answer::new(404, "{}"),
        }
    })
}

/// The four lines that such a source takes, and where its store is.
fn configure(dir: &Path, server: &Server) {
    let text = format!(
        "[store]\ndir = \"state\"\n\n[[source]]\nname = \"socdefenders\"\nkind = \"taxii\"\nurl = \"{}\"\nauth = {{ scheme = \"bearer\", key_env = \"TEST_KEY\" }}\n",
        server.url("/api/taxii2/")
    );
    std::fs::write(dir.join("stockade.toml"), text).unwrap();
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    command.args(args).current_dir(dir).env("TEST_KEY", "hunter2").env_remove("STOCKADE_CONFIG");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn ids(dir: &Path) -> BTreeSet<String> {
    let output =
        command(dir, &["store", "export", "socdefenders", "-f", "jsonl"]).stdout(Stdio::piped()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    text.lines().map(id).filter(|id| id.starts_with("indicator--")).collect()
}

#[test]
fn whenever_it_is_killed_nothing_is_lost() {
    let server = server();
    let all: BTreeSet<String> = (0..OBJECTS).map(id).collect();
    // Any sequence of waits will do, as long as it is another one in each place.
    let mut random = 88_172_645_463_325_252_u64;
    let (mut kills, mut inside, mut rounds) = (0, 0, 0);
    while kills < KILLS {
        let dir = tempfile::tempdir().unwrap();
        configure(dir.path(), &server);
        rounds += 1;
        loop {
            let mut child = command(dir.path(), &["fetch"]).spawn().unwrap();
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            std::thread::sleep(Duration::from_micros(random % 120_000));
            if let Some(status) = child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0));
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            let so_far = if dir.path().join("state/sources/socdefenders/objects.db").exists() {
                ids(dir.path())
            } else {
                BTreeSet::new()
            };
            assert!(so_far.is_subset(&all));
            inside += usize::from(!so_far.is_empty() && so_far.len() < OBJECTS);
        }
        assert_eq!(ids(dir.path()), all, "round {rounds}, after {kills} kills");
        // Nothing is new afterwards.
        let output = command(dir.path(), &["fetch", "--json"]).stdout(Stdio::piped()).output().unwrap();
        let row: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&row["ok"], &row["new"], &row["updated"]), (&true.into(), &0.into(), &0.into()), "{row}");
    }
    assert!(inside > 20, "{inside} of {kills} kills came while pages were read");
}
