//! Blocklists as bytes: one file per output format under `format/`.
//!
//! A format writes from typed values alone: addresses as numbers, names, URLs and digests whose every byte was looked at
//! on the way (`View`). So no indicator can end a line, a quote or a block of the target's syntax, whatever it says.
//! What a format writes is a function of the list; the header and the serial of a zone alone tell of time.
//!
//! ```
//! use stockade::blocklist::Subdomains;
//! use stockade::render::Format;
//!
//! let rpz = Format::named("rpz").unwrap();
//! assert_eq!(rpz.kind_names(), ["domain", "ip"]);
//! assert_eq!(rpz.subdomains, Subdomains::Option);
//! assert!(Format::named("gopher").is_none());
//! ```

mod format;
mod out;
mod rows;
mod view;

use crate::blocklist::{Blocklist, Capabilities, Item, Reason, Refusal, Refuses, Subdomains};
use crate::observable::Kind;
use out::Out;
use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;
use view::View;

/// A format of output: what it can say, and how it is written.
pub struct Format {
    /// Its name in flags and configuration.
    pub name: &'static str,
    /// What reads it, in a few words.
    pub about: &'static str,
    /// What it can carry.
    pub kinds: &'static [Kind],
    /// A file holds one kind only, so that one has to be chosen.
    pub one_kind: bool,
    /// Whether a listed name stands for the names below it.
    pub subdomains: Subdomains,
    /// Whether a name below a listed one can be kept reachable.
    pub exceptions: bool,
    /// Adjacent prefixes are merged; otherwise each stays as it is listed, since the format tells by whom.
    pub merge: bool,
    /// The most entries that the target loads.
    pub max_entries: Option<usize>,
    /// What it can tell its target to do, the usual first. Empty where the configuration of the target decides.
    pub actions: &'static [Action],
    /// What a comment begins with; `None` if the format knows no comments.
    pub comment: Option<&'static str>,
    refuses: fn(Item<'_>, &Options) -> Option<Refusal>,
    body: fn(&View<'_>, &Options, &mut Out<'_>) -> io::Result<()>,
}

/// What is done with traffic to a listed name or address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// The name does not exist.
    #[default]
    Nxdomain,
    /// The name has no addresses.
    Nodata,
    /// No answer, no packet.
    Drop,
    /// A refusal: REFUSED, or a reset connection.
    Refuse,
    /// The addresses of a sinkhole.
    Sinkhole,
}

/// How a list is to be written.
#[derive(Clone, Debug)]
pub struct Options {
    /// Kinds to write, of those that the format carries; empty for all of them.
    pub kinds: Vec<Kind>,
    /// What is done; a format that cannot say it does what it usually does.
    pub action: Action,
    /// Addresses of the sinkhole.
    pub sinkhole: Vec<IpAddr>,
    /// Name of the zone, in normal form without trailing dot.
    pub zone: String,
    /// Serial number of the zone; a newer one must be greater (RFC 1982).
    pub serial: u32,
    /// Seconds until an entry is forgotten unless it is written again, where the format has timeouts.
    pub timeout: Option<u32>,
    /// The time of writing, for the header; `None` for no header.
    pub built: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            action: Action::Nxdomain,
            sinkhole: Vec::new(),
            zone: "rpz.stockade".to_owned(),
            serial: 1,
            timeout: None,
            built: None,
        }
    }
}

/// What a list came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Values written, of every kind.
    pub entries: usize,
    /// Values of the list that the format cannot hold. None, if the policy knew the format's capabilities and target.
    pub refused: usize,
}

impl Format {
    /// The format of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|format| format.name == name)
    }

    /// All formats.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        format::TABLE.iter().flat_map(|family| family.formats)
    }

    /// The kinds that it can carry, as configuration files name them.
    pub fn kind_names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        names.dedup();
        names
    }

    /// What the policy has to know, with the kinds that are to be written and [`Self::refuses`] under the options.
    pub fn capabilities<'f>(&self, kinds: &'f [Kind], refuses: Refuses<'f>) -> Capabilities<'f> {
        let Self { subdomains, exceptions, merge, max_entries, .. } = *self;
        Capabilities { kinds, subdomains, exceptions, merge, max_entries, refuses }
    }

    /// Why a value cannot be written, although it is of a kind that the format carries.
    pub fn refuses(&self, item: Item<'_>, options: &Options) -> Option<Refusal> {
        if !view::is_legitimate(item) {
            return Some(Refusal { reason: Reason::Invalid, detail: "not in normal form" });
        }
        // In any format: plain lists are made into policy zones too.
        if let Item::Name(name) = item
            && name.rsplit('.').next().is_some_and(|last| last.starts_with("rpz-"))
        {
            let detail = "a name below rpz- is a trigger of another sort in a policy zone";
            return Some(Refusal { reason: Reason::Invalid, detail });
        }
        (self.refuses)(item, options)
    }

    /// Writes a list.
    ///
    /// # Errors
    /// The sink takes no more.
    pub fn write(&self, list: &Blocklist<'_>, options: &Options, sink: &mut dyn Write) -> io::Result<Written> {
        let view = View::new(list, self, options);
        let mut out = Out::new(sink);
        if let (Some(sign), Some(built)) = (self.comment, &options.built) {
            self.header(sign, built, list, &mut out)?;
        }
        (self.body)(&view, options, &mut out)?;
        out.flush()?;
        Ok(view.written())
    }

    /// One line of provenance; the number is that of its layout.
    fn header(&self, sign: &'static str, built: &str, list: &Blocklist<'_>, out: &mut Out<'_>) -> io::Result<()> {
        let counts = list.counts();
        out.text(sign).text(" stockade 1 format=").text(self.name);
        out.text(" built=").word(built);
        for (name, count) in [
            (" sources=", counts.sources),
            (" indicators=", counts.indicators),
            (" emitted=", counts.emitted),
            (" collapsed=", counts.collapsed),
            (" allowlisted=", counts.allowlisted),
            (" guarded=", counts.guarded),
        ] {
            out.text(name).number(count as u64);
        }
        if let Some(expires) = list.expires() {
            out.text(" expires=").word(&expires.to_string());
        }
        out.text(" sha256=").word(list.sha256()).end()
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Format").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Action {
    /// The action of a name in configuration files.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Nxdomain, Self::Nodata, Self::Drop, Self::Refuse, Self::Sinkhole]
            .into_iter()
            .find(|action| action.name() == name)
    }

    /// Its name in configuration files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nxdomain => "nxdomain",
            Self::Nodata => "nodata",
            Self::Drop => "drop",
            Self::Refuse => "refuse",
            Self::Sinkhole => "sinkhole",
        }
    }
}

impl Options {
    /// What a format does: what was asked for if it can say it, else what it usually does.
    fn action_of(&self, format: &Format) -> Action {
        let usual = format.actions.first().copied().unwrap_or_default();
        let asked = self.action;
        let known = format.actions.contains(&asked) && (asked != Action::Sinkhole || !self.sinkhole.is_empty());
        if known { asked } else { usual }
    }
}
