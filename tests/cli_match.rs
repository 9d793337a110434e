//! What scripts rely on in `stockade match`: rows, options like grep's, exit codes, inputs.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const LIST: &str = "203.0.113.9\n198.51.100.0/24\nevil.example\nhttp://bad.example/a\n";
const LOG: &str = "a 203.0.113.9 x\r\nquiet\nb 198.51.100.7 evil.example\nsee http://evil.example/x\nlast 203.0.113.9";

/// A directory with `list` and `a.log`.
fn place() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("list"), LIST).expect("written");
    fs::write(dir.path().join("a.log"), LOG).expect("written");
    dir
}

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    command.args(["match", "-i", "list"]).args(args).current_dir(dir).stdin(Stdio::null());
    command
}

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command(dir, args).output().expect("it runs");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (status.code().unwrap_or(-1), text(&stdout), text(&stderr))
}

/// Rows with their indicator ids, which are of no interest, made short.
fn rows(dir: &Path, args: &[&str]) -> (i32, Vec<String>) {
    let (code, out, _) = run(dir, args);
    let short = |row: &str| match (row.find(" [indicator--"), row.find(']')) {
        (Some(start), Some(end)) => format!("{} []{}", &row[..start], &row[end + 1..]),
        _ => row.to_owned(),
    };
    (code, out.lines().map(short).collect())
}

#[test]
fn rows_hold_path_line_value_indicator_and_line() {
    let dir = place();
    let expected = [
        "a.log:1:203.0.113.9 [] a 203.0.113.9 x",
        "a.log:3:198.51.100.7 [] b 198.51.100.7 evil.example",
        "a.log:3:evil.example [] b 198.51.100.7 evil.example",
        "a.log:4:evil.example [] see http://evil.example/x",
        "a.log:5:203.0.113.9 [] last 203.0.113.9",
    ];
    assert_eq!(rows(dir.path(), &["a.log"]), (0, expected.map(str::to_owned).to_vec()));
    for same in [&["-n", "-H", "a.log"][..], &["-j1", "a.log"], &["--log-format=text", "--format", "text", "a.log"]] {
        assert_eq!(rows(dir.path(), same).1, expected, "{same:?}");
    }
    let (_, out) = rows(dir.path(), &["--no-filename", "-o", "a.log"]);
    assert_eq!(out[..2], ["1:203.0.113.9 []", "3:198.51.100.7 []"]);
}

#[test]
fn options_count_lines_as_grep_does() {
    let dir = place();
    fs::write(dir.path().join("b.log"), "nothing\n").expect("written");
    fs::write(dir.path().join("empty"), "").expect("written");
    for (args, code, expected) in [
        (&["-c", "a.log", "b.log", "empty"][..], 0, &["a.log:4", "b.log:0", "empty:0"][..]),
        (&["-c", "--no-filename", "a.log"], 0, &["4"]),
        (&["-vc", "a.log", "b.log", "empty"], 0, &["a.log:1", "b.log:1", "empty:0"]),
        (&["-v", "a.log", "b.log"], 0, &["a.log:2:quiet", "b.log:1:nothing"]),
        (&["-v", "-o", "a.log"], 0, &[]),
        (&["-l", "b.log", "a.log", "empty"], 0, &["a.log"]),
        (&["-l", "-c", "a.log"], 0, &["a.log"]),
        (&["-l", "-v", "b.log", "a.log", "empty"], 0, &["b.log", "a.log"]),
        (&["-c", "-m2", "a.log", "b.log"], 0, &["a.log:2", "b.log:0"]),
        (&["-m", "0", "a.log"], 1, &[]),
        (&["-q", "a.log"], 0, &[]),
        (&["-q", "b.log"], 1, &[]),
        (&["-qc", "a.log"], 0, &[]),
        (&["b.log"], 1, &[]),
        (&["-c", "b.log"], 1, &["b.log:0"]),
        (&["-v", "empty"], 1, &[]),
        (&["-o", "-m1", "a.log", "a.log"], 0, &["a.log:1:203.0.113.9 []", "a.log:1:203.0.113.9 []"]),
    ] {
        let expected = expected.iter().map(|row| (*row).to_owned()).collect();
        assert_eq!(rows(dir.path(), args), (code, expected), "{args:?}");
    }
    assert_eq!(rows(dir.path(), &["-m2", "a.log"]).1.len(), 3, "all rows of the second line");
}

#[test]
fn json_has_the_fields_that_programs_read() {
    let dir = place();
    let (code, out, _) = run(dir.path(), &["--json", "a.log"]);
    assert_eq!(code, 0);
    let hits: Vec<serde_json::Value> = out.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect();
    assert_eq!(hits.len(), 5);
    let host = &hits[3];
    assert_eq!((&host["path"], &host["line"], &host["offset"]), (&"a.log".into(), &4.into(), &51.into()));
    assert_eq!(host["span"], serde_json::json!([11, 23]));
    assert_eq!(host["observable"], serde_json::json!({"type": "domain-name", "value": "evil.example"}));
    assert_eq!(host["relation"], "host-of-url");
    assert_eq!(hits[1]["relation"], "cidr");
    assert_eq!(hits[0]["relation"], "exact");
    assert!(host.get("field").is_none(), "text has no fields");
    assert!(host["indicator"]["id"].as_str().is_some_and(|id| id.starts_with("indicator--")));
    for key in ["name", "confidence", "labels", "valid_until"] {
        assert!(host["indicator"].get(key).is_some(), "{key}");
    }
    assert!(host["generation"].as_str().is_some_and(|generation| !generation.is_empty()));
    for (row, hit) in LOG.lines().collect::<Vec<_>>().iter().zip([&hits[0]]) {
        let span = |n: usize| hit["span"][n].as_u64().expect("a number") as usize;
        assert_eq!(&row[span(0)..span(1)], "203.0.113.9");
    }
    assert_eq!(run(dir.path(), &["--format", "json", "a.log"]).1, out);
    for flag in ["-c", "-l", "-v"] {
        assert_eq!(run(dir.path(), &["--json", flag, "a.log"]).0, 2, "{flag}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_searched() {
    let dir = place();
    let (code, out, err) = run(dir.path(), &["-c", "missing", "a.log"]);
    assert_eq!((code, &*out), (2, "a.log:4\n"));
    assert_eq!(err, "stockade: missing: No such file or directory\n");
    assert_eq!(run(dir.path(), &["-q", "missing", "a.log"]).0, 0, "-q ends with the hit");
    assert_eq!(run(dir.path(), &["-q", "missing"]).0, 2);

    fs::create_dir(dir.path().join("d")).expect("created");
    fs::write(dir.path().join("d/x"), "203.0.113.9\n").expect("written");
    let (code, out, err) = run(dir.path(), &["-c", "d"]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.starts_with("stockade: d: is a directory"), "{err}");
    assert_eq!(run(dir.path(), &["-rc", "d", "a.log"]).1, "d/x:1\na.log:4\n");
}

#[test]
fn compressed_files_are_searched_and_a_cut_one_is_reported() {
    let dir = place();
    let packed = zstd::encode_all(LOG.as_bytes(), 1).expect("in memory");
    fs::write(dir.path().join("whole"), [&packed[..], &packed].concat()).expect("written");
    let mut long = String::new();
    for n in 0..40_000 {
        let _ = writeln!(long, "{n} 203.0.113.9 {}", n * 7919 % 10_007);
    }
    let packed = zstd::encode_all(long.as_bytes(), 1).expect("in memory");
    fs::write(dir.path().join("cut"), &packed[..packed.len() - 10]).expect("written");
    assert_eq!(
        run(dir.path(), &["-c", "whole"]),
        (0, "whole:7\n".into(), String::new()),
        "the frames join without a newline"
    );
    let (code, out, err) = run(dir.path(), &["-c", "cut"]);
    assert_eq!(code, 2);
    let count: u32 = out.trim_start_matches("cut:").trim().parse().expect("a number");
    assert!(count > 1000, "what came before the cut was searched: {out}");
    assert!(err.starts_with("stockade: cut: zstd data ends too early, at byte "), "{err}");
}

#[test]
fn standard_input_is_read_when_nothing_is_named() {
    let dir = place();
    for args in [&["-c"][..], &["-c", "-"]] {
        let mut child =
            command(dir.path(), args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
        child.stdin.take().expect("a pipe").write_all(LOG.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "(standard input):4\n");
    }
}

#[test]
fn hits_are_printed_while_the_pipe_is_still_open() {
    let dir = place();
    let mut child = command(dir.path(), &["-o"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("a pipe");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, rows) = std::sync::mpsc::channel();
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|row| sender.send(row)));
    for line in 1..4 {
        input.write_all(b"from 203.0.113.9\nhalf a li").expect("it reads");
        let row = rows.recv_timeout(Duration::from_secs(20)).expect("a row in time");
        assert!(row.starts_with(&format!("(standard input):{line}:203.0.113.9 ")), "{row}");
        input.write_all(b"ne").expect("it reads");
    }
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn nobody_waits_for_a_pipe_that_is_not_needed_any_more() {
    let dir = place();
    for args in [&["-q"][..], &["-m1"], &["-l"]] {
        let mut child = command(dir.path(), args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(b"from 203.0.113.9\n").expect("it reads");
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("it can be asked") {
                break status;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{args:?} waits");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(0), "{args:?}");
        drop(input);
    }
}

#[test]
fn a_closed_output_is_quiet() {
    let dir = place();
    fs::write(dir.path().join("big"), "203.0.113.9\n".repeat(300_000)).expect("written");
    let mut child =
        command(dir.path(), &["big"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut first = [0; 10];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("a row");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr)), (Some(0), "".into()));
}

#[test]
fn the_output_file_is_not_searched_for_ever() {
    let dir = place();
    let out = fs::File::create(dir.path().join("z.out")).expect("created");
    let output = command(dir.path(), &["-r", "."]).stdout(out).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("z.out: this file is also the output"));
}

#[test]
fn bytes_that_are_no_text_pass_unchanged() {
    let dir = place();
    fs::write(dir.path().join("b.log"), b"\xff\xfe\x00 203.0.113.9 \x1b[31m\x80\n").expect("written");
    let output = command(dir.path(), &["--no-filename", "b.log"]).output().expect("it runs");
    assert!(output.stdout.ends_with(b"] \xff\xfe\x00 203.0.113.9 \x1b[31m\x80\n"));
}

#[test]
fn order_and_rows_do_not_depend_on_threads() {
    let dir = place();
    let mut names = Vec::new();
    for n in 0..30 {
        let lines: String = (0..n * 211)
            .map(|line| {
                if line % 13 == 0 { format!("{line} 198.51.100.{}\n", line % 256) } else { "quiet ".repeat(30) + "\n" }
            })
            .collect();
        let name = format!("f{n}");
        let bytes = if n % 3 == 0 { zstd::encode_all(lines.as_bytes(), 1).expect("in memory") } else { lines.into() };
        fs::write(dir.path().join(&name), bytes).expect("written");
        names.push(name);
    }
    let with = |threads: &str| {
        let args: Vec<&str> = ["--json", "-j", threads].into_iter().chain(names.iter().map(String::as_str)).collect();
        run(dir.path(), &args).1
    };
    let one = with("1");
    assert!(one.lines().count() > 5_000);
    assert!(with("4") == one, "four threads print the same");
    assert!(with("9") == one, "nine threads print the same");
}

#[test]
fn colours_come_when_asked_for() {
    let dir = place();
    assert!(run(dir.path(), &["--color", "always", "a.log"]).1.contains("\x1b["));
    assert!(!run(dir.path(), &["a.log"]).1.contains('\x1b'));
}
