//! Text in UTF-16, told by its byte order mark, as text in UTF-8: what Windows writes when nothing else is asked for.

use std::io::{self, BufRead, Read};

/// Reads it. What is no UTF-16 becomes U+FFFD.
pub(super) struct Utf16<R> {
    source: R,
    big_endian: bool,
    /// The first byte of a pair.
    odd: Option<u8>,
    /// The first unit of a pair.
    high: Option<u16>,
    /// Text that was not given out yet, and how much of it was.
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: BufRead> Utf16<R> {
    pub(super) fn new(source: R, big_endian: bool) -> Self {
        Self { source, big_endian, odd: None, high: None, text: Vec::new(), given: 0, ended: false }
    }

    fn byte(&mut self, byte: u8) {
        let Some(first) = self.odd.take() else {
            self.odd = Some(byte);
            return;
        };
        let pair = [first, byte];
        let unit = if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
        let units = self.high.take().into_iter().chain([unit]);
        for letter in char::decode_utf16(units) {
            match letter {
                // The other half may follow.
                Err(half) if half.unpaired_surrogate() == unit && (0xd800..0xdc00).contains(&unit) => {
                    self.high = Some(unit);
                }
                // The byte order mark.
                Ok('\u{feff}') => {}
                letter => self.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER)),
            }
        }
    }

    fn push(&mut self, letter: char) {
        self.text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended && !buffer.is_empty() {
            (self.given, self.text) = (0, std::mem::take(&mut self.text));
            self.text.clear();
            let piece = self.source.fill_buf()?.to_vec();
            self.source.consume(piece.len());
            self.ended = piece.is_empty();
            for byte in piece {
                self.byte(byte);
            }
            if self.ended && (self.odd.take().is_some() | self.high.take().is_some()) {
                self.push(char::REPLACEMENT_CHARACTER);
            }
        }
        let n = buffer.len().min(self.text.len() - self.given);
        buffer[..n].copy_from_slice(&self.text[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn read(bytes: &[u8], big_endian: bool, piece: usize) -> String {
        let mut text = Vec::new();
        let source = BufReader::with_capacity(piece, bytes);
        Utf16::new(source, big_endian).read_to_end(&mut text).expect("from memory");
        String::from_utf8(text).expect("UTF-8")
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,40}", big_endian: bool, piece in 1..9_usize) {
            let text = text.replace('\u{feff}', "");
            let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let bytes: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect();
            prop_assert_eq!(read(&bytes, big_endian, piece), text);
        }

        #[test]
        fn any_bytes_are_some_text(bytes: Vec<u8>, big_endian: bool) {
            prop_assert_eq!(read(&bytes, big_endian, 3), read(&bytes, big_endian, 64));
        }
    }
}
