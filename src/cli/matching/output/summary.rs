//! The summary: hits by indicator, type, relation, field, input and hour, in words or as one object of JSON.

use super::super::gather::{Counts, Tally, by_count};
use super::{Run, json};
use std::fmt::{Display, Write};
use stockade::compile::RuleSet;
use stockade::stix::Timestamp;

/// `--summary`
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli::matching) enum Form {
    /// Words and columns, the first of each list
    Text,
    /// One object, with all there is
    Json,
}

/// How many of a list are named in words.
const NAMED: usize = 10;
/// How wide the bars of hours may become.
const BAR: u64 = 40;

impl Form {
    /// The whole summary.
    pub(in crate::cli::matching) fn write(self, counts: &Counts, rules: &RuleSet, run: &Run) -> Vec<u8> {
        match self {
            Self::Text => text(counts, rules).into_bytes(),
            Self::Json => object(counts, rules, run),
        }
    }
}

/// `1 hit`, `2 hits`.
pub(super) fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn text(counts: &Counts, rules: &RuleSet) -> String {
    let mut out = String::new();
    let hits = number(counts.hits, "hit", "hits");
    let lines = number(counts.lines, "line", "lines");
    let inputs = number(counts.sources.len() as u64, "input", "inputs");
    let indicators = number(counts.indicators.len() as u64, "indicator", "indicators");
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{hits} on {lines} of {inputs}, {indicators}");
    if let Some((first, last)) = counts.span.0 {
        let _ = write!(out, "from {first} to {last}");
        if counts.untimed > 0 {
            let _ = write!(out, ", and {} without a time", counts.untimed);
        }
        out.push('\n');
    }
    let top = counts.top_indicators();
    let named = top.iter().map(|(entry, Tally { hits, value, .. })| {
        let indicator = rules.indicator(*entry);
        (*hits, format!("{}  {}", indicator.id(), indicator.name().unwrap_or(value)))
    });
    list(&mut out, "by indicator", named, top.len(), 0);
    list(&mut out, "by type", swapped(by_count(&counts.types)), counts.types.len(), 0);
    list(&mut out, "by relation", swapped(by_count(&counts.relations)), counts.relations.len(), 0);
    let fields = &counts.fields;
    list(&mut out, "by field", swapped(by_count(&fields.counts)), fields.counts.len(), fields.other);
    let mut sources: Vec<_> = counts.sources.iter().collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.hits));
    let named = sources.iter().map(|source| (source.hits, source.name.text.clone()));
    list(&mut out, "by input", named, sources.len(), counts.other_sources);
    let hours: Vec<(Timestamp, u64)> = counts.hours().collect();
    if !hours.is_empty() {
        out.push_str("\nby hour\n");
        let most = hours.iter().map(|(_, count)| *count).max().unwrap_or(1);
        // The latest are what is asked for first.
        let skipped = hours.len().saturating_sub(MOST_HOURS);
        if skipped > 0 {
            let _ = writeln!(out, "          {} earlier", number(skipped as u64, "hour", "hours"));
        }
        for (hour, count) in &hours[skipped..] {
            let bar = "#".repeat((count * BAR).div_ceil(most) as usize);
            let hour = hour.to_string();
            let _ = writeln!(out, "{count:>9} {} {bar}", hour.get(..16).unwrap_or(&hour).replace('T', " "));
        }
        others(&mut out, counts.hours.other);
    }
    out
}

/// How many hours are shown in words.
const MOST_HOURS: usize = 48;

fn swapped<K: Display>(counts: Vec<(K, u64)>) -> impl Iterator<Item = (u64, String)> {
    counts.into_iter().map(|(name, count)| (count, name.to_string()))
}

fn list(out: &mut String, title: &str, rows: impl Iterator<Item = (u64, String)>, all: usize, other: u64) {
    if all == 0 {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for (count, name) in rows.take(NAMED) {
        let _ = writeln!(out, "{count:>9} {name}");
    }
    if all > NAMED {
        let _ = writeln!(out, "          {} more", all - NAMED);
    }
    others(out, other);
}

fn others(out: &mut String, other: u64) {
    if other > 0 {
        let _ = writeln!(out, "{other:>9} others");
    }
}

fn object(counts: &Counts, rules: &RuleSet, run: &Run) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, count) in [("{\"hits\":", counts.hits), (",\"lines\":", counts.lines), (",\"untimed\":", counts.untimed)]
    {
        out.extend_from_slice(name.as_bytes());
        json::number(count, &mut out);
    }
    span(counts.span.0, &mut out);
    rows(&mut out, "indicators", counts.top_indicators().iter(), |(entry, tally), out| {
        let indicator = rules.indicator(*entry);
        out.extend_from_slice(b"\"id\":");
        json::string(&indicator.id(), out);
        if let Some(name) = indicator.name() {
            out.extend_from_slice(b",\"name\":");
            json::string(name, out);
        }
        out.extend_from_slice(b",\"value\":");
        json::string(&tally.value, out);
        span(tally.span.0, out);
        tally.hits
    });
    let named = |out: &mut Vec<u8>, key: &str, name: &str| {
        out.extend_from_slice(format!("\"{key}\":").as_bytes());
        json::string(name, out);
    };
    for (list, key, kinds) in [("types", "type", &counts.types), ("relations", "relation", &counts.relations)] {
        rows(&mut out, list, by_count(kinds).into_iter(), |(name, count), out| {
            named(out, key, name);
            count
        });
    }
    rows(&mut out, "fields", by_count(&counts.fields.counts).into_iter(), |(name, count), out| {
        named(out, "field", name);
        count
    });
    rows(&mut out, "inputs", counts.sources.iter(), |source, out| {
        out.extend_from_slice(b"\"path\":");
        out.extend_from_slice(source.name.json.as_bytes());
        out.extend_from_slice(b",\"lines\":");
        json::number(source.lines, out);
        source.hits
    });
    rows(&mut out, "hours", counts.hours(), |(hour, count), out| {
        named(out, "hour", &hour.to_string());
        count
    });
    for (name, count) in [
        ("other_fields", counts.fields.other),
        ("other_inputs", counts.other_sources),
        ("other_hours", counts.hours.other),
    ] {
        if count > 0 {
            out.extend_from_slice(format!(",\"{name}\":{count}").as_bytes());
        }
    }
    out.extend_from_slice(b",\"generation\":");
    json::string(&run.generation, &mut out);
    out.extend_from_slice(b"}\n");
    out
}

fn span(span: Option<(Timestamp, Timestamp)>, out: &mut Vec<u8>) {
    if let Some((first, last)) = span {
        out.extend_from_slice(format!(",\"first\":\"{first}\",\"last\":\"{last}\"").as_bytes());
    }
}

/// Appends a list of objects, each of which ends with its number of hits.
fn rows<T>(
    out: &mut Vec<u8>,
    name: &str,
    rows: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>) -> u64,
) {
    out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
    for (at, row) in rows.enumerate() {
        out.extend_from_slice(if at == 0 { b"{" } else { b",{" });
        let hits = write(row, out);
        out.extend_from_slice(b",\"hits\":");
        json::number(hits, out);
        out.push(b'}');
    }
    out.push(b']');
}
