//! Where indicators come from: files of many formats, told apart by their content, read piece by piece in flat memory.
//!
//! - JSON, if it begins with `{` or `[`: STIX 2.0 and 2.1 bundles, TAXII envelopes, arrays of objects, objects one
//!   after the other (one a line, or printed over several), in any mixture.
//! - CSV, if most lines have the same number of fields and some column holds values: see [`csv`].
//! - Plain lists and hosts files, if lines hold values: see [`list`].
//!
//! What cannot be used is an [`Item::Rejected`] with its place and reason, and reading goes on. An error ends the
//! reading of one file: it cannot be opened or read, or it is nothing of the above.

pub mod csv;
mod documents;
pub mod feed;
mod files;
mod format;
#[cfg(feature = "fetch")]
pub mod http;
mod indicators;
pub mod list;
#[cfg(feature = "fetch")]
pub mod taxii;
mod window;

pub use documents::Broken;
pub use files::files;
pub use window::Place;

use crate::observable::Value;
use crate::stix::Indicator;
use crate::stix::json::{self, Extent, Fault, Raw};
use documents::Sink;
use format::{Format, Unknown};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use window::Window;

/// Something that a source holds.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// An indicator, valid as an object; its pattern has not been looked at.
    Indicator {
        /// The indicator.
        indicator: Indicator<'a>,
        /// Properties that were left out, since they make no sense.
        ignored: &'a [&'static str],
    },
    /// A bare value of a list.
    Value(Value),
    /// Something that cannot be used.
    Rejected(Rejected<'a>),
}

/// Something that cannot be used, with what identifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected<'a> {
    /// The STIX id, if there is one.
    pub id: Option<Cow<'a, str>>,
    /// The name of the object, if there is one.
    pub name: Option<Cow<'a, str>>,
    /// The pattern, if there is one.
    pub pattern: Option<Cow<'a, str>>,
    /// A few words, the same for everything that is rejected for it.
    pub reason: &'static str,
    /// What exactly is wrong; of a list's entry, the entry.
    pub detail: String,
}

impl Rejected<'_> {
    fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { id: None, name: None, pattern: None, reason, detail: detail.into() }
    }
}

/// What was found in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Indicators.
    pub indicators: u64,
    /// Values of lists.
    pub values: u64,
    /// STIX objects of other types, which were passed over.
    pub other_objects: u64,
    /// What could not be used.
    pub rejected: u64,
    /// A document ended inside an object or list: there was more once.
    pub cut: bool,
}

/// Why the reading of a source ended early.
#[derive(Debug)]
pub struct ReadError(ReadErrorKind);

#[derive(Debug)]
enum ReadErrorKind {
    Io(io::Error),
    Unknown(Unknown),
    /// It looked like JSON, and then there was none.
    Json(Place, Broken),
    /// It is JSON, and nothing in it is of any format that is known.
    NoFeed(Place),
    /// It was to be a table, and is JSON.
    NoTable,
    /// It is a table without a column that was asked for.
    Columns(feed::NoColumn),
}

impl ReadError {
    /// The error of the reader, if it was one. What came before it was visited.
    pub fn io(&self) -> Option<&io::Error> {
        if let ReadErrorKind::Io(error) = &self.0 { Some(error) } else { None }
    }
}

impl ReadError {
    /// The error of the reader; if it was none, this error again.
    ///
    /// # Errors
    /// The stream itself is nothing that can be read.
    pub fn into_io(self) -> Result<io::Error, Self> {
        if let ReadErrorKind::Io(error) = self.0 { Ok(error) } else { Err(self) }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ReadErrorKind::Io(error) => error.fmt(out),
            ReadErrorKind::Unknown(unknown) => unknown.fmt(out),
            ReadErrorKind::NoFeed(Place { line, column }) => {
                write!(
                    out,
                    "JSON that is neither STIX, nor an event of MISP, nor a pulse of OTX, at line {line}, column {column}"
                )
            }
            ReadErrorKind::NoTable => out.write_str("JSON, not CSV"),
            ReadErrorKind::Columns(missing) => missing.fmt(out),
            ReadErrorKind::Json(Place { line, column }, broken) => {
                let prefix = if matches!(broken, Broken::Json(_)) { "neither JSON nor a list: " } else { "" };
                let (reason, detail) = (broken.reason(), broken.detail());
                write!(out, "{prefix}{reason} at line {line}, column {column}: {detail}")
            }
        }
    }
}

impl std::error::Error for ReadError {}

/// Visits the items of one stream, whatever its format; compression is the reader's concern.
///
/// ```
/// use stockade::source::{self, Item};
///
/// let mut values = Vec::new();
/// let list = b"# a list\n192.0.2.1\nhxxp://evil[.]example/a  # defanged\n0.0.0.0 www.evil.example\n";
/// source::read(&mut &list[..], &mut |_place, item| {
///     if let Item::Value(value) = item {
///         values.push(value.to_string());
///     }
/// })?;
/// assert_eq!(values, ["192.0.2.1", "http://evil.example/a", "www.evil.example"]);
/// # Ok::<(), source::ReadError>(())
/// ```
///
/// # Errors
/// The reader failed, after everything that came before it was visited; or the stream is neither JSON nor a list.
pub fn read(reader: &mut dyn Read, visit: &mut dyn FnMut(Place, Item<'_>)) -> Result<Summary, ReadError> {
    let mut window = Window::new(reader);
    window.more();
    read_window(&mut window, visit)
}

fn read_window(window: &mut Window<'_>, visit: &mut dyn FnMut(Place, Item<'_>)) -> Result<Summary, ReadError> {
    skip_byte_order_mark(window);
    let format = format::detect(window.rest(), window.is_finished() && !window.has_failed());
    let summary = match format {
        Ok(Format::List) => list::read(window, visit),
        Ok(Format::Csv(plan)) => csv::read(window, &plan, visit),
        Ok(Format::Json) => {
            let mut sink = indicators::Indicators::new(visit);
            documents::walk(window, &mut sink);
            sink.finish().map_err(|(place, broken)| ReadError(ReadErrorKind::Json(place, broken)))?
        }
        Err(unknown) if !window.has_failed() => return Err(ReadError(ReadErrorKind::Unknown(unknown))),
        Err(_) => Summary::default(),
    };
    window.take_failure().map_or(Ok(summary), |error| Err(ReadError(ReadErrorKind::Io(error))))
}

/// Takes the JSON of an object, or what is wrong with it.
pub type VisitObject<'v> = dyn FnMut(Place, Result<&[u8], Broken>) + 'v;

/// Visits every JSON object of bundles, envelopes, arrays, or objects one after the other, whatever its type, as it
/// is written; also strings that stand in place of an object. What is broken is visited as such, and reading goes on
/// with the next object.
///
/// ```
/// use stockade::source;
///
/// let text = br#"{"type": "bundle", "objects": [{"type": "tool", "id": "tool--1"}, {"type": "tool" "id": 2}]}"#;
/// let mut seen = Vec::new();
/// source::objects(&mut &text[..], &mut |place, object| seen.push((place.column, object.map(<[u8]>::len).is_ok())))?;
/// assert_eq!(seen, [(32, true), (83, false)]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// The reader's, after everything that came before it was visited.
pub fn objects(reader: &mut dyn Read, visit: &mut VisitObject<'_>) -> io::Result<()> {
    struct Objects<'v>(&'v mut VisitObject<'v>);
    impl Sink for Objects<'_> {
        fn object(&mut self, bytes: &[u8], place: Place) -> Result<Extent, Fault> {
            let extent = json::object(bytes, |_, _| {})?;
            if let Extent::Object(length) = extent {
                (self.0)(place, Ok(&bytes[..length]));
            }
            Ok(extent)
        }
        fn string(&mut self, raw: Raw<'_>, place: Place) {
            (self.0)(place, Ok(raw.0));
        }
        fn broken(&mut self, _: &[u8], place: Place, broken: Broken) {
            (self.0)(place, Err(broken));
        }
    }
    let mut window = Window::new(reader);
    window.more();
    skip_byte_order_mark(&mut window);
    documents::walk(&mut window, &mut Objects(visit));
    window.take_failure().map_or(Ok(()), Err)
}

fn skip_byte_order_mark(window: &mut Window<'_>) {
    if window.rest().starts_with(b"\xEF\xBB\xBF") {
        window.advance(3);
    }
}
