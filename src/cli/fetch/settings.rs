//! From the configuration of a source to what its HTTP client is told.

use crate::cli::config::{Scheme, Source};
use stockade::source::http::{Auth, Secret, Settings, Timeouts};

/// What the client of a source is told. The secret is read here, and goes nowhere else.
///
/// # Errors
/// The address is none, or there is no usable secret where the configuration says that it is.
pub(crate) fn settings(source: &Source) -> Result<Settings, String> {
    let mut settings = Settings::new(&source.name, &source.url).map_err(|error| error.to_string())?;
    settings.auth = auth(source)?;
    settings.hosts = (!source.hosts.is_empty()).then(|| source.hosts.clone());
    settings.allow_http = source.allow_http;
    settings.ca_file.clone_from(&source.ca_file);
    settings.client_cert.clone_from(&source.client_cert);
    settings.client_key.clone_from(&source.client_key);
    let timeouts = &source.timeouts;
    settings.timeouts =
        Timeouts { connect: timeouts.connect.get(), read: timeouts.read.get(), total: timeouts.total.get() };
    settings.max_body = source.max_body.0;
    Ok(settings)
}

fn auth(source: &Source) -> Result<Auth, String> {
    let auth = &source.auth;
    let key = match (&auth.key_env, &auth.key_file) {
        (Some(variable), _) => Secret::from_env(variable),
        (None, Some(file)) => Secret::from_file(file),
        (None, None) => return Ok(Auth::None),
    };
    let key = key.map_err(|error| error.to_string())?;
    Ok(match auth.scheme {
        Scheme::None => Auth::None,
        Scheme::Bearer => Auth::Bearer(key),
        Scheme::Token => Auth::Token(key),
        Scheme::ApiKey => Auth::ApiKey { header: auth.header.clone().unwrap_or_else(|| "X-API-Key".to_owned()), key },
        Scheme::Basic => Auth::Basic { user: auth.user.clone().unwrap_or_default(), key },
    })
}

/// Where a source is, without anything that might be a secret: user, password and query of a URL.
pub(crate) fn place(source: &Source) -> String {
    match Settings::new(&source.name, &source.url) {
        Ok(settings) => {
            let url = settings.url;
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let query = if url.query().is_some() { "?..." } else { "" };
            format!("{}://{}{port}{}{query}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
        }
        Err(_) if source.url.contains("://") && !source.url.starts_with("file://") => {
            "an address that is no URL".to_owned()
        }
        Err(_) => source.url.clone(),
    }
}
