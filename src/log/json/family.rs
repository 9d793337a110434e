//! What a family of JSON logs says of itself: how its lines are told by their keys, and what their fields mean.

use super::super::event::{Event, Meaning};
use super::super::format::Format;
use super::super::known;
use super::super::mapping::{self, Mapping};
use super::walk::{self, Leaf};
use crate::observable::{self, kind};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// A family of JSON logs.
pub(in super::super) struct Family {
    /// Its row among the formats.
    pub(in super::super) format: Format,
    /// Whether a line is of this family.
    pub(super) is: fn(&Line<'_>) -> bool,
    /// What fields mean: their path with `[]` for every index, the canonical object path, and the number of their object
    /// among those of its type. Each element of a list is a further object, unless the object path has a list there.
    /// `file:hashes.?` is whichever digest has that length, `file:hashes.*` a list `MD5=...,SHA256=...`;
    /// [`TEXT`] is text for people.
    pub(super) fields: &'static [(&'static str, &'static str, u16)],
    /// Fields that say when it happened, the best first.
    pub(super) times: &'static [&'static str],
    /// Fields whose meaning depends on more than their path.
    pub(super) special: fn(&Line<'_>, &Leaf) -> Option<(&'static str, u16)>,
    /// Adds what only several fields together say.
    pub(super) finish: for<'l> fn(&Line<'_>, &mut Event<'l>),
    /// The table made ready.
    pub(super) table: OnceLock<HashMap<&'static str, (&'static str, u16)>>,
}

/// Stands for an object path where a field is free text.
pub(super) const TEXT: &str = "";

/// The User-Agent of a request.
pub(super) const USER_AGENT: &str = "network-traffic:extensions.http-request-ext.request_header.User-Agent";

impl Family {
    /// A row for the table of formats. It is never guessed from the head of an input: [`super::decode`] tells each line.
    pub(super) const fn row(name: &'static str, about: &'static str) -> Format {
        Format {
            name,
            about,
            sniff: |_| false,
            own_line: None,
            header: None,
            ragged: Some(|_, line| walk::is_ragged(line)),
            decode: super::decode,
        }
    }

    /// The meaning of a field.
    fn target(&self, line: &Line<'_>, leaf: &Leaf) -> Option<(&'static str, u16)> {
        if let Some(special) = (self.special)(line, leaf) {
            return Some(special);
        }
        let table =
            self.table.get_or_init(|| self.fields.iter().map(|(name, path, base)| (*name, (*path, *base))).collect());
        let path = line.bare(leaf);
        if let Some(target) = table.get(path) {
            return Some(*target);
        }
        if !path.contains('[') {
            return None;
        }
        // Any field may hold a list where one value is meant.
        let (any, index) = without_indices(path);
        let Some((target, base)) = table.get(any.as_str()).or_else(|| table.get(any.strip_suffix("[]")?)) else {
            return table.get(any.replace("[]", "").as_str()).copied();
        };
        let own = !target.contains("[*]") && any.contains("[].");
        Some((*target, if own { base.saturating_add(index.saturating_add(1)) } else { *base }))
    }
}

/// A line of JSON: its values, and what stands before each path when it is one of several records in a document.
pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    pub(super) leaves: &'a [Leaf],
    pub(super) prefix: usize,
}

impl<'a> Line<'a> {
    /// The path of a value within its record.
    pub(super) fn bare<'b>(&self, leaf: &'b Leaf) -> &'b str {
        leaf.path.get(self.prefix..).unwrap_or_default()
    }

    /// A value by its path.
    pub(super) fn get(&self, path: &str) -> Option<&'a Leaf> {
        self.leaves.iter().find(|leaf| !leaf.key && self.bare(leaf) == path)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.get(path).is_some()
    }

    /// Whether there is a value somewhere below a key.
    pub(super) fn has_below(&self, key: &str) -> bool {
        self.leaves
            .iter()
            .any(|leaf| self.bare(leaf).strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', '['])))
    }

    /// The bytes of a value, escapes undone.
    pub(super) fn text_of(&self, leaf: &Leaf) -> Cow<'a, [u8]> {
        if leaf.escaped {
            Cow::Owned(walk::unescape(self.text, leaf.span.clone()).into_text())
        } else {
            Cow::Borrowed(self.text.get(leaf.span.clone()).unwrap_or_default())
        }
    }

    /// Adds the URL of a request whose host and target are two fields, under the name of the target.
    pub(super) fn push_url(&self, event: &mut Event<'_>, host: &str, port: &str, target: &str, scheme: &str) {
        let (Some(host), Some(target)) = (self.get(host), self.get(target)) else { return };
        let mut name = self.text_of(host).into_owned();
        // An address of version 6 stands in brackets before a port.
        if memchr::memchr_iter(b':', &name).count() > 1 && !name.starts_with(b"[") {
            name = [b"[", &*name, b"]"].concat();
        }
        if let Some(port) = self.get(port)
            && !name.contains(&b':')
        {
            name.push(b':');
            name.extend_from_slice(&self.text_of(port));
        }
        let path = target.path.clone();
        event.push_url(path, target.span.clone(), scheme, &name, &self.text_of(target));
    }
}

/// The path with `[]` for every index, and the first index.
fn without_indices(path: &str) -> (String, u16) {
    let (mut any, mut index, mut rest) = (String::with_capacity(path.len()), None, path);
    while let Some((before, after)) = rest.split_once('[') {
        any.push_str(before);
        let (digits, behind) = after.split_once(']').unwrap_or((after, ""));
        index = index.or(Some(digits.parse().unwrap_or(u16::MAX)));
        any.push_str("[]");
        rest = behind;
    }
    any.push_str(rest);
    (any, index.unwrap_or(0))
}

/// Adds the fields of a line. What the user says of them goes before what the family says; in a line of no family
/// names that are in use everywhere tell, and otherwise looks.
pub(super) fn push_all<'l>(
    family: Option<&'static Family>,
    mapping: Option<&'l Mapping>,
    line: &Line<'_>,
    event: &mut Event<'l>,
) {
    for leaf in line.leaves {
        let name = line.bare(leaf);
        if let Some(meaning) = mapping.filter(|_| !leaf.key).and_then(|mapping| mapping.meaning(name)) {
            walk::push(event, leaf, meaning);
            continue;
        }
        match family.filter(|_| !leaf.key).and_then(|family| family.target(line, leaf)) {
            None if family.is_none() && !leaf.key => walk::push(event, leaf, known_meaning(line, leaf)),
            None => walk::push(event, leaf, Meaning::Open),
            Some((TEXT, _)) => walk::push(event, leaf, Meaning::Text),
            Some((path, group)) => push(event, line, leaf, path, group),
        }
    }
    if let Some(family) = family {
        (family.finish)(line, event);
    }
    let times = family.map_or(TIMES, |family| family.times);
    let mapped = mapping.and_then(Mapping::time_field).into_iter();
    let when = mapped.chain(times.iter().copied()).find_map(|path| line.get(path));
    event.when = when.map(|leaf| {
        let mut text = line.text_of(leaf).into_owned();
        // Sysmon says so in the name of the field only.
        text.extend_from_slice(if leaf.path.ends_with("UtcTime") { b"Z" } else { b"" });
        Cow::Owned(text)
    });
}

/// Fields that say when in logs of no family, the commonest first.
const TIMES: &[&str] = &["timestamp", "time", "ts", "datetime", "date", "eventTime", "event_time", "@t"];

/// What a field of a line of no family means. A value that is wholly an observable stays one, whatever its name.
fn known_meaning(line: &Line<'_>, leaf: &Leaf) -> Meaning<'static> {
    let meaning = known::meaning(&mapping::without_indices(line.bare(leaf)));
    if let Meaning::Property { path, .. } = meaning
        && observable::of_path(path).is_none()
        && std::str::from_utf8(&line.text_of(leaf)).is_ok_and(|text| observable::classify(text).is_ok())
    {
        return Meaning::Open;
    }
    meaning
}

fn push(event: &mut Event<'_>, line: &Line<'_>, leaf: &Leaf, path: &'static str, group: u16) {
    if let Some(holder) = path.strip_suffix(".?") {
        let text = line.text_of(leaf);
        let digits = text.iter().filter(|b| b.is_ascii_hexdigit()).count();
        let meaning = match hashes_of(holder, kind::hash::kind_of_length(digits).map(observable::Kind::name)) {
            Some(path) => Meaning::Property { path, group },
            None => Meaning::Open,
        };
        walk::push(event, leaf, meaning);
    } else if let Some(holder) = path.strip_suffix(".*") {
        push_hashes(event, line, leaf, holder, group);
    } else if path == FLOW_TUPLE {
        push_tuple(event, line, leaf);
    } else if path == QUERY_RESULTS {
        push_results(event, line, leaf, group);
    } else {
        walk::push(event, leaf, Meaning::Property { path, group });
    }
}

/// `MD5=...,SHA256=...`, as Sysmon writes digests. One that the standard does not know is a text.
fn push_hashes(event: &mut Event<'_>, line: &Line<'_>, leaf: &Leaf, holder: &'static str, group: u16) {
    for piece in pieces(line.text, leaf.span.clone(), b',') {
        let text = &line.text[piece.clone()];
        let Some(equals) = memchr::memchr(b'=', text) else {
            event.push(leaf.path.clone(), piece, Meaning::Open);
            continue;
        };
        let name = std::str::from_utf8(&text[..equals]).ok();
        let meaning = match hashes_of(holder, name) {
            Some(path) => Meaning::Property { path, group },
            None => Meaning::Open,
        };
        event.push(leaf.path.clone(), piece.start + equals + 1..piece.end, meaning);
    }
}

/// What Sysmon writes of the answers to a query: `type:  5 name.example;::ffff:192.0.2.1;`
pub(super) const QUERY_RESULTS: &str = "domain-name:resolves_to_refs[*].value;";

fn push_results(event: &mut Event<'_>, line: &Line<'_>, leaf: &Leaf, group: u16) {
    for piece in pieces(line.text, leaf.span.clone(), b';') {
        let text = &line.text[piece.clone()];
        let start = memchr::memrchr(b' ', text.trim_ascii_end()).map_or(0, |space| space + 1);
        let meaning = Meaning::Property { path: "domain-name:resolves_to_refs[*].value", group };
        event.push(leaf.path.clone(), piece.start + start..piece.end, meaning);
    }
}

/// What Azure writes of a connection: `1769853903,10.0.0.4,203.0.113.9,44931,443,T,O,A,...`
pub(super) const FLOW_TUPLE: &str = "network-traffic:flow-tuple;";

fn push_tuple(event: &mut Event<'_>, line: &Line<'_>, leaf: &Leaf) {
    // Each is a connection of its own.
    let group = u16::try_from(event.fields.len() + 1).unwrap_or(u16::MAX);
    let property = |path| Meaning::Property { path, group };
    for (number, piece) in pieces(line.text, leaf.span.clone(), b',').into_iter().enumerate() {
        let name = leaf.path.clone();
        match (number, &line.text[piece.clone()]) {
            (1, _) => event.push(name, piece, property("network-traffic:src_ref.value")),
            (2, _) => event.push(name, piece, property("network-traffic:dst_ref.value")),
            (3, _) => event.push(name, piece, property("network-traffic:src_port")),
            (4, _) => event.push(name, piece, property("network-traffic:dst_port")),
            (5, b"T" | b"6") => {
                event.push_assembled(name, piece, b"tcp".to_vec(), property("network-traffic:protocols[*]"));
            }
            (5, b"U" | b"17") => {
                event.push_assembled(name, piece, b"udp".to_vec(), property("network-traffic:protocols[*]"));
            }
            _ => event.push(name, piece, Meaning::Open),
        }
    }
}

fn pieces(line: &[u8], span: Range<usize>, separator: u8) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = span.start;
    for end in memchr::memchr_iter(separator, &line[span.clone()]).map(|at| span.start + at).chain([span.end]) {
        if start < end {
            pieces.push(start..end);
        }
        start = end + 1;
    }
    pieces
}

/// The path of a digest by its name, below the object that has it.
fn hashes_of(holder: &str, name: Option<&str>) -> Option<&'static str> {
    const PATHS: &[&str] = &[
        "file:hashes.MD5",
        "file:hashes.SHA-1",
        "file:hashes.SHA-224",
        "file:hashes.SHA-256",
        "file:hashes.SHA-384",
        "file:hashes.SHA-512",
        "process:image_ref.hashes.MD5",
        "process:image_ref.hashes.SHA-1",
        "process:image_ref.hashes.SHA-256",
        "process:image_ref.hashes.SHA-512",
        "x509-certificate:hashes.MD5",
        "x509-certificate:hashes.SHA-1",
        "x509-certificate:hashes.SHA-256",
        "x509-certificate:hashes.SHA-512",
    ];
    let name = observable::canonical_hash_name(name?)?;
    PATHS.iter().copied().find(|path| path.strip_prefix(holder).and_then(|rest| rest.strip_prefix('.')) == Some(name))
}

/// No field of it depends on more than its path.
pub(super) fn nothing_special(_: &Line<'_>, _: &Leaf) -> Option<(&'static str, u16)> {
    None
}

/// Nothing is said by several fields together.
pub(super) fn nothing_more(_: &Line<'_>, _: &mut Event<'_>) {}
