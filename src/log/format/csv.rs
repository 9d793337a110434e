//! Tables with a header line: `,` `;` `|` or tabs between columns, quoted as RFC 4180 has it.
//!
//! The header tells the columns; names that are known ([`super::super::known`]) tell what they mean, the values of others
//! their looks. A line is the unit: a quoted field that goes on in the next line is not read as one, and both lines are
//! searched as text.
//!
//! A file is a table if its first line looks like names and the lines behind it have as many columns. Two columns, or
//! a table without lines, must have a name that is known; prose with commas has none.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::layout::{Columns, Layout};
use super::super::mapping::Mapping;
use super::super::{known, values};
use super::{Format, Header};
use memchr::{memchr, memmem};
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "csv",
    about: "tables whose first line names the columns, with commas, semicolons, bars or tabs",
    sniff,
    own_line: None,
    header: Some(Header { mark: None, read: |line, _| read(line) }),
    ragged: Some(is_ragged),
    decode,
};

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Lines that are looked at to tell a table.
const SAMPLE: usize = 50;

/// Longest name of a column.
const LONGEST_NAME: usize = 64;

/// Columns that say when.
const TIMES: [&str; 9] =
    ["timestamp", "@timestamp", "time", "date", "datetime", "ts", "_time", "event_time", "utctime"];

fn sniff(head: &[u8]) -> bool {
    let mut lines = super::header_lines(head);
    let Some(columns) = lines.next().and_then(header) else { return false };
    let separator = columns.separator[0];
    let known = columns.names.iter().filter(|name| known::is_known(name) || is_time(name)).count();
    let all_known = known == columns.names.len();
    let rows: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).take(SAMPLE).collect();
    let fitting = rows.iter().filter(|row| {
        cells(row, separator, columns.names.len() + 1).is_some_and(|row| row.len() == columns.names.len())
    });
    let fitting = fitting.count();
    match (columns.names.len(), rows.len()) {
        (2, 0) => false,
        (_, 0) => known >= 2,
        // Texts with line ends in them make some lines that do not fit.
        (2, _) if !all_known => known >= 1 && fitting == rows.len(),
        (_, 1) => known >= 1 && fitting == 1,
        _ => fitting * if known >= 1 { 2 } else { 1 } >= rows.len(),
    }
}

fn is_time(name: &str) -> bool {
    TIMES.iter().any(|time| time.eq_ignore_ascii_case(name))
}

/// The header that a user says is one.
fn read(line: &[u8]) -> Option<Columns> {
    header(line).or_else(|| {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let separator = SEPARATORS.into_iter().max_by_key(|sign| memchr::memchr_iter(*sign, line).count())?;
        Some(columns(line, separator, &cells(line, separator, super::MOST_COLUMNS)?))
    })
}

/// The columns that a line names, if it looks like names.
fn header(line: &[u8]) -> Option<Columns> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    // Splunk and spreadsheets mark the line as a comment.
    let separators = SEPARATORS.into_iter().filter_map(|sign| Some((sign, cells(line, sign, super::MOST_COLUMNS)?)));
    let (separator, names) = separators.max_by_key(|(_, cells)| cells.len())?;
    let is_name = |name: &[u8]| {
        let first = name.trim_ascii().first();
        name.len() <= LONGEST_NAME
            && first.is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'@' | b'#') || *b >= 0x80)
            && name.iter().all(|b| {
                b.is_ascii_alphanumeric()
                    || *b >= 0x80
                    || matches!(b, b' ' | b'_' | b'-' | b'.' | b'/' | b'(' | b')' | b'@' | b'#' | b'[' | b']')
            })
            && name.split(|b| *b == b' ').count() <= 5
            && !(name.len() >= 16 && name.iter().all(u8::is_ascii_hexdigit))
    };
    // A table of spreadsheets may have numbered lines without a name.
    let mut texts = names.iter().enumerate().map(|(number, cell)| (number, &line[cell.place.clone()]));
    let fine = names.len() >= 2 && texts.all(|(number, name)| is_name(name) || number == 0 && name.is_empty());
    fine.then(|| columns(line, separator, &names))
}

fn columns(line: &[u8], separator: u8, cells: &[Cell]) -> Columns {
    let name = |cell: &Cell| String::from_utf8_lossy(line[cell.place.clone()].trim_ascii()).into();
    Columns { names: cells.iter().map(name).collect(), separator: vec![separator], ..Columns::default() }
}

/// Whether a line has not as many separators outside of quotes as the header. Texts with separators in quotes are common,
/// and no reason to read a line closely.
fn is_ragged(layout: &Layout, line: &[u8]) -> bool {
    let Some(columns) = &layout.columns else { return false };
    let separator = *columns.separator.first().unwrap_or(&b',');
    if memchr(b'"', line).is_none() {
        return super::has_other_columns(Some(columns), separator, line);
    }
    let (mut inside, mut separators) = (false, 0);
    for at in memchr::memchr2_iter(b'"', separator, line) {
        if line[at] == b'"' {
            inside = !inside;
        } else {
            separators += usize::from(!inside);
        }
    }
    inside || separators + 1 != columns.names.len()
}

/// A cell of a line, without its quotes.
pub(super) struct Cell {
    pub(super) place: Range<usize>,
    pub(super) quoted: bool,
}

/// The first cells of a line; `None` if a quote is not closed.
pub(super) fn cells(line: &[u8], separator: u8, most: usize) -> Option<Vec<Cell>> {
    let mut cells = Vec::with_capacity(16);
    let mut at = 0;
    loop {
        let blanks = line[at..].iter().take_while(|b| **b == b' ').count();
        if line.get(at + blanks) == Some(&b'"') {
            let start = at + blanks + 1;
            let mut end = start;
            loop {
                end += memchr(b'"', line.get(end..)?)?;
                if line.get(end + 1) != Some(&b'"') {
                    break;
                }
                end += 2;
            }
            // What stands between the quote and the separator belongs to the cell, so that nothing is lost.
            let rest = memchr(separator, &line[end + 1..]);
            let next = rest.map_or(line.len(), |length| end + 1 + length);
            let clean = line[end + 1..next].iter().all(|b| *b == b' ');
            cells.push(Cell { place: start..if clean { end } else { next }, quoted: true });
            at = next;
        } else {
            let end = memchr(separator, &line[at..]).map_or(line.len(), |length| at + length);
            cells.push(Cell { place: at..end, quoted: false });
            at = end;
        }
        if at >= line.len() || cells.len() == most {
            return Some(cells);
        }
        at += 1;
    }
}

fn decode<'l>(layout: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let line = event.line;
    // The header itself comes before anything is known.
    let Some(columns) = &layout.columns else { return Ok(()) };
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let separator = *columns.separator.first().unwrap_or(&b',');
    let most = columns.names.len() + 1;
    let cells = cells(line, separator, most).ok_or("a quoted field goes on in the next line")?;
    if cells.len() != columns.names.len() {
        return Err("not as many columns as the header names");
    }
    // Files put together repeat their header.
    if cells.iter().zip(&columns.names).all(|(cell, name)| line[cell.place.clone()].trim_ascii() == name.as_bytes()) {
        return Ok(());
    }
    let mapping =
        layout.mappings.iter().find(|mapping| mapping.is_of(|key| columns.names.iter().any(|name| **name == *key)));
    let time = mapping.and_then(Mapping::time_field);
    for (cell, name) in cells.into_iter().zip(&columns.names) {
        let place = values::trimmed(line, cell.place);
        if time == Some(&**name) && !place.is_empty() {
            event.when = Some(line[place.clone()].into());
        }
        if time.is_none() && event.when.is_none() && is_time(name) && !place.is_empty() {
            event.when = Some(line[place.clone()].into());
        }
        let doubled = cell.quoted && memmem::find(&line[place.clone()], b"\"\"").is_some();
        let escapes = if doubled { Escapes::Doubled } else { Escapes::None };
        if matches!(&line[place.clone()], b"-") {
            continue;
        }
        if let Some(meaning) = mapping.and_then(|mapping| mapping.meaning(name)) {
            values::push_as_said(event, name, place, escapes, meaning);
        } else if name.is_empty() {
            event.push("column", place, Meaning::Open);
        } else {
            values::push_named(event, &**name, place, escapes);
        }
    }
    values::settle_digests(event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        for (header, line, expected) in [
            (
                "time,src_ip,note,sha256\n",
                "2026-01-31T10:05:03Z, 203.0.113.9 ,\"say \"\"hi\"\", a.example\",",
                "@2026-01-31T10:05:03Z
time=2026-01-31T10:05:03Z
src_ip=203.0.113.9 network-traffic:src_ref.value
note=say \"hi\", a.example",
            ),
            (
                "\u{feff}\"Source IP\";URL\r\n",
                "203.0.113.9;\"http://a.example/;x\"",
                "Source IP=203.0.113.9 network-traffic:src_ref.value
URL=http://a.example/;x url:value",
            ),
            (
                "id\tdomain\n",
                "1\ta.example",
                "id=1
domain=a.example domain-name:value",
            ),
            (
                "a|b|host\n",
                "1||\"x\" y",
                "a=1
host=x\" y domain-name:value",
            ),
            ("a,b,host\n", "a,b,host", ""),
            ("a,b,host\n", "1,2", "! not as many columns as the header names"),
            ("a,b,host\n", "1,2,\"three", "! a quoted field goes on in the next line"),
        ] {
            assert_eq!(shown("csv", header, line), expected, "{header}{line}");
        }
    }

    #[test]
    fn tables_are_told_from_prose() {
        for table in [
            "time,src_ip,dst_ip\n1,10.0.0.1,10.0.0.2\n",
            "src_ip,dst_ip,action\n",
            "Date;Source IP;Note\n1;10.0.0.1;\"two\nlines\"\n2;10.0.0.2;x\n3;10.0.0.3;x\n",
            "a,b,c,d\n1,2,3,4\n5,6,7,8\n",
            "id\tdomain\n1\ta.example\n",
            ",url,x\n0,http://a.example/,1\n",
        ] {
            assert!(sniff(table.as_bytes()), "{table}");
        }
        for text in [
            "Hello, world\nhow are you, today\n",
            "Hello, my dear, world\nhow are you\nand you, what\n",
            "10.0.0.1,10.0.0.2,x\n10.0.0.1,10.0.0.2,x\n",
            "2016-09-28 04:30:30, Info                  CBS    Loaded\n2016-09-28 04:30:31, Info CSI\n",
            "a,b\n1,2\n",
            "Jan 31 10:05:03 host app: a, b, c\nJan 31 10:05:03 host app: a, b, c\n",
            "",
            "\n\n",
        ] {
            assert!(!sniff(text.as_bytes()), "{text}");
        }
    }
}
