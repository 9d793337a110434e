//! Opens an input for reading.

use super::decompress::Text;
use super::walk::Input;
use crate::cli::error::reason;
use std::fs::{File, Metadata};
use std::io;

/// Opens an input, decompressed if need be, and tells whether it comes in its own time, as from a pipe. With `to_print`,
/// refuses the file that standard output goes to: what is read there would come out there again, for ever.
pub(super) fn open(input: &Input, to_print: bool) -> Result<(Text, bool), String> {
    let try_open = || -> io::Result<(Text, bool)> {
        let file = match input {
            Input::Stdin => standard_input()?,
            Input::File(path) => File::open(path)?,
        };
        let metadata = file.metadata()?;
        if to_print && metadata.is_file() && is_standard_output(&metadata) {
            return Err(io::Error::other("this file is also the output"));
        }
        Ok((Text::new(file)?, !metadata.is_file()))
    };
    try_open().map_err(|error| format!("{}: {}", input.name().display(), reason(&error)))
}

/// Standard input, without a buffer.
#[cfg(unix)]
pub(super) fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Standard input, without a buffer.
#[cfg(windows)]
pub(super) fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

/// Standard output, without a buffer.
#[cfg(unix)]
pub(super) fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Standard output, without a buffer.
#[cfg(windows)]
pub(super) fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

#[cfg(unix)]
fn is_standard_output(input: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let output = standard_output().and_then(|output| output.metadata());
    output.is_ok_and(|output| output.is_file() && (output.dev(), output.ino()) == (input.dev(), input.ino()))
}

#[cfg(not(unix))]
fn is_standard_output(_input: &Metadata) -> bool {
    false
}
