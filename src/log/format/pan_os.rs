//! Traffic and threat logs of PAN-OS (Palo Alto Networks), which are values between commas, mostly behind a syslog envelope:
//! `1,2026/01/31 10:05:03,0123,TRAFFIC,end,...`.

use super::super::escape::Escapes;
use super::super::event::{Event, Meaning};
use super::super::values;
use super::{Format, csv, syslog};

pub(in super::super) static FORMAT: Format = Format {
    name: "pan-os",
    about: "traffic and threat logs of PAN-OS, as it writes them to syslog",
    sniff: |head| super::most_lines(head, |line| start(line).is_some()),
    own_line: Some(|line| start(line).is_some()),
    header: None,
    ragged: Some(|_, line| start(line).is_none()),
    decode: |_, event| decode(event),
};

/// The columns that all of them have, as PAN-OS calls them.
const COMMON: [&str; 31] = [
    "",
    "receive_time",
    "serial",
    "type",
    "subtype",
    "",
    "time_generated",
    "src",
    "dst",
    "natsrc",
    "natdst",
    "rule",
    "srcuser",
    "dstuser",
    "app",
    "vsys",
    "from",
    "to",
    "inbound_if",
    "outbound_if",
    "logset",
    "",
    "sessionid",
    "repeatcnt",
    "sport",
    "dport",
    "natsport",
    "natdport",
    "flags",
    "proto",
    "action",
];
/// What follows in a threat log.
const THREAT: [&str; 22] = [
    "misc",
    "threatid",
    "category",
    "severity",
    "direction",
    "seqno",
    "actionflags",
    "srcloc",
    "dstloc",
    "",
    "contenttype",
    "pcap_id",
    "filedigest",
    "cloud",
    "url_idx",
    "user_agent",
    "filetype",
    "xff",
    "referer",
    "sender",
    "subject",
    "recipient",
];
const TRAFFIC: [&str; 7] = ["bytes", "bytes_sent", "bytes_received", "packets", "start", "elapsed", "category"];

/// Where the columns begin: a number, a date with time, a serial number and the type of the log.
fn start(line: &[u8]) -> Option<usize> {
    let comma = memchr::memchr(b',', line)?;
    let start = memchr::memrchr(b' ', &line[..comma]).map_or(0, |blank| blank + 1);
    let is_number = start < comma && line[start..comma].iter().all(u8::is_ascii_digit);
    let mut columns = line[comma + 1..].splitn(4, |b| *b == b',');
    let (time, serial, kind) = (columns.next()?, columns.next()?, columns.next()?);
    let is_time = time.len() == 19 && time[4] == b'/' && time[10] == b' ' && time[13] == b':';
    let is_serial = serial.iter().all(u8::is_ascii_alphanumeric);
    (is_number && is_time && is_serial && matches!(kind, b"TRAFFIC" | b"THREAT")).then_some(start)
}

fn decode(event: &mut Event<'_>) -> Result<(), &'static str> {
    let line = event.line;
    let start = start(line).ok_or("no traffic or threat log of PAN-OS")?;
    let cells = csv::cells(&line[start..], b',', 512).ok_or("a quote is not closed")?;
    if cells.len() < COMMON.len() {
        return Err("fewer columns than PAN-OS writes");
    }
    syslog::push_prefix(event, start);
    let text = |number: usize| &line[start + cells[number].place.start..start + cells[number].place.end];
    let (is_threat, subtype) = (text(3) == b"THREAT", text(4));
    event.when = Some(text(6).into());
    let own = if is_threat { &THREAT[..] } else { &TRAFFIC[..] };
    let names = COMMON.iter().chain(own).copied().chain(std::iter::repeat(""));
    for (name, cell) in names.zip(&cells) {
        let place = start + cell.place.start..start + cell.place.end;
        let escapes = if cell.quoted { Escapes::Doubled } else { Escapes::None };
        let meaning = match name {
            "src" => Meaning::property("network-traffic:src_ref.value"),
            "dst" => Meaning::property("network-traffic:dst_ref.value"),
            // A second connection, of which the first is a translation.
            "natsrc" => Meaning::Property { path: "network-traffic:src_ref.value", group: 1 },
            "natdst" => Meaning::Property { path: "network-traffic:dst_ref.value", group: 1 },
            "sport" => Meaning::property("network-traffic:src_port"),
            "dport" => Meaning::property("network-traffic:dst_port"),
            "natsport" => Meaning::Property { path: "network-traffic:src_port", group: 1 },
            "natdport" => Meaning::Property { path: "network-traffic:dst_port", group: 1 },
            "proto" => Meaning::property("network-traffic:protocols[*]"),
            "srcuser" => Meaning::property("user-account:account_login"),
            "dstuser" => Meaning::Property { path: "user-account:account_login", group: 1 },
            "misc" if subtype == b"url" => Meaning::property("url:value"),
            "misc" if matches!(subtype, b"file" | b"virus" | b"wildfire" | b"wildfire-virus" | b"data") => {
                Meaning::property("file:name")
            }
            "filedigest" => Meaning::property("file:hashes.SHA-256"),
            "user_agent" => Meaning::property("network-traffic:extensions.http-request-ext.request_header.User-Agent"),
            "referer" => Meaning::Property { path: "url:value", group: 1 },
            "sender" => Meaning::property("email-message:from_ref.value"),
            "recipient" => Meaning::property("email-message:to_refs[*].value"),
            "subject" => Meaning::property("email-message:subject"),
            _ => Meaning::Open,
        };
        let name = if name.is_empty() { "extra" } else { name };
        match meaning {
            Meaning::Property { path: "email-message:to_refs[*].value" | "network-traffic:protocols[*]", .. } => {
                values::push_as(event, name, place.clone(), meaning);
            }
            _ => event.push_escaped(name, place.clone(), escapes, meaning),
        }
        // Their scheme is not said.
        let url = &line[place.clone()];
        if name == "misc" && subtype == b"url" && memchr::memmem::find(url, b"://").is_none() {
            for scheme in ["http://", "https://"] {
                let whole = [scheme.as_bytes(), url].concat();
                event.push_assembled(name, place.clone(), whole, Meaning::property("url:value"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::shown;

    const TRAFFIC: &str = "<14>Jan 31 10:05:03 fw1 1,2026/01/31 10:05:03,0011C100,TRAFFIC,end,2305,2026/01/31 10:05:02,10.0.0.2,203.0.113.9,198.51.100.7,203.0.113.9,\"allow, all\",corp\\joe,,ssl,vsys1,trust,untrust,eth1,eth2,fwd,2026/01/31 10:05:02,7,1,49152,443,20077,443,0x40,tcp,allow,5000,1000,4000,20";

    #[test]
    fn traffic_is_taken_apart() {
        let found = shown("pan-os", "", TRAFFIC);
        for expected in [
            "@2026/01/31 10:05:02",
            "host=fw1 domain-name:value",
            "src=10.0.0.2 network-traffic:src_ref.value",
            "dst=203.0.113.9 network-traffic:dst_ref.value",
            "natsrc=198.51.100.7 network-traffic:src_ref.value#1",
            "rule=allow, all",
            "srcuser=corp\\joe user-account:account_login",
            "dport=443 network-traffic:dst_port",
            "proto=tcp network-traffic:protocols[*]",
            "bytes_sent=1000",
        ] {
            assert!(found.lines().any(|line| line == expected), "{expected}\n{found}");
        }
        assert_eq!(
            shown("pan-os", "", "1,2026/01/31 10:05:03,0011,TRAFFIC,end,1"),
            "! fewer columns than PAN-OS writes"
        );
        assert_eq!(shown("pan-os", "", "1,2,3"), "! no traffic or threat log of PAN-OS");
    }

    #[test]
    fn threats_have_urls_or_files() {
        let threat = |subtype: &str, misc: &str| {
            let line = TRAFFIC.replace("TRAFFIC,end", &format!("THREAT,{subtype}"));
            let (common, _) = line.split_once(",5000").expect("its end");
            shown("pan-os", "", &format!("{common},{misc},(9999),c2,high,client-to-server"))
        };
        let url = threat("url", "\"evil.example/a,b\"");
        assert!(url.contains("misc=evil.example/a,b url:value\n") && url.contains("severity=high"), "{url}");
        assert!(url.contains("misc+=https://evil.example/a,b url:value\n"), "{url}");
        assert!(threat("virus", "evil.exe").contains("misc=evil.exe file:name"));
        assert!(threat("spyware", "evil.example").contains("misc=evil.example\n"));
    }
}
