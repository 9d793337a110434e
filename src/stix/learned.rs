//! Objects of a feed look alike: the same keys in the same order, and half of the values, too. What the objects before
//! looked like is compared with the next one, which is far quicker than reading it. Whatever differs is read as usual.

use super::json::{self, Extent, Fault, Raw, Step};
use super::object::{Members, Slot};

/// Members that are remembered, at most, and bytes of each key and value.
const MOST_MEMBERS: usize = 64;
const MOST_BYTES: usize = 256;
/// So many members may be missing before one that is known.
const MOST_MISSING: usize = 4;
/// After so many objects everything is learned anew, since feeds change in their course.
const LESSON: u32 = 1024;

/// What objects looked like.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    members: Vec<Known>,
    objects: u32,
}

/// A member.
#[derive(Debug)]
struct Known {
    /// From the end of the value before it up to its own: comma, key, colon, and the space around them.
    lead: Vec<u8>,
    slot: Slot,
    /// Its value, as long as that has always been the same. A string, array or object, which tells its own end.
    value: Option<Vec<u8>>,
}

impl Learned {
    /// As [`Members::read`].
    pub(crate) fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<(Members<'a>, Extent), Fault> {
        self.objects += 1;
        if self.objects == LESSON {
            self.members.clear();
            self.objects = 0;
        }
        let mut members = Members::default();
        // Where it is read on, and which member is expected there.
        let (mut at, mut next) = (1, 0);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            // The first member alone has no comma before it, so it is the first one known, and no other is.
            let candidates = if at == 1 { 1 } else { MOST_MISSING };
            next = next.max(usize::from(at > 1));
            let mut expected = self.members.iter_mut().enumerate().skip(next).take(candidates);
            if let Some((number, known)) = expected.find(|(_, known)| rest.starts_with(&known.lead)) {
                let value = at + known.lead.len();
                at = known.value_end(bytes, value)?;
                members.set(known.slot, Raw(&bytes[value..at]));
                next = number + 1;
                continue;
            }
            let (key, value) = match json::step(bytes, at)? {
                Step::Member { key, value } => (key, value),
                Step::End(extent) => return Ok((members, extent)),
            };
            let end = json::value_end(bytes, value)?;
            let slot = Slot::of(key);
            members.set(slot, Raw(&bytes[value..end]));
            // `objects` is a container or not, as its value is.
            if slot != Slot::Envelope && value - at <= MOST_BYTES && next < MOST_MEMBERS {
                let known = Known::new(&bytes[at..value], slot, &bytes[value..end]);
                if next < self.members.len() {
                    self.members[next] = known;
                } else if next == self.members.len() {
                    self.members.push(known);
                }
                next += 1;
            }
            at = end;
        }
    }
}

impl Known {
    fn new(lead: &[u8], slot: Slot, value: &[u8]) -> Self {
        let tells_its_end = matches!(value.first(), Some(b'"' | b'[' | b'{')) && value.len() <= MOST_BYTES;
        Self { lead: lead.to_vec(), slot, value: tells_its_end.then(|| value.to_vec()) }
    }

    /// Offset behind the value that begins at `at`.
    #[inline]
    fn value_end(&mut self, bytes: &[u8], at: usize) -> Result<usize, Fault> {
        if let Some(value) = &self.value
            && bytes[at..].starts_with(value)
        {
            return Ok(at + value.len());
        }
        let end = json::value_end(bytes, at)?;
        self.value = None;
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_learned_changes_nothing(
            comma in prop::sample::select(vec!["", "", ",", " "]),
            objects in prop::collection::vec(
                prop::collection::vec(
                    (
                        prop::sample::select(vec!["type", "id", "name", "objects", "x", "labels"]),
                        prop::sample::select(vec!["\"a\"", "\"ab\"", "\"a\\\"b\"", "1", "12", "[]", "[\"a\"]", "{}", "null", "tru", "\"a"]),
                        prop::sample::select(vec![",", ", ", " ,\n", ""]),
                    ),
                    0..5,
                ),
                1..12,
            ),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut learned = Learned::default();
            for members in objects {
                let members: Vec<String> = members.iter().map(|(key, value, comma)| format!("\"{key}\": {value}{comma}")).collect();
                let text = format!("{{{comma}{}}} ", members.concat());
                for text in [&text[..], &text[..=cut.index(text.len())]] {
                    let shown = |result: Result<(Members<'_>, Extent), Fault>| format!("{result:?}");
                    prop_assert_eq!(shown(learned.read(text.as_bytes())), shown(Members::read(text.as_bytes())));
                }
            }
        }
    }
}
