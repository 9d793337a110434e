//! Observed data: what was seen, when and how often (STIX 2.1 section 4.14; 2.0 section 2.8).
//!
//! Both shapes are read: a dictionary `objects` whose keys serve as references, and `object_refs` that name cyber
//! observable objects standing beside the observation. Either way an observation holds the objects it lists and
//! no others, so a reference can only lead to one of them. What is broken is left out and named in a [`Problem`].

use super::Timestamp;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// One observation: a set of cyber observable objects seen together.
///
/// ```
/// use stockade::stix::observed::Reader;
///
/// let mut reader = Reader::default();
/// reader.read(br#"{"type": "observed-data", "first_observed": "2026-01-01T00:00:00Z", "number_observed": 2,
///     "last_observed": "2026-01-01T00:00:10Z", "objects": {"0": {"type": "ipv4-addr", "value": "192.0.2.1"}}}"#);
/// let (observations, problems) = reader.finish();
/// assert_eq!(observations[0].count, 2);
/// assert_eq!(observations[0].objects[0].object_type(), "ipv4-addr");
/// assert!(problems.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ObservedData {
    /// `observed-data--` and a UUID, as a rule; empty if it has none.
    pub id: Box<str>,
    /// `first_observed` and `last_observed`, in order of time. Without times an observation satisfies no
    /// qualifier that speaks of time and no `FOLLOWEDBY`.
    pub times: Option<(Timestamp, Timestamp)>,
    /// `number_observed`: it counts as so many observations.
    pub count: u64,
    /// What was seen.
    pub objects: Vec<Object>,
    by_key: Option<HashMap<Box<str>, u32>>,
}

/// A cyber observable object within one observation.
#[derive(Clone, Debug)]
pub struct Object {
    /// What references call it: its key in `objects`, or its id.
    pub key: Box<str>,
    /// All its properties, `type` among them.
    pub properties: Arc<Map<String, Value>>,
}

/// Something that could not be read and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The id of the object concerned, or where it stood.
    pub place: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Reads observed data from bundles, arrays, single objects and lines of them.
#[derive(Debug, Default)]
pub struct Reader {
    observations: Vec<ObservedData>,
    problems: Vec<Problem>,
    /// Observations outside bundles, and the objects outside bundles that they may refer to; resolved at the end.
    loose: Vec<Map<String, Value>>,
    beside: Beside,
    /// The name of what is being read; empty if it has none.
    origin: String,
}

/// The objects that `object_refs` can name, by id.
type Beside = HashMap<String, Arc<Map<String, Value>>>;

/// Above so many objects, references are looked up in a table rather than by going through them.
const SMALL: usize = 8;

impl Object {
    /// The object's type; empty if it has none.
    pub fn object_type(&self) -> &str {
        self.properties.get("type").and_then(Value::as_str).unwrap_or("")
    }
}

impl ObservedData {
    /// An observation of these objects.
    pub fn new(id: &str, times: Option<(Timestamp, Timestamp)>, count: u64, objects: Vec<Object>) -> Self {
        let by_key = (objects.len() > SMALL)
            .then(|| objects.iter().zip(0..).map(|(object, index)| (object.key.clone(), index)).collect());
        Self { id: id.into(), times, count, objects, by_key }
    }

    /// The object that a reference names, if this observation lists it.
    pub fn referenced(&self, key: &str) -> Option<&Object> {
        match &self.by_key {
            Some(table) => self.objects.get(*table.get(key)? as usize),
            None => self.objects.iter().find(|object| *object.key == *key),
        }
    }
}

impl Reader {
    /// Reads a text: one JSON value, or several one after another or line by line. A broken line is reported and
    /// passed over.
    pub fn read(&mut self, text: &[u8]) {
        let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut line = 1;
        loop {
            let blank = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            line += memchr::memchr_iter(b'\n', &rest[..blank]).count();
            rest = &rest[blank..];
            if rest.is_empty() {
                return;
            }
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
            let used = match values.next() {
                Some(Ok(value)) => {
                    let used = values.byte_offset();
                    self.add(value);
                    used
                }
                Some(Err(error)) => {
                    let origin = if self.origin.is_empty() { String::new() } else { format!("{}: ", self.origin) };
                    let place = format!("{origin}line {}", line + error.line() - 1);
                    self.problem(place, format!("no JSON: {error}"));
                    // Within lines of JSON the next line is a fresh start; inside a longer value nothing is.
                    if error.line() > 1 {
                        return;
                    }
                    memchr::memchr(b'\n', rest).unwrap_or(rest.len())
                }
                None => return,
            };
            line += memchr::memchr_iter(b'\n', &rest[..used]).count();
            rest = &rest[used..];
        }
    }

    /// Names what is read from now on, for the places of lines that are no JSON.
    pub fn origin(&mut self, name: &str) {
        name.clone_into(&mut self.origin);
    }

    /// Takes a JSON value: observed data, a bundle, an object that observed data refers to, or an array of these.
    /// Objects of other types are passed over.
    pub fn add(&mut self, value: Value) {
        match value {
            Value::Array(values) => {
                for value in values {
                    match value {
                        Value::Object(object) => self.add_object(object),
                        _ => self.problem("array".to_owned(), "an element is no object".to_owned()),
                    }
                }
            }
            Value::Object(object) => self.add_object(object),
            _ => self.problem("input".to_owned(), "a value is no object".to_owned()),
        }
    }

    /// What was read, and what was left out.
    pub fn finish(mut self) -> (Vec<ObservedData>, Vec<Problem>) {
        for object in std::mem::take(&mut self.loose) {
            self.observe(object, &Beside::new());
        }
        (self.observations, self.problems)
    }

    fn add_object(&mut self, mut object: Map<String, Value>) {
        let is_bundle = object.get("type").and_then(Value::as_str) == Some("bundle");
        // A TAXII envelope is a bundle without a type.
        let is_envelope = !object.contains_key("type") && object.contains_key("objects");
        if !is_bundle && !is_envelope {
            self.sort_out(object, None);
            return;
        }
        let Some(Value::Array(members)) = object.remove("objects") else {
            self.problem(place(&object), "a bundle without a list of objects".to_owned());
            return;
        };
        let (mut beside, mut observed) = (Beside::new(), Vec::new());
        for member in members {
            match member {
                Value::Object(member) => self.sort_out(member, Some((&mut beside, &mut observed))),
                _ => self.problem(place(&object), "an element of a bundle is no object".to_owned()),
            }
        }
        for observation in observed {
            self.observe(observation, &beside);
        }
    }

    /// Puts an object with the observations or with what they may refer to, of a bundle or outside of any.
    fn sort_out(&mut self, object: Map<String, Value>, bundle: Option<(&mut Beside, &mut Vec<Map<String, Value>>)>) {
        let (beside, observed) = bundle.unwrap_or((&mut self.beside, &mut self.loose));
        if object.get("type").and_then(Value::as_str) == Some("observed-data") {
            observed.push(object);
        } else if let Some(id) = object.get("id").and_then(Value::as_str) {
            beside.insert(id.to_owned(), Arc::new(object));
        }
    }

    fn observe(&mut self, mut observation: Map<String, Value>, beside: &Beside) {
        let place = place(&observation);
        let mut objects = Vec::new();
        if let Some(Value::Object(listed)) = observation.remove("objects") {
            for (key, value) in listed {
                match value {
                    Value::Object(properties) if properties.get("type").is_some_and(Value::is_string) => {
                        objects.push(Object { key: key.into(), properties: Arc::new(properties) });
                    }
                    _ => self.problem(place.clone(), format!("object '{key}' is no object with a type")),
                }
            }
        }
        if let Some(Value::Array(refs)) = observation.get("object_refs") {
            let mut seen = HashSet::new();
            for id in refs {
                let Some(id) = id.as_str() else {
                    self.problem(place.clone(), "an element of object_refs is no text".to_owned());
                    continue;
                };
                if !seen.insert(id) {
                    continue;
                }
                match beside.get(id).or_else(|| self.beside.get(id)) {
                    Some(found) if found.get("type").is_some_and(Value::is_string) => {
                        objects.push(Object { key: id.into(), properties: Arc::clone(found) });
                    }
                    Some(_) => self.problem(place.clone(), format!("'{id}' has no type")),
                    None => self.problem(place.clone(), format!("'{id}' of object_refs is not there")),
                }
            }
        }
        let id = observation.get("id").and_then(Value::as_str).unwrap_or("");
        let times = self.times(&observation, &place);
        let count = self.count(&observation, &place);
        self.observations.push(ObservedData::new(id, times, count, objects));
    }

    fn times(&mut self, observation: &Map<String, Value>, place: &str) -> Option<(Timestamp, Timestamp)> {
        let mut time = |name: &str| {
            let value = observation.get(name)?;
            let time = value.as_str().and_then(|text| Timestamp::parse_lenient(text).ok());
            if time.is_none() {
                self.problem(place.to_owned(), format!("{name} is no timestamp: {value}"));
            }
            time
        };
        let (first, last) = (time("first_observed"), time("last_observed"));
        let (first, last) = (first.or(last)?, last.or(first)?);
        if last < first {
            self.problem(place.to_owned(), "last_observed is before first_observed; read the other way".to_owned());
        }
        Some((first.min(last), first.max(last)))
    }

    fn count(&mut self, observation: &Map<String, Value>, place: &str) -> u64 {
        let Some(value) = observation.get("number_observed") else { return 1 };
        match value.as_u64() {
            Some(count) if count > 0 => count,
            _ => {
                self.problem(place.to_owned(), format!("number_observed is no count: {value}; read as 1"));
                1
            }
        }
    }

    fn problem(&mut self, place: String, detail: String) {
        self.problems.push(Problem { place, detail });
    }
}

/// What to call an object in a report.
fn place(object: &Map<String, Value>) -> String {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    text("id").or(text("type")).unwrap_or("object without id").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<ObservedData>, Vec<String>) {
        let mut reader = Reader::default();
        reader.read(text.as_bytes());
        let (observations, problems) = reader.finish();
        (observations, problems.into_iter().map(|problem| format!("{}: {}", problem.place, problem.detail)).collect())
    }

    #[test]
    fn an_observation_of_references_holds_only_what_it_lists() {
        let (observations, problems) = read(
            r#"{"type": "bundle", "objects": [
                {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "192.0.2.1"},
                {"type": "ipv4-addr", "id": "ipv4-addr--2", "value": "192.0.2.2"},
                {"type": "observed-data", "id": "observed-data--1", "first_observed": "2026-01-01T00:00:00Z",
                 "last_observed": "2026-01-01T00:00:00Z", "number_observed": 1,
                 "object_refs": ["ipv4-addr--1", "ipv4-addr--3"]}]}"#,
        );
        assert_eq!(observations.len(), 1);
        assert!(observations[0].referenced("ipv4-addr--1").is_some());
        assert!(observations[0].referenced("ipv4-addr--2").is_none());
        assert_eq!(problems, ["observed-data--1: 'ipv4-addr--3' of object_refs is not there"]);
    }

    #[test]
    fn objects_outside_bundles_may_come_in_any_order() {
        let (observations, problems) = read(
            "{\"type\": \"observed-data\", \"object_refs\": [\"url--1\"]}\n{\"type\": \"url\", \"id\": \"url--1\"}\n",
        );
        assert_eq!(observations[0].objects.len(), 1);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn broken_lines_and_objects_stop_nothing() {
        let (observations, problems) = read(
            "{\"type\": \"observed-data\", \"objects\": {\"0\": 7, \"1\": {\"type\": \"url\"}}}\nbroken\n\
             {\"type\": \"observed-data\", \"number_observed\": -1, \"first_observed\": \"soon\"}",
        );
        assert_eq!(observations.len(), 2);
        assert_eq!(observations[0].objects.len(), 1);
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert_eq!(problems[0], "line 2: no JSON: expected value at line 1 column 1");
    }

    #[test]
    fn many_objects_are_found_by_key() {
        let objects: Vec<String> = (0..100).map(|n| format!("\"{n}\": {{\"type\": \"x-t\", \"n\": {n}}}")).collect();
        let (observations, _) =
            read(&format!("{{\"type\": \"observed-data\", \"objects\": {{{}}}}}", objects.join(",")));
        let found = observations[0].referenced("77").and_then(|object| object.properties.get("n"));
        assert_eq!(found, Some(&Value::from(77)));
    }
}
