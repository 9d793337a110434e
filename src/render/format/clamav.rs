//! ClamAV signatures by digest, for a file that ends in `.hsb`: `digest:size:name:level`.
//!
//! The size of a listed file is not known (`*`), which engines take from functionality level 73 on. The digest's length
//! tells which it is.

use super::super::Format;
use super::{BASE, Family, HASH};

pub(super) const FAMILY: Family = Family { file: "clamav", formats: &[CLAMAV] };

const CLAMAV: Format = Format {
    name: "clamav",
    about: "ClamAV signatures by digest (.hsb)",
    kinds: HASH,
    body: |view, _, out| view.digests().try_for_each(|digest| out.digest(digest).text(":*:Stockade.Listed:73").end()),
    ..BASE
};
