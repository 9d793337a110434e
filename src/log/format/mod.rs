//! The table of log formats: one file each, one line here.

mod access;
mod cef;
mod csv;
mod elb;
pub(super) mod json;
mod key_value;
mod leef;
mod pan_os;
mod s3;
mod squid;
mod syslog;
pub(super) mod text;
mod vpc_flow;
mod w3c;
mod zeek;

use super::event::Event;
use super::json as families;
use super::layout::{Columns, Layout};

/// A log format.
pub struct Format {
    /// Its name for `--log-format`.
    pub name: &'static str,
    /// What it is, in half a line.
    pub about: &'static str,
    /// Whether an input that begins so is of this format. The bytes are whole lines but for the last.
    pub(super) sniff: fn(&[u8]) -> bool,
    /// Whether a line says by itself that it has this format, whatever stands around it.
    pub(super) own_line: Option<fn(&[u8]) -> bool>,
    /// For formats whose lines mean what a header line says.
    pub(super) header: Option<Header>,
    /// Whether a line, as a glance at its ends tells, is not of this format. Lines that hold nothing of interest are not
    /// taken apart, so this is how most that are broken are noticed.
    pub(super) ragged: Option<fn(&Layout, &[u8]) -> bool>,
    /// Takes a line apart: see [`Layout::decode`]. Header lines and comments come here too; they have no fields.
    pub(super) decode: for<'l> fn(&'l Layout, &mut Event<'l>) -> Result<(), &'static str>,
}

/// How header lines are known and read.
pub(super) struct Header {
    /// What they begin with, also in the middle of an input; if nothing, the first line is the header.
    pub(super) mark: Option<&'static [u8]>,
    /// From a line and what earlier ones said to what holds from the next line on; `None` if it changes nothing.
    pub(super) read: fn(&[u8], Option<&Columns>) -> Option<Columns>,
}

impl Format {
    /// Whether its lines are JSON.
    pub(super) fn is_json(&self) -> bool {
        std::ptr::eq(self, &raw const json::FORMAT)
            || families::FAMILIES.iter().any(|family| family.format.name == self.name)
    }

    /// Whether a line says by itself that it has this format.
    pub(super) fn speaks(&self, line: &[u8]) -> bool {
        self.own_line.is_some_and(|own| own(line))
    }
}

impl std::fmt::Debug for Format {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

/// Every format, in the order in which an input is asked whether it has it.
static TABLE: &[&Format] = &[
    &zeek::FORMAT,
    &w3c::FORMAT,
    &json::FORMAT,
    &cef::FORMAT,
    &leef::FORMAT,
    &pan_os::FORMAT,
    &elb::FORMAT,
    &s3::FORMAT,
    &vpc_flow::FORMAT,
    &squid::FORMAT,
    &access::FORMAT,
    &syslog::FORMAT,
    &key_value::FORMAT,
    &csv::FORMAT,
    &text::FORMAT,
];

/// Every format.
pub fn all() -> impl Iterator<Item = &'static Format> {
    TABLE.iter().copied().chain(families::FAMILIES.iter().map(|family| &family.format))
}

/// The format of a table whose header a text begins with.
pub(super) fn of_header(text: &[u8]) -> Option<&'static Format> {
    if text.starts_with(b"#separator ") || text.starts_with(b"#fields\t") {
        Some(&zeek::FORMAT)
    } else {
        text.starts_with(b"#Fields: ").then_some(&w3c::FORMAT)
    }
}

/// The format of a name.
pub fn named(name: &str) -> Option<&'static Format> {
    all().find(|format| format.name == name)
}

/// Columns that a header line names, at most.
const MOST_COLUMNS: usize = 10_000;

/// Lines at the head of an input that are looked at to tell its format.
const SAMPLE: usize = 200;

/// The first lines of an input, without their ends.
fn header_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|b| *b == b'\n').take(SAMPLE).map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Whether at least half of the first lines are of a kind.
fn most_lines(head: &[u8], is: impl Fn(&[u8]) -> bool) -> bool {
    let (mut lines, mut fitting) = (0, 0);
    for line in header_lines(head).filter(|line| !line.is_empty()) {
        lines += 1;
        fitting += usize::from(is(line));
    }
    lines > 0 && fitting * 2 >= lines
}

/// Whether a line has not as many separators as its columns ask for.
fn has_other_columns(columns: Option<&Columns>, separator: u8, line: &[u8]) -> bool {
    let separators = memchr::memchr_iter(separator, line).count();
    columns.is_some_and(|columns| !line.is_empty() && separators + 1 != columns.names.len())
}

#[cfg(test)]
mod tests {
    use super::super::event::Meaning;
    use super::super::layout::{Choice, Tracker};
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    /// A line as a format reads it behind some header lines: the time with `@`, then each field with its property and
    /// group; `+=` for an assembled value, `!` for a reason.
    pub(super) fn shown(format: &str, header: &str, line: &str) -> String {
        let choice = Choice { format: Some(named(format).expect(format)), ..Choice::default() };
        let mut tracker = Tracker::new(Arc::new(choice));
        let block = format!("{header}{line}");
        let layouts = tracker.next(block.as_bytes());
        let (_, layout) = layouts.parts(block.len()).last().expect("a part");
        let mut event = Event::new(line.as_bytes());
        if let Err(reason) = layout.decode(&mut event) {
            return format!("! {reason}");
        }
        let mut lines = Vec::new();
        lines.extend(event.when.iter().map(|when| format!("@{}", String::from_utf8_lossy(when))));
        for field in &event.fields {
            let sign = if field.assembled { "+=" } else { "=" };
            let meaning = match field.meaning {
                Meaning::Property { path, group: 0 } => format!(" {path}"),
                Meaning::Property { path, group } => format!(" {path}#{group}"),
                Meaning::Text => " (text)".to_owned(),
                Meaning::Open => String::new(),
            };
            lines.push(format!("{}{sign}{}{meaning}", field.name, String::from_utf8_lossy(&field.text)));
        }
        lines.join("\n")
    }

    #[test]
    fn no_file_is_missing_from_the_table() {
        let table =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/log/format/mod.rs")).expect("this file");
        let table = table.split_once("static TABLE").expect("a table").1.split_once(';').expect("its end").0;
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/log/format")).expect("a folder") {
            let name = entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(name == "mod" || table.contains(&format!("&{name}::")), "{name} is not in the table");
        }
    }

    #[test]
    fn names_are_distinct() {
        let names: BTreeSet<&str> = all().map(|format| format.name).collect();
        assert_eq!(names.len(), all().count());
    }
}
