//! The order of names: by their labels from the last to the first, so that what is below a name follows it directly.

use std::cmp::Ordering;

/// Compares two names label by label from the right; a name comes before what is below it.
///
/// Byte by byte this is the order of the reversed texts, in which the dot is below all that a label may hold.
pub fn reversed(a: &str, b: &str) -> Ordering {
    backwards(a.as_bytes()).cmp(backwards(b.as_bytes()))
}

/// Whether a name is below another: ends with a dot and the other.
pub fn is_below(name: &str, parent: &str) -> bool {
    name.len() > parent.len() + 1
        && name.as_bytes()[name.len() - parent.len() - 1] == b'.'
        && name.as_bytes().ends_with(parent.as_bytes())
}

/// A text that waits to be sorted, known by the number of its atom: there may be a million. Of the text itself only a
/// window is at hand, which decides most comparisons; where it does not, it moves on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    window: [u32; 4],
    pub(super) atom: u32,
}

/// Bytes of a window.
const WINDOW: usize = 16;

impl Candidate {
    /// A name, to be sorted with names.
    pub(super) fn name(name: &str, atom: u32) -> Self {
        Self { window: name_window(name.as_bytes(), 0), atom }
    }

    /// Any other text, to be sorted with its like.
    pub(super) fn text(text: &[u8], atom: u32) -> Self {
        Self { window: text_window(text, 0), atom }
    }

    /// Whether it may be the same text as another, which was sorted together with it; if not, it is not.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        self.window == other.window
    }
}

/// Sorts names as [`reversed`] does, the same name by the numbers of its atoms. `name` gives that of an atom.
pub(super) fn sort_names<'t>(names: &mut [Candidate], name: &impl Fn(u32) -> &'t [u8]) {
    let compare = |a: &[u8], b: &[u8]| backwards(a).cmp(backwards(b));
    sort(names, 0, name, &name_window, &compare);
}

/// Sorts texts by their bytes, the same text by the numbers of its atoms. Texts that hold a zero are of one length.
pub(super) fn sort_texts<'t>(texts: &mut [Candidate], text: &impl Fn(u32) -> &'t [u8]) {
    sort(texts, 0, text, &text_window, &<[u8]>::cmp);
}

fn sort<'t>(
    list: &mut [Candidate],
    depth: usize,
    text: &impl Fn(u32) -> &'t [u8],
    window: &impl Fn(&[u8], usize) -> [u32; 4],
    compare: &impl Fn(&[u8], &[u8]) -> Ordering,
) {
    list.sort_unstable_by_key(|candidate| (candidate.window, candidate.atom));
    let depth = depth + WINDOW;
    for group in list.chunk_by_mut(|a, b| a.window == b.window) {
        if group.len() < 16 {
            if group.len() > 1 {
                group.sort_unstable_by(|a, b| compare(text(a.atom), text(b.atom)).then_with(|| a.atom.cmp(&b.atom)));
            }
        } else if group.iter().any(|candidate| text(candidate.atom).len() > depth) {
            for candidate in &mut *group {
                candidate.window = window(text(candidate.atom), depth);
            }
            sort(group, depth, text, window, compare);
        }
    }
}

/// The bytes of a name from the last one on, in the order of [`reversed`], beginning at a depth; zeros follow its end.
fn name_window(name: &[u8], depth: usize) -> [u32; 4] {
    window(backwards(name).skip(depth))
}

/// The bytes of a text beginning at a depth; zeros follow its end.
fn text_window(text: &[u8], depth: usize) -> [u32; 4] {
    window(text.iter().copied().skip(depth))
}

fn window(bytes: impl Iterator<Item = u8>) -> [u32; 4] {
    let mut window = [0u8; WINDOW];
    window.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    let window = u128::from_be_bytes(window);
    [96, 64, 32, 0].map(|shift| (window >> shift) as u32)
}

fn backwards(name: &[u8]) -> impl Iterator<Item = u8> {
    name.iter().rev().map(|byte| rank(*byte))
}

const fn rank(byte: u8) -> u8 {
    if byte == b'.' { 1 } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_below_a_name_follows_it_directly() {
        let mut names = ["a.com", "x.b.com", "b-a.com", "b.com", "xb.com", "a.b.com", "com", "b.co", "a.x.b.com"];
        names.sort_by(|a, b| reversed(a, b));
        assert_eq!(names, ["com", "a.com", "b-a.com", "b.com", "a.b.com", "x.b.com", "a.x.b.com", "xb.com", "b.co"]);
    }

    proptest! {
        #[test]
        fn windows_give_the_order_of_whole_texts(
            texts in prop::collection::vec("(a{14}|a{30})?[ab.]{0,3}(a{15}|b{33}|example)?", 0..120),
        ) {
            let text = |atom: u32| texts[atom as usize].as_bytes();
            let atoms = |list: &[Candidate]| list.iter().map(|candidate| candidate.atom).collect::<Vec<_>>();
            let mut expected: Vec<u32> = (0..texts.len() as u32).collect();
            expected.sort_by(|a, b| reversed(&texts[*a as usize], &texts[*b as usize]));
            let mut names: Vec<_> = texts.iter().zip(0..).map(|(name, atom)| Candidate::name(name, atom)).collect();
            sort_names(&mut names, &text);
            prop_assert_eq!(atoms(&names), expected);

            let mut expected: Vec<u32> = (0..texts.len() as u32).collect();
            expected.sort_by_key(|atom| &texts[*atom as usize]);
            let mut others: Vec<_> =
                texts.iter().zip(0..).map(|(text, atom)| Candidate::text(text.as_bytes(), atom)).collect();
            sort_texts(&mut others, &text);
            prop_assert_eq!(atoms(&others), expected);
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
