//! Feeds as STIX objects: whatever a source publishes, what comes out is objects that a store can keep.
//!
//! - STIX of any shape passes through as it is written.
//! - Values of plain lists, hosts files and CSV become indicators, with ids that are a function of what the feed says.
//! - CSV is read by a mapping of its [`Columns`], which those of URLhaus, Feodo Tracker and ThreatFox bring along.
//! - Events of MISP ([`misp`]) and pulses of OTX become indicators too, wherever they stand.
//!
//! The same feed gives the same bytes each time, so that a store sees what is new and what is not.

mod draft;
pub mod misp;
mod objects;
mod otx;

mod presets;
mod table;
mod types;

pub(crate) use table::NoColumn;
pub use table::{Column, Columns};

use super::format::{self, Format};
use super::window::{Place, Window};
use super::{Item, ReadError, ReadErrorKind, Rejected, csv, list};
use crate::observable::{self, Value};
use draft::Draft;
use std::collections::HashSet;
use std::io::Read;
use types::Pattern;
use uuid::Uuid;

/// How a feed is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The name of the source: what it says of a value is another indicator than what others say of it.
    pub source: &'a str,
    /// What it is.
    pub shape: Shape<'a>,
}

/// What a feed is.
#[derive(Clone, Copy, Debug)]
pub enum Shape<'a> {
    /// Told from how it begins: JSON, a list, or a table.
    Any,
    /// A table; without columns, they are told from its header or its first lines.
    Table(Option<&'a Columns>),
}

/// Something that a feed holds.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// A STIX object, as JSON.
    Object(&'a [u8]),
    /// Something that cannot be used.
    Rejected(Rejected<'a>),
}

/// Takes what a feed holds.
pub type Visit<'v> = dyn FnMut(Place, Found<'_>) + 'v;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// STIX objects, of the feed itself or made of its values.
    pub objects: u64,
    /// What is not meant for detection, or repeats what came before it, and so was passed over.
    pub passed_over: u64,
    /// What could not be used.
    pub rejected: u64,
    /// A document ended inside an object or list: there was more once.
    pub cut: bool,
    /// Where the feed goes on, if it says that this was but a page of it.
    pub next: Option<String>,
}

/// Reads a feed to its end.
///
/// ```
/// use stockade::source::feed::{self, Found, Options, Shape};
/// use stockade::stix::Indicator;
///
/// let list = b"# a list\nhxxp://evil[.]example/a\n";
/// let mut patterns = Vec::new();
/// feed::read(&mut &list[..], &Options { source: "mine", shape: Shape::Any }, &mut |_place, found| {
///     if let Found::Object(json) = found {
///         patterns.push(Indicator::from_json(json).unwrap().pattern.into_owned());
///     }
/// })?;
/// assert_eq!(patterns, ["[url:value = 'http://evil.example/a']"]);
/// # Ok::<(), stockade::source::ReadError>(())
/// ```
///
/// # Errors
/// The reader failed, after everything that came before it was visited; or the stream is nothing that can be read.
pub fn read(reader: &mut dyn Read, options: &Options<'_>, visit: &mut Visit<'_>) -> Result<Summary, ReadError> {
    let mut window = Window::new(reader);
    window.more();
    super::skip_byte_order_mark(&mut window);
    let mut out = Out { visit, buffer: Vec::new(), made: HashSet::new(), summary: Summary::default() };
    let result = read_window(&mut window, options, &mut out);
    let summary = out.summary;
    match (window.take_failure(), result) {
        (Some(error), _) => Err(ReadError(ReadErrorKind::Io(error))),
        (None, Ok(())) => Ok(summary),
        (None, Err(error)) => Err(ReadError(error)),
    }
}

fn read_window(window: &mut Window<'_>, options: &Options<'_>, out: &mut Out<'_>) -> Result<(), ReadErrorKind> {
    let format = format::detect(window.rest(), window.is_finished());
    match (options.shape, format) {
        // What is no text is no table either.
        (_, Err(unknown)) if !unknown.may_be_table() => Err(ReadErrorKind::Unknown(unknown)),
        (Shape::Table(_), Ok(Format::Json)) => Err(ReadErrorKind::NoTable),
        (Shape::Table(Some(columns)), _) => table::read(window, columns, options.source, out),
        (_, Err(unknown)) => Err(ReadErrorKind::Unknown(unknown)),
        (_, Ok(Format::Json)) => objects::read(window, options.source, out),
        (_, Ok(Format::Csv(plan))) => {
            if let Some(columns) = presets::of_header(window) {
                return table::read(window, &columns, options.source, out);
            }
            csv::read(window, &plan, &mut |place, item| out.item(place, item));
            Ok(())
        }
        (_, Ok(Format::List)) => {
            list::read(window, &mut |place, item| out.item(place, item));
            Ok(())
        }
    }
}

/// Where readers of all formats put what they find.
struct Out<'v> {
    visit: &'v mut Visit<'v>,
    buffer: Vec<u8>,
    /// Ids of what was made here, but for bare values, of which nothing differs but the value.
    made: HashSet<Uuid>,
    summary: Summary,
}

impl Out<'_> {
    fn object(&mut self, place: Place, json: &[u8]) {
        self.summary.objects += 1;
        (self.visit)(place, Found::Object(json));
    }

    /// An entry that a feed repeats counts once, as it came first: two that say different things would take turns.
    fn draft(&mut self, place: Place, draft: &Draft<'_>) {
        if self.made.insert(draft.id) {
            self.write(place, draft);
        } else {
            self.summary.passed_over += 1;
        }
    }

    fn write(&mut self, place: Place, draft: &Draft<'_>) {
        self.buffer.clear();
        draft.write(&mut self.buffer);
        self.summary.objects += 1;
        (self.visit)(place, Found::Object(&self.buffer));
    }

    fn rejected(&mut self, place: Place, rejected: Rejected<'_>) {
        self.summary.rejected += 1;
        (self.visit)(place, Found::Rejected(rejected));
    }

    /// A bare value: nothing is known of it but that it is listed.
    fn value(&mut self, place: Place, value: &Value) {
        let id = observable::id_of_text(value.kind().object_type(), &value.to_string());
        self.write(place, &Draft::new(id, Pattern::of_value(value)));
    }

    fn item(&mut self, place: Place, item: Item<'_>) {
        match item {
            Item::Value(value) => self.value(place, &value),
            Item::Rejected(rejected) => self.rejected(place, rejected),
            Item::Indicator { .. } => {}
        }
    }
}
