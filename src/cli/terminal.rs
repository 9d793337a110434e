//! Terminals: whether there is one, whether it gets colour, and what must not reach it.

use std::io::{self, IsTerminal, Write, stderr, stdout};

/// `--color`
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal that can, unless `NO_COLOR` is set.
    Auto,
    /// In any case.
    Always,
    /// Not at all.
    Never,
}

impl ColorChoice {
    /// Whether standard output is to have colour.
    pub(crate) fn for_stdout(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// `--progress`
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProgressChoice {
    /// When standard error is a terminal.
    Auto,
    /// Not at all.
    Never,
}

impl ProgressChoice {
    /// Whether to show progress. Not while results go to the terminal too: the two would overwrite each other.
    pub(crate) fn wanted(self) -> bool {
        self == Self::Auto && stderr().is_terminal() && !stdout().is_terminal()
    }
}

/// Writes lines to standard output, with what could steer a terminal made visible if it is one.
pub(crate) fn print(lines: &[u8]) -> io::Result<()> {
    let mut out = stdout();
    if out.is_terminal() { out.write_all(&visible(lines)) } else { out.write_all(lines) }
}

/// As [`print`], for whole lines that come piece by piece.
pub(crate) struct Printer;

impl Write for Printer {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        print(lines).map(|()| lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stdout().flush()
    }
}

/// Writes lines to standard error, likewise.
pub(crate) fn print_error(lines: &[u8]) -> io::Result<()> {
    let mut out = stderr();
    if out.is_terminal() { out.write_all(&visible(lines)) } else { out.write_all(lines) }
}

/// Lines with everything escaped but their ends.
fn visible(lines: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        escape(line.strip_suffix(b"\n").unwrap_or(line), &mut out);
        out.extend_from_slice(&line[line.len() - usize::from(line.ends_with(b"\n"))..]);
    }
    out
}

/// Appends text to what goes to a terminal, with everything that could steer it made visible: control characters but the
/// tab, marks that turn the direction of writing, and bytes that are no UTF-8.
pub(crate) fn escape(text: &[u8], out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' => out.push(b'\t'),
                '\0'..='\x1f' | '\x7f' => out.extend_from_slice(format!("\\x{:02x}", u32::from(c)).as_bytes()),
                '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    out.extend_from_slice(format!("\\u{{{:x}}}", u32::from(c)).as_bytes());
                }
                _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        for byte in chunk.invalid() {
            out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines() {
        assert_eq!(visible(b"one\ntwo\x07\n\nend"), b"one\ntwo\\x07\n\nend");
    }

    #[test]
    fn nothing_that_steers_a_terminal_passes() {
        for (text, shown) in [
            (&b"plain text\twith tab"[..], "plain text\twith tab"),
            (b"\x1b[2Jgone", "\\x1b[2Jgone"),
            (b"a\rb\x00\x7f\x08", "a\\x0db\\x00\\x7f\\x08"),
            (b"\xc2\x9b31m", "\\u{9b}31m"),
            (b"\x9b31m \xff\xfe", "\\x9b31m \\xff\\xfe"),
            ("\u{202e}txt.exe".as_bytes(), "\\u{202e}txt.exe"),
            ("bücher.example".as_bytes(), "bücher.example"),
        ] {
            let mut out = Vec::new();
            escape(text, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), shown);
        }
    }
}
