//! What a user says of logs of their own: which field of JSON, or column of a table, is which property.

use super::event::Meaning;
use super::zone::Zone;
use std::collections::HashMap;

/// The meaning of the fields of some logs.
///
/// ```
/// use stockade::log::Mapping;
///
/// let mut mapping = Mapping::new(&["app-*.log".into()], &["svc".into()]);
/// mapping.field("peer.addr", "network-traffic:dst_ref.value")?;
/// assert!(mapping.covers("/var/log/app-7.log"));
/// assert!(mapping.field("x", "nonsense").is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    files: Vec<String>,
    keys: Vec<String>,
    fields: HashMap<String, Target>,
    time: Option<String>,
    zone: Option<Zone>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Property(String),
    Open,
    Text,
}

impl Mapping {
    /// Of the inputs whose name one of some patterns with `*` and `?` fits, and of their lines that have all of some
    /// keys. No pattern means all inputs, no key all lines.
    pub fn new(files: &[String], keys: &[String]) -> Self {
        Self { files: files.to_vec(), keys: keys.to_vec(), ..Self::default() }
    }

    /// Says what a field is: an object path of STIX, `text`, or `open` if its looks are to tell. The name is the path of
    /// a value in JSON, with `[]` or nothing for an index, or the name of a column.
    ///
    /// # Errors
    /// It is none of these.
    pub fn field(&mut self, name: &str, target: &str) -> Result<(), String> {
        let target = match target {
            "text" => Target::Text,
            "open" => Target::Open,
            path => {
                let path = path.replace('\'', "");
                let fine = path.split_once(':').is_some_and(|(object, property)| {
                    let is_type = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                    !object.is_empty() && object.bytes().all(is_type) && !property.is_empty() && !property.contains(' ')
                });
                if !fine {
                    return Err(format!(
                        "field {name}: {path} is no object path, such as ipv4-addr:value, nor text or open"
                    ));
                }
                Target::Property(path)
            }
        };
        self.fields.insert(without_indices(name), target);
        Ok(())
    }

    /// Says which field tells when.
    pub fn time(&mut self, name: &str) {
        self.time = Some(name.to_owned());
    }

    /// Says in which zone times are that do not say it. It holds for all lines of the inputs that are meant.
    pub fn set_zone(&mut self, zone: Zone) {
        self.zone = Some(zone);
    }

    /// Whether an input of this name is meant.
    pub fn covers(&self, input: &str) -> bool {
        let name = input.rsplit('/').next().unwrap_or(input);
        self.files.is_empty()
            || self
                .files
                .iter()
                .any(|glob| fits(glob.as_bytes(), if glob.contains('/') { input } else { name }.as_bytes()))
    }

    /// Whether a line with fields of some names is meant.
    pub(super) fn is_of(&self, has: impl Fn(&str) -> bool) -> bool {
        self.keys.iter().all(|key| has(key))
    }

    /// What a field means, if that is said.
    pub(super) fn meaning(&self, name: &str) -> Option<Meaning<'_>> {
        Some(match self.fields.get(&without_indices(name))? {
            Target::Property(path) => Meaning::property(path),
            Target::Open => Meaning::Open,
            Target::Text => Meaning::Text,
        })
    }

    /// In which zone times are that do not say it.
    pub(super) fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
    }

    /// The field that tells when.
    pub(super) fn time_field(&self) -> Option<&str> {
        self.time.as_deref()
    }
}

/// The path of a value in JSON without its indices.
pub(super) fn without_indices(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (number, piece) in path.split('[').enumerate() {
        match piece.split_once(']') {
            Some((_, rest)) if number > 0 => out.push_str(rest),
            _ => out.push_str(piece),
        }
    }
    out
}

/// Whether a name is as a pattern has it: `*` for any letters, `?` for one.
fn fits(glob: &[u8], name: &[u8]) -> bool {
    let (mut at, mut star) = ((0, 0), None);
    while at.1 < name.len() {
        match glob.get(at.0) {
            Some(b'*') => {
                star = Some((at.0 + 1, at.1));
                at.0 += 1;
            }
            Some(sign) if *sign == b'?' || *sign == name[at.1] => at = (at.0 + 1, at.1 + 1),
            _ => {
                let Some((behind, taken)) = star else { return false };
                star = Some((behind, taken + 1));
                at = (behind, taken + 1);
            }
        }
    }
    glob[at.0..].iter().all(|sign| *sign == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit_names() {
        for (glob, name, expected) in [
            ("*.log", "a.log", true),
            ("*.log", "a.log.1", false),
            ("a*b*c", "axxbxbxc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(fits(glob.as_bytes(), name.as_bytes()), expected, "{glob} {name}");
        }
    }

    #[test]
    fn indices_do_not_count() {
        assert_eq!(without_indices("a[0].b[12]"), "a.b");
        assert_eq!(without_indices("a[].b"), "a.b");
    }
}
