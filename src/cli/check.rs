//! `stockade check`: whether patterns are valid, and what the pragmatic reading mends.

mod inputs;

use super::Globals;
use super::error::{self, Error, Outcome};
use super::terminal;
use super::test::read;
use inputs::{Content, Input};
use serde::Serialize;
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::PathBuf;
use stockade::compile::program::{self, Program};
use stockade::pattern::{Ast, Parser, Reading, Span, excerpt};

/// Validate patterns, and list what the pragmatic reading would mend
///
/// The input is STIX bundles or objects, one pattern a line, or one JSON value a line: a string, or an object with
/// a `pattern`. Indicators whose `pattern_type` is not `stix` are skipped.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all valid, 1 some invalid, 2 something failed.")]
pub(crate) struct Args {
    /// Files of patterns; `-` is standard input, which is also read when none is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write one JSON object for each pattern, in the order of the input
    #[arg(long)]
    json: bool,
    /// Judge by the standard alone, without repairs
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let mut check = Check {
        out: BufWriter::new(io::stdout().lock()),
        json: args.json,
        reading: if args.strict { Reading::Strict } else { Reading::Pragmatic },
        parser: Parser::new(),
        counts: Counts::default(),
    };
    let stdin = [PathBuf::from("-")];
    let mut failed = false;
    for path in if args.files.is_empty() { &stdin[..] } else { &args.files } {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(Error::Message(message)) => {
                error::say(message);
                failed = true;
                continue;
            }
            Err(closed) => return Err(closed),
        };
        let name = if path.as_os_str() == "-" { "(standard input)".into() } else { path.display().to_string() };
        if let Err(broken) = inputs::each(&bytes, &mut |input| check.input(&name, &input))? {
            error::say(format_args!("{name}: {broken}"));
            failed = true;
        }
    }
    check.out.flush().map_err(|error| Error::output(&error))?;
    globals.warn(check.counts.summary());
    Ok(match check.counts.invalid {
        _ if failed => Outcome::Failed,
        0 => Outcome::Yes,
        _ => Outcome::No,
    })
}

/// Judges patterns one after another.
struct Check {
    out: BufWriter<StdoutLock<'static>>,
    json: bool,
    reading: Reading,
    parser: Parser,
    counts: Counts,
}

/// What came of one pattern; its JSON form is the command's output.
#[derive(Serialize)]
struct Verdict<'a> {
    /// Nothing for what is no STIX pattern.
    valid: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<[u32; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<Warning>,
    repairs: Vec<Finding>,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    /// The error or warning as text shows it.
    #[serde(skip)]
    rendered: String,
}

/// Why a valid pattern can never match: a regular expression that is broken or beyond what is supported, say. The
/// language has no rule against it.
#[derive(Serialize)]
struct Warning {
    message: String,
    span: [u32; 2],
}

/// Something that the pragmatic reading mends.
#[derive(Serialize)]
struct Finding {
    kind: &'static str,
    message: String,
    span: [u32; 2],
}

/// Everything that the pragmatic reading mends in a pattern: the one place that lists it.
fn repairs(ast: &Ast<'_>) -> Vec<Finding> {
    let syntax = ast.repairs.iter().map(|repair| Finding {
        kind: repair.kind.name(),
        message: repair.to_string(),
        span: pair(repair.span),
    });
    let meaning = program::repairs(ast).into_vec().into_iter().map(|repair| Finding {
        kind: repair.kind.name(),
        message: repair.to_string(),
        span: pair(repair.span),
    });
    let mut all: Vec<Finding> = syntax.chain(meaning).collect();
    all.sort_by_key(|finding| finding.span);
    all
}

fn pair(span: Span) -> [u32; 2] {
    [span.start, span.end]
}

impl Check {
    fn input(&mut self, path: &str, input: &Input<'_>) -> Result<(), Error> {
        let mut verdict = Verdict {
            valid: Some(true),
            error: None,
            span: None,
            skipped: None,
            warning: None,
            repairs: Vec::new(),
            path,
            line: input.line,
            id: input.id.as_deref(),
            rendered: String::new(),
        };
        match &input.content {
            Content::Pattern(text) => match self.parser.parse(text, self.reading) {
                Ok(ast) => {
                    if self.reading == Reading::Pragmatic {
                        verdict.repairs = repairs(&ast);
                    }
                    if let Err(error) = Program::new(&ast, self.reading) {
                        verdict.rendered = format!("never matches: {error}\n{}", excerpt(text, error.span));
                        verdict.warning = Some(Warning { message: error.to_string(), span: pair(error.span) });
                    }
                }
                Err(error) => {
                    verdict.valid = Some(false);
                    verdict.span = Some(pair(error.span()));
                    verdict.rendered = error.render(text);
                    verdict.error = Some(error.to_string());
                }
            },
            Content::Unusable { message, span } => {
                verdict.valid = Some(false);
                verdict.span = *span;
                verdict.rendered = format!("{message}\n");
                verdict.error = Some(message.clone());
            }
            Content::OtherLanguage(pattern_type) => {
                verdict.valid = None;
                verdict.skipped = Some(format!("pattern_type is {pattern_type}"));
            }
        }
        self.counts.add(&verdict);
        self.write(&verdict).map_err(|error| Error::output(&error))
    }

    fn write(&mut self, verdict: &Verdict<'_>) -> io::Result<()> {
        if self.json {
            serde_json::to_writer(&mut self.out, verdict)?;
            return self.out.write_all(b"\n");
        }
        let line = verdict.line.map(|line| format!(":{line}")).unwrap_or_default();
        let id = verdict.id.map(|id| format!(": {}", shown(id))).unwrap_or_default();
        let place = format!("{}{line}{id}", verdict.path);
        if !verdict.rendered.is_empty() {
            writeln!(self.out, "{place}: {}", verdict.rendered)?;
        }
        for repair in &verdict.repairs {
            writeln!(self.out, "{place}: repaired at byte {}: {}", repair.span[0], shown(&repair.message))?;
        }
        Ok(())
    }
}

/// Text of the input as a terminal may have it.
fn shown(text: &str) -> String {
    let mut bytes = Vec::new();
    terminal::escape(text.as_bytes(), &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How many patterns came to what.
#[derive(Default)]
struct Counts {
    valid: usize,
    repaired: usize,
    never: usize,
    invalid: usize,
    skipped: usize,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict<'_>) {
        match verdict.valid {
            Some(true) => {
                self.valid += 1;
                self.repaired += usize::from(!verdict.repairs.is_empty());
                self.never += usize::from(verdict.warning.is_some());
            }
            Some(false) => self.invalid += 1,
            None => self.skipped += 1,
        }
    }

    fn summary(&self) -> String {
        let unless_none = |count: usize, text: String| if count > 0 { text } else { String::new() };
        let Self { valid, repaired, never, invalid, skipped } = *self;
        let repaired = unless_none(repaired, format!(" ({repaired} of them after repairs)"));
        let never = unless_none(never, format!(" ({never} of them can never match)"));
        let skipped = unless_none(skipped, format!(", {skipped} skipped that are in another pattern language"));
        format!("{valid} valid{repaired}{never}, {invalid} invalid{skipped}")
    }
}
