//! Plain lists: one value a line, in whatever dress lists come.
//!
//! - A value is an address, prefix, domain, URL, hash or mail address, defanged or not, bare or in quotes, perhaps
//!   after a bullet or before a comma. `*.name`, `.name` and `||name^` stand for the name, an address or name with a
//!   port for itself without the port.
//! - `#`, `;`, `//` and `!` begin a comment at the beginning of a line, the first three also after white space.
//! - A line whose first word is an address that hosts files lead nowhere with (`0.0.0.0`, `127.0.0.1`, `::` ...)
//!   lists the names after it. The names of the machine itself (`localhost`, `ip6-allnodes` ...) are passed over.
//! - Of several words on another line, all count if they are values of one sort; otherwise the first is the value, and
//!   the rest a remark on it.

use super::window::{Place, Window};
use super::{Item, Rejected, Summary};
use crate::observable::{self, Invalid, Kind, Value};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest line that is looked at, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// How much of a line that is no value is shown, in bytes.
const SHOWN: usize = 200;

/// Reads all lines.
pub(crate) fn read(window: &mut Window<'_>, visit: &mut dyn FnMut(Place, Item<'_>)) -> Summary {
    let mut summary = Summary::default();
    let mut line = 0;
    while let Some(length) = window.line() {
        line += 1;
        entries(&window.rest()[..length], &mut |column, entry| {
            let item = match entry {
                Ok(value) => {
                    summary.values += 1;
                    Item::Value(value)
                }
                Err((invalid, text)) => {
                    summary.rejected += 1;
                    Item::Rejected(Rejected::new(invalid.reason(), shown(text)))
                }
            };
            visit(Place { line, column: column as u64 + 1 }, item);
        });
        window.advance(length + 1);
    }
    summary
}

/// Takes a value, or why a text is none; with the offset in the line.
type Visit<'v, 't> = dyn FnMut(usize, Result<Value, (Invalid, &'t [u8])>) + 'v;

/// Visits the values of a line; a line that holds none though it should is visited as invalid.
pub(crate) fn entries<'t>(line: &'t [u8], visit: &mut Visit<'_, 't>) {
    let text = line.trim_ascii();
    let Some(&first) = text.first() else { return };
    let column = line.len() - line.trim_ascii_start().len();
    // Most lines are a value and nothing else.
    if first.is_ascii_alphanumeric()
        && text.len() <= MAX_LINE
        && observable::is_plain(text)
        && let Ok(text) = std::str::from_utf8(text)
        && let Ok(value) = observable::classify(text)
    {
        return visit(column, Ok(value));
    }
    if is_comment(text) {
        return;
    }
    if text.len() > MAX_LINE {
        return visit(column, Err((Invalid::new("line too long"), text)));
    }
    let text = without_remark(text);
    let Ok(text) = std::str::from_utf8(text) else {
        return visit(column, Err((Invalid::new("not UTF-8"), text)));
    };
    if matches!(first, b'|' | b'@') {
        return visit(column, filter_rule(text).map_err(|invalid| (invalid, text.as_bytes())));
    }
    if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        words(line, text, visit);
    } else {
        visit(column, value(text).map_err(|invalid| (invalid, text.as_bytes())));
    }
}

/// Whether a trimmed line is a comment as a whole.
pub(crate) fn is_comment(text: &[u8]) -> bool {
    matches!(text, [b'#' | b';' | b'!', ..] | [b'/', b'/', ..]) || text.starts_with(b"[Adblock")
}

/// The value that a word stands for. A remark may follow it without a space: `192.0.2.1;spam`, `192.0.2.1#4#2#CN`.
fn value(word: &str) -> Result<Value, Invalid> {
    if memchr::memchr(b':', word.as_bytes()).is_some() && word.contains("://") {
        return bare_value(word);
    }
    let end = memchr::memchr(b'#', word.as_bytes()).unwrap_or(word.len());
    let bare = &word[..end];
    match memchr::memchr3(b';', b',', b'|', bare.as_bytes()).map(|end| bare_value(&bare[..end])) {
        // A path may hold such letters; nothing else does.
        Some(Ok(value)) if value.kind() != Kind::Url => Ok(value),
        _ => bare_value(bare).map_err(|invalid| if is_range(bare) { Invalid::new(RANGE) } else { invalid }),
    }
}

const RANGE: &str = "a range of addresses, not a prefix";

/// Whether a word is two addresses joined by a dash.
fn is_range(word: &str) -> bool {
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    word.split_once('-').is_some_and(|(first, last)| is_address(first) && is_address(last))
}

/// The value of a text that is nothing but one.
pub(crate) fn bare_value(text: &str) -> Result<Value, Invalid> {
    let value = observable::classify(without_port(undressed(text)))?;
    match &value {
        // Words such as `Note:` and `and/or` have the shape of a URL without scheme.
        Value::Text(Kind::Url, url) if url.starts_with("//") && !has_dotted_host(url) => {
            Err(Invalid::new("a domain needs a dot"))
        }
        _ => Ok(value),
    }
}

/// Whether the host of a URL without scheme is an address or a name of several labels.
fn has_dotted_host(url: &str) -> bool {
    let authority = url[2..].split(['/', '?', '#']).next().unwrap_or_default();
    authority.contains(['.', '['])
}

/// Text for a report: not too much of it, whatever it is made of.
pub(crate) fn shown(text: &[u8]) -> String {
    let cut = &text[..text.len().min(SHOWN)];
    let more = if cut.len() < text.len() { "..." } else { "" };
    format!("{}{more}", String::from_utf8_lossy(cut))
}

/// Whether an address is one that hosts files send unwanted names to.
pub(crate) fn is_sink(word: &str) -> bool {
    let address = word.split_once('%').map_or(word, |(address, _zone)| address);
    match address.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_unspecified() || address == Ipv4Addr::BROADCAST,
        Ok(IpAddr::V6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address == Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 1)
        }
        Err(_) => word == "0",
    }
}

fn words<'t>(line: &[u8], text: &'t str, visit: &mut Visit<'_, 't>) {
    let column = |word: &str| (word.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    let mut words = text.split_ascii_whitespace().filter(|word| !matches!(*word, "-" | "*" | "\u{2022}")).peekable();
    let Some(first) = words.next() else { return };
    if words.peek().is_none() {
        return visit(column(first), value(first).map_err(|invalid| (invalid, first.as_bytes())));
    }
    if is_sink(first) {
        for name in words.filter(|name| !is_own_name(name)) {
            visit(column(name), host(name).map_err(|invalid| (invalid, name.as_bytes())));
        }
        return;
    }
    if text.contains(" - ") && first.parse::<IpAddr>().is_ok() && words.clone().count() == 1 {
        return visit(column(first), Err((Invalid::new(RANGE), text.as_bytes())));
    }
    match value(first) {
        Err(invalid) => visit(column(first), Err((invalid, text.as_bytes()))),
        Ok(first_value) => {
            let family = family(first_value.kind());
            visit(column(first), Ok(first_value));
            if words.clone().all(|word| value(word).is_ok_and(|value| self::family(value.kind()) == family)) {
                for word in words {
                    visit(column(word), value(word).map_err(|invalid| (invalid, word.as_bytes())));
                }
            }
        }
    }
}

/// What may stand beside each other on a line: addresses of both versions, hashes of all lengths, or values of one
/// kind.
fn family(kind: Kind) -> &'static str {
    if kind == Kind::Ipv6 { Kind::Ipv4.object_type() } else { kind.object_type() }
}

/// A name of a hosts file.
fn host(name: &str) -> Result<Value, Invalid> {
    let value = value(name)?;
    if value.kind() == Kind::Domain { Ok(value) } else { Err(Invalid::new("a hosts file lists names")) }
}

/// Names that hosts files give to the machine itself.
fn is_own_name(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "localhost",
        "localhost.localdomain",
        "localhost4.localdomain4",
        "localhost6.localdomain6",
        "localhost4",
        "localhost6",
        "local",
        "broadcasthost",
        "loopback",
        "0.0.0.0",
        "127.0.0.1",
        "::1",
    ];
    NAMES.iter().any(|own| name.eq_ignore_ascii_case(own)) || name.get(..4).is_some_and(|start| start == "ip6-")
}

/// A rule of an ad blocker, if all it says is a name.
fn filter_rule(text: &str) -> Result<Value, Invalid> {
    if text.starts_with("@@") {
        return Err(Invalid::new("an exception, not an entry"));
    }
    let rule = text.split_once('$').map_or(text, |(rule, _options)| rule);
    let name = rule.strip_prefix("||").and_then(|rest| rest.strip_suffix('^'));
    let name = name.ok_or(Invalid::new("a filter rule that is not just a name"))?;
    observable::classify(name)
}

/// The line without a remark at its end.
fn without_remark(text: &[u8]) -> &[u8] {
    let starts = |at: usize| {
        at > 0 && text[at - 1].is_ascii_whitespace() && (text[at] != b'/' || text.get(at + 1) == Some(&b'/'))
    };
    let remark = memchr::memchr3_iter(b'#', b';', b'/', text).find(|at| starts(*at));
    remark.map_or(text, |at| text[..at].trim_ascii_end())
}

/// The word without quotes, commas and wildcards around it.
fn undressed(word: &str) -> &str {
    let is_dress = |letter: char| matches!(letter, '"' | '\'' | '`' | ',' | ';');
    let bare = word.trim_matches(is_dress);
    bare.strip_prefix("*.").or_else(|| bare.strip_prefix('.')).unwrap_or(bare)
}

/// The host of `host:port`; any other text as it is.
pub(super) fn without_port(word: &str) -> &str {
    match memchr::memrchr(b':', word.as_bytes()).map(|colon| (&word[..colon], &word[colon + 1..])) {
        Some((host, port))
            if (1..=5).contains(&port.len())
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && !host.contains('/')
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Vec<String> {
        let mut seen = Vec::new();
        entries(line.as_bytes(), &mut |_, entry| {
            seen.push(match entry {
                Ok(value) => format!("{} {value}", value.kind().name()),
                Err((invalid, text)) => format!("{}: {}", invalid.reason(), shown(text)),
            });
        });
        seen
    }

    #[test]
    fn values_in_every_dress() {
        for (line, expected) in [
            ("192.0.2.1", "ip 192.0.2.1"),
            ("  198.51.100.0/24\t", "ip 198.51.100.0/24"),
            ("2001:db8::1\r", "ip 2001:db8::1"),
            ("\"192.0.2.1\",", "ip 192.0.2.1"),
            ("'evil.example'", "domain evil.example"),
            ("- evil.example", "domain evil.example"),
            ("* hxxp://evil[.]example/a", "url http://evil.example/a"),
            ("evil(.)example", "domain evil.example"),
            ("user[at]evil[.]example", "email user@evil.example"),
            ("*.evil.example", "domain evil.example"),
            (".evil.example", "domain evil.example"),
            ("||evil.example^", "domain evil.example"),
            ("||evil.example^$third-party", "domain evil.example"),
            ("192.0.2.1:443", "ip 192.0.2.1"),
            ("[2001:db8::1]:443", "ip 2001:db8::1"),
            ("evil.example:8080", "domain evil.example"),
            ("http://evil.example:8080/a", "url http://evil.example:8080/a"),
            ("http://evil.example/a#b", "url http://evil.example/a#b"),
            ("http://evil.example/a;b,c", "url http://evil.example/a;b,c"),
            ("d41d8cd98f00b204e9800998ecf8427e  empty.bin", "md5 d41d8cd98f00b204e9800998ecf8427e"),
        ] {
            let first = read_line(line).into_iter().next();
            assert_eq!(first.as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn comments_are_passed_over() {
        for line in ["", " ", "\r", "# c", "; c", "// c", "  # evil.example", "! c", "[Adblock Plus 2.0]"] {
            assert!(read_line(line).is_empty(), "{line}");
        }
        for line in [
            "192.0.2.1 # evil.example",
            "192.0.2.1\t; SBL1",
            "192.0.2.1 // note",
            "192.0.2.1#4#2#Malicious Host#CN##",
            "192.0.2.1;spam",
            "192.0.2.1|spam",
            "192.0.2.1 https://report.example/1",
            "192.0.2.1 host.example",
            "192.0.2.1,2026-01-01",
            "192.0.2.1 seen 2026-01-01",
        ] {
            assert_eq!(read_line(line), ["ip 192.0.2.1"], "{line}");
        }
    }

    #[test]
    fn a_remark_may_be_anything() {
        let mut seen = Vec::new();
        entries(b"evil.example # M\xE4ngel", &mut |_, entry| seen.push(entry.map(|value| value.to_string())));
        assert_eq!(seen, [Ok("evil.example".to_owned())]);
        for (line, expected) in [
            ("198.51.100.0/24,spam", "ip 198.51.100.0/24"),
            ("evil.example;spam", "domain evil.example"),
            ("evil.example/a,b", "url //evil.example/a,b"),
        ] {
            assert_eq!(read_line(line), [expected]);
        }
    }

    #[test]
    fn hosts_lines_list_names() {
        for line in [
            "0.0.0.0 evil.example www.evil.example # c",
            "127.0.0.1\tevil.example  www.evil.example",
            "::1 localhost evil.example www.evil.example ip6-loopback",
            "0 evil.example www.evil.example",
        ] {
            assert_eq!(read_line(line), ["domain evil.example", "domain www.evil.example"], "{line}");
        }
        for line in [
            "127.0.0.1 localhost",
            "127.0.0.1 localhost.localdomain",
            "::1 ip6-localhost ip6-loopback",
            "255.255.255.255 broadcasthost",
            "fe80::1%lo0 localhost",
            "ff02::1 ip6-allnodes",
            "0.0.0.0 0.0.0.0",
        ] {
            assert!(read_line(line).is_empty(), "{line}");
        }
        assert_eq!(read_line("0.0.0.0"), ["ip 0.0.0.0"]);
        assert_eq!(read_line("0.0.0.0 192.0.2.1"), ["a hosts file lists names: 192.0.2.1"]);
    }

    #[test]
    fn several_values_on_a_line_all_count() {
        assert_eq!(read_line("192.0.2.1 2001:db8::1"), ["ip 192.0.2.1", "ip 2001:db8::1"]);
        assert_eq!(read_line("a.example\tb.example"), ["domain a.example", "domain b.example"]);
        assert_eq!(read_line("a.example b.example and more"), ["domain a.example"]);
    }

    #[test]
    fn what_is_no_value_is_named() {
        for (line, expected) in [
            ("hello", "a domain needs a dot: hello"),
            ("Note: this", "a domain needs a dot: Note: this"),
            ("and/or", "a domain needs a dot: and/or"),
            ("hello world.example", "a domain needs a dot: hello world.example"),
            ("@@||good.example^", "an exception, not an entry: @@||good.example^"),
            ("||evil.example/path", "a filter rule that is not just a name: ||evil.example/path"),
            ("192.0.2.0 - 192.0.2.9", "a range of addresses, not a prefix: 192.0.2.0 - 192.0.2.9"),
            ("192.0.2.0-192.0.2.9", "a range of addresses, not a prefix: 192.0.2.0-192.0.2.9"),
            ("2001:db8::-2001:db8::9", "a range of addresses, not a prefix: 2001:db8::-2001:db8::9"),
        ] {
            assert_eq!(read_line(line), [expected], "{line}");
        }
        let mut reasons = Vec::new();
        entries(b"\xFF\xFE", &mut |_, entry| reasons.push(entry.unwrap_err().0.reason()));
        entries(&vec![b'x'; MAX_LINE + 1], &mut |_, entry| reasons.push(entry.unwrap_err().0.reason()));
        assert_eq!(reasons, ["not UTF-8", "line too long"]);
    }
}
