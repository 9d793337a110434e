//! The table of kinds: one file each (or one for a family), one line here.

pub mod domain;
pub mod email;
pub mod hash;
pub mod ip;
pub mod mac;
pub mod url;

use super::{Field, Invalid, Kind, Shape, Value};

/// What a file of this folder says about its kinds.
pub(super) struct Family {
    /// Name of the file, without `.rs`.
    #[cfg_attr(not(test), expect(dead_code, reason = "the test that compares table and folder reads it"))]
    pub(super) file: &'static str,
    /// Its kinds.
    pub(super) rows: &'static [Row],
    /// Which canonical object paths name them.
    pub(super) field: fn(&str) -> Option<Field>,
}

/// One kind.
pub(super) struct Row {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) object_type: &'static str,
    pub(super) shape: Shape,
    /// From trimmed text to the normal form.
    pub(super) normalise: fn(Kind, &str) -> Result<Value, Invalid>,
}

impl Row {
    pub(super) fn is_hash(&self) -> bool {
        self.object_type == "file"
    }
}

/// Every family, its kinds in the order of [`Kind`].
pub(super) static TABLE: [&Family; 6] =
    [&ip::FAMILY, &domain::FAMILY, &url::FAMILY, &email::FAMILY, &mac::FAMILY, &hash::FAMILY];

/// All kinds, in the order of [`Kind`].
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    TABLE.iter().flat_map(|family| family.rows)
}

/// The row of a kind.
pub(super) const fn row(kind: Kind) -> &'static Row {
    match kind {
        Kind::Ipv4 => &ip::ROWS[0],
        Kind::Ipv6 => &ip::ROWS[1],
        Kind::Domain => &domain::ROW,
        Kind::Url => &url::ROW,
        Kind::Email => &email::ROW,
        Kind::Mac => &mac::ROW,
        Kind::Md5 => &hash::ROWS[0],
        Kind::Sha1 => &hash::ROWS[1],
        Kind::Sha224 => &hash::ROWS[2],
        Kind::Sha256 => &hash::ROWS[3],
        Kind::Sha384 => &hash::ROWS[4],
        Kind::Sha512 => &hash::ROWS[5],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_file_is_missing_from_the_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/observable/kind");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the sources are there")
            .map(|entry| entry.expect("readable").path().file_stem().expect("a name").to_string_lossy().into_owned())
            .filter(|name| name != "mod")
            .collect();
        let table: BTreeSet<String> = TABLE.iter().map(|family| family.file.to_owned()).collect();
        assert_eq!(files, table);
    }

    #[test]
    fn each_kind_has_one_row_and_finds_it() {
        let kinds: Vec<Kind> = rows().map(|row| row.kind).collect();
        let distinct: BTreeSet<Kind> = kinds.iter().copied().collect();
        assert_eq!(kinds, distinct.into_iter().collect::<Vec<_>>(), "one row each, in the order of the enumeration");
        assert_eq!(kinds.len(), Kind::Sha512 as usize + 1);
        for kind in kinds {
            assert_eq!(row(kind).kind, kind);
        }
    }
}
