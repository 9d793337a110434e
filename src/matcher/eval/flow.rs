//! Which observation stands for which demand: a maximum flow, so that nothing is tried in every combination.
//!
//! A demand asks for a number of observations out of a list and a span of time; an observation can be given away as
//! often as it was observed. Demands are added and taken back one by one; those that stand are always fully served.
//! A demand that finds nothing free makes others move to observations that they would accept as well.

use std::collections::VecDeque;

/// When and how often something was observed. Times are nanoseconds since 1970; an observation without times lies
/// between no two instants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) first: i128,
    pub(super) last: i128,
    pub(super) count: u64,
}

/// A span of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i128,
    pub(super) to: i128,
}

/// Observations that may serve, sorted by their first instant.
pub(super) type List = Vec<u32>;

/// Steps left before the search for an assignment is given up.
#[derive(Debug)]
pub(super) struct Budget(pub(super) u64);

/// The limit of steps was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }
}

impl Window {
    /// All of time, and observations without times too.
    pub(super) const ALWAYS: Self = Self { from: i128::MIN, to: i128::MAX };

    pub(super) fn holds(self, seen: &Seen) -> bool {
        self.from <= seen.first && seen.last <= self.to
    }
}

struct Demand {
    list: usize,
    window: Window,
    /// Who serves it, and how often.
    served: Vec<(u32, u64)>,
}

/// Demands and who serves them.
pub(super) struct Flow<'s> {
    seen: &'s [Seen],
    lists: &'s [List],
    demands: Vec<Demand>,
    free: Vec<u64>,
    /// The demands that each observation serves.
    serves: Vec<Vec<u32>>,
}

impl<'s> Flow<'s> {
    pub(super) fn new(seen: &'s [Seen], lists: &'s [List]) -> Self {
        let free = seen.iter().map(|seen| seen.count).collect();
        Self { seen, lists, demands: Vec::new(), free, serves: vec![Vec::new(); seen.len()] }
    }

    /// How many demands stand.
    pub(super) fn len(&self) -> usize {
        self.demands.len()
    }

    /// Adds a demand if it can be served beside all others.
    pub(super) fn push(
        &mut self,
        list: usize,
        window: Window,
        count: u64,
        budget: &mut Budget,
    ) -> Result<bool, Exhausted> {
        let demand = self.demands.len() as u32;
        self.demands.push(Demand { list, window, served: Vec::new() });
        let mut left = count;
        for observation in self.candidates(list, window) {
            if left == 0 {
                break;
            }
            budget.spend(1)?;
            let seen = &self.seen[observation as usize];
            let taken = self.free[observation as usize].min(left);
            if taken > 0 && window.holds(seen) {
                self.give(demand, observation, taken);
                left -= taken;
            }
        }
        while left > 0 {
            match self.augment(demand, left, budget)? {
                0 => {
                    self.truncate(demand as usize);
                    return Ok(false);
                }
                moved => left -= moved,
            }
        }
        Ok(true)
    }

    /// Takes back all demands but the first so many.
    pub(super) fn truncate(&mut self, length: usize) {
        while self.demands.len() > length {
            let Some(demand) = self.demands.pop() else { return };
            let number = self.demands.len() as u32;
            for (observation, amount) in demand.served {
                self.free[observation as usize] += amount;
                self.serves[observation as usize].retain(|other| *other != number);
            }
        }
    }

    /// The observations that serve some demand, in order.
    pub(super) fn serving(&self) -> Vec<u32> {
        let mut all: Vec<u32> =
            self.demands.iter().flat_map(|demand| demand.served.iter().map(|(observation, _)| *observation)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Observations of a list that begin within a window.
    fn candidates(&self, list: usize, window: Window) -> impl Iterator<Item = u32> + use<'s> {
        let seen = self.seen;
        let list = &self.lists[list];
        let start = list.partition_point(|observation| seen[*observation as usize].first < window.from);
        list[start..].iter().copied().take_while(move |observation| seen[*observation as usize].first <= window.to)
    }

    fn give(&mut self, demand: u32, observation: u32, amount: u64) {
        self.free[observation as usize] -= amount;
        let served = &mut self.demands[demand as usize].served;
        // A demand of thousands takes each observation once; only moves come back to one it has.
        if self.serves[observation as usize].contains(&demand) {
            if let Some((_, given)) = served.iter_mut().find(|(other, _)| *other == observation) {
                *given += amount;
            }
        } else {
            served.push((observation, amount));
            self.serves[observation as usize].push(demand);
        }
    }

    fn take(&mut self, demand: u32, observation: u32, amount: u64) {
        self.free[observation as usize] += amount;
        let served = &mut self.demands[demand as usize].served;
        if let Some(at) = served.iter().position(|(other, _)| *other == observation) {
            served[at].1 -= amount;
            if served[at].1 == 0 {
                served.swap_remove(at);
                self.serves[observation as usize].retain(|other| *other != demand);
            }
        }
    }

    /// Frees an observation for a demand by moving others, along a shortest chain of moves; how much of it.
    fn augment(&mut self, demand: u32, wanted: u64, budget: &mut Budget) -> Result<u64, Exhausted> {
        // How each demand was reached: from which demand, giving up which observation for it.
        let mut reached: Vec<Option<(u32, u32)>> = vec![None; self.demands.len()];
        let mut visited = vec![false; self.seen.len()];
        budget.spend((reached.len() + visited.len()) as u64 / 16)?;
        let mut queue = VecDeque::from([demand]);
        while let Some(current) = queue.pop_front() {
            let Demand { list, window, .. } = self.demands[current as usize];
            for observation in self.candidates(list, window) {
                budget.spend(1)?;
                let place = observation as usize;
                if !window.holds(&self.seen[place]) || std::mem::replace(&mut visited[place], true) {
                    continue;
                }
                if self.free[place] > 0 {
                    return Ok(self.shift(demand, current, observation, wanted, &reached));
                }
                for &holder in &self.serves[place] {
                    if holder != demand && reached[holder as usize].is_none() {
                        reached[holder as usize] = Some((current, observation));
                        queue.push_back(holder);
                    }
                }
            }
        }
        Ok(0)
    }

    /// Moves demands along the chain that ends with `last` taking the free observation.
    fn shift(&mut self, demand: u32, last: u32, free: u32, wanted: u64, reached: &[Option<(u32, u32)>]) -> u64 {
        let released = |at: u32| reached[at as usize].filter(|_| at != demand);
        let mut amount = wanted.min(self.free[free as usize]);
        let mut at = last;
        while let Some((before, observation)) = released(at) {
            let served = &self.demands[at as usize].served;
            let held = served.iter().find(|(other, _)| *other == observation).map_or(0, |(_, held)| *held);
            amount = amount.min(held);
            at = before;
        }
        let (mut at, mut takes) = (last, free);
        loop {
            let gives_up = released(at);
            if let Some((_, observation)) = gives_up {
                self.take(at, observation, amount);
            }
            self.give(at, takes, amount);
            match gives_up {
                Some((before, observation)) => (at, takes) = (before, observation),
                None => return amount,
            }
        }
    }
}
