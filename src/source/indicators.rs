//! From objects to items: indicators are read, marking definitions kept, everything else counted.

use super::documents::{Broken, Sink};
use super::window::Place;
use super::{Item, Rejected, Summary};
use crate::observable;
use crate::stix::json::{Extent, Fault, Raw};
use crate::stix::learned::Learned;
use crate::stix::marking::Markings;
use crate::stix::object::{Members, Object};

/// Bytes of indicators that are held back, at most, because a marking that they carry has not been defined yet. Those
/// beyond it are taken as they are.
const HELD_LIMIT: usize = 64 * 1024 * 1024;

/// The sink that reads indicators.
pub(crate) struct Indicators<'v> {
    visit: &'v mut dyn FnMut(Place, Item<'_>),
    learned: Learned,
    markings: Markings,
    held: Vec<(Place, Box<[u8]>)>,
    held_bytes: usize,
    summary: Summary,
    /// The first fault, if nothing came before it.
    fault: Option<(Place, Broken)>,
    /// That fault, to be visited once it is clear that it is not all there is.
    pending: Option<(Place, Rejected<'static>)>,
    /// Something was found that is no fault.
    found: bool,
}

impl<'v> Indicators<'v> {
    pub(crate) fn new(visit: &'v mut dyn FnMut(Place, Item<'_>)) -> Self {
        Self {
            visit,
            learned: Learned::default(),
            markings: Markings::default(),
            held: Vec::new(),
            held_bytes: 0,
            summary: Summary::default(),
            fault: None,
            pending: None,
            found: false,
        }
    }

    /// Takes the indicators that were held back; what has not been defined by now never will be. The error is the first
    /// fault, if there was nothing but faults.
    pub(crate) fn finish(mut self) -> Result<Summary, (Place, Broken)> {
        for (place, bytes) in std::mem::take(&mut self.held) {
            if let Ok((members, _)) = Members::read(&bytes) {
                self.take(&members, place, false);
            }
        }
        match self.fault {
            Some(fault) if !self.found => Err(fault),
            _ => Ok(self.summary),
        }
    }

    fn visit_pending(&mut self) {
        if let Some((place, rejected)) = self.pending.take() {
            (self.visit)(place, Item::Rejected(rejected));
        }
    }

    /// Whether the object was taken; it is not if it waits for a marking.
    fn take(&mut self, members: &Members<'_>, place: Place, patient: bool) -> bool {
        match members.object(&mut self.markings, patient) {
            Object::Indicator(indicator, ignored) => {
                self.summary.indicators += 1;
                (self.visit)(place, Item::Indicator { indicator, ignored: &ignored });
            }
            Object::AwaitsMarking => return false,
            Object::Marking | Object::Other => self.summary.other_objects += 1,
            Object::Unusable(unusable) => {
                self.summary.rejected += 1;
                let rejected = Rejected {
                    id: unusable.id,
                    name: unusable.name,
                    pattern: unusable.pattern,
                    reason: unusable.reason,
                    detail: unusable.detail.into(),
                };
                (self.visit)(place, Item::Rejected(rejected));
            }
        }
        true
    }
}

impl Sink for Indicators<'_> {
    fn object(&mut self, bytes: &[u8], place: Place) -> Result<Extent, Fault> {
        let (members, extent) = self.learned.read(bytes)?;
        if !self.found && matches!(extent, Extent::Object(_)) {
            self.found = true;
            self.visit_pending();
        }
        if let Extent::Object(length) = extent
            && !self.take(&members, place, self.held_bytes < HELD_LIMIT)
        {
            self.held.push((place, bytes[..length].into()));
            self.held_bytes += length;
        }
        Ok(extent)
    }

    /// A list of values may be an array of strings, too.
    fn string(&mut self, raw: Raw<'_>, place: Place) {
        self.found = true;
        self.visit_pending();
        let text = raw.string().and_then(Result::ok);
        let item = match text.as_deref().map(observable::classify) {
            Some(Ok(value)) => {
                self.summary.values += 1;
                Item::Value(value)
            }
            invalid => {
                self.summary.rejected += 1;
                let reason = invalid.map_or("not UTF-8", |result| result.err().map_or("", observable::Invalid::reason));
                Item::Rejected(Rejected::new(reason, String::from_utf8_lossy(raw.0)))
            }
        };
        (self.visit)(place, item);
    }

    fn broken(&mut self, bytes: &[u8], place: Place, broken: Broken) {
        self.summary.rejected += 1;
        self.summary.cut |= broken == Broken::Cut;
        let members = Members::read_what_is_there(bytes);
        let text =
            |raw: Option<Raw<'_>>| raw.and_then(Raw::string).and_then(Result::ok).map(|text| text.into_owned().into());
        let rejected = Rejected {
            id: text(members.id),
            name: text(members.name),
            pattern: text(members.pattern),
            reason: broken.reason(),
            detail: broken.detail().into(),
        };
        if self.found || self.fault.is_some() {
            self.visit_pending();
            (self.visit)(place, Item::Rejected(rejected));
        } else {
            self.fault = Some((place, broken));
            self.pending = Some((place, rejected));
        }
    }
}
