//! What may be written, and what never: the policy, and the shield that it raises around what must stay reachable.

use super::list::{Prefix, Subdomains};
use super::ranges::Ranges;
use super::reason::Reason;
use super::{special, well_known};
use crate::compile::{Filter, IndicatorRef, Status, pack};
use crate::observable::kind::domain;
use crate::observable::{Invalid, Kind, Value, classify};
use std::collections::HashMap;
use std::net::Ipv6Addr;

/// The rules by which a list is made, apart from the [`Filter`] of indicators. The default is that of the command.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Leave out indicators that state no confidence.
    pub require_confidence: bool,
    /// Seconds after `modified` at which a value of a kind grows too old, unless its indicator has a `valid_until`.
    pub max_age: Vec<(Kind, u64)>,
    /// A listed name stands for those below it, where the format leaves the choice.
    pub subdomains: bool,
    /// Never written: see [`allowed`].
    pub allow: Vec<Value>,
    /// Never written, because it is ours.
    pub own: Vec<Value>,
    /// Never written while the guard of well-known hosts is on: servers that we ask ourselves.
    pub in_use: Vec<Value>,
    /// Guards that are switched off.
    pub unguard: Vec<Guard>,
    /// The most entries; the least confident beyond are left out.
    pub max_entries: Option<usize>,
    /// The widest IPv4 prefix that passes, as its length.
    pub min_prefix_v4: u8,
    /// The widest IPv6 prefix that passes, as its length.
    pub min_prefix_v6: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            require_confidence: false,
            max_age: Vec::new(),
            subdomains: true,
            allow: Vec::new(),
            own: Vec::new(),
            in_use: Vec::new(),
            unguard: Vec::new(),
            max_entries: None,
            min_prefix_v4: 8,
            min_prefix_v6: 19,
        }
    }
}

/// A guard rail that can be switched off by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guard {
    /// Special-purpose addresses: private, loopback, documentation, multicast and the like.
    Special,
    /// Prefixes wider than the policy takes.
    Prefix,
    /// Names under which anybody may register: `com`, `co.uk`, `github.io`.
    Suffix,
    /// Root servers, public resolvers, time and update hosts, servers in use, the digest of the empty file.
    WellKnown,
}

impl Guard {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Special, Self::Prefix, Self::Suffix, Self::WellKnown];

    /// Its name in flags and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Special => "special",
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::WellKnown => "well-known",
        }
    }

    /// The guard of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guard| guard.name() == name)
    }
}

impl Policy {
    /// Whether a guard is on.
    pub fn guards(&self, guard: Guard) -> bool {
        !self.unguard.contains(&guard)
    }

    /// Whether a listed name stands for those below it in a format.
    pub fn covers_subdomains(&self, format: Subdomains) -> bool {
        match format {
            Subdomains::Option => self.subdomains,
            Subdomains::Always => true,
            Subdomains::Never => false,
        }
    }

    /// Whether what an indicator says may be written.
    pub(super) fn verdict(&self, indicator: &IndicatorRef<'_>, filter: &Filter) -> Verdict {
        let reason = match indicator.status(filter) {
            Status::Active if self.require_confidence && indicator.confidence().is_none() => Reason::Confidence,
            Status::Active => return Verdict::Written,
            Status::Superseded | Status::Duplicate => return Verdict::Elsewhere,
            Status::NotYetValid => Reason::NotYetValid,
            Status::Expired => Reason::Expired,
            Status::Revoked => Reason::Revoked,
            Status::Confidence => Reason::Confidence,
            Status::Label => Reason::Label,
            Status::Type => Reason::Type,
            Status::Tlp => Reason::Tlp,
        };
        Verdict::Held(reason)
    }

    /// Whether a value has grown too old.
    pub(super) fn too_old(&self, kind: Kind, indicator: &IndicatorRef<'_>, filter: &Filter) -> bool {
        let Some((_, age)) = self.max_age.iter().find(|(of, _)| *of == kind) else { return false };
        if indicator.valid_until().is_some() || filter.include_expired {
            return false;
        }
        let age = i64::try_from(*age).unwrap_or(i64::MAX);
        // The beginning of 1970 stands for a time that a feed does not state.
        let modified = indicator.modified().filter(|modified| modified.seconds != 0);
        modified.is_some_and(|modified| modified.seconds.saturating_add(age) <= filter.at.seconds)
    }
}

/// Reads a value of an allowlist: as [`classify`] does, but a single label is a name too, and `.example.com` and
/// `*.example.com` are what `example.com` is, which stands for all below it.
///
/// # Errors
/// It is no value.
pub fn allowed(text: &str) -> Result<Value, Invalid> {
    let text = text.trim();
    let text = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let single = !text.contains(['.', ':', '/', '@', '[', ']']) && text.bytes().any(|byte| !byte.is_ascii_hexdigit());
    match classify(text) {
        Err(_) if single => domain::host(text.as_bytes()).map(|name| Value::Text(Kind::Domain, name.into())),
        value => value,
    }
}

/// What policy and time make of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Written,
    Held(Reason),
    /// Another version of it is the one to look at.
    Elsewhere,
}

/// Why something must stay reachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Own,
    Allow,
    Guard(Guard),
}

impl Cause {
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Own => Reason::Own,
            Self::Allow => Reason::Allow,
            Self::Guard(_) => Reason::Guard,
        }
    }

    /// The reason for a listed name that stands for a name that must stay reachable.
    pub(super) const fn reason_above(self) -> Reason {
        match self {
            Self::Allow => Reason::CoversAllowed,
            cause => cause.reason(),
        }
    }

    pub(super) const fn detail(self) -> &'static str {
        match self {
            Self::Own => "our own",
            Self::Allow => "on the allowlist",
            Self::Guard(guard) => guard.name(),
        }
    }
}

/// All that must stay reachable, ready to be looked up. Of several causes the first in the order of [`Cause`] counts.
#[derive(Debug, Default)]
pub(super) struct Shield {
    /// Names in the order of [`super::reversed`], each standing for what is below it.
    names: Vec<(Box<str>, Cause)>,
    by_name: HashMap<Box<str>, Cause, foldhash::fast::FixedState>,
    pub(super) ipv4: Vec<(Cause, Ranges<u32>)>,
    pub(super) ipv6: Vec<(Cause, Ranges<u128>)>,
    texts: HashMap<(Kind, Box<str>), Cause, foldhash::fast::FixedState>,
    digests: HashMap<(Kind, Box<[u8]>), Cause, foldhash::fast::FixedState>,
}

impl Shield {
    pub(super) fn new(policy: &Policy) -> Self {
        let mut shield = Self::default();
        shield.add(Cause::Own, policy.own.iter().cloned(), [], []);
        shield.add(Cause::Allow, policy.allow.iter().cloned(), [], []);
        if policy.guards(Guard::WellKnown) {
            let hosts = well_known::ADDRESSES.iter().chain(well_known::NAMES).chain(well_known::EMPTY_FILE);
            let hosts = hosts.filter_map(|text| classify(text).ok()).chain(policy.in_use.iter().cloned());
            shield.add(Cause::Guard(Guard::WellKnown), hosts, [], []);
        }
        if policy.guards(Guard::Special) {
            let (ipv4, ipv6) = (special::IPV4.iter().copied(), special::IPV6.iter().copied());
            shield.add(Cause::Guard(Guard::Special), [], ipv4, ipv6);
        }
        shield.names = shield.by_name.iter().map(|(name, cause)| (name.clone(), *cause)).collect();
        shield.names.sort_unstable_by(|a, b| super::reversed(&a.0, &b.0));
        shield
    }

    fn add(
        &mut self,
        cause: Cause,
        values: impl IntoIterator<Item = Value>,
        ipv4: impl IntoIterator<Item = (u32, u8)>,
        ipv6: impl IntoIterator<Item = (u128, u8)>,
    ) {
        let (mut ipv4, mut ipv6) = (Vec::from_iter(ipv4), Vec::from_iter(ipv6));
        for value in values {
            match value {
                Value::Ipv4(address, len) => ipv4.push((address.into(), len)),
                Value::Ipv6(address, len) => ipv6.push((address.into(), len)),
                Value::Text(Kind::Domain, name) => {
                    self.by_name.entry(name).or_insert(cause);
                }
                Value::Text(kind, text) if kind.object_type() == "file" => {
                    let mut bytes = Vec::new();
                    pack(kind, text.as_bytes(), &mut bytes);
                    self.digests.entry((kind, bytes.into())).or_insert(cause);
                }
                Value::Text(kind, text) => {
                    self.texts.entry((kind, text)).or_insert(cause);
                }
            }
        }
        self.ipv4.push((cause, Ranges::new(ipv4.into_iter().map(|(start, len)| Prefix::containing(start, len)))));
        self.ipv6.push((cause, Ranges::new(ipv6.into_iter().map(|(start, len)| Prefix::containing(start, len)))));
    }

    /// Names from one on, in order.
    pub(super) fn from(&self, name: &str) -> &[(Box<str>, Cause)] {
        &self.names[self.names.partition_point(|(shielded, _)| super::reversed(shielded, name).is_lt())..]
    }

    /// Names above one, the highest first.
    pub(super) fn above<'n>(&'n self, name: &'n str) -> impl Iterator<Item = (&'n str, Cause)> {
        let above = name.rmatch_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        above.filter_map(|name| Some((name, *self.by_name.get(name)?)))
    }

    /// What shields a name or one above it.
    pub(super) fn name(&self, name: &str) -> Option<Cause> {
        let above = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        std::iter::once(name).chain(above).find_map(|name| self.by_name.get(name).copied())
    }

    /// What shields an address.
    pub(super) fn ipv4(&self, address: u32) -> Option<Cause> {
        let host = Prefix { start: address, len: 32 };
        self.ipv4.iter().find(|(_, ranges)| ranges.cover(host)).map(|(cause, _)| *cause)
    }

    /// What shields an address.
    pub(super) fn ipv6(&self, address: u128) -> Option<Cause> {
        let host = Prefix { start: address, len: 128 };
        self.ipv6.iter().find(|(_, ranges)| ranges.cover(host)).map(|(cause, _)| *cause)
    }

    /// What shields the host of a URL.
    pub(super) fn address(&self, address: Ipv6Addr) -> Option<Cause> {
        match address.to_ipv4_mapped() {
            Some(mapped) => self.ipv4(mapped.into()),
            None => self.ipv6(address.into()),
        }
    }

    /// What shields a digest.
    pub(super) fn digest(&self, kind: Kind, bytes: &[u8]) -> Option<Cause> {
        self.digests.get(&(kind, Box::from(bytes))).copied()
    }

    /// What shields a URL or mail address itself.
    pub(super) fn text(&self, kind: Kind, text: &str) -> Option<Cause> {
        if self.texts.is_empty() {
            return None;
        }
        self.texts.get(&(kind, Box::from(text))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowlists_hold_names_in_several_spellings() {
        for (text, expected) in [
            ("Example.COM.", "example.com"),
            (".example.com", "example.com"),
            ("*.example.com", "example.com"),
            ("corp", "corp"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("https://example.com/a", "https://example.com/a"),
        ] {
            assert_eq!(allowed(text).map(|value| value.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "*", "a b", "1.2.3.4/99", "abcdef"] {
            assert!(allowed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_row_of_the_tables_is_a_value() {
        for text in well_known::ADDRESSES.iter().chain(well_known::NAMES).chain(well_known::EMPTY_FILE) {
            let value = classify(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(value.to_string(), *text);
        }
        for (start, len) in special::IPV4 {
            assert_eq!(Prefix::containing(*start, *len).start, *start);
        }
        for (start, len) in special::IPV6 {
            assert_eq!(Prefix::containing(*start, *len).start, *start);
        }
    }

    #[test]
    fn the_first_cause_counts() {
        let value = |text| allowed(text).expect("a value");
        let policy = Policy { own: vec![value("10.0.0.0/8")], allow: vec![value("8.8.8.8")], ..Policy::default() };
        let shield = Shield::new(&policy);
        assert_eq!(shield.ipv4(0x0a00_0001), Some(Cause::Own));
        assert_eq!(shield.ipv4(0x0808_0808), Some(Cause::Allow));
        assert_eq!(shield.ipv4(0x0808_0404), Some(Cause::Guard(Guard::WellKnown)));
        assert_eq!(shield.ipv4(0x7f00_0001), Some(Cause::Guard(Guard::Special)));
        assert_eq!(shield.ipv4(0x0505_0505), None);
        assert_eq!(shield.name("a.root-servers.net"), Some(Cause::Guard(Guard::WellKnown)));
        assert_eq!(shield.name("net"), None);
    }
}
