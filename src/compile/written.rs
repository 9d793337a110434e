//! Patterns written again from what is kept of them. The text of a pattern that is nothing but values is not kept: its
//! atoms say the same in normal form.

use super::{EntryId, Holder, Meta, RuleSet};
use crate::observable::{Kind, Role, Value};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

/// A pattern for each of these indicators: its own where its text is kept, else one that says the same of its values in
/// normal form.
pub fn written_patterns(rules: &RuleSet, wanted: &BTreeSet<EntryId>) -> HashMap<EntryId, String> {
    let mut whole = HashMap::new();
    for compound in rules.compounds().iter().filter(|compound| wanted.contains(&compound.entry)) {
        whole.insert(compound.entry, compound.pattern.text().to_owned());
    }
    let mut comparisons: HashMap<EntryId, Vec<String>> = HashMap::new();
    let atoms = rules.atoms();
    let mut add = |entry: u32, meta: Meta, value: &dyn Fn() -> Value| {
        // A name that stands for a whole URL comes with the URL itself.
        if meta.exact && meta.holder != Holder::Url && wanted.contains(&EntryId(entry)) {
            comparisons.entry(EntryId(entry)).or_default().push(of_value(&value(), meta));
        }
    };
    for a in atoms.ipv4() {
        add(a.entry, a.meta, &|| Value::Ipv4(a.start.into(), a.len));
    }
    for a in atoms.ipv6() {
        add(a.entry, a.meta, &|| Value::Ipv6(a.start.into(), a.len));
    }
    for (text, bytes) in atoms.texts() {
        add(text.entry, text.meta, &|| Value::Text(text.kind, unpacked(text.kind, bytes).into()));
    }
    for (entry, seek) in rules.texts().iter().filter(|(entry, _)| wanted.contains(entry)) {
        let Some(pattern) = seek.pattern() else { continue };
        let comparison = pattern.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&pattern);
        comparisons.entry(*entry).or_default().push(comparison.to_owned());
    }
    for (entry, comparisons) in comparisons {
        whole.entry(entry).or_insert_with(|| format!("[{}]", comparisons.join(" OR ")));
    }
    whole
}

fn of_value(value: &Value, meta: Meta) -> String {
    let kind = value.kind();
    let hashes = match (meta.holder, meta.object_type(kind)) {
        (Holder::Certificate, _) => Some("x509-certificate:hashes"),
        (_, "file") => Some("file:hashes"),
        _ => None,
    };
    let path = match (hashes, meta.role, kind.object_type()) {
        (Some(hashes), ..) => format!("{hashes}.'{}'", hash_name(kind)),
        (None, Role::Src, "email-addr") => "email-message:from_ref.value".to_owned(),
        (None, Role::Dst, "email-addr") => "email-message:to_refs[*].value".to_owned(),
        (None, Role::Src, "ipv4-addr" | "ipv6-addr" | "domain-name" | "mac-addr") => {
            "network-traffic:src_ref.value".to_owned()
        }
        (None, Role::Dst, "ipv4-addr" | "ipv6-addr" | "domain-name" | "mac-addr") => {
            "network-traffic:dst_ref.value".to_owned()
        }
        (None, _, object_type) => format!("{object_type}:value"),
    };
    let value = value.to_string();
    // A URL without scheme begins with its host.
    let bare = value.strip_prefix("//").filter(|_| kind == Kind::Url).unwrap_or(&value);
    format!("{path} = {}", quoted(bare))
}

fn hash_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Md5 => "MD5",
        Kind::Sha1 => "SHA-1",
        Kind::Sha224 => "SHA-224",
        Kind::Sha256 => "SHA-256",
        Kind::Sha384 => "SHA-384",
        _ => "SHA-512",
    }
}

/// A string as patterns write it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The text that was packed.
fn unpacked(kind: Kind, bytes: &[u8]) -> String {
    if kind.object_type() != "file" {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::RuleSetBuilder;
    use crate::observable::classify;
    use crate::pattern::{Pattern, Reading};
    use crate::stix::Indicator;

    fn rules(patterns: &[&str]) -> RuleSet {
        let mut builder = RuleSetBuilder::default();
        for (number, pattern) in patterns.iter().enumerate() {
            let object =
                serde_json::json!({"type": "indicator", "id": format!("indicator--{number}"), "pattern": pattern});
            let text = object.to_string();
            builder.add(&Indicator::from_json(text.as_bytes()).expect("an indicator")).expect("a pattern");
        }
        builder.add_value(classify("203.0.113.0/24").expect("a prefix")).expect("room");
        builder.build()
    }

    #[test]
    fn patterns_say_again_what_they_said() {
        let cases = [
            ("[ipv4-addr:value = '203.0.113.9']", "[ipv4-addr:value = '203.0.113.9']"),
            ("[ipv4-addr:value ISSUBSET '203.0.113.0/24']", "[ipv4-addr:value = '203.0.113.0/24']"),
            ("[domain-name:value = 'EVIL.example']", "[domain-name:value = 'evil.example']"),
            ("[url:value = 'http://evil.example/it\\'s']", "[url:value = 'http://evil.example/it\\'s']"),
            ("[url:value = 'evil.example']", "[url:value = 'evil.example/']"),
            (
                "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
                "[file:hashes.'MD5' = 'd41d8cd98f00b204e9800998ecf8427e']",
            ),
            ("[email-message:from_ref.value = 'a@evil.example']", "[email-message:from_ref.value = 'a@evil.example']"),
            ("[network-traffic:dst_ref.value = '203.0.113.9']", "[network-traffic:dst_ref.value = '203.0.113.9']"),
            ("[file:name = 'a\\\\b.exe']", "[file:name = 'a\\\\b.exe']"),
            ("[domain-name:value LIKE '%.evil.example']", "[domain-name:value LIKE '%.evil.example']"),
            (
                "[ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [domain-name:value = 'a.example']",
                "[ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [domain-name:value = 'a.example']",
            ),
        ];
        let rules = rules(&cases.map(|(pattern, _)| pattern));
        let all: BTreeSet<EntryId> = rules.indicators().map(|indicator| indicator.entry()).collect();
        let written = written_patterns(&rules, &all);
        for (number, (pattern, expected)) in cases.iter().enumerate() {
            let id = format!("indicator--{number}");
            let entry = rules.indicators().find(|one| one.id() == id).expect("it is there").entry();
            assert_eq!(written[&entry], *expected, "{pattern}");
            assert!(
                Pattern::parse(expected, Reading::Strict).is_ok() || expected.contains("evil.example/'"),
                "{expected}"
            );
        }
        let listed = rules.indicators().find(|one| one.list_value().is_some_and(|_| one.id().len() > 20));
        assert_eq!(written[&listed.expect("the value").entry()], "[ipv4-addr:value = '203.0.113.0/24']");
        assert_eq!(written_patterns(&rules, &BTreeSet::from([EntryId(0)])).len(), 1);
    }
}
