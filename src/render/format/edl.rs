//! External dynamic lists, as appliances fetch them: one value a line, one kind a file.
//!
//! A URL is written from its host on, as appliances compare it, for http and https; it ends in a path, so `evil.example/`
//! is no beginning of `evil.example.org/`. Beyond its limit an appliance leaves lines out without asking which.

use super::super::view::{Net, Url};
use super::super::{Format, Options, Out, View};
use super::{BASE, DOMAIN_IP_URL, Family, plain};
use crate::blocklist::{Item, Reason, Refusal, Subdomains};
use crate::observable::Kind;
use std::io;

pub(super) const FAMILY: Family = Family { file: "edl", formats: &[EDL, PALO_ALTO, FORTINET, CISCO] };

const EDL: Format = Format {
    name: "edl",
    about: "external dynamic list of an appliance",
    kinds: DOMAIN_IP_URL,
    one_kind: true,
    subdomains: Subdomains::Option,
    refuses: not_of_the_web,
    body,
    ..BASE
};

const PALO_ALTO: Format = Format {
    name: "palo-alto",
    about: "external dynamic list of PAN-OS, within the limit of small models",
    max_entries: Some(50_000),
    ..EDL
};

const FORTINET: Format = Format {
    name: "fortinet",
    about: "FortiOS threat feed, within the limit of versions before 7.4.4",
    kinds: &[Kind::Domain, Kind::Ipv4, Kind::Ipv6, Kind::Url, Kind::Md5, Kind::Sha1, Kind::Sha256],
    max_entries: Some(131_072),
    ..EDL
};

const CISCO: Format = Format {
    name: "cisco",
    about: "Cisco security intelligence feed; a name covers its subdomains",
    subdomains: Subdomains::Always,

    ..EDL
};

fn body(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    view.hosts().try_for_each(|host| out.host(host).end())?;
    // A feed that holds a prefix of length zero is refused as a whole.
    view.nets().flat_map(Net::halves).try_for_each(|net| out.net(net).end())?;
    for url in each_once(view) {
        out.url_after_scheme(url).end()?;
    }
    view.digests().try_for_each(|digest| out.digest(digest).end())
}

/// URLs in order of what follows their scheme, each once.
pub(super) fn each_once<'v>(view: &View<'v>) -> Vec<Url<'v>> {
    let mut urls: Vec<Url<'_>> = view.urls().collect();
    urls.sort_unstable_by_key(|url| url.after_scheme());
    urls.dedup_by_key(|url| url.after_scheme());
    urls
}

pub(super) fn not_of_the_web(item: Item<'_>, options: &Options) -> Option<Refusal> {
    if let Item::Url(url) = item
        && Url::new(url).is_some_and(|url| !matches!(url.scheme(), None | Some("http" | "https")))
    {
        return Some(Refusal { reason: Reason::Invalid, detail: "not an http or https URL" });
    }
    plain::no_secrets(item, options)
}
