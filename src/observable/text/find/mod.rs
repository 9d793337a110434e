//! The finder: one pass over a block of lines that tells where something may stand.
//!
//! Property: for every token that [`super::tokens`] finds in a line of the block there is a candidate here with the same span and
//! value (for a URL its `://`, or its host if it has no scheme; for a mail address its `@`), or the line has an [`odd`](Candidates::odd) position.
//! Candidates are no tokens: versions are among the addresses, file names among the names.
//!
//! A chunk of the block at a time goes through the stages. Bytes become bit masks of classes (`masks`); arithmetic on the masks
//! finds where something ends that may be a name or an address, and which words need a closer look (`queues`). Of a
//! name only its end is read, and asked for in a [`Sieve`]; an address is read without a branch for each digit
//! (`addresses`). Each stage first has all that it will ask for fetched from memory, then asks. Only what passes, and the words that need it, are looked
//! at byte by byte (`closer`). Nothing looks at a byte more than a fixed number of times.

mod addresses;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod candidates;
mod closer;
mod masks;
mod names;
mod queues;
mod sieve;

use super::super::refang_bytes;
pub use candidates::{Candidates, Ipv4At, Ipv6At, MailAt, TextAt, UrlAt, Wanted};
use closer::Pass;
use masks::{CHUNK, Masks, WORD, WORDS};
use queues::Queues;
pub use sieve::Sieve;
pub(crate) use sieve::{Blocks, Tails, TailsBuilder};

/// Replaces `found` by the candidates of a block: whole lines, less than 4 GiB. A line may be of any length.
///
/// ```
/// use stockade::observable::text::find::{Candidates, Wanted, find};
///
/// let mut found = Candidates::default();
/// find(b"10.0.0.1 asks for evil.example\n10.0.0.2 does not\n", Wanted::ALL, &mut found);
/// assert_eq!(found.ipv4.iter().map(|at| at.start).collect::<Vec<_>>(), [0, 31]);
/// assert_eq!(found.names.len(), 1);
/// ```
pub fn find(block: &[u8], wanted: Wanted, found: &mut Candidates) {
    Finder::default().find(block, wanted, &Sieve::open(), found);
}

/// The finder with its working memory, for many blocks.
#[derive(Clone, Debug, Default)]
pub struct Finder {
    masks: Box<Masks>,
    queues: Box<Queues>,
    look: Look,
}

impl Finder {
    /// As [`find`], without the names and IPv4 addresses that a sieve holds back.
    pub fn find(&mut self, block: &[u8], wanted: Wanted, sieve: &Sieve, found: &mut Candidates) {
        self.find_by(Way::best(), block, wanted, sieve, found);
    }

    fn find_by(&mut self, way: Way, block: &[u8], wanted: Wanted, sieve: &Sieve, found: &mut Candidates) {
        found.clear();
        let Self { masks, queues, look } = self;
        masks.clear();
        queues.clear();
        let mut pass = Pass::new(block, wanted, found);
        // What reaches the end of the block ends there: in a last chunk that may be empty.
        for base in (0..=block.len()).step_by(CHUNK) {
            // The next chunk is fetched while this one is worked on, a part of it after each stage.
            let next = block.get(base + CHUNK..).unwrap_or_default();
            let fetch = |part: usize| {
                next.chunks(WORD).skip(part * WORDS / 4).take(WORDS / 4).for_each(|line| prefetch(line.first()));
            };
            let words = masks.advance(way, &block[base..block.len().min(base + CHUNK)]);
            fetch(0);
            way.fill(queues, masks, words);
            fetch(1);
            let stage = Stage { block, base, words, masks, queues, sieve };
            if wanted.names {
                way.names(&stage, look);
            }
            fetch(2);
            if wanted.ipv4 {
                way.addresses(&stage, look);
            }
            fetch(3);
            if wanted.names {
                pass.names(&stage, &look.hashes);
            }
            if wanted.ipv4 {
                pass.addresses(&stage, &look.addresses);
            }
            pass.closer(&stage);
        }
        if wanted.urls {
            pass.anchors();
        }
        if wanted.mails {
            pass.mails();
        }
        if wanted.refang {
            mark_defanged(block, &mut found.odd);
        }
    }
}

/// What the stages work on: a chunk that begins at `base`, of so many words, of which masks and queues tell.
#[derive(Clone, Copy)]
struct Stage<'a> {
    block: &'a [u8],
    base: usize,
    words: usize,
    masks: &'a Masks,
    queues: &'a Queues,
    sieve: &'a Sieve,
}

/// What was read of a chunk and has still to be asked for.
#[derive(Clone, Debug, Default)]
struct Look {
    /// For each end of a name its hash.
    hashes: Vec<u64>,
    addresses: Vec<Ipv4At>,
}

impl Look {
    /// Hashes the ends of names.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
    fn names(&mut self, stage: &Stage<'_>) {
        let (words, shift) = stage.sieve.tails.table();
        self.hashes.clear();
        for end in stage.queues.names.ends() {
            let end = usize::from(*end);
            let hash = if let Some(bytes) = stage.before(end) { names::hash(bytes, stage.masks, end) } else { 0 };
            prefetch(words.get((hash >> shift) as usize));
            self.hashes.push(hash);
        }
    }

    /// Reads addresses; those that nothing plain can be said of are left to [`Pass::closer`].
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    fn addresses(&mut self, stage: &Stage<'_>) {
        self.addresses.clear();
        for end in stage.queues.addresses.ends() {
            let at = usize::from(*end);
            let end = (stage.base + at) as u32;
            let Some(bytes) = stage.before(at) else {
                self.addresses.push(Ipv4At { start: end, end, address: 0 });
                continue;
            };
            match addresses::read(bytes, stage.masks, at) {
                addresses::Read::Address(address, length) => {
                    prefetch(stage.sieve.blocks.place(address));
                    self.addresses.push(Ipv4At { start: end - length as u32, end, address });
                }
                addresses::Read::Nothing => {}
                // An empty span: to be read at leisure.
                addresses::Read::Other => self.addresses.push(Ipv4At { start: end, end, address: 0 }),
            }
        }
    }
}

impl<'a> Stage<'a> {
    /// The 16 bytes before a place of the chunk; `None` near the beginning of the block.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    fn before(&self, end: usize) -> Option<&'a [u8; 16]> {
        self.block.get(..self.base + end)?.last_chunk()
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn prefetch<T>(place: Option<&T>) {
    #[cfg(target_arch = "x86_64")]
    if let Some(place) = place {
        avx2::prefetch(place);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Which instructions the stages use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

#[allow(
    unsafe_code,
    reason = "calls of functions that name instructions, each behind the question whether they are there"
)]
impl Way {
    /// The best that the machine has.
    fn best() -> Self {
        Self::all().last().unwrap_or(Self::Portable)
    }

    /// All that the machine has, the best last.
    fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let more = [(Self::Avx2, avx2::is_there()), (Self::Avx512, avx512::is_there())];
        #[cfg(not(target_arch = "x86_64"))]
        let more: [(Self, bool); 0] = [];
        std::iter::once(Self::Portable).chain(more.into_iter().filter(|(_, there)| *there).map(|(way, _)| way))
    }

    fn classify(self, words: &[[u8; WORD]], masks: &mut Masks) {
        match self {
            Self::Portable => masks::classify(words, masks),
            // SAFETY: there is no such way on a machine without the instructions; see `all`.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::classify(words, masks) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::classify(words, masks) },
        }
    }

    fn fill(self, queues: &mut Queues, masks: &Masks, words: usize) {
        match self {
            Self::Portable => queues.fill(masks, words),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::fill(queues, masks, words) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::fill(queues, masks, words) },
        }
    }

    fn names(self, stage: &Stage<'_>, look: &mut Look) {
        match self {
            Self::Portable => look.names(stage),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::names(stage, look) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::names(stage, look) },
        }
    }

    fn addresses(self, stage: &Stage<'_>, look: &mut Look) {
        match self {
            Self::Portable => look.addresses(stage),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::Avx512 => unsafe { avx2::addresses(stage, look) },
        }
    }
}

/// Marks each line that holds defanged text.
fn mark_defanged(block: &[u8], odd: &mut Vec<u32>) {
    let mut start = 0;
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        if refang_bytes(line).is_some() {
            odd.push(start as u32);
        }
        start += line.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text that runs over the borders of words and chunks at any place.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[a-z0-9.]{1,20}",
            4 => "[0-9]{1,3}(\\.[0-9]{1,3}){2,4}",
            2 => "[a-zA-Z_-]{1,30}\\.[a-z]{1,20}",
            2 => "[ =,:\"/@]{1,3}",
            1 => "[0-9a-f:]{1,40}",
            1 => "(%2[0-9F]|\\\\[nux]|\\.\\.|\u{e9}|-|_){1,3}",
        ];
        (proptest::collection::vec(piece, 0..200), 0..3_usize).prop_map(|(pieces, chunks)| {
            let mut text = "x.y 1.2.3.4 ".repeat(chunks * CHUNK / 12).into_bytes();
            text.extend(pieces.concat().bytes());
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn every_way_fills_the_same_queues(text in text()) {
            let mut expected = (Masks::default(), Queues::default());
            for way in Way::all() {
                let (mut masks, mut queues) = (Masks::default(), Queues::default());
                expected.0.clear();
                expected.1.clear();
                for base in (0..=text.len()).step_by(CHUNK) {
                    let chunk = &text[base..text.len().min(base + CHUNK)];
                    let words = masks.advance(way, chunk);
                    way.fill(&mut queues, &masks, words);
                    expected.0.advance(Way::Portable, chunk);
                    expected.1.fill(&expected.0, words);
                    prop_assert_eq!(queues.names.ends(), expected.1.names.ends());
                    prop_assert_eq!(queues.addresses.ends(), expected.1.addresses.ends());
                    prop_assert_eq!(queues.mixed.ends(), expected.1.mixed.ends());
                    prop_assert_eq!(&queues.closer, &expected.1.closer);
                    let sieve = Sieve::open();
                    let stage = Stage { block: &text, base, words, masks: &masks, queues: &queues, sieve: &sieve };
                    let (mut look, mut plain) = (Look::default(), Look::default());
                    way.names(&stage, &mut look);
                    plain.names(&stage);
                    for (place, end) in queues.names.ends().iter().enumerate() {
                        let end = base + usize::from(*end);
                        // Bytes beyond ASCII are left to the closer look, whatever is read of them here.
                        if end >= 16 && text[end - 16..end].is_ascii() {
                            prop_assert_eq!(look.hashes[place], plain.hashes[place]);
                        }
                    }
                }
            }
        }

        #[test]
        fn every_way_finds_the_same(text in text()) {
            let mut expected = Candidates::default();
            Finder::default().find_by(Way::Portable, &text, Wanted::ALL, &Sieve::open(), &mut expected);
            let mut finder = Finder::default();
            for way in Way::all() {
                let mut found = Candidates::default();
                finder.find_by(way, &text, Wanted::ALL, &Sieve::open(), &mut found);
                prop_assert_eq!(&found, &expected);
            }
        }

        #[test]
        fn a_sieve_holds_back_nothing_that_it_knows(text in text(), picked in proptest::collection::vec(any::<prop::sample::Index>(), 1..6)) {
            let mut open = Candidates::default();
            Finder::default().find_by(Way::Portable, &text, Wanted::ALL, &Sieve::open(), &mut open);
            let name = |at: &TextAt| text[at.start as usize..at.end as usize].to_ascii_lowercase();
            let mut tails = TailsBuilder::with_capacity(picked.len());
            for pick in picked.iter().filter(|_| !open.names.is_empty()) {
                let name = name(pick.get(&open.names));
                // A listed parent stands for the names below it.
                let labels = name.split(|byte| *byte == b'.').count();
                let parent = name.splitn(labels.saturating_sub(2).max(1), |byte| *byte == b'.').last().unwrap_or(&name);
                tails.insert(if pick.index(2) == 0 { parent } else { &name });
            }
            let listed = picked.iter().filter(|_| !open.ipv4.is_empty()).map(|pick| pick.get(&open.ipv4).address);
            let sieve = Sieve { tails: tails.build(), blocks: Blocks::new(picked.len(), listed.map(|address| (address, address))) };
            for way in Way::all() {
                let mut found = Candidates::default();
                Finder::default().find_by(way, &text, Wanted::ALL, &sieve, &mut found);
                // Lines with names beyond ASCII are odd, whatever else is said of them; a label alone is no name.
                for at in open.names.iter().filter(|at| name(at).is_ascii() && name(at).contains(&b'.')) {
                    prop_assert!(found.names.contains(at) || !sieve.tails.may_hold(&name(at)), "{way:?} {:?}", String::from_utf8_lossy(&name(at)));
                }
                for at in &open.ipv4 {
                    prop_assert!(found.ipv4.contains(at) || !sieve.blocks.may_contain(at.address), "{way:?} {at:?}");
                }
            }
        }
    }
}
