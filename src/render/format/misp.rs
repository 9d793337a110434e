//! A MISP event with an attribute for each value (MISP core format). Ids follow from the values, so that importing a list
//! again changes nothing that stands.

use super::super::view::Any;
use super::super::{Format, Options, Out, View, rows};
use super::{ALL, BASE, Family, jsonl};
use crate::observable::Kind;
use std::io;
use uuid::Uuid;

pub(super) const FAMILY: Family = Family { file: "misp", formats: &[MISP] };

const MISP: Format =
    Format { name: "misp", about: "MISP event", kinds: ALL, merge: false, comment: None, body, ..BASE };

/// The namespace of the ids of events and attributes.
const NAMESPACE: Uuid = Uuid::from_u128(0x3e1c_6a52_90d4_4c8b_8f27_b5d1_7a46_e0c9);

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    out.text("{\"Event\":{\"uuid\":").json(&uuid("event"));
    out.text(",\"info\":\"stockade\",\"analysis\":\"2\",\"threat_level_id\":\"4\",\"Attribute\":[").end()?;
    rows::write(view, ",\n", out, |entry, credit, out| {
        let (kind, category) = class(entry.kind());
        let text = text(entry);
        out.text("{\"uuid\":").json(&uuid(&text)).text(",\"type\":").json(kind);
        out.text(",\"category\":").json(category).text(",\"to_ids\":true,\"value\":");
        jsonl::value(entry, out);
        out.text(",\"comment\":").json(&credit.ids.join(" ")).text("}");
        Ok(())
    })?;
    out.text("\n]}}").end()
}

fn uuid(text: &str) -> String {
    Uuid::new_v5(&NAMESPACE, text.as_bytes()).hyphenated().to_string()
}

fn text(entry: Any<'_>) -> String {
    match entry {
        Any::Host(host, _) => host.text().to_owned(),
        Any::Net(net) => format!("{}/{}", net.first(), net.length()),
        Any::Url(url, _) => url.bare().to_owned(),
        Any::Mail(mail, _) => mail.text().to_owned(),
        Any::Digest(digest) => digest.to_string(),
    }
}

/// Type and category of an attribute.
const fn class(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Ipv4 | Kind::Ipv6 => ("ip-dst", "Network activity"),
        Kind::Domain => ("domain", "Network activity"),
        Kind::Url => ("url", "Network activity"),
        Kind::Email => ("email", "Payload delivery"),
        Kind::Mac => ("mac-address", "Network activity"),
        Kind::Md5 => ("md5", "Payload delivery"),
        Kind::Sha1 => ("sha1", "Payload delivery"),
        Kind::Sha224 => ("sha224", "Payload delivery"),
        Kind::Sha256 => ("sha256", "Payload delivery"),
        Kind::Sha384 => ("sha384", "Payload delivery"),
        Kind::Sha512 => ("sha512", "Payload delivery"),
    }
}
