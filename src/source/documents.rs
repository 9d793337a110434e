//! JSON documents, object by object: bundles, envelopes, arrays, objects one after the other, in any mixture. Only
//! one object is in memory at a time.
//!
//! A broken object costs that object: reading goes on at the next place where one begins.

use super::window::{Place, Window};
use crate::stix::json::{self, Extent, Fault, Raw};
use crate::stix::object::Members;

/// Containers inside containers, at most.
const MAX_DEPTH: usize = 8;

/// Takes what is found in documents.
pub(crate) trait Sink {
    /// Reads the object at the beginning of `bytes`, which may end too early or go on behind it, and takes it if it
    /// is whole.
    fn object(&mut self, bytes: &[u8], place: Place) -> Result<Extent, Fault>;
    /// Takes a string that stands where an object was expected.
    fn string(&mut self, raw: Raw<'_>, place: Place);
    /// Takes note of something that cannot be read. `bytes` begins where it begins; `place` is where the fault is.
    fn broken(&mut self, bytes: &[u8], place: Place, broken: Broken);
    /// Takes a member of a bundle or envelope that stands behind its objects.
    fn member(&mut self, _key: &[u8], _value: Raw<'_>) {}
}

/// Why a part of a document cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is not JSON; what is wrong.
    Json(&'static str),
    /// It is JSON, but not an object.
    NotAnObject,
    /// It is larger than one object may be.
    TooLarge,
    /// The document ends inside of it.
    Cut,
}

impl Broken {
    /// The kind of fault, for counting.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Json(_) => "broken JSON",
            Self::NotAnObject => "not an object",
            Self::TooLarge => "too large",
            Self::Cut => "cut short",
        }
    }

    /// What is wrong, for reading.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Json(what) => what,
            Self::NotAnObject => "expected a JSON object",
            Self::TooLarge => "an object of more than 64 MiB",
            Self::Cut => "the document ends inside an object or list",
        }
    }
}

/// Gives every object of the documents to the sink.
pub(crate) fn walk(window: &mut Window<'_>, sink: &mut dyn Sink) {
    Walker { window, sink, open: Vec::new(), torn: false }.run();
}

struct Walker<'w, 'r> {
    window: &'w mut Window<'r>,
    sink: &'w mut dyn Sink,
    /// What is open around the current place, outermost first.
    open: Vec<Level>,
    /// Something broken was skipped, so that `open` may no longer be true.
    torn: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// An array of objects.
    Array,
    /// The `objects` of a bundle or envelope.
    Objects,
    /// A bundle or envelope, behind its objects.
    Tail,
}

impl Walker<'_, '_> {
    fn run(&mut self) {
        while let Some(byte) = self.next_byte() {
            match (byte, self.open.last()) {
                (b',', Some(Level::Tail)) => self.member(),
                (b'}', Some(Level::Tail)) | (b']', Some(Level::Array)) => {
                    self.open.pop();
                    self.window.advance(1);
                }
                (b']', Some(Level::Objects)) => {
                    self.open.pop();
                    self.open.push(Level::Tail);
                    self.window.advance(1);
                }
                // Records of RFC 7464 begin with the byte 1E.
                (b',', Some(_)) | (0x1E, None) => self.window.advance(1),
                (b'{', None | Some(Level::Array | Level::Objects)) => self.object(),
                (b'[', None | Some(Level::Array | Level::Objects)) if self.open.len() < MAX_DEPTH => {
                    self.open.push(Level::Array);
                    self.window.advance(1);
                }
                (b',' | b']' | b'}', None) if self.torn => self.window.advance(1),
                _ => self.stray(),
            }
        }
        if !self.open.is_empty() && !self.torn {
            self.broken(0, Broken::Cut);
        }
    }

    /// The next byte that is no white space.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let space = json::skip_space(self.window.rest(), 0);
            self.window.advance(space);
            match self.window.rest().first().copied() {
                Some(byte) => return Some(byte),
                None if self.window.more() => {}
                None => return None,
            }
        }
    }

    fn object(&mut self) {
        loop {
            let place = self.window.place();
            match self.sink.object(self.window.rest(), place) {
                Ok(Extent::Object(length)) => return self.window.advance(length),
                Ok(Extent::Container(objects)) if self.open.len() < MAX_DEPTH => {
                    self.window.advance(objects);
                    return self.open.push(Level::Objects);
                }
                Ok(Extent::Container(_)) => {
                    self.broken(0, Broken::Json("bundles nested too deep"));
                    return self.resume();
                }
                Err(fault) => {
                    if self.settle(fault) {
                        return;
                    }
                }
            }
        }
    }

    /// Passes a member of a bundle that stands behind its objects.
    fn member(&mut self) {
        loop {
            let bytes = self.window.rest();
            let member = json::key(bytes, json::skip_space(bytes, 1))
                .and_then(|(key, value)| Ok((key, value, json::value_end(bytes, value)?)));
            match member {
                Ok((key, value, end)) => {
                    self.sink.member(key, Raw(&bytes[value..end]));
                    return self.window.advance(end);
                }
                Err(fault) => {
                    if self.settle(fault) {
                        return;
                    }
                }
            }
        }
    }

    /// Passes what is neither an object nor a separator.
    fn stray(&mut self) {
        loop {
            let bytes = self.window.rest();
            match json::value_end(bytes, 0) {
                Ok(end) => {
                    let place = self.window.place();
                    let raw = Raw(&self.window.rest()[..end]);
                    if raw.0.first() == Some(&b'"') && self.open.last() != Some(&Level::Tail) {
                        self.sink.string(raw, place);
                    } else {
                        self.broken(0, Broken::NotAnObject);
                    }
                    return self.window.advance(end);
                }
                Err(fault) => {
                    if self.settle(fault) {
                        return;
                    }
                }
            }
        }
    }

    /// Deals with a fault at the current place: reads on (false: try again), or reports it and moves behind it (true).
    fn settle(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::Incomplete if self.window.more() => return false,
            Fault::Incomplete if self.window.is_full() => {
                self.broken(0, Broken::TooLarge);
                self.pass();
            }
            Fault::Incomplete => {
                self.torn = true;
                let end = self.window.rest().len();
                self.broken(end, Broken::Cut);
                self.window.advance(end);
            }
            Fault::Syntax { at, what } => {
                self.broken(at, Broken::Json(what));
                self.resume();
            }
        }
        true
    }

    /// Reports a fault `ahead` of the current place. A failure to read the rest is no fault of the document.
    fn broken(&mut self, ahead: usize, broken: Broken) {
        if broken == Broken::Cut && self.window.has_failed() {
            return;
        }
        let place = self.window.place_of(ahead);
        self.sink.broken(self.window.rest(), place, broken);
    }

    /// Moves to the next place behind the current one where an object of a bundle begins, or, outside of all
    /// containers, any object on a line of its own.
    fn resume(&mut self) {
        self.torn = true;
        if self.open.last() == Some(&Level::Tail) {
            self.open.pop();
        }
        let mut previous = self.window.rest().first().copied();
        self.window.advance(1);
        loop {
            let Some(brace) = memchr::memchr(b'{', self.window.rest()) else {
                previous = self.window.rest().last().copied().or(previous);
                self.window.advance(self.window.rest().len());
                if self.window.more() {
                    continue;
                }
                return;
            };
            if brace > 0 {
                previous = self.window.rest().get(brace - 1).copied();
                self.window.advance(brace);
            }
            let begins_line = self.open.is_empty() && previous == Some(b'\n');
            match Members::read(self.window.rest()).map(|(members, extent)| (members.looks_like_stix(), extent)) {
                Ok((_, Extent::Container(_))) => return self.open.clear(),
                Ok((looks_like_stix, _)) if begins_line || looks_like_stix => return,
                Err(Fault::Incomplete) if self.window.more() => continue,
                Err(Fault::Incomplete) if self.window.is_finished() => return,
                _ => {}
            }
            previous = Some(b'{');
            self.window.advance(1);
        }
    }

    /// Moves behind a value that does not fit into the window.
    fn pass(&mut self) {
        // The first byte is an opening one, or the comma before a member.
        let (mut depth, mut in_string, mut escaped) = (u64::from(self.next_byte() != Some(b',')), false, false);
        self.window.advance(1);
        loop {
            let mut used = 0;
            let mut done = false;
            for &byte in self.window.rest() {
                let bare = !in_string;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if in_string => escaped = true,
                    b'"' => in_string = !in_string,
                    b',' | b']' | b'}' if bare && depth == 0 => {
                        done = true;
                        break;
                    }
                    b'{' | b'[' if bare => depth += 1,
                    b'}' | b']' if bare => {
                        depth = depth.saturating_sub(1);
                        done = depth == 0;
                    }
                    _ => {}
                }
                used += 1;
                if done {
                    break;
                }
            }
            self.window.advance(used);
            if done {
                return;
            }
            if !self.window.more() {
                self.torn = true;
                return self.broken(0, Broken::Cut);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What was visited: the text of objects and strings, or line, column and reason of what is broken.
    #[derive(Debug, Default, PartialEq)]
    struct Seen(Vec<String>);

    impl Sink for Seen {
        fn object(&mut self, bytes: &[u8], _: Place) -> Result<Extent, Fault> {
            let extent = json::object(bytes, |_, _| {})?;
            if let Extent::Object(length) = extent {
                self.0.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            }
            Ok(extent)
        }
        fn string(&mut self, raw: Raw<'_>, _: Place) {
            self.0.push(String::from_utf8_lossy(raw.0).into_owned());
        }
        fn broken(&mut self, _: &[u8], place: Place, broken: Broken) {
            self.0.push(format!("{}:{} {}: {}", place.line, place.column, broken.reason(), broken.detail()));
        }
    }

    fn seen_at(text: &str, capacity: usize, limit: usize) -> Vec<String> {
        let mut reader = text.as_bytes();
        let mut window = Window::with_sizes(&mut reader, capacity, limit);
        let mut seen = Seen::default();
        walk(&mut window, &mut seen);
        seen.0
    }

    fn seen(text: &str) -> Vec<String> {
        let whole = seen_at(text, 1 << 16, 1 << 20);
        for capacity in [1, 2, 7, 30] {
            assert_eq!(seen_at(text, capacity, 1 << 20), whole, "{text}");
        }
        whole
    }

    const A: &str = r#"{"type":"x","id":"x--1"}"#;
    const B: &str = r#"{"type":"y","id":"y--2"}"#;

    #[test]
    fn objects_are_found_in_every_arrangement() {
        for text in [
            format!("{A}{B}"),
            format!("{A}\n{B}\n"),
            format!("\u{1e}{A}\n\u{1e}{B}\n"),
            format!("[{A},{B}]"),
            format!(" [ {A} , {B} ] "),
            format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{A},{B}]}}"#),
            format!(r#"{{"objects":[{A},{B}],"type":"bundle","spec_version":"2.0","x":[{{"objects":[1]}}]}}"#),
            format!(r#"{{"more":true,"next":"t","objects":[{A}]}}{{"objects":[{B}]}}"#),
            format!(r#"[{{"objects":[{A}]}},{{"type":"bundle","objects":[]}},{B}]"#),
            format!("[[{A}],[{B}]]"),
        ] {
            assert_eq!(seen(&text), [A, B], "{text}");
        }
        for text in ["", " \n", "[]", "{\"objects\": []}", "{\"objects\": [ ] }\n"] {
            assert!(seen(text).is_empty(), "{text}");
        }
        assert_eq!(seen("{}"), ["{}"]);
        assert_eq!(seen(r#"["evil.example"]"#), [r#""evil.example""#]);
    }

    #[test]
    fn a_broken_object_costs_that_object() {
        for (broken, fault) in [
            (r#"{"type":"z" "id":"z--3"}"#, "1:39 broken JSON: expected a comma or a closing brace"),
            (r#"{"type":"z","id":"z--3""#, "1:51 broken JSON: expected a key in quotes"),
            (r#"{"type":"z,"id":"z--3"}"#, "1:39 broken JSON: expected a comma or a closing brace"),
            (r#"{"type":"z","id":"z--3","l":[{"a":1},{"b":2},]}"#, "1:72 broken JSON: expected a value"),
            (r#"{"type":"z","id":"z--3","l":["a","b"}"#, "1:63 broken JSON: expected a comma or a closing bracket"),
            ("nonsense", "1:27 broken JSON: expected a value"),
            ("12", "1:27 not an object: expected a JSON object"),
        ] {
            let text = format!("[{A},{broken},{B}]");
            assert_eq!(seen(&text), [A, fault, B], "{text}");
        }
        let lines = format!("{A}\n{{\"type\":\"z\n{{\"pattern\":1}}\nnonsense\n{B}");
        assert_eq!(
            seen(&lines),
            [
                A,
                "2:11 broken JSON: line ends inside a string",
                r#"{"pattern":1}"#,
                "4:1 broken JSON: expected a value",
                B
            ]
        );
    }

    #[test]
    fn a_broken_frame_leaves_the_objects() {
        let text = format!(r#"{{"type":"bundle" "objects":[{A},{B}]}}"#);
        assert_eq!(seen(&text), ["1:18 broken JSON: expected a comma or a closing brace", A, B]);
        let text = format!("oops {{\"objects\":[{A}],\"more\":x}}\n[{B}]");
        assert_eq!(seen(&text), ["1:1 broken JSON: expected a value", A, "1:51 broken JSON: expected a value", B]);
    }

    #[test]
    fn a_cut_document_gives_what_came_before() {
        let text = format!(r#"{{"type":"bundle","objects":[{A},{B}"#);
        assert_eq!(seen(&text), [A, B, "1:78 cut short: the document ends inside an object or list"]);
        assert_eq!(seen(&text[..60]), [A, "1:61 cut short: the document ends inside an object or list"]);
        assert_eq!(seen(&text[..20]), ["1:21 cut short: the document ends inside an object or list"]);
        assert_eq!(seen("[\n{\"a\":\n1"), ["3:2 cut short: the document ends inside an object or list"]);
    }

    #[test]
    fn an_object_that_is_too_large_is_passed() {
        let large = format!(r#"{{"a":"{}","b":{{"c":"}}\""}}}}"#, "x".repeat(200));
        let fault = "1:27 too large: an object of more than 64 MiB";
        for text in [format!("[{A},{large},{B}]"), format!(r#"[{A},{{"type":"z",{},{B}]"#, &large[1..])] {
            for capacity in [1, 16, 100] {
                assert_eq!(seen_at(&text, capacity, 100), [A, fault, B], "{text}");
            }
        }
        let tail = format!(r#"{{"objects":[{A}],"big":{large},"more":true}}{B}"#);
        assert_eq!(seen_at(&tail, 16, 100)[2], B);
    }

    #[test]
    fn bundles_nested_without_end_are_refused() {
        let text = "{\"objects\":[".repeat(1000);
        assert!(seen(&text)[0].ends_with("bundles nested too deep"));
        assert!(seen(&"[".repeat(10_000)).len() < 10);
    }

    proptest! {
        #[test]
        fn the_size_of_the_pieces_changes_nothing(
            parts in prop::collection::vec(prop::sample::select(vec!["{", "}", "[", "]", ",", ":", "\n", "\"", "\\", "\"type\":\"x\"", "\"id\":\"x--1\"", "\"objects\":", A, "1", "x"]), 0..30),
            capacity in 1_usize..40,
        ) {
            let text = parts.concat();
            prop_assert_eq!(seen_at(&text, capacity, 1 << 20), seen_at(&text, 1 << 16, 1 << 20));
        }
    }
}
