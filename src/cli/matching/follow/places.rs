//! Which files are to be followed: what was named, what patterns stand for, and with `-r` what lies in folders, asked
//! again and again.

use super::super::glob;
use super::super::walk::{Input, Walk};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// What the user named.
pub(super) struct Places {
    named: Vec<PathBuf>,
    recursive: bool,
}

/// What there is to be followed now.
#[derive(Default)]
pub(super) struct Listing {
    /// Files, each once, those of folders and patterns sorted. A file that was named need not exist.
    pub(super) files: Vec<PathBuf>,
    /// Why something cannot be listed, with its name.
    pub(super) troubles: Vec<(PathBuf, String)>,
}

impl Places {
    pub(super) fn new(named: &[PathBuf], recursive: bool) -> Self {
        Self { named: named.to_vec(), recursive }
    }

    /// Whether a file was named by its own name.
    pub(super) fn names(&self, path: &Path) -> bool {
        self.named.iter().any(|named| named == path)
    }

    /// Whether files may turn up that were not named.
    pub(super) fn is_open(&self) -> bool {
        self.named.iter().any(|named| named.is_dir() || glob::pattern(named).is_some())
    }

    pub(super) fn list(&self) -> Listing {
        let mut listing = Listing::default();
        let mut seen = BTreeSet::new();
        for named in self.named.iter().filter(|named| named.as_os_str() != "-") {
            if let Some(pattern) = glob::pattern(named) {
                for found in glob::expand(pattern) {
                    match found {
                        Ok(path) if path.is_dir() && !self.recursive => {}
                        Ok(path) => self.add(path, &mut seen, &mut listing),
                        Err(message) => listing.troubles.push((named.clone(), message)),
                    }
                }
            } else {
                self.add(named.clone(), &mut seen, &mut listing);
            }
        }
        listing
    }

    fn add(&self, path: PathBuf, seen: &mut BTreeSet<PathBuf>, listing: &mut Listing) {
        if !path.is_dir() {
            if seen.insert(path.clone()) {
                listing.files.push(path);
            }
            return;
        }
        for found in Walk::new(std::slice::from_ref(&path), self.recursive) {
            match found {
                Ok(Input::File(path)) if seen.insert(path.clone()) => listing.files.push(path),
                Ok(_) => {}
                Err(message) => listing.troubles.push((path.clone(), message)),
            }
        }
    }
}

/// Files beside one that may hold what it held: those whose names begin like its own, with a date or number before or
/// behind the extension.
pub(super) fn siblings(path: &Path) -> Vec<(PathBuf, Metadata)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found: Vec<(PathBuf, Metadata)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| Some(&*entry.file_name()) != path.file_name())
        .filter(|entry| begins_like(&entry.file_name(), path))
        // Named as the file itself was: without a folder if that was named without one.
        .filter_map(|entry| Some((path.with_file_name(entry.file_name()), entry.metadata().ok()?)))
        .filter(|(_, metadata)| metadata.is_file())
        .collect();
    found.sort_by(|one, other| {
        let modified = |metadata: &Metadata| metadata.modified().ok();
        (modified(&one.1), &one.0).cmp(&(modified(&other.1), &other.0))
    });
    found
}

fn begins_like(name: &OsString, path: &Path) -> bool {
    let begins =
        |with: Option<&OsStr>| with.is_some_and(|with| name.as_encoded_bytes().starts_with(with.as_encoded_bytes()));
    begins(path.file_name()) || begins(path.file_stem())
}

/// Whether a name is one that is given to a file when it is rotated: the same with a number or a date added, or with a
/// date before the extension, and perhaps that of a compression: `app.log.1`, `app.log-20260612.gz`,
/// `app-2026-06-12.log`.
pub(super) fn is_rotation_of(name: &Path, path: &Path) -> bool {
    let own = file_name(path);
    let full = file_name(name);
    let name = unpacked(full);
    if name == own {
        return full != own;
    }
    if name.strip_prefix(own).is_some_and(|rest| is_number(rest, 1)) {
        return true;
    }
    let before_extension = || {
        let (stem, extension) = (path.file_stem()?.as_encoded_bytes(), path.extension()?.as_encoded_bytes());
        name.strip_prefix(stem)?.strip_suffix(extension)?.strip_suffix(b".")
    };
    // A short number may tell logs apart that have nothing to do with each other.
    before_extension().is_some_and(|rest| is_number(rest, DATE))
}

/// Whether two names may be of one file before and after rotations: but for numbers and compressions they are the same.
pub(super) fn are_related(one: &Path, other: &Path) -> bool {
    let base = |path: &Path| -> Vec<u8> {
        let name = unpacked(file_name(path));
        let parts = name.split(|byte| b".-_".contains(byte)).filter(|part| !is_number(part, 1));
        parts.collect::<Vec<_>>().join(&b'.')
    };
    one.parent() == other.parent() && base(one) == base(other)
}

/// The least number of digits of a date.
const DATE: usize = 6;

fn file_name(path: &Path) -> &[u8] {
    path.file_name().map(OsStr::as_encoded_bytes).unwrap_or_default()
}

/// A name without the extension of a compression.
fn unpacked(name: &[u8]) -> &[u8] {
    let packed = [".gz", ".zst", ".bz2", ".xz", ".lz4"];
    packed.iter().find_map(|packed| name.strip_suffix(packed.as_bytes())).unwrap_or(name)
}

/// Whether it is a number or a date, of so many digits at least.
fn is_number(text: &[u8], digits: usize) -> bool {
    text.iter().filter(|byte| byte.is_ascii_digit()).count() >= digits
        && text.iter().all(|byte| byte.is_ascii_digit() || b".-_:TZ+".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_told_by_their_names() {
        let is = |name: &str, path: &str| is_rotation_of(Path::new(name), Path::new(path));
        for name in [
            "app.log.1",
            "app.log.gz",
            "app.log.12.gz",
            "app.log-20260612",
            "app.log-20260612-1718.zst",
            "app-2026-06-12.log",
            "app.log.2026-06-12T00:00:00Z",
        ] {
            assert!(is(name, "app.log"), "{name}");
        }
        for name in [
            "app.log",
            "app.log.old",
            "app.log.swp",
            "application.log",
            "app2.txt",
            "app.logger.1",
            "other.log.1",
            "app-2.log",
        ] {
            assert!(!is(name, "app.log"), "{name}");
        }
        assert!(is("d/syslog.1", "d/syslog") && !is("d/syslog-ng", "d/syslog"));

        let related = |one: &str, other: &str| are_related(Path::new(one), Path::new(other));
        for name in ["d/app.log.1", "d/app.log.2.gz", "d/app-20260612.log.zst", "d/app.log"] {
            assert!(related(name, "d/app.log.1"), "{name}");
        }
        assert!(!related("d/app.log.1", "e/app.log.1") && !related("d/other.log.1", "d/app.log.1"));
    }
}
