//! The body of an answer as a stream: decompressed, and never more than it may be.

use super::error::{Error, Fault};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use std::io::{self, Read};
use url::Url;

/// The body of an answer. Its errors hold an [`Error`], which [`Error::of_body`] finds.
pub struct Body {
    reader: Box<dyn Read + Send>,
    left: u64,
    limit: u64,
    source: String,
    url: Url,
    failed: bool,
}

impl Body {
    /// A body that was sent in an encoding of HTTP, with at most `limit` bytes, encoded or not.
    pub(super) fn new(
        raw: Box<dyn Read + Send>,
        encoding: Option<&str>,
        limit: u64,
        source: &str,
        url: &Url,
    ) -> Result<Self, Error> {
        let raw = Box::new(Counted { raw, left: limit, limit });
        let reader: Box<dyn Read + Send> = match encoding.unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "identity" => raw,
            "gzip" | "x-gzip" => Box::new(MultiGzDecoder::new(raw)),
            "deflate" => Box::new(ZlibDecoder::new(raw)),
            other => {
                let what = format!("the answer is encoded as {:?}, which was not asked for", super::tidy(other));
                return Err(Error::new(source, Some(url), Fault::Answer(what)));
            }
        };
        Ok(Self { reader, left: limit, limit, source: source.to_owned(), url: url.clone(), failed: false })
    }

    fn error(&mut self, fault: Fault) -> io::Error {
        self.failed = true;
        Error::new(&self.source, Some(&self.url), fault).into()
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(self.error(Fault::Broken("it was read on after it had failed".into())));
        }
        // One byte more than is left shows whether there is more.
        let room = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX).min(buffer.len());
        match self.reader.read(&mut buffer[..room]) {
            Ok(count) if count as u64 > self.left => Err(self.error(Fault::TooLarge(self.limit))),
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let fault = match error.get_ref().and_then(|inner| inner.downcast_ref::<Carried>()) {
                    Some(Carried(fault)) => fault.clone(),
                    None => Fault::Broken(super::tidy(&error.to_string())),
                };
                Err(self.error(fault))
            }
        }
    }
}

/// A fault on its way through readers that know only [`io::Error`].
#[derive(Debug)]
pub(super) struct Carried(pub(super) Fault);

impl std::fmt::Display for Carried {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Carried {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        io::Error::other(Carried(fault))
    }
}

/// The bytes as they were sent: compression can also make many of few.
struct Counted {
    raw: Box<dyn Read + Send>,
    left: u64,
    limit: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.raw.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(Fault::TooLarge(self.limit))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{GzEncoder, ZlibEncoder};

    fn body(bytes: Vec<u8>, encoding: Option<&str>, limit: u64) -> Body {
        let url = Url::parse("https://feed.example/a?key=s3cret").unwrap();
        Body::new(Box::new(io::Cursor::new(bytes)), encoding, limit, "feed", &url).unwrap()
    }

    fn read(mut body: Body) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        body.read_to_end(&mut out).map(|_| out).map_err(|error| Error::of_body(&error).unwrap().to_string())
    }

    #[test]
    fn bodies_are_decompressed() {
        let text = b"some text ".repeat(100);
        let (mut gzip, mut zlib) = (Vec::new(), Vec::new());
        GzEncoder::new(&text[..], Compression::fast()).read_to_end(&mut gzip).unwrap();
        ZlibEncoder::new(&text[..], Compression::fast()).read_to_end(&mut zlib).unwrap();
        for (bytes, encoding) in [
            (text.clone(), None),
            (gzip.clone(), Some("gzip")),
            (zlib, Some("deflate")),
            (text.clone(), Some("Identity")),
        ] {
            assert_eq!(read(body(bytes, encoding, 1000)).unwrap(), text);
        }
        let cut = gzip[..gzip.len() - 9].to_vec();
        assert!(read(body(cut, Some("gzip"), 1000)).unwrap_err().contains("broke off"));
        assert!(read(body(text, Some("gzip"), 10_000)).unwrap_err().contains("broke off"));
    }

    #[test]
    fn a_body_ends_at_its_limit_however_small_it_was_sent() {
        let mut bomb = Vec::new();
        GzEncoder::new(io::repeat(0).take(10_000_000), Compression::best()).read_to_end(&mut bomb).unwrap();
        let error = read(body(bomb, Some("gzip"), 1_000_000)).unwrap_err();
        assert_eq!(error, "feed: https://feed.example/a: the answer is larger than 1000000 bytes (max_body)");
        assert_eq!(read(body(vec![1; 100], None, 100)).unwrap().len(), 100);
        assert!(read(body(vec![1; 101], None, 100)).is_err());
        // Gzip members without content are no way around it.
        let mut empty = Vec::new();
        GzEncoder::new(&b""[..], Compression::fast()).read_to_end(&mut empty).unwrap();
        assert!(read(body(empty.repeat(1000), Some("gzip"), 1000)).unwrap_err().contains("larger"));
    }
}
