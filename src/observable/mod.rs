//! Kinds of observables: which object paths name them, their normal form, and how they are recognised in text.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A kind of observable. Each has a file of its own in this folder and a row in the table of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// An IPv4 address or prefix.
    Ipv4,
    /// An IPv6 address or prefix.
    Ipv6,
    /// A domain or host name.
    Domain,
    /// A URL.
    Url,
    /// A mail address.
    Email,
    /// A MAC address.
    Mac,
    /// An MD5 digest.
    Md5,
    /// A SHA-1 digest.
    Sha1,
    /// A SHA-224 digest.
    Sha224,
    /// A SHA-256 digest.
    Sha256,
    /// A SHA-384 digest.
    Sha384,
    /// A SHA-512 digest.
    Sha512,
}

/// How values of a kind are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The whole value, by hash table.
    Exact,
    /// Address prefixes: every prefix that covers an address.
    Prefix,
    /// Names: the name itself, and on request every parent of it.
    Suffix,
    /// URLs in normal form, with and without scheme.
    Url,
}

/// A value in normal form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// An IPv4 prefix, host bits zero; 32 for one address.
    Ipv4(Ipv4Addr, u8),
    /// An IPv6 prefix, host bits zero; 128 for one address. Never an IPv4-mapped address.
    Ipv6(Ipv6Addr, u8),
    /// Any other kind, as its normal text.
    Text(Kind, Box<str>),
}

/// Which end of a connection or message a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Role {
    /// No end in particular.
    #[default]
    Any,
    /// The source, or sender.
    Src,
    /// The destination, or recipient.
    Dst,
}
