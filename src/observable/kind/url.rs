//! URLs.
//!
//! Normal form (after RFC 3986 section 6.2.2 and 6.2.3):
//! - scheme and host in lower case, the host as A-labels, without trailing dot; an IPv6 host compressed, in brackets;
//! - the default port dropped (http 80, https 443, ftp 21, ws 80, wss 443), leading zeros of a port too;
//! - percent-encoding: unreserved characters decoded, hex digits in upper case, bytes that no URL has and `%` that begins
//!   no escape encoded;
//! - dot segments removed, an empty path is `/`; userinfo, query and fragment are kept.
//!
//! A URL without scheme (`host/path`) begins with `//` and loses port 80 and 443. It stands for http and https: what
//! follows the scheme's colon in the normal form of an http or https URL is its form without scheme ([`without_scheme`]).

use super::super::{Field, Invalid, Kind, Role, Shape, Value};
use super::{Family, Row, domain, ip};
use std::fmt::Write as _;
use std::net::Ipv6Addr;

pub(super) static FAMILY: Family = Family { file: "url", rows: std::slice::from_ref(&ROW), field };

pub(super) static ROW: Row = Row { kind: Kind::Url, name: "url", object_type: "url", shape: Shape::Url, normalise };

fn field(path: &str) -> Option<Field> {
    match path {
        "url:value" => Some(Field::new(&[Kind::Url, Kind::Ipv4, Kind::Ipv6], Role::Any)),
        "artifact:url" => Some(Field::new(&[Kind::Url], Role::Any)),
        _ => None,
    }
}

fn normalise(_: Kind, text: &str) -> Result<Value, Invalid> {
    normal(text.as_bytes()).map(|text| Value::Text(Kind::Url, text.into()))
}

/// The form without scheme of the normal form of an http or https URL.
///
/// ```
/// use stockade::observable::kind::url::without_scheme;
///
/// assert_eq!(without_scheme("http://evil.example/a"), Some("//evil.example/a"));
/// assert_eq!(without_scheme("ftp://evil.example/a"), None);
/// ```
pub fn without_scheme(normal: &str) -> Option<&str> {
    normal.strip_prefix("https:").or_else(|| normal.strip_prefix("http:")).filter(|rest| rest.starts_with("//"))
}

/// The host of a URL in normal form, as a value of its own.
pub fn host(url: &Value) -> Option<Value> {
    let Value::Text(Kind::Url, text) = url else { return None };
    let start = text.find("//")? + 2;
    let parts = authority(text.as_bytes(), start);
    super::super::classify(text.get(parts.host..parts.host_end)?).ok()
}

/// Where the parts of an authority stand in the text of a URL.
#[derive(Clone, Copy, Debug)]
pub struct Authority {
    /// First byte after `//`, where userinfo begins if there is any.
    pub start: usize,
    /// First byte of the host; of the bracket of an IPv6 host.
    pub host: usize,
    /// The byte after the host, or its bracket.
    pub host_end: usize,
    /// First byte of the path, query or fragment.
    pub end: usize,
}

/// Splits the authority that begins at `start` and ends before `/`, `?`, `#` or the end of the text.
pub fn authority(text: &[u8], start: usize) -> Authority {
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let whole = &rest[..length];
    let host = memchr::memrchr(b'@', whole).map_or(0, |at| at + 1);
    let named = &whole[host..];
    let host_length = if named.first() == Some(&b'[') {
        named.iter().position(|byte| *byte == b']').map_or(named.len(), |bracket| bracket + 1)
    } else {
        named.iter().position(|byte| *byte == b':').unwrap_or(named.len())
    };
    Authority { start, host: start + host, host_end: start + host + host_length, end: start + length }
}

/// The end of the scheme, if the text begins with one and `://` follows.
pub fn scheme_length(text: &[u8]) -> Option<usize> {
    let length = text.iter().position(|byte| !is_scheme(*byte))?;
    (text.first()?.is_ascii_alphabetic() && text[length..].starts_with(b"://")).then_some(length)
}

/// Whether a byte may stand in a scheme.
pub const fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')
}

/// The normal form of the text of a URL, with scheme, with `//` in its place, or beginning at its host.
///
/// # Errors
/// It is none; the error says why.
pub fn normal(text: &[u8]) -> Result<String, Invalid> {
    let mut out = String::with_capacity(text.len() + 8);
    let (scheme, start) = match scheme_length(text) {
        Some(length) => (&text[..length], length + 3),
        None => (&text[..0], if text.starts_with(b"//") { 2 } else { 0 }),
    };
    if !scheme.is_empty() {
        out.extend(scheme.iter().map(|byte| byte.to_ascii_lowercase() as char));
        out.push(':');
    }
    out.push_str("//");
    let parts = authority(text, start);
    if parts.host > parts.start {
        push_normal(&mut out, &text[parts.start..parts.host]);
    }
    push_host(&mut out, &text[parts.host..parts.host_end])?;
    push_port(&mut out, scheme, &text[parts.host_end..parts.end])?;

    let rest = &text[parts.end..];
    let path_length = rest.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(rest.len());
    let path_start = out.len();
    push_normal(&mut out, &rest[..path_length]);
    let path = out.split_off(path_start);
    push_without_dots(&mut out, &path);
    push_normal(&mut out, &rest[path_length..]);
    Ok(out)
}

fn push_host(out: &mut String, text: &[u8]) -> Result<(), Invalid> {
    if let Some(rest) = text.strip_prefix(b"[") {
        let address = rest.strip_suffix(b"]").and_then(|rest| std::str::from_utf8(rest).ok());
        let address = address.map(|text| text.split_once('%').map_or(text, |(address, _zone)| address));
        let address: Option<Ipv6Addr> = address.and_then(|text| text.parse().ok());
        let address = address.ok_or(Invalid::new("no IPv6 address in the brackets of a URL"))?;
        let _ = write!(out, "[{address}]");
        return Ok(());
    }
    if text.is_empty() {
        return Err(Invalid::new("a URL needs a host"));
    }
    if let Some(address) = ip::parse_ipv4(text) {
        let _ = write!(out, "{address}");
        return Ok(());
    }
    let decoded: Vec<u8>;
    let mut name = text;
    if text.contains(&b'%') {
        decoded = decode(text);
        name = &decoded;
    }
    out.push_str(&domain::host(name)?);
    Ok(())
}

/// `text` is empty or begins with the colon.
fn push_port(out: &mut String, scheme: &[u8], text: &[u8]) -> Result<(), Invalid> {
    let Some(digits) = text.strip_prefix(b":") else {
        return if text.is_empty() { Ok(()) } else { Err(Invalid::new("text between host and port")) };
    };
    if digits.is_empty() {
        return Ok(());
    }
    let mut port = 0u32;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Invalid::new("a port is a number"));
        }
        port = port.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
    }
    if port > 65535 {
        return Err(Invalid::new("port out of range"));
    }
    let default = match scheme.to_ascii_lowercase().as_slice() {
        b"" => port == 80 || port == 443,
        b"http" | b"ws" => port == 80,
        b"https" | b"wss" => port == 443,
        b"ftp" => port == 21,
        _ => false,
    };
    if !default {
        let _ = write!(out, ":{port}");
    }
    Ok(())
}

/// Appends text with its percent-encoding in normal form.
fn push_normal(out: &mut String, text: &[u8]) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'%' => match escape(&text[at - 1..]) {
                Some(decoded) => {
                    at += 2;
                    if is_unreserved(decoded) {
                        out.push(decoded as char);
                    } else {
                        push_escape(out, decoded);
                    }
                }
                None => push_escape(out, b'%'),
            },
            0..=b' ' | 0x7f.. | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => push_escape(out, byte),
            _ => out.push(byte as char),
        }
    }
}

fn push_escape(out: &mut String, byte: u8) {
    let _ = write!(out, "%{byte:02X}");
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The byte that an escape at the beginning of the text stands for.
pub fn escape(text: &[u8]) -> Option<u8> {
    let &[b'%', high, low, ..] = text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let decoded = escape(&text[at..]);
        at += if decoded.is_some() { 3 } else { 1 };
        out.push(decoded.unwrap_or(byte));
    }
    out
}

/// Appends a path without its dot segments (RFC 3986 section 5.2.4); it begins with `/` afterwards.
fn push_without_dots(out: &mut String, path: &str) {
    let base = out.len();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                // Each byte that this looks at goes away, so the loop stays linear.
                let cut = out[base..].rfind('/').map_or(base, |slash| base + slash);
                out.truncate(cut);
            }
            _ => {
                out.push('/');
                out.push_str(segment);
                continue;
            }
        }
        if last {
            out.push('/');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms() {
        for (text, expected) in [
            ("http://Evil.COM", "http://evil.com/"),
            ("HTTP://evil.com.:80/", "http://evil.com/"),
            ("https://evil.com:0443/a", "https://evil.com/a"),
            ("http://evil.com:443/", "http://evil.com:443/"),
            ("ftp://evil.com:21", "ftp://evil.com/"),
            ("http://evil.com:/", "http://evil.com/"),
            ("http://evil.com?x", "http://evil.com/?x"),
            ("http://evil.com#f", "http://evil.com/#f"),
            ("http://evil.com/%7euser/%2f%3a", "http://evil.com/~user/%2F%3A"),
            ("http://evil.com/%zz%", "http://evil.com/%25zz%25"),
            ("http://evil.com/a b|c", "http://evil.com/a%20b%7Cc"),
            ("http://evil.com/é", "http://evil.com/%C3%A9"),
            ("http://evil.com/a/./b/../c", "http://evil.com/a/c"),
            ("http://evil.com/a/..", "http://evil.com/"),
            ("http://evil.com/../../a/.", "http://evil.com/a/"),
            ("http://evil.com/%2e%2E/x", "http://evil.com/x"),
            ("http://evil.com//a//", "http://evil.com//a//"),
            ("http://user:pw@evil.com/", "http://user:pw@evil.com/"),
            ("http://good.com@evil.com@c.d/", "http://good.com@evil.com@c.d/"),
            ("http://[2001:DB8::0:1]:8080/x", "http://[2001:db8::1]:8080/x"),
            ("http://bücher.de/", "http://xn--bcher-kva.de/"),
            ("http://ev%69l.com/", "http://evil.com/"),
            ("http://localhost/", "http://localhost/"),
            ("evil.com", "//evil.com/"),
            ("//evil.com/a", "//evil.com/a"),
            ("evil.com:80/a", "//evil.com/a"),
            ("evil.com/a?u=http://b", "//evil.com/a?u=http://b"),
        ] {
            assert_eq!(normal(text.as_bytes()).as_deref(), Ok(expected), "{text}");
            assert_eq!(normal(expected.as_bytes()).as_deref(), Ok(expected), "of its own: {text}");
        }
    }

    #[test]
    fn climbing_out_of_long_paths_is_linear() {
        let long = format!("http://a.b/{}{}", "a/".repeat(400_000), "../".repeat(400_000));
        assert_eq!(normal(long.as_bytes()).as_deref(), Ok("http://a.b/"));
    }
}
