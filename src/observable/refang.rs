//! Undoing what reports do to values so that nobody clicks on them: `hxxp`, `[.]`, `[@]` and the like.

use std::borrow::Cow;
use std::ops::Range;

/// Markers and what they stand for. Letters are compared without regard to case.
const MARKERS: [(&[u8], &[u8]); 16] = [
    (b"[.]", b"."),
    (b"(.)", b"."),
    (b"{.}", b"."),
    (b"[dot]", b"."),
    (b"(dot)", b"."),
    (b"{dot}", b"."),
    (b"[:]", b":"),
    (b"[://]", b"://"),
    (b"[:/]", b":/"),
    (b"[/]", b"/"),
    (b"[@]", b"@"),
    (b"(@)", b"@"),
    (b"{@}", b"@"),
    (b"[at]", b"@"),
    (b"(at)", b"@"),
    (b"{at}", b"@"),
];

/// A text with its markers undone, and where each piece of it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refanged {
    /// The text as it was meant.
    pub text: Vec<u8>,
    /// After each replacement: the position in `text` and in the original from where on both run together again,
    /// and the beginning of the replacement in both.
    joints: Vec<Joint>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Joint {
    text: Range32,
    original: Range32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range32 {
    start: usize,
    end: usize,
}

impl Refanged {
    /// The bytes of the original that a range of the text came from.
    pub fn original(&self, range: Range<usize>) -> Range<usize> {
        self.position(range.start, false)..self.position(range.end, true)
    }

    /// Whether a range of the text holds anything that was written as a marker.
    pub fn touches(&self, range: &Range<usize>) -> bool {
        let next = self.joints.partition_point(|joint| joint.text.end <= range.start);
        self.joints.get(next).is_some_and(|joint| joint.text.start < range.end)
    }

    fn position(&self, at: usize, end: bool) -> usize {
        let before = self.joints.partition_point(|joint| joint.text.end <= at);
        if let Some(joint) = self.joints.get(before)
            && joint.text.start < at
        {
            // Inside a replacement: its whole marker.
            return if end { joint.original.end } else { joint.original.start };
        }
        match before.checked_sub(1).and_then(|last| self.joints.get(last)) {
            Some(joint) => joint.original.end + (at - joint.text.end),
            None => at,
        }
    }

    /// Builds a text piece by piece with [`Builder`].
    pub(super) fn builder() -> Builder {
        Builder { done: Refanged { text: Vec::new(), joints: Vec::new() } }
    }

    /// Whether nothing was replaced.
    pub(super) fn is_unchanged(&self) -> bool {
        self.joints.is_empty()
    }
}

/// Collects a rewritten text together with the map back.
pub(super) struct Builder {
    done: Refanged,
}

impl Builder {
    /// Appends bytes of the original as they are.
    pub(super) fn copy(&mut self, bytes: &[u8]) {
        self.done.text.extend_from_slice(bytes);
    }
    /// Appends what a range of the original stands for.
    pub(super) fn replace(&mut self, original: Range<usize>, meant: &[u8]) {
        let start = self.done.text.len();
        self.done.text.extend_from_slice(meant);
        self.done.joints.push(Joint {
            text: Range32 { start, end: self.done.text.len() },
            original: Range32 { start: original.start, end: original.end },
        });
    }
    pub(super) fn finish(self) -> Refanged {
        self.done
    }
}

/// The text of a defanged value as it was meant.
///
/// ```
/// assert_eq!(stockade::observable::refang("hxxps[:]//evil[.]example/a"), "https://evil.example/a");
/// ```
pub fn refang(text: &str) -> Cow<'_, str> {
    match refang_bytes(text.as_bytes()).and_then(|changed| String::from_utf8(changed.text).ok()) {
        Some(changed) => Cow::Owned(changed),
        None => Cow::Borrowed(text),
    }
}

/// The bytes of a line as they were meant, with a map back to the line; `None` if there is no marker.
pub fn refang_bytes(line: &[u8]) -> Option<Refanged> {
    let mut out = Refanged::builder();
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = line[from..].iter().position(|byte| matches!(byte, b'[' | b'(' | b'{' | b'h' | b'H')) {
        let start = from + at;
        match marker(line, start) {
            Some((length, meant)) => {
                out.copy(&line[copied..start]);
                out.replace(start..start + length, meant);
                copied = start + length;
                from = copied;
            }
            None => from = start + 1,
        }
    }
    out.copy(&line[copied..]);
    Some(out.finish()).filter(|changed| !changed.is_unchanged())
}

/// The marker at a position: its length and what it stands for.
fn marker(line: &[u8], at: usize) -> Option<(usize, &'static [u8])> {
    let rest = &line[at..];
    if rest[0] != b'h' && rest[0] != b'H' {
        return MARKERS
            .iter()
            .find(|(written, _)| rest.len() >= written.len() && rest[..written.len()].eq_ignore_ascii_case(written))
            .map(|(written, meant)| (written.len(), *meant));
    }
    let inside_word = at.checked_sub(1).is_some_and(|before| line[before].is_ascii_alphabetic());
    if inside_word || rest.len() < 4 || !rest[1..4].eq_ignore_ascii_case(b"xxp") {
        return None;
    }
    let after = if rest.get(4).is_some_and(|byte| byte.eq_ignore_ascii_case(&b's')) { &rest[5..] } else { &rest[4..] };
    let url = after.starts_with(b":") || after.starts_with(b"[:");
    url.then_some((4, b"http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_undone_and_nothing_else() {
        for (text, meant) in [
            ("evil[.]com", "evil.com"),
            ("evil(.)com{.}net", "evil.com.net"),
            ("evil[DOT]com(dot)net", "evil.com.net"),
            ("hxxp://a.b", "http://a.b"),
            ("hXXPs://a.b", "https://a.b"),
            ("hxxp[://]a[.]b", "http://a.b"),
            ("hxxp[:]//a", "http://a"),
            ("2001[:]db8::1", "2001:db8::1"),
            ("a[@]b[at]c(at)d", "a@b@c@d"),
            ("xhxxp://a", "xhxxp://a"),
            ("hxxp is a word", "hxxp is a word"),
            ("[] (a) {b} [.", "[] (a) {b} [."),
        ] {
            assert_eq!(refang(text), meant, "{text}");
        }
    }

    #[test]
    fn spans_lead_back_to_the_line() {
        let line = b"see hxxps://evil[.]com/a now";
        let changed = refang_bytes(line).expect("there are markers");
        assert_eq!(changed.text, b"see https://evil.com/a now");
        let back = |range: Range<usize>| &line[changed.original(range)];
        assert_eq!(back(4..22), b"hxxps://evil[.]com/a");
        assert_eq!(back(12..20), b"evil[.]com");
        assert_eq!(back(12..16), b"evil");
        assert_eq!(back(17..20), b"com");
        assert_eq!(back(0..26), line);
        assert!(changed.touches(&(12..20)) && !changed.touches(&(17..20)));
    }
}
