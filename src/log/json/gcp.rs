//! Google Cloud: audit, VPC flow, DNS, firewall and load balancer logs as Cloud Logging writes them.

use super::family::{Family, TEXT, USER_AGENT, nothing_more, nothing_special};
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row("gcp", "JSON of Google Cloud Logging"),
    is: |line| {
        line.has("logName") && (line.has("insertId") || line.has_below("resource"))
            || line.has("protoPayload.@type")
            || line.has_below("protoPayload.requestMetadata")
    },
    fields: &[
        ("protoPayload.requestMetadata.callerIp", "network-traffic:src_ref.value", 0),
        ("protoPayload.requestMetadata.callerSuppliedUserAgent", USER_AGENT, 0),
        ("protoPayload.authenticationInfo.principalEmail", "email-addr:value", 0),
        ("protoPayload.authenticationInfo.principalSubject", "user-account:user_id", 0),
        ("protoPayload.status.message", TEXT, 0),
        ("jsonPayload.connection.src_ip", "network-traffic:src_ref.value", 0),
        ("jsonPayload.connection.src_port", "network-traffic:src_port", 0),
        ("jsonPayload.connection.dest_ip", "network-traffic:dst_ref.value", 0),
        ("jsonPayload.connection.dest_port", "network-traffic:dst_port", 0),
        ("jsonPayload.sourceIP", "network-traffic:src_ref.value", 0),
        ("jsonPayload.destinationIP", "network-traffic:dst_ref.value", 0),
        ("jsonPayload.remoteIp", "network-traffic:src_ref.value", 0),
        ("jsonPayload.queryName", "domain-name:value", 0),
        ("jsonPayload.message", TEXT, 0),
        ("textPayload", TEXT, 0),
        ("httpRequest.remoteIp", "network-traffic:src_ref.value", 0),
        ("httpRequest.serverIp", "network-traffic:dst_ref.value", 0),
        ("httpRequest.requestUrl", "url:value", 0),
        ("httpRequest.referer", "url:value", 1),
        ("httpRequest.userAgent", USER_AGENT, 0),
        ("httpRequest.requestMethod", "network-traffic:extensions.http-request-ext.request_method", 0),
    ],
    times: &["timestamp", "receiveTimestamp"],
    special: nothing_special,
    finish: nothing_more,
    table: OnceLock::new(),
};
