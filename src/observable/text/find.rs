//! The finder: one pass over a block of lines that tells where something may stand.
//!
//! Property: for every token that [`super::tokens`] finds in a line of the block there is a candidate here with the same span and
//! value (for a URL its `://`, or its host if it has no scheme; for a mail address its `@`), or the line has an [`odd`](Candidates::odd) position.
//! Candidates are no tokens: versions are among the addresses, file names among the names.
//!
//! Bytes become bit masks of classes (`masks`); arithmetic on the masks finds where something ends that could be of a
//! kind, and only there bytes are looked at again. Nothing looks at a byte more than a fixed number of times.

use super::super::kind::hash::kind_of_length;
use super::super::kind::ip;
use super::super::refang_bytes;
pub use super::candidates::{Candidates, Ipv4At, Ipv6At, MailAt, TextAt, UrlAt, Wanted};
use super::escapes::{Json, View, colours, may_matter};
use super::masks::{Masks, WORD, classify};
use super::{hashes, ipv6, macs, mails, names, urls};

/// Words in one chunk: its masks stay in the first cache.
const CHUNK_WORDS: usize = 128;

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
    found.clear();
    let mut pass = Pass::new(block, wanted, found);
    let mut masks = [Masks::default(); CHUNK_WORDS];
    for (number, chunk) in block.chunks(CHUNK_WORDS * WORD).enumerate() {
        let masks = &mut masks[..chunk.len().div_ceil(WORD)];
        classify(chunk, masks);
        let base = number * CHUNK_WORDS * WORD;
        #[cfg(target_arch = "x86_64")]
        let done = super::simd::words(&mut pass, base, masks);
        #[cfg(not(target_arch = "x86_64"))]
        let done = false;
        if !done {
            pass.words(base, masks);
        }
    }
    // What reaches the end of the block ends there.
    if block.len().is_multiple_of(WORD) {
        pass.word(block.len(), &Masks::default());
    }
    if wanted.refang {
        mark_defanged(block, &mut found.odd);
    }
    found.odd.extend(colours(block).map(|at| at as u32));
}

/// What the masks tell of a run of name characters.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    start: usize,
    /// Where dots stand, from its start, in a run that lies within one word.
    dots_at: u64,
    dots: u32,
    /// Dots aside.
    digits_only: bool,
    /// It holds two dots in a row, or bytes beyond ASCII.
    unusual: bool,
}

impl Run {
    /// The run together with its continuation.
    #[inline]
    fn with(self, rest: Run) -> Run {
        Run {
            start: self.start,
            dots_at: 0,
            dots: self.dots + rest.dots,
            digits_only: (self.digits_only || self.start == rest.start) && rest.digits_only,
            unusual: self.unusual || rest.unusual,
        }
    }
}

/// The state of one pass.
pub(super) struct Pass<'b, 'f> {
    block: &'b [u8],
    view: View<'b>,
    wanted: Wanted,
    found: &'f mut Candidates,
    /// The masks before the current ones.
    before: Masks,
    /// A dotted run goes on into the current word.
    carry: bool,
    /// What is known of a run that goes on into the current word.
    open: Run,
    /// The run of hex digits and the run with colons looked at last end here.
    hex_done: usize,
    colon_done: usize,
    dash_done: usize,
}

impl<'b, 'f> Pass<'b, 'f> {
    fn new(block: &'b [u8], wanted: Wanted, found: &'f mut Candidates) -> Self {
        let view = View { text: block, json: Json::Unknown };
        let before = Masks::default();
        Self {
            block,
            view,
            wanted,
            found,
            before,
            carry: false,
            open: Run::default(),
            hex_done: 0,
            colon_done: 0,
            dash_done: 0,
        }
    }

    /// Looks at the words of a chunk, the first at `base`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
    pub(super) fn words(&mut self, base: usize, masks: &[Masks]) {
        for (word, masks) in masks.iter().enumerate() {
            self.word(base + word * WORD, masks);
        }
    }

    /// Looks at one word, at `base`.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    fn word(&mut self, base: usize, masks: &Masks) {
        let before = self.before;
        // The bytes before each byte, one and two back.
        let back = |now: u64, before: u64, by: u32| now << by | before >> (64 - by);

        // A name character behind a dot, added to the run it is in, carries to the bit after the run. Full stops stay out.
        let behind_dot = back(masks.dot, before.dot, 1) & masks.name & !masks.dot;
        let (sum, over) = masks.name.overflowing_add(behind_dot);
        let (sum, over_by_carry) = sum.overflowing_add(u64::from(self.carry));
        self.carry = over || over_by_carry;
        let mut ends = sum & !masks.name;
        let unusual = masks.high | (masks.dot & back(masks.dot, before.dot, 1));
        let other = masks.name & !masks.digit & !masks.dot;
        let part = |from: u32, to: u32| {
            let range = (u64::MAX >> (64 - to)) & (u64::MAX << from);
            Run {
                start: base + from as usize,
                dots_at: (masks.dot & range) >> from,
                dots: (masks.dot & range).count_ones(),
                digits_only: other & range == 0,
                unusual: unusual & range != 0,
            }
        };
        if self.wanted.names || self.wanted.ipv4 || self.wanted.mails || self.wanted.macs {
            while ends != 0 {
                let bit = ends.trailing_zeros();
                ends &= ends - 1;
                let gaps = !masks.name & ((1 << bit) - 1);
                let run = match (gaps, bit) {
                    (0, 0) => self.open,
                    (0, _) => self.open.with(part(0, bit)),
                    _ => part(64 - gaps.leading_zeros(), bit),
                };
                self.dotted(run, base + bit as usize);
            }
        }
        // What reaches the end of the word goes on in the next one.
        self.open = match masks.name.leading_ones() {
            0 => Run { start: base + WORD, ..Run::default() },
            64 => self.open.with(part(0, 64)),
            length => part(64 - length, 64),
        };

        // 32 hex digits in a row fill at least one aligned group of 16.
        let mut groups = masks.hex & masks.hex >> 1;
        groups &= groups >> 2;
        groups &= groups >> 4;
        groups &= groups >> 8;
        groups &= 0x0001_0001_0001_0001;
        if groups != 0 && self.wanted.hashes {
            self.hex(base, groups);
        }

        // An address has `::` or at least five colons behind hex digits, three of them in one word with four digits or
        // fewer between them.
        let double = masks.colon & back(masks.colon, before.colon, 1);
        let behind_hex = masks.colon & back(masks.hex, before.hex, 1);
        let near = |colons: u64| colons & (colons << 2 | colons << 3 | colons << 4 | colons << 5);
        if (double != 0 || near(near(behind_hex)) != 0) && (self.wanted.ipv6 || self.wanted.ipv4 || self.wanted.macs) {
            self.colons(base, double | behind_hex);
        }

        let slashes = masks.slash & back(masks.slash, before.slash, 1) & back(masks.colon, before.colon, 2);
        if slashes != 0 && self.wanted.urls {
            self.anchors(base, slashes);
        }

        // Five dashes, three of them in one word, each three bytes from the next.
        if self.wanted.macs && (masks.dash & masks.dash << 3).count_ones() >= 2 {
            self.dashes(base, masks.dash);
        }

        let mut rare = masks.rare;
        while rare != 0 {
            let at = base + rare.trailing_zeros() as usize;
            rare &= rare - 1;
            self.rare(at);
        }
        self.before = *masks;
    }

    /// A dotted run. Most are names that end in a letter, or addresses.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as above")]
    fn dotted(&mut self, run: Run, end: usize) {
        let (block, start) = (self.block, run.start);
        if run.unusual || (start > 0 && matches!(block[start - 1], b'%' | b'\\')) {
            return self.unusual_run(start, end);
        }
        let plain_start = block[start].is_ascii_alphanumeric();
        if end - start == 14 || !plain_start {
            return self.run(start, end);
        }
        if run.digits_only {
            if run.dots < 3 || !self.wanted.ipv4 {
                return;
            }
            let address = match run.dots {
                3 if run.dots_at != 0 && start >= 3 => octets(block, start, end, run.dots_at),
                3 => ip::parse_ipv4(&block[start..end]).map(u32::from),
                _ => None,
            };
            if let Some(address) = address {
                self.found.ipv4.push(Ipv4At { start: start as u32, end: end as u32, address });
                return;
            }
            self.run(start, end);
        } else if block[end - 1].is_ascii_alphabetic() {
            if self.wanted.names {
                self.found.names.push(TextAt { start: start as u32, end: end as u32 });
            }
        } else {
            self.run(start, end);
        }
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
            self.addresses(&piece);
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
                self.addresses(&piece);
            }
        }
    }

    #[inline]
    fn addresses(&mut self, piece: &names::Piece) {
        let found = &mut self.found.ipv4;
        names::ipv4(self.block, piece, |span, address| {
            found.push(Ipv4At { start: span.start as u32, end: span.end as u32, address: address.into() });
        });
    }

    #[cold]
    fn dotted_mac(&mut self, start: usize, end: usize) {
        if super::super::kind::mac::normal(&self.block[start..end]).is_some() {
            self.found.macs.push(TextAt { start: start as u32, end: end as u32 });
        }
    }

    /// Groups of 16 hex digits.
    #[cold]
    fn hex(&mut self, base: usize, mut groups: u64) {
        while groups != 0 {
            let at = base + groups.trailing_zeros() as usize;
            groups &= groups - 1;
            if at < self.hex_done {
                continue;
            }
            let before = self.block[..at].iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let after = self.block[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            self.hex_done = at + after;
            let end = at + after;
            let found = &mut self.found.hashes;
            hashes::run(&self.view, at - before, end, |start| {
                if kind_of_length(end - start).is_some() {
                    found.push(TextAt { start: start as u32, end: end as u32 });
                }
            });
        }
    }

    /// Colons that may be in an address.
    #[cold]
    fn colons(&mut self, base: usize, mut colons: u64) {
        while colons != 0 {
            let colon = base + colons.trailing_zeros() as usize;
            colons &= colons - 1;
            if colon < self.colon_done {
                continue;
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
    }

    /// The second slashes of `://`.
    #[cold]
    fn anchors(&mut self, base: usize, mut slashes: u64) {
        while slashes != 0 {
            let colon = base + slashes.trailing_zeros() as usize - 2;
            slashes &= slashes - 1;
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

    /// `@`, `%`, backslash.
    #[inline]
    fn rare(&mut self, at: usize) {
        match self.block[at] {
            b'@' if self.wanted.mails => {
                if mails::has_local(self.block, at) {
                    let end = mails::domain_end(self.block, at + 1);
                    if end > at + 1 {
                        self.found.mails.push(MailAt { at: at as u32, end: end as u32 });
                    }
                }
            }
            b'@' => {}
            _ => {
                if may_matter(self.block, at) {
                    self.found.odd.push(at as u32);
                }
            }
        }
    }
}

/// The address of a run of digits with three dots, whose places are known; at least three bytes stand before it. The same as
/// [`ip::parse_ipv4`], without a branch for each digit.
#[inline]
fn octets(block: &[u8], start: usize, end: usize, dots_at: u64) -> Option<u32> {
    let second = dots_at & (dots_at - 1);
    let third = second & second.wrapping_sub(1);
    let ends = [dots_at, second, third].map(|dots| start + dots.trailing_zeros() as usize);
    let (mut address, mut from, mut bad) = (0, start, false);
    for end in [ends[0], ends[1], ends[2], end] {
        let length = end - from;
        let [hundreds, tens, ones] = *block.get(end.checked_sub(3)?..end)?.first_chunk()?;
        // Bytes before the octet are something else, and count for nothing.
        let digit = |byte: u8, least: usize| u32::from(byte.wrapping_sub(b'0')) * u32::from(length >= least);
        let octet = digit(hundreds, 3) * 100 + digit(tens, 2) * 10 + digit(ones, 1);
        // No octet, four digits, too large, or a zero in front.
        bad |= length.wrapping_sub(1) > 2 || octet > 255 || (length == 2 && octet < 10) || (length == 3 && octet < 100);
        address = address << 8 | octet;
        from = end + 1;
    }
    (!bad).then_some(address)
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

    #[test]
    fn octets_by_the_places_of_dots_are_octets() {
        let cases = [
            "1.2.3.4",
            "255.255.255.255",
            "0.0.0.0",
            "10.20.30.40",
            "256.1.1.1",
            "1.2.3.1000",
            "01.2.3.4",
            "1.2.3.00",
            "1..2.3",
            "1.2.3.",
            ".1.2.3",
            "999.9.9.9",
            "100.099.1.1",
            "1.2.3.4444444",
        ];
        for case in cases {
            let text = format!("9x7{case}");
            let dots_at = case.bytes().enumerate().filter(|(_, b)| *b == b'.').fold(0, |bits, (at, _)| bits | 1 << at);
            let expected = ip::parse_ipv4(case.as_bytes()).map(u32::from);
            assert_eq!(octets(text.as_bytes(), 3, text.len(), dots_at), expected, "{case}");
        }
    }
}
