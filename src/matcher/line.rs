//! Decides a line: what it holds, who lists it, and how it relates.

use super::index::{Cover, Found};
use super::watch::{Line, Mark, Sighting, Watch};
use super::{Hit, Matcher, Relation, plain};
use crate::compile::{EntryId, Holder};
use crate::observable::text::{self, Interest, Place, Token};
use crate::observable::{Kind, Role, Shape};
use std::ops::Range;

/// Collects what a line holds.
pub(super) struct Finds<'h, 'f> {
    pub(super) line: Range<usize>,
    pub(super) hits: &'h mut Vec<Hit>,
    /// The field at hand, where the line has fields.
    pub(super) field: Option<&'f str>,
    /// Parts of patterns that need several lines; none if there is no such pattern.
    sighting: Option<Sighting>,
}

/// How a value stands in a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The end of a connection or message that its field names; `None` if that is not known.
    pub(super) role: Option<Role>,
    /// Whether its field is a property of a certificate; `None` if that is not known.
    pub(super) certificate: Option<bool>,
    /// It stands within a free text that has a name.
    pub(super) text: bool,
}

impl Standing {
    /// Nothing is known.
    pub(super) const ANY: Self = Self { role: None, certificate: None, text: false };
}

impl<'h> Finds<'h, '_> {
    pub(super) fn new(line: Range<usize>, hits: &'h mut Vec<Hit>, watched: bool) -> Self {
        Self { line, hits, field: None, sighting: watched.then(Sighting::default) }
    }

    /// Notes a value: as a hit, or as part of a pattern that needs several.
    pub(super) fn add(
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
                field: self.field.map(Into::into),
                entry,
                also: Box::default(),
            };
            self.hits.push(hit);
        } else if let Some(sighting) = &mut self.sighting {
            sighting.marks.push(Mark { entry, span, object_type, value, relation, field: None });
        }
    }
}

impl Matcher {
    /// Appends the hits of one line of plain text of a block, and gives a watch what it needs of the line.
    pub(super) fn decide_line(
        &self,
        block: &[u8],
        line: Range<usize>,
        hits: &mut Vec<Hit>,
        watch: Option<&mut Watch<'_>>,
    ) {
        let text = block.get(line.clone()).unwrap_or_default();
        let first = hits.len();
        let mut finds = Finds::new(line.clone(), hits, watch.is_some());
        // A URL in prose has several readings, the longest first: the first one listed is the URL.
        let mut settled = None;
        for token in self.tokens(text) {
            let is_url = token.value.kind().shape() == Shape::Url;
            if is_url && settled == Some(token.span.start) {
                continue;
            }
            if self.decide_token(&token, Standing::ANY, &mut finds) && is_url {
                settled = Some(token.span.start);
            }
            self.decide_value_patterns(&token, Standing::ANY, &mut finds);
        }
        if !self.options.fields_only {
            self.decide_literals(text, &mut finds);
        }
        let sighting = finds.sighting;
        if let (Some(watch), Some(sighting)) = (watch, sighting) {
            watch.see(&Line { block, range: line }, sighting, hits);
        }
        if hits.len() > first + 1 {
            let mut found = hits.split_off(first);
            self.sort(&mut found);
            hits.append(&mut found);
        }
    }

    /// The tokens of a text that may be listed; all of them where patterns ask for more than what is listed.
    pub(super) fn tokens(&self, text: &[u8]) -> Vec<Token> {
        let patterns = [self.expressions.is_empty(), self.compounds.is_empty(), self.fields.is_empty()];
        let interest = if patterns.contains(&false) || self.has_sequences() {
            Interest::ALL
        } else {
            Interest { sieve: Some(self.index.sieve()), macs: self.index.has(|kind| kind == Kind::Mac) }
        };
        text::tokens_of(text, text::Options { refang: self.options.refang }, interest)
    }

    /// Notes the literals that stand in a line.
    fn decide_literals(&self, text: &[u8], finds: &mut Finds<'_, '_>) {
        for found in self.literals.find(text) {
            let span = found.span;
            let (object_type, text) = (found.literal.object_type(), &found.literal.text);
            for owner in found.owners {
                finds.add(owner.exact, &span, object_type, text.to_string(), Relation::Text, owner.entry);
            }
            if !self.compounds.is_empty() {
                let mut objects = Vec::new();
                plain::objects_of_text(found.literal.path, text, 0, &mut objects);
                for entry in self.compounds.satisfied(plain::observation(objects)) {
                    finds.add(true, &span, object_type, text.to_string(), Relation::Text, entry);
                }
            }
            if let Some(sighting) = &mut finds.sighting {
                sighting.add_text(found.literal.path, text);
            }
        }
    }

    /// Notes who lists a token. Whether anybody does, allowed or not.
    pub(super) fn decide_token(&self, token: &Token, standing: Standing, finds: &mut Finds<'_, '_>) -> bool {
        let Token { span, value, place } = token;
        let allowed = self.options.allow.allows(value);
        let object_type = value.kind().object_type();
        let related = |cover| if standing.text { Relation::Text } else { relation_of(cover, *place) };
        let mut listed = false;
        self.index.lookup(value, self.options.subdomains, &mut |found| {
            if standing.admits(found, *place) {
                listed |= found.meta.exact;
                if !allowed {
                    let object_type = found.meta.object_type(value.kind());
                    let relation = related(found.cover);
                    finds.add(found.meta.exact, span, object_type, value.to_string(), relation, EntryId(found.entry));
                }
            }
        });
        if allowed {
            return listed;
        }
        self.expressions.lookup(value, standing.role, &mut |owner| {
            let relation = related(Cover::Same);
            finds.add(owner.exact, span, object_type, value.to_string(), relation, owner.entry);
        });
        if let Some(sighting) = &mut finds.sighting {
            sighting.add_value(token);
        }
        listed
    }

    /// Notes the patterns that a token satisfies by itself.
    pub(super) fn decide_value_patterns(&self, token: &Token, standing: Standing, finds: &mut Finds<'_, '_>) {
        let Token { span, value, place } = token;
        if self.compounds.is_empty() || self.options.allow.allows(value) {
            return;
        }
        let relation = if standing.text { Relation::Text } else { relation_of(Cover::Same, *place) };
        let mut objects = Vec::new();
        if standing.role.is_some() {
            plain::objects_without_ends(value, 0, &mut objects);
        } else {
            plain::objects_of_value(value, 0, &mut objects);
        }
        for entry in self.compounds.satisfied(plain::observation(objects)) {
            finds.add(true, span, value.kind().object_type(), value.to_string(), relation, entry);
        }
    }

    /// In the order of the text, then of the indicators' ids; each indicator once for each place.
    pub(super) fn sort(&self, hits: &mut Vec<Hit>) {
        hits.sort_by_cached_key(|hit| {
            (hit.span.start, hit.span.end, self.rules.indicator(hit.entry).id(), hit.relation, hit.value.clone())
        });
        hits.dedup_by(|later, earlier| later.span == earlier.span && later.entry == earlier.entry);
    }
}

/// Whether an atom counts where the token stands. A name listed as a whole URL is the URL only where it stands alone:
/// inside a longer URL, that URL's own readings tell.
pub(super) fn counts(found: Found, place: Place) -> bool {
    found.meta.holder != Holder::Url || (place == Place::Whole && found.cover == Cover::Same)
}

pub(super) fn relation_of(cover: Cover, place: Place) -> Relation {
    match (cover, place) {
        (Cover::Prefix, _) => Relation::Cidr,
        (Cover::Parent, _) => Relation::Subdomain,
        (Cover::Same, Place::Whole) => Relation::Exact,
        (Cover::Same, Place::HostOfUrl) => Relation::HostOfUrl,
        (Cover::Same, Place::HostOfEmail) => Relation::HostOfEmail,
    }
}
