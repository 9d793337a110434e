//! The file that stands: which values it holds and when it was written, whatever its format.
//!
//! A list of a million entries is read piece by piece; nothing holds it as a whole.
//!
//! Read only to compare with what is to replace it, and both are read alike. So what is missed on both sides does no
//! harm, and a format needs no reader of its own.

use super::replace::Content;
use foldhash::quality::RandomState;
use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::hash::BuildHasher as _;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use stockade::blocklist::Prefix;
use stockade::observable::{Kind, classify};
use stockade::render::Format;
use stockade::stix::Timestamp;

/// When a file was written and what it holds, as it tells itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) built: Option<String>,
    /// Serial number of a zone.
    pub(super) serial: Option<u32>,
    /// Number of entries.
    pub(super) emitted: Option<usize>,
}

/// How much of a file tells of it.
const HEAD: u64 = 4096;

/// The file that stands, as it was when it was opened.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) metadata: Metadata,
    pub(super) stamp: Stamp,
    file: File,
}

impl Standing {
    pub(super) fn open(path: &Path, metadata: Metadata) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut head = Vec::new();
        (&file).take(HEAD).read_to_end(&mut head)?;
        Ok(Self { metadata, stamp: Stamp::of(&head), file })
    }

    /// The content from its beginning. One reader at a time: they share their place.
    fn reader(&self) -> io::Result<&File> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// Writes the content somewhere else.
    pub(super) fn copy(&self, to: &mut dyn Write) -> io::Result<()> {
        io::copy(&mut self.reader()?, to).map(drop)
    }

    /// Whether it is what something writes.
    pub(super) fn is(&self, content: Content<'_>) -> bool {
        let Ok(reader) = self.reader() else { return false };
        let mut comparison = Comparison::new(reader);
        content(&mut comparison).is_ok() && comparison.ends()
    }
}

/// Compares what is written to it with what a reader gives. The first difference is an error, so that no more is written.
pub(super) struct Comparison<R> {
    with: R,
    buffer: Vec<u8>,
}

impl<R: Read> Comparison<R> {
    pub(super) fn new(with: R) -> Self {
        Self { with, buffer: Vec::new() }
    }

    /// Whether the other ends here too, once everything was written without error.
    pub(super) fn ends(self) -> bool {
        matches!(io::copy(&mut self.with.take(1), &mut io::sink()), Ok(0))
    }
}

impl<R: Read> Write for Comparison<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(1 << 16)];
        self.buffer.resize(bytes.len(), 0);
        self.with.read_exact(&mut self.buffer)?;
        if self.buffer == bytes { Ok(bytes.len()) } else { Err(io::Error::other("it differs")) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stamp {
    fn of(file: &[u8]) -> Self {
        let head = String::from_utf8_lossy(file);
        let header = head.lines().next().filter(|line| line.contains(" stockade 1 ")).unwrap_or_default();
        let word = |name: &str| header.split(' ').find_map(|word| word.strip_prefix(name));
        let emitted = word("emitted=").and_then(|count| count.parse().ok());
        let built = word("built=").filter(|text| Timestamp::parse(text).is_ok()).map(str::to_owned);
        let mut words = head.lines().find(|line| line.starts_with('@')).unwrap_or_default().split_whitespace();
        let serial = words.find(|word| *word == "SOA").and_then(|_| words.nth(2)).and_then(|word| word.parse().ok());
        Self { built, serial, emitted }
    }
}

/// Hands over the values in a file of a format, which something writes, in their order and as often as they stand there.
///
/// # Errors
/// It cannot be written to its end, or whoever they are handed to has seen enough.
pub(super) fn values(
    format: &Format,
    content: Content<'_>,
    mut see: impl FnMut(String) -> io::Result<()>,
) -> io::Result<()> {
    each_line(content, |line| {
        let Ok(line) = std::str::from_utf8(line) else { return Ok(()) };
        let line = line.trim();
        if line.starts_with(['{', '[']) {
            of_json(line.trim_end_matches(',')).into_iter().try_for_each(&mut see)
        } else {
            of_line(format, line).map_or(Ok(()), &mut see)
        }
    })
}

fn each_line(content: Content<'_>, see: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut lines = Lines { begun: Vec::new(), see };
    content(&mut lines)?;
    if lines.begun.is_empty() { Ok(()) } else { (lines.see)(&lines.begun) }
}

/// Takes lines apart that come in any pieces.
struct Lines<F> {
    begun: Vec<u8>,
    see: F,
}

impl<F: FnMut(&[u8]) -> io::Result<()>> Write for Lines<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if piece.last() != Some(&b'\n') {
                self.begun.extend_from_slice(piece);
            } else if self.begun.is_empty() {
                (self.see)(piece)?;
            } else {
                self.begun.extend_from_slice(piece);
                (self.see)(&self.begun)?;
                self.begun.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How many values a file of a format holds, without a look at each where a line is an entry.
///
/// # Errors
/// It cannot be read to its end.
pub(super) fn count(format: &Format, content: Content<'_>) -> io::Result<usize> {
    if format.comment.is_some() {
        let mut seen = Seen::default();
        values(format, content, |value| {
            seen.add(&value);
            Ok(())
        })?;
        return Ok(seen.len());
    }
    let header = usize::from(matches!(format.name, "crowdsec" | "csv" | "splunk"));
    let mut count = 0_usize;
    each_line(content, |line| {
        let line = line.trim_ascii();
        // Rows of JSON stand between the lines that open and close their document.
        count += usize::from(!line.is_empty() && !line.ends_with(b"[") && !line.starts_with(b"]"));
        Ok(())
    })?;
    Ok(count.saturating_sub(header))
}

/// Values that were seen, each in the eight bytes of a hash with a secret: of a million, two are taken for one once in
/// ten million times.
#[derive(Clone, Default)]
pub(super) struct Seen {
    secret: RandomState,
    hashes: HashSet<u64, RandomState>,
}

impl Seen {
    /// None yet, but with the same secret.
    pub(super) fn like(other: &Self) -> Self {
        Self { secret: other.secret.clone(), hashes: HashSet::default() }
    }

    /// Whether a value was not seen before.
    pub(super) fn add(&mut self, value: &str) -> bool {
        self.hashes.insert(self.secret.hash_one(value))
    }

    pub(super) fn has(&self, value: &str) -> bool {
        self.hashes.contains(&self.secret.hash_one(value))
    }

    /// Forgets a value. Whether it was seen.
    pub(super) fn take(&mut self, value: &str) -> bool {
        self.hashes.remove(&self.secret.hash_one(value))
    }

    fn len(&self) -> usize {
        self.hashes.len()
    }
}

/// The values of a row of JSON: of a list, of a MISP attribute, of an ECS document, of a STIX indicator.
fn of_json(line: &str) -> Vec<String> {
    let Ok(row) = serde_json::from_str::<serde_json::Value>(line) else { return Vec::new() };
    let value = ["/value", "/threat/indicator/name", "/pattern"].iter().find_map(|place| row.pointer(place)?.as_str());
    let objects = row.pointer("/objects").and_then(serde_json::Value::as_array).into_iter().flatten();
    let patterns = objects.filter_map(|object| object.pointer("/pattern")?.as_str());
    value.into_iter().chain(patterns).map(str::to_owned).collect()
}

/// The first thing in a line that is a value of a kind that the format carries.
fn of_line(format: &Format, line: &str) -> Option<String> {
    let comment = line.starts_with(['#', '!', ';', '$', '@']);
    let exception = line.starts_with("server=/") || line.contains("rpz-passthru.") || line.ends_with("transparent");
    if comment || exception {
        return None;
    }
    if format.name == "suricata"
        && let Some(text) = base64(line)
        && let Some(value) = of_text(format, &text)
    {
        return Some(value);
    }
    // A URL may hold every other separator.
    if format.kinds.contains(&Kind::Url) {
        let cell = line.split('\t').next().unwrap_or(line);
        let cell = if format.name == "csv" { second_cell(cell) } else { cell.to_owned() };
        if let Some(value) = of_text(format, &cell) {
            return Some(value);
        }
    }
    let separator = |c: char| c.is_whitespace() || matches!(c, '"' | ',' | '|' | '^' | ';' | '{' | '}');
    line.split(separator).filter(|word| !word.is_empty()).find_map(|word| {
        let name = word.trim_start_matches(['=', '.']);
        let name = name.strip_prefix("*.").unwrap_or(name);
        of_rpz_ip(word)
            .or_else(|| of_text(format, name))
            .or_else(|| word.split(['/', '=', ':']).find_map(|piece| of_text(format, piece)))
    })
}

fn of_text(format: &Format, text: &str) -> Option<String> {
    let value = classify(text).ok().filter(|value| format.kinds.contains(&value.kind()))?;
    // A URL is shown as it is written: some targets want it without scheme.
    Some(if value.kind() == Kind::Url { text.to_owned() } else { value.to_string() })
}

/// The second cell of a row of CSV.
fn second_cell(line: &str) -> String {
    let rest = line.split_once(',').map_or("", |(_, rest)| rest);
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.replace("\"\"", "\0").split('"').next().unwrap_or_default().replace('\0', "\""),
        None => rest.split(',').next().unwrap_or_default().to_owned(),
    }
}

/// The prefix of a trigger such as `24.0.2.0.192.rpz-ip`.
fn of_rpz_ip(word: &str) -> Option<String> {
    let (len, address) = word.strip_suffix(".rpz-ip")?.split_once('.')?;
    let len: u8 = len.parse().ok()?;
    let groups: Vec<&str> = address.rsplit('.').collect();
    if let Ok(octets) = groups.iter().map(|group| group.parse()).collect::<Result<Vec<u8>, _>>()
        && let Ok(octets) = <[u8; 4]>::try_from(octets)
    {
        return Some(Prefix::containing(u32::from_be_bytes(octets), len).to_string());
    }
    let text = groups.join(":").replace("zz", "");
    let text = if text.starts_with(':') { format!(":{text}") } else { text };
    let text = if text.ends_with(':') { format!("{text}:") } else { text };
    let address: std::net::Ipv6Addr = text.parse().ok()?;
    Some(Prefix::containing(u128::from(address), len).to_string())
}

/// Text from base64 (RFC 4648 section 4, padded).
fn base64(line: &str) -> Option<String> {
    if line.is_empty() || !line.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(line.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in line.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, file: &str) -> String {
        let format = Format::named(format).expect("a format");
        let mut found = std::collections::BTreeSet::new();
        let see = |value| {
            found.insert(value);
            Ok(())
        };
        values(format, &|to| to.write_all(file.as_bytes()), see).expect("memory can be read");
        found.into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn values_of_every_syntax() {
        for (format, file, expected) in [
            ("domains", "# stockade 1 format=domains\nb.example\na.example\n\n", "a.example b.example"),
            ("hosts", "0.0.0.0 a.example\n:: a.example\n", "a.example"),
            (
                "rpz",
                "; x\n$TTL 300\n@ SOA localhost. hostmaster.localhost. 7 1 1 1 1\n@ NS localhost.\na.example CNAME .\n*.a.example CNAME .\nok.a.example CNAME rpz-passthru.\n24.0.2.0.192.rpz-ip CNAME .\n48.zz.bad.db8.2001.rpz-ip CNAME .\n",
                "192.0.2.0/24 2001:db8:bad::/48 a.example",
            ),
            (
                "unbound",
                "server:\nlocal-zone: \"a.example.\" always_nxdomain\nlocal-zone: \"ok.a.example.\" transparent\n",
                "a.example",
            ),
            (
                "dnsmasq",
                "local=/a.example/\naddress=/b.example/0.0.0.0\nserver=/ok.a.example/#\n",
                "a.example b.example",
            ),
            ("adguard", "! x\n||a.example^\n@@||ok.a.example^\n", "a.example"),
            (
                "nftables",
                "table inet stockade {\n set x {\n type ipv4_addr\n elements = {\n192.0.2.1,\n192.0.2.8/30\n }\n",
                "192.0.2.1 192.0.2.8/30",
            ),
            (
                "ipset",
                "create s hash:net family inet maxelem 16 -exist\nadd s-new 192.0.2.0/24 -exist\n",
                "192.0.2.0/24",
            ),
            ("iptables", "-4 -A S -s 192.0.2.1/32 -j DROP\n-4 -A S -d 192.0.2.1/32 -j DROP\n", "192.0.2.1"),
            ("crowdsec", "duration,scope,value,reason,type\n14400s,range,192.0.2.0/24,stockade,ban\n", "192.0.2.0/24"),
            ("nginx", "192.0.2.1/32 1;\n", "192.0.2.1"),
            ("urls", "http://a.example/x,y;z\nb.example/p\n", "b.example/p http://a.example/x,y;z"),
            ("squid", ".a.example\n", "a.example"),
            ("postfix", "a.example REJECT\n.a.example REJECT\n", "a.example"),
            ("suricata", "YS5leGFtcGxl\n", "a.example"),
            ("zeek", "#fields\tindicator\tindicator_type\na.example/x\tIntel::URL\n", "a.example/x"),
            ("csv", "type,value\nurl,\"http://a.example/x,y\",z\nip,192.0.2.1,z\n", "192.0.2.1 http://a.example/x,y"),
            ("jsonl", "{\"type\":\"domain\",\"value\":\"a.example\"}\n", "a.example"),
            ("clamav", "44d88612fea8a8f36de82e1278abb02f:*:S:73\n", "44d88612fea8a8f36de82e1278abb02f"),
        ] {
            assert_eq!(read(format, file), expected, "{format}");
            if Stamp::of(file.as_bytes()).emitted.is_none() {
                let format = Format::named(format).expect("a format");
                assert_eq!(
                    count(format, &|to| to.write_all(file.as_bytes())).ok(),
                    Some(expected.split(' ').count()),
                    "{}",
                    format.name
                );
            }
        }
    }

    #[test]
    fn a_file_tells_when_it_was_written() {
        let file = b"; stockade 1 format=rpz built=2026-06-01T00:00:00Z emitted=1\n$TTL 300\n@ SOA a. b. 42 1 1 1 1\n";
        let expected = Stamp { built: Some("2026-06-01T00:00:00Z".into()), serial: Some(42), emitted: Some(1) };
        assert_eq!(Stamp::of(file), expected);
        assert_eq!(Stamp::of(b"a.example\n"), Stamp::default());
    }
}
