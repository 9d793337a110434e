//! A naive matcher that is meant to be obviously right, and random text to try the real one on.
//!
//! It shares only normal forms and addresses' arithmetic with the crate, no code that reads text: for every listed value it looks at
//! every place where the value could stand and checks what stands around it, mostly by regular expressions. It knows plain
//! ASCII text without escapes ([`understands`]); what escapes mean is stated by tables of cases instead.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unused_self, reason = "rules are asked in one way, whether they need an expression or not")]

pub(crate) mod generate;

use regex::Regex;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use stockade::matcher::Relation;
use stockade::observable::{Kind, Value};

/// How listed values count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// A listed domain stands for its subdomains too.
    pub(crate) subdomains: bool,
}

/// Where, which value, how: in the order of the text, then of the values.
pub(crate) type Hits = Vec<(Range<usize>, usize, Relation)>;

/// Whether the reference can judge a line: ASCII, no backslash, no percent-encoding, no overlong scheme.
pub(crate) fn understands(line: &[u8]) -> bool {
    let escape = |three: &[u8]| three[0] == b'%' && three[1..].iter().all(u8::is_ascii_hexdigit);
    let scheme = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+.-".contains(byte);
    let long = |at: usize| line[at..].starts_with(b"://") && line[..at].iter().rev().take_while(scheme).count() > 32;
    line.is_ascii() && !line.contains(&b'\\') && !line.windows(3).any(escape) && !(0..line.len()).any(long)
}

/// Every hit of the values in a line that the reference [understands].
pub(crate) fn find(line: &[u8], values: &[Value], options: Options) -> Hits {
    let line = std::str::from_utf8(line).expect("a line that the reference understands");
    let rules = Rules::new();
    let mut hits = Hits::new();
    let v6 = rules.ipv6(line);
    for (index, value) in values.iter().enumerate() {
        let mut hit = |span: Range<usize>, relation: Relation| hits.push((span, index, relation));
        match value {
            Value::Ipv4(network, length) => {
                let mapped = v6.iter().filter_map(|(span, address)| Some((span.clone(), address.to_ipv4_mapped()?)));
                let covered =
                    |span: &Range<usize>| v6.iter().any(|(other, _)| other.start < span.end && span.start < other.end);
                for (span, address) in rules.ipv4(line).into_iter().filter(|(span, _)| !covered(span)).chain(mapped) {
                    let mask = u32::MAX.checked_shl(32 - u32::from(*length)).unwrap_or(0);
                    if u32::from(address) & mask == u32::from(*network) {
                        hit(span.clone(), if *length < 32 { Relation::Cidr } else { rules.place(line, &span) });
                    }
                }
            }
            Value::Ipv6(network, length) => {
                for (span, address) in &v6 {
                    let mask = u128::MAX.checked_shl(128 - u32::from(*length)).unwrap_or(0);
                    if address.to_ipv4_mapped().is_none() && u128::from(*address) & mask == u128::from(*network) {
                        hit(span.clone(), if *length < 128 { Relation::Cidr } else { rules.place(line, span) });
                    }
                }
            }
            Value::Text(Kind::Domain, name) => {
                for span in rules.pieces(line) {
                    let piece = line[span.clone()].to_ascii_lowercase();
                    let below = piece.strip_suffix(&**name).is_some_and(|rest| rest.ends_with('.'));
                    if rules.is_user(line, &span) || Kind::Domain.normalise(&piece).is_err() {
                        continue;
                    }
                    if piece == **name {
                        hit(span.clone(), rules.place(line, &span));
                    } else if options.subdomains && below {
                        hit(span.clone(), Relation::Subdomain);
                    }
                }
            }
            Value::Text(Kind::Email, mail) => rules.mails(line, mail).for_each(|span| hit(span, Relation::Exact)),
            Value::Text(Kind::Url, url) => rules.urls(line, url).for_each(|span| hit(span, Relation::Exact)),
            Value::Text(Kind::Mac, mac) => rules.macs(line, mac).for_each(|span| hit(span, Relation::Exact)),
            Value::Text(_, digits) => rules.hashes(line, digits).for_each(|span| hit(span, Relation::Exact)),
        }
    }
    hits.sort_by_key(|(span, index, _)| (span.start, std::cmp::Reverse(span.end), *index));
    hits.dedup();
    hits
}

struct Rules {
    run: Regex,
    two_dots: Regex,
    ip: Regex,
    joined: Regex,
    tcpdump: Regex,
    version: Regex,
    product: Regex,
    word6: Regex,
    label6: Regex,
    after6: Regex,
    userinfo: Regex,
    scheme: Regex,
    no_path: Regex,
}

impl Rules {
    fn new() -> Self {
        let compile = |text: &str| Regex::new(text).expect("a good expression");
        Self {
            run: compile(r"[A-Za-z0-9._-]+"),
            two_dots: compile(r"\.\.+"),
            ip: compile(r"^\d+\.\d+\.\d+\.\d+$"),
            joined: compile(r"^(?:[\d.]+(?:-[\d.]+)+|[\d.]+(?:_[\d.]+)+)$"),
            tcpdump: compile(r"(?:IP| on [0-9A-Za-z_.]{1,24}:) (\d[\d.]*) > (?:(\d[\d.]*):)?"),
            version: compile(
                r#"(?i)(?:(?:^|[^a-z0-9])(?:version|ver|v|rv|release|build|firmware)|[a-z]version)[ .:="'/]{1,5}$"#,
            ),
            product: compile(r"(?:^|[^A-Za-z0-9._+/-])([A-Za-z0-9._+-]+)/$"),
            word6: compile(r"[0-9A-Za-z_:.]+"),
            label6: compile(r"^.*[G-Zg-z_][0-9A-Za-z_]*:"),
            after6: compile(r"^(?:\.*|:\.*|[:.]\d{1,5}:?\.*)$"),
            userinfo: compile(r#"://([^/?#,;'()\x00-\x20\x7f"<>`^{}|]*@)"#),
            scheme: compile(r"[A-Za-z][A-Za-z0-9+.-]*://"),
            no_path: compile(r#"^/[\d.:]+(?:$|[\x00-\x20\x7f"<>`^{}|,;')(\]-])"#),
        }
    }

    /// The trimmed pieces of name runs.
    fn pieces(&self, line: &str) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        for run in self.run.find_iter(line) {
            let mut at = run.start();
            let mut push = |from: usize, to: usize| {
                let text = &line[from..to];
                let left = text.len() - text.trim_start_matches(['.', '-']).len();
                let right = text.trim_end_matches(['.', '-', '_']).len();
                if left < right && !self.in_userinfo(line, from + left) {
                    pieces.push(from + left..from + right);
                }
            };
            for dots in self.two_dots.find_iter(run.as_str()) {
                push(at, run.start() + dots.start());
                at = run.start() + dots.end();
            }
            push(at, run.end());
        }
        pieces
    }

    /// Whether the run around a piece ends there and is followed by `@` and a name.
    fn is_user(&self, line: &str, span: &Range<usize>) -> bool {
        let rest = line[span.end..].trim_start_matches(['.', '-', '_']);
        let dots = &line[span.end..line.len() - rest.len()];
        let mut after = rest.chars();
        !dots.contains("..")
            && after.next() == Some('@')
            && after.next().is_some_and(|next| next.is_ascii_alphanumeric() || "._-".contains(next))
    }

    fn in_userinfo(&self, line: &str, at: usize) -> bool {
        self.userinfo.captures_iter(line).any(|found| found.get(1).is_some_and(|user| user.range().contains(&at)))
    }

    fn ipv4(&self, line: &str) -> Vec<(Range<usize>, Ipv4Addr)> {
        let mut found = self.unversioned(line);
        found.retain(|(span, _)| !self.is_version(line, span));
        found
    }

    /// Addresses, and versions that look like them.
    fn unversioned(&self, line: &str) -> Vec<(Range<usize>, Ipv4Addr)> {
        let parse = |text: &str| self.ip.is_match(text).then(|| text.parse().ok()).flatten();
        let mut found = Vec::new();
        for span in self.pieces(line) {
            let text = &line[span.clone()];
            let before = &line[..span.start];
            let after_dot = {
                let trimmed = before.trim_end_matches(['.', '-']);
                let trimmed = &before[trimmed.len()..];
                // What two dots cut off does not count.
                trimmed.rsplit("..").next().is_some_and(|last| last.starts_with('.'))
                    && !(trimmed.len() > 1 && trimmed.ends_with("..") || trimmed.starts_with(".."))
            };
            if after_dot || self.is_user(line, &span) {
                continue;
            }
            let mut push = |at: usize, text: &str, address: Ipv4Addr| {
                found.push((at..at + text.len(), address));
            };
            if let Some(address) = parse(text) {
                push(span.start, text, address);
            } else if self.joined.is_match(text) {
                let parts: Vec<&str> = text.split(['-', '_']).collect();
                let number = |part: &&str| part.len() <= 5 && part.bytes().all(|byte| byte.is_ascii_digit());
                if parts.iter().all(|part| number(part) || parse(part).is_some())
                    && parts.iter().filter(|part| parse(part).is_some()).count() >= 2
                {
                    let mut at = span.start;
                    for part in parts {
                        if let Some(address) = parse(part) {
                            push(at, part, address);
                        }
                        at += part.len() + 1;
                    }
                }
            } else {
                for frame in self.tcpdump.captures_iter(line) {
                    for end in [frame.get(1), frame.get(2)].into_iter().flatten().filter(|end| end.range() == span) {
                        if let Some((address, port)) = end.as_str().rsplit_once('.')
                            && let (Some(parsed), Ok(_)) = (parse(address), port.parse::<u16>())
                        {
                            push(span.start, address, parsed);
                        }
                    }
                }
            }
        }
        found
    }

    fn is_version(&self, line: &str, span: &Range<usize>) -> bool {
        const LOWER: [&str; 16] = stockade::observable::text::versions::PRODUCTS;
        let before = &line[..span.start];
        if self.version.is_match(before) {
            return true;
        }
        let mut after = line[span.end..].chars();
        if matches!(after.next(), Some('(' | ':' | '/')) && after.next().is_some_and(|next| next.is_ascii_digit()) {
            return false;
        }
        self.product.captures(before).is_some_and(|found| {
            let product = &found[1];
            let last = product.rsplit('.').next().unwrap_or("");
            LOWER.contains(&product.to_ascii_lowercase().as_str())
                || (product.starts_with(|first: char| first.is_ascii_uppercase())
                    && product.contains(|letter: char| letter.is_ascii_lowercase())
                    && last.contains(|letter: char| letter.is_ascii_uppercase()))
        })
    }

    fn ipv6(&self, line: &str) -> Vec<(Range<usize>, Ipv6Addr)> {
        let mut found = Vec::new();
        for word in self.word6.find_iter(line) {
            let mut start = word.start();
            start += self.label6.find(word.as_str()).map_or(0, |label| label.end());
            let mut text = line[start..word.end()].trim_start_matches('.');
            if text.starts_with(':') && (!text.starts_with("::") || text.starts_with(":::")) {
                text = &text[1..];
            }
            start = word.end() - text.len();
            let longest = (2..=text.len()).rev().find_map(|length| {
                let (address, rest) = text.split_at(length);
                let parsed: Ipv6Addr = address.parse().ok()?;
                let fits = self.after6.is_match(rest) && (rest.starts_with(['.', ':']) || rest.is_empty());
                // A port stands after eight groups or a dotted tail; after a dot, as tcpdump writes it.
                let port = rest.len() > 1 && rest[1..].starts_with(|digit: char| digit.is_ascii_digit());
                let tail = address.rsplit(':').next().is_some_and(|last| last.contains('.'));
                let full = !address.contains("::") && address.matches(':').count() == 7;
                let port_fits = if rest.starts_with(':') { full || tail } else { true };
                (fits && (!port || port_fits)).then_some((start..start + length, parsed))
            });
            found.extend(longest);
        }
        found
    }

    /// What a host at a place is part of.
    fn place(&self, line: &str, span: &Range<usize>) -> Relation {
        let before = &line[..span.start];
        let before = before.strip_suffix('[').filter(|_| line[span.clone()].contains(':')).unwrap_or(before);
        let userinfo = self.userinfo.find_iter(line).any(|found| found.end() == before.len());
        if userinfo
            || (before.ends_with("://")
                && !self.userinfo.find_iter(line).any(|found| found.start() + 3 == before.len()))
        {
            return Relation::HostOfUrl;
        }
        let is_address = line[span.clone()].parse::<Ipv4Addr>().is_ok();
        if line[span.clone()].contains(':') {
            return Relation::Exact;
        }
        if let Some(local) = before.strip_suffix('@') {
            let local = local.bytes().last().is_some_and(is_local);
            return if local && !is_address { Relation::HostOfEmail } else { Relation::Exact };
        }
        if self.path_after(line, span.end) { Relation::HostOfUrl } else { Relation::Exact }
    }

    /// Whether what follows a host makes it a URL without scheme.
    fn url_after(&self, line: &str, end: usize) -> bool {
        let rest = line[end..].strip_prefix('.').unwrap_or(&line[end..]);
        rest.starts_with('/') || self.path_after(line, end)
    }

    /// Whether a path or query follows, so that the host belongs to a URL without scheme.
    fn path_after(&self, line: &str, end: usize) -> bool {
        let rest = &line[end..];
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        let port = rest.strip_prefix(':').map(|rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        match port {
            Some(1..=5) => rest[1 + port.unwrap_or(0)..].starts_with('/'),
            Some(_) => false,
            None if rest.starts_with('?') => rest[1..].starts_with(|next: char| next.is_ascii_alphanumeric()),
            None => rest.starts_with('/') && !self.no_path.is_match(rest),
        }
    }

    fn mails<'t>(&'t self, line: &'t str, mail: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        occurrences(line, mail).filter(move |span| {
            let at = span.start + mail.rfind('@').unwrap_or(0);
            let before = &line.as_bytes()[..span.start];
            let left = match before.last() {
                Some(byte) => !is_local(*byte) || b"=/'&?|{}$!#%*^`".contains(byte) || before.ends_with(b".."),
                None => true,
            };
            let domain =
                self.pieces(line).into_iter().any(|piece| piece == (at + 1..span.end) && !self.is_user(line, &piece));
            left && domain && !self.in_userinfo(line, at)
        })
    }

    fn urls<'t>(&'t self, line: &'t str, url: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let mut starts: Vec<(usize, usize)> = Vec::new();
        if url.starts_with("//") {
            // Hosts that no scheme and no user name stands before.
            let v6 = self.ipv6(line);
            let overlaps = |span: &Range<usize>| v6.iter().any(|(v6, _)| v6.start < span.end && span.start < v6.end);
            let addresses: Vec<_> = self.unversioned(line).into_iter().filter(|(span, _)| !overlaps(span)).collect();
            for piece in self.pieces(line) {
                let before = &line[..piece.start];
                let host = addresses.iter().any(|(span, _)| *span == piece)
                    || Kind::Domain.normalise(&line[piece.clone()]).is_ok();
                if host
                    && !before.ends_with("://")
                    && !before.ends_with('@')
                    && !self.is_user(line, &piece)
                    && self.url_after(line, piece.end)
                {
                    starts.push((piece.start, piece.start));
                }
            }
        }
        for found in self.scheme.find_iter(line) {
            let whole = found.as_str().strip_suffix("://").unwrap_or("");
            let known = ["http", "https", "ftp", "ftps", "sftp", "ws", "wss", "tcp"];
            let last = whole.rfind(|sign: char| !sign.is_ascii_alphanumeric());
            let start = |skip: usize| (found.start() + skip, found.end());
            match last.filter(|last| known.contains(&whole[last + 1..].to_ascii_lowercase().as_str())) {
                Some(last) if whole.as_bytes()[last] == b'+' => starts.extend([start(0), start(last + 1)]),
                Some(last) => starts.push(start(last + 1)),
                None => starts.push(start(0)),
            }
        }
        let mut spans = Vec::new();
        for (start, host) in starts {
            let hard = |byte: &u8| *byte <= b' ' || b"\"<>\\`^{}|\x7f".contains(byte);
            let end = line[host..].bytes().position(|byte| hard(&byte)).map_or(line.len(), |length| host + length);
            for stop in host + 1..=end {
                let normal = Kind::Url.normalise(&line[start..stop]).map(|value| value.to_string());
                if normal.as_deref() == Ok(url) && may_end(&line[host..end], stop - host, line[..start].ends_with('='))
                {
                    spans.push(start..stop);
                }
            }
        }
        spans.into_iter()
    }

    fn macs<'t>(&'t self, line: &'t str, mac: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let group = |word: &str, most: usize| {
            !word.is_empty() && word.len() <= most && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let dashes = mac.replace(':', "-");
        let dotted = mac.replace(':', "");
        let dotted = format!("{}.{}.{}", &dotted[..4], &dotted[4..8], &dotted[8..]);
        let mut spans: Vec<Range<usize>> =
            occurrences(line, &dotted).filter(|span| self.pieces(line).contains(span)).collect();
        for (text, joint, most) in [(mac, ':', 4), (dashes.as_str(), '-', 2)] {
            for span in occurrences(line, text) {
                let (before, after) = (&line[..span.start], &line[span.end..]);
                if before.ends_with(|byte: char| byte.is_ascii_alphanumeric())
                    || after.starts_with(|byte: char| byte.is_ascii_alphanumeric())
                {
                    continue;
                }
                let is_word = |byte: char| !byte.is_ascii_alphanumeric();
                let word =
                    before.strip_suffix(joint).map_or("", |rest| &rest[rest.rfind(is_word).map_or(0, |at| at + 1)..]);
                let next =
                    after.strip_prefix(joint).map_or("", |rest| &rest[..rest.find(is_word).unwrap_or(rest.len())]);
                let longer = if joint == ':' {
                    next.starts_with(|byte: char| byte.is_ascii_hexdigit())
                } else {
                    next.len() == 2 && group(next, 2)
                };
                if !group(word, most) && !longer {
                    spans.push(span);
                }
            }
        }
        // Netfilter's fourteen pairs.
        let chain =
            Regex::new(r"(?:^|[^0-9A-Za-z])((?:[0-9A-Fa-f]{2}:){13}[0-9A-Fa-f]{2})").expect("a good expression");
        for found in chain.captures_iter(line).filter_map(|found| found.get(1)) {
            let (before, after) = (&line[..found.start()], &line[found.end()..]);
            let text = found.as_str();
            let joint = &text[2..3];
            let uniform = text.matches(joint).count() == 13;
            let word = before.strip_suffix(joint).map_or("", |rest| {
                &rest[rest.rfind(|byte: char| !byte.is_ascii_alphanumeric()).map_or(0, |at| at + 1)..]
            });
            let clean = !before.ends_with(|byte: char| byte.is_ascii_alphanumeric())
                && !after.starts_with(|byte: char| byte.is_ascii_alphanumeric())
                && !group(word, if joint == ":" { 4 } else { 2 })
                && !after
                    .strip_prefix(joint)
                    .is_some_and(|rest| rest.starts_with(|byte: char| byte.is_ascii_hexdigit()));
            if uniform && clean {
                for start in [found.start(), found.start() + 18] {
                    if line[start..start + 17].to_ascii_lowercase().replace('-', ":") == mac {
                        spans.push(start..start + 17);
                    }
                }
            }
        }
        spans.into_iter()
    }

    fn hashes<'t>(&'t self, line: &'t str, digits: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        occurrences(line, digits).filter(move |span| {
            let before = &line.as_bytes()[..span.start];
            let bare = before.strip_suffix(b"0x").or_else(|| before.strip_suffix(b"0X")).unwrap_or(before);
            !bare.last().is_some_and(u8::is_ascii_alphanumeric)
                && !line[span.end..].starts_with(|byte: char| byte.is_ascii_alphanumeric())
        })
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

/// Whether a URL may end at `stop`, of the text from its host to where it surely ends.
fn may_end(text: &str, stop: usize, in_query: bool) -> bool {
    let fragment = text.find('#');
    // A cut; between it and the end only punctuation.
    (stop..=text.len()).any(|cut| {
        let border = match text[cut..].chars().next() {
            None => true,
            Some('&') => in_query,
            Some('#') => fragment == Some(cut),
            Some(sign) => ",;')]".contains(sign),
        };
        border && text[stop..cut].chars().all(|sign| ",;')].:!?*".contains(sign))
    })
}

/// Every place where a text stands, in any case, overlapping ones too.
fn occurrences<'t>(line: &'t str, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
    let (line, text) = (line.as_bytes(), text.as_bytes());
    (0..(line.len() + 1).saturating_sub(text.len()))
        .filter(move |start| line[*start..start + text.len()].eq_ignore_ascii_case(text))
        .map(move |start| start..start + text.len())
        .collect::<Vec<_>>()
        .into_iter()
}
