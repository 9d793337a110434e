//! From a rule set to a list: only values that alone are a match, of active indicators, past every guard.

use super::held::{HeldBack, Listable, Obstacle, Refused};
use super::limit;
use super::list::{Blocklist, Capabilities, Counts, Digest, Item, Prefix, Text};
use super::listing::{Listed, Listing};
use super::names;
use super::order::{Candidate, Sorted};
use super::policy::{Cause, Guard, Policy, Shield, Verdict};
use super::ranges::{Ranges, aggregate, separate};
use super::reason::Reason;
use super::texts;
use crate::compile::{self, EntryId, Filter, Holder, Meta, RuleSet};
use crate::observable::Kind;
use crate::observable::kind::{ip, url};

impl<'r> Blocklist<'r> {
    /// Derives the list of what may be written in a format.
    ///
    /// A value enters only if it is an exact atom of an active indicator: seeing it alone is a match. What is left out
    /// is in [`Blocklist::held`], save what is of a kind that is not written.
    ///
    /// ```
    /// use stockade::blocklist::{Blocklist, Capabilities, Policy, Subdomains};
    /// use stockade::compile::{Filter, RuleSetBuilder};
    /// use stockade::observable::{Kind, classify};
    /// use stockade::stix::Timestamp;
    ///
    /// let mut builder = RuleSetBuilder::default();
    /// for value in ["evil.example", "www.evil.example", "github.io"] {
    ///     builder.add_value(classify(value)?).unwrap();
    /// }
    /// let rules = builder.build();
    /// let format = Capabilities {
    ///     kinds: &[Kind::Domain],
    ///     subdomains: Subdomains::Always,
    ///     exceptions: false,
    ///     merge: true,
    ///     max_entries: None,
    ///     refuses: &|_| None,
    /// };
    /// let now = Filter::at(Timestamp::parse("2026-06-01T00:00:00Z").unwrap());
    /// let list = Blocklist::build(&rules, &now, &Policy::default(), &format);
    /// assert_eq!(list.names().iter().map(|entry| entry.name).collect::<Vec<_>>(), ["evil.example"]);
    /// assert_eq!(list.held().map(|held| held.detail()).collect::<Vec<_>>(), ["suffix"]);
    /// # Ok::<(), stockade::observable::Invalid>(())
    /// ```
    pub fn build(rules: &'r RuleSet, filter: &Filter, policy: &Policy, format: &Capabilities<'_>) -> Self {
        let shield = Shield::new(policy);
        let mut build = Build::new(rules, filter, policy, format, &shield);
        build.texts();
        build.addresses();
        build.silent_indicators();
        build.finish()
    }
}

/// What becomes of an atom by its indicator.
enum Passage {
    Free,
    Held(Reason, &'static str),
    /// Another version of the indicator is the one to look at.
    Elsewhere,
}

/// A list in the making.
struct Build<'r, 'p> {
    rules: &'r RuleSet,
    filter: &'p Filter,
    policy: &'p Policy,
    format: &'p Capabilities<'p>,
    shield: &'p Shield,
    /// Of each indicator, why nothing of it may be written.
    verdicts: Vec<Verdict>,
    /// Indicators that have been accounted for.
    seen: Vec<bool>,
    list: Blocklist<'r>,
}

impl<'r, 'p> Build<'r, 'p> {
    fn new(
        rules: &'r RuleSet,
        filter: &'p Filter,
        policy: &'p Policy,
        format: &'p Capabilities<'p>,
        shield: &'p Shield,
    ) -> Self {
        let verdicts = rules.indicators().map(|indicator| policy.verdict(&indicator, filter)).collect();
        let list = Blocklist {
            rules,
            subdomains: policy.covers_subdomains(format.subdomains),
            merged: format.merge,
            names: Vec::new(),
            exceptions: Vec::new(),
            ipv4: Vec::new(),
            ipv6: Vec::new(),
            urls: Vec::new(),
            emails: Vec::new(),
            digests: Vec::new(),
            credits: Vec::new(),
            listed4: Listing::default(),
            listed6: Listing::default(),
            held: HeldBack::default(),
            counts: Counts::default(),
            expires: None,
            sha256: String::new(),
        };
        Self { rules, filter, policy, format, shield, verdicts, seen: vec![false; rules.len()], list }
    }

    fn carries(&self, kind: Kind) -> bool {
        self.format.kinds.contains(&kind)
    }

    /// Whether an atom may be written as far as its indicator goes.
    fn passage(&self, kind: Kind, meta: Meta, row: u32) -> Passage {
        match self.verdict(row) {
            Verdict::Elsewhere => Passage::Elsewhere,
            Verdict::Held(reason) => Passage::Held(reason, ""),
            Verdict::Written if !meta.exact => Passage::Held(Reason::NotExact, "the pattern asks for more"),
            Verdict::Written if meta.holder == Holder::Certificate => {
                Passage::Held(Reason::NotExact, "the digest is of a certificate")
            }
            Verdict::Written if self.policy.too_old(kind, &self.rules.indicator(EntryId(row)), self.filter) => {
                Passage::Held(Reason::Expired, "max_age")
            }
            Verdict::Written => Passage::Free,
        }
    }

    fn verdict(&self, row: u32) -> Verdict {
        self.verdicts.get(row as usize).copied().unwrap_or(Verdict::Elsewhere)
    }

    /// Names, URLs, mail addresses and digests.
    fn texts(&mut self) {
        let atoms = self.rules.atoms();
        let mut names: Vec<Candidate> = Vec::new();
        let mut others: Vec<(Kind, Vec<Candidate>)> = Vec::new();
        for kind in Kind::all().filter(|kind| self.carries(*kind)) {
            let count = atoms.texts_of(kind);
            if kind == Kind::Domain {
                names.reserve_exact(count);
            } else if count > 0 {
                others.push((kind, Vec::with_capacity(count)));
            }
        }
        for (text, bytes) in atoms.texts() {
            // A bare host as a URL says nothing of other traffic to that host; its URL is an atom of its own.
            if text.meta.holder == Holder::Url {
                continue;
            }
            self.see(text.entry);
            if !self.carries(text.kind) {
                continue;
            }
            match self.passage(text.kind, text.meta, text.entry) {
                Passage::Free => {}
                Passage::Elsewhere => continue,
                Passage::Held(reason, detail) => {
                    self.list.held.text(text.number, text.entry, reason, Obstacle::Word(detail));
                    continue;
                }
            }
            if text.kind == Kind::Domain {
                names.push(Candidate::name(bytes, text.number));
            } else if let Some((_, others)) = others.iter_mut().find(|(kind, _)| *kind == text.kind) {
                others.push(Candidate::text(bytes, text.number));
            }
        }
        self.names(names);
        others.sort_unstable_by_key(|(kind, _)| *kind);
        for (kind, others) in others {
            self.others(kind, others);
        }
    }

    /// Enters each name once, but for those that are held back, and those that others cover.
    fn names(&mut self, listed: Vec<Candidate>) {
        let atoms = self.rules.atoms();
        let rules = names::Rules {
            shield: self.shield,
            suffixes: self.policy.guards(Guard::Suffix),
            subdomains: self.list.subdomains,
            exceptions: self.format.exceptions,
            collapse: self.format.merge,
            refuses: self.format.refuses,
        };
        let Sorted { entries, atoms: credits, parts } = names::approve(listed, &|atom| atoms.bytes(atom), &rules);
        (self.list.names, self.list.credits) = (entries, credits);
        for mut part in parts {
            self.list.exceptions.append(&mut part.exceptions);
            self.list.counts.collapsed += part.collapsed;
            self.hold(part.held);
        }
    }

    /// Enters each URL, mail address or digest of a kind once.
    fn others(&mut self, kind: Kind, listed: Vec<Candidate>) {
        let (this, atoms) = (&*self, self.rules.atoms());
        let before = self.list.credits.len() as u32;
        let rules = texts::Rules { kind, before, refuses: &|item| this.shielded(item) };
        let text = |atom: u32| atoms.bytes(atom);
        let (mut credits, parts) = if matches!(kind, Kind::Url | Kind::Email) {
            let blank = Text { text: "", credits: 0..0 };
            let Sorted { entries, atoms, parts } = texts::approve(listed, &text, &rules, blank, |item, credits| {
                if let Item::Url(text) | Item::Email(text) = item { Some(Text { text, credits }) } else { None }
            });
            *(if kind == Kind::Url { &mut self.list.urls } else { &mut self.list.emails }) = entries;
            (atoms, parts)
        } else {
            let blank = Digest { kind, bytes: &[], credits: 0..0 };
            let Sorted { mut entries, atoms, parts } = texts::approve(listed, &text, &rules, blank, |item, credits| {
                if let Item::Digest(kind, bytes) = item { Some(Digest { kind, bytes, credits }) } else { None }
            });
            self.list.digests.append(&mut entries);
            (atoms, parts)
        };
        self.list.credits.append(&mut credits);
        for held in parts {
            self.hold(held);
        }
    }

    fn hold(&mut self, refused: Vec<Refused>) {
        for (atom, reason, obstacle) in refused {
            if let Some(text) = self.rules.atoms().text(atom) {
                self.list.held.text(atom, text.entry, reason, obstacle);
            }
        }
    }

    /// Why a URL, mail address or digest must not be written.
    fn shielded(&self, item: Item<'_>) -> Option<(Reason, &'static str)> {
        let cause = match item {
            Item::Url(text) => self.shield.text(Kind::Url, text).or_else(|| self.host(text)),
            Item::Email(text) => self.shield.text(Kind::Email, text),
            Item::Digest(kind, bytes) => self.shield.digest(kind, bytes),
            Item::Name(_) | Item::Ipv4(..) | Item::Ipv6(..) => None,
        };
        let shielded = cause.map(|cause| (cause.reason(), cause.detail()));
        shielded.or_else(|| (self.format.refuses)(item).map(|refusal| (refusal.reason, refusal.detail)))
    }

    /// What shields the host of a URL. Many share a public suffix as their host, so that shields a bare host alone.
    fn host(&self, text: &str) -> Option<Cause> {
        if let Some(rest) = url::without_scheme(text)
            && let Some(cause) = self.shield.text(Kind::Url, rest)
        {
            return Some(cause);
        }
        let parts = url::authority(text.as_bytes(), text.find("//")? + 2);
        let host = text.get(parts.host..parts.host_end)?;
        if let Some(address) = ip::parse_ipv4(host.as_bytes()) {
            return self.shield.ipv4(address.into());
        }
        if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return self.shield.address(address.parse().ok()?);
        }
        let bare = text.get(parts.end..).is_some_and(|rest| rest.is_empty() || rest == "/");
        let suffix = bare && self.policy.guards(Guard::Suffix) && names::is_public_suffix(host);
        self.shield.name(host).or(suffix.then_some(Cause::Guard(Guard::Suffix)))
    }

    fn addresses(&mut self) {
        let (atoms, shield) = (self.rules.atoms(), self.shield);
        let listed = self.listed(Kind::Ipv4, atoms.ipv4());
        (self.list.ipv4, self.list.listed4) = self.prefixes(listed, &shield.ipv4, self.policy.min_prefix_v4);
        let listed = self.listed(Kind::Ipv6, atoms.ipv6());
        (self.list.ipv6, self.list.listed6) = self.prefixes(listed, &shield.ipv6, self.policy.min_prefix_v6);
    }

    /// The prefixes of a family that may be written as far as their indicators go.
    fn listed<A: Listable>(
        &mut self,
        kind: Kind,
        atoms: impl ExactSizeIterator<Item = compile::Address<A>>,
    ) -> Vec<Listed<A>> {
        let mut listed = Vec::with_capacity(atoms.len());
        for compile::Address { start, len, entry, meta } in atoms {
            self.see(entry);
            if !self.carries(kind) {
                continue;
            }
            match self.passage(kind, meta, entry) {
                Passage::Free => listed.push(Listed { start, len, row: entry }),
                Passage::Elsewhere => {}
                Passage::Held(reason, detail) => self.list.held.prefix(Prefix { start, len }, entry, reason, detail),
            }
        }
        listed
    }

    /// Guards, then aggregates: what is written, and what is listed behind it.
    fn prefixes<A: Listable>(
        &mut self,
        mut listed: Vec<Listed<A>>,
        shields: &[(Cause, Ranges<A>)],
        least: u8,
    ) -> (Vec<Prefix<A>>, Listing<A>) {
        let wide = self.policy.guards(Guard::Prefix);
        let holes = Ranges::with(shields.iter().map(|(_, ranges)| ranges));
        listed.sort_unstable();
        listed.retain(|one| {
            let prefix = Prefix { start: one.start, len: one.len };
            let shields = if holes.overlapping(prefix).is_empty() { &[] } else { shields };
            let whole = shields.iter().find(|(_, ranges)| ranges.cover(prefix));
            let verdict = match whole {
                Some((cause, _)) => Some((cause.reason(), cause.detail())),
                None if wide && one.len < least => Some((Reason::Guard, Guard::Prefix.name())),
                None => (self.format.refuses)(one.start.item(one.len)).map(|refusal| (refusal.reason, refusal.detail)),
            };
            if let Some((reason, detail)) = verdict {
                self.list.held.prefix(prefix, one.row, reason, detail);
            }
            verdict.is_none()
        });
        let mut distinct = 0;
        for group in listed.chunk_by(|a, b| (a.start, a.len) == (b.start, b.len)) {
            distinct += 1;
            self.hold_holes(group, shields, &holes);
        }
        let kept = if self.format.merge { aggregate(&listed, &holes) } else { separate(&listed, &holes) };
        self.list.counts.collapsed += usize::saturating_sub(distinct, kept.len());
        (kept, Listing::new(listed))
    }

    /// Notes what is cut out of a listed prefix, for the first of its indicators by id: many may list it.
    fn hold_holes<A: Listable>(&mut self, group: &[Listed<A>], shields: &[(Cause, Ranges<A>)], holes: &Ranges<A>) {
        let Some(one) = group.first() else { return };
        let prefix = Prefix { start: one.start, len: one.len };
        if prefix.is_host() || holes.overlapping(prefix).is_empty() {
            return;
        }
        let first = group.iter().min_by_key(|one| self.rules.indicator(EntryId(one.row)).id()).unwrap_or(one);
        for (cause, ranges) in shields {
            for hole in ranges.common(prefix) {
                self.list.held.prefix(hole, first.row, cause.reason(), cause.detail());
            }
        }
    }

    fn see(&mut self, row: u32) {
        if let Some(seen) = self.seen.get_mut(row as usize) {
            *seen = true;
        }
    }

    /// Indicators that name no value of any kind.
    fn silent_indicators(&mut self) {
        for row in 0..self.rules.len() as u32 {
            if self.seen.get(row as usize).is_some_and(|seen| *seen) {
                continue;
            }
            let (reason, detail) = match self.verdict(row) {
                Verdict::Elsewhere => continue,
                Verdict::Held(reason) => (reason, ""),
                Verdict::Written => (Reason::NotExact, "no address, name, URL or digest that alone is a match"),
            };
            self.list.held.indicator(row, reason, detail);
        }
    }

    fn finish(mut self) -> Blocklist<'r> {
        let most = self.policy.max_entries.into_iter().chain(self.format.max_entries).min();
        if let Some(most) = most {
            limit::keep_most_confident(&mut self.list, most);
        }
        self.list.settle();
        self.list
    }
}

/// A stored text as a value of its kind.
pub(super) fn item(kind: Kind, bytes: &[u8]) -> Option<Item<'_>> {
    match kind {
        Kind::Domain => std::str::from_utf8(bytes).ok().map(Item::Name),
        Kind::Url => std::str::from_utf8(bytes).ok().map(Item::Url),
        Kind::Email => std::str::from_utf8(bytes).ok().map(Item::Email),
        Kind::Mac | Kind::Ipv4 | Kind::Ipv6 => None,
        Kind::Md5 | Kind::Sha1 | Kind::Sha224 | Kind::Sha256 | Kind::Sha384 | Kind::Sha512 => {
            Some(Item::Digest(kind, bytes))
        }
    }
}
