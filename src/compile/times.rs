//! A column of instants: steps of seconds, if whole seconds is what they are, from the earliest on, or after an instant
//! of the same row where that takes less room.

use super::entries::NONE;
use super::packed::{Damaged, Ints, Section, Tag};

/// Instants in microseconds since 1970, some of them absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// The number of steps; if some are absent, zero for those and one more for the others.
    codes: Ints,
    least: i64,
    step: i64,
    relative: bool,
    complete: bool,
}

/// The instants follow others.
const RELATIVE: u8 = 1;
/// None is absent.
const COMPLETE: u8 = 2;

/// How a column is written.
struct Plan {
    least: i64,
    step: i64,
    /// The largest code.
    most: u64,
    relative: bool,
    complete: bool,
}

impl Plan {
    fn new(numbers: impl Iterator<Item = Option<i64>>, relative: bool) -> Option<Self> {
        let (mut least, mut most, mut step, mut complete) = (i64::MAX, i64::MIN, 1_000_000, true);
        for number in numbers {
            let number = number?;
            if number == NONE {
                complete = false;
                continue;
            }
            least = least.min(number);
            most = most.max(number);
            while number % step != 0 {
                step /= 1000;
            }
        }
        if least > most {
            return Some(Self { least: 0, step: 1, most: 0, relative, complete });
        }
        let most = least.abs_diff(most) / step.unsigned_abs() + u64::from(!complete);
        Some(Self { least, step, most, relative, complete })
    }
}

impl Times {
    /// Packs the instants of rows; `others` are instants of the same rows.
    pub(super) fn pack(tag: Tag, column: &[i64], others: Option<&[i64]>) -> Section {
        let relative = |time: i64, other: i64| match (time, other) {
            (NONE, _) => Some(NONE),
            (_, NONE) => None,
            _ => time.checked_sub(other).filter(|difference| *difference != NONE),
        };
        let rows = || column.iter().copied().zip(others.unwrap_or(column).iter().copied());
        // A difference may be beyond what eight bytes hold only if an instant is absurd: then it is not used.
        let after_others = others.and_then(|_| Plan::new(rows().map(|(time, other)| relative(time, other)), true));
        let plans = [Plan::new(column.iter().map(|time| Some(*time)), false), after_others];
        let width = |most: u64| (64 - most.leading_zeros()).div_ceil(8);
        let plan = plans.into_iter().flatten().min_by_key(|plan| (width(plan.most), plan.relative));
        let plan = plan.unwrap_or(Plan { least: 0, step: 1, most: 0, relative: false, complete: true });
        let code = |(time, other)| match if plan.relative { relative(time, other) } else { Some(time) } {
            None | Some(NONE) => 0,
            Some(time) => plan.least.abs_diff(time) / plan.step.unsigned_abs() + u64::from(!plan.complete),
        };
        let codes: Vec<u64> = rows().map(code).collect();
        let flags = if plan.relative { RELATIVE } else { 0 } | if plan.complete { COMPLETE } else { 0 };
        // The least code is zero, whether it stands for the least instant or for none.
        let mut section = Ints::pack(tag, 1, flags, codes.into_iter());
        (section.base, section.step) = (plan.least.cast_unsigned(), plan.step.cast_unsigned());
        section
    }

    /// Takes a column of `count` instants from its section.
    pub(super) fn open(section: &Section, count: usize) -> Result<Self, Damaged> {
        let codes = Ints::open(&Section { base: 0, step: 1, ..section.clone() }, count)?;
        let (least, step) = (section.base.cast_signed(), section.step.cast_signed());
        let (relative, complete) = (section.flags & RELATIVE != 0, section.flags & COMPLETE != 0);
        Ok(Self { codes, least, step, relative, complete })
    }

    /// The instant at a place; `other` is that of the same row which it may follow.
    pub(super) fn get(&self, at: usize, other: i64) -> i64 {
        let Some(steps) = self.codes.get(at).checked_sub(u64::from(!self.complete)) else { return NONE };
        let time = self.least.wrapping_add(steps.cast_signed().wrapping_mul(self.step));
        if self.relative { time.wrapping_add(other) } else { time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Instants as feeds have them, and absurd ones.
    fn instant() -> impl Strategy<Value = i64> {
        prop_oneof![
            Just(NONE),
            (0..2_000_000_000_i64).prop_map(|seconds| seconds * 1_000_000),
            (0..2_000_000_000_000_i64).prop_map(|millis| millis * 1000),
            any::<i64>(),
        ]
    }

    proptest! {
        #[test]
        fn instants_come_back(rows in proptest::collection::vec((instant(), instant()), 0..20)) {
            let (times, others): (Vec<i64>, Vec<i64>) = rows.into_iter().unzip();
            for others_known in [false, true] {
                let section = Times::pack(Tag::new(0, 0), &times, others_known.then_some(&others));
                let column = Times::open(&section, times.len()).expect("its own column");
                for (at, (time, other)) in times.iter().zip(&others).enumerate() {
                    prop_assert_eq!(column.get(at, *other), *time);
                }
            }
        }
    }

    #[test]
    fn what_follows_by_the_same_time_takes_no_room() {
        let from: Vec<i64> = (0..100).map(|n| n * 77_000_000_000).collect();
        let until: Vec<i64> = from.iter().map(|time| time + 86_400_000_000).collect();
        assert!(Times::pack(Tag::new(0, 0), &until, Some(&from)).bytes.is_empty());
    }
}
