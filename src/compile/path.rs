//! Object paths in one spelling, so that they can be compared and looked up.

use crate::pattern::ast::{Ast, Path, Step};

/// The path with its keys unquoted and joined by dots: `file:hashes.SHA-256`, `network-traffic:protocols[*]`.
pub fn canonical(ast: &Ast<'_>, path: Path) -> String {
    let mut text = String::from(ast.object_type(path));
    let mut separator = ':';
    for step in ast.path_steps(path) {
        match step {
            Step::Key { span, escaped } => {
                text.push(separator);
                text.push_str(&ast.key(*span, *escaped));
            }
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Any => text.push_str("[*]"),
        }
        separator = '.';
    }
    text
}
