//! `stockade store export`: everything that is kept, as STIX.

use super::Selection;
use crate::cli::error::{Error, Outcome};
use crate::cli::{Globals, block, terminal};
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use stockade::store::{Reader, StoreError};
use uuid::{Variant, Version};

/// Write all objects that are kept, as the sources sent them
///
/// The order depends on nothing but their ids: the same objects give the same file.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// The sources; all that were fetched, if none is named
    sources: Vec<String>,
    /// One STIX bundle, or one object a line
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t = Format::Stix)]
    format: Format,
    /// The file to write, instead of standard output; it is replaced as a whole or not at all
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Stix,
    Jsonl,
}

pub(super) fn run(args: &Args, selection: &Selection<'_>, globals: &Globals) -> Result<Outcome, Error> {
    let mut readers = Vec::new();
    for name in selection.kept(&args.sources)? {
        readers.extend(Reader::open(selection.dir, &name).map_err(Error::new)?);
    }
    if readers.is_empty() {
        return Err(Error::new("nothing has been fetched"));
    }
    let objects: u64 = readers.iter().map(|reader| reader.state().counts.objects).sum();
    let export = Export { format: args.format, readers: RefCell::new(readers), failure: RefCell::new(None) };
    let path = args.output.as_deref().filter(|path| path.as_os_str() != "-");
    let result = if let Some(path) = path {
        block::replace_file(path, &|to| export.write(to))
    } else {
        let mut out = Lines(Vec::new());
        export.write(&mut out).and_then(|()| out.flush()).map_err(|error| Error::output(&error))
    };
    if let Some(failure) = export.failure.into_inner() {
        return Err(Error::new(failure));
    }
    result?;
    if let Some(path) = path {
        globals.warn(format_args!("{}: {objects} objects", path.display()));
    }
    Ok(Outcome::Yes)
}

struct Export {
    format: Format,
    /// Used up by writing.
    readers: RefCell<Vec<Reader>>,
    /// A store failed, not the output.
    failure: RefCell<Option<StoreError>>,
}

impl Export {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let readers = self.readers.take();
        let failed = |error: StoreError| {
            *self.failure.borrow_mut() = Some(error);
            io::Error::other("the store cannot be read")
        };
        let (start, separator, end): (String, &[u8], &[u8]) = match self.format {
            Format::Stix => (bundle_start(&readers).map_err(failed)?, b",\n", b"\n]}\n"),
            Format::Jsonl => (String::new(), b"\n", b"\n"),
        };
        out.write_all(start.as_bytes())?;
        let mut any = false;
        for reader in readers {
            let mut objects = reader.objects();
            while let Some(object) = objects.next().map_err(failed)? {
                if any {
                    out.write_all(separator)?;
                }
                any = true;
                // What a source sent may not even be text; JSON has to be.
                match String::from_utf8_lossy(object) {
                    Cow::Borrowed(text) => out.write_all(text.as_bytes())?,
                    Cow::Owned(text) => out.write_all(text.as_bytes())?,
                }
            }
        }
        if any || self.format == Format::Stix { out.write_all(end) } else { Ok(()) }
    }
}

/// Passes whole lines on to standard output, many at a time.
struct Lines(Vec<u8>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        if self.0.len() >= 1 << 16
            && let Some(end) = memchr::memrchr(b'\n', &self.0)
        {
            terminal::print(&self.0[..=end])?;
            self.0.drain(..=end);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        terminal::print(&std::mem::take(&mut self.0))
    }
}

/// The beginning of a bundle. Its id is a function of what it holds.
fn bundle_start(readers: &[Reader]) -> Result<String, StoreError> {
    let mut sum = [0_u8; 16];
    for reader in readers {
        for (all, byte) in sum.iter_mut().zip(reader.fingerprint()?) {
            *all = all.wrapping_mul(31).wrapping_add(byte);
        }
    }
    // By a rule of our own, which is what version 8 says (RFC 9562).
    let id = uuid::Builder::from_bytes(sum).with_variant(Variant::RFC4122).with_version(Version::Custom).into_uuid();
    Ok(format!("{{\"type\":\"bundle\",\"id\":\"bundle--{id}\",\"objects\":[\n"))
}
