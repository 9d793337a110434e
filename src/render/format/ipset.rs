//! ipset: a set for each family, filled beside the one in use and swapped with it (`ipset restore -file`).
//!
//! `create -exist` fails when a set stands with another `maxelem`, so it is the same for all lists that fit. A set that an
//! interrupted run left behind is used again.

use super::super::view::Net;
use super::super::{Format, Options, Out, View};
use super::{BASE, Family, IP};
use crate::observable::Kind;
use std::io;

pub(super) const FAMILY: Family = Family { file: "ipset", formats: &[IPSET] };

const IPSET: Format = Format {
    name: "ipset",
    about: "ipset: sets stockade4 and stockade6, for ipset restore",
    kinds: IP,
    max_entries: Some(MOST),
    body,
    ..BASE
};

/// What every set is declared to hold at most. It is no allocation.
const MOST: usize = 1 << 24;

fn body(view: &View<'_>, options: &Options, out: &mut Out<'_>) -> io::Result<()> {
    if view.wants(Kind::Ipv4) {
        set("stockade4", "inet", view.ipv4(), options, out)?;
    }
    if view.wants(Kind::Ipv6) {
        set("stockade6", "inet6", view.ipv6(), options, out)?;
    }
    Ok(())
}

fn set(
    name: &'static str,
    family: &'static str,
    nets: impl Iterator<Item = Net>,
    options: &Options,
    out: &mut Out<'_>,
) -> io::Result<()> {
    for suffix in ["", "-new"] {
        out.text("create ").text(name).text(suffix).text(" hash:net family ").text(family);
        out.text(" maxelem ").number(MOST as u64);
        if let Some(seconds) = options.timeout {
            out.text(" timeout ").number(u64::from(seconds));
        }
        out.text(" -exist").end()?;
    }
    out.text("flush ").text(name).text("-new").end()?;
    // A set takes no prefix of length zero.
    for net in nets.flat_map(Net::halves) {
        out.text("add ").text(name).text("-new ").net(net).text(" -exist").end()?;
    }
    out.text("swap ").text(name).text("-new ").text(name).end()?;
    out.text("destroy ").text(name).text("-new").end()
}
