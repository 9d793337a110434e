//! IPv4 and IPv6 addresses and prefixes.
//!
//! Normal form: the address, host bits zero under the prefix length; a zone (`%eth0`) is dropped; an IPv4-mapped
//! IPv6 address (`::ffff:a.b.c.d`, RFC 4291 section 2.5.5.2) is the IPv4 address. IPv4 is four decimal octets without
//! leading zeros: readers disagree on whether `010.1.1.1` is octal, so it is no address here.

use super::super::{Field, Invalid, Kind, Role, Shape, Value};
use super::{Family, Row};
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) static FAMILY: Family = Family { file: "ip", rows: &ROWS, field };

pub(super) static ROWS: [Row; 2] = [
    Row { kind: Kind::Ipv4, name: "ip", object_type: "ipv4-addr", shape: Shape::Prefix, normalise },
    Row { kind: Kind::Ipv6, name: "ip", object_type: "ipv6-addr", shape: Shape::Prefix, normalise },
];

fn field(path: &str) -> Option<Field> {
    // A mapped address in an IPv6 property is the IPv4 address, so both properties may hold both.
    match path {
        "ipv4-addr:value" => Some(Field::new(&[Kind::Ipv4, Kind::Ipv6], Role::Any)),
        "ipv6-addr:value" => Some(Field::new(&[Kind::Ipv6, Kind::Ipv4], Role::Any)),
        _ => None,
    }
}

/// Either kind gives either address: what is written decides.
fn normalise(kind: Kind, text: &str) -> Result<Value, Invalid> {
    match looks_like(text) {
        Some(value) => value,
        None if kind == Kind::Ipv4 => Err(Invalid::new("no IPv4 address")),
        None => Err(Invalid::new("no IPv6 address")),
    }
}

/// Reads an address or prefix; `None` if the text does not even look like one.
pub(in super::super) fn looks_like(text: &str) -> Option<Result<Value, Invalid>> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let four = address.contains('.') && address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if four {
        // `1.2.3.4/path` is a URL without scheme; `1.2.3.4/` too.
        if length.is_some_and(|length| length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit())) {
            return None;
        }
        let Some(address) = parse_ipv4(address.as_bytes()) else {
            return Some(Err(Invalid::new("no IPv4 address")));
        };
        return Some(prefix_length(length, 32).map(|length| ipv4_prefix(address, length)));
    }
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let bare = bare.split_once('%').map_or(bare, |(address, _zone)| address);
    let six = bare.bytes().filter(|byte| *byte == b':').count() >= 2
        && bare.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.');
    if !six || length.is_some_and(|length| length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let Ok(address) = bare.parse::<Ipv6Addr>() else {
        return Some(Err(Invalid::new("no IPv6 address")));
    };
    Some(prefix_length(length, 128).map(|length| ipv6_prefix(address, length)))
}

fn prefix_length(text: Option<&str>, most: u8) -> Result<u8, Invalid> {
    let Some(text) = text else { return Ok(most) };
    match text.parse::<u8>() {
        Ok(length) if length <= most => Ok(length),
        _ => Err(Invalid::new("prefix length out of range")),
    }
}

/// Exactly four decimal octets without leading zeros.
pub fn parse_ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    if text.len() > 15 {
        return None;
    }
    let (mut address, mut octet, mut digits, mut dots) = (0u32, 0u32, 0u32, 0u32);
    for byte in text {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        if digit < 10 {
            // A zero that is not alone, or a fourth digit.
            if digits > 0 && octet == 0 {
                return None;
            }
            octet = octet * 10 + digit;
            digits += 1;
            if octet > 255 {
                return None;
            }
        } else {
            if *byte != b'.' || digits == 0 {
                return None;
            }
            address = address << 8 | octet;
            (octet, digits) = (0, 0);
            dots += 1;
        }
    }
    (dots == 3 && digits > 0).then(|| Ipv4Addr::from(address << 8 | octet))
}

/// The prefix of a length that holds an address.
pub fn ipv4_prefix(address: Ipv4Addr, length: u8) -> Value {
    let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
    Value::Ipv4(Ipv4Addr::from(u32::from(address) & mask), length.min(32))
}

/// The prefix of a length that holds an address; an IPv4 prefix if the address is a mapped one.
pub fn ipv6_prefix(address: Ipv6Addr, length: u8) -> Value {
    let length = length.min(128);
    if length >= 96
        && let Some(mapped) = address.to_ipv4_mapped()
    {
        return ipv4_prefix(mapped, length - 96);
    }
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    Value::Ipv6(Ipv6Addr::from(u128::from(address) & mask), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_octets_and_nothing_else() {
        assert_eq!(parse_ipv4(b"255.0.10.1"), Some(Ipv4Addr::new(255, 0, 10, 1)));
        for wrong in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.4.",
            ".1.2.3.4",
            "1..2.3",
            "01.2.3.4",
            "256.1.1.1",
            "1.2.3.4a",
            "1000.1.1.1",
        ] {
            assert_eq!(parse_ipv4(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_widest_prefixes_hold_everything() {
        assert_eq!(ipv4_prefix(Ipv4Addr::BROADCAST, 0), Value::Ipv4(Ipv4Addr::UNSPECIFIED, 0));
        assert_eq!(ipv6_prefix(Ipv6Addr::from(u128::MAX), 0), Value::Ipv6(Ipv6Addr::UNSPECIFIED, 0));
    }
}
