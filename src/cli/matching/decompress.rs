//! Compressed input, told by its first bytes: gzip, zstd, bzip2, xz, lz4, each with any number of members; zip with one
//! file. Text in UTF-16 is read in the same way.

mod utf16;
mod zip;

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Size of the pieces in which compressed data is read.
const PIECE: usize = 256 << 10;
/// Most memory that an xz stream may ask for; `xz -9` needs a quarter of it.
const XZ_MEMORY: u64 = 256 << 20;

/// An input as text, decompressed if need be.
pub(in crate::cli) struct Text {
    reader: Box<dyn Read + Send>,
    /// The name of the compression, and how many compressed bytes were used.
    compressed: Option<(&'static str, Arc<AtomicU64>)>,
}

impl Text {
    /// Looks at the first bytes and sets up what they ask for.
    ///
    /// # Errors
    /// As the reader.
    pub(in crate::cli) fn new(mut source: impl Read + Send + 'static) -> io::Result<Self> {
        let mut head = Vec::new();
        let format = loop {
            match Format::of(&head) {
                Guess::Known(format) => break format,
                Guess::Undecided => {
                    let mut piece = [0; 16];
                    match source.read(&mut piece) {
                        Ok(0) => break Format::Plain,
                        Ok(n) => head.extend_from_slice(&piece[..n]),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        };
        let source = Cursor::new(head).chain(source);
        let used = Arc::new(AtomicU64::new(0));
        let counted = |source| Counted { inner: BufReader::with_capacity(PIECE, source), used: Arc::clone(&used) };
        let (name, reader): (_, Box<dyn Read + Send>) = match format {
            Format::Plain => return Ok(Self { reader: Box::new(source), compressed: None }),
            Format::Gzip => ("gzip", Box::new(Gzip::Member(flate2::bufread::GzDecoder::new(counted(source))))),
            Format::Zstd => ("zstd", Box::new(zstd::stream::read::Decoder::with_buffer(counted(source))?)),
            Format::Bzip2 => ("bzip2", Box::new(bzip2::bufread::MultiBzDecoder::new(counted(source)))),
            Format::Xz => {
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
                ("xz", Box::new(liblzma::bufread::XzDecoder::new_stream(counted(source), stream)))
            }
            Format::Utf16 { big_endian } => ("UTF-16", Box::new(utf16::Utf16::new(counted(source), big_endian))),
            Format::Zip => ("zip", Box::new(zip::Zip::new(counted(source))?)),
            Format::Lz4 => {
                let checked = Lz4End { inner: counted(source), last: [0; 8], seen: 0, checksum: false };
                ("lz4", Box::new(Lz4 { decoder: lz4_flex::frame::FrameDecoder::new(checked) }))
            }
        };
        Ok(Self { reader, compressed: Some((name, used)) })
    }

    /// Whether it is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed.is_some()
    }

    /// Says what went wrong and where, in words that follow the name of the file.
    pub(super) fn explain(&self, error: &io::Error, text_read: u64) -> String {
        let Some((name, used)) = &self.compressed else {
            return format!("{} at byte {text_read}", crate::cli::error::reason(error));
        };
        let used = used.load(Ordering::Relaxed);
        let what = if error.kind() == io::ErrorKind::UnexpectedEof {
            format!("{name} data ends too early, at byte {used}")
        } else {
            format!("{name} data is broken near byte {used}: {}", crate::cli::error::reason(error))
        };
        format!("{what}; {text_read} bytes of text before it were searched")
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

#[derive(Clone, Copy)]
enum Format {
    Plain,
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Lz4,
    Zip,
    Utf16 { big_endian: bool },
}

enum Guess {
    Known(Format),
    Undecided,
}

impl Format {
    /// What data with this beginning is; undecided while it may still become something.
    fn of(head: &[u8]) -> Guess {
        let mut undecided = false;
        // A byte that a pattern leaves open is given as `None`.
        let mut begins = |pattern: &[Option<u8>]| {
            let fits = pattern.iter().zip(head).all(|(want, have)| want.is_none_or(|want| want == *have));
            undecided |= fits && head.len() < pattern.len();
            fits && head.len() >= pattern.len()
        };
        let fixed = |bytes: &[u8]| bytes.iter().copied().map(Some).collect::<Vec<_>>();
        if begins(&fixed(b"\x1f\x8b\x08")) {
            return Guess::Known(Self::Gzip);
        }
        // The second is a frame to be skipped, which parallel compressors put first (RFC 8878 section 3.1.2).
        if begins(&fixed(b"\x28\xb5\x2f\xfd"))
            || head.first().is_none_or(|first| first & 0xf0 == 0x50)
                && begins(&[None, Some(0x2a), Some(0x4d), Some(0x18)])
        {
            return Guess::Known(Self::Zstd);
        }
        let bzip2 = |magic: &[u8]| [fixed(b"BZh"), vec![None], fixed(magic)].concat();
        if begins(&bzip2(b"1AY&SY")) || begins(&bzip2(b"\x17\x72\x45\x38\x50\x90")) {
            return Guess::Known(Self::Bzip2);
        }
        if begins(&fixed(b"\xfd7zXZ\0")) {
            return Guess::Known(Self::Xz);
        }
        if begins(&fixed(b"\x04\x22\x4d\x18")) {
            return Guess::Known(Self::Lz4);
        }
        if begins(&fixed(b"PK\x03\x04")) {
            return Guess::Known(Self::Zip);
        }
        // Any bytes may begin like the mark of UTF-16; in a log a letter of ASCII follows it.
        let letter = |at: usize| head.get(at).is_none_or(|byte| (1..0x80).contains(byte));
        if letter(2) && begins(&[Some(0xff), Some(0xfe), None, Some(0)]) {
            return Guess::Known(Self::Utf16 { big_endian: false });
        }
        if letter(3) && begins(&[Some(0xfe), Some(0xff), Some(0), None]) {
            return Guess::Known(Self::Utf16 { big_endian: true });
        }
        if undecided { Guess::Undecided } else { Guess::Known(Self::Plain) }
    }
}

/// Counts the bytes that a decoder has used up, as opposed to those that were read ahead.
struct Counted<R> {
    inner: BufReader<R>,
    used: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.used.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, n: usize) {
        self.used.fetch_add(n as u64, Ordering::Relaxed);
        self.inner.consume(n);
    }
}

/// Members of gzip one after the other, and the zeros that tapes and block devices leave behind them.
enum Gzip<R> {
    Member(flate2::bufread::GzDecoder<R>),
    End,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Self::Member(member) = self {
            let n = member.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let Self::Member(member) = std::mem::replace(self, Self::End) else { break };
            let mut source = member.into_inner();
            let next = loop {
                let bytes = source.fill_buf()?;
                let Some(first) = bytes.first().copied() else { return Ok(0) };
                if first != 0 {
                    break first;
                }
                let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
                source.consume(zeros);
            };
            if next != 0x1f {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes after the end that are not gzip"));
            }
            *self = Self::Member(flate2::bufread::GzDecoder::new(source));
        }
        Ok(0)
    }
}

/// The frames of lz4. The decoder takes an end of data between two blocks for the end of the frame; this does not.
struct Lz4<R: Read> {
    decoder: lz4_flex::frame::FrameDecoder<Lz4End<R>>,
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let before = self.decoder.get_ref().seen;
            let n = self.decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            // The decoder stops at the end of each frame; another one may follow.
            let end = self.decoder.get_ref();
            if end.seen == before {
                return if end.complete() { Ok(0) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }
}

/// Remembers the last bytes read: a frame ends with a mark of four zeros, and a checksum of four bytes if its header
/// says so (LZ4 frame format, `EndMark` and `FLG byte`). The first header speaks for all.
struct Lz4End<R> {
    inner: R,
    last: [u8; 8],
    seen: u64,
    checksum: bool,
}

impl<R> Lz4End<R> {
    fn complete(&self) -> bool {
        self.last[4..] == [0; 4] || self.checksum && self.last[..4] == [0; 4]
    }
}

impl<R: Read> Read for Lz4End<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let bytes = buffer.get(..n).unwrap_or_default();
        if let Some(flags) = 4u64.checked_sub(self.seen).and_then(|place| bytes.get(place as usize)) {
            self.checksum = flags & 0b100 != 0;
        }
        self.seen += n as u64;
        for byte in &bytes[n.saturating_sub(8)..] {
            self.last.rotate_left(1);
            self.last[7] = *byte;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    type Pack = fn(&[u8]) -> Vec<u8>;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).and_then(|()| out.finish()).expect("in memory")
    }
    fn zstd(text: &[u8]) -> Vec<u8> {
        ::zstd::encode_all(text, 1).expect("in memory")
    }
    fn bzip2(text: &[u8]) -> Vec<u8> {
        let mut out = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
        out.write_all(text).and_then(|()| out.finish()).expect("in memory")
    }
    fn xz(text: &[u8]) -> Vec<u8> {
        let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
        out.write_all(text).and_then(|()| out.finish()).expect("in memory")
    }
    fn lz4(text: &[u8]) -> Vec<u8> {
        let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
        out.write_all(text).expect("in memory");
        out.finish().expect("in memory")
    }
    fn lz4_with_checksum(text: &[u8]) -> Vec<u8> {
        let info = lz4_flex::frame::FrameInfo::new().content_checksum(true);
        let mut out = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
        out.write_all(text).expect("in memory");
        out.finish().expect("in memory")
    }

    const ALL: [(&str, Pack); 6] =
        [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz), ("lz4", lz4), ("lz4", lz4_with_checksum)];

    /// A source that gives one byte at a time, as a slow pipe does.
    struct Slow(Cursor<Vec<u8>>);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = buffer.len().min(1);
            self.0.read(&mut buffer[..n])
        }
    }

    fn read(data: Vec<u8>) -> (Vec<u8>, Option<String>) {
        let mut text = match Text::new(Slow(Cursor::new(data))) {
            Ok(text) => text,
            Err(error) => return (Vec::new(), Some(error.to_string())),
        };
        let mut out = Vec::new();
        let mut piece = [0; 100];
        loop {
            match text.read(&mut piece) {
                Ok(0) => return (out, None),
                Ok(n) => out.extend_from_slice(&piece[..n]),
                Err(error) => {
                    let message = text.explain(&error, out.len() as u64);
                    return (out, Some(message));
                }
            }
        }
    }

    fn lines(count: u32) -> Vec<u8> {
        (0..count).flat_map(|n| format!("{n} {:x}\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
    }

    #[test]
    fn members_follow_each_other() {
        for (name, pack) in ALL {
            let whole = [lines(700), lines(3), lines(0), lines(50)];
            let packed = whole.iter().flat_map(|text| pack(text)).collect();
            assert_eq!(read(packed), (whole.concat(), None), "{name}");
        }
    }

    #[test]
    fn an_early_end_is_told_and_what_came_before_it_kept() {
        for (name, pack) in ALL {
            let text = lines(60_000);
            let packed = pack(&text);
            for cut in [packed.len() / 2, packed.len() - 1] {
                let (got, error) = read(packed[..cut].to_vec());
                assert!(text.starts_with(&got), "{name} cut at {cut}");
                let error = error.unwrap_or_else(|| panic!("{name} cut at {cut} of {} has no error", packed.len()));
                assert!(error.starts_with(&format!("{name} data ends too early, at byte ")), "{name}: {error}");
            }
        }
    }

    #[test]
    fn lz4_that_ends_between_two_blocks_is_cut_too() {
        // Header of seven bytes, then blocks of a length and that many bytes.
        let packed = lz4(&lines(60_000));
        let length = u32::from_le_bytes([packed[7], packed[8], packed[9], packed[10]]) & 0x7fff_ffff;
        let (got, error) = read(packed[..7 + 4 + length as usize].to_vec());
        assert!(!got.is_empty());
        assert!(error.is_some_and(|error| error.contains("too early")));
    }

    #[test]
    fn what_only_begins_like_an_archive_is_text() {
        for text in ["", "B", "BZ", "BZh9 is a log line\n", "P*M", "\u{1f}", "\u{28}"] {
            assert_eq!(read(text.into()), (text.into(), None), "{text:?}");
        }
    }

    #[test]
    fn zeros_after_gzip_are_padding_and_anything_else_is_not() {
        let text = lines(10);
        assert_eq!(read([gzip(&text), vec![0; 1000]].concat()), (text.clone(), None));
        assert_eq!(read([gzip(&text), vec![0; 3], gzip(&text)].concat()), (text.repeat(2), None));
        let (got, error) = read([gzip(&text), b"junk".to_vec()].concat());
        assert_eq!(got, text);
        assert!(error.is_some_and(|error| error.contains("not gzip")));
    }
}
