//! What is said of a search on standard error: which indicators could not be looked for, which lines were not what
//! they should be, and what became of the patterns that need several lines.

use super::pipeline::{Scan, Search, Searcher};
use super::unsought;
use crate::cli::Globals;
use crate::cli::error::say;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Once, PoisonError};
use stockade::compile::RuleSet;
use stockade::log::{Choice, Layouts};
use stockade::matcher::eval::session::Figures;
use stockade::matcher::{Hit, Matcher, Scanner};

/// What is written down of a search that is under way.
#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    /// One searcher alone sees the blocks of patterns that need several lines.
    figures: Figures,
    /// Lines that are not what their format asks for, by reason.
    malformed: BTreeMap<&'static str, u64>,
}

/// A matcher that writes down what it meets.
pub(super) struct Recorded {
    matcher: Matcher,
    ledger: Ledger,
    choice: Arc<Choice>,
    /// To be said when a line without fields is met, and when one with fields is; nothing if it is not to be said.
    unsought: [(Once, Vec<String>); 2],
}

impl Recorded {
    pub(super) fn new(matcher: Matcher, ledger: Ledger, choice: Choice, globals: &Globals) -> Self {
        let (mut text, mut fields) = (Vec::new(), Vec::new());
        if !globals.quiet {
            text = unsought::messages(&matcher, matcher.unsought(), "plain text");
            fields = unsought::messages(&matcher, matcher.unsought_in_fields(), "lines with fields");
        }
        Self { matcher, ledger, choice: Arc::new(choice), unsought: [(Once::new(), text), (Once::new(), fields)] }
    }
}

impl Recorded {
    /// The matcher.
    pub(super) fn matcher(&self) -> &Matcher {
        &self.matcher
    }
}

impl Search for Recorded {
    fn searcher(&self) -> Searcher<'_> {
        Box::new(RecordedScan { recorded: self, scanner: self.matcher.scanner() })
    }
    fn rules(&self) -> &RuleSet {
        self.matcher.rules()
    }
    fn is_sequential(&self) -> bool {
        self.matcher.has_sequences()
    }
    fn log_choice(&self) -> Arc<Choice> {
        Arc::clone(&self.choice)
    }
}

/// One thread's part of it.
struct RecordedScan<'r> {
    recorded: &'r Recorded,
    scanner: Scanner<'r>,
}

impl Scan for RecordedScan<'_> {
    fn scan(&mut self, layouts: &Layouts, text: &[u8], hits: &mut Vec<Hit>) {
        let Recorded { matcher, ledger, unsought, .. } = self.recorded;
        let (plain, structured) = layouts.kinds();
        for ((once, messages), met) in unsought.iter().zip([plain, structured]) {
            if met {
                once.call_once(|| messages.iter().for_each(say));
            }
        }
        self.scanner.scan_as(layouts, text, hits);
        let malformed = self.scanner.take_malformed();
        if matcher.has_sequences() || !malformed.is_empty() {
            let mut pages = ledger.0.lock().unwrap_or_else(PoisonError::into_inner);
            pages.figures = self.scanner.figures();
            for (reason, lines) in malformed {
                *pages.malformed.entry(reason).or_default() += lines;
            }
        }
    }

    fn kept_blocks(&self) -> BTreeSet<u64> {
        self.scanner.kept_blocks()
    }
}

impl Ledger {
    /// Says what was kept if that was asked for, and in any case what may have cost a hit.
    pub(super) fn say(&self, globals: &Globals) {
        let Pages { figures, malformed } = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (reason, lines) in malformed {
            let what = if lines == 1 { "line" } else { "lines" };
            globals.warn(format_args!("{lines} {what} searched as plain text: {reason}"));
        }
        let Figures { observations, kept, dropped, late, undetermined, untimed } = figures;
        if observations == 0 {
            return;
        }
        let text = format!(
            "patterns that need several lines: {observations} lines hold a part of one, {kept} kept to the end, \
             {dropped} forgotten early, {late} out of order, {undetermined} questions left open by a limit"
        );
        if untimed > 0 {
            globals.warn(format_args!(
                "{untimed} lines hold a part of a pattern that asks for times, and state none: FOLLOWEDBY, WITHIN and \
                 START STOP cannot be told of them"
            ));
        }
        if globals.verbose {
            say(text);
        } else if dropped > 0 || undetermined > 0 {
            globals.warn(format_args!("{text}; hits may be missing"));
        }
    }
}
