//! What pipelines rely on in `stockade match --stream`: one answer for each line, at once and in order, whatever comes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// A filter that runs, with the indicators of the file `list`.
struct Filter {
    dir: TempDir,
    child: Child,
    input: Option<ChildStdin>,
    answers: Receiver<String>,
    errors: Receiver<String>,
}

/// Sends each line of a stream.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

impl Filter {
    fn new(list: &str, args: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("list"), list).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_stockade"))
            .args(["match", "-i", "list", "--stream"])
            .args(args)
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let answers = lines(child.stdout.take().expect("a pipe"));
        let errors = lines(child.stderr.take().expect("a pipe"));
        let input = child.stdin.take();
        Self { dir, child, input, answers, errors }
    }

    fn write(&mut self, text: impl AsRef<[u8]>) {
        self.input.as_mut().expect("open").write_all(text.as_ref()).expect("it reads");
    }

    fn answer(&self) -> String {
        self.answers.recv_timeout(PATIENCE).expect("an answer in time")
    }

    fn ask(&mut self, line: &str) -> String {
        self.write(format!("{line}\n"));
        self.answer()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces the list as a whole.
    fn replace_list(&self, text: &str) {
        fs::write(self.path("list.new"), text).expect("written");
        fs::rename(self.path("list.new"), self.path("list")).expect("renamed");
    }

    fn until_said(&self, what: &str) {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nothing said of {what}"));
            if line.contains(what) {
                return;
            }
        }
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().expect("there is kill").success());
    }

    /// Closes the input; gives the exit code, and answers that were not asked for.
    fn end(mut self) -> (i32, Vec<String>) {
        drop(self.input.take());
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        (code, self.answers.iter().collect())
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The values that an answer names.
fn found(answer: &str) -> Vec<String> {
    let answer = json(answer);
    let list = answer["threat"]["enrichments"].as_array().cloned().unwrap_or_default();
    list.iter().map(|one| one["matched"]["atomic"].as_str().expect("a value").to_owned()).collect()
}

#[test]
fn each_line_is_answered_at_once() {
    let mut filter = Filter::new("203.0.113.9\nevil.example\n", &["jsonl"]);
    assert_eq!(filter.ask("quiet"), "{}");
    assert_eq!(filter.ask(""), "{}");
    let answer =
        json(&filter.ask(r#"{"n": 18446744073709551616, "src": "203.0.113.9", "deep": {"x": [1, "evil.example"]}}"#));
    assert_eq!(answer["src"], "203.0.113.9");
    assert_eq!(answer["threat"]["enrichments"].as_array().map(Vec::len), Some(2));
    let answer = json(&filter.ask("text with evil.example\r"));
    assert_eq!(answer["message"], "text with evil.example");
    // Bytes that are no text, and half a line that stays open.
    filter.write(b"\xff\xfe 203.0.113.9 \x00\nhalf ");
    assert_eq!(found(&filter.answer()), ["203.0.113.9"]);
    assert!(filter.answers.recv_timeout(Duration::from_millis(200)).is_err());
    filter.write("a line\n1\n2 evil.example\n3\nno end 203.0.113.9");
    for expected in [&[][..], &[], &["evil.example"], &[]] {
        assert_eq!(found(&filter.answer()), expected);
    }
    let (code, rest) = filter.end();
    assert_eq!((code, rest.len()), (0, 1), "the last line needs no newline");
    assert_eq!(found(&rest[0]), ["203.0.113.9"]);
}

#[test]
fn the_exit_code_is_that_of_match() {
    let mut filter = Filter::new("203.0.113.9\n", &["jsonl"]);
    assert_eq!(filter.ask("quiet"), "{}");
    assert_eq!(filter.end().0, 1);
    assert_eq!(Filter::new("203.0.113.9\n", &["jsonl"]).end(), (1, vec![]));
    for args in
        [&["jsonl", "--format", "json"][..], &["rsyslog", "--json"], &["jsonl", "a.log"], &["jsonl", "--follow"]]
    {
        assert_eq!(Filter::new("203.0.113.9\n", args).end(), (2, vec![]), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_between_two_answers() {
    for (line, code) in [("quiet", 1), ("203.0.113.9", 0)] {
        let mut filter = Filter::new("203.0.113.9\n", &["jsonl"]);
        filter.ask(line);
        filter.signal("TERM");
        assert_eq!(filter.child.wait().expect("it ends").code(), Some(code));
    }
}

#[test]
fn every_line_is_answered_once_under_load_and_while_indicators_change() {
    const LINES: u32 = 40_000;
    let mut filter = Filter::new("203.0.113.9\nold.example\n", &["jsonl"]);
    let mut input = filter.input.take().expect("open");
    let path = filter.path("list");
    let writer = std::thread::spawn(move || {
        for number in 0..LINES {
            let value = ["old.example", "new.example", "203.0.113.9", "quiet.example"][number as usize % 4];
            input.write_all(format!("{{\"n\": {number}, \"value\": \"{value}\"}}\n").as_bytes()).expect("it reads");
            if number == LINES / 4 {
                fs::write(path.with_extension("new"), "203.0.113.9\nnew.example\n").expect("written");
                fs::rename(path.with_extension("new"), &path).expect("renamed");
            }
            if number > LINES / 4 && number % 16 == 0 {
                // So long that the new indicators come into use meanwhile.
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    });
    let (mut old, mut new) = (0, 0);
    for number in 0..LINES {
        let answer = filter.answer();
        let seen = found(&answer);
        match number % 4 {
            // By the old set or by the new, and never by the old again.
            0 if seen.is_empty() => {}
            0 => {
                assert_eq!(new, 0, "an old answer after a new one: {answer}");
                old += 1;
            }
            1 => new += u32::from(!seen.is_empty()),
            2 => assert_eq!(seen, ["203.0.113.9"], "both sets have it"),
            _ => assert_eq!(answer, "{}"),
        }
        if answer != "{}" {
            assert_eq!(json(&answer)["n"], number, "answers have the order of the lines");
        }
    }
    writer.join().expect("all written");
    assert!(old > 0 && new > 0, "{old} by the old set, {new} by the new");
    assert_eq!(filter.end(), (0, vec![]));
}

#[test]
fn indicators_are_read_anew_when_their_files_change() {
    let mut filter = Filter::new("old.example\n", &["jsonl"]);
    assert_eq!(found(&filter.ask("old.example new.example")), ["old.example"]);
    filter.replace_list("new.example\n");
    filter.until_said("indicators were read anew: 1 take part");
    assert_eq!(found(&filter.ask("old.example new.example")), ["new.example"]);
    // What is no list leaves the old one in use.
    filter.replace_list("{\"type\": \"bundle\", \"objects\": [");
    filter.until_said("those that were loaded before stay in use");
    assert_eq!(found(&filter.ask("old.example new.example")), ["new.example"]);
    fs::remove_file(filter.path("list")).expect("removed");
    filter.until_said("those that were loaded before stay in use: list: No such file or directory");
    assert_eq!(found(&filter.ask("old.example new.example")), ["new.example"]);
    filter.replace_list("old.example\n");
    filter.until_said("indicators were read anew");
    assert_eq!(found(&filter.ask("old.example new.example")), ["old.example"]);
    assert_eq!(filter.end().0, 0);
}

#[cfg(unix)]
#[test]
fn a_signal_asks_for_indicators_to_be_read_anew() {
    let mut filter = Filter::new("old.example\n", &["rsyslog"]);
    assert_eq!(filter.ask("new.example"), "{}");
    filter.signal("HUP");
    filter.until_said("indicators were read anew: 1 take part");
    assert_eq!(filter.end().0, 1);
}

/// The most memory that a process has had, in bytes.
#[cfg(target_os = "linux")]
fn peak(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).expect("a number") * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_any_length_has_one_answer_and_costs_little_memory() {
    let mut filter = Filter::new("203.0.113.9\n", &["jsonl"]);
    filter.ask("quiet");
    let before = peak(&filter.child);
    let part = "x".repeat(1 << 20);
    let mut input = filter.input.take().expect("open");
    let writer = std::thread::spawn(move || {
        for middle in [" 203.0.113.9 ", "  "] {
            for _ in 0..100 {
                input.write_all(part.as_bytes()).expect("it reads");
                input.write_all(middle.as_bytes()).expect("it reads");
            }
            input.write_all(b"\n").expect("it reads");
        }
        input.write_all(b"short 203.0.113.9\n").expect("it reads");
        input
    });
    let long = filter.answer();
    assert_eq!(found(&long).len(), 100);
    assert!(long.len() < 100_000 && json(&long)["tags"] == serde_json::json!(["part_of_line"]), "{}", &long[..200]);
    assert_eq!(filter.answer(), "{}");
    assert_eq!(found(&filter.answer()), ["203.0.113.9"]);
    let grown = peak(&filter.child).saturating_sub(before);
    assert!(grown < 64 << 20, "two lines of 100 MiB took {grown} bytes");
    filter.input = Some(writer.join().expect("all written"));
    assert_eq!(filter.end(), (0, vec![]));
}

#[test]
fn rsyslog_gets_variables_to_merge() {
    let mut filter = Filter::new("203.0.113.9\nevil.example\n", &["rsyslog"]);
    assert_eq!(filter.ask(" all quiet"), "{}");
    let answer = json(&filter.ask(" login from 203.0.113.9 by evil.example"));
    let keys: Vec<&String> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["$!"]);
    assert_eq!(found(&answer["$!"].to_string()), ["203.0.113.9", "evil.example"]);
    // The whole message as JSON says the same more than once.
    let full = r#"{"msg": " from 203.0.113.9", "rawmsg": "<38>Nov 22 04:00:00 h s: from 203.0.113.9", "fromhost-ip": "192.0.2.7", "$!": null}"#;
    let answer = json(&filter.ask(full));
    assert_eq!(found(&answer["$!"].to_string()), ["203.0.113.9"]);
    assert_eq!(answer["$!"]["threat"]["enrichments"][0]["matched"]["field"], "msg");
    assert_eq!(filter.end().0, 0);
}
