//! Where a store stands, and the lock of the process that writes it.
//!
//! `DIR/sources/NAME/` holds the database, its two companions, and the lock.

use super::error::StoreError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The folders and files that state is kept in may be read by their group: a server of names or a firewall that takes
/// indicators from it need not run as the user that fetches. Nothing in them is a secret.
#[cfg(unix)]
const MODES: (u32, u32) = (0o750, 0o640);

/// The places of one store.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) source: String,
    pub(super) folder: PathBuf,
    pub(super) database: PathBuf,
}

/// Names of the sources of which something is kept below `dir`, in order.
///
/// # Errors
/// The folder cannot be read. That there is none is no error.
pub fn sources(dir: &Path) -> Result<Vec<String>, StoreError> {
    let folder = dir.join("sources");
    let fail = |error: io::Error| StoreError::io(&folder, "cannot be read", &error);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        if let Ok(name) = entry.file_name().into_string()
            && Files::new(dir, &name).database.exists()
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

impl Files {
    /// Of a source whose name is a good name of a file.
    pub(super) fn new(dir: &Path, source: &str) -> Self {
        let folder = dir.join("sources").join(source);
        Self { source: source.to_owned(), database: folder.join("objects.db"), folder }
    }

    /// Makes the folder, if need be.
    pub(super) fn create_folder(&self) -> Result<(), StoreError> {
        if self.folder.is_dir() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, MODES.0);
        let mut create = || {
            builder.recursive(true).create(&self.folder)?;
            // The names of what is new have to be on the disk, too.
            self.folder.ancestors().skip(1).take(3).try_for_each(sync)
        };
        create().map_err(|error| StoreError::io(&self.folder, "cannot be made", &error))
    }

    /// Makes an empty database file, if need be, so that it has the right mode from the beginning.
    pub(super) fn create_database(&self) -> Result<(), StoreError> {
        let create = || {
            options().open(&self.database)?.sync_all()?;
            sync(&self.folder)
        };
        create().map_err(|error| StoreError::io(&self.database, "cannot be opened for writing", &error))
    }

    /// Bytes on the disk.
    pub(super) fn size(&self) -> u64 {
        let files = fs::read_dir(&self.folder).into_iter().flatten().filter_map(|entry| entry.ok()?.metadata().ok());
        files.filter(fs::Metadata::is_file).map(|file| file.len()).sum()
    }

    /// Takes the lock, which is held until it is dropped or the process ends.
    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.folder.join("lock");
        let fail = |error: &io::Error| StoreError::io(&path, "cannot be locked", error);
        let mut file = options().open(&path).map_err(|error| fail(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is, is only for the message.
                let _ = file.take(20).read_to_string(&mut holder);
                let holder = holder.trim();
                let is_number = !holder.is_empty() && holder.bytes().all(|byte| byte.is_ascii_digit());
                return Err(StoreError::busy(&self.source, is_number.then(|| holder.to_owned())));
            }
            Err(TryLockError::Error(error)) => return Err(fail(&error)),
        }
        // Likewise; on a full disk the lock alone has to do.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock(file))
    }
}

/// Held by the process that writes.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it is not enough while another thread starts a program, which inherits it for a moment.
        let _ = self.0.unlock();
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, MODES.1);
    options
}

/// Writes the names in a folder to the disk.
fn sync(folder: &Path) -> io::Result<()> {
    // A relative path begins in the current folder.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
