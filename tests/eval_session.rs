//! Sequences over a stream: what completes them, and what is forgotten.

use std::time::Duration;
use stockade::compile::Program;
use stockade::matcher::eval::many::{PatternSet, PatternSetBuilder};
use stockade::matcher::eval::session::{Completed, Figures, Options, Session};
use stockade::pattern::{Pattern, Reading};
use stockade::stix::ObservedData;
use stockade::stix::observed::Reader;

fn patterns(texts: &[&str]) -> PatternSet {
    let mut builder = PatternSetBuilder::default();
    for text in texts {
        let pattern = Pattern::parse(text, Reading::Strict).expect("valid");
        builder.add(Program::new(&pattern.ast(), Reading::Strict).expect("valid"));
    }
    builder.build()
}

/// An observation of a value, so many seconds after midnight.
fn observed(time: u32, value: u32) -> ObservedData {
    let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
    let text = format!(
        r#"{{"type": "observed-data", "first_observed": "2026-01-01T{hours:02}:{minutes:02}:{seconds:02}Z",
            "objects": {{"0": {{"type": "x-t", "v": {value}}}}}}}"#
    );
    let mut reader = Reader::default();
    reader.read(text.as_bytes());
    reader.finish().0.remove(0)
}

fn run(pattern: &str, stream: &[(u32, u32)], options: Options) -> (Vec<Vec<u64>>, Figures) {
    let patterns = patterns(&[pattern]);
    let mut session = Session::new(&patterns, options);
    let mut completed: Vec<Completed> = Vec::new();
    for (time, value) in stream {
        session.push(&observed(*time, *value), &mut completed);
    }
    (completed.into_iter().map(|completed| completed.observations).collect(), session.figures())
}

const SEQUENCE: &str = "([x-t:v = 1] FOLLOWEDBY [x-t:v = 2]) WITHIN 300 SECONDS";

#[test]
fn a_sequence_is_completed_by_its_last_line() {
    let stream = [(0, 1), (10, 3), (20, 2), (30, 2), (400, 1), (500, 2)];
    assert_eq!(run(SEQUENCE, &stream, Options::default()).0, [[0, 2], [4, 5]]);
}

#[test]
fn what_is_too_old_is_forgotten() {
    let (completed, figures) = run(SEQUENCE, &[(0, 1), (1000, 1), (1299, 2)], Options::default());
    assert_eq!(completed, [[1, 2]]);
    assert_eq!((figures.kept, figures.dropped, figures.late), (0, 0, 0));
}

#[test]
fn disorder_is_allowed_up_to_its_bound() {
    let options = Options { disorder: Duration::from_secs(60), ..Options::default() };
    let (completed, figures) = run(SEQUENCE, &[(100, 2), (50, 1), (20, 1)], options);
    assert_eq!(completed, [[0, 1]]);
    assert_eq!(figures.late, 1);
}

#[test]
fn without_within_a_cap_bounds_what_is_kept() {
    let stream: Vec<(u32, u32)> = (0..100).map(|time| (time, 1)).chain([(200, 2)]).collect();
    let options = Options { kept: 10, ..Options::default() };
    let (completed, figures) = run("[x-t:v = 1] FOLLOWEDBY [x-t:v = 2]", &stream, options);
    assert_eq!(completed.len(), 1);
    assert_eq!((figures.dropped, figures.observations), (91, 101));
    assert!(figures.kept <= 10);
}

#[test]
fn single_observations_keep_nothing() {
    let (completed, figures) = run("[x-t:v = 1] OR [x-t:v = 2]", &[(0, 1), (1, 2), (2, 3)], Options::default());
    assert_eq!(completed, [[0], [1]]);
    assert_eq!(figures.kept, 0);
}

#[test]
fn repetitions_complete_again_and_again() {
    let stream: Vec<(u32, u32)> = (0..7).map(|time| (time, 1)).collect();
    let (completed, _) = run("[x-t:v = 1] REPEATS 3 TIMES WITHIN 60 SECONDS", &stream, Options::default());
    assert_eq!(completed, [[0, 1, 2], [3, 4, 5]]);
}

#[test]
fn a_long_stream_is_bounded_and_quick() {
    let stream: Vec<(u32, u32)> = (0..20_000).map(|time| (time, 1)).collect();
    let (completed, figures) = run(SEQUENCE, &stream, Options::default());
    assert!(completed.is_empty());
    assert!(figures.kept <= 361, "{figures:?}");
}
