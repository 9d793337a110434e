//! The patterns of an input: of bundles and objects, of lines of JSON, of plain lines.

use crate::cli::error::Error;
use serde_json::Value;
use std::borrow::Cow;

/// One thing to judge.
pub(super) struct Input<'a> {
    /// From 1, where lines are what the input is made of.
    pub(super) line: Option<usize>,
    /// The STIX id of the object that holds it.
    pub(super) id: Option<String>,
    pub(super) content: Content<'a>,
}

/// What there is to judge.
pub(super) enum Content<'a> {
    Pattern(Cow<'a, str>),
    /// Of this `pattern_type`.
    OtherLanguage(String),
    /// No text that could be a pattern.
    Unusable {
        message: String,
        span: Option<[u32; 2]>,
    },
}

impl Content<'_> {
    fn unusable(message: impl Into<String>) -> Self {
        Self::Unusable { message: message.into(), span: None }
    }
}

/// Gets each input, in order.
type Visit<'v> = &'v mut dyn FnMut(Input<'_>) -> Result<(), Error>;

/// Visits every pattern of some bytes. The inner error says why they cannot be read to their end.
pub(super) fn each(bytes: &[u8], visit: Visit<'_>) -> Result<Result<(), String>, Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if is_document(bytes) { documents(bytes, visit) } else { lines(bytes, visit).map(Ok) }
}

/// Whether bytes are JSON documents that stretch over lines, instead of lines that each are one thing.
fn is_document(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    match text {
        [b'{', ..] => {
            let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
            // One bad line does not make a document of lines.
            !lines.by_ref().take(2).any(is_object)
        }
        // A pattern begins with a bracket too, but what follows is a name or a parenthesis.
        [b'[', rest @ ..] => rest.trim_ascii_start().starts_with(b"{"),
        _ => false,
    }
}

fn is_object(line: &[u8]) -> bool {
    line.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

/// JSON documents, one after another.
fn documents(bytes: &[u8], visit: Visit<'_>) -> Result<Result<(), String>, Error> {
    for document in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match document {
            Ok(value) => item(&value, None, visit)?,
            Err(error) => return Ok(Err(format!("no valid JSON: {error}"))),
        }
    }
    Ok(Ok(()))
}

/// Lines that are a pattern or a JSON value each. Blank lines are nothing.
fn lines(bytes: &[u8], visit: Visit<'_>) -> Result<(), Error> {
    for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let number = Some(at + 1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let trimmed = line.trim_ascii();
        match trimmed.first() {
            None => {}
            Some(b'{') => match serde_json::from_slice(trimmed) {
                Ok(value) => item(&value, number, visit)?,
                Err(error) => {
                    let content = Content::unusable(format!("no valid JSON: {error}"));
                    visit(Input { line: number, id: None, content })?;
                }
            },
            Some(b'"') => {
                let string = serde_json::from_slice::<String>(trimmed).ok();
                let content = string.map_or_else(|| plain(line), |text| Content::Pattern(text.into()));
                visit(Input { line: number, id: None, content })?;
            }
            Some(_) => visit(Input { line: number, id: None, content: plain(line) })?,
        }
    }
    Ok(())
}

/// A line that is a pattern.
fn plain(line: &[u8]) -> Content<'_> {
    match std::str::from_utf8(line) {
        Ok(text) => Content::Pattern(text.into()),
        Err(error) => {
            let start = error.valid_up_to();
            let end = start + error.error_len().unwrap_or(line.len() - start);
            let span = Some([start, end].map(|at| u32::try_from(at).unwrap_or(u32::MAX)));
            Content::Unusable { message: format!("the text is not UTF-8 at byte {start}"), span }
        }
    }
}

/// A JSON value: a string, an object with a pattern, or something that holds such.
fn item(value: &Value, line: Option<usize>, visit: Visit<'_>) -> Result<(), Error> {
    let object = match value {
        Value::String(text) => {
            return visit(Input { line, id: None, content: Content::Pattern(text.into()) });
        }
        // JSON is nested no deeper than its parser allows.
        Value::Array(values) => return values.iter().try_for_each(|value| item(value, line, visit)),
        Value::Object(object) => object,
        _ => {
            let content = Content::unusable("neither a string nor an object with a `pattern`");
            return visit(Input { line, id: None, content });
        }
    };
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let content = match (text("type"), object.get("pattern"), object.get("objects")) {
        (Some("bundle"), ..) | (None, None, Some(Value::Array(_))) => {
            let objects = object.get("objects").and_then(Value::as_array);
            return objects.into_iter().flatten().try_for_each(|value| item(value, line, visit));
        }
        (_, Some(pattern), _) => match (text("pattern_type"), pattern) {
            (Some(other), _) if !other.eq_ignore_ascii_case("stix") => Content::OtherLanguage(other.to_owned()),
            (_, Value::String(pattern)) => Content::Pattern(pattern.into()),
            _ => Content::unusable("`pattern` is not a string"),
        },
        // Objects of other types are not what is checked.
        (Some(object_type), None, _) if object_type != "indicator" => return Ok(()),
        _ => Content::unusable("the object has no `pattern`"),
    };
    visit(Input { line, id: text("id").map(str::to_owned), content })
}
