//! `stockade block` and `stockade formats`: what is written, what is refused, how a file is replaced, and what is said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A folder of its own, and the command in it.
struct Place {
    folder: TempDir,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        for (name, content) in files {
            place.write(name, content);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("writable");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The lines of a file that are no comments.
    fn entries(&self, name: &str) -> Vec<String> {
        self.read(name).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
        command.args(args).current_dir(self.folder.path()).env("XDG_STATE_HOME", self.path("state"));
        command.env("HOME", self.path("home")).env_remove("STOCKADE_CONFIG").env_remove("XDG_CONFIG_HOME");
        command
    }

    fn run(&self, args: &[&str]) -> Said {
        let output = self.command(args).stdin(Stdio::null()).output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Names in the folder of the output.
    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .expect("a folder")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn indicator(number: u32, pattern: &str, more: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-{number:012}","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z","pattern_type":"stix","pattern":"{pattern}"{more}}}"#
    )
}

fn bundle(indicators: &[String]) -> String {
    format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{}]}}"#, indicators.join(","))
}

const AT: &[&str] = &["--at", "2026-06-01T00:00:00Z"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[test]
fn every_value_that_is_left_out_is_reported_with_its_reason() {
    let name = |name: &str| format!("[domain-name:value = '{name}']");
    let bundle = bundle(&[
        indicator(1, &name("good.evil.net"), ""),
        indicator(2, &name("expired.evil.net"), r#","valid_until":"2026-06-01T00:00:00Z""#),
        indicator(3, &name("later.evil.net"), r#","valid_from":"2026-06-01T00:00:00.001Z""#),
        indicator(4, &name("revoked.evil.net"), r#","revoked":true"#),
        indicator(5, &name("unsure.evil.net"), r#","confidence":49"#),
        indicator(6, "[domain-name:value = 'a.evil.net' AND domain-name:resolves_to_refs[*].value = '45.1.2.3']", ""),
        indicator(7, &name("co.uk"), ""),
        indicator(8, &name("www.friend.net"), ""),
        indicator(9, &name("mail.corp.net"), ""),
        indicator(10, &name("no name"), ""),
        indicator(11, "rule x { condition: true }", "").replace("\"stix\"", "\"yara\""),
        indicator(12, "[file:name = 'evil.exe']", ""),
        indicator(13, "[ipv4-addr:value = '45.1.2.3']", ""),
    ]);
    let bundle = bundle.replace(
        r#""valid_from":"2026-01-01T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = 'later"#,
        r#""pattern_type":"stix","pattern":"[domain-name:value = 'later"#,
    );
    let place = Place::new(&[("in.json", &bundle)]);
    let args = [
        "block",
        "-f",
        "domains",
        "-i",
        "in.json",
        "-o",
        "out",
        "--report",
        "report.jsonl",
        "--min-confidence",
        "50",
        "--allow",
        "friend.net",
        "--own",
        "corp.net",
    ];
    let said = place.run(&with(&args, AT));
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(place.entries("out"), ["good.evil.net"]);
    let mut rows: Vec<(String, String, u32)> = place
        .read("report.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
            assert_eq!(row["value"].is_null(), row["kind"].is_null(), "{row}");
            let id = text("indicator");
            (text("value"), text("reason"), id[id.len() - 12..].parse().expect("a number"))
        })
        .collect();
    rows.sort_by_key(|row| row.2);
    let rows: Vec<_> = rows.iter().map(|(value, reason, id)| (value.as_str(), reason.as_str(), *id)).collect();
    assert_eq!(
        rows,
        [
            ("expired.evil.net", "expired", 2),
            ("later.evil.net", "not yet valid", 3),
            ("revoked.evil.net", "revoked", 4),
            ("unsure.evil.net", "confidence", 5),
            ("a.evil.net", "not exact", 6),
            ("co.uk", "guard", 7),
            ("www.friend.net", "allow", 8),
            ("mail.corp.net", "own", 9),
            ("-", "invalid", 10),
            ("-", "pattern type", 11),
            ("-", "not exact", 12),
        ]
    );
    snapbox::assert_data_eq!(said.err, snapbox::file!["golden/block/held.stderr": Text]);
}

#[test]
fn guards_can_be_switched_off_by_name() {
    let list = "10.1.2.3\n45.0.0.0/7\ngithub.io\ndns.google\n8.8.4.4\nevil.net\n";
    let place = Place::new(&[("in.txt", list)]);
    let written = |format: &str, unguard: &str| {
        let args = ["block", "-q", "-f", format, "-i", "in.txt", "--unguard", unguard];
        let args: Vec<&str> = args.into_iter().filter(|arg| *arg != "-q").collect();
        let out = place.run(if unguard.is_empty() { &args[..args.len() - 2] } else { &args }).out;
        out.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(written("domains", ""), ["evil.net"]);
    assert_eq!(written("domains", "suffix"), ["github.io", "evil.net"]);
    assert_eq!(written("domains", "well-known"), ["dns.google", "evil.net"]);
    assert_eq!(written("ips", "special"), ["10.1.2.3"]);
    assert_eq!(written("ips", "prefix"), ["44.0.0.0/7"]);
    assert_eq!(written("ips", "special,well-known"), ["8.8.4.4", "10.1.2.3"]);
    assert_eq!(place.run(&["block", "-f", "ips", "-i", "in.txt", "--unguard", "all"]).code, 2);
}

#[test]
fn allowed_addresses_cut_holes_and_allow_files_are_read() {
    let place = Place::new(&[
        ("in.txt", "45.1.2.0/30\n45.2.0.0/24\nhttp://45.2.0.9/x\nhttp://a.friend.net/x\nhttp://evil.net/x\n"),
        ("allow.txt", "# ours\n45.1.2.1\n1,friend.net\n"),
        ("warn.json", r#"{"name":"x","type":"cidr","list":["45.2.0.0/24"]}"#),
    ]);
    let args = ["-i", "in.txt", "--allow", "allow.txt", "--allow-files", "warn.json"];
    let out = |format| place.run(&[&["block", "-f", format], &args[..]].concat()).out;
    let lines = |text: String| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(out("ips")), ["45.1.2.0", "45.1.2.2/31"]);
    assert_eq!(lines(out("urls")), ["http://evil.net/x"]);
    let missing = place.run(&["block", "-f", "ips", "-i", "in.txt", "--allow", "no-such.txt"]);
    assert_eq!((missing.code, missing.out.as_str()), (2, ""), "{}", missing.err);
    assert!(missing.err.contains("no-such.txt: No such file"), "{}", missing.err);
}

#[test]
fn a_file_is_left_alone_when_nothing_changed() {
    let place = Place::new(&[("a.txt", "evil.net\n45.1.2.3\n"), ("b.txt", "45.1.2.3\nevil.net\n")]);
    for format in ["rpz", "csv"] {
        let run = |input: &str| place.run(&["block", "-f", format, "-i", input, "-o", "out"]);
        assert_eq!(run("a.txt").code, 0);
        let (first, stamp) = (place.read("out"), fs::metadata(place.path("out")).and_then(|m| m.modified()).ok());
        std::thread::sleep(Duration::from_millis(1100));
        let again = run("a.txt");
        assert_eq!(again.code, 0);
        assert!(again.err.contains("nothing changed"), "{}", again.err);
        assert_eq!(place.read("out"), first);
        assert_eq!(fs::metadata(place.path("out")).and_then(|m| m.modified()).ok(), stamp);
        fs::remove_file(place.path("out")).expect("it is there");
    }
    let run = |input: &str| place.run(&["block", "-f", "ips", "-i", input]).out;
    let content = |out: String| out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(content(run("a.txt")), content(run("b.txt")));
}

#[test]
fn a_new_serial_is_above_the_old_one_whatever_that_was() {
    let place = Place::new(&[("in.txt", "evil.net\n")]);
    let serial = |file: &str| -> u32 {
        let soa = file.lines().find(|line| line.starts_with('@')).expect("a SOA");
        soa.split_whitespace().nth(4).and_then(|serial| serial.parse().ok()).expect("a serial")
    };
    for old in [5_u32, 2_026_112_201, u32::MAX] {
        place.write("out", &format!("$TTL 300\n@ SOA localhost. hostmaster.localhost. {old} 1 1 1 1\nx.net CNAME .\n"));
        assert_eq!(place.run(&["block", "-f", "rpz", "-i", "in.txt", "-o", "out"]).code, 0);
        let new = serial(&place.read("out"));
        assert!(new.wrapping_sub(old).wrapping_sub(1) < 1 << 31, "{old} -> {new}");
    }
    // Two writings within a second.
    let first = serial(&place.read("out"));
    place.write("in.txt", "evil.net\nevil.org\n");
    assert_eq!(place.run(&["block", "-f", "rpz", "-i", "in.txt", "-o", "out"]).code, 0);
    assert!(serial(&place.read("out")) > first);
}

#[test]
fn lists_that_change_too_much_are_refused() {
    let list = |n: u32| (0..n).map(|i| format!("45.1.{i}.1")).collect::<Vec<_>>().join("\n");
    let place =
        Place::new(&[("ten", &list(10)), ("five", &list(5)), ("four", &list(4)), ("none", "# nothing\n10.0.0.1\n")]);
    let write = |input: &str, more: &[&str]| place.run(&with(&["block", "-f", "ips", "-i", input, "-o", "out"], more));
    assert_eq!(write("ten", &[]).code, 0);
    let refused = write("four", &[]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("max_shrink"), "{}", refused.err);
    assert_eq!(place.entries("out").len(), 10, "what stands is untouched");
    assert_eq!(write("four", &["--max-shrink", "0.6"]).code, 0);
    assert_eq!(write("ten", &["--max-growth", "2"]).code, 2);
    assert_eq!(write("ten", &["--max-growth", "2", "--force"]).code, 0);
    assert_eq!(write("five", &[]).code, 0, "half is not more than half");
    let empty = write("none", &[]);
    assert_eq!((empty.code, place.entries("out").len()), (2, 5), "{}", empty.err);
    assert_eq!(write("none", &["--force"]).code, 0);
    assert_eq!(place.entries("out").len(), 0);
    let nothing = place.run(&["block", "-f", "ips", "-i", "none", "-o", "new"]);
    assert_eq!((nothing.code, place.path("new").exists()), (2, false));
}

#[test]
fn differences_are_printed_and_nothing_is_written() {
    let place = Place::new(&[("in.txt", "evil.net\nnew.org\n"), ("out", "evil.net\nold.org\nco.uk\n")]);
    let diff = place.run(&["block", "-f", "domains", "-i", "in.txt", "-o", "out", "--diff"]);
    assert_eq!((diff.code, diff.out.as_str()), (1, "+ new.org\n- old.org\n- co.uk\n"));
    assert_eq!(place.read("out"), "evil.net\nold.org\nco.uk\n");
    place.write("in.txt", "evil.net\nold.org\nco.uk\n");
    let dry = place.run(&["block", "-f", "domains", "-i", "in.txt", "-o", "out", "--dry-run"]);
    assert_eq!((dry.code, dry.out.as_str()), (0, "- co.uk (guard)\n"));
    place.write("in.txt", "evil.net\nold.org\n");
    place.write("out", "old.org\nevil.net\n");
    let same = place.run(&["block", "-f", "domains", "-i", "in.txt", "-o", "out", "--diff"]);
    assert_eq!((same.code, same.out.as_str()), (0, ""));
    assert!(!place.path("state").exists(), "a comparison leaves no trace");
}

#[test]
fn the_most_confident_entries_stay() {
    let bundle = bundle(&[
        indicator(1, "[domain-name:value = 'low.net']", r#","confidence":10"#),
        indicator(2, "[domain-name:value = 'high.net']", r#","confidence":90"#),
        indicator(3, "[domain-name:value = 'unknown.net']", ""),
        indicator(4, "[domain-name:value = 'middle.net']", r#","confidence":50"#),
    ]);
    let place = Place::new(&[("in.json", &bundle)]);
    let args = ["block", "-f", "domains", "-i", "in.json", "-o", "out", "--max-entries", "2", "--report", "report"];
    assert_eq!(place.run(&with(&args, AT)).code, 0);
    assert_eq!(place.entries("out"), ["middle.net", "high.net"]);
    let report = place.read("report");
    assert_eq!(report.matches(r#""reason":"limit""#).count(), 2, "{report}");
}

#[test]
fn values_grow_too_old_unless_they_have_an_end() {
    let bundle = bundle(&[
        indicator(1, "[ipv4-addr:value = '45.1.1.1']", ""),
        indicator(2, "[ipv4-addr:value = '45.1.1.3']", r#","valid_until":"2027-01-01T00:00:00Z""#),
        indicator(3, "[domain-name:value = 'evil.net']", ""),
    ]);
    let place = Place::new(&[("in.json", &bundle)]);
    let run = |at: &str| {
        let args = ["block", "-f", "csv", "-i", "in.json", "--max-age", "ip=30d", "--at", at];
        place
            .run(&args)
            .out
            .lines()
            .skip(1)
            .filter_map(|row| Some(row.split(',').nth(1)?.to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(run("2026-01-30T23:59:59Z"), ["evil.net", "45.1.1.1", "45.1.1.3"]);
    assert_eq!(run("2026-01-31T00:00:00Z"), ["evil.net", "45.1.1.3"]);
}

#[test]
fn subdomains_and_exceptions_follow_the_format() {
    let place = Place::new(&[("in.txt", "evil.net\nwww.evil.net\nevil.org\n")]);
    let out = |more: &[&str]| {
        let said = place.run(&with(&["block", "-i", "in.txt"], more));
        assert_eq!(said.code, 0, "{}", said.err);
        said.out.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(out(&["-f", "domains"]), ["evil.org", "evil.net"]);
    assert_eq!(out(&["-f", "hosts"]).iter().filter(|line| line.starts_with("0.0.0.0")).count(), 3);
    let held = out(&["-f", "domains", "--allow", "ok.evil.net"]);
    assert_eq!(held, ["evil.org", "www.evil.net"], "the parent covers an allowed name");
    let excepted = out(&["-f", "rpz", "--allow", "ok.evil.net"]).join("\n");
    assert!(excepted.contains("\nok.evil.net CNAME rpz-passthru.") && excepted.contains("\nevil.net CNAME ."));
    let formats = serde_json::from_str::<serde_json::Value>(&place.run(&["formats", "--json"]).out).expect("JSON");
    let always = formats.as_array().expect("an array").iter().find(|format| format["subdomains"] == "always");
    let always = always.expect("some format knows no other way");
    let kind = always["kinds"][0].as_str().expect("a kind");
    let args = ["block", "-i", "in.txt", "-f", always["name"].as_str().expect("a name"), "--kinds", kind];
    assert_eq!(place.run(&with(&args, &["--subdomains", "false"])).code, 2);
}

#[test]
fn a_file_of_one_kind_needs_one() {
    let place = Place::new(&[("in.txt", "evil.net\n45.1.2.3\n")]);
    let run = |kinds: &[&str]| place.run(&with(&["block", "-f", "edl", "-i", "in.txt"], kinds));
    assert_eq!(run(&[]).code, 2);
    assert_eq!(run(&["--kinds", "ip,domain"]).code, 2);
    assert!(run(&["--kinds", "ip"]).out.contains("45.1.2.3"));
    let wrong = run(&["--kinds", "email"]);
    assert!(wrong.code == 2 && wrong.err.contains("cannot carry email; it carries domain, ip, url"), "{}", wrong.err);
    assert_eq!(run(&["--kinds", "nonsense"]).code, 2);
}

const CONFIG: &str = r#"
[policy]
allow = ["friend.net"]
unguard = ["well-known"]

[[output]]
name = "names"
format = "domains"
path = "lists/names"
validate = "sh -c 'test ! -e fail-validate' {}"
reload = "sh -c 'echo reloaded >> reloads; test ! -e fail-reload'"

[[output]]
name = "addresses"
format = "nftables"
path = "lists/addresses"
"#;

fn configured() -> Place {
    let place = Place::new(&[("stockade.toml", CONFIG), ("in.txt", "evil.net\nx.friend.net\n45.1.2.3\ndns.google\n")]);
    fs::create_dir(place.path("lists")).expect("a folder");
    place
}

#[test]
fn all_outputs_are_written_as_configured() {
    let place = configured();
    let said = place.run(&["block", "--all", "-i", "in.txt"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(place.entries("lists/names"), ["dns.google", "evil.net"]);
    assert!(place.read("lists/addresses").contains("45.1.2.3"));
    assert_eq!(place.names("lists"), ["addresses", "names"], "nothing of ours beside them");
    assert_eq!(place.read("reloads"), "reloaded\n");
    place.run(&["block", "--all", "-i", "in.txt"]);
    assert_eq!(place.read("reloads"), "reloaded\n", "nothing changed, nothing is reloaded");
    place.write("stockade.toml", "[policy]\nmin_confidense = 1\n");
    let wrong = place.run(&["block", "--all", "-i", "in.txt"]);
    assert!(wrong.code == 2 && wrong.err.contains("stockade.toml:2: unknown key `min_confidense`"), "{}", wrong.err);
}

#[test]
fn a_file_that_is_not_accepted_does_not_replace_the_old_one() {
    let place = configured();
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 0);
    let old = place.read("lists/names");
    place.write("in.txt", "evil.net\nevil.org\n45.1.2.4\n");
    place.write("fail-validate", "");
    let said = place.run(&["block", "--all", "-i", "in.txt"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("names: ") && said.err.contains("not replaced: validate command"), "{}", said.err);
    assert_eq!(place.read("lists/names"), old);
    assert!(place.read("lists/addresses").contains("45.1.2.4"), "one output does not stop the other");
    assert_eq!(place.names("lists"), ["addresses", "names"]);
}

#[test]
fn the_old_file_comes_back_when_reload_fails_and_reload_is_tried_again() {
    let place = configured();
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 0);
    let old = place.read("lists/names");
    place.write("in.txt", "evil.net\nevil.org\n45.1.2.3\n");
    place.write("fail-reload", "");
    let said = place.run(&["block", "--all", "-i", "in.txt"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("the file that stood before is back"), "{}", said.err);
    assert_eq!(place.read("lists/names"), old);
    fs::remove_file(place.path("fail-reload")).expect("it is there");
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 0);
    assert!(place.read("lists/names").contains("evil.org"));
    assert_eq!(place.read("reloads").lines().count(), 3);
}

#[test]
fn a_first_reload_that_fails_is_tried_again_although_nothing_changed() {
    let place = configured();
    place.write("fail-reload", "");
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 2);
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 2);
    fs::remove_file(place.path("fail-reload")).expect("it is there");
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 0);
    assert_eq!(place.read("reloads").lines().count(), 3);
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 0);
    assert_eq!(place.read("reloads").lines().count(), 3);
}

#[test]
fn the_previous_file_can_be_brought_back() {
    let place = configured();
    assert_eq!(place.run(&["block", "--rollback", "names"]).code, 2, "there is none yet");
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 0);
    let first = place.read("lists/names");
    place.write("in.txt", "evil.net\nevil.org\n45.1.2.3\n");
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 0);
    let second = place.read("lists/names");
    assert_eq!(place.run(&["block", "--rollback", "names"]).code, 0);
    assert_eq!(place.read("lists/names"), first);
    assert_eq!(place.run(&["block", "--rollback", "lists/names"]).code, 0, "by its path, and forth again");
    assert_eq!(place.read("lists/names"), second);
    // A list that did not stay is not the previous one.
    place.write("in.txt", "evil.net\n45.1.2.3\n");
    place.write("fail-reload", "");
    assert_eq!(place.run(&["block", "--all", "-i", "in.txt"]).code, 2);
    fs::remove_file(place.path("fail-reload")).expect("it is there");
    assert_eq!(place.run(&["block", "--rollback", "names"]).code, 0);
    assert_eq!(place.read("lists/names"), first);
}

#[test]
fn sources_that_were_never_fetched_say_so() {
    let source = "[[source]]\nname = \"feed\"\nkind = \"list\"\nurl = \"in.txt\"\n";
    let place = Place::new(&[("stockade.toml", source), ("in.txt", "evil.net\n"), ("feed", "evil.net\n")]);
    let said = place.run(&["block", "-f", "domains", "-i", "feed"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("source feed has never been fetched"), "{}", said.err);
    assert_eq!(place.run(&["block", "-f", "domains", "-i", "./feed"]).code, 0, "this is the file");
    assert_eq!(place.run(&["block", "-f", "domains"]).code, 2);
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_mode_and_owner() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let place = Place::new(&[("in.txt", "evil.net\n"), ("out", "old.net\n")]);
    fs::set_permissions(place.path("out"), fs::Permissions::from_mode(0o640)).expect("it is ours");
    // Only root may give files away; for others the owner stays the same anyway.
    let _ = chown(place.path("out"), Some(1234), Some(2345));
    let before = fs::metadata(place.path("out")).expect("it is there");
    assert_eq!(place.run(&["block", "-f", "domains", "-i", "in.txt", "-o", "out"]).code, 0);
    let after = fs::metadata(place.path("out")).expect("it is there");
    assert_ne!(before.ino(), after.ino(), "it was replaced");
    assert_eq!((before.mode(), before.uid(), before.gid()), (after.mode(), after.uid(), after.gid()));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_out_of_their_directory() {
    use std::os::unix::fs::symlink;
    let place = Place::new(&[("in.txt", "evil.net\n"), ("real", "old.net\n"), ("victim", "precious\n")]);
    fs::create_dir(place.path("lists")).expect("a folder");
    symlink("../victim", place.path("lists/out")).expect("a link");
    symlink("real", place.path("inside")).expect("a link");
    symlink("nowhere", place.path("dangling")).expect("a link");
    let write = |output: &str| place.run(&["block", "-f", "domains", "-i", "in.txt", "-o", output]);
    let outside = write("lists/out");
    assert!(outside.code == 2 && outside.err.contains("is a link out of its directory"), "{}", outside.err);
    assert_eq!(place.read("victim"), "precious\n");
    assert_eq!(write("inside").code, 0);
    assert_eq!(place.entries("real"), ["evil.net"], "within the directory the file is replaced, and the link stays");
    assert!(fs::symlink_metadata(place.path("inside")).expect("it is there").is_symlink());
    for wrong in ["dangling", "lists", "no/such/folder", "/dev/null"] {
        assert_eq!(write(wrong).code, 2, "{wrong}");
    }
}

/// Waits until a condition holds; tests that need this fail after a long while instead of hanging.
fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs")
}

#[test]
fn what_a_killed_run_left_is_swept_by_the_next_and_a_living_one_is_left_alone() {
    let place = Place::new(&[("in.txt", "evil.net\n")]);
    fs::create_dir(place.path("lists")).expect("a folder");
    place.write("lists/out", "old.net\n");
    // The validate command waits, so that the run is killed between writing and replacing.
    let args = ["block", "-f", "domains", "-i", "in.txt", "-o", "lists/out"];
    let waiting = with(&args, &["--validate", "sh -c 'touch started; sleep 20 & wait'"]);
    let mut child = spawn(place.command(&waiting));
    wait_for("validation", || place.path("started").exists());
    let names = place.names("lists");
    assert_eq!(names.len(), 2, "{names:?}");
    let lock = || {
        // Another run waits for this one; without the folder for state it would not, and must not sweep either.
        let mut other = place.command(&args);
        other.env("XDG_STATE_HOME", place.path("elsewhere"));
        other.output().expect("it runs").status.code()
    };
    assert_eq!(lock(), Some(0));
    assert_eq!(place.names("lists").len(), 2, "the temporary file of a living run stays");
    child.kill().expect("it lives");
    child.wait().expect("it lived");
    assert_eq!(place.entries("lists/out"), ["evil.net"]);
    place.write("in.txt", "evil.net\nevil.org\n");
    // The orphaned command holds no lock: the file is closed when a program is started.
    assert_eq!(place.run(&args).code, 0);
    assert_eq!(place.names("lists"), ["out"]);
    assert_eq!(place.entries("lists/out"), ["evil.org", "evil.net"]);
}

#[test]
fn formats_are_listed_for_programs() {
    let place = Place::new(&[]);
    let said = place.run(&["formats", "--json"]);
    let formats: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    for (name, kinds, one_kind) in [
        ("domains", &["domain"][..], false),
        ("ips", &["ip"], false),
        ("urls", &["url"], false),
        ("hashes", &["md5", "sha1", "sha256"], false),
        ("rpz", &["domain", "ip"], false),
        ("suricata", &["domain", "md5", "sha256"], true),
        ("haproxy", &["domain", "ip"], true),
        ("edl", &["domain", "ip", "url"], true),
    ] {
        let row = formats.as_array().expect("an array").iter().find(|row| row["name"] == name).expect(name);
        assert_eq!(row["kinds"].as_array().expect("an array"), kinds, "{name}");
        assert_eq!(row["one_kind"], one_kind, "{name}");
        assert!(["option", "always", "never"].contains(&row["subdomains"].as_str().expect("text")), "{name}");
    }
    assert_eq!(place.run(&["block", "-f", "gopher", "-i", "x"]).code, 2);
}

#[test]
fn a_source_that_ends_early_writes_nothing() {
    let whole = bundle(&[indicator(1, "[domain-name:value = 'evil.net']", "")]);
    let place = Place::new(&[("in.json", &whole[..whole.len() - 3]), ("out", "old.net\n")]);
    let said = place.run(&with(&["block", "-f", "domains", "-i", "in.json", "-o", "out"], AT));
    assert_eq!(said.code, 2, "{}", said.err);
    assert_eq!(place.read("out"), "old.net\n");
    assert!(Path::new(&place.path("out")).exists());
}

#[test]
fn why_names_the_outputs_that_carry_a_value_and_what_holds_it_back() {
    let place = configured();
    for (value, said) in [
        ("45.1.2.3", "output names (domains): does not carry it\noutput addresses (nftables): carries it\n"),
        ("www.evil.net", "output names (domains): carries it\n"),
        ("http://evil.net/x", "output names (domains): carries it\n"),
        ("x.friend.net", "output names (domains): held back: allow (on the allowlist)\n"),
    ] {
        let out = place.run(&["why", value, "-i", "in.txt", "--subdomains"]).out;
        assert!(out.contains(said), "{value}: {out}");
    }
    let json = place.run(&["why", "x.friend.net", "-i", "in.txt", "--json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["outputs"][0]["carried"], false);
    assert_eq!(json["held_back"]["reason"], "allow");
    fs::remove_file(place.path("stockade.toml")).expect("it is there");
    let out = place.run(&["why", "dns.google", "-i", "in.txt"]).out;
    assert!(out.ends_with("blocklists: held back: guard (well-known)\n"), "{out}");
}
