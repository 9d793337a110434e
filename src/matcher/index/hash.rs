//! The hash of short keys: one folded multiplication for every eight bytes, with a salt.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
const FINISH: u64 = 0xd6e8_feb8_6659_fd93;

/// Hashes a key. The same on every machine; tables choose another salt when a key set is unlucky with one.
#[inline]
pub(crate) fn hash(salt: u64, key: &[u8]) -> u64 {
    let mut state = fold(salt ^ key.len() as u64, MULTIPLIER);
    let (words, _) = key.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), MULTIPLIER);
    }
    // The last word overlaps the one before it, so that no key needs a loop over single bytes.
    let tail = match key {
        [.., a, b, c, d, e, f, g, h] if key.len() % 8 != 0 => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        [a, b, c, d, rest @ ..] if rest.len() < 4 => {
            let last = &key[key.len() - 4..];
            u64::from(u32::from_le_bytes([*a, *b, *c, *d]))
                | u64::from(u32::from_le_bytes([last[0], last[1], last[2], last[3]])) << 32
        }
        [a, b, c] => u64::from_le_bytes([*a, *b, *c, 1, 0, 0, 0, 0]),
        [a, b] => u64::from_le_bytes([*a, *b, 1, 0, 0, 0, 0, 0]),
        [a] => u64::from(*a),
        _ => 0,
    };
    fold(state ^ tail, FINISH)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::hash;
    use std::collections::HashSet;

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
                    if seen.insert((hash(7, &key), key.clone())) {
                        continue;
                    }
                }
            }
        }
        let hashes: HashSet<u64> = seen.iter().map(|(h, _)| *h).collect();
        let keys: HashSet<&Vec<u8>> = seen.iter().map(|(_, k)| k).collect();
        assert_eq!(hashes.len(), keys.len());
    }
}
