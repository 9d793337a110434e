//! `-i NAME` and `stockade store`: what was fetched is used as a bundle would be, shown, checked, exported, taken back.

use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use stockade::stix::Timestamp;
use stockade::store::{Mode, Writer};
use tempfile::TempDir;

/// A folder with a configuration file and the command in it.
struct Place(TempDir);

struct Said {
    code: i32,
    out: String,
    err: String,
}

const CONFIG: &str = r#"
[store]
dir = "state"
[[source]]
name = "alpha"
kind = "list"
url = "alpha.txt"
[[source]]
name = "beta"
kind = "taxii"
url = "https://taxii.example.net/taxii2/"
[[output]]
name = "all"
format = "domains"
path = "all.txt"
[[output]]
name = "beta-only"
format = "domains"
path = "beta.txt"
sources = ["beta"]
"#;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn now() -> Timestamp {
    at("2026-11-22T00:00:00Z")
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        fs::write(place.path("stockade.toml"), CONFIG).expect("writable");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
        command.args(args).current_dir(self.0.path()).env_remove("STOCKADE_CONFIG");
        let Output { status, stdout, stderr } = command.output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Said { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    fn writer(&self, source: &str) -> Writer {
        Writer::open(&self.path("state"), source).expect("it opens")
    }

    /// A poll that brings these objects.
    fn fetch(&self, source: &str, mode: Mode, objects: &[Value], cursor: &str) {
        let mut writer = self.writer(source);
        writer.begin(mode, now()).expect("it begins");
        for object in objects {
            writer.put(object.to_string().as_bytes()).expect("it is put");
        }
        writer.commit(cursor).expect("it is committed");
        if mode == Mode::Snapshot {
            writer.finish_snapshot(1.0, false).expect("it ends");
        }
        writer.note_success(now()).expect("it is noted");
    }

    fn json(&self, args: &[&str]) -> Vec<Value> {
        let said = self.run(args);
        assert!(said.code < 2, "{args:?}: {}", said.err);
        said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).expect("it is there");
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }
}

fn indicator(number: u32, domain: &str, modified: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2026-01-01T00:00:00Z", "modified": modified, "valid_from": "2026-01-01T00:00:00Z",
        "pattern": format!("[domain-name:value = '{domain}']"), "pattern_type": "stix",
    })
}

#[test]
fn a_source_that_was_never_fetched_says_so_everywhere() {
    let place = Place::new();
    let mut tried = place.writer("alpha");
    tried.begin(Mode::Snapshot, now()).expect("it begins");
    tried.note_failure(now(), "the server is away").expect("it is noted");
    drop(tried);
    for args in [&["match", "-i", "beta"][..], &["why", "a.example", "-i", "beta"], &["store", "export", "beta"]] {
        let said = place.run(args);
        let expected = "stockade: source beta has never been fetched; fetch it first: stockade fetch beta\n";
        assert_eq!((said.code, &*said.out, &*said.err), (2, "", expected), "{args:?}");
    }
    let said = place.run(&["match", "-i", "alpha"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("stockade fetch alpha (last failure: the server is away)"), "{}", said.err);
    let said = place.run(&["block", "--all"]);
    assert_eq!(said.code, 2);
    assert!(!place.path("all.txt").exists() && !place.path("beta.txt").exists());
    let said = place.run(&["store"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("beta\n  never fetched"), "{}", said.out);
    assert_eq!(place.run(&["store", "gamma"]).code, 2);
    assert_eq!(place.run(&["store", "rollback"]).code, 2, "a rollback is for sources that are named");
}

#[test]
fn what_was_fetched_is_used_as_a_bundle_would_be() {
    let place = Place::new();
    let marking = json!({
        "type": "marking-definition", "spec_version": "2.1", "id": "marking-definition--00000000-0000-4000-8000-000000000009",
        "created": "2026-01-01T00:00:00Z", "definition_type": "tlp", "definition": {"tlp": "red"},
    });
    let mut red = indicator(1, "red.example", "2026-01-01T00:00:00Z");
    red["object_marking_refs"] = json!([marking["id"]]);
    let mut over = indicator(2, "over.example", "2026-01-01T00:00:00Z");
    over["valid_until"] = "2026-02-01T00:00:00Z".into();
    let mut gone = indicator(3, "gone.example", "2026-01-03T00:00:00Z");
    gone["revoked"] = true.into();
    let mut sigma = indicator(5, "x", "2026-01-01T00:00:00Z");
    sigma["pattern_type"] = "sigma".into();
    let objects = [
        red,
        over,
        indicator(3, "gone.example", "2026-01-02T00:00:00Z"),
        indicator(4, "new.example", "2026-01-02T00:00:00Z"),
        indicator(4, "old.example", "2026-01-01T00:00:00Z"),
        sigma,
        gone,
        marking,
        json!({"type": "tool"}),
    ];
    place.fetch("beta", Mode::Incremental, &objects, "2026-11-22T00:00:00Z");
    fs::write(place.path("beta"), "file.example\n").expect("writable");
    let hosts = "red.example over.example gone.example new.example old.example file.example";
    fs::write(place.path("log"), hosts.replace(' ', "\n")).expect("writable");

    let hits = |args: &[&str]| -> Vec<String> {
        let hits = place.json(&[&["match", "--quiet", "--json", "log", "-i"], args].concat());
        hits.iter().map(|hit| hit["observable"]["value"].as_str().expect("a value").to_owned()).collect()
    };
    assert_eq!(hits(&["beta"]), ["red.example", "new.example"]);
    assert_eq!(hits(&["beta", "--tlp", "amber"]), ["new.example"], "markings that the source defines count");
    assert_eq!(hits(&["beta", "--include-expired"]), ["red.example", "over.example", "new.example"]);
    assert_eq!(hits(&["beta", "--at", "2026-01-15T00:00:00Z"]), ["red.example", "over.example", "new.example"]);
    assert_eq!(hits(&["./beta"]), ["file.example"], "a path is a file");
    let said = place.run(&["match", "log", "-i", "beta"]);
    assert!(said.err.contains("1 not used: pattern type") && said.err.contains("sigma"), "{}", said.err);
    let listing = &place.json(&["why", "--json", "new.example", "-i", "beta"])[0];
    assert_eq!((&listing["origin"], &listing["active"]), (&json!("beta"), &json!(true)));

    let shown = &place.json(&["store", "beta", "--json"])[0];
    let counts = ["objects", "indicators", "revoked", "expired", "generation"].map(|name| shown[name].as_u64());
    assert_eq!(counts, [6, 5, 1, 1, 1].map(Some), "{shown}");
    assert_eq!(shown["set_aside"], json!({"no id": 1}));
    assert_eq!(shown["cursor"], "2026-11-22T00:00:00Z");
    let said = place.run(&["store", "beta", "--set-aside"]);
    assert!(said.out.contains("\n  no id: {\"type\":\"tool\"}\n"), "{}", said.out);
}

#[test]
fn an_empty_source_is_a_warning() {
    let place = Place::new();
    place.fetch("beta", Mode::Incremental, &[], "start");
    fs::write(place.path("log"), "a.example\n").expect("writable");
    let said = place.run(&["match", "log", "-i", "beta"]);
    assert_eq!((said.code, &*said.err), (1, "stockade: source beta: no indicators\n"));
}

#[test]
fn blocklists_are_made_of_the_stores_that_they_name() {
    let place = Place::new();
    let one = |domain| indicator(1, domain, "2026-01-01T00:00:00Z");
    place.fetch(
        "alpha",
        Mode::Snapshot,
        &[one("both.example"), indicator(2, "alpha.example", "2026-01-01T00:00:00Z")],
        "a",
    );
    place.fetch(
        "beta",
        Mode::Snapshot,
        &[one("both.example"), indicator(3, "beta.example", "2026-01-01T00:00:00Z")],
        "b",
    );
    let said = place.run(&["block", "--all"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(place.lines("all.txt"), ["alpha.example", "beta.example", "both.example"]);
    assert_eq!(place.lines("beta.txt"), ["beta.example", "both.example"]);
    // It leaves with the last source that lists it.
    place.fetch("beta", Mode::Snapshot, &[indicator(3, "beta.example", "2026-01-01T00:00:00Z")], "b2");
    assert_eq!(place.run(&["block", "--all"]).code, 0);
    assert_eq!(place.lines("all.txt"), ["alpha.example", "beta.example", "both.example"]);
    assert_eq!(place.lines("beta.txt"), ["beta.example"]);
    place.fetch("alpha", Mode::Snapshot, &[indicator(2, "alpha.example", "2026-01-01T00:00:00Z")], "a2");
    assert_eq!(place.run(&["block", "--all"]).code, 0);
    assert_eq!(place.lines("all.txt"), ["alpha.example", "beta.example"]);
    let said = place.run(&["block", "-f", "domains"]);
    assert_eq!((said.code, said.out.lines().filter(|line| !line.starts_with('#')).count()), (0, 2), "all by default");
}

#[test]
fn exports_are_whole_and_always_the_same() {
    let place = Place::new();
    let objects: Vec<Value> =
        (0..50).map(|number| indicator(number, &format!("d{number}.example"), "2026-01-01T00:00:00Z")).collect();
    place.fetch("alpha", Mode::Snapshot, &objects, "a");
    let reversed: Vec<Value> = objects.iter().rev().cloned().collect();
    place.fetch("beta", Mode::Incremental, &reversed, "b");
    let alpha = place.run(&["store", "export", "alpha"]).out;
    assert_eq!(alpha, place.run(&["store", "export", "beta"]).out, "whatever the order in which they came");
    let bundle: Value = serde_json::from_str(&alpha).expect("JSON");
    let sorted = |objects: &[Value]| {
        let mut sorted: Vec<String> = objects.iter().map(Value::to_string).collect();
        sorted.sort_unstable();
        sorted
    };
    assert_eq!(sorted(bundle["objects"].as_array().expect("objects")), sorted(&objects));
    assert!(bundle["id"].as_str().expect("an id").starts_with("bundle--"));
    assert_eq!(place.run(&["store", "export", "alpha", "-o", "out.json"]).code, 0);
    assert_eq!(fs::read_to_string(place.path("out.json")).expect("it is there"), alpha);
    assert_eq!(sorted(&place.json(&["store", "export", "-f", "jsonl", "alpha"])), sorted(&objects));
    assert_eq!(place.json(&["store", "export", "-f", "jsonl"]).len(), 100, "each source has its own");
    let hits = |source: &str| {
        fs::write(place.path("log"), "d1.example d49.example d50.example\n").expect("writable");
        place.json(&["match", "--json", "log", "-i", source]).len()
    };
    assert_eq!((hits("out.json"), hits("alpha")), (2, 2));
}

#[test]
fn a_rollback_brings_back_objects_and_cursor() {
    let place = Place::new();
    let old =
        [indicator(1, "one.example", "2026-01-01T00:00:00Z"), indicator(2, "two.example", "2026-01-01T00:00:00Z")];
    place.fetch("beta", Mode::Incremental, &old, "first");
    let said = place.run(&["store", "rollback", "beta"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("source beta has no generation to go back to"), "{}", said.err);
    let before = place.run(&["store", "export", "beta"]).out;
    let mut bad = indicator(1, "one.example", "2026-01-02T00:00:00Z");
    bad["revoked"] = true.into();
    place.fetch("beta", Mode::Incremental, &[bad, indicator(3, "google.example", "2026-01-02T00:00:00Z")], "second");
    assert_ne!(place.run(&["store", "export", "beta"]).out, before);
    let said = place.run(&["store", "rollback", "beta"]);
    let expected = "beta: back at generation 1, 2 objects; the next fetch reads again what came since\n";
    assert_eq!((said.code, &*said.out), (0, expected));
    assert_eq!(place.run(&["store", "export", "beta"]).out, before);
    let shown = &place.json(&["store", "--json", "beta"])[0];
    assert_eq!((&shown["cursor"], &shown["generation"]), (&json!("first"), &json!(1)));
    assert_eq!(place.run(&["store", "verify"]).code, 0);
    assert_eq!(place.run(&["store", "rollback", "beta"]).code, 2, "one step is kept");
}

#[test]
fn space_is_given_back() {
    let place = Place::new();
    let objects: Vec<Value> =
        (0..5000).map(|number| indicator(number, &format!("d{number}.example"), "2026-01-01T00:00:00Z")).collect();
    place.fetch("alpha", Mode::Snapshot, &objects, "a");
    place.fetch("alpha", Mode::Snapshot, &objects[..10], "b");
    place.fetch("alpha", Mode::Snapshot, &objects[..9], "c");
    let bytes = || place.json(&["store", "--json", "alpha"])[0]["bytes"].as_u64().expect("a number");
    let before = bytes();
    let export = place.run(&["store", "export", "alpha"]).out;
    assert_eq!(place.run(&["store", "compact"]).code, 0);
    assert!(bytes() * 5 < before, "{before} became {}", bytes());
    assert_eq!(place.run(&["store", "export", "alpha"]).out, export);
    assert_eq!(place.run(&["store", "verify"]).out, "alpha: sound, 9 objects\n");
    assert_eq!(place.run(&["store", "rollback", "alpha"]).code, 0, "what can be brought back stays");
    assert_eq!(place.json(&["store", "--json", "alpha"])[0]["objects"], 10);
}

#[test]
fn a_second_process_is_told_who_is_there() {
    let place = Place::new();
    place.fetch("beta", Mode::Incremental, &[indicator(1, "one.example", "2026-01-01T00:00:00Z")], "first");
    let writer = place.writer("beta");
    for args in [["store", "rollback", "beta"], ["store", "compact", "beta"]] {
        let said = place.run(&args);
        let expected =
            format!("stockade: source beta is in use by process {}; try again when it is done\n", std::process::id());
        assert_eq!((said.code, said.err), (2, expected));
    }
    fs::write(place.path("log"), "one.example\n").expect("writable");
    assert_eq!(place.run(&["match", "log", "-i", "beta"]).code, 0, "readers do not mind");
    assert_eq!(place.run(&["store", "verify", "beta"]).code, 0);
    drop(writer);
    assert_eq!(place.run(&["store", "compact", "beta"]).code, 0);
}
