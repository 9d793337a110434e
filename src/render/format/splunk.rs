//! Splunk look-up tables in the columns of Enterprise Security's local intelligence (`local_ip_intel.csv` and the like).

use super::super::view::Any;
use super::super::{Format, Options, Out, View, rows};
use super::{ALL, BASE, Family};
use crate::observable::Kind;
use std::io;

pub(super) const FAMILY: Family = Family { file: "splunk", formats: &[SPLUNK] };

const SPLUNK: Format = Format {
    name: "splunk",
    about: "Splunk look-up table",
    kinds: ALL,
    one_kind: true,
    merge: false,
    comment: None,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    let column = if view.wants(Kind::Domain) {
        "domain"
    } else if view.wants(Kind::Ipv4) || view.wants(Kind::Ipv6) {
        "ip"
    } else if view.wants(Kind::Url) {
        "url"
    } else if view.wants(Kind::Email) {
        "src_user"
    } else {
        "file_hash"
    };
    out.text(column).text(",indicator_id,description,weight").end()?;
    rows::write(view, "", out, |entry, credit, out| {
        value(entry, out);
        out.text(",").cell(&credit.ids.join(" ")).text(",").cell(&credit.labels.join(" ")).text(",");
        if let Some(confidence) = credit.confidence {
            out.number(u64::from(confidence));
        }
        out.end()
    })
}

/// A value in a cell of its own.
pub(super) fn value(entry: Any<'_>, out: &mut Out<'_>) {
    match entry {
        Any::Host(host, _) => _ = out.cell(host.text()),
        Any::Net(net) => _ = out.net(net),
        Any::Url(url, _) => _ = out.cell(url.bare()),
        Any::Mail(mail, _) => _ = out.cell(mail.text()),
        Any::Digest(digest) => _ = out.digest(digest),
    }
}
