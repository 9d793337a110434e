//! What a decoder finds in a line: its fields, each with its place and its meaning.

use std::borrow::Cow;
use std::ops::Range;

/// Fields of a line, at most. Lines have no limit, but memory has.
pub(super) const MOST: usize = 1 << 17;

/// A line taken apart.
///
/// ```
/// use stockade::log::{Event, Meaning};
///
/// let mut event = Event::new(b"client=203.0.113.9 note=hello");
/// event.push("client", 7..18, Meaning::property("network-traffic:src_ref.value"));
/// event.push("note", 24..29, Meaning::Text);
/// assert_eq!(&*event.fields[0].text, b"203.0.113.9");
/// ```
#[derive(Clone, Debug)]
pub struct Event<'l> {
    /// The line, without its newline.
    pub line: &'l [u8],
    /// Its fields in the order of the line. Between them they hold everything of the line that could be a value, since
    /// nothing else of it is searched. Where there is none, the line is searched as plain text.
    pub fields: Vec<Field<'l>>,
    /// The text that says when it happened, in any form that [`Clock::instant`](super::Clock::instant) reads. If there
    /// is none the whole line is asked.
    pub when: Option<Cow<'l, [u8]>>,
    /// Earlier records of a line that holds several.
    earlier: Vec<Self>,
}

/// A named value of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'l> {
    /// What the source calls it. Paths of JSON are dotted, with indices in brackets: `dns.answers[0].data`.
    pub name: Cow<'l, str>,
    /// The value as it was meant: escapes undone, without quotes.
    pub text: Cow<'l, [u8]>,
    /// The bytes of the line that it stands in: with escapes, without quotes.
    pub span: Range<usize>,
    /// What it says.
    pub meaning: Meaning<'l>,
    /// Where text and line part company; empty where the text is a piece of the line.
    pub joints: Vec<Joint>,
    /// The text was put together from several places (host and path of a URL): as a whole it is a value, and its parts
    /// are fields of their own.
    pub assembled: bool,
}

/// What the value of a field stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning<'l> {
    /// A property of a STIX object.
    Property {
        /// Its canonical object path: `network-traffic:src_ref.value`, `file:hashes.SHA-256`. See [`super::assemble`] for
        /// what more than the standard's own may stand here.
        path: &'l str,
        /// Properties of one type with the same number belong to one object.
        group: u16,
    },
    /// Its looks tell: a value that is wholly one observable, or a list of them, is a field; anything in a longer text
    /// is text.
    Open,
    /// Free text: a message, a name for people.
    Text,
}

impl<'l> Meaning<'l> {
    /// A property of the one object of its type.
    pub const fn property(path: &'l str) -> Self {
        Self::Property { path, group: 0 }
    }
}

/// An escape that was undone: from `text` on in the value, and from `line` on in the line, both run together again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joint {
    /// Where what the escape stands for ends in the text.
    pub text: u32,
    /// How many bytes it stands for.
    pub meant: u32,
    /// Where the escape ends in the line.
    pub line: u32,
    /// How many bytes it takes there.
    pub written: u32,
}

impl<'l> Event<'l> {
    /// A line of which nothing is known yet.
    pub fn new(line: &'l [u8]) -> Self {
        Self { line, fields: Vec::new(), when: None, earlier: Vec::new() }
    }

    /// What is added from now on is another event, as in a document that is a list of them.
    pub fn begin_record(&mut self) {
        let mut earlier = std::mem::take(&mut self.earlier);
        earlier.push(std::mem::replace(self, Self::new(self.line)));
        self.earlier = earlier;
    }

    /// Every event of the line: mostly one.
    pub fn records(&self) -> impl Iterator<Item = &Self> {
        self.earlier.iter().chain([self])
    }

    /// Whether there are more fields than a line is taken apart for.
    pub(super) fn is_too_long(&self) -> bool {
        self.fields.len() > MOST
    }

    fn add(&mut self, field: Field<'l>) {
        // One more than may be, by which it is known.
        if self.fields.len() <= MOST {
            self.fields.push(field);
        }
    }

    /// Adds a field that is a piece of the line. One without a byte is left out.
    pub fn push(&mut self, name: impl Into<Cow<'l, str>>, span: Range<usize>, meaning: Meaning<'l>) {
        let text = self.line.get(span.clone()).unwrap_or_default();
        if !text.is_empty() {
            self.add(Field {
                name: name.into(),
                text: Cow::Borrowed(text),
                span,
                meaning,
                joints: Vec::new(),
                assembled: false,
            });
        }
    }

    /// Adds a field whose escapes were undone.
    pub fn push_unescaped(
        &mut self,
        name: impl Into<Cow<'l, str>>,
        span: Range<usize>,
        unescaped: Unescaped,
        meaning: Meaning<'l>,
    ) {
        if unescaped.joints.is_empty() {
            return self.push(name, span, meaning);
        }
        let Unescaped { text, joints } = unescaped;
        self.add(Field { name: name.into(), text: text.into(), span, meaning, joints, assembled: false });
    }

    /// Adds a value put together from several fields, under the name and at the place of one of them.
    pub fn push_assembled(
        &mut self,
        name: impl Into<Cow<'l, str>>,
        span: Range<usize>,
        text: Vec<u8>,
        meaning: Meaning<'l>,
    ) {
        self.add(Field { name: name.into(), text: text.into(), span, meaning, joints: Vec::new(), assembled: true });
    }

    /// Adds the URL that a request was for, from the host it names and its target. The target may be a whole URL (a proxy
    /// was asked), `host:port` (`CONNECT`), or a path; without a host there is nothing to add. It stands under the name
    /// and at the place of the target.
    pub fn push_url(
        &mut self,
        name: impl Into<Cow<'l, str>>,
        span: Range<usize>,
        scheme: &str,
        host: &[u8],
        target: &[u8],
    ) {
        let whole = memchr::memmem::find(target, b"://").is_some();
        if host.is_empty() || whole || !target.starts_with(b"/") {
            return;
        }
        let mut url = Vec::with_capacity(scheme.len() + 3 + host.len() + target.len());
        url.extend_from_slice(scheme.as_bytes());
        if !scheme.is_empty() {
            url.push(b':');
        }
        url.extend_from_slice(b"//");
        url.extend_from_slice(host);
        url.extend_from_slice(target);
        self.push_assembled(name, span, url, Meaning::property("url:value"));
    }
}

impl Field<'_> {
    /// Where a piece of the text stands in the line.
    ///
    /// ```
    /// use stockade::log::{Event, Meaning, Unescaped};
    ///
    /// // x="a\"b c"
    /// let mut event = Event::new(br#"x="a\"b c""#);
    /// let mut unescaped = Unescaped::default();
    /// unescaped.copy(b"a");
    /// unescaped.replace(4..6, b"\"");
    /// unescaped.copy(b"b c");
    /// event.push_unescaped("x", 3..9, unescaped, Meaning::Text);
    /// assert_eq!(&*event.fields[0].text, b"a\"b c");
    /// assert_eq!(event.fields[0].place(4..5), 8..9);
    /// ```
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        if self.assembled {
            return self.span.clone();
        }
        self.position(range.start, false)..self.position(range.end, true)
    }

    fn position(&self, at: usize, end: bool) -> usize {
        let before = self.joints.partition_point(|joint| joint.text as usize <= at);
        if let Some(joint) = self.joints.get(before)
            && ((joint.text - joint.meant) as usize) < at
        {
            // Inside what an escape stands for: the whole escape.
            return if end { joint.line as usize } else { (joint.line - joint.written) as usize };
        }
        match before.checked_sub(1).and_then(|last| self.joints.get(last)) {
            Some(joint) => joint.line as usize + (at - joint.text as usize),
            None => self.span.start + at,
        }
    }
}

/// A text in the making whose escapes are undone, with the way back to the line.
#[derive(Clone, Debug, Default)]
pub struct Unescaped {
    text: Vec<u8>,
    joints: Vec<Joint>,
}

impl Unescaped {
    /// The text alone.
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// Appends bytes that mean themselves.
    pub fn copy(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    /// Appends what the escape at a place of the line stands for.
    pub fn replace(&mut self, written: Range<usize>, meant: &[u8]) {
        self.text.extend_from_slice(meant);
        self.joints.push(Joint {
            text: self.text.len() as u32,
            meant: meant.len() as u32,
            line: written.end as u32,
            written: written.len() as u32,
        });
    }
}
