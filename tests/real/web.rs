//! Proxies and web servers: a request for what is listed is denied, any other is served.

use super::render_support::kinds;
use super::{Folder, Running, command, free_port, have, listed, run, show, succeed};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The status of an answer to a request with these headers; `None` without one in a second.
fn request(port: u16, target: &str, headers: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    write!(stream, "GET {target} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

/// Names of hosts, and whether they are listed or below a listed one.
const HOSTS: [(&str, bool); 10] = [
    ("evil.example", true),
    ("EVIL.example", true),
    ("www.evil.example", true),
    ("evil.example:8080", true),
    ("other.example", true),
    ("ok.example", false),
    ("notevil.example", false),
    ("evil.example.good.org", false),
    ("evil.example.org", false),
    ("example", false),
];

/// Addresses, and whether they are listed.
const ADDRESSES: [(&str, bool); 7] = [
    ("198.51.100.7", true),
    ("198.51.100.8", false),
    ("203.0.113.191", true),
    ("203.0.113.192", false),
    ("2001:db8:bad::5", true),
    ("2001:db8::2", false),
    ("127.0.0.1", false),
];

fn haproxy(folder: &Folder, more: u32) -> (u16, Running) {
    let (port, rules) = (free_port(), listed(more));
    let names = folder.list("names", "haproxy", &rules, &kinds(&["domain"]));
    let addresses = folder.list("addresses", "haproxy", &rules, &kinds(&["ip"]));
    let configuration = folder.file(
        "haproxy.cfg",
        format!(
            "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s
frontend f\n bind 127.0.0.1:{port}
 http-request deny if {{ req.hdr(host),field(1,:),lower,regsub(^,.) -m end -f {} }}
 http-request deny if {{ req.hdr_ip(x-address) -f {} }}
 http-request return status 200\n",
            show(&names),
            show(&addresses)
        ),
    );
    succeed(command("haproxy").args(["-c", "-f", show(&configuration)]));
    let mut haproxy = Running::start(folder, command("haproxy").args(["-db", "-f", show(&configuration)]));
    haproxy.until(|| request(port, "/", "Host: ok.example"));
    (port, haproxy)
}

fn ask_haproxy(port: u16) {
    for (host, listed) in HOSTS {
        let expected = if listed { 403 } else { 200 };
        assert_eq!(request(port, "/", &format!("Host: {host}")), Some(expected), "{host}");
    }
    for (address, listed) in ADDRESSES {
        let expected = if listed { 403 } else { 200 };
        assert_eq!(
            request(port, "/", &format!("Host: ok.example\r\nX-Address: {address}")),
            Some(expected),
            "{address}"
        );
    }
}

#[test]
fn haproxy_denies_what_is_listed() {
    if have(&["haproxy"]) {
        let folder = Folder::new();
        let (port, _haproxy) = haproxy(&folder, 0);
        ask_haproxy(port);
    }
}

fn nginx(folder: &Folder, more: u32) -> (u16, Running) {
    let port = free_port();
    let list = folder.list("list", "nginx", &listed(more), &kinds(&["ip"]));
    let configuration = folder.file(
        "nginx.conf",
        format!(
            "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{ }}
http {{
 access_log off;
 client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
 uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
 geo $arg_address $blocked {{ default 0; include {list}; }}
 server {{ listen 127.0.0.1:{port}; if ($blocked) {{ return 403; }} return 200; }}
}}\n",
            folder = show(folder.0.path()),
            list = show(&list),
        ),
    );
    succeed(command("nginx").args(["-t", "-c", show(&configuration)]));
    let mut nginx = Running::start(folder, command("nginx").args(["-c", show(&configuration)]));
    nginx.until(|| request(port, "/", "Host: ok.example"));
    (port, nginx)
}

fn ask_nginx(port: u16) {
    for (address, listed) in ADDRESSES {
        let expected = if listed { 403 } else { 200 };
        assert_eq!(request(port, &format!("/?address={address}"), "Host: ok.example"), Some(expected), "{address}");
    }
}

#[test]
fn nginx_denies_what_is_listed() {
    if have(&["nginx"]) {
        let folder = Folder::new();
        let (port, _nginx) = nginx(&folder, 0);
        ask_nginx(port);
    }
}

fn squid_configuration(folder: &Folder, port: u16, more: u32) -> std::path::PathBuf {
    let rules = listed(more);
    let names = folder.list("names", "squid", &rules, &kinds(&["domain"]));
    let addresses = folder.list("addresses", "squid", &rules, &kinds(&["ip"]));
    // Where a name leads, without asking: a host that answers nothing.
    let hosts = HOSTS.map(|(host, _)| format!("127.0.0.1 {}\n", host.split(':').next().unwrap_or_default()));
    let hosts = folder.file("hosts", hosts.concat());
    folder.file(
        "squid.conf",
        format!(
            "http_port 127.0.0.1:{port}\npid_filename {folder}/pid\ncache_log {folder}/cache.log\naccess_log none
coredump_dir {folder}\nshutdown_lifetime 0 seconds\npinger_enable off\nnetdb_filename none
dns_nameservers 127.0.0.1\nhosts_file {hosts}\ndns_timeout 1 second\nconnect_timeout 1 second\nforward_max_tries 1\nforward_timeout 1 second
acl names dstdomain \"{names}\"\nacl addresses dst \"{addresses}\"
http_access deny addresses\nhttp_access deny names\nhttp_access allow all\n",
            folder = show(folder.0.path()),
            hosts = show(&hosts),
            names = show(&names),
            addresses = show(&addresses),
        ),
    )
}

#[test]
fn squid_denies_what_is_listed() {
    if !have(&["squid"]) {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let configuration = squid_configuration(&folder, port, 0);
    let printed = succeed(command("squid").args(["-k", "parse", "-f", show(&configuration)]));
    for complaint in ["WARNING", "ERROR", "FATAL", "Bungled"] {
        assert!(!printed.contains(complaint), "{printed}");
    }
    let service = format!("stockade{port}");
    let mut squid = Running::start(&folder, command("squid").args(["-N", "-n", &service, "-f", show(&configuration)]));
    squid.until(|| request(port, "http://evil.example/", "Host: evil.example"));
    for (host, listed) in HOSTS {
        let status = request(port, &format!("http://{host}/"), &format!("Host: {host}"));
        // What is not denied fails later.
        assert_eq!(status == Some(403), listed, "{host}: {status:?}");
    }
    for (address, listed) in ADDRESSES.into_iter().filter(|(address, _)| !address.contains(':')) {
        let status = request(port, &format!("http://{address}:1/"), &format!("Host: {address}:1"));
        assert_eq!(status == Some(403), listed, "{address}: {status:?}");
    }
}

#[test]
#[ignore = "100,000 names and as many addresses"]
fn servers_take_many() {
    if !have(&["haproxy", "nginx", "squid"]) {
        return;
    }
    let started = Instant::now();
    let folder = Folder::new();
    let (port, _haproxy) = haproxy(&folder, 100_000);
    ask_haproxy(port);
    eprintln!("haproxy: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let folder = Folder::new();
    let (port, _nginx) = nginx(&folder, 100_000);
    ask_nginx(port);
    eprintln!("nginx: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let folder = Folder::new();
    let configuration = squid_configuration(&folder, free_port(), 100_000);
    let output = run(command("squid").args(["-k", "parse", "-f", show(&configuration)]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    eprintln!("squid: {:.1} s", started.elapsed().as_secs_f64());
}
