//! Object paths: from an object to the values that a path names (STIX 2.1 section 9.7).

use crate::compile::program::{Path, Step};
use crate::observable::canonical_hash_name;
use crate::stix::ObservedData;
use crate::stix::observed::Object;
use serde_json::{Map, Value};

/// Where a walk stands: at an object of the observation, or at a value within one.
#[derive(Clone, Copy)]
enum Place<'o> {
    Properties(&'o Map<String, Value>),
    Value(&'o Value),
}

/// Above so many places at once, those that are the same are merged after each step.
const MERGE: usize = 16;

/// Shows each value that a path names in an object, until one is accepted; says whether one was.
pub(super) fn any_value(
    observation: &ObservedData,
    object: &Object,
    path: &Path,
    mut accept: impl FnMut(&Value) -> bool,
) -> bool {
    let mut place = Place::Properties(&object.properties);
    for (index, step) in path.steps.iter().enumerate() {
        let next = match step {
            Step::Any => return any_of_many(observation, place, &path.steps[index..], &mut accept),
            Step::FilePath => return file_path(observation, place).is_some_and(|value| accept(&value)),
            step => single(observation, place, step),
        };
        match next {
            Some(next) => place = next,
            None => return false,
        }
    }
    match place {
        Place::Value(value) if !value.is_null() => accept(value),
        _ => false,
    }
}

/// The rest of a path that begins with `[*]`. Places are kept side by side and merged where they meet, so that a
/// chain of `[*]` over objects that refer to one another costs no more than there are objects.
fn any_of_many<'o>(
    observation: &'o ObservedData,
    place: Place<'o>,
    steps: &[Step],
    accept: &mut impl FnMut(&Value) -> bool,
) -> bool {
    let (mut places, mut next) = (vec![place], Vec::new());
    for step in steps {
        for place in places.drain(..) {
            match (step, place) {
                (Step::Any, Place::Value(Value::Array(list))) => next.extend(list.iter().map(Place::Value)),
                (Step::Any, _) => {}
                (step, place) => next.extend(single(observation, place, step)),
            }
        }
        std::mem::swap(&mut places, &mut next);
        if places.len() > MERGE {
            places.sort_unstable_by_key(Place::identity);
            places.dedup_by_key(|place| place.identity());
        }
    }
    places.into_iter().any(|place| match place {
        Place::Value(value) if !value.is_null() => accept(value),
        _ => false,
    })
}

impl Place<'_> {
    fn identity(&self) -> usize {
        match self {
            Self::Properties(map) => std::ptr::from_ref(*map) as usize,
            Self::Value(value) => std::ptr::from_ref(*value) as usize,
        }
    }
}

/// One step to at most one place.
fn single<'o>(observation: &'o ObservedData, place: Place<'o>, step: &Step) -> Option<Place<'o>> {
    match step {
        Step::Key { name, hop } => {
            let value = match place {
                Place::Properties(map) | Place::Value(Value::Object(map)) => map.get(&**name),
                Place::Value(Value::String(key)) if *hop => observation.referenced(key)?.properties.get(&**name),
                Place::Value(_) => None,
            };
            value.map(Place::Value)
        }
        Step::Hash(name) => {
            let (Place::Properties(map) | Place::Value(Value::Object(map))) = place else { return None };
            let spelled = || map.iter().find(|(key, _)| canonical_hash_name(key) == Some(name)).map(|(_, value)| value);
            map.get(&**name).or_else(spelled).map(Place::Value)
        }
        Step::Index(index) => match place {
            Place::Value(Value::Array(list)) => list.get(*index).map(Place::Value),
            _ => None,
        },
        Step::Any | Step::FilePath => None,
    }
}

/// The path of a file: a property of that name if there is one, else that of its directory and its name.
fn file_path(observation: &ObservedData, place: Place<'_>) -> Option<Value> {
    let (Place::Properties(file) | Place::Value(Value::Object(file))) = place else { return None };
    if let Some(path) = file.get("path") {
        return Some(path.clone());
    }
    let name = file.get("name")?.as_str()?;
    let directory = file.get("parent_directory_ref").and_then(Value::as_str);
    let directory = directory.and_then(|key| observation.referenced(key)?.properties.get("path")?.as_str());
    let Some(directory) = directory else { return Some(Value::from(name)) };
    let separator = if directory.contains('\\') || !directory.contains('/') { '\\' } else { '/' };
    Some(Value::from(format!("{}{separator}{name}", directory.trim_end_matches(separator))))
}
