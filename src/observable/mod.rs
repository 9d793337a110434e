//! Kinds of observables: which object paths name them, their normal form, and how they are recognised in text.
//!
//! A value is compared only in its normal form, and the normal form of a kind is defined once, in its file under
//! [`kind`]: indicators, list entries, fields of logs and tokens of plain text all go through it.
//!
//! ```
//! use stockade::observable::{Kind, classify, of_path};
//!
//! assert_eq!(classify("hxxp://EVIL[.]example:80")?.to_string(), "http://evil.example/");
//! assert_eq!(Kind::Domain.normalise("Bücher.Example.")?.to_string(), "xn--bcher-kva.example");
//! assert_eq!(of_path("file:hashes.SHA256").unwrap().kinds, [Kind::Sha256]);
//! # Ok::<(), stockade::observable::Invalid>(())
//! ```

mod id;
pub mod kind;
mod literal;
mod path;
mod refang;
pub mod text;

pub(crate) use id::id_of_text;
pub use kind::hash::canonical_name as canonical_hash_name;
pub use literal::{begins_on_border, ends_on_border, literal_is_vague, literal_object_type, literal_path, on_borders};
pub use path::{Field, of_path};
pub use refang::{Refanged, refang, refang_bytes};

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A kind of observable. Each has a file of its own under [`kind`] and a row in the table there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// An IPv4 address or prefix.
    Ipv4,
    /// An IPv6 address or prefix.
    Ipv6,
    /// A domain or host name.
    Domain,
    /// A URL.
    Url,
    /// A mail address.
    Email,
    /// A MAC address.
    Mac,
    /// An MD5 digest.
    Md5,
    /// A SHA-1 digest.
    Sha1,
    /// A SHA-224 digest.
    Sha224,
    /// A SHA-256 digest.
    Sha256,
    /// A SHA-384 digest.
    Sha384,
    /// A SHA-512 digest.
    Sha512,
}

/// How values of a kind are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The whole value, by hash table.
    Exact,
    /// Address prefixes: every prefix that covers an address.
    Prefix,
    /// Names: the name itself, and on request every parent of it.
    Suffix,
    /// URLs in normal form, with and without scheme.
    Url,
}

/// A value in normal form. Its `Display` is its normal text; an address alone is written without prefix length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// An IPv4 prefix, host bits zero; 32 for one address.
    Ipv4(Ipv4Addr, u8),
    /// An IPv6 prefix, host bits zero; 128 for one address. Never an IPv4-mapped address.
    Ipv6(Ipv6Addr, u8),
    /// Any other kind, as its normal text.
    Text(Kind, Box<str>),
}

/// Which end of a connection or message a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Role {
    /// No end in particular.
    #[default]
    Any,
    /// The source, or sender.
    Src,
    /// The destination, or recipient.
    Dst,
}

/// Why a text is no value of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid {
    reason: &'static str,
}

impl Invalid {
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
    /// A few words, the same for every value that is wrong in this way, for reading and for counting.
    pub const fn reason(self) -> &'static str {
        self.reason
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.reason)
    }
}

impl std::error::Error for Invalid {}

impl Kind {
    /// The normal form of a text that is said to be of this kind; white space around it is ignored.
    ///
    /// # Errors
    /// The text is no value of this kind.
    pub fn normalise(self, text: &str) -> Result<Value, Invalid> {
        (kind::row(self).normalise)(self, text.trim())
    }
    /// How values of this kind are looked up.
    pub fn shape(self) -> Shape {
        kind::row(self).shape
    }
    /// The STIX object type of an observable of this kind; hashes are properties of a `file`.
    pub fn object_type(self) -> &'static str {
        kind::row(self).object_type
    }
    /// Its name in configuration files and flags; both kinds of address are `ip`.
    pub fn name(self) -> &'static str {
        kind::row(self).name
    }
    /// All kinds that go by a name of configuration files; `hash` names every hash. Empty for an unknown name.
    pub fn named(name: &str) -> Vec<Kind> {
        kind::rows().filter(|row| row.name == name || (name == "hash" && row.is_hash())).map(|row| row.kind).collect()
    }
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Kind> {
        kind::rows().map(|row| row.kind)
    }
}

impl Value {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Ipv4(..) => Kind::Ipv4,
            Value::Ipv6(..) => Kind::Ipv6,
            Value::Text(kind, _) => *kind,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Ipv4(address, 32) => write!(out, "{address}"),
            Value::Ipv4(address, length) => write!(out, "{address}/{length}"),
            Value::Ipv6(address, 128) => write!(out, "{address}"),
            Value::Ipv6(address, length) => write!(out, "{address}/{length}"),
            Value::Text(_, text) => out.write_str(text),
        }
    }
}

/// The kind and normal form of a bare value, such as an entry of a plain list. Defanged values are refanged.
///
/// Looks decide, in this order: anything with `://` is a URL; then MAC addresses, addresses and prefixes, hex digits
/// of the length of a hash, mail addresses, URLs without scheme (a host followed by `/`, `?` or a port), domains.
///
/// # Errors
/// The text looks like no kind, or like one but is no valid value of it.
pub fn classify(text: &str) -> Result<Value, Invalid> {
    // Nearly all entries of lists are plain, and then what they can be is told by their letters.
    match letters(text.as_bytes()) {
        letters if letters & !(DIGIT | DOT) == 0 && letters & DOT != 0 => Kind::Ipv4.normalise(text),
        letters if letters & OTHER == 0 && letters & DOT != 0 && letters & WORD != 0 => domain_or_file(text),
        _ => classify_any(text),
    }
}

fn classify_any(text: &str) -> Result<Value, Invalid> {
    let text = refang(text.trim());
    let text = text.as_ref();
    if text.is_empty() {
        return Err(Invalid::new("empty value"));
    }
    if text.contains("://") {
        return Kind::Url.normalise(text);
    }
    if let Ok(mac) = Kind::Mac.normalise(text) {
        return Ok(mac);
    }
    if let Some(address) = kind::ip::looks_like(text) {
        return address;
    }
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return match kind::hash::kind_of_length(text.len()) {
            Some(kind) => kind.normalise(text),
            None => Err(Invalid::new("hex digits of a length that no known hash has")),
        };
    }
    let host_end = text.find(['/', '?', '#']);
    if text[..host_end.unwrap_or(text.len())].contains('@') {
        return if host_end.is_none() { Kind::Email.normalise(text) } else { Kind::Url.normalise(text) };
    }
    if host_end.is_some() || text.contains(':') { Kind::Url.normalise(text) } else { domain_or_file(text) }
}

/// Kinds of letters.
const DIGIT: u8 = 1;
/// `a` to `f`.
const HEX: u8 = 2;
/// `g` to `z`, dash and underscore: what no address and no digest has.
const WORD: u8 = 4;
const DOT: u8 = 8;
const OTHER: u8 = 16;

static LETTERS: [u8; 256] = {
    let mut letters = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        letters[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' => HEX,
            b'g'..=b'z' | b'-' | b'_' => WORD,
            b'.' => DOT,
            _ => OTHER,
        };
        byte += 1;
    }
    letters
};

fn letters(text: &[u8]) -> u8 {
    text.iter().fold(0, |letters, byte| letters | LETTERS[usize::from(*byte)])
}

/// Whether a text is made of lower-case letters, digits, dashes, underscores and dots alone.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    letters(text) & OTHER == 0
}

/// Lists of domains hold names of files by mistake (`chrome.exe`), and logs hold many more of them.
fn domain_or_file(text: &str) -> Result<Value, Invalid> {
    let value = Kind::Domain.normalise(text)?;
    let extension = text.trim_end_matches('.').rsplit('.').next().unwrap_or("");
    if extension.len() <= 5 && FILE_EXTENSIONS.binary_search(&&*extension.to_ascii_lowercase()).is_ok() {
        return Err(Invalid::new("name of a file, not of a domain"));
    }
    Ok(value)
}

/// Extensions of file names that are no top-level domains, in order.
const FILE_EXTENSIONS: &[&str] = &[
    "7z", "asp", "aspx", "bak", "bat", "bin", "bmp", "cfg", "cgi", "class", "conf", "css", "csv", "dat", "db", "dll",
    "doc", "docm", "docx", "drv", "elf", "exe", "gif", "gz", "hta", "htm", "html", "ico", "img", "ini", "iso", "jar",
    "jpeg", "jpg", "js", "json", "jsp", "lnk", "log", "mp3", "mp4", "msi", "ocx", "pdf", "php", "png", "ppt", "pptx",
    "ps1", "rar", "rtf", "scr", "svg", "swf", "sys", "tar", "tmp", "ttf", "txt", "vbs", "wav", "woff", "wsf", "xls",
    "xlsm", "xlsx", "xml", "yaml", "yml",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_short_way_leads_to_the_same_value(text in "[0-9a-f.:-]{0,16}|[0-9]{1,3}([.][0-9]{1,3}){1,4}|[a-hA-H0-9._-]{0,20}") {
            prop_assert_eq!(classify(&text), classify_any(&text));
        }
    }

    #[test]
    fn bare_values_get_their_kind_and_normal_form() {
        for (text, kind, normal) in [
            ("1.2.3.4", Kind::Ipv4, "1.2.3.4"),
            ("1[.]2[.]3[.]4", Kind::Ipv4, "1.2.3.4"),
            (" 10.9.8.7/8 ", Kind::Ipv4, "10.0.0.0/8"),
            ("1.2.3.4/32", Kind::Ipv4, "1.2.3.4"),
            ("::ffff:1.2.3.4", Kind::Ipv4, "1.2.3.4"),
            ("::ffff:1.2.3.0/120", Kind::Ipv4, "1.2.3.0/24"),
            ("2001:DB8:0:0::1", Kind::Ipv6, "2001:db8::1"),
            ("[2001:db8::1]", Kind::Ipv6, "2001:db8::1"),
            ("fe80::1%eth0", Kind::Ipv6, "fe80::1"),
            ("2001:db8:1::/32", Kind::Ipv6, "2001:db8::/32"),
            ("Evil.COM.", Kind::Domain, "evil.com"),
            ("evil[.]com", Kind::Domain, "evil.com"),
            ("evil(dot)com", Kind::Domain, "evil.com"),
            ("_dmarc.evil.com", Kind::Domain, "_dmarc.evil.com"),
            ("例え.テスト", Kind::Domain, "xn--r8jz45g.xn--zckzah"),
            ("straße.de", Kind::Domain, "xn--strae-oqa.de"),
            ("hxxps://evil[.]com/a", Kind::Url, "https://evil.com/a"),
            ("hXXp[:]//evil[.]com", Kind::Url, "http://evil.com/"),
            ("evil.com/a", Kind::Url, "//evil.com/a"),
            ("evil.com:8080", Kind::Url, "//evil.com:8080/"),
            ("1.2.3.4:8080/x", Kind::Url, "//1.2.3.4:8080/x"),
            ("User@Evil.com", Kind::Email, "user@evil.com"),
            ("user[@]evil[.]com", Kind::Email, "user@evil.com"),
            ("user[at]evil[dot]com", Kind::Email, "user@evil.com"),
            ("AA-BB-CC-DD-EE-0F", Kind::Mac, "aa:bb:cc:dd:ee:0f"),
            ("aabb.ccdd.eeff", Kind::Mac, "aa:bb:cc:dd:ee:ff"),
            ("D41D8CD98F00B204E9800998ECF8427E", Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            ("da39a3ee5e6b4b0d3255bfef95601890afd80709", Kind::Sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ] {
            let value = classify(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((value.kind(), value.to_string().as_str()), (kind, normal), "{text}");
        }
    }

    #[test]
    fn extensions_are_in_order_and_short() {
        assert!(FILE_EXTENSIONS.is_sorted() && FILE_EXTENSIONS.iter().all(|extension| extension.len() <= 5));
    }

    #[test]
    fn what_is_no_value_says_why() {
        for (text, reason) in [
            ("", "empty value"),
            ("localhost", "a domain needs a dot"),
            ("1.2.3.4/33", "prefix length out of range"),
            ("1.2.3.256", "no IPv4 address"),
            ("01.2.3.4", "no IPv4 address"),
            ("1.2.3", "no IPv4 address"),
            ("1.2.3.4.5", "no IPv4 address"),
            ("2001:db8::1::", "no IPv6 address"),
            ("abcdef", "hex digits of a length that no known hash has"),
            ("evil..com", "empty label in a domain"),
            ("evil com.net", "character that no domain has"),
            ("Chrome.EXE", "name of a file, not of a domain"),
            ("http:///path", "a URL needs a host"),
            ("http://a:99999/", "port out of range"),
            ("@evil.com", "a mail address needs a local part"),
        ] {
            assert_eq!(classify(text).map_err(Invalid::reason), Err(reason), "{text}");
        }
    }

    #[test]
    fn normal_forms_are_their_own_normal_form() {
        for text in ["http://%%34%31.com/%%34%31", "http://a.b/%2e%2E/x/../y?%7e#%41", "ß.de", "a.b/..//./c", "[::1]"]
        {
            if let Ok(value) = classify(text) {
                assert_eq!(value.kind().normalise(&value.to_string()), Ok(value.clone()), "{text}");
            }
        }
    }

    #[test]
    fn names_of_configuration_files_lead_to_kinds() {
        assert_eq!(Kind::named("ip"), [Kind::Ipv4, Kind::Ipv6]);
        assert_eq!(Kind::named("sha1"), [Kind::Sha1]);
        assert_eq!(Kind::named("hash").len(), 6);
        assert!(Kind::named("nonsense").is_empty());
    }
}
