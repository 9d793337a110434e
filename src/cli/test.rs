//! `stockade test`: unit tests for patterns.

use super::Globals;
use super::error::{self, Error, Outcome};
use super::matching::decompress::Text;
use serde::Serialize;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufWriter, Read, StdoutLock, Write};
use std::path::{Path, PathBuf};
use stockade::compile::Program;
use stockade::matcher::eval::{self, evaluate};
use stockade::pattern::{Parser, Reading};
use stockade::stix::observed::Reader;

/// Run unit tests for patterns
///
/// Each line of a file is one case, a JSON object with `name`, `pattern`, `expect` (match, nomatch, accept or reject)
/// and `observed_data`, a list of observed data of STIX 2.0 and bundles of STIX 2.1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all passed, 1 some failed, 2 something could not be read.")]
pub(crate) struct Args {
    /// Files of cases; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write one JSON object for each case
    #[arg(long)]
    json: bool,
    /// Read patterns with the repairs that feeds need, instead of by the standard alone
    #[arg(long)]
    pragmatic: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let mut tests = Tests {
        out: BufWriter::new(io::stdout().lock()),
        json: args.json,
        reading: if args.pragmatic { Reading::Pragmatic } else { Reading::Strict },
        parser: Parser::new(),
        passed: 0,
        failed: 0,
        broken: false,
    };
    for path in &args.files {
        match read(path) {
            Ok(bytes) => tests.file(path, &bytes, globals)?,
            Err(Error::Message(message)) => {
                error::say(message);
                tests.broken = true;
            }
            Err(closed) => return Err(closed),
        }
    }
    tests.finish()
}

/// The bytes of a file, or of standard input for `-`, decompressed if need be.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let opened = if path.as_os_str() == "-" { Text::new(io::stdin()) } else { File::open(path).and_then(Text::new) };
    let mut bytes = Vec::new();
    match opened.and_then(|mut text| text.read_to_end(&mut bytes)) {
        Ok(_) => Ok(bytes),
        Err(error) if path.as_os_str() == "-" => {
            Err(Error::new(format_args!("standard input: {}", error::reason(&error))))
        }
        Err(error) => Err(Error::file(path, &error)),
    }
}

/// An error of JSON that is one line by itself, which is not the first of its file.
fn in_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => format!("{} at column {}", &text[..end], error.column()),
        None => text,
    }
}

struct Tests {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    reading: Reading,
    parser: Parser,
    passed: u64,
    failed: u64,
    /// A file could not be read, or a line of one is no case.
    broken: bool,
}

/// What came of one case.
#[derive(Serialize)]
struct Report<'c> {
    name: &'c str,
    ok: bool,
    expect: &'c str,
    got: &'static str,
    /// Why, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Tests {
    fn file(&mut self, path: &Path, bytes: &[u8], globals: &Globals) -> Result<(), Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let place = format!("{}:{number}", path.display());
            match serde_json::from_slice(line) {
                Ok(Value::Object(mut case)) => {
                    let observed = case.remove("observed_data");
                    self.case(&place, &Value::Object(case), observed, globals)?;
                }
                Ok(_) => self.no_case(&place, "a case is a JSON object"),
                Err(error) => self.no_case(&place, &format!("no valid JSON: {}", in_line(&error))),
            }
        }
        Ok(())
    }

    fn no_case(&mut self, place: &str, reason: &str) {
        error::say(format_args!("{place}: {reason}"));
        self.broken = true;
    }

    fn case(&mut self, place: &str, case: &Value, observed: Option<Value>, globals: &Globals) -> Result<(), Error> {
        let text = |key: &str| case.get(key).and_then(Value::as_str);
        let name = text("name").unwrap_or(place);
        let Some(pattern) = text("pattern") else {
            self.no_case(place, "a case has a `pattern`, which is a string");
            return Ok(());
        };
        let Some(expect @ ("match" | "nomatch" | "accept" | "reject")) = text("expect") else {
            self.no_case(place, "a case has an `expect`: match, nomatch, accept or reject");
            return Ok(());
        };
        let (got, detail) = self.judge(pattern, expect, observed, &mut |problem| {
            globals.warn(format_args!("{place}: {problem}"));
        });
        let ok = got == expect;
        *if ok { &mut self.passed } else { &mut self.failed } += 1;
        self.report(&Report { name, ok, expect, got, detail }, pattern).map_err(|error| Error::output(&error))
    }

    /// What a case comes to, and why.
    fn judge(
        &mut self,
        pattern: &str,
        expect: &str,
        observed: Option<Value>,
        warn: &mut dyn FnMut(String),
    ) -> (&'static str, Option<String>) {
        let ast = match self.parser.parse(pattern, self.reading) {
            Ok(ast) => ast,
            Err(error) => return ("reject", Some(error.to_string())),
        };
        let program = match Program::new(&ast, self.reading) {
            Ok(program) => program,
            Err(error) => return ("reject", Some(error.to_string())),
        };
        if matches!(expect, "accept" | "reject") {
            return ("accept", None);
        }
        let mut reader = Reader::default();
        if let Some(observed) = observed {
            reader.add(observed);
        }
        let (observations, problems) = reader.finish();
        for problem in problems {
            warn(format!("{}: {}", problem.place, problem.detail));
        }
        match evaluate(&program, &observations) {
            eval::Outcome::Match(_) => ("match", None),
            eval::Outcome::NoMatch => ("nomatch", None),
            eval::Outcome::Undetermined(limit) => ("undetermined", Some(limit.to_string())),
        }
    }

    fn report(&mut self, report: &Report<'_>, pattern: &str) -> io::Result<()> {
        if self.json {
            serde_json::to_writer(&mut self.out, report)?;
            return self.out.write_all(b"\n");
        }
        if report.ok {
            return Ok(());
        }
        let Report { name, expect, got, detail, .. } = report;
        writeln!(self.out, "FAILED {name}: expected {expect}, got {got}")?;
        if let Some(detail) = detail {
            writeln!(self.out, "    {detail}")?;
        }
        writeln!(self.out, "    {pattern}")
    }

    fn finish(mut self) -> Result<Outcome, Error> {
        let written =
            if self.json { Ok(()) } else { writeln!(self.out, "{} passed, {} failed", self.passed, self.failed) };
        written.and_then(|()| self.out.flush()).map_err(|error| Error::output(&error))?;
        Ok(match self.failed {
            _ if self.broken => Outcome::Failed,
            0 => Outcome::Yes,
            _ => Outcome::No,
        })
    }
}
