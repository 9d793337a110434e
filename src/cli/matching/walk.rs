//! Which files to search: what was named, and with `-r` what lies below, in a fixed order.

use crate::cli::error::reason;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One thing to search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Standard input.
    Stdin,
    /// A file, under the name it is shown by.
    File(PathBuf),
}

impl Input {
    /// The name that stands at the beginning of each row.
    pub(super) fn name(&self) -> &OsStr {
        match self {
            Self::Stdin => OsStr::new("(standard input)"),
            Self::File(path) => path.as_os_str(),
        }
    }
}

/// Goes through the inputs one by one; what cannot be searched comes as a message. Directories are read when their turn
/// comes, each sorted by name. As grep does, links are followed where they are named, not where they are found, and only
/// plain files are taken from directories.
#[derive(Debug)]
pub(super) struct Walk {
    /// What is still to come, the next one last.
    stack: Vec<Item>,
    recursive: bool,
}

#[derive(Debug)]
enum Item {
    Named(PathBuf),
    Found(PathBuf),
    FoundDirectory(PathBuf),
}

impl Walk {
    /// Walks what was named; nothing named is standard input.
    pub(super) fn new(named: &[PathBuf], recursive: bool) -> Self {
        let mut stack: Vec<Item> = named.iter().rev().cloned().map(Item::Named).collect();
        if stack.is_empty() {
            stack.push(Item::Named("-".into()));
        }
        Self { stack, recursive }
    }

    fn open_directory(&mut self, path: &Path) -> io::Result<()> {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries.into_iter().rev() {
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.stack.push(Item::FoundDirectory(entry.path()));
            } else if kind.is_file() {
                self.stack.push(Item::Found(entry.path()));
            }
        }
        Ok(())
    }
}

impl Iterator for Walk {
    type Item = Result<Input, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let directory = match self.stack.pop()? {
                Item::Found(path) => return Some(Ok(Input::File(path))),
                Item::FoundDirectory(path) => path,
                Item::Named(path) if path.as_os_str() == "-" => return Some(Ok(Input::Stdin)),
                Item::Named(path) if !path.is_dir() => return Some(Ok(Input::File(path))),
                Item::Named(path) if self.recursive => path,
                Item::Named(path) => {
                    return Some(Err(format!("{}: is a directory (-r searches the files in it)", path.display())));
                }
            };
            if let Err(error) = self.open_directory(&directory) {
                return Some(Err(format!("{}: {}", directory.display(), reason(&error))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(walk: Walk) -> Vec<String> {
        walk.map(|item| match item {
            Ok(input) => input.name().to_string_lossy().into_owned(),
            Err(message) => format!("error: {message}"),
        })
        .collect()
    }

    #[test]
    fn nothing_named_is_standard_input() {
        assert_eq!(names(Walk::new(&[], true)), ["(standard input)"]);
        assert_eq!(names(Walk::new(&["-".into(), "x".into()], false)), ["(standard input)", "x"]);
    }

    #[test]
    fn directories_are_sorted_and_links_in_them_left_alone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("logs/b.d")).expect("created");
        for name in ["logs/c", "logs/a", "logs/b.d/z", "logs/b.d/.hidden", "outside"] {
            fs::write(at(name), "x").expect("written");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(at("outside"), at("logs/link")).expect("linked");
            std::os::unix::fs::symlink(at("logs"), at("logs/b.d/loop")).expect("linked");
        }
        let below = |names: Vec<String>| -> Vec<String> {
            let prefix = format!("{}/", dir.path().display());
            names.iter().map(|name| name.replace(&prefix, "")).collect()
        };
        let found = below(names(Walk::new(&[at("logs"), at("outside")], true)));
        assert_eq!(found, ["logs/a", "logs/b.d/.hidden", "logs/b.d/z", "logs/c", "outside"]);
        #[cfg(unix)]
        assert_eq!(below(names(Walk::new(&[at("logs/link")], true))), ["logs/link"], "a link that is named counts");
        let refused = below(names(Walk::new(&[at("logs"), at("outside")], false)));
        assert_eq!(refused, ["error: logs: is a directory (-r searches the files in it)", "outside"]);
    }
}
