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
#[repr(u8)]
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

/// Number of an atom.
pub type AtomId = u32;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its number among the texts.
    pub number: AtomId,
    /// Kind of the value.
    pub kind: Kind,
    /// What else it says.
    pub meta: Meta,
    /// The row of its indicator.
    pub entry: u32,
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
