//! Comma-separated values (RFC 4180, with line feeds), safe to open in a spreadsheet.

use super::super::{Format, Options, Out, View, rows};
use super::{ALL, BASE, Family, splunk};
use std::io;

pub(super) const FAMILY: Family = Family { file: "csv", formats: &[CSV] };

const CSV: Format = Format {
    name: "csv",
    about: "one row a value: type,value,indicator_id,valid_until,confidence,labels,source",
    kinds: ALL,
    merge: false,
    comment: None,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    out.text("type,value,indicator_id,valid_until,confidence,labels,source").end()?;
    rows::write(view, "", out, |entry, credit, out| {
        out.text(entry.kind().name()).text(",");
        splunk::value(entry, out);
        out.text(",").cell(&credit.ids.join(";")).text(",");
        if let Some(end) = credit.valid_until {
            out.cell(&end.to_string());
        }
        out.text(",");
        if let Some(confidence) = credit.confidence {
            out.number(u64::from(confidence));
        }
        out.text(",").cell(&credit.labels.join(";")).text(",").cell(&credit.sources.join(";")).end()
    })
}
