//! AdGuard Home, Pi-hole and other readers of adblock-style lists: `||name^` covers a name and what is below it.

use super::super::{Format, Options, Out, View};
use super::{BASE, DOMAIN, Family};
use crate::blocklist::Subdomains;
use std::io;

pub(super) const FAMILY: Family = Family { file: "adguard", formats: &[ADGUARD] };

const ADGUARD: Format = Format {
    name: "adguard",
    about: "AdGuard Home, Pi-hole and adblock-style lists",
    kinds: DOMAIN,
    subdomains: Subdomains::Always,
    exceptions: true,
    comment: Some("!"),
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    for host in view.hosts() {
        out.text("||").host(host).text("^").end()?;
    }
    for host in view.exceptions() {
        out.text("@@||").host(host).text("^").end()?;
    }
    Ok(())
}
