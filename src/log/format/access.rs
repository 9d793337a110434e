//! Access logs of web servers: the common and the combined format, as Apache, nginx and many others write them.
//!
//! `client ident user [time] "request" status size "referrer" "user agent"`, where the last two may be missing. A virtual
//! host may stand before the client (Apache's `vhost_combined`), several clients may (`X-Forwarded-For` in its place), and
//! more words may follow: quoted lists of addresses are those that were forwarded for. Where the virtual host is known the
//! URL is put together; its scheme only a port tells, and without one it may be either.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::values;
use super::super::words::{Kind, Word, is_time, words};
use super::Format;
use crate::observable::Kind as Observable;
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "access",
    about: "access logs of web servers: common, combined, with virtual host or forwarded addresses",
    sniff: |head| super::most_lines(head, own_line),
    own_line: Some(own_line),
    header: None,
    ragged: Some(|_, line| !own_line(line)),
    decode: |_, event| decode(event, 0),
};

/// How far into a line its time may begin.
const REACH: usize = 1024;

/// Whether a line has a time in brackets with a request in quotes behind it.
pub(super) fn own_line(line: &[u8]) -> bool {
    time(line).is_some()
}

/// Where the time stands, with its brackets.
fn time(line: &[u8]) -> Option<Range<usize>> {
    let head = &line[..line.len().min(REACH)];
    memchr::memchr_iter(b'[', head).find_map(|start| {
        let text = line.get(start..start + 30)?;
        let before = start == 0 || line[start - 1] == b' ';
        (before && text.ends_with(b"] \"") && is_time(&text[1..27])).then_some(start..start + 28)
    })
}

/// Reads the part of a line from `start` on.
pub(super) fn decode(event: &mut Event<'_>, start: usize) -> Result<(), &'static str> {
    let line = event.line;
    let time = time(&line[start..]).ok_or("no time and request as access logs have them")?;
    let time = time.start + start..time.end + start;
    let vhost = push_clients(event, start..time.start);
    event.when = Some(line[time.start + 1..time.end - 1].into());
    let rest = words(line, time.end).ok_or("a quote is not closed")?;
    let mut rest = rest.into_iter();
    let Some(request) = rest.next() else { return Err("no time and request as access logs have them") };
    push_request(event, request.span, vhost);
    push_numbers(event, &mut rest);
    for name in ["referrer", "user_agent"] {
        match rest.next() {
            Some(Word { span, kind: Kind::Quoted }) => push_quoted(event, name, span),
            Some(word) => push_extra(event, word),
            None => break,
        }
    }
    rest.for_each(|word| push_extra(event, word));
    Ok(())
}

/// Status and size.
fn push_numbers(event: &mut Event<'_>, rest: &mut impl Iterator<Item = Word>) {
    for name in ["status", "size"] {
        if let Some(word) = rest.next() {
            event.push(name, word.span, Meaning::Open);
        }
    }
}

fn push_quoted(event: &mut Event<'_>, name: &'static str, span: Range<usize>) {
    if event.line[span.clone()] == *b"-" {
        return;
    }
    let meaning = match name {
        "referrer" => Meaning::property("url:value"),
        _ => Meaning::property("network-traffic:extensions.http-request-ext.request_header.User-Agent"),
    };
    event.push_escaped(name, span, Escapes::Backslash, meaning);
}

/// Whatever follows: a quoted address or list of them is what was forwarded for.
fn push_extra(event: &mut Event<'_>, word: Word) {
    let line = event.line;
    let Word { span, kind } = word;
    if line[span.clone()] == *b"-" {
        return;
    }
    let is_address = |part: Range<usize>| is_address(&line[part]);
    if kind == Kind::Quoted && values::elements(line, span.clone(), b",").all(is_address) {
        values::push_as(event, "forwarded_for", span, Meaning::property("ipv4-addr:value"));
    } else {
        event.push_escaped("extra", span, Escapes::Backslash, Meaning::Open);
    }
}

fn is_address(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_ok_and(|text| Observable::Ipv4.normalise(text).is_ok() || Observable::Ipv6.normalise(text).is_ok())
}

/// What stands before the time. The virtual host, if there is one.
fn push_clients(event: &mut Event<'_>, part: Range<usize>) -> Option<Range<usize>> {
    let line = event.line;
    let before: Vec<Range<usize>> = values::elements(line, part, b" \t").collect();
    // Behind the clients comes what identd said, which is nothing nowadays.
    let ident = (1..before.len()).find(|at| line[before[*at].clone()] == *b"-");
    let ident = ident.unwrap_or(before.len().saturating_sub(2)).max(1).min(before.len());
    let (clients, users) = before.split_at(ident);
    let is_list = clients.first().is_some_and(|first| line[first.clone()].ends_with(b","));
    let (vhost, clients) = match clients {
        [vhost, clients @ ..] if !clients.is_empty() && !is_list => (Some(vhost.clone()), clients),
        _ => (None, clients),
    };
    if let Some(vhost) = &vhost {
        values::push_as(event, "vhost", vhost.clone(), Meaning::property("domain-name:value"));
    }
    for client in clients {
        values::push_as(event, "client", client.clone(), Meaning::property("network-traffic:src_ref.value"));
    }
    for (number, user) in users.iter().enumerate().filter(|(_, user)| line[(*user).clone()] != *b"-") {
        let meaning = match number {
            0 => Meaning::Open,
            _ => Meaning::property("user-account:account_login"),
        };
        event.push(if number == 0 { "ident" } else { "user" }, user.clone(), meaning);
    }
    vhost
}

/// A request line: the URL that it asks for, whole or of a host known from elsewhere.
pub(super) fn push_request(event: &mut Event<'_>, span: Range<usize>, host: Option<Range<usize>>) {
    let line = event.line;
    let Some((method, target)) = target(line, span.clone()) else {
        return event.push_escaped("request", span, Escapes::Backslash, Meaning::Text);
    };
    let text = &line[target.clone()];
    if line[method] == *b"CONNECT" {
        return values::push_as(event, "request", target, Meaning::property("network-traffic:dst_ref.value"));
    }
    if memchr::memmem::find(text, b"://").is_some_and(|at| at < 10 && text[..at].iter().all(u8::is_ascii_alphanumeric))
    {
        return event.push_escaped("request", target, Escapes::Backslash, Meaning::property("url:value"));
    }
    event.push_escaped("request", target.clone(), Escapes::Backslash, Meaning::Text);
    if let Some(host) = host
        && text.starts_with(b"/")
    {
        let host = &line[host];
        let schemes: &[&[u8]] = if host.ends_with(b":443") {
            &[b"https"]
        } else if values::endpoint(host).is_some() {
            &[b"http"]
        } else {
            &[b"http", b"https"]
        };
        for scheme in schemes {
            let url = values::url(scheme, host, b"", text, b"");
            event.push_assembled("request", target.clone(), url, Meaning::property("url:value"));
        }
    }
}

/// Method and target of a request line.
pub(super) fn target(line: &[u8], span: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let text = &line[span.clone()];
    let method = text.iter().position(|b| *b == b' ')?;
    if method == 0 || !text[..method].iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')) {
        return None;
    }
    // HTTP/0.9 has no version.
    let is_version = |text: &[u8]| matches!(text, [b'H', b'T', b'T', b'P', b'/', rest @ ..] if rest.len() < 5);
    let end = memchr::memrchr(b' ', text).filter(|at| is_version(&text[at + 1..])).unwrap_or(text.len());
    let target = values::trimmed(line, span.start + method..span.start + end.max(method));
    (!target.is_empty()).then_some((span.start..span.start + method, target))
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn lines_are_taken_apart() {
        for (line, expected) in [
            (
                r#"203.0.113.9 - joe [31/Jan/2026:11:05:03 +0100] "GET /a?b=c HTTP/1.1" 200 12 "http://b.example/" "curl \"8\"""#,
                r#"@31/Jan/2026:11:05:03 +0100
client=203.0.113.9 network-traffic:src_ref.value
user=joe user-account:account_login
request=/a?b=c (text)
status=200
size=12
referrer=http://b.example/ url:value
user_agent=curl "8" network-traffic:extensions.http-request-ext.request_header.User-Agent"#,
            ),
            (
                r#"a.example:443 2001:db8::1 - - [31/Jan/2026:11:05:03 +0100] "GET /a HTTP/1.1" 200 - "-" "-""#,
                "@31/Jan/2026:11:05:03 +0100
vhost=a.example domain-name:value
vhost=443 (text)
client=2001:db8::1 network-traffic:src_ref.value
request=/a (text)
request+=https://a.example:443/a url:value
status=200
size=-",
            ),
            (
                r#"10.0.0.1, 203.0.113.9 - - [31/Jan/2026:11:05:03 +0100] "CONNECT b.example:443 HTTP/1.1" 200 1 "-" "x" "198.51.100.7, 10.0.0.2" 0.02 "up=1""#,
                "@31/Jan/2026:11:05:03 +0100
client=10.0.0.1 network-traffic:src_ref.value
client=203.0.113.9 network-traffic:src_ref.value
request=b.example network-traffic:dst_ref.value
request=443 network-traffic:dst_port
status=200
size=1
user_agent=x network-traffic:extensions.http-request-ext.request_header.User-Agent
forwarded_for=198.51.100.7 ipv4-addr:value
forwarded_for=10.0.0.2 ipv4-addr:value
extra=0.02
extra=up=1",
            ),
            (
                r#"h.example - - [31/Jan/2026:11:05:03 +0100] "\x16\x03" 400 0"#,
                "@31/Jan/2026:11:05:03 +0100
client=h.example network-traffic:src_ref.value
request=\u{16}\u{3} (text)
status=400
size=0",
            ),
            (
                r#"www.a.example 10.0.0.1 - - [31/Jan/2026:11:05:03 +0100] "GET /a HTTP/1.1" 200 1"#,
                "@31/Jan/2026:11:05:03 +0100
vhost=www.a.example domain-name:value
client=10.0.0.1 network-traffic:src_ref.value
request=/a (text)
request+=http://www.a.example/a url:value
request+=https://www.a.example/a url:value
status=200
size=1",
            ),
            (
                r#"10.0.0.1 - a b [31/Jan/2026:11:05:03 +0100] "GET http://p.example/x" 200 0"#,
                "@31/Jan/2026:11:05:03 +0100
client=10.0.0.1 network-traffic:src_ref.value
user=a user-account:account_login
user=b user-account:account_login
request=http://p.example/x url:value
status=200
size=0",
            ),
            (r#"10.0.0.1 - - [31/Jan/2026:11:05:03 +0100] "GET /a" 200 0 "never closed"#, "! a quote is not closed"),
            ("[Sun Dec 04 04:47:44 2005] [error] x", "! no time and request as access logs have them"),
        ] {
            assert_eq!(shown("access", "", line), expected, "{line}");
        }
    }
}
