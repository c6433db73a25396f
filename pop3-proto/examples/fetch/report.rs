//! What the person at the terminal sees.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _, stderr};

/// Messages on stderr, and a progress bar if that is a terminal.
pub(crate) struct Report {
    bar: ProgressBar,
    problems: u64,
    busy: bool,
}

impl Report {
    /// `busy`: something else is written to stderr, and a bar would be in its way.
    pub(crate) fn new(busy: bool) -> Self {
        Self { bar: ProgressBar::hidden(), problems: 0, busy }
    }

    /// Shows the bar. The octets are what the server announced, and so no more than a guess.
    pub(crate) fn begin(&mut self, octets: u64) {
        if self.busy || !stderr().is_terminal() {
            return;
        }
        self.bar = ProgressBar::with_draw_target(Some(octets), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {msg}") {
            self.bar.set_style(style);
        }
    }

    pub(crate) fn advance(&self, octets: usize) {
        self.bar.inc(u64::try_from(octets).unwrap_or(u64::MAX));
    }

    pub(crate) fn message(&self, number: usize, of: usize) {
        self.bar.set_message(format!("message {number} of {of}"));
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// Something worth knowing.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(stderr(), "fetch: {text}");
        });
    }

    /// Something that makes the whole a failure.
    pub(crate) fn problem(&mut self, text: &str) {
        self.problems = self.problems.saturating_add(1);
        self.note(text);
    }

    pub(crate) const fn problems(&self) -> u64 {
        self.problems
    }
}
