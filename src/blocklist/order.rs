//! The order of names: by their labels from the last to the first, so that what is below a name follows it directly.

use super::cores::{on_all_cores, sort_on_all_cores};
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
    window: Window,
    pub(super) atom: u32,
}

/// Sixteen bytes, the first in the highest place.
type Window = [u32; 4];

/// Bytes of a window.
const WINDOW: usize = 16;

/// Candidates of one part at least. Their texts lie anywhere in memory; those of a part stay at hand while it is worked on.
const PART: usize = if cfg!(test) { 4 } else { 1 << 13 };

impl Candidate {
    /// A name, to be sorted with names.
    pub(super) fn name(name: &[u8], atom: u32) -> Self {
        Self { window: name_window(name, 0), atom }
    }

    /// Any other text, to be sorted with its like.
    pub(super) fn text(text: &[u8], atom: u32) -> Self {
        Self { window: text_window(text, 0), atom }
    }

    fn key(&self) -> (Window, u32) {
        (self.window, self.atom)
    }
}

/// Candidates that belong together, in order.
pub(super) struct Part<'p, E> {
    /// Their atoms.
    pub(super) atoms: &'p mut [u32],
    /// A place for an entry of each.
    pub(super) room: &'p mut [E],
    /// How many are in the parts before.
    pub(super) start: u32,
}

/// What was made of all candidates.
pub(super) struct Sorted<E, T> {
    /// Entries in order.
    pub(super) entries: Vec<E>,
    /// Atoms where the parts left them.
    pub(super) atoms: Vec<u32>,
    /// What came of each part.
    pub(super) parts: Vec<T>,
}

/// Sorts names as [`reversed`] does, the same name by the numbers of its atoms, and hands them on part by part, on all
/// cores. Names below each other are in one part. `name` gives that of an atom; `work` says how many entries it made.
pub(super) fn each_part_of_names<'t, E: Clone + Send, T: Send>(
    names: Vec<Candidate>,
    name: &(impl Fn(u32) -> &'t [u8] + Sync),
    blank: E,
    work: impl Fn(Part<'_, E>) -> (usize, T) + Sync,
) -> Sorted<E, T> {
    let compare = |a: &[u8], b: &[u8]| backwards(a).cmp(backwards(b));
    let order = Order { text: name, window: &name_window, compare: &compare };
    order.each_part(names, |before, after| last_labels(before) != last_labels(after), blank, work)
}

/// Sorts texts by their bytes, the same text by the numbers of its atoms, and hands them on likewise. Equal texts are in
/// one part. Texts that hold a zero are of one length.
pub(super) fn each_part_of_texts<'t, E: Clone + Send, T: Send>(
    texts: Vec<Candidate>,
    text: &(impl Fn(u32) -> &'t [u8] + Sync),
    blank: E,
    work: impl Fn(Part<'_, E>) -> (usize, T) + Sync,
) -> Sorted<E, T> {
    let order = Order { text, window: &text_window, compare: &<[u8]>::cmp };
    order.each_part(texts, |before, after| before != after, blank, work)
}

/// How texts are read and compared.
struct Order<'o, F, W, C> {
    text: &'o F,
    window: &'o W,
    compare: &'o C,
}

impl<'t, F, W, C> Order<'_, F, W, C>
where
    F: Fn(u32) -> &'t [u8] + Sync,
    W: Fn(&[u8], usize) -> Window + Sync,
    C: Fn(&[u8], &[u8]) -> Ordering + Sync,
{
    /// Sorts and hands on. A part ends only between windows that are `apart`.
    fn each_part<E: Clone + Send, T: Send>(
        &self,
        mut list: Vec<Candidate>,
        apart: impl Fn(Window, Window) -> bool,
        blank: E,
        work: impl Fn(Part<'_, E>) -> (usize, T) + Sync,
    ) -> Sorted<E, T> {
        sort_on_all_cores(&mut list, |a, b| a.key().cmp(&b.key()));
        // All that the parts make lies in two pieces of memory: a million entries should not be moved about.
        let (mut atoms, mut entries) = (vec![0; list.len()], vec![blank; list.len()]);
        let mut parts = Vec::new();
        let mut rest = (list.as_mut_slice(), atoms.as_mut_slice(), entries.as_mut_slice());
        let mut start = 0;
        while !rest.0.is_empty() {
            let ends = |at: &usize| apart(rest.0[at - 1].window, rest.0[*at].window);
            let end = (PART..rest.0.len()).find(ends).unwrap_or(rest.0.len());
            let (candidates, atoms, room) =
                (rest.0.split_at_mut(end), rest.1.split_at_mut(end), rest.2.split_at_mut(end));
            parts.push((candidates.0, Part { atoms: atoms.0, room: room.0, start }));
            rest = (candidates.1, atoms.1, room.1);
            start += end as u32;
        }
        let starts: Vec<u32> = parts.iter().map(|(_, part)| part.start).collect();
        let done = on_all_cores(parts, |(candidates, part): (&mut [Candidate], Part<'_, E>)| {
            self.settle(candidates, WINDOW);
            candidates.iter().zip(&mut *part.atoms).for_each(|(candidate, atom)| *atom = candidate.atom);
            work(part)
        });
        drop(list);
        let mut made = 0;
        let mut parts = Vec::with_capacity(done.len());
        for (start, (count, part)) in starts.into_iter().zip(done) {
            for at in start as usize..start as usize + count {
                entries.swap(made, at);
                made += 1;
            }
            parts.push(part);
        }
        entries.truncate(made);
        Sorted { entries, atoms, parts }
    }

    /// Decides between candidates whose windows so far, up to a depth, are the same.
    fn settle(&self, list: &mut [Candidate], depth: usize) {
        let Self { text, window, compare } = self;
        for group in list.chunk_by_mut(|a, b| a.window == b.window).filter(|group| group.len() > 1) {
            if group.len() < 16 {
                group.sort_unstable_by(|a, b| compare(text(a.atom), text(b.atom)).then_with(|| a.atom.cmp(&b.atom)));
            } else if group.iter().any(|candidate| text(candidate.atom).len() > depth) {
                for candidate in &mut *group {
                    candidate.window = window(text(candidate.atom), depth);
                }
                group.sort_unstable_by_key(Candidate::key);
                self.settle(group, depth + WINDOW);
            }
        }
    }
}

/// The bytes of a name from the last one on, in the order of [`reversed`], beginning at a depth; zeros follow its end.
fn name_window(name: &[u8], depth: usize) -> Window {
    window(backwards(&name[..name.len().saturating_sub(depth)]))
}

/// The bytes of a text beginning at a depth; zeros follow its end.
fn text_window(text: &[u8], depth: usize) -> Window {
    window(text.get(depth..).unwrap_or_default().iter().copied())
}

fn window(bytes: impl Iterator<Item = u8>) -> Window {
    let mut window = [0u8; WINDOW];
    window.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    let window = u128::from_be_bytes(window);
    [96, 64, 32, 0].map(|shift| (window >> shift) as u32)
}

/// The last two labels of a name, as far as its window shows them. A listed name has two at least, so names that differ
/// here are not below each other; and as what is below a name follows it directly, neither is anything on either side.
fn last_labels(window: Window) -> [u8; WINDOW] {
    let mut bytes = [0; WINDOW];
    for (place, word) in bytes.chunks_exact_mut(4).zip(window) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    let mut dots = bytes.iter().enumerate().filter(|(_, byte)| **byte == rank(b'.'));
    if let Some((second, _)) = dots.nth(1) {
        bytes[second..].fill(0);
    }
    bytes
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
            let mut expected: Vec<u32> = (0..texts.len() as u32).collect();
            expected.sort_by(|a, b| reversed(&texts[*a as usize], &texts[*b as usize]));
            let names = texts.iter().zip(0..).map(|(name, atom)| Candidate::name(name.as_bytes(), atom)).collect();
            prop_assert_eq!(each_part_of_names(names, &text, (), |_| (0, ())).atoms, expected);

            let mut expected: Vec<u32> = (0..texts.len() as u32).collect();
            expected.sort_by_key(|atom| &texts[*atom as usize]);
            let others = texts.iter().zip(0..).map(|(text, atom)| Candidate::text(text.as_bytes(), atom)).collect();
            prop_assert_eq!(each_part_of_texts(others, &text, (), |_| (0, ())).atoms, expected);
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
