//! For `stockade why`: which outputs carry a value, and what holds it back from the others.

use super::rules::{self, Flags, Rules};
use super::{build, jobs_of_outputs};
use crate::cli::Globals;
use crate::cli::config::Config;
use crate::cli::error::Error;
use crate::cli::indicators::{self, Loaded};
use serde::Serialize;
use std::fmt;
use stockade::blocklist::{Blocklist, Capabilities, Held, Item, Prefix, Reason, Subdomains, is_below};
use stockade::observable::kind::url;
use stockade::observable::{Kind, Value};

/// What the outputs make of a value.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Of each configured output.
    pub(crate) outputs: Vec<Verdict>,
    /// A guard or allowlist that keeps it out of every list.
    pub(crate) held_back: Option<Obstacle>,
}

/// What one output makes of a value.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    output: String,
    format: &'static str,
    carried: bool,
    #[serde(flatten)]
    obstacle: Option<Obstacle>,
}

/// Why it is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Obstacle {
    reason: &'static str,
    detail: String,
}

/// Asks every configured output, and the policy as such.
///
/// # Errors
/// The configuration file is wrong, or a file that it names cannot be read.
pub(crate) fn verdicts(
    value: &Value,
    args: &indicators::Args,
    loaded: &Loaded,
    globals: &Globals,
) -> Result<Verdicts, Error> {
    let config: Config = globals.config()?;
    let rules = Rules::new(&Flags::default(), &config, globals)?;
    let filter = rules::filter(args, &loaded.filter, &config);
    let mut outputs = Vec::new();
    for job in jobs_of_outputs(&config, &rules, &args.sources)? {
        let list = build(&job, &rules, &loaded.rules, &filter);
        let carried = carries(&list, value);
        let obstacle = obstacle(&list, value).filter(|_| !carried);
        outputs.push(Verdict { output: job.name.to_owned(), format: job.format.name, carried, obstacle });
    }
    let kinds: Vec<Kind> = Kind::all().collect();
    let any = Capabilities {
        kinds: &kinds,
        subdomains: Subdomains::Never,
        exceptions: true,
        merge: false,
        max_entries: None,
        refuses: &|_| None,
    };
    let list = Blocklist::build(&loaded.rules, &filter, &rules.policy, &any);
    let guards = [Reason::Guard, Reason::Allow, Reason::Own].map(Reason::word);
    let held_back = obstacle(&list, value).filter(|obstacle| guards.contains(&obstacle.reason));
    Ok(Verdicts { outputs, held_back: held_back.filter(|_| !carries(&list, value)) })
}

/// Whether traffic to a value would be blocked.
fn carries(list: &Blocklist<'_>, value: &Value) -> bool {
    match value {
        Value::Ipv4(address, len) => list.covers_ipv4((*address).into(), *len),
        Value::Ipv6(address, len) => list.covers_ipv6((*address).into(), *len),
        Value::Text(Kind::Domain, name) => list.covers_name(name),
        Value::Text(Kind::Url, text) => {
            let bare = url::without_scheme(text);
            list.urls().iter().any(|entry| entry.text == &**text || Some(entry.text) == bare)
                || url::host(value).is_some_and(|host| carries(list, &host))
        }
        Value::Text(Kind::Email, text) => list.emails().iter().any(|entry| entry.text == &**text),
        Value::Text(kind, text) => {
            list.digests().iter().any(|entry| entry.kind == *kind && entry.to_string() == **text)
        }
    }
}

/// What holds a value back: itself, or else what would cover it.
fn obstacle(list: &Blocklist<'_>, value: &Value) -> Option<Obstacle> {
    let text = value.to_string();
    let same =
        |held: &Held<'_, '_>| held.item().is_some_and(|item| item.kind() == value.kind() && item.to_string() == text);
    let around = |held: &Held<'_, '_>| held.item().is_some_and(|item| covers(item, value));
    let held = list.held().find(same).or_else(|| list.held().find(around))?;
    Some(Obstacle { reason: held.reason().word(), detail: held.detail().into_owned() })
}

fn covers(item: Item<'_>, value: &Value) -> bool {
    match (item, value) {
        (Item::Name(listed), Value::Text(Kind::Domain, name)) => is_below(name, listed),
        (Item::Ipv4(start, len), Value::Ipv4(address, of)) => {
            len <= *of && Prefix::containing(u32::from(*address), len).start == start
        }
        (Item::Ipv6(start, len), Value::Ipv6(address, of)) => {
            len <= *of && Prefix::containing(u128::from(*address), len).start == start
        }
        _ => false,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "output {} ({}): ", self.output, self.format)?;
        match &self.obstacle {
            _ if self.carried => out.write_str("carries it"),
            Some(obstacle) => obstacle.fmt(out),
            None => out.write_str("does not carry it"),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "held back: {}", self.reason)?;
        if self.detail.is_empty() { Ok(()) } else { write!(out, " ({})", self.detail) }
    }
}
