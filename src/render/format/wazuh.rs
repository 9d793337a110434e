//! Wazuh CDB lists: `key:value`. A key that holds a colon stands in quotes.
//!
//! A list knows prefixes as the beginnings of dotted addresses alone, so a prefix becomes the shortest set of those.

use super::super::view::Net;
use super::super::{Format, Options, Out, View};
use super::{BASE, Family};
use crate::blocklist::{Item, Prefix, Reason, Refusal};
use crate::observable::Kind;
use std::io;
use std::net::Ipv4Addr;

pub(super) const FAMILY: Family = Family { file: "wazuh", formats: &[WAZUH] };

const WAZUH: Format = Format {
    name: "wazuh",
    about: "Wazuh CDB list",
    kinds: &[Kind::Domain, Kind::Ipv4, Kind::Ipv6, Kind::Url, Kind::Md5, Kind::Sha1, Kind::Sha256],
    // Two addresses of IPv6 would become a prefix.
    merge: false,
    refuses,
    comment: None,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    view.hosts().try_for_each(|host| out.host(host).text(":stockade").end())?;
    // Keys are unique: what is inside of a prefix that was written is left out.
    let mut written = None;
    for net in view.nets() {
        match net {
            Net::V4(prefix) if written.is_some_and(|last| prefix.last() <= last) => {}
            Net::V4(prefix) => {
                written = Some(prefix.last());
                dotted(prefix, out)?;
            }
            Net::V6(_) => out.text("\"").net(net).text("\":stockade").end()?,
        }
    }
    for url in view.urls() {
        for scheme in url.schemes() {
            out.text("\"").text(scheme).url(url).text("\":stockade").end()?;
        }
    }
    view.digests().try_for_each(|digest| out.digest(digest).text(":stockade").end())
}

/// `10.1.0.0/15` as `10.1.` and `10.2.`: whole octets, each with its dot.
fn dotted(prefix: Prefix<u32>, out: &mut Out<'_>) -> io::Result<()> {
    let octets = prefix.len.div_ceil(8).clamp(1, 4);
    let lines = 1_u32 << (u32::from(octets) * 8 - u32::from(prefix.len));
    for line in 0..lines {
        let address = Ipv4Addr::from(prefix.start | line << (32 - u32::from(octets) * 8));
        for (at, octet) in address.octets().into_iter().take(usize::from(octets)).enumerate() {
            out.number(u64::from(octet)).text(if at < 3 { "." } else { "" });
        }
        out.text(":stockade").end()?;
    }
    Ok(())
}

fn refuses(item: Item<'_>, _: &Options) -> Option<Refusal> {
    matches!(item, Item::Ipv6(_, len) if len < 128)
        .then_some(Refusal { reason: Reason::Invalid, detail: "this target knows no IPv6 prefixes" })
}
