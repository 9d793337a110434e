//! Texts without a shape of their own: found in plain text only by their letters, where they stand on token borders.

/// A path, if its values are worth looking for in plain text.
pub fn literal_path(path: &str) -> Option<&'static str> {
    PATHS.iter().find(|(listed, _)| *listed == path).map(|(listed, _)| *listed)
}

/// The type of the object that holds the value of such a path.
pub fn literal_object_type(path: &str) -> &'static str {
    PATHS.iter().find(|(listed, _)| *listed == path).map_or("", |(_, object_type)| object_type)
}

const PATHS: &[(&str, &str)] = &[
    ("file:name", "file"),
    ("file:path", "file"),
    ("file:hashes.SSDEEP", "file"),
    ("file:hashes.TLSH", "file"),
    ("file:parent_directory_ref.path", "directory"),
    ("directory:path", "directory"),
    ("mutex:name", "mutex"),
    ("process:command_line", "process"),
    ("process:name", "process"),
    ("process:image_ref.name", "process"),
    ("process:binary_ref.name", "process"),
    ("windows-registry-key:key", "windows-registry-key"),
    ("windows-registry-key:values[*].data", "windows-registry-key"),
    ("windows-registry-key:values[*].name", "windows-registry-key"),
    ("email-message:subject", "email-message"),
    ("network-traffic:extensions.http-request-ext.request_header.User-Agent", "network-traffic"),
    ("x509-certificate:serial_number", "x509-certificate"),
    ("x509-certificate:subject", "x509-certificate"),
    ("user-account:account_login", "user-account"),
    ("user-account:user_id", "user-account"),
];

/// Why a text is not looked for in plain text.
pub fn literal_is_vague(text: &str) -> Option<&'static str> {
    let letters = text.chars().count();
    if letters < SHORTEST {
        return Some("too short to mean anything in plain text");
    }
    if text.contains('\n') {
        return Some("spans several lines");
    }
    let word = text.bytes().all(|b| b.is_ascii_alphanumeric());
    if word && letters < SHORTEST_WORD {
        return Some("a single short word");
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_punctuation() || b == b' ') {
        return Some("digits and punctuation only");
    }
    COMMON.iter().any(|c| c.eq_ignore_ascii_case(text)).then_some("too common to mean anything in plain text")
}

const SHORTEST: usize = 5;
const SHORTEST_WORD: usize = 8;

/// Names that stand in the logs of every machine.
const COMMON: &[&str] = &[
    "administrator",
    "chrome.exe",
    "cmd.exe",
    "conhost.exe",
    "csrss.exe",
    "cscript.exe",
    "dllhost.exe",
    "explorer.exe",
    "firefox.exe",
    "iexplore.exe",
    "index.html",
    "index.php",
    "java.exe",
    "javascript",
    "kernel32.dll",
    "lsass.exe",
    "mshta.exe",
    "msiexec.exe",
    "Mozilla/4.0",
    "Mozilla/5.0",
    "net.exe",
    "node.exe",
    "notepad.exe",
    "ntdll.dll",
    "powershell",
    "powershell.exe",
    "python.exe",
    "reg.exe",
    "regsvr32.exe",
    "root@localhost",
    "rundll32.exe",
    "sc.exe",
    "schtasks.exe",
    "services.exe",
    "setup.exe",
    "smss.exe",
    "spoolsv.exe",
    "svchost.exe",
    "system32",
    "taskhost.exe",
    "unknown",
    "update.exe",
    "winlogon.exe",
    "winword.exe",
    "wscript.exe",
    "wmic.exe",
    "C:\\Windows\\System32",
    "C:\\Windows",
    "C:\\Windows\\Temp",
    "%TEMP%",
    "%APPDATA%",
    "/usr/bin",
    "/bin/sh",
    "/bin/bash",
    "/tmp",
    "/dev/null",
];

/// Whether a text that begins and ends here stands on token borders: neither end cuts a word, a name or a path
/// component in two. A full stop that ends a sentence is a border.
pub fn on_borders(line: &[u8], start: usize, end: usize) -> bool {
    begins_on_border(line, start) && ends_on_border(line, end)
}

/// Whether nothing before this place belongs to what begins there.
pub fn begins_on_border(line: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).map(|at| line[at]) else { return true };
    let joined = is_part(before) || (before == b'.' && start >= 2 && is_part(line[start - 2]));
    !(line.get(start).is_some_and(|first| is_part(*first)) && joined)
}

/// Whether nothing behind this place belongs to what ends there.
pub fn ends_on_border(line: &[u8], end: usize) -> bool {
    let Some(after) = line.get(end) else { return true };
    let joined = is_part(*after) || (*after == b'.' && line.get(end + 1).is_some_and(u8::is_ascii_alphanumeric));
    !(end > 0 && is_part(line[end - 1]) && joined)
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::{literal_is_vague, on_borders};

    #[test]
    fn a_literal_stands_on_borders() {
        let cases = [
            ("ran evil.exe now", true),
            (r"C:\temp\evil.exe", true),
            ("evil.exe.", true),
            ("\"evil.exe\"", true),
            ("(evil.exe)", true),
            ("notevil.exe", false),
            ("not-evil.exe", false),
            ("evil.exe.bak", false),
            ("evil.exes", false),
            ("my.evil.exe", false),
        ];
        for (line, expected) in cases {
            let start = line.find("evil.exe").unwrap();
            assert_eq!(on_borders(line.as_bytes(), start, start + 8), expected, "{line}");
        }
    }

    #[test]
    fn vague_values_are_left_out() {
        assert!(literal_is_vague("a.b").is_some());
        assert!(literal_is_vague("cmd.exe").is_some());
        assert!(literal_is_vague("launchd").is_some());
        assert!(literal_is_vague("12345678").is_some());
        assert!(literal_is_vague("evil.exe").is_none());
        assert!(literal_is_vague(r"HKLM\Software\Evil").is_none());
    }
}
