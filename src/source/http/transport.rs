//! What carries a request to a server and brings the answer.

use super::error::Fault;
use std::io::Read;
use url::Url;

/// Carries requests to servers. [`super::Network`] is the one that does; tests have others.
pub trait Transport: Send {
    /// Sends a request and waits for the head of the answer, whatever its status. Redirects are not followed, the body
    /// is as it was sent.
    ///
    /// # Errors
    /// There was no answer.
    fn send(&mut self, request: &Request<'_>) -> Result<Answer, Fault>;
}

/// A request, always GET. It shows nothing of itself, since a header may be a credential.
pub struct Request<'a> {
    /// Where it goes.
    pub url: &'a Url,
    /// Its headers.
    pub headers: Vec<(String, String)>,
}

/// An answer to a request.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body, as it was sent. An error of reading may hold an [`super::Error`] or [`Fault`].
    pub body: Box<dyn Read + Send>,
}

/// The headers of an answer.
#[derive(Clone, Debug, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first header of this name, which is given in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into().to_ascii_lowercase(), value.into())).collect())
    }
}
