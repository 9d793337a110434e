//! The network as a [`Transport`].

use super::body::Carried;
use super::error::Fault;
use super::hosts::{Hosts, is_loopback, is_loopback_name};
use super::settings::{Settings, Timeouts};
use super::tls;
use super::transport::{Answer, Headers, Request, Transport};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io::{self, Read};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// Headers of one answer, at most. All of them together are limited to about 400 KB by the reader of HTTP.
const MAX_HEADERS: usize = 100;

/// The network. It must not be used from within an asynchronous runtime, since it has one of its own that blocks.
pub struct Network {
    engine: Arc<Engine>,
    settings: Settings,
    hosts: Arc<Hosts>,
    /// By whether a proxy may be used and whether the connection is encrypted.
    clients: [Option<reqwest::Client>; 4],
}

impl Network {
    pub(super) fn new(settings: &Settings, hosts: Hosts) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Fault::Settings(format!("no sockets can be had: {error}")))?;
        let mut network = Self {
            engine: Arc::new(Engine(Some(runtime))),
            settings: settings.clone(),
            hosts: Arc::new(hosts),
            clients: Default::default(),
        };
        // What is wrong with files that the settings name is said before anything is asked.
        network.client(&settings.url)?;
        Ok(network)
    }

    fn client(&mut self, url: &Url) -> Result<reqwest::Client, Fault> {
        let (direct, encrypted) = (is_loopback(url), url.scheme() == "https");
        let slot = &mut self.clients[usize::from(direct) * 2 + usize::from(encrypted)];
        if let Some(client) = slot {
            return Ok(client.clone());
        }
        let tls = if encrypted { tls::config(&self.settings) } else { tls::config_without_trust() };
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.map_err(Fault::Settings)?)
            .user_agent(concat!("stockade/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(self.settings.timeouts.connect)
            .http1_max_headers(MAX_HEADERS)
            .dns_resolver(Arc::new(Resolver(Arc::clone(&self.hosts))));
        let builder = if direct { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| Fault::Settings(chain(&error)))?;
        Ok(slot.insert(client).clone())
    }
}

impl Transport for Network {
    fn send(&mut self, request: &Request<'_>) -> Result<Answer, Fault> {
        let timeouts = self.settings.timeouts;
        let client = self.client(request.url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            // The value may be a key, so that it is not repeated.
            let pair = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.as_str()).ok());
            let (key, mut value) =
                pair.ok_or_else(|| Fault::Settings(format!("{name:?} is no header that can be sent")))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let deadline = Instant::now() + timeouts.total;
        let patience = (timeouts.connect + timeouts.read).min(timeouts.total);
        let sending = client.get(request.url.clone()).headers(headers).send();
        let response = match self.engine.within(patience, sending) {
            Some(Ok(response)) => response,
            Some(Err(error)) => return Err(fault(&error, timeouts)),
            None if patience == timeouts.total => return Err(Fault::Slow(timeouts.total)),
            None => return Err(Fault::Silent(timeouts.read)),
        };
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
                .collect::<Headers>(),
            body: Box::new(Stream {
                engine: Arc::clone(&self.engine),
                response,
                piece: Box::new([]),
                used: 0,
                deadline,
                timeouts,
            }),
        })
    }
}

/// The body of a response, piece by piece.
struct Stream {
    engine: Arc<Engine>,
    response: reqwest::Response,
    piece: Box<dyn AsRef<[u8]> + Send>,
    used: usize,
    deadline: Instant,
    timeouts: Timeouts,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest = &(*self.piece).as_ref()[self.used..];
            if !rest.is_empty() || buffer.is_empty() {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                self.used += count;
                return Ok(count);
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            let patience = left.min(self.timeouts.read);
            match self.engine.within(patience, self.response.chunk()) {
                Some(Ok(Some(piece))) => (self.piece, self.used) = (Box::new(piece), 0),
                Some(Ok(None)) => return Ok(0),
                Some(Err(error)) => return Err(fault(&error, self.timeouts).into()),
                None if patience == left => return Err(Fault::Slow(self.timeouts.total).into()),
                None => return Err(Fault::Silent(self.timeouts.read).into()),
            }
        }
    }
}

/// What runs requests, while somebody waits for them.
struct Engine(Option<Runtime>);

impl Engine {
    /// The outcome of a future, unless it takes longer.
    fn within<F: Future>(&self, patience: Duration, future: F) -> Option<F::Output> {
        self.0.as_ref()?.block_on(async { tokio::time::timeout(patience, future).await.ok() })
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A name that is still being looked up is not waited for.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Asks the system for the addresses of a name, and refuses those that the rule refuses.
struct Resolver(Arc<Hosts>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = tokio::task::spawn_blocking(move || resolve(&hosts, &name)).await??;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Addresses of a name that may be connected to.
pub(super) fn resolve(hosts: &Hosts, name: &str) -> Result<Vec<SocketAddr>, Refused> {
    let found: Vec<SocketAddr> =
        (name, 0).to_socket_addrs().map_err(|error| Refused(Fault::Connect(format!("{name}: {error}"))))?.collect();
    for address in &found {
        hosts.check_address(address.ip()).map_err(|what| Refused(Fault::Refused(format!("{name}: {what}"))))?;
        if is_loopback_name(name) && !address.ip().to_canonical().is_loopback() {
            let what = format!("{name} leads to {}, which is not this machine", address.ip());
            return Err(Refused(Fault::Refused(what)));
        }
    }
    Ok(found)
}

/// A fault of resolving, on its way through the client.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Fault);

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl StdError for Refused {}

fn fault(error: &reqwest::Error, timeouts: Timeouts) -> Fault {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(Refused(fault)) = inner.downcast_ref() {
            return fault.clone();
        }
        if let Some(Carried(fault)) = inner.downcast_ref() {
            return fault.clone();
        }
        // An I/O error hides what it holds from the chain of causes.
        let held = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(tls) = inner.downcast_ref::<rustls::Error>().or_else(|| held?.downcast_ref()) {
            return tls_fault(tls);
        }
        cause = held.map(|held| held as &(dyn StdError + 'static)).or_else(|| inner.source());
    }
    let what = chain(error);
    if error.is_connect() && error.is_timeout() {
        Fault::Connect(format!("none within {} (timeouts.connect)", super::explain::duration(timeouts.connect)))
    } else if error.is_connect() {
        Fault::Connect(what)
    } else if error.is_builder() {
        Fault::Settings(what)
    } else if what.contains("message head is too large") {
        Fault::Answer("the headers of the answer are too large".into())
    } else {
        Fault::Broken(what)
    }
}

/// What the peer did on the wire may be over soon; what it is will be the same next time.
pub(super) fn tls_fault(error: &rustls::Error) -> Fault {
    use rustls::CertificateError as Certificate;
    use rustls::Error as Tls;
    let advice = match error {
        Tls::InvalidCertificate(Certificate::UnknownIssuer) => {
            "; if the server has a certificate of an own authority, name that authority's in ca_file"
        }
        Tls::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "; the server's certificate has expired, or this machine's clock is wrong"
        }
        Tls::AlertReceived(
            rustls::AlertDescription::CertificateRequired | rustls::AlertDescription::HandshakeFailure,
        ) => "; the server may want a client certificate (client_cert)",
        _ => "",
    };
    Fault::Tls(format!("{}{advice}", super::tidy(&error.to_string())))
}

/// The causes of an error, the outermost left out: it repeats the address, whose query may hold a key.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = super::tidy(&inner.to_string());
        // It only says that it was the client.
        let says_nothing = text.starts_with("client error (");
        if !says_nothing && parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
        cause = inner.source();
    }
    if parts.is_empty() { "no reason was given".into() } else { parts.join(": ") }
}
