//! Escapes: where a token begins behind one, and texts as they were meant.

use super::super::Refanged;
use super::super::kind::url::escape as percent;

/// A text and how backslashes in it are read.
#[derive(Clone, Copy)]
pub(super) struct View<'t> {
    pub(super) text: &'t [u8],
    pub(super) json: Json,
}

/// Whether `\n` and its like are escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Json {
    No,
    Yes,
    /// The beginning of the line is not known: both readings count.
    Unknown,
}

impl Json {
    /// A line that begins with `{` or `[` is taken for JSON.
    pub(super) fn of_line(line: &[u8]) -> Self {
        match line.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => Json::Yes,
            _ => Json::No,
        }
    }
}

/// Where tokens of a run may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Starts {
    /// Past the escape that the run begins in, else the beginning of the run.
    pub(super) at: usize,
    /// Whether an escape ends right there.
    pub(super) escaped: bool,
    /// Whether that escape stands for a character of names, so that what follows is but a part of one.
    pub(super) joined: bool,
    /// The beginning of the run, where it may be no escape at all.
    pub(super) also: Option<usize>,
}

/// Looks whether an escape reaches into, or ends at, the run that begins at `start`.
pub(super) fn starts(view: &View<'_>, start: usize) -> Starts {
    let plain = Starts { at: start, escaped: false, joined: false, also: None };
    let text = view.text;
    let before = |back: usize| start.checked_sub(back).and_then(|at| text.get(at)).copied();
    match (before(2), before(1)) {
        (_, Some(b'%')) => {
            let Some(mut byte) = percent(&text[start - 1..]) else { return plain };
            let mut at = start + 2;
            // `%252F`: an escaped escape.
            while byte == b'%' && hex(text, at, 2).is_some() {
                byte = u8::try_from(hex(text, at, 2).unwrap_or(0)).unwrap_or(0);
                at += 2;
            }
            Starts { at, escaped: true, joined: is_name(byte), also: None }
        }
        (_, Some(b'\\')) => match backslash(view, start - 1) {
            Some((end, meant)) if end > start => {
                let even = text[..start].iter().rev().take(8).take_while(|byte| **byte == b'\\').count() % 2 == 0;
                let even = even || view.json == Json::Unknown;
                Starts { at: end, escaped: true, joined: meant.is_some_and(is_name_char), also: even.then_some(start) }
            }
            _ => plain,
        },
        // A run of hex digits begins behind the letter of the escape.
        (Some(b'\\'), Some(_)) => match backslash(view, start - 2) {
            Some((end, meant)) if end >= start => {
                let also = (view.json == Json::Unknown).then_some(start);
                Starts { at: end, escaped: true, joined: meant.is_some_and(is_name_char), also }
            }
            _ => plain,
        },
        _ => plain,
    }
}

/// Whether an escape follows that stands for a character of names, so that what ends here is but a part of one.
pub(super) fn goes_on(view: &View<'_>, end: usize) -> bool {
    match view.text.get(end) {
        Some(b'%') => percent(&view.text[end..]).is_some_and(is_name),
        Some(b'\\') => backslash(view, end).is_some_and(|(_, meant)| meant.is_some_and(is_name_char)),
        _ => false,
    }
}

/// The escape that begins with the backslash at `at`: its end, and what it stands for if that is no control character.
fn backslash(view: &View<'_>, at: usize) -> Option<(usize, Option<char>)> {
    let text = view.text;
    match text.get(at + 1)? {
        b'n' | b't' | b'r' | b'b' | b'f' if view.json != Json::No => Some((at + 2, None)),
        b'x' => Some((at + 4, char::from_u32(hex(text, at + 2, 2)?))),
        b'u' => Some((at + 6, char::from_u32(hex(text, at + 2, 4)?))),
        _ => None,
    }
}

fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at.checked_add(digits)?)?;
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// A byte of ASCII names.
pub(super) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn is_name_char(meant: char) -> bool {
    if meant.is_ascii() { is_name(meant as u8) } else { meant.is_alphanumeric() }
}

/// Appends the text as it was meant, layer by layer: each is the one before (the text, for the first) with one kind of escape undone.
/// Tells how many of the first layers merely undo what a program did to the line as a whole.
pub(super) fn unescape(text: &[u8], json: Json, layers: &mut Vec<Refanged>) -> usize {
    layers.extend(without_colours(text));
    let below = layers.last().map_or(text, |layer| &layer.text);
    let plain = without_backslashes(below, json);
    layers.extend(plain);
    let whole = layers.len();
    // Twice escaped text is common in redirects, thrice is not.
    for _ in 0..2 {
        let below = layers.last().map_or(text, |layer| &layer.text);
        match without_percents(below) {
            Some(layer) => layers.push(layer),
            None => break,
        }
    }
    whole
}

/// The text without the sequences that colour it on a terminal (ECMA-48 section 8.3.117); a space stands for each.
fn without_colours(text: &[u8]) -> Option<Refanged> {
    memchr::memchr(ESCAPE, text)?;
    let mut out = Refanged::builder();
    let mut copied = 0;
    for at in memchr::memchr_iter(ESCAPE, text) {
        if let Some(end) = colour_end(text, at) {
            out.copy(&text[copied..at]);
            out.replace(at..end, b" ");
            copied = end;
        }
    }
    out.copy(&text[copied..]);
    Some(out.finish()).filter(|layer| !layer.is_unchanged())
}

const ESCAPE: u8 = 0x1b;

/// Where the sequence ends that sets a colour and begins at `at`.
fn colour_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(b"\x1b[")?;
    let numbers = rest.iter().take(24).take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')).count();
    (rest.get(numbers) == Some(&b'm')).then_some(at + 2 + numbers + 1)
}

/// Whether at a position begins what sets a colour right before a letter or digit, which would seem to be of one word with it.
pub(super) fn colour_behind(text: &[u8], at: usize) -> bool {
    colour_end(text, at).and_then(|end| text.get(end)).is_some_and(|next| *next > b' ')
}

/// Undoes `\/` in JSON, `\uHHHH` and `\xHH`; `None` if there is nothing that could change a token.
fn without_backslashes(text: &[u8], json: Json) -> Option<Refanged> {
    let view = View { text, json };
    let mut out = Refanged::builder();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'\\', text.get(from..)?) {
        let at = from + found;
        from = at + 2;
        let meant = match text.get(at + 1) {
            Some(b'/') if json != Json::No => Some((at + 2, '/')),
            // JSON within JSON.
            Some(b'\\') if json != Json::No && text.get(at + 2) == Some(&b'/') => Some((at + 3, '/')),
            Some(b'u' | b'x') => backslash(&view, at).and_then(|(end, meant)| Some((end, meant?))),
            _ => None,
        };
        let Some((end, meant)) = meant.filter(|(_, meant)| matters(*meant)) else { continue };
        out.copy(&text[copied..at]);
        out.replace(at..end, meant.encode_utf8(&mut [0; 4]).as_bytes());
        (copied, from) = (end, end);
    }
    out.copy(&text[copied..]);
    Some(out.finish()).filter(|layer| !layer.is_unchanged())
}

/// Undoes the percent-encoding of each word that holds an escape which could change a token.
fn without_percents(text: &[u8]) -> Option<Refanged> {
    memchr::memchr(b'%', text)?;
    let mut out = Refanged::builder();
    let mut start = 0;
    while start < text.len() {
        let length = text[start..].iter().position(|byte| *byte <= b' ').unwrap_or(text.len() - start);
        let end = (start + length + 1).min(text.len());
        let word = &text[start..end];
        if memchr::memchr_iter(b'%', word).any(|at| percent(&word[at..]).is_some_and(percent_matters)) {
            let mut copied = 0;
            let mut from = 0;
            while let Some(found) = memchr::memchr(b'%', &word[from..]) {
                let at = from + found;
                from = at + 1;
                if let Some(byte) = percent(&word[at..]) {
                    out.copy(&word[copied..at]);
                    out.replace(start + at..start + at + 3, &[byte]);
                    (copied, from) = (at + 3, at + 3);
                }
            }
            out.copy(&word[copied..]);
        } else {
            out.copy(word);
        }
        start = end;
    }
    Some(out.finish()).filter(|layer| !layer.is_unchanged())
}

/// Whether a percent-encoded byte may be part of a token that is none as it is written.
const fn percent_matters(byte: u8) -> bool {
    is_name(byte) || matches!(byte, b':' | b'@' | b'%')
}

/// The same for an escape with backslash.
fn matters(meant: char) -> bool {
    is_name_char(meant) || matches!(meant, ':' | '@' | '%' | '/' | '?' | '=' | '&' | '#') || meant > '\u{7f}'
}

/// Whether the `%` or backslash at a position begins an escape that [`unescape`] might undo.
pub(super) fn may_matter(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'%' => percent(&text[at..]).is_some_and(percent_matters),
        _ if text.get(at + 1) == Some(&b'/') => true,
        _ => backslash(&View { text, json: Json::No }, at).is_some_and(|(_, meant)| meant.is_some_and(matters)),
    }
}
