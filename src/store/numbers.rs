//! A set of row numbers, which are mostly dense: a bit each, in blocks. One that damage has made huge costs a block.

use std::collections::HashMap;

const BLOCK: i64 = 1 << 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Numbers(HashMap<i64, Box<[u64; BLOCK as usize / 64]>, foldhash::fast::RandomState>);

impl Numbers {
    pub(super) fn add(&mut self, number: i64) {
        let (block, word, bit) = place(number);
        self.0.entry(block).or_insert_with(|| Box::new([0; BLOCK as usize / 64]))[word] |= bit;
    }

    pub(super) fn contains(&self, number: i64) -> bool {
        let (block, word, bit) = place(number);
        self.0.get(&block).is_some_and(|bits| bits[word] & bit != 0)
    }
}

fn place(number: i64) -> (i64, usize, u64) {
    let rest = number.rem_euclid(BLOCK) as usize;
    (number.div_euclid(BLOCK), rest / 64, 1 << (rest % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_added() {
        let mut numbers = Numbers::default();
        let added = [i64::MIN, -1, 0, 1, 63, 64, 65_535, 65_536, i64::MAX];
        for number in added {
            assert!(!numbers.contains(number));
            numbers.add(number);
            numbers.add(number);
        }
        assert!(added.iter().all(|number| numbers.contains(*number)));
        assert!([-2, 2, 62, 65, 65_534, 65_537].iter().all(|number| !numbers.contains(*number)));
    }
}
