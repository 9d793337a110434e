//! The files that a path stands for.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// All files below a folder, sorted by path; hidden ones (`.name`) are left out. Any other path is returned as it is.
///
/// Links are followed; a folder that has been visited already is not visited again.
///
/// # Errors
/// The path does not exist, or a folder cannot be listed; the error names it.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let named = |path: &Path, error: &io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if !path.metadata().map_err(|error| named(path, &error))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut visited = HashSet::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if !visited.insert(folder.canonicalize().map_err(|error| named(&folder, &error))?) {
            continue;
        }
        for entry in folder.read_dir().map_err(|error| named(&folder, &error))? {
            let entry = entry.map_err(|error| named(&folder, &error))?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            // A link that leads nowhere counts as a file, so that opening it says so.
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn folders_are_listed_to_their_depth() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/c")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        for name in ["z.json", "b/c/2.txt", "b/1.txt", "a.csv", ".hidden", ".git/config", "b/.x"] {
            fs::write(root.join(name), "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("b/loop")).unwrap();
        let names: Vec<_> =
            files(root).unwrap().iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a.csv", "b/1.txt", "b/c/2.txt", "z.json"]);
        assert_eq!(files(&root.join("a.csv")).unwrap(), [root.join("a.csv")]);
        assert!(files(&root.join("none")).unwrap_err().to_string().contains("none: "));
    }
}
