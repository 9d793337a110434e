//! Documents of JSON that are more than a line: a list of records (`[{...},{...}]`), an object around one
//! (`{"Records":[...]}`), objects over several lines.
//!
//! A [`Cutter`] makes lines of them as they stream past, a record each, without moving a byte: what stands between two
//! records becomes a line break, and line breaks within a record, as well as what stands around the list, blanks. So
//! whoever reads lines reads records, and every place stays the place it is in the document.

use serde::{Deserialize, Serialize};

/// What the list of records is called in objects that hold little else. The first is for a list without a name.
const LISTS: [&str; 7] = ["", "Records", "records", "events", "value", "logEvents", "Events"];

/// Whether a list of that name is one of records.
pub(super) fn is_list_of_records(name: &str) -> bool {
    !name.is_empty() && LISTS.contains(&name)
}

/// Whether an input that begins so is to be cut, if that can be told yet: `whole` if there is no more of it, or it will not
/// be waited for.
///
/// ```
/// use stockade::log::begins_document;
///
/// assert_eq!(begins_document(b"{\n  \"a\": 1", false), Some(true));
/// assert_eq!(begins_document(b"[{\"a\":1},", false), Some(true));
/// assert_eq!(begins_document(b"{\"Records\":[{\"a\":1},", false), None);
/// assert_eq!(begins_document(b"{\"a\":1}\n{\"a\":2}\n", false), Some(false), "lines already");
/// ```
pub fn begins_document(head: &[u8], whole: bool) -> Option<bool> {
    let unknown = whole.then_some(false);
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let Some((first, rest)) = text.split_first() else { return unknown };
    let second = rest.trim_ascii_start().first();
    match (first, second) {
        (b'[' | b'{', None) => return unknown,
        (b'[', Some(second)) => return Some(*second == b'{'),
        (b'{', Some(b'"')) => {}
        _ => return Some(false),
    }
    match after_key(text) {
        None => return unknown,
        Some(b':') => {}
        Some(_) => return Some(false),
    }
    let line = memchr::memchr(b'\n', text);
    let mut copy = text[..line.unwrap_or(text.len())].to_vec();
    let mut cutter = Cutter::default();
    cutter.pass(&mut copy, 0, false);
    let State { depth, inside, .. } = cutter.now;
    // Where more than the list is said, it is an event.
    let is_document = !cutter.lists.is_empty() && is_bare(&copy);
    match line {
        None if whole => Some(!cutter.lists.is_empty()),
        None => (depth == 0 && is_document).then_some(true),
        // One of its lines is a document, and probably the others.
        Some(_) if depth == 0 => Some(is_document),
        Some(_) if inside != Inside::Nothing => Some(false),
        Some(line) => text.get(line + 1).map(|next| *next != b'{').or(unknown),
    }
}

/// What follows the first key of an object.
fn after_key(object: &[u8]) -> Option<u8> {
    let key = memchr::memchr(b'"', object)? + 1;
    let mut escaped = false;
    let end = object[key..].iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    object[key + end + 1..].trim_ascii_start().first().copied()
}

/// Whether nothing is left of what stood around a list.
fn is_bare(cut: &[u8]) -> bool {
    let mut lines = cut.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.next().is_some_and(<[u8]>::is_empty) && lines.next_back().is_some_and(<[u8]>::is_empty)
}

/// Makes lines of a document.
///
/// ```
/// use stockade::log::Cutter;
///
/// let mut text = *b"{\"Records\":[{\"a\":1},{\n\"a\":2}]}";
/// let mut cutter = Cutter::default();
/// cutter.pass(&mut text, 0, false);
/// assert_eq!(&text, b"           \n{\"a\":1}\n{ \"a\":2} \n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cutter {
    now: State,
    line_begin: State,
    lists: Vec<(u64, Option<List>)>,
}

/// A list of records that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    name: u8,
    /// Brackets that are open between its records.
    depth: u32,
    /// The number of the record at hand, from 0.
    pub index: u64,
}

/// Where a [`Cutter`] stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The place of the next byte in the document.
    at: u64,
    /// How many brackets are open, and of the first 64 whether they are those of lists.
    depth: u32,
    kinds: u64,
    #[serde(default)]
    inside: Inside,
    /// The last byte that is no white space; of a string its quote.
    last: u8,
    /// The line break that became a blank, if only white space came since.
    blank: Option<u64>,
    list: Option<List>,
    head: Option<Head>,
    /// A bracket that begins a list of records if an object follows.
    bracket: Option<u64>,
    /// The bracket that ended the list in an object.
    closed: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Inside {
    #[default]
    Nothing,
    String,
    /// A string, behind a backslash.
    Escape,
    /// A line that is no JSON.
    Line,
}

/// An object that may hold a list of records, as far as it has only plain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    start: u64,
    /// The last comma between its members.
    comma: Option<u64>,
    /// Where the string that is read begins, if that is a key.
    key_at: Option<u64>,
    /// A key is to follow.
    expects_key: bool,
    /// The name of the list that the last key is.
    name: Option<u8>,
}

impl List {
    /// The path of the record at hand, or of one that many later.
    pub fn path(&self, later: u64) -> String {
        format!("{}[{}]", LISTS.get(usize::from(self.name)).unwrap_or(&""), self.index + later)
    }
}

impl State {
    /// The place of the next byte in the document.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The list of records that is open.
    pub fn list(&self) -> Option<List> {
        self.list
    }

    fn is_between_records(&self) -> bool {
        self.list.is_some_and(|list| list.depth == self.depth)
    }

    fn open(&mut self, is_list: bool) {
        if self.depth < 64 {
            self.kinds = self.kinds & !(1 << self.depth) | u64::from(is_list) << self.depth;
        }
        self.depth += 1;
    }

    /// Whether an object cannot begin here, so that something before it is broken.
    fn forbids_object(&self) -> bool {
        let in_list = self.depth > 64 || self.kinds >> (self.depth - 1) & 1 == 1;
        match self.last {
            b':' | b'[' => false,
            b',' => !in_list,
            _ => true,
        }
    }
}

impl Cutter {
    /// Goes on where another stood.
    pub fn resume(state: State) -> Self {
        Self { now: state, line_begin: state, lists: Vec::new() }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.now
    }

    /// Where one would stand at the beginning of the last line that was begun.
    pub fn state_at_line(&self) -> State {
        self.line_begin
    }

    /// Takes what it came by: where lists of records begin and end, by place in the document.
    pub fn take_lists(&mut self) -> Vec<(u64, Option<List>)> {
        std::mem::take(&mut self.lists)
    }

    /// Cuts what a buffer holds from a place on; what stands before was cut earlier, from the beginning of the line at hand
    /// on if that is at hand. With `one_line` it stops when a line has ended. Returns up to where it has come.
    pub fn pass(&mut self, buffer: &mut [u8], from: usize, one_line: bool) -> usize {
        let mut text = Text { base: self.now.at.wrapping_sub(from as u64), buffer };
        let mut at = from;
        while at < text.buffer.len() {
            let mut ended = false;
            match self.now.inside {
                Inside::Nothing => {
                    ended = self.byte(&mut text, at);
                    at += 1;
                }
                Inside::Line => match memchr::memchr(b'\n', &text.buffer[at..]) {
                    Some(end) => {
                        self.now.inside = Inside::Nothing;
                        at += end;
                    }
                    None => at = text.buffer.len(),
                },
                Inside::Escape => {
                    self.now.inside = Inside::String;
                    at += usize::from(text.buffer[at] != b'\n');
                }
                Inside::String => match memchr::memchr3(b'"', b'\\', b'\n', &text.buffer[at..]) {
                    Some(next) => {
                        at += next;
                        self.now.inside = match text.buffer[at] {
                            b'\\' => Inside::Escape,
                            _ => Inside::Nothing,
                        };
                        if text.buffer[at] == b'"' {
                            self.end_string(&text, at);
                        }
                        // No string goes over the end of a line: the quote was missing.
                        at += usize::from(text.buffer[at] != b'\n');
                    }
                    None => at = text.buffer.len(),
                },
            }
            if ended && one_line {
                break;
            }
        }
        self.now.at = text.place(at);
        at
    }

    /// Looks at a byte outside of strings. Returns whether a line has ended.
    fn byte(&mut self, text: &mut Text<'_>, at: usize) -> bool {
        let (byte, place) = (text.buffer[at], text.place(at));
        match byte {
            b' ' | b'\t' | b'\r' => return false,
            b'\n' if self.now.depth == 0 => {
                self.now.last = byte;
                return self.end_line(place);
            }
            b'\n' => {
                text.buffer[at] = b' ';
                self.now.blank = Some(place);
                return false;
            }
            _ => {}
        }
        let mut ended = false;
        if let Some(bracket) = self.now.bracket.take() {
            if byte == b'{' {
                ended = self.begin_list(text, bracket);
            } else if self.now.depth == 1 && self.now.head.is_none() {
                // A list of something else.
                (self.now.depth, self.now.inside) = (0, Inside::Line);
                return false;
            }
        }
        ended |= if self.now.depth == 0 {
            self.at_top(text, at)
        } else if self.now.closed.is_some() {
            self.behind_list(text, at)
        } else if self.now.is_between_records() {
            self.between_records(text, at)
        } else {
            self.in_record(text, at)
        };
        (self.now.last, self.now.blank) = (byte, None);
        ended
    }

    fn at_top(&mut self, text: &mut Text<'_>, at: usize) -> bool {
        let place = text.place(at);
        let mut ended = false;
        match text.buffer[at] {
            b'{' => {
                // Another object on the same line.
                if self.now.last == b'}' && at > 0 && text.buffer[at - 1].is_ascii_whitespace() {
                    text.buffer[at - 1] = b'\n';
                    ended = self.end_line(place - 1);
                }
                self.now.open(false);
                self.now.head = Some(Head { start: place, comma: None, key_at: None, expects_key: true, name: None });
            }
            b'[' => {
                self.now.open(true);
                self.now.bracket = Some(place);
            }
            // A byte order mark.
            b'\xef' | b'\xbb' | b'\xbf' if place < 3 => {}
            _ => self.now.inside = Inside::Line,
        }
        ended
    }

    fn between_records(&mut self, text: &mut Text<'_>, at: usize) -> bool {
        let place = text.place(at);
        match text.buffer[at] {
            b',' => {
                text.buffer[at] = b'\n';
                if let Some(list) = &mut self.now.list {
                    list.index += 1;
                }
                return self.end_line(place);
            }
            b']' => {
                self.now.depth -= 1;
                self.now.list = None;
                self.lists.push((place, None));
                if self.now.depth == 0 {
                    text.buffer[at] = b'\n';
                    return self.end_line(place);
                }
                text.buffer[at] = b' ';
                self.now.closed = Some(place);
            }
            b'"' => self.now.inside = Inside::String,
            b'{' => self.now.open(false),
            b'[' => self.now.open(true),
            _ => {}
        }
        false
    }

    /// What follows the list in an object around it becomes an object of its own.
    fn behind_list(&mut self, text: &mut Text<'_>, at: usize) -> bool {
        let place = text.place(at);
        match (text.buffer[at], self.now.closed) {
            (b',', Some(closed)) => {
                text.buffer[at] = b'{';
                let ended = text.set(closed, b'\n') && self.end_line(closed);
                self.now.closed = None;
                ended
            }
            (b'}', _) => {
                text.buffer[at] = b'\n';
                (self.now.depth, self.now.closed) = (0, None);
                self.end_line(place)
            }
            _ => false,
        }
    }

    fn in_record(&mut self, text: &mut Text<'_>, at: usize) -> bool {
        let place = text.place(at);
        let byte = text.buffer[at];
        match byte {
            b'"' => {
                self.now.inside = Inside::String;
                if let Some(head) = self.now.head.as_mut().filter(|_| self.now.depth == 1) {
                    head.key_at = head.expects_key.then_some(place + 1);
                    head.name = None;
                }
            }
            b'{' if self.now.forbids_object() && self.now.blank.is_some() => {
                let ended = self.begin_anew(text);
                if self.now.depth == 0 {
                    return self.at_top(text, at) | ended;
                }
                self.now.open(false);
                return ended;
            }
            b'{' | b'[' => {
                if self.now.depth == 1
                    && let Some(head) = self.now.head
                {
                    if byte == b'[' && head.name.is_some() {
                        self.now.bracket = Some(place);
                    } else {
                        self.now.head = None;
                    }
                }
                self.now.open(byte == b'[');
            }
            b'}' | b']' => {
                self.now.depth -= 1;
                if self.now.depth == 0 {
                    self.now.head = None;
                }
            }
            b',' => {
                if let Some(head) = self.now.head.as_mut().filter(|_| self.now.depth == 1) {
                    (head.comma, head.expects_key, head.name) = (Some(place), true, None);
                }
            }
            b':' => {}
            _ => {
                if let Some(head) = self.now.head.as_mut().filter(|_| self.now.depth == 1) {
                    // A plain value, or no JSON.
                    head.name = None;
                    if head.expects_key {
                        self.now.head = None;
                    }
                }
            }
        }
        false
    }

    fn end_string(&mut self, text: &Text<'_>, at: usize) {
        self.now.last = b'"';
        if let Some(head) = &mut self.now.head
            && let Some(key_at) = head.key_at.take()
        {
            head.expects_key = false;
            let key = text.index(key_at).and_then(|start| text.buffer.get(start..at));
            let name = key.and_then(|key| LISTS.iter().skip(1).position(|name| name.as_bytes() == key));
            head.name = name.map(|name| name as u8 + 1);
        }
    }

    /// The records of a list begin. What the object around it says before becomes an object of its own.
    fn begin_list(&mut self, text: &mut Text<'_>, bracket: u64) -> bool {
        let head = self.now.head.take();
        let list = List { name: head.and_then(|head| head.name).unwrap_or(0), depth: self.now.depth, index: 0 };
        self.now.list = Some(list);
        self.lists.push((bracket + 1, Some(list)));
        let Some(head) = head else {
            text.set(bracket, b' ');
            return false;
        };
        let from = head.comma.map_or(head.start, |comma| comma + 1);
        if let (Some(from), Some(to)) = (text.index(from), text.index(bracket)) {
            text.buffer[from..to].fill(b' ');
        }
        if let Some(comma) = head.comma {
            text.set(comma, b'}');
        }
        text.set(bracket, b'\n') && self.end_line(bracket)
    }

    /// Lets a record that is broken end with the last line, and the next begin.
    fn begin_anew(&mut self, text: &mut Text<'_>) -> bool {
        let Some(blank) = self.now.blank else { return false };
        self.now.depth = self.now.list.map_or(0, |list| list.depth);
        self.now.head = None;
        if let Some(list) = &mut self.now.list {
            list.index += 1;
        }
        // There is none on the line of the object that begins here.
        self.now.last = b'\n';
        text.set(blank, b'\n') && self.end_line(blank)
    }

    /// Notes that a line ends at a place.
    fn end_line(&mut self, place: u64) -> bool {
        self.now.blank = None;
        let State { depth, kinds, list, closed, .. } = self.now;
        self.line_begin = State { at: place + 1, depth, kinds, list, closed, last: b'\n', ..State::default() };
        true
    }
}

/// A buffer of which the first byte has a place in the document.
struct Text<'b> {
    base: u64,
    buffer: &'b mut [u8],
}

impl Text<'_> {
    fn place(&self, at: usize) -> u64 {
        self.base.wrapping_add(at as u64)
    }

    /// Where a byte of the document is in the buffer, should it be there.
    fn index(&self, place: u64) -> Option<usize> {
        let index = usize::try_from(place.wrapping_sub(self.base)).ok()?;
        (index < self.buffer.len()).then_some(index)
    }

    /// Changes a byte, should it be there.
    fn set(&mut self, place: u64, byte: u8) -> bool {
        let index = self.index(place);
        if let Some(index) = index {
            self.buffer[index] = byte;
        }
        index.is_some()
    }
}

#[cfg(test)]
mod tests;
