//! What is held back: a value or a whole indicator, with the reason.

use super::build::item;
use super::list::{Address, Blocklist, Digest, Item, Prefix};
use super::order::reversed;
use super::reason::Reason;
use crate::compile::{AtomId, EntryId, IndicatorRef};
use crate::observable::Kind;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A value that is not in a list although an indicator names it, or an indicator without any value that could be.
#[derive(Clone, Copy, Debug)]
pub struct Held<'l, 'r> {
    list: &'l Blocklist<'r>,
    note: &'l Note,
}

impl<'l, 'r> Held<'l, 'r> {
    pub(super) fn new(list: &'l Blocklist<'r>, note: &'l Note) -> Self {
        Self { list, note }
    }

    /// The value; `None` for an indicator that names none.
    pub fn item(&self) -> Option<Item<'r>> {
        match self.note.what {
            What::Indicator => None,
            What::Text(number) => {
                let atoms = self.list.rules.atoms();
                item(atoms.text(number)?.kind, atoms.bytes(number))
            }
            What::Ipv4(start, len) => Some(Item::Ipv4(start, len)),
            What::Ipv6(number) => {
                let (start, len) = *self.list.held.ipv6.get(number as usize)?;
                Some(Item::Ipv6(start, len))
            }
        }
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.note.reason
    }

    /// What exactly: the name of a guard, the allowed name that is covered, and so on. May be empty.
    pub fn detail(&self) -> Cow<'l, str> {
        match self.note.detail {
            Detail::Word(number) => self.list.held.words.get(usize::from(number)).copied().unwrap_or_default().into(),
            Detail::Covers(number) => {
                let covered = self.list.held.covered.get(number as usize);
                format!("covers {}", covered.map_or("", |name| &**name)).into()
            }
        }
    }

    /// The indicator that names it.
    pub fn indicator(&self) -> IndicatorRef<'r> {
        self.list.rules.indicator(EntryId(self.note.row))
    }

    /// By reason, then by value, then by indicator.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let values = || match (self.item(), other.item()) {
            (Some(Item::Name(a)), Some(Item::Name(b))) => reversed(a, b),
            (a, b) => a.cmp(&b),
        };
        let ids = || self.indicator().id().cmp(&other.indicator().id());
        self.reason().cmp(&other.reason()).then_with(values).then_with(ids)
    }

    /// Whether it is the same value of the same indicator, held back for the same reason.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let of = |held: &Self| (held.note.row, held.note.reason, held.detail());
        of(self) == of(other) && self.item() == other.item()
    }
}

/// All that is held back from a list. There may be a million, so each takes few bytes.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    pub(super) notes: Vec<Note>,
    /// What notes speak of by number.
    words: Vec<&'static str>,
    covered: Vec<Box<str>>,
    ipv6: Vec<(u128, u8)>,
}

/// Something held back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    what: What,
    row: u32,
    pub(super) reason: Reason,
    detail: Detail,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Indicator,
    Text(AtomId),
    Ipv4(u32, u8),
    Ipv6(u32),
}

#[derive(Clone, Copy, Debug)]
enum Detail {
    Word(u16),
    Covers(u32),
}

/// What exactly holds something back.
#[derive(Clone, Debug)]
pub(super) enum Obstacle {
    /// A few words.
    Word(&'static str),
    /// A name that must stay reachable, which it covers.
    Covers(Box<str>),
}

/// A text that is held back: the number of its atom, and why.
pub(super) type Refused = (AtomId, Reason, Obstacle);

impl HeldBack {
    /// Holds back an indicator that names no value.
    pub(super) fn indicator(&mut self, row: u32, reason: Reason, detail: &'static str) {
        let detail = self.word(detail);
        self.notes.push(Note { what: What::Indicator, row, reason, detail });
    }

    /// Holds back a text.
    pub(super) fn text(&mut self, number: AtomId, row: u32, reason: Reason, obstacle: Obstacle) {
        let detail = match obstacle {
            Obstacle::Word(word) => self.word(word),
            Obstacle::Covers(name) => {
                self.covered.push(name);
                Detail::Covers(self.covered.len() as u32 - 1)
            }
        };
        self.notes.push(Note { what: What::Text(number), row, reason, detail });
    }

    /// Holds back a prefix.
    pub(super) fn prefix<A: Listable>(&mut self, prefix: Prefix<A>, row: u32, reason: Reason, detail: &'static str) {
        let detail = self.word(detail);
        let what = match prefix.start.item(prefix.len) {
            Item::Ipv4(start, len) => What::Ipv4(start, len),
            Item::Ipv6(start, len) => {
                self.ipv6.push((start, len));
                What::Ipv6(self.ipv6.len() as u32 - 1)
            }
            _ => What::Indicator,
        };
        self.notes.push(Note { what, row, reason, detail });
    }

    /// There is but a handful of words.
    fn word(&mut self, word: &'static str) -> Detail {
        let known = self.words.iter().position(|known| *known == word);
        Detail::Word(known.unwrap_or_else(|| {
            self.words.push(word);
            self.words.len() - 1
        }) as u16)
    }
}

/// A number that stands for the first address of a listed prefix.
pub(super) trait Listable: Address {
    fn item(self, len: u8) -> Item<'static>;
}

impl Listable for u32 {
    fn item(self, len: u8) -> Item<'static> {
        Item::Ipv4(self, len)
    }
}

impl Listable for u128 {
    fn item(self, len: u8) -> Item<'static> {
        Item::Ipv6(self, len)
    }
}

impl Item<'_> {
    /// The kind of the value.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Name(_) => Kind::Domain,
            Self::Ipv4(..) => Kind::Ipv4,
            Self::Ipv6(..) => Kind::Ipv6,
            Self::Url(_) => Kind::Url,
            Self::Email(_) => Kind::Email,
            Self::Digest(kind, _) => *kind,
        }
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Name(text) | Self::Url(text) | Self::Email(text) => out.write_str(text),
            Self::Ipv4(start, len) => Prefix { start, len }.fmt(out),
            Self::Ipv6(start, len) => Prefix { start, len }.fmt(out),
            Self::Digest(kind, bytes) => Digest { kind, bytes, credits: 0..0 }.fmt(out),
        }
    }
}
