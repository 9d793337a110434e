//! Decides a line: what it holds, who lists it, and how it relates.

use super::index::{Cover, Found};
use super::{Hit, Matcher, Relation, plain};
use crate::compile::{EntryId, Holder, Meta};
use crate::observable::Shape;
use crate::observable::text::{self, Place, Token};
use std::ops::Range;

impl Matcher {
    /// Appends the hits of one line, which stands at `start` in its block.
    pub(super) fn decide_line(&self, line: &[u8], start: usize, hits: &mut Vec<Hit>) {
        let first = hits.len();
        let mut push = |span: &Range<usize>, object_type, value: String, relation, entry| {
            let span = span.clone();
            let (line_start, line_end, value) = (start, start + line.len(), value.into());
            hits.push(Hit { line_start, line_end, span, object_type, value, relation, field: None, entry });
        };
        // A URL in prose has several readings, the longest first: the first one listed is the URL.
        let mut settled = None;
        for token in text::tokens(line, text::Options { refang: self.options.refang }) {
            let url = token.value.kind().shape() == Shape::Url;
            if url && settled == Some(token.span.start) {
                continue;
            }
            self.index.lookup(self.rules.atoms(), &token.value, self.options.subdomains, &mut |found| {
                if !counts(found, &token) {
                    return;
                }
                if url {
                    settled = Some(token.span.start);
                }
                if !self.options.allow.allows(&token.value) {
                    let object_type = found.meta.object_type(token.value.kind());
                    let value = token.value.to_string();
                    push(&token.span, object_type, value, relation_of(found.cover, token.place), EntryId(found.entry));
                }
            });
            if !self.compounds.is_empty() {
                let mut objects = Vec::new();
                plain::objects_of_value(&token.value, 0, &mut objects);
                for entry in self.compounds.satisfied(plain::observation(objects)) {
                    if !self.options.allow.allows(&token.value) {
                        let relation = relation_of(Cover::Same, token.place);
                        let value = token.value.to_string();
                        push(&token.span, token.value.kind().object_type(), value, relation, entry);
                    }
                }
            }
            self.expressions.lookup(&token.value, &mut |entry| {
                if !self.options.allow.allows(&token.value) {
                    let relation = relation_of(Cover::Same, token.place);
                    push(&token.span, token.value.kind().object_type(), token.value.to_string(), relation, entry);
                }
            });
        }
        for found in self.literals.find(line) {
            let (object_type, text) = (found.literal.object_type(), &found.literal.text);
            for owner in found.owners.iter().filter(|owner| owner.exact) {
                push(&found.span, object_type, text.to_string(), Relation::Text, owner.entry);
            }
            if !self.compounds.is_empty() {
                let mut objects = Vec::new();
                plain::objects_of_text(found.literal.path, text, 0, &mut objects);
                for entry in self.compounds.satisfied(plain::observation(objects)) {
                    push(&found.span, object_type, text.to_string(), Relation::Text, entry);
                }
            }
        }
        if hits.len() > first + 1 {
            let mut found = hits.split_off(first);
            self.sort(&mut found);
            hits.append(&mut found);
        }
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
fn counts(found: Found, token: &Token) -> bool {
    let Meta { exact, holder, .. } = found.meta;
    exact && (holder != Holder::Url || (token.place == Place::Whole && found.cover == Cover::Same))
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
