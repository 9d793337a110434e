//! Classes of bytes as bit masks, 64 bytes at a time.

/// Which of 64 bytes belong to each class; the lowest bit is the first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    /// `A-Z a-z 0-9 . _ -` and bytes beyond ASCII.
    pub(super) name: u64,
    /// `.`
    pub(super) dot: u64,
    /// `0-9`
    pub(super) digit: u64,
    /// Hex digits.
    pub(super) hex: u64,
    /// `:`
    pub(super) colon: u64,
    /// `/`
    pub(super) slash: u64,
    /// `-`
    pub(super) dash: u64,
    /// `@`, `%` and backslash.
    pub(super) rare: u64,
    /// Bytes beyond ASCII.
    pub(super) high: u64,
}

/// Bytes in one mask.
pub(super) const WORD: usize = 64;

/// The masks of each word of a text; the last word is filled up with zero bytes. `out` has room for all of them.
pub(super) fn classify(text: &[u8], out: &mut [Masks]) {
    let (words, rest) = text.as_chunks::<WORD>();
    #[cfg(target_arch = "x86_64")]
    let done = super::simd::classify(words, out);
    #[cfg(not(target_arch = "x86_64"))]
    let done = false;
    if !done {
        for (word, masks) in words.iter().zip(out.iter_mut()) {
            *masks = of_word(word);
        }
    }
    if let Some(last) = out.get_mut(words.len()).filter(|_| !rest.is_empty()) {
        let mut word = [0; WORD];
        word[..rest.len()].copy_from_slice(rest);
        *last = of_word(&word);
    }
}

/// The masks of one word, in portable code.
pub(super) fn of_word(word: &[u8; WORD]) -> Masks {
    let alphanumeric = |byte: u8| (byte | 0x20).wrapping_sub(b'a') < 26 || byte.wrapping_sub(b'0') < 10;
    Masks {
        name: bits(word, |byte| alphanumeric(byte) || matches!(byte, b'.' | b'_' | b'-') || byte >= 0x80),
        dot: bits(word, |byte| byte == b'.'),
        digit: bits(word, |byte| byte.wrapping_sub(b'0') < 10),
        hex: bits(word, |byte| (byte | 0x20).wrapping_sub(b'a') < 6 || byte.wrapping_sub(b'0') < 10),
        colon: bits(word, |byte| byte == b':'),
        slash: bits(word, |byte| byte == b'/'),
        dash: bits(word, |byte| byte == b'-'),
        rare: bits(word, |byte| matches!(byte, b'@' | b'%' | b'\\')),
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
