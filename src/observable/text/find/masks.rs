//! Classes of bytes as bit masks, 64 bytes at a time.

use super::Way;

/// Bytes in one mask.
pub(super) const WORD: usize = 64;
/// Masks of one chunk of text: they stay in the first cache.
pub(super) const WORDS: usize = 128;
/// Bytes of a chunk.
pub(super) const CHUNK: usize = WORD * WORDS;
/// Masks before those of the chunk, so that what is behind a byte is a load away; only the last of them is used.
pub(super) const FRONT: usize = 8;

/// Masks of one class.
pub(super) type Row = [u64; FRONT + WORDS + 8];

/// Which bytes of a chunk belong to each class; the lowest bit is the first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Masks {
    /// `A-Z a-z 0-9 . _ -` and bytes beyond ASCII.
    pub(super) name: Row,
    /// `.`
    pub(super) dot: Row,
    /// `0-9`
    pub(super) digit: Row,
    /// Hex digits.
    pub(super) hex: Row,
    /// `:`
    pub(super) colon: Row,
    /// `-` and `_`
    pub(super) joint: Row,
    /// `%`, backslash, and the byte before the sequences that colour text.
    pub(super) rare: Row,
    /// Bytes beyond ASCII.
    pub(super) high: Row,
}

impl Default for Masks {
    fn default() -> Self {
        let none = [0; FRONT + WORDS + 8];
        Self { name: none, dot: none, digit: none, hex: none, colon: none, joint: none, rare: none, high: none }
    }
}

/// The masks of one word.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    pub(super) name: u64,
    pub(super) dot: u64,
    pub(super) digit: u64,
    pub(super) hex: u64,
    pub(super) colon: u64,
    pub(super) joint: u64,
    pub(super) rare: u64,
    pub(super) high: u64,
}

impl Masks {
    /// Forgets what was before.
    pub(super) fn clear(&mut self) {
        for row in self.rows() {
            row[FRONT - 1] = 0;
            row[FRONT + WORDS - 1] = 0;
        }
    }

    /// Replaces the masks by those of the next chunk of a text; all chunks but the last are whole. Gives the number of words, a
    /// multiple of eight; behind the end of the text are words that no class has, at least one.
    pub(super) fn advance(&mut self, way: Way, chunk: &[u8]) -> usize {
        for row in self.rows() {
            row[FRONT - 1] = row[FRONT + WORDS - 1];
        }
        let (words, rest) = chunk.as_chunks::<WORD>();
        way.classify(words, self);
        if words.len() == WORDS {
            return WORDS;
        }
        let mut last = [0; WORD];
        last[..rest.len()].copy_from_slice(rest);
        self.set(FRONT + words.len(), &of_word(&last));
        let count = (words.len() + 1).next_multiple_of(8);
        for word in words.len() + 1..count {
            self.set(FRONT + word, &Word::default());
        }
        count
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
    pub(super) fn set(&mut self, at: usize, word: &Word) {
        self.name[at] = word.name;
        self.dot[at] = word.dot;
        self.digit[at] = word.digit;
        self.hex[at] = word.hex;
        self.colon[at] = word.colon;
        self.joint[at] = word.joint;
        self.rare[at] = word.rare;
        self.high[at] = word.high;
    }

    fn rows(&mut self) -> [&mut Row; 8] {
        let Self { name, dot, digit, hex, colon, joint, rare, high } = self;
        [name, dot, digit, hex, colon, joint, rare, high]
    }
}

/// The bits of 16 bytes; the first is `at` bytes behind the beginning of the chunk's front.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
pub(super) fn sixteen(row: &Row, at: usize) -> u32 {
    let bit = at % WORD;
    let Some([low, high]) = row.get(at / WORD..).and_then(|rest| rest.first_chunk()) else { return 0 };
    // Shifted twice, for a shift by 64 is none.
    ((low >> bit | (high << 1) << (63 - bit)) & 0xffff) as u32
}

/// The masks of words, in portable code.
pub(super) fn classify(words: &[[u8; WORD]], masks: &mut Masks) {
    for (number, word) in words.iter().enumerate().take(WORDS) {
        masks.set(FRONT + number, &of_word(word));
    }
}

/// The masks of one word.
pub(super) fn of_word(word: &[u8; WORD]) -> Word {
    let alphanumeric = |byte: u8| (byte | 0x20).wrapping_sub(b'a') < 26 || byte.wrapping_sub(b'0') < 10;
    Word {
        name: bits(word, |byte| alphanumeric(byte) || matches!(byte, b'.' | b'_' | b'-') || byte >= 0x80),
        dot: bits(word, |byte| byte == b'.'),
        digit: bits(word, |byte| byte.wrapping_sub(b'0') < 10),
        hex: bits(word, |byte| (byte | 0x20).wrapping_sub(b'a') < 6 || byte.wrapping_sub(b'0') < 10),
        colon: bits(word, |byte| byte == b':'),
        joint: bits(word, |byte| matches!(byte, b'-' | b'_')),
        rare: bits(word, |byte| matches!(byte, b'%' | b'\\' | 0x1b)),
        high: bits(word, |byte| byte >= 0x80),
    }
}

/// The bytes that a class holds. The first loop becomes vector instructions; then one multiplication gathers eight bits.
#[inline(always)]
#[allow(clippy::inline_always, reason = "the class must be part of the loop")]
fn bits(word: &[u8; WORD], class: impl Fn(u8) -> bool) -> u64 {
    let mut is = [0u8; WORD];
    for (is, byte) in is.iter_mut().zip(word) {
        *is = u8::from(class(*byte));
    }
    let (eights, _) = is.as_chunks::<8>();
    let mut mask = 0;
    for (position, eight) in eights.iter().enumerate() {
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= gathered << (8 * position);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte value at every position, then noise.
    fn text() -> Vec<u8> {
        let mut text = Vec::new();
        for value in 0..=255u8 {
            for at in 0..WORD {
                let mut word = [b' '; WORD];
                word[at] = value;
                text.extend(word);
            }
        }
        let mut state = 1u64;
        text.extend((0..500_000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        }));
        text
    }

    #[test]
    fn every_way_gives_the_same_masks() {
        let text = text();
        let mut expected = Masks::default();
        let mut masks = Masks::default();
        for way in Way::all() {
            expected.clear();
            masks.clear();
            for chunk in text.chunks(CHUNK) {
                let words = masks.advance(way, chunk);
                assert_eq!(expected.advance(Way::Portable, chunk), words);
                assert!(masks == expected, "{way:?}");
            }
        }
    }

    #[test]
    fn sixteen_bits_from_anywhere() {
        let row: Row = std::array::from_fn(|at| (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for at in 0..(row.len() - 1) * WORD {
            let expected =
                (0..16).fold(0, |bits, bit| bits | ((row[(at + bit) / WORD] >> ((at + bit) % WORD) & 1) as u32) << bit);
            assert_eq!(sixteen(&row, at), expected, "{at}");
        }
    }
}
