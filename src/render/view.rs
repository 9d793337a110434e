//! What a format may see of a list: values in types of their own, each of whose bytes was looked at.
//!
//! The policy hands over normal forms. They are looked at once more here, where they meet the syntax of a target: it costs
//! a few milliseconds in a million, and no mistake before this line can put a quote or the end of a line into a resolver's
//! configuration.

use super::{Action, Format, Options, Written};
use crate::blocklist::{Blocklist, Credit, Digest, IndicatorRef, Item, Name, Prefix, Text};
use crate::observable::Kind;
use crate::observable::kind::domain::MAX_BYTES;
use crate::observable::kind::email::is_local;
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A name: dotted labels of 1 to 63 lower-case letters, digits, hyphens and underscores.
#[derive(Clone, Copy)]
pub(super) struct Host<'v>(&'v str);

/// A URL in normal form: ASCII without space, quotes, angle brackets, backslash, backtick, braces, `^` and `|`.
#[derive(Clone, Copy)]
pub(super) struct Url<'v>(&'v str);

/// A mail address: a local part of RFC 5322's plain characters, `@` and a name.
#[derive(Clone, Copy)]
pub(super) struct Mail<'v>(&'v str);

/// A prefix of either family.
#[derive(Clone, Copy)]
pub(super) enum Net {
    V4(Prefix<u32>),
    V6(Prefix<u128>),
}

/// One entry of any kind, with what its indicators are found by.
#[derive(Clone, Copy)]
pub(super) enum Any<'v> {
    Host(Host<'v>, &'v Name<'v>),
    Net(Net),
    Url(Url<'v>, &'v Text<'v>),
    Mail(Mail<'v>, &'v Text<'v>),
    Digest(&'v Digest<'v>),
}

impl<'v> Any<'v> {
    /// An entry by its number in the list, counted through all kinds. For one that [`Look::entry`] handed out before.
    pub(super) fn numbered(list: &'v Blocklist<'v>, number: u32) -> Option<Self> {
        let mut at = number as usize;
        macro_rules! among {
            ($entries:expr, $entry:ident => $any:expr) => {
                if let Some($entry) = $entries.get(at) {
                    return Some($any);
                }
                at -= $entries.len();
            };
        }
        among!(list.names(), name => Self::Host(Host(name.name), name));
        among!(list.ipv4(), prefix => Self::Net(Net::V4(*prefix)));
        among!(list.ipv6(), prefix => Self::Net(Net::V6(*prefix)));
        among!(list.urls(), text => Self::Url(Url(text.text), text));
        among!(list.emails(), text => Self::Mail(Mail(text.text), text));
        list.digests().get(at).map(Self::Digest)
    }

    fn item(&self) -> Item<'v> {
        match *self {
            Self::Host(host, _) => Item::Name(host.0),
            Self::Net(Net::V4(Prefix { start, len })) => Item::Ipv4(start, len),
            Self::Net(Net::V6(Prefix { start, len })) => Item::Ipv6(start, len),
            Self::Url(url, _) => Item::Url(url.0),
            Self::Mail(mail, _) => Item::Email(mail.0),
            Self::Digest(digest) => Item::Digest(digest.kind, digest.bytes),
        }
    }

    /// What the indicators behind it say together.
    pub(super) fn credit(self, list: &'v Blocklist<'v>) -> Credit<'v> {
        match self {
            Self::Host(_, name) => list.credit(name),
            Self::Net(Net::V4(prefix)) => list.credit(&prefix),
            Self::Net(Net::V6(prefix)) => list.credit(&prefix),
            Self::Url(_, text) | Self::Mail(_, text) => list.credit(text),
            Self::Digest(digest) => list.credit(digest),
        }
    }

    /// Hands over the indicators behind it, each once.
    pub(super) fn for_each_indicator(self, list: &'v Blocklist<'v>, with: impl FnMut(IndicatorRef<'v>)) {
        match self {
            Self::Host(_, name) => list.for_each_indicator(name, with),
            Self::Net(Net::V4(prefix)) => list.for_each_indicator(&prefix, with),
            Self::Net(Net::V6(prefix)) => list.for_each_indicator(&prefix, with),
            Self::Url(_, text) | Self::Mail(_, text) => list.for_each_indicator(text, with),
            Self::Digest(digest) => list.for_each_indicator(digest, with),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Host(..) => Kind::Domain,
            Self::Net(Net::V4(_)) => Kind::Ipv4,
            Self::Net(Net::V6(_)) => Kind::Ipv6,
            Self::Url(..) => Kind::Url,
            Self::Mail(..) => Kind::Email,
            Self::Digest(digest) => digest.kind,
        }
    }
}

impl<'v> Host<'v> {
    fn new(text: &'v str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        // Of the label so far: its length, and whether it is a number.
        let (mut length, mut number, mut labels) = (0, true, 1);
        for byte in text.bytes() {
            match byte {
                b'.' if !(1..=63).contains(&length) => return None,
                b'.' => (length, number, labels) = (0, true, labels + 1),
                b'0'..=b'9' => length += 1,
                b'a'..=b'z' | b'-' | b'_' => (length, number) = (length + 1, false),
                _ => return None,
            }
        }
        ((1..=63).contains(&length) && !number && labels > 1).then_some(Self(text))
    }

    pub(super) fn text(self) -> &'v str {
        self.0
    }

    /// Whether a host may be called so (RFC 1123 section 2.1): no underscore, no hyphen at either end of a label.
    pub(super) fn is_hostname(self) -> bool {
        let label = |label: &str| !label.contains('_') && !label.starts_with('-') && !label.ends_with('-');
        self.0.split('.').all(label)
    }
}

impl<'v> Url<'v> {
    pub(super) fn new(text: &'v str) -> Option<Self> {
        let stands = |byte: u8| {
            byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
        };
        let (scheme, rest) = text.split_once("//")?;
        let letter =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'.' | b'-');
        let named = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(letter);
        let scheme = scheme.is_empty() || scheme.strip_suffix(':').is_some_and(named);
        let good = scheme && !rest.is_empty() && text.bytes().all(stands);
        good.then_some(Self(text))
    }

    pub(super) fn text(self) -> &'v str {
        self.0
    }

    /// What to write before it to have all that it stands for.
    pub(super) fn schemes(self) -> &'static [&'static str] {
        if self.0.starts_with("//") { &["http:", "https:"] } else { &[""] }
    }

    /// Scheme; `None` if the URL has none and stands for http and https.
    pub(super) fn scheme(self) -> Option<&'v str> {
        self.0.split_once("://").map(|(scheme, _)| scheme).filter(|_| !self.0.starts_with("//"))
    }

    /// The same URL as it may be listed before, in the order of lists: without scheme, with http for https.
    pub(super) fn variants_before(self) -> impl Iterator<Item = String> {
        let before: &[&str] = match self.scheme() {
            None => &[],
            Some("http") => &["//"],
            Some(_) => &["//", "http://"],
        };
        before.iter().map(move |scheme| format!("{scheme}{}", self.after_scheme()))
    }

    /// As a pattern writes it: a URL without scheme begins with its host.
    pub(super) fn bare(self) -> &'v str {
        self.0.strip_prefix("//").unwrap_or(self.0)
    }

    pub(super) fn has_userinfo(self) -> bool {
        self.after_scheme().split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
    }

    /// Host and everything after it, with its userinfo.
    pub(super) fn after_scheme(self) -> &'v str {
        self.0.split_once("//").map_or("", |(_, rest)| rest)
    }
}

impl<'v> Mail<'v> {
    fn new(text: &'v str) -> Option<Self> {
        let (local, name) = text.rsplit_once('@')?;
        (!local.is_empty() && local.bytes().all(is_local) && Host::new(name).is_some()).then_some(Self(text))
    }

    pub(super) fn text(self) -> &'v str {
        self.0
    }
}

impl Net {
    pub(super) fn first(self) -> IpAddr {
        match self {
            Self::V4(prefix) => Ipv4Addr::from(prefix.start).into(),
            Self::V6(prefix) => Ipv6Addr::from(prefix.start).into(),
        }
    }

    pub(super) fn length(self) -> u8 {
        match self {
            Self::V4(prefix) => prefix.len,
            Self::V6(prefix) => prefix.len,
        }
    }

    pub(super) fn is_host(self) -> bool {
        match self {
            Self::V4(prefix) => prefix.is_host(),
            Self::V6(prefix) => prefix.is_host(),
        }
    }

    /// The two halves of the prefix that holds every address, for targets that do not take it; itself otherwise.
    pub(super) fn halves(self) -> impl Iterator<Item = Self> {
        let (first, second) = match self {
            Self::V4(Prefix { len: 0, .. }) => {
                (Self::V4(Prefix { start: 0, len: 1 }), Some(Self::V4(Prefix { start: 1 << 31, len: 1 })))
            }
            Self::V6(Prefix { len: 0, .. }) => {
                (Self::V6(Prefix { start: 0, len: 1 }), Some(Self::V6(Prefix { start: 1 << 127, len: 1 })))
            }
            net => (net, None),
        };
        std::iter::once(first).chain(second)
    }
}

/// Whether a value is what its kind says. Addresses and digests are by their type.
pub(super) fn is_legitimate(item: Item<'_>) -> bool {
    match item {
        Item::Name(name) => Host::new(name).is_some(),
        Item::Url(url) => Url::new(url).is_some(),
        Item::Email(mail) => Mail::new(mail).is_some(),
        Item::Ipv4(..) | Item::Ipv6(..) | Item::Digest(..) => true,
    }
}

/// A list as one format sees it.
pub(super) struct View<'v> {
    list: &'v Blocklist<'v>,
    format: &'v Format,
    options: &'v Options,
    entries: Cell<usize>,
    refused: Cell<usize>,
}

impl<'v> View<'v> {
    pub(super) fn new(list: &'v Blocklist<'v>, format: &'v Format, options: &'v Options) -> Self {
        Self { list, format, options, entries: Cell::new(0), refused: Cell::new(0) }
    }

    /// Whether values of a kind are to be written.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        self.look().wants(kind)
    }

    /// Whether names stand for what is below them.
    pub(super) fn subdomains(&self) -> bool {
        self.list.subdomains()
    }

    /// What to do.
    pub(super) fn action(&self) -> Action {
        self.options.action_of(self.format)
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = Host<'v>> {
        let wanted: &[Name<'v>] = if self.wants(Kind::Domain) { self.list.names() } else { &[] };
        wanted.iter().filter_map(|name| {
            let taken = self.takes(Item::Name(name.name));
            self.counted(taken.then_some(Host(name.name)))
        })
    }

    /// Names below listed ones that stay reachable.
    pub(super) fn exceptions(&self) -> impl Iterator<Item = Host<'v>> {
        let wanted: &[Box<str>] = if self.wants(Kind::Domain) { self.list.exceptions() } else { &[] };
        wanted.iter().filter(|name| self.takes(Item::Name(name))).map(|name| Host(name))
    }

    pub(super) fn ipv4(&self) -> impl Iterator<Item = Net> {
        let wanted: &[Prefix<u32>] = if self.wants(Kind::Ipv4) { self.list.ipv4() } else { &[] };
        wanted.iter().filter_map(|prefix| {
            let taken = self.takes(Item::Ipv4(prefix.start, prefix.len));
            self.counted(taken.then_some(Net::V4(*prefix)))
        })
    }

    pub(super) fn ipv6(&self) -> impl Iterator<Item = Net> {
        let wanted: &[Prefix<u128>] = if self.wants(Kind::Ipv6) { self.list.ipv6() } else { &[] };
        wanted.iter().filter_map(|prefix| {
            let taken = self.takes(Item::Ipv6(prefix.start, prefix.len));
            self.counted(taken.then_some(Net::V6(*prefix)))
        })
    }

    /// Prefixes of both families, IPv4 first.
    pub(super) fn nets(&self) -> impl Iterator<Item = Net> {
        self.ipv4().chain(self.ipv6())
    }

    pub(super) fn urls(&self) -> impl Iterator<Item = Url<'v>> {
        let wanted: &[Text<'v>] = if self.wants(Kind::Url) { self.list.urls() } else { &[] };
        wanted.iter().filter_map(|text| {
            let taken = self.takes(Item::Url(text.text));
            self.counted(taken.then_some(Url(text.text)))
        })
    }

    pub(super) fn digests(&self) -> impl Iterator<Item = &'v Digest<'v>> {
        self.list.digests().iter().filter(|digest| self.wants(digest.kind)).filter_map(|digest| {
            let taken = self.takes(Item::Digest(digest.kind, digest.bytes));
            self.counted(taken.then_some(digest))
        })
    }

    /// What a thread needs to look at entries by their numbers; it has to count them itself.
    pub(super) fn look(&self) -> Look<'v> {
        Look { list: self.list, format: self.format, options: self.options }
    }

    /// Counts what was looked at by number.
    pub(super) fn count(&self, entries: usize, refused: usize) {
        self.entries.set(self.entries.get() + entries);
        self.refused.set(self.refused.get() + refused);
    }

    /// The list itself.
    pub(super) fn list(&self) -> &'v Blocklist<'v> {
        self.list
    }

    /// What was handed out, and what was not.
    pub(super) fn written(&self) -> Written {
        Written { entries: self.entries.get(), refused: self.refused.get() }
    }

    fn takes(&self, item: Item<'_>) -> bool {
        self.look().takes(item)
    }

    fn counted<T>(&self, value: Option<T>) -> Option<T> {
        let count = if value.is_some() { &self.entries } else { &self.refused };
        count.set(count.get() + 1);
        value
    }
}

/// A list as one format sees it, from any thread.
#[derive(Clone, Copy)]
pub(super) struct Look<'v> {
    list: &'v Blocklist<'v>,
    format: &'v Format,
    options: &'v Options,
}

impl<'v> Look<'v> {
    /// The entry of a number; nothing if it is not wanted, nothing inside if it is refused.
    #[expect(clippy::option_option, reason = "both answers are counted apart")]
    pub(super) fn entry(self, number: u32) -> Option<Option<Any<'v>>> {
        let entry = Any::numbered(self.list, number).filter(|entry| self.wants(entry.kind()))?;
        Some(self.takes(entry.item()).then_some(entry))
    }

    /// Whether the list holds a URL and the format takes it.
    pub(super) fn has_url(self, url: &str) -> bool {
        self.list.urls().binary_search_by(|listed| listed.text.cmp(url)).is_ok() && self.takes(Item::Url(url))
    }

    fn wants(self, kind: Kind) -> bool {
        let asked = &self.options.kinds;
        self.format.kinds.contains(&kind) && (asked.is_empty() || asked.contains(&kind))
    }

    /// Whether a value is legitimate and one that the format can hold. Only then a type of this file is made of it.
    fn takes(self, item: Item<'_>) -> bool {
        self.format.refuses(item, self.options).is_none()
    }
}
