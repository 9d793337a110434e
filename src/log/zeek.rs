//! What the fields of Zeek's logs mean, however they are written.

use super::event::Meaning;
use super::values;

/// Logs whose fields mean something of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    Dns,
    Http,
    Tls,
    Certificates,
    Files,
    Mail,
    Smb,
    Notice,
    /// Logs about hosts: `host` is an address.
    Hosts,
    Other,
}

impl Log {
    /// The log of a `#path` or `_path`; a suffix of the site's own (`http_dmz`, `dns-2`) does not matter.
    pub(super) fn of_path(path: &str) -> Self {
        match path {
            "smb_files" | "smb_mapping" => Self::Smb,
            "notice" | "notice_alarm" => Self::Notice,
            "software" | "known_hosts" | "known_certs" | "known_services" | "known_devices" => Self::Hosts,
            _ => match path.split(['_', '-', '.']).next().unwrap_or_default() {
                "dns" => Self::Dns,
                "http" => Self::Http,
                "ssl" => Self::Tls,
                "x509" => Self::Certificates,
                "files" => Self::Files,
                "smtp" => Self::Mail,
                _ => Self::Other,
            },
        }
    }
}

/// What a field holds; of some the value tells.
#[expect(clippy::match_same_arms, reason = "the arms are in the order of the logs")]
pub(super) fn meaning(log: Log, name: &str, text: &[u8]) -> Meaning<'static> {
    let property = Meaning::property;
    let second = |path| Meaning::Property { path, group: 1 };
    match (log, name) {
        (_, "id.orig_h") | (Log::Notice, "src") => property("network-traffic:src_ref.value"),
        (_, "id.resp_h") | (Log::Notice, "dst") => property("network-traffic:dst_ref.value"),
        (_, "id.orig_p") => property("network-traffic:src_port"),
        (_, "id.resp_p") | (Log::Notice, "p") => property("network-traffic:dst_port"),
        (_, "proto" | "service") => property("network-traffic:protocols[*]"),
        (_, "orig_l2_addr" | "resp_l2_addr" | "mac" | "src_mac" | "dst_mac" | "client_mac") => {
            property("mac-addr:value")
        }
        (_, "data_channel.orig_h") => second("network-traffic:src_ref.value"),
        (_, "data_channel.resp_h") => second("network-traffic:dst_ref.value"),
        (_, "data_channel.resp_p") => second("network-traffic:dst_port"),
        (_, "user_agent") if log != Log::Mail => {
            property("network-traffic:extensions.http-request-ext.request_header.User-Agent")
        }
        (_, "md5") => property("file:hashes.MD5"),
        (_, "sha1") => property("file:hashes.SHA-1"),
        (_, "sha256") => property("file:hashes.SHA-256"),
        (_, "filename") => property("file:name"),

        (Log::Dns, "query") => property("domain-name:value"),
        (Log::Dns, "answers") => values::answer_meaning(text),

        (Log::Http, "host") => property("domain-name:value"),
        (Log::Http, "referrer" | "origin") => property("url:value"),
        (Log::Http, "uri" | "proxied" | "password") => Meaning::Text,
        (Log::Http, "orig_filenames") => second("file:name"),
        (Log::Http, "resp_filenames") => Meaning::Property { path: "file:name", group: 2 },

        (Log::Tls, "cert_chain_fps" | "sha256_fps") => fingerprint(text, 0),
        (Log::Tls, "client_cert_chain_fps") => fingerprint(text, 1),
        (Log::Tls, "client_subject") => second("x509-certificate:subject"),
        (Log::Tls, "client_issuer") => second("x509-certificate:issuer"),
        (Log::Certificates, "fingerprint") => fingerprint(text, 0),
        (_, "certificate.serial") | (Log::Hosts, "serial") => property("x509-certificate:serial_number"),
        (_, "certificate.subject") | (Log::Tls | Log::Hosts, "subject") => property("x509-certificate:subject"),
        (_, "certificate.issuer") | (Log::Tls, "issuer") | (Log::Hosts, "issuer_subject") => {
            property("x509-certificate:issuer")
        }
        (_, "san.dns" | "server_name") => property("domain-name:value"),
        (_, "san.ip") => property("ipv4-addr:value"),
        (_, "san.email") => property("email-addr:value"),
        (_, "san.uri") => property("url:value"),

        (Log::Files, "mime_type") => property("file:mime_type"),
        (Log::Files, "total_bytes") => property("file:size"),
        (_, "tx_hosts" | "rx_hosts") => property("ipv4-addr:value"),

        (Log::Mail, "from") => property("email-message:from_ref.value"),
        (Log::Mail, "mailfrom") => property("email-message:sender_ref.value"),
        (Log::Mail, "to" | "rcptto") => property("email-message:to_refs[*].value"),
        (Log::Mail, "cc") => property("email-message:cc_refs[*].value"),
        (Log::Mail, "reply_to") => property("email-addr:value"),
        (Log::Mail, "subject") => property("email-message:subject"),
        (Log::Mail, "msg_id") => property("email-message:message_id"),
        (Log::Mail, "x_originating_ip" | "path") => property("ipv4-addr:value"),
        (Log::Mail, "helo") => property("domain-name:value"),
        (Log::Mail, "first_received" | "second_received" | "last_reply" | "user_agent") => Meaning::Text,

        (Log::Smb, "name") => property("file:path"),
        (Log::Smb, "prev_name") => Meaning::Property { path: "file:path", group: 1 },
        (Log::Hosts, "host") => property("ipv4-addr:value"),
        (
            _,
            "client_addr" | "server_addr" | "assigned_addr" | "requested_addr" | "request.host" | "bound.host"
            | "framed_addr" | "remote_ip" | "tx_host" | "rx_host",
        ) => property("ipv4-addr:value"),
        (
            _,
            "host_name"
            | "client_fqdn"
            | "domain"
            | "hostname"
            | "request.name"
            | "server_dns_computer_name"
            | "server_tree_name",
        ) => property("domain-name:value"),
        (_, "username" | "user" | "client") => property("user-account:account_login"),
        (_, "dcc_file_name") => property("file:name"),
        (_, "msg" | "sub" | "message" | "addl" | "status_msg" | "info_msg" | "reply_msg" | "arg") => Meaning::Text,
        _ => Meaning::Open,
    }
}

/// A certificate's digest; its length tells the algorithm.
fn fingerprint(text: &[u8], group: u16) -> Meaning<'static> {
    let path = match text.len() {
        64 => "x509-certificate:hashes.SHA-256",
        40 => "x509-certificate:hashes.SHA-1",
        32 => "x509-certificate:hashes.MD5",
        _ => return Meaning::Open,
    };
    Meaning::Property { path, group }
}

/// The URL of a request: of its parts, or what a proxy was asked for. `None` for a tunnel (`CONNECT host:443`).
pub(super) fn http_url(host: &[u8], port: &[u8], uri: &[u8]) -> Option<Vec<u8>> {
    if uri.first() != Some(&b'/') {
        let has_scheme = memchr::memmem::find(uri, b"://").is_some_and(|at| at > 0 && at < 10);
        return has_scheme.then(|| uri.to_vec());
    }
    // A Host header names the port where it is not the scheme's own, if it is right.
    let named = host.first() != Some(&b'[') && memchr::memchr_iter(b':', host).count() == 1;
    let port = if named || port == b"80" { b"" } else { port };
    Some(values::url(b"http", host, port, uri, b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_urls() {
        for (host, port, uri, expected) in [
            ("a.example", "80", "/x?y", Some("http://a.example/x?y")),
            ("a.example", "8080", "/", Some("http://a.example:8080/")),
            ("a.example:8080", "8080", "/", Some("http://a.example:8080/")),
            ("a.example", "", "/", Some("http://a.example/")),
            ("2001:db8::1", "80", "/", Some("http://[2001:db8::1]/")),
            ("proxy.example", "3128", "http://a.example/x", Some("http://a.example/x")),
            ("a.example:443", "3128", "a.example:443", None),
            ("a.example", "80", "*", None),
        ] {
            let url = http_url(host.as_bytes(), port.as_bytes(), uri.as_bytes());
            assert_eq!(url.map(|url| String::from_utf8_lossy(&url).into_owned()).as_deref(), expected, "{host} {uri}");
        }
    }

    #[test]
    fn logs_are_known_with_what_sites_append() {
        assert_eq!(Log::of_path("http"), Log::Http);
        assert_eq!(Log::of_path("dns_red"), Log::Dns);
        assert_eq!(Log::of_path("conn-summary"), Log::Other);
        assert_eq!(Log::of_path("known_certs"), Log::Hosts);
    }
}
