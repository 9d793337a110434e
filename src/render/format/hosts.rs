//! A hosts file (hosts(5)): names lead to an address where nobody is. It knows no subdomains.

use super::super::{Action, Format, Options, Out, View};
use super::{BASE, DOMAIN, Family};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const FAMILY: Family = Family { file: "hosts", formats: &[HOSTS] };

const HOSTS: Format = Format {
    name: "hosts",
    about: "hosts file; names alone, without their subdomains",
    kinds: DOMAIN,
    actions: &[Action::Nxdomain, Action::Sinkhole],
    body,
    ..BASE
};

/// Both families, or a resolver asks elsewhere for the other.
fn body(view: &View<'_>, options: &Options, out: &mut Out<'_>) -> io::Result<()> {
    let nowhere = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    let sinkhole = view.action() == Action::Sinkhole;
    let addresses = if sinkhole { options.sinkhole.as_slice() } else { &nowhere };
    for host in view.hosts() {
        for address in addresses {
            out.address(*address).text(" ").host(host).end()?;
        }
    }
    Ok(())
}
