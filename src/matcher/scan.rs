//! Scans blocks of many lines: finds the few lines worth deciding.
//!
//! The finder passes over a block once and gives candidates; each is asked for in the index. A line with a listed
//! candidate, or with something that only a close look can judge, is suspect and is decided ([`super::line`]).

use super::eval::session::Figures;
use super::index::Names;
use super::index::hosts::Hosts;
use super::watch::Watch;
use super::{Hit, Matcher};
use crate::compile::pack;
use crate::log::{Layout, Layouts};
use crate::observable::kind::hash;
use crate::observable::text::find::{Candidates, Finder, TextAt, Wanted};
use crate::observable::{Kind, kind};
use memchr::{memchr, memrchr};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Bytes that are looked over at a time, so that what was found is still near when it is asked for.
const CHUNK: usize = 64 << 10;

/// Scans blocks of text.
#[derive(Debug)]
pub struct Scanner<'m> {
    matcher: &'m Matcher,
    wanted: Wanted,
    finder: Finder,
    candidates: Candidates,
    /// Places in the chunk whose lines have to be decided.
    suspects: Vec<u32>,
    /// A digest as bytes.
    packed: Vec<u8>,
    watch: Option<Watch<'m>>,
    /// Lines that are not what their format asks for, by reason.
    malformed: BTreeMap<&'static str, u64>,
}

impl<'m> Scanner<'m> {
    pub(super) fn new(matcher: &'m Matcher) -> Self {
        let wanted = matcher.wanted();
        Self {
            matcher,
            wanted,
            finder: Finder::default(),
            candidates: Candidates::default(),
            suspects: Vec::new(),
            packed: Vec::new(),
            watch: Watch::new(matcher),
            malformed: BTreeMap::new(),
        }
    }

    /// What was kept and dropped of patterns that need several lines.
    pub fn figures(&self) -> Figures {
        self.watch.as_ref().map(Watch::figures).unwrap_or_default()
    }

    /// The blocks, counted from 0 in the order in which they were scanned, of which hits in later blocks may name lines.
    pub fn kept_blocks(&self) -> BTreeSet<u64> {
        self.watch.as_ref().map(Watch::kept_blocks).unwrap_or_default()
    }

    /// How many lines were met since this was last asked that are not what their format asks for, by reason. They are
    /// searched as plain text.
    pub fn take_malformed(&mut self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.malformed)
    }

    /// Appends the hits of a block of whole lines of plain text, in the order of the text (then of the indicators' ids).
    pub fn scan(&mut self, block: &[u8], hits: &mut Vec<Hit>) {
        self.part(block, 0..block.len(), None, hits);
        if let Some(watch) = &mut self.watch {
            watch.end_block();
        }
    }

    /// As [`Self::scan`], for lines that have the fields that their layouts say.
    pub fn scan_as(&mut self, layouts: &Layouts, block: &[u8], hits: &mut Vec<Hit>) {
        if layouts.parts(block.len()).next().is_none() {
            self.part(block, 0..block.len(), None, hits);
        }
        for (part, layout) in layouts.parts(block.len()) {
            if let Some(watch) = &mut self.watch {
                watch.zone = layout.zone.clone();
            }
            self.part(block, part, Some(layout).filter(|layout| !layout.is_text()).map(AsRef::as_ref), hits);
        }
        if let Some(watch) = &mut self.watch {
            watch.end_block();
        }
    }

    /// Looks over a part of a block in which one layout holds.
    fn part(&mut self, block: &[u8], part: Range<usize>, layout: Option<&Layout>, hits: &mut Vec<Hit>) {
        let (mut start, end) = (part.start, part.end);
        while start < end {
            let rest = &block[start..end];
            let length = if rest.len() <= CHUNK {
                rest.len()
            } else {
                let within = memrchr(b'\n', &rest[..CHUNK]);
                within.or_else(|| memchr(b'\n', &rest[CHUNK..]).map(|at| CHUNK + at)).map_or(rest.len(), |at| at + 1)
            };
            self.chunk(block, start..start + length, layout, hits);
            start += length;
        }
    }

    /// Looks over some whole lines of a block.
    fn chunk(&mut self, block: &[u8], part: Range<usize>, layout: Option<&Layout>, hits: &mut Vec<Hit>) {
        let (start, chunk) = (part.start, &block[part]);
        self.suspects.clear();
        if self.matcher.reads_every_line(layout.is_some()) {
            self.suspects.push(0);
            self.suspects.extend(memchr::memchr_iter(b'\n', chunk).map(|at| at as u32 + 1));
        } else {
            self.finder.find(chunk, self.wanted, self.matcher.index.sieve(), &mut self.candidates);
            self.ask(chunk, layout.is_some());
            self.matcher.literals.suspects(chunk, &mut self.suspects);
            self.matcher.expressions.suspects(chunk, &mut self.suspects);
            self.suspects.append(&mut self.candidates.odd);
            if let Some(layout) = layout {
                self.matcher.fields.suspects(chunk, &mut self.suspects);
                self.matcher.index.suspects_in_fields(chunk, &mut self.suspects);
                layout.suspects(chunk, &mut self.suspects);
            }
            self.suspects.sort_unstable();
        }
        let mut decided = 0;
        for &place in &self.suspects {
            let place = place as usize;
            if place < decided || place >= chunk.len() {
                continue;
            }
            let line_start = memrchr(b'\n', &chunk[..place]).map_or(0, |at| at + 1);
            let line_end = memchr(b'\n', &chunk[place..]).map_or(chunk.len(), |at| place + at);
            let line = &chunk[line_start..line_end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = start + line_start..start + line_start + line.len();
            let watch = self.watch.as_mut();
            match layout {
                Some(layout) => self.matcher.decide_as(layout, block, line, hits, watch, &mut self.malformed),
                None => self.matcher.decide_line(block, line, hits, watch),
            }
            decided = line_end + 1;
        }
    }

    /// Asks for every candidate in the index, and notes where those that are listed stand.
    fn ask(&mut self, chunk: &[u8], structured: bool) {
        let Self { matcher, candidates, suspects, packed, .. } = self;
        let index = &matcher.index;
        let (names, hosts) = (index.names(), index.hosts());
        let parents = matcher.options.subdomains;
        for found in &candidates.ipv4 {
            if index.lists_ipv4(found.address) || hosts.on_ipv4(found.address) {
                suspects.push(found.start);
            }
        }
        for found in &candidates.names {
            let name = text(chunk, *found);
            if name_is_listed(names, hosts, chunk, *found, structured, name) || parents && parent_is_listed(names, name)
            {
                suspects.push(found.start);
            }
        }
        for found in &candidates.hashes {
            let digits = text(chunk, *found);
            let Some(kind) = hash::kind_of_length(digits.len()) else { continue };
            packed.clear();
            pack(kind, digits, packed);
            if index.lists_text(kind, packed) {
                suspects.push(found.start);
            }
        }
        for found in &candidates.ipv6 {
            if index.lists_ipv6(found.address) || hosts.on_ipv6(found.address.into()) {
                suspects.push(found.start);
            }
        }
        for found in &candidates.macs {
            let mac = kind::mac::normal(text(chunk, *found));
            if mac.is_some_and(|mac| index.lists_text(Kind::Mac, mac.to_string().as_bytes())) {
                suspects.push(found.start);
            }
        }
        // URLs and mail addresses are met at their hosts, which are names or addresses, but for those that are neither.
        if hosts.hidden().url {
            suspects.extend(candidates.urls.iter().map(|found| found.colon));
        }
        if hosts.hidden().mail {
            suspects.extend(candidates.mails.iter().map(|found| found.at));
        }
    }
}

fn text(chunk: &[u8], found: TextAt) -> &[u8] {
    &chunk[found.start as usize..found.end as usize]
}

/// Whether a name is listed, or is the host of something listed and stands where such a host would.
/// In a structured line, that is anywhere.
#[inline]
fn name_is_listed(names: Names<'_>, hosts: &Hosts, chunk: &[u8], found: TextAt, structured: bool, name: &[u8]) -> bool {
    let hash = names.hash(name);
    if !names.may_contain(hash) {
        return false;
    }
    if names.contains(name, hash) {
        return true;
    }
    let hosted = hosts.on_name(name);
    // Fields tell host and path apart.
    if structured && hosted.url {
        return true;
    }
    let before = found.start.checked_sub(1).and_then(|at| chunk.get(at as usize));
    let after = chunk.get(found.end as usize);
    hosted.mail && before == Some(&b'@')
        || hosted.url
            && (matches!(before, Some(b'/' | b'@')) || matches!(after, Some(b'/' | b':' | b'?' | b'#' | b'.')))
}

/// Whether a name lies below a listed one.
fn parent_is_listed(names: Names<'_>, name: &[u8]) -> bool {
    memchr::memchr_iter(b'.', name).any(|dot| {
        let parent = &name[dot + 1..];
        let hash = names.hash(parent);
        names.may_contain(hash) && names.contains(parent, hash)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Filter, RuleSetBuilder};
    use crate::matcher::Options;
    use crate::observable::classify;
    use crate::stix::Timestamp;
    use proptest::prelude::*;
    use std::sync::Arc;

    const LISTED: &[&str] = &[
        "10.1.2.3",
        "10.0.0.0/8",
        "2001:db8::1",
        "evil.example",
        "a.evil.example",
        "x_y.example",
        "http://evil.example/a",
        "host.example/p",
        "url.example",
        "http://192.0.2.7/x",
        "http://[2001:db8::2]/y",
        "http://intranet/z",
        "m@mail.example",
        "aa:bb:cc:dd:ee:ff",
        "0123456789abcdef0123456789abcdef",
        "b\u{fc}cher.example",
    ];

    fn matcher(subdomains: bool, refang: bool, picked: u16) -> Matcher {
        let mut builder = RuleSetBuilder::default();
        // Which kinds are listed decides what is looked for at all.
        for (_, value) in LISTED.iter().enumerate().filter(|(place, _)| picked >> place & 1 == 1) {
            builder.add_value(classify(value).expect(value)).expect("there is room");
        }
        let at = Timestamp::parse("2026-01-01T00:00:00Z").expect("an instant");
        let options = Options { subdomains, refang, ..Options::new(Filter::at(at)) };
        Matcher::new(Arc::new(builder.build()), options)
    }

    /// Listed values and what disturbs them, glued in any way.
    fn glued() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => proptest::sample::select(LISTED).prop_map(|v| v.as_bytes().to_vec()),
            1 => proptest::sample::select(LISTED).prop_map(|v| v.to_uppercase().into_bytes()),
            1 => proptest::sample::select(LISTED).prop_map(|v| v.replace('.', "[.]").replace("http", "hxxp").into_bytes()),
            1 => proptest::sample::select(LISTED).prop_map(|v| v.replace('/', "%2F").replace(':', "%3A").into_bytes()),
            3 => "[ \\n.,;:/=@\"'<>()_%-]{0,3}".prop_map(String::into_bytes),
            1 => "[a-z0-9.]{1,6}".prop_map(String::into_bytes),
            1 => proptest::collection::vec(any::<u8>(), 1..4),
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn looking_over_finds_what_deciding_every_line_finds(block in glued(), subdomains: bool, refang: bool, picked in prop_oneof![Just(u16::MAX), any::<u16>()]) {
            let mut matcher = matcher(subdomains, refang, picked);
            let mut fast = Vec::new();
            matcher.scanner().scan(&block, &mut fast);
            matcher.index.open_sieve();
            let mut slow = Vec::new();
            let mut start = 0;
            for line in block.split(|byte| *byte == b'\n') {
                let end = start + line.strip_suffix(b"\r").unwrap_or(line).len();
                matcher.decide_line(&block, start..end, &mut slow, None);
                start += line.len() + 1;
            }
            prop_assert_eq!(fast, slow);
        }
    }
}
