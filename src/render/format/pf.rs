//! pf: the file of a table (`table <stockade> persist file "..."`, pf.conf(5)), one prefix a line.

use super::super::Format;
use super::{BASE, Family, IP};

pub(super) const FAMILY: Family = Family { file: "pf", formats: &[PF] };

const PF: Format = Format {
    name: "pf",
    about: "pf table file, for pfctl -t stockade -T replace -f",
    kinds: IP,
    body: |view, _, out| view.nets().try_for_each(|net| out.net(net).end()),
    ..BASE
};
