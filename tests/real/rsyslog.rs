//! `stockade match --stream rsyslog` under a real rsyslogd, by its module mmexternal.

use super::{Folder, Running, command, free_port, have, show};
use std::io::Write as _;
use std::net::TcpStream;

/// What rsyslog is asked to write of a message: its text, a bar, and what it gained.
const TEMPLATE: &str = "%msg%|%$!threat!enrichments%\\n";

#[test]
fn messages_gain_what_was_found_in_them() {
    if !have(&["rsyslogd"]) {
        return;
    }
    for mode in ["msg", "rawmsg", "fulljson"] {
        let folder = Folder::new();
        let list = folder.file("list", "203.0.113.9\nevil.example\n");
        let (port, out) = (free_port(), folder.path("out"));
        let filter = format!("{} match --quiet -i {} --stream rsyslog", env!("CARGO_BIN_EXE_stockade"), show(&list));
        let conf = folder.file(
            "rsyslog.conf",
            format!(
                "global(workDirectory=\"{folder}\")\n\
                 module(load=\"imptcp\")\n\
                 module(load=\"mmexternal\")\n\
                 template(name=\"gained\" type=\"string\" string=\"{TEMPLATE}\")\n\
                 input(type=\"imptcp\" address=\"127.0.0.1\" port=\"{port}\")\n\
                 action(type=\"mmexternal\" binary=\"{filter}\" interface.input=\"{mode}\")\n\
                 action(type=\"omfile\" file=\"{out}\" template=\"gained\")\n",
                folder = show(folder.0.path()),
                out = show(&out)
            ),
        );
        let pid = folder.path("pid");
        let mut rsyslog =
            Running::start(&folder, command("rsyslogd").args(["-n", "-f", show(&conf), "-i", show(&pid)]));
        let mut stream = rsyslog.until(|| TcpStream::connect(("127.0.0.1", port)).ok());
        for number in 0..500 {
            let text = if number % 5 == 0 { "from 203.0.113.9 to evil.example" } else { "all is quiet" };
            writeln!(stream, "<38>Nov 22 04:00:00 host sshd[{number}]: {number} {text}").expect("it listens");
        }
        let written = rsyslog.until(|| {
            let written = std::fs::read_to_string(&out).unwrap_or_default();
            (written.lines().count() >= 500).then_some(written)
        });
        let rows: Vec<&str> = written.lines().collect();
        assert_eq!(rows.len(), 500, "{mode}");
        for (number, row) in rows.iter().enumerate() {
            let (text, gained) = row.split_once('|').unwrap_or_else(|| panic!("{mode}: {row}"));
            assert!(text.trim_start().starts_with(&format!("{number} ")), "{mode}: {row}");
            if number % 5 != 0 {
                assert_eq!(gained, "", "{mode}: {row}");
                continue;
            }
            let gained: serde_json::Value = serde_json::from_str(gained).unwrap_or_else(|_| panic!("{mode}: {row}"));
            let found: Vec<_> = gained.as_array().into_iter().flatten().map(|one| &one["matched"]["atomic"]).collect();
            assert_eq!(found, ["203.0.113.9", "evil.example"], "{mode}: each once");
        }
    }
}
