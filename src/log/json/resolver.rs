//! Query logs of the Route 53 resolver.

use super::family::{Family, nothing_more, nothing_special};
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row("route53", "JSON of the Amazon Route 53 resolver"),
    is: |line| line.has("query_name") && (line.has("srcaddr") || line.has("query_type")),
    fields: &[
        ("query_name", "domain-name:value", 0),
        ("answers[].Rdata", "domain-name:resolves_to_refs[*].value", 0),
        ("srcaddr", "network-traffic:src_ref.value", 0),
        ("srcport", "network-traffic:src_port", 0),
        ("transport", "network-traffic:protocols[*]", 0),
    ],
    times: &["query_timestamp"],
    special: nothing_special,
    finish: nothing_more,
    table: OnceLock::new(),
};
