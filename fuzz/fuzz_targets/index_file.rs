//! A compiled index of any bytes is opened and used, or refused. Checksums are not compared here, so that what lies
//! behind them is reached (`cfg(fuzzing)`).
#![no_main]

use std::sync::Arc;
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::matcher::{Matcher, Options, listings};
use stockade::observable::classify;
use stockade::stix::Timestamp;

const TEXT: &[u8] = b"from 203.0.113.9 to www.evil.example, http://bad.example/a, 2001:db8::1 user@mail.example\n\
    aa:bb:cc:dd:ee:ff d41d8cd98f00b204e9800998ecf8427e dropper-7.dll c2-9.example\n";

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(rules) = RuleSet::from_bytes(bytes.to_vec()) else { return };
    let rules = Arc::new(rules);
    let now = Filter::at(Timestamp::from_unix(1_780_000_000, 0));
    for one in rules.indicators().take(1000) {
        let _ = (one.id(), one.name(), one.labels().count(), one.types().count(), one.tlp(), one.origin());
        let _ = (one.created_by(), one.pattern(), one.list_value(), one.valid_until(), one.status(&now));
    }
    for value in ["203.0.113.9", "www.evil.example", "2001:db8::1", "http://bad.example/a"] {
        if let Ok(value) = classify(value) {
            let _ = listings(&rules, &value);
        }
    }
    let mut builder = RuleSetBuilder::new(rules.reading());
    let _ = builder.add_rules(&rules);
    let _ = builder.build_current();
    let matcher = Matcher::new(rules, Options { subdomains: true, ..Options::new(now) });
    matcher.scanner().scan(TEXT, &mut Vec::new());
});
