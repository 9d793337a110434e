//! What a blocklist holds, ready to be written: typed values in normal form, sorted, each once.
//!
//! Nothing here is the text of an indicator. A writer takes addresses, names, URLs and digests, and whatever a feed
//! put around them never reaches it.

use super::held::{Held, HeldBack};
use super::listing::Listing;
use super::order::{is_below, reversed};
use super::reason::Reason;
use crate::compile::{EntryId, IndicatorRef, RuleSet};
use crate::observable::Kind;
use crate::stix::Timestamp;
use std::fmt;
use std::ops::Range;

/// What the policy has to know of a format to decide what may go into a file of it.
#[derive(Clone, Copy)]
pub struct Capabilities<'f> {
    /// What is to be written, of what it can carry.
    pub kinds: &'f [Kind],
    /// Whether a listed name stands for the names below it.
    pub subdomains: Subdomains,
    /// Whether a name below a listed one can be kept reachable.
    pub exceptions: bool,
    /// Whether one entry may stand for several listed values. Not where each entry tells of its indicators.
    pub merge: bool,
    /// The most entries that the target loads.
    pub max_entries: Option<usize>,
    /// Why a value cannot be written, although it is of a kind that the format carries.
    pub refuses: Refuses<'f>,
}

/// Tells why a format cannot carry a value. Asked on several threads at once.
pub type Refuses<'f> = &'f (dyn Fn(Item<'_>) -> Option<Refusal> + Sync);

/// Whether a format blocks what is below a listed name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subdomains {
    /// As asked for.
    Option,
    /// In any case.
    Always,
    /// It cannot.
    Never,
}

/// Why a format cannot carry a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// [`Reason::Invalid`] when the value would mean something else there, [`Reason::Limit`] when it is too long.
    pub reason: Reason,
    /// A few words, the same for every value that is refused for this.
    pub detail: &'static str,
}

/// One value, for a format that decides whether it can carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item<'a> {
    /// A domain name: A-labels, lower case, without trailing dot.
    Name(&'a str),
    /// An IPv4 prefix: first address, length.
    Ipv4(u32, u8),
    /// An IPv6 prefix: first address, length.
    Ipv6(u128, u8),
    /// A URL in normal form; without scheme it begins with `//`.
    Url(&'a str),
    /// A mail address in normal form.
    Email(&'a str),
    /// A digest.
    Digest(Kind, &'a [u8]),
}

/// A listed name.
#[derive(Clone, Debug)]
pub struct Name<'r> {
    /// A-labels, lower case, at least two, without trailing dot; letters, digits, hyphens and underscores.
    pub name: &'r str,
    pub(super) credits: Range<u32>,
}

/// A listed URL or mail address.
#[derive(Clone, Debug)]
pub struct Text<'r> {
    /// The normal form; a URL without scheme, which stands for http and https, begins with `//`.
    pub text: &'r str,
    pub(super) credits: Range<u32>,
}

/// A listed digest. Its `Display` is lower-case hex.
#[derive(Clone, Debug)]
pub struct Digest<'r> {
    /// Which hash function.
    pub kind: Kind,
    /// The digest itself.
    pub bytes: &'r [u8],
    pub(super) credits: Range<u32>,
}

/// A prefix of addresses: `u32` for IPv4, `u128` for IPv6. Its `Display` is `address/length`, without `/32` and `/128`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix<A> {
    /// First address.
    pub start: A,
    /// Length in bits.
    pub len: u8,
}

/// How much went into a list and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sources of the indicators that are written.
    pub sources: usize,
    /// Indicators that are written.
    pub indicators: usize,
    /// Entries.
    pub emitted: usize,
    /// Listed values that another entry covers, and prefixes that were merged.
    pub collapsed: usize,
    /// Values held back because they are allowed or our own.
    pub allowlisted: usize,
    /// Values held back by a guard.
    pub guarded: usize,
}

/// A list that the policy has approved. All of it is a function of the set of indicators, whatever their order.
#[derive(Debug)]
pub struct Blocklist<'r> {
    pub(super) rules: &'r RuleSet,
    pub(super) subdomains: bool,
    /// One entry may stand for several listed values.
    pub(super) merged: bool,
    pub(super) names: Vec<Name<'r>>,
    pub(super) exceptions: Vec<Box<str>>,
    pub(super) ipv4: Vec<Prefix<u32>>,
    pub(super) ipv6: Vec<Prefix<u128>>,
    pub(super) urls: Vec<Text<'r>>,
    pub(super) emails: Vec<Text<'r>>,
    pub(super) digests: Vec<Digest<'r>>,
    /// Numbers of atoms; names, texts and digests own a range of it.
    pub(super) credits: Vec<u32>,
    pub(super) listed4: Listing<u32>,
    pub(super) listed6: Listing<u128>,
    pub(super) held: HeldBack,
    pub(super) counts: Counts,
    pub(super) expires: Option<Timestamp>,
    pub(super) sha256: String,
}

/// What the indicators of one entry say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credit<'r> {
    /// Their ids, sorted.
    pub ids: Vec<String>,
    /// The highest confidence.
    pub confidence: Option<u8>,
    /// All labels, sorted.
    pub labels: Vec<&'r str>,
    /// The latest end of validity; `None` if one of them is valid for ever.
    pub valid_until: Option<Timestamp>,
    /// Where they came from, sorted.
    pub sources: Vec<&'r str>,
}

impl<'r> Blocklist<'r> {
    /// Listed names: sorted by their labels from the last to the first, so that what is below a name follows it.
    pub fn names(&self) -> &[Name<'r>] {
        &self.names
    }

    /// Whether each name stands for the names below it too. Then no name is below another, if the format lets entries merge.
    pub fn subdomains(&self) -> bool {
        self.subdomains
    }

    /// Names below listed ones that are to stay reachable, with what is below them. Empty unless the format can say so.
    pub fn exceptions(&self) -> &[Box<str>] {
        &self.exceptions
    }

    /// IPv4 prefixes, sorted; disjoint and as few as possible, if the format lets entries merge.
    pub fn ipv4(&self) -> &[Prefix<u32>] {
        &self.ipv4
    }

    /// IPv6 prefixes, sorted; disjoint and as few as possible, if the format lets entries merge.
    pub fn ipv6(&self) -> &[Prefix<u128>] {
        &self.ipv6
    }

    /// URLs in order of their text.
    pub fn urls(&self) -> &[Text<'r>] {
        &self.urls
    }

    /// Mail addresses in order of their text.
    pub fn emails(&self) -> &[Text<'r>] {
        &self.emails
    }

    /// Digests in order of kind and digits.
    pub fn digests(&self) -> &[Digest<'r>] {
        &self.digests
    }

    /// Number of entries; exceptions do not count.
    pub fn len(&self) -> usize {
        self.names.len() + self.ipv4.len() + self.ipv6.len() + self.urls.len() + self.emails.len() + self.digests.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What went in and what became of it.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The first instant at which an indicator that is written ends.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// SHA-256 over all entries and exceptions, in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The indicators behind an entry, sorted by id; of a merged prefix or a name those of all that it covers.
    pub fn indicators(&self, entry: &impl Entry) -> Vec<IndicatorRef<'r>> {
        self.by_id(entry.rows(self))
    }

    fn by_id(&self, mut rows: Vec<u32>) -> Vec<IndicatorRef<'r>> {
        rows.sort_unstable();
        rows.dedup();
        let indicators = rows.into_iter().map(|row| self.rules.indicator(EntryId(row)));
        let mut found: Vec<_> = indicators.map(|indicator| (indicator.id(), indicator)).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found.into_iter().map(|(_, indicator)| indicator).collect()
    }

    /// An indicator by its number.
    pub(crate) fn numbered(&self, number: EntryId) -> IndicatorRef<'r> {
        self.rules.indicator(number)
    }

    /// Touches what [`Self::credit`] needs of an entry, counted through all kinds. It lies far apart in memory; a caller who
    /// glances at many entries before asking for one waits once for all of them. What it gives means nothing.
    pub(crate) fn glance(&self, entry: u32) -> u64 {
        let at = entry as usize;
        let (addresses, names) = (self.ipv4.len() + self.ipv6.len(), self.names.len());
        let credits = match at.checked_sub(names) {
            None => self.names.get(at).map(|name| &name.credits),
            Some(at) => at.checked_sub(addresses).and_then(|at| match at.checked_sub(self.urls.len()) {
                None => self.urls.get(at).map(|text| &text.credits),
                Some(at) => match at.checked_sub(self.emails.len()) {
                    None => self.emails.get(at).map(|text| &text.credits),
                    Some(at) => self.digests.get(at).map(|digest| &digest.credits),
                },
            }),
        };
        let number = credits.and_then(|credits| self.credits.get(credits.start as usize));
        let atoms = self.rules.atoms();
        let Some(text) = number.and_then(|number| atoms.text(*number)) else { return 0 };
        let first = atoms.bytes(text.number).first().copied().unwrap_or_default();
        u64::from(first) ^ self.rules.indicator(EntryId(text.entry)).touch()
    }

    /// Hands over the indicators behind an entry, each once, in no order of their ids.
    pub(crate) fn for_each_indicator(&self, entry: &impl Entry, mut with: impl FnMut(IndicatorRef<'r>)) {
        let mut rows = entry.rows(self);
        rows.sort_unstable();
        rows.dedup();
        for row in rows {
            with(self.rules.indicator(EntryId(row)));
        }
    }

    /// The highest confidence among the indicators behind an entry.
    pub fn confidence(&self, entry: &impl Entry) -> Option<u8> {
        entry.rows(self).into_iter().filter_map(|row| self.rules.indicator(EntryId(row)).confidence()).max()
    }

    /// What the indicators behind an entry say together.
    pub fn credit(&self, entry: &impl Entry) -> Credit<'r> {
        let mut credit = Credit::default();
        let mut for_ever = false;
        let mut add = |indicator: IndicatorRef<'r>| {
            credit.ids.push(indicator.id());
            credit.confidence = credit.confidence.max(indicator.confidence());
            credit.labels.extend(indicator.labels());
            credit.sources.push(indicator.origin());
            for_ever |= indicator.valid_until().is_none();
            credit.valid_until = credit.valid_until.max(indicator.valid_until());
        };
        let rows = entry.rows(self);
        match rows.as_slice() {
            // Nearly all entries have one.
            [row] => add(self.rules.indicator(EntryId(*row))),
            _ => self.by_id(rows).into_iter().for_each(&mut add),
        }
        if for_ever {
            credit.valid_until = None;
        }
        credit.labels.sort_unstable();
        credit.labels.dedup();
        credit.sources.sort_unstable();
        credit.sources.dedup();
        credit
    }

    /// Whether a name is blocked: listed, or below a listed one where that counts, and no exception.
    pub fn covers_name(&self, name: &str) -> bool {
        let below = |of: &str| name == of || is_below(name, of);
        if self.exceptions.iter().any(|exception| below(exception)) {
            return false;
        }
        let listed = |name: &str| self.names.binary_search_by(|listed| reversed(listed.name, name)).is_ok();
        let above = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
        listed(name) || (self.subdomains && above.into_iter().any(listed))
    }

    /// Whether all addresses of an IPv4 prefix are blocked by one entry.
    pub fn covers_ipv4(&self, start: u32, len: u8) -> bool {
        covers(&self.ipv4, start, len)
    }

    /// Whether all addresses of an IPv6 prefix are blocked by one entry.
    pub fn covers_ipv6(&self, start: u128, len: u8) -> bool {
        covers(&self.ipv6, start, len)
    }

    /// What is held back, sorted by reason and value.
    pub fn held(&self) -> impl ExactSizeIterator<Item = Held<'_, 'r>> {
        self.held.notes.iter().map(|note| Held::new(self, note))
    }
}

fn covers<A: Address>(prefixes: &[Prefix<A>], start: A, len: u8) -> bool {
    (0..=len).any(|len| prefixes.binary_search(&Prefix::containing(start, len)).is_ok())
}

/// Something a blocklist holds, which indicators stand behind.
pub trait Entry: sealed::Entry {}

impl<T: sealed::Entry> Entry for T {}

pub(super) mod sealed {
    pub trait Entry {
        /// Rows of the indicators behind it.
        fn rows(&self, list: &super::Blocklist<'_>) -> Vec<u32>;
    }
}

impl sealed::Entry for Name<'_> {
    fn rows(&self, list: &Blocklist<'_>) -> Vec<u32> {
        list.slice(&self.credits)
    }
}

impl sealed::Entry for Text<'_> {
    fn rows(&self, list: &Blocklist<'_>) -> Vec<u32> {
        list.slice(&self.credits)
    }
}

impl sealed::Entry for Digest<'_> {
    fn rows(&self, list: &Blocklist<'_>) -> Vec<u32> {
        list.slice(&self.credits)
    }
}

impl sealed::Entry for Prefix<u32> {
    fn rows(&self, list: &Blocklist<'_>) -> Vec<u32> {
        behind(&list.listed4, *self, list.merged)
    }
}

impl sealed::Entry for Prefix<u128> {
    fn rows(&self, list: &Blocklist<'_>) -> Vec<u32> {
        behind(&list.listed6, *self, list.merged)
    }
}

impl Blocklist<'_> {
    fn slice(&self, range: &Range<u32>) -> Vec<u32> {
        let atoms = self.rules.atoms();
        let numbers = self.credits.get(range.start as usize..range.end as usize).unwrap_or_default();
        numbers.iter().filter_map(|number| atoms.text(*number)).map(|atom| atom.entry).collect()
    }
}

/// Rows of the indicators behind a prefix. Where entries stand for themselves that is who lists it, or if it was cut out
/// of a wider one who lists that; nobody is said to list more than they do.
fn behind<A: Address>(listed: &Listing<A>, prefix: Prefix<A>, merged: bool) -> Vec<u32> {
    let mut found = listed.overlapping(prefix);
    if !merged {
        found.retain(|l| l.len <= prefix.len);
        if found.iter().any(|l| l.len == prefix.len) {
            found.retain(|l| l.len == prefix.len);
        }
    }
    found.into_iter().map(|l| l.row).collect()
}

/// A number that stands for an address.
pub trait Address: Copy + Ord + fmt::Debug {
    /// Bits of an address.
    const BITS: u8;
    /// The last address of the prefix of a length that holds this one.
    #[must_use]
    fn last_of(self, len: u8) -> Self;
    /// The first address of the prefix of a length that holds this one.
    #[must_use]
    fn first_of(self, len: u8) -> Self;
    /// The next address; `None` after the last of all.
    fn next(self) -> Option<Self>;
    /// The address before; `None` before the first of all.
    fn previous(self) -> Option<Self>;
    /// The length of the widest prefix that begins here.
    fn widest(self) -> u8;
}

macro_rules! address {
    ($number:ty) => {
        impl Address for $number {
            const BITS: u8 = <$number>::BITS as u8;
            fn last_of(self, len: u8) -> Self {
                self | <$number>::MAX.checked_shr(u32::from(len)).unwrap_or(0)
            }
            fn first_of(self, len: u8) -> Self {
                self & !<$number>::MAX.checked_shr(u32::from(len)).unwrap_or(0)
            }
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
            fn widest(self) -> u8 {
                (<$number>::BITS - self.trailing_zeros()) as u8
            }
        }
    };
}

address!(u32);
address!(u128);

impl<A: Address> Prefix<A> {
    /// The prefix of a length that holds an address.
    pub fn containing(address: A, len: u8) -> Self {
        let len = len.min(A::BITS);
        Self { start: address.first_of(len), len }
    }

    /// Last address.
    pub fn last(self) -> A {
        self.start.last_of(self.len)
    }

    /// Whether it is one address.
    pub fn is_host(self) -> bool {
        self.len == A::BITS
    }
}

impl fmt::Display for Prefix<u32> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_prefix(std::net::Ipv4Addr::from(self.start), self.len, self.is_host(), out)
    }
}

impl fmt::Display for Prefix<u128> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_prefix(std::net::Ipv6Addr::from(self.start), self.len, self.is_host(), out)
    }
}

fn write_prefix(address: impl fmt::Display, len: u8, host: bool, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if host { write!(out, "{address}") } else { write!(out, "{address}/{len}") }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.text)
    }
}

impl fmt::Display for Digest<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0u8; 128];
        let mut used = 0;
        for (byte, pair) in self.bytes.iter().zip(text.chunks_exact_mut(2)) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
            used += 2;
        }
        out.write_str(std::str::from_utf8(&text[..used]).unwrap_or_default())
    }
}
