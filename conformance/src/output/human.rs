//! The report that people read on a terminal.

use super::{Run, requirements};
use crate::case::Role;
use crate::run::{Outcome, Result};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How much is printed.
///
/// ```
/// use pop3_conformance::output::Run;
/// use pop3_conformance::output::human::{Colours, Volume, report};
///
/// let run = Run { subject: "nobody", command: "", strict: false, results: &[] };
/// let quiet = report(&run, Volume::Quiet, Colours::Off);
/// assert_eq!(quiet.lines().count(), 1); // the total alone
/// assert!(report(&run, Volume::Usual, Colours::Off).ends_with(&quiet));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// What failed, and the total.
    Quiet,
    /// The table of the sections, what failed, warnings, notes.
    Usual,
    /// Every case, and why it was skipped.
    Verbose,
}

/// With or without colours.
///
/// ```
/// use pop3_conformance::output::human::Colours;
/// use std::io::IsTerminal;
///
/// let colours = if std::io::stdout().is_terminal() { Colours::On } else { Colours::Off };
/// println!("{}", colours.paint("32", "conforms"));
/// assert_eq!(Colours::Off.paint("32", "conforms"), "conforms");
/// assert_eq!(Colours::On.paint("32", "conforms"), "\x1b[32mconforms\x1b[0m");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Escape sequences.
    On,
    /// Plain text.
    Off,
}

impl Colours {
    /// The text in a colour.
    #[must_use]
    pub fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Self::On => format!("\x1b[{colour}m{text}\x1b[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

/// The whole report.
#[must_use]
pub fn report(run: &Run<'_>, volume: Volume, colours: Colours) -> String {
    let mut text = String::new();
    if volume >= Volume::Usual {
        table(&mut text, run, colours);
    }
    if volume == Volume::Usual {
        skipped(&mut text, run);
    }
    if volume == Volume::Verbose {
        for result in run.results {
            case(&mut text, run, &[result], volume, colours);
        }
    } else {
        for same in folded(run) {
            case(&mut text, run, &same, volume, colours);
        }
    }
    let totals = run.totals();
    let colour = if totals.conforms() { GREEN } else { RED };
    let words = format!("{}: {} cases, {totals}", run.subject, totals.all());
    line(&mut text, &colours.paint(colour, &words));
    text
}

/// Where a failure lies: the RFC's words, what was sent, what was expected, what came, and how to see it again.
#[must_use]
pub fn explanation(run: &Run<'_>, result: &Result) -> String {
    let mut text = String::new();
    for requirement in requirements(result) {
        line(&mut text, &format!("{} ({}): \"{}\"", requirement.place(), requirement.id, requirement.quote));
    }
    if let Some(difference) = result.outcome.difference() {
        for (label, words) in
            [("sent    ", &difference.sent), ("expected", &difference.expected), ("got     ", &difference.got)]
        {
            if !words.is_empty() {
                line(&mut text, &format!("{label}  {words}"));
            }
        }
    }
    line(&mut text, &format!("again:    {}", run.again(result)));
    text
}

fn table(text: &mut String, run: &Run<'_>, colours: Colours) {
    let sections = run.sections();
    let width = sections.iter().map(|(section, ..)| section.len()).max().unwrap_or_default().max("section".len());
    let head = format!(
        "{:width$}  {:6}  {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}",
        "section", "role", "cases", "passed", "warned", "failed", "known", "skipped"
    );
    line(text, &colours.paint(BOLD, &head));
    for (section, role, totals) in sections {
        let row = format!(
            "{section:width$}  {:6}  {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}",
            role.word(),
            totals.all(),
            totals.passed + totals.noted,
            totals.warned,
            totals.failed + totals.unexpected,
            totals.known,
            totals.skipped
        );
        let row = if totals.conforms() { row } else { colours.paint(RED, &row) };
        line(text, &row);
    }
}

/// Why cases were not run, each reason once.
fn skipped(text: &mut String, run: &Run<'_>) {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for result in run.results {
        if let Outcome::Skipped(why) = &result.outcome {
            match reasons.iter_mut().find(|(known, _)| known == why) {
                Some((_, count)) => *count += 1,
                None => reasons.push((why, 1)),
            }
        }
    }
    for (why, count) in reasons {
        line(text, &format!("skipped {count}: {why}"));
    }
}

/// The results in order; those of one case that say the same of several peers stand together. Notes are words for
/// people, and count as the same.
fn folded<'r>(run: &Run<'r>) -> Vec<Vec<&'r Result>> {
    let mut folded: Vec<Vec<&Result>> = Vec::new();
    let mut places: BTreeMap<(&str, Role), Vec<usize>> = BTreeMap::new();
    for result in run.results {
        let places = places.entry((result.id, result.role)).or_default();
        let says_the_same = |place: &&usize| {
            let known = folded[**place][0];
            known.outcome.word() == result.outcome.word()
                && known.outcome.difference() == result.outcome.difference()
                && known.expected == result.expected
        };
        match places.iter().find(says_the_same) {
            Some(&place) => folded[place].push(result),
            None => {
                places.push(folded.len());
                folded.push(vec![result]);
            }
        }
    }
    folded
}

/// One case and one outcome, on one peer or on several. What was said is that of the first.
fn case(text: &mut String, run: &Run<'_>, same: &[&Result], volume: Volume, colours: Colours) {
    let Some(&result) = same.first() else { return };
    let fails = result.fails(run.strict);
    let shown = match &result.outcome {
        _ if fails => true,
        Outcome::Pass | Outcome::Skipped(_) => volume >= Volume::Verbose,
        Outcome::Note(_) | Outcome::Warn(_) | Outcome::Fail(_) => volume >= Volume::Usual,
    };
    if !shown {
        return;
    }
    let (word, colour) = match &result.outcome {
        _ if result.is_unexpected_pass() => ("UNEXPECTED PASS", RED),
        Outcome::Fail(_) | Outcome::Warn(_) if result.expected.is_some() => ("known", YELLOW),
        Outcome::Fail(_) => ("FAIL", RED),
        Outcome::Warn(_) => ("warn", if fails { RED } else { YELLOW }),
        Outcome::Note(_) => ("note", YELLOW),
        Outcome::Pass => ("pass", GREEN),
        Outcome::Skipped(_) => ("skip", YELLOW),
    };
    let reason = match (&result.outcome, &result.expected) {
        (_, Some(reason)) => format!(": {reason}"),
        (Outcome::Note(words) | Outcome::Skipped(words), None) => {
            let words = if volume == Volume::Verbose { words.clone() } else { shortened(words) };
            format!(": {words}")
        }
        _ => String::new(),
    };
    let head = format!(
        "{} {} [{}, {}, {}]{reason}",
        colours.paint(colour, word),
        result.id,
        result.level.word(),
        result.role.word(),
        peers(run, same)
    );
    line(text, &head);
    if fails || matches!(result.outcome, Outcome::Warn(_)) && volume >= Volume::Usual && result.expected.is_none() {
        line(text, &format!("    {}", result.title));
        for words in explanation(run, result).lines() {
            line(text, &format!("    {words}"));
        }
        if volume >= Volume::Usual {
            if same.len() > 1 {
                line(text, &format!("    said on {}:", result.peer));
            }
            for words in result.dialogue.lines() {
                line(text, &format!("      {words}"));
            }
        }
    }
}

/// The peers' names; `everywhere`, if those are all that there are of this role, and more than one.
fn peers(run: &Run<'_>, same: &[&Result]) -> String {
    let Some(first) = same.first() else { return String::new() };
    let names: Vec<_> = same.iter().map(|result| result.peer.as_str()).collect();
    let of_this_role = |result: &&Result| result.role == first.role;
    let others = run.results.iter().filter(of_this_role).any(|result| !names.contains(&result.peer.as_str()));
    if names.len() > 1 && !others { "everywhere".to_owned() } else { names.join("; ") }
}

/// Words that fit on a line or two; `--verbose` and the other reports have the whole.
fn shortened(words: &str) -> String {
    match words.char_indices().nth(160) {
        Some((at, _)) => format!("{}...", &words[..at]),
        None => words.to_owned(),
    }
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("writing to a string");
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
