//! A line of plain text as an observation: one object for each value, which knows nothing but that value.
//!
//! Text without fields does not say which end of a connection an address is, so a connection is made up whose both ends
//! it is, and a message whose sender and recipients a mail address is. That two values belong to one object is never
//! assumed: a pattern that needs this is not looked for in plain text.

use crate::observable::{Kind, Value};
use crate::stix::ObservedData;
use crate::stix::observed::Object;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

/// The objects that a typed value stands for whose line tells by other fields which ends its connection or message has.
pub(super) fn objects_without_ends(value: &Value, prefix: usize, objects: &mut Vec<Object>) {
    if hash_name(value.kind()).is_some() {
        return objects_of_value(value, prefix, objects);
    }
    push(objects, format!("{prefix}"), json!({"type": value.kind().object_type(), "value": value.to_string()}));
}

/// The objects that a typed value stands for. Keys begin with `prefix`, so that several values can share an observation.
pub(super) fn objects_of_value(value: &Value, prefix: usize, objects: &mut Vec<Object>) {
    let text = value.to_string();
    let kind = value.kind();
    let key = format!("{prefix}");
    if let Some(name) = hash_name(kind) {
        for holder in ["file", "artifact", "x509-certificate"] {
            push(objects, format!("{prefix}-{holder}"), json!({"type": holder, "hashes": {name: text}}));
        }
        return;
    }
    push(objects, key.clone(), json!({"type": kind.object_type(), "value": text}));
    match kind {
        Kind::Email => push(
            objects,
            format!("{prefix}-message"),
            json!({"type": "email-message", "from_ref": key, "sender_ref": key, "to_refs": [key], "cc_refs": [key], "bcc_refs": [key]}),
        ),
        Kind::Ipv4 | Kind::Ipv6 | Kind::Domain | Kind::Mac => push(
            objects,
            format!("{prefix}-traffic"),
            json!({"type": "network-traffic", "src_ref": key, "dst_ref": key}),
        ),
        _ => {}
    }
}

/// The objects that a text stands for which a path names: `file:name`, `file:parent_directory_ref.path`.
pub(super) fn objects_of_text(path: &str, text: &str, prefix: usize, objects: &mut Vec<Object>) {
    let Some((object_type, keys)) = path.split_once(':') else { return };
    let (mut key, mut object_type) = (format!("{prefix}"), object_type);
    let mut rest = keys;
    // A reference leads to an object of its own; the first object keeps the name that others may refer to.
    while let Some((reference, after)) = rest.split_once("_ref.") {
        let target = format!("{key}-{reference}");
        push(objects, key, json!({"type": object_type, format!("{reference}_ref"): target}));
        object_type = if reference.contains("directory") { "directory" } else { "file" };
        key = target;
        rest = after;
    }
    let mut value = Json::from(text);
    for name in rest.rsplit('.') {
        value = match name.strip_suffix("[*]") {
            Some(list) => json!({ list: [value] }),
            None => json!({ name: value }),
        };
    }
    if let Json::Object(mut properties) = value {
        properties.insert("type".into(), object_type.into());
        objects.push(Object { key: key.into(), properties: Arc::new(properties) });
    }
}

/// One observation of some objects, without a time.
pub(super) fn observation(objects: Vec<Object>) -> ObservedData {
    ObservedData::new("", None, 1, objects)
}

fn push(objects: &mut Vec<Object>, key: String, properties: Json) {
    let properties = match properties {
        Json::Object(properties) => properties,
        _ => Map::new(),
    };
    objects.push(Object { key: key.into(), properties: Arc::new(properties) });
}

/// The key of a digest under `hashes` (STIX 2.1 section 10.8).
fn hash_name(kind: Kind) -> Option<&'static str> {
    (kind.object_type() == "file").then(|| crate::observable::canonical_hash_name(kind.name())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Program;
    use crate::matcher::eval::{Outcome, evaluate};
    use crate::observable::classify;
    use crate::pattern::{Pattern, Reading};

    fn matches(pattern: &str, objects: Vec<Object>) -> bool {
        let pattern = Pattern::parse(pattern, Reading::Pragmatic).expect(pattern);
        let program = Program::new(&pattern.ast(), Reading::Pragmatic).expect("a program");
        matches!(evaluate(&program, &[observation(objects)]), Outcome::Match(_))
    }

    #[test]
    fn a_value_satisfies_the_paths_that_name_it() {
        let cases = [
            ("203.0.113.9", "[ipv4-addr:value = '203.0.113.9']"),
            (
                "203.0.113.9",
                "[network-traffic:dst_ref.value = '203.0.113.9' AND network-traffic:dst_ref.type = 'ipv4-addr']",
            ),
            ("evil.example", "[domain-name:value LIKE '%.example' AND domain-name:value != 'good.example']"),
            ("d41d8cd98f00b204e9800998ecf8427e", "[file:hashes.MD5 = 'D41D8CD98F00B204E9800998ECF8427E']"),
            ("m@evil.example", "[email-message:to_refs[*].value = 'm@evil.example']"),
        ];
        for (value, pattern) in cases {
            let mut objects = Vec::new();
            objects_of_value(&classify(value).expect(value), 0, &mut objects);
            assert!(matches(pattern, objects), "{pattern}");
        }
    }

    #[test]
    fn a_text_satisfies_the_path_that_names_it() {
        for path in [
            "file:name",
            "file:parent_directory_ref.path",
            "process:image_ref.name",
            "windows-registry-key:values[*].data",
            "network-traffic:extensions.http-request-ext.request_header.User-Agent",
        ] {
            let mut objects = Vec::new();
            objects_of_text(path, "x", 0, &mut objects);
            let quoted = path.replace("http-request-ext", "'http-request-ext'").replace("User-Agent", "'User-Agent'");
            assert!(matches(&format!("[{quoted} = 'x']"), objects), "{path}");
        }
    }
}
