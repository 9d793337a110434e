//! The files of a store: who may read them, what happens when they are damaged, of another version, or not ours.

use proptest::prelude::*;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use stockade::stix::Timestamp;
use stockade::store::{Mode, Reader, StoreError, Writer};

fn now() -> Timestamp {
    Timestamp::from_unix(1_780_000_000, 0)
}

fn object(number: u32) -> String {
    format!(
        r#"{{"type":"indicator","id":"indicator--00000000-0000-4000-8000-{number:012}","modified":"2026-01-01T00:00:00Z","pattern":"[domain-name:value = 'd{number}.example']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}}"#
    )
}

fn fetch(dir: &Path, numbers: std::ops::Range<u32>) {
    let mut writer = Writer::open(dir, "feed").expect("it opens");
    writer.begin(Mode::Incremental, now()).expect("it begins");
    for number in numbers {
        writer.put(object(number).as_bytes()).expect("it is put");
    }
    writer.commit("there").expect("it is committed");
    writer.note_success(now()).expect("it is noted");
}

fn database(dir: &Path) -> PathBuf {
    dir.join("sources/feed/objects.db")
}

/// Everything that can be done with a store, until something fails.
fn use_it(dir: &Path) -> Result<(), StoreError> {
    if let Some(reader) = Reader::open(dir, "feed")? {
        reader.verify()?;
        reader.expired(now())?;
        reader.set_aside()?;
        reader.fingerprint()?;
        let mut objects = reader.objects();
        while objects.next()?.is_some() {}
    }
    if let Some(reader) = Reader::open(dir, "feed")? {
        let mut all = Vec::new();
        let _ = reader.indicators().read_to_end(&mut all);
    }
    let mut writer = Writer::open(dir, "feed")?;
    writer.begin(Mode::Incremental, now())?;
    for number in 100..140 {
        writer.put(object(number).as_bytes())?;
    }
    writer.commit("further")?;
    writer.note_success(now())?;
    writer.begin(Mode::Snapshot, now())?;
    writer.put(object(1).as_bytes())?;
    writer.finish_snapshot(1.0, true)?;
    let _ = writer.rollback();
    writer.compact().map(drop)
}

fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    command.args(args).current_dir(folder).env_remove("STOCKADE_CONFIG");
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// A folder with a configuration file and a store with 200 objects.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[store]\ndir = \"state\"\n[[source]]\nname = \"feed\"\nkind = \"list\"\nurl = \"list.txt\"\n";
    fs::write(folder.path().join("stockade.toml"), config).expect("it is written");
    fs::write(folder.path().join("log"), "d1.example\nd150.example\n").expect("it is written");
    fetch(&folder.path().join("state"), 0..200);
    folder
}

#[test]
fn a_relative_folder_will_do() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let here = std::env::current_dir().expect("it is somewhere");
    let relative = folder.path().strip_prefix(here).unwrap_or(folder.path());
    fetch(relative, 0..2);
    assert!(Reader::open(relative, "feed").expect("it opens").is_some());
}

#[test]
fn damage_is_said_with_the_file_and_what_to_do() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("garbage", |bytes| *bytes = b"all work and no play ".repeat(1000)),
        ("half of it", |bytes| bytes.truncate(bytes.len() / 2)),
        ("its first page", |bytes| bytes.truncate(4096)),
        ("zeros within", |bytes| bytes[8192..].fill(0)),
        ("noise", |bytes| {
            bytes.iter_mut().skip(4096).enumerate().for_each(|(place, byte)| *byte ^= (place * 7 % 251) as u8);
        }),
    ];
    for (what, damage) in damages {
        let folder = place();
        let path = database(&folder.path().join("state"));
        let mut bytes = fs::read(&path).expect("it is read");
        damage(&mut bytes);
        fs::write(&path, bytes).expect("it is written");
        let (code, out, err) = run(folder.path(), &["match", "-i", "feed", "log"]);
        assert_eq!(code, 2, "{what}: {out}{err}");
        assert!(err.contains("state/sources/feed/objects.db: the store is damaged ("), "{what}: {err}");
        assert!(err.contains("delete the folder"), "{what}: {err}");
        let (code, out, err) = run(folder.path(), &["store", "verify"]);
        assert_eq!(code, 1, "{what}: {err}");
        assert!(out.starts_with("feed: damaged"), "{what}: {out}");
        assert_eq!(run(folder.path(), &["block", "-f", "domains", "-o", "list", "-i", "feed"]).0, 2, "{what}");
        assert!(!folder.path().join("list").exists());
        // The way out that the message names.
        fs::remove_dir_all(folder.path().join("state/sources/feed")).expect("it is deleted");
        fetch(&folder.path().join("state"), 0..200);
        assert_eq!(run(folder.path(), &["match", "-q", "-i", "feed", "log"]).0, 0);
    }
}

#[test]
fn a_changed_object_is_found() {
    let folder = place();
    let path = database(&folder.path().join("state"));
    let mut bytes = fs::read(&path).expect("it is read");
    let place = memchr::memmem::find(&bytes, b"d77.example").expect("it is in there");
    bytes[place] = b'x';
    fs::write(&path, bytes).expect("it is written");
    let (code, out, _) = run(folder.path(), &["store", "verify"]);
    assert_eq!(code, 1);
    assert!(out.starts_with("feed: damaged, 1 faults, 199 objects are right\n  object "), "{out}");
    assert!(out.contains("is not the one that was put"), "{out}");
}

#[test]
fn other_versions_and_other_databases_are_refused() {
    let folder = place();
    let path = database(&folder.path().join("state"));
    let whole = fs::read(&path).expect("it is read");
    // The header keeps both numbers: the version of the tables, and whose they are.
    for (offset, byte, expected) in [
        (63, 9, ": written by a newer stockade (format 9; this one knows 1); use that one"),
        (71, 9, ": not a store of stockade, though it stands in the place of one"),
        (63, 0, ": the store is damaged (it has no version)"),
    ] {
        let mut bytes = whole.clone();
        bytes[offset] = byte;
        fs::write(&path, bytes).expect("it is written");
        let (code, _, err) = run(folder.path(), &["match", "-i", "feed", "log"]);
        assert!(code == 2 && err.contains(expected), "{err}");
        let error = Writer::open(&folder.path().join("state"), "feed").expect_err("it is refused");
        assert!(error.to_string().contains(expected), "{error}");
    }
    // What a crash leaves before the first commit is no store yet.
    fs::write(&path, b"").expect("it is written");
    let (code, _, err) = run(folder.path(), &["match", "-i", "feed", "log"]);
    assert!(code == 2 && err.contains("has never been fetched"), "{err}");
    fetch(&folder.path().join("state"), 0..2);
    fs::remove_file(&path).expect("it is deleted");
    fs::create_dir(&path).expect("a folder in its place");
    assert_eq!(run(folder.path(), &["match", "-i", "feed", "log"]).0, 2);
    assert!(Writer::open(&folder.path().join("state"), "feed").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_makes_it_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder");
        fetch(folder.path(), 0..100);
        fetch(folder.path(), 50..120);
        let path = database(folder.path());
        let mut bytes = fs::read(&path).expect("it is read");
        for (place, byte) in &flips {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, bytes).expect("it is written");
        let _ = use_it(folder.path());
    }
}

/// Runs the command as a user who owns nothing but belongs to a group.
#[cfg(unix)]
fn as_reader(folder: &Path, args: &[&str]) -> Option<(i32, String, String)> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", env!("CARGO_BIN_EXE_stockade")]);
    let Ok(Output { status, stdout, stderr }) = command.args(args).current_dir(folder).output() else {
        eprintln!("SKIPPED: nothing was read as another user, for setpriv is not installed");
        return None;
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let err = text(stderr);
    if err.contains("setpriv: ") {
        eprintln!("SKIPPED: nothing was read as another user: {err}");
        return None;
    }
    Some((status.code().unwrap_or(-1), text(stdout), err))
}

#[cfg(unix)]
#[test]
fn who_may_read_the_files_may_use_them() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let folder = place();
    let kept = folder.path().join("state/sources/feed");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    for path in ["state", "state/sources", "state/sources/feed"] {
        let mode = fs::metadata(folder.path().join(path)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o750, "{path}");
    }
    let files = || fs::read_dir(&kept).expect("it is there").map(|entry| entry.expect("it is there").path());
    assert_eq!(files().count(), 4);
    for file in files() {
        let mode = fs::metadata(&file).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{}", file.display());
    }
    let folders = ["state", "state/sources", "state/sources/feed"].map(|name| folder.path().join(name));
    for path in folders.into_iter().chain(files()) {
        if chown(path, None, Some(65534)).is_err() {
            eprintln!("SKIPPED: nothing was read as another user, for only root may become one");
            return;
        }
    }
    let matched = |expected: i32| {
        let Some((code, out, err)) = as_reader(folder.path(), &["match", "-i", "feed", "log"]) else { return false };
        assert_eq!(code, expected, "{out}{err}");
        assert_eq!(out.lines().count(), if code == 0 { 2 } else { 0 }, "{out}{err}");
        true
    };
    if !matched(0) {
        return;
    }
    // A process that was killed has left its log; nobody but a writer may put it in its place.
    let mut writer = Writer::open(&folder.path().join("state"), "feed").expect("it opens");
    writer.begin(Mode::Incremental, now()).expect("it begins");
    writer
        .put(
            object(150)
                .replace("2026-01-01T00:00:00Z\",\"pattern\"", "2026-01-02T00:00:00Z\",\"revoked\":true,\"pattern\"")
                .as_bytes(),
        )
        .expect("it is put");
    writer.commit("elsewhere").expect("it is committed");
    let with_log = as_reader(folder.path(), &["match", "-i", "feed", "log"]).expect("it ran before");
    assert_eq!((with_log.0, with_log.1.lines().count()), (0, 1), "{}", with_log.2);
    drop(writer);
    let with_log = as_reader(folder.path(), &["match", "-i", "feed", "log"]).expect("it ran before");
    assert_eq!((with_log.0, with_log.1.lines().count()), (0, 1), "{}", with_log.2);
    // A copy that lacks the companions.
    fs::remove_file(kept.join("objects.db-wal")).expect("it is there");
    fs::remove_file(kept.join("objects.db-shm")).expect("it is there");
    let (code, _, err) = as_reader(folder.path(), &["match", "-i", "feed", "log"]).expect("it ran before");
    assert!(code == 2 && err.contains("objects.db-wal: is missing, and cannot be made here"), "{err}");
    assert_eq!(run(folder.path(), &["store", "verify"]).0, 0);
    assert!(matched(0));
    fs::set_permissions(kept.join("objects.db"), fs::Permissions::from_mode(0o600)).expect("it is ours");
    let (code, _, err) = as_reader(folder.path(), &["match", "-i", "feed", "log"]).expect("it ran before");
    assert_eq!((code, &*err), (2, "stockade: state/sources/feed/objects.db: cannot be read: Permission denied\n"));
}
