//! Elastic Common Schema: threat indicators, one document a line (ECS "threat.indicator").

use super::super::view::Any;
use super::super::{Format, Options, Out, View, rows};
use super::{ALL, BASE, Family, jsonl};
use crate::observable::Kind;
use std::io;

pub(super) const FAMILY: Family = Family { file: "ecs", formats: &[ECS] };

const ECS: Format = Format {
    name: "ecs",
    about: "Elastic Common Schema, one document a line",
    kinds: ALL,
    merge: false,
    comment: None,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    rows::write(view, "", out, |entry, credit, out| {
        out.text("{\"event\":{\"kind\":\"enrichment\",\"category\":[\"threat\"],\"type\":[\"indicator\"]},");
        out.text("\"threat\":{\"indicator\":{\"type\":").json(entry.kind().object_type());
        out.text(",\"name\":");
        jsonl::value(entry, out);
        field(entry, out);
        out.text(",\"id\":").json_list(credit.ids.iter().map(String::as_str));
        if let Some(confidence) = credit.confidence {
            out.text(",\"confidence\":").json(word(confidence));
        }
        out.text(",\"provider\":").json_list(credit.sources.iter().copied());
        out.text("}},\"tags\":").json_list(credit.labels.iter().copied()).text("}").end()
    })
}

/// The value under the field that logs have it in. An address field holds no prefixes.
fn field(entry: Any<'_>, out: &mut Out<'_>) {
    let (before, after) = match entry {
        Any::Net(net) if net.is_host() => (",\"ip\":", ""),
        Any::Net(_) => return,
        Any::Host(..) => (",\"url\":{\"domain\":", "}"),
        Any::Url(..) => (",\"url\":{\"full\":", "}"),
        Any::Mail(..) => (",\"email\":{\"address\":", "}"),
        Any::Digest(digest) => match digest.kind {
            Kind::Md5 => (",\"file\":{\"hash\":{\"md5\":", "}}"),
            Kind::Sha1 => (",\"file\":{\"hash\":{\"sha1\":", "}}"),
            Kind::Sha256 => (",\"file\":{\"hash\":{\"sha256\":", "}}"),
            Kind::Sha512 => (",\"file\":{\"hash\":{\"sha512\":", "}}"),
            _ => return,
        },
    };
    out.text(before);
    jsonl::value(entry, out);
    out.text(after);
}

/// The scale "None / Low / Med / High" (STIX 2.1 appendix A), in the words of ECS.
const fn word(confidence: u8) -> &'static str {
    match confidence {
        0 => "None",
        1..=29 => "Low",
        30..=69 => "Medium",
        _ => "High",
    }
}
