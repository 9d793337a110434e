//! Tables: lines of fields with `,`, `;`, tab or `|` between them, quoted as RFC 4180 has it.
//!
//! Which columns hold the values is decided once, from the first lines:
//!
//! 1. Comment lines are passed over. The last one before the data is the header if it has as many fields as the data
//!    and names a column known here (as in abuse.ch's exports); otherwise the first line is, if none of its fields is
//!    a value.
//! 2. With a header: the first column called `ioc`, `ioc_value`, `indicator`, `value`, `observable` or the like; else
//!    the first called `ip`, `dst_ip`, `domain`, `hostname`, `url`, `email` or the like, and all called `md5`,
//!    `sha256_hash` ...
//! 3. Without one, or if it names none: the first column of which at least half of the fields are values, and all
//!    columns of which half of the fields are hashes. If the first is of hashes, only columns of hashes count.
//!
//! Other columns say something about the values: a link to a report or the address of a reporter is no indicator.

use super::list;
use super::window::{Place, Window};
use super::{Item, Rejected, Summary};
use crate::observable::{Invalid, Kind, Value};
use std::borrow::Cow;

/// Lines that are looked at to decide.
const SAMPLE: usize = 200;

/// Longest record, in bytes.
const MAX_RECORD: usize = 64 * 1024;

/// How to read a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    delimiter: u8,
    columns: Vec<usize>,
    /// The first line that is no comment names the columns.
    header: bool,
}

/// Reads all records.
pub(crate) fn read(window: &mut Window<'_>, plan: &Plan, visit: &mut dyn FnMut(Place, Item<'_>)) -> Summary {
    let mut summary = Summary::default();
    let mut header = plan.header;
    let mut line = 1;
    while let Some(length) = record(window) {
        let record = &window.rest()[..length];
        let place = Place { line, column: 1 };
        if !is_passed_over(record) && !std::mem::take(&mut header) {
            values(record, plan, &mut |entry| {
                let item = match entry {
                    Ok(value) => {
                        summary.values += 1;
                        Item::Value(value)
                    }
                    Err((reason, text)) => {
                        summary.rejected += 1;
                        Item::Rejected(Rejected::new(reason, list::shown(text)))
                    }
                };
                visit(place, item);
            });
        }
        line += memchr::memchr_iter(b'\n', record).count() as u64 + 1;
        window.advance(length + 1);
    }
    summary
}

/// How to read a text as a table; `None` if it is none. `sample` is how it begins, in whole lines.
pub(crate) fn plan(sample: &[u8]) -> Option<Plan> {
    let mut comment = None;
    let mut rows = Vec::new();
    let mut rest = sample;
    while let Some(length) = record_length(rest, true)
        && rows.len() < SAMPLE
    {
        let (record, after) = rest.split_at(length);
        rest = after.strip_prefix(b"\n").unwrap_or(after);
        if !is_passed_over(record) {
            rows.push(record.strip_suffix(b"\r").unwrap_or(record));
        } else if rows.is_empty() && !record.trim_ascii().is_empty() {
            comment = Some(record.trim_ascii());
        }
    }
    if rows.iter().filter(|row| is_hosts_line(row)).count() * 2 > rows.len() {
        return None;
    }
    let delimiters = [b',', b';', b'\t', b'|'];
    let (plan, confirmed) = delimiters.into_iter().find_map(|delimiter| plan_with(&rows, comment, delimiter))?;
    // A URL may hold commas: a list of such is no table. But if all lines have as many, they are hardly URLs.
    let is_value = |row: &&&[u8]| memchr::memmem::find(row, b"://").is_some() && value(row).is_some();
    let is_list = rows.iter().filter(is_value).count() * 2 > rows.len();
    let is_table = confirmed || !is_list || rows.len() >= 3 && is_even(&rows, plan.delimiter);
    is_table.then_some(plan)
}

/// The plan for a delimiter, and whether a header confirms it.
fn plan_with(rows: &[&[u8]], comment: Option<&[u8]>, delimiter: u8) -> Option<(Plan, bool)> {
    let table: Vec<Vec<Cow<'_, [u8]>>> = rows.iter().map(|row| fields(row, delimiter).collect()).collect();
    let count = |width: usize| table.iter().filter(|row| row.len() == width).count();
    let width = table.iter().map(Vec::len).max_by_key(|width| count(*width))?;
    if width < 2 || count(width) * 2 < table.len() {
        return None;
    }
    let kind = |field: &Cow<'_, [u8]>| value(field).map(|value| value.kind());
    let kinds: Vec<Vec<Option<Kind>>> = table.iter().map(|row| row.iter().map(kind).collect()).collect();
    let names_first = kinds.first().is_some_and(|row| row.iter().all(Option::is_none));

    let in_comment = comment.map(|line| fields(line, delimiter).collect::<Vec<_>>());
    let in_comment = in_comment.filter(|names| names.len() == width).map_or(Vec::new(), |names| named_columns(&names));
    let in_first = if names_first { table.first().map_or(Vec::new(), |row| named_columns(row)) } else { Vec::new() };
    let only_header = names_first && table.len() == 1;
    for mut columns in [in_comment, in_first] {
        columns.retain(|column| only_header || kinds.iter().any(|row| row.get(*column).is_some_and(Option::is_some)));
        if !columns.is_empty() {
            return Some((Plan { delimiter, columns, header: names_first }, true));
        }
    }
    if count(width) * 10 < table.len() * 9 {
        return None;
    }
    let columns = columns_by_content(&kinds[usize::from(names_first)..], width);
    (!columns.is_empty()).then_some((Plan { delimiter, columns, header: names_first }, false))
}

/// Whether all rows have the same number of fields, more than one.
fn is_even(rows: &[&[u8]], delimiter: u8) -> bool {
    let mut widths = rows.iter().map(|row| fields(row, delimiter).count());
    widths.next().is_some_and(|first| first > 1 && widths.all(|width| width == first))
}

fn is_hosts_line(row: &[u8]) -> bool {
    let mut words = row.split(u8::is_ascii_whitespace);
    let first = words.next().and_then(|word| std::str::from_utf8(word).ok());
    first.is_some_and(list::is_sink) && words.next().is_some()
}

enum Role {
    /// Says by its name that the values are there, whatever kind they are.
    Value,
    /// A kind of address or name.
    Address,
    Hash,
}

fn role(name: &[u8]) -> Option<Role> {
    let name = String::from_utf8_lossy(name).trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    match name.replace([' ', '-', '.'], "_").as_str() {
        "ioc" | "ioc_value" | "indicator" | "indicator_value" | "value" | "observable" | "observable_value" => {
            Some(Role::Value)
        }
        "ip" | "ips" | "ip_address" | "ipaddress" | "ip_addr" | "ipv4" | "ipv6" | "address" | "src_ip"
        | "source_ip" | "srcip" | "dst_ip" | "dstip" | "dest_ip" | "destination_ip" | "cidr" | "network"
        | "netblock" | "subnet" | "prefix" | "domain" | "domains" | "domain_name" | "hostname" | "host" | "fqdn"
        | "url" | "urls" | "uri" | "email" | "email_address" => Some(Role::Address),
        "md5" | "md5_hash" | "sha1" | "sha1_hash" | "sha_1" | "sha224" | "sha256" | "sha256_hash" | "sha_256"
        | "sha384" | "sha512" | "sha512_hash" | "sha_512" | "hash" | "hashes" | "file_hash" | "filehash" => {
            Some(Role::Hash)
        }
        _ => None,
    }
}

fn named_columns(names: &[Cow<'_, [u8]>]) -> Vec<usize> {
    let roles: Vec<Option<Role>> = names.iter().map(|name| role(name)).collect();
    if let Some(column) = roles.iter().position(|role| matches!(role, Some(Role::Value))) {
        return vec![column];
    }
    let address = roles.iter().position(|role| matches!(role, Some(Role::Address)));
    (0..roles.len()).filter(|column| Some(*column) == address || matches!(roles[*column], Some(Role::Hash))).collect()
}

fn columns_by_content(kinds: &[Vec<Option<Kind>>], width: usize) -> Vec<usize> {
    let share = |column: usize, wanted: fn(Kind) -> bool| {
        let fits = |row: &&Vec<Option<Kind>>| row.get(column).copied().flatten().is_some_and(wanted);
        kinds.iter().filter(fits).count() * 2 >= kinds.len().max(1)
    };
    let is_hash = |kind: Kind| kind.object_type() == "file";
    let Some(first) = (0..width).find(|column| share(*column, |_| true)) else { return Vec::new() };
    (first..width).filter(|column| *column == first || share(*column, is_hash)).collect()
}

/// Takes a value, or why a text is none.
type Visit<'v> = dyn FnMut(Result<Value, (&'static str, &[u8])>) + 'v;

/// Visits the values of a record.
fn values(record: &[u8], plan: &Plan, visit: &mut Visit<'_>) {
    let mut wanted = plan.columns.iter().copied().peekable();
    let mut taken = false;
    for (column, field) in fields(record, plan.delimiter).enumerate() {
        if wanted.next_if_eq(&column).is_none() {
            continue;
        }
        let text = field.trim_ascii();
        if is_absent(text) {
            continue;
        }
        taken = true;
        visit(match std::str::from_utf8(text) {
            Ok(text) => field_value(text).map_err(|invalid| (invalid.reason(), text.as_bytes())),
            Err(_) => Err(("not UTF-8", text)),
        });
        if wanted.peek().is_none() {
            break;
        }
    }
    if !taken {
        visit(Err(("no value in this row", record.trim_ascii())));
    }
}

/// Whether a field says that there is nothing to say.
pub(super) fn is_absent(text: &[u8]) -> bool {
    matches!(text, b"" | b"-" | b"None" | b"none" | b"null" | b"NULL" | b"N/A" | b"n/a")
}

pub(super) fn value(field: &[u8]) -> Option<Value> {
    std::str::from_utf8(field.trim_ascii()).ok().and_then(|text| field_value(text).ok())
}

pub(super) fn field_value(text: &str) -> Result<Value, Invalid> {
    if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Err(Invalid::new("text of several words"));
    }
    list::bare_value(text)
}

pub(super) fn is_passed_over(record: &[u8]) -> bool {
    let text = record.trim_ascii();
    text.is_empty() || list::is_comment(text)
}

/// Length of the record that the rest begins with; `None` at the end.
pub(super) fn record(window: &mut Window<'_>) -> Option<usize> {
    loop {
        // Of a record that the reader failed in, part of a value may look like another value.
        let whole = window.is_finished() && !window.has_failed();
        let length = record_length(window.rest(), whole || window.is_full());
        if length.is_some() || !window.more() {
            return length;
        }
    }
}

/// Length of the first record of a text: a line, and more lines if a quoted field goes on over its end. `None` if the
/// text is empty, or if more of it is needed to know.
pub(super) fn record_length(text: &[u8], whole: bool) -> Option<usize> {
    let mut first = None;
    let mut quotes = 0;
    let mut at = 0;
    while at < text.len().min(MAX_RECORD) {
        let newline = memchr::memchr(b'\n', &text[at..]);
        let end = newline.map_or(text.len(), |length| at + length);
        if newline.is_none() && !whole {
            return None;
        }
        quotes += memchr::memchr_iter(b'"', &text[at..end]).count();
        let first = *first.get_or_insert(end);
        if quotes % 2 == 0 || is_passed_over(&text[..first]) {
            return Some(end);
        }
        at = end + 1;
    }
    // Nothing closes the quote: it is part of the text. A line too long to be one is taken in pieces.
    if text.len() >= MAX_RECORD || whole {
        first.or((!text.is_empty()).then(|| text.len().min(MAX_RECORD)))
    } else {
        None
    }
}

/// The fields of a record, without their quotes.
pub(super) fn fields(record: &[u8], delimiter: u8) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let mut rest = Some(record.strip_suffix(b"\r").unwrap_or(record));
    std::iter::from_fn(move || {
        let text = rest?;
        let quoted = text.trim_ascii_start();
        if let Some(inner) = quoted.strip_prefix(b"\"")
            && let Some(end) = closing_quote(inner)
        {
            let after = &inner[end + 1..];
            let next = memchr::memchr(delimiter, after);
            rest = next.map(|next| &after[next + 1..]);
            return Some(unquoted(&inner[..end]));
        }
        let end = memchr::memchr(delimiter, text);
        rest = end.map(|end| &text[end + 1..]);
        Some(Cow::Borrowed(&text[..end.unwrap_or(text.len())]))
    })
}

/// Where the quote is that ends a quoted field; two of them are one of its text.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b'"', &text[at..])?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn unquoted(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'"', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut quote = false;
    for &byte in text {
        quote = byte == b'"' && !quote;
        if !quote {
            out.push(byte);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read from a table; `None` if it is none.
    fn table(text: &str) -> Option<Vec<String>> {
        let plan = plan(text.as_bytes())?;
        let mut reader = text.as_bytes();
        let mut window = Window::new(&mut reader);
        let mut seen = Vec::new();
        read(&mut window, &plan, &mut |place, item| {
            seen.push(match item {
                Item::Value(value) => value.to_string(),
                Item::Rejected(rejected) => format!("{}: {} {}", place.line, rejected.reason, rejected.detail),
                Item::Indicator { .. } => "an indicator".to_owned(),
            });
        });
        Some(seen)
    }

    fn is(text: &str, expected: &[&str]) {
        assert_eq!(
            table(text).as_deref(),
            Some(&expected.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
            "{text}"
        );
    }

    #[test]
    fn exports_with_a_header_in_a_comment() {
        is(
            "################\n# URLhaus (CSV - recent URLs only)  #\n#\n# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n\
             \"3\",\"2026-05-16 08:00:00\",\"http://192.0.2.1:5000/i\",\"online\",\"\",\"malware_download\",\"32-bit,elf\",\"https://urlhaus.example/url/3/\",\"me\"\r\n\
             \"4\",\"2026-05-16 08:01:00\",\"http://evil.example/a,b\",\"online\",\"\",\"malware_download\",\"None\",\"https://urlhaus.example/url/4/\",\"me\"\r\n",
            &["http://192.0.2.1:5000/i", "http://evil.example/a,b"],
        );
        is(
            "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"reference\"\n\
             \"2026-05-16 08:00:00\", \"1\", \"192.0.2.1:443\", \"ip:port\", \"botnet_cc\", \"https://ref.example/\"\n\
             \"2026-05-16 08:00:00\", \"2\", \"evil.example\", \"domain\", \"botnet_cc\", \"None\"\n# Number of entries: 2\n",
            &["192.0.2.1", "evil.example"],
        );
    }

    #[test]
    fn a_header_of_its_own() {
        is(
            "\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\"\n\"2026-05-16\",\"192.0.2.1\",\"443\",\"online\"\n\"2026-05-16\",\"192.0.2.2\",\"447\",\"offline\"\n",
            &["192.0.2.1", "192.0.2.2"],
        );
        is(
            "Indicator type,Indicator,Description\ndomain,evil.example,\"a \"\"b\"\"\nc.example\"\nIPv4,192.0.2.1,\n",
            &["evil.example", "192.0.2.1"],
        );
        is("phish_id,url,phish_detail_url\n1,http://evil.example/,http://phish.example/1\n", &["http://evil.example/"]);
        is("domain;ip\nevil.example;192.0.2.1\n", &["evil.example"]);
        is("sha256\tmd5\tfile_name\n", &[]);
    }

    #[test]
    fn columns_by_what_is_in_them() {
        is("2026-05-16,1,evil.example,online\n2026-05-16,2,192.0.2.1,online\n", &["evil.example", "192.0.2.1"]);
        is("198.51.100.0/24,spam\n", &["198.51.100.0/24"]);
        is("198.51.100.0/24 ; SBL1\n192.0.2.0/24 ; SBL2\n", &["198.51.100.0/24", "192.0.2.0/24"]);
        is("when,what\n2026,d41d8cd98f00b204e9800998ecf8427e\n", &["d41d8cd98f00b204e9800998ecf8427e"]);
        let hashes = "d41d8cd98f00b204e9800998ecf8427e,da39a3ee5e6b4b0d3255bfef95601890afd80709,evil.exe\n";
        is(hashes, &["d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709"]);
        is(
            "http://evil.example/1,spam\nhttp://evil.example/2,spam\nhttp://evil.example/3,bot\n",
            &["http://evil.example/1", "http://evil.example/2", "http://evil.example/3"],
        );
    }

    #[test]
    fn rows_without_a_value_are_named() {
        is(
            "# c\nip,port\n192.0.2.1,1\n192.0.2.2,1\n192.0.2.3,1\n\nnonsense,1\n-,2\n",
            &["192.0.2.1", "192.0.2.2", "192.0.2.3", "7: a domain needs a dot nonsense", "8: no value in this row -,2"],
        );
    }

    #[test]
    fn a_known_header_outweighs_uneven_rows() {
        is(
            "ip,port\n192.0.2.1,1\n192.0.2.2\n192.0.2.3,1,2\n192.0.2.4,1\n",
            &["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"],
        );
    }

    #[test]
    fn lists_are_no_tables() {
        for text in [
            "",
            "# c\n",
            "192.0.2.1\n192.0.2.2\n",
            "0.0.0.0\tevil.example\n0.0.0.0\tevil2.example\n",
            "http://evil.example/a,b\nhttp://evil.example/c\n",
            "http://evil.example/a,b\n",
            "192.0.2.1 # a, b\n192.0.2.2 # a, b\n",
            "hello, world\nno, value\n",
            "http://evil.example/a,b\nhttp://evil.example/c,d\n",
        ] {
            assert_eq!(table(text), None, "{text}");
        }
    }

    #[test]
    fn fields_are_split_as_rfc_4180_has_it() {
        for (record, expected) in [
            ("a,b,", &["a", "b", ""][..]),
            ("\"a,b\",\"c\"\"d\" ,e\r", &["a,b", "c\"d", "e"]),
            ("\"open,b", &["\"open", "b"]),
            ("", &[""]),
        ] {
            let split: Vec<_> =
                fields(record.as_bytes(), b',').map(|field| String::from_utf8_lossy(&field).into_owned()).collect();
            assert_eq!(split, expected, "{record}");
        }
    }
}
