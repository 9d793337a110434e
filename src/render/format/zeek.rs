//! Zeek intelligence files (Intel framework): columns between tabs.
//!
//! Names are compared as a whole; URLs are written without scheme, as Zeek logs them.

use super::super::view::Any;
use super::super::{Format, Options, Out, View, rows};
use super::{ALL, BASE, Family, edl};
use std::io;

pub(super) const FAMILY: Family = Family { file: "zeek", formats: &[ZEEK] };

const ZEEK: Format = Format {
    name: "zeek",
    about: "Zeek intelligence file",
    kinds: ALL,
    merge: false,
    refuses: edl::not_of_the_web,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    out.text("#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc").end()?;
    let look = view.look();
    rows::write(view, "", out, |entry, credit, out| {
        // With http and with https it is the same line.
        if let Any::Url(url, _) = entry
            && url.variants_before().any(|variant| look.has_url(&variant))
        {
            return Ok(());
        }
        let kind = match entry {
            Any::Host(host, _) => {
                out.host(host);
                "DOMAIN"
            }
            Any::Net(net) => {
                out.net(net);
                if net.is_host() { "ADDR" } else { "SUBNET" }
            }
            Any::Url(url, _) => {
                out.url_after_scheme(url);
                "URL"
            }
            Any::Mail(mail, _) => {
                out.mail(mail);
                "EMAIL"
            }
            Any::Digest(digest) => {
                out.digest(digest);
                "FILE_HASH"
            }
        };
        out.text("\t").text(kind).text("\t");
        out.columns(&credit.sources).text("\t").columns(&credit.ids).end()
    })
}
