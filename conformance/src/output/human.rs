//! The report that people read on a terminal.

use super::{Run, requirements};
use crate::run::{Outcome, Result};
use std::fmt::Write as _;

/// How much is printed.
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
    for result in run.results {
        case(&mut text, run, result, volume, colours);
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

fn case(text: &mut String, run: &Run<'_>, result: &Result, volume: Volume, colours: Colours) {
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
        (Outcome::Note(words) | Outcome::Skipped(words), None) => format!(": {words}"),
        _ => String::new(),
    };
    let head = format!(
        "{} {} [{}, {}, {}]{reason}",
        colours.paint(colour, word),
        result.id,
        result.level.word(),
        result.role.word(),
        result.peer
    );
    line(text, &head);
    if fails || matches!(result.outcome, Outcome::Warn(_)) && volume >= Volume::Usual && result.expected.is_none() {
        line(text, &format!("    {}", result.title));
        for words in explanation(run, result).lines() {
            line(text, &format!("    {words}"));
        }
        if volume >= Volume::Usual {
            for words in result.dialogue.lines() {
                line(text, &format!("      {words}"));
            }
        }
    }
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("writing to a string");
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
