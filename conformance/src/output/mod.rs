//! What a run has to say, for people and for programs.

pub mod coverage;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod matrix;

use crate::case::Role;
use crate::catalogue::{self, Requirement};
use crate::run::{Outcome, Result};

/// A run that is over.
///
/// ```
/// use pop3_conformance::output::human::{self, Colours, Volume};
/// use pop3_conformance::output::{Run, html, json, junit, markdown};
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("rfc1939/5/stat"), &Ours::in_memory(), 1, &|| {});
/// let run = Run { subject: "my server 1.2", command: "cargo test --test pop3", strict: false, results: &results };
/// println!("{}", human::report(&run, Volume::Usual, Colours::Off));
/// assert!(junit::report(&run)?.contains("<testsuite"));
/// assert!(json::report(&run).contains("my server 1.2") && html::report(&run).contains("my server 1.2"));
/// assert!(markdown::report(&run).contains("my server 1.2"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// Who was checked, in a line.
    pub subject: &'r str,
    /// The command line that repeats the run, without `--only`.
    pub command: &'r str,
    /// Whether warnings fail.
    pub strict: bool,
    /// What became of each case, in order.
    pub results: &'r [Result],
}

impl Run<'_> {
    /// The command line that runs this case alone.
    #[must_use]
    pub fn again(&self, result: &Result) -> String {
        let (program, rest) = self.command.split_once(' ').unwrap_or((self.command, ""));
        let again = format!("{program} --only {} {rest}", result.id);
        again.trim_end().to_owned()
    }

    /// What became of the cases, counted.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for result in self.results {
            totals.count(result, self.strict);
        }
        totals
    }

    /// The same for each section and role: the RFCs by their numbers, the groups of mistakes, the fault matrix.
    #[must_use]
    pub fn sections(&self) -> Vec<(String, Role, Totals)> {
        let mut sections: Vec<(String, Role, Totals)> = Vec::new();
        for result in self.results {
            let section = section(result.id);
            let at = sections.iter().position(|(known, role, _)| known == section && *role == result.role);
            let at = at.unwrap_or_else(|| {
                sections.push((section.to_owned(), result.role, Totals::default()));
                sections.len() - 1
            });
            sections[at].2.count(result, self.strict);
        }
        sections.sort_by_key(|(section, role, _)| (place(section), *role));
        sections
    }
}

/// The part of a case's id in front of its name: `rfc1939/5`.
#[must_use]
pub fn section(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(section, _)| section)
}

/// Where a section stands among the others: `rfc1939/10` behind `rfc1939/9`, groups behind all RFCs, faults last and in
/// the order of a session.
fn place(section: &str) -> (u32, Vec<u32>) {
    let (book, chapter) = section.split_once('/').unwrap_or((section, ""));
    let numbers = chapter.split('.').filter_map(|number| number.parse().ok()).collect();
    match book.strip_prefix("rfc").and_then(|rfc| rfc.parse().ok()) {
        Some(rfc) => (rfc, numbers),
        None if book == "group" => (u32::MAX - 1, numbers),
        None => (u32::MAX, Vec::new()),
    }
}

/// The requirements that a case covers.
pub fn requirements(result: &Result) -> impl Iterator<Item = &'static Requirement> {
    result.requirements.iter().filter_map(|id| catalogue::requirement(id))
}

/// How many cases became what.
///
/// ```
/// use pop3_conformance::output::Run;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("rfc1939/5/stat"), &Ours::in_memory(), 1, &|| {});
/// let totals = Run { subject: "", command: "", strict: true, results: &results }.totals();
/// assert!(totals.conforms());
/// assert_eq!((totals.all(), totals.failed), (results.len(), 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// As the RFC says.
    pub passed: usize,
    /// The same, with something to report.
    pub noted: usize,
    /// Not as the RFC recommends.
    pub warned: usize,
    /// Not as the RFC says, and not known before.
    pub failed: usize,
    /// Not as the RFC says, which was known.
    pub known: usize,
    /// Known to fail, and did not.
    pub unexpected: usize,
    /// Not run.
    pub skipped: usize,
}

impl Totals {
    fn count(&mut self, result: &Result, strict: bool) {
        let field = match &result.outcome {
            _ if result.is_unexpected_pass() => &mut self.unexpected,
            Outcome::Pass => &mut self.passed,
            Outcome::Note(_) => &mut self.noted,
            Outcome::Fail(_) | Outcome::Warn(_) if result.expected.is_some() => &mut self.known,
            Outcome::Warn(_) if strict => &mut self.failed,
            Outcome::Warn(_) => &mut self.warned,
            Outcome::Fail(_) => &mut self.failed,
            Outcome::Skipped(_) => &mut self.skipped,
        };
        *field += 1;
    }

    /// All of them.
    #[must_use]
    pub const fn all(&self) -> usize {
        self.passed + self.noted + self.warned + self.failed + self.known + self.unexpected + self.skipped
    }

    /// Whether the run conforms.
    #[must_use]
    pub const fn conforms(&self) -> bool {
        self.failed == 0 && self.unexpected == 0
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed + self.noted, self.failed, self.skipped)?;
        for (count, word) in [
            (self.warned, "warnings"),
            (self.noted, "with a note"),
            (self.known, "known deviations"),
            (self.unexpected, "known deviations that did not show"),
        ] {
            if count > 0 {
                write!(f, ", {count} {word}")?;
            }
        }
        Ok(())
    }
}
