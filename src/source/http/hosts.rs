//! Who may be asked: the hosts that a source lists, and the addresses that nobody asks unless told to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The rule of one source.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    listed: Vec<(String, Option<u16>)>,
    /// Addresses that were listed by name.
    addresses: Vec<IpAddr>,
    allow_http: bool,
}

impl Hosts {
    /// `hosts` as it was configured, or what follows from the source's own address.
    pub(super) fn new(hosts: Option<&[String]>, own: &Url, allow_http: bool) -> Result<Self, String> {
        let listed = match hosts {
            Some(hosts) => hosts.iter().map(|host| parse(host)).collect::<Result<Vec<_>, _>>()?,
            None => own_hosts(own),
        };
        let addresses =
            if hosts.is_some() { listed.iter().filter_map(|(host, _)| literal(host)).collect() } else { Vec::new() };
        let rule = Self { listed, addresses, allow_http };
        rule.check(own, None)?;
        Ok(rule)
    }

    /// Whether a request may go to `url`; `from` is where the client was sent from.
    pub(super) fn check(&self, url: &Url, from: Option<&Url>) -> Result<(), String> {
        super::settings::check_url(url)?;
        let (host, port) = host_and_port(url);
        if !self.listed.iter().any(|(name, only)| *name == host && only.is_none_or(|only| only == port)) {
            let shown = super::tidy(&shown(url));
            return Err(format!(
                "{shown} is not among the hosts that this source may ask; add it to `hosts` if it is to be trusted"
            ));
        }
        if url.scheme() == "http" {
            if from.is_some_and(|from| from.scheme() == "https") {
                return Err(format!("{} is plain http, and the way there was encrypted", super::explain::address(url)));
            }
            if !self.allow_http && !is_loopback(url) {
                return Err(
                    "plain http is refused, since anyone on the way could read the key and change what comes; \
                            say https, or allow_http = true"
                        .into(),
                );
            }
        }
        literal(&host).map_or(Ok(()), |address| self.check_address(address))
    }

    /// Whether a connection may go to `address`.
    pub(super) fn check_address(&self, address: IpAddr) -> Result<(), String> {
        if let Some(what) = internal(address)
            && !self.addresses.contains(&address)
        {
            return Err(format!("{address} is {what}, which no feed has; add it to `hosts` if it is meant"));
        }
        Ok(())
    }
}

/// Whether a URL names the machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_loopback_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// Whether a name always means the machine itself (RFC 6761).
pub(super) fn is_loopback_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

fn own_hosts(own: &Url) -> Vec<(String, Option<u16>)> {
    let (host, port) = host_and_port(own);
    let mut listed = vec![(host.clone(), Some(port))];
    if matches!(own.host(), Some(Host::Domain(_))) {
        let twin = host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned);
        listed.push((twin, Some(port)));
    }
    listed
}

fn host_and_port(url: &Url) -> (String, u16) {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    (host, url.port_or_known_default().unwrap_or_default())
}

/// Host, and the port if it is not the usual one.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `host` or `host:port`.
fn parse(text: &str) -> Result<(String, Option<u16>), String> {
    let wrong = || format!("hosts: {:?} is neither \"host\" nor \"host:port\"", super::tidy(text));
    let bare: Option<Ipv6Addr> = text.parse().ok();
    let bracketed = bare.map_or_else(|| text.to_owned(), |address| format!("[{address}]"));
    // A URL drops the port that its scheme implies, so that the text has to be asked for it.
    let port = match bracketed.rsplit_once(':') {
        Some((_, port)) if !port.contains(']') => Some(port.parse::<u16>().map_err(|_| wrong())?),
        _ => None,
    };
    let url = Url::parse(&format!("https://{bracketed}")).map_err(|_| wrong())?;
    let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if text.is_empty() || text.contains(['/', '@', '?', '#', '*']) || !plain {
        return Err(wrong());
    }
    Ok((host_and_port(&url).0, port))
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// What an address is that leads into the inside of a machine or network, where no feed is.
fn internal(address: IpAddr) -> Option<&'static str> {
    let v4 = match address {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => v4,
            None => return internal_v6(v6),
        },
    };
    let octets = v4.octets();
    match octets {
        [169, 254, 169, 254 | 253 | 123]
        | [169, 254, 170, 2]
        | [100, 100, 100, 200]
        | [168, 63, 129, 16]
        | [192, 0, 0, 192] => Some("an address of cloud metadata"),
        [169, 254, ..] => Some("a link-local address"),
        [0, ..] => Some("an address of no host"),
        [224..=239, ..] => Some("a multicast address"),
        [255, 255, 255, 255] => Some("a broadcast address"),
        _ => None,
    }
}

fn internal_v6(address: Ipv6Addr) -> Option<&'static str> {
    const METADATA: [Ipv6Addr; 2] =
        [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];
    if METADATA.contains(&address) {
        Some("an address of cloud metadata")
    } else if address.segments()[0] & 0xffc0 == 0xfe80 {
        Some("a link-local address")
    } else if address.is_unspecified() {
        Some("an address of no host")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else {
        None
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, or translated by NAT64 or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let pair = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(pair(high, low))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn rule(own: &str) -> Hosts {
        Hosts::new(None, &url(own), false).unwrap()
    }

    #[test]
    fn the_own_host_and_its_twin_are_asked_and_nobody_else() {
        let rule = rule("https://socdefenders.ai/api/taxii2/");
        for fine in ["https://socdefenders.ai/x", "https://www.socdefenders.ai/", "https://SOCDEFENDERS.ai.:443/"] {
            rule.check(&url(fine), None).unwrap();
        }
        for (refused, word) in [
            ("https://socdefenders.ai:8443/", "socdefenders.ai:8443"),
            ("https://api.socdefenders.ai/", "api.socdefenders.ai"),
            ("https://socdefenders.ai.evil.example/", "socdefenders.ai.evil.example"),
            ("https://user:pass@socdefenders.ai/", "user"),
            ("ftp://socdefenders.ai/", "ftp"),
            ("http://socdefenders.ai:443/", "plain http"),
        ] {
            let error = rule.check(&url(refused), None).unwrap_err();
            assert!(error.contains(word) && !error.contains("pass@"), "{refused}: {error}");
        }
        self::rule("https://www.feed.example/").check(&url("https://feed.example/"), None).unwrap();
    }

    #[test]
    fn listed_hosts_are_all_there_is() {
        let own = url("https://feed.example/");
        let list = |hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            Hosts::new(Some(&hosts), &own, false)
        };
        let rule =
            list(&["feed.example", "cdn.example:8443", "BÜCHER.example", "::1", "[::2]:444", "192.0.2.1:443"]).unwrap();
        for (text, fine) in [
            ("https://feed.example:9999/", true),
            ("https://www.feed.example/", false),
            ("https://cdn.example:8443/", true),
            ("https://cdn.example/", false),
            ("https://xn--bcher-kva.example/", true),
            ("https://[::1]:1/", true),
            ("https://[::2]:444/", true),
            ("https://[::2]:445/", false),
            ("https://192.0.2.1/", true),
            ("https://192.0.2.1:8443/", false),
        ] {
            assert_eq!(rule.check(&url(text), None).is_ok(), fine, "{text}");
        }
        for wrong in
            ["https://feed.example", "feed.example/a", "a b", "", "*.example", "feed.example:x", "me@feed.example"]
        {
            assert!(list(&[wrong, "feed.example"]).unwrap_err().contains("hosts: "), "{wrong}");
        }
        assert!(list(&["other.example"]).unwrap_err().contains("feed.example is not among the hosts"));
    }

    #[test]
    fn plain_http_is_for_the_machine_itself() {
        for text in ["http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/", "http://a.localhost/"] {
            assert!(Hosts::new(None, &url(text), false).is_ok(), "{text}");
        }
        for text in ["http://feed.example/", "http://10.0.0.1/", "http://localhost.example/"] {
            assert!(Hosts::new(None, &url(text), false).is_err(), "{text}");
            assert!(Hosts::new(None, &url(text), true).is_ok(), "{text}");
        }
        let hosts = ["127.0.0.1".to_owned()];
        let rule = Hosts::new(Some(&hosts), &url("https://127.0.0.1:8443/"), true).unwrap();
        let error = rule.check(&url("http://127.0.0.1:8080/"), Some(&url("https://127.0.0.1:8443/"))).unwrap_err();
        assert!(error.contains("plain http"), "{error}");
        rule.check(&url("https://127.0.0.1:8443/"), Some(&url("http://127.0.0.1:8080/"))).unwrap();
    }

    #[test]
    fn addresses_inside_are_refused_unless_listed() {
        let rule = rule("https://feed.example/");
        for refused in [
            "169.254.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "100.100.100.200",
            "fe80::1",
            "febf::1",
            "::",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "ff02::1",
        ] {
            assert!(rule.check_address(refused.parse().unwrap()).is_err(), "{refused}");
        }
        for fine in ["192.0.2.1", "10.0.0.1", "127.0.0.1", "::1", "2001:db8::1", "fd00::1", "100.64.0.1"] {
            rule.check_address(fine.parse().unwrap()).unwrap();
        }
        let hosts = ["feed.example".to_owned(), "169.254.7.7".to_owned()];
        let rule = Hosts::new(Some(&hosts), &url("https://feed.example/"), false).unwrap();
        rule.check_address("169.254.7.7".parse().unwrap()).unwrap();
        assert!(rule.check_address("169.254.7.8".parse().unwrap()).is_err());
        assert!(Hosts::new(None, &url("https://169.254.7.7/"), false).unwrap_err().contains("link-local"));
    }
}
