//! Compiled index files as a matcher writes and opens them: the tables of a rule set with the filters in front of them.

use super::index::Filters;
use super::{Matcher, Options};
use crate::compile::RuleSet;
use crate::compile::file::FileError;
use crate::compile::packed::Sections;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A compiled index to be written: everything that a rule set knows, and the filters that a [`Matcher`] works with, so
/// that [`Matcher::open`] has nothing left to build. The same indicators give the same bytes, in whatever order they came.
///
/// What no use of the file can bring back to life has no place in it, so the set is made by
/// [`RuleSetBuilder::build_current`](crate::compile::RuleSetBuilder::build_current). Write to a temporary file and
/// rename that: readers have the file mapped.
///
/// ```
/// use stockade::compile::{Filter, RuleSetBuilder};
/// use stockade::matcher::{Compiled, Matcher, Options};
/// use stockade::observable::classify;
/// use stockade::stix::Timestamp;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("indicators.sdx");
///
/// let mut builder = RuleSetBuilder::default();
/// builder.keep_patterns();
/// builder.add_value(classify("203.0.113.0/24")?)?;
/// let mut file = std::fs::File::create(&path)?;
/// Compiled::new(&builder.build_current()).write(&mut file)?;
///
/// let now = Timestamp::parse("2026-01-01T00:00:00Z")?;
/// let matcher = Matcher::open(&path, Options::new(Filter::at(now)))?;
/// let mut hits = Vec::new();
/// matcher.scanner().scan(b"login from 203.0.113.9\n", &mut hits);
/// assert_eq!(hits.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Compiled<'r> {
    rules: &'r RuleSet,
    sections: Sections,
}

impl<'r> Compiled<'r> {
    /// The index of a rule set.
    pub fn new(rules: &'r RuleSet) -> Self {
        let mut sections = rules.sections().clone();
        if matches!(Filters::open(&sections), Ok(None)) {
            Filters::new(rules.atoms(), &|_| true).write(&mut sections);
        }
        Self { rules, sections }
    }

    /// Writes it.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.rules.write_with(&self.sections, out)
    }
}

impl Matcher {
    /// Opens a compiled index. The file is mapped, and read only where something is looked up; which of its indicators
    /// take part is judged when they are found.
    ///
    /// A file that takes its place later is not seen: open it again, and swap the matcher.
    ///
    /// # Errors
    /// The file cannot be read, or is no compiled index, of another version, cut, or damaged in what was looked at.
    pub fn open(path: &Path, options: Options) -> Result<Self, FileError> {
        Ok(Self::new(Arc::new(RuleSet::open(path)?), options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocklist::{Blocklist, Capabilities, Policy, Subdomains};
    use crate::compile::file::reseal;
    use crate::compile::{Filter, RuleSetBuilder, Status};
    use crate::matcher::{Hit, listings, literal_listings};
    use crate::observable::{Kind, classify};
    use crate::stix::{Indicator, Timestamp};
    use proptest::prelude::*;
    use std::sync::OnceLock;

    const TEXT: &[u8] =
        b"from 203.0.113.9 and 203.0.9.9 to evil.example, http://bad.example/a, 2001:db8::1 user@mail.example\n\
        aa:bb:cc:dd:ee:ff d41d8cd98f00b204e9800998ecf8427e dropper-7.dll c2-9.example x.bad.example second.example\n";

    const VALUES: &[&str] = &[
        "203.0.113.9",
        "203.0.113.0/24",
        "203.0.0.0/16",
        "evil.example",
        "www.evil.example",
        "http://bad.example/a",
        "2001:db8::1",
        "2001:db8::/32",
        "user@mail.example",
        "aa:bb:cc:dd:ee:ff",
        "d41d8cd98f00b204e9800998ecf8427e",
    ];

    const PATTERNS: &[&str] = &[
        "[file:name = 'dropper-7.dll']",
        "[domain-name:value MATCHES '^c2-[0-9]+\\\\.example$']",
        "[domain-name:value LIKE '%.bad.example']",
        "[file:name = 'dropper-7.dll' AND file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
        "[ipv4-addr:value = '203.0.113.9'] AND [domain-name:value = 'evil.example']",
        "[ipv4-addr:value = '203.0.113.9'] FOLLOWEDBY [domain-name:value = 'second.example']",
        "[ipv4-addr:value = '203.0.113.9' OR ipv4-addr:value = '203.0.113.10']",
        "[network-traffic:dst_ref.value = '203.0.113.9']",
    ];

    fn now() -> Filter {
        Filter::at(Timestamp::parse("2026-06-01T00:00:00Z").expect("an instant"))
    }

    fn builder() -> RuleSetBuilder {
        let mut builder = RuleSetBuilder::default();
        builder.keep_patterns();
        builder.origin("list");
        for value in VALUES {
            builder.add_value(classify(value).expect(value)).expect("there is room");
        }
        builder.origin("bundle");
        for (number, pattern) in PATTERNS.iter().enumerate() {
            let indicator = Indicator {
                id: format!("indicator--00000000-0000-4000-8000-{number:012}").into(),
                name: Some("a name".into()),
                pattern: (*pattern).into(),
                pattern_type: "stix".into(),
                created_by: Some("identity--x".into()),
                created: None,
                modified: Timestamp::parse("2026-01-01T00:00:00Z").ok(),
                valid_from: Timestamp::parse("2026-01-01T00:00:00Z").ok(),
                valid_until: Timestamp::parse("2027-01-01T00:00:00.5Z").ok(),
                revoked: false,
                confidence: Some(number as u8),
                labels: vec!["c2".into(), "x".into()],
                indicator_types: vec!["malicious-activity".into()],
                tlp: None,
            };
            builder.add(&indicator).expect(pattern);
        }
        let gone = Indicator {
            revoked: true,
            ..Indicator::from_json(br#"{"type": "indicator", "id": "odd", "pattern": "[x:y = 1]"}"#)
                .expect("an indicator")
        };
        builder.add(&gone).expect("a withdrawal");
        builder
    }

    fn file() -> Vec<u8> {
        static FILE: OnceLock<Vec<u8>> = OnceLock::new();
        let make = || {
            let mut out = Vec::new();
            Compiled::new(&builder().build_current()).write(&mut out).expect("memory takes everything");
            out
        };
        FILE.get_or_init(make).clone()
    }

    /// What is told of hits, with the ids of the indicators.
    fn told(matcher: &Matcher, hits: &[Hit]) -> Vec<String> {
        let told = |hit: &Hit| {
            let indicator = matcher.rules().indicator(hit.entry);
            let facts = (indicator.id(), indicator.name(), indicator.confidence(), indicator.valid_until());
            format!("{:?} {} {:?} {facts:?} {:?}", hit.span, hit.value, hit.relation, indicator.origin())
        };
        hits.iter().map(told).collect()
    }

    /// Does everything with a rule set that is done with one.
    fn use_all(rules: RuleSet) -> Vec<String> {
        let rules = Arc::new(rules);
        for indicator in rules.indicators() {
            let _ = (indicator.id(), indicator.name(), indicator.confidence(), indicator.tlp(), indicator.created_by());
            let _ = (indicator.labels().count(), indicator.types().count(), indicator.origin(), indicator.modified());
            let _ = (indicator.pattern(), indicator.list_value(), indicator.status(&now()));
        }
        let labelled = Filter { labels: vec!["c2".into()], types: vec!["x".into()], ..now() };
        assert!(
            rules.indicators().filter(|indicator| indicator.status(&labelled) == Status::Active).count() <= rules.len()
        );
        for value in VALUES {
            listings(&rules, &classify(value).expect(value));
        }
        literal_listings(&rules, "dropper-7.dll");
        let kinds: Vec<Kind> = Kind::all().collect();
        let format = Capabilities {
            kinds: &kinds,
            subdomains: Subdomains::Always,
            exceptions: true,
            merge: true,
            max_entries: Some(5),
            refuses: &|_| None,
        };
        Blocklist::build(&rules, &now(), &Policy::default(), &format);
        let mut merged = RuleSetBuilder::new(rules.reading());
        let _ = merged.add_rules(&rules);
        drop(merged.build());
        let matcher = Matcher::new(rules, Options { subdomains: true, ..Options::new(now()) });
        let mut hits = Vec::new();
        matcher.scanner().scan(TEXT, &mut hits);
        told(&matcher, &hits)
    }

    #[test]
    fn an_opened_index_finds_what_the_one_in_memory_finds() {
        let in_memory = use_all(builder().build());
        assert!(in_memory.len() > 15, "{in_memory:?}");
        assert_eq!(use_all(RuleSet::from_bytes(file()).expect("in order")), in_memory);
        let opened = RuleSet::from_bytes(file()).expect("in order");
        assert_eq!(opened.generation(), builder().build().generation());
        let mut texts: Vec<_> = opened.indicators().filter_map(|one| one.pattern()).collect();
        texts.sort();
        let mut patterns = PATTERNS.to_vec();
        patterns.sort_unstable();
        assert_eq!(texts, patterns);
        let values = opened.indicators().filter_map(|one| one.list_value()).count();
        assert_eq!(values, VALUES.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// Whatever its bytes are, and even if every checksum fits them, opening an index and using it neither fails nor
        /// takes for ever.
        #[test]
        fn a_hostile_index_is_an_error_or_finds_something_else(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
            cut in proptest::option::weighted(0.1, any::<prop::sample::Index>()),
            sealed in proptest::bool::weighted(0.9),
        ) {
            let mut bytes = file();
            for (at, byte, how) in changes {
                // Header and table are small and decide the most.
                let place = if how == 0 { at.index(bytes.len().min(3000)) } else { at.index(bytes.len()) };
                bytes[place] = if how == 1 { 0xff } else { byte };
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            if sealed {
                reseal(&mut bytes);
            }
            if let Ok(rules) = RuleSet::from_bytes(bytes) {
                use_all(rules);
            }
        }
    }
}
