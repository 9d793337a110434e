//! One answer to a question for objects, read object by object.

use super::seen::{Identity, Seen};
use super::{BoxError, SetAside, Sink};
use crate::source::documents::{self, Broken};
use crate::source::http::{self, Body, Error, Fault, Response};
use crate::source::window::{Place, Window};
use crate::stix::json::{self, Extent, Raw};
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Bytes of a token, at most.
const TOKEN: usize = 8 * 1024;

/// Bytes of an answer for each of its objects, at the least. What was seen is remembered, so that a server must not make
/// many objects of few bytes.
const BYTES: u64 = 100;

/// What came with the objects of a page.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) more: Option<bool>,
    pub(super) next: Option<String>,
    /// Elements of `objects`, whatever they are.
    pub(super) count: u64,
    /// Those that were not seen before.
    pub(super) fresh: u64,
    /// Those that were given to the sink.
    pub(super) given: u64,
    pub(super) set_aside: u64,
}

/// What went wrong with a page.
pub(super) enum PageError {
    Http(Error),
    Sink(BoxError),
}

/// Reads a page into the sink. Only objects of `types` are given, if there are any, and marking definitions.
pub(super) fn read(
    response: Response,
    source: &http::Settings,
    collection: &str,
    types: &[String],
    seen: &mut Seen,
    sink: &mut dyn Sink,
) -> Result<Envelope, PageError> {
    let url = response.url.clone();
    let most = (source.max_body / BYTES).max(1000);
    let source = source.name.as_str();
    let wrong = |what: String| PageError::Http(Error::new(source, Some(&url), Fault::Answer(what)));
    let media_type = response.media_type();
    if matches!(&*media_type, "text/html" | "application/xhtml+xml") {
        return Err(wrong(not_taxii(response.body)));
    }
    let stop = Rc::new(Cell::new(false));
    let mut body = Stoppable { body: response.body, stop: Rc::clone(&stop) };
    let mut window = Window::new(&mut body);
    window.more();
    crate::source::skip_byte_order_mark(&mut window);
    loop {
        let space = json::skip_space(window.rest(), 0);
        window.advance(space);
        if !window.rest().is_empty() || !window.more() {
            break;
        }
    }
    if !matches!(window.rest().first(), Some(b'{' | b'[') | None) {
        let head = window.rest()[..window.rest().len().min(4096)].to_vec();
        return Err(wrong(not_taxii(&head[..])));
    }

    let mut reader = Reader {
        envelope: Envelope::default(),
        collection,
        types,
        seen,
        sink,
        stop,
        most,
        inside: 0,
        fault: None,
        failure: None,
        cut: false,
    };
    documents::walk(&mut window, &mut reader);
    let Reader { envelope, fault, failure, cut, .. } = reader;
    if let Some(error) = failure {
        return Err(PageError::Sink(error));
    }
    if let Some(what) = fault {
        return Err(wrong(what));
    }
    if let Some(error) = window.take_failure() {
        return Err(match Error::of_body(&error) {
            Some(error) => PageError::Http(Error::new(source, Some(&url), error.fault().clone())),
            None => PageError::Http(Error::new(source, Some(&url), Fault::Broken(error.to_string()))),
        });
    }
    if cut {
        // The connection was closed as if all were well, and it is not.
        return Err(PageError::Http(Error::new(
            source,
            Some(&url),
            Fault::Broken("it ends inside an object or list".into()),
        )));
    }
    Ok(envelope)
}

fn not_taxii(body: impl Read) -> String {
    let mut head = Vec::new();
    // Whatever came is what there is to show.
    let _ = body.take(64 * 1024).read_to_end(&mut head);
    match crate::source::http::said(&head) {
        Some(said) => format!("the answer is no TAXII, but says {said:?}; is this the right url?"),
        None => "the answer is no TAXII; is this the right url?".into(),
    }
}

/// A body that ends early once the sink has failed.
struct Stoppable {
    body: Body,
    stop: Rc<Cell<bool>>,
}

impl Read for Stoppable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.get() { Err(io::Error::other("stopped")) } else { self.body.read(buffer) }
    }
}

struct Reader<'a> {
    envelope: Envelope,
    collection: &'a str,
    types: &'a [String],
    seen: &'a mut Seen,
    sink: &'a mut dyn Sink,
    stop: Rc<Cell<bool>>,
    /// Objects that the answer may have.
    most: u64,
    /// Containers that were opened.
    inside: u32,
    /// Why the answer is no envelope.
    fault: Option<String>,
    failure: Option<BoxError>,
    cut: bool,
}

impl Reader<'_> {
    /// Members of the envelope itself.
    fn set(&mut self, key: &[u8], value: Raw<'_>) {
        match key {
            b"more" => self.envelope.more = value.boolean().or(self.envelope.more),
            b"next" => {
                let token = match value.string() {
                    Some(text) => text.ok().map(std::borrow::Cow::into_owned),
                    None => value.number().map(|_| String::from_utf8_lossy(value.0).into_owned()),
                };
                self.envelope.next = token.filter(|token| !token.is_empty());
                if self.envelope.next.as_ref().is_some_and(|token| token.len() > TOKEN) {
                    self.envelope.next = None;
                    self.fault = Some(format!("a `next` of more than {TOKEN} bytes"));
                }
            }
            _ => {}
        }
    }

    fn result(&mut self, result: Result<(), BoxError>) {
        if let Err(error) = result {
            self.failure.get_or_insert(error);
            self.stop.set(true);
        }
    }

    /// One more element of the page.
    fn count(&mut self) {
        self.envelope.count += 1;
        if self.envelope.count > self.most {
            self.fault.get_or_insert_with(|| {
                format!("more than {} objects in one answer; ask for fewer with `limit`", self.most)
            });
            self.stop.set(true);
        }
    }

    fn element(&mut self, identity: &Identity<'_>, kind: Option<Raw<'_>>, whole: &[u8]) {
        self.count();
        if self.stop.get() || !self.seen.insert(identity, whole) {
            return;
        }
        self.envelope.fresh += 1;
        let wanted = self.types.is_empty()
            || kind
                .and_then(Raw::string)
                .and_then(Result::ok)
                .is_none_or(|kind| kind == "marking-definition" || self.types.iter().any(|wanted| *wanted == kind));
        if wanted && self.failure.is_none() {
            self.envelope.given += 1;
            let result = self.sink.object(whole);
            self.result(result);
        }
    }

    /// An answer that is one object without objects in it.
    fn lone(&mut self, whole: &[u8]) {
        let mut identity = Identity::default();
        let mut kind = None;
        let mut strange = None;
        let mut members = Vec::new();
        let _ = json::object(whole, |key, value| {
            identity.set(key, value);
            match key {
                b"type" => kind = Some(value),
                b"more" | b"next" => members.push((key.to_vec(), value)),
                b"id" | b"spec_version" | b"objects" => {}
                _ => strange = strange.take().or(Some(String::from_utf8_lossy(key).into_owned())),
            }
        });
        for (key, value) in members {
            self.set(&key, value);
        }
        let is_bundle = kind.is_none_or(|kind| matches!(kind.0, b"\"bundle\"" | b"\"envelope\""));
        match (is_bundle, strange) {
            (true, Some(key)) => {
                self.fault = Some(match crate::source::http::said(whole) {
                    Some(said) => format!("the answer is no page of objects, but says {said:?}"),
                    None => format!(
                        "the answer is no page of objects: it has {:?} and no `objects`",
                        crate::source::http::tidy(&key)
                    ),
                });
            }
            (true, None) => {}
            (false, _) => self.element(&identity, kind, whole),
        }
    }

    fn set_aside(&mut self, bytes: &[u8], broken: Broken) {
        let mut id = None;
        if bytes.first() == Some(&b'{') {
            // Where the fault is, is of no interest here.
            let _ = json::object(bytes, |key, value| {
                if key == b"id" {
                    id = value.string().and_then(Result::ok).map(|id| crate::source::http::tidy(&id));
                }
            });
        }
        self.count();
        // Where it ends is not known, and what follows differs from page to page.
        let identity = Identity::default();
        let key = id.as_deref().map_or(&bytes[..bytes.len().min(32)], str::as_bytes);
        if !self.stop.get() && self.seen.insert(&identity, key) {
            self.envelope.fresh += 1;
            self.envelope.set_aside += 1;
            let result = self.sink.set_aside(&SetAside { collection: self.collection, id, broken });
            self.result(result);
        }
    }
}

impl documents::Sink for Reader<'_> {
    fn object(&mut self, bytes: &[u8], _: Place) -> Result<Extent, json::Fault> {
        let (mut identity, mut kind) = (Identity::default(), None);
        let extent = json::object(bytes, |key, value| {
            identity.set(key, value);
            if key == b"type" {
                kind = Some(value);
            }
        })?;
        match extent {
            Extent::Object(length) if self.inside > 0 => self.element(&identity, kind, &bytes[..length]),
            Extent::Object(length) => self.lone(&bytes[..length]),
            Extent::Container(_) => {
                self.inside += 1;
                let mut members = Vec::new();
                json::object(bytes, |key, value| members.push((key, value)))?;
                for (key, value) in members {
                    self.set(key, value);
                }
            }
        }
        Ok(extent)
    }

    fn string(&mut self, raw: Raw<'_>, _: Place) {
        self.set_aside(raw.0, Broken::NotAnObject);
    }

    fn broken(&mut self, bytes: &[u8], _: Place, broken: Broken) {
        if broken == Broken::Cut {
            self.cut = true;
        } else {
            self.set_aside(bytes, broken);
        }
    }

    fn member(&mut self, key: &[u8], value: Raw<'_>) {
        self.set(key, value);
    }
}
