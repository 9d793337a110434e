//! `REPEATS n` of a `FOLLOWEDBY` of single observations, decided stage by stage without searching.
//!
//! So many chains run side by side. In each stage every chain takes one more observation that begins no earlier than
//! the chain has come, and of all ways to do that the one whose ends are earliest is taken: whatever could follow later
//! ends can follow these. Observations that a chain may take are those that begin at its end or later, so a choice fits
//! if for each end no more are chosen that fit only up to it than there are chains up to it.

use super::flow::{Budget, Exhausted, List, Seen, Window};
use super::sequence::union;
use crate::compile::program::Sequence;

/// What is known after the stages.
pub(super) enum Chains {
    /// These observations serve.
    Served(Vec<u32>),
    /// There are none.
    Impossible,
    /// The pattern has another shape, or an observation could stand in several places and another choice of places may
    /// do better.
    Open,
}

/// How many chains have come to an instant.
#[derive(Clone, Copy)]
struct End {
    at: i128,
    chains: u64,
}

/// Decides a pattern of this shape. `lists` as for [`super::sequence::find`].
pub(super) fn decide(
    sequence: &Sequence,
    seen: &[Seen],
    lists: &[List],
    budget: &mut Budget,
) -> Result<Chains, Exhausted> {
    let (mut sequence, mut window) = (sequence, Window::ALWAYS.timed());
    while let Sequence::Between(start, stop, inner) = sequence {
        (sequence, window) = (inner, window.narrowed(Window::between(*start, *stop)));
    }
    let Sequence::Repeats(times, repeated) = sequence else { return Ok(Chains::Open) };
    let Sequence::Followed(members) = &**repeated else { return Ok(Chains::Open) };
    let stages: Option<Vec<List>> = members.iter().map(|member| stage(member, seen, lists)).collect();
    let Some(mut stages) = stages else { return Ok(Chains::Open) };

    let mut free: Vec<u64> = seen.iter().map(|seen| seen.count).collect();
    let mut ends = vec![End { at: window.from, chains: *times }];
    let mut serving = Vec::new();
    let mut shared = vec![false; seen.len()];
    let mut disjoint = true;
    for stage in &mut stages {
        for observation in &*stage {
            disjoint &= !std::mem::replace(&mut shared[*observation as usize], true);
        }
        stage.sort_unstable_by_key(|observation| seen[*observation as usize].last);
    }
    for stage in &stages {
        match advance(&ends, stage, seen, window, &mut free, &mut serving, budget)? {
            Some(next) => ends = next,
            None if disjoint => return Ok(Chains::Impossible),
            None => return Ok(Chains::Open),
        }
    }
    serving.sort_unstable();
    serving.dedup();
    Ok(Chains::Served(serving))
}

/// The observations that can take a place in a chain, if it is a place for one.
fn stage(member: &Sequence, seen: &[Seen], lists: &[List]) -> Option<List> {
    match member {
        Sequence::Observe(comparison) => lists.get(*comparison as usize).cloned(),
        Sequence::Any(members) => union(members, seen, lists),
        _ => None,
    }
}

/// Takes every chain one observation further, to the earliest ends that there are. Nothing if some chain gets none.
fn advance(
    ends: &[End],
    stage: &[u32],
    seen: &[Seen],
    window: Window,
    free: &mut [u64],
    serving: &mut Vec<u32>,
    budget: &mut Budget,
) -> Result<Option<Vec<End>>, Exhausted> {
    // How many more may be chosen that fit no later end than this one.
    let mut room: Vec<u64> = ends
        .iter()
        .scan(0_u64, |sum, end| {
            *sum = sum.saturating_add(end.chains);
            Some(*sum)
        })
        .collect();
    let mut next = Vec::new();
    for &observation in stage {
        let place = observation as usize;
        let Seen { first, last, .. } = seen[place];
        if !window.holds(&seen[place]) {
            continue;
        }
        // The chains that it can follow are those of the first so many ends.
        let fitting = ends.partition_point(|end| end.at <= first);
        let Some(latest) = fitting.checked_sub(1) else { continue };
        budget.spend((room.len() - latest) as u64)?;
        let taken = room[latest..].iter().copied().min().unwrap_or(0).min(free[place]);
        if taken == 0 {
            continue;
        }
        room[latest..].iter_mut().for_each(|room| *room -= taken);
        free[place] -= taken;
        serving.push(observation);
        match next.last_mut() {
            Some(End { at, chains }) if *at == last => *chains += taken,
            _ => next.push(End { at: last, chains: taken }),
        }
        if room.last() == Some(&0) {
            return Ok(Some(next));
        }
    }
    Ok(None)
}
