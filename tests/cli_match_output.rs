//! What each format of `stockade match` writes, to the byte, and what readers of it rely on.
//!
//! `SNAPSHOTS=overwrite cargo test --test cli_match_output` writes down what is printed instead.

use proptest::prelude::*;
use serde_json::Value;
use snapbox::{Data, assert_data_eq};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, UNIX_EPOCH};

fn golden(name: &str) -> Data {
    Data::read_from(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/match").join(name), None).raw()
}

/// Searches a log for the indicators beside the log of every shape; prints, exit code and complaints.
fn search(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args([
            "match",
            "--quiet",
            "--log-format=text",
            "--at",
            "2026-06-01",
            "-i",
            "indicators.json",
            "-i",
            "list.txt",
        ])
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/match"))
        .stdin(Stdio::null())
        .output()
        .expect("it runs")
}

fn printed(args: &[&str]) -> String {
    let output = search(args);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_format_writes_what_it_wrote() {
    for (format, file) in [
        ("text", "text.txt"),
        ("json", "json.jsonl"),
        ("ecs", "ecs.jsonl"),
        ("ocsf", "ocsf.jsonl"),
        ("csv", "hits.csv"),
    ] {
        let printed = printed(&["--format", format, "mixed.log"]);
        assert_data_eq!(Data::text(printed).raw(), golden(file));
    }
}

/// A log of its own with a known age, since lines without a time count for when their file was written.
fn old_log(folder: &Path) -> String {
    let log = folder.join("mixed.log");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/match/mixed.log"), &log).expect("copied");
    let file = std::fs::File::options().append(true).open(&log).expect("our own file");
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_776_000_000)).expect("our own file");
    log.to_str().expect("a plain path").to_owned()
}

#[test]
fn fields_and_times_are_those_of_the_format() {
    let mut log = tempfile::NamedTempFile::new().expect("a file");
    let padding = "x".repeat(500);
    writeln!(
        log,
        "{{\"eventVersion\":\"1.08\",\"userAgent\":\"{padding} 2019-01-01T00:00:00Z\",\"eventSource\":\"s3.amazonaws.com\",\
         \"sourceIPAddress\":\"203.0.113.66\",\"eventTime\":\"2026-04-12T06:25:07Z\",\"eventName\":\"GetObject\",\
         \"awsRegion\":\"eu-west-1\",\"userIdentity\":{{}}}}"
    )
    .expect("written");
    let path = log.path().to_str().expect("a plain path");
    let args = |format: &'static str| ["--log-format=auto", "--format", format, path];
    let table = printed(&args("csv"));
    assert!(table.contains(",2026-04-12T06:25:07Z,ipv4-addr,203.0.113.66,exact,sourceIPAddress,"), "{table}");
    let event: Value = serde_json::from_str(&printed(&args("ecs"))).expect("JSON");
    assert_eq!(event["threat"]["enrichments"][0]["matched"]["field"], "sourceIPAddress");
    let finding: Value = serde_json::from_str(&printed(&args("ocsf"))).expect("JSON");
    assert_eq!(finding["start_time"], 1_775_975_107_000_u64);
    assert_eq!(finding["observables"][0]["name"], "sourceIPAddress");
}

#[test]
fn sightings_are_what_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = old_log(folder.path());
    let written = printed(&["--format=sighting", &log]);
    assert_eq!(written, printed(&["--format=sighting", "-j1", &log]), "the same again");
    assert_data_eq!(Data::text(&written).raw(), golden("sighting.json"));

    let bundle: Value = serde_json::from_str(&written).expect("JSON");
    let objects = bundle["objects"].as_array().expect("objects");
    let ids: BTreeSet<&str> = objects.iter().filter_map(|object| object["id"].as_str()).collect();
    assert_eq!(ids.len(), objects.len(), "no object comes twice");
    let hits = printed(&["--json", &log]).lines().count() as u64;
    let count = |kind: &str, name: &str| -> u64 {
        objects.iter().filter(|object| object["type"] == kind).filter_map(|object| object[name].as_u64()).sum()
    };
    assert_eq!((count("sighting", "count"), count("observed-data", "number_observed")), (hits, hits));
    for object in objects.iter().filter(|object| object["type"] == "sighting") {
        let referenced =
            object["observed_data_refs"].as_array().into_iter().flatten().chain([&object["sighting_of_ref"]]);
        for id in referenced {
            assert!(ids.contains(id.as_str().expect("an id")), "{id} is in the bundle");
        }
    }
}

#[test]
fn a_bundle_without_sightings_is_a_bundle() {
    let output = search(&["--format=sighting", "list.txt", "--allow", "list.txt"]);
    assert_eq!(output.status.code(), Some(1));
    let bundle: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(bundle["type"], "bundle");
    assert!(bundle.get("objects").is_none());
}

#[test]
fn the_summary_counts_what_was_found() {
    assert_data_eq!(Data::text(printed(&["--summary", "mixed.log"])).raw(), golden("summary.txt"));
    assert_data_eq!(Data::text(printed(&["--summary=json", "mixed.log"])).raw(), golden("summary.json"));
    let json: Value = serde_json::from_str(&printed(&["--summary=json", "-m2", "mixed.log"])).expect("JSON");
    let rows = printed(&["--json", "-m2", "mixed.log"]);
    assert_eq!((json["hits"].as_u64(), json["lines"].as_u64()), (Some(rows.lines().count() as u64), Some(2)));
    let quiet = search(&["--summary", "list.txt", "--allow", "list.txt"]);
    assert_eq!(quiet.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&quiet.stdout), "0 hits on 0 lines of 0 inputs, 0 indicators\n");
}

/// The page of a search, and what the search printed.
fn page(args: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("page.html");
    std::fs::write(&path, "what stood there").expect("written");
    let printed = printed(&[&["--report", path.to_str().expect("a plain path")], args].concat());
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing of ours stays beside it");
    (std::fs::read_to_string(&path).expect("UTF-8"), printed)
}

#[test]
fn a_page_needs_nothing_else_and_lets_nothing_else_run() {
    let (html, rows) = page(&["mixed.log"]);
    assert_eq!(rows, printed(&["mixed.log"]), "rows are printed as ever");
    let lower = html.to_lowercase();
    for loading in
        ["http-equiv=\"refresh", "<link", "<img", "<iframe", "@import", "url(", " src=", " onerror", "javascript:"]
    {
        let ours = lower.replace("src=x onerror=alert(1)", "");
        assert!(!ours.contains(loading), "{loading}");
    }
    assert!(html.contains("default-src 'none'; script-src 'sha256-"), "{html}");
    // The two scripts are the data and ours, whatever logs and feeds say.
    assert_eq!(lower.matches("<script").count(), 2);
    assert_eq!(lower.matches("</script").count(), 2);
    assert!(!html.contains('\u{202e}') && !html.contains('\x1b') && !html.contains('\0'));
    assert!(html.contains("\\u{202e}gpj.exe"));

    let data = html.split_once("id=\"data\">").and_then(|(_, rest)| rest.split_once("</script>")).expect("data").0;
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data["rows"].as_array().expect("rows").len(), rows.lines().count());
    assert_eq!(data["paths"], serde_json::json!(["mixed.log"]));
}

#[test]
fn a_page_goes_with_every_format() {
    let (html, counts) = page(&["-c", "mixed.log"]);
    assert_eq!(counts, "mixed.log:10\n");
    for args in [&["--format=ecs", "mixed.log"][..], &["--format=sighting", "mixed.log"], &["--summary", "mixed.log"]] {
        let (other, out) = page(args);
        assert_eq!(html, other, "{args:?}");
        assert_eq!(out, printed(args));
    }
}

#[test]
fn what_cannot_be_written_is_said_before_the_search() {
    let output = search(&["--report", "/no/such/folder/page.html", "mixed.log"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/folder"));
}

/// Fields of an enrichment as the schema has them (ECS 9.2, `threat.enrichments`), as far as one may be written, and the one
/// that is ours.
const ENRICHMENT: &[&str] = &[
    "indicator.confidence",
    "indicator.description",
    "indicator.email.address",
    "indicator.file.hash.md5",
    "indicator.file.hash.sha1",
    "indicator.file.hash.sha256",
    "indicator.file.hash.sha384",
    "indicator.file.hash.sha512",
    "indicator.file.name",
    "indicator.first_seen",
    "indicator.id",
    "indicator.ip",
    "indicator.last_seen",
    "indicator.marking.tlp",
    "indicator.modified_at",
    "indicator.name",
    "indicator.provider",
    "indicator.registry.key",
    "indicator.type",
    "indicator.url.domain",
    "indicator.url.full",
    "indicator.url.original",
    "matched.atomic",
    "matched.field",
    "matched.id",
    "matched.occurred",
    "matched.relation",
    "matched.type",
];

/// The dotted names of all values in an object.
fn leaves(value: &Value, name: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| leaves(value, &format!("{name}.{key}"), found));
        }
        Value::Array(values) => values.iter().for_each(|value| leaves(value, name, found)),
        _ => {
            found.insert(name.trim_start_matches('.').to_owned());
        }
    }
}

#[test]
fn events_have_the_fields_of_the_schemas() {
    for line in printed(&["--format=ecs", "mixed.log"]).lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let lists = [event.get("threat.enrichments"), event["threat"].get("enrichments")];
        for enrichment in lists.into_iter().flatten().flat_map(|list| list.as_array().expect("a list")) {
            let mut found = BTreeSet::new();
            leaves(enrichment, "", &mut found);
            let unknown: Vec<_> = found.iter().filter(|name| !ENRICHMENT.contains(&name.as_str())).collect();
            assert!(unknown.is_empty(), "{unknown:?}");
            if enrichment.get("matched").is_none() {
                continue;
            }
            for needed in ["indicator.type", "indicator.name", "indicator.confidence", "matched.atomic", "matched.type"]
            {
                assert!(found.contains(needed), "{needed}: {line}");
            }
        }
    }
    for line in printed(&["--format=ocsf", "mixed.log"]).lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        // What every event of the schema has to have, and a finding besides.
        for needed in ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"] {
            assert!(event.get(needed).is_some(), "{needed}: {line}");
        }
        assert_eq!(event["type_uid"].as_u64(), event["class_uid"].as_u64().map(|class| class * 100 + 1));
        assert!(
            event["class_uid"] != 2004 || event["finding_info"]["uid"].is_string() && event["raw_data"].is_string()
        );
        for enrichment in event["enrichments"].as_array().expect("a list") {
            assert!(["name", "value", "data"].iter().all(|needed| enrichment.get(needed).is_some()), "{line}");
        }
    }
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    for (args, message) in [
        (&["--summary", "-c"][..], "--summary is printed in place of hits, so it cannot go with -c"),
        (&["--summary", "--json"], "--summary is printed in place of hits, so it cannot go with --format json"),
        (&["--report=x.html", "-l"], "-l stops at the first hit, so it cannot go with --report"),
        (&["--report=x.html", "-q"], "-q stops at the first hit, so it cannot go with --report"),
        (&["--report=x.html", "-v"], "-v selects lines without a hit, so it cannot go with --report"),
        (&["--format=ecs", "-c"], "-c prints no hits, so it cannot go with --format ecs"),
        (&["--json", "-l"], "-l prints no hits, so it cannot go with --format json"),
        (&["--format=csv", "-v"], "-v prints no hits, so it cannot go with --format csv"),
        (&["--format=ocsf", "-o"], "-o leaves out the line, which is what --format ocsf writes"),
    ] {
        let output = search(&[args, &["mixed.log"]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("stockade: {message}\n"));
    }
}

#[test]
fn a_table_has_its_header_even_without_a_row() {
    let quiet = tempfile::NamedTempFile::new().expect("a file");
    let path = quiet.path().to_str().expect("a plain path");
    let header = printed(&["--format=csv", path]);
    assert_eq!(header.lines().count(), 1);
    assert!(header.starts_with("path,line,offset,start,end,time,type,value,relation,field,indicator_id,"));
    assert_eq!(printed(&["--format=csv", "-q", "mixed.log"]), "");
    let only = printed(&["--format=csv", "-o", "-m1", "mixed.log"]);
    assert!(only.lines().skip(1).all(|row| row.ends_with(",indicators.json,")), "{only}");
}

#[test]
fn a_line_too_long_for_memory_is_still_told_of_in_every_format() {
    let mut log = tempfile::NamedTempFile::new().expect("a file");
    let filler = "a".repeat(3 << 20);
    write!(log, "{{\"a\":\"{filler} 203.0.113.77 {filler}\",\"ip\":\"203.0.113.66\"}}\nshort 203.0.113.77\n")
        .expect("written");
    let path = log.path().to_str().expect("a plain path");
    for format in ["json", "ecs", "ocsf", "csv", "text"] {
        let output = search(&["--format", format, path]);
        assert_eq!(output.status.code(), Some(0), "{format}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(text.lines().filter(|row| row.contains("203.0.113.77")).count(), 2, "{format}");
        assert_eq!(text.lines().filter(|row| row.contains("203.0.113.66")).count(), 1, "{format}");
        if !matches!(format, "csv" | "text") {
            assert!(text.lines().all(|row| serde_json::from_str::<Value>(row).is_ok()), "{format}");
        }
    }
}

/// Values of JSON with some that are listed.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        2 => Just(Value::from("203.0.113.66")),
        1 => Just(Value::from("see http://evil.example/x")),
        2 => "[ -~\u{e9}\u{202e}\\n]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("enrichments|threat|[a-z.\"\\\\]{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn event() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let names = "threat|threat\\.enrichments|threat\\.x|enrichments|@timestamp|class_uid|metadata|[a-z]{1,4}";
    prop::collection::btree_map(names, json(), 0..6)
}

fn enrich(format: &str, lines: &[String]) -> Vec<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
        .args(["match", "--quiet", "--at", "2026-06-01", "-i", "indicators.json", "--format", format])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/match"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("a pipe");
    let text = lines.join("\n");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_event_comes_out_with_all_that_it_had(events in prop::collection::vec(event(), 1..40)) {
        // Whatever an event holds, this makes it one that is hit, and a number tells it again.
        let events: Vec<Value> = events
            .into_iter()
            .enumerate()
            .map(|(number, mut event)| {
                event.insert("hit".to_owned(), Value::from("203.0.113.66"));
                event.insert("number".to_owned(), Value::from(number));
                Value::Object(event.into_iter().collect())
            })
            .collect();
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        let enriched = enrich("ecs", &lines);
        prop_assert_eq!(enriched.len(), events.len());
        for (event, line) in events.iter().zip(&enriched) {
            let result: Value = serde_json::from_str(line).expect("each line is JSON");
            for (name, value) in event.as_object().expect("an object") {
                if name != "threat" && name != "threat.enrichments" {
                    prop_assert_eq!(&result[name], value);
                }
            }
            let lists = [result.get("threat.enrichments"), result["threat"].get("enrichments")];
            let enrichments = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
            let ours = enrichments.filter(|entry| entry["matched"]["atomic"] == "203.0.113.66").count();
            prop_assert!(ours >= 1, "{}", line);
        }
        for line in enrich("ocsf", &lines) {
            let result: Value = serde_json::from_str(&line).expect("each line is JSON");
            prop_assert!(result["enrichments"].as_array().is_some_and(|list| !list.is_empty()));
        }
    }
}
