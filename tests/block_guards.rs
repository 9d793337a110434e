//! What a list never holds, whatever feeds say: a table of guards, holes, and the order of the input.

use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use stockade::blocklist::{Blocklist, Capabilities, Policy, Prefix, Subdomains, allowed};
use stockade::compile::{Filter, RuleSet, RuleSetBuilder};
use stockade::observable::{Kind, Value, classify};
use stockade::stix::Timestamp;

fn rules(values: &[&str]) -> RuleSet {
    let mut builder = RuleSetBuilder::default();
    for value in values {
        builder.add_value(classify(value).unwrap_or_else(|error| panic!("{value}: {error}"))).expect("room");
    }
    builder.build()
}

/// Entries, exceptions with `@@` before them, and what was held back with its reason and detail.
fn derived(values: &[&str], policy: &Policy, merge: bool) -> (Vec<String>, Vec<String>) {
    let rules = rules(values);
    let kinds: Vec<Kind> = Kind::all().collect();
    let format = Capabilities {
        kinds: &kinds,
        subdomains: Subdomains::Option,
        exceptions: true,
        merge,
        max_entries: None,
        refuses: &|_| None,
    };
    let list = Blocklist::build(&rules, &Filter::at(Timestamp::from_unix(1_790_000_000, 0)), policy, &format);
    let mut entries: Vec<String> = list.names().iter().map(ToString::to_string).collect();
    entries.extend(list.exceptions().iter().map(|name| format!("@@{name}")));
    entries.extend(list.ipv4().iter().map(ToString::to_string));
    entries.extend(list.ipv6().iter().map(ToString::to_string));
    entries.extend(list.urls().iter().chain(list.emails()).map(ToString::to_string));
    entries.extend(list.digests().iter().map(ToString::to_string));
    let held = list.held().map(|held| {
        let value = held.item().map(|item| item.to_string()).unwrap_or_default();
        format!("{value} {}: {}", held.reason(), held.detail())
    });
    (entries, held.collect())
}

#[test]
fn what_no_feed_can_get_into_a_list() {
    for value in [
        // Special-purpose addresses, wherever in their range and whatever part of it.
        "0.0.0.0",
        "10.0.0.0/8",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.0/24",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.255",
        "224.0.0.251",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::808:808",
        "100::1",
        "2001:db8::1",
        "2001::1",
        "2002:a00:1::1",
        "3fff::1",
        "fc00::/7",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        // Too wide.
        "0.0.0.0/0",
        "45.0.0.0/7",
        "::/0",
        "2a00::/18",
        // Servers that a network hangs on.
        "1.1.1.1",
        "8.8.8.8",
        "9.9.9.9",
        "208.67.222.222",
        "198.41.0.4",
        "2001:4860:4860::8888",
        "2001:7fd::1",
        "a.root-servers.net",
        "dns.google",
        "one.one.one.one",
        "dns.quad9.net",
        "pool.ntp.org",
        "0.debian.pool.ntp.org",
        "time.windows.com",
        "ctldl.windowsupdate.com",
        "security.debian.org",
        // Public suffixes, of registries and of hosters.
        "co.uk",
        "com.br",
        "github.io",
        "blogspot.com",
        "s3.amazonaws.com",
        "xn--55qx5d.cn",
        // URLs on all of these.
        "http://10.0.0.1/x",
        "http://[fe80::1]/x",
        "http://[::ffff:10.0.0.1]/x",
        "https://dns.google/resolve",
        "8.8.8.8:8080/x",
        "http://user@dns.google/",
        "http://co.uk/",
        // Digests of nothing.
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ] {
        let (entries, held) = derived(&[value], &Policy::default(), true);
        assert_eq!((entries.as_slice(), held.len()), (&[][..], 1), "{value}: {held:?}");
        assert!(held[0].contains(" guard: "), "{held:?}");
    }
}

#[test]
fn what_is_near_a_guarded_value_passes() {
    for value in [
        "9.255.255.255",
        "11.0.0.0",
        "100.128.0.1",
        "172.32.0.0",
        "45.0.0.0/8",
        "2a00::/19",
        "2600::1",
        "1.1.1.4",
        "evil.co.uk",
        "evil.github.io",
        "notdns.google.evil.net",
        "xdns.google",
        "http://evil.github.io/x",
        "http://s3.amazonaws.com/bucket/evil.exe",
        "http://11.0.0.1/x",
        "someone@dns.google",
    ] {
        let (entries, held) = derived(&[value], &Policy::default(), true);
        assert_eq!(entries, [value], "{held:?}");
    }
}

#[test]
fn allowed_and_own_values_are_held_back_with_all_they_cover() {
    let value = |text: &str| allowed(text).expect("a value");
    let policy = Policy {
        allow: ["friend.net", "45.1.0.0/16", "http://evil.net/good", "44d88612fea8a8f36de82e1278abb02f", "a@evil.net"]
            .map(value)
            .to_vec(),
        own: ["corp", "46.0.0.0/24", "2a00:1::/32"].map(value).to_vec(),
        ..Policy::default()
    };
    for (listed, entries, held) in [
        ("friend.net", &[][..], "friend.net allow: on the allowlist"),
        ("a.b.friend.net", &[], "a.b.friend.net allow: on the allowlist"),
        ("http://a.friend.net/x", &[], "http://a.friend.net/x allow: on the allowlist"),
        ("45.1.2.3", &[], "45.1.2.3 allow: on the allowlist"),
        ("http://45.1.2.3:81/", &[], "http://45.1.2.3:81/ allow: on the allowlist"),
        ("http://evil.net/good", &[], "http://evil.net/good allow: on the allowlist"),
        ("a@evil.net", &[], "a@evil.net allow: on the allowlist"),
        ("44d88612fea8a8f36de82e1278abb02f", &[], "44d88612fea8a8f36de82e1278abb02f allow: on the allowlist"),
        ("mail.corp", &[], "mail.corp own: our own"),
        ("2a00:1:2::3", &[], "2a00:1:2::3 own: our own"),
        ("45.0.0.0/15", &["45.0.0.0/16"], "45.1.0.0/16 allow: on the allowlist"),
        ("46.0.0.0/23", &["46.0.1.0/24"], "46.0.0.0/24 own: our own"),
    ] {
        let (got, reasons) = derived(&[listed], &policy, true);
        assert_eq!(
            (got, reasons),
            (entries.iter().map(ToString::to_string).collect(), vec![held.to_owned()]),
            "{listed}"
        );
    }
}

#[test]
fn holes_are_cut_out_of_merged_prefixes_once() {
    let policy = Policy { allow: vec![allowed("45.1.0.7").expect("a value")], ..Policy::default() };
    let (merged, held) = derived(&["45.1.0.0/29", "45.1.0.8/29", "45.1.0.6"], &policy, true);
    assert_eq!(merged, ["45.1.0.0/30", "45.1.0.4/31", "45.1.0.6", "45.1.0.8/29"]);
    assert_eq!(held, ["45.1.0.7 allow: on the allowlist"]);
    let (separate, _) = derived(&["45.1.0.0/29", "45.1.0.8/29", "45.1.0.6"], &policy, false);
    assert_eq!(separate, merged);
}

proptest! {
    #[test]
    fn the_order_of_the_input_changes_nothing(mut values in prop::collection::vec(value(), 1..40), seed: u64, merge: bool) {
        let policy = Policy { allow: vec![allowed("a.evil1.net").expect("a value")], ..Policy::default() };
        let derive = |values: &[String]| {
            derived(&values.iter().map(String::as_str).collect::<Vec<_>>(), &policy, merge)
        };
        let first = derive(&values);
        let mut state = seed;
        for at in (1..values.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            values.swap(at, (state >> 33) as usize % (at + 1));
        }
        prop_assert_eq!(derive(&values), first);
    }
}

proptest! {
    #[test]
    fn every_listed_value_is_blocked_or_reported(values in prop::collection::vec(value(), 1..40), exceptions: bool) {
        let rules = rules(&values.iter().map(String::as_str).collect::<Vec<_>>());
        let policy = Policy {
            allow: ["a.w1.evil1.net", "evil2.net", "45.1.2.5"].map(|text| allowed(text).expect("a value")).to_vec(),
            max_entries: Some(12),
            ..Policy::default()
        };
        let kinds: Vec<Kind> = Kind::all().collect();
        let format = Capabilities {
            kinds: &kinds,
            subdomains: Subdomains::Always,
            exceptions,
            merge: true,
            max_entries: None,
            refuses: &|_| None,
        };
        let list = Blocklist::build(&rules, &Filter::at(Timestamp::from_unix(1_790_000_000, 0)), &policy, &format);
        prop_assert!(list.len() <= 12);
        let held: Vec<String> = list.held().filter_map(|held| Some(held.item()?.to_string())).collect();
        for text in &values {
            let value = classify(text).expect("a value");
            let blocked = match &value {
                Value::Text(Kind::Domain, name) => list.covers_name(name),
                Value::Text(Kind::Url, url) => list.urls().iter().any(|entry| entry.text == &**url),
                Value::Text(_, mail) => list.emails().iter().any(|entry| entry.text == &**mail),
                Value::Ipv4(start, len) => pieces(u32::from(*start), *len, 32).all(|address| {
                    list.covers_ipv4(address, 32) || held.iter().any(|held| holds(held, Ipv4Addr::from(address).into()))
                }),
                Value::Ipv6(start, len) => pieces(u128::from(*start), *len, 128).all(|address| {
                    list.covers_ipv6(address, 128) || held.iter().any(|held| holds(held, Ipv6Addr::from(address).into()))
                }),
            };
            prop_assert!(blocked || held.contains(&value.to_string()), "{} is neither blocked nor in {:?}", text, held);
        }
    }
}

/// The addresses of a small prefix.
fn pieces<A: TryFrom<u64> + std::ops::Add<Output = A> + Copy>(start: A, len: u8, bits: u8) -> impl Iterator<Item = A> {
    (0..1u64 << (bits - len)).filter_map(move |offset| Some(start + A::try_from(offset).ok()?))
}

/// Whether a reported prefix holds an address.
fn holds(held: &str, address: IpAddr) -> bool {
    match (classify(held), address) {
        (Ok(Value::Ipv4(start, len)), IpAddr::V4(address)) => {
            Prefix::containing(u32::from(address), len).start == u32::from(start)
        }
        (Ok(Value::Ipv6(start, len)), IpAddr::V6(address)) => {
            Prefix::containing(u128::from(address), len).start == u128::from(start)
        }
        _ => false,
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4, 0..4).prop_map(|(a, b)| format!("w{a}.evil{b}.net")),
        (0..4).prop_map(|a| format!("evil{a}.net")),
        (0..16, 24..33).prop_map(|(a, len)| format!("45.1.2.{a}/{len}")),
        (0..16, 120..129).prop_map(|(a, len)| format!("2a00::{a:x}/{len}")),
        (0..4).prop_map(|a| format!("http://evil{a}.net/x")),
        (0..4).prop_map(|a| format!("{a}@evil.net")),
        Just("8.8.8.0/24".to_owned()),
        Just("github.io".to_owned()),
    ]
}
