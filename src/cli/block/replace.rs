//! A file is replaced as a whole or not at all, whatever fails and whenever the run is killed.
//!
//! The new content goes to a temporary file in the same directory, which is locked while its writer lives: one that can
//! be locked was left over by a killed run, and the next run removes it. Once the validate command has accepted it, it
//! takes the name of the old file in one step. If the reload command fails then, the old content comes back.

use super::command;
use super::keep::Keep;
use super::standing::Standing;
use crate::cli::error::reason;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file to be replaced.
#[derive(Debug)]
pub(in crate::cli) struct Target {
    /// What is really replaced: where a link leads, within its directory.
    path: PathBuf,
    folder: PathBuf,
    name: OsString,
    /// The file that stands, if there is one.
    old: Option<Standing>,
}

/// What writes the content of a file.
pub(in crate::cli) type Content<'c> = &'c dyn Fn(&mut dyn Write) -> io::Result<()>;

/// The commands of an output.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Commands<'c> {
    /// Accepts or rejects the new file, `{}` in it.
    pub(super) validate: Option<&'c str>,
    /// Tells the target that there is a new file.
    pub(super) reload: Option<&'c str>,
}

/// Replaces a file without commands, unless it holds that content already. Whether it was replaced.
///
/// # Errors
/// Nothing was replaced. The message says why.
pub(in crate::cli) fn replace_file(path: &Path, content: Content<'_>) -> Result<bool, String> {
    let target = Target::open(path)?;
    target.sweep()?;
    if target.standing().is_some_and(|standing| standing.is(content)) {
        return Ok(false);
    }
    target.replace(content, Commands::default(), None).map(|()| true)
}

impl Target {
    /// Looks at what stands at a path.
    ///
    /// # Errors
    /// It is neither a file nor free, or a link out of its directory, or the directory is not there.
    pub(in crate::cli) fn open(path: &Path) -> Result<Self, String> {
        let fail = |error: io::Error| format!("{}: {}", path.display(), reason(&error));
        let (folder, name) = split(path).ok_or_else(|| format!("{}: no name of a file", path.display()))?;
        let folder = fs::canonicalize(&folder).map_err(|error| format!("{}: {}", folder.display(), reason(&error)))?;
        let mut target = Self { path: folder.join(&name), folder, name, old: None };
        let Some(metadata) = found(fs::symlink_metadata(&target.path)).map_err(fail)? else { return Ok(target) };
        if metadata.is_symlink() {
            let real = fs::canonicalize(&target.path).map_err(fail)?;
            let (folder, name) = split(&real).ok_or_else(|| format!("{}: leads nowhere", path.display()))?;
            if folder != target.folder {
                let real = real.display();
                return Err(format!("{}: is a link out of its directory, to {real}", path.display()));
            }
            (target.path, target.name) = (real, name);
        }
        let metadata = fs::metadata(&target.path).map_err(fail)?;
        if !metadata.is_file() {
            return Err(format!("{}: is not a regular file", path.display()));
        }
        target.old = Some(Standing::open(&target.path, metadata).map_err(fail)?);
        Ok(target)
    }

    /// What really is replaced.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that stands.
    pub(super) fn standing(&self) -> Option<&Standing> {
        self.old.as_ref()
    }

    /// Removes what killed runs left beside the file.
    ///
    /// # Errors
    /// The directory cannot be read, or a leftover not removed.
    pub(super) fn sweep(&self) -> Result<(), String> {
        let fail = |error: io::Error| format!("{}: {}", self.folder.display(), reason(&error));
        for entry in fs::read_dir(&self.folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if !is_temporary(&entry.file_name(), &self.name) {
                continue;
            }
            // Ours are files; opening anything else might wait for ever.
            if !fs::symlink_metadata(entry.path()).is_ok_and(|metadata| metadata.is_file()) {
                continue;
            }
            // Whoever writes it holds a lock on it.
            let Ok(file) = File::open(entry.path()) else { continue };
            match file.try_lock() {
                Ok(()) => drop(found(fs::remove_file(entry.path())).map_err(fail)?),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(fail(error)),
            }
        }
        Ok(())
    }

    /// Replaces the content, with the commands of the output before and after.
    ///
    /// # Errors
    /// Nothing was replaced, or it was and came back because the reload command failed. The message says which.
    pub(super) fn replace(
        &self,
        content: Content<'_>,
        commands: Commands<'_>,
        keep: Option<&Keep>,
    ) -> Result<(), String> {
        let temporary = self.write(content)?;
        if let Some(validate) = commands.validate {
            command::run(validate, Some(&temporary.path))
                .map_err(|error| format!("{}: not replaced: validate {error}", self.path.display()))?;
        }
        let kept = keep.zip(self.standing());
        if let Some((keep, old)) = kept {
            keep.put_aside(&|to| old.copy(to))
                .map_err(|error| format!("{}: not replaced: {error}", self.path.display()))?;
        }
        self.put(temporary)?;
        if let Some(reload) = commands.reload {
            self.reload(reload, keep)?;
        }
        kept.map_or(Ok(()), |(keep, _)| keep.commit())
    }

    /// Replaces the content of a file that no other program has a say in, and removes what killed runs left beside it.
    ///
    /// # Errors
    /// Nothing was replaced.
    pub(in crate::cli) fn write_whole(&self, content: Content<'_>) -> Result<(), String> {
        self.sweep()?;
        self.replace(content, Commands::default(), None)
    }

    /// Runs the reload command; brings the old content back if it fails.
    fn reload(&self, reload: &str, keep: Option<&Keep>) -> Result<(), String> {
        if let Some(keep) = keep {
            keep.pending(true)?;
        }
        let Err(error) = command::run(reload, None) else {
            return keep.map_or(Ok(()), |keep| keep.pending(false));
        };
        let path = self.path.display();
        let Some(old) = self.standing() else { return Err(format!("{path}: reload {error}")) };
        self.write(&|to| old.copy(to)).and_then(|temporary| self.put(temporary))?;
        keep.map_or(Ok(()), Keep::discard)?;
        Err(format!("{path}: reload {error}; the file that stood before is back"))
    }

    /// Runs a reload command that failed last time.
    ///
    /// # Errors
    /// It failed again.
    pub(super) fn reload_again(&self, reload: &str, keep: &Keep) -> Result<(), String> {
        command::run(reload, None).map_err(|error| format!("{}: reload {error}", self.path.display()))?;
        keep.pending(false)
    }

    /// Writes a temporary file beside the target, with its mode and owner, down to the disk.
    fn write(&self, content: Content<'_>) -> Result<Temporary, String> {
        let fail = |error: io::Error| format!("{}: not replaced: {}", self.path.display(), reason(&error));
        let temporary = self.create().map_err(fail)?;
        let mut file = &temporary.file;
        content(&mut file).map_err(fail)?;
        if let Some(old) = &self.old {
            give(file, &old.metadata).map_err(|error| {
                format!("{}: not replaced: cannot keep its owner and mode: {}", self.path.display(), reason(&error))
            })?;
        }
        file.sync_all().map_err(fail)?;
        Ok(temporary)
    }

    fn create(&self) -> io::Result<Temporary> {
        let mut tries = 0;
        loop {
            let mut name = OsString::from(".");
            name.push(&self.name);
            name.push(format!("{MARK}{}-{tries}{END}", std::process::id()));
            let path = self.folder.join(name);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => {
                    file.lock()?;
                    return Ok(Temporary { path, file, done: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < 100 => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the temporary file the name of the target.
    fn put(&self, mut temporary: Temporary) -> Result<(), String> {
        let fail = |error: io::Error| format!("{}: not replaced: {}", self.path.display(), reason(&error));
        fs::rename(&temporary.path, &self.path).map_err(fail)?;
        temporary.done = true;
        sync_folder(&self.folder).map_err(|error| format!("{}: {}", self.folder.display(), reason(&error)))
    }
}

const MARK: &str = ".stockade-";
const END: &str = ".tmp";

/// A temporary file; gone when dropped before it took its place.
struct Temporary {
    path: PathBuf,
    file: File,
    done: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.done {
            // If this fails, the next run sweeps it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a name is one that we give to temporary files beside a file.
fn is_temporary(name: &OsStr, target: &OsStr) -> bool {
    let rest = name.as_encoded_bytes().strip_prefix(b".");
    let rest = rest.and_then(|rest| rest.strip_prefix(target.as_encoded_bytes()));
    rest.is_some_and(|rest| rest.starts_with(MARK.as_bytes()) && rest.ends_with(END.as_bytes()))
}

/// The directory and the last part of a path.
fn split(path: &Path) -> Option<(PathBuf, OsString)> {
    let name = path.file_name()?.to_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some((folder.to_owned(), name))
}

/// `None` for what is not there.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn give(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    // After the owner: changing that takes bits away.
    file.set_permissions(old.permissions())
}

#[cfg(not(unix))]
fn give(file: &File, old: &Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

/// A new name in a directory lasts only once the directory is on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_temporary_files_of_that_file_are_swept() {
        for (name, expected) in [
            (".list.stockade-12-0.tmp", true),
            (".list.stockade-.tmp", true),
            ("list.stockade-12-0.tmp", false),
            (".list2.stockade-12-0.tmp", false),
            (".list.tmp", false),
            ("list", false),
        ] {
            assert_eq!(is_temporary(OsStr::new(name), OsStr::new("list")), expected, "{name}");
        }
    }
}
