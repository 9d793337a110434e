//! A table of comma-separated values (RFC 4180, with line feeds), safe to open in a spreadsheet.
//!
//! A cell that a spreadsheet would take for a formula begins with an apostrophe. Control characters but the tab become
//! spaces, and bytes that are no UTF-8 U+FFFD.

use super::{LEFT_OUT, Line, Look, Rules, Scratch, Writer, json};
use crate::cli::terminal;
use stockade::matcher::Hit;
use stockade::stix::Timestamp;

pub(super) const WRITER: Writer = Writer {
    head: "path,line,offset,start,end,time,type,value,relation,field,indicator_id,indicator_name,confidence,labels,tlp,\
           valid_from,valid_until,source,text\n",
    hits: |look, line, hits, rules, scratch, out| {
        let time = rules.run.time_of(line);
        for hit in hits {
            row(look, line, hit, time, rules, scratch, out);
        }
    },
};

fn row(
    look: Look,
    line: &Line<'_>,
    hit: &Hit,
    time: Option<Timestamp>,
    rules: Rules<'_>,
    scratch: &mut Scratch,
    out: &mut Vec<u8>,
) {
    cell(look, &line.name.text, out);
    let spot = line.spot(hit);
    for number in [spot.line, spot.offset, spot.span.start, spot.span.end] {
        out.push(b',');
        json::number(number, out);
    }
    let time = time.map(|time| time.to_string()).unwrap_or_default();
    let field = hit.field.as_deref().unwrap_or_default();
    for text in [&time, hit.object_type, &hit.value, hit.relation.name(), field] {
        out.push(b',');
        cell(look, text, out);
    }
    scratch.indicator(hit.entry, out, |out| {
        let indicator = rules.set.indicator(hit.entry);
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        let labels: Vec<&str> = indicator.labels().collect();
        for text in [
            &*indicator.id(),
            indicator.name().unwrap_or_default(),
            &indicator.confidence().map(|number| number.to_string()).unwrap_or_default(),
            &labels.join(";"),
            &indicator.tlp().map(|tlp| tlp.to_string()).unwrap_or_default(),
            &time(indicator.valid_from()),
            &time(indicator.valid_until()),
            indicator.origin(),
        ] {
            out.push(b',');
            cell(look, text, out);
        }
    });
    out.push(b',');
    if !look.only_matching {
        let shown = line.window(&hit.span);
        let (before, behind) =
            (if shown.cut_before { LEFT_OUT } else { "" }, if shown.cut_behind { LEFT_OUT } else { "" });
        let text = String::from_utf8_lossy(&line.text[shown.range]);
        if before.is_empty() && behind.is_empty() {
            cell(look, &text, out);
        } else {
            cell(look, &[before, &text, behind].concat(), out);
        }
    }
    out.push(b'\n');
}

/// Appends a cell: quoted if need be, and with an apostrophe before what a spreadsheet would take for a formula.
fn cell(look: Look, text: &str, out: &mut Vec<u8>) {
    // Full-width signs begin a formula where the keyboard writes them.
    let formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let plain = |byte: u8| byte > b' ' && byte < 0x7f && byte != b'"' && byte != b',';
    if !formula && text.bytes().all(plain) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.extend_from_slice(if formula { b"\"'" } else { b"\"" });
    let start = out.len();
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        // Controls beyond ASCII are two bytes, the first of which begins letters too.
        let instead: (&[u8], usize) = match byte {
            b'"' => (b"\"\"", 1),
            b'\t' => continue,
            0..=0x1f | 0x7f => (b" ", 1),
            0xc2 if bytes.get(at + 1).is_some_and(|next| *next < 0xa0) => (b" ", 2),
            _ => continue,
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(instead.0);
        copied = at + instead.1;
    }
    out.extend_from_slice(&bytes[copied..]);
    if look.escape {
        let text = out.split_off(start);
        terminal::escape(&text, out);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_have_to_be_and_never_formulas() {
        for (text, expected) in [
            ("", ""),
            ("plain-text", "plain-text"),
            ("two words", "\"two words\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"' =1\""),
            ("\u{ff1d}1", "\"'\u{ff1d}1\""),
            ("a\x1b[2J\0b", "\"a [2J b\""),
            ("b\u{fc}cher", "\"b\u{fc}cher\""),
            ("a\u{9b}31m\u{a0}\u{7f}", "\"a 31m\u{a0} \""),
        ] {
            let mut out = Vec::new();
            cell(Look::default(), text, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{text:?}");
        }
        let mut out = Vec::new();
        cell(Look { escape: true, ..Look::default() }, "\u{202e}txt.exe", &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "\"\\u{202e}txt.exe\"");
    }
}
