//! A zip archive of one file (APPNOTE.TXT 4.3), as feeds are published in, read from its beginning to its end.
//!
//! An archive of several files is refused: which of them is meant would be a guess.

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufRead, Read, Take};

const FILE: [u8; 4] = *b"PK\x03\x04";
const DIRECTORY: [u8; 4] = *b"PK\x01\x02";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// See the module.
pub(super) struct Zip<R> {
    data: Data<R>,
    crc: Crc,
    /// What the header says; if it says nothing, a descriptor behind the data does.
    expected: Option<u32>,
}

enum Data<R> {
    Deflate(DeflateDecoder<R>),
    Stored(Take<R>),
    End,
}

impl<R: BufRead> Zip<R> {
    /// Reads up to the data of the first file.
    ///
    /// # Errors
    /// The reader's; or the archive is empty, encrypted, or compressed in another way.
    pub(super) fn new(mut source: R) -> io::Result<Self> {
        loop {
            let mut head = [0; 30];
            source.read_exact(&mut head)?;
            if head[..4] != FILE {
                return Err(invalid("no file in the zip archive"));
            }
            let two = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
            let four = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let (flags, method, size) = (two(6), two(8), four(18));
            let mut name = vec![0; usize::from(two(26))];
            source.read_exact(&mut name)?;
            skip(&mut source, u64::from(two(28)))?;
            if flags & 1 != 0 {
                return Err(invalid("the zip archive is encrypted"));
            }
            if name.ends_with(b"/") && size == 0 {
                continue;
            }
            let described = flags & 8 != 0;
            let data = match method {
                8 => Data::Deflate(DeflateDecoder::new(source)),
                0 if !described && size != u32::MAX => Data::Stored(source.take(u64::from(size))),
                _ => return Err(invalid("a way of zip to compress that is not known here")),
            };
            return Ok(Self { data, crc: Crc::new(), expected: (!described).then(|| four(14)) });
        }
    }

    /// Checks the data against its sum, and that nothing follows but the directory.
    fn finish(&mut self, mut source: R) -> io::Result<()> {
        let mut four = || -> io::Result<[u8; 4]> {
            let mut bytes = [0; 4];
            source.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let mut next;
        let expected = if let Some(expected) = self.expected {
            next = four()?;
            expected
        } else {
            let first = four()?;
            let crc = if first == DESCRIPTOR { four()? } else { first };
            // Two sizes of four bytes each, or of eight.
            four()?;
            four()?;
            next = four()?;
            if next != DIRECTORY && next != FILE {
                four()?;
                next = four()?;
            }
            u32::from_le_bytes(crc)
        };
        if self.crc.sum() != expected {
            return Err(invalid("checksum of the zip archive does not match"));
        }
        match next {
            DIRECTORY => Ok(()),
            FILE => Err(invalid("a zip archive of several files; unpack it")),
            _ => Err(invalid("no directory behind the file of the zip archive")),
        }
    }
}

impl<R: BufRead> Read for Zip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.data {
            Data::Deflate(data) => data.read(buffer)?,
            Data::Stored(data) => data.read(buffer)?,
            Data::End => return Ok(0),
        };
        if count > 0 || buffer.is_empty() {
            self.crc.update(buffer.get(..count).unwrap_or_default());
            return Ok(count);
        }
        match std::mem::replace(&mut self.data, Data::End) {
            Data::Deflate(data) => self.finish(data.into_inner())?,
            Data::Stored(data) if data.limit() > 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Data::Stored(data) => self.finish(data.into_inner())?,
            Data::End => {}
        }
        Ok(0)
    }
}

fn skip(source: &mut impl BufRead, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut source.by_ref().take(count), &mut io::sink())?;
    if skipped == count { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of an archive, stored or deflated, with their sizes in front or behind.
    fn archive(files: &[(&str, &[u8])], deflate: bool, described: bool) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, text) in files {
            let mut data = text.to_vec();
            if deflate {
                data = Vec::new();
                flate2::bufread::DeflateEncoder::new(*text, flate2::Compression::fast())
                    .read_to_end(&mut data)
                    .unwrap();
            }
            let mut crc = Crc::new();
            crc.update(text);
            let sums = [crc.sum(), data.len() as u32, text.len() as u32].map(u32::to_le_bytes).concat();
            out.extend_from_slice(&FILE);
            out.extend_from_slice(&[
                20,
                0,
                if described { 8 } else { 0 },
                0,
                if deflate { 8 } else { 0 },
                0,
                0,
                0,
                0,
                0,
            ]);
            out.extend_from_slice(if described { &[0; 12] } else { &sums });
            out.extend_from_slice(&[name.len() as u8, 0, 2, 0]);
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"xx");
            out.extend_from_slice(&data);
            if described {
                out.extend_from_slice(&DESCRIPTOR);
                out.extend_from_slice(&sums);
            }
        }
        out.extend_from_slice(&DIRECTORY);
        out.extend_from_slice(&[0; 60]);
        out
    }

    fn read(archive: &[u8]) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let result = Zip::new(archive).and_then(|mut zip| zip.read_to_end(&mut text));
        result.map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn one_file_is_read_and_checked() {
        let text = b"evil.example\n".repeat(1000);
        for (deflate, described) in [(true, false), (true, true), (false, false)] {
            let mut whole = archive(&[("full.csv", &text)], deflate, described);
            assert_eq!(read(&whole).as_deref(), Ok(&text[..]));
            assert_eq!(read(&archive(&[("d/", b""), ("d/f", &text)], false, false)).as_deref(), Ok(&text[..]));
            for cut in [3, 35, whole.len() - 70] {
                assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
            }
            let sum = if described { whole.len() - 64 - 12 } else { 14 };
            whole[sum] ^= 1;
            assert_eq!(read(&whole), Err("checksum of the zip archive does not match".to_owned()));
        }
        let two = archive(&[("a", &text), ("b", &text)], true, false);
        assert_eq!(read(&two), Err("a zip archive of several files; unpack it".to_owned()));
        assert!(read(&archive(&[], true, false)).is_err());
    }
}
