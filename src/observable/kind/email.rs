//! Mail addresses.
//!
//! Normal form: lower case as a whole (mail systems that tell `A@x.org` from `a@x.org` are not found in the wild), the
//! domain as in [`super::domain`]. The local part is the unquoted form of RFC 5322 (`dot-atom` and stray dots).

use super::super::{Field, Invalid, Kind, Role, Shape, Value};
use super::{Family, Row, domain};

pub(super) static FAMILY: Family = Family { file: "email", rows: std::slice::from_ref(&ROW), field };

pub(super) static ROW: Row =
    Row { kind: Kind::Email, name: "email", object_type: "email-addr", shape: Shape::Exact, normalise };

/// The longest local part in bytes (RFC 5321 section 4.5.3.1.1).
pub const MAX_LOCAL: usize = 64;

fn field(path: &str) -> Option<Field> {
    let role = match path {
        "email-addr:value" => Role::Any,
        "email-message:from_ref.value" | "email-message:sender_ref.value" => Role::Src,
        "email-message:to_refs[*].value" | "email-message:cc_refs[*].value" | "email-message:bcc_refs[*].value" => {
            Role::Dst
        }
        _ => return None,
    };
    Some(Field::new(&[Kind::Email], role))
}

/// Whether a byte may stand in a local part.
pub const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'.' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'/' | b'=' | b'?' | b'^' | b'_' | b'`'
        )
        || matches!(byte, b'{' | b'|' | b'}' | b'~' | b'-')
}

fn normalise(_: Kind, text: &str) -> Result<Value, Invalid> {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let text = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text);
    let Some((local, name)) = text.rsplit_once('@') else {
        return Err(Invalid::new("a mail address needs an @"));
    };
    normal(local.as_bytes(), &domain::normal(name.as_bytes())?).map(|text| Value::Text(Kind::Email, text.into()))
}

/// The normal form from a local part and a domain in normal form.
///
/// # Errors
/// It is none; the error says why.
pub fn normal(local: &[u8], domain: &str) -> Result<String, Invalid> {
    if local.is_empty() {
        return Err(Invalid::new("a mail address needs a local part"));
    }
    if local.len() > MAX_LOCAL {
        return Err(Invalid::new("a local part has at most 64 bytes"));
    }
    if !local.iter().copied().all(is_local) {
        return Err(Invalid::new("character that no plain mail address has"));
    }
    let mut text = String::with_capacity(local.len() + 1 + domain.len());
    text.extend(local.iter().map(|byte| byte.to_ascii_lowercase() as char));
    text.push('@');
    text.push_str(domain);
    Ok(text)
}
