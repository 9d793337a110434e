//! The part of the page above the table: what was found, when, and what most often.

use super::super::super::gather::{Counts, Limited, by_count};
use super::super::Run;
use super::Rows;
use super::escape::{fragment, html};
use std::collections::BTreeMap;
use std::io::{self, Write};
use stockade::compile::RuleSet;
use stockade::stix::Timestamp;

/// How many of a list are shown.
const SHOWN: usize = 10;
/// How many bars the timeline has at most.
const BARS: i64 = 120;
const HOUR: i64 = 3600;
/// What a bar may stand for, in hours.
const STEPS: [i64; 10] = [1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 28, 24 * 364];

/// One row of a list: what a link to it filters by, what it is called, and how often.
struct Item {
    link: String,
    title: String,
    note: String,
    hits: u64,
}

pub(super) fn write(counts: &Counts, rows: &Rows, rules: &RuleSet, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<a class=\"skip\" href=\"#hits\">Skip to the hits</a>\n<header>\n<h1>Indicators in logs</h1>\n<p class=\"dim\">")?;
    write!(out, "Judged at {}", html(&minute(run.at)))?;
    write!(
        out,
        " &middot; generation <code>{}</code> &middot; stockade {}",
        html(&run.generation),
        env!("CARGO_PKG_VERSION")
    )?;
    out.write_all(b"</p>\n</header>\n<main>\n<dl class=\"tiles\">\n")?;
    for (name, count) in [
        ("Hits", counts.hits),
        ("Lines", counts.lines),
        ("Indicators", counts.indicators.len() as u64),
        ("Inputs", counts.sources.len() as u64),
    ] {
        writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", grouped(count))?;
    }
    if let Some((first, last)) = counts.span.0 {
        let (first, last) = (html(&minute(first)).to_string(), html(&minute(last)).to_string());
        writeln!(out, "<div class=\"wide\"><dt>Time</dt><dd>{first}<br>{last}</dd></div>")?;
    }
    out.write_all(b"</dl>\n")?;
    if rows.left_out > 0 {
        writeln!(
            out,
            "<p class=\"notice\">The table below holds {} of {} hits: the first ones, and at least the first of each \
             indicator as far as there is room. All counts are of all hits.</p>",
            grouped(rows.kept.len() as u64),
            grouped(counts.hits)
        )?;
    }
    timeline(counts, out)?;
    out.write_all(b"<div class=\"lists\">\n")?;
    lists(counts, rules, out)?;
    out.write_all(
        b"</div>\n<section id=\"hits\" tabindex=\"-1\" aria-label=\"Hits\">\n<h2>Hits</h2>\n\
          <noscript><p class=\"notice\">The table needs the script of this page, which is not allowed to run here.</p></noscript>\n\
          <div id=\"table\"></div>\n</section>\n</main>\n",
    )
}

fn lists(counts: &Counts, rules: &RuleSet, out: &mut dyn Write) -> io::Result<()> {
    let top = counts.top_indicators();
    let indicators = top.iter().take(SHOWN).map(|(entry, tally)| {
        let indicator = rules.indicator(*entry);
        let id = indicator.id();
        let (title, note) = match indicator.name() {
            Some(name) => (name.to_owned(), id.clone()),
            None => (tally.value.to_string(), id.clone()),
        };
        Item { link: format!("indicator={}", fragment(&id)), title, note, hits: tally.hits }
    });
    list("Top indicators", indicators, top.len(), 0, out)?;
    let mut sources: Vec<_> = counts.sources.iter().collect();
    sources.sort_by_key(|source| std::cmp::Reverse(source.hits));
    let inputs = sources.iter().take(SHOWN).map(|source| {
        let (link, title) =
            (format!("input={}", fragment(&super::escape::shown(&source.name.text))), source.name.text.clone());
        Item { link, title, note: counted(source.lines, "line", "lines"), hits: source.hits }
    });
    list("Inputs", inputs, sources.len(), counts.other_sources, out)?;
    let simple = |name: &str, text: &str, hits: u64| {
        let link = format!("{name}={}", fragment(&super::escape::shown(text)));
        Item { link, title: text.to_owned(), note: String::new(), hits }
    };
    let Limited { counts: fields, other } = &counts.fields;
    let named = by_count(fields).into_iter().take(SHOWN).map(|(field, hits)| simple("field", field, hits));
    list("Fields", named, fields.len(), *other, out)?;
    out.write_all(b"<div class=\"stack\">\n")?;
    let types = by_count(&counts.types).into_iter().map(|(kind, hits)| simple("type", kind, hits));
    list("Types", types, counts.types.len(), 0, out)?;
    let relations = by_count(&counts.relations).into_iter().map(|(kind, hits)| simple("relation", kind, hits));
    list("Relations", relations, counts.relations.len(), 0, out)?;
    out.write_all(b"</div>\n")
}

fn list(name: &str, items: impl Iterator<Item = Item>, all: usize, other: u64, out: &mut dyn Write) -> io::Result<()> {
    if all == 0 {
        return Ok(());
    }
    let items: Vec<Item> = items.collect();
    let most = items.iter().map(|item| item.hits).max().unwrap_or(1).max(1);
    writeln!(out, "<section class=\"list\">\n<h2>{name}</h2>\n<ol>")?;
    for Item { link, title, note, hits } in &items {
        write!(out, "<li><a href=\"#{link}\"><span class=\"name\">{}", html(title))?;
        if !note.is_empty() {
            write!(out, "<small>{}</small>", html(note))?;
        }
        writeln!(
            out,
            "</span><span class=\"count\">{}</span><svg viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\"><rect width=\"{}\" height=\"1\"/></svg></a></li>",
            grouped(*hits),
            (hits * 100).div_ceil(most)
        )?;
    }
    out.write_all(b"</ol>\n")?;
    if all > items.len() {
        writeln!(out, "<p class=\"dim\">and {} more</p>", grouped((all - items.len()) as u64))?;
    }
    if other > 0 {
        writeln!(out, "<p class=\"dim\">and {} hits that are not told apart</p>", grouped(other))?;
    }
    out.write_all(b"</section>\n")
}

/// One in so many hits may be a stray, at either end.
const STRAYS: u64 = 200;

/// The first and the last hour that the timeline has to show: all hits, unless at one end a few strays (a clock that was
/// wrong, a year that somebody made up) would leave no room for the rest.
fn range(hours: &BTreeMap<i64, u64>) -> Option<(i64, i64)> {
    let (first, last) = (*hours.first_key_value()?.0, *hours.last_key_value()?.0);
    let most = hours.values().sum::<u64>() / STRAYS;
    let (Some(begin), Some(end)) = (inner(hours.iter(), most), inner(hours.iter().rev(), most)) else {
        return Some((first, last));
    };
    let far = |gap: i64| gap > 3 * (end - begin + 24);
    Some((if far(begin - first) { begin } else { first }, if far(last - end) { end } else { last }))
}

/// The first hour, coming from one end, before which there are more hits than may be strays.
fn inner<'h>(mut from_end: impl Iterator<Item = (&'h i64, &'h u64)>, most: u64) -> Option<i64> {
    let mut passed = 0;
    let found = from_end.find(|(_, count)| {
        passed += **count;
        passed > most
    });
    found.map(|(hour, _)| *hour)
}

/// Bars of equal length of time.
fn timeline(counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
    let hours = &counts.hours.counts;
    let Some((first, last)) = range(hours) else { return Ok(()) };
    let bars_of = |step: i64| last.div_euclid(step) - first.div_euclid(step) + 1;
    let step = STEPS.into_iter().find(|step| bars_of(*step) <= BARS).unwrap_or_else(|| (last - first) / (BARS - 1) + 1);
    // Hours are shown as part of whole days.
    let whole_days = step == 1 && last.div_euclid(24) - first.div_euclid(24) < BARS / 24;
    let (start, end) = if whole_days {
        (first.div_euclid(24) * 24, last.div_euclid(24) * 24 + 23)
    } else {
        (first.div_euclid(step), last.div_euclid(step))
    };
    let mut bars = vec![0_u64; usize::try_from(end - start + 1).unwrap_or(1)];
    let shown = start * step..(end + 1) * step;
    let (earlier, later) = (hours.range(..shown.start), hours.range(shown.end..));
    for (hour, count) in hours.range(shown.clone()) {
        if let Some(bar) = bars.get_mut(usize::try_from(hour.div_euclid(step) - start).unwrap_or(usize::MAX)) {
            *bar += count;
        }
    }
    let most = bars.iter().copied().max().unwrap_or(1).max(1);
    let unit = match step {
        1 => "by hour".to_owned(),
        24 => "by day".to_owned(),
        step if step % 24 == 0 => format!("by {} days", step / 24),
        step => format!("by {step} hours"),
    };
    let width = bars.len() * 10;
    write!(
        out,
        "<section class=\"timeline\">\n<h2>Over time <small>{unit}, UTC; most {}</small></h2>\n\
         <svg viewBox=\"0 0 {width} 100\" preserveAspectRatio=\"none\" role=\"group\" aria-label=\"Hits {unit}\">\n",
        grouped(most)
    )?;
    let begin = |at: usize| Timestamp::from_unix((start + i64::try_from(at).unwrap_or(0)) * step * HOUR, 0);
    let mut only_one_in_the_order_of_tabs = "0";
    for (at, count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
        let (from, to) = (begin(at), begin(at + 1));
        // The smallest bar is still to be seen.
        let height = (count * 98).div_ceil(most) + 2;
        writeln!(
            out,
            "<a href=\"#time={},{}\" tabindex=\"{only_one_in_the_order_of_tabs}\"><title>{}, {}</title>\
             <rect class=\"hover\" x=\"{x}\" y=\"0\" width=\"10\" height=\"100\"/>\
             <rect x=\"{x}\" y=\"{}\" width=\"9\" height=\"{height}\"/></a>",
            from.seconds,
            to.seconds,
            html(&minute(from)),
            counted(*count, "hit", "hits"),
            100 - height,
            x = at * 10,
        )?;
        only_one_in_the_order_of_tabs = "-1";
    }
    let (from, to) = (minute(begin(0)), minute(begin(bars.len())));
    write!(out, "</svg>\n<p class=\"axis dim\"><span>{}</span><span>{}</span></p>\n", html(&from), html(&to))?;
    for (count, what) in
        [(earlier.map(|(_, count)| count).sum(), "before"), (later.map(|(_, count)| count).sum(), "after")]
    {
        if count > 0 {
            writeln!(out, "<p class=\"dim\">{} long {what} this time</p>", counted(count, "hit", "hits"))?;
        }
    }
    if counts.untimed > 0 {
        writeln!(out, "<p class=\"dim\">{} on lines that state no time</p>", counted(counts.untimed, "hit", "hits"))?;
    }
    out.write_all(b"</section>\n")
}

/// An instant to the minute.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..16).map_or_else(|| text.clone(), |text| format!("{} UTC", text.replace('T', " ")))
}

/// `1 hit`, `2,000 hits`.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strays_leave_room_for_the_rest() {
        let mut hours: BTreeMap<i64, u64> = (1000..1100).map(|hour| (hour, 10)).collect();
        assert_eq!(range(&hours), Some((1000, 1099)));
        hours.extend([(-500_000, 2), (900_000, 1), (900_001, 1)]);
        assert_eq!(range(&hours), Some((1000, 1099)));
        // Too many to be strays, and then there is room.
        hours.insert(-500_000, 20);
        assert_eq!(range(&hours), Some((-500_000, 900_001)));
        // Near enough.
        assert_eq!(range(&BTreeMap::from([(990, 1), (1000, 1000), (1100, 1000)])), Some((990, 1100)));
        assert_eq!((range(&BTreeMap::new()), range(&BTreeMap::from([(7, 1)]))), (None, Some((7, 7))));
    }

    #[test]
    fn numbers_are_read_by_groups() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
