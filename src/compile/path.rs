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
}
