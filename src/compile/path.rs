//! Object paths in one spelling, so that they can be compared and looked up.

use crate::pattern::ast::{Ast, Path, Step};
use std::fmt::Write as _;

/// The path with its keys unquoted and joined by dots: `file:hashes.SHA-256`, `network-traffic:protocols[*]`.
pub fn canonical(ast: &Ast<'_>, path: Path) -> String {
    let mut text = String::from(ast.object_type(path));
    let mut separator = ':';
    for step in ast.path_steps(path) {
        match step {
            Step::Key { span, escaped } => {
                text.push(separator);
                push_key(&mut text, &ast.key(*span, *escaped));
            }
            Step::Index(index) => {
                // Writing to a string cannot fail.
                let _ = write!(text, "[{index}]");
            }
            Step::Any => text.push_str("[*]"),
        }
        separator = '.';
    }
    text
}

/// The canonical spelling of a path as it is written, quoted keys without escapes included.
pub(super) fn canonical_text(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut pieces = written.split('\'');
    text.push_str(pieces.next().unwrap_or(""));
    // Quotes come in pairs: a quoted key, then what follows it.
    while let Some(key) = pieces.next() {
        push_key(&mut text, key);
        text.push_str(pieces.next().unwrap_or(""));
    }
    text
}

/// The spelling of a canonical path that a pattern has: keys quoted that have to be.
pub(super) fn quoted(canonical: &str) -> String {
    let Some((object_type, mut rest)) = canonical.split_once(':') else { return canonical.to_owned() };
    let (mut text, mut separator) = (object_type.to_owned(), ':');
    while !rest.is_empty() {
        text.push(separator);
        separator = '.';
        if rest.starts_with('\'') {
            // Quoted already: up to the quote that closes it.
            let mut letters = rest.char_indices().skip(1);
            let mut end = rest.len();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '\\' => drop(letters.next()),
                    '\'' => {
                        end = at + 1;
                        break;
                    }
                    _ => {}
                }
            }
            text.push_str(&rest[..end]);
            rest = &rest[end..];
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, after) = rest.split_at(end);
            let bare = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let bare = bare && !key.starts_with(|first: char| first.is_ascii_digit());
            if bare {
                text.push_str(key);
            } else {
                text.push('\'');
                text.push_str(key);
                text.push('\'');
            }
            rest = after;
        }
        if rest.starts_with('[') {
            let end = rest.find(']').map_or(rest.len(), |at| at + 1);
            text.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    text
}

/// A key that holds a separator stays quoted, so that it is not taken for several.
fn push_key(text: &mut String, key: &str) {
    if key.contains(['.', ':', '[', ']', '\'']) {
        text.push('\'');
        text.push_str(&key.replace('\'', "\\'"));
        text.push('\'');
    } else {
        text.push_str(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::ast::Node;
    use crate::pattern::{Parser, Reading};

    #[test]
    fn a_path_has_one_spelling() {
        for (written, expected) in [
            ("file:hashes.'SHA-256'", "file:hashes.SHA-256"),
            ("file:hashes.MD5", "file:hashes.MD5"),
            ("file:'name'", "file:name"),
            ("x-y:'a.b'.c", "x-y:'a.b'.c"),
        ] {
            assert_eq!(canonical_text(written), expected);
            let mut parser = Parser::new();
            let pattern = format!("[{written} = 'x']");
            let ast = parser.parse(&pattern, Reading::Strict).expect("a pattern");
            let Some(Node::Test(test)) = ast.nodes.first() else { panic!("a test comes first") };
            assert_eq!(canonical(&ast, test.path), expected);
        }
    }

    #[test]
    fn a_canonical_path_can_be_written_in_a_pattern() {
        for canonical_path in [
            "file:hashes.SHA-256",
            "file:name",
            "email-message:to_refs[*].value",
            "windows-registry-key:values[0].data",
            "network-traffic:extensions.http-request-ext.request_header.User-Agent",
            "x-y:'a.b'.c",
            r"x-y:'it\'s'",
        ] {
            let mut parser = Parser::new();
            let pattern = format!("[{} = 'x']", quoted(canonical_path));
            let ast = parser.parse(&pattern, Reading::Strict).expect(&pattern);
            let Some(Node::Test(test)) = ast.nodes.first() else { panic!("a test comes first") };
            assert_eq!(canonical(&ast, test.path), canonical_path);
        }
    }
}
