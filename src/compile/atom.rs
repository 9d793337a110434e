//! Atoms: the tests that an index can answer, each with the indicator that it speaks for.

use crate::observable::{Kind, Role, Value};

/// A value that an indicator lists, as lowering finds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Atom {
    /// The value, in normal form.
    pub value: Value,
    /// What it says besides the value.
    pub meta: Meta,
}

/// What an atom says besides its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Meta {
    /// The end of a connection or message that the path names.
    pub role: Role,
    /// Seeing the atom alone is a match; otherwise the whole pattern has to be evaluated.
    pub exact: bool,
    /// Whose property it is.
    pub holder: Holder,
}

/// Whose property a listed value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// Of the object that its kind belongs to.
    Own,
    /// The digest is that of a certificate, not of a file.
    Certificate,
    /// The name is a whole URL: a host without scheme and path.
    Url,
}

impl Meta {
    /// A value that alone is a match, with no role.
    pub const PLAIN: Self = Self { role: Role::Any, exact: true, holder: Holder::Own };

    /// The STIX object type of an atom with this kind.
    pub fn object_type(self, kind: Kind) -> &'static str {
        match self.holder {
            Holder::Own => kind.object_type(),
            Holder::Certificate => "x509-certificate",
            Holder::Url => Kind::Url.object_type(),
        }
    }
}

/// Number of an atom in its table.
pub type AtomId = u32;

/// All atoms of a rule set. Addresses and texts are kept apart; texts lie end to end in one buffer.
#[derive(Debug, Default)]
pub struct Atoms {
    ipv4: Vec<Address<u32>>,
    ipv6: Vec<Address<u128>>,
    texts: Vec<Text>,
    bytes: Vec<u8>,
}

/// An address prefix that an indicator lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address<A> {
    /// First address.
    pub start: A,
    /// Length of the prefix in bits.
    pub len: u8,
    /// The row of its indicator.
    pub entry: u32,
    /// What else it says.
    pub meta: Meta,
}

/// Any other value.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    start: u32,
    len: u16,
    /// Kind of the value.
    pub kind: Kind,
    /// What else it says.
    pub meta: Meta,
    /// The row of its indicator.
    pub entry: u32,
}

/// The table has no room: over four gigabytes of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Atoms {
    /// Adds the atom of an indicator.
    pub(crate) fn add(&mut self, entry: u32, atom: &Atom) -> Result<(), Full> {
        let meta = atom.meta;
        match &atom.value {
            Value::Ipv4(address, len) => {
                self.ipv4.push(Address { start: u32::from(*address), len: *len, entry, meta });
            }
            Value::Ipv6(address, len) => {
                self.ipv6.push(Address { start: u128::from(*address), len: *len, entry, meta });
            }
            Value::Text(kind, text) => {
                let start = u32::try_from(self.bytes.len()).map_err(|_| Full)?;
                pack(*kind, text.as_bytes(), &mut self.bytes);
                let len = u16::try_from(self.bytes.len() - start as usize);
                let Ok(len) = len else {
                    self.bytes.truncate(start as usize);
                    return Err(Full);
                };
                self.texts.push(Text { start, len, kind: *kind, meta, entry });
            }
        }
        Ok(())
    }

    /// Listed IPv4 prefixes, in order of arrival.
    pub fn ipv4(&self) -> &[Address<u32>] {
        &self.ipv4
    }

    /// Listed IPv6 prefixes, in order of arrival.
    pub fn ipv6(&self) -> &[Address<u128>] {
        &self.ipv6
    }

    /// All other values, in order of arrival.
    pub fn texts(&self) -> &[Text] {
        &self.texts
    }

    /// The packed bytes of a text, see [`pack`].
    pub fn bytes(&self, text: &Text) -> &[u8] {
        &self.bytes[text.start as usize..text.start as usize + usize::from(text.len)]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ipv4.len() + self.ipv6.len() + self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writes the form in which a text is stored and compared: digests as bytes, everything else as it is.
pub fn pack(kind: Kind, text: &[u8], out: &mut Vec<u8>) {
    if kind.object_type() != "file" {
        out.extend_from_slice(text);
        return;
    }
    let digit = |b: u8| match b {
        b'0'..=b'9' => b - b'0',
        _ => (b | 0x20).wrapping_sub(b'a').wrapping_add(10),
    };
    out.extend(text.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
}
