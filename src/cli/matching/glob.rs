//! Patterns of file names that no shell has expanded, such as `'/var/log/*.log'`.

use std::path::{Path, PathBuf};

/// As a shell does it: `*` leaves hidden files out, and no wildcard stands for a `/`; `**` stands for folders.
const OPTIONS: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The pattern that a name stands for. A name that holds wildcards and yet is that of a file stands for the file.
pub(super) fn pattern(named: &Path) -> Option<&str> {
    let text = named.to_str()?;
    let wild = text.contains(['*', '?', '[']);
    (wild && named.symlink_metadata().is_err() && glob::Pattern::new(text).is_ok()).then_some(text)
}

/// What matches now, sorted by name; what of it cannot be looked at, as a message.
pub(super) fn expand(pattern: &str) -> Vec<Result<PathBuf, String>> {
    let Ok(paths) = glob::glob_with(pattern, OPTIONS) else { return Vec::new() };
    let mut found: Vec<_> = paths
        .map(|path| {
            path.map_err(|error| format!("{}: {}", error.path().display(), crate::cli::error::reason(error.error())))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn patterns_stand_for_files_and_names_for_themselves() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("a/b")).expect("created");
        for name in ["c.log", "b.log", "a/b/x.log", ".hidden.log", "odd[1].log", "odd1.log"] {
            fs::write(at(name), "").expect("written");
        }
        let expanded = |name: &str| -> Vec<String> {
            let path = at(name);
            let found = expand(pattern(&path).expect("a pattern"));
            let prefix = format!("{}/", dir.path().display());
            found.into_iter().map(|path| path.expect("readable").display().to_string().replace(&prefix, "")).collect()
        };
        assert_eq!(expanded("*.log"), ["b.log", "c.log", "odd1.log", "odd[1].log"]);
        assert_eq!(expanded("[bc].log"), ["b.log", "c.log"]);
        assert_eq!(expanded("**/x.log"), ["a/b/x.log"]);
        assert_eq!(expanded("none*"), [""; 0]);
        assert_eq!(pattern(&at("odd[1].log")), None, "there is a file of that name");
        assert_eq!(pattern(&at("c.log")), None);
        assert_eq!(pattern(&at("broken[")), None);
    }
}
