//! Bytes on their way to a list: a buffer, and the few shapes that lines are made of.
//!
//! [`Out::text`] takes literals of this program alone, so the syntax of a target is written by its format and by nothing
//! else. Values come in types of their own from a [`View`](super::view::View); free text, such as a label, only as a JSON
//! string, a CSV cell or a column that it cannot leave.

use super::view::{Host, Mail, Net, Url};
use crate::blocklist::Digest;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The buffer is handed on when it holds this much.
const FULL: usize = 1 << 16;

/// What a format writes to.
pub(super) struct Out<'w> {
    buffer: Vec<u8>,
    sink: &'w mut dyn Write,
}

impl<'w> Out<'w> {
    pub(super) fn new(sink: &'w mut dyn Write) -> Self {
        Self { buffer: Vec::with_capacity(FULL + 4096), sink }
    }

    /// Appends syntax.
    pub(super) fn text(&mut self, text: &'static str) -> &mut Self {
        self.push(text)
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.buffer.extend_from_slice(text.as_bytes());
        self
    }

    /// Appends a name.
    pub(super) fn host(&mut self, host: Host<'_>) -> &mut Self {
        self.push(host.text())
    }

    /// Appends a URL in normal form.
    pub(super) fn url(&mut self, url: Url<'_>) -> &mut Self {
        self.push(url.text())
    }

    /// Appends a URL from its host on.
    pub(super) fn url_after_scheme(&mut self, url: Url<'_>) -> &mut Self {
        self.push(url.after_scheme())
    }

    /// Appends a mail address.
    pub(super) fn mail(&mut self, mail: Mail<'_>) -> &mut Self {
        self.push(mail.text())
    }

    /// Appends a digest in lower-case hexadecimal.
    pub(super) fn digest(&mut self, digest: &Digest<'_>) -> &mut Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = digest.bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        self.buffer.extend(digits.map(|digit| DIGITS[usize::from(digit)]));
        self
    }

    /// Appends a decimal number.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut rest = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.buffer.extend_from_slice(&digits[at..]);
        self
    }

    /// Appends a prefix; an address alone without its length.
    pub(super) fn net(&mut self, net: Net) -> &mut Self {
        if net.is_host() { self.address(net.first()) } else { self.cidr(net) }
    }

    /// Appends a prefix, always with its length.
    pub(super) fn cidr(&mut self, net: Net) -> &mut Self {
        self.address(net.first()).text("/").number(u64::from(net.length()))
    }

    /// Appends an address.
    pub(super) fn address(&mut self, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(address) => self.ipv4(address),
            IpAddr::V6(address) => self.ipv6(address),
        }
    }

    fn ipv4(&mut self, address: Ipv4Addr) -> &mut Self {
        let [a, b, c, d] = address.octets().map(u64::from);
        self.number(a).text(".").number(b).text(".").number(c).text(".").number(d)
    }

    fn ipv6(&mut self, address: Ipv6Addr) -> &mut Self {
        // Writing to a vector does not fail.
        let _ = write!(self.buffer, "{address}");
        self
    }

    /// Appends a number in hexadecimal, without leading zeros.
    pub(super) fn hex(&mut self, number: u16) -> &mut Self {
        let _ = write!(self.buffer, "{number:x}");
        self
    }

    /// Appends a name in base64 (RFC 4648 section 4, padded).
    pub(super) fn base64(&mut self, host: Host<'_>) -> &mut Self {
        self.push_base64(host.text().as_bytes())
    }

    fn push_base64(&mut self, bytes: &[u8]) -> &mut Self {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for group in bytes.chunks(3) {
            let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for at in 0..4 {
                let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
                self.buffer.push(if at > group.len() { b'=' } else { digit });
            }
        }
        self
    }

    /// Appends a JSON string with its quotes (RFC 8259 section 7), in ASCII alone.
    pub(super) fn json(&mut self, text: &str) -> &mut Self {
        self.buffer.push(b'"');
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
            self.buffer.extend_from_slice(text.as_bytes());
        } else {
            for unit in text.encode_utf16() {
                match u8::try_from(unit) {
                    Ok(byte @ (b'"' | b'\\')) => self.buffer.extend_from_slice(&[b'\\', byte]),
                    Ok(byte @ b' '..=b'~') => self.buffer.push(byte),
                    _ => {
                        let _ = write!(self.buffer, "\\u{unit:04x}");
                    }
                }
            }
        }
        self.buffer.push(b'"');
        self
    }

    /// Appends a JSON array of strings.
    pub(super) fn json_list<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> &mut Self {
        self.text("[");
        for (at, text) in texts.into_iter().enumerate() {
            self.text(if at == 0 { "" } else { "," }).json(text);
        }
        self.text("]")
    }

    /// Appends what stands between the quotes of a pattern that stands in a JSON string. The text has neither backslashes
    /// nor double quotes.
    pub(super) fn quoted(&mut self, text: &str) -> &mut Self {
        for (at, piece) in text.split('\'').enumerate() {
            self.text(if at == 0 { "" } else { "\\\\'" }).push(piece);
        }
        self
    }

    /// Appends words in a column, between commas.
    pub(super) fn columns(&mut self, texts: &[impl AsRef<str>]) -> &mut Self {
        for (at, text) in texts.iter().enumerate() {
            self.text(if at == 0 { "" } else { "," }).column(text.as_ref());
        }
        self.text(if texts.is_empty() { "-" } else { "" })
    }

    /// Appends a cell of a CSV file (RFC 4180). What a spreadsheet would run as a formula gets an apostrophe before it;
    /// control characters become spaces, so that a row is a line.
    pub(super) fn cell(&mut self, text: &str) -> &mut Self {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let plain = text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b',' && byte != 0x7f);
        if plain && !formula {
            return self.push(text);
        }
        self.text(if formula { "\"'" } else { "\"" });
        for letter in text.chars() {
            match letter {
                '"' => self.buffer.extend_from_slice(b"\"\""),
                letter if letter.is_control() => self.buffer.push(b' '),
                letter => {
                    let mut bytes = [0; 4];
                    self.buffer.extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
                }
            }
        }
        self.text("\"")
    }

    /// Appends text that may hold anything, for a column between tabs: control characters become spaces,
    /// and an empty text a hyphen.
    fn column(&mut self, text: &str) -> &mut Self {
        let start = self.buffer.len();
        for letter in text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
            let mut bytes = [0; 4];
            self.buffer.extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
        }
        if self.buffer.len() == start {
            self.buffer.push(b'-');
        }
        self
    }

    /// Appends a word of a comment: what is no visible ASCII becomes `_`.
    pub(super) fn word(&mut self, text: &str) -> &mut Self {
        self.buffer.extend(text.bytes().map(|byte| if byte.is_ascii_graphic() { byte } else { b'_' }));
        self
    }

    /// Ends a line.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.buffer.push(b'\n');
        if self.buffer.len() < FULL { Ok(()) } else { self.flush() }
    }

    /// Hands on lines that are finished.
    pub(super) fn bytes(&mut self, lines: &[u8]) -> io::Result<()> {
        self.flush()?;
        self.sink.write_all(lines)
    }

    /// Hands on what the buffer holds.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocklist::Prefix;

    fn written(write: impl FnOnce(&mut Out<'_>)) -> String {
        let mut bytes = Vec::new();
        let mut out = Out::new(&mut bytes);
        write(&mut out);
        out.flush().expect("a vector takes everything");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648 section 10.
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(written(|out| _ = out.push_base64(text.as_bytes())), encoded);
        }
    }

    #[test]
    fn no_text_leaves_its_json_string() {
        for text in ["plain", "a\"b\\c", "line\nend\u{2028}\u{7f}\0", "ü𝄞"] {
            let json = written(|out| _ = out.json(text));
            assert!(json.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{json}");
            assert_eq!(serde_json::from_str::<String>(&json).as_deref().ok(), Some(text));
        }
    }

    #[test]
    fn no_text_leaves_its_cell_or_runs_in_a_spreadsheet() {
        for (text, cell) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=cmd|'/c calc'!A1", "\"'=cmd|'/c calc'!A1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("a\r\nb", "\"a  b\""),
            ("\t=1", "\"' =1\""),
        ] {
            assert_eq!(written(|out| _ = out.cell(text)), cell);
        }
    }

    #[test]
    fn numbers_and_addresses() {
        assert_eq!(written(|out| _ = out.number(0).text(" ").number(u64::MAX)), "0 18446744073709551615");
        let host = Net::V4(Prefix { start: 0xcb00_7109, len: 32 });
        assert_eq!(written(|out| _ = out.net(host).text(" ").cidr(host)), "203.0.113.9 203.0.113.9/32");
        let prefix = Net::V6(Prefix { start: 0x2001_0db8 << 96, len: 32 });
        assert_eq!(written(|out| _ = out.net(prefix)), "2001:db8::/32");
    }
}
