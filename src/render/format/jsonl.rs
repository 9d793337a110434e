//! One JSON object a line and value, with all that is known of it.

use super::super::view::Any;
use super::super::{Format, Options, Out, View, rows};
use super::{ALL, BASE, Family};
use std::io;

pub(super) const FAMILY: Family = Family { file: "jsonl", formats: &[JSONL] };

const JSONL: Format = Format {
    name: "jsonl",
    about: "one JSON object a line and value",
    kinds: ALL,
    merge: false,
    comment: None,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    rows::write(view, "", out, |entry, credit, out| {
        out.text("{\"type\":").json(entry.kind().name()).text(",\"value\":");
        value(entry, out);
        out.text(",\"indicator_id\":").json_list(credit.ids.iter().map(String::as_str));
        if let Some(end) = credit.valid_until {
            out.text(",\"valid_until\":").json(&end.to_string());
        }
        if let Some(confidence) = credit.confidence {
            out.text(",\"confidence\":").number(u64::from(confidence));
        }
        out.text(",\"labels\":").json_list(credit.labels.iter().copied());
        out.text(",\"source\":").json_list(credit.sources.iter().copied()).text("}").end()
    })
}

/// A value as a JSON string.
pub(super) fn value(entry: Any<'_>, out: &mut Out<'_>) {
    match entry {
        Any::Host(host, _) => _ = out.json(host.text()),
        Any::Net(net) => _ = out.text("\"").net(net).text("\""),
        Any::Url(url, _) => _ = out.json(url.bare()),
        Any::Mail(mail, _) => _ = out.json(mail.text()),
        Any::Digest(digest) => _ = out.text("\"").digest(digest).text("\""),
    }
}
