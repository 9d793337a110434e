//! What is printed of a hit: a row of text, or an object of JSON.

use super::name::Name;
use crate::cli::terminal;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use stockade::compile::RuleSet;
use stockade::matcher::{Hit, Relation, SeenAt};

/// How rows look.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(super) struct Look {
    /// One JSON object for each hit.
    pub(super) json: bool,
    /// The row begins with the name of the input.
    pub(super) filename: bool,
    /// The row ends before the line.
    pub(super) only_matching: bool,
    /// With colours.
    pub(super) color: bool,
    /// What could steer a terminal is made visible.
    pub(super) escape: bool,
}

/// What hits refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) set: &'a RuleSet,
    /// Its generation, which takes time to find out.
    pub(super) generation: &'a str,
    /// The name and first line of each block that the thread has searched, for hits that name other lines too.
    pub(super) blocks: &'a [(Arc<Name>, u64)],
}

/// A line that has a hit, or for `-v` one that has none.
pub(super) struct Line<'a> {
    pub(super) name: &'a Name,
    pub(super) number: u64,
    /// Where it begins in the input.
    pub(super) offset: u64,
    /// What is there of it.
    pub(super) text: &'a [u8],
    /// The place in the line where `text` begins.
    pub(super) start: u64,
    /// The line goes on where `text` ends.
    pub(super) more: bool,
    /// Rows show a part of it only.
    pub(super) shorten: bool,
}

/// What is shown on either side of a hit in a line that is too long to be shown whole, in bytes.
const WINDOW: usize = 512;
const LEFT_OUT: &[u8] = b"[...]";

const NAME: Style = AnsiColor::Magenta.on_default();
const NUMBER: Style = AnsiColor::Green.on_default();
const SEPARATOR: Style = AnsiColor::Cyan.on_default();
const MATCH: Style = AnsiColor::Red.on_default().bold();
const INDICATOR: Style = AnsiColor::Yellow.on_default();

impl Look {
    /// Appends the row of a hit; `span` is its place in `line.text`.
    pub(super) fn hit(self, line: &Line<'_>, span: Range<usize>, hit: &Hit, rules: Rules<'_>, out: &mut Vec<u8>) {
        if self.json {
            return json(line, &span, hit, rules, out);
        }
        self.place(line, out);
        self.styled(MATCH, out, |out| self.write(hit.value.as_bytes(), out));
        out.extend_from_slice(b" [");
        let id = rules.set.indicator(hit.entry).id();
        self.styled(INDICATOR, out, |out| self.write(id.as_bytes(), out));
        out.push(b']');
        if !self.only_matching {
            out.push(b' ');
            self.line(line, span, out);
        }
        out.push(b'\n');
    }

    /// Appends the row of a line without a hit. There is none if only what matches is wanted.
    pub(super) fn miss(self, line: &Line<'_>, out: &mut Vec<u8>) {
        if self.only_matching {
            return;
        }
        self.place(line, out);
        self.line(line, 0..0, out);
        out.push(b'\n');
    }

    /// Appends the row of an input with its number of lines.
    pub(super) fn count(self, name: &Name, count: u64, out: &mut Vec<u8>) {
        if self.filename {
            self.styled(NAME, out, |out| name.write(self.escape, out));
            self.styled(SEPARATOR, out, |out| out.push(b':'));
        }
        out.extend_from_slice(count.to_string().as_bytes());
        out.push(b'\n');
    }

    /// Appends the row of an input that has what is sought.
    pub(super) fn name(self, name: &Name, out: &mut Vec<u8>) {
        self.styled(NAME, out, |out| name.write(self.escape, out));
        out.push(b'\n');
    }

    fn place(self, line: &Line<'_>, out: &mut Vec<u8>) {
        if self.filename {
            self.styled(NAME, out, |out| line.name.write(self.escape, out));
            self.styled(SEPARATOR, out, |out| out.push(b':'));
        }
        self.styled(NUMBER, out, |out| out.extend_from_slice(line.number.to_string().as_bytes()));
        self.styled(SEPARATOR, out, |out| out.push(b':'));
    }

    fn line(self, line: &Line<'_>, span: Range<usize>, out: &mut Vec<u8>) {
        let text = line.text;
        let window = if line.shorten {
            span.start.saturating_sub(WINDOW)..span.end.saturating_add(WINDOW).min(text.len())
        } else {
            0..text.len()
        };
        if window.start > 0 || line.start > 0 {
            out.extend_from_slice(LEFT_OUT);
        }
        self.write(text.get(window.start..span.start).unwrap_or_default(), out);
        if !span.is_empty() {
            self.styled(MATCH, out, |out| self.write(text.get(span.clone()).unwrap_or_default(), out));
        }
        self.write(text.get(span.end..window.end).unwrap_or_default(), out);
        if window.end < text.len() || line.more {
            out.extend_from_slice(LEFT_OUT);
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

/// A hit as JSON. Other programs rely on these names.
#[derive(Serialize)]
struct Object<'a> {
    path: &'a str,
    line: u64,
    offset: u64,
    span: [u64; 2],
    observable: Observable<'a>,
    relation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    indicator: Indicator<'a>,
    generation: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also: Vec<Also<'a>>,
}

/// Another line that a sequence needed.
#[derive(Serialize)]
struct Also<'a> {
    path: &'a str,
    line: u64,
}

#[derive(Serialize)]
struct Observable<'a> {
    r#type: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct Indicator<'a> {
    id: &'a str,
    name: Option<&'a str>,
    confidence: Option<u8>,
    labels: Vec<&'a str>,
    valid_until: Option<String>,
}

fn json(line: &Line<'_>, span: &Range<usize>, hit: &Hit, rules: Rules<'_>, out: &mut Vec<u8>) {
    let indicator = rules.set.indicator(hit.entry);
    let object = Object {
        path: &line.name.text,
        line: line.number,
        offset: line.offset,
        span: [line.start + span.start as u64, line.start + span.end as u64],
        observable: Observable { r#type: hit.object_type, value: &hit.value },
        relation: relation_name(hit.relation),
        field: hit.field.as_deref(),
        indicator: Indicator {
            id: &indicator.id(),
            name: indicator.name(),
            confidence: indicator.confidence(),
            labels: indicator.labels().collect(),
            valid_until: indicator.valid_until().map(|time| time.to_string()),
        },
        generation: rules.generation,
        also: hit.also.iter().filter_map(|place| rules.line(*place)).collect(),
    };
    // Neither strings nor numbers can fail to become JSON, nor memory to take it.
    let _ = serde_json::to_writer(&mut *out, &object);
    out.push(b'\n');
}

impl<'a> Rules<'a> {
    fn line(self, place: SeenAt) -> Option<Also<'a>> {
        let (name, first) = self.blocks.get(usize::try_from(place.block).ok()?)?;
        Some(Also { path: &name.text, line: first + place.line })
    }
}

/// The name of a relation, as other programs know it.
pub(crate) fn relation_name(relation: Relation) -> &'static str {
    match relation {
        Relation::Exact => "exact",
        Relation::Cidr => "cidr",
        Relation::Subdomain => "subdomain",
        Relation::HostOfUrl => "host-of-url",
        Relation::HostOfEmail => "host-of-email",
        Relation::Text => "text",
    }
}
