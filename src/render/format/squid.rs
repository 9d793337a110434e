//! Squid: the file of an `acl ... dstdomain "FILE"` or `acl ... dst "FILE"`.
//!
//! A name with a dot before it covers what is below it. Squid refuses to start when one such name is below another; a
//! list whose names cover their subdomains holds no such pair.

use super::super::{Format, Options, Out, View};
use super::{BASE, DOMAIN_IP, Family};
use crate::blocklist::Subdomains;
use std::io;

pub(super) const FAMILY: Family = Family { file: "squid", formats: &[SQUID] };

const SQUID: Format = Format {
    name: "squid",
    about: "Squid acl file for dstdomain or dst",
    kinds: DOMAIN_IP,
    one_kind: true,
    subdomains: Subdomains::Option,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    let dot = if view.subdomains() { "." } else { "" };
    view.hosts().try_for_each(|host| out.text(dot).host(host).end())?;
    view.nets().try_for_each(|net| out.net(net).end())
}
