//! Address prefixes, for `ISSUBSET` and `ISSUPERSET` (STIX 2.1 section 9.6.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address, or all addresses that begin alike. The order of addresses of one family is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    version_6: bool,
    /// Host bits are zero; an IPv4 address stands in the highest 32 bits.
    bits: u128,
    length: u8,
}

impl Prefix {
    /// Reads an address (`192.0.2.1`, `2001:db8::1`) or a prefix (`192.0.2.0/24`); host bits are ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().ok()?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => full,
            Some(digits) if !digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse::<u8>().ok().filter(|length| *length <= full)?
            }
            Some(_) => return None,
        };
        Some(Self::new(address, length))
    }

    /// The prefix of this length, at most 32 or 128, that an address lies in.
    pub fn new(address: IpAddr, length: u8) -> Self {
        let (version_6, bits) = match address {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)) << 96),
            IpAddr::V6(address) => (true, u128::from(address)),
        };
        Self { version_6, bits: bits & mask(length), length }
    }

    /// Whether every address of this one lies in the other.
    pub fn is_inside(self, other: Self) -> bool {
        self.version_6 == other.version_6 && self.length >= other.length && self.bits & mask(other.length) == other.bits
    }

    /// Whether it is one address.
    pub fn is_host(self) -> bool {
        self.length == if self.version_6 { 128 } else { 32 }
    }

    /// The lowest address.
    pub fn address(self) -> IpAddr {
        if self.version_6 {
            IpAddr::V6(Ipv6Addr::from(self.bits))
        } else {
            IpAddr::V4(Ipv4Addr::from((self.bits >> 96) as u32))
        }
    }

    /// How many bits are fixed.
    pub fn length(self) -> u8 {
        self.length
    }
}

fn mask(length: u8) -> u128 {
    if length == 0 { 0 } else { u128::MAX << (128 - u32::from(length.min(128))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_lie_inside_one_another() {
        let cases = [
            ("192.0.2.1", "192.0.2.0/24", true),
            ("192.0.2.0/24", "192.0.2.0/24", true),
            ("192.0.2.0/23", "192.0.2.0/24", false),
            ("192.0.2.77/24", "192.0.2.0/24", true),
            ("192.0.3.1", "192.0.2.0/24", false),
            ("203.0.113.9", "0.0.0.0/0", true),
            ("2001:db8::1", "0.0.0.0/0", false),
            ("2001:DB8:0::1", "2001:db8::/32", true),
            ("::1", "::/0", true),
        ];
        for (inner, outer, expected) in cases {
            let inside = Prefix::parse(inner).zip(Prefix::parse(outer)).map(|(inner, outer)| inner.is_inside(outer));
            assert_eq!(inside, Some(expected), "{inner} in {outer}");
        }
    }

    #[test]
    fn what_is_no_prefix_is_none() {
        for text in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+8", "01.2.3.4", "::/129", "1.2.3.4 ", "a/8"] {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
    }
}
