//! The store under everything that may befall the process that writes it: killed at any moment, a write that fails, a
//! full disk, a second process, readers all the while. Objects and cursor always agree, and the next run completes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use stockade::stix::Timestamp;
use stockade::store::{Mode, Reader, StoreError, Writer};

const SOURCE: &str = "feed";
const PAGE: u64 = 20;

/// Set for a process that is to write and perhaps to die; what it is to do.
const CHILD: &str = "STORE_CHILD";

fn now() -> Timestamp {
    Timestamp::from_unix(1_780_000_000, 0)
}

/// The objects of a page, always the same: some new, some newer or older versions of others.
fn page(number: u64) -> impl Iterator<Item = (u64, u64, String)> {
    (0..PAGE).map(move |index| {
        let mut mixed = (number * PAGE + index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^= mixed >> 29;
        let (id, modified) = (mixed % 2000, mixed >> 32 & 0xff);
        let text = format!(
            r#"{{"type":"indicator","id":"indicator--{id}","modified":"2026-01-01T00:{:02}:{:02}Z","page":{number},"pad":"{:0200}"}}"#,
            modified / 60,
            modified % 60,
            index
        );
        (id, modified, text)
    })
}

/// The newest version of each id.
#[derive(Default)]
struct Model {
    pages: u64,
    set: BTreeMap<u64, (u64, String)>,
}

impl Model {
    fn read_to(&mut self, pages: u64) {
        for (id, modified, text) in (self.pages..pages).flat_map(page) {
            let newest = self.set.entry(id).or_insert((modified, text.clone()));
            if newest.0 <= modified {
                *newest = (modified, text);
            }
        }
        self.pages = self.pages.max(pages);
    }

    fn texts(&self) -> Vec<&str> {
        let mut texts: Vec<&str> = self.set.values().map(|(_, text)| &**text).collect();
        texts.sort_unstable();
        texts
    }
}

/// The objects that a reader finds, and how many pages were read.
fn kept(dir: &Path) -> (u64, Vec<String>) {
    let Some(reader) = Reader::open(dir, SOURCE).expect("it opens") else { return (0, Vec::new()) };
    let pages = reader.state().cursor.as_deref().map_or(0, |cursor| cursor.parse().expect("a number"));
    let mut texts = Vec::new();
    let mut objects = reader.objects();
    while let Some(object) = objects.next().expect("it is read") {
        texts.push(String::from_utf8(object.to_vec()).expect("UTF-8"));
    }
    texts.sort_unstable();
    (pages, texts)
}

fn assert_sound(dir: &Path) {
    if let Some(reader) = Reader::open(dir, SOURCE).expect("it opens") {
        let verified = reader.verify().expect("it is read");
        assert_eq!(verified.fault_count, 0, "{verified:?}");
    }
}

/// Reads the pages that are still to be read.
fn poll(dir: &Path, pages: u64) -> Result<(), StoreError> {
    let mut writer = Writer::open(dir, SOURCE)?;
    let first = writer.state().cursor.as_deref().map_or(0, |cursor| cursor.parse().expect("a number"));
    writer.begin(Mode::Incremental, now())?;
    for number in first..pages {
        for (_, _, text) in page(number) {
            writer.put(text.as_bytes())?;
        }
        writer.commit(&(number + 1).to_string())?;
    }
    writer.note_success(now())
}

/// Makes one page all there is.
fn snapshot(dir: &Path, number: u64) -> Result<(), StoreError> {
    let mut writer = Writer::open(dir, SOURCE)?;
    writer.begin(Mode::Snapshot, now())?;
    for (_, _, text) in (0..20).flat_map(|index| page(number * 20 + index)) {
        writer.put(text.as_bytes())?;
    }
    writer.commit(&number.to_string())?;
    writer.finish_snapshot(1.0, true)?;
    writer.note_success(now())
}

/// What the other tests start as a process of its own; by itself it does nothing.
#[test]
fn child() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let mut words = task.splitn(3, ' ');
    let mut word = || words.next().expect("a task");
    let (what, number) = (word().to_owned(), word().parse().expect("a number"));
    let dir = Path::new(word());
    let result = match &*what {
        "poll" => poll(dir, number),
        _ => snapshot(dir, number),
    };
    if let Err(error) = result {
        eprintln!("failed: {error}");
        std::process::exit(2);
    }
    std::process::exit(0);
}

fn task(dir: &Path, what: &str, number: u64) -> (std::path::PathBuf, [&'static str; 3], String) {
    let program = std::env::current_exe().expect("it has a name");
    (program, ["child", "--exact", "--nocapture"], format!("{what} {number} {}", dir.display()))
}

fn start(dir: &Path, what: &str, number: u64) -> Command {
    let (program, args, task) = task(dir, what, number);
    let mut command = Command::new(program);
    command.args(args).env(CHILD, task).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A folder in memory, if there is such a thing: a process that is killed takes nothing with it that was written.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

#[test]
fn killed_at_any_moment_the_set_and_the_cursor_agree() {
    let (folder, mut dice, mut model) = (folder(), Dice(1), Model::default());
    let mut moved = 0;
    for _ in 0..200 {
        let mut process = start(folder.path(), "poll", 1_000_000).spawn().expect("it starts");
        std::thread::sleep(Duration::from_micros(dice.below(40_000)));
        process.kill().expect("it is killed");
        process.wait().expect("it ends");
        let (pages, texts) = kept(folder.path());
        moved += u64::from(pages > model.pages);
        model.read_to(pages);
        assert_eq!(texts, model.texts(), "after page {pages}");
    }
    assert_sound(folder.path());
    assert!(moved > 20, "most came far enough to write: {moved}");
    let pages = model.pages + 10;
    assert!(start(folder.path(), "poll", pages).status().expect("it ends").success());
    model.read_to(pages);
    assert_eq!(kept(folder.path()), (pages, model.texts().into_iter().map(str::to_owned).collect()));
    assert_sound(folder.path());
}

#[test]
fn killed_within_a_snapshot_all_of_it_is_there_or_nothing() {
    let (folder, mut dice) = (folder(), Dice(2));
    let sets: Vec<Vec<String>> = (0..8)
        .map(|number| {
            let mut model = Model { pages: number * 20, ..Model::default() };
            model.read_to(number * 20 + 20);
            model.texts().into_iter().map(str::to_owned).collect()
        })
        .collect();
    let mut before: (u64, Vec<String>) = (0, Vec::new());
    let (mut done, mut undone) = (0, 0);
    for round in 0..100 {
        let number = round % 8;
        let mut process = start(folder.path(), "snapshot", number).spawn().expect("it starts");
        std::thread::sleep(Duration::from_micros(dice.below(25_000)));
        process.kill().expect("it is killed");
        process.wait().expect("it ends");
        let after = kept(folder.path());
        if after == before {
            undone += 1;
        } else {
            assert_eq!(after, (number, sets[usize::try_from(number).expect("small")].clone()));
            done += 1;
        }
        before = after;
    }
    assert!(done > 5 && undone > 5, "both happened: {done}, {undone}");
    assert_sound(folder.path());
}

#[test]
fn readers_see_whole_pages_while_they_are_written() {
    let folder = folder();
    poll(folder.path(), 1).expect("it is read");
    let mut process = start(folder.path(), "poll", 1_000_000).spawn().expect("it starts");
    let end = Instant::now() + Duration::from_secs(2);
    let (mut model, mut reads) = (Model::default(), 0);
    while Instant::now() < end {
        let (pages, texts) = kept(folder.path());
        model.read_to(pages);
        assert_eq!(texts, model.texts());
        reads += 1;
    }
    // One that takes its time sees what was there when it began.
    let slow = Reader::open(folder.path(), SOURCE).expect("it opens").expect("it is there");
    model.read_to(slow.state().cursor.as_deref().expect("a cursor").parse().expect("a number"));
    let busy = Writer::open(folder.path(), SOURCE).expect_err("it is being written");
    assert!(busy.is_busy());
    assert!(busy.to_string().contains(&process.id().to_string()), "{busy}");
    std::thread::sleep(Duration::from_millis(300));
    let mut stream = String::new();
    std::io::Read::read_to_string(&mut slow.indicators(), &mut stream).expect("it is read");
    let mut texts: Vec<&str> = stream.lines().collect();
    texts.sort_unstable();
    assert_eq!(texts, model.texts());
    process.kill().expect("it is killed");
    process.wait().expect("it ends");
    assert!(reads > 3);
}

/// Whether strace is there and may trace.
fn strace_works() -> bool {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|out| out.status.success());
    if !works {
        eprintln!("SKIPPED: no faults are injected, for strace is not installed (tests/real/install) or may not trace");
    }
    works
}

/// Runs a task whose `nth` call fails with an error. Whether it succeeded, and what it said.
fn with_fault(call: &str, error: &str, nth: u64, command: &Command) -> (bool, String) {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none"]);
    strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:error={error}:when={nth}")]);
    strace.arg(command.get_program()).args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        strace.current_dir(folder);
    }
    let Output { status, stderr, .. } = strace.stdin(Stdio::null()).output().expect("it runs");
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert!(matches!(status.code(), Some(0 | 2)), "{call} {error} {nth}: {status}: {said}");
    assert!(!said.contains("panicked"), "{call} {error} {nth}: {said}");
    (status.success(), said)
}

#[test]
fn whichever_call_fails_nothing_is_lost() {
    if !strace_works() {
        return;
    }
    let mut faults = 0;
    for (call, error, first) in [
        ("pwrite64", "ENOSPC", 1),
        ("pwrite64", "EIO", 1),
        ("fsync", "EIO", 1),
        ("ftruncate", "ENOSPC", 1),
        // The first belong to the loader of programs.
        ("pread64", "EIO", 8),
    ] {
        let mut felt = 0;
        for nth in first.. {
            // Every one of the first calls, then some: they repeat from page to page.
            let nth = if nth < 40 { nth } else { nth * nth / 40 };
            let folder = folder();
            poll(folder.path(), 3).expect("it is read");
            let (success, said) = with_fault(call, error, nth, &start(folder.path(), "poll", 9));
            let mut model = Model::default();
            let (pages, texts) = kept(folder.path());
            model.read_to(pages);
            assert_eq!(texts, model.texts(), "{call} {error} {nth}: {said}");
            assert_sound(folder.path());
            if success {
                assert_eq!(pages, 9, "{call} {error} {nth}");
            } else {
                felt += 1;
                // The database takes what the disk cannot read for damage, which it is.
                let told = said.contains(": cannot be ") || call == "pread64" && said.contains("is damaged");
                assert!(said.contains("failed: ") && told, "{call} {error} {nth}: {said}");
                let full = said.contains("full") || said.contains("No space");
                assert!(full || error != "ENOSPC", "{call} {nth}: {said}");
            }
            poll(folder.path(), 9).expect("the next run completes");
            model.read_to(9);
            assert_eq!(kept(folder.path()).1, model.texts());
            // What comes after the last call is never reached.
            if success && nth > first + 8 {
                break;
            }
        }
        eprintln!("{call} {error}: {felt} faults were felt");
        faults += felt;
    }
    assert!(faults > 40, "{faults} were felt");
}

#[test]
fn commands_that_fail_half_way_leave_one_state_or_the_other() {
    if !strace_works() {
        return;
    }
    let mut faults = 0;
    for (args, call, error) in [
        (&["rollback", SOURCE][..], "pwrite64", "ENOSPC"),
        (&["rollback", SOURCE], "fsync", "EIO"),
        (&["compact"], "pwrite64", "ENOSPC"),
        (&["compact"], "ftruncate", "EIO"),
        (&["export", "-o", "out"], "write", "ENOSPC"),
        (&["export", "-o", "out"], "fsync", "EIO"),
        (&["export", "-o", "out"], "rename", "EACCES"),
    ] {
        for nth in 1.. {
            let nth = if nth < 12 { nth } else { nth * nth / 12 };
            let folder = folder();
            std::fs::write(folder.path().join("stockade.toml"), "[store]\ndir = \"state\"\n").expect("it is written");
            std::fs::write(folder.path().join("out"), "old\n").expect("it is written");
            let dir = &folder.path().join("state");
            snapshot(dir, 1).expect("it is read");
            let before = kept(dir);
            snapshot(dir, 2).expect("it is read");
            let after = kept(dir);
            let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
            command.arg("store").args(args).current_dir(folder.path()).env_remove("STOCKADE_CONFIG");
            let (success, said) = with_fault(call, error, nth, &command);
            assert!(success || said.contains("stockade: "), "{args:?} {call} {nth}: {said}");
            assert_sound(dir);
            let now = kept(dir);
            assert!(now == after || args[0] == "rollback" && now == before, "{args:?} {call} {nth}: {said}");
            if args[0] == "export" {
                let out = std::fs::read_to_string(folder.path().join("out")).expect("it is there");
                assert!(out == "old\n" && !success || out.ends_with("]}\n"), "{call} {nth}: {said}");
                assert_eq!(
                    std::fs::read_dir(folder.path()).expect("it is there").count(),
                    3,
                    "nothing stays beside it"
                );
            }
            faults += u64::from(!success);
            if success && nth > 5 {
                break;
            }
        }
    }
    assert!(faults > 10, "{faults} were felt");
}

#[test]
fn a_full_disk_is_said_and_does_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !mount("size=1500k") {
        eprintln!("SKIPPED: no disk was filled, for only root may mount one");
        return;
    }
    let result = std::panic::catch_unwind(|| {
        let Output { status, stderr, .. } = start(dir, "poll", 400).stderr(Stdio::piped()).output().expect("it runs");
        let said = String::from_utf8_lossy(&stderr).into_owned();
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains("full"), "{said}");
        let (pages, texts) = kept(dir);
        let mut model = Model::default();
        model.read_to(pages);
        assert!(pages > 3 && texts == model.texts(), "after page {pages}");
        assert_sound(dir);
        assert!(mount("remount,size=64m"));
        assert!(start(dir, "poll", 400).status().expect("it ends").success());
        model.read_to(400);
        assert_eq!(kept(dir).1, model.texts());
        assert_sound(dir);
    });
    let unmounted = Command::new("umount").arg(dir).status();
    assert!(result.is_ok());
    assert!(unmounted.is_ok_and(|status| status.success()));
}
