//! The way to a server, one step after the other, for one who wonders where it ends.

use super::error::{Error, Fault};
use super::hosts::{Hosts, is_loopback};
use super::network::{Refused, resolve, tls_fault};
use super::settings::Settings;
use super::tls;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Stream};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::{Host, Url};

/// The proxy that the environment names for a URL, if there is one: nothing is known of the way behind it.
pub(crate) fn proxy(url: &Url) -> Option<&'static str> {
    let own = if url.scheme() == "https" { ["https_proxy", "HTTPS_PROXY"] } else { ["http_proxy", "HTTP_PROXY"] };
    let names = own.into_iter().chain(["all_proxy", "ALL_PROXY"]);
    names.filter(|_| !is_loopback(url)).find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Addresses of the host.
pub(crate) fn addresses(settings: &Settings, url: &Url) -> Result<Vec<SocketAddr>, Error> {
    let wrong = |fault| Error::new(&settings.name, Some(url), fault);
    let hosts = Hosts::new(settings.hosts.as_deref(), &settings.url, settings.allow_http)
        .map_err(|what| wrong(Fault::Settings(what)))?;
    let port = url.port_or_known_default().unwrap_or(443);
    let mut found = match url.host() {
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Domain(name)) => resolve(&hosts, name).map_err(|Refused(fault)| wrong(fault))?,
        None => Vec::new(),
    };
    for address in &mut found {
        address.set_port(port);
    }
    Ok(found)
}

/// Opens a connection to one of the addresses, and says how long it took and what was agreed on.
pub(crate) fn connect(settings: &Settings, url: &Url, addresses: &[SocketAddr]) -> Result<Vec<String>, Error> {
    let wrong = |fault| Error::new(&settings.name, Some(url), fault);
    let timeout = settings.timeouts.connect.max(Duration::from_millis(1));
    let mut lines = Vec::new();
    let mut open = None;
    for address in addresses {
        let begin = Instant::now();
        match TcpStream::connect_timeout(address, timeout) {
            Ok(stream) => {
                lines.push(format!("{address} answers after {} ms", begin.elapsed().as_millis()));
                open = Some(stream);
                break;
            }
            Err(error) => lines.push(format!("{address}: {error}")),
        }
    }
    let Some(mut stream) = open else { return Err(wrong(Fault::Connect(lines.join("; ")))) };
    if url.scheme() != "https" {
        return Ok(lines);
    }
    let config = tls::config(settings).map_err(|what| wrong(Fault::Settings(what)))?;
    let name = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|error| wrong(Fault::Tls(error.to_string())))?;
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(|error| wrong(tls_fault(&error)))?;
    for result in [stream.set_read_timeout(Some(timeout)), stream.set_write_timeout(Some(timeout))] {
        result.map_err(|error| wrong(Fault::Connect(error.to_string())))?;
    }
    // With nothing to write, this is the handshake alone.
    Stream::new(&mut tls, &mut stream)
        .flush()
        .and_then(|()| {
            while tls.is_handshaking() {
                tls.complete_io(&mut stream)?;
            }
            Ok(())
        })
        .map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            wrong(inner.map_or_else(|| Fault::Tls(error.to_string()), tls_fault))
        })?;
    let version = tls.protocol_version().map_or_else(String::new, |version| format!("{version:?}"));
    let suite = tls.negotiated_cipher_suite().map_or_else(String::new, |suite| format!("{:?}", suite.suite()));
    lines.push(format!("certificate trusted, {}, {}", version.replace("TLSv1_", "TLS 1."), suite));
    Ok(lines)
}
