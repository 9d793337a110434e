//! Which blocklist formats can carry a pattern.

use serde::Serialize;
use stockade::compile::{Lowered, Seek};

/// What a format can carry: names of kinds, or everything.
enum Kinds {
    These(&'static [&'static str]),
    All,
}

/// The formats and their kinds.
const FORMATS: &[(&str, Kinds)] = &[
    ("domains", Kinds::These(&["domain"])),
    ("hosts", Kinds::These(&["domain"])),
    ("unbound", Kinds::These(&["domain"])),
    ("dnsmasq", Kinds::These(&["domain"])),
    ("adguard", Kinds::These(&["domain"])),
    ("rpz", Kinds::These(&["domain", "ip"])),
    ("ip", Kinds::These(&["ip"])),
    ("nftables", Kinds::These(&["ip"])),
    ("ipset", Kinds::These(&["ip"])),
    ("pf", Kinds::These(&["ip"])),
    ("nginx", Kinds::These(&["ip"])),
    ("suricata-iprep", Kinds::These(&["ip"])),
    ("suricata", Kinds::These(&["domain", "md5", "sha256"])),
    ("suricata-rules", Kinds::These(&["domain", "md5", "sha256"])),
    ("haproxy", Kinds::These(&["domain", "ip"])),
    ("squid", Kinds::These(&["domain", "ip"])),
    ("postfix", Kinds::These(&["domain", "ip"])),
    ("edl", Kinds::These(&["domain", "ip", "url"])),
    ("urls", Kinds::These(&["url"])),
    ("hashes", Kinds::These(&["md5", "sha1", "sha256"])),
    ("clamav", Kinds::These(&["md5", "sha1", "sha256"])),
    ("zeek", Kinds::All),
    ("csv", Kinds::All),
    ("jsonl", Kinds::All),
    ("stix", Kinds::All),
];

/// Whether a format can carry a pattern.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Carried {
    pub(super) name: &'static str,
    pub(super) carries: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// Every format, and whether it can carry a pattern.
pub(super) fn carried(lowered: &Lowered) -> Vec<Carried> {
    let mut kinds: Vec<&'static str> = Vec::new();
    for seek in &lowered.exact {
        if let Seek::Atom(atom) = seek
            && !kinds.contains(&atom.value.kind().name())
        {
            kinds.push(atom.value.kind().name());
        }
    }
    let nothing = nothing_to_block(lowered, &kinds);
    let row = |(name, format): &(&'static str, Kinds)| {
        let reason = match (nothing, format) {
            (Some(reason), _) => Some(reason.to_owned()),
            (None, Kinds::All) => None,
            (None, Kinds::These(these)) => (!kinds.iter().any(|kind| these.contains(kind)))
                .then(|| format!("it carries {}, the pattern lists {}", these.join(", "), kinds.join(", "))),
        };
        Carried { name, carries: reason.is_none(), reason }
    };
    FORMATS.iter().map(row).collect()
}

/// Why no format can carry a pattern.
fn nothing_to_block(lowered: &Lowered, kinds: &[&str]) -> Option<&'static str> {
    if !kinds.is_empty() {
        return None;
    }
    let texts = |seek: &Seek| !matches!(seek, Seek::Atom(_));
    Some(match () {
        () if lowered.exact.iter().any(texts) => "only addresses, names, URLs, mail addresses and hashes go into lists",
        () if lowered.sequence => "it asks for several observations or for their time; no value alone is a match",
        () if lowered.cover.is_none() => "it names no value that would be a match",
        () => "no value alone is a match: more than one test has to hold",
    })
}
