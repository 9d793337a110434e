//! The name of an input, in each of the forms in which rows show it.

use super::walk::Input;
use crate::cli::terminal;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;
use stockade::stix::Timestamp;

/// A name, prepared once for all rows of its input.
#[derive(Debug)]
pub(super) struct Name {
    /// As the system knows it.
    raw: Vec<u8>,
    /// For JSON, where what is no UTF-8 becomes U+FFFD.
    pub(super) text: String,
    /// The same with quotes around it and escapes in it.
    pub(super) json: String,
    /// The file that it names, if it names one.
    file: Option<PathBuf>,
}

impl Name {
    pub(super) fn new(input: &Input) -> Self {
        let name = input.name();
        let text = name.to_string_lossy().into_owned();
        let json = serde_json::Value::String(text.clone()).to_string();
        let file = if let Input::File(path) = input { Some(path.clone()) } else { None };
        Self { raw: name.as_encoded_bytes().to_vec(), text, json, file }
    }

    /// Whether it names a file.
    pub(super) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// When the file was last written, as far as that can be told.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        let modified = std::fs::metadata(self.file.as_ref()?).ok()?.modified().ok()?;
        let since = modified.duration_since(UNIX_EPOCH).ok()?;
        Some(Timestamp::from_unix(i64::try_from(since.as_secs()).ok()?, since.subsec_nanos()))
    }

    /// Appends it as text; to a terminal, without what could steer it.
    pub(super) fn write(&self, escape: bool, out: &mut Vec<u8>) {
        if escape {
            terminal::escape(&self.raw, out);
        } else {
            out.extend_from_slice(&self.raw);
        }
    }
}
