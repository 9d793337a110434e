//! The stages of the finder by AVX-512, as machines have it since Ice Lake and Zen 4: eight words, or eight names, at once.
//!
//! Each function does what the portable code of its name does, and the tests compare them. Unsafe are the calls from
//! outside, each behind the question whether the machine has the instructions ([`super::Way`]); loads and stores, each
//! from or to a reference to as many bytes; and two gathers, whose places are checked beforehand, lane by lane.

#![allow(unsafe_code)]

use super::masks::{FRONT, Masks, Row, WORD, WORDS};
use super::queues::{Closer, Queue, Queues};
use super::sieve::{LOWER, MULTIPLIERS, ROTATION};
use super::{Look, Stage};
use std::arch::x86_64::{
    __m128i, __m512i, _mm_cvtsi64_si128, _mm_loadu_si128, _mm512_add_epi16, _mm512_add_epi64, _mm512_alignr_epi64,
    _mm512_and_si512, _mm512_andnot_si512, _mm512_castsi512_si256, _mm512_cmpeq_epi8_mask, _mm512_cmpeq_epi64_mask,
    _mm512_cmpge_epu64_mask, _mm512_cmple_epu64_mask, _mm512_cmplt_epu64_mask, _mm512_cvtepu8_epi16,
    _mm512_cvtepu16_epi64, _mm512_loadu_si512, _mm512_lzcnt_epi64, _mm512_mask_and_epi64, _mm512_mask_i64gather_epi64,
    _mm512_mask_mov_epi8, _mm512_mask_sub_epi64, _mm512_maskz_andnot_epi64, _mm512_maskz_compress_epi8,
    _mm512_movepi8_mask, _mm512_movm_epi8, _mm512_mullo_epi64, _mm512_or_si512, _mm512_permutex2var_epi8,
    _mm512_rol_epi64, _mm512_set1_epi8, _mm512_set1_epi16, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_shldi_epi64,
    _mm512_slli_epi64, _mm512_srl_epi64, _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_storeu_si512,
    _mm512_test_epi8_mask, _mm512_test_epi64_mask, _mm512_testn_epi8_mask, _mm512_testn_epi64_mask, _mm512_xor_si512,
};

/// Whether the machine has what these functions name.
pub(super) fn is_there() -> bool {
    super::avx2::is_there()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
}

/// A table for the lower 128 bytes.
type Table = [[u8; 64]; 2];

const fn table(of: &[u8; 128]) -> Table {
    let mut table = [[0; 64]; 2];
    let mut byte = 0;
    while byte < 128 {
        table[byte / 64][byte % 64] = of[byte];
        byte += 1;
    }
    table
}

const NAME: u8 = 1;
const DOT: u8 = 2;
const DIGIT: u8 = 4;
const HEX: u8 = 8;
const COLON: u8 = 16;
const JOINT: u8 = 32;
const RARE: u8 = 64;

/// The classes of each byte.
static CLASSES: Table = table(&{
    let mut classes = [0; 128];
    let mut number = 0;
    while number < 128 {
        let byte = number as u8;
        classes[number] = match byte {
            b'0'..=b'9' => NAME | DIGIT | HEX,
            b'a'..=b'f' | b'A'..=b'F' => NAME | HEX,
            b'g'..=b'z' | b'G'..=b'Z' => NAME,
            b'.' => NAME | DOT,
            b'-' | b'_' => NAME | JOINT,
            b':' => COLON,
            b'%' | b'\\' | 0x1b => RARE,
            _ => 0,
        };
        number += 1;
    }
    classes
});

/// The bytes of names as hashes take them; zero for other bytes.
static NAMES: Table = table(&{
    let mut names = [0; 128];
    let mut number = 0;
    while number < 128 {
        let byte = number as u8;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            names[number] = byte | LOWER;
        }
        number += 1;
    }
    names
});

static NUMBERS: [u8; 64] = {
    let mut numbers = [0; 64];
    let mut number = 0;
    while number < 64 {
        numbers[number] = number as u8;
        number += 1;
    }
    numbers
};

#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference is to 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Eight words of a row from a place.
#[target_feature(enable = "avx512f")]
fn words(row: &Row, at: usize) -> __m512i {
    let Some(eight) = row.get(at..).and_then(|rest| rest.first_chunk::<8>()) else { return _mm512_setzero_si512() };
    // SAFETY: the reference is to eight words.
    unsafe { _mm512_loadu_si512(eight.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
fn spill(words: __m512i) -> [u64; 8] {
    let mut spilt = [0; 8];
    // SAFETY: there is room for eight words.
    unsafe { _mm512_storeu_si512(spilt.as_mut_ptr().cast(), words) };
    spilt
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vbmi,avx512vbmi2")]
pub(super) fn classify(text: &[[u8; WORD]], masks: &mut Masks) {
    let (low, high) = (load(&CLASSES[0]), load(&CLASSES[1]));
    for (number, word) in text.iter().enumerate().take(WORDS) {
        let bytes = load(word);
        let beyond = _mm512_movepi8_mask(bytes);
        let classes = _mm512_permutex2var_epi8(low, bytes, high);
        let classes = _mm512_mask_mov_epi8(classes, beyond, _mm512_set1_epi8(NAME.cast_signed()));
        let class = |class: u8| _mm512_test_epi8_mask(classes, _mm512_set1_epi8(class.cast_signed()));
        let at = FRONT + number;
        masks.name[at] = class(NAME);
        masks.dot[at] = class(DOT);
        masks.digit[at] = class(DIGIT);
        masks.hex[at] = class(HEX);
        masks.colon[at] = class(COLON);
        masks.joint[at] = class(JOINT);
        masks.rare[at] = class(RARE);
        masks.high[at] = beyond;
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vbmi,avx512vbmi2")]
pub(super) fn fill(queues: &mut Queues, masks: &Masks, count: usize) {
    queues.start();
    let mut state = queues.state;
    let (mut second_before, mut third_before) =
        (_mm512_set1_epi64(state.second.cast_signed()), _mm512_set1_epi64(state.third.cast_signed()));
    let and = |a: __m512i, b: __m512i| _mm512_and_si512(a, b);
    let or = |a: __m512i, b: __m512i| _mm512_or_si512(a, b);
    // The bits of the second that the first has not.
    let without = |a: __m512i, b: __m512i| _mm512_andnot_si512(a, b);
    let any = |words: __m512i| _mm512_test_epi64_mask(words, words);
    let octet = |dots: __m512i, before: __m512i| {
        let near = or(_mm512_shldi_epi64::<2>(dots, before), _mm512_shldi_epi64::<3>(dots, before));
        or(near, _mm512_shldi_epi64::<4>(dots, before))
    };
    for eight in (0..count).step_by(8) {
        let at = FRONT + eight;
        let now = |row: &Row| words(row, at);
        let before = |row: &Row| words(row, at - 1);
        let back = |row: &Row| _mm512_shldi_epi64::<1>(now(row), before(row));
        let (name, dot, digit) = (now(&masks.name), now(&masks.dot), now(&masks.digit));
        let behind_dot = back(&masks.dot);
        let ends = without(name, sum(name, without(dot, and(behind_dot, name)), &mut state.run));
        let behind_digit = back(&masks.digit);
        let behind_other = or(behind_dot, back(&masks.joint));
        let behind_number = without(digit, sum(digit, and(behind_dot, digit), &mut state.number));

        let second = and(dot, octet(dot, before(&masks.dot)));
        let second_back = _mm512_alignr_epi64::<7>(second, second_before);
        let third = and(dot, octet(second, second_back));
        let third_back = _mm512_alignr_epi64::<7>(third, third_before);
        let far = or(_mm512_shldi_epi64::<5>(third, third_back), _mm512_shldi_epi64::<6>(third, third_back));
        let shaped = or(octet(third, third_back), far);
        (second_before, third_before) = (second, third);
        let dots_before = before(&masks.dot);
        let mac = and(_mm512_shldi_epi64::<5>(dot, dots_before), _mm512_shldi_epi64::<10>(dot, dots_before));

        let names = spill(without(or(behind_digit, behind_other), ends));
        let addresses = spill(and(and(ends, behind_digit), shaped));
        for word in 0..8 {
            push(&mut queues.names, (eight + word) * WORD, names[word]);
            push(&mut queues.addresses, (eight + word) * WORD, addresses[word]);
        }
        let mixed = and(ends, or(or(behind_other, mac), without(behind_number, behind_digit)));
        if any(mixed) != 0 {
            for (word, mixed) in spill(mixed).into_iter().enumerate() {
                push(&mut queues.mixed, (eight + word) * WORD, mixed);
            }
        }

        let hex = now(&masks.hex);
        let groups = and(hex, _mm512_srli_epi64::<1>(hex));
        let groups = and(groups, _mm512_srli_epi64::<2>(groups));
        let groups = and(groups, _mm512_srli_epi64::<4>(groups));
        let groups = and(groups, _mm512_srli_epi64::<8>(groups));
        let colon = now(&masks.colon);
        let near = |colons: __m512i| {
            let shorter = or(_mm512_slli_epi64::<2>(colons), _mm512_slli_epi64::<3>(colons));
            and(colons, or(shorter, or(_mm512_slli_epi64::<4>(colons), _mm512_slli_epi64::<5>(colons))))
        };
        let colons = or(and(colon, back(&masks.colon)), near(near(and(colon, back(&masks.hex)))));
        let twice_back = |row: &Row| _mm512_shldi_epi64::<2>(now(row), before(row));
        let inside = without(twice_back(&masks.dot), twice_back(&masks.name));
        let begins = and(name, or(back(&masks.rare), without(inside, back(&masks.joint))));
        let odd = or(or(now(&masks.high), now(&masks.rare)), or(and(dot, behind_dot), begins));
        let closer = Closer {
            hex: _mm512_test_epi64_mask(groups, _mm512_set1_epi64(0x0001_0001_0001_0001)),
            colons: any(colons),
            odd: any(odd),
        };
        if closer != Closer::default() {
            queues.closer.push((eight as u32, closer));
        }
    }
    (state.second, state.third) = (spill(second_before)[7], spill(third_before)[7]);
    queues.state = state;
}

/// Adds bits to runs, carrying from each word into the next.
#[target_feature(enable = "avx512f")]
fn sum(runs: __m512i, bits: __m512i, carry: &mut bool) -> __m512i {
    let all = _mm512_set1_epi64(-1);
    let sum = _mm512_add_epi64(runs, bits);
    // A carry runs through words that are all ones: that is an addition too, of one bit for each word.
    let over = u32::from(_mm512_cmplt_epu64_mask(sum, runs));
    let full = u32::from(_mm512_cmpeq_epi64_mask(sum, all));
    let carried = ((over << 1 | u32::from(*carry)) + full) ^ full;
    *carry = carried >> 8 & 1 == 1;
    _mm512_mask_sub_epi64(sum, carried as u8, sum, all)
}

/// Appends a bit's place for each bit of a word: at most 32.
#[target_feature(enable = "popcnt,avx512f,avx512bw,avx512vbmi2")]
fn push(queue: &mut Queue, base: usize, bits: u64) {
    let places = _mm512_castsi512_si256(_mm512_maskz_compress_epi8(bits, load(&NUMBERS)));
    let places = _mm512_add_epi16(_mm512_cvtepu8_epi16(places), _mm512_set1_epi16((base as u16).cast_signed()));
    if let Some(room) = queue.room(bits.count_ones() as usize) {
        // SAFETY: there is room for 32 numbers of two bytes.
        unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), places) };
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vbmi,avx512vbmi2")]
pub(super) fn names(stage: &Stage<'_>, look: &mut Look) {
    let Stage { block, base, queues, sieve, .. } = *stage;
    let (words, shift) = sieve.tails.table();
    let shift = _mm_cvtsi64_si128(i64::from(shift));
    let (low, high) = (load(&NAMES[0]), load(&NAMES[1]));
    let all = _mm512_set1_epi64(-1);
    let eight = _mm512_set1_epi64(8);
    let [a, b, c] = MULTIPLIERS.map(|by| _mm512_set1_epi64(by.cast_signed()));
    let (eights, mut left) = (queues.names.eights(), queues.names.ends().len());
    look.hashes.clear();
    look.hashes.reserve(eights.len() * 8);
    for ends in eights {
        let live = 0xff_u8 >> (8 - left.min(8));
        left = left.saturating_sub(8);
        // SAFETY: the reference is to eight numbers of two bytes.
        let ends: __m128i = unsafe { _mm_loadu_si128(ends.as_ptr().cast()) };
        let ends = _mm512_add_epi64(_mm512_cvtepu16_epi64(ends), _mm512_set1_epi64(base.cast_signed() as i64));
        let inside = _mm512_cmpge_epu64_mask(ends, _mm512_set1_epi64(16))
            & _mm512_cmple_epu64_mask(ends, _mm512_set1_epi64(block.len().cast_signed() as i64));
        let start = block.as_ptr();
        // SAFETY: of the lanes that are read, each begins 8 or 16 bytes before a place of the block that is at least 16 and
        // at most its length, and ends at or before that place.
        let (last, first) = unsafe {
            (
                _mm512_mask_i64gather_epi64::<1>(all, live & inside, ends, start.wrapping_sub(8).cast()),
                _mm512_mask_i64gather_epi64::<1>(all, live & inside, ends, start.wrapping_sub(16).cast()),
            )
        };
        let last = _mm512_permutex2var_epi8(low, last, high);
        let first = _mm512_permutex2var_epi8(low, first, high);
        // Bytes that are dots or of no name, as bytes of ones. The uppermost is the last dot; the next one is where the end begins.
        let border = |bytes: __m512i| {
            let dots = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((b'.' | LOWER).cast_signed()));
            _mm512_movm_epi8(dots | _mm512_testn_epi8_mask(bytes, bytes))
        };
        let below = |border: __m512i| _mm512_srlv_epi64(all, _mm512_add_epi64(_mm512_lzcnt_epi64(border), eight));
        let (in_last, in_first) = (border(last), border(first));
        let none_in_last = _mm512_testn_epi64_mask(in_last, in_last);
        let in_last = _mm512_and_si512(in_last, below(in_last));
        let in_first = _mm512_mask_and_epi64(in_first, none_in_last, in_first, below(in_first));
        // What stands at the border and before it.
        let cut = |border: __m512i| _mm512_srlv_epi64(all, _mm512_lzcnt_epi64(border));
        let last = _mm512_andnot_si512(cut(in_last), last);
        let first = _mm512_maskz_andnot_epi64(_mm512_testn_epi64_mask(in_last, in_last), cut(in_first), first);

        let mixed = _mm512_xor_si512(last, _mm512_rol_epi64::<ROTATION>(_mm512_mullo_epi64(first, a)));
        let mixed = _mm512_mullo_epi64(mixed, b);
        let hash = _mm512_mullo_epi64(_mm512_xor_si512(mixed, _mm512_srli_epi64::<32>(mixed)), c);
        look.hashes.extend_from_slice(&spill(hash));
        for place in spill(_mm512_srl_epi64(hash, shift)) {
            if let Some(word) = words.get(place as usize) {
                super::avx2::prefetch(word);
            }
        }
    }
}
