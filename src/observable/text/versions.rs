//! Versions that look like IPv4 addresses.
//!
//! After a product and a slash, as in user agents, when neither `(`, `:` nor `/` and a digit follow. A product begins with an upper-case
//! letter and holds a lower-case one; if it has a dot, its last piece holds an upper-case letter (`UP.Browser`, but not
//! `Dc01.corp.local`); or it is one of [`PRODUCTS`]. It is no part of a path. And after one of [`WORDS`], with a few separators between
//! (`rv:1.9.0.19`, `"version":"1.2.3.4"`); `version` may be the end of a longer word (`FileVersion`).

/// Products that write themselves in lower case.
pub const PRODUCTS: [&str; 16] = [
    "curl",
    "wget",
    "libwww-perl",
    "python-requests",
    "python-urllib",
    "okhttp",
    "axios",
    "nginx",
    "openresty",
    "lighttpd",
    "node",
    "node-fetch",
    "php",
    "aria2",
    "libcurl",
    "urlgrabber",
];

/// Words that a version follows.
pub const WORDS: [&str; 7] = ["version", "ver", "v", "rv", "release", "build", "firmware"];

/// How many separators may stand between the word and the version.
const MOST_SEPARATORS: usize = 5;
/// The longest product looked at.
const LONGEST_PRODUCT: usize = 64;

/// Whether the four numbers at `start..end` are a version.
pub(super) fn is_version(text: &[u8], start: usize, end: usize) -> bool {
    after_product(text, start, end) || after_word(text, start)
}

fn after_product(text: &[u8], start: usize, end: usize) -> bool {
    let Some(before) = text[..start].strip_suffix(b"/") else { return false };
    let port = matches!(text.get(end), Some(b'(' | b':' | b'/')) && text.get(end + 1).is_some_and(u8::is_ascii_digit);
    if port {
        return false;
    }
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'.' | b'_' | b'-' | b'+');
    let length = before.iter().rev().take(LONGEST_PRODUCT).take_while(part).count();
    let (rest, product) = before.split_at(before.len() - length);
    if matches!(rest.last(), Some(b'/' | b'\\')) {
        return false;
    }
    if PRODUCTS.iter().any(|known| product.eq_ignore_ascii_case(known.as_bytes())) {
        return true;
    }
    let last = product.rsplit(|byte| *byte == b'.').next().unwrap_or(product);
    product.first().is_some_and(u8::is_ascii_uppercase)
        && product.iter().any(u8::is_ascii_lowercase)
        && last.iter().any(u8::is_ascii_uppercase)
}

fn after_word(text: &[u8], start: usize) -> bool {
    let before = &text[..start];
    let separator = |byte: &&u8| matches!(**byte, b' ' | b'.' | b':' | b'=' | b'"' | b'\'' | b'/' | b'\\');
    let separators = before.iter().rev().take(MOST_SEPARATORS).take_while(separator).count();
    if separators == 0 {
        return false;
    }
    let before = &before[..before.len() - separators];
    let length = before.iter().rev().take(LONGEST_PRODUCT).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &before[before.len() - length..];
    let digit_before = before.len() > length && before[before.len() - length - 1].is_ascii_digit();
    if !digit_before && WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes())) {
        return true;
    }
    word.len() > 7 && word[word.len() - 7..].eq_ignore_ascii_case(b"version")
}
