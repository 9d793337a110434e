//! Suricata on packets of our own: queries, a connection to a listed address, a listed file by HTTP.

use super::dns::{A, query};
use super::render_support::{kinds, values};
use super::{Folder, command, digest, have, show, succeed};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 5);
const RESOLVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

fn ip(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len()) as u16;
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(&[0, 1, 0, 0, 64, protocol, 0, 0]);
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(payload);
    packet
}

fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let words = [from, to, (8 + payload.len()) as u16, 0];
    words.iter().flat_map(|word| word.to_be_bytes()).chain(payload.iter().copied()).collect()
}

/// A connection on port 80 with a request and its answer.
fn http(packets: &mut Vec<Vec<u8>>, server: Ipv4Addr, client_port: u16, host: &str, body: &str) {
    let request = format!("GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (c, s) = (2 + request.len() as u32, 2 + answer.len() as u32);
    let mut segment = |from_client: bool, sequence: u32, acknowledged: u32, flags: u8, data: &str| {
        let (ports, from, to) =
            if from_client { ([client_port, 80], CLIENT, server) } else { ([80, client_port], server, CLIENT) };
        let mut tcp: Vec<u8> = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
        tcp.extend_from_slice(&sequence.to_be_bytes());
        tcp.extend_from_slice(&acknowledged.to_be_bytes());
        tcp.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend_from_slice(data.as_bytes());
        packets.push(ip(from, to, 6, &tcp));
    };
    segment(true, 1, 0, 0x02, "");
    segment(false, 1, 2, 0x12, "");
    segment(true, 2, 2, 0x10, "");
    segment(true, 2, 2, 0x18, &request);
    segment(false, 2, c, 0x18, &answer);
    segment(true, c, s, 0x11, "");
    segment(false, s, c + 1, 0x11, "");
    segment(true, c + 1, s + 1, 0x10, "");
}

/// A capture file of raw IP packets, one a second.
fn capture(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 101] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for (second, packet) in packets.iter().enumerate() {
        for word in [1000 + second as u32, 0, packet.len() as u32, packet.len() as u32] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(packet);
    }
    file
}

const CONFIGURATION: &str = "%YAML 1.1
---
vars:
  address-groups: {HOME_NET: any, EXTERNAL_NET: any}
outputs:
  - fast: {enabled: yes, filename: fast.log}
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [{files: {force-hash: [md5, sha256]}}]}
app-layer:
  protocols:
    dns:
      udp: {enabled: yes, detection-ports: {dp: 53}}
      tcp: {enabled: yes, detection-ports: {dp: 53}}
    tls: {enabled: yes}
    http: {enabled: yes}
";

/// Alerts as the number of the rule and the two ends.
fn alerts(folder: &Folder, packets: &[Vec<u8>], rules: &str) -> BTreeSet<String> {
    let rules = folder.file("stockade.rules", rules);
    let capture = folder.file("capture", capture(packets));
    let configuration = folder.file("suricata.yaml", CONFIGURATION);
    let categories = folder.file("categories", "1,stockade,Listed by stockade\n");
    let printed = succeed(command("suricata").args([
        "-k",
        "none",
        "-r",
        show(&capture),
        "-S",
        show(&rules),
        "-c",
        show(&configuration),
        "-l",
        show(folder.0.path()),
        "--set",
        &format!("reputation-categories-file={}", show(&categories)),
        "--set",
        &format!("default-reputation-path={}", show(folder.0.path())),
        "--set",
        "reputation-files.0=reputation",
    ]));
    assert!(printed.contains(" 0 rules failed") && !printed.contains("Error"), "{printed}");
    let log = std::fs::read_to_string(folder.path("fast.log")).expect("the log");
    log.lines()
        .map(|line| {
            let number = line.split(':').nth(3).unwrap_or_default();
            let ends = line.rsplit("} ").next().unwrap_or_default();
            format!("{number} {ends}")
        })
        .collect()
}

#[test]
fn suricata_alerts_on_what_is_listed() {
    if !have(&["suricata", "md5sum", "sha256sum"]) {
        return;
    }
    let folder = Folder::new();
    let body = |name: &str| format!("{name}: {}", "not very evil, but long enough. ".repeat(10));
    let [md5, sha256] = ["md5", "sha256"].map(|name| digest(&folder, &format!("{name}sum"), &body(name)));
    let rules = values(["evil.example", "xn--bcher-kva.example", "203.0.113.0/25", "198.51.100.7", &md5, &sha256]);
    for kind in ["domain", "md5", "sha256"] {
        folder.list(&format!("stockade-{kind}.lst"), "suricata", &rules, &kinds(&[kind]));
    }
    folder.list("reputation", "suricata-iprep", &rules, &kinds(&[]));
    let written = folder.list("written", "suricata-rules", &rules, &kinds(&[]));
    let mut written = std::fs::read_to_string(written).expect("the rules");
    written.push_str("alert ip any any -> any any (msg:\"address\"; iprep:dst,stockade,>,50; sid:1; rev:1;)\n");

    let mut packets = Vec::new();
    for (port, name) in [
        (40001, "evil.example"),
        (40002, "EVIL.example"),
        (40003, "ok.example"),
        (40004, "notevil.example"),
        (40005, "xn--bcher-kva.example"),
    ] {
        packets.push(ip(CLIENT, RESOLVER, 17, &udp(port, 53, &query(name, A))));
    }
    let server = Ipv4Addr::new(198, 18, 0, 1);
    http(&mut packets, Ipv4Addr::new(203, 0, 113, 9), 5001, "ok.example", &body("ok"));
    http(&mut packets, Ipv4Addr::new(203, 0, 113, 129), 5002, "ok.example", &body("ok"));
    http(&mut packets, server, 5003, "Evil.Example", &body("ok"));
    http(&mut packets, server, 5004, "ok.example", &body("md5"));
    http(&mut packets, server, 5005, "ok.example", &body("sha256"));
    let expected = [
        "1 192.0.2.5:5001 -> 203.0.113.9:80",
        "1770001 192.0.2.5:40001 -> 192.0.2.53:53",
        "1770001 192.0.2.5:40002 -> 192.0.2.53:53",
        "1770001 192.0.2.5:40005 -> 192.0.2.53:53",
        "1770003 192.0.2.5:5003 -> 198.18.0.1:80",
        "1770011 198.18.0.1:80 -> 192.0.2.5:5004",
        "1770021 198.18.0.1:80 -> 192.0.2.5:5005",
    ];
    assert_eq!(alerts(&folder, &packets, &written), expected.map(str::to_owned).into());
}

#[test]
#[ignore = "100,000 names"]
fn suricata_takes_many() {
    if !have(&["suricata"]) {
        return;
    }
    let folder = Folder::new();
    let rules = super::listed(100_000);
    folder.list("stockade-domain.lst", "suricata", &rules, &kinds(&["domain"]));
    folder.list("reputation", "suricata-iprep", &rules, &kinds(&[]));
    let written = folder.list("written", "suricata-rules", &rules, &kinds(&["domain"]));
    let written = std::fs::read_to_string(written).expect("the rules");
    let packets = [
        ip(CLIENT, RESOLVER, 17, &udp(40001, 53, &query("host99999.bulk999.example", A))),
        ip(CLIENT, RESOLVER, 17, &udp(40002, 53, &query("ok.example", A))),
    ];
    assert_eq!(alerts(&folder, &packets, &written), ["1770001 192.0.2.5:40001 -> 192.0.2.53:53".to_owned()].into());
}
