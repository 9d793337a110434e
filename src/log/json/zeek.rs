//! Zeek, as JSON: the names of the columns of its logs as flat keys with dots.

use super::super::event::Event;
use super::family::{Family, Line, TEXT, USER_AGENT};
use super::walk::Leaf;
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row("zeek-json", "JSON of Zeek and Corelight"),
    is: |line| {
        line.has("id.orig_h")
            || line.has("_path")
            || line.has("ts")
                && (line.has("uid") || line.has("fuid") || line.has("uids[0]") || line.has("certificate.serial"))
    },
    fields: FIELDS,
    times: &["ts", "_write_ts"],
    special,
    finish,
    table: OnceLock::new(),
};

/// `name` and `host` mean this and that in logs that have other keys to tell them by.
fn special(line: &Line<'_>, leaf: &Leaf) -> Option<(&'static str, u16)> {
    match line.bare(leaf) {
        "host" if line.has("method") || line.has("uri") => Some(("network-traffic:dst_ref.value", 0)),
        "name" if line.has("share_type") || line.has("action") => Some(("file:path", 0)),
        "path" if line.has("action") => Some(("file:parent_directory_ref.path", 0)),
        _ => None,
    }
}

fn finish(line: &Line<'_>, event: &mut Event<'_>) {
    let port = line.get("id.resp_p").map(|port| line.text_of(port));
    let port = if port.as_deref() == Some(b"80") { "" } else { "id.resp_p" };
    line.push_url(event, "host", port, "uri", "http");
}

const FIELDS: &[(&str, &str, u16)] = &[
    ("id.orig_h", "network-traffic:src_ref.value", 0),
    ("id.orig_p", "network-traffic:src_port", 0),
    ("id.resp_h", "network-traffic:dst_ref.value", 0),
    ("id.resp_p", "network-traffic:dst_port", 0),
    ("proto", "network-traffic:protocols[*]", 0),
    ("service", "network-traffic:protocols[*]", 0),
    ("orig_bytes", "network-traffic:src_byte_count", 0),
    ("resp_bytes", "network-traffic:dst_byte_count", 0),
    ("orig_pkts", "network-traffic:src_packets", 0),
    ("resp_pkts", "network-traffic:dst_packets", 0),
    ("orig_l2_addr", "mac-addr:value", 0),
    ("resp_l2_addr", "mac-addr:value", 1),
    ("mac", "mac-addr:value", 2),
    ("query", "domain-name:value", 0),
    ("answers", "domain-name:resolves_to_refs[*].value", 0),
    ("server_name", "network-traffic:dst_ref.value", 0),
    ("san.dns", "domain-name:value", 10),
    ("san.uri", "url:value", 10),
    ("san.email", "email-addr:value", 10),
    ("san.ip", "ipv4-addr:value", 10),
    ("certificate.serial", "x509-certificate:serial_number", 0),
    ("certificate.subject", "x509-certificate:subject", 0),
    ("certificate.issuer", "x509-certificate:issuer", 0),
    ("fingerprint", "x509-certificate:hashes.?", 0),
    ("cert_chain_fps", "x509-certificate:hashes.?", 10),
    ("client_cert_chain_fps", "x509-certificate:hashes.?", 20),
    ("subject", "email-message:subject", 0),
    ("referrer", "url:value", 1),
    ("user_agent", USER_AGENT, 0),
    ("method", "network-traffic:extensions.http-request-ext.request_method", 0),
    ("md5", "file:hashes.MD5", 0),
    ("sha1", "file:hashes.SHA-1", 0),
    ("sha256", "file:hashes.SHA-256", 0),
    ("filename", "file:path", 0),
    ("total_bytes", "file:size", 0),
    ("tx_hosts", "network-traffic:src_ref.value", 0),
    ("rx_hosts", "network-traffic:dst_ref.value", 0),
    ("mailfrom", "email-message:sender_ref.value", 0),
    ("rcptto", "email-message:to_refs[*].value", 0),
    ("from", "email-message:from_ref.value", 0),
    ("to", "email-message:to_refs[*].value", 0),
    ("cc", "email-message:cc_refs[*].value", 0),
    ("reply_to", "email-addr:value", 0),
    ("msg_id", "email-message:message_id", 0),
    ("x_originating_ip", "ipv4-addr:value", 20),
    ("helo", "domain-name:value", 20),
    ("username", "user-account:account_login", 0),
    ("user", "user-account:account_login", 1),
    ("client", "user-account:account_login", 2),
    ("client_addr", "ipv4-addr:value", 30),
    ("assigned_addr", "ipv4-addr:value", 31),
    ("assigned_ip", "ipv4-addr:value", 32),
    ("host_name", "domain-name:value", 30),
    ("client_fqdn", "domain-name:value", 31),
    ("server_dns_computer_name", "domain-name:value", 32),
    ("src", "network-traffic:src_ref.value", 0),
    ("dst", "network-traffic:dst_ref.value", 0),
    ("p", "network-traffic:dst_port", 0),
    ("file_desc", TEXT, 0),
    ("msg", TEXT, 0),
    ("sub", TEXT, 0),
    ("message", TEXT, 0),
];
