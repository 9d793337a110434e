//! Decides a line: what it holds, who lists it, and how it relates.

use super::index::{Cover, Found};
use super::watch::{Mark, Sighting, Watch};
use super::{Hit, Matcher, Relation, plain};
use crate::compile::{EntryId, Holder};
use crate::observable::Shape;
use crate::observable::text::{self, Place, Token};
use std::ops::Range;

/// Collects what a line holds.
struct Finds<'a> {
    line: Range<usize>,
    hits: &'a mut Vec<Hit>,
    /// Parts of patterns that need several lines; none if there is no such pattern.
    sighting: Option<Sighting>,
}

impl Finds<'_> {
    /// Notes a value: as a hit, or as part of a pattern that needs several.
    fn add(
        &mut self,
        exact: bool,
        span: &Range<usize>,
        object_type: &'static str,
        value: String,
        relation: Relation,
        entry: EntryId,
    ) {
        let span = span.clone();
        if exact {
            let (line_start, line_end, value) = (self.line.start, self.line.end, value.into());
            let hit = Hit {
                line_start,
                line_end,
                span,
                object_type,
                value,
                relation,
                field: None,
                entry,
                also: Box::default(),
            };
            self.hits.push(hit);
        } else if let Some(sighting) = &mut self.sighting {
            sighting.marks.push(Mark { entry, span, object_type, value, relation });
        }
    }
}

impl Matcher {
    /// Appends the hits of one line of a block, and gives a watch what it needs of the line.
    pub(super) fn decide_line(
        &self,
        block: &[u8],
        line: Range<usize>,
        hits: &mut Vec<Hit>,
        watch: Option<&mut Watch<'_>>,
    ) {
        let text = block.get(line.clone()).unwrap_or_default();
        let first = hits.len();
        let mut finds = Finds { line: line.clone(), hits, sighting: watch.is_some().then(Sighting::default) };
        // A URL in prose has several readings, the longest first: the first one listed is the URL.
        let mut settled = None;
        for token in text::tokens(text, text::Options { refang: self.options.refang }) {
            let is_url = token.value.kind().shape() == Shape::Url;
            if is_url && settled == Some(token.span.start) {
                continue;
            }
            if self.decide_token(&token, &mut finds) && is_url {
                settled = Some(token.span.start);
            }
        }
        for found in self.literals.find(text) {
            let (object_type, text) = (found.literal.object_type(), &found.literal.text);
            for owner in found.owners {
                finds.add(owner.exact, &found.span, object_type, text.to_string(), Relation::Text, owner.entry);
            }
            if !self.compounds.is_empty() {
                let mut objects = Vec::new();
                plain::objects_of_text(found.literal.path, text, 0, &mut objects);
                for entry in self.compounds.satisfied(plain::observation(objects)) {
                    finds.add(true, &found.span, object_type, text.to_string(), Relation::Text, entry);
                }
            }
            if let Some(sighting) = &mut finds.sighting {
                sighting.add_text(found.literal.path, text);
            }
        }
        let sighting = finds.sighting;
        if let (Some(watch), Some(sighting)) = (watch, sighting) {
            watch.see(block, line, sighting, hits);
        }
        if hits.len() > first + 1 {
            let mut found = hits.split_off(first);
            self.sort(&mut found);
            hits.append(&mut found);
        }
    }

    /// Notes who lists a token. Whether anybody does, allowed or not.
    fn decide_token(&self, token: &Token, finds: &mut Finds<'_>) -> bool {
        let Token { span, value, place } = token;
        let allowed = self.options.allow.allows(value);
        let object_type = value.kind().object_type();
        let mut listed = false;
        self.index.lookup(self.rules.atoms(), value, self.options.subdomains, &mut |found| {
            if counts(found, *place) {
                listed |= found.meta.exact;
                if !allowed {
                    let object_type = found.meta.object_type(value.kind());
                    let relation = relation_of(found.cover, *place);
                    finds.add(found.meta.exact, span, object_type, value.to_string(), relation, EntryId(found.entry));
                }
            }
        });
        if allowed {
            return listed;
        }
        let relation = relation_of(Cover::Same, *place);
        if !self.compounds.is_empty() {
            let mut objects = Vec::new();
            plain::objects_of_value(value, 0, &mut objects);
            for entry in self.compounds.satisfied(plain::observation(objects)) {
                finds.add(true, span, object_type, value.to_string(), relation, entry);
            }
        }
        self.expressions.lookup(value, &mut |owner| {
            finds.add(owner.exact, span, object_type, value.to_string(), relation, owner.entry);
        });
        if let Some(sighting) = &mut finds.sighting {
            sighting.add_value(token);
        }
        listed
    }

    /// In the order of the text, then of the indicators' ids; each indicator once for each place.
    fn sort(&self, hits: &mut Vec<Hit>) {
        hits.sort_by_cached_key(|hit| {
            (hit.span.start, hit.span.end, self.rules.indicator(hit.entry).id(), hit.relation, hit.value.clone())
        });
        hits.dedup_by(|later, earlier| later.span == earlier.span && later.entry == earlier.entry);
    }
}

/// Whether an atom counts where the token stands. A name listed as a whole URL is the URL only where it stands alone:
/// inside a longer URL, that URL's own readings tell.
fn counts(found: Found, place: Place) -> bool {
    found.meta.holder != Holder::Url || (place == Place::Whole && found.cover == Cover::Same)
}

fn relation_of(cover: Cover, place: Place) -> Relation {
    match (cover, place) {
        (Cover::Prefix, _) => Relation::Cidr,
        (Cover::Parent, _) => Relation::Subdomain,
        (Cover::Same, Place::Whole) => Relation::Exact,
        (Cover::Same, Place::HostOfUrl) => Relation::HostOfUrl,
        (Cover::Same, Place::HostOfEmail) => Relation::HostOfEmail,
    }
}
