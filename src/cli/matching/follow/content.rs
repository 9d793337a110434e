//! Which content a file holds, and reading it where it was left.
//!
//! Files are renamed, copied, compressed and truncated while they are followed. What stays is their text, so a file is
//! known again by its first bytes and by those before the place up to which it was searched.

use super::super::decompress::Text;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

/// How many of the first bytes a file is known by.
const HEAD: usize = 4096;
/// How many of them are looked at for what they say of the lines behind them.
const FIRST_LINES: u64 = 64 << 10;
/// How many bytes before a place it is known by.
const BEFORE: usize = 256;

/// What the system knows a file by. Numbers may be given to another file when the first is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Id {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl Id {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Without such numbers, files are told apart by the time of their creation.
    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        let created = metadata.created().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self { device: 0, inode: created.map_or(0, |time| time.as_nanos() as u64) }
    }
}

/// What changes when a file is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH) }
    }
}

/// By which a file is known again that was searched up to some place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print {
    /// How many of its first bytes the digest is of.
    head: usize,
    head_digest: String,
    /// The digest of the last bytes before that place.
    before_digest: String,
}

impl Print {
    /// Whether nothing was known of the file, so that any other looks the same.
    pub(super) fn is_empty(&self) -> bool {
        self.head == 0
    }

    /// Whether these are its first bytes.
    pub(super) fn begins_like(&self, head: &[u8]) -> bool {
        self.head > 0 && head.get(..self.head).is_some_and(|head| digest(head) == self.head_digest)
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The text was replaced by another since it was read: the file was truncated and written anew.
#[derive(Debug)]
struct Replaced;

/// Whether that is what an error says.
pub(super) fn is_replaced(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Replaced>)
}

impl std::fmt::Display for Replaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("was truncated while it was read")
    }
}

impl std::error::Error for Replaced {}

/// Reads the text of a file.
pub(super) struct Content {
    file: File,
    source: Source,
    /// The first bytes of the text.
    head: Vec<u8>,
    /// The last bytes that were handed out in blocks of whole lines.
    before: Vec<u8>,
}

enum Source {
    /// As it is. More may be appended at any time. It was read up to `at`, and the last bytes read are kept.
    Plain { at: u64, last: Vec<u8> },
    /// Compressed, which has an end.
    Packed(Text),
}

/// Whether a file is the one that a print was taken of.
pub(super) enum Known {
    /// It is, and can be read on from there.
    Same(Content),
    /// It is not.
    Other,
    /// It begins like it, but ends before that place: it may be a copy in the making.
    Shorter,
}

impl Content {
    /// Opens a file at its beginning.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::begin(File::open(path)?)
    }

    /// The same file, at its beginning.
    pub(super) fn again(&self) -> io::Result<Self> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Self::begin(file)
    }

    fn begin(file: File) -> io::Result<Self> {
        let source = match Text::new(file.try_clone()?)? {
            text if text.is_compressed() => Source::Packed(text),
            _ => Source::Plain { at: 0, last: Vec::new() },
        };
        Ok(Self { file, source, head: Vec::new(), before: Vec::new() })
    }

    /// The first bytes of the text of a file.
    pub(super) fn head_of(path: &Path) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        Text::new(File::open(path)?)?.take(HEAD as u64).read_to_end(&mut head)?;
        Ok(head)
    }

    /// The first lines of the text, as far as they stand before a place.
    pub(super) fn first_lines(&self, before: u64) -> io::Result<Vec<u8>> {
        let count = before.min(FIRST_LINES);
        let mut lines = match &self.source {
            Source::Plain { .. } => bytes_at(&self.file, 0, count as usize)?,
            // Its own place in the file must not move.
            Source::Packed(_) => {
                let mut lines = Vec::new();
                Text::new(FromStart { file: self.file.try_clone()?, at: 0 })?.take(count).read_to_end(&mut lines)?;
                lines
            }
        };
        lines.truncate(memchr::memrchr(b'\n', &lines).map_or(0, |end| end + 1));
        Ok(lines)
    }

    /// What the system says of the file.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Opens a file that may be the one of which this print was taken at `offset`, at the byte `at` behind it.
    pub(super) fn reopen(path: &Path, print: &Print, offset: u64, at: u64) -> io::Result<Known> {
        let mut content = Self::open(path)?;
        let found = match &mut content.source {
            Source::Plain { at: read_to, last } => {
                content.head = bytes_at(&content.file, 0, HEAD)?;
                content.before = bytes_before(&content.file, offset)?;
                *last = bytes_before(&content.file, at)?;
                *read_to = at;
                (content.file.metadata()?.len() >= at).then_some(())
            }
            Source::Packed(_) => content.skip(print, offset, at)?,
        };
        if !print.is_empty() && !print.begins_like(&content.head) {
            return Ok(Known::Other);
        }
        // Reading goes on at that place, and adds to it.
        content.head.truncate(usize::try_from(at).unwrap_or(usize::MAX));
        Ok(match found {
            None => Known::Shorter,
            Some(()) if print.is_empty() || digest(&content.before) == print.before_digest => Known::Same(content),
            Some(()) => Known::Other,
        })
    }

    /// Reads over what was searched already. `None` if the text ends before.
    fn skip(&mut self, print: &Print, offset: u64, at: u64) -> io::Result<Option<()>> {
        let mut piece = vec![0; 64 << 10];
        let (mut passed, mut judged) = (0, false);
        while passed < at {
            let wanted = piece.len().min((if passed < offset { offset } else { at } - passed) as usize);
            let n = match self.read(&mut piece[..wanted]) {
                Ok(0) => return Ok(None),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Somebody is still compressing it.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            };
            if passed < offset {
                self.passed(&piece[..n]);
            }
            passed += n as u64;
            if !judged && self.head.len() >= print.head {
                judged = true;
                if !print.begins_like(&self.head) {
                    break;
                }
            }
        }
        Ok(Some(()))
    }

    /// Whether it has an end of its own, behind which nothing is ever appended.
    pub(super) fn has_end(&self) -> bool {
        matches!(self.source, Source::Packed(_))
    }

    /// Notes that a line was handed out piece by piece, the last of which is this, and that it ends at `offset`.
    pub(super) fn passed_line(&mut self, piece: &[u8], offset: u64) -> io::Result<()> {
        self.before.clear();
        match &self.source {
            Source::Plain { .. } => self.before = bytes_before(&self.file, offset)?,
            Source::Packed(_) => self.passed(piece),
        }
        Ok(())
    }

    /// Notes what was handed out of it in whole lines.
    pub(super) fn passed(&mut self, text: &[u8]) {
        let new = &text[text.len().saturating_sub(BEFORE)..];
        let surplus = (self.before.len() + new.len()).saturating_sub(BEFORE);
        self.before.drain(..surplus.min(self.before.len()));
        self.before.extend_from_slice(new);
    }

    /// By which it will be known again, if it is left where it was handed out up to.
    pub(super) fn print(&self) -> Print {
        Print {
            head: self.head.len(),
            head_digest: if self.head.is_empty() { String::new() } else { digest(&self.head) },
            before_digest: digest(&self.before),
        }
    }

    /// The first bytes of the text, as far as they were read.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// How far a plain file was read.
    pub(super) fn read_to(&self) -> Option<u64> {
        match &self.source {
            Source::Plain { at, .. } => Some(*at),
            Source::Packed(_) => None,
        }
    }

    /// Says what went wrong, in words that follow the name of the file.
    pub(super) fn explain(&self, error: &io::Error, text_read: u64) -> String {
        match &self.source {
            Source::Plain { .. } => format!("{} at byte {text_read}", crate::cli::error::reason(error)),
            Source::Packed(text) => text.explain(error, text_read),
        }
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.source {
            Source::Plain { at, last } => read_on(&self.file, at, last, buffer)?,
            Source::Packed(text) => text.read(buffer)?,
        };
        let missing = HEAD.saturating_sub(self.head.len()).min(n);
        // All that was read before is there if it is not full.
        self.head.extend_from_slice(&buffer[..missing]);
        Ok(n)
    }
}

/// Reads on in a file that is appended to, and makes sure, at one with reading, that what was read before is still
/// there.
fn read_on(file: &File, at: &mut u64, last: &mut Vec<u8>, buffer: &mut [u8]) -> io::Result<usize> {
    let known = last.len();
    let mut bytes = vec![0; known + buffer.len().min(256 << 10)];
    let n = read_at(file, &mut bytes, *at - known as u64)?;
    let (again, new) = bytes[..n].split_at(known.min(n));
    if again != last {
        return Err(io::Error::other(Replaced));
    }
    buffer[..new.len()].copy_from_slice(new);
    *at += new.len() as u64;
    *last = bytes[n.saturating_sub(BEFORE)..n].to_vec();
    Ok(n - known)
}

/// Reads a file from its beginning, wherever others stand in it.
struct FromStart {
    file: File,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = read_at(&self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// The bytes by which a place is known, or those of them that there are.
fn bytes_before(file: &File, place: u64) -> io::Result<Vec<u8>> {
    let start = place.saturating_sub(BEFORE as u64);
    bytes_at(file, start, (place - start) as usize)
}

/// So many bytes from a place on, or those that there are.
fn bytes_at(file: &File, place: u64, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let mut len = 0;
    while len < count {
        match read_at(file, &mut bytes[len..], place + len as u64) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, place)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn lines(from: u32, to: u32) -> Vec<u8> {
        (from..to).flat_map(|n| format!("line {n} of a log\n").into_bytes()).collect()
    }

    /// Reads a text as a search would that was broken off at `offset`.
    fn print_at(text: &[u8], offset: usize) -> Print {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(text).expect("written");
        let mut content = Content::open(file.path()).expect("it is there");
        io::copy(&mut content, &mut io::sink()).expect("readable");
        content.passed(&text[..offset]);
        content.print()
    }

    #[test]
    fn a_file_is_known_by_its_text_under_any_name_and_compression() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let text = lines(0, 2000);
        let offset = lines(0, 1500).len();
        let print = print_at(&text[..offset + 5], offset);
        let longer = lines(0, 3000);
        let gzip = {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(&longer).and_then(|()| out.finish()).expect("in memory")
        };
        for (name, bytes) in [
            ("plain", longer.clone()),
            ("gzip", gzip.clone()),
            ("zstd", zstd::encode_all(&longer[..], 1).expect("in memory")),
        ] {
            let path = dir.path().join(name);
            fs::write(&path, bytes).expect("written");
            let known = Content::reopen(&path, &print, offset as u64, offset as u64).expect("readable");
            let Known::Same(mut content) = known else { panic!("{name} is not known") };
            let mut rest = Vec::new();
            content.read_to_end(&mut rest).expect("readable");
            assert_eq!(rest, longer[offset..], "{name}");
        }
        let judge = |bytes: &[u8]| {
            let path = dir.path().join("other");
            fs::write(&path, bytes).expect("written");
            match Content::reopen(&path, &print, offset as u64, offset as u64).expect("readable") {
                Known::Same(_) => "same",
                Known::Other => "other",
                Known::Shorter => "shorter",
            }
        };
        assert_eq!(judge(&text[..offset]), "same");
        assert_eq!(judge(&text[..offset - 1]), "shorter");
        assert_eq!(judge(&gzip[..gzip.len() / 4]), "shorter");
        assert_eq!(judge(&lines(1, 3000)), "other");
        assert_eq!(judge(&[&text[..offset - 3], b"abcdefg"].concat()), "other");
    }

    #[test]
    fn text_that_is_replaced_is_noticed_at_the_next_read() {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(b"first line\nsecond line\n").expect("written");
        let mut content = Content::open(file.path()).expect("it is there");
        let mut piece = [0; 100];
        assert_eq!(content.read(&mut piece).expect("readable"), 23);
        assert_eq!(content.read(&mut piece).expect("nothing new"), 0);
        fs::write(file.path(), b"other words, and more of them than there were\n").expect("written");
        let error = content.read(&mut piece).expect_err("it is not the same text");
        assert!(is_replaced(&error));
    }
}
