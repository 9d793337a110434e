//! Sightings: one STIX 2.1 bundle at the end, with what was seen of each indicator.
//!
//! For each indicator and value there is one sighting with its count and times, the observed data that it rests on, and the
//! cyber observable object that was observed; beside them the indicators, and the identity of this program as their author. A
//! line that states no time counts for when its file was last written, or for when the indicators were judged.
//!
//! Ids are functions of the content: the same logs give the same objects. Those of cyber observable objects are the ones that
//! the standard prescribes (STIX 2.1 section 2.9), so that they meet those of other producers.

use super::super::gather::Span;
use super::super::name::Name;
use super::super::record::Record;
use super::ecs;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;
use stockade::compile::{EntryId, IndicatorRef, RuleSet, written_patterns};
use stockade::stix::{Timestamp, Tlp};
use uuid::Uuid;

/// The namespace of our ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x3f8e_91c6_7a24_4d05_9be1_0c52_d8a7_64f3);
/// The namespace that the standard has for cyber observable objects.
const OBSERVABLES: Uuid = Uuid::from_u128(0x00ab_edb4_aa42_466c_9c01_fed2_3315_a9b7);
/// The largest count that the standard allows.
const MOST: u64 = 999_999_999;

/// What was seen, by indicator and value.
#[derive(Debug)]
pub(in crate::cli::matching) struct Sightings {
    seen: HashMap<EntryId, Values, foldhash::fast::FixedState>,
    /// When indicators were judged.
    at: Timestamp,
    /// The last input, and what a line of it counts for that states no time.
    untimed: Option<(Arc<Name>, Timestamp)>,
}

/// The values of one indicator, with the types of the objects that they are of.
type Values = HashMap<(&'static str, Box<str>), Seen>;

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    count: u64,
    span: Span,
}

impl Seen {
    /// First and last time, to the millisecond.
    fn times(&self) -> (String, String) {
        self.span.0.map_or_else(Default::default, |(first, last)| (milliseconds(first), milliseconds(last)))
    }

    fn key(&self) -> String {
        let (first, last) = self.times();
        format!("{first}\n{last}\n{}", self.count)
    }
}

impl Sightings {
    pub(in crate::cli::matching) fn new(at: Timestamp) -> Self {
        Self { seen: HashMap::default(), at, untimed: None }
    }

    /// Adds hits of an input.
    pub(in crate::cli::matching) fn add(&mut self, name: &Arc<Name>, records: &[Record]) {
        for Record { hit, place } in records {
            let time = place.time.unwrap_or_else(|| self.time_of(name));
            let values = self.seen.entry(hit.entry).or_default();
            let seen = values.entry((hit.object_type, hit.value.clone())).or_default();
            seen.count += 1;
            seen.span.add(time);
        }
    }

    /// What a line of an input counts for that states no time.
    fn time_of(&mut self, name: &Arc<Name>) -> Timestamp {
        match &self.untimed {
            Some((last, time)) if Arc::ptr_eq(last, name) => *time,
            _ => {
                let time = name.modified().unwrap_or(self.at);
                self.untimed = Some((Arc::clone(name), time));
                time
            }
        }
    }

    /// Writes the bundle, an object a line.
    pub(in crate::cli::matching) fn write(&self, rules: &RuleSet, out: &mut dyn Write) -> io::Result<()> {
        let mut all = Vec::new();
        for (entry, values) in &self.seen {
            let id = stix_id(rules.indicator(*entry));
            all.extend(
                values.iter().map(|((object_type, value), seen)| (id.clone(), *object_type, value, *entry, *seen)),
            );
        }
        all.sort_unstable_by(|a, b| (&a.0, a.1, a.2, a.3).cmp(&(&b.0, b.1, b.2, b.3)));
        let now = Value::from(milliseconds(self.at));
        let mut writer = Bundle { out, begun: false };
        let identity = identity();
        let key = all.iter().fold(String::new(), |mut key, (id, kind, value, _, seen)| {
            key.extend([id, "\n", kind, "\n", value, "\n", &seen.key(), "\n"]);
            key
        });
        writer.begin(&our_id("bundle", &key))?;
        if !all.is_empty() {
            writer.object(&json!({
                "type": "identity", "spec_version": "2.1", "id": identity, "created": EPOCH, "modified": EPOCH,
                "name": "stockade", "identity_class": "system",
            }))?;
        }
        let wanted: BTreeSet<EntryId> = self.seen.keys().copied().collect();
        let patterns = written_patterns(rules, &wanted);
        let (mut indicators, mut observed) = (HashSet::new(), HashSet::new());
        for (id, object_type, value, entry, seen) in &all {
            let indicator = rules.indicator(*entry);
            if let Some(pattern) = patterns.get(entry)
                && indicators.insert(id)
            {
                writer.object(&indicator_object(indicator, id, pattern, value, &identity))?;
            }
            let (first, last) = seen.times();
            let key = [id.as_str(), object_type, value, &seen.key()].join("\n");
            let mut sighting = json!({
                "type": "sighting", "spec_version": "2.1", "id": our_id("sighting", &key), "created_by_ref": identity,
                "created": now, "modified": now, "first_seen": first, "last_seen": last, "count": seen.count.min(MOST),
                "sighting_of_ref": id,
            });
            let marking = indicator.tlp().map(marking);
            let mut data = json!({
                "type": "observed-data", "spec_version": "2.1", "id": our_id("observed-data", &key),
                "created_by_ref": identity, "created": now, "modified": now, "first_observed": first,
                "last_observed": last, "number_observed": seen.count.clamp(1, MOST),
            });
            if let Some(marking) = marking {
                sighting["object_marking_refs"] = json!([marking]);
                data["object_marking_refs"] = json!([marking]);
            }
            match observable(object_type, value) {
                Some((object_id, object)) => {
                    if observed.insert(object_id.clone()) {
                        writer.object(&object)?;
                    }
                    data["object_refs"] = json!([object_id]);
                    sighting["observed_data_refs"] = json!([data["id"]]);
                    writer.object(&data)?;
                }
                // What the standard has no object for is told in words.
                None => sighting["description"] = Value::from(format!("{object_type}: {value}")),
            }
            writer.object(&sighting)?;
        }
        writer.end()
    }
}

/// Where the standard demands a time and there is none.
const EPOCH: &str = "1970-01-01T00:00:00.000Z";

/// Objects one after the other.
struct Bundle<'o> {
    out: &'o mut dyn Write,
    begun: bool,
}

impl Bundle<'_> {
    fn begin(&mut self, id: &str) -> io::Result<()> {
        write!(self.out, "{{\"type\":\"bundle\",\"id\":\"{id}\"")
    }

    fn object(&mut self, object: &Value) -> io::Result<()> {
        self.out.write_all(if self.begun { b",\n" } else { b",\"objects\":[\n" })?;
        self.begun = true;
        serde_json::to_writer(&mut *self.out, object)?;
        Ok(())
    }

    /// A bundle without objects has no list of them (STIX 2.1 section 8.1).
    fn end(&mut self) -> io::Result<()> {
        self.out.write_all(if self.begun { b"\n]}\n" } else { b"}\n" })?;
        self.out.flush()
    }
}

fn our_id(kind: &str, key: &str) -> String {
    format!("{kind}--{}", Uuid::new_v5(&NAMESPACE, format!("{kind}\n{key}").as_bytes()))
}

fn identity() -> String {
    our_id("identity", "stockade")
}

/// The id of an indicator, or if its feed gave it one that STIX does not allow, another that depends on it.
fn stix_id(indicator: IndicatorRef<'_>) -> String {
    let id = indicator.id();
    let valid = id.strip_prefix("indicator--").is_some_and(is_uuid);
    if valid { id } else { our_id("indicator", &id) }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && Uuid::try_parse(text).is_ok_and(|uuid| uuid.get_variant() == uuid::Variant::RFC4122)
}

/// An instant to the millisecond, as `created` and `modified` have to be.
fn milliseconds(at: Timestamp) -> String {
    let seconds = Timestamp { nanos: 0, ..at }.to_string();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at.nanos / 1_000_000)
}

fn indicator_object(indicator: IndicatorRef<'_>, id: &str, pattern: &str, value: &str, identity: &str) -> Value {
    let instant = |at: Option<Timestamp>| at.map_or_else(|| EPOCH.to_owned(), milliseconds);
    let modified = instant(indicator.modified());
    // No version is older than the first.
    let created = indicator.created().filter(|at| indicator.modified().is_none_or(|modified| *at <= modified));
    let created = created.map_or_else(|| modified.clone(), milliseconds);
    let from = indicator.valid_from().or(indicator.modified());
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": id, "created": created, "modified": modified,
        "pattern_type": "stix", "pattern": pattern, "valid_from": instant(from), "name": indicator.name().unwrap_or(value),
    });
    if let Some(until) = indicator.valid_until().filter(|until| from.is_none_or(|from| from < *until)) {
        object["valid_until"] = Value::from(milliseconds(until));
    }
    // What comes of a plain list was made an indicator by us.
    if indicator.modified().is_none() && indicator.name().is_none() {
        object["description"] = Value::from(format!("Listed in {}", indicator.origin()));
    }
    let author = indicator.created_by().filter(|author| author.strip_prefix("identity--").is_some_and(is_uuid));
    if let Some(author) = author.or(indicator.modified().is_none().then_some(identity)) {
        object["created_by_ref"] = Value::from(author);
    }
    if let Some(confidence) = indicator.confidence() {
        object["confidence"] = Value::from(confidence);
    }
    for (name, values) in
        [("labels", indicator.labels().collect::<Vec<_>>()), ("indicator_types", indicator.types().collect::<Vec<_>>())]
    {
        if !values.is_empty() {
            object[name] = json!(values);
        }
    }
    if let Some(tlp) = indicator.tlp() {
        object["object_marking_refs"] = json!([marking(tlp)]);
    }
    object
}

/// The marking definition of a traffic-light level (STIX 2.1 section 7.2.1.4; TLP 2.0 for the level that 1.0 lacks).
const fn marking(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        Tlp::Green => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        Tlp::Amber => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        Tlp::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Red => "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    }
}

/// What was seen as a cyber observable object, with its id; `None` if the standard has none that one value makes.
fn observable(object_type: &str, value: &str) -> Option<(String, Value)> {
    // The properties that the id is made of, and others.
    let (naming, other) = match object_type {
        "ipv4-addr" | "ipv6-addr" | "domain-name" | "email-addr" | "mac-addr" => (json!({ "value": value }), json!({})),
        // Without a scheme it is none.
        "url" => (json!({ "value": Some(value).filter(|value| value.contains("://"))? }), json!({})),
        "file" | "x509-certificate" if ecs::hash(value).is_some() => {
            (json!({ "hashes": { ecs::hash(value)?: value } }), json!({}))
        }
        "x509-certificate" => (json!({ "serial_number": value }), json!({})),
        "file" | "mutex" | "software" => (json!({ "name": value }), json!({})),
        "directory" => (json!({ "path": value }), json!({})),
        "windows-registry-key" if is_registry_key(value) => (json!({ "key": with_whole_hive(value) }), json!({})),
        "windows-registry-key" => (json!({ "values": [{ "data": value }] }), json!({})),
        "user-account" => (json!({ "account_login": value }), json!({})),
        "process" => (json!({}), json!({ "command_line": value })),
        "email-message" => (json!({ "subject": value }), json!({ "is_multipart": false })),
        "autonomous-system" => (json!({ "number": value.parse::<u64>().ok()? }), json!({})),
        _ => return None,
    };
    let id = if naming.as_object().is_some_and(|naming| !naming.is_empty()) {
        // The canonical form of RFC 8785; here there are only texts and one number, in order.
        format!("{object_type}--{}", Uuid::new_v5(&OBSERVABLES, naming.to_string().as_bytes()))
    } else {
        // For these the standard asks for random ids (version 4); ours only look so.
        let bytes = Uuid::new_v5(&NAMESPACE, format!("{object_type}\n{value}").as_bytes()).into_bytes();
        format!("{object_type}--{}", uuid::Builder::from_random_bytes(bytes).into_uuid())
    };
    let mut object: Map<String, Value> = Map::new();
    for (name, value) in [("type", object_type), ("spec_version", "2.1"), ("id", &id)] {
        object.insert(name.to_owned(), Value::from(value));
    }
    for part in [naming, other] {
        object.extend(part.as_object().cloned().unwrap_or_default());
    }
    Some((id, Value::Object(object)))
}

fn is_registry_key(value: &str) -> bool {
    value.get(..2).is_some_and(|hive| hive.eq_ignore_ascii_case("hk")) && value.contains('\\')
}

/// A registry key with the name of its hive written out, as the standard demands (STIX 2.1 section 6.17).
fn with_whole_hive(key: &str) -> String {
    let (hive, rest) = key.split_once('\\').unwrap_or((key, ""));
    let whole = match hive.to_ascii_uppercase().as_str() {
        "HKLM" => "HKEY_LOCAL_MACHINE",
        "HKCU" => "HKEY_CURRENT_USER",
        "HKCR" => "HKEY_CLASSES_ROOT",
        "HKCC" => "HKEY_CURRENT_CONFIG",
        "HKU" => "HKEY_USERS",
        _ => hive,
    };
    [whole, "\\", rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_observables_are_those_of_the_standard() {
        // As the Python library stix2 3.0.1 makes them.
        for (object_type, value, id) in [
            ("ipv4-addr", "203.0.113.9", "39090fdc-366e-571f-ab5b-d05e2918f88f"),
            ("ipv6-addr", "2001:db8::1", "6469e3a9-b053-5e34-a025-9396ae051d26"),
            ("domain-name", "evil.example", "69228563-c8d2-54ae-aeca-5f4134cb59aa"),
            ("url", "http://evil.example/a?b=\"c", "33c6151a-21d4-5998-9f92-47ea9daa3cf0"),
            ("email-addr", "a@evil.example", "a445a72b-98c7-54c6-bd01-0971c2333fd7"),
            ("mac-addr", "aa:bb:cc:dd:ee:ff", "a48f254e-6df3-5562-a3ba-bfa7db7f48b4"),
            ("file", "d41d8cd98f00b204e9800998ecf8427e", "02fff920-f614-527c-81d1-6353633a6d21"),
            ("file", "invoice_4711.exe", "dd181b04-8543-5eb6-b086-e17d3f4811c6"),
            ("mutex", "Mtx\u{e9}", "defe78b5-5f9f-51f8-b568-0896d5123f99"),
            ("windows-registry-key", "HKEY_LOCAL_MACHINE\\Software\\Evil", "ca33e681-1d6b-5159-b591-351b1d981990"),
            ("windows-registry-key", "hklm\\Software\\Evil", "ca33e681-1d6b-5159-b591-351b1d981990"),
            ("windows-registry-key", "evil", "8eae114d-622f-5913-a6ef-19edd118b129"),
            ("directory", "C:\\evil", "4e6781d4-de7f-5d13-b844-d972cf48d938"),
            ("user-account", "root", "3d209579-8f71-5179-b6a3-49509efb52cc"),
            ("x509-certificate", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "fa6e66a5-f019-51f9-8ab5-812023e58c6e"),
            ("x509-certificate", "02:08:87", "db578c20-84d8-5b4c-afa7-eeb71e9c9acf"),
            ("email-message", "Win", "4751045d-d36d-5f45-a639-33d36894f5fa"),
            ("autonomous-system", "64500", "0a5f7072-df00-5729-9f0a-4eb18631a446"),
        ] {
            let (made, _) = observable(object_type, value).expect("an object");
            assert_eq!(made, format!("{object_type}--{id}"), "{value}");
        }
        assert!(observable("network-traffic", "x").is_none());
    }
}
