//! What a server offers, step by step, for one who sets up a source or wonders why it fails.

use super::discover::{self, Place, Version};
use super::page::{self, PageError};
use super::seen::Seen;
use super::{BoxError, Failure, SetAside, Settings, Sink};
use crate::source::http::{self, Ask, Client, Error, tidy};
use std::time::Instant;
use url::Url;

/// Collections whose first page is asked for, at most.
const TRIED: usize = 5;

/// Objects that are asked for.
const OBJECTS: u32 = 10;

/// What was found in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The step, in a word or two.
    pub step: String,
    /// How it went.
    pub outcome: Outcome,
    /// What was found; of a step that failed, why, and what can be done.
    pub lines: Vec<String>,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Fine,
    /// Something may be wrong, or the server leaves the usual way; a poll copes with it.
    Doubtful,
    /// A poll would fail here.
    Failed,
}

/// Goes through all that a poll would do, without keeping anything, and tells each step as it is done. Nothing is tried
/// twice. True if a poll should succeed.
///
/// ```no_run
/// use stockade::source::taxii::{Settings, probe};
///
/// let settings = Settings::new("socdefenders", "https://socdefenders.ai/api/taxii2/")?;
/// let fine = probe(&settings, &mut |finding| {
///     println!("{}: {:?}", finding.step, finding.outcome);
///     for line in finding.lines {
///         println!("    {line}");
///     }
/// });
/// assert!(fine);
/// # Ok::<(), stockade::source::http::Error>(())
/// ```
pub fn probe(settings: &Settings, say: &mut dyn FnMut(Finding)) -> bool {
    let mut fine = true;
    let mut say = |step: &str, outcome: Outcome, lines: Vec<String>| {
        fine &= outcome != Outcome::Failed;
        say(Finding { step: step.to_owned(), outcome, lines });
    };
    if let Err(error) = steps(settings, &mut say) {
        let (step, error) = error;
        say(step, Outcome::Failed, explained(&error, settings));
    }
    fine
}

type Say<'a> = dyn FnMut(&str, Outcome, Vec<String>) + 'a;

fn steps(settings: &Settings, say: &mut Say<'_>) -> Result<(), (&'static str, Error)> {
    let url = &settings.http.url;
    let mut patient = settings.clone();
    (patient.http.limits.tries, patient.http.limits.sleep) = (1, std::time::Duration::from_secs(5));
    let settings = &patient;
    let mut client = Client::new(settings.http.clone()).map_err(|error| ("settings", error))?;
    say("settings", Outcome::Fine, vec![format!("requests are made with {}", settings.http.auth.describe())]);

    if let Some(variable) = http::proxy(url) {
        say(
            "proxy",
            Outcome::Fine,
            vec![format!("the environment names one in {variable}; the way behind it cannot be looked at")],
        );
    } else {
        let addresses = http::addresses(&settings.http, url).map_err(|error| ("name", error))?;
        let shown = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
        say("name", Outcome::Fine, vec![format!("{} is {shown}", tidy(url.host_str().unwrap_or_default()))]);
        let lines = http::connect(&settings.http, url, &addresses).map_err(|error| ("connection", error))?;
        say("connection", Outcome::Fine, lines);
    }

    let mut version = Version::V21;
    let slashed = discover::with_slash(url);
    match discover::look(&mut client, &slashed, &mut version) {
        Ok((url, place)) => what_it_is(&mut client, &url, place, version, say),
        Err(error) => say("url", Outcome::Doubtful, explained(&error, settings)),
    }

    let mut notes = Vec::new();
    let (targets, failures) = discover::targets(&mut client, settings, &mut |note| notes.push(note.to_owned()));
    if !notes.is_empty() {
        say("notes", Outcome::Doubtful, notes);
    }
    for failure in failures {
        let lines = match &failure {
            Failure::Http(error) => explained(error, settings),
            other => vec![other.to_string()],
        };
        say("collections", Outcome::Failed, lines);
    }
    if !targets.is_empty() {
        let names = targets.iter().map(|target| target.name().to_owned()).collect::<Vec<_>>();
        say("to be polled", Outcome::Fine, vec![discover::shown(&names)]);
    }
    for target in targets.iter().take(TRIED) {
        let mut last = None;
        for objects in &target.objects {
            match first_page(&mut client, settings, objects, target.version, target.name()) {
                Ok(lines) => {
                    say(&format!("collection {}", target.name()), Outcome::Fine, lines);
                    last = None;
                    break;
                }
                Err(error) => last = Some(error),
            }
        }
        if let Some(error) = last {
            say(&format!("collection {}", target.name()), Outcome::Failed, explained(&error, settings));
        }
    }
    Ok(())
}

fn what_it_is(client: &mut Client, url: &Url, place: Place, version: Version, say: &mut Say<'_>) {
    let standard = if version == Version::V20 { "TAXII 2.0" } else { "TAXII 2.1" };
    let titled = |title: Option<String>| title.map_or_else(String::new, |title| format!(" {:?}", tidy(&title)));
    match place {
        Place::Discovery { title, roots } => {
            let mut lines = vec![format!("a discovery document of {standard}{}", titled(title))];
            lines.extend(roots.iter().map(|root| format!("API root {}", tidy(root))));
            say("url", Outcome::Fine, lines);
            for root in roots {
                let mut notes = Vec::new();
                match discover::root_url(client, url, &root, &mut |note| notes.push(note.to_owned())) {
                    Ok(root) => api_root(client, &root, version, notes, say),
                    Err(error) => say("API root", Outcome::Doubtful, vec![error.to_string()]),
                }
            }
        }
        Place::ApiRoot { title, versions } => {
            say(
                "url",
                Outcome::Fine,
                vec![format!("an API root{}, versions {}", titled(title), tidy(&versions.join(", ")))],
            );
            listing(client, url, version, say);
        }
        Place::Listing(listed) => say("url", Outcome::Fine, vec![format!("a list of {} collections", listed.len())]),
        Place::Collection(listed) => say("url", Outcome::Fine, vec![format!("the collection {}", listed.name())]),
        Place::Objects => say("url", Outcome::Fine, vec!["objects themselves".into()]),
    }
}

fn api_root(client: &mut Client, root: &Url, version: Version, mut lines: Vec<String>, say: &mut Say<'_>) {
    let mut spoken = version;
    let shown = format!("{}{}", root.host_str().unwrap_or_default(), root.path());
    match discover::look(client, root, &mut spoken) {
        Ok((_, Place::ApiRoot { title, versions })) => {
            lines.push(format!(
                "{}: {}, versions {}",
                tidy(&shown),
                tidy(&title.unwrap_or_default()),
                tidy(&versions.join(", "))
            ));
            say("API root", Outcome::Fine, lines);
        }
        Ok(_) => {
            lines.push(format!("{}: it does not say that it is an API root", tidy(&shown)));
            say("API root", Outcome::Doubtful, lines);
        }
        Err(error) => {
            lines.push(error.to_string());
            say("API root", Outcome::Doubtful, lines);
        }
    }
    listing(client, root, spoken, say);
}

fn listing(client: &mut Client, root: &Url, version: Version, say: &mut Say<'_>) {
    match discover::listing(client, root, version).0 {
        Ok(listed) => {
            let lines = listed.iter().map(|listed| {
                let right = match listed.can_read {
                    Some(true) => "may be read",
                    Some(false) => "may not be read with this credential",
                    None => "the server does not say whether it may be read",
                };
                format!("{}: {right}", listed.name())
            });
            let lines: Vec<String> = lines.collect();
            let outcome = if lines.is_empty() { Outcome::Doubtful } else { Outcome::Fine };
            say("collections", outcome, if lines.is_empty() { vec!["the server lists none".into()] } else { lines });
        }
        Err(error) => {
            let advice =
                "the server will not list its collections; one that is configured by id is polled all the same";
            say("collections", Outcome::Doubtful, vec![error.to_string(), advice.into()]);
        }
    }
}

/// Asks for a few objects and says what the answer was like.
fn first_page(
    client: &mut Client,
    settings: &Settings,
    objects: &Url,
    version: Version,
    name: &str,
) -> Result<Vec<String>, Error> {
    struct Nowhere(Vec<String>);
    impl Sink for Nowhere {
        fn object(&mut self, _: &[u8]) -> Result<(), BoxError> {
            Ok(())
        }
        fn commit(&mut self, _: &str) -> Result<(), BoxError> {
            Ok(())
        }
        fn set_aside(&mut self, what: &SetAside<'_>) -> Result<(), BoxError> {
            self.0.push(format!("set aside: {}: {}", what.id.as_deref().unwrap_or("no id"), what.broken.detail()));
            Ok(())
        }
    }
    let mut url = objects.clone();
    let limit = settings.limit.min(OBJECTS);
    if version == Version::V21 {
        url.query_pairs_mut().append_pair("limit", &limit.to_string());
    }
    url.query_pairs_mut().extend_pairs(&settings.query);
    let range = (version == Version::V20).then(|| ("range", format!("items 0-{}", limit - 1)));
    let begin = Instant::now();
    let response = client.get(&url, &Ask { accept: version.objects(), headers: range.as_slice(), ..Ask::default() })?;
    let headers = response.headers.clone();
    let header = |name: &str| headers.get(name).map(tidy);
    let media_type = header("content-type").unwrap_or_else(|| "none".into());
    let mut sink = Nowhere(Vec::new());
    let mut seen = Seen::new();
    seen.begin();
    let envelope = match page::read(response, &settings.http, name, &[], &mut seen, &mut sink) {
        Ok(envelope) => envelope,
        Err(PageError::Http(error)) => return Err(error),
        Err(PageError::Sink(_)) => return Ok(Vec::new()),
    };
    let mut lines =
        vec![format!("{} objects after {} ms, media type {media_type}", envelope.count, begin.elapsed().as_millis())];
    if envelope.count > u64::from(limit) {
        lines.push(format!("{limit} were asked for: the server does not keep to `limit`, or adds to it"));
    }
    let dates = header("x-taxii-date-added-first").zip(header("x-taxii-date-added-last"));
    lines.push(match (&envelope.next, envelope.more, header("content-range")) {
        (Some(_), _, _) => "pages by `next`".into(),
        (None, Some(more), _) => format!("`more` is {more}, without `next`"),
        (None, None, Some(range)) => format!("pages by ranges: {range}"),
        (None, None, None) => "no word about further pages in the body".into(),
    });
    lines.push(match dates {
        Some((first, last)) => format!("added from {first} to {last}"),
        None if envelope.count == 0 => "no dates of adding, as there are no objects".into(),
        None => "no dates of adding (X-TAXII-Date-Added-Last), so that every poll reads everything".into(),
    });
    for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "etag"] {
        lines.extend(header(name).map(|value| format!("{name}: {value}")));
    }
    lines.extend(sink.0);
    Ok(lines)
}

/// An error, and for one about credentials what else may be tried.
fn explained(error: &Error, settings: &Settings) -> Vec<String> {
    let mut lines = vec![error.to_string()];
    if matches!(error.status(), Some(401 | 403)) {
        let now = settings.http.auth.describe();
        lines.push(format!("sent was {now}; the server's documentation says which scheme it wants:"));
        lines.push("auth = { scheme = \"bearer\" | \"token\", key_env = \"NAME\" }".into());
        lines.push("auth = { scheme = \"api-key\", header = \"X-API-Key\", key_env = \"NAME\" }".into());
        lines.push("auth = { scheme = \"basic\", user = \"USER\", key_env = \"NAME\" }".into());
    }
    lines
}
