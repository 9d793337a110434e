//! `stockade eval`: evaluates patterns over observed data.

mod selection;

use super::Globals;
use super::error::{self, Error, Outcome};
use super::indicators;
use super::test::read;
use selection::Selected;
use serde::Serialize;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use stockade::compile::Program;
use stockade::matcher::eval;
use stockade::matcher::eval::many::PatternSetBuilder;
use stockade::pattern::{Parser, Reading};
use stockade::stix::ObservedData;
use stockade::stix::observed::Reader;

/// Evaluate patterns over observed data
///
/// Reads bundles, observed data, or lines of them, and prints each pattern that matches with the observations that
/// satisfy it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 a pattern matched, 1 none, 2 something failed.")]
pub(crate) struct Args {
    /// A pattern; may be given several times
    #[arg(short, long = "pattern", value_name = "PATTERN")]
    patterns: Vec<String>,
    #[command(flatten)]
    indicators: indicators::Args,
    /// Observed data; `-` is standard input, which is also read when none is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write one JSON object for each pattern that matched
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let reading = args.indicators.reading();
    let (mut parser, mut builder, mut selected) = (Parser::new(), PatternSetBuilder::default(), Vec::new());
    for pattern in &args.patterns {
        builder.add(program(&mut parser, pattern, reading).map_err(|reason| Error::new(reason.trim_end()))?);
        selected.push(Selected { pattern: pattern.clone(), id: None, name: None });
    }
    let mut unusable = 0_u64;
    let mut failed = selection::load(&args.indicators, globals, &mut |indicator| match program(
        &mut parser,
        &indicator.pattern,
        reading,
    ) {
        Ok(program) => {
            builder.add(program);
            selected.push(indicator);
        }
        Err(reason) => {
            unusable += 1;
            if globals.verbose {
                let id = indicator.id.as_deref().unwrap_or("");
                error::say(format_args!("{id}: {}", reason.lines().next().unwrap_or("")));
            }
        }
    })?;
    if unusable > 0 {
        globals.warn(format_args!("{unusable} patterns are not valid and match nothing"));
    }
    let patterns = builder.build();
    if globals.verbose {
        let (all, always) = (patterns.len(), patterns.always_evaluated());
        error::say(format_args!("{all} patterns, {always} tests evaluated for every object of their type"));
    }
    let (observations, broken) = observe(&args.files, globals)?;
    failed |= broken;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut matched = false;
    for (number, outcome) in patterns.evaluate(&observations) {
        let Some(indicator) = selected.get(number as usize) else { continue };
        match outcome {
            eval::Outcome::Match(places) => {
                matched = true;
                let row = Row::new(indicator, &places, &observations);
                row.write(&mut out, args.json).map_err(|error| Error::output(&error))?;
            }
            eval::Outcome::Undetermined(limit) => {
                let name = indicator.id.as_deref().unwrap_or(&indicator.pattern);
                error::say(format_args!("{name}: undetermined: {limit}"));
                failed = true;
            }
            eval::Outcome::NoMatch => {}
        }
    }
    out.flush().map_err(|error| Error::output(&error))?;
    Ok(match matched {
        _ if failed => Outcome::Failed,
        true => Outcome::Yes,
        false => Outcome::No,
    })
}

/// Makes a pattern ready to run, or says what is wrong with it and where.
fn program(parser: &mut Parser, pattern: &str, reading: Reading) -> Result<Program, String> {
    let ast = parser.parse(pattern, reading).map_err(|error| error.render(pattern))?;
    Program::new(&ast, reading).map_err(|error| error.to_string())
}

/// Reads all observations; says whether some input could not be read.
fn observe(files: &[PathBuf], globals: &Globals) -> Result<(Vec<ObservedData>, bool), Error> {
    let (mut reader, mut failed) = (Reader::default(), false);
    let stdin = [PathBuf::from("-")];
    for path in if files.is_empty() { &stdin[..] } else { files } {
        match read(path) {
            Ok(bytes) => {
                let stdin = path.as_os_str() == "-";
                reader.origin(&if stdin { "(standard input)".into() } else { path.display().to_string() });
                reader.read(&bytes);
            }
            Err(Error::Message(message)) => {
                error::say(message);
                failed = true;
            }
            Err(closed) => return Err(closed),
        }
    }
    let (observations, problems) = reader.finish();
    for problem in problems.iter().take(SHOWN) {
        globals.warn(format_args!("{}: {}", problem.place, problem.detail));
    }
    if problems.len() > SHOWN {
        globals.warn(format_args!("and {} more", problems.len() - SHOWN));
    }
    // What is no JSON was not read to its end; a broken object within it is just left out.
    failed |= problems.iter().any(|problem| problem.detail.starts_with("no JSON"));
    Ok((observations, failed))
}

/// So many problems with the data are shown one by one.
const SHOWN: usize = 5;

/// A pattern that matched.
#[derive(Serialize)]
struct Row<'r> {
    pattern: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    indicator: Option<IndicatorName<'r>>,
    /// The ids of the observations that satisfied it; `#n` is the nth of the input, where it has no id.
    observations: Vec<String>,
}

#[derive(Serialize)]
struct IndicatorName<'r> {
    id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
}

impl<'r> Row<'r> {
    fn new(selected: &'r Selected, places: &[u32], observations: &[ObservedData]) -> Self {
        let id = |place: &u32| match observations.get(*place as usize) {
            Some(observation) if !observation.id.is_empty() => observation.id.to_string(),
            _ => format!("#{}", u64::from(*place) + 1),
        };
        Self {
            pattern: &selected.pattern,
            indicator: selected.id.as_deref().map(|id| IndicatorName { id, name: selected.name.as_deref() }),
            observations: places.iter().map(id).collect(),
        }
    }

    fn write(&self, out: &mut impl Write, json: bool) -> io::Result<()> {
        if json {
            serde_json::to_writer(&mut *out, self)?;
            return out.write_all(b"\n");
        }
        let name = self.indicator.as_ref().map_or(self.pattern, |indicator| indicator.id);
        writeln!(out, "{name}: {}", self.observations.join(" "))
    }
}
