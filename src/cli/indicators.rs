//! `-i SRC`: which indicators a command works with, from files of any format, folders and standard input.

mod compiled;
mod rejects;

use super::Globals;
use super::error::{Error, reason, say};
use super::matching::decompress::Text;
use crate::cli::store;
use compiled::Split;
pub(crate) use compiled::Verification;
pub(crate) use rejects::NotUsed;
use rejects::{Rejects, Unused};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use stockade::compile::{Filter, Rejected, RuleSet, RuleSetBuilder};
use stockade::observable::Value;
use stockade::pattern::Reading;
use stockade::source::{self, Item, Place};
use stockade::stix::{Indicator, Timestamp, Tlp};

/// Flags that say which indicators to take.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Indicators")]
#[group(skip)]
pub(crate) struct Args {
    /// Where indicators come from: a file or directory of STIX, plain lists, hosts files or CSV, which are told apart by
    /// their content, or a compiled index; `-` is standard input; the name of a configured source is what was fetched of it. May be given
    /// several times
    #[arg(short = 'i', long = "indicators", value_name = "SRC", required = true)]
    pub(crate) sources: Vec<PathBuf>,
    /// Take only indicators of at least this confidence, or of none stated
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) min_confidence: Option<u8>,
    /// Take only indicators with this label; with one of them, if given several times
    #[arg(long = "label", value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
    /// Take only indicators of this type (`indicator_types`); of one of them, if given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Take only indicators marked no stricter: clear, green, amber, amber+strict, red. Those without a marking are
    /// taken
    #[arg(long, value_name = "LEVEL")]
    pub(crate) tlp: Option<Tlp>,
    /// The instant at which indicators have to be valid, such as 2026-05-16T08:00:00Z; the default is now
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse_lenient)]
    at: Option<Timestamp>,
    /// Take indicators that are no longer valid, too
    #[arg(long)]
    include_expired: bool,
    /// Read patterns by the letter of the standard, without repairs
    #[arg(long)]
    strict: bool,
    /// Write each indicator that cannot be used to this file, as a line of JSON with the reason
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Keep what could not be used, for a report.
    #[arg(skip)]
    pub(crate) keep_unused: bool,
}

impl Args {
    /// All that these sources hold.
    pub(crate) fn of(sources: Vec<PathBuf>) -> Self {
        Self {
            sources,
            min_confidence: None,
            labels: Vec::new(),
            types: Vec::new(),
            tlp: None,
            at: None,
            include_expired: false,
            strict: false,
            rejects: None,
            keep_unused: false,
        }
    }

    /// How patterns are to be read.
    pub(crate) fn reading(&self) -> Reading {
        if self.strict { Reading::Strict } else { Reading::Pragmatic }
    }

    /// Whether indicators have to be valid now, whenever that is.
    pub(crate) fn at_is_now(&self) -> bool {
        self.at.is_none()
    }

    /// Which indicators take part.
    pub(crate) fn filter(&self) -> Filter {
        Filter {
            at: self.at.unwrap_or_else(now),
            include_expired: self.include_expired,
            min_confidence: self.min_confidence.unwrap_or(0),
            labels: self.labels.clone(),
            types: self.types.clone(),
            tlp: self.tlp,
        }
    }

    /// The first flag that says which indicators take part, if one was given.
    pub(crate) fn filter_flag(&self) -> Option<&'static str> {
        let given = [
            ("--at", self.at.is_some()),
            ("--include-expired", self.include_expired),
            ("--min-confidence", self.min_confidence.is_some()),
            ("--label", !self.labels.is_empty()),
            ("--type", !self.types.is_empty()),
            ("--tlp", self.tlp.is_some()),
        ];
        given.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }

    /// Whether standard input is one of the sources, so that nothing else can come from there.
    pub(crate) fn use_stdin(&self) -> bool {
        self.sources.iter().any(|source| is_stdin(source))
    }
}

/// The indicators that were asked for.
pub(crate) struct Loaded {
    /// All that could be used, active or not.
    pub(crate) rules: RuleSet,
    /// Which of them take part.
    pub(crate) filter: Filter,
    /// A source could not be read to its end. Reported already; what came before is among the rules.
    pub(crate) incomplete: bool,
    /// What could not be used, if that was asked for.
    pub(crate) unused: Vec<NotUsed>,
    /// The compiled index that is used as it lies there, of which little more than the header was checked.
    pub(crate) compiled: Option<PathBuf>,
}

/// Reads all sources, and says on standard error what could not be used.
///
/// # Errors
/// A source does not exist or cannot be opened, is neither JSON nor a list, or the rejects cannot be written.
pub(crate) fn load(args: &Args, globals: &Globals) -> Result<Loaded, Error> {
    // A compiled index alone is used as it lies there.
    if let [source] = &*args.sources
        && !is_configured(source, globals)?
        && let Some(rules) = compiled::open(source)?
    {
        compiled::check_reading(source, &rules, args.reading())?;
        if rules.is_empty() {
            globals.warn(format_args!("{}: no indicators", source.display()));
        }
        let (incomplete, unused) = (false, Rejects::new(args.rejects.as_deref(), args.keep_unused)?.finish(globals)?);
        let compiled = Some(source.clone());
        return Ok(Loaded { rules, filter: args.filter(), incomplete, unused, compiled });
    }
    load_with(args, globals, &mut take)
}

/// Whether a source is the name of a configured one.
fn is_configured(source: &Path, globals: &Globals) -> Result<bool, Error> {
    let config = globals.config()?;
    Ok(source.to_str().is_some_and(|name| config.source(name).is_some()))
}

/// Enters an item.
pub(crate) fn take(builder: &mut RuleSetBuilder, item: Taken<'_>) -> Result<(), Rejected> {
    match item {
        Taken::Indicator(indicator) => builder.add(indicator),
        Taken::Value(value) => builder.add_value(value),
        Taken::Rules(rules) => builder.add_rules(rules),
    }
}

/// Something that a source holds and that can be taken.
pub(crate) enum Taken<'a> {
    Indicator(&'a Indicator<'a>),
    Value(Value),
    /// Everything in a compiled index.
    Rules(&'a RuleSet),
}

/// How to take it.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&mut RuleSetBuilder, Taken<'_>) -> Result<(), Rejected>;

/// As [`load`], for a command that enters indicators in its own way.
pub(crate) fn load_with(args: &Args, globals: &Globals, take: Take<'_>) -> Result<Loaded, Error> {
    let Collected { builder, incomplete, unused } = collect(args, globals, RuleSetBuilder::new(args.reading()), take)?;
    Ok(Loaded { rules: builder.build(), filter: args.filter(), incomplete, unused, compiled: None })
}

/// What sources hold, before it is frozen.
pub(crate) struct Collected {
    pub(crate) builder: RuleSetBuilder,
    pub(crate) incomplete: bool,
    unused: Vec<NotUsed>,
}

/// Reads all sources into a builder.
pub(crate) fn collect(
    args: &Args,
    globals: &Globals,
    builder: RuleSetBuilder,
    take: Take<'_>,
) -> Result<Collected, Error> {
    let mut loader = Loader {
        builder,
        take,
        rejects: Rejects::new(args.rejects.as_deref(), args.keep_unused)?,
        globals,
        incomplete: false,
        used: 0,
    };
    let config = globals.config()?;
    for source in &args.sources {
        // Not a file of that name: `./NAME` is the file.
        match source.to_str().and_then(|name| config.source(name)) {
            Some(named) => loader.store(&store::dir(&config)?, &named.name)?,
            None => loader.source(source)?,
        }
    }
    let unused = loader.rejects.finish(globals)?;
    Ok(Collected { builder: loader.builder, incomplete: loader.incomplete, unused })
}

struct Loader<'g, 't> {
    builder: RuleSetBuilder,
    take: Take<'t>,
    rejects: Rejects,
    globals: &'g Globals,
    incomplete: bool,
    /// Indicators and values taken so far.
    used: u64,
}

impl Loader<'_, '_> {
    fn source(&mut self, path: &Path) -> Result<(), Error> {
        let before = self.used;
        let mut name = path.display().to_string();
        if is_stdin(path) {
            "(standard input)".clone_into(&mut name);
            self.stream(&name, io::stdin()).map_err(Error::new)?;
        } else if path.is_dir() {
            for file in source::files(path).map_err(Error::new)? {
                self.file_of_folder(&file);
            }
        } else if let Some(rules) = compiled::open(path)? {
            self.rules(&name, &rules).map_err(Error::new)?;
        } else {
            let file = open(path).map_err(|error| Error::file(path, &error))?;
            self.stream(&name, file).map_err(Error::new)?;
        }
        if self.used == before {
            self.globals.warn(format_args!("{name}: no indicators"));
        }
        Ok(())
    }

    /// Takes a compiled index whole. All of it is read, so all of it is checked.
    fn rules(&mut self, name: &str, rules: &RuleSet) -> Result<(), String> {
        rules.verify().map_err(|error| format!("{name}: {error}"))?;
        (self.take)(&mut self.builder, Taken::Rules(rules)).map_err(|rejected| format!("{name}: {rejected}"))?;
        self.used += rules.len() as u64;
        Ok(())
    }

    /// Reads what was fetched of a configured source.
    fn store(&mut self, dir: &Path, name: &str) -> Result<(), Error> {
        let before = self.used;
        let reader = store::fetched(dir, name)?;
        if reader.state().last_success.is_none() {
            self.globals.warn(format_args!("source {name} was never read to its end; what is there of it is used"));
        }
        if reader.state().counts.indicators > 0 {
            self.stream(name, reader.indicators()).map_err(Error::new)?;
        }
        if self.used == before {
            self.globals.warn(format_args!("source {name}: no indicators"));
        }
        Ok(())
    }

    /// A folder may hold other things beside indicators; but what cannot even be read is missing.
    fn file_of_folder(&mut self, path: &Path) {
        match open(path) {
            Ok(file) => {
                if let Err(message) = self.stream(&path.display().to_string(), file) {
                    self.globals.warn(message);
                }
            }
            Err(error) => self.broke_off(&path.display().to_string(), &error),
        }
    }

    /// Reads one stream to its end. The error says why it is no source of indicators.
    fn stream(&mut self, name: &str, stream: impl io::Read + Send + 'static) -> Result<(), String> {
        let text = Text::new(stream).and_then(compiled::split);
        let (head, mut text) = match text {
            Ok(Split::Text(head, text)) => (head, text),
            Ok(Split::Index(bytes)) => {
                let rules = RuleSet::from_bytes(bytes).map_err(|error| format!("{name}: {error}"))?;
                return self.rules(name, &rules);
            }
            Err(error) => {
                self.broke_off(name, &error);
                return Ok(());
            }
        };
        let mut text = head.as_slice().chain(&mut text);
        self.builder.origin(name);
        let result = source::read(&mut text, &mut |place, item| self.item(name, place, item));
        match result {
            Ok(summary) => {
                self.incomplete |= summary.cut;
                Ok(())
            }
            Err(error) => match error.io() {
                Some(error) => {
                    self.broke_off(name, error);
                    Ok(())
                }
                None => Err(format!("{name}: {error}")),
            },
        }
    }

    fn broke_off(&mut self, name: &str, error: &io::Error) {
        say(format_args!("{name}: cannot be read to its end: {}", reason(error)));
        self.incomplete = true;
    }

    fn item(&mut self, source: &str, place: Place, item: Item<'_>) {
        match item {
            Item::Indicator { indicator, ignored } => {
                self.rejects.ignored(ignored);
                match (self.take)(&mut self.builder, Taken::Indicator(&indicator)) {
                    Ok(()) => self.used += 1,
                    Err(rejected) => self.rejects.add(&Unused {
                        id: Some(&indicator.id),
                        name: indicator.name.as_deref(),
                        source,
                        line: place.line,
                        column: place.column,
                        reason: rejected.reason,
                        detail: &rejected.detail,
                        pattern: Some(&indicator.pattern),
                        pattern_type: (indicator.pattern_type != "stix").then_some(&indicator.pattern_type),
                    }),
                }
            }
            Item::Value(value) => match (self.take)(&mut self.builder, Taken::Value(value)) {
                Ok(()) => self.used += 1,
                Err(rejected) => self.rejects.add(&Unused {
                    source,
                    line: place.line,
                    column: place.column,
                    reason: rejected.reason,
                    detail: &rejected.detail,
                    ..Unused::default()
                }),
            },
            Item::Rejected(rejected) => self.rejects.add(&Unused {
                id: rejected.id.as_deref(),
                name: rejected.name.as_deref(),
                source,
                line: place.line,
                column: place.column,
                reason: rejected.reason,
                detail: &rejected.detail,
                pattern: rejected.pattern.as_deref(),
                pattern_type: None,
            }),
        }
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    // Opening a directory works on some systems, and only reading it fails.
    if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
}

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX), elapsed.subsec_nanos())
}
