//! Lines of JSON: the walk over their values, and the families of logs that are told by their keys.

mod walk;

pub(super) use walk::{is_ragged, leaves, looks_like_json, push};
