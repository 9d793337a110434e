//! Plain text: nothing is known of any line, and every value is found wherever it stands.

use super::Format;

pub(in super::super) static FORMAT: Format = Format {
    name: "text",
    about: "any text: values are found wherever they stand",
    sniff: |_| true,
    own_line: None,
    header: None,
    ragged: None,
    decode: |_, _| Ok(()),
};
