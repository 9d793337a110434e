//! What the finder is asked for, and what it gives: places in a block where an observable may stand.

/// Which kinds to look for; what no indicator needs can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "a set of switches")]
pub struct Wanted {
    /// IPv4 addresses; hosts of URLs too.
    pub ipv4: bool,
    /// IPv6 addresses (mapped ones are IPv4).
    pub ipv6: bool,
    /// Domains; hosts of URLs too.
    pub names: bool,
    /// Hashes.
    pub hashes: bool,
    /// Mail addresses.
    pub mails: bool,
    /// URLs with scheme.
    pub urls: bool,
    /// MAC addresses.
    pub macs: bool,
    /// Mark lines with defanged text as odd.
    pub refang: bool,
}

impl Wanted {
    /// Every kind, no refanging.
    pub const ALL: Self =
        Self { ipv4: true, ipv6: true, names: true, hashes: true, mails: true, urls: true, macs: true, refang: false };
    /// Nothing.
    pub const NONE: Self = Self {
        ipv4: false,
        ipv6: false,
        names: false,
        hashes: false,
        mails: false,
        urls: false,
        macs: false,
        refang: false,
    };
}

/// A run that is an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4At {
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// The address, first octet highest.
    pub address: u32,
}

/// A run that is an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv6At {
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
    /// The address, first group highest.
    pub address: u128,
}

/// A piece of text: a name as it is written (upper or lower case), or the digits of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextAt {
    /// First byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// An `@` between what may be a local part and what may be a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailAt {
    /// The `@`.
    pub at: u32,
    /// The byte after the domain.
    pub end: u32,
}

/// A `://`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlAt {
    /// The colon.
    pub colon: u32,
    /// First byte of the host, or of its bracket.
    pub host: u32,
    /// The byte after the host.
    pub host_end: u32,
}

/// What a block may hold; reuse it, its lists keep their room. All offsets count from the beginning of the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Addresses, mapped ones and versions included.
    pub ipv4: Vec<Ipv4At>,
    /// Addresses that are not mapped.
    pub ipv6: Vec<Ipv6At>,
    /// Dotted names.
    pub names: Vec<TextAt>,
    /// Hex digits of the length of a hash.
    pub hashes: Vec<TextAt>,
    /// Mail addresses.
    pub mails: Vec<MailAt>,
    /// URLs with scheme.
    pub urls: Vec<UrlAt>,
    /// MAC addresses, as they are written.
    pub macs: Vec<TextAt>,
    /// Positions in lines that only [`super::super::tokens`] can judge: escapes that may hide something, international names.
    pub odd: Vec<u32>,
}

impl Candidates {
    /// Empties every list.
    pub fn clear(&mut self) {
        self.ipv4.clear();
        self.ipv6.clear();
        self.names.clear();
        self.hashes.clear();
        self.mails.clear();
        self.urls.clear();
        self.macs.clear();
        self.odd.clear();
    }
}
