//! Postfix access tables: names for `hash:` (`access(5)`), prefixes for `cidr:` (`cidr_table(5)`).
//!
//! Whether `example.org` stands for its subdomains, or `.example.org` does, is a setting (`parent_domain_matches_subdomains`);
//! both are written, so they do in any case.

use super::super::{Format, Options, Out, View};
use super::{BASE, DOMAIN_IP, Family};
use crate::blocklist::Subdomains;
use std::io;

pub(super) const FAMILY: Family = Family { file: "postfix", formats: &[POSTFIX] };

const POSTFIX: Format = Format {
    name: "postfix",
    about: "Postfix access table: names for hash:, addresses for cidr:",
    kinds: DOMAIN_IP,
    one_kind: true,
    subdomains: Subdomains::Always,
    body,
    ..BASE
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    for host in view.hosts() {
        out.host(host).text(" REJECT").end()?;
        out.text(".").host(host).text(" REJECT").end()?;
    }
    view.nets().try_for_each(|net| out.net(net).text(" REJECT").end())
}
