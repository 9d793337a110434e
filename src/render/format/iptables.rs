//! iptables: a chain `STOCKADE` for iptables-restore and ip6tables-restore, both with `--noflush`.
//!
//! Rules marked `-4` or `-6` are read by one of the two programs and passed over by the other (iptables(8)). The chain is
//! replaced; jumping to it from INPUT, FORWARD and OUTPUT is up to the rules that stand. It is searched one by one: above
//! a few thousand prefixes, `ipset` is the better format.

use super::super::view::Net;
use super::super::{Action, Format, Options, Out, View};
use super::{BASE, Family, IP};
use std::io;

pub(super) const FAMILY: Family = Family { file: "iptables", formats: &[IPTABLES] };

const IPTABLES: Format = Format {
    name: "iptables",
    about: "iptables: chain STOCKADE, for iptables-restore -n and ip6tables-restore -n",
    kinds: IP,
    actions: &[Action::Drop, Action::Refuse],
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    let verdict = if view.action() == Action::Refuse { " -j REJECT" } else { " -j DROP" };
    out.text("*filter\n:STOCKADE - [0:0]").end()?;
    for net in view.nets() {
        let family = if matches!(net, Net::V4(_)) { "-4 -A STOCKADE " } else { "-6 -A STOCKADE " };
        for direction in ["-s ", "-d "] {
            out.text(family).text(direction).cidr(net).text(verdict).end()?;
        }
    }
    out.text("COMMIT").end()
}
