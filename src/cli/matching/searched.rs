//! Which blocks were searched, for hits of patterns over several lines, which name lines of earlier blocks. Only blocks
//! that can still be named are remembered.

use super::blocks::Block;
use super::document::trimmed;
use super::name::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stockade::matcher::SeenAt;

/// So many blocks are remembered before it is asked which of them may still be named.
const ASKED: usize = 1024;

/// The blocks that one searcher has seen, in order.
#[derive(Debug, Default)]
pub(super) struct Searched {
    seen: u64,
    blocks: BTreeMap<u64, (Arc<Name>, Lines)>,
    /// How many there were when that was asked last.
    kept: usize,
}

/// The numbers of the lines of a block.
#[derive(Debug)]
enum Lines {
    /// One after the other.
    From(u64),
    /// Of records of a document, those on which they begin.
    Records(Box<[u64]>),
}

impl Searched {
    /// Notes the next block.
    pub(super) fn push(&mut self, name: &Arc<Name>, block: &Block) {
        self.blocks.insert(self.seen, (Arc::clone(name), Lines::of(block)));
        self.seen += 1;
    }

    /// Forgets blocks that cannot be named any more, now and then.
    pub(super) fn forget(&mut self, may_be_named: impl FnOnce() -> BTreeSet<u64>) {
        if self.blocks.len() >= 2 * self.kept + ASKED {
            let named = may_be_named();
            self.blocks.retain(|number, _| named.contains(number));
            self.kept = self.blocks.len();
        }
    }

    /// The name of the input and the number of the line that a hit names besides its own.
    pub(super) fn line(&self, place: SeenAt) -> Option<(&Name, u64)> {
        let (name, lines) = self.blocks.get(&place.block)?;
        Some((name, lines.number(place.line)?))
    }
}

impl Lines {
    fn of(block: &Block) -> Self {
        let Some(document) = &block.document else { return Self::From(block.first_line) };
        let text = block.text();
        let mut start = 0;
        let ends = memchr::memchr_iter(b'\n', text).chain([text.len()]);
        let begins = ends.map(|end| trimmed(text, std::mem::replace(&mut start, end + 1)..end).start);
        Self::Records(begins.map(|begin| document.place(begin).line).collect())
    }

    fn number(&self, line: u64) -> Option<u64> {
        match self {
            Self::From(first) => Some(first + line),
            Self::Records(numbers) => numbers.get(usize::try_from(line).ok()?).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk::Input;
    use super::*;

    #[test]
    fn what_can_be_named_is_remembered_and_nothing_else_for_long() {
        let name = Arc::new(Name::new(&Input::Stdin));
        let mut searched = Searched::default();
        for number in 0..100_000 {
            let mut block = Block::default();
            block.first_line = number + 1;
            searched.push(&name, &block);
            searched.forget(|| BTreeSet::from([7, number]));
            assert!(searched.blocks.len() <= 2 * ASKED, "{}", searched.blocks.len());
        }
        let line = |block| searched.line(SeenAt { block, line: 2 }).map(|(_, line)| line);
        assert_eq!((line(7), line(99_999), line(8)), (Some(10), Some(100_002), None));
    }
}
