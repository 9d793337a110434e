//! Addresses that mean something special: no host on the Internet that a feed could rightly list has one of them.
//!
//! All of the IANA registries of special-purpose addresses (RFC 6890 and its successors, 2025), multicast, and of IPv6
//! whatever is not global unicast (RFC 4291 section 2.4).

/// First address, length of the prefix.
pub(super) const IPV4: &[(u32, u8)] = &[
    v4([0, 0, 0, 0], 8),       // this network
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // carrier-grade NAT
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 31, 196, 0], 24), // AS112
    v4([192, 52, 193, 0], 24), // AMT
    v4([192, 88, 99, 0], 24),  // 6to4 relays
    v4([192, 168, 0, 0], 16),  // private
    v4([192, 175, 48, 0], 24), // AS112
    v4([198, 18, 0, 0], 15),   // benchmarking
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, broadcast
];

/// First address, length of the prefix.
pub(super) const IPV6: &[(u128, u8)] = &[
    (0, 3),                                        // loopback, mapped and translated addresses, discard, reserved
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),         // protocol assignments, Teredo
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),     // documentation
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),         // 6to4
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), // AS112
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),         // documentation
    v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2),          // not assigned, segment routing
    v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1),          // not assigned, unique local, link-local, multicast
];

const fn v4(octets: [u8; 4], len: u8) -> (u32, u8) {
    (u32::from_be_bytes(octets), len)
}

const fn v6(g: [u16; 8], len: u8) -> (u128, u8) {
    (std::net::Ipv6Addr::new(g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]).to_bits(), len)
}
