//! `stockade why`: which indicators list or cover a value, and whether each takes part.

use super::Globals;
use super::allow::allowlist;
use super::block::{self, Verdict, Verdicts};
use super::error::{Error, Outcome};
use super::indicators::{self, Loaded};
use super::terminal;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use stockade::compile::{Filter, IndicatorRef, RuleSet, Status};
use stockade::matcher::{Listing, Relation, listings, literal_listings};
use stockade::observable::kind::url;
use stockade::observable::{Kind, Value, classify};

/// Show which indicators list or cover a value, and whether each is active
///
/// Shows all of them with what they list and where they come from, and for those that `match` would not report the
/// reason; then which configured outputs carry the value, and which guard or allowlist holds it back. Exits with 0 if one would be reported, 1 if none would, and 2 if something failed.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// An address, prefix, domain, URL, hash or mail address, or a literal such as a file name
    value: String,
    #[command(flatten)]
    indicators: indicators::Args,
    /// A listed domain stands for its subdomains too
    #[arg(long, help_heading = "Matching")]
    subdomains: bool,
    /// Values that are never reported
    #[arg(long, value_name = "FILE", help_heading = "Matching")]
    allow: Vec<PathBuf>,
    /// Print one JSON object for each indicator
    #[arg(long, help_heading = "Output")]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let allow = allowlist(&args.allow, globals)?;
    let loaded = indicators::load(&args.indicators, globals)?;
    if let Some(path) = &loaded.compiled {
        // Who asks why waits for the time that it takes, and a damaged index must not say that nothing is listed.
        loaded.rules.verify().map_err(|error| Error::new(format_args!("{}: {error}", path.display())))?;
    }
    let classified = classify(&args.value);
    let value = classified.as_ref().ok();
    let verdicts = match &value {
        Some(value) => block::verdicts(value, &args.indicators, &loaded, globals)?,
        None => Verdicts::default(),
    };
    let Loaded { rules, filter, incomplete, .. } = loaded;
    let normal = value.map_or_else(|| args.value.clone(), Value::to_string);

    let mut out = String::new();
    let mut active = false;
    for listing in all_listings(&rules, value, &args.value) {
        let allowed = value.and_then(|value| seen(value, &listing)).is_some_and(|seen| allow.allows(&seen));
        let obstacle = obstacle(&rules, &filter, &listing, args.subdomains, allowed);
        active |= obstacle.is_none();
        let indicator = rules.indicator(listing.entry);
        if args.json {
            json(&normal, &listing, obstacle, indicator, &verdicts, &mut out);
        } else {
            text(&listing, obstacle, indicator, &mut out);
        }
    }
    if let (true, Err(invalid)) = (out.is_empty(), &classified) {
        globals.warn(format_args!("looked for as a text, such as a file name, for it is no other value: {invalid}"));
    }
    if !args.json {
        if out.is_empty() {
            let _ = writeln!(out, "{normal}: no indicator lists or covers it");
        }
        for verdict in &verdicts.outputs {
            let _ = writeln!(out, "{verdict}");
        }
        if let Some(obstacle) = verdicts.held_back.filter(|_| verdicts.outputs.is_empty()) {
            let _ = writeln!(out, "blocklists: {obstacle}");
        }
    }
    terminal::print(out.as_bytes()).map_err(|error| Error::output(&error))?;
    Ok(match active {
        _ if incomplete => Outcome::Failed,
        true => Outcome::Yes,
        false => Outcome::No,
    })
}

/// Everything that lists or covers a value: by its kind, by the host in it, and as a text.
fn all_listings(rules: &RuleSet, value: Option<&Value>, text: &str) -> Vec<Listing> {
    let mut found = value.map(|value| listings(rules, value)).unwrap_or_default();
    if let Some(host) = value.filter(|value| value.kind() == Kind::Email).and_then(host) {
        found.extend(listings(rules, &host).into_iter().map(|listing| match listing.relation {
            Relation::Exact => Listing { relation: Relation::HostOfEmail, ..listing },
            _ => listing,
        }));
    }
    found.extend(literal_listings(rules, text));
    found
}

/// The host in a URL or mail address.
fn host(value: &Value) -> Option<Value> {
    match value {
        Value::Text(Kind::Url, _) => url::host(value),
        Value::Text(Kind::Email, address) => address.rsplit('@').next().and_then(|host| classify(host).ok()),
        _ => None,
    }
}

/// What `match` would have seen, so that the indicator is concerned: the value, or the host in it.
fn seen(value: &Value, listing: &Listing) -> Option<Value> {
    let whole = listing.relation == Relation::Exact || listing.relation == Relation::Text;
    host(value).filter(|_| !whole).or_else(|| Some(value.clone()))
}

/// Why `match` would not report a value on account of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    Inactive(Status),
    MoreNeeded,
    Vague(&'static str),
    Subdomain,
    Allowed,
}

fn obstacle(rules: &RuleSet, filter: &Filter, listing: &Listing, subdomains: bool, allowed: bool) -> Option<Obstacle> {
    let status = rules.indicator(listing.entry).status(filter);
    if status != Status::Active {
        Some(Obstacle::Inactive(status))
    } else if !listing.alone {
        Some(Obstacle::MoreNeeded)
    } else if let Some(reason) = listing.vague {
        Some(Obstacle::Vague(reason))
    } else if listing.relation == Relation::Subdomain && !subdomains {
        Some(Obstacle::Subdomain)
    } else {
        allowed.then_some(Obstacle::Allowed)
    }
}

impl Obstacle {
    /// For programs.
    fn name(self) -> &'static str {
        match self {
            Self::Inactive(Status::Active) => "active",
            Self::Inactive(Status::NotYetValid) => "not-yet-valid",
            Self::Inactive(Status::Expired) => "expired",
            Self::Inactive(Status::Revoked) => "revoked",
            Self::Inactive(Status::Superseded) => "superseded",
            Self::Inactive(Status::Duplicate) => "duplicate",
            Self::Inactive(Status::Confidence) => "confidence",
            Self::Inactive(Status::Label) => "label",
            Self::Inactive(Status::Type) => "type",
            Self::Inactive(Status::Tlp) => "tlp",
            Self::MoreNeeded => "more-needed",
            Self::Vague(_) => "vague",
            Self::Subdomain => "subdomain",
            Self::Allowed => "allow",
        }
    }

    /// For people.
    fn describe(self, indicator: IndicatorRef<'_>) -> String {
        let time = |time: Option<_>| time.map_or_else(String::new, |time| format!("{time}"));
        match self {
            Self::Inactive(Status::Active) => "active".into(),
            Self::Inactive(Status::NotYetValid) => format!("not active before {}", time(indicator.valid_from())),
            Self::Inactive(Status::Expired) => format!("not active: expired at {}", time(indicator.valid_until())),
            Self::Inactive(Status::Revoked) => "not active: withdrawn by its producer".into(),
            Self::Inactive(Status::Superseded) => "not active: there is a newer version of it".into(),
            Self::Inactive(Status::Duplicate) => "counted once: the same version was read before".into(),
            Self::Inactive(Status::Confidence) => "not active: below --min-confidence".into(),
            Self::Inactive(Status::Label) => "not active: has none of the labels asked for".into(),
            Self::Inactive(Status::Type) => "not active: has none of the types asked for".into(),
            Self::Inactive(Status::Tlp) => "not active: marked stricter than --tlp allows".into(),
            Self::MoreNeeded => "active, but its pattern asks for more than this value".into(),
            Self::Vague(reason) => format!("active, but not looked for in plain text: {reason}"),
            Self::Subdomain => "active, but for the listed name alone: --subdomains would cover this one".into(),
            Self::Allowed => "active, but the value is on the allowlist".into(),
        }
    }
}

fn text(listing: &Listing, obstacle: Option<Obstacle>, indicator: IndicatorRef<'_>, out: &mut String) {
    let state = obstacle.map_or_else(|| "active".into(), |obstacle| obstacle.describe(indicator));
    let mut facts = vec![format!("lists {} ({})", listing.listed, listing.relation.name())];
    if !indicator.origin().is_empty() {
        facts.push(format!("from {}", indicator.origin()));
    }
    if let Some(confidence) = indicator.confidence() {
        facts.push(format!("confidence {confidence}"));
    }
    let labels: Vec<&str> = indicator.labels().collect();
    if !labels.is_empty() {
        facts.push(format!("labels {}", labels.join(", ")));
    }
    facts.extend(indicator.valid_from().map(|time| format!("valid from {time}")));
    facts.extend(indicator.valid_until().map(|time| format!("valid until {time}")));
    let name = indicator.name().map(|name| format!(" {name}")).unwrap_or_default();
    // Writing to memory cannot fail.
    let _ = writeln!(out, "{}{name}\n  {state}\n  {}", indicator.id(), facts.join("; "));
}

#[derive(Serialize)]
struct Object<'a> {
    value: &'a str,
    listed: &'a str,
    relation: &'static str,
    /// Whether `match` would report it.
    active: bool,
    /// Why not.
    reason: Option<&'static str>,
    origin: &'a str,
    indicator: IndicatorObject<'a>,
    /// What each configured output makes of the value.
    outputs: &'a [Verdict],
    /// What keeps the value out of every blocklist.
    held_back: Option<&'a block::Obstacle>,
}

#[derive(Serialize)]
struct IndicatorObject<'a> {
    id: String,
    name: Option<&'a str>,
    confidence: Option<u8>,
    labels: Vec<&'a str>,
    valid_from: Option<String>,
    valid_until: Option<String>,
}

fn json(
    value: &str,
    listing: &Listing,
    obstacle: Option<Obstacle>,
    indicator: IndicatorRef<'_>,
    verdicts: &Verdicts,
    out: &mut String,
) {
    let object = Object {
        value,
        listed: &listing.listed,
        relation: listing.relation.name(),
        active: obstacle.is_none(),
        reason: obstacle.map(Obstacle::name),
        origin: indicator.origin(),
        indicator: IndicatorObject {
            id: indicator.id(),
            name: indicator.name(),
            confidence: indicator.confidence(),
            labels: indicator.labels().collect(),
            valid_from: indicator.valid_from().map(|time| time.to_string()),
            valid_until: indicator.valid_until().map(|time| time.to_string()),
        },
        outputs: &verdicts.outputs,
        held_back: verdicts.held_back.as_ref(),
    };
    // Strings and numbers always become JSON.
    out.push_str(&serde_json::to_string(&object).unwrap_or_default());
    out.push('\n');
}
