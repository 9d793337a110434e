//! Which observations satisfy a whole pattern: AND, OR, FOLLOWEDBY and qualifiers (STIX 2.1 section 9.3 and 9.8).
//!
//! Without time every pattern is a question of handing out observations, which [`super::flow`] answers at once. Time
//! adds choices: when a WITHIN begins, where the sides of a FOLLOWEDBY part, which side of an OR. They are made one
//! by one, earliest first, each only if what is left could still succeed on its own; a choice that leads nowhere is
//! taken back. A limit of steps ends searches that would take too long, and they are then reported as undetermined.

use super::chains::{self, Chains};
use super::flow::{Budget, Exhausted, Flow, List, Seen, Window};
use super::nanoseconds;
use crate::compile::program::Sequence;
use crate::stix::Timestamp;

/// The outcome of a search: the observations that serve, or that there are none.
pub(super) type Found = Result<Option<Vec<u32>>, Exhausted>;

/// Steps that one search may take, whatever the size of its input.
const STEPS: u64 = 10_000_000;
/// Steps it may take for each observation.
const STEPS_EACH: u64 = 200;

/// A sequence prepared for one list of observations.
enum Node {
    /// So many observations of a list.
    Demand {
        list: usize,
        count: u64,
    },
    All(Vec<usize>),
    Any(Vec<usize>),
    Followed(Vec<usize>),
    Copies(u64, usize),
    Within(u128, usize),
    Between(Window, usize),
}

/// A node to be satisfied within a window.
#[derive(Clone, Copy)]
struct Task {
    node: usize,
    window: Window,
    /// For FOLLOWEDBY: how many of its members are settled.
    from: usize,
    /// Copies of the node still to come after this one.
    copies: u64,
    /// Copies are alike, so each chooses no earlier than the one before.
    floor: usize,
}

/// Tasks left, as a list that choices share.
#[derive(Clone, Copy)]
struct Pending {
    task: Task,
    next: Option<usize>,
}

/// The first of the tasks left; nothing when all is done.
struct Left(Option<usize>);

/// A choice that was made and may be taken back.
struct Choice {
    task: Task,
    rest: Option<usize>,
    /// The option to try next.
    cursor: usize,
    /// How many demands and pending tasks there were before.
    demands: usize,
    pending: usize,
}

/// An option: what it asks for, and its number.
struct Chosen {
    tasks: [Option<Task>; 2],
    number: usize,
}

struct Search<'s> {
    seen: &'s [Seen],
    lists: &'s [List],
    /// For each list and place in it: the earliest last instant from there on.
    earliest_last: Vec<Vec<i128>>,
    nodes: Vec<Node>,
    /// The instants at which anything begins, and at which anything ends.
    firsts: Vec<i128>,
    lasts: Vec<i128>,
    pending: Vec<Pending>,
    choices: Vec<Choice>,
    budget: Budget,
}

/// Finds observations for a sequence. `lists` holds, for each comparison, the observations that satisfy it, sorted by
/// their first instant.
pub(super) fn find(sequence: &Sequence, seen: &[Seen], mut lists: Vec<List>) -> Found {
    let mut budget = Budget(STEPS + STEPS_EACH * seen.len() as u64);
    match chains::decide(sequence, seen, &lists, &mut budget)? {
        Chains::Served(serving) => return Ok(Some(serving)),
        Chains::Impossible => return Ok(None),
        Chains::Open => {}
    }
    let mut nodes = Vec::new();
    let root = build(sequence, 1, seen, &mut lists, &mut nodes);
    let instants = |instant: fn(&Seen) -> i128| {
        let timed = seen.iter().filter(|seen| seen.first > i128::MIN);
        let mut all: Vec<i128> = timed.map(instant).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let earliest_last = lists.iter().map(|list| earliest_last(list, seen)).collect();
    let mut search = Search {
        seen,
        lists: &lists,
        earliest_last,
        nodes,
        firsts: instants(|seen| seen.first),
        lasts: instants(|seen| seen.last),
        pending: Vec::new(),
        choices: Vec::new(),
        budget,
    };
    search.run(root)
}

/// Every observation that satisfies a sequence alone, in order; nothing for a sequence that asks for several.
pub(super) fn singles(sequence: &Sequence, seen: &[Seen], lists: &[List]) -> Option<List> {
    let mut all = match sequence {
        Sequence::Observe(comparison) => lists.get(*comparison as usize)?.clone(),
        Sequence::Any(members) => {
            let mut all = Vec::new();
            for member in members {
                all.extend(singles(member, seen, lists)?);
            }
            all
        }
        Sequence::Between(start, stop, inner) => {
            let window = Window::between(*start, *stop);
            singles(inner, seen, lists)?.into_iter().filter(|number| window.holds(&seen[*number as usize])).collect()
        }
        Sequence::Repeats(1, inner) => singles(inner, seen, lists)?,
        Sequence::All(_) | Sequence::Followed(_) | Sequence::Repeats(..) | Sequence::Within(..) => return None,
    };
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// For each place of a list the earliest last instant from there on.
fn earliest_last(list: &List, seen: &[Seen]) -> Vec<i128> {
    let mut earliest = i128::MAX;
    let mut all: Vec<i128> = list
        .iter()
        .rev()
        .map(|observation| {
            earliest = earliest.min(seen[*observation as usize].last);
            earliest
        })
        .collect();
    all.reverse();
    all
}

/// Prepares a sequence that is needed a number of times. Repetition is handed down to the demands where that means
/// the same, and an OR of single observations becomes one list.
fn build(sequence: &Sequence, times: u64, seen: &[Seen], lists: &mut Vec<List>, nodes: &mut Vec<Node>) -> usize {
    let node = match sequence {
        Sequence::Observe(comparison) => Node::Demand { list: *comparison as usize, count: times },
        Sequence::All(members) => {
            Node::All(members.iter().map(|member| build(member, times, seen, lists, nodes)).collect())
        }
        Sequence::Any(members) => {
            if let Some(list) = union(members, seen, lists) {
                lists.push(list);
                Node::Demand { list: lists.len() - 1, count: times }
            } else {
                let options = Node::Any(members.iter().map(|member| build(member, 1, seen, lists, nodes)).collect());
                copies(options, times, nodes)
            }
        }
        Sequence::Followed(members) => {
            let sides = Node::Followed(members.iter().map(|member| build(member, 1, seen, lists, nodes)).collect());
            copies(sides, times, nodes)
        }
        Sequence::Within(limit, inner) => {
            let inner = Node::Within(*limit, build(inner, 1, seen, lists, nodes));
            copies(inner, times, nodes)
        }
        Sequence::Repeats(more, inner) => return build(inner, times.saturating_mul(*more), seen, lists, nodes),
        Sequence::Between(start, stop, inner) => {
            Node::Between(Window::between(*start, *stop), build(inner, times, seen, lists, nodes))
        }
    };
    nodes.push(node);
    nodes.len() - 1
}

fn copies(node: Node, times: u64, nodes: &mut Vec<Node>) -> Node {
    if times == 1 {
        return node;
    }
    nodes.push(node);
    Node::Copies(times, nodes.len() - 1)
}

/// The observations that satisfy any of these, if each is a single observation.
pub(super) fn union(members: &[Sequence], seen: &[Seen], lists: &[List]) -> Option<List> {
    let mut all = Vec::new();
    for member in members {
        match member {
            Sequence::Observe(comparison) => all.extend(lists.get(*comparison as usize)?),
            _ => return None,
        }
    }
    all.sort_unstable_by_key(|observation: &u32| (seen[*observation as usize].first, *observation));
    all.dedup();
    Some(all)
}

impl Search<'_> {
    fn run(&mut self, root: usize) -> Found {
        if self.earliest_end(root, 0, Window::ALWAYS)?.is_none() || !self.enough(root)? {
            return Ok(None);
        }
        let mut flow = Flow::new(self.seen, self.lists);
        let task = Task { node: root, window: Window::ALWAYS, from: 0, copies: 0, floor: 0 };
        let mut next = Some(self.cons(task, None));
        loop {
            match next {
                None => return Ok(Some(flow.serving())),
                Some(at) => {
                    let Pending { task, next: rest } = self.pending[at];
                    if let Some(Left(rest)) = self.settle(task, rest, &mut flow)? {
                        next = rest;
                        continue;
                    }
                }
            }
            match self.choose(&mut flow)? {
                Some(Left(chosen)) => next = chosen,
                None => return Ok(None),
            }
        }
    }

    fn cons(&mut self, task: Task, next: Option<usize>) -> usize {
        self.pending.push(Pending { task, next });
        self.pending.len() - 1
    }

    /// Works on a task without choosing. Gives the tasks then left, or nothing if it fails or a choice is to be made.
    fn settle(&mut self, task: Task, rest: Option<usize>, flow: &mut Flow<'_>) -> Result<Option<Left>, Exhausted> {
        self.budget.spend(1)?;
        let mut members = None;
        match &self.nodes[task.node] {
            Node::Demand { list, count } => {
                return Ok(flow.push(*list, task.window, *count, &mut self.budget)?.then_some(Left(rest)));
            }
            Node::All(all) => {
                // What needs no choice comes first: it shows soonest that there is not enough.
                let (plain, others): (Vec<usize>, Vec<usize>) =
                    all.iter().partition(|&&member| matches!(self.nodes[member], Node::Demand { .. }));
                members = Some((plain.into_iter().chain(others).collect::<Vec<_>>(), task.window));
            }
            Node::Between(window, inner) => members = Some((vec![*inner], task.window.narrowed(*window))),
            Node::Copies(copies, inner) => {
                let copy = Task { node: *inner, copies: copies.saturating_sub(1), ..task };
                return Ok(Some(Left(if *copies == 0 { rest } else { Some(self.cons(copy, rest)) })));
            }
            Node::Any(_) | Node::Followed(_) | Node::Within(..) => {}
        }
        if let Some((members, window)) = members {
            let mut next = rest;
            for node in members.into_iter().rev() {
                next = Some(self.cons(Task { node, window, from: 0, copies: 0, floor: 0 }, next));
            }
            return Ok(Some(Left(next)));
        }
        let (demands, pending) = (flow.len(), self.pending.len());
        self.choices.push(Choice { task, rest, cursor: task.floor, demands, pending });
        Ok(None)
    }

    /// Takes the next option of the latest choice that has one. Gives the tasks then left.
    fn choose(&mut self, flow: &mut Flow<'_>) -> Result<Option<Left>, Exhausted> {
        while let Some(mut choice) = self.choices.pop() {
            self.budget.spend(1)?;
            flow.truncate(choice.demands);
            self.pending.truncate(choice.pending);
            let Some(Chosen { tasks, number: option }) = self.option(choice.task, choice.cursor)? else { continue };
            choice.cursor = option + 1;
            let mut next = choice.rest;
            if choice.task.copies > 0 {
                let copy = Task { copies: choice.task.copies - 1, floor: option, ..choice.task };
                next = Some(self.cons(copy, next));
            }
            for task in tasks.into_iter().flatten().rev() {
                next = Some(self.cons(task, next));
            }
            self.choices.push(choice);
            return Ok(Some(Left(next)));
        }
        Ok(None)
    }

    /// The first option of a task from a number on that could succeed on its own: what is to be done, and its number.
    fn option(&mut self, task: Task, cursor: usize) -> Result<Option<Chosen>, Exhausted> {
        let Task { node, window, from, .. } = task;
        let plain = |node, window| Task { node, window, from: 0, copies: 0, floor: 0 };
        match &self.nodes[node] {
            Node::Any(options) => {
                let options = options.clone();
                for (number, &option) in options.iter().enumerate().skip(cursor) {
                    if self.earliest_end(option, 0, window)?.is_some() {
                        return Ok(Some(Chosen { tasks: [Some(plain(option, window)), None], number }));
                    }
                }
                Ok(None)
            }
            Node::Within(limit, inner) => {
                let (limit, inner) = (*limit, *inner);
                let start = cursor.max(self.firsts.partition_point(|first| *first < window.from));
                let found = self.start_within(inner, limit, window, start)?;
                Ok(found.map(|(number, window, _)| Chosen { tasks: [Some(plain(inner, window)), None], number }))
            }
            Node::Followed(members) => {
                let (left, last) = (members[from], from + 2 >= members.len());
                let right = if last { members.get(from + 1).copied() } else { None };
                let timed = window.timed();
                let Some(end) = self.earliest_end(left, 0, timed)? else { return Ok(None) };
                let number = cursor.max(self.lasts.partition_point(|last| *last < end));
                let Some(&split) = self.lasts.get(number).filter(|split| **split <= window.to) else { return Ok(None) };
                let after = Window { from: split, ..timed };
                // The later the sides part, the less is left for the right one.
                if self.earliest_end(node, from + 1, after)?.is_none() {
                    return Ok(None);
                }
                let before = plain(left, Window { to: split, ..timed });
                let then = match right {
                    Some(right) => plain(right, after),
                    None => Task { from: from + 1, ..plain(node, after) },
                };
                Ok(Some(Chosen { tasks: [Some(before), Some(then)], number }))
            }
            Node::Demand { .. } | Node::All(_) | Node::Copies(..) | Node::Between(..) => Ok(None),
        }
    }

    /// The earliest instant at which a node could be satisfied within a window if it had all observations to itself.
    /// Nothing if even then it could not.
    fn earliest_end(&mut self, node: usize, from: usize, window: Window) -> Result<Option<i128>, Exhausted> {
        self.budget.spend(1)?;
        if window.from > window.to {
            return Ok(None);
        }
        let members = match &self.nodes[node] {
            Node::Demand { list, count } => return self.earliest_served(*list, *count, window),
            Node::Copies(_, inner) => return self.earliest_end(*inner, 0, window),
            Node::Between(between, inner) => {
                let (inner, window) = (*inner, window.narrowed(*between));
                return self.earliest_end(inner, 0, window);
            }
            Node::Within(limit, inner) => {
                let (limit, inner) = (*limit, *inner);
                let start = self.firsts.partition_point(|first| *first < window.from);
                let found = self.start_within(inner, limit, window, start)?;
                return Ok(found.map(|(.., end)| end));
            }
            Node::All(members) | Node::Any(members) | Node::Followed(members) => members.len(),
        };
        let mut best: Option<i128> = None;
        let mut narrowed = window;
        for index in from..members {
            let (any, followed, member) = match &self.nodes[node] {
                Node::Any(members) => (true, false, members[index]),
                Node::Followed(members) => (false, true, members[index]),
                Node::All(members) => (false, false, members[index]),
                _ => return Ok(None),
            };
            if followed {
                narrowed = narrowed.timed();
            }
            let end = self.earliest_end(member, 0, narrowed)?;
            match end {
                Some(end) if followed => narrowed.from = end,
                None if !any => return Ok(None),
                _ => {}
            }
            best = match (best, end) {
                (Some(best), Some(end)) => Some(if any { best.min(end) } else { best.max(end) }),
                (best, end) => best.or(end),
            };
        }
        Ok(best)
    }

    /// The first instant, by number, from which on a node could be satisfied below a limit of time; with the window
    /// that this leaves and the end that it would have.
    fn start_within(
        &mut self,
        node: usize,
        limit: u128,
        window: Window,
        mut number: usize,
    ) -> Result<Option<(usize, Window, i128)>, Exhausted> {
        while let Some(&first) = self.firsts.get(number).filter(|first| **first <= window.to) {
            let Some(end) = self.earliest_end(node, 0, Window { from: first, ..window })? else { break };
            let Some(narrow) = window.within(first, limit) else { break };
            if end <= narrow.to {
                return Ok(Some((number, narrow, end)));
            }
            // Later beginnings have no earlier ends: go on to the first that is near enough to this one.
            let length = i128::try_from(limit).unwrap_or(i128::MAX);
            number = self.firsts.partition_point(|other| *other <= first || other.saturating_add(length) <= end);
        }
        Ok(None)
    }

    /// When so many observations of a list have been seen within a window.
    fn earliest_served(&mut self, list: usize, count: u64, window: Window) -> Result<Option<i128>, Exhausted> {
        let observations = &self.lists[list];
        let start = observations.partition_point(|observation| self.seen[*observation as usize].first < window.from);
        if count <= 1 {
            let earliest = self.earliest_last[list].get(start).copied();
            return Ok(earliest.filter(|last| *last <= window.to));
        }
        let (mut served, mut ends, mut latest) = (0_u64, Vec::new(), i128::MIN);
        for observation in &observations[start..] {
            let seen = &self.seen[*observation as usize];
            if seen.first > window.to {
                break;
            }
            self.budget.spend(1)?;
            if window.holds(seen) {
                ends.push((seen.last, seen.count));
                served = served.saturating_add(seen.count);
                latest = latest.max(seen.last);
                // What begins later than all of these end cannot end earlier.
                if served >= count && latest <= seen.first {
                    break;
                }
            }
        }
        if served < count {
            return Ok(None);
        }
        ends.sort_unstable();
        let mut left = count;
        for (last, count) in ends {
            left = left.saturating_sub(count);
            if left == 0 {
                return Ok(Some(last));
            }
        }
        Ok(None)
    }

    /// Whether there are enough observations for all that is needed in any case, leaving time aside.
    fn enough(&mut self, root: usize) -> Result<bool, Exhausted> {
        let mut flow = Flow::new(self.seen, self.lists);
        let mut open = vec![(root, 1_u64, Window::ALWAYS)];
        while let Some((node, times, window)) = open.pop() {
            match &self.nodes[node] {
                Node::Demand { list, count } => {
                    if !flow.push(*list, window, count.saturating_mul(times), &mut self.budget)? {
                        return Ok(false);
                    }
                }
                Node::All(members) | Node::Followed(members) => {
                    open.extend(members.iter().map(|member| (*member, times, window)));
                }
                Node::Within(_, inner) => open.push((*inner, times, window)),
                Node::Between(between, inner) => open.push((*inner, times, window.narrowed(*between))),
                Node::Copies(copies, inner) => open.push((*inner, times.saturating_mul(*copies), window)),
                Node::Any(_) => {}
            }
        }
        Ok(true)
    }
}

impl Window {
    /// From one instant on and before another.
    pub(super) fn between(start: Timestamp, stop: Timestamp) -> Self {
        Self { from: nanoseconds(start), to: nanoseconds(stop) - 1 }
    }

    pub(super) fn narrowed(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// Without the observations that have no times.
    pub(super) fn timed(self) -> Self {
        Self { from: self.from.max(i128::MIN + 1), to: self.to.min(i128::MAX - 1) }
    }

    /// The part that begins at an instant and is shorter than a limit, which must not be zero.
    fn within(self, first: i128, limit: u128) -> Option<Self> {
        let length = i128::try_from(limit.checked_sub(1)?).unwrap_or(i128::MAX);
        let to = first.saturating_add(length).min(i128::MAX - 1);
        Some(Self { from: self.from.max(first), to: self.to.min(to) })
    }
}
