//! HAProxy pattern files: names for `-m end` against the host with a dot put before it, prefixes for `src`.
//!
//! ```text
//! http-request deny if { req.hdr(host),field(1,:),lower,regsub(^,.) -m end -f FILE }
//! ```
//!
//! (`-m dom` finds a name between any dots, so it would also block `evil.example.good.org`.)

use super::super::{Format, Options, Out, View};
use super::{BASE, DOMAIN_IP, Family};
use crate::blocklist::Subdomains;
use std::io;

pub(super) const FAMILY: Family = Family { file: "haproxy", formats: &[HAPROXY] };

const HAPROXY: Format = Format {
    name: "haproxy",
    about: "HAProxy pattern file; names for -m end, with the dot before them",
    kinds: DOMAIN_IP,
    one_kind: true,
    subdomains: Subdomains::Always,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    view.hosts().try_for_each(|host| out.text(".").host(host).end())?;
    view.nets().try_for_each(|net| out.net(net).end())
}
