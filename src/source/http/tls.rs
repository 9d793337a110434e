//! Encryption: whom the client trusts, and the certificate it shows.

use super::settings::Settings;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::path::Path;
use std::sync::Arc;

/// What the settings say about encryption, ready for use. The error names the setting and the file.
pub(crate) fn config(settings: &Settings) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let extra = settings.ca_file.as_deref().map_or(Ok(Vec::new()), |file| certificates(file, "ca_file"))?;
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
        .map_err(|error| format!("no certificates to trust: {error}; install the system's, or name some in ca_file"))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let Some(file) = &settings.client_cert else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(file, "client_cert")?;
    let (file, setting) = settings.client_key.as_ref().map_or((file, "client_cert"), |file| (file, "client_key"));
    let key = PrivateKeyDer::from_pem_file(file)
        .map_err(|error| format!("{setting}: {}: no private key: {error}", file.display()))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| format!("client_cert and client_key do not go together: {error}"))
}

/// For connections without encryption: it trusts nobody.
pub(super) fn config_without_trust() -> Result<ClientConfig, String> {
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn certificates(file: &Path, setting: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |what: String| format!("{setting}: {}: {what}", file.display());
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("it holds no certificate in PEM".into()));
    }
    Ok(certificates)
}
