//! The client of one source: where it may go, how often it tries, how long it waits.

use super::body::Body;
use super::error::{Error, Fault, is_transient_status};
use super::explain;
use super::hosts::Hosts;
use super::network::Network;
use super::pace::{self, Clock, SystemClock};
use super::settings::Settings;
use super::transport::{Answer, Headers, Request, Transport};
use std::io::Read;
use std::time::Duration;
use url::Url;

/// Redirects that one request follows, at most.
const HOPS: usize = 5;

/// Bytes of a refusal that are read for what it says.
const REFUSAL: u64 = 64 * 1024;

/// The client of one source. It keeps connections open between requests, and counts what one poll costs; make another
/// for the next poll, or call [`Client::begin`].
pub struct Client {
    settings: Settings,
    hosts: Hosts,
    transport: Box<dyn Transport>,
    clock: Box<dyn Clock>,
    requests: u64,
    slept: Duration,
    /// The next request waits for this first.
    owed: Duration,
}

/// What is asked for besides the address.
#[derive(Clone, Debug, Default)]
pub struct Ask<'a> {
    /// Media types that are wanted, `*/*` if empty.
    pub accept: &'a str,
    /// The answer that is known already: if it is still the same, the status is 304 and there is no body.
    pub known: Option<&'a Validator>,
    /// Further headers.
    pub headers: &'a [(&'a str, String)],
    /// A fault after which nobody knows whether the server has worked is not tried again.
    pub once: bool,
}

/// An answer of success, or one that says that nothing has changed (304).
pub struct Response {
    /// Where it came from in the end.
    pub url: Url,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
}

/// What identifies a version of something on a server, for asking whether it is still the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validator {
    /// The tag that the server gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The time that the server gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Response {
    /// Whether nothing has changed since the answer that is known.
    pub fn is_unchanged(&self) -> bool {
        self.status == 304
    }

    /// The media type without parameters, in lower case; empty if the server named none.
    pub fn media_type(&self) -> String {
        let whole = self.headers.get("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// What to ask with next time, if the server gave anything.
    pub fn validator(&self) -> Option<Validator> {
        // What is not short is no tag, and would be repeated to the server for ever.
        let short =
            |name| self.headers.get(name).filter(|text| !text.is_empty() && text.len() <= 1024).map(str::to_owned);
        let validator = Validator { etag: short("etag"), last_modified: short("last-modified") };
        (validator != Validator::default()).then_some(validator)
    }
}

impl Client {
    /// A client over the network, with the system's clock.
    ///
    /// # Errors
    /// The settings make no sense, or a file that they name cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let hosts = rule(&settings)?;
        let network = Network::new(&settings, hosts).map_err(|fault| Error::new(&settings.name, None, fault))?;
        Self::with(settings, Box::new(network), Box::new(SystemClock::default()))
    }

    /// A client over something else than the network, or with another clock.
    ///
    /// # Errors
    /// The settings make no sense.
    pub fn with(settings: Settings, transport: Box<dyn Transport>, clock: Box<dyn Clock>) -> Result<Self, Error> {
        let hosts = rule(&settings)?;
        Ok(Self { settings, hosts, transport, clock, requests: 0, slept: Duration::ZERO, owed: Duration::ZERO })
    }

    /// The same client with another clock, such as one whose waits can be ended.
    #[must_use]
    pub fn with_clock(mut self, clock: Box<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What the client was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Begins another poll: requests and sleep are counted from nothing.
    pub fn begin(&mut self) {
        (self.requests, self.slept) = (0, Duration::ZERO);
    }

    /// Requests of this poll, those tried again included.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// What time it is.
    pub(crate) fn now(&self) -> std::time::SystemTime {
        self.clock.now()
    }

    /// Whether a request may go to `url`.
    ///
    /// # Errors
    /// It may not; the error names the host.
    pub fn allows(&self, url: &Url) -> Result<(), Error> {
        self.allows_from(url, &self.settings.url)
    }

    /// Whether a request may go to `url`, which what was found at `from` names.
    pub(crate) fn allows_from(&self, url: &Url, from: &Url) -> Result<(), Error> {
        self.check(url, Some(from))
    }

    /// Asks for what is at `url`.
    ///
    /// # Errors
    /// The answer is no success, or there is none; transient faults have been tried again by then. What goes wrong
    /// while the body is read is an error of the body.
    pub fn get(&mut self, url: &Url, ask: &Ask<'_>) -> Result<Response, Error> {
        self.check(url, None)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.attempt(url, ask) {
                Ok(response) => return Ok(response),
                Err(error) => error.with_tries(tries),
            };
            // Of a refusal for being too fast everyone knows that nothing was done.
            let repeatable = !ask.once || error.status() == Some(429);
            if !error.is_transient() || !repeatable || tries >= self.settings.limits.tries {
                return Err(error);
            }
            let wait = error.retry_after().unwrap_or_else(|| pace::backoff(tries, self.clock.jitter()));
            if let Err(refused) = self.sleep(wait, url) {
                return Err(if matches!(refused.fault(), Fault::Wait(_)) { error } else { refused });
            }
        }
    }

    /// Waits before something is tried again that [`Client::get`] cannot try by itself, such as a body that broke off.
    ///
    /// # Errors
    /// `error` if it is not transient or the waits of this poll are used up.
    pub fn wait(&mut self, tries: u32, error: Error) -> Result<(), Error> {
        if !error.is_transient() || tries >= self.settings.limits.tries {
            return Err(error);
        }
        let wait = error.retry_after().unwrap_or_else(|| pace::backoff(tries, self.clock.jitter()));
        let url = self.settings.url.clone();
        match self.sleep(wait, &url) {
            Err(refused) if matches!(refused.fault(), Fault::Wait(_)) => Err(error),
            other => other,
        }
    }

    /// One try: the request, and those that redirects lead to.
    fn attempt(&mut self, url: &Url, ask: &Ask<'_>) -> Result<Response, Error> {
        let mut url = url.clone();
        for _ in 0..=HOPS {
            let answer = self.send(&url, ask)?;
            if answer.status < 400
                && let Some(wait) = pace::exhausted(&answer.headers, self.clock.now())
            {
                self.owed = self.owed.max(wait);
            }
            match answer.status {
                200..=299 | 304 => return self.response(url, answer),
                301 | 302 | 303 | 307 | 308 => {
                    let next = self.redirect(&url, &answer.headers)?;
                    self.check(&next, Some(&url))?;
                    url = next;
                }
                _ => return Err(self.refusal(&url, answer)),
            }
        }
        Err(self.error(&url, Fault::Answer(format!("more than {HOPS} redirects"))))
    }

    fn send(&mut self, url: &Url, ask: &Ask<'_>) -> Result<Answer, Error> {
        let owed = std::mem::take(&mut self.owed);
        self.sleep(owed, url)?;
        if self.requests >= self.settings.limits.requests {
            return Err(self.error(url, Fault::Budget(self.settings.limits.requests)));
        }
        self.requests += 1;
        let mut headers = vec![
            ("accept".to_owned(), if ask.accept.is_empty() { "*/*".into() } else { ask.accept.to_owned() }),
            ("accept-encoding".to_owned(), "gzip".to_owned()),
        ];
        headers.extend(ask.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        if let Some(known) = ask.known {
            let tag = known.etag.clone().map(|tag| ("if-none-match".to_owned(), tag));
            headers.extend(tag);
            headers.extend(known.last_modified.clone().map(|time| ("if-modified-since".to_owned(), time)));
        }
        headers.extend(self.settings.auth.header().map(|(name, value)| (name.to_owned(), value)));
        self.transport.send(&Request { url, headers }).map_err(|fault| self.error(url, fault))
    }

    fn response(&self, url: Url, answer: Answer) -> Result<Response, Error> {
        let Answer { status, headers, body } = answer;
        let encoding = headers.get("content-encoding").filter(|_| status != 304);
        let body = Body::new(body, encoding, self.settings.max_body, &self.settings.name, &url)?;
        Ok(Response { url, status, headers, body })
    }

    fn redirect(&self, url: &Url, headers: &Headers) -> Result<Url, Error> {
        let location = headers
            .get("location")
            .ok_or_else(|| self.error(url, Fault::Answer("a redirect that does not say where to".into())))?;
        url.join(location).map_err(|error| self.error(url, Fault::Answer(format!("a redirect to no URL: {error}"))))
    }

    fn refusal(&self, url: &Url, answer: Answer) -> Error {
        let status = answer.status;
        let encoding = answer.headers.get("content-encoding").map(str::to_owned);
        let mut body = Vec::new();
        if let Ok(stream) = Body::new(answer.body, encoding.as_deref(), u64::MAX, &self.settings.name, url) {
            // Whatever came is what there is to show.
            let _ = stream.take(REFUSAL).read_to_end(&mut body);
        }
        let auth = self.settings.auth.describe();
        let advice = match status {
            401 => Some(format!("it was sent {auth}; check the key, and whether the server wants another scheme")),
            403 => Some(format!(
                "it was sent {auth}; the key may lack the right to this, or the server wants another scheme"
            )),
            407 => Some("the proxy wants a credential; put it into the proxy's URL in the environment".into()),
            _ => None,
        };
        let wait = is_transient_status(status).then(|| pace::retry_after(&answer.headers, self.clock.now())).flatten();
        self.error(url, Fault::Status { status, said: explain::said(&body), advice }).with_retry_after(wait)
    }

    fn sleep(&mut self, time: Duration, url: &Url) -> Result<(), Error> {
        if self.clock.is_stopped() {
            return Err(self.error(url, Fault::Stopped));
        }
        if time.is_zero() {
            return Ok(());
        }
        if self.slept.saturating_add(time) > self.settings.limits.sleep {
            return Err(self.error(url, Fault::Wait(time)));
        }
        self.slept += time;
        if self.clock.sleep(time) { Ok(()) } else { Err(self.error(url, Fault::Stopped)) }
    }

    fn check(&self, url: &Url, from: Option<&Url>) -> Result<(), Error> {
        self.hosts.check(url, from).map_err(|what| self.error(url, Fault::Refused(what)))
    }

    fn error(&self, url: &Url, fault: Fault) -> Error {
        Error::new(&self.settings.name, Some(url), fault)
    }
}

fn rule(settings: &Settings) -> Result<Hosts, Error> {
    Hosts::new(settings.hosts.as_deref(), &settings.url, settings.allow_http)
        .map_err(|what| Error::new(&settings.name, None, Fault::Settings(what)))
}

#[cfg(test)]
mod tests {
    use super::super::{Auth, Secret};
    use super::*;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::{SystemTime, UNIX_EPOCH};

    type Scripted = Result<(u16, Vec<(&'static str, &'static str)>, &'static str), Fault>;

    /// What was asked, what was slept, what will be answered.
    #[derive(Clone, Default)]
    struct Script(Arc<Mutex<State>>);

    #[derive(Default)]
    struct State {
        answers: VecDeque<Scripted>,
        asked: Vec<String>,
        slept: Vec<u128>,
        stopped: bool,
    }

    impl Transport for Script {
        fn send(&mut self, request: &Request<'_>) -> Result<Answer, Fault> {
            let mut state = self.0.lock().unwrap();
            let keys = ["authorization", "X-API-Key", "if-none-match", "if-modified-since"];
            let shown: Vec<_> = request.headers.iter().filter(|(name, _)| keys.contains(&&**name)).collect();
            state.asked.push(format!("{} {shown:?}", request.url));
            let (status, headers, body) = state.answers.pop_front().expect("no more requests than answers")?;
            Ok(Answer { status, headers: headers.into_iter().collect(), body: Box::new(body.as_bytes()) })
        }
    }

    impl Clock for Script {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(1_790_000_000)
        }
        fn sleep(&self, time: Duration) -> bool {
            self.0.lock().unwrap().slept.push(time.as_millis());
            true
        }
        fn is_stopped(&self) -> bool {
            self.0.lock().unwrap().stopped
        }
        fn jitter(&self) -> f64 {
            1.0
        }
    }

    fn client(answers: Vec<Scripted>) -> (Client, Script) {
        let script = Script::default();
        script.0.lock().unwrap().answers = answers.into();
        let mut settings = Settings::new("feed", "https://feed.example/a?key=q").unwrap();
        settings.auth = Auth::Bearer(Secret::new("s3cret").unwrap());
        (Client::with(settings, Box::new(script.clone()), Box::new(script.clone())).unwrap(), script)
    }

    fn get(client: &mut Client) -> Result<String, String> {
        let url = client.settings().url.clone();
        let mut response = client.get(&url, &Ask::default()).map_err(|error| error.to_string())?;
        let mut text = String::new();
        response.body.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(format!("{} {} {text}", response.status, response.url))
    }

    const OK: Scripted = Ok((200, Vec::new(), "fine"));

    #[allow(clippy::unnecessary_wraps, reason = "it stands among answers that may be faults")]
    fn redirect(to: &'static str) -> Scripted {
        Ok((302, vec![("Location", to)], ""))
    }

    #[test]
    fn redirects_are_followed_where_the_source_may_ask() {
        let (mut client, script) = client(vec![redirect("/b"), redirect("https://www.feed.example/c"), OK]);
        assert_eq!(get(&mut client).unwrap(), "200 https://www.feed.example/c fine");
        let asked = &script.0.lock().unwrap().asked;
        assert_eq!(asked.len(), 3);
        assert!(asked.iter().all(|request| request.contains("Bearer s3cret")), "{asked:?}");
    }

    #[test]
    fn a_stranger_is_never_asked() {
        for (to, word) in [
            ("https://evil.example/x", "evil.example is not among the hosts"),
            ("//evil.example/x", "evil.example"),
            ("https://feed.example:8443/", "feed.example:8443"),
            ("http://feed.example:443/", "plain http"),
            ("https://me:pw@feed.example/", "user or password"),
            ("file:///etc/passwd", "file"),
            ("https://feed.example\\@evil.example/", "200"),
        ] {
            let (mut client, script) = client(vec![redirect(to), OK]);
            let said = get(&mut client).unwrap_or_else(|error| error);
            assert!(said.contains(word) && !said.contains("s3cret") && !said.contains("pw"), "{to}: {said}");
            let asked = &script.0.lock().unwrap().asked;
            assert!(asked.iter().all(|url| url.starts_with("https://feed.example/")), "{to}: {asked:?}");
        }
        let (mut client, _) = client(std::iter::repeat_with(|| redirect("/again")).take(10).collect());
        assert!(get(&mut client).unwrap_err().contains("more than 5 redirects"));
        let (mut client, _) = self::client(vec![Ok((301, vec![], ""))]);
        assert!(get(&mut client).unwrap_err().contains("does not say where to"));
    }

    #[test]
    fn transient_faults_are_tried_again_as_the_server_asks() {
        let (mut client, script) = client(vec![
            Err(Fault::Connect("refused".into())),
            Ok((503, vec![], "<title>Down</title>")),
            Ok((
                429,
                vec![("Retry-After", "7"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1790000099")],
                "",
            )),
            OK,
        ]);
        assert!(get(&mut client).unwrap().ends_with("fine"));
        assert_eq!(script.0.lock().unwrap().slept, [500, 1000, 7000]);
        assert_eq!(client.requests(), 4);

        let (mut client, script) = self::client(vec![Ok((429, vec![("X-RateLimit-Reset", "1790000012")], "")), OK]);
        assert!(get(&mut client).is_ok());
        assert_eq!(script.0.lock().unwrap().slept, [12_000]);

        let spent = vec![("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1790000003")];
        let (mut client, script) = self::client(vec![Ok((200, spent, "")), OK]);
        assert!(get(&mut client).is_ok() && get(&mut client).is_ok());
        assert_eq!(script.0.lock().unwrap().slept, [3000]);
    }

    #[test]
    fn trying_again_has_an_end() {
        let (mut client, _) = client(vec![Ok((500, vec![], r#"{"title": "Broken"}"#)); 10]);
        let error = get(&mut client).unwrap_err();
        assert_eq!(
            error,
            "feed: https://feed.example/a: the server answered 500 Internal Server Error, \"Broken\" (tried 4 times)"
        );
        let (mut client, script) = self::client(vec![Ok((429, vec![("Retry-After", "3600")], "")); 10]);
        let error = get(&mut client).unwrap_err();
        assert!(error.ends_with("429 Too Many Requests; it asks to come back in 60 min"), "{error}");
        assert!(script.0.lock().unwrap().slept.is_empty());

        let (mut client, _) = self::client(vec![OK; 10]);
        client.settings.limits.requests = 2;
        assert!(get(&mut client).is_ok() && get(&mut client).is_ok());
        assert!(get(&mut client).unwrap_err().contains("all 2 requests"));
        client.begin();
        assert!(get(&mut client).is_ok());
        let (mut client, script) = self::client(vec![OK]);
        script.0.lock().unwrap().stopped = true;
        assert!(get(&mut client).unwrap_err().ends_with("stopped"));
    }

    #[test]
    fn what_will_not_pass_is_not_tried_again() {
        for fault in [
            Fault::Slow(Duration::from_secs(600)),
            Fault::TooLarge(5),
            Fault::Tls("x".into()),
            Fault::Refused("x".into()),
        ] {
            let (mut client, _) = client(vec![Err(fault)]);
            assert!(get(&mut client).is_err());
        }
        for (status, scheme) in [(401, "scheme \"bearer\""), (403, "lack the right"), (404, "Not Found"), (501, "501")]
        {
            let (mut client, _) =
                client(vec![Ok((status, vec![], r#"{"error": {"code": "no", "message": "\u001b[2J"}}"#))]);
            let error = get(&mut client).unwrap_err();
            assert!(error.contains(scheme) && !error.contains('\u{1b}') && !error.contains("s3cret"), "{error}");
        }
        let (mut client, _) = client(vec![Err(Fault::Broken("x".into())), OK]);
        let url = client.settings().url.clone();
        assert!(client.get(&url, &Ask { once: true, ..Ask::default() }).is_err());
    }

    #[test]
    fn what_is_known_is_asked_about() {
        let headers = vec![("ETag", "\"v1\""), ("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")];
        let (mut client, script) =
            client(vec![Ok((200, headers, "")), Ok((304, vec![("Content-Encoding", "br")], ""))]);
        let url = client.settings().url.clone();
        let known = client.get(&url, &Ask::default()).unwrap().validator().unwrap();
        let kept: Validator = serde_json::from_str(&serde_json::to_string(&known).unwrap()).unwrap();
        let response = client.get(&url, &Ask { known: Some(&kept), ..Ask::default() }).unwrap();
        assert!(response.is_unchanged() && response.validator().is_none());
        let asked = &script.0.lock().unwrap().asked[1];
        assert!(asked.contains(r#"("if-none-match", "\"v1\""), ("if-modified-since", "Sun, 22"#), "{asked}");
    }
}
