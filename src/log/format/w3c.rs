//! The extended log format of the W3C: IIS, `CloudFront`, and whatever else writes `#Fields:`.
//!
//! Columns stand between blanks (IIS) or tabs (`CloudFront`); a line of `#Fields:` holds until the next one, also in the
//! middle of a file. IIS writes `+` for a blank in a User-Agent, `CloudFront` `%20`: both are undone there, but not in what is
//! part of a URL. The URL of a request is put together from host and path where the host is known.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::layout::Columns;
use super::super::{known, values};
use super::{Format, Header, Layout};
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "w3c",
    about: "W3C extended log format with #Fields: IIS, CloudFront",
    sniff: |head| super::header_lines(head).any(|line| line.starts_with(b"#Fields:")),
    own_line: None,
    header: Some(Header { mark: Some(b"#Fields:"), read }),
    ragged: Some(|layout, line| {
        let separator = if memchr::memchr(b'\t', line).is_some() { b'\t' } else { b' ' };
        !line.starts_with(b"#") && super::has_other_columns(layout.columns.as_ref(), separator, line)
    }),
    decode,
};

fn read(line: &[u8], _: Option<&Columns>) -> Option<Columns> {
    let names = line.strip_prefix(b"#Fields:")?;
    let names = names.split(|b| matches!(b, b' ' | b'\t')).filter(|name| !name.is_empty());
    let names = names.take(super::MOST_COLUMNS).map(|name| String::from_utf8_lossy(name).into()).collect();
    Some(Columns { names, ..Columns::default() })
}

fn decode<'l>(layout: &'l Layout, event: &mut Event<'l>) -> Result<(), &'static str> {
    let line = event.line;
    let Some(columns) = &layout.columns else { return Ok(()) };
    if line.is_empty() || line.starts_with(b"#") {
        return Ok(());
    }
    let (separator, escapes) = if memchr::memchr(b'\t', line).is_some() {
        (b'\t', Escapes::Percent(false))
    } else {
        (b' ', Escapes::Percent(true))
    };
    let places = values::separated(line, separator, columns.names.len());
    let places = places.ok_or("not as many columns as #Fields names")?;
    let value = |name: &str| {
        let place = columns.names.iter().position(|column| **column == *name).map(|number| places[number].clone());
        place.filter(|place| !matches!(&line[place.clone()], b"-" | b""))
    };
    for (name, place) in columns.names.iter().zip(&places) {
        if &line[place.clone()] != b"-" {
            push(event, name, place.clone(), escapes);
        }
    }
    if let Some(path) = value("cs-uri-stem")
        && let Some(host) = value("x-host-header").or_else(|| value("cs-host")).or_else(|| value("cs(Host)"))
    {
        let text = |name: &str| value(name).map_or(&b""[..], |place| &line[place]);
        let port = text("s-port");
        let schemes: &[&[u8]] = match (text("cs-protocol"), text("cs-uri-scheme"), port) {
            (b"https", ..) | (_, b"https", _) | (b"", b"", b"443") => &[b"https"],
            (b"wss", ..) => &[b"wss"],
            (b"ws", ..) => &[b"ws"],
            (b"", b"", b"") => &[b"http", b"https"],
            _ => &[b"http"],
        };
        let host = &line[host];
        let port = if matches!(port, b"80" | b"443") || host.contains(&b':') { b"" } else { port };
        for scheme in schemes {
            let url = values::url(scheme, host, port, &line[path.clone()], text("cs-uri-query"));
            event.push_assembled("cs-uri-stem", path.clone(), url, Meaning::property("url:value"));
        }
    }
    event.when = match (value("date"), value("time")) {
        // The format has all times in UTC.
        (Some(date), Some(time)) => Some([&line[date], b" ", &line[time], b"Z"].concat().into()),
        _ => None,
    };
    Ok(())
}

fn push<'l>(event: &mut Event<'l>, name: &'l str, place: Range<usize>, escapes: Escapes) {
    let meaning = match name {
        "s-ip" | "r-ip" => Meaning::property("network-traffic:dst_ref.value"),
        "s-port" | "cs-uri-port" => Meaning::property("network-traffic:dst_port"),
        "c-port" => Meaning::property("network-traffic:src_port"),
        "cs-protocol" | "cs-uri-scheme" => Meaning::property("network-traffic:protocols[*]"),
        "cs-host" | "r-host" | "cs-dns" | "r-dns" | "c-dns" | "s-dns" => Meaning::property("domain-name:value"),
        "cs-uri" => Meaning::property("url:value"),
        "cs-uri-stem" | "cs-uri-path" | "cs-uri-query" | "cs(Cookie)" => Meaning::Text,
        _ => known::meaning(name),
    };
    // What is part of a URL is encoded as a URL is.
    let encoded = matches!(name, "cs(User-Agent)" | "cs(Cookie)" | "cs-username");
    if encoded {
        event.push_escaped(name, place, escapes, meaning);
    } else {
        values::push_as(event, name, place, meaning);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn lines_of_iis_are_taken_apart() {
        let header = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) cs(Referer) sc-status cs-host\r\n";
        assert_eq!(
            shown(
                "w3c",
                header,
                "2026-01-31 10:05:03 10.0.0.5 GET /a.aspx b=c 443 203.0.113.9 curl+8 - 200 www.a.example"
            ),
            "@2026-01-31 10:05:03Z
date=2026-01-31
time=10:05:03
s-ip=10.0.0.5 network-traffic:dst_ref.value
cs-method=GET
cs-uri-stem=/a.aspx (text)
cs-uri-query=b=c (text)
s-port=443 network-traffic:dst_port
c-ip=203.0.113.9 network-traffic:src_ref.value
cs(User-Agent)=curl 8 network-traffic:extensions.http-request-ext.request_header.User-Agent
sc-status=200
cs-host=www.a.example domain-name:value
cs-uri-stem+=https://www.a.example/a.aspx?b=c url:value"
        );
        assert_eq!(shown("w3c", header, "#Date: 2026-01-31"), "");
        assert_eq!(shown("w3c", header, "a b"), "! not as many columns as #Fields names");
    }

    #[test]
    fn a_later_header_holds_from_there_on() {
        let header = "#Fields: c-ip x-y\n203.0.113.9 1\n#Fields: x-z c-ip\n";
        assert_eq!(shown("w3c", header, "1 203.0.113.9"), "x-z=1\nc-ip=203.0.113.9 network-traffic:src_ref.value");
    }

    #[test]
    fn lines_of_cloudfront_are_taken_apart() {
        let header = "#Version: 1.0\n#Fields: date time c-ip cs(Host) cs-uri-stem cs(Referer) cs(User-Agent) x-host-header cs-protocol\n";
        let line = "2026-01-31\t10:05:03\t203.0.113.9\td1.cdn.example\t/a%20b\thttp://b.example/\tMozilla/5.0%20(x)\twww.a.example\thttps";
        let shown_line = shown("w3c", header, line);
        for expected in [
            "cs(Host)=d1.cdn.example domain-name:value",
            "cs(User-Agent)=Mozilla/5.0 (x) network-traffic:extensions.http-request-ext.request_header.User-Agent",
            "cs(Referer)=http://b.example/ url:value",
            "cs-uri-stem+=https://www.a.example/a%20b url:value",
        ] {
            assert!(shown_line.lines().any(|found| found == expected), "{expected}\n{shown_line}");
        }
    }
}
