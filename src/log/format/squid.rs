//! The native access log of Squid: `time elapsed client result/status size method url user hierarchy/peer type`.

use super::super::event::{Event, Meaning};
use super::super::values;
use super::Format;
use std::ops::Range;

pub(in super::super) static FORMAT: Format = Format {
    name: "squid",
    about: "Squid's native access log",
    sniff: |head| super::most_lines(head, own_line),
    own_line: Some(own_line),
    header: None,
    ragged: Some(|_, line| !own_line(line)),
    decode: |_, event| decode(event),
};

const NAMES: [&str; 10] =
    ["time", "elapsed", "client", "result", "size", "method", "url", "user", "hierarchy", "content_type"];

/// Whether a line begins with seconds, a number, a client and `RESULT/status`.
fn own_line(line: &[u8]) -> bool {
    let mut words = line.split(|b| *b == b' ').filter(|word| !word.is_empty());
    let (Some(time), Some(elapsed), Some(_), Some(result)) = (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let seconds = time.len() >= 12 && time[10] == b'.' && time.iter().filter(|b| !b.is_ascii_digit()).count() == 1;
    let is_result = result.iter().position(|b| *b == b'/').is_some_and(|slash| {
        slash > 2
            && result[..slash].iter().all(|b| b.is_ascii_uppercase() || *b == b'_')
            && result[slash + 1..].iter().all(u8::is_ascii_digit)
    });
    seconds && elapsed.iter().all(|b| b.is_ascii_digit() || *b == b'-') && is_result
}

fn decode(event: &mut Event<'_>) -> Result<(), &'static str> {
    let line = event.line;
    let places: Vec<Range<usize>> = values::elements(line, 0..line.len(), b" ").take(64).collect();
    if !own_line(line) || places.len() < 7 {
        return Err("not the words that Squid writes");
    }
    let tunnel = line[places[5].clone()] == *b"CONNECT";
    for (number, place) in places.iter().enumerate() {
        let name = NAMES.get(number).copied().unwrap_or("extra");
        let text = &line[place.clone()];
        if text == b"-" {
            continue;
        }
        let place = place.clone();
        match name {
            "time" => event.when = Some(text.into()),
            "client" => event.push(name, place, Meaning::property("network-traffic:src_ref.value")),
            "url" if tunnel => values::push_as(event, name, place, Meaning::property("network-traffic:dst_ref.value")),
            "url" => event.push(name, place, Meaning::property("url:value")),
            "user" => event.push(name, place, Meaning::property("user-account:account_login")),
            // HIER_DIRECT/203.0.113.9
            "hierarchy" => {
                let code = text.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'_').count();
                if text.get(code) == Some(&b'/') {
                    event.push(name, place.start + code + 1..place.end, Meaning::property("ipv4-addr:value"));
                } else {
                    event.push(name, place, Meaning::Open);
                }
            }
            _ => event.push(name, place, Meaning::Open),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    #[test]
    fn lines_are_taken_apart() {
        for (line, expected) in [
            (
                "1769853903.250     88 10.0.0.1 TCP_MISS/200 1234 GET http://a.example/x - HIER_DIRECT/203.0.113.9 text/html",
                "@1769853903.250
elapsed=88
client=10.0.0.1 network-traffic:src_ref.value
result=TCP_MISS/200
size=1234
method=GET
url=http://a.example/x url:value
hierarchy=203.0.113.9 ipv4-addr:value
content_type=text/html",
            ),
            (
                "1769853903.250 88 10.0.0.1 TCP_TUNNEL/200 1234 CONNECT a.example:443 joe HIER_DIRECT/203.0.113.9 -",
                "@1769853903.250
elapsed=88
client=10.0.0.1 network-traffic:src_ref.value
result=TCP_TUNNEL/200
size=1234
method=CONNECT
url=a.example network-traffic:dst_ref.value
url=443 network-traffic:dst_port
user=joe user-account:account_login
hierarchy=203.0.113.9 ipv4-addr:value",
            ),
            ("1769853903.250 88 10.0.0.1 hello world", "! not the words that Squid writes"),
        ] {
            assert_eq!(shown("squid", "", line), expected, "{line}");
        }
    }
}
