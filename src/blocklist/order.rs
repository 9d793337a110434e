//! The order of names: by their labels from the last to the first, so that what is below a name follows it directly.

use std::cmp::Ordering;

/// Compares two names label by label from the right; a name comes before what is below it.
///
/// Byte by byte this is the order of the reversed texts, in which the dot is below all that a label may hold.
pub fn reversed(a: &str, b: &str) -> Ordering {
    a.bytes().rev().map(rank).cmp(b.bytes().rev().map(rank))
}

/// Whether a name is below another: ends with a dot and the other.
pub fn is_below(name: &str, parent: &str) -> bool {
    name.len() > parent.len() + 1
        && name.as_bytes()[name.len() - parent.len() - 1] == b'.'
        && name.as_bytes().ends_with(parent.as_bytes())
}

/// The last bytes of a name as one number, in the same order: where two differ, the names compare as they do.
pub(super) fn key(name: &str) -> u128 {
    let mut key = [0u8; 16];
    for (place, byte) in key.iter_mut().zip(name.bytes().rev()) {
        *place = rank(byte);
    }
    u128::from_be_bytes(key)
}

const fn rank(byte: u8) -> u8 {
    if byte == b'.' { 1 } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_name_follows_it_directly() {
        let mut names = ["a.com", "x.b.com", "b-a.com", "b.com", "xb.com", "a.b.com", "com", "b.co", "a.x.b.com"];
        names.sort_by(|a, b| reversed(a, b));
        assert_eq!(names, ["com", "a.com", "b-a.com", "b.com", "a.b.com", "x.b.com", "a.x.b.com", "xb.com", "b.co"]);
        for (a, b) in names.iter().zip(&names[1..]) {
            assert!(key(a) <= key(b), "{a} {b}");
        }
    }

    #[test]
    fn below_means_below_a_dot() {
        for (name, parent, expected) in [
            ("a.b.com", "b.com", true),
            ("b.com", "b.com", false),
            ("ab.com", "b.com", false),
            (".b.com", "b.com", false),
            ("com", "b.com", false),
        ] {
            assert_eq!(is_below(name, parent), expected, "{name} {parent}");
        }
    }
}
