//! Observables in plain text: what is one, where it begins and ends, and what it stands for.
//!
//! [`tokens`] is the specification: every observable of one line, with its place and normal form. It looks at each line
//! closely and takes microseconds. The finder ([`find`]) passes over whole blocks and tells which lines may hold
//! something; it may name too much but never too little.
//!
//! # Rules
//!
//! **Names.** A run is as long as there are letters, digits, `.`, `_`, `-`; letters of any script, read as UTF-8. Two dots in a
//! row split it. Dots and hyphens at its ends, underscores at its right end, belong to the text around it. What remains is a
//! domain if it is a valid one ([`super::kind::domain`]); parts of it are none, so `notevil.com`, `evil.com.good.org` and
//! `evil.com-x.net` hold no `evil.com`. A run followed by `@` and a name is a local part or user name, and so is what
//! stands before the `@` in the authority of a URL. Scripts written without spaces (Han, Kana, Hangul, Thai and their
//! neighbours) end where ASCII letters or digits begin in the same label, and the other way round.
//!
//! **IPv4.** A run that is exactly four octets. A dot before it makes it an object identifier, a full stop after it does not
//! matter. Two or more addresses joined by `-` or by `_`, with numbers such as ports between them, are that many
//! addresses. tcpdump's `IP 10.0.0.1.443 > 1.2.3.4.53:` (pf: `on em0:` before it) holds two addresses with ports; five numbers elsewhere hold none.
//! A version is no address: after a product and a slash (`Firefox/2.0.0.4`; see [`versions`]), and after a word such as `version`.
//!
//! **IPv6.** A run of hex digits, colons and dots that is an address (RFC 4291 section 2.2), after an optional `word:`. A
//! colon or full stop at the end is left out, and so is a port: after a ninth group, after a dotted tail, or as tcpdump writes it (`::1.53`).
//! The zone (`%eth0`) is left out of span and value. The dotted tail of an address is no address of its own.
//!
//! **Hashes.** A run of 32, 40, 56, 64, 96 or 128 hex digits without letter or digit before or after it; `0x` may stand before it.
//!
//! **MAC addresses.** Six pairs of hex digits, not part of a longer chain of pairs; the fourteen pairs of netfilter's `MAC=` hold two
//! addresses (destination, source, then the type). `aabb.ccdd.eeff` alone in its run.
//!
//! **URLs.** From the scheme before `://` to white space, a control byte or one of `"` `<` `>` `\` `` ` `` `^` `{` `}` `|`. Where a URL ends in prose is anybody's guess,
//! so several readings are tokens: the whole; cut before each of `,` `;` `'` `)` `]`, before a change to another script, and before `&` if `=` stands before
//! the URL; each of these without the punctuation at its end; each without fragment. A host directly followed by
//! `/`, `?` and more, or a port and `/`, is a URL without scheme. The host is a token too, its place [`Place::HostOfUrl`],
//! unless what follows the slash is a number or an address (`10.0.0.1/443`, `10.0.0.0/8`, `host/10.0.0.1`): that is no path.
//! A URL is read up to [`urls::LONGEST`] bytes.
//!
//! **Mail addresses.** What stands around `@`. The local part may hold signs that also join texts, so
//! each suffix after one of ``= / ' & ? | { } $ ! # % * ^ ` `` and after two dots is a token too.
//!
//! **Escapes.** `%2F` and `\u002f` end where they end: what follows is a token of its own (`%2Fevil.com`), `\n` `\t` `\r` `\b` `\f` too if the line
//! begins with `{` or `[`. After an even number of backslashes both readings are tokens. Text that is itself escaped (`http%3A%2F%2F`, `http:\/\/`, `user%40evil.com`,
//! twice too) is read as it was meant; the span covers it as it is written. An escaped letter, digit, dot, hyphen or underscore is part of the name it stands in.
//!
//! Sequences that colour text on a terminal are borders. In URLs the entities of XML for quotes and angle brackets are borders too, and `&amp;` is read both ways.
//!
//! **Defanged text** (`hxxp`, `[.]`) is read as it was meant if [`Options::refang`] asks for it.

mod escapes;
pub mod find;
mod hashes;
mod ipv6;
mod macs;
mod mails;
mod names;
pub mod urls;
pub mod versions;

use super::kind::ip;
use super::{Value, refang_bytes};
use escapes::{Json, View};
use find::Sieve;
use std::net::Ipv4Addr;
use std::ops::Range;

/// An observable in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The bytes of the line it stands in.
    pub span: Range<usize>,
    /// Its normal form.
    pub value: Value,
    /// Whether it stands for itself.
    pub place: Place,
}

/// What a token is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The host of a URL.
    HostOfUrl,
    /// The domain of a mail address.
    HostOfEmail,
    /// Nothing but itself.
    Whole,
}

/// How a line is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Undo `hxxp`, `[.]` and the like first; spans still point into the line as it is.
    pub refang: bool,
}

/// Which tokens are worth the work of making them: a few others may be made as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest<'s> {
    /// Names, addresses, and URLs on such hosts, that pass the sieve; all if there is none.
    pub(crate) sieve: Option<&'s Sieve>,
    /// Hardware addresses.
    pub(crate) macs: bool,
}

impl Interest<'_> {
    /// Every token.
    pub(crate) const ALL: Self = Self { sieve: None, macs: true };

    /// Whether an address, and whatever is on it, is of no interest.
    fn skips_address(self, address: Ipv4Addr) -> bool {
        self.sieve.is_some_and(|sieve| !sieve.blocks.may_contain(address.into()))
    }

    /// Whether a name, and whatever is on it, is of no interest: as it is written, without anything around it.
    fn skips_name(self, name: &[u8]) -> bool {
        self.sieve.is_some_and(|sieve| name.is_ascii() && !sieve.tails.may_hold(name))
    }

    /// Whether a host of a URL, as it is written, is surely of no interest.
    fn skips_host(self, host: &[u8]) -> bool {
        let host = host.strip_suffix(b".").unwrap_or(host);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        // What ends in a digit may be an address, in one of many notations.
        let is_name =
            host.last().is_some_and(u8::is_ascii_alphabetic) && host.contains(&b'.') && host.iter().all(plain);
        match ip::parse_ipv4(host) {
            Some(address) => self.skips_address(address),
            None => is_name && self.skips_name(host),
        }
    }
}

/// Every observable of a line, in the order of the text. The line has no newline.
///
/// ```
/// use stockade::observable::text::{Options, Place, tokens};
///
/// let line = b"GET http://Evil.example:8080/a from 203.0.113.9.";
/// let found = tokens(line, Options::default());
/// let host = found.iter().find(|token| token.place == Place::HostOfUrl).unwrap();
/// assert_eq!((&line[host.span.clone()], host.value.to_string().as_str()), (&b"Evil.example"[..], "evil.example"));
/// assert!(found.iter().any(|token| token.value.to_string() == "http://evil.example:8080/a"));
/// assert!(found.iter().any(|token| token.value.to_string() == "203.0.113.9"));
/// ```
pub fn tokens(line: &[u8], options: Options) -> Vec<Token> {
    tokens_of(line, options, Interest::ALL)
}

/// As [`tokens`], without most of those that are of no interest.
pub(crate) fn tokens_of(line: &[u8], options: Options, interest: Interest<'_>) -> Vec<Token> {
    let mut found = Vec::new();
    let refanged = if options.refang { refang_bytes(line) } else { None };
    match refanged {
        Some(changed) => {
            read(&changed.text, interest, &mut found);
            for token in &mut found {
                token.span = changed.original(token.span.clone());
            }
        }
        None => read(line, interest, &mut found),
    }
    found.sort_by(|a, b| order(a).cmp(&order(b)));
    // The same value in the same place, found with and without its escapes: the more telling place came first.
    found.dedup_by(|next, first| next.span == first.span && next.value == first.value);
    found
}

fn order(token: &Token) -> (usize, std::cmp::Reverse<usize>, &Value, Place) {
    (token.span.start, std::cmp::Reverse(token.span.end), &token.value, token.place)
}

/// Reads a text as it is written, then as it was meant where it is escaped.
fn read(text: &[u8], interest: Interest<'_>, found: &mut Vec<Token>) {
    let json = Json::of_line(text);
    scan(&View { text, json }, interest, found, |_, _| true);
    let mut layers = Vec::new();
    let whole = escapes::unescape(text, json, &mut layers);
    for depth in 0..layers.len() {
        let layer = &layers[depth];
        let from = found.len();
        scan(&View { text: &layer.text, json }, interest, found, |span, key| {
            // A percent sign within a URL is the URL's own, unless all of it is encoded.
            layer.touches(&(span.start.saturating_sub(1)..span.end + 1))
                && (depth < whole || key.is_none_or(|key| layer.touches(&key)))
        });
        for token in &mut found[from..] {
            for layer in layers[..=depth].iter().rev() {
                token.span = layer.original(token.span.clone());
            }
        }
    }
}

/// Finds everything in one view of a text. `keep` decides on a token by its span and, for URLs and their hosts, by
/// the bytes that make it a URL.
fn scan(
    view: &View<'_>,
    interest: Interest<'_>,
    found: &mut Vec<Token>,
    keep: impl Fn(&Range<usize>, Option<Range<usize>>) -> bool,
) {
    let mut push = |span: Range<usize>, key: Option<Range<usize>>, value: Value, place: Place| {
        if keep(&span, key) {
            found.push(Token { span, value, place });
        }
    };
    let anchors = urls::anchors(view);
    let covered = ipv6::scan(view, &anchors, &mut push);
    urls::scan(view, &anchors, interest, &mut push);
    names::scan(view, &anchors, &covered, interest, &mut push);
    mails::scan(view, &anchors, &mut push);
    hashes::scan(view, &mut push);
    if interest.macs {
        macs::scan(view, &mut push);
    }
}

/// Takes a token: span, the bytes that make it a URL, value, place.
type Push<'p> = dyn FnMut(Range<usize>, Option<Range<usize>>, Value, Place) + 'p;
