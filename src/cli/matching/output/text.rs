//! Rows of text, as grep prints them.

use super::super::name::Name;
use super::{LEFT_OUT, Line, Look, Rules, Scratch, Writer, json};
use crate::cli::terminal;
use anstyle::{AnsiColor, Style};
use std::io::Write;
use std::ops::Range;
use stockade::matcher::Hit;

pub(super) const WRITER: Writer = Writer {
    head: "",
    hits: |look, line, hits, rules, scratch, out| {
        for hit in hits {
            look.row(line, hit, rules, scratch, out);
        }
    },
};

const NAME: Style = AnsiColor::Magenta.on_default();
const NUMBER: Style = AnsiColor::Green.on_default();
const SEPARATOR: Style = AnsiColor::Cyan.on_default();
const MATCH: Style = AnsiColor::Red.on_default().bold();
const INDICATOR: Style = AnsiColor::Yellow.on_default();

impl Look {
    fn row(self, line: &Line<'_>, hit: &Hit, rules: Rules<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
        self.place(line, line.spot(hit).line, out);
        self.styled(MATCH, out, |out| self.write(hit.value.as_bytes(), out));
        out.extend_from_slice(b" [");
        scratch.indicator(hit.entry, out, |out| {
            let id = rules.set.indicator(hit.entry).id();
            self.styled(INDICATOR, out, |out| self.write(id.as_bytes(), out));
        });
        out.push(b']');
        if !self.only_matching {
            out.push(b' ');
            self.line(line, hit.span.clone(), out);
        }
        out.push(b'\n');
    }

    /// Appends the row of a line without a hit. There is none if only what matches is wanted.
    pub(in crate::cli::matching) fn miss(self, line: &Line<'_>, out: &mut Vec<u8>) {
        if self.only_matching {
            return;
        }
        self.place(line, line.number, out);
        self.line(line, 0..0, out);
        out.push(b'\n');
    }

    /// Appends the row of an input with its number of lines.
    pub(in crate::cli::matching) fn count(self, name: &Name, count: u64, out: &mut Vec<u8>) {
        if self.filename {
            self.styled(NAME, out, |out| name.write(self.escape, out));
            self.styled(SEPARATOR, out, |out| out.push(b':'));
        }
        json::number(count, out);
        out.push(b'\n');
    }

    /// Appends the row of an input that has what is sought.
    pub(in crate::cli::matching) fn name(self, name: &Name, out: &mut Vec<u8>) {
        self.styled(NAME, out, |out| name.write(self.escape, out));
        out.push(b'\n');
    }

    fn place(self, line: &Line<'_>, number: u64, out: &mut Vec<u8>) {
        if self.filename {
            self.styled(NAME, out, |out| line.name.write(self.escape, out));
            self.styled(SEPARATOR, out, |out| out.push(b':'));
        }
        self.styled(NUMBER, out, |out| json::number(number, out));
        self.styled(SEPARATOR, out, |out| out.push(b':'));
    }

    fn line(self, line: &Line<'_>, span: Range<usize>, out: &mut Vec<u8>) {
        let text = line.text;
        let shown = line.window(&span);
        if shown.cut_before {
            out.extend_from_slice(LEFT_OUT.as_bytes());
        }
        self.write(text.get(shown.range.start..span.start).unwrap_or_default(), out);
        if !span.is_empty() {
            self.styled(MATCH, out, |out| self.write(text.get(span.clone()).unwrap_or_default(), out));
        }
        self.write(text.get(span.end..shown.range.end).unwrap_or_default(), out);
        if shown.cut_behind {
            out.extend_from_slice(LEFT_OUT.as_bytes());
        }
    }

    fn write(self, text: &[u8], out: &mut Vec<u8>) {
        if self.escape {
            terminal::escape(text, out);
        } else {
            out.extend_from_slice(text);
        }
    }

    fn styled(self, style: Style, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        // Writing to memory cannot fail.
        if self.color {
            let _ = write!(out, "{style}");
        }
        write(out);
        if self.color {
            let _ = write!(out, "{style:#}");
        }
    }
}
