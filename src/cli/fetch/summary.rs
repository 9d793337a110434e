//! What came of a poll, in a line for people or in JSON, and what they should know besides.

use super::poll::Report;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// A line for people: what changed, then what there is.
pub(super) fn text(report: &Report) -> String {
    let dry = if report.dry_run { "dry run, nothing written: " } else { "" };
    format!("{}: {dry}{}", report.source, what(report))
}

/// The same without the name.
pub(super) fn what(report: &Report) -> String {
    let poll = &report.poll;
    let aside: u64 = report.asides.0.values().map(|group| group.count).sum();
    let counts = [
        (poll.new, "new"),
        (poll.updated, "updated"),
        (poll.revoked, "revoked"),
        (poll.expired, "expired"),
        (poll.removed, "removed"),
        (poll.unchanged, "unchanged"),
        (aside, "set aside"),
    ];
    let mut said: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if report.result.as_ref().is_ok_and(|done| done.same) {
        said = vec!["unchanged, as the server says".to_owned()];
    } else if said.is_empty() {
        said.push("nothing new".to_owned());
    }
    let mut line = String::new();
    // Writing to memory cannot fail.
    let active = report.counts.indicators.saturating_sub(report.counts.revoked);
    let held = if report.dry_run { "would be kept" } else { "kept" };
    let _ = write!(line, "{}; {} {held}", said.join(", "), indicators(active));
    if report.took.as_secs() > 0 {
        let _ = write!(line, "; {}", time(report.took));
    }
    line
}

/// The same for programs.
pub(super) fn json(report: &Report) -> String {
    #[derive(serde::Serialize)]
    struct Row<'a> {
        source: &'a str,
        ok: bool,
        error: Option<&'a str>,
        dry_run: bool,
        not_modified: bool,
        new: u64,
        updated: u64,
        revoked: u64,
        expired: u64,
        unchanged: u64,
        removed: u64,
        set_aside: BTreeMap<&'a str, u64>,
        gaps: u64,
        objects: u64,
        indicators: u64,
        seconds: f64,
    }
    let poll = &report.poll;
    let row = Row {
        source: &report.source,
        ok: report.result.is_ok(),
        error: report.result.as_ref().err().map(String::as_str),
        dry_run: report.dry_run,
        not_modified: report.result.as_ref().is_ok_and(|done| done.same),
        new: poll.new,
        updated: poll.updated,
        revoked: poll.revoked,
        expired: poll.expired,
        unchanged: poll.unchanged,
        removed: poll.removed,
        set_aside: report.asides.0.iter().map(|(reason, group)| (reason.as_str(), group.count)).collect(),
        gaps: poll.gaps,
        objects: report.counts.objects,
        indicators: report.counts.indicators.saturating_sub(report.counts.revoked),
        seconds: (report.took.as_secs_f64() * 1000.0).round() / 1000.0,
    };
    // Texts and numbers always become JSON.
    serde_json::to_string(&row).unwrap_or_default()
}

/// What was set aside, by reason with the first of each; and gaps.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    let name = &report.source;
    let mut lines: Vec<String> = report.notes.iter().map(|note| format!("{name}: {note}")).collect();
    for (reason, group) in &report.asides.0 {
        lines.push(format!("{name}: {} set aside: {reason}", group.count));
        lines.extend(group.examples.iter().map(|example| format!("  {example}")));
        let more = group.count - group.examples.len() as u64;
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
    }
    // A gap that made the poll fail is told by the failure.
    if report.poll.gaps > 0 && report.result.is_ok() {
        let gaps = report.poll.gaps;
        lines.push(format!("{name}: {gaps} possible gap(s): the server may hold objects that it did not give"));
    }
    let empty = report.result.is_ok() && report.counts.indicators == 0;
    if empty {
        lines.push(format!("{name}: no indicators"));
    }
    lines
}

/// So many indicators.
pub(crate) fn indicators(count: u64) -> String {
    format!("{count} indicator{}", if count == 1 { "" } else { "s" })
}

/// A length of time for people.
pub(super) fn time(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", took.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
