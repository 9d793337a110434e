//! `[[log]]`: what the fields of logs mean that no format knows.

use serde::Deserialize;
use std::collections::BTreeMap;
use stockade::log::{Mapping, Zone};

/// `[[log]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    /// The inputs that are meant, with `*` and `?`; all if there is none.
    #[serde(default)]
    files: Vec<String>,
    /// The lines that are meant have all of these keys or columns.
    #[serde(default)]
    keys: Vec<String>,
    /// From a key or column to an object path, `text` or `open`.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// The key or column that says when.
    time: Option<String>,
    /// In which zone times are that do not say it.
    time_zone: Option<String>,
}

impl Log {
    /// The mapping that the table says, or what is wrong with it.
    pub(super) fn mapping(&self) -> Result<Mapping, String> {
        if self.files.is_empty() && self.keys.is_empty() {
            return Err("a [[log]] needs files or keys, which say which lines it speaks of".to_owned());
        }
        let mut mapping = Mapping::new(&self.files, &self.keys);
        for (name, target) in &self.fields {
            mapping.field(name, target).map_err(|message| format!("log: {message}"))?;
        }
        if let Some(name) = &self.time_zone {
            if self.files.is_empty() {
                return Err("time_zone holds for whole files, so a [[log]] with one needs files".to_owned());
            }
            mapping.set_zone(Zone::named(name).map_err(|error| format!("log: time_zone: {error}"))?);
        }
        if let Some(time) = &self.time {
            mapping.time(time);
        }
        Ok(mapping)
    }
}
