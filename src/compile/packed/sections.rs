//! Named pieces of bytes, each with the few numbers that tell how to read it.

use bytes::Bytes;

/// What a section holds: a group, such as the digests of one kind, and the part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag {
    pub(crate) group: u8,
    pub(crate) part: u8,
}

impl Tag {
    pub(crate) const fn new(group: u8, part: u8) -> Self {
        Self { group, part }
    }
}

/// A piece of bytes.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) tag: Tag,
    /// Bytes of one item; zero if all are the same and none is stored.
    pub(crate) width: u8,
    /// What the part's owner notes.
    pub(crate) flags: u8,
    /// Number of items.
    pub(crate) count: u32,
    /// The least item.
    pub(crate) base: u64,
    /// What items are multiples of, above the least.
    pub(crate) step: u64,
    pub(crate) bytes: Bytes,
}

/// All sections of a rule set, in order of their tags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sections(Vec<Section>);

/// What is wrong with a set of sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged(pub(crate) &'static str);

impl Sections {
    /// Adds a section. Equal tags are refused when sections are read from a file, and never written.
    pub(crate) fn push(&mut self, section: Section) {
        let at = self.0.partition_point(|other| other.tag < section.tag);
        self.0.insert(at, section);
    }

    /// Adds plain bytes.
    pub(crate) fn push_bytes(&mut self, tag: Tag, count: u32, bytes: Vec<u8>) {
        self.push(Section { tag, width: 1, flags: 0, count, base: 0, step: 1, bytes: bytes.into() });
    }

    pub(crate) fn get(&self, tag: Tag) -> Option<&Section> {
        self.0.binary_search_by_key(&tag, |section| section.tag).ok().and_then(|at| self.0.get(at))
    }

    /// A section that has to be there.
    pub(crate) fn need(&self, tag: Tag) -> Result<&Section, Damaged> {
        self.get(tag).ok_or(Damaged("a section is missing"))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Section> {
        self.0.iter()
    }
}
