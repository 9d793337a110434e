//! The hosts of listed URLs and the domains of listed mail addresses.
//!
//! A URL stands in a line only if its host does. Hosts are found anyway while looking for names and addresses, so a
//! fast scan needs no look at URLs at all: it asks here whether a host it met is worth reading the line for. To read a
//! line too many is no harm, so filters suffice.

use super::filter::{Filter, FilterBuilder};
use crate::compile::hash::{hash, hash_name};
use crate::observable::{Kind, Shape, Value, kind};
use bytes::Bytes;
use std::net::Ipv6Addr;

/// Salts of the hashes, which keep the two uses and the two kinds of address apart.
const URL: u64 = 1;
const MAIL: u64 = 2;
const V4: u64 = 3;
const V6: u64 = 4;

/// Hosts, and what they host.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    known: Filter,
    has: Has,
}

/// What there is at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Has {
    names: bool,
    ipv4: bool,
    ipv6: bool,
    /// Some listed URL or mail address has a host that no scan for names finds, such as `localhost`.
    hidden: Use,
}

/// What is listed on a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) url: bool,
    pub(crate) mail: bool,
}

/// Collects hosts. Names and IPv4 addresses are told to the caller as well, who has filters of its own for them.
#[derive(Debug)]
pub(crate) struct HostsBuilder {
    known: FilterBuilder,
    has: Has,
}

impl HostsBuilder {
    /// Room for the hosts of this many URLs and mail addresses.
    pub(crate) fn with_capacity(texts: usize) -> Self {
        Self { known: FilterBuilder::with_capacity(texts), has: Has::default() }
    }

    /// Adds the host of a URL or mail address.
    pub(crate) fn add(&mut self, kind: Kind, text: &str, name: &mut dyn FnMut(&str), ipv4: &mut dyn FnMut(u32)) {
        let Self { known, has } = self;
        if kind.shape() == Shape::Url {
            match kind::url::host(&Value::Text(kind, text.into())) {
                Some(Value::Ipv4(address, _)) => {
                    has.ipv4 = true;
                    known.insert(hash(V4, &address.octets()));
                    ipv4(address.into());
                }
                Some(Value::Ipv6(address, _)) => {
                    has.ipv6 = true;
                    known.insert(hash(V6, &address.octets()));
                }
                Some(Value::Text(_, host)) => {
                    has.names = true;
                    known.insert(hash_name(URL, host.as_bytes()));
                    name(&host);
                }
                None => has.hidden.url = true,
            }
        } else if kind == Kind::Email {
            match text.rsplit_once('@') {
                Some((_, host)) if host.contains('.') => {
                    has.names = true;
                    known.insert(hash_name(MAIL, host.as_bytes()));
                    name(host);
                }
                _ => has.hidden.mail = true,
            }
        }
    }

    pub(crate) fn build(self) -> Hosts {
        Hosts { known: self.known.build(), has: self.has }
    }
}

impl Hosts {
    /// Takes hosts from their bytes, and what there is at all.
    pub(crate) fn open(bytes: &Bytes, flags: u8) -> Option<Self> {
        let flag = |bit: u8| flags >> bit & 1 == 1;
        let hidden = Use { url: flag(3), mail: flag(4) };
        let has = Has { names: flag(0), ipv4: flag(1), ipv6: flag(2), hidden };
        Some(Self { known: Filter::open(bytes)?, has })
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        self.known.bytes()
    }

    pub(crate) fn flags(&self) -> u8 {
        let Has { names, ipv4, ipv6, hidden } = self.has;
        let flags = [names, ipv4, ipv6, hidden.url, hidden.mail];
        (0..).zip(flags).fold(0, |all, (bit, flag)| all | u8::from(flag) << bit)
    }

    pub(crate) fn has_names(&self) -> bool {
        self.has.names
    }

    pub(crate) fn has_ipv4(&self) -> bool {
        self.has.ipv4
    }

    pub(crate) fn has_ipv6(&self) -> bool {
        self.has.ipv6
    }

    /// What is listed on hosts that cannot be asked for.
    pub(crate) fn hidden(&self) -> Use {
        self.has.hidden
    }

    /// What may be listed on a name, in upper or lower case.
    pub(crate) fn on_name(&self, name: &[u8]) -> Use {
        let may = |salt| self.known.may_contain(hash_name(salt, name));
        Use { url: self.has.names && may(URL), mail: self.has.names && may(MAIL) }
    }

    /// Whether a URL may be listed on an address.
    pub(crate) fn on_ipv4(&self, address: u32) -> bool {
        self.has.ipv4 && self.known.may_contain(hash(V4, &address.to_be_bytes()))
    }

    /// Whether a URL may be listed on an address.
    pub(crate) fn on_ipv6(&self, address: Ipv6Addr) -> bool {
        self.has.ipv6 && self.known.may_contain(hash(V6, &address.octets()))
    }
}
