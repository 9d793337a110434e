//! From the address that a source was given to the collections that it means.

use super::{Failure, Settings};
use crate::source::http::{self, Ask, Client, Error, Fault, tidy};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write;
use std::io::Read;
use url::Url;

/// Bytes of a discovery document or a list of collections, at most.
const DOCUMENT: u64 = 16 * 1024 * 1024;

/// The media types that a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V20,
    V21,
}

impl Version {
    /// For everything but objects.
    pub(super) fn documents(self) -> &'static str {
        match self {
            Self::V21 => "application/taxii+json;version=2.1",
            Self::V20 => "application/vnd.oasis.taxii+json; version=2.0",
        }
    }

    pub(super) fn objects(self) -> &'static str {
        match self {
            Self::V21 => "application/taxii+json;version=2.1",
            Self::V20 => "application/vnd.oasis.stix+json; version=2.0",
        }
    }
}

/// A collection to poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) title: Option<String>,
    /// Where its objects are; several places if it is not known which API root has it.
    pub(super) objects: Vec<Url>,
    pub(super) version: Version,
    /// What the server lists, if this is not among it.
    listed: Vec<String>,
}

impl Target {
    pub(super) fn name(&self) -> &str {
        self.title.as_deref().filter(|title| !title.is_empty()).unwrap_or(&self.id)
    }

    /// No API root knows it.
    pub(super) fn unknown(&self, source: &str, error: Error) -> Failure {
        if self.title.is_some() || self.listed.is_empty() || error.status() == Some(403) {
            return error.into();
        }
        Failure::Collection(format!(
            "{}: no collection has the id, alias or title {:?}; the server lists {}",
            tidy(source),
            tidy(&self.id),
            shown(&self.listed)
        ))
    }
}

/// What an address leads to.
#[derive(Debug)]
pub(super) enum Place {
    Discovery {
        title: Option<String>,
        roots: Vec<String>,
    },
    ApiRoot {
        title: Option<String>,
        versions: Vec<String>,
    },
    Listing(Vec<Listed>),
    Collection(Listed),
    /// Objects themselves.
    Objects,
}

/// A collection as servers describe it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) alias: Option<String>,
    #[serde(default)]
    pub(super) can_read: Option<bool>,
}

impl Listed {
    pub(super) fn name(&self) -> String {
        match self.title.as_deref().filter(|title| !title.is_empty() && *title != self.id) {
            Some(title) => format!("{} ({})", tidy(&self.id), tidy(title)),
            None => tidy(&self.id),
        }
    }
}

/// An API root, and what it lists.
struct Root {
    url: Url,
    listing: Result<Vec<Listed>, Error>,
    version: Version,
}

/// The collections that the settings mean, and what stood in the way of finding more.
pub(super) fn targets(
    client: &mut Client,
    settings: &Settings,
    note: &mut dyn FnMut(&str),
) -> (Vec<Target>, Vec<Failure>) {
    let mut failures = Vec::new();
    let url = with_slash(&settings.http.url);
    if let Some(target) = objects_address(&url) {
        return (vec![target], failures);
    }
    let mut version = Version::V21;
    let (url, place) = match look(client, &url, &mut version) {
        Ok(found) => found,
        Err(error)
            if matches!(error.status(), Some(status) if status != 401)
                && !matches!(error.fault(), Fault::Refused(_)) =>
        {
            match beyond(&url, settings, &error, note) {
                Beyond::Target(target) => return (vec![target], failures),
                Beyond::Root => (url, Place::ApiRoot { title: None, versions: Vec::new() }),
                Beyond::Nothing => return (Vec::new(), vec![error.into()]),
            }
        }
        Err(error) => return (Vec::new(), vec![error.into()]),
    };
    let mut roots = Vec::new();
    match place {
        Place::Discovery { roots: listed, .. } => {
            for text in listed {
                match root_url(client, &url, &text, note) {
                    Ok(root) if roots.contains(&root) => {}
                    Ok(root) => roots.push(root),
                    Err(error) => failures.push(error.into()),
                }
            }
            if roots.is_empty() && failures.is_empty() {
                failures
                    .push(answer(client, &url, "the discovery document names no API root; give the URL of one").into());
            }
        }
        Place::ApiRoot { .. } => roots.push(url.clone()),
        Place::Listing(collections) => {
            let root = url.join("../").unwrap_or_else(|_| url.clone());
            return pick(vec![Root { url: root, listing: Ok(collections), version }], settings, failures, note);
        }
        Place::Collection(listed) => {
            let objects = url.join("objects/").into_iter().collect();
            let title = listed.title.map(|title| tidy(&title));
            return (vec![Target { id: tidy(&listed.id), title, objects, version, listed: Vec::new() }], failures);
        }
        Place::Objects => {
            return (
                vec![Target { id: tidy(url.path()), title: None, objects: vec![url], version, listed: Vec::new() }],
                failures,
            );
        }
    }
    let mut read = Vec::new();
    for url in roots {
        let (listing, version) = listing(client, &url, version);
        if let Err(error) = &listing
            && error.status() == Some(401)
        {
            failures.extend(listing.err().map(Failure::from));
            return (Vec::new(), failures);
        }
        read.push(Root { url, listing, version });
    }
    pick(read, settings, failures, note)
}

/// Asks what an address is. If a host alone was given, discovery is where the standard says.
pub(super) fn look(client: &mut Client, url: &Url, version: &mut Version) -> Result<(Url, Place), Error> {
    let found = document(client, url, version).and_then(|(url, value)| {
        let place = place(&value).ok_or_else(|| strange(client, &url, &value))?;
        Ok((url, place))
    });
    match found {
        Err(error)
            if url.path() == "/"
                && error.status() != Some(401)
                && (error.status().is_some() || matches!(error.fault(), Fault::Answer(_))) =>
        {
            let standard = url.join("/taxii2/").unwrap_or_else(|_| url.clone());
            let (url, value) = document(client, &standard, version).map_err(|_| error)?;
            let place = place(&value).ok_or_else(|| strange(client, &url, &value))?;
            Ok((url, place))
        }
        found => found,
    }
}

/// What a document is, told by what it has.
fn place(value: &Value) -> Option<Place> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let texts = |key: &str| -> Option<Vec<String>> {
        let list = value.get(key)?.as_array()?;
        Some(list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
    };
    let object = value.as_object()?;
    if object.contains_key("api_roots") || object.contains_key("default") {
        let mut roots: Vec<String> = text("default").into_iter().collect();
        roots.extend(texts("api_roots").unwrap_or_default());
        return Some(Place::Discovery { title: text("title"), roots });
    }
    if object.contains_key("versions") || object.contains_key("max_content_length") {
        return Some(Place::ApiRoot { title: text("title"), versions: texts("versions").unwrap_or_default() });
    }
    if object.contains_key("collections") {
        return Some(Place::Listing(listed(value)));
    }
    if object.contains_key("objects") || text("type").as_deref() == Some("bundle") {
        return Some(Place::Objects);
    }
    if object.contains_key("can_read") || object.contains_key("media_types") {
        return Listed::deserialize(value).ok().map(Place::Collection);
    }
    None
}

fn listed(value: &Value) -> Vec<Listed> {
    let list = value.get("collections").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|entry| Listed::deserialize(entry).ok()).collect()
}

/// What an API root lists.
pub(super) fn listing(client: &mut Client, root: &Url, version: Version) -> (Result<Vec<Listed>, Error>, Version) {
    let mut version = version;
    let Ok(url) = root.join("collections/") else { return (Ok(Vec::new()), version) };
    let listing = document(client, &url, &mut version).and_then(|(url, value)| {
        // A missing list is an empty one, but an error in place of it is an error.
        if value.is_object() && value.get("error").is_none() {
            Ok(listed(&value))
        } else {
            Err(strange(client, &url, &value))
        }
    });
    (listing, version)
}

/// The JSON at an address. A server that does not know the media type of 2.1 is asked with that of 2.0.
pub(super) fn document(client: &mut Client, url: &Url, version: &mut Version) -> Result<(Url, Value), Error> {
    let get =
        |client: &mut Client, version: Version| client.get(url, &Ask { accept: version.documents(), ..Ask::default() });
    let response = match get(client, *version) {
        Err(error) if *version == Version::V21 && matches!(error.status(), Some(406 | 415)) => {
            let response = get(client, Version::V20).map_err(|_| error)?;
            *version = Version::V20;
            response
        }
        other => other?,
    };
    if response.media_type() == "application/vnd.oasis.taxii+json" {
        *version = Version::V20;
    }
    let url = response.url.clone();
    let mut bytes = Vec::new();
    response.body.take(DOCUMENT).read_to_end(&mut bytes).map_err(|error| match Error::of_body(&error) {
        Some(inner) => Error::new(&client.settings().name, Some(&url), inner.fault().clone()),
        None => answer(client, &url, &error.to_string()),
    })?;
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    match serde_json::from_slice(text) {
        Ok(value) => Ok((url, value)),
        Err(_) => Err(answer(
            client,
            &url,
            &match http::said(text) {
                Some(said) => format!("the answer is no TAXII, but says {said:?}; is this the right url?"),
                None => "the answer is no TAXII; is this the right url?".into(),
            },
        )),
    }
}

fn strange(client: &Client, url: &Url, value: &Value) -> Error {
    let said = http::said(value.to_string().as_bytes());
    answer(
        client,
        url,
        &match said {
            Some(said) => format!("the answer is no discovery document, API root or collection, but says {said:?}"),
            None => "the answer is no discovery document, API root or collection; is this the right url?".into(),
        },
    )
}

fn answer(client: &Client, url: &Url, what: &str) -> Error {
    Error::new(&client.settings().name, Some(url), Fault::Answer(what.to_owned()))
}

/// The address of an API root that a discovery document names.
pub(super) fn root_url(client: &Client, discovery: &Url, text: &str, note: &mut dyn FnMut(&str)) -> Result<Url, Error> {
    let url = discovery
        .join(text.trim())
        .map_err(|error| answer(client, discovery, &format!("the API root {:?} is no URL: {error}", tidy(text))))?;
    let mut url = with_slash(&url);
    // Servers behind something that encrypts for them name themselves as they see it.
    if discovery.scheme() == "https" && url.scheme() == "http" && url.port().is_none() && url.host() == discovery.host()
    {
        note(&format!("the API root {:?} is asked by https, as discovery was", tidy(text)));
        let _ = url.set_scheme("https");
        let _ = url.set_port(discovery.port());
    }
    client.allows_from(&url, discovery)?;
    Ok(url)
}

/// What can be done although an address gave no answer that says what it is.
enum Beyond {
    Target(Target),
    Root,
    Nothing,
}

fn beyond(url: &Url, settings: &Settings, error: &Error, note: &mut dyn FnMut(&str)) -> Beyond {
    let mut segments: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    segments.pop();
    if let [.., "collections", id] = segments.as_slice() {
        note(&format!("{error}; its objects are asked for all the same"));
        let objects = url.join("objects/").into_iter().collect();
        return Beyond::Target(Target {
            id: tidy(id),
            title: None,
            objects,
            version: Version::V21,
            listed: Vec::new(),
        });
    }
    if settings.collections.is_empty() || error.status() == Some(404) && url.path() == "/" {
        return Beyond::Nothing;
    }
    note(&format!("{error}; it is taken for an API root"));
    Beyond::Root
}

/// The address of a collection's objects, which is not worth asking what it is.
fn objects_address(url: &Url) -> Option<Target> {
    let segments: Vec<&str> = url.path_segments()?.collect();
    let [.., "collections", id, "objects", ""] = segments.as_slice() else { return None };
    Some(Target { id: tidy(id), title: None, objects: vec![url.clone()], version: Version::V21, listed: Vec::new() })
}

/// The collections that the settings mean, of those that the API roots have.
fn pick(
    roots: Vec<Root>,
    settings: &Settings,
    mut failures: Vec<Failure>,
    note: &mut dyn FnMut(&str),
) -> (Vec<Target>, Vec<Failure>) {
    let mut targets: Vec<Target> = Vec::new();
    if settings.collections.is_empty() {
        let mut unreadable = Vec::new();
        let mut found = 0;
        for root in roots {
            match root.listing {
                Ok(listing) => {
                    for listed in listing {
                        found += 1;
                        if listed.can_read == Some(false) {
                            unreadable.push(listed.name());
                        } else if let Some(objects) = objects_url(&root.url, &listed.id) {
                            targets.push(target(&listed, vec![objects], root.version));
                        }
                    }
                }
                Err(error) => failures.push(error.into()),
            }
        }
        if !unreadable.is_empty() {
            note(&format!("not readable with this credential: {}", shown(&unreadable)));
        }
        if targets.is_empty() && failures.is_empty() {
            let what = if found == 0 {
                "the server lists no collections; name them in `collections`"
            } else {
                "the server lets this credential read no collection"
            };
            failures.push(Failure::Collection(format!("{}: {what}", tidy(&settings.http.name))));
        }
        return (targets, failures);
    }
    let listed: Vec<(&Root, &Listed)> =
        roots.iter().flat_map(|root| root.listing.iter().flatten().map(move |listed| (root, listed))).collect();
    for wanted in &settings.collections {
        let same = |text: Option<&str>| text == Some(wanted.as_str());
        let by: [&dyn Fn(&Listed) -> bool; 4] = [
            &|listed| listed.id == *wanted,
            &|listed| same(listed.alias.as_deref()),
            &|listed| same(listed.title.as_deref()),
            &|listed| {
                listed.title.as_deref().is_some_and(|title| title.trim().to_lowercase() == wanted.trim().to_lowercase())
            },
        ];
        let matches: Vec<_> = by
            .iter()
            .map(|by| listed.iter().filter(|(_, listed)| by(listed)).collect::<Vec<_>>())
            .find(|matches| !matches.is_empty())
            .unwrap_or_default();
        let before = targets.len();
        for (root, listed) in matches {
            if listed.can_read == Some(false) {
                note(&format!(
                    "collection {} is listed as not readable with this credential; it is asked for all the same",
                    listed.name()
                ));
            }
            targets
                .extend(objects_url(&root.url, &listed.id).map(|objects| target(listed, vec![objects], root.version)));
        }
        if targets.len() == before {
            unlisted(wanted, &roots, &listed, settings, &mut targets, &mut failures, note);
        }
    }
    let mut known: Vec<Vec<Url>> = Vec::new();
    targets.retain(|target| {
        !known.contains(&target.objects) && {
            known.push(target.objects.clone());
            true
        }
    });
    (targets, failures)
}

/// A collection that is not listed: its name is taken for an id.
fn unlisted(
    wanted: &str,
    roots: &[Root],
    listed: &[(&Root, &Listed)],
    settings: &Settings,
    targets: &mut Vec<Target>,
    failures: &mut Vec<Failure>,
    note: &mut dyn FnMut(&str),
) {
    let broken: Vec<&Root> = roots.iter().filter(|root| root.listing.is_err()).collect();
    let candidates = if broken.is_empty() { roots.iter().collect() } else { broken };
    let why = candidates.iter().find_map(|root| root.listing.as_ref().err()).map_or_else(
        || "the server does not list it".to_owned(),
        |error| format!("the server will not list its collections ({error})"),
    );
    let objects: Vec<Url> = candidates.iter().filter_map(|root| objects_url(&root.url, wanted)).collect();
    let Some(first) = candidates.first().filter(|_| !objects.is_empty()) else {
        if failures.is_empty() {
            failures.push(Failure::Collection(format!(
                "{}: {:?} can be no id of a collection",
                tidy(&settings.http.name),
                tidy(wanted)
            )));
        }
        return;
    };
    note(&format!("collection {}: {why}; its objects are asked for all the same", tidy(wanted)));
    let listed = listed.iter().map(|(_, listed)| listed.name()).collect();
    targets.push(Target { id: wanted.to_owned(), title: None, objects, version: first.version, listed });
}

fn target(listed: &Listed, objects: Vec<Url>, version: Version) -> Target {
    Target { id: tidy(&listed.id), title: listed.title.as_deref().map(tidy), objects, version, listed: Vec::new() }
}

/// Where the objects of a collection are. An id may hold anything but be a way up.
fn objects_url(root: &Url, id: &str) -> Option<Url> {
    if id.is_empty() || id == "." || id == ".." {
        return None;
    }
    let mut url = root.clone();
    url.path_segments_mut().ok()?.pop_if_empty().push("collections").push(id).push("objects").push("");
    Some(url)
}

pub(super) fn with_slash(url: &Url) -> Url {
    let mut url = url.clone();
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

/// A few names of many.
pub(super) fn shown(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}
