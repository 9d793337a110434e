//! The page of `--report`: one HTML file that needs nothing else.
//!
//! It holds what logs and feeds say, which nobody vouches for. So it lets nothing run but its own script, named by its digest
//! in a content security policy, and loads nothing from anywhere; all text comes in escaped ([`escape`]), and the script puts
//! it into the page as text. Counts and lists are part of the page ([`overview`]) and can be read without the script, which
//! adds the table of hits. That holds so many rows as [`MOST_ROWS`] and [`MOST_BYTES`] say; counts are of all hits.

mod escape;
mod overview;

use super::super::gather::Counts;
use super::super::name::Name;
use super::super::record::{Context, Record};
use super::Run;
use escape::{Json, digest, html};
use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use stockade::compile::{EntryId, IndicatorRef, RuleSet};
use stockade::matcher::Relation;
use stockade::stix::Timestamp;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Rows that the table holds, if they fit.
const MOST_ROWS: usize = 100_000;
/// What all rows together may hold of lines, in bytes.
const MOST_BYTES: usize = 64 << 20;
/// When the table is full, an indicator still gets its first rows, so that one that is hit all the time hides no other.
const ROWS_OF_EACH: u32 = 5;
/// How many rows may come to the table in that way.
const MORE_ROWS: usize = 20_000;

/// Rows of the table.
#[derive(Debug, Default)]
pub(in crate::cli::matching) struct Rows {
    kept: Vec<Row>,
    names: Vec<Arc<Name>>,
    bytes: usize,
    of_each: HashMap<EntryId, u32, foldhash::fast::FixedState>,
    /// Hits that got no row.
    left_out: u64,
}

#[derive(Debug)]
struct Row {
    entry: EntryId,
    /// Its place in the list of names.
    name: u32,
    line: u64,
    time: Option<Timestamp>,
    object_type: &'static str,
    value: Box<str>,
    relation: Relation,
    field: Option<Box<str>>,
    context: Option<Box<Context>>,
}

impl Rows {
    /// Adds hits of an input.
    pub(in crate::cli::matching) fn add(&mut self, name: &Arc<Name>, records: Vec<Record>) {
        for record in records {
            let size = record.size();
            let of_each = self.of_each.entry(record.hit.entry).or_default();
            let full = self.kept.len() >= MOST_ROWS || self.bytes >= MOST_BYTES;
            let more =
                *of_each < ROWS_OF_EACH && self.kept.len() < MOST_ROWS + MORE_ROWS && self.bytes < 2 * MOST_BYTES;
            if full && !more {
                self.left_out += 1;
                continue;
            }
            *of_each += 1;
            self.bytes += size;
            if !self.names.last().is_some_and(|last| Arc::ptr_eq(last, name)) {
                self.names.push(Arc::clone(name));
            }
            let Record { hit, place } = record;
            self.kept.push(Row {
                entry: hit.entry,
                name: (self.names.len() - 1) as u32,
                line: place.line,
                time: place.time,
                object_type: hit.object_type,
                value: hit.value,
                relation: hit.relation,
                field: hit.field,
                context: place.context,
            });
        }
    }

    /// Writes the page.
    pub(in crate::cli::matching) fn write(
        &self,
        counts: &Counts,
        rules: &RuleSet,
        run: &Run,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        write!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src '{}'; style-src '{}'; \
             base-uri 'none'; form-action 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} &middot; stockade</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n",
            digest(SCRIPT),
            digest(STYLE),
            html(&super::summary::number(counts.hits, "hit", "hits")),
        )?;
        overview::write(counts, self, rules, run, &mut out)?;
        out.write_all(b"<script type=\"application/json\" id=\"data\">")?;
        self.data(rules, &mut out)?;
        write!(out, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")?;
        out.flush()
    }

    /// What the script makes the table of: texts that come again and again once, in lists, and rows that name them by
    /// number.
    fn data(&self, rules: &RuleSet, out: &mut dyn Write) -> io::Result<()> {
        let (mut indicators, mut fields) = (Numbers::default(), Numbers::default());
        out.write_all(b"{\"paths\":")?;
        let paths: Vec<&str> = self.names.iter().map(|name| &*name.text).collect();
        Json(out).strings(&paths)?;
        out.write_all(b",\n\"rows\":[")?;
        for (at, row) in self.kept.iter().enumerate() {
            let indicator = indicators.number(row.entry);
            let field = row.field.as_deref().map(|field| fields.number(field));
            let (before, seen, behind) = row
                .context
                .as_ref()
                .map_or(("", "", ""), |context| (&*context.before, &*context.seen, &*context.behind));
            write!(out, "{}[{indicator},{},{},", if at == 0 { "\n" } else { ",\n" }, row.name, row.line)?;
            match row.time {
                Some(time) => write!(out, "{}", time.seconds)?,
                None => out.write_all(b"null")?,
            }
            out.write_all(b",")?;
            Json(out).string(row.object_type)?;
            out.write_all(b",")?;
            Json(out).string(&row.value)?;
            out.write_all(b",")?;
            Json(out).string(row.relation.name())?;
            write!(out, ",{},", field.map_or_else(|| "null".to_owned(), |field| field.to_string()))?;
            Json(out).string(before)?;
            out.write_all(b",")?;
            // Mostly it is the value.
            if *seen == *row.value {
                out.write_all(b"0")?;
            } else {
                Json(out).string(seen)?;
            }
            out.write_all(b",")?;
            Json(out).string(behind)?;
            out.write_all(b"]")?;
        }
        out.write_all(b"],\n\"fields\":")?;
        Json(out).strings(&fields.keys)?;
        out.write_all(b",\n\"indicators\":[")?;
        for (at, entry) in indicators.keys.iter().enumerate() {
            out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
            about(rules.indicator(*entry), out)?;
        }
        out.write_all(b"]}")
    }
}

/// What the page tells of an indicator, as a list.
fn about(indicator: IndicatorRef<'_>, out: &mut dyn Write) -> io::Result<()> {
    let labels: Vec<&str> = indicator.labels().collect();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    Json(out).strings(&[
        &indicator.id(),
        indicator.name().unwrap_or_default(),
        &indicator.confidence().map(|number| number.to_string()).unwrap_or_default(),
        &labels.join(", "),
        &indicator.tlp().map(|tlp| tlp.to_string()).unwrap_or_default(),
        &time(indicator.valid_from()),
        &time(indicator.valid_until()),
        indicator.origin(),
    ])
}

/// Things with a number each, in the order in which they came.
struct Numbers<K> {
    keys: Vec<K>,
    known: HashMap<K, usize>,
}

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), known: HashMap::new() }
    }
}

impl<K: Copy + Eq + std::hash::Hash> Numbers<K> {
    fn number(&mut self, key: K) -> usize {
        *self.known.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.keys.len() - 1
        })
    }
}
