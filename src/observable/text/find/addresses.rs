//! IPv4 addresses from the 16 bytes before their ends, without a branch for each digit.

use super::masks::{FRONT, Masks, WORD, sixteen};

/// What the bytes before an end are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// An address that begins so many bytes before the end.
    Address(u32, usize),
    /// Four numbers, and something is wrong with one of them.
    Nothing,
    /// To be read at leisure.
    Other,
}

/// Reads the run that ends at a place of the chunk; the bytes are those before it.
#[inline(always)]
#[allow(clippy::inline_always, reason = "compiled anew for machines with more instructions")]
pub(super) fn read(bytes: &[u8; 16], masks: &Masks, end: usize) -> Read {
    let at = FRONT * WORD + end - 16;
    let [name, dots, digits] = [&masks.name, &masks.dot, &masks.digit].map(|row| sixteen(row, at));
    // The run begins behind the last byte that is none of its own.
    let start = 32 - (!name & 0xffff).leading_zeros();
    let run = 0xffff & 0xffff << start;
    let [first, second, third] = {
        let first = dots & run;
        let second = first & first.wrapping_sub(1);
        [first, second, second & second.wrapping_sub(1)]
    };
    let plain = (digits | dots) & run == run && digits >> start & 1 == 1 && third.is_power_of_two();
    let ends_short = first.trailing_zeros().wrapping_sub(start) <= 3 && third >> 12 != 0;
    if !plain || !ends_short || start == 0 {
        return Read::Other;
    }
    // Digits as nibbles; 14 stands for a dot, and for what stands before the run.
    let before = 4 * (start - 1);
    let nibbles = nibbles(*bytes) & !(0xf << before) | 0xe << before;
    let octet = |dot: u32| u32::from(OCTETS[(nibbles >> (4 * (dot.wrapping_sub(3) & 15)) & 0xfff) as usize]);
    let octets = [first, second, third, 1 << 16].map(|dot| octet(dot.trailing_zeros()));
    if octets.iter().fold(0, |all, octet| all | octet) > 0xff {
        return Read::Nothing;
    }
    Read::Address(octets.iter().fold(0, |address, octet| address << 8 | octet), (16 - start) as usize)
}

/// The lower halves of 16 bytes, the first lowest.
#[inline(always)]
#[allow(clippy::inline_always, reason = "as above")]
fn nibbles(bytes: [u8; 16]) -> u64 {
    let half = |bytes: u64| {
        let pairs = bytes & 0x0f0f_0f0f_0f0f_0f0f;
        let pairs = (pairs | pairs >> 4) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        (fours | fours >> 16) & 0xffff_ffff
    };
    let bytes = u128::from_le_bytes(bytes);
    half(bytes as u64) | half((bytes >> 64) as u64) << 32
}

/// The octet that ends with the third of three nibbles (the first is lowest); above 255 for what is no octet.
static OCTETS: [u16; 4096] = {
    const DOT: usize = 14;
    let mut octets = [0x8000; 4096];
    let mut nibbles = 0;
    while nibbles < octets.len() {
        let [hundreds, tens, ones] = [nibbles & 15, nibbles >> 4 & 15, nibbles >> 8];
        let octet = match (hundreds, tens, ones) {
            (_, DOT, 0..10) => ones,
            (DOT, 1..10, 0..10) => tens * 10 + ones,
            (1..3, 0..10, 0..10) if hundreds * 100 + tens * 10 + ones < 256 => hundreds * 100 + tens * 10 + ones,
            _ => 0x8000,
        };
        octets[nibbles] = octet as u16;
        nibbles += 1;
    }
    octets
};

#[cfg(test)]
mod tests {
    use super::super::Way;
    use super::*;
    use crate::observable::kind::ip;

    #[test]
    fn addresses_are_read_as_elsewhere() {
        let mut cases: Vec<String> = [
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
            "1.2.3.44444",
            "1.2.3",
            "1.2.3.4.5",
            "4.1.2.3.4",
            "a1.2.3.4",
            "1.2.3.4a",
            "1-2.3.4.5",
            "1.2.3.260",
        ]
        .map(str::to_owned)
        .into();
        for number in 0..256 {
            cases.push(format!("{number}.{}.{}.{}", number / 10, 255 - number, number * 3));
        }
        for case in cases {
            for before in [" ", "=", "..", "\u{0}", "(long enough text before it) "] {
                let text = format!("                {before}{case} ");
                let mut masks = Masks::default();
                masks.advance(Way::Portable, text.as_bytes());
                let end = text.len() - 1;
                let bytes = text.as_bytes()[end - 16..end].try_into().expect("sixteen");
                let read = read(bytes, &masks, end);
                let expected = ip::parse_ipv4(case.as_bytes()).filter(|_| before != "..").map(u32::from);
                match read {
                    Read::Address(address, length) => {
                        assert_eq!((Some(address), length), (expected, case.len()), "{text:?}");
                    }
                    Read::Nothing => assert_eq!(expected, None, "{text:?}"),
                    Read::Other => assert_eq!(expected.filter(|_| case.len() < 15), None, "{text:?}"),
                }
            }
        }
    }
}
