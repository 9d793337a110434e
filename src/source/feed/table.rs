//! A table read by a mapping of its columns: which holds the value, and which say something about it.

use super::super::{ReadErrorKind, Rejected, csv, list};
use super::draft::{Draft, Reference, id};
use super::types::{self, Pattern};
use super::{Out, Place, Window, presets};
use crate::observable::{Invalid, Value};
use crate::stix::Timestamp;
use std::borrow::Cow;
use std::fmt;

/// Records that are looked at to decide.
const SAMPLE: usize = 200;

/// Which columns of a table say what. All but the value may be missing.
///
/// A table with a header may be mapped by names, any table by numbers. Columns that are not in the table are an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The value itself.
    pub value: Option<Column>,
    /// Its type, such as `ip`, `domain`, `ip:port` or `sha256_hash`; without it, looks decide.
    pub kind: Option<Column>,
    /// What the feed calls the entry, if one value may have several.
    pub id: Option<Column>,
    /// A title, such as the name of the malware.
    pub name: Option<Column>,
    /// A longer text.
    pub description: Option<Column>,
    /// From 0 to 100, or `low`, `medium`, `high`.
    pub confidence: Option<Column>,
    /// Each may hold several, with `,`, `;` or `|` between them.
    pub labels: Vec<Column>,
    /// `indicator_types`, likewise.
    pub types: Vec<Column>,
    /// A traffic-light marking.
    pub tlp: Option<Column>,
    /// When the entry was made.
    pub created: Option<Column>,
    /// When it was changed or seen last.
    pub modified: Option<Column>,
    /// From when on it is valid.
    pub valid_from: Option<Column>,
    /// Until when it is valid.
    pub valid_until: Option<Column>,
    /// The address of a report.
    pub reference: Option<Column>,
    /// Columns that are not there are passed over, but for the value: feeds add and drop columns.
    pub(super) lenient: bool,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// By its place, counted from 1.
    Number(u32),
    /// By its name in the header, without regard to case.
    Name(String),
}

impl Columns {
    /// The columns of a feed that is known by name: `urlhaus`, `feodo` or `threatfox`.
    pub fn preset(name: &str) -> Option<Self> {
        presets::named(name)
    }

    /// The names of presets.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        presets::names()
    }

    /// Whether nothing is said but where the value is, and of what type: what a plain list says, too.
    fn is_bare(&self) -> bool {
        let Self { value: _, kind: _, id: _, name, description, confidence, labels, types, .. } = self;
        let Self { tlp, created, modified, valid_from, valid_until, reference, .. } = self;
        [name, description, confidence, tlp, created, modified, valid_from, valid_until, reference]
            .iter()
            .all(|column| column.is_none())
            && labels.is_empty()
            && types.is_empty()
    }
}

/// Why a table cannot be read by its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoColumn {
    /// The header does not name it; the names that there are.
    Name(String, Vec<String>),
    /// Rows have fewer columns.
    Number(u32, usize),
}

impl fmt::Display for NoColumn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name, names) if names.is_empty() => {
                write!(out, "there is no column called {name}: the table has no header; count its columns from 1")
            }
            Self::Name(name, names) => {
                write!(out, "there is no column called {name}; the header names {}", names.join(", "))
            }
            Self::Number(number, width) => write!(out, "there is no column {number}: rows have {width}"),
        }
    }
}

/// Columns by their index.
struct Places {
    delimiter: u8,
    /// The first record that is no comment is the header.
    header: bool,
    value: usize,
    kind: Option<usize>,
    id: Option<usize>,
    name: Option<usize>,
    description: Option<usize>,
    confidence: Option<usize>,
    labels: Vec<usize>,
    types: Vec<usize>,
    tlp: Option<usize>,
    created: Option<usize>,
    modified: Option<usize>,
    valid_from: Option<usize>,
    valid_until: Option<usize>,
    reference: Option<usize>,
    bare: bool,
}

/// Reads all records.
pub(super) fn read(
    window: &mut Window<'_>,
    columns: &Columns,
    source: &str,
    out: &mut Out<'_>,
) -> Result<(), ReadErrorKind> {
    let Some(places) = places(window, columns).map_err(ReadErrorKind::Columns)? else {
        return Ok(());
    };
    let mut header = places.header;
    let mut line = 1;
    while let Some(length) = csv::record(window) {
        let record = &window.rest()[..length];
        let place = Place { line, column: 1 };
        if !csv::is_passed_over(record) && !std::mem::take(&mut header) {
            row(record, &places, source, place, out);
        }
        line += memchr::memchr_iter(b'\n', record).count() as u64 + 1;
        window.advance(length + 1);
    }
    Ok(())
}

fn row(record: &[u8], places: &Places, source: &str, place: Place, out: &mut Out<'_>) {
    let fields: Vec<Cow<'_, [u8]>> = csv::fields(record, places.delimiter).collect();
    let text = |column: usize| {
        let text = fields.get(column).and_then(|field| std::str::from_utf8(field.trim_ascii()).ok());
        text.filter(|text| !csv::is_absent(text.as_bytes()))
    };
    let Some(written) = text(places.value) else {
        let reason = if std::str::from_utf8(record).is_err() { "not UTF-8" } else { "no value in this row" };
        return out.rejected(place, Rejected::new(reason, list::shown(record.trim_ascii())));
    };
    let of = |column: Option<usize>| column.and_then(text);
    let (pattern, value) = match pattern_of(of(places.kind), written) {
        Ok(made) => made,
        Err(invalid) => {
            let detail = of(places.kind).map_or_else(|| written.to_owned(), |kind| format!("{kind}: {written}"));
            return out.rejected(place, Rejected::new(invalid.reason(), list::shown(detail.as_bytes())));
        }
    };
    if let Some(value) = value.as_ref().filter(|_| places.bare) {
        return out.value(place, value);
    }
    let mut draft = Draft::new(id(&["csv", source, of(places.id).unwrap_or_default(), written]), pattern);
    draft.name = of(places.name).map(Cow::Borrowed);
    draft.description = of(places.description).map(Cow::Borrowed).or_else(|| {
        // What the pattern does not say, such as a port.
        value.filter(|value| value.to_string() != written).map(|_| Cow::Borrowed(written))
    });
    draft.confidence = of(places.confidence).and_then(confidence);
    draft.tlp = of(places.tlp).and_then(|text| text.parse().ok());
    draft.created = of(places.created).and_then(instant);
    draft.modified = of(places.modified).and_then(instant);
    draft.valid_from = of(places.valid_from).and_then(instant);
    draft.valid_until = of(places.valid_until).and_then(instant);
    draft.reference = of(places.reference)
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map(|url| Reference { source: "report", id: None, url: Some(Cow::Borrowed(url)) });
    for label in places.labels.iter().filter_map(|column| text(*column)).flat_map(words) {
        draft.label(label);
    }
    draft.types = places.types.iter().filter_map(|column| text(*column)).flat_map(words).map(Cow::Borrowed).collect();
    out.draft(place, &draft);
}

/// The pattern of a value, by its type if there is one.
fn pattern_of(kind: Option<&str>, text: &str) -> Result<(Pattern, Option<Value>), Invalid> {
    if let Some(kind) = kind {
        return types::of_type(kind, text);
    }
    let value = csv::field_value(text)?;
    Ok((Pattern::of_value(&value), Some(value)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|']).map(str::trim).filter(|word| !csv::is_absent(word.as_bytes()))
}

/// A number, or a word of the scale of STIX 2.1 appendix A.
fn confidence(text: &str) -> Option<u8> {
    match text.to_ascii_lowercase().as_str() {
        "high" => Some(85),
        "medium" | "med" | "moderate" => Some(50),
        "low" => Some(15),
        "none" => Some(0),
        number => {
            let number = number.trim_end_matches('%').trim().parse::<f64>().ok();
            #[expect(clippy::cast_sign_loss, reason = "the range is checked")]
            number.filter(|number| (0.0..=100.0).contains(number)).map(|number| number as u8)
        }
    }
}

/// A date and time, or seconds since 1970.
fn instant(text: &str) -> Option<Timestamp> {
    let seconds = || text.parse::<i64>().ok().filter(|seconds| *seconds > 0);
    Timestamp::parse_lenient(text).ok().or_else(|| seconds().map(|seconds| Timestamp::from_unix(seconds, 0)))
}

/// How a table begins.
struct Beginning<'w> {
    /// The last comment before the first row.
    comment: Option<&'w [u8]>,
    rows: Vec<&'w [u8]>,
}

fn beginning(text: &[u8], whole: bool) -> Beginning<'_> {
    let lines = if whole { text } else { &text[..memchr::memrchr(b'\n', text).map_or(text.len(), |end| end + 1)] };
    let mut begin = Beginning { comment: None, rows: Vec::new() };
    let mut rest = lines;
    while let Some(length) = csv::record_length(rest, true)
        && begin.rows.len() < SAMPLE
    {
        let (record, after) = rest.split_at(length);
        rest = after.strip_prefix(b"\n").unwrap_or(after);
        if !csv::is_passed_over(record) {
            begin.rows.push(record.strip_suffix(b"\r").unwrap_or(record));
        } else if begin.rows.is_empty() && record.iter().any(|byte| matches!(byte, b',' | b';' | b'\t' | b'|')) {
            begin.comment = Some(record.trim_ascii());
        }
    }
    begin
}

/// The names of a header, in its comment or first row.
pub(super) fn header_names(text: &[u8]) -> Vec<String> {
    let begin = beginning(text, false);
    let lines = [begin.comment, begin.rows.first().copied()];
    lines.into_iter().flatten().flat_map(|line| names(line, b',')).collect()
}

fn names(line: &[u8], delimiter: u8) -> Vec<String> {
    let line = line.strip_prefix(b"#").unwrap_or(line);
    csv::fields(line, delimiter).map(|field| plain_name(&String::from_utf8_lossy(&field))).collect()
}

fn plain_name(name: &str) -> String {
    name.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase()
}

/// Finds the columns. `None` if the table has no rows at all.
fn places(window: &Window<'_>, columns: &Columns) -> Result<Option<Places>, NoColumn> {
    let begin = beginning(window.rest(), window.is_finished());
    if begin.rows.is_empty() {
        return Ok(None);
    }
    let mut first = None;
    for delimiter in [b',', b';', b'\t', b'|'] {
        match places_with(&begin, columns, delimiter) {
            Ok(places) => return Ok(Some(places)),
            Err(error) => first = first.or(Some(error)),
        }
    }
    first.map_or(Ok(None), Err)
}

fn places_with(begin: &Beginning<'_>, columns: &Columns, delimiter: u8) -> Result<Places, NoColumn> {
    let widths: Vec<usize> = begin.rows.iter().map(|row| csv::fields(row, delimiter).count()).collect();
    let width = widths.iter().copied().max_by_key(|width| widths.iter().filter(|other| *other == width).count());
    let width = width.unwrap_or(0);
    let in_comment = begin.comment.map_or(Vec::new(), |line| names(line, delimiter));
    let in_first = begin.rows.first().map_or(Vec::new(), |line| names(line, delimiter));
    let value = columns.value.clone().unwrap_or(Column::Number(1));
    let (header, names) = match &value {
        Column::Name(name) if in_comment.contains(&plain_name(name)) => (false, in_comment),
        Column::Name(_) => (true, in_first),
        Column::Number(_) if is_header(begin, columns, delimiter) => (true, in_first),
        Column::Number(_) => (false, if in_comment.len() == width { in_comment } else { Vec::new() }),
    };
    let find = |column: &Column| match column {
        Column::Number(number) => {
            let index = (*number as usize).wrapping_sub(1);
            if index < width { Ok(index) } else { Err(NoColumn::Number(*number, width)) }
        }
        Column::Name(name) => {
            let place = names.iter().position(|other| *other == plain_name(name));
            place.ok_or_else(|| NoColumn::Name(name.clone(), names.clone()))
        }
    };
    let one = |column: &Option<Column>| match column.as_ref().map(find).transpose() {
        Err(_) if columns.lenient => Ok(None),
        found => found,
    };
    let all = |list: &[Column]| {
        let found = list.iter().map(find);
        found.filter(|found| found.is_ok() || !columns.lenient).collect::<Result<Vec<_>, _>>()
    };
    Ok(Places {
        delimiter,
        header,
        value: find(&value)?,
        kind: one(&columns.kind)?,
        id: one(&columns.id)?,
        name: one(&columns.name)?,
        description: one(&columns.description)?,
        confidence: one(&columns.confidence)?,
        labels: all(&columns.labels)?,
        types: all(&columns.types)?,
        tlp: one(&columns.tlp)?,
        created: one(&columns.created)?,
        modified: one(&columns.modified)?,
        valid_from: one(&columns.valid_from)?,
        valid_until: one(&columns.valid_until)?,
        reference: one(&columns.reference)?,
        bare: columns.is_bare(),
    })
}

/// Whether the first row of a table that is mapped by numbers names its columns: no field of it is a value, least of all
/// the one that should be.
fn is_header(begin: &Beginning<'_>, columns: &Columns, delimiter: u8) -> bool {
    let Some(row) = begin.rows.first() else { return false };
    let fields: Vec<Cow<'_, [u8]>> = csv::fields(row, delimiter).collect();
    let text = |column: &Option<Column>| match column {
        Some(Column::Number(number)) => fields
            .get((*number as usize).wrapping_sub(1))
            .and_then(|field| std::str::from_utf8(field.trim_ascii()).ok()),
        _ => None,
    };
    let value = text(&columns.value).is_some_and(|value| pattern_of(text(&columns.kind), value).is_ok());
    !value && !fields.iter().any(|field| csv::value(field).is_some())
}
