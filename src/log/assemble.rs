//! From fields to an observation: the STIX objects that a line speaks of.
//!
//! A property path leads the value into an object: those of one type and group become one object, and each `_ref` in
//! a path an object of its own, whose type its name or the value tells. Where a property has several values (a host
//! with two addresses), there is an object for each, alike in everything else.
//!
//! Besides the paths of the standard there are
//! - `file:path`, `process:image_ref.path` and the like: a whole path, which becomes the name of the file and the path of
//!   its directory. The image of a process is its `name` too, as STIX 2.0 has it;
//! - any path of an object type of your own (`x-acme-login:shift`).

use super::event::{Field, Meaning};
use crate::observable::{self, Value};
use crate::stix::observed::Object;
use crate::stix::{ObservedData, Timestamp};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// Objects of one type and group, at most: more values of a property than that are left to the index.
const VARIANTS: usize = 64;

/// The observation that a line is.
///
/// ```
/// use stockade::log::{Event, Meaning, assemble};
///
/// let mut event = Event::new(b"203.0.113.9 443");
/// event.push("dst", 0..11, Meaning::property("network-traffic:dst_ref.value"));
/// event.push("port", 12..15, Meaning::property("network-traffic:dst_port"));
/// let observation = assemble::observation(&event.fields, None, Vec::new());
/// let traffic = observation.objects.iter().find(|object| object.object_type() == "network-traffic").unwrap();
/// assert_eq!(traffic.properties["dst_port"], 443);
/// ```
pub fn observation(fields: &[Field<'_>], at: Option<Timestamp>, more: Vec<Object>) -> ObservedData {
    let mut made = Made::default();
    for field in fields {
        if let Meaning::Property { path, group } = field.meaning {
            made.add(path, group, &field.text);
        }
    }
    let mut objects = made.finish();
    objects.extend(more);
    ObservedData::new("", at.map(|at| (at, at)), 1, objects)
}

/// Objects in the making.
#[derive(Default)]
struct Made {
    objects: Vec<Draft>,
}

struct Draft {
    /// Properties of the same type and group come together.
    object_type: Box<str>,
    group: u16,
    key: String,
    properties: Map<String, Json>,
}

impl Made {
    fn add(&mut self, path: &str, group: u16, text: &[u8]) {
        let Some((object_type, steps)) = path.split_once(':') else { return };
        let text = String::from_utf8_lossy(text);
        let normal = observable::of_path(path).and_then(|field| field.normalise(&text).ok());
        let whole_path = (steps == "path" && object_type == "file")
            || steps.strip_suffix("_ref.path").is_some_and(|reference| reference != "parent_directory");
        if whole_path {
            return self.add_path(object_type, steps, group, &text);
        }
        // The name of a process is that of its image.
        if object_type == "process" && steps == "image_ref.name" {
            self.set(object_type, group, "name", &Json::from(&*text), None);
        }
        let value = match &normal {
            Some(value) => Json::from(value.to_string()),
            None => scalar(steps, &text),
        };
        self.set(object_type, group, steps, &value, normal.as_ref());
    }

    /// A whole path: the name behind the last separator, the directory before it.
    fn add_path(&mut self, object_type: &str, steps: &str, group: u16, text: &str) {
        let to = steps.strip_suffix("path").unwrap_or_default();
        let cut = text.rfind(['\\', '/']);
        let name = cut.map_or(text, |at| &text[at + 1..]);
        if !name.is_empty() {
            self.set(object_type, group, &format!("{to}name"), &name.into(), None);
            if object_type == "process" && to == "image_ref." {
                self.set(object_type, group, "name", &name.into(), None);
            }
        }
        if let Some(at) = cut {
            // `C:\x` lies in `C:\`, `/x` in `/`.
            let root = at == 0 || text[..at].ends_with(':');
            let directory = &text[..if root { at + 1 } else { at }];
            self.set(object_type, group, &format!("{to}parent_directory_ref.path"), &directory.into(), None);
        }
    }

    /// Sets a property in every object of the type and group that has none yet; if all have one, in a further object.
    fn set(&mut self, object_type: &str, group: u16, steps: &str, value: &Json, normal: Option<&Value>) {
        let same = |draft: &Draft| *draft.object_type == *object_type && draft.group == group;
        let there: Vec<usize> = (0..self.objects.len()).filter(|number| same(&self.objects[*number])).collect();
        let Some(&last) = there.last() else {
            let number = self.objects.len();
            self.objects.push(Draft::new(object_type, group, number));
            self.place(number, steps, value, normal);
            return;
        };
        let mut placed = false;
        for number in &there {
            placed |= self.place(*number, steps, value, normal);
        }
        if !placed && there.len() < VARIANTS {
            let number = self.objects.len();
            let mut properties = self.objects[last].properties.clone();
            let first = steps.split('.').next().unwrap_or(steps);
            properties.remove(first);
            self.objects.push(Draft { properties, ..Draft::new(object_type, group, number) });
            self.place(number, steps, value, normal);
        }
    }

    /// Sets a property of one object; false if it has another value.
    fn place(&mut self, number: usize, steps: &str, value: &Json, normal: Option<&Value>) -> bool {
        if let Some((reference, rest)) = split_reference(steps) {
            return self.refer(number, reference, rest, value, normal);
        }
        set_in(&mut self.objects[number].properties, steps, value)
    }

    /// Sets a property of an object that a property of this one refers to.
    fn refer(&mut self, number: usize, reference: &str, rest: &str, value: &Json, normal: Option<&Value>) -> bool {
        let (name, many) = match reference.strip_suffix("[*]") {
            Some(name) => (name, true),
            None => (reference, false),
        };
        let existing = self.objects[number].properties.get(name).cloned();
        let target = |key: &Json, objects: &[Draft]| {
            key.as_str().and_then(|key| objects.iter().position(|draft| draft.key == key))
        };
        match existing {
            None => {
                let made = self.referenced(name, rest, value, normal);
                let key = Json::from(self.objects[made].key.clone());
                let link = if many { Json::Array(vec![key]) } else { key };
                self.objects[number].properties.insert(name.into(), link);
                true
            }
            Some(Json::Array(mut keys)) => {
                // Another property of the last element, or a further element.
                let last = keys.last().and_then(|key| target(key, &self.objects));
                if let Some(last) = last
                    && self.place(last, rest, value, normal)
                {
                    return true;
                }
                let made = self.referenced(name, rest, value, normal);
                keys.push(self.objects[made].key.clone().into());
                self.objects[number].properties.insert(name.into(), Json::Array(keys));
                true
            }
            Some(key) => target(&key, &self.objects).is_some_and(|target| self.place(target, rest, value, normal)),
        }
    }

    /// A new object for a reference, with its first property.
    fn referenced(&mut self, name: &str, rest: &str, value: &Json, normal: Option<&Value>) -> usize {
        let number = self.objects.len();
        let object_type = referenced_type(name, normal);
        // No field speaks of it but through the reference.
        let group = u16::MAX;
        self.objects.push(Draft::new(object_type, group, number));
        self.objects[number].object_type = format!("{object_type} of {number}").into();
        self.objects[number].properties.insert("type".into(), object_type.into());
        self.place(number, rest, value, normal);
        number
    }

    fn finish(mut self) -> Vec<Object> {
        for draft in &mut self.objects {
            // The image was a property of another name in STIX 2.0.
            if let Some(image) = draft.properties.get("image_ref").cloned() {
                draft.properties.entry("binary_ref").or_insert(image);
            }
        }
        let objects = self.objects.into_iter();
        objects.map(|draft| Object { key: draft.key.into(), properties: Arc::new(draft.properties) }).collect()
    }
}

impl Draft {
    fn new(object_type: &str, group: u16, number: usize) -> Self {
        let mut properties = Map::new();
        properties.insert("type".into(), object_type.into());
        Self { object_type: object_type.into(), group, key: number.to_string(), properties }
    }
}

/// The reference that a path begins with, and what follows it.
fn split_reference(steps: &str) -> Option<(&str, &str)> {
    let (first, rest) = steps.split_once('.')?;
    (first.ends_with("_ref") || first.ends_with("_refs[*]")).then_some((first, rest))
}

/// The type of the object that a reference leads to.
fn referenced_type(name: &str, normal: Option<&Value>) -> &'static str {
    match name {
        "from_ref" | "sender_ref" | "to_refs" | "cc_refs" | "bcc_refs" => "email-addr",
        "parent_directory_ref" => "directory",
        "image_ref" | "binary_ref" | "contains_refs" => "file",
        "creator_user_ref" | "belongs_to_ref" => "user-account",
        "parent_ref" | "child_refs" | "service_dll_refs" => "process",
        "opened_connection_refs" => "network-traffic",
        "belongs_to_refs" => "autonomous-system",
        _ => normal.map_or("domain-name", |value| value.kind().object_type()),
    }
}

/// Sets a property below some keys; false if it has another value.
fn set_in(properties: &mut Map<String, Json>, steps: &str, value: &Json) -> bool {
    let (first, rest) = match steps.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (steps, None),
    };
    if let Some(name) = first.strip_suffix("[*]") {
        let Json::Array(list) = properties.entry(name).or_insert_with(|| Json::Array(Vec::new())) else { return false };
        let Some(rest) = rest else {
            if !list.contains(value) {
                list.push(value.clone());
            }
            return true;
        };
        if let Some(Json::Object(last)) = list.last_mut()
            && set_in(last, rest, value)
        {
            return true;
        }
        let mut element = Map::new();
        set_in(&mut element, rest, value);
        list.push(Json::Object(element));
        return true;
    }
    match rest {
        None => match properties.get(first) {
            None => {
                properties.insert(first.into(), value.clone());
                true
            }
            Some(there) => there == value,
        },
        Some(rest) => match properties.entry(first).or_insert_with(|| Json::Object(Map::new())) {
            Json::Object(inner) => set_in(inner, rest, value),
            _ => false,
        },
    }
}

/// Properties that are integers in the standard.
const INTEGERS: &[&str] = &[
    "src_port",
    "dst_port",
    "src_byte_count",
    "dst_byte_count",
    "src_packets",
    "dst_packets",
    "pid",
    "size",
    "number",
    "priority",
    "request_header_length",
    "icmp_type_code",
];

/// A value without a kind: a number where the standard has numbers, otherwise text.
fn scalar(steps: &str, text: &str) -> Json {
    let last = steps.rsplit('.').next().unwrap_or(steps);
    if INTEGERS.contains(&last) {
        let text = text.trim();
        let hex = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        if let Some(number) = hex.or_else(|| text.parse().ok()) {
            return number.into();
        }
    }
    // Protocols are lower case in the standard, upper case in half of the logs.
    if last == "protocols[*]" { text.to_ascii_lowercase().into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fields: &[(&str, u16, &str)]) -> Vec<String> {
        let mut made = Made::default();
        for (path, group, text) in fields {
            made.add(path, *group, text.as_bytes());
        }
        let objects = made.finish().into_iter();
        objects.map(|object| format!("{} {}", object.key, Json::Object((*object.properties).clone()))).collect()
    }

    #[test]
    fn properties_of_one_object_come_together() {
        let objects = shown(&[
            ("network-traffic:src_ref.value", 0, "10.0.0.1"),
            ("network-traffic:dst_ref.value", 0, "::FFFF:203.0.113.9"),
            ("network-traffic:dst_port", 0, "443"),
            ("network-traffic:protocols[*]", 0, "TCP"),
            ("network-traffic:extensions.http-request-ext.request_header.User-Agent", 0, "curl"),
        ]);
        assert_eq!(
            objects,
            [
                r#"0 {"dst_port":443,"dst_ref":"2","extensions":{"http-request-ext":{"request_header":{"User-Agent":"curl"}}},"protocols":["tcp"],"src_ref":"1","type":"network-traffic"}"#,
                r#"1 {"type":"ipv4-addr","value":"10.0.0.1"}"#,
                r#"2 {"type":"ipv4-addr","value":"203.0.113.9"}"#,
            ]
        );
    }

    #[test]
    fn paths_are_taken_apart() {
        let objects = shown(&[
            ("process:image_ref.path", 0, r"C:\Windows\evil.exe"),
            ("process:image_ref.hashes.MD5", 0, "D41D8CD98F00B204E9800998ECF8427E"),
            ("file:path", 0, "/x"),
        ]);
        assert_eq!(
            objects,
            [
                r#"0 {"binary_ref":"1","image_ref":"1","name":"evil.exe","type":"process"}"#,
                r#"1 {"hashes":{"MD5":"d41d8cd98f00b204e9800998ecf8427e"},"name":"evil.exe","parent_directory_ref":"2","type":"file"}"#,
                r#"2 {"path":"C:\\Windows","type":"directory"}"#,
                r#"3 {"name":"x","parent_directory_ref":"4","type":"file"}"#,
                r#"4 {"path":"/","type":"directory"}"#,
            ]
        );
    }

    #[test]
    fn several_values_are_several_objects() {
        let objects = shown(&[
            ("domain-name:value", 0, "a.example"),
            ("domain-name:resolves_to_refs[*].value", 0, "192.0.2.1"),
            ("domain-name:resolves_to_refs[*].value", 0, "192.0.2.2"),
            ("ipv4-addr:value", 1, "192.0.2.1"),
            ("ipv4-addr:value", 1, "192.0.2.2"),
        ]);
        assert_eq!(
            objects,
            [
                r#"0 {"resolves_to_refs":["1","2"],"type":"domain-name","value":"a.example"}"#,
                r#"1 {"type":"ipv4-addr","value":"192.0.2.1"}"#,
                r#"2 {"type":"ipv4-addr","value":"192.0.2.2"}"#,
                r#"3 {"type":"ipv4-addr","value":"192.0.2.1"}"#,
                r#"4 {"type":"ipv4-addr","value":"192.0.2.2"}"#,
            ]
        );
    }
}
