//! Where the polls of a source have come to: a JSON text that nobody else needs to understand.

use super::BoxError;
use crate::source::http::Validator;
use crate::stix::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const VERSION: u32 = 1;

/// Where the polls of a source have come to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Cursor {
    version: u32,
    /// By the path of the collection's objects: the same collection has many hosts.
    collections: BTreeMap<String, Place>,
}

/// Where the polls of a collection have come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The extra parameters that it was asked with: other ones give other objects.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) query: String,
    /// Everything that was added up to here is kept, but for objects that were added at the same instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) added: Option<String>,
    /// What identifies the objects of the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<String>,
    /// What identifies the last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) known: Option<Validator>,
}

impl Place {
    pub(super) fn watermark(&self) -> Option<Timestamp> {
        Timestamp::parse(self.added.as_deref()?).ok()
    }
}

impl Cursor {
    pub(super) fn read(text: Option<&str>) -> Result<Self, BoxError> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
            return Ok(Self { version: VERSION, ..Self::default() });
        };
        let cursor: Self = serde_json::from_str(text).map_err(|error| format!("the cursor cannot be read: {error}"))?;
        if cursor.version != VERSION {
            return Err(format!("the cursor is of version {}, which this program does not know", cursor.version).into());
        }
        Ok(cursor)
    }

    pub(super) fn place(&self, collection: &str) -> Option<&Place> {
        self.collections.get(collection)
    }

    pub(super) fn set(&mut self, collection: &str, place: Place) {
        self.collections.insert(collection.to_owned(), place);
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
