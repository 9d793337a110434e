//! The store against a model that keeps everything in maps and knows nothing of files: whatever is put, committed,
//! interrupted, dropped and taken back in whatever order, both hold the same.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use stockade::stix::Timestamp;
use stockade::store::{Mode, Put, Reader, Writer};

const SOURCE: &str = "feed";

#[derive(Clone, Debug)]
enum Step {
    Begin(Mode),
    Put(Object),
    Broken(u8),
    Commit(u8),
    Finish {
        max_drop: f64,
        force: bool,
    },
    Success,
    Failure,
    /// The process ends, and another begins.
    Crash,
    Rollback,
    Compact,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    id: u8,
    modified: Option<u8>,
    body: u8,
    revoked: bool,
}

impl Object {
    fn is_indicator(&self) -> bool {
        !self.id.is_multiple_of(4)
    }

    fn text(&self) -> String {
        let kind = if self.is_indicator() { "indicator" } else { "marking-definition" };
        let modified = self.modified.map(|day| format!(r#","modified":"2026-01-{:02}T00:00:00Z""#, day + 1));
        let revoked = if self.revoked { r#","revoked":true"# } else { "" };
        format!(
            r#"{{"type":"{kind}","id":"{kind}--{}"{}{revoked},"body":{}}}"#,
            self.id,
            modified.unwrap_or_default(),
            self.body
        )
    }
}

type Set = BTreeMap<u8, Object>;

/// What is on the disk, as far as anybody can tell.
#[derive(Clone, Debug, Default)]
struct Kept {
    set: Set,
    cursor: Option<String>,
    generation: u64,
    last: u64,
    unfinished: bool,
    before: Option<(Set, Option<String>, u64)>,
}

#[derive(Clone, Debug, Default)]
struct Model {
    kept: Kept,
    now: Kept,
    poll: Option<Mode>,
    /// What the snapshot has brought.
    seen: Set,
}

impl Model {
    fn change(&mut self) {
        if !self.now.unfinished {
            self.now.before = Some((self.now.set.clone(), self.kept.cursor.clone(), self.now.generation));
            self.now.last += 1;
            self.now.unfinished = true;
        }
    }

    fn put(&mut self, object: &Object) -> Put {
        let snapshot = self.poll == Some(Mode::Snapshot);
        let old = self.now.set.get(&object.id).cloned();
        let bound = !snapshot || self.seen.contains_key(&object.id);
        let put = match &old {
            None => Put::New,
            Some(old) if old == object => Put::Unchanged,
            Some(old) if bound && object.modified < old.modified => Put::Older,
            Some(_) => Put::Updated,
        };
        if matches!(put, Put::New | Put::Updated) {
            self.change();
            self.now.set.insert(object.id, object.clone());
        }
        self.seen.insert(object.id, self.now.set[&object.id].clone());
        put
    }

    fn finish(&mut self, max_drop: f64, force: bool) -> bool {
        let is_active = |object: &&Object| object.is_indicator() && !object.revoked;
        let active = |set: &Set| u32::try_from(set.values().filter(is_active).count()).map_or(f64::MAX, f64::from);
        let (before, after) = (active(&self.kept.set), active(&self.seen));
        if !force && before - after > max_drop * before {
            self.undo();
            return false;
        }
        let seen = std::mem::take(&mut self.seen);
        if self.now.set.len() > seen.len() {
            self.change();
            self.now.set = seen;
        }
        self.seal();
        self.kept = self.now.clone();
        self.poll = None;
        true
    }

    fn seal(&mut self) {
        if self.now.unfinished {
            self.now.unfinished = false;
            self.now.generation = self.now.last;
        }
    }

    fn undo(&mut self) {
        self.now = self.kept.clone();
        self.poll = None;
        self.seen.clear();
    }
}

fn step() -> impl Strategy<Value = Step> {
    let object = (0..12_u8, prop::option::of(0..3_u8), 0..2_u8, prop::bool::weighted(0.2))
        .prop_map(|(id, modified, body, revoked)| Object { id, modified, body, revoked });
    prop_oneof![
        3 => Just(Step::Begin(Mode::Incremental)),
        3 => Just(Step::Begin(Mode::Snapshot)),
        20 => object.prop_map(Step::Put),
        1 => (0..4_u8).prop_map(Step::Broken),
        4 => (0..9_u8).prop_map(Step::Commit),
        3 => (prop::sample::select(vec![0.0, 0.5, 1.0]), any::<bool>())
            .prop_map(|(max_drop, force)| Step::Finish { max_drop, force }),
        2 => Just(Step::Success),
        1 => Just(Step::Failure),
        2 => Just(Step::Crash),
        1 => Just(Step::Rollback),
        1 => Just(Step::Compact),
    ]
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_780_000_000, 0)
}

/// Does the same to both, and compares what they answer.
fn apply(step: &Step, dir: &Path, writer: &mut Option<Writer>, model: &mut Model) {
    if matches!(step, Step::Crash) {
        // Dropping it does nothing that being killed would not do; tests/store_kill.rs kills.
        *writer = None;
        model.undo();
        *writer = Some(Writer::open(dir, SOURCE).expect("it opens"));
        return;
    }
    let writer = writer.as_mut().expect("it is open");
    match step {
        Step::Begin(mode) => {
            writer.begin(*mode, now()).expect("it begins");
            model.undo();
            model.poll = Some(*mode);
        }
        Step::Put(object) => {
            let put = writer.put(object.text().as_bytes());
            assert_eq!(put.is_ok(), model.poll.is_some());
            if let Ok(put) = put {
                assert_eq!(put, model.put(object), "{object:?}");
            }
        }
        Step::Broken(number) => {
            if let Ok(put) = writer.put(format!("{{\"number\":{number}}}").as_bytes()) {
                assert_eq!(put, Put::SetAside("no id"));
            }
        }
        Step::Commit(cursor) => {
            let committed = writer.commit(&cursor.to_string()).is_ok();
            assert_eq!(committed, model.poll.is_some());
            if committed {
                model.now.cursor = Some(cursor.to_string());
            }
            if model.poll == Some(Mode::Incremental) {
                model.kept = model.now.clone();
            }
        }
        Step::Finish { max_drop, force } => {
            let finished = writer.finish_snapshot(*max_drop, *force);
            if model.poll == Some(Mode::Snapshot) {
                assert_eq!(finished.is_ok(), model.finish(*max_drop, *force));
                if let Err(error) = finished {
                    assert!(error.shrunk().is_some(), "{error}");
                }
            } else {
                assert!(finished.is_err());
            }
        }
        Step::Success => {
            writer.note_success(now()).expect("it is noted");
            // What was put counts, but for half a snapshot.
            if model.poll == Some(Mode::Snapshot) {
                model.undo();
            }
            model.poll = None;
            model.seal();
            model.kept = model.now.clone();
        }
        Step::Failure => {
            writer.note_failure(now(), "it failed").expect("it is noted");
            model.undo();
        }
        Step::Rollback => {
            let result = writer.rollback();
            model.undo();
            let back = model.kept.before.clone().filter(|(_, _, generation)| *generation > 0);
            assert_eq!(result.ok(), back.as_ref().map(|(_, _, generation)| *generation));
            if let Some((set, cursor, generation)) = back {
                let last = model.kept.last;
                model.kept = Kept { set, cursor, generation, last, unfinished: false, before: None };
                model.undo();
            }
        }
        Step::Compact => {
            writer.compact().expect("it is compacted");
            model.undo();
        }
        Step::Crash => unreachable!(),
    }
}

/// Compares what a reader finds.
fn compare(dir: &Path, kept: &Kept) {
    let reader = || Reader::open(dir, SOURCE).expect("it opens").expect("it is there");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let state = reader().state().clone();
    assert_eq!((&state.cursor, state.generation, state.unfinished), (&kept.cursor, kept.generation, kept.unfinished));
    let indicators = || kept.set.values().filter(|object| object.is_indicator());
    assert_eq!(state.counts.objects, kept.set.len() as u64);
    assert_eq!(state.counts.indicators, indicators().count() as u64);
    assert_eq!(state.counts.revoked, indicators().filter(|object| object.revoked).count() as u64);

    let mut found = Vec::new();
    let mut objects = reader().objects();
    while let Some(object) = objects.next().expect("it is read") {
        found.push(text(object));
    }
    found.sort_unstable();
    let mut expected: Vec<String> = kept.set.values().map(Object::text).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);

    let mut stream = String::new();
    std::io::Read::read_to_string(&mut reader().indicators(), &mut stream).expect("it is read");
    let is_indicator = |line: &&str| line.starts_with(r#"{"type":"indicator""#);
    assert!(
        stream.lines().skip_while(|line| !is_indicator(line)).all(|line| is_indicator(&line)),
        "markings come first"
    );
    let mut lines: Vec<&str> = stream.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, expected);

    let verified = reader().verify().expect("it is read");
    assert_eq!((verified.fault_count, verified.objects), (0, kept.set.len() as u64), "{verified:?}");
}

/// A folder in memory, if there is such a thing: what is synced when is not the point here.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).expect("a folder")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn holds_what_the_model_holds(steps in prop::collection::vec(step(), 1..120)) {
        let folder = folder();
        let mut writer = Some(Writer::open(folder.path(), SOURCE).expect("it opens"));
        let mut model = Model::default();
        for step in &steps {
            apply(step, folder.path(), &mut writer, &mut model);
            if !matches!(step, Step::Put(_) | Step::Begin(_) | Step::Broken(_)) {
                compare(folder.path(), &model.kept);
            }
        }
        drop(writer);
        compare(folder.path(), &model.kept);
    }
}

#[test]
fn a_snapshot_is_not_seen_before_it_ends() {
    let folder = folder();
    let object = |id: u8, modified: u8| Object { id, modified: Some(modified), body: 0, revoked: false };
    let mut writer = Writer::open(folder.path(), SOURCE).expect("it opens");
    let mut model = Model::default();
    writer.begin(Mode::Snapshot, now()).expect("it begins");
    for id in 0..100 {
        writer.put(object(id, 1).text().as_bytes()).expect("it is put");
        writer.commit("half").expect("it is kept for later");
    }
    compare(folder.path(), &model.kept);
    writer.finish_snapshot(0.5, false).expect("it ends");
    model.kept.set = (0..100).map(|id| (id, object(id, 1))).collect();
    model.kept.cursor = Some("half".to_owned());
    model.kept.generation = 1;
    compare(folder.path(), &model.kept);
    // An older version replaces a newer one, if it is what there is now.
    writer.begin(Mode::Snapshot, now()).expect("it begins");
    for id in 0..60 {
        assert_eq!(writer.put(object(id, 0).text().as_bytes()).expect("it is put"), Put::Updated);
    }
    let removed = writer.finish_snapshot(0.5, false).expect("it ends");
    assert_eq!(removed, 40);
    // 45 of the 60 are indicators.
    writer.begin(Mode::Snapshot, now()).expect("it begins");
    for id in 0..20 {
        writer.put(object(id, 0).text().as_bytes()).expect("it is put");
    }
    let refused = writer.finish_snapshot(0.5, false).expect_err("it lost too much");
    let shrunk = refused.shrunk().expect("that is why");
    assert_eq!((shrunk.before, shrunk.after), (45, 15));
    assert_eq!(
        refused.to_string(),
        "source feed would shrink from 45 to 15 indicators, which is 66.7 % less; max_drop allows 50.0 %; the old set stays"
    );
    model.kept.set = (0..60).map(|id| (id, object(id, 0))).collect();
    model.kept.generation = 2;
    compare(folder.path(), &model.kept);
}

#[test]
fn pages_that_come_again_are_counted_once() {
    let folder = folder();
    let mut writer = Writer::open(folder.path(), SOURCE).expect("it opens");
    for poll in 0..3 {
        writer.begin(Mode::Incremental, now()).expect("it begins");
        for broken in ["{\"type\":\"x\"}", "nonsense", "{\"id\":\"x--1\"}"] {
            writer.put(broken.as_bytes()).expect("it is set aside");
        }
        writer.set_aside("half a page", b"...").expect("it is set aside");
        writer.commit("there").expect("it is committed");
        assert_eq!(writer.poll().set_aside.values().sum::<u64>(), 4, "poll {poll}");
        assert_eq!(writer.state().set_aside.values().sum::<u64>(), 4);
        writer.note_success(now()).expect("it is noted");
    }
    let reader = Reader::open(folder.path(), SOURCE).expect("it opens").expect("it is there");
    let shown: Vec<String> = reader.set_aside().expect("they are read").into_iter().map(|aside| aside.reason).collect();
    assert_eq!(shown, ["half a page", "no id", "no type", "not an object"]);
}

#[test]
fn a_poll_says_what_it_did() {
    let folder = folder();
    let mut writer = Writer::open(folder.path(), SOURCE).expect("it opens");
    let object = |id: u8, modified: u8, revoked| Object { id, modified: Some(modified), body: 0, revoked }.text();
    writer.begin(Mode::Incremental, now()).expect("it begins");
    for id in 1..4 {
        writer.put(object(id, 0, false).as_bytes()).expect("it is put");
    }
    let over = r#"{"type":"indicator","id":"indicator--over","valid_until":"2026-01-01T00:00:00Z"}"#;
    writer.put(over.as_bytes()).expect("it is put");
    writer.commit("a").expect("it is committed");
    let poll = writer.poll();
    assert_eq!((poll.new, poll.updated, poll.revoked, poll.expired, poll.changed()), (4, 0, 0, 1, true));
    writer.note_success(now()).expect("it is noted");
    writer.begin(Mode::Incremental, now()).expect("it begins");
    for object in [object(1, 1, true), object(2, 0, false), object(3, 1, false), object(3, 0, false)] {
        writer.put(object.as_bytes()).expect("it is put");
    }
    writer.note_gap();
    writer.commit("b").expect("it is committed");
    writer.put(object(7, 0, false).as_bytes()).expect("it is put");
    writer.note_failure(now(), "the line went dead").expect("it is noted");
    drop(writer);
    let reader = Reader::open(folder.path(), SOURCE).expect("it opens").expect("it is there");
    let poll = &reader.state().poll;
    assert_eq!((poll.new, poll.updated, poll.unchanged, poll.revoked, poll.gaps), (0, 2, 2, 1, 1));
    assert_eq!(reader.state().last_failure.as_ref().map(|failure| &*failure.message), Some("the line went dead"));
    assert!(reader.state().unfinished && reader.state().generation == 1);
    assert_eq!(reader.expired(now()).expect("it is read"), 1);
}
