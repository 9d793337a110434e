//! What became of the patterns that need several lines: how much of the log was kept for them, and what was let go.

use super::pipeline::{Search, Searcher};
use crate::cli::Globals;
use crate::cli::error::say;
use std::sync::{Arc, Mutex, PoisonError};
use stockade::compile::RuleSet;
use stockade::matcher::Matcher;
use stockade::matcher::eval::session::Figures;

/// The figures of a search that is under way; one searcher alone sees the blocks of patterns that need several lines.
#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<Figures>>);

/// A matcher that writes its figures down.
pub(super) struct Recorded {
    pub(super) matcher: Matcher,
    pub(super) ledger: Ledger,
}

impl Search for Recorded {
    fn searcher(&self) -> Searcher<'_> {
        if !self.matcher.has_sequences() {
            return self.matcher.searcher();
        }
        let mut scanner = self.matcher.scanner();
        Box::new(move |text, hits| {
            scanner.scan(text, hits);
            *self.ledger.0.lock().unwrap_or_else(PoisonError::into_inner) = scanner.figures();
        })
    }
    fn rules(&self) -> &RuleSet {
        self.matcher.rules()
    }
    fn is_sequential(&self) -> bool {
        self.matcher.is_sequential()
    }
}

impl Ledger {
    /// Says what was kept if that was asked for, and in any case what may have cost a hit.
    pub(super) fn say(&self, globals: &Globals) {
        let figures = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
