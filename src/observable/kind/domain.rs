//! Domain and host names.
//!
//! Normal form: lower case, A-labels (UTS 46, non-transitional; underscores allowed), no trailing dot. A name has at
//! least two labels of 1 to 63 letters, digits, hyphens and underscores, at most 253 bytes, and a last label that is not all digits.

use super::super::{Field, Invalid, Kind, Role, Shape, Value};
use super::{Family, Row, ip};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

pub(super) static FAMILY: Family = Family { file: "domain", rows: std::slice::from_ref(&ROW), field };

pub(super) static ROW: Row =
    Row { kind: Kind::Domain, name: "domain", object_type: "domain-name", shape: Shape::Suffix, normalise };

/// The longest name in bytes, without trailing dot (RFC 1035 section 2.3.4).
pub const MAX_BYTES: usize = 253;

fn field(path: &str) -> Option<Field> {
    // Feeds do put addresses where a name belongs.
    (path == "domain-name:value").then_some(Field::new(&[Kind::Domain, Kind::Ipv4, Kind::Ipv6], Role::Any))
}

fn normalise(_: Kind, text: &str) -> Result<Value, Invalid> {
    if ip::parse_ipv4(text.as_bytes()).is_some() {
        return Err(Invalid::new("an address, no domain"));
    }
    normal(text.as_bytes()).map(|name| Value::Text(Kind::Domain, name.into()))
}

/// The normal form of a domain.
///
/// # Errors
/// It is none; the error says why.
pub fn normal(text: &[u8]) -> Result<String, Invalid> {
    let name = host(text)?;
    let Some((_, last)) = name.rsplit_once('.') else {
        return Err(Invalid::new("a domain needs a dot"));
    };
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Invalid::new("the last label of a domain is not a number"));
    }
    Ok(name)
}

/// The normal form of a host name, which may be a single label or a number.
///
/// # Errors
/// It is none; the error says why.
pub fn host(text: &[u8]) -> Result<String, Invalid> {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let mut name = if text.is_ascii() {
        String::from_utf8(text.to_ascii_lowercase()).unwrap_or_default()
    } else {
        // Beyond this many bytes of UTF-8 no name fits into 253 bytes of A-labels.
        if text.len() > 4 * MAX_BYTES {
            return Err(Invalid::new("a domain has at most 253 bytes"));
        }
        Uts46::new()
            .to_ascii(text, AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
            .map_err(|_| Invalid::new("no international domain name"))?
            .into_owned()
    };
    if name.ends_with('.') {
        name.pop();
    }
    if name.is_empty() {
        return Err(Invalid::new("empty value"));
    }
    if name.len() > MAX_BYTES {
        return Err(Invalid::new("a domain has at most 253 bytes"));
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err(Invalid::new("empty label in a domain"));
        }
        if label.len() > 63 {
            return Err(Invalid::new("a label has at most 63 bytes"));
        }
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Err(Invalid::new("character that no domain has"));
        }
    }
    Ok(name)
}
