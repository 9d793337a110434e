//! [`Masks`] by vector instructions of x86-64, chosen at run time.
//!
//! The only unsafe code of the scanner. It does two things that the compiler cannot check. It calls functions that need
//! instructions which not every machine has: [`classify`] and [`words`] do so only where `is_x86_feature_detected!` said that the machine has
//! all that the function names. And it loads 16, 32 or 64 bytes from a pointer: always from a reference to an array of 64 bytes, at offsets
//! that leave as many bytes as are loaded, by instructions that need no alignment.
//! The tests compare each way with the portable one for every byte value at every position.

#![allow(unsafe_code)]

use super::find::Pass;
use super::masks::{Masks, WORD};
use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm512_add_epi8, _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask,
    _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8,
};

/// Writes the masks of whole words by the best instructions there are; `false` if there are none.
pub(super) fn classify(words: &[[u8; WORD]], out: &mut [Masks]) -> bool {
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        // SAFETY: the machine has the instructions that the function names.
        unsafe { classify_avx512(words, out) };
        true
    } else if is_x86_feature_detected!("avx2") {
        // SAFETY: as above.
        unsafe { classify_avx2(words, out) };
        true
    } else {
        false
    }
}

/// Looks at the words of a chunk on a machine that counts and finds bits by one instruction; `false` if this is none.
pub(super) fn words(pass: &mut Pass<'_, '_>, base: usize, masks: &[Masks]) -> bool {
    let has_all = is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt");
    if has_all {
        // SAFETY: the machine has the instructions that the function names.
        unsafe { words_by_bit_instructions(pass, base, masks) };
    }
    has_all
}

#[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
fn words_by_bit_instructions(pass: &mut Pass<'_, '_>, base: usize, masks: &[Masks]) {
    // The same code as elsewhere: being inlined here, it is compiled for these instructions.
    pass.words(base, masks);
}

#[target_feature(enable = "avx512f,avx512bw")]
fn classify_avx512(words: &[[u8; WORD]], out: &mut [Masks]) {
    for (word, masks) in words.iter().zip(out) {
        // SAFETY: the reference is to 64 bytes.
        let bytes: __m512i = unsafe { _mm512_loadu_si512(word.as_ptr().cast()) };
        let is = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
        // How far each byte is above `from`, compared without sign.
        let within = |bytes: __m512i, from: u8, count: i8| {
            let above = _mm512_add_epi8(bytes, _mm512_set1_epi8(from.wrapping_neg().cast_signed()));
            _mm512_cmplt_epu8_mask(above, _mm512_set1_epi8(count))
        };
        let lower = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
        let digit = within(bytes, b'0', 10);
        let high = _mm512_movepi8_mask(bytes);
        let (dot, dash) = (is(b'.'), is(b'-'));
        *masks = Masks {
            name: within(lower, b'a', 26) | digit | dot | dash | is(b'_') | high,
            dot,
            digit,
            hex: within(lower, b'a', 6) | digit,
            colon: is(b':'),
            slash: is(b'/'),
            dash,
            rare: is(b'@') | is(b'%') | is(b'\\'),
            high,
        };
    }
}

#[target_feature(enable = "avx2")]
fn classify_avx2(words: &[[u8; WORD]], out: &mut [Masks]) {
    for (word, masks) in words.iter().zip(out) {
        // SAFETY: the reference is to 64 bytes; the second load begins in the middle of them.
        let (low, high): (__m256i, __m256i) =
            unsafe { (_mm256_loadu_si256(word.as_ptr().cast()), _mm256_loadu_si256(word.as_ptr().add(32).cast())) };
        let join = |low: __m256i, high: __m256i| {
            u64::from(_mm256_movemask_epi8(low).cast_unsigned())
                | u64::from(_mm256_movemask_epi8(high).cast_unsigned()) << 32
        };
        let is_in = |bytes: __m256i, byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
        let within_in = |bytes: __m256i, from: u8, count: i8| {
            let above = _mm256_add_epi8(bytes, _mm256_set1_epi8(from.wrapping_neg().cast_signed()));
            _mm256_cmpeq_epi8(_mm256_min_epu8(above, _mm256_set1_epi8(count - 1)), above)
        };
        let lower = |bytes: __m256i| _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
        let is = |byte: u8| join(is_in(low, byte), is_in(high, byte));
        let letter = |count: i8| join(within_in(lower(low), b'a', count), within_in(lower(high), b'a', count));
        let digit = join(within_in(low, b'0', 10), within_in(high, b'0', 10));
        let beyond = join(low, high);
        let (dot, dash) = (is(b'.'), is(b'-'));
        *masks = Masks {
            name: letter(26) | digit | dot | dash | is(b'_') | beyond,
            dot,
            digit,
            hex: letter(6) | digit,
            colon: is(b':'),
            slash: is(b'/'),
            dash,
            rare: is(b'@') | is(b'%') | is(b'\\'),
            high: beyond,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observable::text::masks::of_word;

    /// Every byte value at every position, then noise.
    fn words() -> Vec<[u8; WORD]> {
        let mut words = Vec::new();
        for value in 0..=255u8 {
            words.extend((0..WORD).map(|at| {
                let mut word = [b' '; WORD];
                word[at] = value;
                word
            }));
        }
        let mut state = 1u64;
        words.extend((0..10_000).map(|_| {
            std::array::from_fn(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
        }));
        words
    }

    #[test]
    fn every_way_gives_the_same_masks() {
        let words = words();
        let expected: Vec<Masks> = words.iter().map(of_word).collect();
        let mut out = vec![Masks::default(); words.len()];
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has the instructions.
            unsafe { classify_avx2(&words, &mut out) };
            assert!(out == expected, "avx2");
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
            out.fill(Masks::default());
            // SAFETY: the machine has the instructions.
            unsafe { classify_avx512(&words, &mut out) };
            assert!(out == expected, "avx512");
        }
        out.fill(Masks::default());
        if classify(&words, &mut out) {
            assert!(out == expected, "the one chosen");
        }
    }
}
