//! The ladder against a model of servers: whatever one does, a walk that says it is done has everything.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// How a server pages.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a habit of servers, and they come in every combination")]
struct Server {
    /// When each object was added, in microseconds, ascending.
    added: Vec<u64>,
    /// Objects that it gives at a time, at most, whatever is asked for.
    cap: u64,
    /// What of that it gives, in tenths, page after page: some give fewer than asked.
    shares: Vec<u64>,
    /// It says `next`.
    next: bool,
    /// It says `more`.
    more: bool,
    /// It sends the dates of the first and last object.
    dates: bool,
    /// Dates are cut to milliseconds.
    coarse: bool,
    /// An object that comes first on every page.
    identity: bool,
    /// `added_after` includes the instant itself.
    inclusive: bool,
    /// The same token is given for every page, and each use of it gives the next one.
    destructive: bool,
    /// `more` is true for ever.
    lies: bool,
    // What happened so far.
    pages: usize,
    position: usize,
}

impl Server {
    fn new(added: Vec<u64>) -> Self {
        Self {
            added,
            cap: 1000,
            shares: vec![10],
            next: false,
            more: false,
            dates: true,
            coarse: false,
            identity: false,
            inclusive: false,
            destructive: false,
            lies: false,
            pages: 0,
            position: 0,
        }
    }

    /// Numbers of the objects that it gives, the facts of the page, and what identifies it.
    fn answer(&mut self, question: &Question) -> (Vec<usize>, Page) {
        let after = question.added_after.as_ref().map(|text| {
            let at = Timestamp::parse(text).unwrap();
            u64::try_from(at.seconds).unwrap() * 1_000_000 + u64::from(at.nanos) / 1000
        });
        let start = after.map_or(0, |after| {
            let inclusive = self.inclusive;
            self.added.partition_point(|added| if inclusive { *added < after } else { *added <= after })
        });
        let start = match &question.next {
            Some(_) if self.destructive => self.position,
            Some(token) => token.parse().unwrap(),
            None => start,
        };
        let share = self.shares[self.pages % self.shares.len()];
        self.pages += 1;
        let size = (self.cap.min(question.limit.into()) * share).div_ceil(10).max(1);
        let end = self.added.len().min(start + usize::try_from(size).unwrap());
        self.position = end;
        let objects: Vec<usize> = (start..end).collect();
        let date = |at: Option<&u64>| {
            let at = at.filter(|_| self.dates)?;
            let at = if self.coarse { at / 1000 * 1000 } else { *at };
            Some(micros(at))
        };
        let more = end < self.added.len();
        let page = Page {
            count: objects.len() as u64,
            first: date(self.added.get(start)),
            last: date(end.checked_sub(1).filter(|_| end > start).and_then(|last| self.added.get(last))),
            more: self.more.then_some(more || self.lies),
            next: (self.next && (more || self.lies))
                .then(|| if self.destructive { "token".into() } else { end.to_string() }),
            ..Page::default()
        };
        (objects, page)
    }
}

fn micros(at: u64) -> Timestamp {
    Timestamp::from_unix(i64::try_from(at / 1_000_000).unwrap(), u32::try_from(at % 1_000_000).unwrap() * 1000)
}

/// What a walk gives: the numbers of the objects, how it ended, and how many pages it took.
fn walk(server: &mut Server, limit: u32, faults: &[bool]) -> (BTreeSet<usize>, Result<(), Gap>, usize) {
    let mut got = BTreeSet::new();
    let mut ladder = Ladder::new(limit, None, None, false);
    let mut before: BTreeSet<usize> = BTreeSet::new();
    for pages in 1..10_000 {
        let question = ladder.question();
        let (objects, mut page) = server.answer(&question);
        // Of a page asked for with `next`, nobody knows whether the server gave it.
        if question.next.is_some() && faults.get(pages % faults.len().max(1)).copied().unwrap_or(false) {
            if !ladder.restart(false) {
                return (got, Err(Gap("restarts".into())), pages);
            }
            continue;
        }
        let mut keys: BTreeSet<usize> = objects.iter().copied().collect();
        page.digest = format!("{keys:?}");
        if server.identity {
            keys.insert(usize::MAX);
            page.count += 1;
        }
        page.fresh = keys.difference(&before).count() as u64;
        got.extend(objects);
        match ladder.memory(&page) {
            Memory::Only => before = keys,
            Memory::Too => before.extend(keys),
            Memory::Nothing => {}
        }
        match ladder.page(page) {
            Ok(Step::Again) => {}
            Ok(Step::Done) => return (got, Ok(()), pages),
            Err(gap) => return (got, Err(gap), pages),
        }
    }
    panic!("endless: {server:?}");
}

fn bursts(sizes: &[usize]) -> Vec<u64> {
    sizes
        .iter()
        .enumerate()
        .flat_map(|(at, size)| std::iter::repeat_n(1_790_000_000_000_000 + at as u64, *size))
        .collect()
}

#[test]
fn bursts_larger_than_a_page_lose_nothing() {
    let mut server = Server::new(bursts(&[150, 150, 150, 50]));
    let (got, end, pages) = walk(&mut server, 100, &[]);
    assert_eq!((got.len(), end), (500, Ok(())));
    assert!(pages < 15, "{pages}");
}

#[test]
fn a_burst_that_no_limit_shows_is_a_gap() {
    let mut server = Server { cap: 100, ..Server::new(bursts(&[30, 150, 20])) };
    let (_, end, _) = walk(&mut server, 100, &[]);
    assert!(end.unwrap_err().0.contains("no higher limit helps"));
    // The server never says that its pages are smaller than asked for.
    let mut server = Server { cap: 100, ..Server::new(bursts(&[150, 20])) };
    assert!(walk(&mut server, 1000, &[]).1.is_err());
}

#[test]
fn a_walk_that_has_everything_asks_no_more_than_it_must() {
    for (server, expected) in [
        (Server { more: true, ..Server::new(bursts(&[1, 1, 1])) }, 1),
        (Server { more: true, next: true, ..Server::new(bursts(&[1; 250])) }, 3),
        // The page, the one from its end on, and a look behind it.
        (Server::new(bursts(&[1, 1, 1])), 3),
        (Server::new(Vec::new()), 1),
        (Server { dates: false, ..Server::new(bursts(&[5])) }, 1),
    ] {
        let (got, end, pages) = walk(&mut server.clone(), 100, &[]);
        assert_eq!((got.len(), end, pages), (server.added.len(), Ok(()), expected), "{server:?}");
    }
}

#[test]
fn a_known_page_is_the_end() {
    let at = micros(1_790_000_000_000_000);
    let page = Page { count: 3, fresh: 3, first: Some(at), last: Some(at), digest: "d".into(), ..Page::default() };
    let mut ladder = Ladder::new(100, Some(at), Some("d".into()), false);
    assert_eq!(ladder.question().added_after.unwrap(), "2026-09-21T14:13:19.999999Z");
    assert_eq!(ladder.page(page.clone()), Ok(Step::Again));
    assert_eq!(ladder.question().added_after.unwrap(), "2026-09-21T14:13:20.000000Z");
    assert_eq!(ladder.page(Page::default()), Ok(Step::Done));
    assert_eq!((ladder.digest().as_deref(), ladder.final_watermark()), (Some("d"), Some(at)));

    let mut ladder = Ladder::new(100, Some(at), Some("d".into()), false);
    assert_eq!(ladder.page(Page { more: Some(false), ..page }), Ok(Step::Done));
}

#[test]
fn pages_that_lead_nowhere_are_gaps() {
    let at = Some(micros(1_790_000_000_000_000));
    let endless = [
        // More, but nothing, and nothing to go by.
        Page { more: Some(true), ..Page::default() },
        Page { more: Some(true), next: Some("t".into()), ..Page::default() },
        // The same page for every token, without dates.
        Page { count: 5, fresh: 5, next: Some("t".into()), digest: "d".into(), ..Page::default() },
        Page { count: 5, fresh: 5, more: Some(true), digest: "d".into(), ..Page::default() },
        // As many as were asked for, and no word about more.
        Page { count: 100, fresh: 100, digest: "d".into(), ..Page::default() },
        // Newest first, and not all.
        Page { count: 100, fresh: 100, first: at, last: Some(micros(1)), digest: "d".into(), ..Page::default() },
    ];
    for page in endless {
        let mut ladder = Ladder::new(100, None, None, false);
        let end = (0..200).map(|_| ladder.page(page.clone())).find(|step| *step != Ok(Step::Again));
        assert!(matches!(end, Some(Err(_))), "{page:?}: {end:?}");
        assert!(ladder.watermark().is_none() || page.last.is_some());
    }
}

#[test]
fn ranges_are_walked_to_their_total() {
    let mut ladder = Ladder::new(100, None, None, true);
    for (from, step) in [(0, Step::Again), (100, Step::Again), (200, Step::Done)] {
        assert_eq!(ladder.question().range, Some(from));
        let page = Page {
            count: 100,
            fresh: 100,
            digest: from.to_string(),
            ranged: Some(Total::Known(300)),
            ..Page::default()
        };
        assert_eq!(ladder.page(page), Ok(step));
    }
    let mut ladder = Ladder::new(100, None, None, true);
    assert_eq!(ladder.page(Page { count: 500, fresh: 500, ..Page::default() }), Ok(Step::Done));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn whoever_is_done_has_everything(
        sizes in prop::collection::vec(prop_oneof![3 => Just(1_usize), 1 => 1_usize..40], 0..60),
        steps in prop::collection::vec(prop_oneof![Just(1_u64), Just(500), Just(3_000_000)], 60),
        cap in prop_oneof![Just(1000_u64), 5_u64..60],
        limit in prop_oneof![Just(1000_u32), 5_u32..60],
        shares in prop_oneof![Just(vec![10]), prop::collection::vec(1_u64..=10, 1..5)],
        flags in prop::array::uniform8(any::<bool>()),
        faults in prop::collection::vec(prop::bool::weighted(0.2), 0..7),
    ) {
        let [next, more, coarse, identity, inclusive, destructive, lies, dates] = flags;
        let mut at = 1_790_000_000_000_000;
        let mut added = Vec::new();
        for (size, step) in sizes.iter().zip(&steps) {
            at += step;
            added.extend(std::iter::repeat_n(at, *size));
        }
        let largest = sizes.iter().copied().max().unwrap_or(0) as u64;
        let mut server = Server {
            cap, shares: shares.clone(), next, more, coarse, identity, inclusive, destructive, lies: lies && more && !added.is_empty(),
            // Without dates there is only `next` to go by.
            dates: dates || !next,
            ..Server::new(added.clone())
        };
        let (got, end, _) = walk(&mut server, limit, &faults);
        // What a server with pages smaller than a burst holds back at the very end cannot be known of.
        let smallest = shares.iter().min().unwrap() * cap.min(limit.into()) / 10;
        let steady = shares.len() == 1 && smallest >= 10;
        let knowable = next && !server.lies || more && !server.lies && steady || smallest > largest && !coarse;
        if end.is_ok() && knowable {
            prop_assert_eq!(got.len(), added.len(), "{:?}", server);
        }
        // Only what cannot be asked for is a gap. Who says of ten objects of one instant that there are more is believed.
        let believed = server.lies && largest >= 10;
        if !next && smallest > 2 * largest + 2 && !coarse && !identity && !believed {
            prop_assert_eq!(&end, &Ok(()), "{:?}", server);
        }
        if next && server.dates && faults.iter().all(|fault| !fault) && !server.lies {
            prop_assert_eq!(&end, &Ok(()), "{:?}", server);
        }
    }
}
