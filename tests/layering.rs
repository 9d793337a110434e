//! The walls between modules: every `crate::` and `stockade::` path in `src` is held against a table of who may use
//! whom. It is the table of ARCHITECTURE.md.

use std::fs;
use std::path::{Path, PathBuf};

/// A module and the other modules it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("pattern", &[]),
    ("stix", &[]),
    ("observable", &[]),
    ("compile", &["pattern", "observable", "stix"]),
    ("matcher", &["compile", "log", "observable", "stix"]),
    ("log", &["observable", "stix"]),
    ("source", &["stix", "observable"]),
    ("store", &["stix"]),
    ("blocklist", &["compile", "observable", "stix"]),
    ("render", &["blocklist", "observable"]),
];

/// The command. It sees the library from outside, and so uses `stockade::` where the others use `crate::`.
const COMMAND: &str = "cli";

#[test]
fn modules_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&file).expect("source files are UTF-8");
        let inner = file.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
        wrong.extend(violations(inner, &text));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_table_speaks_of_every_module() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("there is a src") {
        let path = entry.expect("readable").path();
        let name = path.file_stem().expect("files have names").to_string_lossy().into_owned();
        let known = MAY_USE.iter().any(|(module, _)| *module == name) || [COMMAND, "lib", "main"].contains(&&*name);
        assert!(known, "{name} is not in the table");
    }
}

#[test]
fn what_is_forbidden_is_found() {
    for (file, text, found) in [
        ("pattern/mod.rs", "use crate::stix::Indicator;", 1),
        ("pattern/mod.rs", "use crate::pattern::ast;", 0),
        ("pattern/mod.rs", "use super::super::stix;", 1),
        ("pattern/print.rs", "fn f() { crate::matcher::Matcher::new() }", 1),
        ("compile/lower.rs", "use crate::{pattern::ast::{Ast, Op}, matcher::Hit, stix};", 1),
        ("compile/lower.rs", "use crate::{\n    pattern,\n    observable::Kind,\n};", 0),
        ("pattern/print.rs", "use super::{ast, super::ast}; use super::super::ast;", 0),
        ("cli/why.rs", "use super::super::matcher;", 1),
        ("stix.rs", "use crate::{source, log::{a, b}};", 2),
        ("stix/mod.rs", "/// as `crate::matcher::Matcher` does\n// crate::log\n//! crate::log", 0),
        ("stix/mod.rs", "//! ```\n//! use stockade::matcher::Matcher;\n//! ```", 0),
        ("cli/why.rs", "use stockade::matcher::Matcher; use crate::cli::error; use super::Globals;", 0),
        ("cli/why.rs", "use crate::matcher::Matcher;", 1),
        ("matcher/mod.rs", "use crate::cli::error;", 1),
        ("matcher/mod.rs", "use stockade::matcher::Hit;", 1),
        ("matcher/mod.rs", "pub(crate) fn a() {}\npub(in crate::matcher) fn b() {}", 0),
        ("matcher/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::pattern::Pattern;\n}", 0),
        ("matcher/mod.rs", "#[cfg(test)]\nmod tests;\nuse crate::pattern::Pattern;", 1),
        ("lib.rs", "pub mod stix;", 0),
    ] {
        let violations = violations(Path::new(file), text);
        assert_eq!(violations.len(), found, "{file}: {text}: {violations:?}");
    }
}

/// Every use of a module that the file's own may not use.
fn violations(file: &Path, text: &str) -> Vec<String> {
    let first = file.iter().next().map(|name| name.to_string_lossy().trim_end_matches(".rs").to_owned());
    let Some(own) = first.filter(|name| name != "lib" && name != "main") else { return Vec::new() };
    let allowed = MAY_USE.iter().find(|(module, _)| *module == own).map_or(&[][..], |(_, allowed)| allowed);
    // Tests stand at the end of their file, and may use whatever they need.
    let text = text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(before, _)| before);
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");

    // A relative path leaves its module only for another one of the table, since no module holds one of these names.
    let elsewhere = |name: &String| *name == COMMAND || MAY_USE.iter().any(|(module, _)| module == name);
    let mut wrong = Vec::new();
    for (root, outside) in [("crate::", false), ("stockade::", true), ("super::", false)] {
        for used in modules_after(&code, root).into_iter().filter(|used| root != "super::" || elsewhere(used)) {
            let fine = if own == COMMAND {
                outside || used == COMMAND
            } else {
                !outside && (used == own || allowed.contains(&&*used))
            };
            if !fine {
                wrong.push(format!("src/{}: {own} uses {root}{used}", file.display()));
            }
        }
    }
    wrong
}

/// The first names of the paths that start with `root`: one name, or those in braces.
fn modules_after(code: &str, root: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (place, _) in code.match_indices(root) {
        let before = code[..place].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' && root != "super::") {
            continue;
        }
        let rest = &code[place + root.len()..];
        match rest.strip_prefix('{') {
            None => names.push(first_name(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (place, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            names.push(first_name(&list[place..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    // Paths to what lib.rs itself holds would be capitalised; there is nothing of that kind.
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
