//! The rules of a run: what flags say, else the configuration file, else the defaults.

use crate::cli::Globals;
use crate::cli::allow::allowed_in;
use crate::cli::config::{Config, Growth, KindName, Named, Share};
use crate::cli::error::Error;
use crate::cli::indicators;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;
use stockade::blocklist::{Guard, Policy, allowed};
use stockade::compile::Filter;
use stockade::observable::kind::url;
use stockade::observable::{Kind, Value, classify};
use stockade::render::Action;

/// Flags with the names of the keys of `[policy]`. Values to allow add to those of the file, everything else replaces.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Policy")]
#[group(skip)]
pub(crate) struct Flags {
    /// Leave out indicators that state no confidence
    #[arg(long)]
    require_confidence: bool,
    /// Leave out values this long after their last change, unless they have an end of validity: ip=30d,domain=180d
    #[arg(long, value_name = "KIND=TIME", value_delimiter = ',')]
    max_age: Vec<Age>,
    /// Whether a listed domain stands for its subdomains too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    subdomains: Option<bool>,
    /// Never write this value or what it covers: a domain, address, prefix, URL or hash, or a file of them
    #[arg(long, value_name = "VALUE|FILE")]
    allow: Vec<String>,
    /// Never write the values of this file: a plain list, a list of popular names or a MISP warninglist
    #[arg(long, visible_alias = "allow-file", value_name = "FILE")]
    allow_files: Vec<std::path::PathBuf>,
    /// As --allow, for what is ours
    #[arg(long, value_name = "VALUE")]
    own: Vec<Named<Value>>,
    /// Switch a guard off: special (special-purpose addresses), prefix (too wide), suffix (public suffixes), well-known
    #[arg(long, value_name = "GUARD", value_delimiter = ',')]
    unguard: Vec<Named<Guard>>,
    /// The most entries; the least confident beyond are left out. 0 for no limit
    #[arg(long, value_name = "N")]
    max_entries: Option<usize>,
    /// Refuse to write a list that lost more than this share of the one that stands [default: 0.5]
    #[arg(long, value_name = "SHARE")]
    max_shrink: Option<Share>,
    /// Refuse to write a list that grew to more than this many times the one that stands
    #[arg(long, value_name = "FACTOR")]
    max_growth: Option<Growth>,
    /// Hold back wider IPv4 prefixes [default: 8]
    #[arg(long, value_name = "LENGTH", value_parser = clap::value_parser!(u8).range(0..=32))]
    min_prefix_v4: Option<u8>,
    /// Hold back wider IPv6 prefixes [default: 19]
    #[arg(long, value_name = "LENGTH", value_parser = clap::value_parser!(u8).range(0..=128))]
    min_prefix_v6: Option<u8>,
    /// What the target is to do, as far as the format can say it: nxdomain, nodata, drop, refuse, sinkhole
    #[arg(long, value_name = "ACTION")]
    action: Option<Named<Action>>,
    /// Addresses of the sinkhole
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    sinkhole: Vec<IpAddr>,
}

/// A kind of value and how old it may grow.
#[derive(Clone, Debug)]
struct Age(KindName, u64);

impl FromStr for Age {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, age) = text.split_once('=').ok_or("KIND=TIME is wanted, such as ip=30d")?;
        let age: crate::cli::config::Duration = age.parse()?;
        Ok(Self(kind.parse()?, age.as_secs()))
    }
}

/// The rules of a run.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    pub(crate) max_shrink: f64,
    pub(crate) max_growth: Option<f64>,
    pub(crate) action: Action,
    pub(crate) sinkhole: Vec<IpAddr>,
}

impl Rules {
    /// Unites flags and file.
    ///
    /// # Errors
    /// A file of allowed values cannot be read, or something on the command line is no value.
    pub(crate) fn new(flags: &Flags, config: &Config, globals: &Globals) -> Result<Self, Error> {
        let file = &config.policy;
        let default = Policy::default();
        let mut allow: Vec<Value> = file.allow.iter().map(|value| value.0.clone()).collect();
        for text in &flags.allow {
            allow.extend(allowed_or_file(text, globals)?);
        }
        for path in file.allow_files.iter().chain(&flags.allow_files) {
            allow.extend(allowed_in(path, globals)?);
        }
        let max_age = if flags.max_age.is_empty() {
            file.max_age.iter().flat_map(|(kinds, age)| kinds.0.0.iter().map(|kind| (*kind, age.as_secs()))).collect()
        } else {
            flags.max_age.iter().flat_map(|age| age.0.0.0.iter().map(|kind| (*kind, age.1))).collect()
        };
        let unguard = if flags.unguard.is_empty() { &file.unguard } else { &flags.unguard };
        let sinkhole = if flags.sinkhole.is_empty() { &file.sinkhole } else { &flags.sinkhole };
        let action = flags.action.or(file.action).map_or(Action::default(), |action| action.0);
        if action == Action::Sinkhole && sinkhole.is_empty() {
            return Err(Error::new("the action sinkhole needs the addresses of a sinkhole"));
        }
        let prefix = |flag: Option<u8>, file: Option<u8>, default| flag.or(file).unwrap_or(default);
        let policy = Policy {
            require_confidence: flags.require_confidence || file.require_confidence,
            max_age,
            subdomains: flags.subdomains.or(file.subdomains).unwrap_or(default.subdomains),
            allow,
            own: file.own.iter().chain(&flags.own).map(|value| value.0.clone()).collect(),
            in_use: servers_in_use(config),
            unguard: unguard.iter().map(|guard| guard.0).collect(),
            max_entries: flags.max_entries.or(file.max_entries).filter(|most| *most > 0),
            min_prefix_v4: prefix(flags.min_prefix_v4, file.min_prefix_v4, default.min_prefix_v4),
            min_prefix_v6: prefix(flags.min_prefix_v6, file.min_prefix_v6, default.min_prefix_v6),
        };
        Ok(Self {
            policy,
            max_shrink: flags.max_shrink.or(file.max_shrink).map_or(0.5, |share| share.0),
            max_growth: flags.max_growth.or(file.max_growth).map(|factor| factor.0.0),
            action,
            sinkhole: sinkhole.clone(),
        })
    }
}

/// Fills in from the file which indicators to take, where no flag says it.
pub(crate) fn complete(indicators: &mut indicators::Args, config: &Config) {
    let file = &config.policy;
    indicators.min_confidence = indicators.min_confidence.or(file.min_confidence.map(|least| least.0.0));
    indicators.tlp = indicators.tlp.or(file.tlp.map(|tlp| tlp.0));
    if indicators.labels.is_empty() {
        indicators.labels.clone_from(&file.labels);
    }
    if indicators.types.is_empty() {
        indicators.types.clone_from(&file.types);
    }
}

/// The filter of a run whose flags say nothing of the policy.
pub(super) fn filter(args: &indicators::Args, filter: &Filter, config: &Config) -> Filter {
    let mut args = args.clone();
    complete(&mut args, config);
    let min_confidence = args.min_confidence.unwrap_or(filter.min_confidence);
    Filter { min_confidence, labels: args.labels, types: args.types, tlp: args.tlp, ..filter.clone() }
}

/// A value, or the values of a file. Something that looks like the name of a file must be one: nothing would be allowed
/// otherwise, and nobody would know.
fn allowed_or_file(text: &str, globals: &Globals) -> Result<Vec<Value>, Error> {
    let path = Path::new(text);
    let named_like_file = path
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| matches!(extension, "txt" | "json" | "csv" | "list" | "lst" | "conf"));
    let path_like = text.contains('/') && !text.contains("://") && allowed(text).is_ok_and(|v| v.kind() == Kind::Url);
    if path.is_file() || named_like_file || path_like {
        return allowed_in(path, globals);
    }
    let value = allowed(text).map_err(|error| Error::new(format_args!("--allow {text}: {error}")))?;
    Ok(vec![value])
}

/// Where the indicators come from, and the resolvers of this machine: a list that blocks them would be the last one.
fn servers_in_use(config: &Config) -> Vec<Value> {
    let hosts = config.sources.iter().filter(|source| source.url.contains("://"));
    let mut servers: Vec<Value> = hosts
        .filter_map(|source| Kind::Url.normalise(&source.url).ok())
        .filter_map(|address| url::host(&address))
        .collect();
    // A machine without such a file has resolvers that are told to it in another way.
    let resolvers = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let named = resolvers.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    servers.extend(named.filter_map(|address| classify(address).ok()));
    servers
}
