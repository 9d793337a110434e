//! nftables: a table of our own that drops what comes from or goes to a listed address, in one transaction.
//!
//! The table is made anew each time: deleting it and filling fresh sets loads a million prefixes in seconds, where
//! refilling a set, or letting nft merge (`auto-merge`), takes minutes. Declaring the table first keeps the deletion from
//! failing when it is not there. Nothing else in the ruleset is touched.

use super::super::view::Net;
use super::super::{Action, Format, Options, Out, View};
use super::{BASE, Family, IP};
use std::io;

pub(super) const FAMILY: Family = Family { file: "nftables", formats: &[NFTABLES] };

const NFTABLES: Format = Format {
    name: "nftables",
    about: "nftables: table inet stockade, for nft -f",
    kinds: IP,
    actions: &[Action::Drop, Action::Refuse],
    body,
    ..BASE
};

fn body(view: &View<'_>, options: &Options, out: &mut Out<'_>) -> io::Result<()> {
    out.text("table inet stockade\ndelete table inet stockade\ntable inet stockade {").end()?;
    set("\tset blocked4 {\n\t\ttype ipv4_addr", view.ipv4(), options, out)?;
    set("\tset blocked6 {\n\t\ttype ipv6_addr", view.ipv6(), options, out)?;
    let verdict = if view.action() == Action::Refuse { " counter reject" } else { " counter drop" };
    for (hook, directions) in [
        ("\tchain input {\n\t\ttype filter hook input priority -10; policy accept;", &["saddr"][..]),
        ("\tchain forward {\n\t\ttype filter hook forward priority -10; policy accept;", &["saddr", "daddr"]),
        ("\tchain output {\n\t\ttype filter hook output priority -10; policy accept;", &["daddr"]),
    ] {
        out.text(hook).end()?;
        for direction in directions {
            for (protocol, set) in [("\t\tip ", " @blocked4"), ("\t\tip6 ", " @blocked6")] {
                out.text(protocol).text(direction).text(set).text(verdict).end()?;
            }
        }
        out.text("\t}").end()?;
    }
    out.text("}").end()
}

fn set(start: &'static str, nets: impl Iterator<Item = Net>, options: &Options, out: &mut Out<'_>) -> io::Result<()> {
    out.text(start).end()?;
    match options.timeout {
        Some(seconds) => {
            out.text("\t\tflags interval, timeout\n\t\ttimeout ").number(u64::from(seconds)).text("s").end()?;
        }
        None => out.text("\t\tflags interval").end()?,
    }
    let mut any = false;
    for net in nets {
        if any {
            out.text(",").end()?;
        } else {
            out.text("\t\telements = {").end()?;
        }
        any = true;
        out.net(net);
    }
    if any {
        out.end()?;
        out.text("\t\t}").end()?;
    }
    out.text("\t}").end()
}
