//! dnscrypt-proxy's `blocked-names.txt`: a name with its subdomains, or `=name` alone.

use super::super::Format;
use super::{BASE, DOMAIN, Family};
use crate::blocklist::Subdomains;

pub(super) const FAMILY: Family = Family { file: "dnscrypt", formats: &[DNSCRYPT] };

const DNSCRYPT: Format = Format {
    name: "dnscrypt-proxy",
    about: "dnscrypt-proxy blocked names",
    kinds: DOMAIN,
    subdomains: Subdomains::Option,
    body: |view, _, out| {
        let sign = if view.subdomains() { "" } else { "=" };
        view.hosts().try_for_each(|host| out.text(sign).host(host).end())
    },
    ..BASE
};
