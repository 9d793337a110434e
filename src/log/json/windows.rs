//! Events of Windows as JSON: Sysmon and the security log as `evtx_dump`, `NXLog`, Wazuh and others write them. The names of
//! the fields are those of the events, whatever stands around them.

use super::family::{Family, Line, QUERY_RESULTS, TEXT, nothing_more};
use super::walk::Leaf;
use std::sync::OnceLock;

pub(super) static FAMILY: Family = Family {
    format: Family::row(
        "windows",
        "JSON of Windows events: Sysmon, Security and others, from evtx_dump, NXLog or Wazuh",
    ),
    is: |line| {
        line.has_below("Event.System")
            || line.has_below("Event.EventData")
            || line.has_below("data.win.eventdata")
            || line.has_below("winlog.event_data")
            || line.has("EventID")
                && ["Channel", "SourceName", "ProviderGuid", "Provider"].iter().any(|key| line.has(key))
    },
    fields: &[("Message", TEXT, 0), ("message", TEXT, 0), ("data.win.system.message", TEXT, 0)],
    times: &[
        "Event.EventData.UtcTime",
        "Event.System.TimeCreated.#attributes.SystemTime",
        "Event.System.TimeCreated_attributes.SystemTime",
        "data.win.system.systemTime",
        "UtcTime",
        "EventTime",
        "TimeCreated",
        "@timestamp",
    ],
    special: |line, leaf| PREFIXES.iter().find_map(|prefix| target(line, leaf, prefix)),
    finish: nothing_more,
    table: OnceLock::new(),
};

const PREFIXES: &[&str] =
    &["Event.EventData.", "Event.UserData.", "data.win.eventdata.", "winlog.event_data.", "EventData.", ""];

/// What the field of an event means, if the path begins so.
pub(super) fn target(line: &Line<'_>, leaf: &Leaf, prefix: &str) -> Option<(&'static str, u16)> {
    let name = line.bare(leaf).strip_prefix(prefix)?;
    let (_, path, base) = FIELDS.iter().find(|(listed, ..)| listed.eq_ignore_ascii_case(name))?;
    // Digests are those of the file that the event is about, where it is about one.
    if path.ends_with(".*") {
        let other = ["TargetFilename", "ImageLoaded"].iter().any(|file| {
            line.leaves.iter().any(|leaf| {
                let found = line.bare(leaf).strip_prefix(prefix);
                found.is_some_and(|found| found.eq_ignore_ascii_case(file))
            })
        });
        return Some(if other { ("file:hashes.*", 100) } else { (path, *base) });
    }
    Some((path, *base))
}

const FIELDS: &[(&str, &str, u16)] = &[
    // Sysmon.
    ("Image", "process:image_ref.path", 0),
    ("CommandLine", "process:command_line", 0),
    ("CurrentDirectory", "process:cwd", 0),
    ("ProcessId", "process:pid", 0),
    ("User", "user-account:account_login", 0),
    ("Hashes", "process:image_ref.hashes.*", 0),
    ("Hash", "process:image_ref.hashes.*", 0),
    ("OriginalFileName", "file:name", 300),
    ("ParentImage", "process:parent_ref.image_ref.path", 0),
    ("ParentCommandLine", "process:parent_ref.command_line", 0),
    ("ParentProcessId", "process:parent_ref.pid", 0),
    ("ImageLoaded", "file:path", 100),
    ("TargetFilename", "file:path", 100),
    ("SourceIp", "network-traffic:src_ref.value", 0),
    ("SourceHostname", "network-traffic:src_ref.value", 0),
    ("SourcePort", "network-traffic:src_port", 0),
    ("DestinationIp", "network-traffic:dst_ref.value", 0),
    ("DestinationHostname", "network-traffic:dst_ref.value", 0),
    ("DestinationPort", "network-traffic:dst_port", 0),
    ("Protocol", "network-traffic:protocols[*]", 0),
    ("QueryName", "domain-name:value", 0),
    ("QueryResults", QUERY_RESULTS, 0),
    ("TargetObject", "windows-registry-key:key", 0),
    ("Details", "windows-registry-key:values[*].data", 0),
    ("NewName", "windows-registry-key:key", 1),
    ("SourceImage", "process:image_ref.path", 10),
    ("TargetImage", "process:image_ref.path", 11),
    ("SourceUser", "user-account:account_login", 10),
    ("TargetUser", "user-account:account_login", 11),
    ("ParentUser", "user-account:account_login", 12),
    // Security and System.
    ("IpAddress", "network-traffic:src_ref.value", 0),
    ("ClientAddress", "network-traffic:src_ref.value", 0),
    ("SourceAddress", "network-traffic:src_ref.value", 0),
    ("IpPort", "network-traffic:src_port", 0),
    ("ClientPort", "network-traffic:src_port", 0),
    ("DestAddress", "network-traffic:dst_ref.value", 0),
    ("DestinationAddress", "network-traffic:dst_ref.value", 0),
    ("DestPort", "network-traffic:dst_port", 0),
    ("Application", "process:image_ref.path", 0),
    ("NewProcessName", "process:image_ref.path", 0),
    ("ProcessName", "process:image_ref.path", 0),
    ("ParentProcessName", "process:parent_ref.image_ref.path", 0),
    ("NewProcessId", "process:pid", 0),
    ("SubjectUserName", "user-account:account_login", 1),
    ("SubjectUserSid", "user-account:user_id", 1),
    ("TargetUserName", "user-account:account_login", 2),
    ("TargetUserSid", "user-account:user_id", 2),
    ("SamAccountName", "user-account:account_login", 3),
    ("ObjectName", "file:path", 200),
    ("ServiceFileName", "process:command_line", 20),
    ("ImagePath", "process:command_line", 20),
    ("ScriptBlockText", TEXT, 0),
    ("Payload", TEXT, 0),
    ("Contents", TEXT, 0),
];
