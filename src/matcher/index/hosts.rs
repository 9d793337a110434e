//! The hosts of listed URLs and the domains of listed mail addresses.
//!
//! A URL stands in a line only if its host does. Hosts are found anyway while looking for names and addresses, so a
//! fast scan needs no look at URLs at all: it asks here whether a host it met is worth reading the line for.

use crate::compile::Atoms;
use crate::observable::{Kind, Shape, Value, kind};
use std::collections::HashMap;
use std::net::Ipv6Addr;

/// Hosts, and what they host.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    names: HashMap<Box<str>, Use, foldhash::fast::FixedState>,
    ipv4: HashMap<u32, Use, foldhash::fast::FixedState>,
    ipv6: HashMap<Ipv6Addr, Use, foldhash::fast::FixedState>,
    /// Some listed URL or mail address has a host that no scan for names finds, such as `localhost`.
    hidden: Use,
}

/// What is listed on a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) url: bool,
    pub(crate) mail: bool,
}

impl Hosts {
    pub(crate) fn new(atoms: &Atoms, takes_part: &dyn Fn(u32) -> bool) -> Self {
        let mut hosts = Self::default();
        for atom in atoms.texts().iter().filter(|atom| takes_part(atom.entry)) {
            let Ok(text) = std::str::from_utf8(atoms.bytes(atom)) else { continue };
            if atom.kind.shape() == Shape::Url {
                match kind::url::host(&Value::Text(atom.kind, text.into())) {
                    Some(Value::Ipv4(address, _)) => hosts.ipv4.entry(address.into()).or_default().url = true,
                    Some(Value::Ipv6(address, _)) => hosts.ipv6.entry(address).or_default().url = true,
                    Some(Value::Text(_, name)) => hosts.names.entry(name).or_default().url = true,
                    None => hosts.hidden.url = true,
                }
            } else if atom.kind == Kind::Email {
                match text.rsplit_once('@') {
                    Some((_, name)) if name.contains('.') => hosts.names.entry(name.into()).or_default().mail = true,
                    _ => hosts.hidden.mail = true,
                }
            }
        }
        hosts
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(AsRef::as_ref)
    }

    pub(crate) fn ipv4(&self) -> impl Iterator<Item = u32> {
        self.ipv4.keys().copied()
    }

    pub(crate) fn has_ipv6(&self) -> bool {
        !self.ipv6.is_empty()
    }

    /// What is listed on hosts that cannot be asked for.
    pub(crate) fn hidden(&self) -> Use {
        self.hidden
    }

    /// What is listed on a name, in lower case.
    pub(crate) fn on_name(&self, name: &[u8]) -> Use {
        std::str::from_utf8(name).ok().and_then(|name| self.names.get(name)).copied().unwrap_or_default()
    }

    pub(crate) fn on_ipv4(&self, address: u32) -> Use {
        self.ipv4.get(&address).copied().unwrap_or_default()
    }

    pub(crate) fn on_ipv6(&self, address: Ipv6Addr) -> Use {
        self.ipv6.get(&address).copied().unwrap_or_default()
    }
}
