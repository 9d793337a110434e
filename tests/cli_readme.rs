//! The examples of README.md are true: each `console` block is run, and must print what stands there.
//!
//! `SNAPSHOTS=overwrite cargo test --test cli_readme` writes down what is printed instead.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

#[test]
#[cfg(unix)]
fn readme_examples_print_what_they_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("there is a README");
    let (expected, run) = (readme.clone(), with_real_output(&readme));
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        std::fs::write(&path, run).expect("README can be written");
        return;
    }
    snapbox::assert_data_eq!(run, snapbox::Data::text(expected).raw());
}

/// The text with the output under each command of a `console` block replaced by what the command prints.
fn with_real_output(text: &str) -> String {
    let mut out = String::new();
    let (mut in_console, mut commands) = (false, 0);
    for line in text.lines() {
        if !in_console {
            in_console = line == "```console";
            out.push_str(line);
            out.push('\n');
        } else if let Some(command) = line.strip_prefix("$ ") {
            let _ = writeln!(out, "{line}");
            out.push_str(&output_of(command));
            commands += 1;
        } else if line == "```" {
            in_console = false;
            out.push_str("```\n");
        }
    }
    assert!(commands > 3 && !in_console, "the examples were found");
    out
}

/// What a shell command prints on both streams, run where a reader of the README would run it.
fn output_of(command: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_stockade")).parent().expect("the binary is in a directory");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", path)
        .output()
        .expect("there is a shell");
    String::from_utf8(output.stdout).expect("examples print UTF-8")
}
