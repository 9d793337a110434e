//! What operations rely on in `stockade match --follow` and `--state`: every line is searched once, whatever becomes of the
//! files, and whenever the process is killed.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(30);

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        place.write("list", "203.0.113.9\nevil.example\n");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("written");
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).expect("opened");
        file.write_all(text.as_ref()).expect("written");
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
        command.args(["match", "-i", "list"]).args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Exit code, what was found as `path:line`, and messages.
    fn run(&self, args: &[&str]) -> (i32, Vec<String>, String) {
        let Output { status, stdout, stderr } = self.command(args).output().expect("it runs");
        let text = String::from_utf8(stdout).expect("text");
        (status.code().unwrap_or(-1), places(&text), String::from_utf8_lossy(&stderr).into_owned())
    }

    /// Follows in the background, with output added to the file `hits`.
    fn follow(&self, args: &[&str]) -> Following<'_> {
        let hits = OpenOptions::new().append(true).create(true).open(self.path("hits")).expect("opened");
        let errors = OpenOptions::new().append(true).create(true).open(self.path("errors")).expect("opened");
        let child = self.command(&["--follow"]).args(args).stdout(hits).stderr(errors).spawn().expect("it runs");
        Following { place: self, child }
    }

    fn hits(&self) -> String {
        fs::read_to_string(self.path("hits")).unwrap_or_default()
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.path("errors")).unwrap_or_default()
    }
}

/// The places of rows, as `path:line`.
fn places(rows: &str) -> Vec<String> {
    rows.lines().map(|row| row.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")).collect()
}

struct Following<'p> {
    place: &'p Place,
    child: Child,
}

impl Following<'_> {
    /// Waits until that many rows were written.
    fn until(&mut self, rows: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let hits = self.place.hits();
            let found = places(&hits);
            if found.len() >= rows {
                return found;
            }
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                panic!("ended with {status}: {}", self.place.errors());
            }
            assert!(started.elapsed() < PATIENCE, "{} of {rows} rows:\n{hits}\n{}", found.len(), self.place.errors());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("there is kill").success());
    }

    /// Ends it; gives the exit code.
    fn end(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Long enough for files to be looked at.
fn a_moment() {
    std::thread::sleep(Duration::from_millis(400));
}

#[test]
fn a_file_is_followed_from_its_beginning() {
    let place = Place::new();
    place.write("a.log", "1 203.0.113.9\n2\n3 evil.example\n4 203.0.113.9 and no end");
    let mut following = place.follow(&["a.log"]);
    assert_eq!(following.until(2), ["a.log:1", "a.log:3"]);
    a_moment();
    assert_eq!(places(&place.hits()).len(), 2, "a line is searched when its newline arrives");
    place.append("a.log", "ing 203.0.113.99\n5 203.0.113.9\n");
    assert_eq!(following.until(4)[2..], ["a.log:4", "a.log:5"]);
    assert!(place.hits().contains("4 203.0.113.9 and no ending"));
    assert_eq!(following.end(), 0);
}

#[test]
fn the_exit_code_is_that_of_match() {
    let place = Place::new();
    place.write("a.log", "quiet\n");
    let following = place.follow(&["a.log"]);
    a_moment();
    assert_eq!(following.end(), 1);
    let following = place.follow(&["a.log", "."]);
    a_moment();
    assert_eq!(following.end(), 2);
    assert!(place.errors().contains(".: is a directory (-r searches the files in it)"), "{}", place.errors());
    let mut following = place.follow(&["-q", "a.log"]);
    place.append("a.log", "203.0.113.9\n");
    assert_eq!(following.child.wait().expect("it ends").code(), Some(0), "-q ends with the first hit");
}

#[test]
fn hits_come_soon_after_their_lines() {
    let place = Place::new();
    place.write("a.log", "");
    let mut following = place.follow(&["a.log", "later.log"]);
    a_moment();
    let mut slowest = Duration::ZERO;
    for line in 1..=10 {
        let written = Instant::now();
        place.append(if line % 2 == 0 { "a.log" } else { "later.log" }, "203.0.113.9\n");
        following.until(line);
        slowest = slowest.max(written.elapsed());
    }
    eprintln!("the slowest of ten hits came after {slowest:?}");
}

#[test]
fn rotation_by_rename_finishes_the_old_file_first() {
    let place = Place::new();
    place.write("a.log", "1 203.0.113.9\n");
    let mut following = place.follow(&["a.log"]);
    following.until(1);
    // Written after the last look, and the end without a newline.
    place.append("a.log", "2 203.0.113.9\n3 203.0.113.9");
    place.rename("a.log", "a.log.1");
    place.append("a.log.1", " still the old file\n4 evil.example at the end");
    place.write("a.log", "5 203.0.113.9\n");
    let rows = following.until(5);
    assert_eq!(rows.iter().filter(|row| *row == "a.log:1").count(), 2, "the first lines of both files");
    let hits = place.hits();
    assert!(
        hits.contains("3 203.0.113.9 still the old file\n") && hits.contains("4 evil.example at the end\n"),
        "{hits}"
    );
    // Whoever had it open may go on writing to it.
    place.append("a.log.1", "\n6 203.0.113.9\n");
    following.until(6);
    assert_eq!(following.end(), 0);
    assert_eq!(place.errors(), "");
}

#[test]
fn rotation_by_truncation_loses_nothing_that_was_copied() {
    let place = Place::new();
    let mut following = place.follow(&["a.log"]);
    place.write("a.log", "1 203.0.113.9\n");
    following.until(1);
    place.append("a.log", "2 203.0.113.9\n3 203.0.113.9\n");
    fs::copy(place.path("a.log"), place.path("a.log.1")).expect("copied");
    File::create(place.path("a.log")).expect("truncated");
    place.append("a.log", "4 203.0.113.9\n");
    following.until(4);
    a_moment();
    let mut lines: Vec<String> =
        place.hits().lines().filter_map(|row| row.split("] ").nth(1)).map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["1 203.0.113.9", "2 203.0.113.9", "3 203.0.113.9", "4 203.0.113.9"]);
    assert_eq!(following.end(), 0);
}

#[test]
fn a_file_that_is_written_anew_and_longer_is_noticed() {
    let place = Place::new();
    place.write("a.log", "1 203.0.113.9\n");
    let mut following = place.follow(&["a.log"]);
    following.until(1);
    // The same file, and more in it than before.
    fs::write(place.path("a.log"), "7 evil.example is longer than what was there\n8 evil.example\n").expect("written");
    assert_eq!(following.until(3)[1..], ["a.log:1", "a.log:2"]);
    assert_eq!(following.end(), 0);
}

#[test]
fn files_may_come_and_go() {
    let place = Place::new();
    let mut following = place.follow(&["a.log", "-r", "d", "e/*.txt"]);
    a_moment();
    assert!(place.errors().contains("a.log: is not there yet"), "{}", place.errors());
    place.write("a.log", "203.0.113.9\n");
    following.until(1);
    fs::create_dir_all(place.path("d/below")).expect("created");
    fs::create_dir_all(place.path("e")).expect("created");
    place.write("d/below/new", "203.0.113.9\n");
    following.until(2);
    place.write("e/new.txt", "203.0.113.9\n");
    place.write("e/new.log", "203.0.113.9\n");
    following.until(3);
    fs::remove_file(place.path("a.log")).expect("removed");
    a_moment();
    place.write("a.log", "evil.example\n");
    assert_eq!(following.until(4), ["a.log:1", "d/below/new:1", "e/new.txt:1", "a.log:1"]);
    // Rotated within what is followed: it is the same file still.
    place.rename("e/new.txt", "e/old.txt");
    place.append("e/old.txt", "203.0.113.9\n");
    following.until(5);
    a_moment();
    assert_eq!(places(&place.hits()).len(), 5);
    assert_eq!(following.end(), 0);
}

#[test]
fn compressed_files_are_read_when_they_are_whole() {
    let place = Place::new();
    fs::create_dir(place.path("d")).expect("created");
    let text = "198.51.100.7 and what else there is\n".repeat(5000) + "203.0.113.9\n";
    let packed = zstd::encode_all(text.as_bytes(), 1).expect("in memory");
    let mut following = place.follow(&["-r", "d"]);
    a_moment();
    let (first, second) = packed.split_at(packed.len() / 2);
    place.append("d/a.zst", first);
    a_moment();
    place.append("d/a.zst", second);
    assert_eq!(following.until(1), ["d/a.zst:5001"]);
    assert_eq!(following.end(), 0);
    assert_eq!(place.errors(), "");
}

#[test]
fn pipes_are_followed_too() {
    let place = Place::new();
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().expect("there is mkfifo").success());
    let mut following = place.follow(&["pipe", "a.log"]);
    for rows in 1..3 {
        fs::write(place.path("pipe"), "203.0.113.9\n").expect("somebody reads");
        following.until(rows);
    }
    assert_eq!(following.end(), 0);
}

#[test]
fn indicators_are_read_anew_when_they_change() {
    let place = Place::new();
    place.write("a.log", "203.0.113.9\n");
    let mut following = place.follow(&["a.log"]);
    following.until(1);
    place.write("list.new", "203.0.113.9\nnew.example\n");
    place.rename("list.new", "list");
    let started = Instant::now();
    while !place.errors().contains("indicators were read anew: 2 take part") {
        assert!(started.elapsed() < PATIENCE, "{}", place.errors());
        std::thread::sleep(Duration::from_millis(20));
    }
    place.append("a.log", "new.example and not evil.example\n");
    assert_eq!(following.until(2), ["a.log:1", "a.log:2"]);
    // What cannot be read leaves everything as it was.
    place.write("list", "");
    following.signal("HUP");
    let started = Instant::now();
    while !place.errors().contains("those that were loaded before stay in use: there are no indicators any more") {
        assert!(started.elapsed() < PATIENCE, "{}", place.errors());
        std::thread::sleep(Duration::from_millis(20));
    }
    place.append("a.log", "203.0.113.9\n");
    following.until(3);
    assert_eq!(following.end(), 0);
}

#[test]
fn a_state_makes_runs_go_on_where_the_last_one_ended() {
    let place = Place::new();
    let run = |args: &[&str]| place.run(&[&["--state", "st"], args].concat());
    place.write("a.log", "1 203.0.113.9\n2\n");
    assert_eq!(run(&["a.log"]), (0, vec!["a.log:1".into()], String::new()));
    assert_eq!(run(&["a.log"]), (1, vec![], String::new()));
    place.append("a.log", "3 203.0.113.9\n4 203.0.113.9");
    let left = "stockade: a.log: the last line has no newline yet, and is left for the next run\n";
    assert_eq!(run(&["a.log"]), (0, vec!["a.log:3".into()], left.into()));
    place.append("a.log", " is whole now\n");
    assert_eq!(run(&["a.log"]).1, ["a.log:4"]);
    // Rotated and added to, twice, with a file between that no run has seen.
    place.append("a.log", "5 203.0.113.9\n6 203.0.113.9 without a newline");
    place.rename("a.log", "a.log.2");
    std::thread::sleep(Duration::from_millis(20));
    place.write("a.log.1", "7 203.0.113.9\n");
    place.write("a.log", "8 203.0.113.9\n");
    assert_eq!(run(&["a.log"]).1, ["a.log.2:5", "a.log.2:6", "a.log.1:1", "a.log:1"]);
    assert_eq!(run(&["a.log"]), (1, vec![], String::new()));
    // Rotated and compressed.
    place.append("a.log", "9 203.0.113.9\n");
    let text = fs::read(place.path("a.log")).expect("readable");
    place.write("a.log.1.zst", zstd::encode_all(&text[..], 1).expect("in memory"));
    fs::remove_file(place.path("a.log")).expect("removed");
    place.write("a.log", "10 203.0.113.9\n");
    assert_eq!(run(&["a.log"]).1, ["a.log.1.zst:2", "a.log:1"]);
    // Copied and truncated.
    place.append("a.log", "11 203.0.113.9\n");
    fs::copy(place.path("a.log"), place.path("a.log.1")).expect("copied");
    place.write("a.log", "12 203.0.113.9\n");
    assert_eq!(run(&["a.log"]).1, ["a.log.1:2", "a.log:1"]);
    assert_eq!(run(&["a.log"]), (1, vec![], String::new()));
    // Gone for good.
    fs::remove_file(place.path("a.log")).expect("removed");
    place.write("a.log", "13 203.0.113.9\n");
    let (code, rows, errors) = run(&["a.log"]);
    assert_eq!((code, rows), (0, vec!["a.log:1".to_owned()]));
    assert!(errors.contains("a.log: the file that was searched up to byte 15 is gone"), "{errors}");
}

#[test]
fn a_state_holds_for_folders_whatever_their_files_are_called() {
    let place = Place::new();
    fs::create_dir(place.path("d")).expect("created");
    let run = || place.run(&["--state", "st", "-r", "d"]);
    place.write("d/a.log", "1 203.0.113.9\n");
    place.write("d/b.log", "2 203.0.113.9\n");
    assert_eq!(run().1, ["d/a.log:1", "d/b.log:1"]);
    place.append("d/a.log", "3 203.0.113.9\n");
    place.rename("d/a.log", "d/a.log.1");
    place.write("d/a.log", "4 203.0.113.9\n");
    let mut rows = run().1;
    rows.sort();
    assert_eq!(rows, ["d/a.log.1:2", "d/a.log:1"]);
    let text = fs::read(place.path("d/a.log.1")).expect("readable");
    place.write("d/a.log.1.zst", zstd::encode_all(&text[..], 1).expect("in memory"));
    fs::remove_file(place.path("d/a.log.1")).expect("removed");
    assert_eq!(run(), (1, vec![], String::new()), "compressing it makes nothing new of it");
    place.rename("d/a.log.1.zst", "d/a.log.2.zst");
    assert_eq!(run(), (1, vec![], String::new()));
}

#[test]
fn a_state_that_is_none_is_refused_and_left_alone() {
    let place = Place::new();
    place.write("a.log", "1 203.0.113.9\n");
    for (content, message) in [
        ("", "stockade: state st: the file is empty; remove it to begin anew\n"),
        ("{\"other\": 1}\n", "stockade: state st: this is no state of stockade, and is left as it is\n"),
        ("stockade state 9 x\n", "stockade: state st: this state was written by another version of stockade\n"),
        ("stockade state 1 x\n{}\n", "stockade: state st: the state is damaged; remove it to search everything anew\n"),
    ] {
        place.write("st", content);
        let (code, rows, errors) = place.run(&["--state", "st", "a.log"]);
        let errors = errors.replace(&format!("{}/", place.0.path().canonicalize().expect("there").display()), "");
        assert_eq!((code, rows, &*errors), (2, vec![], message));
        assert_eq!(fs::read_to_string(place.path("st")).expect("readable"), content);
    }
    let (code, _, errors) = place.run(&["--state", "no/folder/st", "a.log"]);
    assert_eq!((code, &*errors), (2, "stockade: state no/folder/st: No such file or directory\n"));
    fs::remove_file(place.path("st")).expect("removed");
    let mut following = place.follow(&["--state", "st", "a.log"]);
    following.until(1);
    let (code, _, errors) = place.run(&["--state", "st", "a.log"]);
    assert!(code == 2 && errors.contains("another process is using it"), "{errors}");
    assert_eq!(following.end(), 0);
    assert_eq!(place.run(&["--state", "st", "a.log"]).0, 1);
}

/// Random numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// A log that is written to, rotated in each of the usual ways, and what was written to it.
struct Storm<'p> {
    place: &'p Place,
    random: Random,
    lines: u64,
    /// The numbers of lines that hold what is listed.
    listed: Vec<u64>,
    rotated: u64,
    /// What was done, for whoever has to find out what went wrong.
    story: String,
}

impl Storm<'_> {
    /// Writes some lines, sometimes in pieces.
    fn write(&mut self, log: &str) {
        for _ in 0..=self.random.below(5) {
            let number = self.lines;
            self.lines += 1;
            let listed = self.random.below(2) == 0;
            if listed {
                self.listed.push(number);
            }
            let line = format!(
                "#{number}# {} {}\n",
                if listed { "203.0.113.9" } else { "192.0.2.1" },
                "x".repeat(self.random.below(80) as usize)
            );
            let cut = self.random.below(line.len() as u64) as usize;
            self.place.append(log, &line[..cut]);
            if self.random.below(4) == 0 {
                std::thread::sleep(Duration::from_millis(self.random.below(120)));
            }
            self.place.append(log, &line[cut..]);
        }
    }

    fn rotate(&mut self, log: &str) {
        self.rotated += 1;
        let old = format!("{log}.{}", self.rotated);
        let _ = writeln!(self.story, "line {}: {log} becomes {old}", self.lines);
        if self.random.below(2) == 0 {
            self.place.rename(log, &old);
            if self.random.below(2) == 0 {
                self.place.append(&old, format!("#{}# 203.0.113.9 late\n", self.lines));
                self.listed.push(self.lines);
                self.lines += 1;
            }
            self.place.write(log, "");
        } else {
            fs::copy(self.place.path(log), self.place.path(&old)).expect("copied");
            OpenOptions::new().write(true).truncate(true).open(self.place.path(log)).expect("truncated");
        }
        // A program that rotates leaves some time between two turns.
        std::thread::sleep(Duration::from_millis(self.random.below(300)));
    }
}

/// Which numbers of lines were reported how often.
fn reported(hits: &str) -> BTreeMap<u64, u32> {
    let mut numbers = BTreeMap::new();
    for row in hits.lines() {
        let number = row.split('#').nth(1).and_then(|number| number.parse().ok());
        *numbers.entry(number.unwrap_or_else(|| panic!("a torn row: {row}"))).or_default() += 1;
    }
    numbers
}

/// Follows logs through a storm of rotations and kills, and compares what was reported with what was written.
fn storm(seed: u64, args: &[&str], logs: &[&str], kills: bool) {
    let place = Place::new();
    fs::create_dir(place.path("d")).expect("created");
    for log in logs {
        place.write(log, "");
    }
    let args: Vec<&str> = if kills { [args, &["--state", "st"]].concat() } else { args.to_vec() };
    let mut following = place.follow(&args);
    let mut storm =
        Storm { place: &place, random: Random(seed), lines: 0, listed: Vec::new(), rotated: 0, story: String::new() };
    // What becomes of files that no run has seen is nobody's promise.
    let state = || fs::read(place.path("st")).unwrap_or_default();
    while kills && !logs.iter().all(|log| String::from_utf8_lossy(&state()).contains(log)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    a_moment();
    for _ in 0..40 {
        let log = logs[storm.random.below(logs.len() as u64) as usize];
        match storm.random.below(10) {
            0..6 => storm.write(log),
            6..8 => storm.rotate(log),
            _ if kills => {
                let _ = writeln!(storm.story, "line {}: killed", storm.lines);
                following.child.kill().expect("killed");
                following.child.wait().expect("it is gone");
                storm.write(log);
                following = place.follow(&args);
                std::thread::sleep(Duration::from_millis(storm.random.below(200)));
            }
            _ => std::thread::sleep(Duration::from_millis(storm.random.below(150))),
        }
    }
    let started = Instant::now();
    while places(&place.hits()).len() < storm.listed.len() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
    }
    a_moment();
    let reported = reported(&place.hits());
    let missed: Vec<_> = storm.listed.iter().filter(|number| !reported.contains_key(number)).collect();
    let twice: Vec<_> = reported.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        missed.is_empty() && twice.is_empty(),
        "seed {seed} {args:?} {kills}: missed {missed:?}, more than once {twice:?}\n{}\n{}\n{}",
        storm.story,
        place.errors(),
        place.hits()
    );
    let code = following.end();
    assert!(code == 0 || kills && code == 1, "seed {seed}: {code} {}", place.errors());
}

#[test]
fn no_line_is_missed_or_repeated_in_a_storm_of_rotations() {
    for seed in 0..3 {
        storm(seed, &["a.log", "b.log"], &["a.log", "b.log"], false);
        storm(seed, &["-r", "d"], &["d/a.log", "d/b.log"], false);
    }
}

#[test]
fn no_line_is_missed_or_repeated_when_the_process_is_killed_at_any_time() {
    for seed in 10..13 {
        storm(seed, &["a.log", "b.log"], &["a.log", "b.log"], true);
        storm(seed, &["-r", "d"], &["d/a.log", "d/b.log"], true);
    }
}

/// Takes minutes; for whoever changes how files are followed.
#[test]
#[ignore = "takes minutes"]
fn many_storms() {
    let next = std::sync::atomic::AtomicU64::new(100);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed >= 260 {
                        break;
                    }
                    match seed % 4 {
                        0 => storm(seed, &["a.log", "b.log"], &["a.log", "b.log"], true),
                        1 => storm(seed, &["-r", "d"], &["d/a.log", "d/b.log"], true),
                        2 => storm(seed, &["a.log", "b.log"], &["a.log", "b.log"], false),
                        _ => storm(seed, &["d/*"], &["d/a.log", "d/b.log"], seed % 8 == 3),
                    }
                }
            });
        }
    });
}
