//! The line of a text that a span is in, with a caret under the span.

use super::Span;
use std::fmt::{self, Write};
use unicode_width::UnicodeWidthChar;

/// How much of a line is shown, in columns of a terminal.
const WIDTH: usize = 96;
/// How much of that may come before the span.
const BEFORE: usize = 48;
/// How many characters are shown at most: some take no column, such as accents.
const CHARS: usize = 2 * WIDTH;

/// The line of a text in which a span begins, under its number, with carets under the span: three lines for a person
/// who wrote the text. What cannot be shown is escaped, and of a long line only the surroundings are shown.
///
/// ```
/// use stockade::pattern::{Span, excerpt};
///
/// assert_eq!(excerpt("one\ntwo", Span { start: 5, end: 7 }), "  |\n2 | two\n  |  ^^\n");
/// ```
pub fn excerpt(text: &str, span: Span) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write(&mut out, text, span);
    out
}

/// A span that goes on to other lines is marked on its first.
fn write(out: &mut String, text: &str, span: Span) -> fmt::Result {
    let start = span.start as usize;
    let Some((before, after)) = text.split_at_checked(start) else { return Ok(()) };
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end = after.find('\n').map_or(text.len(), |at| start + at);
    let line = text.get(line_start..line_end).unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let marked = (start - line_start).min(line.len())..(span.end as usize - line_start).min(line.len());

    let head = tail_of(&line[..marked.start], BEFORE);
    let mut shown = String::new();
    let mut column = 0;
    if head.len() < marked.start {
        shown.push('…');
        column += 1;
    }
    let mut caret = (0, 0);
    for (count, (at, c)) in line[marked.start - head.len()..].char_indices().enumerate() {
        let at = at + marked.start - head.len();
        if at == marked.start {
            caret.0 = column;
        }
        if at < marked.end {
            caret.1 = column + width(c);
        }
        if column + width(c) > WIDTH || count > CHARS {
            shown.push('…');
            break;
        }
        push(&mut shown, c)?;
        column += width(c);
    }
    if marked.start == line.len() {
        caret.0 = column;
    }
    let number = before.matches('\n').count() + 1;
    let gutter = number.to_string().len();
    let carets = caret.1.min(WIDTH).saturating_sub(caret.0).max(1);
    writeln!(out, "{:gutter$} |\n{number} | {shown}", "")?;
    writeln!(out, "{:gutter$} | {:indent$}{}", "", "", "^".repeat(carets), indent = caret.0)
}

/// The end of a text, of so many columns at most.
fn tail_of(text: &str, columns: usize) -> &str {
    let mut sum = 0;
    let cut = text.char_indices().rev().enumerate().find(|&(count, (_, c))| {
        sum += width(c);
        sum > columns || count > CHARS / 2
    });
    cut.map_or(text, |(_, (at, c))| &text[at + c.len_utf8()..])
}

/// Whether a character cannot be shown as it is: a terminal would act upon it, or a reader not see it.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// A character as it is shown. A tab is one space.
fn push(out: &mut String, c: char) -> fmt::Result {
    match c {
        '\t' => out.write_char(' '),
        c if is_hidden(c) => write!(out, "<{:04X}>", u32::from(c)),
        c => out.write_char(c),
    }
}

/// How many columns it takes.
fn width(c: char) -> usize {
    match c {
        '\t' => 1,
        c if is_hidden(c) => {
            if u32::from(c) > 0xFFFF {
                7
            } else {
                6
            }
        }
        c => c.width().unwrap_or(0),
    }
}
