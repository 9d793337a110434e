//! Which object paths name an observable of a known kind.

use super::{Invalid, Kind, Role, Value, kind};
use std::borrow::Cow;

/// What stands in the property that an object path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The kinds that a value there may be of, the proper one first.
    pub kinds: &'static [Kind],
    /// Which end of a connection or message it is.
    pub role: Role,
    /// The object type that a hit names, where it is not that of the kind: a certificate's fingerprint.
    pub(super) holder: Option<&'static str>,
}

impl Field {
    pub(super) const fn new(kinds: &'static [Kind], role: Role) -> Self {
        Self { kinds, role, holder: None }
    }

    /// The normal form of a value compared with this property: the first of its kinds that the text is one of.
    ///
    /// # Errors
    /// It is none of them; the reason is that of the first kind.
    pub fn normalise(self, text: &str) -> Result<Value, Invalid> {
        let text = text.trim();
        // An address is an address wherever it stands: as a domain, as a URL without scheme.
        if self.kinds.contains(&Kind::Ipv4)
            && let Some(Ok(value)) = kind::ip::looks_like(text)
        {
            return Ok(value);
        }
        let mut first = None;
        for kind in self.kinds {
            match kind.normalise(text) {
                Ok(value) => return Ok(value),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(Invalid::new("no kind of observable")))
    }

    /// The STIX object type that a hit on a value of this property names.
    pub fn object_type(self, value: &Value) -> &'static str {
        self.holder.unwrap_or_else(|| value.kind().object_type())
    }
}

/// Which observable an object path names. The path is canonical: object type, `:`, the keys joined by `.` and without
/// quotes, `[*]` or `[n]` behind the key it belongs to. `None` for a property without a kind of its own.
///
/// ```
/// use stockade::observable::{Kind, Role, of_path};
///
/// let sender = of_path("email-message:from_ref.value").unwrap();
/// assert_eq!((sender.kinds, sender.role), (&[Kind::Email][..], Role::Src));
/// assert_eq!(of_path("file:name"), None);
/// ```
pub fn of_path(path: &str) -> Option<Field> {
    let path = any_index(path);
    kind::TABLE.iter().find_map(|family| (family.field)(&path)).or_else(|| end_of_connection(&path))
}

/// Properties that refer to objects of several kinds.
fn end_of_connection(path: &str) -> Option<Field> {
    const END: &[Kind] = &[Kind::Ipv4, Kind::Ipv6, Kind::Domain, Kind::Mac];
    let role = match path {
        "network-traffic:src_ref.value" | "process:opened_connection_refs[*].src_ref.value" => Role::Src,
        "network-traffic:dst_ref.value" | "process:opened_connection_refs[*].dst_ref.value" => Role::Dst,
        "domain-name:resolves_to_refs[*].value" => {
            return Some(Field::new(&[Kind::Ipv4, Kind::Ipv6, Kind::Domain], Role::Any));
        }
        _ => return None,
    };
    Some(Field::new(END, role))
}

/// The path with `[*]` for every `[n]`: which element it is does not change the kind.
fn any_index(path: &str) -> Cow<'_, str> {
    if !path.contains('[') {
        return Cow::Borrowed(path);
    }
    let mut any = String::with_capacity(path.len());
    for (position, piece) in path.split('[').enumerate() {
        match piece.split_once(']') {
            Some((_, rest)) if position > 0 => {
                any.push_str("[*]");
                any.push_str(rest);
            }
            _ => any.push_str(piece),
        }
    }
    Cow::Owned(any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_kinds_and_roles() {
        for (path, first, role) in [
            ("ipv4-addr:value", Kind::Ipv4, Role::Any),
            ("ipv6-addr:value", Kind::Ipv6, Role::Any),
            ("domain-name:value", Kind::Domain, Role::Any),
            ("url:value", Kind::Url, Role::Any),
            ("artifact:url", Kind::Url, Role::Any),
            ("email-addr:value", Kind::Email, Role::Any),
            ("mac-addr:value", Kind::Mac, Role::Any),
            ("file:hashes.SHA-256", Kind::Sha256, Role::Any),
            ("file:hashes.md5", Kind::Md5, Role::Any),
            ("artifact:hashes.SHA1", Kind::Sha1, Role::Any),
            ("x509-certificate:hashes.SHA-1", Kind::Sha1, Role::Any),
            ("process:image_ref.hashes.SHA-512", Kind::Sha512, Role::Any),
            ("network-traffic:src_ref.value", Kind::Ipv4, Role::Src),
            ("network-traffic:dst_ref.value", Kind::Ipv4, Role::Dst),
            ("email-message:from_ref.value", Kind::Email, Role::Src),
            ("email-message:sender_ref.value", Kind::Email, Role::Src),
            ("email-message:to_refs[*].value", Kind::Email, Role::Dst),
            ("email-message:cc_refs[12].value", Kind::Email, Role::Dst),
            ("domain-name:resolves_to_refs[0].value", Kind::Ipv4, Role::Any),
        ] {
            let field = of_path(path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!((field.kinds[0], field.role), (first, role), "{path}");
        }
        for path in [
            "",
            "file:name",
            "file:hashes.SSDEEP",
            "file:hashes",
            "process:command_line",
            "url:values",
            "x:y[",
            "x:y][",
        ] {
            assert_eq!(of_path(path), None, "{path}");
        }
    }

    #[test]
    fn addresses_are_addresses_wherever_they_stand() {
        for (path, text, normal) in [
            ("domain-name:value", "1.2.3.4", "1.2.3.4"),
            ("url:value", "1.2.3.4", "1.2.3.4"),
            ("url:value", "evil.com", "//evil.com/"),
            ("ipv6-addr:value", "::ffff:1.2.3.4", "1.2.3.4"),
            ("network-traffic:dst_ref.value", "Evil.com", "evil.com"),
            ("network-traffic:dst_ref.value", "AA:BB:CC:DD:EE:FF", "aa:bb:cc:dd:ee:ff"),
            ("ipv4-addr:value", "10.0.0.0/8", "10.0.0.0/8"),
        ] {
            let value = of_path(path).expect(path).normalise(text).expect(text);
            assert_eq!(value.to_string(), normal, "{path} {text}");
        }
    }

    #[test]
    fn a_fingerprint_belongs_to_the_certificate() {
        let digits = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        for (path, object) in [("file:hashes.SHA-1", "file"), ("x509-certificate:hashes.SHA-1", "x509-certificate")] {
            let field = of_path(path).expect(path);
            assert_eq!(field.object_type(&field.normalise(digits).expect("a digest")), object);
        }
    }
}
