//! Names: in order, each once, held back or excepted where something below or above them must stay reachable, collapsed.

use super::list::{Item, Name};
use super::order::{Candidate, is_below, reversed, sort_names};
use super::policy::{Cause, Guard, Shield};
use super::reason::Reason;
use std::borrow::Cow;

/// What is to be done with names, by policy and format.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(super) struct Rules<'p> {
    pub(super) shield: &'p Shield,
    /// The guard of public suffixes is on.
    pub(super) suffixes: bool,
    /// A listed name stands for those below it.
    pub(super) subdomains: bool,
    /// The format knows exceptions.
    pub(super) exceptions: bool,
    /// A name may stand for listed ones below it.
    pub(super) collapse: bool,
    /// Why the format cannot carry a name.
    pub(super) refuses: &'p dyn Fn(Item<'_>) -> Option<super::Refusal>,
}

/// What became of the names.
#[derive(Default)]
pub(super) struct Names<'r> {
    pub(super) kept: Vec<Name<'r>>,
    pub(super) exceptions: Vec<Box<str>>,
    /// Values that are covered by others.
    pub(super) collapsed: usize,
    /// Number of the atom, name, and why.
    pub(super) held: Vec<(u32, &'r str, Reason, Cow<'static, str>)>,
}

/// Decides on all listed names; `name` gives that of an atom. The numbers of the atoms behind each entry go to `credits`.
pub(super) fn approve<'r>(
    mut listed: Vec<Candidate>,
    name: &impl Fn(u32) -> &'r [u8],
    rules: &Rules<'_>,
    credits: &mut Vec<u32>,
) -> Names<'r> {
    sort_names(&mut listed, name);
    // From here on their order is all that counts.
    let mut atoms: Vec<u32> = listed.into_iter().map(|candidate| candidate.atom).collect();
    atoms.shrink_to_fit();
    let mut names = Names { kept: each_once(&atoms, name), ..Names::default() };
    let verdicts = judge(&names.kept, rules, &mut names.exceptions);
    credits.reserve_exact(atoms.len());
    // What stays moves up in its place: a second list of names would take as much again.
    let mut stay = 0;
    for at in 0..names.kept.len() {
        let Name { name, credits: group } = names.kept[at].clone();
        let group = &atoms[group.start as usize..group.end as usize];
        if let Some((reason, detail)) = verdicts.of(at) {
            names.held.extend(group.iter().map(|atom| (*atom, name, *reason, detail.clone())));
            continue;
        }
        let start = credits.len() as u32;
        credits.extend(group);
        let end = credits.len() as u32;
        match names.kept[..stay].last_mut() {
            Some(last) if rules.collapse && rules.subdomains && is_below(name, last.name) => {
                last.credits.end = end;
                names.collapsed += 1;
            }
            _ => {
                names.kept[stay] = Name { name, credits: start..end };
                stay += 1;
            }
        }
    }
    names.kept.truncate(stay);
    names
}

/// Each name once, with the places of its atoms; sorted ones.
fn each_once<'r>(atoms: &[u32], name: &impl Fn(u32) -> &'r [u8]) -> Vec<Name<'r>> {
    let mut once: Vec<Name<'r>> = Vec::with_capacity(atoms.len());
    for (atom, at) in atoms.iter().zip(0..) {
        let name = name(*atom);
        if let Some(last) = once.last_mut().filter(|last| last.name.as_bytes() == name) {
            last.credits.end = at + 1;
        } else {
            // Names are ASCII in normal form.
            let name = std::str::from_utf8(name).unwrap_or_default();
            once.push(Name { name, credits: at..at + 1 });
        }
    }
    once
}

/// What holds each name back. Most are not held back, so a name costs no more than a number.
#[derive(Default)]
struct Verdicts {
    /// Of each name, the place of its reason counted from 1; 0 for none.
    places: Vec<u32>,
    reasons: Vec<(Reason, Cow<'static, str>)>,
}

impl Verdicts {
    fn of(&self, at: usize) -> Option<&(Reason, Cow<'static, str>)> {
        let place = self.places.get(at)?.checked_sub(1)?;
        self.reasons.get(place as usize)
    }

    fn set(&mut self, at: usize, reason: Reason, detail: Cow<'static, str>) {
        self.reasons.push((reason, detail));
        if let Some(place) = self.places.get_mut(at) {
            *place = self.reasons.len() as u32;
        }
    }
}

/// Walks listed and shielded names side by side, both in order, so that everything above a name is on a stack.
fn judge(listed: &[Name<'_>], rules: &Rules<'_>, exceptions: &mut Vec<Box<str>>) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let mut shields = rules.shield.names.iter().peekable();
    let mut shielded: Vec<(&str, Cause)> = Vec::new();
    let mut above: Vec<(&str, usize)> = Vec::new();
    let names = listed.iter().map(|listed| listed.name);
    for name in names.map(Some).chain([None]) {
        while let Some((shield, cause)) =
            shields.next_if(|(shield, _)| name.is_none_or(|name| reversed(shield, name).is_le()))
        {
            while shielded.pop_if(|(top, _)| !is_below(shield, top)).is_some() {}
            while above.pop_if(|(top, _)| !is_below(shield, top)).is_some() {}
            if shielded.is_empty() && rules.subdomains && !above.is_empty() {
                if rules.exceptions {
                    exceptions.push(shield.clone());
                } else {
                    for (_, at) in above.drain(..) {
                        verdicts.set(at, cause.reason_above(), format!("covers {shield}").into());
                    }
                }
            }
            shielded.push((shield, *cause));
        }
        let Some(name) = name else { break };
        while shielded.pop_if(|(top, _)| !is_below(name, top) && name != *top).is_some() {}
        while above.pop_if(|(top, _)| !is_below(name, top)).is_some() {}
        let verdict = if let Some((_, cause)) = shielded.first() {
            Some((cause.reason(), cause.detail().into()))
        } else if rules.suffixes && is_public_suffix(name) {
            Some((Reason::Guard, Guard::Suffix.name().into()))
        } else {
            (rules.refuses)(Item::Name(name)).map(|refusal| (refusal.reason, refusal.detail.into()))
        };
        let at = verdicts.places.len();
        verdicts.places.push(0);
        match verdict {
            None => above.push((name, at)),
            Some((reason, detail)) => verdicts.set(at, reason, detail),
        }
    }
    verdicts
}

/// Whether anybody may register names below this one, by the public suffix list with its private part.
pub(super) fn is_public_suffix(name: &str) -> bool {
    // No rule of the list has more labels.
    name.bytes().filter(|byte| *byte == b'.').count() < 8
        && psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.as_bytes().len() == name.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocklist::{Policy, Refusal, allowed};

    fn judged(listed: &[&str], allow: &[&str], subdomains: bool, exceptions: bool) -> (String, String, String) {
        let value = |text: &&str| allowed(text).expect("a value");
        let policy = Policy { allow: allow.iter().map(value).collect(), ..Policy::default() };
        let shield = Shield::new(&policy);
        let refuses = |item: Item<'_>| match item {
            Item::Name(name) if name.starts_with("long.") => {
                Some(Refusal { reason: Reason::Limit, detail: "too long" })
            }
            _ => None,
        };
        let rules =
            Rules { shield: &shield, suffixes: true, subdomains, exceptions, collapse: true, refuses: &refuses };
        let candidates = listed.iter().zip(0..).map(|(name, atom)| Candidate::name(name, atom)).collect();
        let names = approve(candidates, &|atom| listed[atom as usize].as_bytes(), &rules, &mut Vec::new());
        let join = |list: Vec<String>| list.join(" ");
        (
            join(names.kept.iter().map(ToString::to_string).collect()),
            join(names.exceptions.iter().map(ToString::to_string).collect()),
            join(names.held.iter().map(|(_, name, reason, _)| format!("{name}:{}", reason.word())).collect()),
        )
    }

    #[test]
    fn names_collapse_below_listed_ones_where_those_cover_them() {
        let listed = ["b.evil.net", "evil.net", "a.b.evil.net", "notevil.net", "evil.net", "evil.org"];
        assert_eq!(judged(&listed, &[], true, true).0, "evil.org evil.net notevil.net");
        assert_eq!(judged(&listed, &[], false, true).0, "evil.org evil.net b.evil.net a.b.evil.net notevil.net");
    }

    #[test]
    fn allowed_names_are_excepted_or_their_parents_held_back() {
        let listed = ["evil.net", "x.evil.net", "bad.good.evil.net"];
        let allow = ["good.evil.net", "even.good.evil.net", "other.net"];
        assert_eq!(
            judged(&listed, &allow, true, true),
            ("evil.net".into(), "good.evil.net".into(), "bad.good.evil.net:allow".into())
        );
        assert_eq!(
            judged(&listed, &allow, true, false),
            ("x.evil.net".into(), String::new(), "evil.net:covers-allowed bad.good.evil.net:allow".into())
        );
        assert_eq!(judged(&listed, &allow, false, false).0, "evil.net x.evil.net");
    }

    #[test]
    fn every_listed_name_above_an_allowed_one_is_held_back() {
        let (kept, _, held) = judged(&["evil.net", "a.evil.net", "b.evil.net"], &["ok.a.evil.net"], true, false);
        assert_eq!(kept, "b.evil.net");
        assert_eq!(held, "evil.net:covers-allowed a.evil.net:covers-allowed");
    }

    #[test]
    fn public_suffixes_and_well_known_hosts_never_pass() {
        for name in
            ["co.uk", "github.io", "blogspot.com", "s3.amazonaws.com", "foo.ck", "a.root-servers.net", "dns.google"]
        {
            assert_eq!(judged(&[name], &[], true, true).0, "", "{name}");
        }
        for name in ["evil.co.uk", "evil.github.io", "www.ck", "evil.unknown-tld", "root-servers.net.evil.org"] {
            assert_eq!(judged(&[name], &[], true, true).0, name);
        }
    }

    #[test]
    fn what_a_format_refuses_does_not_hide_what_is_below() {
        let (kept, _, held) = judged(&["long.evil.net", "x.long.evil.net"], &[], true, true);
        assert_eq!((kept.as_str(), held.as_str()), ("x.long.evil.net", "long.evil.net:limit"));
    }
}
