//! `CrowdSec`: decisions as its local interface hands them to bouncers.

use super::{Folder, Running, command, free_port, have, listed, run, show};
use std::io::{Read, Write};
use std::net::TcpStream;
use stockade::render::Options;

#[test]
fn crowdsec_bans_what_is_listed() {
    if !have(&["crowdsec", "cscli"]) {
        return;
    }
    let folder = Folder::new();
    let port = free_port();
    let at = show(folder.0.path()).to_owned();
    folder.file("simulation.yaml", "simulation: false\n");
    folder.file("index.json", "{}");
    folder.file("credentials.yaml", "");
    folder.file("profiles.yaml", "name: none\nfilters: [\"false\"]\ndecisions: []\n");
    let config = folder.file(
        "config.yaml",
        format!(
            "common: {{daemonize: false, log_media: stdout, log_level: warning, working_dir: {at}}}
config_paths: {{config_dir: {at}, data_dir: {at}, simulation_path: {at}/simulation.yaml, hub_dir: {at}, \
             index_path: {at}/index.json, notification_dir: {at}, plugin_dir: {at}}}
db_config: {{type: sqlite, db_path: {at}/decisions.db}}
api:
  client: {{credentials_path: {at}/credentials.yaml}}
  server: {{listen_uri: \"127.0.0.1:{port}\", profiles_path: {at}/profiles.yaml}}
prometheus: {{enabled: false}}
"
        ),
    );
    let cscli = |arguments: &[&str]| {
        let output = run(command("cscli").args(["-c", show(&config)]).args(arguments));
        String::from_utf8(output.stdout).expect("text")
    };
    let credentials = folder.path("credentials.yaml");
    cscli(&["machines", "add", "test", "--password", "loopback", "-f", show(&credentials)]);
    let key = cscli(&["bouncers", "add", "test", "-o", "raw"]);
    let mut local = Running::start(&folder, command("crowdsec").args(["-c", show(&config), "-no-cs"]));
    local.until(|| TcpStream::connect(("127.0.0.1", port)).ok());

    let list = folder.list("list.csv", "crowdsec", &listed(0), &Options { timeout: Some(600), ..Options::default() });
    cscli(&["decisions", "import", "-i", show(&list)]);
    for (address, banned) in [
        ("198.51.100.7", true),
        ("198.51.100.8", false),
        ("203.0.113.191", true),
        ("203.0.113.192", false),
        ("2001:db8:bad::5", true),
        ("2001:db8::2", false),
    ] {
        let answer = ask(port, key.trim(), address);
        assert_eq!(answer.contains("\"type\":\"ban\""), banned, "{address}: {answer}");
        // A decision that outlives its list would block for ever.
        assert!(!banned || answer.contains("\"duration\":\"9m5"), "{address}: {answer}");
    }
}

/// What a bouncer is told of an address.
fn ask(port: u16, key: &str, address: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = format!(
        "GET /v1/decisions?ip={address} HTTP/1.0\r\nHost: 127.0.0.1\r\nX-Api-Key: {key}\r\nUser-Agent: test\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains(" 200 "), "{answer}");
    answer
}
