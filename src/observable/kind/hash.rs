//! Digests: MD5 and the SHA-1 and SHA-2 family.
//!
//! Normal form: lower-case hex digits. The kind follows from the name in the path, or from the number of digits where a value stands alone.

use super::super::{Field, Invalid, Kind, Role, Shape, Value};
use super::{Family, Row};

pub(super) static FAMILY: Family = Family { file: "hash", rows: &ROWS, field };

pub(super) static ROWS: [Row; 6] = [
    row(Kind::Md5, "md5"),
    row(Kind::Sha1, "sha1"),
    row(Kind::Sha224, "sha224"),
    row(Kind::Sha256, "sha256"),
    row(Kind::Sha384, "sha384"),
    row(Kind::Sha512, "sha512"),
];

const fn row(kind: Kind, name: &'static str) -> Row {
    Row { kind, name, object_type: "file", shape: Shape::Exact, normalise }
}

/// Objects with a `hashes` property, and the paths that lead to one. A certificate's fingerprint stays a property of the
/// certificate: the same digits listed for a file are another indicator, and a hit on either names its own object.
fn field(path: &str) -> Option<Field> {
    let (object, name) = path.split_once(":hashes.").or_else(|| path.split_once("_ref.hashes."))?;
    let holder = match object {
        "file" | "file:content" | "process:image" | "process:binary" => "file",
        "artifact" => "artifact",
        "x509-certificate" => "x509-certificate",
        _ => return None,
    };
    let kinds: &'static [Kind] = match canonical_name(name)? {
        "MD5" => &[Kind::Md5],
        "SHA-1" => &[Kind::Sha1],
        "SHA-224" => &[Kind::Sha224],
        "SHA-256" => &[Kind::Sha256],
        "SHA-384" => &[Kind::Sha384],
        "SHA-512" => &[Kind::Sha512],
        _ => return None,
    };
    Some(Field { kinds, role: Role::Any, holder: Some(holder) })
}

/// The name of a hash algorithm as the standard spells it (STIX 2.1 section 10.8, and 2.0 before it), from the spellings in use:
/// any case, with or without hyphen, underscore or quotes. `None` for an unknown name.
pub fn canonical_name(name: &str) -> Option<&'static str> {
    let mut letters = [0u8; 12];
    let mut length = 0;
    for byte in name.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b'\'' | b'"' | b' ')) {
        *letters.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    Some(match &letters[..length] {
        b"md5" => "MD5",
        b"sha1" => "SHA-1",
        b"sha224" => "SHA-224",
        b"sha256" => "SHA-256",
        b"sha384" => "SHA-384",
        b"sha512" => "SHA-512",
        b"sha3224" => "SHA3-224",
        b"sha3256" => "SHA3-256",
        b"sha3384" => "SHA3-384",
        b"sha3512" => "SHA3-512",
        b"md6" => "MD6",
        b"ripemd160" => "RIPEMD-160",
        b"whirlpool" => "WHIRLPOOL",
        b"ssdeep" => "SSDEEP",
        b"tlsh" => "TLSH",
        _ => return None,
    })
}

/// The kind of hash with so many hex digits.
pub const fn kind_of_length(digits: usize) -> Option<Kind> {
    Some(match digits {
        32 => Kind::Md5,
        40 => Kind::Sha1,
        56 => Kind::Sha224,
        64 => Kind::Sha256,
        96 => Kind::Sha384,
        128 => Kind::Sha512,
        _ => return None,
    })
}

fn normalise(kind: Kind, text: &str) -> Result<Value, Invalid> {
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Invalid::new("character that is no hex digit"));
    }
    if kind_of_length(text.len()) != Some(kind) {
        return Err(Invalid::new("wrong number of hex digits for this hash"));
    }
    Ok(Value::Text(kind, text.to_ascii_lowercase().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_use_become_names_of_the_standard() {
        for (name, canonical) in [
            ("SHA256", "SHA-256"),
            ("sha-256", "SHA-256"),
            ("'SHA1'", "SHA-1"),
            ("sha_512", "SHA-512"),
            ("md5", "MD5"),
            ("SHA3-256", "SHA3-256"),
            ("ssdeep", "SSDEEP"),
        ] {
            assert_eq!(canonical_name(name), Some(canonical), "{name}");
        }
        for unknown in ["", "SHA", "SHA-2561", "imphash", "a very long name of something"] {
            assert_eq!(canonical_name(unknown), None, "{unknown}");
        }
    }
}
