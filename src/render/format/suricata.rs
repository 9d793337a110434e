//! Suricata: bare dataset files, the rules that load them, and IP reputation.
//!
//! A dataset compares whole values and knows no comments: one line that is no base64, or no digest, and it does not load.
//! The rules look for `stockade-KIND.lst` beside their own file, as the dataset format writes it.

use super::super::{Format, Options, Out, View};
use super::{BASE, Family, IP};
use crate::observable::Kind;
use std::io;

pub(super) const FAMILY: Family = Family { file: "suricata", formats: &[DATASET, RULES, IPREP] };

const KINDS: &[Kind] = &[Kind::Domain, Kind::Md5, Kind::Sha256];

const DATASET: Format = Format {
    name: "suricata",
    about: "Suricata dataset, to be called stockade-KIND.lst",
    kinds: KINDS,
    one_kind: true,
    comment: None,
    body: dataset,
    ..BASE
};

const RULES: Format = Format {
    name: "suricata-rules",
    about: "Suricata rules that load stockade-KIND.lst beside them",
    kinds: KINDS,
    body: rules,
    ..BASE
};

const IPREP: Format = Format {
    name: "suricata-iprep",
    about: "Suricata IP reputation list: category 1, score 100",
    kinds: IP,
    body: |view, _, out| view.nets().try_for_each(|net| out.net(net).text(",1,100").end()),
    ..BASE
};

fn dataset(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    view.hosts().try_for_each(|host| out.base64(host).end())?;
    view.digests().try_for_each(|digest| out.digest(digest).end())
}

/// Each rule with the kind it is for and a number of its own, which never changes.
const RULE: [(Kind, u64, &str); 5] = [
    (
        Kind::Domain,
        1_770_001,
        "alert dns any any -> any any (msg:\"stockade: query for a listed name\"; dns.query; to_lowercase; \
         dataset:isset,stockade-domain,type string,load stockade-domain.lst,memcap 512mb,hashsize 65536; ",
    ),
    (
        Kind::Domain,
        1_770_002,
        "alert tls any any -> any any (msg:\"stockade: TLS to a listed name\"; tls.sni; to_lowercase; \
         dataset:isset,stockade-domain,type string,load stockade-domain.lst,memcap 512mb,hashsize 65536; ",
    ),
    (
        Kind::Domain,
        1_770_003,
        "alert http any any -> any any (msg:\"stockade: HTTP to a listed name\"; http.host; \
         dataset:isset,stockade-domain,type string,load stockade-domain.lst,memcap 512mb,hashsize 65536; ",
    ),
    (Kind::Md5, 1_770_011, "alert ip any any -> any any (msg:\"stockade: listed file\"; filemd5:stockade-md5.lst; "),
    (
        Kind::Sha256,
        1_770_021,
        "alert ip any any -> any any (msg:\"stockade: listed file\"; filesha256:stockade-sha256.lst; ",
    ),
];

fn rules(view: &View<'_>, _: &Options, out: &mut Out<'_>) -> io::Result<()> {
    // The values themselves are in the datasets; asking for them here counts them.
    let _ = view.hosts().count() + view.digests().count();
    if view.wants(Kind::Md5) && view.wants(Kind::Sha256) {
        out.text("# With rules for both, Suricata 7 computes one kind of digest unless told to compute both,").end()?;
        out.text("# for instance by \"files: { force-hash: [md5, sha256] }\" among the types of an eve-log.").end()?;
    }
    for (kind, number, rule) in RULE {
        if view.wants(kind) {
            out.text(rule).text("sid:").number(number).text("; rev:1;)").end()?;
        }
    }
    Ok(())
}
