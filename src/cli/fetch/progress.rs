//! How far polls have come, on a terminal.

use crate::cli::Globals;
use crate::cli::terminal::ProgressChoice;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

/// How long a poll may take before a bar is worth while.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two drawings.
const TICK: Duration = Duration::from_millis(200);

/// Objects between two looks of the bar.
const STEP: u64 = 512;

/// A bar for each source that is being polled.
pub(super) struct Bars(Option<MultiProgress>);

impl Bars {
    pub(super) fn new(globals: &Globals) -> Self {
        // Results are printed while the bars are away, so that both may share a terminal.
        let wanted = globals.progress == ProgressChoice::Auto && !globals.quiet && stderr().is_terminal();
        Self(wanted.then(MultiProgress::new))
    }

    /// No bars at all.
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn add(&self, name: &str) -> Bar {
        let Some(bars) = &self.0 else { return Bar(None) };
        let bar = bars.add(ProgressBar::no_length());
        let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}{human_pos} objects, {per_sec}, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(name.to_owned());
        let waiting = bar.downgrade();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            if let Some(bar) = waiting.upgrade().filter(|bar| !bar.is_finished()) {
                bar.enable_steady_tick(TICK);
            }
        });
        Bar(Some(bar))
    }

    /// Prints something while the bars are away.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

/// The bar of one source.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// The bar, once it is worth while.
    fn shown(&self) -> Option<&ProgressBar> {
        self.0.as_ref().filter(|bar| bar.elapsed() > PATIENCE)
    }

    /// How many objects have come so far.
    pub(super) fn objects(&self, count: u64) {
        if let Some(bar) = self.shown().filter(|_| count.is_multiple_of(STEP)) {
            bar.set_position(count);
        }
    }

    /// How many parts of the source have been read, of how many.
    pub(super) fn parts(&self, what: &str, done: u64, of: Option<u64>) {
        if let Some(bar) = self.shown() {
            let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
            bar.set_message(format!("{what} {done}{of}, "));
        }
    }

    /// How many objects there are in all, if the server said so: then the time left can be told.
    pub(super) fn total(&self, objects: Option<u64>) {
        if let (Some(bar), Some(objects)) = (self.shown(), objects)
            && bar.length() != Some(objects)
        {
            let style = ProgressStyle::with_template(
                "{spinner} {prefix}: {msg}{human_pos} of {human_len} objects, {per_sec}, {eta} left",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.set_length(objects);
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
