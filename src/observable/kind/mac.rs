//! MAC addresses (EUI-48).
//!
//! Normal form: `aa:bb:cc:dd:ee:ff`. Read are six pairs of hex digits joined by `:` or by `-` throughout, and `aabb.ccdd.eeff`.

use super::super::{Field, Invalid, Kind, Role, Shape, Value};
use super::{Family, Row};
use std::fmt::Write as _;

pub(super) static FAMILY: Family = Family { file: "mac", rows: std::slice::from_ref(&ROW), field };

pub(super) static ROW: Row =
    Row { kind: Kind::Mac, name: "mac", object_type: "mac-addr", shape: Shape::Exact, normalise };

fn field(path: &str) -> Option<Field> {
    matches!(path, "mac-addr:value" | "ipv4-addr:resolves_to_refs[*].value" | "ipv6-addr:resolves_to_refs[*].value")
        .then_some(Field::new(&[Kind::Mac], Role::Any))
}

fn normalise(_: Kind, text: &str) -> Result<Value, Invalid> {
    normal(text.as_bytes()).ok_or(Invalid::new("no MAC address"))
}

/// The normal form of a spelling; `None` if it is none.
pub fn normal(text: &[u8]) -> Option<Value> {
    let mut octets = [0u8; 6];
    match text.len() {
        17 => {
            let joint = text[2];
            if joint != b':' && joint != b'-' {
                return None;
            }
            for (octet, piece) in octets.iter_mut().zip(text.chunks(3)) {
                if piece.len() == 3 && piece[2] != joint {
                    return None;
                }
                *octet = pair(piece[0], piece[1])?;
            }
        }
        14 => {
            for (two, piece) in octets.chunks_mut(2).zip(text.chunks(5)) {
                if piece.len() == 5 && piece[4] != b'.' {
                    return None;
                }
                two[0] = pair(piece[0], piece[1])?;
                two[1] = pair(piece[2], piece[3])?;
            }
        }
        _ => return None,
    }
    let mut normal = String::with_capacity(17);
    for (index, octet) in octets.iter().enumerate() {
        let joint = if index == 0 { "" } else { ":" };
        write!(normal, "{joint}{octet:02x}").ok()?;
    }
    Some(Value::Text(Kind::Mac, normal.into()))
}

fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}
