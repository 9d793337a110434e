//! Lines of JSON of any kind. What is known of a family of logs is in `json/`; in a line of no such family looks tell
//! what each value is.

use super::super::json;
use super::Format;

pub(in super::super) static FORMAT: Format = Format {
    name: "json",
    about: "JSON, one object a line: the kinds below are told by their keys, and in any other looks tell values",
    sniff: json::sniff,
    own_line: Some(json::looks_like_json),
    header: None,
    ragged: Some(|_, line| json::is_ragged(line)),
    decode: json::decode,
};
