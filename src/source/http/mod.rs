//! HTTP as every source that polls a server uses it: one [`Client`] for each source.
//!
//! - Only hosts that the source names are asked, over TLS unless the host is the machine itself. Redirects are followed
//!   by hand under that rule, so that neither a credential nor the right to fill a blocklist ever goes to a stranger.
//! - Every answer is a stream with limits: bytes after decompression, silence, time in all.
//! - Transient faults are tried again, with waits that the server may name; the number of tries, the time slept and the
//!   requests of one poll are bounded.
//!
//! The network is behind the trait [`Transport`], time behind [`Clock`], so that all of the above is tested without
//! either.
//!
//! ```no_run
//! use stockade::source::http::{Ask, Auth, Client, Secret, Settings};
//! use std::io::Read;
//!
//! let mut settings = Settings::new("feed", "https://feed.example/indicators.json")?;
//! settings.auth = Auth::Bearer(Secret::from_env("FEED_KEY")?);
//! let mut client = Client::new(settings)?;
//! let url = client.settings().url.clone();
//! let mut answer = client.get(&url, &Ask::default())?;
//! let mut text = String::new();
//! answer.body.read_to_string(&mut text)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod client;
mod error;
mod explain;
mod hosts;
mod inspect;
mod network;
mod pace;
mod secret;
mod settings;
mod tls;
mod transport;

pub use body::Body;
pub use client::{Ask, Client, Response, Validator};
pub use error::{Error, Fault};
pub use network::Network;
pub use pace::{Clock, SystemClock};
pub use secret::{Auth, Secret, SecretError};
pub use settings::{Limits, Settings, Timeouts};
pub use transport::{Answer, Headers, Request, Transport};
pub use url::Url;

pub(crate) use explain::{said, tidy};
pub(crate) use inspect::{addresses, connect, proxy};
