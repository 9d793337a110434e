//! Encryption with an authority of one's own, and certificates of the client.

use super::Kept;
use super::taxii::indicator;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use stockade::source::taxii::{Outcome, Settings, probe};

/// An authority, and certificates of it, as files in a folder.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// Certificate and key.
    fn issue(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A server that has a page with one object, for whoever is let in. It gives the port.
fn serve(authority: &Authority, clients: Option<&Authority>, redirect: Option<String>) -> u16 {
    let (certificate, key) = authority.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(clients.certificate.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let config =
        Arc::new(builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, stream));
            // Of those that are not let in, the handshake fails.
            while reader.by_ref().lines().map_while(Result::ok).any(|line| line.is_empty()) {
                let body = format!(r#"{{"objects":[{}],"more":false}}"#, indicator(1));
                let answer = match &redirect {
                    Some(to) => format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"),
                    None => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
                };
                if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    port
}

fn settings(port: u16, ca: Option<&Path>) -> Settings {
    let mut settings = Settings::new("test", &format!("https://localhost:{port}/c/collections/x/objects/")).unwrap();
    settings.http.ca_file = ca.map(Path::to_owned);
    settings.http.limits.tries = 1;
    settings
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let authority = Authority::new();
    fs::write(&file, &authority.certificate).unwrap();
    let port = serve(&authority, None, None);

    let mut kept = Kept::default();
    kept.poll(&settings(port, Some(&file))).unwrap();
    assert_eq!(kept.ids.len(), 1);
    let text = Kept::default().poll(&settings(port, None)).unwrap_err().to_string();
    assert!(text.contains("no trusted connection") && text.contains("ca_file"), "{text}");
    // The certificate is for a name.
    let mut other = settings(port, Some(&file));
    other.http.url.set_host(Some("127.0.0.1")).unwrap();
    assert!(Kept::default().poll(&other).unwrap_err().to_string().contains("no trusted connection"));

    let mut found = Vec::new();
    assert!(probe(&settings(port, Some(&file)), &mut |finding| found.push(finding)), "{found:?}");
    assert!(
        found.iter().any(|finding| finding.lines.iter().any(|line| line.starts_with("certificate trusted, TLS 1.3"))),
        "{found:?}"
    );
    let mut found = Vec::new();
    assert!(!probe(&settings(port, None), &mut |finding| found.push(finding)));
    let last = found.last().unwrap();
    assert!(
        last.step == "connection" && last.outcome == Outcome::Failed && last.lines[0].contains("ca_file"),
        "{last:?}"
    );

    for (text, part) in [("", "holds no certificate"), ("nonsense", "holds no certificate")] {
        fs::write(&file, text).unwrap();
        let error = stockade::source::taxii::Taxii::new(settings(port, Some(&file))).err().unwrap().to_string();
        assert!(error.contains("ca_file: ") && error.contains(part), "{error}");
    }
}

#[test]
fn the_client_shows_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let authority = Authority::new();
    let clients = Authority::new();
    fs::write(path("ca.pem"), &authority.certificate).unwrap();
    let (certificate, key) = clients.issue("me", ExtendedKeyUsagePurpose::ClientAuth);
    fs::write(path("c.pem"), &certificate).unwrap();
    fs::write(path("k.pem"), &key).unwrap();
    fs::write(path("both.pem"), format!("{certificate}{key}")).unwrap();
    let port = serve(&authority, Some(&clients), None);

    let mut apart = settings(port, Some(&path("ca.pem")));
    (apart.http.client_cert, apart.http.client_key) = (Some(path("c.pem")), Some(path("k.pem")));
    let mut together = settings(port, Some(&path("ca.pem")));
    together.http.client_cert = Some(path("both.pem"));
    for settings in [apart, together] {
        let mut kept = Kept::default();
        kept.poll(&settings).unwrap();
        assert_eq!(kept.ids.len(), 1);
    }
    let text = Kept::default().poll(&settings(port, Some(&path("ca.pem")))).unwrap_err().to_string();
    assert!(text.contains("client_cert"), "{text}");

    let mut without = settings(port, Some(&path("ca.pem")));
    without.http.client_cert = Some(path("c.pem"));
    let text = stockade::source::taxii::Taxii::new(without).err().unwrap().to_string();
    assert!(text.contains("c.pem: no private key"), "{text}");
}

#[test]
fn nothing_leads_from_https_to_http() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let authority = Authority::new();
    fs::write(&file, &authority.certificate).unwrap();
    let plain = super::server::Server::start(|_| super::server::Told::json("{}"));
    let port = serve(&authority, None, Some(format!("http://localhost:{}/", plain.address.port())));
    let mut settings = settings(port, Some(&file));
    settings.http.hosts = Some(vec!["localhost".into()]);
    settings.http.allow_http = true;
    let text = Kept::default().poll(&settings).unwrap_err().to_string();
    assert!(text.contains("is plain http, and the way there was encrypted"), "{text}");
    assert!(plain.asked().is_empty());
}
