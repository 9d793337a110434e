//! Resolvers: listed names and addresses do not exist, all others do.

use super::dns::{A, AAAA, NOERROR, NXDOMAIN, REFUSED, ask, upstream};
use super::render_support::kinds;
use super::{Folder, Running, command, free_port, have, listed, show, succeed};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Instant;
use stockade::render::{Action, Options};

/// Asks for listed names, for what is below them, for their neighbours, and for the exception.
fn ask_names(program: &str, port: u16, subdomains: bool) {
    for (name, listed) in [
        ("evil.example", true),
        ("EVIL.example", true),
        ("other.example", true),
        ("xn--bcher-kva.example", true),
        ("_under.score.example", true),
        ("-lead.odd.example", true),
        ("trail-.odd.example", true),
        ("www.evil.example", subdomains),
        ("a.b.c.evil.example", subdomains),
        ("ok.example", false),
        ("notevil.example", false),
        ("vil.example", false),
        ("evil.example.org", false),
        ("evil.example.good.org", false),
        ("score.example", false),
        ("example", false),
        ("com", false),
    ] {
        let expected = if listed { (NXDOMAIN, 0) } else { (NOERROR, 1) };
        assert_eq!(ask(port, name, A), Some(expected), "{program}: {name}");
    }
}

fn ask_exceptions(program: &str, port: u16) {
    for name in ["good.evil.example", "www.good.evil.example"] {
        assert_eq!(ask(port, name, A), Some((NOERROR, 1)), "{program}: {name}");
    }
}

/// Asks for names with listed addresses, and with the addresses beside them.
fn ask_addresses(program: &str, port: u16) {
    for (address, listed) in [
        ("198.51.100.7", true),
        ("198.51.100.6", false),
        ("198.51.100.8", false),
        ("203.0.113.0", true),
        ("203.0.113.191", true),
        ("203.0.113.192", false),
        ("203.0.112.255", false),
    ] {
        let address: Ipv4Addr = address.parse().expect("an address");
        let expected = if listed { (NXDOMAIN, 0) } else { (NOERROR, 1) };
        let name = format!("at-{:08x}.example", u32::from(address));
        assert_eq!(ask(port, &name, A), Some(expected), "{program}: {address}");
    }
    for (address, listed) in [
        ("2001:db8::1", true),
        ("2001:db8::2", false),
        ("2001:db8:bad::", true),
        ("2001:db8:bad:ffff:ffff:ffff:ffff:ffff", true),
        ("2001:db8:bae::", false),
        ("2001:db8:0:0:1:0:0:1", true),
        ("2001:db8:0:1:0:1:0:1", true),
        ("2001:0:0:1:0:0:1:1", true),
        ("2001:db8:1:1:1:1:1:0", true),
        ("8000::1", true),
        ("8000::2", false),
    ] {
        let address: Ipv6Addr = address.parse().expect("an address");
        let expected = if listed { (NXDOMAIN, 0) } else { (NOERROR, 1) };
        let name = format!("at-{:032x}.example", u128::from(address));
        assert_eq!(ask(port, &name, AAAA), Some(expected), "{program}: {address}");
    }
}

fn bind(folder: &Folder, zone: &Path, port: u16) -> Running {
    let configuration = format!(
        "options {{ directory \"{folder}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file none; session-keyfile \"{folder}/session.key\"; dnssec-validation no; recursion yes;
  forwarders {{ 127.0.0.1 port {up}; }}; forward only; minimal-responses yes;
  response-policy {{ zone \"rpz.stockade\"; }}; }};
controls {{ }};
zone \"rpz.stockade\" {{ type primary; file \"{zone}\"; }};\n",
        folder = show(folder.0.path()),
        zone = show(zone),
        up = upstream(),
    );
    let configuration = folder.file("named.conf", configuration);
    Running::start(folder, command("named").args(["-g", "-n", "2", "-c", show(&configuration)]))
}

#[test]
fn named_answers_by_the_zone() {
    if !have(&["named", "named-checkzone", "dig"]) {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let zone = folder.list("rpz.stockade", "rpz", &listed(0), &Options::default());
    let checked = succeed(command("named-checkzone").args(["rpz.stockade", show(&zone)]));
    assert!(checked.ends_with("OK\n"), "{checked}");
    let mut named = bind(&folder, &zone, port);
    named.until(|| ask(port, "evil.example", A).filter(|(code, _)| *code == NXDOMAIN));
    ask_names("named", port, true);
    ask_exceptions("named", port);
    ask_addresses("named", port);
    let port = port.to_string();
    for (name, status) in [("evil.example", "NXDOMAIN"), ("ok.example", "NOERROR")] {
        let answer = succeed(command("dig").args(["@127.0.0.1", "-p", &port, "+tries=1", name]));
        assert!(answer.contains(&format!("status: {status}")), "{answer}");
    }
    let log = named.log();
    assert!(!log.contains("canonical") && !log.contains("invalid rpz"), "named complains: {log}");
}

#[test]
fn named_does_as_the_zone_says() {
    if !have(&["named"]) {
        return;
    }
    let sinkhole = vec!["192.0.2.99".parse().expect("an address"), "2001:db8::99".parse().expect("an address")];
    for (action, expected) in
        [(Action::Nodata, Some((NOERROR, 0))), (Action::Drop, None), (Action::Sinkhole, Some((NOERROR, 1)))]
    {
        let (folder, port) = (Folder::new(), free_port());
        let options = Options { action, sinkhole: sinkhole.clone(), ..Options::default() };
        let zone = folder.list("rpz.stockade", "rpz", &listed(0), &options);
        let mut named = bind(&folder, &zone, port);
        named.until(|| ask(port, "ok.example", A));
        // The zone takes effect a moment after the server does.
        named
            .until(|| (ask(port, "evil.example", A) != Some((NOERROR, 1)) || action == Action::Sinkhole).then_some(()));
        for name in ["evil.example", "www.evil.example"] {
            // An AAAA record is there with the sinkhole alone: nobody else has one.
            named.until(|| (ask(port, name, AAAA) == expected).then_some(()));
        }
        if action == Action::Sinkhole {
            assert_eq!(ask(port, "_under.score.example", A), Some((NXDOMAIN, 0)), "no host");
        }
        assert_eq!(ask(port, "ok.example", AAAA), Some((NOERROR, 0)));
    }
}

#[test]
fn names_of_any_length_that_fits_load() {
    if !have(&["named-checkzone"]) {
        return;
    }
    let folder = Folder::new();
    let zone_name = "rpz.of.a.longer.name";
    let fits = |length: usize| {
        let mut name = "a".repeat(63);
        while name.len() < length - 10 {
            name.push('.');
            name.push_str(&"b".repeat((length - 9 - name.len()).min(63)));
        }
        format!("{name}.example")
    };
    // Every length around the limit: what the policy lets pass loads, and something does not pass.
    let names: Vec<String> = (200..=253).map(fits).filter(|name| name.len() <= 253).collect();
    let rules = super::render_support::values(names.iter().map(String::as_str));
    let options = Options { zone: zone_name.to_owned(), ..kinds(&["domain"]) };
    let path = folder.list("zone", "rpz", &rules, &options);
    succeed(command("named-checkzone").args([zone_name, show(&path)]));
    let written = std::fs::read_to_string(&path).expect("the zone");
    assert!(written.lines().count() > 40 && written.lines().count() < 4 + 2 * names.len(), "{written}");
}

#[test]
fn unbound_answers_by_its_local_zones() {
    if !have(&["unbound", "unbound-checkconf"]) {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let list = folder.list("list.conf", "unbound", &listed(0), &Options::default());
    let mut unbound = unbound(&folder, &list, port);
    unbound.until(|| ask(port, "ok.example", A));
    ask_names("unbound", port, true);
    ask_exceptions("unbound", port);
    for (action, expected) in
        [(Action::Refuse, Some((REFUSED, 0))), (Action::Nodata, Some((NOERROR, 0))), (Action::Drop, None)]
    {
        let (folder, port) = (Folder::new(), free_port());
        let list = folder.list("list.conf", "unbound", &listed(0), &Options { action, ..Options::default() });
        let mut unbound = self::unbound(&folder, &list, port);
        unbound.until(|| ask(port, "ok.example", A));
        assert_eq!(ask(port, "www.evil.example", A), expected, "{action:?}");
    }
}

fn unbound(folder: &Folder, list: &Path, port: u16) -> Running {
    let configuration = format!(
        "server:\n interface: 127.0.0.1\n port: {port}\n do-daemonize: no\n chroot: \"\"\n username: \"\"\n pidfile: \"\"
 directory: \"{}\"\n do-not-query-localhost: no\n module-config: \"iterator\"\n use-syslog: no\n include: \"{}\"
remote-control:\n control-enable: no
forward-zone:\n name: \".\"\n forward-addr: 127.0.0.1@{}\n",
        show(folder.0.path()),
        show(list),
        upstream(),
    );
    let configuration = folder.file("unbound.conf", configuration);
    succeed(command("unbound-checkconf").arg(&configuration));
    Running::start(folder, command("unbound").args(["-d", "-c", show(&configuration)]))
}

fn dnsmasq(folder: &Folder, port: u16, with: &str) -> Running {
    Running::start(
        folder,
        command("dnsmasq").args([
            "--keep-in-foreground",
            "--user=root",
            "--pid-file=",
            "--no-resolv",
            "--no-hosts",
            "--listen-address=127.0.0.1",
            "--bind-interfaces",
            with,
            &format!("--port={port}"),
            &format!("--server=127.0.0.1#{}", upstream()),
        ]),
    )
}

#[test]
fn dnsmasq_answers_by_its_configuration() {
    if !have(&["dnsmasq"]) {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let list = folder.list("list.conf", "dnsmasq", &listed(0), &Options::default());
    let mut dnsmasq = dnsmasq(&folder, port, &format!("--conf-file={}", show(&list)));
    dnsmasq.until(|| ask(port, "ok.example", A));
    ask_names("dnsmasq", port, true);
    ask_exceptions("dnsmasq", port);
}

#[test]
fn a_hosts_file_leads_names_nowhere() {
    if !have(&["dnsmasq"]) {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let list = folder.list("hosts", "hosts", &listed(0), &Options::default());
    let mut dnsmasq = dnsmasq(&folder, port, &format!("--addn-hosts={}", show(&list)));
    dnsmasq.until(|| ask(port, "ok.example", A));
    // Nobody has an IPv6 address but those of the file.
    for (name, listed) in [("evil.example", 1), ("_under.score.example", 1), ("www.evil.example", 0), ("ok.example", 0)]
    {
        assert_eq!(ask(port, name, AAAA), Some((NOERROR, listed)), "{name}");
    }
}

#[test]
fn knot_resolver_answers_by_the_zone() {
    if !have(&["kresd"]) {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let zone = folder.list("rpz.stockade", "rpz", &listed(0), &Options::default());
    let configuration = folder.file(
        "kresd.conf",
        format!(
            "net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})\nmodules.unload('ta_signal_query')
trust_anchors.remove('.')\ncache.size = 10 * MB\nmodules.load('hints > iterate')
hints['good.evil.example'] = '192.0.2.10'\nhints['www.good.evil.example'] = '192.0.2.10'
policy.add(policy.rpz(policy.DENY, '{}', false))\npolicy.add(policy.all(policy.STUB('127.0.0.1@{}')))\n",
            show(&zone),
            upstream(),
        ),
    );
    let mut kresd =
        Running::start(&folder, command("kresd").args(["-n", "-c", show(&configuration)]).arg(folder.0.path()));
    kresd.until(|| ask(port, "ok.example", A));
    // What the zone lets pass skips the rules that follow, the one that leads upstream too; the hints answer for it.
    for (name, expected) in [
        ("evil.example", NXDOMAIN),
        ("www.evil.example", NXDOMAIN),
        ("good.evil.example", NOERROR),
        ("www.good.evil.example", NOERROR),
        ("ok.example", NOERROR),
        ("notevil.example", NOERROR),
        ("evil.example.org", NOERROR),
    ] {
        assert_eq!(ask(port, name, A).map(|(code, _)| code), Some(expected), "kresd: {name}: {}", kresd.log());
    }
}

#[test]
fn powerdns_answers_by_the_zone() {
    if !have(&["pdns_recursor"]) {
        return;
    }
    let (folder, port) = (Folder::new(), free_port());
    let zone = folder.list("rpz.stockade", "rpz", &listed(0), &Options::default());
    let script = folder.file("rpz.lua", format!("rpzFile(\"{}\", {{policyName=\"stockade\"}})\n", show(&zone)));
    let configuration = format!(
        "local-address=127.0.0.1\nlocal-port={port}\nsocket-dir={}\ndnssec=off\nforward-zones-recurse=.=127.0.0.1:{}
lua-config-file={}\ndaemon=no\nthreads=1\n",
        show(folder.0.path()),
        upstream(),
        show(&script),
    );
    folder.file("recursor.conf", configuration);
    let at = format!("--config-dir={}", show(folder.0.path()));
    let mut recursor = Running::start(&folder, command("pdns_recursor").arg(at));
    recursor.until(|| ask(port, "ok.example", A));
    ask_names("pdns_recursor", port, true);
    ask_exceptions("pdns_recursor", port);
    ask_addresses("pdns_recursor", port);
}

#[test]
#[ignore = "100,000 names and as many addresses"]
fn resolvers_take_many() {
    if !have(&["named", "unbound", "dnsmasq"]) {
        return;
    }
    let rules = listed(100_000);
    for program in ["named", "unbound", "dnsmasq"] {
        let (folder, port, started) = (Folder::new(), free_port(), Instant::now());
        let write = |format| folder.list("list", format, &rules, &Options::default());
        let mut running = match program {
            "named" => bind(&folder, &write("rpz"), port),
            "unbound" => unbound(&folder, &write("unbound"), port),
            _ => dnsmasq(&folder, port, &format!("--conf-file={}", show(&write("dnsmasq")))),
        };
        running.until(|| ask(port, "host99999.bulk999.example", A).filter(|answer| *answer == (NXDOMAIN, 0)));
        eprintln!("{program}: {:.1} s", started.elapsed().as_secs_f64());
        ask_names(program, port, true);
        ask_exceptions(program, port);
    }
}
