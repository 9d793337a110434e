//! Patterns of values: of those whose kind shows, and of those that a foreign format names the type of.
//!
//! A pattern says what detection needs and no more. Of `filename|md5` that is the digest, of `ip-dst|port` the address, of
//! `domain|ip` the domain: the rest narrows the pattern to what few logs show and no blocklist can hold. What was left
//! out stays readable as the indicator's description.

use crate::observable::{self, Invalid, Kind, Value};
use crate::source::list;

/// A pattern and its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The `pattern_type`.
    pub(super) language: &'static str,
    pub(super) text: String,
}

impl Pattern {
    /// A STIX pattern.
    pub(super) fn stix(text: impl Into<String>) -> Self {
        Self { language: "stix", text: text.into() }
    }

    /// The pattern of a value.
    pub(super) fn of_value(value: &Value) -> Self {
        let text = value.to_string();
        Self::compare(path_of(value.kind()), text.strip_prefix("//").unwrap_or(&text))
    }

    fn compare(path: &str, text: &str) -> Self {
        Self::stix(format!("[{}]", comparison(path, text)))
    }
}

fn comparison(path: &str, text: &str) -> String {
    format!("{path} = '{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn path_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Ipv4 => "ipv4-addr:value",
        Kind::Ipv6 => "ipv6-addr:value",
        Kind::Domain => "domain-name:value",
        Kind::Url => "url:value",
        Kind::Email => "email-addr:value",
        Kind::Mac => "mac-addr:value",
        Kind::Md5 => "file:hashes.MD5",
        Kind::Sha1 => "file:hashes.'SHA-1'",
        Kind::Sha224 => "file:hashes.'SHA-224'",
        Kind::Sha256 => "file:hashes.'SHA-256'",
        Kind::Sha384 => "file:hashes.'SHA-384'",
        Kind::Sha512 => "file:hashes.'SHA-512'",
    }
}

/// How the values of a type are read.
#[derive(Clone, Copy)]
enum Reading {
    /// As a value of one of these kinds.
    Kinds(&'static [Kind]),
    /// As a text that is compared with this property.
    Text(&'static str),
    /// The first of two parts, which a bar divides, in this way.
    First(&'static Reading),
    /// The second of two parts.
    Second(&'static Reading),
    /// A registry key and the data of a value in it.
    KeyAndData,
    /// A rule in another language.
    Rule(&'static str),
    /// Says by its looks what it is.
    Bare,
}

const IP: Reading = Reading::Kinds(&[Kind::Ipv4, Kind::Ipv6]);
const NAME: Reading = Reading::Kinds(&[Kind::Ipv4, Kind::Ipv6, Kind::Domain]);
const URL: Reading = Reading::Kinds(&[Kind::Url]);
const MAIL: Reading = Reading::Kinds(&[Kind::Email]);
const MAC: Reading = Reading::Kinds(&[Kind::Mac]);
const MD5: Reading = Reading::Kinds(&[Kind::Md5]);
const SHA1: Reading = Reading::Kinds(&[Kind::Sha1]);
const SHA224: Reading = Reading::Kinds(&[Kind::Sha224]);
const SHA256: Reading = Reading::Kinds(&[Kind::Sha256]);
const SHA384: Reading = Reading::Kinds(&[Kind::Sha384]);
const SHA512: Reading = Reading::Kinds(&[Kind::Sha512]);
const HASH: Reading = Reading::Kinds(&[Kind::Md5, Kind::Sha1, Kind::Sha224, Kind::Sha256, Kind::Sha384, Kind::Sha512]);
const FILE: Reading = Reading::Text("file:name");

/// The reading of a type's name, in the spellings of MISP, OTX, ThreatFox, STIX and common CSV exports.
fn reading(name: &str) -> Option<Reading> {
    Some(match name.trim().to_ascii_lowercase().replace([' ', '_'], "-").as_str() {
        "ip" | "ips" | "ip-src" | "ip-dst" | "ipv4" | "ipv6" | "ipv4-addr" | "ipv6-addr" | "ip-address"
        | "ipaddress" | "ip-addr" | "cidr" | "ipv4-cidr" | "ipv6-cidr" | "network" | "netblock" | "subnet"
        | "ip-range" | "address" | "ip:port" | "ip-port" | "ipv4:port" => IP,
        "ip-src|port" | "ip-dst|port" | "ip|port" => Reading::First(&IP),
        "domain" | "domains" | "domain-name" | "hostname" | "host" | "fqdn" | "domain:port" | "dynamic-dns" => NAME,
        "domain|ip" | "hostname|port" => Reading::First(&NAME),
        "url" | "urls" | "uri" | "link" => URL,
        "email"
        | "email-src"
        | "email-dst"
        | "email-addr"
        | "email-address"
        | "email-reply-to"
        | "target-email"
        | "envelope-from"
        | "body-from"
        | "reply-to"
        | "whois-registrant-email"
        | "sender" => MAIL,
        "mac-address" | "mac-addr" | "mac" => MAC,
        "md5" | "md5-hash" | "filehash-md5" => MD5,
        "sha1" | "sha-1" | "sha1-hash" | "filehash-sha1" => SHA1,
        "sha224" | "sha-224" => SHA224,
        "sha256" | "sha-256" | "sha256-hash" | "filehash-sha256" => SHA256,
        "sha384" | "sha-384" => SHA384,
        "sha512" | "sha-512" | "sha512-hash" => SHA512,
        "hash" | "hashes" | "file-hash" | "filehash" | "file" => HASH,
        "filename|md5" | "malware-sample" => Reading::Second(&MD5),
        "filename|sha1" => Reading::Second(&SHA1),
        "filename|sha224" => Reading::Second(&SHA224),
        "filename|sha256" => Reading::Second(&SHA256),
        "filename|sha384" => Reading::Second(&SHA384),
        "filename|sha512" => Reading::Second(&SHA512),
        "ssdeep" | "ssdeep-hash" => Reading::Text("file:hashes.SSDEEP"),
        "tlsh" | "tlsh-hash" => Reading::Text("file:hashes.TLSH"),
        "filename|ssdeep" => Reading::Second(&Reading::Text("file:hashes.SSDEEP")),
        "filename|tlsh" => Reading::Second(&Reading::Text("file:hashes.TLSH")),
        "filename" | "file-name" | "attachment" | "email-attachment" => FILE,
        "filepath" | "file-path" => Reading::Text("file:path"),
        "x509-fingerprint-md5" => Reading::Text("x509-certificate:hashes.MD5"),
        "x509-fingerprint-sha1" | "sslcertfingerprint" | "sha1-cert" => {
            Reading::Text("x509-certificate:hashes.'SHA-1'")
        }
        "x509-fingerprint-sha256" => Reading::Text("x509-certificate:hashes.'SHA-256'"),
        "regkey" | "registry-key" | "windows-registry-key" => Reading::Text("windows-registry-key:key"),
        "regkey|value" => Reading::KeyAndData,
        "mutex" => Reading::Text("mutex:name"),
        "user-agent" => Reading::Text("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"),
        "email-subject" => Reading::Text("email-message:subject"),
        "process-command-line" | "command-line" => Reading::Text("process:command_line"),
        "stix2-pattern" => Reading::Rule("stix"),
        "yara" => Reading::Rule("yara"),
        "sigma" => Reading::Rule("sigma"),
        "snort" => Reading::Rule("snort"),
        "indicator" | "ioc" | "value" | "observable" | "" => Reading::Bare,
        _ => return None,
    })
}

/// The pattern of a value whose type a feed names. The normal form comes with it, if it is a value with one.
///
/// # Errors
/// Why there is none, as a reason that can be counted.
pub(super) fn of_type(type_name: &str, text: &str) -> Result<(Pattern, Option<Value>), Invalid> {
    let reading = reading(type_name).ok_or(Invalid::new("a type that no log shows"))?;
    read(reading, text.trim())
}

fn read(reading: Reading, text: &str) -> Result<(Pattern, Option<Value>), Invalid> {
    let pattern = match reading {
        Reading::Kinds(kinds) => {
            let text = observable::refang(text);
            let text = if kinds.contains(&Kind::Ipv4) { list::without_port(&text) } else { &text };
            let value = of_kinds(kinds, text)?;
            return Ok((Pattern::of_value(&value), Some(value)));
        }
        Reading::Bare => {
            let value = list::bare_value(text)?;
            return Ok((Pattern::of_value(&value), Some(value)));
        }
        Reading::First(part) => return read(*part, parts(text)?.0),
        Reading::Second(part) => return read(*part, parts(text)?.1),
        _ if text.is_empty() => return Err(Invalid::new("empty value")),
        Reading::Text(path) => Pattern::compare(path, text),
        Reading::KeyAndData => {
            let (key, data) = parts(text)?;
            let key = comparison("windows-registry-key:key", key);
            Pattern::stix(format!("[{key} AND {}]", comparison("windows-registry-key:values[*].data", data)))
        }
        Reading::Rule(language) => Pattern { language, text: text.to_owned() },
    };
    Ok((pattern, None))
}

/// The two parts of a composite. A name of a file may hold a bar, what stands behind it does not.
fn parts(text: &str) -> Result<(&str, &str), Invalid> {
    let (first, second) = text.rsplit_once('|').ok_or(Invalid::new("a pair without its second part"))?;
    Ok((first.trim(), second.trim()))
}

fn of_kinds(kinds: &[Kind], text: &str) -> Result<Value, Invalid> {
    let mut first = None;
    for kind in kinds {
        match kind.normalise(text) {
            Ok(value) => return Ok(value),
            // Of a name the reason is why it is no name, not why it is no address.
            Err(invalid) if kinds.contains(&Kind::Domain) => first = Some(invalid),
            Err(invalid) => first = first.or(Some(invalid)),
        }
    }
    Err(first.unwrap_or(Invalid::new("no kind of observable")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{Parser, Reading as PatternReading};

    #[test]
    fn types_of_feeds_have_their_patterns() {
        for (name, text, pattern) in [
            ("ip-dst", "192.0.2.1", "[ipv4-addr:value = '192.0.2.1']"),
            ("ip-src", "2001:DB8::1", "[ipv6-addr:value = '2001:db8::1']"),
            ("CIDR", "192.0.2.77/24", "[ipv4-addr:value = '192.0.2.0/24']"),
            ("ip:port", "192[.]0[.]2[.]1:443", "[ipv4-addr:value = '192.0.2.1']"),
            ("ip-dst|port", "192.0.2.1|443", "[ipv4-addr:value = '192.0.2.1']"),
            ("domain", "EVIL.example.", "[domain-name:value = 'evil.example']"),
            ("hostname", "192.0.2.1", "[ipv4-addr:value = '192.0.2.1']"),
            ("domain|ip", "evil.example|192.0.2.1", "[domain-name:value = 'evil.example']"),
            ("hostname|port", "evil.example|8080", "[domain-name:value = 'evil.example']"),
            ("url", "hxxp://evil[.]example/a'b", "[url:value = 'http://evil.example/a\\'b']"),
            ("url", "evil.example/a", "[url:value = 'evil.example/a']"),
            ("email-src", "A@Evil.example", "[email-addr:value = 'a@evil.example']"),
            (
                "FileHash-MD5",
                "D41D8CD98F00B204E9800998ECF8427E",
                "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
            ),
            (
                "filename|md5",
                "a|b.exe|d41d8cd98f00b204e9800998ecf8427e",
                "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
            ),
            (
                "sha1",
                "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
            ),
            ("filename", "C:\\it's.exe", "[file:name = 'C:\\\\it\\'s.exe']"),
            ("mutex", "Global\\x", "[mutex:name = 'Global\\\\x']"),
            ("regkey", "HKLM\\Run", "[windows-registry-key:key = 'HKLM\\\\Run']"),
            (
                "regkey|value",
                "HKLM\\Run|x.exe",
                "[windows-registry-key:key = 'HKLM\\\\Run' AND windows-registry-key:values[*].data = 'x.exe']",
            ),
            (
                "user-agent",
                "Evil/1",
                "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'Evil/1']",
            ),
            (
                "x509-fingerprint-sha1",
                "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "[x509-certificate:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
            ),
        ] {
            let (found, _) = of_type(name, text).unwrap_or_else(|invalid| panic!("{name} {text}: {invalid}"));
            assert_eq!(found, Pattern::stix(pattern), "{name}");
            if let Err(error) = Parser::default().parse(pattern, PatternReading::Strict) {
                panic!("{pattern}: {error}");
            }
        }
        assert_eq!(of_type("yara", "rule x {}").map(|(pattern, _)| pattern.language), Ok("yara"));
    }

    #[test]
    fn what_has_no_pattern_says_why() {
        for (name, text, reason) in [
            ("btc", "1A", "a type that no log shows"),
            ("domain", "evil", "a domain needs a dot"),
            ("ip", "evil.example", "no IPv4 address"),
            ("md5", "d41d", "wrong number of hex digits for this hash"),
            ("ip-dst|port", "192.0.2.1", "a pair without its second part"),
            ("mutex", " ", "empty value"),
        ] {
            assert_eq!(of_type(name, text).map_err(Invalid::reason), Err(reason), "{name} {text}");
        }
    }
}
