//! Keys, and how they are presented.

use std::fmt;
use std::fs;
use std::path::Path;

/// A key. What it holds is shown by nothing: not by `Debug`, not in an error.
///
/// ```
/// use stockade::source::http::Secret;
///
/// let key = Secret::new("hunter2")?;
/// assert_eq!(format!("{key:?}"), "Secret(..)");
/// # Ok::<(), stockade::source::http::SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(String);

/// Why there is no usable key.
#[derive(Debug)]
pub struct SecretError(String);

impl Secret {
    /// A key from memory.
    ///
    /// # Errors
    /// It is empty, or holds what no header may hold: control characters, or letters beyond ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        Self::checked(text.into(), "the key")
    }

    /// The key that an environment variable holds.
    ///
    /// # Errors
    /// The variable is not set, or what it holds can be no key.
    pub fn from_env(variable: &str) -> Result<Self, SecretError> {
        let text = std::env::var_os(variable)
            .ok_or_else(|| SecretError(format!("the environment variable {variable} is not set")))?;
        let text =
            text.into_string().map_err(|_| SecretError(format!("the environment variable {variable} is not UTF-8")))?;
        Self::checked(text, &format!("the environment variable {variable}"))
    }

    /// The key that a file holds.
    ///
    /// # Errors
    /// The file cannot be read, or what it holds can be no key.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let text = fs::read_to_string(path).map_err(|error| SecretError(format!("{}: {error}", path.display())))?;
        Self::checked(text, &path.display().to_string())
    }

    fn checked(mut text: String, place: &str) -> Result<Self, SecretError> {
        // Editors and `echo` end a file with a newline, which is no part of the key.
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            return Err(SecretError(format!("{place} is empty")));
        }
        if text.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
            return Err(SecretError(format!("{place} holds a character that no key may hold, such as a line end")));
        }
        Ok(Self(text))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for SecretError {}

/// How a client says who it is.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer KEY`.
    Bearer(Secret),
    /// `Authorization: Token KEY`.
    Token(Secret),
    /// The key alone in a header of its own.
    ApiKey {
        /// Name of the header, `X-API-Key` with most servers.
        header: String,
        /// The key.
        key: Secret,
    },
    /// `Authorization: Basic`, the key as password.
    Basic {
        /// Name of the user; empty with some servers.
        user: String,
        /// The password.
        key: Secret,
    },
}

impl Auth {
    /// The header that presents it: name and value.
    pub(super) fn header(&self) -> Option<(&str, String)> {
        match self {
            Self::None => None,
            Self::Bearer(key) => Some(("authorization", format!("Bearer {}", key.expose()))),
            Self::Token(key) => Some(("authorization", format!("Token {}", key.expose()))),
            Self::ApiKey { header, key } => Some((header, key.expose().to_owned())),
            Self::Basic { user, key } => {
                let text = format!("{user}:{}", key.expose());
                Some(("authorization", format!("Basic {}", base64(text.as_bytes()))))
            }
        }
    }

    /// What was sent, in words that give nothing away.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::None => "no credential (auth.scheme is \"none\")".into(),
            Self::Bearer(_) => "a key as \"Authorization: Bearer\" (auth.scheme \"bearer\")".into(),
            Self::Token(_) => "a key as \"Authorization: Token\" (auth.scheme \"token\")".into(),
            Self::ApiKey { header, .. } => format!("a key in the header {header} (auth.scheme \"api-key\")"),
            Self::Basic { user, .. } => format!("user {user:?} and a password (auth.scheme \"basic\")"),
        }
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let sextet = (bits >> (18 - 6 * at)) & 0x3F;
            out.push(if at <= group.len() { char::from(ALPHABET[sextet as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_key_is_shown_by_nothing_and_only_its_newline_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        for (text, expected) in [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" s3cret ", " s3cret ")] {
            fs::write(&file, text).unwrap();
            assert_eq!(Secret::from_file(&file).unwrap().expose(), expected);
        }
        let auth = Auth::Basic { user: "me".into(), key: Secret::from_file(&file).unwrap() };
        assert!(!format!("{auth:?} {}", auth.describe()).contains("s3cret"));
        for text in ["", "\n", "two\nlines", "s3cret\n\n", "tab\t", "schlüssel"] {
            fs::write(&file, text).unwrap();
            let error = Secret::from_file(&file).unwrap_err().to_string();
            assert!(error.contains("key") && !error.contains("two") && !error.contains("s3cret"), "{error}");
        }
        assert!(Secret::from_file(&folder.path().join("none")).unwrap_err().to_string().contains("none: "));
        assert!(Secret::from_env("STOCKADE_SURELY_NOT_SET").unwrap_err().to_string().contains("is not set"));
    }

    #[test]
    fn schemes_become_headers() {
        let key = || Secret::new("k").unwrap();
        for (auth, header) in [
            (Auth::None, None),
            (Auth::Bearer(key()), Some(("authorization", "Bearer k".into()))),
            (Auth::Token(key()), Some(("authorization", "Token k".into()))),
            (Auth::ApiKey { header: "X-API-Key".into(), key: key() }, Some(("X-API-Key", "k".into()))),
            (Auth::Basic { user: "u".into(), key: key() }, Some(("authorization", "Basic dTpr".into()))),
        ] {
            assert_eq!(auth.header(), header);
        }
    }
}
