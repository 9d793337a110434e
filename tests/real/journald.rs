//! The journal of systemd as a real `journalctl` writes it: lines, pretty-printed, and with bytes that cannot be printed.

use super::{Folder, command, have, show};
use std::process::{Command, Stdio};

/// Puts entries into a journal of our own.
const REMOTE: &str = "/usr/lib/systemd/systemd-journal-remote";

/// An entry in the export format of the journal; a text with control characters is written with its length.
fn entry(number: u64, message: &[u8]) -> Vec<u8> {
    let mut entry = format!(
        "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={number}\n_BOOT_ID=0123456789abcdef0123456789abcdef\nPRIORITY=6\n\
         _COMM=sshd\n_HOSTNAME=web1\nMESSAGE\n",
        1_769_853_903_250_000 + number
    )
    .into_bytes();
    entry.extend_from_slice(&(message.len() as u64).to_le_bytes());
    entry.extend_from_slice(message);
    entry.extend_from_slice(b"\n\n");
    entry
}

#[test]
fn entries_of_a_journal_have_fields_and_times() {
    if !have(&["journalctl"]) || !have(&[REMOTE]) {
        return;
    }
    let folder = Folder::new();
    let list = folder.file("list", "203.0.113.9\n");
    let messages: [&[u8]; 3] =
        [b"Failed password from 203.0.113.9 port 22", b"nothing", b"\x1b[1mto\x1b[0m 203.0.113.9 \xff"];
    let export: Vec<u8> = (1..).zip(messages).flat_map(|(number, message)| entry(number, message)).collect();
    let (export, journal) = (folder.file("export", export), folder.path("own.journal"));
    let made = Command::new(REMOTE).args(["-o", show(&journal), show(&export)]).output().expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (form, lines) in [("json", ["1", "3"]), ("json-pretty", ["", ""])] {
        let written = command("journalctl").args(["--file", show(&journal), "-o", form]).output().expect("it runs");
        let log = folder.file("log", written.stdout);
        let output = Command::new(env!("CARGO_BIN_EXE_stockade"))
            .args(["match", "--format", "csv", "-o", "-i", show(&list), show(&log)])
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        let rows = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows: Vec<Vec<&str>> = rows.lines().skip(1).map(|row| row.split(',').collect()).collect();
        assert_eq!(rows.len(), 2, "{form}: {rows:?}");
        for ((row, line), second) in rows.iter().zip(lines).zip(["250001", "250003"]) {
            assert!(line.is_empty() || row[1] == line, "{form}: {row:?}");
            assert_eq!((row[5], row[8], row[9]), (&*format!("2026-01-31T10:05:03.{second}Z"), "text", "MESSAGE"));
        }
    }
}
