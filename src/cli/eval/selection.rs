//! Which indicators are evaluated: where they come from, and which of them take part.

use crate::cli::Globals;
use crate::cli::error::Error;
use crate::cli::indicators::{self, Taken};
use stockade::compile::Status;
use stockade::observable::{Value, canonical_hash_name};
use stockade::stix::Indicator;

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
    let mut all = Vec::new();
    let loaded = indicators::load_with(args, globals, &mut |builder, item| {
        let selected = match item {
            Taken::Indicator(indicator) => {
                builder.add(&Indicator { pattern: PLACEHOLDER.into(), ..indicator.clone() })?;
                let name = indicator.name.as_ref().map(ToString::to_string);
                Selected { pattern: indicator.pattern.to_string(), id: None, name }
            }
            Taken::Value(value) => {
                let pattern = pattern_of(&value);
                builder.add_value(value)?;
                Selected { pattern, id: None, name: None }
            }
        };
        all.push(selected);
        Ok(())
    })?;
    for indicator in loaded.rules.indicators() {
        if indicator.status(&loaded.filter) == Status::Active
            && let Some(selected) = all.get(indicator.entry().0 as usize)
        {
            visit(Selected { id: Some(indicator.id()), ..selected.clone() });
        }
    }
    Ok(loaded.incomplete)
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
