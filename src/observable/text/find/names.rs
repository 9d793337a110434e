//! The ends of names, asked for in the sieve.

use super::masks::{FRONT, Masks, WORD, sixteen};
use super::sieve::Tail;

/// The hash of the end of the name that ends at a place of the chunk; the bytes are those before it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
pub(super) fn hash(bytes: &[u8; 16], masks: &Masks, end: usize) -> u64 {
    let at = FRONT * WORD + end - 16;
    let [name, dots] = [&masks.name, &masks.dot].map(|row| sixteen(row, at));
    // The last dot is within the end, what stands before the one before it is not.
    let last = (dots | 1).ilog2();
    let border = !name & 0xffff | dots & !(1 << last);
    Tail::new(bytes, 32 - border.leading_zeros()).hash()
}
