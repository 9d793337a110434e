//! `stockade block`: from indicators to files that resolvers, firewalls and the like load.

mod command;
mod difference;
mod keep;
pub(super) mod replace;
mod report;
mod rules;
mod standing;
mod verdict;

pub(crate) use verdict::{Obstacle, Verdict, Verdicts, verdicts};

use super::Globals;
use super::config::{Config, KindName, Named, Output};
use super::error::{Error, Outcome, reason, say};
use super::indicators::{self, Loaded};
use super::terminal;
use difference::Difference;
use keep::Keep;
use replace::{Commands, Content, Target};
use report::{Report, say_held};
use rules::Rules;
use standing::{Stamp, Standing, count};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use stockade::blocklist::{Blocklist, Item, Subdomains};
use stockade::compile::{Filter, RuleSet};
use stockade::observable::Kind;
use stockade::observable::kind::domain;
use stockade::render::{Format, Options};
use stockade::stix::Timestamp;

/// Write a blocklist
///
/// Only values enter that alone are a match, of indicators that are active. Guard rails hold back what a network hangs on;
/// what is held back is counted by reason. A file is replaced as a whole or not at all.
///
/// Exits with 0 if it was written or nothing changed, and with 2 if it was refused or something failed; with --diff, with
/// 0 if nothing would change and 1 if something would.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Args {
    /// The format; `stockade formats` lists them
    #[arg(short, long, required_unless_present_any = ["all", "rollback"], conflicts_with_all = ["all", "rollback"])]
    format: Option<Named<&'static Format>>,
    /// The file to write, instead of standard output
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["all", "rollback"])]
    output: Option<PathBuf>,
    /// Write every [[output]] of the configuration file
    #[arg(long)]
    all: bool,
    /// Bring back the file before the one that stands: a path, or the name of an [[output]]
    #[arg(long, value_name = "OUTPUT", conflicts_with = "all")]
    rollback: Option<PathBuf>,
    /// Write these kinds only: domain, ip, url, email, md5, sha1, sha256, sha512, hash
    #[arg(long, value_name = "KIND", value_delimiter = ',', conflicts_with = "all")]
    kinds: Vec<KindName>,
    /// The zone of an RPZ, whose name is part of each name in it [default: rpz.stockade]
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    zone: Option<String>,
    /// Let entries expire after this time, where the format can say so, unless they are written again
    #[arg(long, value_name = "TIME", conflicts_with = "all")]
    timeout: Option<super::config::Duration>,
    /// A command that accepts or rejects the new file, `{}` in it, before it replaces the old
    #[arg(long, value_name = "COMMAND", requires = "output")]
    validate: Option<String>,
    /// A command to run after the file was replaced; if it fails, the old file comes back
    #[arg(long, value_name = "COMMAND", requires = "output")]
    reload: Option<String>,
    /// Write even if nothing is left, or much less or more than before
    #[arg(long)]
    force: bool,
    /// Write nothing, but print what would be added and removed
    #[arg(long)]
    diff: bool,
    /// Write nothing, but say what would be done, and why values would be removed
    #[arg(long, conflicts_with = "diff")]
    dry_run: bool,
    /// Write each value that is held back to this file, as a line of JSON with the reason
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    indicators: indicators::Args,
    #[command(flatten)]
    policy: rules::Flags,
}

/// Replaces a file as a whole or not at all.
pub(crate) fn replace_file(path: &Path, content: Content<'_>) -> Result<(), Error> {
    let target = Target::open(path).map_err(Error::new)?;
    target.sweep().and_then(|()| target.replace(content, Commands::default(), None)).map_err(Error::new)
}

/// One file to write.
struct Job<'c> {
    /// What messages call it.
    name: &'c str,
    format: &'static Format,
    /// Standard output, if there is none.
    path: Option<&'c Path>,
    kinds: Vec<Kind>,
    options: Options,
    commands: Commands<'c>,
    sources: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let config = globals.config()?;
    if let Some(output) = &args.rollback {
        return rollback(output, &config, globals);
    }
    let rules = Rules::new(&args.policy, &config, globals)?;
    let jobs = jobs(args, &config, &rules)?;
    let mut report = args.report.as_deref().map(Report::create).transpose()?;
    let mut outcome = Outcome::Yes;
    let mut groups: BTreeMap<&[PathBuf], Vec<&Job<'_>>> = BTreeMap::new();
    for job in &jobs {
        groups.entry(&job.sources).or_default().push(job);
    }
    for (sources, jobs) in groups {
        let mut indicators = args.indicators.clone();
        indicators.sources = sources.to_vec();
        indicators.keep_unused = report.is_some();
        rules::complete(&mut indicators, &config);
        let loaded = match indicators::load(&indicators, globals) {
            // All of it is about to be read, and a damaged index must not become a list.
            Ok(loaded) if !loaded.incomplete => match loaded.rules.verify() {
                Ok(()) => loaded,
                Err(error) => {
                    // Only an index that is the one source is used as it lies there.
                    let source = indicators.sources.first().map_or(Path::new(""), |source| source);
                    say(format_args!("{}: {error}", source.display()));
                    outcome = Outcome::Failed;
                    continue;
                }
            },
            // Half of the indicators would be a list that lost half of its entries.
            Ok(_) => {
                say("nothing was written: not all indicators could be read");
                outcome = Outcome::Failed;
                continue;
            }
            Err(Error::Message(message)) => {
                say(message);
                outcome = Outcome::Failed;
                continue;
            }
            Err(closed) => return Err(closed),
        };
        if let Some(report) = &mut report {
            report.unused(&loaded.unused)?;
        }
        for job in jobs {
            let run = Run { args, config: &config, rules: &rules, loaded: &loaded, job, globals };
            outcome = worse(outcome, run.block(report.as_mut())?);
        }
    }
    if let Some(report) = report {
        report.finish()?;
    }
    Ok(outcome)
}

/// The files to write, checked as far as that goes without indicators.
fn jobs<'c>(args: &'c Args, config: &'c Config, rules: &Rules) -> Result<Vec<Job<'c>>, Error> {
    if args.all {
        if config.outputs.is_empty() {
            return Err(Error::new("--all: no [[output]] is configured"));
        }
        return jobs_of_outputs(config, rules, &args.indicators.sources);
    }
    let Some(format) = args.format else { return Err(Error::new("no format: -f FORMAT is wanted")) };
    let path = args.output.as_deref().filter(|path| path.as_os_str() != "-");
    if path.is_none() && args.diff {
        return Err(Error::new("--diff needs the file to compare with: -o FILE"));
    }
    let sources = sources(&args.indicators.sources, &[], config);
    if sources.is_empty() {
        return Err(Error::new("no indicators: -i SRC is wanted, or a [[source]] in the configuration file"));
    }
    Ok(vec![Job {
        name: format.name,
        format: format.0,
        path,
        kinds: kinds(format.0, &args.kinds).map_err(Error::new)?,
        options: options(format.0, args.zone.as_deref(), args.timeout, rules).map_err(Error::new)?,
        commands: Commands { validate: args.validate.as_deref(), reload: args.reload.as_deref() },
        sources,
    }])
}

/// The configured outputs. Sources that are given replace those of the file.
fn jobs_of_outputs<'c>(config: &'c Config, rules: &Rules, given: &[PathBuf]) -> Result<Vec<Job<'c>>, Error> {
    let job = |output: &'c Output| {
        let at = |message| Error::new(format_args!("output {}: {message}", output.name));
        let sources = sources(given, &output.sources, config);
        if sources.is_empty() {
            return Err(at("no indicators: no [[source]] is configured, and none given with -i".to_owned()));
        }
        Ok(Job {
            name: &output.name,
            format: output.format.0,
            path: Some(&output.path),
            kinds: kinds(output.format.0, &output.kinds).map_err(at)?,
            options: options(output.format.0, output.zone.as_deref(), output.timeout, rules).map_err(at)?,
            commands: Commands { validate: output.validate.as_deref(), reload: output.reload.as_deref() },
            sources,
        })
    };
    config.outputs.iter().map(job).collect()
}

/// Where the indicators come from: what is given, else what is named, else every configured source. What is written does
/// not depend on the order in which they are named.
fn sources(given: &[PathBuf], named: &[String], config: &Config) -> Vec<PathBuf> {
    let mut sources: Vec<PathBuf> = match (given, named) {
        ([], []) => config.sources.iter().map(|source| PathBuf::from(&source.name)).collect(),
        ([], named) => named.iter().map(PathBuf::from).collect(),
        (given, _) => given.to_vec(),
    };
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// The kinds to write.
fn kinds(format: &Format, wanted: &[KindName]) -> Result<Vec<Kind>, String> {
    let carried = format.kind_names().join(", ");
    let mut kinds: Vec<Kind> = Vec::new();
    for wanted in wanted {
        let of_format: Vec<Kind> = wanted.0.0.iter().copied().filter(|kind| format.kinds.contains(kind)).collect();
        if of_format.is_empty() {
            let name = wanted.0.0.first().map_or("", |kind| kind.name());
            return Err(format!("format {} cannot carry {name}; it carries {carried}", format.name));
        }
        kinds.extend(of_format);
    }
    if wanted.is_empty() {
        kinds.extend(format.kinds);
    }
    kinds.sort_unstable();
    kinds.dedup();
    let mut names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    names.dedup();
    if format.one_kind && names.len() > 1 {
        return Err(format!("a file of format {} holds one kind: choose one with --kinds: {carried}", format.name));
    }
    Ok(kinds)
}

fn options(
    format: &Format,
    zone: Option<&str>,
    timeout: Option<super::config::Duration>,
    rules: &Rules,
) -> Result<Options, String> {
    let default = Options::default();
    if zone.is_some() && format.name != "rpz" {
        return Err(format!("format {} knows no zone", format.name));
    }
    let zone = match zone {
        Some(zone) => domain::host(zone.as_bytes()).map_err(|error| format!("zone {zone}: {error}"))?,
        None => default.zone.clone(),
    };
    if format.subdomains == Subdomains::Always && !rules.policy.subdomains {
        return Err(format!(
            "format {} always blocks what is below a listed domain, which subdomains = false forbids",
            format.name
        ));
    }
    let timeout = timeout.map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX));
    Ok(Options { zone, timeout, action: rules.action, sinkhole: rules.sinkhole.clone(), ..default })
}

/// Builds the list of a job.
fn build<'r>(job: &Job<'_>, rules: &Rules, indicators: &'r RuleSet, filter: &Filter) -> Blocklist<'r> {
    let refuses = |item: Item<'_>| job.format.refuses(item, &job.options);
    let capabilities = job.format.capabilities(&job.kinds, &refuses);
    Blocklist::build(indicators, filter, &rules.policy, &capabilities)
}

/// One output in the making.
struct Run<'a> {
    args: &'a Args,
    config: &'a Config,
    rules: &'a Rules,
    loaded: &'a Loaded,
    job: &'a Job<'a>,
    globals: &'a Globals,
}

impl Run<'_> {
    /// Builds the list, and writes or compares it. What goes wrong with one output is said and does not stop the others.
    fn block(&self, report: Option<&mut Report>) -> Result<Outcome, Error> {
        let Self { args, job, globals, rules, .. } = *self;
        let list = build(job, rules, &self.loaded.rules, &self.loaded.filter);
        if let Some(report) = report {
            report.held(&list, args.all.then_some(job.name))?;
        }
        say_held(&list, job.name, globals);
        if job.format.subdomains == Subdomains::Never && rules.policy.subdomains && !list.names().is_empty() {
            let name = job.format.name;
            globals.warn(format_args!("{}: format {name} blocks the names alone, not what is below them", job.name));
        }
        match self.write(&list) {
            Ok(outcome) => Ok(outcome),
            Err(Error::Message(message)) => {
                say(format_args!("{}: {message}", job.name));
                Ok(Outcome::Failed)
            }
            Err(closed) => Err(closed),
        }
    }

    fn write(&self, list: &Blocklist<'_>) -> Result<Outcome, Error> {
        let Self { args, job, globals, .. } = *self;
        let Some(path) = job.path else {
            if list.is_empty() && !args.force {
                return Err(Error::new(NOTHING_LEFT));
            }
            if !args.dry_run {
                let stamp = next_stamp(None);
                self.render(list, &stamp, &mut terminal::Printer).map_err(|error| Error::output(&error))?;
            }
            return Ok(Outcome::Yes);
        };
        if args.diff || args.dry_run {
            return self.compare(list, path);
        }
        // Where it really is decides who else works on it; only when they are done is what stands there looked at.
        let keep = self.keep(Target::open(path).map_err(Error::new)?.path());
        let target = Target::open(path).map_err(Error::new)?;
        let standing = target.standing();
        self.check_size(list, standing).map_err(Error::new)?;
        target.sweep().map_err(Error::new)?;
        if standing.is_some_and(|old| old.is(&|to| self.render(list, &old.stamp, to))) {
            if let Some((reload, keep)) = job.commands.reload.zip(keep.as_ref().filter(|keep| keep.is_pending())) {
                target.reload_again(reload, keep).map_err(Error::new)?;
            }
            globals.warn(format_args!("{}: {}: nothing changed", job.name, path.display()));
            return Ok(Outcome::Yes);
        }
        let stamp = next_stamp(standing);
        target.replace(&|to| self.render(list, &stamp, to), job.commands, keep.as_ref()).map_err(Error::new)?;
        let counts = list.counts();
        let entries = counted(counts.emitted, "entry", "entries");
        let indicators = counted(counts.indicators, "indicator", "indicators");
        globals.warn(format_args!("{}: {}: {entries} of {indicators}", job.name, path.display()));
        Ok(Outcome::Yes)
    }

    /// Says what writing would change.
    fn compare(&self, list: &Blocklist<'_>, path: &Path) -> Result<Outcome, Error> {
        let Self { args, job, globals, .. } = *self;
        let target = Target::open(path).map_err(Error::new)?;
        let standing = target.standing();
        let old = |to: &mut dyn io::Write| standing.map_or(Ok(()), |old| old.copy(to));
        let stamp = next_stamp(standing);
        let new = |to: &mut dyn io::Write| self.render(list, &stamp, to);
        let mut difference = Difference::new(job.format, args.dry_run.then_some(list));
        let read = difference.print(&old, &new);
        if let Some(error) = difference.unprinted() {
            return Err(Error::output(&error));
        }
        let changed = read.map_err(|error| Error::file(path, &error))?;
        if args.diff {
            return Ok(if changed { Outcome::No } else { Outcome::Yes });
        }
        self.check_size(list, standing).map_err(Error::new)?;
        let unchanged = standing.is_some_and(|old| old.is(&|to| self.render(list, &old.stamp, to)));
        let entries = counted(list.len(), "entry", "entries");
        let what = if unchanged { "would stay as it is" } else { "would be written" };
        globals.warn(format_args!("{}: {} {what}: {entries}", job.name, path.display()));
        Ok(Outcome::Yes)
    }

    /// Where the previous file goes. A list is written even if it cannot be kept there.
    fn keep(&self, path: &Path) -> Option<Keep> {
        match Keep::open(self.config, path) {
            Ok(keep) => Some(keep),
            Err(message) => {
                self.globals.warn(format_args!("{}: the previous file is not kept: {message}", self.job.name));
                None
            }
        }
    }

    fn render(&self, list: &Blocklist<'_>, stamp: &Stamp, to: &mut dyn io::Write) -> io::Result<()> {
        let Job { format, options, kinds, .. } = self.job;
        let options = Options {
            kinds: kinds.clone(),
            serial: stamp.serial.unwrap_or(options.serial),
            built: stamp.built.clone(),
            ..options.clone()
        };
        format.write(list, &options, to).map(drop)
    }

    /// Refuses an empty list, and one that changed too much at once.
    #[expect(clippy::cast_precision_loss, reason = "a share of a number of entries")]
    fn check_size(&self, list: &Blocklist<'_>, standing: Option<&Standing>) -> Result<(), String> {
        if self.args.force {
            return Ok(());
        }
        if list.is_empty() {
            return Err(NOTHING_LEFT.to_owned());
        }
        let Some(old) = standing else { return Ok(()) };
        let counted = || count(self.job.format, &|to| old.copy(to));
        let before = old.stamp.emitted.map_or_else(counted, Ok).map_err(|error| reason(&error))?;
        let after = list.len();
        if before == 0 {
            return Ok(());
        }
        let Rules { max_shrink, max_growth, .. } = self.rules;
        let (old, new) = (before as f64, after as f64);
        let limit = if (old - new) / old > *max_shrink {
            format!("fewer than max_shrink {max_shrink} allows")
        } else if let Some(growth) = max_growth.filter(|growth| new > old * growth) {
            format!("more than max_growth {growth} allows")
        } else {
            return Ok(());
        };
        Err(format!("refused: {after} entries instead of {before} are {limit}; --force writes them"))
    }
}

const NOTHING_LEFT: &str = "refused: nothing is left to write, and an empty list blocks nothing; --force writes it";

fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Now; and a serial number above that of the zone that stands (RFC 1982).
fn next_stamp(standing: Option<&Standing>) -> Stamp {
    let now = Timestamp { nanos: 0, ..indicators::now() };
    let seconds = u32::try_from(now.seconds).unwrap_or(u32::MAX);
    let serial = match standing.and_then(|old| old.stamp.serial) {
        // Ahead of the clock, as `YYYYMMDDnn` is, or written within this second.
        Some(old) if seconds.wrapping_sub(old).wrapping_sub(1) >= 1 << 31 => old.wrapping_add(1),
        _ => seconds,
    };
    Stamp { built: Some(now.to_string()), serial: Some(serial), emitted: None }
}

/// Brings back the file before the one that stands.
fn rollback(output: &Path, config: &Config, globals: &Globals) -> Result<Outcome, Error> {
    let configured = config.outputs.iter().find(|configured| output.to_str() == Some(&*configured.name));
    let path = configured.map_or(output, |configured| &*configured.path);
    let commands = configured.map_or(Commands::default(), |output| Commands {
        validate: output.validate.as_deref(),
        reload: output.reload.as_deref(),
    });
    let target = Target::open(path).map_err(Error::new)?;
    let keep = Keep::open(config, target.path()).map_err(Error::new)?;
    let previous = keep.previous().map_err(|error| Error::new(format_args!("{}: {error}", path.display())))?;
    target.sweep().map_err(Error::new)?;
    let content = |to: &mut dyn io::Write| io::copy(&mut &previous, to).map(drop);
    target.replace(&content, commands, Some(&keep)).map_err(Error::new)?;
    globals.warn(format_args!("{}: the previous file is back", path.display()));
    Ok(Outcome::Yes)
}

fn worse(a: Outcome, b: Outcome) -> Outcome {
    match (a, b) {
        (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
        (Outcome::No, _) | (_, Outcome::No) => Outcome::No,
        (Outcome::Yes, Outcome::Yes) => Outcome::Yes,
    }
}
