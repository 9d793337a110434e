//! Decisions of `CrowdSec` to ban, for `cscli decisions import -i FILE.csv`.
//!
//! Decisions end by themselves. All end together, after the timeout that was asked for: what is left of an indicator's own
//! validity changes with every second, and so would the file.

use super::super::Format;
use super::{BASE, Family, IP};

pub(super) const FAMILY: Family = Family { file: "crowdsec", formats: &[CROWDSEC] };

/// How long `cscli` lets a decision last that does not say, in seconds.
const USUAL: u32 = 4 * 60 * 60;

const CROWDSEC: Format = Format {
    name: "crowdsec",
    about: "CrowdSec decisions, for cscli decisions import",
    kinds: IP,
    comment: None,
    body: |view, options, out| {
        out.text("duration,scope,value,reason,type").end()?;
        view.nets().try_for_each(|net| {
            out.number(u64::from(options.timeout.unwrap_or(USUAL))).text("s,");
            out.text(if net.is_host() { "ip" } else { "range" }).text(",").net(net).text(",stockade,ban").end()
        })
    },
    ..BASE
};
