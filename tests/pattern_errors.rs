//! What a feed author reads when a pattern is wrong: the message, the place, the help.
//!
//! The golden file holds the text for every mistake in the table; `SNAPSHOTS=overwrite` writes it anew.

use snapbox::{assert_data_eq, file};
use std::fmt::Write;
use stockade::pattern::{Pattern, Reading};

/// Typical mistakes, one a line as they would be written.
const MISTAKES: &[&str] = &[
    "",
    "   ",
    "evil.example",
    "203.0.113.7",
    "domain-name:value = 'evil.example'",
    "domain-name:value = 'a' FOLLOWEDBY domain-name:value = 'b'",
    "[]",
    "[domain-name:value]",
    "[domain-name = 'evil.example']",
    "[domain-name.value = 'evil.example']",
    "[domain-name: = 'evil.example']",
    "[domain-name:value = evil.example]",
    "[domain-name:value = \"evil.example\"]",
    "[domain-name:value = ‘evil.example’]",
    "[domain-name:value = 'evil.example]",
    "[domain-name:value = 'evil.example'",
    "domain-name:value = 'evil.example']",
    "[domain-name:value = 'evil.example')",
    "[domain-name:value = 'evil.example']]",
    "([domain-name:value = 'evil.example']",
    "[(domain-name:value = 'evil.example']",
    "[[domain-name:value = 'evil.example']]",
    "[domain-name:value 'evil.example']",
    "[domain-name:value is 'evil.example']",
    "[domain-name:value contains 'evil']",
    "[domain-name:value like 'evil%']",
    "[domain-name:value ! LIKE 'evil%']",
    "[domain-name:value = 'a' and domain-name:x_b = 'b']",
    "[domain-name:value = 'a' && domain-name:value = 'b']",
    "[domain-name:value = 'a' | domain-name:value = 'b']",
    "[domain-name:value = 'a', domain-name:value = 'b']",
    "[domain-name:value = 'a' AND ipv4-addr:value = '203.0.113.7']",
    "[(file:name = 'a' OR directory:path = 'b') AND (url:value = 'c' OR ipv4-addr:value = 'd')]",
    "[file:name = 'a'] [file:name = 'b']",
    "[file:name = 'a'] followedby [file:name = 'b']",
    "[file:name = 'a'] FOLLOWED BY [file:name = 'b']",
    "[NOT file:name = 'a']",
    "[NOT (file:name = 'a')]",
    "[file:name EXISTS]",
    "[file:hashes.SHA-256 = 'aa']",
    "[file:hashes.'SHA-256 = 'aa']",
    "[process:start = 'x' OR process:START = 'x']",
    "[IN:name = 'x']",
    "[windows-registry-key:key = 'HKLM\\Software']",
    r"[directory:path = 'C:\Windows\']",
    "[file:name = 'it's.exe']",
    "[file:size = 007]",
    "[file:size = 5.]",
    "[file:size = 0x10]",
    "[ipv4-addr:value = 203.0.113.7]",
    "[ipv4-addr:value ISSUBSET 203.0.113.0/24]",
    "[file:size > 1e3]",
    "[file:size > 'x' OR file:is_directory > true]",
    "[file:is_directory = TRUE]",
    "[file:name IN 'a', 'b']",
    "[file:name IN ('a' 'b')]",
    "[file:name IN ('a', 5)]",
    "[file:name IN ('a',)]",
    "[file:name LIKE 5]",
    "[file:name MATCHES /x/]",
    "[file:magic_number_hex = h'c0f']",
    "[file:magic_number_hex = h'c0fg']",
    "[artifact:payload_bin = b'QUJ']",
    "[artifact:payload_bin = b'QU*D']",
    "[file:mtime > t'2026-02-30T00:00:00Z']",
    "[file:mtime > t'2026-01-01 00:00:00']",
    "[file:mtime > 2026-01-01T00:00:00Z]",
    "[process:child_refs[-1].pid = 5]",
    "[process:child_refs[first].pid = 5]",
    "[process:child_refs[99999999999999999999].pid = 5]",
    "[file:name = 'a'] WITHIN 5 MINUTES",
    "[file:name = 'a'] WITHIN 0 SECONDS",
    "[file:name = 'a'] WITHIN SECONDS",
    "[file:name = 'a'] REPEATS 0 TIMES",
    "[file:name = 'a'] REPEATS 2.5 TIMES",
    "[file:name = 'a'] REPEATS 5",
    "[file:name = 'a'] START 2026-01-01 STOP 2026-02-01",
    "[file:name = 'a'] START t'2026-02-01T00:00:00Z' STOP t'2026-01-01T00:00:00Z'",
    "[file:name = 'a'] START '2026-02-01' STOP '2026-03-01'",
    "[file:name = 'a'] STOP t'2026-01-01T00:00:00Z'",
    "([file:name = 'a']) WITHIN 5 SECONDS WITHIN 6 SECONDS",
    "[file:name = 'a'] /* seen",
    "[file:name = 'a' AND\n file:size = 5 AND\r\n\tfile:größe = 7]",
    "[file:name = '漢字テスト' AND file:名 = 'x']",
    "[file:name = 'a\u{7}\u{1b}[31m' \u{202e}AND file:size = 5]",
    "[file:name = 'a'\u{200b}]",
    "rule suspicious { strings: $a = \"x\" condition: $a }",
    "alert tcp any any -> any any (msg:\"x\";)",
];

#[test]
fn messages_say_what_is_wrong_and_what_to_do() {
    let mut report = String::new();
    for text in MISTAKES {
        let error = Pattern::parse(text, Reading::Strict).expect_err(text);
        writeln!(report, "{}\n", error.render(text)).unwrap();
    }
    assert_data_eq!(report, file!["golden/pattern_errors.txt"].raw());
}

#[test]
fn the_pragmatic_reading_says_the_same_of_what_it_cannot_repair() {
    let repaired = |text: &&&str| Pattern::parse(text, Reading::Pragmatic).is_ok();
    let differ: Vec<_> = MISTAKES
        .iter()
        .filter(|text| !repaired(text))
        .filter(|text| Pattern::parse(text, Reading::Strict).err() != Pattern::parse(text, Reading::Pragmatic).err())
        .collect();
    // A repair comes first in these, so that the error is another one.
    assert_eq!(
        differ,
        [&"domain-name:value = 'a' FOLLOWEDBY domain-name:value = 'b'", &"domain-name:value = 'evil.example']",]
    );
}

#[test]
fn long_lines_show_the_surroundings_only() {
    let many = vec!["file:name = 'x'"; 1000].join(" OR ");
    let mut report = String::new();
    for text in [
        format!("[{many} OR file:size = ]"),
        format!("[file:size = x OR {many}]"),
        format!("[{many} XOR {many}]"),
        format!("[{many} OR file:name = {}]", "y".repeat(1000)),
        format!("[{many}"),
    ] {
        let error = Pattern::parse(&text, Reading::Strict).expect_err(&text);
        writeln!(report, "{}\n", error.render(&text)).unwrap();
    }
    assert_data_eq!(report, file!["golden/pattern_errors_long.txt"].raw());
}
