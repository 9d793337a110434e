//! The table of formats: one file each (or one for a family), one line here.

mod adguard;
mod clamav;
mod crowdsec;
mod csv;
mod dnscrypt;
mod dnsmasq;
mod ecs;
mod edl;
mod haproxy;
mod hosts;
mod ipset;
mod iptables;
mod jsonl;
mod misp;
mod nftables;
mod nginx;
mod pf;
mod plain;
mod postfix;
mod rpz;
mod rspamd;
mod splunk;
mod squid;
mod stix;
mod suricata;
mod unbound;
mod wazuh;
mod zeek;

use super::Format;
use crate::blocklist::Subdomains;
use crate::observable::Kind;

/// What a file of this folder says about its formats.
pub(super) struct Family {
    /// Name of the file, without `.rs`.
    #[cfg_attr(not(test), expect(dead_code, reason = "the test that compares table and folder reads it"))]
    pub(super) file: &'static str,
    /// Its formats.
    pub(super) formats: &'static [Format],
}

/// Every family, in the order in which formats are shown.
pub(super) static TABLE: &[Family] = &[
    plain::FAMILY,
    hosts::FAMILY,
    rpz::FAMILY,
    unbound::FAMILY,
    dnsmasq::FAMILY,
    adguard::FAMILY,
    dnscrypt::FAMILY,
    nftables::FAMILY,
    ipset::FAMILY,
    iptables::FAMILY,
    pf::FAMILY,
    crowdsec::FAMILY,
    edl::FAMILY,
    suricata::FAMILY,
    zeek::FAMILY,
    haproxy::FAMILY,
    nginx::FAMILY,
    squid::FAMILY,
    postfix::FAMILY,
    rspamd::FAMILY,
    clamav::FAMILY,
    wazuh::FAMILY,
    splunk::FAMILY,
    ecs::FAMILY,
    csv::FAMILY,
    jsonl::FAMILY,
    stix::FAMILY,
    misp::FAMILY,
];

/// Names.
const DOMAIN: &[Kind] = &[Kind::Domain];
/// Addresses of both families.
const IP: &[Kind] = &[Kind::Ipv4, Kind::Ipv6];
/// Names and addresses.
const DOMAIN_IP: &[Kind] = &[Kind::Domain, Kind::Ipv4, Kind::Ipv6];
/// Names, addresses, URLs.
const DOMAIN_IP_URL: &[Kind] = &[Kind::Domain, Kind::Ipv4, Kind::Ipv6, Kind::Url];
/// The digests that feeds list most.
const HASH: &[Kind] = &[Kind::Md5, Kind::Sha1, Kind::Sha256];
/// Everything that a blocklist is made of.
const ALL: &[Kind] =
    &[Kind::Domain, Kind::Ipv4, Kind::Ipv6, Kind::Url, Kind::Email, Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Sha512];

/// What most formats have in common: they take every value of their kinds, in one file, and compare whole names.
const BASE: Format = Format {
    name: "",
    about: "",
    kinds: ALL,
    one_kind: false,
    subdomains: Subdomains::Never,
    exceptions: false,
    merge: true,
    max_entries: None,
    actions: &[],
    comment: Some("#"),
    refuses: |_, _| None,
    body: |_, _, _| Ok(()),
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_file_is_missing_from_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/render/format");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the sources are there")
            .map(|entry| entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned())
            .filter(|name| name != "mod")
            .collect();
        let table: BTreeSet<String> = TABLE.iter().map(|family| family.file.to_owned()).collect();
        assert_eq!(files, table);
    }

    #[test]
    fn each_format_has_a_name_of_its_own_and_says_what_it_is_for() {
        let mut names = BTreeSet::new();
        for format in TABLE.iter().flat_map(|family| family.formats) {
            assert!(names.insert(format.name), "{} twice", format.name);
            assert!(!format.about.is_empty() && !format.kinds.is_empty(), "{}", format.name);
        }
    }
}
