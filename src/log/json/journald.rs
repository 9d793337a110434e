//! The journal of systemd, as `journalctl -o json` writes it.

use super::family::{Family, TEXT, nothing_more, nothing_special};
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row("journald", "JSON of journalctl -o json"),
    is: |line| line.has("__REALTIME_TIMESTAMP") || line.has("_BOOT_ID") && line.has("PRIORITY"),
    fields: &[
        ("MESSAGE", TEXT, 0),
        ("_EXE", "process:image_ref.path", 0),
        ("_COMM", "process:name", 0),
        ("_CMDLINE", "process:command_line", 0),
        ("_PID", "process:pid", 0),
        ("_HOSTNAME", "domain-name:value", 0),
        ("_UID", "user-account:user_id", 0),
    ],
    times: &["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"],
    special: nothing_special,
    finish: nothing_more,
    table: OnceLock::new(),
};
