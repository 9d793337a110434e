//! Where runs end that may be names or addresses: arithmetic on masks, a word at a time.
//!
//! A dotted run is a run of name characters with a dot before one of them that is no dot itself. Adding that one to the run carries to the
//! byte behind the run. By the byte before its end, and by the places of dots before addresses' ends, it is known what the
//! run may be, without a look at the text.

use super::masks::{CHUNK, FRONT, Masks, Row, WORD};

/// No chunk holds more: a dotted run takes three bytes, and one is between it and the next.
const MOST: usize = CHUNK / 4 + 1;
/// What is written at a time reaches so far beyond what counts.
pub(super) const SLACK: usize = 32;

/// Ends of runs in a chunk, counted from its beginning.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    ends: [u16; MOST + SLACK],
    len: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self { ends: [0; MOST + SLACK], len: 0 }
    }
}

impl Queue {
    /// The ends.
    pub(super) fn ends(&self) -> &[u16] {
        self.ends.get(..self.len).unwrap_or_default()
    }

    /// The ends, and behind them what may be read but says nothing: a whole number of eights.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn eights(&self) -> &[[u16; 8]] {
        self.ends.as_chunks().0.get(..self.len.div_ceil(8)).unwrap_or_default()
    }

    /// Room behind the ends, and a promise to fill so much of it.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
    pub(super) fn room(&mut self, count: usize) -> Option<&mut [u16; SLACK]> {
        let from = self.len;
        self.len += count;
        self.ends.get_mut(from..)?.first_chunk_mut()
    }

    /// Appends a bit's place for each bit of a word.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    fn push(&mut self, base: usize, mut bits: u64) {
        let count = bits.count_ones() as usize;
        let Some(room) = self.room(count) else { return };
        // Most words have few; a loop that always runs as long is not mispredicted.
        for end in &mut room[..4] {
            *end = (base + bits.trailing_zeros() as usize) as u16;
            bits &= bits.wrapping_sub(1);
        }
        for end in &mut room[4..] {
            if bits == 0 {
                break;
            }
            *end = (base + bits.trailing_zeros() as usize) as u16;
            bits &= bits - 1;
        }
    }
}

/// What a chunk holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    /// Ends of dotted runs that end in a letter.
    pub(super) names: Queue,
    /// Ends of dotted runs whose last dots and digits stand as those of an address, or of one with a port.
    pub(super) addresses: Queue,
    /// Ends of dotted runs that end in a dot, `-`, `_`, in digits behind other than a dot, or stand as hardware addresses do.
    pub(super) mixed: Queue,
    /// Words that need a closer look: the number of the first of eight, and three sets of eight bits ([`Closer`]).
    pub(super) closer: Vec<(u32, Closer)>,
    /// What goes on from the chunk before.
    pub(super) state: State,
}

/// Which of eight words may hold what is seldom; the first is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closer {
    /// 16 hex digits in a row.
    pub(super) hex: u8,
    /// Two colons in a row, or many behind hex digits.
    pub(super) colons: u8,
    /// Escapes, two dots in a row, bytes beyond ASCII.
    pub(super) odd: u8,
}

/// What a chunk hands on to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    /// The sums of runs and of numbers carry into the next word.
    pub(super) run: bool,
    pub(super) number: bool,
    /// Dots that follow one, and two, others as those of an address do, in the last word.
    pub(super) second: u64,
    pub(super) third: u64,
}

impl Queues {
    /// Forgets what was before.
    pub(super) fn clear(&mut self) {
        self.state = State::default();
    }

    /// Empties the queues for the next chunk.
    pub(super) fn start(&mut self) {
        for queue in [&mut self.names, &mut self.addresses, &mut self.mixed] {
            queue.len = 0;
        }
        self.closer.clear();
    }

    /// Fills the queues from the masks of so many words.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
    pub(super) fn fill(&mut self, masks: &Masks, words: usize) {
        self.start();
        let mut state = self.state;
        for eight in (0..words).step_by(8) {
            let mut closer = Closer::default();
            for (bit, word) in (eight..eight + 8).enumerate() {
                let at = FRONT + word;
                let now = |row: &Row| row[at];
                // The bits of the bytes so many back.
                let back = |row: &Row, by: u32| shifted(row[at], row[at - 1], by);
                let (name, dot, digit) = (now(&masks.name), now(&masks.dot), now(&masks.digit));
                let behind_dot = back(&masks.dot, 1);
                let ends = sum(name, behind_dot & name & !dot, &mut state.run) & !name;
                let behind_digit = back(&masks.digit, 1);
                let behind_other = behind_dot | back(&masks.joint, 1);
                let behind_number = sum(digit, behind_dot & digit, &mut state.number) & !digit;

                let second = dot & octet(dot, masks.dot[at - 1]);
                let third = dot & octet(second, state.second);
                let shaped = last_octet(third, state.third);
                (state.second, state.third) = (second, third);
                let mac = back(&masks.dot, 5) & back(&masks.dot, 10);

                self.names.push(word * WORD, ends & !behind_digit & !behind_other);
                self.addresses.push(word * WORD, ends & behind_digit & shaped);
                let mixed = ends & (behind_other | behind_digit & !behind_number | mac);
                if mixed != 0 {
                    self.mixed.push(word * WORD, mixed);
                }

                let (double, behind_hex) = colons(masks, at);
                let odd = now(&masks.high) | now(&masks.rare) | dot & behind_dot | name & behind_dash(masks, at);
                closer.hex |= u8::from(groups(now(&masks.hex)) != 0) << bit;
                closer.colons |= u8::from(double | near(near(behind_hex)) != 0) << bit;
                closer.odd |= u8::from(odd | name & back(&masks.rare, 1) != 0) << bit;
            }
            if closer != Closer::default() {
                self.closer.push((eight as u32, closer));
            }
        }
        self.state = state;
    }
}

/// The bits of the bytes so many back.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn shifted(now: u64, before: u64, by: u32) -> u64 {
    now << by | before >> (64 - by)
}

/// Adds bits to runs; the carries stand behind the runs.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn sum(runs: u64, bits: u64, carry: &mut bool) -> u64 {
    let (sum, over) = runs.overflowing_add(bits);
    let (sum, over_by_carry) = sum.overflowing_add(u64::from(*carry));
    *carry = over || over_by_carry;
    sum
}

/// Places one to three bytes behind the byte behind a dot.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn octet(dots: u64, before: u64) -> u64 {
    shifted(dots, before, 2) | shifted(dots, before, 3) | shifted(dots, before, 4)
}

/// The same, and up to five, for a port may stand where the last octet would.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn last_octet(dots: u64, before: u64) -> u64 {
    octet(dots, before) | shifted(dots, before, 5) | shifted(dots, before, 6)
}

/// Aligned groups of 16 hex digits: 32 digits in a row fill at least one.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
pub(super) fn groups(hex: u64) -> u64 {
    let mut groups = hex & hex >> 1;
    groups &= groups >> 2;
    groups &= groups >> 4;
    groups &= groups >> 8;
    groups & 0x0001_0001_0001_0001
}

/// Colons behind a colon, and colons behind a hex digit. An IPv6 address has one of the first, or at least five of the
/// second, three of them in one word [`near`] each other.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
pub(super) fn colons(masks: &Masks, at: usize) -> (u64, u64) {
    let colon = masks.colon[at];
    (colon & shifted(colon, masks.colon[at - 1], 1), colon & shifted(masks.hex[at], masks.hex[at - 1], 1))
}

/// Bytes behind a dash or underscore that no letter or digit stands before: dashes before a name are not part of it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
pub(super) fn behind_dash(masks: &Masks, at: usize) -> u64 {
    let back = |row: &Row, by: u32| shifted(row[at], row[at - 1], by);
    back(&masks.joint, 1) & (!back(&masks.name, 2) | back(&masks.dot, 2))
}

/// Colons with another before them, and one to four digits between.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn near(colons: u64) -> u64 {
    colons & (colons << 2 | colons << 3 | colons << 4 | colons << 5)
}
