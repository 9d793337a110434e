//! Plain lists: one value a line, for whatever reads lists.

use super::super::view::Url;
use super::super::{Format, Options, Out, View};
use super::{BASE, DOMAIN, Family, HASH, IP};
use crate::blocklist::{Item, Reason, Refusal, Subdomains};
use crate::observable::Kind;
use std::io;

pub(super) const FAMILY: Family = Family { file: "plain", formats: &[DOMAINS, IPS, URLS, HASHES] };

const DOMAINS: Format = Format {
    name: "domains",
    about: "names, one a line",
    kinds: DOMAIN,
    subdomains: Subdomains::Option,
    body: |view, _, out| view.hosts().try_for_each(|host| out.host(host).end()),
    ..BASE
};

const IPS: Format = Format {
    name: "ips",
    about: "addresses and prefixes, one a line",
    kinds: IP,
    body: |view, _, out| view.nets().try_for_each(|net| out.net(net).end()),
    ..BASE
};

const URLS: Format = Format {
    name: "urls",
    about: "URLs, one a line; those without scheme once for http and once for https",
    kinds: &[Kind::Url],
    refuses: no_secrets,
    body: urls,
    ..BASE
};

const HASHES: Format = Format {
    name: "hashes",
    about: "MD5, SHA-1 and SHA-256 digests, one a line",
    kinds: HASH,
    body: |view, _, out| view.digests().try_for_each(|digest| out.digest(digest).end()),
    ..BASE
};

fn urls(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    for url in view.urls() {
        for scheme in url.schemes() {
            out.text(scheme).url(url).end()?;
        }
    }
    Ok(())
}

/// Userinfo and fragment are never sent as part of the URL, so a list entry with one matches nothing, or not what was meant.
pub(super) fn no_secrets(item: Item<'_>, _: &Options) -> Option<Refusal> {
    let Item::Url(url) = item else { return None };
    let url = Url::new(url)?;
    let refuse = |detail| Some(Refusal { reason: Reason::Invalid, detail });
    if url.has_userinfo() {
        return refuse("a URL with userinfo is not seen by this target");
    }
    if url.text().contains('#') {
        return refuse("a URL with a fragment is not seen by this target");
    }
    None
}
