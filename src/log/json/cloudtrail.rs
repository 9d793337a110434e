//! AWS `CloudTrail`: events one a line, or the documents `{"Records":[...]}` that are delivered.

use super::family::{Family, TEXT, USER_AGENT, nothing_more, nothing_special};
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row("cloudtrail", "JSON of AWS CloudTrail, events or documents of records"),
    is: |line| line.has("eventSource") && line.has("eventName") && (line.has("eventVersion") || line.has("awsRegion")),
    fields: &[
        // The name of a service of AWS where it was one that called.
        ("sourceIPAddress", "network-traffic:src_ref.value", 0),
        ("userAgent", USER_AGENT, 0),
        ("userIdentity.userName", "user-account:account_login", 0),
        ("userIdentity.arn", "user-account:user_id", 0),
        ("userIdentity.accessKeyId", "user-account:user_id", 1),
        ("userIdentity.principalId", "user-account:user_id", 2),
        ("userIdentity.sessionContext.sessionIssuer.userName", "user-account:account_login", 3),
        ("userIdentity.sessionContext.sessionIssuer.arn", "user-account:user_id", 3),
        ("tlsDetails.clientProvidedHostHeader", "network-traffic:dst_ref.value", 0),
        ("requestParameters.userName", "user-account:account_login", 4),
        ("errorMessage", TEXT, 0),
    ],
    times: &["eventTime"],
    special: nothing_special,
    finish: nothing_more,
    table: OnceLock::new(),
};
