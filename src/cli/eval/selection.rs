//! Which indicators are evaluated: where they come from, and which of them take part.

use crate::cli::Globals;
use crate::cli::error::Error;
use crate::cli::indicators::{self, Taken};
use std::collections::HashSet;
use stockade::compile::{Status, id_of_value};
use stockade::observable::{Value, canonical_hash_name};
use stockade::stix::{Indicator, Timestamp};

/// A pattern that takes part.
#[derive(Clone, Debug)]
pub(super) struct Selected {
    pub(super) pattern: String,
    /// The indicator that it belongs to.
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
}

/// Stands in the rule set for every pattern: what is judged there is only the validity and version of indicators.
/// Their patterns are evaluated as they are, also those that no log line could match.
const PLACEHOLDER: &str = "[file:name = 'placeholder']";

/// Visits the indicators that take part; says whether some source could not be read to its end.
pub(super) fn load(args: &indicators::Args, globals: &Globals, visit: &mut dyn FnMut(Selected)) -> Result<bool, Error> {
    let mut all: Vec<(Version, Selected)> = Vec::new();
    let loaded = indicators::load_with(args, globals, &mut |builder, item| {
        match item {
            Taken::Indicator(indicator) => {
                builder.add(&Indicator { pattern: PLACEHOLDER.into(), ..indicator.clone() })?;
                let (id, name) = (indicator.id.to_string(), indicator.name.as_ref().map(ToString::to_string));
                let selected = Selected { pattern: indicator.pattern.to_string(), id: Some(id.clone()), name };
                all.push((Version { id, modified: instant(indicator.modified) }, selected));
            }
            Taken::Value(value) => {
                let (pattern, id) = (pattern_of(&value), id_of_value(&value));
                builder.add_value(value)?;
                let selected = Selected { pattern, id: Some(id.clone()), name: None };
                all.push((Version { id, modified: None }, selected));
            }
            Taken::Rules(rules) => {
                builder.add_rules(rules)?;
                for one in rules.indicators() {
                    let pattern = match one.pattern() {
                        Some(pattern) => Some(pattern.into_owned()),
                        None => one.list_value().map(|value| pattern_of(&value)),
                    };
                    let (id, name) = (one.id(), one.name().map(str::to_owned));
                    if let Some(pattern) = pattern {
                        let version = Version { id: id.clone(), modified: instant(one.modified()) };
                        all.push((version, Selected { pattern, id: Some(id), name }));
                    }
                }
            }
        }
        Ok(())
    })?;
    let active = loaded.rules.indicators().filter(|indicator| indicator.status(&loaded.filter) == Status::Active);
    let mut active: HashSet<Version> =
        active.map(|one| Version { id: one.id(), modified: instant(one.modified()) }).collect();
    for (version, selected) in all {
        // Of a version that is told twice, the first.
        if active.remove(&version) {
            visit(selected);
        }
    }
    Ok(loaded.incomplete)
}

/// A version of an indicator: its id, and when it was made as far as a rule set tells.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Version {
    id: String,
    modified: Option<(i64, u32)>,
}

fn instant(time: Option<Timestamp>) -> Option<(i64, u32)> {
    time.map(|time| (time.seconds, time.nanos / 1000))
}

/// The pattern that a value of a list stands for.
fn pattern_of(value: &Value) -> String {
    let text = value.to_string().replace('\\', "\\\\").replace('\'', "\\'");
    let kind = value.kind();
    match kind.object_type() {
        "file" => format!("[file:hashes.'{}' = '{text}']", canonical_hash_name(kind.name()).unwrap_or_default()),
        object_type => format!("[{object_type}:value = '{text}']"),
    }
}
