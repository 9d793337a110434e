//! Server access logs of AWS S3.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::values;
use super::super::words::{Kind, Word, is_time, words};
use super::{Format, access};

pub(in super::super) static FORMAT: Format = Format {
    name: "s3",
    about: "server access logs of AWS S3",
    sniff: |head| super::most_lines(head, own_line),
    own_line: Some(own_line),
    header: None,
    ragged: Some(|_, line| !own_line(line)),
    decode: |_, event| decode(event),
};

const NAMES: &[&str] = &[
    "bucket_owner",
    "bucket",
    "time",
    "remote_ip",
    "requester",
    "request_id",
    "operation",
    "key",
    "request_uri",
    "http_status",
    "error_code",
    "bytes_sent",
    "object_size",
    "total_time",
    "turn_around_time",
    "referer",
    "user_agent",
    "version_id",
    "host_id",
    "signature_version",
    "cipher_suite",
    "authentication_type",
    "host_header",
    "tls_version",
    "access_point_arn",
    "acl_required",
];

/// Whether a line begins with the id of an owner, a bucket and a time.
fn own_line(line: &[u8]) -> bool {
    let Some((owner, rest)) = line.split_at_checked(64) else { return false };
    let bucket = rest.iter().skip(1).take(64).position(|b| *b == b' ');
    let time = bucket.and_then(|length| rest.get(length + 2..length + 30));
    owner.iter().all(u8::is_ascii_hexdigit)
        && rest.first() == Some(&b' ')
        && time.is_some_and(|time| time.starts_with(b"[") && time.ends_with(b"]") && is_time(&time[1..27]))
}

fn decode(event: &mut Event<'_>) -> Result<(), &'static str> {
    let line = event.line;
    let words = words(line, 0).ok_or("a quote is not closed")?;
    if !own_line(line) || words.len() < 9 {
        return Err("not the words that S3 writes");
    }
    let host = NAMES.iter().position(|name| *name == "host_header").and_then(|at| words.get(at)).cloned();
    let secure =
        words.get(21).is_some() && words.get(23).is_some_and(|word| line[word.span.clone()].starts_with(b"TLS"));
    let names = NAMES.iter().copied().chain(std::iter::repeat("extra"));
    for (name, Word { span, kind }) in names.zip(words) {
        if line[span.clone()] == *b"-" {
            continue;
        }
        let escapes = if kind == Kind::Quoted { Escapes::Backslash } else { Escapes::None };
        match name {
            "time" => event.when = Some(line[span].into()),
            "remote_ip" => event.push(name, span, Meaning::property("network-traffic:src_ref.value")),
            "request_uri" => {
                event.push_escaped(name, span.clone(), escapes, Meaning::Text);
                let host = host.as_ref().map(|word| &line[word.span.clone()]).filter(|host| *host != b"-");
                if let (Some((_, target)), Some(host)) = (access::target(line, span), host)
                    && line[target.clone()].starts_with(b"/")
                {
                    let scheme: &[u8] = if secure { b"https" } else { b"http" };
                    let url = values::url(scheme, host, b"", &line[target.clone()], b"");
                    event.push_assembled(name, target, url, Meaning::property("url:value"));
                }
            }
            "referer" => event.push_escaped(name, span, escapes, Meaning::property("url:value")),
            "user_agent" => {
                let path = "network-traffic:extensions.http-request-ext.request_header.User-Agent";
                event.push_escaped(name, span, escapes, Meaning::property(path));
            }
            "host_header" => values::push_as(event, name, span, Meaning::property("domain-name:value")),
            "requester" => event.push(name, span, Meaning::property("user-account:account_login")),
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
        let owner = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
        let line = format!(
            r#"{owner} my-bucket [31/Jan/2026:10:05:03 +0000] 203.0.113.9 {owner} 3E57 REST.GET.OBJECT a/b.exe "GET /my-bucket/a/b.exe?x=1 HTTP/1.1" 200 - 113 - 7 - "http://b.example/" "curl/8" - s9l= SigV4 ECDHE AuthHeader my-bucket.s3.example TLSv1.2 - -"#
        );
        let shown_line = shown("s3", "", &line);
        for expected in [
            "@31/Jan/2026:10:05:03 +0000",
            "remote_ip=203.0.113.9 network-traffic:src_ref.value",
            "key=a/b.exe",
            "request_uri+=https://my-bucket.s3.example/my-bucket/a/b.exe?x=1 url:value",
            "referer=http://b.example/ url:value",
            "host_header=my-bucket.s3.example domain-name:value",
        ] {
            assert!(shown_line.lines().any(|found| found == expected), "{expected}\n{shown_line}");
        }
        assert_eq!(
            shown("s3", "", &format!("{owner} b [31/Jan/2026:10:05:03 +0000]")),
            "! not the words that S3 writes"
        );
    }
}
