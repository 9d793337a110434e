//! The one place where a file is mapped into memory.

#![allow(unsafe_code, reason = "mapping a file is unsafe, see below")]

use std::fs::File;
use std::io;

/// Maps a file for reading.
///
/// The mapped bytes are only ever read as bytes, through slices with bounds, and any content is accepted: nothing of
/// the type system rests on what they say. What the language asks for besides is that they do not change while they
/// are borrowed. An index file is written under another name, and takes its own by a rename once it is whole, so what
/// is mapped is never written to by us. Whoever writes into it by other means gets wrong answers, as with any file that
/// is read in pieces; whoever cuts it short ends the process by a signal.
pub(super) fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: see above.
    unsafe { memmap2::Mmap::map(file) }
}
