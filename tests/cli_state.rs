//! What goes on from one run to the next, or while a search goes on for long: what the header of a table said, and which
//! indicators there are.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FOUND: &str = "203.0.113.9";
/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(30);

fn stockade(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    command.args(args).current_dir(dir).stdin(Stdio::null()).env_remove("STOCKADE_CONFIG");
    command
}

/// The fields of the hits of a run with a state.
fn fields(dir: &Path, log: &str) -> Vec<String> {
    let args = ["match", "-i", "list", "--json", "--state", "state", log];
    let output = stockade(dir, &args).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let hits = String::from_utf8(output.stdout).expect("text");
    let field = |hit: &str| {
        let hit: serde_json::Value = serde_json::from_str(hit).expect("JSON");
        hit["field"].as_str().unwrap_or("none").to_owned()
    };
    hits.lines().map(field).collect()
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("opened");
    file.write_all(text.as_bytes()).expect("written");
}

#[test]
fn the_next_run_knows_what_header_lines_said_wherever_they_stand() {
    let many = |line: &str| line.repeat((200 << 10) / line.len());
    for (name, first, line, field, second, other) in [
        (
            "zeek",
            "#separator \\x09\n#unset_field\t-\n#fields\tts\tid.orig_h\tnote\tid.resp_h\n",
            "1769853903.25\t10.0.0.1\tx\tADDRESS\n",
            "id.resp_h",
            "#fields\tts\tid.resp_h\tnote\tid.orig_h\n",
            "id.orig_h",
        ),
        (
            "w3c",
            "#Version: 1.0\n#Fields: date time c-ip s-ip\n",
            "2026-01-31 10:05:03 10.0.0.1 ADDRESS\n",
            "s-ip",
            "#Fields: date time s-ip c-ip\n",
            "c-ip",
        ),
        ("csv", "when,src_ip,note,dst_ip\n", "2026-01-31,10.0.0.1,x,ADDRESS\n", "dst_ip", "", "dst_ip"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let (dir, log) = (dir.path(), dir.path().join(name));
        fs::write(dir.join("list"), format!("{FOUND}\n")).expect("written");
        let hit = line.replace("ADDRESS", FOUND);
        let quiet = line.replace("ADDRESS", "10.0.0.2");
        append(&log, &[first, &many(&quiet), &hit].concat());
        assert_eq!(fields(dir, name), [field], "{name}");
        append(&log, &[second, &many(&quiet), &quiet].concat());
        assert_eq!(fields(dir, name), Vec::<String>::new(), "{name}");
        append(&log, &hit);
        assert_eq!(fields(dir, name), [other], "{name}");
        // A header that is new holds from there on.
        append(&log, &format!("{first}{hit}"));
        assert_eq!(fields(dir, name).len(), 1, "{name}");
        append(&log, &hit);
        assert_eq!(fields(dir, name), [field], "{name}");
    }
}

struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_is_fetched_is_searched_for_without_a_signal() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let config =
        "[store]\ndir = \"state\"\n[[source]]\nname = \"mine\"\nkind = \"list\"\nurl = \"mine.txt\"\nmax_drop = 1.0\n";
    fs::write(dir.join("stockade.toml"), config).expect("written");
    fs::write(dir.join("mine.txt"), "192.0.2.1\n").expect("written");
    let fetch = || {
        let output = stockade(dir, &["fetch", "--quiet"]).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    fetch();
    append(&dir.join("log"), "to 192.0.2.1\n");
    let hits = fs::File::create(dir.join("hits")).expect("created");
    let errors = fs::File::create(dir.join("errors")).expect("created");
    let child = stockade(dir, &["match", "--follow", "-o", "-i", "mine", "log"]).stdout(hits).stderr(errors).spawn();
    let _following = Following(child.expect("it runs"));
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_default();
    let until = |name: &str, part: &str| {
        let started = Instant::now();
        while !read(name).contains(part) {
            assert!(started.elapsed() < PATIENCE, "no {part} in {}\n{}", read(name), read("errors"));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until("hits", "log:1:192.0.2.1");
    // A fetch that brings nothing new changes nothing.
    fetch();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(read("errors"), "");
    fs::write(dir.join("mine.txt"), format!("192.0.2.1\n{FOUND}\n")).expect("written");
    fetch();
    until("errors", "read anew: 2 take part");
    append(&dir.join("log"), &format!("to {FOUND}\n"));
    until("hits", &format!("log:2:{FOUND}"));
}

/// The processor time that a process has taken.
fn processor_time(child: &Child) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
    let numbers: Vec<u64> =
        stat.rsplit(')').next().expect("numbers").split(' ').filter_map(|n| n.parse().ok()).collect();
    // User and system time, in hundredths of a second; the state of the process is no number.
    Duration::from_millis(10 * (numbers[10] + numbers[11]))
}

#[test]
#[cfg(target_os = "linux")]
fn following_many_files_costs_little_while_nothing_comes() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    fs::write(dir.join("list"), format!("{FOUND}\n")).expect("written");
    fs::create_dir(dir.join("d")).expect("created");
    for number in 0..200 {
        let mut text = String::new();
        let _ = writeln!(text, "line of {number}");
        fs::write(dir.join(format!("d/{number}.log")), text).expect("written");
    }
    let hits = fs::File::create(dir.join("hits")).expect("created");
    let child = stockade(dir, &["match", "--follow", "-o", "-i", "list", "-r", "d"]).stdout(hits).spawn();
    let following = Following(child.expect("it runs"));
    let until = |part: &str| {
        let started = Instant::now();
        while !fs::read_to_string(dir.join("hits")).unwrap_or_default().contains(part) {
            assert!(started.elapsed() < PATIENCE, "no {part}");
            std::thread::sleep(Duration::from_millis(5));
        }
        started.elapsed()
    };
    append(&dir.join("d/7.log"), &format!("{FOUND}\n"));
    until("d/7.log:2");
    std::thread::sleep(Duration::from_secs(1));
    let before = processor_time(&following.0);
    std::thread::sleep(Duration::from_secs(3));
    let idle = processor_time(&following.0).saturating_sub(before);
    // Without optimisation, on a busy machine; 1 % of a core is what is aimed at.
    assert!(idle < Duration::from_millis(300), "{idle:?} of 3 s");
    // And yet new lines and new files are found soon.
    append(&dir.join("d/8.log"), &format!("{FOUND}\n"));
    until("d/8.log:2");
    append(&dir.join("d/new.log"), &format!("{FOUND}\n"));
    until("d/new.log:1");
    fs::create_dir(dir.join("d/below")).expect("created");
    append(&dir.join("d/below/new.log"), &format!("{FOUND}\n"));
    until("d/below/new.log:1");
}
