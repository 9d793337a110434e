//! Unbound: one local zone a name, to be included under `server:` (unbound.conf(5), "local-zone").
//!
//! A local zone covers its name and all below it. The most specific zone decides, so an exception is a transparent zone.

use super::super::{Action, Format, Options, Out, View};
use super::{BASE, DOMAIN, Family};
use crate::blocklist::Subdomains;
use std::io;
use std::net::IpAddr;

pub(super) const FAMILY: Family = Family { file: "unbound", formats: &[UNBOUND] };

const UNBOUND: Format = Format {
    name: "unbound",
    about: "Unbound local zones, included under server:",
    kinds: DOMAIN,
    subdomains: Subdomains::Always,
    exceptions: true,
    actions: &[Action::Nxdomain, Action::Nodata, Action::Drop, Action::Refuse, Action::Sinkhole],
    body,
    ..BASE
};

fn body(view: &View<'_>, options: &Options, out: &mut Out<'_>) -> io::Result<()> {
    let action = view.action();
    let kind = match action {
        Action::Nxdomain => "always_nxdomain",
        Action::Nodata => "always_nodata",
        Action::Drop => "always_deny",
        Action::Refuse => "always_refuse",
        Action::Sinkhole => "redirect",
    };
    for host in view.hosts() {
        out.text("local-zone: \"").host(host).text(".\" ").text(kind).end()?;
        if action == Action::Sinkhole {
            for address in &options.sinkhole {
                let record = if matches!(address, IpAddr::V4(_)) { ". A " } else { ". AAAA " };
                out.text("local-data: \"").host(host).text(record).address(*address).text("\"").end()?;
            }
        }
    }
    for host in view.exceptions() {
        out.text("local-zone: \"").host(host).text(".\" always_transparent").end()?;
    }
    Ok(())
}
