//! The closer look, byte by byte, at what the masks cannot judge.

use super::super::super::kind::hash::kind_of_length;
use super::super::super::kind::mac;
use super::super::escapes::{Json, View, colour_behind, may_matter};
use super::super::{hashes, ipv6, macs, mails, names, urls};
use super::masks::{FRONT, Masks, Row, WORD};
use super::queues::{self, Closer};
use super::sieve::holds;
use super::{Candidates, Ipv4At, Ipv6At, MailAt, Stage, TextAt, UrlAt, Wanted};

/// The state of one pass over a block.
pub(super) struct Pass<'b, 'f> {
    block: &'b [u8],
    view: View<'b>,
    wanted: Wanted,
    found: &'f mut Candidates,
    /// The runs looked at last end here: of hex digits, with colons, with dashes, of names with something odd.
    hex_done: usize,
    colon_done: usize,
    dash_done: usize,
    odd_done: usize,
}

impl<'b, 'f> Pass<'b, 'f> {
    pub(super) fn new(block: &'b [u8], wanted: Wanted, found: &'f mut Candidates) -> Self {
        let view = View { text: block, json: Json::Unknown };
        Self { block, view, wanted, found, hex_done: 0, colon_done: 0, dash_done: 0, odd_done: 0 }
    }

    /// Asks the sieve for names by the hashes of their ends.
    pub(super) fn names(&mut self, stage: &Stage<'_>, hashes: &[u64]) {
        let (words, shift) = stage.sieve.tails.table();
        for (end, hash) in stage.queues.names.ends().iter().zip(hashes) {
            let end = stage.base + usize::from(*end);
            if holds(words, shift, *hash) || end < 16 {
                let start = self.start_of(end);
                self.run(start, end);
            }
        }
    }

    /// Asks the sieve for addresses.
    pub(super) fn addresses(&mut self, stage: &Stage<'_>, addresses: &[Ipv4At]) {
        for address in addresses {
            if address.start == address.end {
                let end = address.end as usize;
                let start = self.start_of(end);
                self.run(start, end);
            } else if stage.sieve.blocks.may_contain(address.address) {
                self.found.ipv4.push(*address);
            }
        }
    }

    /// Looks at what is seldom.
    pub(super) fn closer(&mut self, stage: &Stage<'_>) {
        let wanted = self.wanted;
        if wanted.names || wanted.ipv4 || wanted.macs {
            for end in stage.queues.mixed.ends() {
                self.mixed(stage, usize::from(*end));
            }
        }
        for &(first, Closer { hex, colons, odd }) in &stage.queues.closer {
            for bit in bits(hex.into()).filter(|_| wanted.hashes) {
                let word = first as usize + bit;
                let groups = queues::groups(stage.masks.hex[FRONT + word]);
                for group in bits(groups).filter(|group| stage.may_be_digest(word, *group)) {
                    self.hex(stage.base + word * WORD + group);
                }
            }
            for bit in bits(colons.into()).filter(|_| wanted.ipv6 || wanted.ipv4 || wanted.macs) {
                let word = first as usize + bit;
                let (double, behind_hex) = queues::colons(stage.masks, FRONT + word);
                let mut colons = double | behind_hex;
                while let Some(colon) = bits(colons).next() {
                    let around = stage.run_of_address(word, colon);
                    if around.as_ref().is_none_or(|around| wanted.macs || stage.may_be_ipv6(around)) {
                        self.colon(stage.base + word * WORD + colon);
                    }
                    // The other colons of a run that was looked at have no more to tell.
                    colons &= around.map_or(u64::MAX << 1 << colon, |around| !around.runs[1]);
                }
            }
            for bit in bits(odd.into()) {
                self.odd(stage, first as usize + bit);
            }
        }
        if wanted.macs {
            // Five dashes, three of them in one word, each three bytes from the next.
            for (word, joint) in stage.masks.joint.iter().skip(FRONT).take(stage.words).enumerate() {
                if (joint & joint << 3).count_ones() >= 2 {
                    self.dashes(stage.base + word * WORD, *joint);
                }
            }
        }
    }

    /// A dotted run that ends in more than a letter or an octet.
    fn mixed(&mut self, stage: &Stage<'_>, at: usize) {
        let end = stage.base + at;
        let start = self.start_of(end);
        let run = &self.block[start..end];
        // A full stop behind a name, or a number at its end, are common enough to be asked for in the sieve.
        let name = run.strip_suffix(b".").unwrap_or(run);
        let before_digits = name.iter().rfind(|byte| !byte.is_ascii_digit());
        let is_name = before_digits.is_some_and(u8::is_ascii_alphabetic) && !self.wanted.macs;
        if !is_name || stage.sieve.tails.may_hold(name) {
            self.run(start, end);
        }
    }

    /// Where the run begins that ends at a place.
    fn start_of(&self, end: usize) -> usize {
        let length = self.block[..end].iter().rev().take_while(|byte| names::is_part(**byte)).count();
        end - length
    }

    /// A word with escapes, two dots in a row, bytes beyond ASCII.
    fn odd(&mut self, stage: &Stage<'_>, word: usize) {
        let (masks, at) = (stage.masks, FRONT + word);
        let base = stage.base + word * WORD;
        let back = |row: &Row, by: u32| row[at] << by | row[at - 1] >> (64 - by);
        let rare = masks.rare[at];
        for bit in bits(rare) {
            self.rare(base + bit);
        }
        // Behind an escape, or a dash that belongs to the text around, the beginning of a run is in doubt.
        let begins = masks.name[at] & (back(&masks.rare, 1) | queues::behind_dash(masks, at));
        let within = masks.high[at] | masks.dot[at] & back(&masks.dot, 1);
        for bit in bits(begins | within) {
            let place = base + bit;
            let seen = place < self.odd_done || within >> bit & 1 == 0 && self.begins_plainly(masks, at, bit, place);
            if !seen {
                let start = self.start_of(place);
                let length = self.block[place..].iter().take_while(|byte| names::is_part(**byte)).count();
                self.odd_done = place + length;
                if self.block[start..place + length].contains(&b'.') {
                    self.unusual_run(start, place + length);
                }
            }
        }
    }

    /// Whether a run that begins at a place of a word has no dot, or stands behind a colour.
    fn begins_plainly(&self, masks: &Masks, at: usize, bit: usize, place: usize) -> bool {
        let length = (masks.name[at] >> bit).trailing_ones() as usize;
        let without_dot = bit + length < WORD && masks.dot[at] >> bit & ((1 << length) - 1) == 0;
        without_dot || place.checked_sub(1).is_some_and(|before| self.block[before] == 0x1b)
    }

    /// A dotted run of plain characters, at leisure.
    fn run(&mut self, start: usize, end: usize) {
        let block = self.block;
        if start > 0 && matches!(block[start - 1], b'%' | b'\\') {
            return self.unusual_run(start, end);
        }
        let (mut first, mut last) = (start, end);
        while last > first && matches!(block[last - 1], b'.' | b'-' | b'_') {
            last -= 1;
        }
        while first < last && matches!(block[first], b'.' | b'-') {
            first += 1;
        }
        let mut label = last;
        while label > first && block[label - 1].is_ascii_digit() {
            label -= 1;
        }
        if label > first && (label == last || block[label - 1] != b'.') {
            if self.wanted.names {
                self.found.names.push(TextAt { start: first as u32, end: last as u32 });
            }
            if last - first == 14 && self.wanted.macs {
                self.dotted_mac(first, last);
            }
            // What ends in a letter is no address; what ends in digits behind `-` or `_` may be several.
            if label == last || !matches!(block[label - 1], b'-' | b'_') {
                return;
            }
        } else if last - first == 14 && self.wanted.macs {
            self.dotted_mac(first, last);
        }
        let dots = block[first..last].iter().map(|byte| u32::from(*byte == b'.')).sum::<u32>();
        if self.wanted.ipv4 && dots >= 3 {
            let piece = names::Piece::new(first..last, block[start] == b'.', Some(end));
            self.addresses_within(&piece);
        }
    }

    /// A dotted run with escapes, two dots in a row, or bytes beyond ASCII.
    #[cold]
    fn unusual_run(&mut self, start: usize, end: usize) {
        if !self.block[start..end].is_ascii() {
            self.found.odd.push(start as u32);
            return;
        }
        let mut pieces = Vec::new();
        names::pieces(&self.view, start..end, |piece| pieces.push(piece));
        for piece in pieces {
            let span = piece.span.clone();
            if self.wanted.names && names::is_shaped(&self.block[span.clone()]) {
                self.found.names.push(TextAt { start: span.start as u32, end: span.end as u32 });
            }
            if span.len() == 14 && self.wanted.macs {
                self.dotted_mac(span.start, span.end);
            }
            if self.wanted.ipv4 {
                self.addresses_within(&piece);
            }
        }
    }

    #[inline]
    fn addresses_within(&mut self, piece: &names::Piece) {
        let found = &mut self.found.ipv4;
        names::ipv4(self.block, piece, |span, address| {
            found.push(Ipv4At { start: span.start as u32, end: span.end as u32, address: address.into() });
        });
    }

    #[cold]
    fn dotted_mac(&mut self, start: usize, end: usize) {
        if mac::normal(&self.block[start..end]).is_some() {
            self.found.macs.push(TextAt { start: start as u32, end: end as u32 });
        }
    }

    /// A group of 16 hex digits.
    #[cold]
    fn hex(&mut self, at: usize) {
        if at < self.hex_done {
            return;
        }
        let before = self.block[..at].iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let after = self.block[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let end = at + after;
        self.hex_done = end;
        let found = &mut self.found.hashes;
        hashes::run(&self.view, at - before, end, |start| {
            if kind_of_length(end - start).is_some() {
                found.push(TextAt { start: start as u32, end: end as u32 });
            }
        });
    }

    /// A colon that may be in an address.
    #[cold]
    fn colon(&mut self, colon: usize) {
        if colon < self.colon_done {
            return;
        }
        let (start, end) = ipv6::bounds(self.block, colon, self.colon_done);
        self.colon_done = end;
        let (found, wanted) = (&mut *self.found, self.wanted);
        ipv6::run(&self.view, start, end, |span, address| {
            let (start, end) = (span.start as u32, span.end as u32);
            match address.to_ipv4_mapped() {
                Some(mapped) if wanted.ipv4 => found.ipv4.push(Ipv4At { start, end, address: mapped.into() }),
                None if wanted.ipv6 => found.ipv6.push(Ipv6At { start, end, address: address.into() }),
                _ => {}
            }
        });
        if wanted.macs {
            macs::within(&self.view, start..end, |span, _| {
                found.macs.push(TextAt { start: span.start as u32, end: span.end as u32 });
            });
        }
    }

    /// Every `://`.
    pub(super) fn anchors(&mut self) {
        for colon in memchr::memmem::find_iter(self.block, b"://") {
            let host = urls::host(self.block, colon + 3);
            let host_end = urls::host_end(self.block, host);
            let plain = self.block[host..host_end].iter().all(|byte| byte.is_ascii() && *byte != b'%');
            if !plain {
                self.found.odd.push(colon as u32);
            }
            self.found.urls.push(UrlAt { colon: colon as u32, host: host as u32, host_end: host_end as u32 });
        }
    }

    /// Dashes that may join pairs of hex digits.
    #[cold]
    fn dashes(&mut self, base: usize, dashes: u64) {
        let first = base + dashes.trailing_zeros() as usize;
        let last = base + 63 - dashes.leading_zeros() as usize;
        // A chain with three dashes in this word begins and ends at most so far from it.
        let start = first.saturating_sub(24).max(self.dash_done);
        let end = (last + 24).min(self.block.len());
        self.dash_done = end;
        let found = &mut self.found.macs;
        macs::within(&self.view, start..end, |span, _| {
            if self.block[span.start + 2] == b'-' {
                found.push(TextAt { start: span.start as u32, end: span.end as u32 });
            }
        });
    }

    /// Every `@` between what may be a local part and a domain.
    pub(super) fn mails(&mut self) {
        for at in memchr::memchr_iter(b'@', self.block).filter(|at| mails::has_local(self.block, *at)) {
            let end = mails::domain_end(self.block, at + 1);
            if end > at + 1 {
                self.found.mails.push(MailAt { at: at as u32, end: end as u32 });
            }
        }
    }

    /// `%`, backslash, and what begins a colour.
    #[inline]
    fn rare(&mut self, at: usize) {
        let matters = match self.block[at] {
            0x1b => colour_behind(self.block, at),
            _ => may_matter(self.block, at),
        };
        self.found.odd.extend(matters.then_some(at as u32));
    }
}

impl Stage<'_> {
    /// Whether the hex digits around a place of a word are as many as a digest has.
    fn may_be_digest(&self, word: usize, bit: usize) -> bool {
        Around::new(self, word, bit, |masks, at| masks.hex[at]).is_none_or(|around| around.length() >= 32)
    }

    /// The run of hex digits, colons and dots around a place of a word.
    fn run_of_address(&self, word: usize, bit: usize) -> Option<Around> {
        Around::new(self, word, bit, |masks, at| masks.hex[at] | masks.colon[at] | masks.dot[at])
    }

    /// Whether a run has as many colons as an IPv6 address, or two in a row.
    fn may_be_ipv6(&self, run: &Around) -> bool {
        let colons = run.count(self, |masks, at| masks.colon[at]);
        ipv6::has_groups(colons, false, 2) || run.count(self, |masks, at| queues::colons(masks, at).0) > 0
    }
}

/// A run around a place of a word, as far as it and the words beside it tell.
struct Around {
    word: usize,
    /// The run in the three words, the lowest bits first.
    runs: [u64; 3],
}

impl Around {
    /// `None` if the run may reach beyond them.
    #[inline]
    fn new(stage: &Stage<'_>, word: usize, bit: usize, row: impl Fn(&Masks, usize) -> u64) -> Option<Self> {
        if word == 0 || word + 1 >= stage.words {
            return None;
        }
        let [before, now, after] = [0, 1, 2].map(|beside| row(stage.masks, FRONT + word + beside - 1));
        let ones = |count: u32| u64::MAX.checked_shr(WORD as u32 - count).unwrap_or(0);
        let down = (now << (WORD - 1 - bit)).leading_ones();
        let up = (now >> bit).trailing_ones();
        let run = ones(down) << (bit as u32 + 1 - down) | ones(up) << bit;
        let (first, last) = (run & 1 == 1, run >> (WORD - 1) == 1);
        let (down, up) = (before.leading_ones(), after.trailing_ones());
        if first && down == 64 || last && up == 64 {
            return None;
        }
        let before = if first { !(u64::MAX >> down) } else { 0 };
        let after = if last { ones(up) } else { 0 };
        Some(Self { word, runs: [before, run, after] })
    }

    fn length(&self) -> u32 {
        self.runs.iter().map(|run| run.count_ones()).sum()
    }

    /// How many bytes of the run are of a class.
    fn count(&self, stage: &Stage<'_>, class: impl Fn(&Masks, usize) -> u64) -> usize {
        let of = |(beside, run): (usize, &u64)| run & class(stage.masks, FRONT + self.word + beside - 1);
        self.runs.iter().enumerate().map(|word| of(word).count_ones() as usize).sum()
    }
}

/// The places of the bits that are set.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (bit < WORD).then_some(bit)
    })
}
