//! The hash of short keys: one folded multiplication for every eight bytes, with a salt.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const FINISH: u64 = 0xd6e8_feb8_6659_fd93;

/// Hashes a key. The same on every machine; tables choose another salt when a key set is unlucky with one.
#[inline]
pub(crate) fn hash(salt: u64, key: &[u8]) -> u64 {
    hash_with::<0>(salt, key)
}

/// Hashes a name without regard to the case of its letters. The bit that tells upper from lower case is set in every
/// byte; of the bytes that a name may hold this changes `_` as well, to a byte that no name holds.
#[inline]
pub(crate) fn hash_name(salt: u64, name: &[u8]) -> u64 {
    hash_with::<0x2020_2020_2020_2020>(salt, name)
}

#[inline]
fn hash_with<const SET: u64>(salt: u64, key: &[u8]) -> u64 {
    let mut state = fold(salt ^ key.len() as u64, MULTIPLIER);
    let (words, _) = key.as_chunks::<8>();
    for word in words {
        state = fold(state ^ (u64::from_le_bytes(*word) | SET), MULTIPLIER);
    }
    // The last word overlaps the one before it, so that no key needs a loop over single bytes.
    let tail = match key.len() {
        length if length % 8 == 0 => 0,
        8.. => key.last_chunk().map_or(0, |word| u64::from_le_bytes(*word)),
        4.. => {
            let first = key.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
            let last = key.last_chunk().map_or(0, |word| u32::from_le_bytes(*word));
            u64::from(first) | (u64::from(last) << 32)
        }
        _ => key.iter().fold(1, |tail, byte| (tail << 8) | u64::from(*byte)),
    };
    fold(state ^ (tail | SET), FINISH)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// A checksum of bytes, of any length: four hashes side by side, as fast as memory is read.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let mut sum = Checksum::default();
    let (blocks, rest) = bytes.as_chunks();
    sum.add(blocks);
    sum.finish(rest)
}

/// A checksum in the making, of bytes that come piece by piece.
pub(crate) struct Checksum {
    lanes: [u64; 4],
    length: u64,
}

impl Default for Checksum {
    fn default() -> Self {
        Self { lanes: [1, 2, 3, 4].map(|lane: u64| lane.wrapping_mul(MULTIPLIER)), length: 0 }
    }
}

impl Checksum {
    /// Adds whole blocks.
    pub(crate) fn add(&mut self, blocks: &[[u8; 32]]) {
        for block in blocks {
            let (words, _) = block.as_chunks::<8>();
            for (lane, word) in self.lanes.iter_mut().zip(words) {
                *lane = fold(*lane ^ u64::from_le_bytes(*word), MULTIPLIER);
            }
        }
        self.length += blocks.len() as u64 * 32;
    }

    /// The checksum of all blocks and the bytes behind them, fewer than a block.
    pub(crate) fn finish(self, rest: &[u8]) -> u64 {
        let length = self.length + rest.len() as u64;
        hash(self.lanes.into_iter().fold(length, |sum, lane| fold(sum ^ lane, FINISH)), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::{hash, hash_name};
    use std::collections::HashSet;

    #[test]
    fn names_in_either_case_have_one_hash() {
        for name in ["a", "A-b", "Evil.Example", "_dmarc.EVIL.example", "0123456789.ABCDEFGHIJ.example"] {
            assert_eq!(hash_name(7, name.as_bytes()), hash_name(7, name.to_ascii_lowercase().as_bytes()), "{name}");
        }
        assert_ne!(hash_name(7, b"a_b.example"), hash_name(7, b"a-b.example"));
    }

    #[test]
    fn keys_of_every_length_and_their_neighbours_differ() {
        let mut seen = HashSet::new();
        for len in 0..64 {
            for at in 0..len.max(1) {
                for byte in [b'a', b'b', b'.'] {
                    let mut key = vec![b'x'; len];
                    if let Some(place) = key.get_mut(at) {
                        *place = byte;
                    }
                    seen.insert((hash(7, &key), key));
                }
            }
        }
        let hashes: HashSet<u64> = seen.iter().map(|(h, _)| *h).collect();
        let keys: HashSet<&Vec<u8>> = seen.iter().map(|(_, k)| k).collect();
        assert_eq!(hashes.len(), keys.len());
    }
}
