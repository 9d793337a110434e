//! Access logs of AWS load balancers: application, network and classic.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::values;
use super::super::words::{Kind, Word, words};
use super::{Format, access};

pub(in super::super) static FORMAT: Format = Format {
    name: "elb",
    about: "access logs of AWS load balancers: application, network, classic",
    sniff: |head| super::most_lines(head, |line| variant(line).is_some()),
    own_line: Some(|line| variant(line).is_some()),
    header: None,
    ragged: Some(|_, line| variant(line).is_none()),
    decode: |_, event| decode(event),
};

const APPLICATION: &[&str] = &[
    "type",
    "time",
    "elb",
    "client:port",
    "target:port",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target:port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
];

const NETWORK: &[&str] = &[
    "type",
    "version",
    "time",
    "elb",
    "listener",
    "client:port",
    "destination:port",
    "connection_time",
    "tls_handshake_time",
    "received_bytes",
    "sent_bytes",
    "incoming_tls_alert",
    "chosen_cert_arn",
    "chosen_cert_serial",
    "tls_cipher",
    "tls_protocol_version",
    "tls_named_group",
    "domain_name",
    "alpn_fe_protocol",
    "alpn_be_protocol",
    "alpn_client_preference_list",
    "tls_connection_creation_time",
];

const CLASSIC: &[&str] = &[
    "time",
    "elb",
    "client:port",
    "backend:port",
    "request_processing_time",
    "backend_processing_time",
    "response_processing_time",
    "elb_status_code",
    "backend_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
];

/// The columns of a line that is one of these.
fn variant(line: &[u8]) -> Option<&'static [&'static str]> {
    let mut words = line.split(|b| *b == b' ');
    let mut word = || words.next().unwrap_or_default();
    let (first, second, third, fourth) = (word(), word(), word(), word());
    match first {
        b"http" | b"https" | b"h2" | b"grpcs" | b"ws" | b"wss" => {
            (is_time(second) && third.contains(&b'/') && is_endpoint(fourth)).then_some(APPLICATION)
        }
        b"tls" => (is_time(third) && fourth.contains(&b'/')).then_some(NETWORK),
        _ => (is_time(first) && is_endpoint(third) && (fourth == b"-" || is_endpoint(fourth))).then_some(CLASSIC),
    }
}

fn is_time(word: &[u8]) -> bool {
    word.len() >= 19
        && word[4] == b'-'
        && word[10] == b'T'
        && word[13] == b':'
        && word[..4].iter().all(u8::is_ascii_digit)
}

fn is_endpoint(word: &[u8]) -> bool {
    values::endpoint(word).is_some()
}

fn decode(event: &mut Event<'_>) -> Result<(), &'static str> {
    let line = event.line;
    let names = variant(line).ok_or("no line of a load balancer")?;
    let words = words(line, 0).ok_or("a quote is not closed")?;
    if words.len() + 3 < names.len().min(CLASSIC.len()) {
        return Err("fewer words than a load balancer writes");
    }
    // Amazon appends columns now and then.
    let names = names.iter().copied().chain(std::iter::repeat("extra"));
    for (name, Word { span, kind }) in names.zip(words) {
        if line[span.clone()] == *b"-" {
            continue;
        }
        let escapes = if kind == Kind::Quoted { Escapes::Backslash } else { Escapes::None };
        match name {
            "time" => {
                // Those of network load balancers are in UTC too and do not say it.
                let text = line[span.clone()].strip_suffix(b"Z").unwrap_or(&line[span.clone()]);
                event.when = Some([text, b"Z"].concat().into());
                event.push(name, span, Meaning::Open);
            }
            "client:port" => values::push_as(event, name, span, Meaning::property("network-traffic:src_ref.value")),
            "target:port" | "backend:port" | "destination:port" => {
                values::push_as(event, name, span, Meaning::property("network-traffic:dst_ref.value"));
            }
            "request" => access::push_request(event, span, None),
            "user_agent" => {
                let path = "network-traffic:extensions.http-request-ext.request_header.User-Agent";
                event.push_escaped(name, span, escapes, Meaning::property(path));
            }
            "domain_name" => values::push_as(event, name, span, Meaning::property("domain-name:value")),
            "redirect_url" => event.push_escaped(name, span, escapes, Meaning::property("url:value")),
            "chosen_cert_serial" => event.push(name, span, Meaning::property("x509-certificate:serial_number")),
            "target:port_list" => {
                for part in values::elements(line, span, b" ") {
                    values::push_as(event, name, part, Meaning::property("ipv4-addr:value"));
                }
            }
            _ => event.push_escaped(name, span, escapes, Meaning::Open),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn lines_are_taken_apart() {
        let line = r#"https 2026-01-31T10:05:03.250000Z app/my-lb/50dc 203.0.113.9:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.a.example:443/x?y HTTP/1.1" "curl/8" ECDHE TLSv1.2 arn:aws:x "Root=1-58" "www.a.example" "arn:aws:acm" 1 2026-01-31T10:05:02Z "authenticate,forward" "-" "-" "10.0.0.1:80 10.0.0.2:80" "200" "-" "-" TID_1"#;
        let shown_line = shown("elb", "", line);
        for expected in [
            "@2026-01-31T10:05:03.250000Z",
            "client:port=203.0.113.9 network-traffic:src_ref.value",
            "client:port=2817 network-traffic:src_port",
            "target:port=10.0.0.1 network-traffic:dst_ref.value",
            "request=https://www.a.example:443/x?y url:value",
            "domain_name=www.a.example domain-name:value",
            "target:port_list=10.0.0.2 ipv4-addr:value",
            "conn_trace_id=TID_1",
        ] {
            assert!(shown_line.lines().any(|found| found == expected), "{expected}\n{shown_line}");
        }
        let line = "tls 2.0 2026-01-31T10:05:03 net/my-nlb/c6e7 g3d4 203.0.113.9:51341 10.0.0.1:443 5 2 29 32 - arn:aws:acm - ECDHE tlsv12 - my.a.example h2 - - 2026-01-31T10:05:02";
        let shown_line = shown("elb", "", line);
        for expected in ["destination:port=443 network-traffic:dst_port", "domain_name=my.a.example domain-name:value"]
        {
            assert!(shown_line.lines().any(|found| found == expected), "{expected}\n{shown_line}");
        }
        let line = r#"2026-01-31T10:05:03.25Z my-lb 203.0.113.9:2817 - 0 0 0 200 200 0 29 "GET http://a.example:80/ HTTP/1.1" "curl \"x" - -"#;
        let shown_line = shown("elb", "", line);
        for expected in [
            "request=http://a.example:80/ url:value",
            "user_agent=curl \"x network-traffic:extensions.http-request-ext.request_header.User-Agent",
        ] {
            assert!(shown_line.lines().any(|found| found == expected), "{expected}\n{shown_line}");
        }
    }
}
