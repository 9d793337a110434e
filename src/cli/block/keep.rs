//! What is kept of an output under the folder of the store: its previous file, and whether a reload is still due.

use super::replace::{Content, sync_folder};
use super::standing::Comparison;
use crate::cli::config::Config;
use crate::cli::error::reason;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of one output.
#[derive(Debug)]
pub(super) struct Keep {
    folder: PathBuf,
    /// Held while the output is worked on.
    _lock: File,
}

impl Keep {
    /// Opens the folder of an output, and waits for whoever works on the same output.
    ///
    /// # Errors
    /// There is no folder for state, or it cannot be written.
    pub(super) fn open(config: &Config, output: &Path) -> Result<Self, String> {
        let store = config.store_dir().ok_or("there is no folder for state: neither [store] dir nor $HOME is set")?;
        let folder = store.join("outputs").join(name(output));
        let fail = |error: io::Error| format!("{}: {}", folder.display(), reason(&error));
        fs::create_dir_all(&folder).map_err(fail)?;
        let lock = File::create(folder.join("lock")).map_err(fail)?;
        lock.lock().map_err(fail)?;
        let keep = Self { folder, _lock: lock };
        // A run that was killed put something aside. If it did not come to replace the file, that is what still stands.
        if let (Ok(mut aside), Ok(standing)) = (File::open(keep.aside()), File::open(output)) {
            let mut comparison = Comparison::new(standing);
            let same = io::copy(&mut aside, &mut comparison).is_ok() && comparison.ends();
            if same { keep.discard() } else { keep.commit() }?;
        }
        Ok(keep)
    }

    fn aside(&self) -> PathBuf {
        self.folder.join("previous.new")
    }

    /// Puts aside what is about to be replaced.
    pub(super) fn put_aside(&self, content: Content<'_>) -> Result<(), String> {
        let write = || {
            let mut file = File::create(self.aside())?;
            content(&mut file)?;
            file.sync_all()
        };
        write().map_err(|error| {
            format!("{}: the file that stands cannot be kept: {}", self.folder.display(), reason(&error))
        })
    }

    /// What was put aside is the previous file from now on.
    pub(super) fn commit(&self) -> Result<(), String> {
        let rename = || {
            fs::rename(self.aside(), self.folder.join("previous"))?;
            sync_folder(&self.folder)
        };
        rename().map_err(|error| format!("{}: {}", self.folder.display(), reason(&error)))
    }

    /// What was put aside stands again.
    pub(super) fn discard(&self) -> Result<(), String> {
        fs::remove_file(self.aside()).map_err(|error| format!("{}: {}", self.folder.display(), reason(&error)))
    }

    /// The file before the one that stands.
    pub(super) fn previous(&self) -> Result<File, String> {
        let path = self.folder.join("previous");
        File::open(&path).map_err(|error| format!("no previous file is kept: {}: {}", path.display(), reason(&error)))
    }

    /// Notes whether the reload command is still to be run with success.
    pub(super) fn pending(&self, pending: bool) -> Result<(), String> {
        let path = self.folder.join("reload-due");
        let result = if pending {
            File::create(&path).map(drop)
        } else {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        };
        result.map_err(|error| format!("{}: {}", path.display(), reason(&error)))
    }

    /// Whether the reload command failed last time.
    pub(super) fn is_pending(&self) -> bool {
        self.folder.join("reload-due").exists()
    }
}

/// The name of the folder: that of the file for people, and a digest of its whole path.
fn name(output: &Path) -> String {
    let sum = Sha256::digest(output.as_os_str().as_encoded_bytes());
    let mut name: String = output
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .take(64)
        .collect();
    name.push('-');
    for byte in &sum[..8] {
        let _ = write!(name, "{byte:02x}");
    }
    name
}
