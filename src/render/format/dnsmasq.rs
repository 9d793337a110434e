//! dnsmasq: `local=/name/` answers that neither the name nor anything below it exists (dnsmasq(8), "--local", "--server").
//!
//! The longest match decides, so an exception sends its name to the usual servers (`#`). dnsmasq reads globs and several
//! names between slashes; a name in normal form holds neither.

use super::super::{Action, Format, Options, Out, View};
use super::{BASE, DOMAIN, Family};
use crate::blocklist::Subdomains;
use std::io;

pub(super) const FAMILY: Family = Family { file: "dnsmasq", formats: &[DNSMASQ] };

const DNSMASQ: Format = Format {
    name: "dnsmasq",
    about: "dnsmasq configuration file",
    kinds: DOMAIN,
    subdomains: Subdomains::Always,
    exceptions: true,
    actions: &[Action::Nxdomain, Action::Sinkhole],
    body,
    ..BASE
};

fn body(view: &View<'_>, options: &Options, out: &mut Out<'_>) -> io::Result<()> {
    let sinkhole = view.action() == Action::Sinkhole;
    for host in view.hosts() {
        if sinkhole {
            for address in &options.sinkhole {
                out.text("address=/").host(host).text("/").address(*address).end()?;
            }
        } else {
            out.text("local=/").host(host).text("/").end()?;
        }
    }
    for host in view.exceptions() {
        out.text("server=/").host(host).text("/#").end()?;
    }
    Ok(())
}
