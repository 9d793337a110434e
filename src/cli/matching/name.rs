//! The name of an input, in each of the forms in which rows show it.

use super::walk::Input;
use crate::cli::terminal;

/// A name, prepared once for all rows of its input.
#[derive(Debug)]
pub(super) struct Name {
    /// As the system knows it.
    raw: Vec<u8>,
    /// For JSON, where what is no UTF-8 becomes U+FFFD.
    pub(super) text: String,
    /// The same with quotes around it and escapes in it.
    pub(super) json: String,
    /// It names a file.
    pub(super) is_file: bool,
}

impl Name {
    pub(super) fn new(input: &Input) -> Self {
        let name = input.name();
        let text = name.to_string_lossy().into_owned();
        let json = serde_json::Value::String(text.clone()).to_string();
        Self { raw: name.as_encoded_bytes().to_vec(), text, json, is_file: matches!(input, Input::File(_)) }
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
