//! Where indicators come from: files of many formats, told apart by their content, read piece by piece in flat memory.
//!
//! | format | told by |
//! | --- | --- |
//! | STIX 2.0 and 2.1 bundles, TAXII envelopes, arrays of objects, objects one after the other (one a line, or printed over several), any mixture | `{` or `[` at the beginning |
//! | a plain list of addresses, prefixes, domains, URLs, hashes and mail addresses, or a hosts file: see [`list`] | lines that are values |
//! | CSV: see [`csv`] | lines of the same number of fields |
//!
//! What cannot be used is an [`Item::Rejected`] with its place and reason, and reading goes on. An error ends the reading of one file: it cannot be
//! opened or read, or it is nothing of the above.

mod documents;
mod indicators;
mod window;

pub use documents::Broken;
pub use window::Place;

use crate::observable::Value;
use crate::stix::Indicator;
use crate::stix::json::{self, Extent, Fault, Raw};
use documents::Sink;
use std::borrow::Cow;
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

/// Visits the items of one stream.
///
/// # Errors
/// The reader's, after everything that came before it was visited.
pub fn read_from(reader: &mut dyn Read, visit: &mut dyn FnMut(Place, Item<'_>)) -> io::Result<Summary> {
    let mut window = Window::new(reader);
    window.more();
    skip_byte_order_mark(&mut window);
    let mut sink = indicators::Indicators::new(visit);
    documents::walk(&mut window, &mut sink);
    let summary = sink.finish();
    window.take_failure().map_or(Ok(summary), Err)
}

/// Takes the JSON of an object, or what is wrong with it.
pub type VisitObject<'v> = dyn FnMut(Place, Result<&[u8], Broken>) + 'v;

/// Visits every JSON object of bundles, envelopes, arrays, or objects one after the other, whatever its type, as it is written; also strings that stand
/// in place of an object. What is broken is visited as such, and reading goes on with the next object.
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
