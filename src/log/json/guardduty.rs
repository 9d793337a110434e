//! Findings of Amazon `GuardDuty`, alone or in an event of `EventBridge`. Who is remote is no source or destination: that
//! depends on the direction.

use super::family::{Family, Line, TEXT, nothing_more};
use super::walk::Leaf;
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row("guardduty", "JSON of Amazon GuardDuty findings"),
    is: |line| {
        ["", "detail."].iter().any(|outer| {
            let below = |name: &str| line.has_below(&format!("{outer}{name}"));
            (below("service.action")
                || below("Service.Action")
                || below("service.additionalInfo")
                || below("Service.AdditionalInfo"))
                && (below("resource") || below("Resource"))
        })
    },
    fields: &[],
    times: &["updatedAt", "UpdatedAt", "detail.updatedAt", "time", "createdAt", "CreatedAt"],
    special,
    finish: nothing_more,
    table: OnceLock::new(),
};

/// What follows the action: its kinds share their names.
fn special(line: &Line<'_>, leaf: &Leaf) -> Option<(&'static str, u16)> {
    let path = line.bare(leaf).to_ascii_lowercase();
    if path.starts_with("title") || path.starts_with("description") || path.starts_with("detail.description") {
        return Some((TEXT, 0));
    }
    let (_, path, group) = ENDS.iter().find(|(end, ..)| path.ends_with(end))?;
    Some((path, *group))
}

const ENDS: &[(&str, &str, u16)] = &[
    ("remoteipdetails.ipaddressv4", "ipv4-addr:value", 0),
    ("remoteipdetails.ipaddressv6", "ipv6-addr:value", 0),
    ("localipdetails.ipaddressv4", "ipv4-addr:value", 1),
    ("localipdetails.ipaddressv6", "ipv6-addr:value", 1),
    ("dnsrequestaction.domain", "domain-name:value", 0),
    ("domaindetails.domain", "domain-name:value", 1),
    ("networkconnectionaction.protocol", "network-traffic:protocols[*]", 0),
    ("privateipaddress", "ipv4-addr:value", 2),
    ("publicip", "ipv4-addr:value", 3),
    ("publicdnsname", "domain-name:value", 2),
    ("accesskeydetails.username", "user-account:account_login", 0),
    ("accesskeydetails.accesskeyid", "user-account:user_id", 0),
    ("process.executablepath", "process:image_ref.path", 0),
    ("process.executablesha256", "process:image_ref.hashes.SHA-256", 0),
    ("filepath", "file:path", 0),
    ("filesha256", "file:hashes.SHA-256", 0),
];
