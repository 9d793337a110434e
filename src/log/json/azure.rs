//! Azure: activity, sign-in, audit and firewall logs as Azure Monitor exports them, one a line or as documents of records.

use super::family::{FLOW_TUPLE, Family, TEXT, USER_AGENT, nothing_more, nothing_special};
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row("azure", "JSON of Azure Monitor: activity, sign-in, firewall and resource logs"),
    is: |line| {
        let has = |names: &[&str]| names.iter().any(|name| line.has(name));
        has(&["operationName", "OperationName", "operationName.value"])
            && (has(&["resourceId", "ResourceId", "flowLogResourceID", "callerIpAddress", "tenantId", "TenantId"])
                || line.has_below("properties"))
    },
    fields: &[
        ("callerIpAddress", "network-traffic:src_ref.value", 0),
        ("CallerIpAddress", "network-traffic:src_ref.value", 0),
        ("CallerIPAddress", "network-traffic:src_ref.value", 0),
        ("properties.ipAddress", "network-traffic:src_ref.value", 0),
        ("properties.clientIP", "network-traffic:src_ref.value", 0),
        ("properties.clientIp", "network-traffic:src_ref.value", 0),
        ("properties.ClientIp", "network-traffic:src_ref.value", 0),
        ("httpRequest.clientIpAddress", "network-traffic:src_ref.value", 0),
        ("claims.ipaddr", "network-traffic:src_ref.value", 0),
        ("identity.claims.ipaddr", "network-traffic:src_ref.value", 0),
        ("properties.SourceIp", "network-traffic:src_ref.value", 0),
        ("properties.SourcePort", "network-traffic:src_port", 0),
        ("properties.DestinationIp", "network-traffic:dst_ref.value", 0),
        ("properties.DestinationPort", "network-traffic:dst_port", 0),
        ("properties.Protocol", "network-traffic:protocols[*]", 0),
        ("properties.Fqdn", "network-traffic:dst_ref.value", 0),
        ("properties.TargetUrl", "url:value", 0),
        ("properties.requestUri", "url:value", 1),
        ("properties.QueryName", "domain-name:value", 0),
        ("properties.userAgent", USER_AGENT, 0),
        ("properties.userPrincipalName", "user-account:account_login", 0),
        ("properties.userId", "user-account:user_id", 0),
        // Network security groups, and virtual networks.
        ("properties.flows[].flows[].flowTuples", FLOW_TUPLE, 0),
        ("flowRecords.flows[].flowGroups[].flowTuples", FLOW_TUPLE, 0),
        ("caller", "user-account:account_login", 1),
        ("identity", "user-account:display_name", 0),
        ("resultDescription", TEXT, 0),
        ("properties.message", TEXT, 0),
        ("properties.msg", TEXT, 0),
    ],
    times: &["time", "eventTimestamp", "TimeGenerated", "createdDateTime"],
    special: nothing_special,
    finish: nothing_more,
    table: OnceLock::new(),
};
