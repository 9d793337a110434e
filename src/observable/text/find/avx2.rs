//! The stages of the finder by instructions that nearly every machine of the last ten years has: AVX2 and those that
//! count and find bits.
//!
//! Unsafe are the calls from outside, each behind the question whether the machine has the instructions
//! ([`super::Way`]), and the loads, each from a reference to an array of as many bytes as are loaded.

#![allow(unsafe_code)]

use super::masks::{FRONT, Masks, WORD, WORDS, Word};
use super::queues::Queues;
use super::{Look, Stage};
use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
};

/// Whether the machine has what these functions name.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

/// Has the bytes at a place fetched into the nearest cache.
#[inline]
pub(super) fn prefetch<T>(place: &T) {
    // SAFETY: the instruction is part of every x86-64, and reads nothing that the program can see.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) };
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn classify(words: &[[u8; WORD]], masks: &mut Masks) {
    for (number, word) in words.iter().enumerate().take(WORDS) {
        let (halves, _) = word.as_chunks::<32>();
        let [low, high] = [&halves[0], &halves[1]].map(|half| {
            // SAFETY: the reference is to 32 bytes.
            let half: __m256i = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
            half
        });
        let join = |low: __m256i, high: __m256i| {
            u64::from(_mm256_movemask_epi8(low).cast_unsigned())
                | u64::from(_mm256_movemask_epi8(high).cast_unsigned()) << 32
        };
        let is_in = |bytes: __m256i, byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
        let within_in = |bytes: __m256i, from: u8, count: i8| {
            let above = _mm256_add_epi8(bytes, _mm256_set1_epi8(from.wrapping_neg().cast_signed()));
            _mm256_cmpeq_epi8(_mm256_min_epu8(above, _mm256_set1_epi8(count - 1)), above)
        };
        let either = |a: __m256i, b: __m256i| _mm256_or_si256(a, b);
        let lower = |bytes: __m256i| _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
        let is = |byte: u8| join(is_in(low, byte), is_in(high, byte));
        let letter = |count: i8| join(within_in(lower(low), b'a', count), within_in(lower(high), b'a', count));
        let digit = join(within_in(low, b'0', 10), within_in(high, b'0', 10));
        let beyond = join(low, high);
        let joint = [low, high].map(|half| either(is_in(half, b'-'), is_in(half, b'_')));
        let joint = join(joint[0], joint[1]);
        let rare = [low, high].map(|half| either(is_in(half, b'%'), either(is_in(half, b'\\'), is_in(half, 0x1b))));
        let dot = is(b'.');
        let word = Word {
            name: letter(26) | digit | dot | joint | beyond,
            dot,
            digit,
            hex: letter(6) | digit,
            colon: is(b':'),
            joint,
            rare: join(rare[0], rare[1]),
            high: beyond,
        };
        masks.set(FRONT + number, &word);
    }
}

/// The same code as elsewhere: being inlined here, it is compiled for these instructions.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn fill(queues: &mut Queues, masks: &Masks, words: usize) {
    queues.fill(masks, words);
}

/// As [`fill`].
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn names(stage: &Stage<'_>, look: &mut Look) {
    look.names(stage);
}

/// As [`fill`].
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn addresses(stage: &Stage<'_>, look: &mut Look) {
    look.addresses(stage);
}
