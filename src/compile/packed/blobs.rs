//! A column of texts, end to end: their lengths, and where every sixteenth begins.

use super::{Damaged, Ints, Section, Sections, Tag};
use bytes::Bytes;

/// Every so many texts their place is kept; the others follow from lengths.
const STRIDE: usize = 16;

/// The parts of such a column, from the tag's own on.
const LENGTHS: u8 = 0;
const PLACES: u8 = 1;
const BYTES: u8 = 2;

/// Texts by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blobs {
    lengths: Ints,
    places: Ints,
    bytes: Bytes,
}

/// Collects texts into a column.
#[derive(Debug, Default)]
pub(crate) struct BlobsWriter {
    lengths: Vec<u32>,
    places: Vec<u64>,
    bytes: Vec<u8>,
}

impl BlobsWriter {
    pub(crate) fn with_capacity(texts: usize, bytes: usize) -> Self {
        Self {
            lengths: Vec::with_capacity(texts),
            places: Vec::with_capacity(texts / STRIDE + 1),
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// Appends a text; beyond four gigabytes it is cut.
    pub(crate) fn push(&mut self, text: &[u8]) {
        if self.lengths.len().is_multiple_of(STRIDE) {
            self.places.push(self.bytes.len() as u64);
        }
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.lengths.push(length);
        self.bytes.extend_from_slice(&text[..length as usize]);
    }

    /// Writes the three parts of the column.
    pub(crate) fn write(self, tag: Tag, sections: &mut Sections) {
        let part = |part| Tag::new(tag.group, tag.part + part);
        let count = self.lengths.len() as u32;
        sections.push(Ints::pack(part(LENGTHS), 1, 0, self.lengths.iter().map(|length| u64::from(*length))));
        sections.push(Ints::pack(part(PLACES), 1, 0, self.places.iter().copied()));
        sections.push_bytes(part(BYTES), count, self.bytes);
    }
}

impl Blobs {
    /// Takes a column of as many texts as there are.
    pub(crate) fn open(tag: Tag, sections: &Sections) -> Result<Self, Damaged> {
        let part = |part| Tag::new(tag.group, tag.part + part);
        let lengths = Ints::open_any(sections, part(LENGTHS))?;
        let places = Ints::open(sections.need(part(PLACES))?, lengths.len().div_ceil(STRIDE))?;
        let Section { bytes, .. } = sections.need(part(BYTES))?;
        // One text may be empty, as no other is the same. More of them than bytes are none that anybody wrote.
        if lengths.len() > bytes.len() + 1 {
            return Err(Damaged("a column has more texts than bytes"));
        }
        Ok(Self { lengths, places, bytes: bytes.clone() })
    }

    pub(crate) fn len(&self) -> usize {
        self.lengths.len()
    }

    /// The text with a number; empty if there is none.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> &[u8] {
        let first = number / STRIDE * STRIDE;
        let before = (first..number).fold(0_u64, |sum, at| sum.saturating_add(self.lengths.get(at)));
        self.at(self.places.get(number / STRIDE).saturating_add(before), number).0
    }

    /// All texts in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut place = 0;
        (0..self.len()).map(move |number| {
            if number.is_multiple_of(STRIDE) {
                place = self.places.get(number / STRIDE);
            }
            let (text, end) = self.at(place, number);
            place = end;
            text
        })
    }

    fn at(&self, place: u64, number: usize) -> (&[u8], u64) {
        let end = place.saturating_add(self.lengths.get(number));
        let range = usize::try_from(place).ok().zip(usize::try_from(end).ok());
        let text = range.filter(|_| number < self.len()).and_then(|(place, end)| self.bytes.get(place..end));
        (text.unwrap_or_default(), end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_by_number_and_in_order() {
        let texts: Vec<Vec<u8>> = (0..100_usize).map(|n| vec![b'a' + (n % 26) as u8; n % 7 * n + 1]).collect();
        let mut writer = BlobsWriter::default();
        for text in &texts {
            writer.push(text);
        }
        let mut sections = Sections::default();
        writer.write(Tag::new(1, 0), &mut sections);
        let blobs = Blobs::open(Tag::new(1, 0), &sections).expect("its own column");
        assert!(blobs.iter().eq(texts.iter().map(Vec::as_slice)));
        assert!((0..100).all(|number| blobs.get(number) == texts[number]));
        assert!(blobs.get(100).is_empty());
    }
}
