//! What is remembered of a snapshot source between polls: which version of it was read, and how.

use crate::cli::config::{Source, SourceKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use stockade::source::http::Validator;

/// Grows when feeds are read differently, so that everyone reads them anew.
const VERSION: u32 = 1;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// A digest of what the configuration says about reading it. Under another one it is read anew.
    reading: String,
    /// What to ask the server with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<Validator>,
    /// Events of MISP and when each was changed last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) events: BTreeMap<String, i64>,
}

impl Cursor {
    /// A cursor that remembers nothing.
    pub(super) fn new(source: &Source) -> Self {
        Self { reading: reading(source), ..Self::default() }
    }

    /// The cursor that was kept, if it is one of this configuration.
    pub(super) fn read(text: Option<&str>, source: &Source) -> Self {
        let kept = text.and_then(|text| serde_json::from_str::<Self>(text).ok());
        kept.filter(|kept| kept.reading == reading(source)).unwrap_or_else(|| Self::new(source))
    }

    pub(super) fn text(&self) -> String {
        // Texts and numbers always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn reading(source: &Source) -> String {
    let kind = if source.kind == SourceKind::Csv { "csv" } else { "" };
    let about = format!("{VERSION} {kind} {} {:?} {:?}", source.url, source.query, source.columns);
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(about.as_bytes())[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}
