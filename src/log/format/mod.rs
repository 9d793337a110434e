//! The table of log formats: one file each, one line here.

pub(super) mod json;
pub(super) mod text;

use super::event::Event;
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
    pub(super) ragged: Option<fn(&[u8]) -> bool>,
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
static TABLE: &[&Format] = &[&json::FORMAT, &text::FORMAT];

/// Every format.
pub fn all() -> impl Iterator<Item = &'static Format> {
    TABLE.iter().copied()
}

/// The format of a name.
pub fn named(name: &str) -> Option<&'static Format> {
    all().find(|format| format.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

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
