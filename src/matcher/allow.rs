//! Values that are never reported, whatever feeds say of them.

use super::index::parents_of;
use crate::compile::{Number, Prefixes};
use crate::observable::{Kind, Shape, Value, kind};
use std::collections::HashSet;

/// Known-good values: names with their subdomains, address prefixes, URLs, digests, mail addresses.
#[derive(Clone, Debug)]
pub struct Allowlist {
    ipv4: Prefixes<u32>,
    ipv6: Prefixes<u128>,
    texts: HashSet<(Kind, Box<str>)>,
}

impl Default for Allowlist {
    fn default() -> Self {
        Self::new([])
    }
}

impl Allowlist {
    /// A list of these values.
    pub fn new(values: impl IntoIterator<Item = Value>) -> Self {
        let (mut ipv4, mut ipv6, mut texts) = (Vec::new(), Vec::new(), HashSet::new());
        for value in values {
            match value {
                Value::Ipv4(address, len) => ipv4.push((u32::from(address), len)),
                Value::Ipv6(address, len) => ipv6.push((u128::from(address), len)),
                Value::Text(kind, text) => {
                    texts.insert((kind, text));
                }
            }
        }
        Self { ipv4: Prefixes::of(ipv4), ipv6: Prefixes::of(ipv6), texts }
    }

    /// Whether a value is on the list, inside a prefix of it, or a name below one of it.
    pub fn allows(&self, value: &Value) -> bool {
        match value {
            Value::Ipv4(address, len) => covers(&self.ipv4, u32::from(*address), *len),
            Value::Ipv6(address, len) => covers(&self.ipv6, u128::from(*address), *len),
            Value::Text(..) if self.texts.is_empty() => false,
            Value::Text(kind, text) if kind.shape() == Shape::Suffix => {
                self.has(*kind, text) || parents_of(text).any(|parent| self.has(*kind, parent))
            }
            // A URL written without a scheme stands for both of the web's.
            Value::Text(kind, text) => {
                self.has(*kind, text)
                    || *kind == Kind::Url && kind::url::without_scheme(text).is_some_and(|rest| self.has(*kind, rest))
            }
        }
    }

    fn has(&self, kind: Kind, text: &str) -> bool {
        self.texts.contains(&(kind, Box::from(text)))
    }
}

fn covers<A: Number>(prefixes: &Prefixes<A>, start: A, len: u8) -> bool {
    prefixes.covering(start).any(|place| prefixes.get(place).1 <= len)
}

#[cfg(test)]
mod tests {
    use super::Allowlist;
    use crate::observable::classify;

    #[test]
    fn names_cover_what_is_below_them_and_prefixes_what_is_inside() {
        let value = |text: &str| classify(text).expect("a value");
        let list = Allowlist::new(
            ["good.example", "10.0.0.0/8", "2001:db8::/32", "http://x.example/a", "y.example/b"].map(value),
        );
        for allowed in [
            "good.example",
            "www.good.example",
            "10.1.2.3",
            "10.0.0.0/8",
            "2001:db8::1",
            "http://x.example/a",
            "https://y.example/b",
        ] {
            assert!(list.allows(&value(allowed)), "{allowed}");
        }
        for other in [
            "notgood.example",
            "good.example.net",
            "11.1.2.3",
            "10.0.0.0/7",
            "http://x.example/b",
            "https://x.example/a",
            "x.example",
        ] {
            assert!(!list.allows(&value(other)), "{other}");
        }
    }
}
