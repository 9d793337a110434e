//! nginx: a file to be included in a `geo` block, `geo $blocked { default 0; include FILE; }`.

use super::super::Format;
use super::{BASE, Family, IP};

pub(super) const FAMILY: Family = Family { file: "nginx", formats: &[NGINX] };

const NGINX: Format = Format {
    name: "nginx",
    about: "nginx, included in a geo block",
    kinds: IP,
    body: |view, _, out| view.nets().try_for_each(|net| out.cidr(net).text(" 1;").end()),
    ..BASE
};
