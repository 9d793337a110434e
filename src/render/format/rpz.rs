//! A response policy zone: BIND, Knot Resolver, Unbound, PowerDNS Recursor (`draft-vixie-dnsop-dns-rpz`).
//!
//! Names are relative to the zone, and each takes a record for itself and one for what is below it. An address is a name
//! too: the length of the prefix and the address backwards, under `rpz-ip`. Names that end in a label of that kind would
//! be triggers of another sort, and one name that does not fit with its zone makes servers refuse the whole zone.

use super::super::view::{Host, Net};
use super::super::{Action, Format, Options, Out, View};
use super::{BASE, DOMAIN_IP, Family};
use crate::blocklist::{Item, Reason, Refusal, Subdomains};
use crate::observable::kind::domain::MAX_BYTES;
use std::io;
use std::net::IpAddr;

pub(super) const FAMILY: Family = Family { file: "rpz", formats: &[RPZ] };

const RPZ: Format = Format {
    name: "rpz",
    about: "DNS response policy zone",
    kinds: DOMAIN_IP,
    subdomains: Subdomains::Option,
    exceptions: true,
    refuses,
    actions: &[Action::Nxdomain, Action::Nodata, Action::Drop, Action::Sinkhole],
    comment: Some(";"),
    body,
    ..BASE
};

fn body(view: &View<'_>, options: &Options, out: &mut Out<'_>) -> io::Result<()> {
    out.text("$TTL 300").end()?;
    out.text("@ SOA localhost. hostmaster.localhost. ").number(u64::from(options.serial));
    out.text(" 3600 600 86400 300").end()?;
    out.text("@ NS localhost.").end()?;
    let records = Records::new(view.action(), options);
    for host in view.hosts() {
        records.of_name(host, view.subdomains(), out)?;
    }
    let passthru = Records { target: "rpz-passthru.", addresses: &[] };
    for host in view.exceptions() {
        passthru.of_name(host, true, out)?;
    }
    for net in view.nets() {
        records.write(out, |out| ip_name(net, out))?;
    }
    Ok(())
}

/// What an answer is replaced with: addresses, or the target of an alias.
struct Records<'o> {
    target: &'static str,
    addresses: &'o [IpAddr],
}

impl<'o> Records<'o> {
    fn new(action: Action, options: &'o Options) -> Self {
        let target = match action {
            Action::Nodata => "*.",
            Action::Drop => "rpz-drop.",
            Action::Nxdomain | Action::Refuse | Action::Sinkhole => ".",
        };
        Self { target, addresses: if action == Action::Sinkhole { &options.sinkhole } else { &[] } }
    }

    fn of_name(&self, host: Host<'_>, subdomains: bool, out: &mut Out<'_>) -> io::Result<()> {
        // One address at a name that no host may have, and BIND refuses the zone ("check-names"): such a name does not exist.
        if !self.addresses.is_empty() && !host.is_hostname() {
            return Self { target: ".", addresses: &[] }.of_name(host, subdomains, out);
        }
        self.write(out, |out| _ = out.host(host))?;
        if subdomains {
            self.write(out, |out| _ = out.text("*.").host(host))?;
        }
        Ok(())
    }

    fn write(&self, out: &mut Out<'_>, owner: impl Fn(&mut Out<'_>)) -> io::Result<()> {
        if self.addresses.is_empty() {
            owner(out);
            return out.text(" CNAME ").text(self.target).end();
        }
        for address in self.addresses {
            owner(out);
            let kind = if matches!(address, IpAddr::V4(_)) { " A " } else { " AAAA " };
            out.text(kind).address(*address).end()?;
        }
        Ok(())
    }
}

/// `24.0.2.0.192.rpz-ip`; in IPv6 `zz` stands for what `::` stands for in the canonical spelling of the address (RFC 5952
/// section 4.2): the longest run of two or more zero groups, of equals the first. BIND takes no other.
fn ip_name(net: Net, out: &mut Out<'_>) {
    out.number(u64::from(net.length()));
    match net.first() {
        IpAddr::V4(address) => {
            for octet in address.octets().into_iter().rev() {
                out.text(".").number(u64::from(octet));
            }
        }
        IpAddr::V6(address) => {
            let mut groups = address.segments();
            groups.reverse();
            let zeros = longest_zeros(&groups);
            let mut at = 0;
            while let Some(group) = groups.get(at) {
                match zeros {
                    Some((start, length)) if start == at => {
                        out.text(".zz");
                        at += length;
                    }
                    _ => {
                        out.text(".").hex(*group);
                        at += 1;
                    }
                }
            }
        }
    }
    out.text(".rpz-ip");
}

/// Where the last longest run of at least two zeros begins, and how long it is. Backwards, it is the first.
fn longest_zeros(groups: &[u16]) -> Option<(usize, usize)> {
    let mut best = (0, 2);
    let mut length = 0;
    for (at, group) in groups.iter().enumerate() {
        length = if *group == 0 { length + 1 } else { 0 };
        if length >= best.1 {
            best = (at + 1 - length, length);
        }
    }
    groups.get(best.0..best.0 + best.1).is_some_and(|run| run.iter().all(|group| *group == 0)).then_some(best)
}

fn refuses(item: Item<'_>, options: &Options) -> Option<Refusal> {
    let zone = options.zone.trim_end_matches('.').len();
    let room = MAX_BYTES.saturating_sub(zone + 1);
    let too_long = Refusal { reason: Reason::Limit, detail: "name and zone are longer than 253 bytes together" };
    match item {
        Item::Name(name) => {
            // Two bytes for `*.`, in any case: whether a name fits should not depend on the policy.
            (name.len() + 2 > room).then_some(too_long)
        }
        // The longest name of an address: length, eight groups of four digits, `rpz-ip`.
        Item::Ipv4(..) | Item::Ipv6(..) => (3 + 8 * 5 + 7 > room).then_some(too_long),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_to_fit_with_its_zone_and_its_wildcard() {
        let name = |length: usize| format!("{}.example", "a.".repeat(length / 2 - 4).trim_end_matches('.'));
        let refusal = |name: &str, zone: &str| {
            refuses(Item::Name(name), &Options { zone: zone.to_owned(), ..Options::default() })
                .map(|refusal| refusal.reason)
        };
        let zone = "rpz.local";
        // 253 bytes, less zone, the dot before it, and `*.`.
        assert_eq!(name(242).len(), 241);
        assert_eq!(refusal(&name(242), zone), None);
        assert_eq!(refusal(&format!("b{}", name(242)), zone), Some(Reason::Limit));
        assert_eq!(refusal("a.example", &"a.".repeat(126)), Some(Reason::Limit));
        assert_eq!(refusal("rpz-ip.example", zone), None);
    }

    #[test]
    fn the_last_longest_run_of_zeros_is_left_out() {
        for (groups, expected) in [
            ([1, 0, 0, 0, 0, 0, 0xdb8, 0x2001], Some((1, 5))),
            ([1, 0, 0, 1, 1, 0, 0, 1], Some((5, 2))),
            ([1, 0, 1, 0, 1, 0, 1, 1], None),
            ([0, 0, 1, 1, 1, 1, 1, 1], Some((0, 2))),
            ([0; 8], Some((0, 8))),
        ] {
            assert_eq!(longest_zeros(&groups), expected, "{groups:?}");
        }
    }
}
