//! Names: in order, each once, held back or excepted where something below or above them must stay reachable, collapsed.

use super::held::{Obstacle, Refused};
use super::list::{Item, Name, Refuses};
use super::order::{Candidate, Part, Sorted, each_part_of_names, is_below, reversed};
use super::policy::{Cause, Guard, Shield};
use super::reason::Reason;

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
    pub(super) refuses: Refuses<'p>,
}

/// What became of the names of a part, apart from those that are written.
#[derive(Default)]
pub(super) struct Names {
    pub(super) exceptions: Vec<Box<str>>,
    /// Values that are covered by others.
    pub(super) collapsed: usize,
    pub(super) held: Vec<Refused>,
}

/// Decides on all listed names; `name` gives that of an atom.
pub(super) fn approve<'r>(
    listed: Vec<Candidate>,
    name: &(impl Fn(u32) -> &'r [u8] + Sync),
    rules: &Rules<'_>,
) -> Sorted<Name<'r>, Names> {
    let blank = Name { name: "", credits: 0..0 };
    each_part_of_names(listed, name, blank, |Part { atoms, room, start }| {
        let count = each_once(atoms, name, room);
        let (listed, mut names) = (&mut room[..count], Names::default());
        let verdicts = judge(listed, rules, &mut names.exceptions);
        // What stays moves up in its place, and so do the atoms behind it.
        let (mut stay, mut credited) = (0, 0);
        for at in 0..listed.len() {
            let Name { name, credits: group } = listed[at].clone();
            let group = group.start as usize..group.end as usize;
            if let Some((reason, obstacle)) = verdicts.of(at) {
                names.held.extend(atoms[group].iter().map(|atom| (*atom, *reason, obstacle.clone())));
                continue;
            }
            let credits = start + credited as u32..start + (credited + group.len()) as u32;
            credited += group.len();
            atoms.copy_within(group, credits.start as usize - start as usize);
            match listed[..stay].last_mut() {
                Some(last) if rules.collapse && rules.subdomains && is_below(name, last.name) => {
                    last.credits.end = credits.end;
                    names.collapsed += 1;
                }
                _ => {
                    listed[stay] = Name { name, credits };
                    stay += 1;
                }
            }
        }
        (stay, names)
    })
}

/// Puts each name once into the room, with the places of its atoms, which are in order. How many there are.
fn each_once<'r>(atoms: &[u32], name: &impl Fn(u32) -> &'r [u8], room: &mut [Name<'r>]) -> usize {
    let mut count = 0;
    for (atom, at) in atoms.iter().zip(0..) {
        let name = name(*atom);
        match room[..count].last_mut() {
            Some(last) if last.name.as_bytes() == name => last.credits.end = at + 1,
            _ => {
                // Names are ASCII in normal form.
                let name = std::str::from_utf8(name).unwrap_or_default();
                room[count] = Name { name, credits: at..at + 1 };
                count += 1;
            }
        }
    }
    count
}

/// What holds each name back. Most are not held back, so a name costs no more than a number.
#[derive(Default)]
struct Verdicts {
    /// Of each name, the place of its reason counted from 1; 0 for none.
    places: Vec<u32>,
    reasons: Vec<(Reason, Obstacle)>,
}

impl Verdicts {
    fn of(&self, at: usize) -> Option<&(Reason, Obstacle)> {
        let place = self.places.get(at)?.checked_sub(1)?;
        self.reasons.get(place as usize)
    }

    fn set(&mut self, at: usize, reason: Reason, obstacle: Obstacle) {
        self.reasons.push((reason, obstacle));
        if let Some(place) = self.places.get_mut(at) {
            *place = self.reasons.len() as u32;
        }
    }
}

/// Walks listed and shielded names side by side, both in order, so that everything above a name is on a stack.
fn judge(listed: &[Name<'_>], rules: &Rules<'_>, exceptions: &mut Vec<Box<str>>) -> Verdicts {
    let mut verdicts = Verdicts::default();
    let Some(first) = listed.first() else { return verdicts };
    let mut shields = rules.shield.from(first.name).iter().peekable();
    let mut shielded: Vec<(&str, Cause)> = rules.shield.above(first.name).collect();
    let mut above: Vec<(&str, usize)> = Vec::new();
    let names = listed.iter().map(|listed| listed.name);
    for name in names.map(Some).chain([None]) {
        while let Some((shield, cause)) =
            shields.next_if(|(shield, _)| name.map_or(!above.is_empty(), |name| reversed(shield, name).is_le()))
        {
            while shielded.pop_if(|(top, _)| !is_below(shield, top)).is_some() {}
            while above.pop_if(|(top, _)| !is_below(shield, top)).is_some() {}
            if shielded.is_empty() && rules.subdomains && !above.is_empty() {
                if rules.exceptions {
                    exceptions.push(shield.clone());
                } else {
                    for (_, at) in above.drain(..) {
                        verdicts.set(at, cause.reason_above(), Obstacle::Covers(shield.clone()));
                    }
                }
            }
            shielded.push((shield, *cause));
        }
        let Some(name) = name else { break };
        while shielded.pop_if(|(top, _)| !is_below(name, top) && name != *top).is_some() {}
        while above.pop_if(|(top, _)| !is_below(name, top)).is_some() {}
        let verdict = if let Some((_, cause)) = shielded.first() {
            Some((cause.reason(), cause.detail()))
        } else if rules.suffixes && is_public_suffix(name) {
            Some((Reason::Guard, Guard::Suffix.name()))
        } else {
            (rules.refuses)(Item::Name(name)).map(|refusal| (refusal.reason, refusal.detail))
        };
        let at = verdicts.places.len();
        verdicts.places.push(0);
        match verdict {
            None => above.push((name, at)),
            Some((reason, detail)) => verdicts.set(at, reason, Obstacle::Word(detail)),
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
    use proptest::prelude::*;
    use std::collections::BTreeSet;

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
        let candidates = listed.iter().zip(0..).map(|(name, atom)| Candidate::name(name.as_bytes(), atom)).collect();
        let names = approve(candidates, &|atom| listed[atom as usize].as_bytes(), &rules);
        let join = |list: Vec<String>| list.join(" ");
        let kept = names.entries.iter().map(ToString::to_string).collect();
        let exceptions = names.parts.iter().flat_map(|part| &part.exceptions).map(ToString::to_string).collect();
        let held = names.parts.iter().flat_map(|part| &part.held);
        let held = held.map(|(atom, reason, _)| format!("{}:{}", listed[*atom as usize], reason.word())).collect();
        (join(kept), join(exceptions), join(held))
    }

    fn names() -> impl Strategy<Value = Vec<String>> {
        let name = prop::collection::vec("[ab]{1,2}|c{17}", 2..5).prop_map(|labels| labels.join("."));
        prop::collection::vec(name, 0..60)
    }

    proptest! {
        /// Names are decided on in parts of a few; what is said of them all must not show it.
        #[test]
        fn what_becomes_of_names_is_what_the_rules_say_of_each(
            listed in names(),
            allow in names().prop_map(|names| names.into_iter().take(4).collect::<Vec<_>>()),
            subdomains: bool,
            exceptions: bool,
        ) {
            let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
            let allow: Vec<&str> = allow.iter().map(String::as_str).collect();
            let below = |name: &str, parent: &str| name == parent || is_below(name, parent);
            let allowed = |name: &str| allow.iter().any(|allow| below(name, allow));
            let covers = |name: &str| subdomains && allow.iter().any(|allow| is_below(allow, name));
            let approved = |name: &str| !allowed(name) && (exceptions || !covers(name));
            let in_order = |names: BTreeSet<&str>| {
                let mut names = Vec::from_iter(names);
                names.sort_by(|a, b| reversed(a, b));
                names.join(" ")
            };
            let covered = |name: &str| subdomains && listed.iter().any(|above| approved(above) && is_below(name, above));
            let kept = listed.iter().copied().filter(|name| approved(name) && !covered(name)).collect();
            let topmost = |name: &str| !allow.iter().any(|above| is_below(name, above));
            let excepted = |name: &&str| subdomains && exceptions && topmost(name) && covered(name);
            let (names, except, held) = judged(&listed, &allow, subdomains, exceptions);
            prop_assert_eq!(names, in_order(kept));
            prop_assert_eq!(except, in_order(allow.iter().copied().filter(excepted).collect()));
            let held: BTreeSet<&str> = held.split(' ').filter_map(|held| Some(held.split_once(':')?.0)).collect();
            prop_assert_eq!(held, listed.iter().copied().filter(|name| !approved(name)).collect::<BTreeSet<_>>());
        }
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
