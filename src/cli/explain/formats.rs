//! Which blocklist formats can carry a pattern.

use serde::Serialize;
use std::io::{self, Write};
use stockade::compile::{Lowered, Seek};
use stockade::render::Format;

/// Whether a format can carry a pattern.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Carried {
    pub(super) name: &'static str,
    pub(super) carries: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// Every format, and whether it can carry a pattern.
pub(super) fn carried(lowered: &Lowered) -> Vec<Carried> {
    let mut kinds: Vec<&'static str> = Vec::new();
    for seek in &lowered.exact {
        if let Seek::Atom(atom) = seek
            && !kinds.contains(&atom.value.kind().name())
        {
            kinds.push(atom.value.kind().name());
        }
    }
    let nothing = nothing_to_block(lowered, &kinds);
    let row = |format: &'static Format| {
        let these = format.kind_names();
        let reason = match nothing {
            Some(reason) => Some(reason.to_owned()),
            None => (!kinds.iter().any(|kind| these.contains(kind)))
                .then(|| format!("only for {}; the pattern names {}", these.join(", "), kinds.join(", "))),
        };
        Carried { name: format.name, carries: reason.is_none(), reason }
    };
    Format::all().map(row).collect()
}

/// The formats as text: those that can carry the pattern, and the others by reason.
pub(super) fn text(out: &mut impl Write, formats: &[Carried]) -> io::Result<()> {
    let mut groups: Vec<(Option<&str>, Vec<&str>)> = vec![(None, Vec::new())];
    for format in formats {
        let reason = format.reason.as_deref();
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(format.name),
            None => groups.push((reason, vec![format.name])),
        }
    }
    for (reason, names) in groups {
        match reason {
            None if names.is_empty() => {}
            None => writeln!(out, "  yes: {}", names.join(", "))?,
            Some(reason) if names.len() == formats.len() => writeln!(out, "  none: {reason}")?,
            Some(reason) => writeln!(out, "  no: {}\n      {reason}", names.join(", "))?,
        }
    }
    Ok(())
}

/// Why no format can carry a pattern.
fn nothing_to_block(lowered: &Lowered, kinds: &[&str]) -> Option<&'static str> {
    if !kinds.is_empty() {
        return None;
    }
    let texts = |seek: &Seek| !matches!(seek, Seek::Atom(_));
    Some(match () {
        () if lowered.exact.iter().any(texts) => "only addresses, names, URLs, mail addresses and hashes go into lists",
        () if lowered.sequence => "it asks for several observations or for their time; no value alone is a match",
        () if lowered.cover.is_none() => "it names no value that would be a match",
        () => "no value alone is a match: more than one test has to hold",
    })
}
