//! Which objects were seen already, by id and version.

use crate::stix::json::Raw;
use foldhash::quality::{FixedState, RandomState};
use std::collections::HashSet;
use std::hash::BuildHasher;

/// What identifies an object on a page: its id and when it was last changed; of something without an id, its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity<'a> {
    pub(super) id: Option<Raw<'a>>,
    pub(super) modified: Option<Raw<'a>>,
    pub(super) created: Option<Raw<'a>>,
}

impl<'a> Identity<'a> {
    pub(super) fn set(&mut self, key: &[u8], value: Raw<'a>) {
        match key {
            b"id" => self.id = Some(value),
            b"modified" => self.modified = Some(value),
            b"created" => self.created = Some(value),
            _ => {}
        }
    }

    fn parts(&self, whole: &'a [u8]) -> [&'a [u8]; 2] {
        let version = self.modified.or(self.created).map_or(&b""[..], |raw| raw.0);
        self.id.map_or([whole, b""], |id| [id.0, version])
    }
}

/// The objects of the pages that the next page may repeat. 128 bits stand for an object, keyed by chance, so that no
/// server can make two of them look like one.
pub(super) struct Seen {
    keys: [RandomState; 2],
    before: HashSet<u128, foldhash::fast::RandomState>,
    page: HashSet<u128, foldhash::fast::RandomState>,
    /// The same for every order of the page's objects, and in every process.
    digest: u64,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { keys: Default::default(), before: HashSet::default(), page: HashSet::default(), digest: 0 }
    }

    /// Begins a page; what came of one that broke off is forgotten.
    pub(super) fn begin(&mut self) {
        self.page.clear();
        self.digest = 0;
    }

    /// Takes an object of the page. False: it was seen, on this page or on one before.
    pub(super) fn insert(&mut self, identity: &Identity<'_>, whole: &[u8]) -> bool {
        let parts = identity.parts(whole);
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(parts)));
        let key = high << 64 | low;
        let fresh = self.page.insert(key);
        if fresh {
            self.digest = self.digest.wrapping_add(FixedState::default().hash_one(parts));
        }
        fresh && !self.before.contains(&key)
    }

    /// What identifies the set of objects on the page.
    pub(super) fn digest(&self) -> String {
        format!("{:x}-{:016x}", self.page.len(), self.digest)
    }

    /// Ends a page. With `only`, the pages before it cannot come again.
    pub(super) fn end(&mut self, only: bool) {
        if only {
            std::mem::swap(&mut self.before, &mut self.page);
        } else {
            self.before.extend(self.page.drain());
        }
        self.page.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_an_object_are_different_objects() {
        let mut seen = Seen::new();
        let identity = |id: &'static [u8], modified: &'static [u8]| Identity {
            id: Some(Raw(id)),
            modified: Some(Raw(modified)),
            created: Some(Raw(b"\"c\"")),
        };
        seen.begin();
        assert!(seen.insert(&identity(b"\"a\"", b"\"1\""), b"{}"));
        assert!(!seen.insert(&identity(b"\"a\"", b"\"1\""), b"{ }"));
        assert!(seen.insert(&identity(b"\"a\"", b"\"2\""), b"{}"));
        assert!(seen.insert(&Identity::default(), b"{}"));
        let digest = seen.digest();
        seen.end(false);
        seen.begin();
        for (id, modified) in [(&b"\"a\""[..], &b"\"2\""[..]), (b"\"a\"", b"\"1\"")] {
            assert!(!seen.insert(&identity(id, modified), b"{}"));
        }
        assert!(!seen.insert(&Identity::default(), b"{}"));
        assert_eq!(seen.digest(), digest);
        seen.end(true);
        seen.begin();
        assert!(seen.insert(&identity(b"\"b\"", b"\"1\""), b"{}"));
        seen.end(true);
        seen.begin();
        assert!(seen.insert(&identity(b"\"a\"", b"\"1\""), b"{}"));
    }
}
