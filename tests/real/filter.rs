//! Packet filters, in a network of their own: a connection to a listed address fails, one to any other is made.

use super::render_support::{kinds, values};
use super::{Folder, command, have, listed, run, show, succeed};
use std::time::Instant;
use stockade::compile::RuleSet;
use stockade::render::{Action, Options};

/// Whether a network can be made: that takes the rights of an administrator.
fn network() -> bool {
    if !have(&["unshare", "ip", "nc", "bash"]) {
        return false;
    }
    if run(command("unshare").args(["-n", "true"])).status.success() {
        return true;
    }
    assert!(std::env::var_os("STOCKADE_REAL").is_none(), "not allowed to make a network");
    eprintln!("SKIPPED: not allowed to make a network");
    false
}

/// Gives the loopback interface all addresses that are asked for, listens on a port, and runs the commands. `reach`
/// prints whether a connection to an address is made.
const START: &str = r#"
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
ip link set lo up
for a in 198.51.100.6 198.51.100.7 203.0.113.9 203.0.113.191 203.0.113.192; do ip addr add $a/32 dev lo; done
for a in 2001:db8::1 2001:db8::2 2001:db8:bad::9; do ip -6 addr add $a/128 dev lo nodad; done
nc -l -k 0.0.0.0 7000 </dev/null >/dev/null 2>&1 & four=$!
nc -6 -l -k :: 7001 </dev/null >/dev/null 2>&1 & six=$!
trap 'kill $four $six' EXIT
reach() {
    case $1 in *:*) port=7001;; *) port=7000;; esac
    if timeout 0.3 bash -c "exec 3<>/dev/tcp/$1/$port" 2>/dev/null; then echo "$1 open"; else echo "$1 closed"; fi
}
all() { for a in 127.0.0.1 198.51.100.6 198.51.100.7 203.0.113.9 203.0.113.191 203.0.113.192 ::1 2001:db8::1 2001:db8::2 2001:db8:bad::9; do reach $a; done; }
for i in $(seq 50); do [ "$(reach 127.0.0.1)$(reach ::1)" = "127.0.0.1 open::1 open" ] && break; sleep 0.1; done
"#;

const OPEN: &str = "127.0.0.1 open\n198.51.100.6 open\n198.51.100.7 open\n203.0.113.9 open\n203.0.113.191 open\n\
203.0.113.192 open\n::1 open\n2001:db8::1 open\n2001:db8::2 open\n2001:db8:bad::9 open\n";

const BLOCKED: &str = "127.0.0.1 open\n198.51.100.6 open\n198.51.100.7 closed\n203.0.113.9 closed\n\
203.0.113.191 closed\n203.0.113.192 open\n::1 open\n2001:db8::1 closed\n2001:db8::2 open\n2001:db8:bad::9 closed\n";

fn in_network(folder: &Folder, commands: &str) -> String {
    let script = folder.file("script.sh", format!("{START}{commands}"));
    succeed(command("unshare").args(["-n", "bash", show(&script)]))
}

fn write(folder: &Folder, name: &str, format: &str, rules: &RuleSet, options: &Options) -> String {
    show(&folder.list(name, format, rules, options)).to_owned()
}

#[test]
fn nftables_drops_what_is_listed() {
    if !have(&["nft"]) || !network() {
        return;
    }
    let folder = Folder::new();
    let full = write(&folder, "full", "nftables", &listed(0), &Options::default());
    let timed = write(&folder, "timed", "nftables", &listed(0), &Options { timeout: Some(3600), ..Options::default() });
    let refused = Options { action: Action::Refuse, ..Options::default() };
    let refused = write(&folder, "refused", "nftables", &listed(0), &refused);
    let empty = write(&folder, "empty", "nftables", &values([]), &Options::default());
    // Each load replaces the one before, and leaves the tables of others alone.
    for list in [&full, &timed, &refused] {
        let printed = in_network(
            &folder,
            &format!(
                "nft add table inet theirs; nft -f {full}; nft -f {list}; all; nft -f {empty}; all; nft list tables"
            ),
        );
        assert_eq!(printed, format!("{BLOCKED}{OPEN}table inet theirs\ntable inet stockade\n"), "{list}");
    }
}

#[test]
fn ipset_holds_what_is_listed() {
    if !have(&["ipset", "iptables", "ip6tables"]) || !network() {
        return;
    }
    let folder = Folder::new();
    let full = write(&folder, "full", "ipset", &listed(0), &Options::default());
    let other = write(&folder, "other", "ipset", &values(["198.51.100.6"]), &Options::default());
    let printed = in_network(
        &folder,
        &format!(
            "ipset restore -file {other}
iptables -A OUTPUT -m set --match-set stockade4 dst -j DROP
ip6tables -A OUTPUT -m set --match-set stockade6 dst -j DROP
ipset create stockade4-new hash:net family inet maxelem 16777216
ipset restore -file {full}
ipset restore -file {full}
all
ipset list -name"
        ),
    );
    assert_eq!(printed, format!("{BLOCKED}stockade4\nstockade6\n"));
    let timed = write(&folder, "timed", "ipset", &listed(0), &Options { timeout: Some(3600), ..Options::default() });
    let printed = in_network(&folder, &format!("ipset restore -file {timed}; ipset list stockade4"));
    assert!(printed.contains("203.0.113.0/25 timeout 3"), "{printed}");
}

#[test]
fn iptables_drops_what_is_listed() {
    if !have(&["iptables-restore", "ip6tables-restore"]) || !network() {
        return;
    }
    let folder = Folder::new();
    let full = write(&folder, "full", "iptables", &listed(0), &Options::default());
    let printed = in_network(
        &folder,
        &format!(
            "for p in iptables ip6tables; do
    $p-restore --test -n {full}
    $p -N THEIRS
    $p-restore -n {full}
    $p -A OUTPUT -j STOCKADE
    $p-restore -n {full}
    $p -S THEIRS
done
all"
        ),
    );
    assert_eq!(printed, format!("-N THEIRS\n-N THEIRS\n{BLOCKED}"));
}

#[test]
#[ignore = "100,000 prefixes"]
fn packet_filters_take_many() {
    if !have(&["nft", "ipset"]) || !network() {
        return;
    }
    let rules = listed(100_000);
    for (format, load) in [("nftables", "nft -f"), ("ipset", "ipset restore -file")] {
        let folder = Folder::new();
        let list = write(&folder, "list", format, &rules, &kinds(&["ip"]));
        let started = Instant::now();
        let commands = format!("{load} {list}\n{load} {list}\n");
        let all = if format == "nftables" { "all" } else { "" };
        let printed = in_network(&folder, &format!("{commands}{all}"));
        eprintln!("{format}, twice: {:.1} s", started.elapsed().as_secs_f64());
        assert_eq!(printed, if all.is_empty() { "" } else { BLOCKED });
    }
}
