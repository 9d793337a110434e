//! Decides a line that has fields: what stands in which, who lists it there, and which patterns the line satisfies.
//!
//! A value in a field that names a property counts for indicators of that property: an address in the source field is
//! none for an indicator that names the destination. In free text, and in fields of which nothing is known, a value
//! counts for all, unless other fields of the line tell which ends its connection has.

use super::fields::Seen;
use super::index::Found;
use super::line::{Finds, Standing, counts, relation_of};
use super::watch::{Line, Mark, Watch};
use super::{Hit, Matcher, Relation, plain};
use crate::compile::{EntryId, Holder};
use crate::log::{Event, Field, Layout, Meaning, assemble};
use crate::observable::text::{Place, Token};
use crate::observable::{self, Kind, Role, Shape, Value, kind};
use crate::stix::observed::Object;
use std::collections::BTreeMap;
use std::ops::Range;

/// What the parts of a line come to, besides hits.
#[derive(Default)]
struct Parts {
    /// The objects of values that stand in no property.
    objects: Vec<Object>,
    /// Whether such objects are asked for.
    wanted: bool,
}

impl Matcher {
    /// Appends the hits of a line of some layout. What is not as the layout has it is plain text, and counted.
    pub(super) fn decide_as(
        &self,
        layout: &Layout,
        block: &[u8],
        line: Range<usize>,
        hits: &mut Vec<Hit>,
        watch: Option<&mut Watch<'_>>,
        malformed: &mut BTreeMap<&'static str, u64>,
    ) {
        let mut event = Event::new(block.get(line.clone()).unwrap_or_default());
        if event.line.trim_ascii().is_empty() {
            return;
        }
        if let Err(reason) = layout.decode(&mut event) {
            *malformed.entry(reason).or_default() += 1;
        }
        let mut watch = watch;
        if event.records().all(|record| record.fields.is_empty()) {
            return self.decide_line(block, line, hits, watch);
        }
        for record in event.records() {
            self.decide_event(block, line.clone(), record, hits, watch.as_deref_mut());
        }
    }

    /// Appends the hits of a line with fields, and gives a watch what it needs of it.
    pub(super) fn decide_event(
        &self,
        block: &[u8],
        line: Range<usize>,
        event: &Event<'_>,
        hits: &mut Vec<Hit>,
        watch: Option<&mut Watch<'_>>,
    ) {
        let first = hits.len();
        let ends_known = event.fields.iter().any(|field| property(field).is_some_and(|of| of.role != Role::Any));
        let mut parts = Parts { wanted: watch.is_some() || !self.fields.is_empty(), ..Parts::default() };
        let mut finds = Finds::new(line.clone(), hits, false);
        for field in &event.fields {
            finds.field = Some(&field.name);
            self.decide_field(field, ends_known, &mut finds, &mut parts);
        }
        if watch.is_some() || !self.fields.is_empty() {
            let at = watch.as_ref().and_then(|watch| watch.time(event));
            let observation = assemble::observation(&event.fields, at, parts.objects);
            if let Some(watch) = watch {
                let mut marks = |entry: EntryId, from: Option<super::fields::Owner>| {
                    let owner = from.or_else(|| super::fields::Owner::of_entry(&self.rules, entry))?;
                    let seen = owner.seen(&self.rules, &event.fields).filter(|seen| self.is_wanted(seen))?;
                    let field = event.fields.get(seen.field)?;
                    Some(Mark {
                        entry,
                        span: seen.span,
                        object_type: seen.object_type,
                        value: seen.value,
                        relation: seen.relation,
                        field: Some(field.name.as_ref().into()),
                    })
                };
                watch.see_fields(&Line { block, range: line }, &observation, &mut marks, finds.hits);
            }
            if !self.fields.is_empty() {
                for owner in self.fields.satisfied(observation) {
                    let seen = owner.seen(&self.rules, &event.fields).filter(|seen| self.is_wanted(seen));
                    let Some(seen) = seen else { continue };
                    finds.field = event.fields.get(seen.field).map(|field| &*field.name);
                    let allowed =
                        observable::classify(&seen.value).is_ok_and(|value| self.options.allow.allows(&value));
                    if !allowed {
                        let relation = match seen.relation {
                            Relation::Exact => self.relation_to(&seen.value, owner.entry),
                            other => other,
                        };
                        finds.add(true, &seen.span, seen.object_type, seen.value, relation, owner.entry);
                    }
                }
            }
        }
        if hits.len() > first + 1 {
            let mut found = hits.split_off(first);
            self.sort(&mut found);
            hits.append(&mut found);
        }
    }

    /// Whether a hit there is to be reported: what stands within a free text is text, also where the pattern names it.
    fn is_wanted(&self, seen: &Seen) -> bool {
        !(seen.relation == Relation::Text && self.options.fields_only)
    }

    /// How a value relates to what an indicator lists among other things.
    fn relation_to(&self, value: &str, entry: EntryId) -> Relation {
        let mut relation = None;
        if let Ok(value) = observable::classify(value) {
            self.index.lookup(&value, self.options.subdomains, &mut |found| {
                if found.entry == entry.0 {
                    relation = Some(relation_of(found.cover, Place::Whole));
                }
            });
        }
        relation.unwrap_or(Relation::Exact)
    }

    fn decide_field<'f>(&self, field: &'f Field<'_>, ends_known: bool, finds: &mut Finds<'_, 'f>, parts: &mut Parts) {
        let unknown_role = ends_known.then_some(Role::Any);
        match field.meaning {
            Meaning::Property { path, .. } => match property(field) {
                Some(of_path) => {
                    let standing = Standing { role: Some(of_path.role), ..Standing::of_path(path) };
                    self.decide_typed(field, of_path, standing, unknown_role, finds, parts);
                }
                None => self.decide_text(field, unknown_role, finds, parts),
            },
            Meaning::Open => self.decide_open(field, unknown_role, finds, parts),
            Meaning::Text => self.decide_text(field, unknown_role, finds, parts),
        }
    }

    /// A field that has a kind: its value as a whole, the host of a URL or mail address, and what else is in it.
    fn decide_typed<'f>(
        &self,
        field: &'f Field<'_>,
        of_path: observable::Field,
        standing: Standing,
        unknown_role: Option<Role>,
        finds: &mut Finds<'_, 'f>,
        parts: &mut Parts,
    ) {
        let text = String::from_utf8_lossy(&field.text);
        let Ok(value) = of_path.normalise(&text).or_else(|invalid| fingerprint(of_path, &text).ok_or(invalid)) else {
            // Several, or one with a port, or something else altogether.
            return self.decide_open(field, standing.role, finds, parts);
        };
        let whole = Token { span: field.span.clone(), value, place: Place::Whole };
        self.decide_whole(&whole, 0..field.text.len(), field, standing, finds);
        if !matches!(whole.value.kind().shape(), Shape::Url) && whole.value.kind() != Kind::Email || field.assembled {
            return;
        }
        self.decide_inner(field, 0..field.text.len(), &whole.value, unknown_role, finds, parts);
    }

    /// A value that is a whole field or one of a list.
    fn decide_whole(
        &self,
        token: &Token,
        part: Range<usize>,
        field: &Field<'_>,
        standing: Standing,
        finds: &mut Finds<'_, '_>,
    ) {
        if self.decide_token(token, standing, finds) || token.value.kind() != Kind::Url || field.assembled {
            return;
        }
        // What is behind the `#` never leaves the browser, and lists leave it out.
        let text = &field.text[part.clone()];
        if let Some(fragment) = memchr::memchr(b'#', text)
            && let Ok(value) = Kind::Url.normalise(&String::from_utf8_lossy(&text[..fragment]))
        {
            let span = field.place(part.start..part.start + fragment);
            self.decide_token(&Token { span, value, place: Place::Whole }, standing, finds);
        }
    }

    /// What a URL or mail address holds besides itself: its host, and what stands in its path or query.
    fn decide_inner<'f>(
        &self,
        field: &'f Field<'_>,
        part: Range<usize>,
        whole: &Value,
        unknown_role: Option<Role>,
        finds: &mut Finds<'_, 'f>,
        parts: &mut Parts,
    ) {
        let host = kind::url::host(whole);
        let mut host_met = false;
        for token in self.tokens(&field.text[part.clone()]) {
            if token.value == *whole || token.span.start == 0 && token.value.kind() == whole.kind() {
                continue;
            }
            let outer = match token.place {
                Place::HostOfUrl => !host_met && host.as_ref() == Some(&token.value),
                Place::HostOfEmail => whole.kind() == Kind::Email,
                Place::Whole => false,
            };
            host_met |= outer;
            if !outer && self.options.fields_only {
                continue;
            }
            let place = field.place(part.start + token.span.start..part.start + token.span.end);
            let token = Token { span: place, ..token };
            if outer {
                self.decide_token(&token, Standing { role: unknown_role, ..Standing::ANY }, finds);
                parts.add(&token.value, unknown_role);
            } else {
                self.decide_token(&token, Standing { role: unknown_role, text: true, ..Standing::ANY }, finds);
            }
        }
    }

    /// A field of which nothing is known: one value, a list of them, or text.
    fn decide_open<'f>(&self, field: &'f Field<'_>, role: Option<Role>, finds: &mut Finds<'_, 'f>, parts: &mut Parts) {
        let text = String::from_utf8_lossy(&field.text);
        if std::str::from_utf8(&field.text).is_err() {
            return self.decide_text(field, role, finds, parts);
        }
        let values = values_of(&text);
        if values.is_empty() {
            return self.decide_text(field, role, finds, parts);
        }
        let standing = Standing { role, ..Standing::ANY };
        for (value, at) in values {
            let token = Token { span: field.place(at.clone()), value, place: Place::Whole };
            self.decide_whole(&token, at.clone(), field, standing, finds);
            parts.add(&token.value, role);
            if token.value.kind() == Kind::Url || token.value.kind() == Kind::Email {
                self.decide_inner(field, at, &token.value, role, finds, parts);
            }
        }
    }

    /// A text in which values may stand anywhere.
    fn decide_text<'f>(&self, field: &'f Field<'_>, role: Option<Role>, finds: &mut Finds<'_, 'f>, parts: &mut Parts) {
        if self.options.fields_only || field.assembled {
            return;
        }
        let standing = Standing { role, text: true, ..Standing::ANY };
        let mut settled = None;
        for token in self.tokens(&field.text) {
            let is_url = token.value.kind().shape() == Shape::Url;
            if is_url && settled == Some(token.span.start) {
                continue;
            }
            let start = token.span.start;
            let token = Token { span: field.place(token.span), ..token };
            if self.decide_token(&token, standing, finds) && is_url {
                settled = Some(start);
            }
            self.decide_value_patterns(&token, standing, finds);
            parts.add_if(self.has_sequences(), &token.value, role);
        }
    }
}

impl Parts {
    /// Notes what a value stands for that is in no property.
    fn add(&mut self, value: &Value, role: Option<Role>) {
        self.add_if(self.wanted, value, role);
    }

    fn add_if(&mut self, wanted: bool, value: &Value, role: Option<Role>) {
        if !wanted {
            return;
        }
        let number = self.objects.len() + OPEN_KEYS;
        if role.is_some() {
            plain::objects_without_ends(value, number, &mut self.objects);
        } else {
            plain::objects_of_value(value, number, &mut self.objects);
        }
    }
}

/// The objects that a field of which nothing is known stands for.
pub(super) fn objects_of_open(field: &Field<'_>) -> Vec<Object> {
    let mut objects = Vec::new();
    if field.meaning == Meaning::Open
        && let Ok(text) = std::str::from_utf8(&field.text)
    {
        for (number, piece) in values_of(text).into_iter().enumerate() {
            plain::objects_of_value(&piece.0, number + OPEN_KEYS, &mut objects);
        }
    }
    objects
}

/// The value or values that a text is and nothing else, each with its place.
fn values_of(text: &str) -> Vec<(Value, Range<usize>)> {
    if let Some(only) = observable_alone(text) {
        return vec![only];
    }
    let mut values = Vec::new();
    for piece in pieces(text) {
        let Some((value, at)) = observable_alone(&text[piece.clone()]) else { return Vec::new() };
        values.push((value, piece.start + at.start..piece.start + at.end));
    }
    values
}

/// Keys of objects that come from no property begin here, above all those that do.
const OPEN_KEYS: usize = 1 << 20;

/// The kind of a field that names a property.
fn property(field: &Field<'_>) -> Option<observable::Field> {
    match field.meaning {
        Meaning::Property { path, .. } => observable::of_path(path),
        _ => None,
    }
}

/// The observable that a text is and nothing else, and the part of it that is the value: an address or name may have a
/// port behind it, a name a dot.
fn observable_alone(text: &str) -> Option<(Value, Range<usize>)> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    if trimmed.is_empty() || trimmed.len() > LONGEST || trimmed.contains(char::is_whitespace) {
        return None;
    }
    if let Some((host, port)) = trimmed.rsplit_once(':')
        && !port.is_empty()
        && port.len() <= 5
        && port.bytes().all(|b| b.is_ascii_digit())
        && (!host.contains(':') || host.ends_with(']'))
        && let Ok(value) = observable::classify(host)
        && matches!(value.kind(), Kind::Ipv4 | Kind::Ipv6 | Kind::Domain)
    {
        return Some((value, start..start + host.len()));
    }
    let value = observable::classify(trimmed).ok()?;
    Some((value, start..start + trimmed.len()))
}

/// No single value is longer.
const LONGEST: usize = 4096;

/// The pieces of a list: what stands between commas, semicolons, bars and white space, quotes and brackets left out.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    let separator =
        |letter: char| matches!(letter, ',' | ';' | '|' | '[' | ']' | '"' | '\'' | '<' | '>') || letter.is_whitespace();
    text.split(separator).filter(|piece| !piece.is_empty()).map(move |piece| {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        start..start + piece.len()
    })
}

/// A digest written as pairs of digits with colons between them, as fingerprints are.
fn fingerprint(of_path: observable::Field, text: &str) -> Option<Value> {
    let pairs = text.contains(':') && text.split(':').all(|pair| pair.len() == 2);
    pairs.then(|| of_path.normalise(&text.replace(':', "")).ok()).flatten()
}

impl Standing {
    /// In a property.
    fn of_path(path: &str) -> Self {
        Self { certificate: Some(path.starts_with("x509-certificate:")), ..Self::ANY }
    }

    /// Whether an atom speaks of what stands so. Bare lists of digests hold those of certificates too.
    pub(super) fn admits(self, found: Found, place: Place) -> bool {
        let role = found.meta.role;
        counts(found, place)
            && (role == Role::Any || self.role.is_none_or(|own| own == role))
            && self.certificate.is_none_or(|own| own || found.meta.holder != Holder::Certificate)
    }
}
