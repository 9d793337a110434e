//! What strangers wrote, made fit for a message: the body of a refusal, addresses, names.

use std::fmt::Write;
use std::time::Duration;
use url::Url;

/// Letters of a stranger's text that are repeated, at most.
const SAID: usize = 200;

/// A stranger's text on one line: nothing that steers a terminal, no runs of white space, not long.
pub(crate) fn tidy(text: &str) -> String {
    let mut out = String::new();
    let mut letters = 0;
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for letter in word.chars() {
            if letters == SAID {
                out.push_str("...");
                return out;
            }
            // Besides control characters, those that turn the direction of writing or cannot be seen.
            let hidden = letter.is_control()
                || matches!(letter, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}');
            out.push(if hidden { '\u{FFFD}' } else { letter });
            letters += 1;
        }
    }
    out
}

/// An address without its query, which may hold a key or a token.
pub(super) fn address(url: &Url) -> String {
    let mut out = format!("{}://", url.scheme());
    out.push_str(url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        let _ = write!(out, ":{port}");
    }
    out.push_str(url.path());
    tidy(&out)
}

/// A time to wait, in the unit that reads best.
pub(super) fn duration(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds @ 1..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// What the body of a refusal says: a TAXII error resource, `{"error": {..}}` and its likes, a page of HTML, a line of
/// text.
pub(crate) fn said(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let said = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json) => said_json(&json),
        Err(_) if text.trim_start().starts_with('<') => said_html(&text),
        Err(_) => text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned),
    };
    said.map(|said| tidy(&said)).filter(|said| !said.is_empty())
}

fn said_json(json: &serde_json::Value) -> Option<String> {
    let object = match json {
        serde_json::Value::String(text) => return Some(text.clone()),
        other => other.as_object()?,
    };
    if let Some(error) = object.get("error").filter(|error| error.is_object() || error.is_string()) {
        let inner = said_json(error);
        // {"error": "invalid_key", "message": "No such key"}: the word and its meaning.
        let more =
            ["message", "error_description", "description", "detail"].iter().find_map(|key| object.get(*key)?.as_str());
        return match (inner, more) {
            (Some(inner), Some(more)) => Some(format!("{inner}: {more}")),
            (inner, more) => inner.or_else(|| more.map(str::to_owned)),
        };
    }
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)?.as_str());
    let code = text(&["code", "error_code"]);
    let title = text(&["title", "message", "msg", "detail"]);
    let description = text(&["description", "error_description"]).filter(|text| Some(*text) != title);
    let parts: Vec<&str> = [code, title, description].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

/// The title of a page, or its first heading, or its first words.
fn said_html(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    for tag in ["title", "h1"] {
        let inside = lower.find(&format!("<{tag}")).and_then(|open| {
            let start = open + lower[open..].find('>')? + 1;
            let end = start + lower[start..].find(&format!("</{tag}"))?;
            let inside = without_tags(&text[start..end]);
            (!inside.trim().is_empty()).then_some(inside)
        });
        if inside.is_some() {
            return inside;
        }
    }
    Some(without_tags(text))
}

fn without_tags(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(letter),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_every_form_are_read() {
        for (body, expected) in [
            (
                r#"{"title": "Not Found", "description": "no such collection", "http_status": "404"}"#,
                Some("Not Found: no such collection"),
            ),
            (r#"{"error": {"code": "invalid_key", "message": "No such key"}}"#, Some("invalid_key: No such key")),
            (r#"{"error": "invalid_key", "message": "No such key"}"#, Some("invalid_key: No such key")),
            (r#"{"error": "Unauthorized"}"#, Some("Unauthorized")),
            (r#"{"title": "Same", "description": "Same"}"#, Some("Same")),
            (r#"{"detail": "Throttled"}"#, Some("Throttled")),
            ("<!doctype html>\n<title>401\n Unauthorized</title>\n<h1>x</h1>", Some("401 Unauthorized")),
            ("<html><body><h1>Bad <b>Gateway</b></h1></body>", Some("Bad Gateway")),
            ("\n  upstream is down\nmore\n", Some("upstream is down")),
            ("\u{1b}[2Jgone\u{202e}", Some("\u{fffd}[2Jgone\u{fffd}")),
            ("", None),
            ("{}", None),
            ("[1]", None),
            ("<p></p>", None),
        ] {
            assert_eq!(said(body.as_bytes()).as_deref(), expected, "{body}");
        }
        assert_eq!(tidy(&"x".repeat(1000)).len(), SAID + 3);
    }

    #[test]
    fn addresses_lose_their_query() {
        let url = Url::parse("https://feed.example:8443/a/b?key=s3cret#x").unwrap();
        assert_eq!(address(&url), "https://feed.example:8443/a/b");
    }
}
