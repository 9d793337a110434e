//! Commands of the configuration file: words, no shell.

use crate::cli::error::reason;
use std::path::Path;
use std::process::{Command, Stdio};

/// How much of what a failed command said is shown.
const SHOWN: usize = 500;

/// Runs a command to its end. `{}` in its words stands for a file.
///
/// # Errors
/// It could not be started or did not end well: what it is and what it said.
pub(super) fn run(command: &str, file: Option<&Path>) -> Result<(), String> {
    let words = words(command).ok_or_else(|| format!("command `{command}` has a quote without end"))?;
    let file = file.map(|file| file.display().to_string());
    let mut words = words.into_iter().map(|word| match &file {
        Some(file) => word.replace("{}", file),
        None => word,
    });
    let Some(program) = words.next() else { return Err("command is empty".to_owned()) };
    let output = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("command `{command}` failed: {program}: {}", reason(&error)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = if output.stderr.trim_ascii().is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said);
    let said = said.trim();
    let start = said.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
    let said = if said.is_empty() { String::new() } else { format!(": {}", &said[start..]) };
    Err(format!("command `{command}` failed with {}{said}", output.status))
}

/// Splits a command at white space; quotes hold words together and can hold nothing else back.
fn words(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_white_space_and_nothing_is_special() {
        for (command, expected) in [
            ("named-checkzone  rpz {}", Some(vec!["named-checkzone", "rpz", "{}"])),
            ("sh -c 'exit 1; $x'", Some(vec!["sh", "-c", "exit 1; $x"])),
            ("a \"b c\"d ''", Some(vec!["a", "b cd", ""])),
            ("a; b | c", Some(vec!["a;", "b", "|", "c"])),
            ("", Some(vec![])),
            ("a 'b", None),
        ] {
            let split = words(command);
            assert_eq!(split.as_ref().map(|words| words.iter().map(String::as_str).collect()), expected, "{command}");
        }
    }

    #[test]
    fn failures_tell_what_was_said() {
        assert_eq!(run("true", None), Ok(()));
        assert_eq!(run("test {} = /a/b", Some(Path::new("/a/b"))), Ok(()));
        let error = run("sh -c 'echo bad line 3 >&2; exit 4'", None).expect_err("it fails");
        assert!(error.ends_with("failed with exit status: 4: bad line 3"), "{error}");
        assert!(run("no-such-program-anywhere", None).expect_err("it fails").ends_with("No such file or directory"));
    }
}
