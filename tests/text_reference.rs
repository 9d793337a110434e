//! The tokenizer against the naive matcher: the same hits, with the same spans and relations.

mod reference;

use reference::generate::{Random, line};
use reference::{Hits, Options};
use stockade::matcher::Relation;
use stockade::observable::text::{self, Place, tokens};
use stockade::observable::{Kind, Value, classify};

/// Looks tokens up in a list in the plainest way.
fn find(line: &[u8], values: &[Value], options: Options) -> Hits {
    let mut hits = Hits::new();
    for token in tokens(line, text::Options::default()) {
        for (index, value) in values.iter().enumerate() {
            let place = match token.place {
                Place::HostOfUrl => Relation::HostOfUrl,
                Place::HostOfEmail => Relation::HostOfEmail,
                Place::Whole => Relation::Exact,
            };
            let relation = match (value, &token.value) {
                _ if *value == token.value => Some(place),
                (Value::Ipv4(network, length), Value::Ipv4(address, 32)) => {
                    let mask = u32::MAX.checked_shl(32 - u32::from(*length)).unwrap_or(0);
                    (u32::from(*address) & mask == u32::from(*network)).then_some(Relation::Cidr)
                }
                (Value::Ipv6(network, length), Value::Ipv6(address, 128)) => {
                    let mask = u128::MAX.checked_shl(128 - u32::from(*length)).unwrap_or(0);
                    (u128::from(*address) & mask == u128::from(*network)).then_some(Relation::Cidr)
                }
                (Value::Text(Kind::Domain, name), Value::Text(Kind::Domain, seen)) if options.subdomains => {
                    let below = seen.strip_suffix(&**name).is_some_and(|rest| rest.ends_with('.'));
                    below.then_some(Relation::Subdomain)
                }
                _ => None,
            };
            hits.extend(relation.map(|relation| (token.span.clone(), index, relation)));
        }
    }
    hits.sort_by_key(|(span, index, _)| (span.start, std::cmp::Reverse(span.end), *index));
    hits.dedup();
    hits
}

fn listed() -> Vec<Value> {
    [
        "evil.com",
        "a.b.evil.com",
        "good.org",
        "x-y.z_1.net",
        "evil.co.uk",
        "com.org",
        "0.0.0.0/0",
        "1.0.0.0/8",
        "1.2.3.4",
        "10.0.0.1",
        "::/0",
        "2001:db8::1",
        "2001:db8::/32",
        "user@evil.com",
        "c@good.org",
        "b@c.de",
        "http://evil.com/a",
        "http://1.2.3.4:8080/x",
        "http://[2001:db8::1]/y",
        "http://localhost/z",
        "https://evil.com/",
        "evil.com/a",
        "1.2.3.4/a",
        "evil.com/",
        "good.org/",
        "good.org/a/b?c=d&e=",
        "aa:bb:cc:dd:ee:ff",
    ]
    .map(|value| classify(value).expect(value))
    .to_vec()
}

fn compare(line: &[u8], values: &[Value], options: Options) {
    let found = find(line, values, options);
    let expected = reference::find(line, values, options);
    assert_eq!(found, expected, "(tokens, reference) in {:?}", String::from_utf8_lossy(line));
}

#[test]
fn random_lines_have_the_hits_of_the_reference() {
    let mut random = Random::new(7);
    let mut values = listed();
    let fixed = values.len();
    let mut hits = 0;
    for _ in 0..4000 {
        let mut text = Vec::new();
        line(&mut random, &mut text);
        if !reference::understands(&text) {
            continue;
        }
        // List what is there too, so that hashes and MAC addresses of random digits hit.
        values.truncate(fixed);
        values.extend(tokens(&text, text::Options::default()).into_iter().map(|token| token.value));
        values.dedup();
        let options = Options { subdomains: random.below(2) == 0 };
        compare(&text, &values, options);
        hits += find(&text, &values, options).len();
    }
    assert!(hits > 2000, "too few hits to mean anything: {hits}");
}
