//! `stockade explain`: what a pattern says, what it is looked up by, and which blocklists can carry it.

mod formats;
mod tree;

use super::Globals;
use super::error::{Error, Outcome};
use formats::{Carried, carried};
use serde::Serialize;
use std::io::{self, BufWriter, Write};
use stockade::compile::program::{Compare, Sequence};
use stockade::compile::{Lowered, Program, Seek, lower};
use stockade::pattern::{Ast, Parser, Reading};
use tree::{Line, lines};

/// Explain a pattern: its parts, what it is looked up by, which blocklists can carry it, the repairs made
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 the pattern is valid, 1 it is not, 2 something failed.")]
pub(crate) struct Args {
    /// A pattern
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
    /// Read the pattern by the standard alone, without the repairs that feeds need
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(args: &Args, _: &Globals) -> Result<Outcome, Error> {
    let reading = if args.strict { Reading::Strict } else { Reading::Pragmatic };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut parser = Parser::new();
    let explained = match parser.parse(&args.pattern, reading) {
        Ok(ast) => Program::new(&ast, reading)
            .map(|program| explain(&ast, &program, reading))
            .map_err(|error| (error.to_string(), [error.span.start, error.span.end], format!("{error}\n"))),
        Err(error) => {
            let span = error.span();
            Err((error.to_string(), [span.start, span.end], error.render(&args.pattern)))
        }
    };
    let (outcome, written) = match explained {
        Ok(explained) if args.json => (Outcome::Yes, json(&mut out, &explained)),
        Ok(explained) => (Outcome::Yes, text(&mut out, &explained)),
        Err((error, span, _)) if args.json => {
            (Outcome::No, json(&mut out, &serde_json::json!({"valid": false, "error": error, "span": span})))
        }
        Err((.., rendered)) => (Outcome::No, out.write_all(rendered.as_bytes())),
    };
    written.and_then(|()| out.flush()).map_err(|error| Error::output(&error))?;
    Ok(outcome)
}

/// Everything there is to say about a pattern.
#[derive(Serialize)]
struct Explained {
    valid: bool,
    /// The canonical text.
    pattern: String,
    tree: Vec<Line>,
    /// Values that alone are a match; only these can go into a blocklist.
    exact: Vec<String>,
    /// What has to be seen before the pattern is evaluated; nothing if it always has to be.
    cover: Option<Vec<String>>,
    lookup: &'static str,
    cost: &'static str,
    formats: Vec<Carried>,
    repairs: Vec<String>,
}

fn explain(ast: &Ast<'_>, program: &Program, reading: Reading) -> Explained {
    let lowered = lower(ast, reading == Reading::Strict);
    let syntax = ast.repairs.iter().map(ToString::to_string);
    let meaning = program.repairs.iter().map(ToString::to_string);
    Explained {
        valid: true,
        pattern: ast.to_string(),
        tree: lines(ast),
        exact: lowered.exact.iter().map(seek).collect(),
        cover: lowered.cover.as_ref().map(|cover| cover.iter().map(seek).collect()),
        lookup: lookup(&lowered),
        cost: cost(&lowered, program),
        formats: carried(&lowered),
        repairs: syntax.chain(meaning).collect(),
    }
}

/// What an index looks for, in words.
fn seek(seek: &Seek) -> String {
    match seek {
        Seek::Atom(atom) => {
            let kind = atom.value.kind();
            let role = match atom.meta.role {
                stockade::observable::Role::Any => "",
                stockade::observable::Role::Src => " as the source",
                stockade::observable::Role::Dst => " as the destination",
            };
            format!("{} {}{role}", kind.name(), atom.value)
        }
        Seek::Literal(literal) => format!("text '{}' of a {}", literal.text, literal.object_type()),
        Seek::Expression(expression) => {
            let operator = if expression.regex { "MATCHES" } else { "LIKE" };
            format!("{operator} '{}' on a {}", expression.text, expression.object_type)
        }
    }
}

fn lookup(lowered: &Lowered) -> &'static str {
    let all = || lowered.exact.iter().chain(lowered.cover.iter().flatten());
    let values = all().any(|seek| matches!(seek, Seek::Atom(_)));
    match () {
        () if lowered.cover.is_none() => "nothing: the pattern is evaluated for every object of its types",
        () if all().any(|seek| matches!(seek, Seek::Expression(_))) => {
            if values {
                "values, found by an index, and expressions, tried on the values of their paths"
            } else {
                "expressions, tried on the values of their paths"
            }
        }
        () if all().any(|seek| matches!(seek, Seek::Literal(_))) => {
            if values {
                "values, found by an index, and texts, found by their letters or in their fields"
            } else {
                "texts, found by their letters or in their fields"
            }
        }
        () => "values, found by an index",
    }
}

fn cost(lowered: &Lowered, program: &Program) -> &'static str {
    let tests = || program.comparisons.iter().flat_map(|comparison| &comparison.tests);
    let backtracks = tests().any(|test| matches!(&test.compare, Compare::Matches(regex) if !regex.is_linear()));
    let single = matches!(program.sequence, Sequence::Observe(_));
    match () {
        () if backtracks => "high: a regular expression that backtracks, with a limit of steps",
        () if lowered.cover.is_none() => "high: there is nothing to look it up by",
        () if !single => "medium: observations are kept to see whether together they satisfy it",
        () if lowered.exact.is_empty() => "medium: evaluated when one of its values was seen",
        () if lowered.exact.iter().any(|seek| matches!(seek, Seek::Expression(_))) => {
            "medium: an expression is tried on values"
        }
        () => "low: a lookup decides it",
    }
}

fn json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn text(out: &mut impl Write, explained: &Explained) -> io::Result<()> {
    writeln!(out, "pattern\n  {}\n\ntree", explained.pattern)?;
    for line in &explained.tree {
        writeln!(out, "  {}{}", "  ".repeat(line.depth), line.node)?;
    }
    writeln!(out, "\nlooked up by {}", explained.lookup)?;
    let list = |out: &mut dyn Write, title: &str, items: &[String]| {
        writeln!(out, "  {title}")?;
        items.iter().try_for_each(|item| writeln!(out, "    {item}"))
    };
    if !explained.exact.is_empty() {
        list(out, "each alone is a match:", &explained.exact)?;
    }
    match &explained.cover {
        Some(cover) if *cover != explained.exact && !cover.is_empty() => {
            list(out, "one of these has to be seen before the pattern is evaluated:", cover)?;
        }
        _ => {}
    }
    writeln!(out, "\ncost\n  {}\n\nblocklists", explained.cost)?;
    formats::text(out, &explained.formats)?;
    if !explained.repairs.is_empty() {
        writeln!(out, "\nrepairs")?;
        explained.repairs.iter().try_for_each(|repair| writeln!(out, "  {repair}"))?;
    }
    Ok(())
}
