//! The report in Markdown: for a job summary, or a comment on a merge request.

use super::{Run, requirements};
use crate::run::Outcome;
use std::fmt::Write as _;

/// The report in Markdown.
///
/// # Panics
///
/// Never: it writes to a string.
#[must_use]
pub fn report(run: &Run<'_>) -> String {
    let totals = run.totals();
    let verdict = if totals.conforms() { "conforms" } else { "does not conform" };
    let mut text =
        format!("# POP3 conformance: {} {verdict}\n\n{} cases: {totals}.\n\n", plain(run.subject), totals.all());
    text.push_str("| section | role | cases | passed | warned | failed | known | skipped |\n");
    text.push_str("|---|---|--:|--:|--:|--:|--:|--:|\n");
    for (section, role, totals) in run.sections() {
        writeln!(
            text,
            "| {section} | {} | {} | {} | {} | {} | {} | {} |",
            role.word(),
            totals.all(),
            totals.passed + totals.noted,
            totals.warned,
            totals.failed + totals.unexpected,
            totals.known,
            totals.skipped
        )
        .expect("writing to a string");
    }
    for result in run.results {
        let head = match &result.outcome {
            _ if result.is_unexpected_pass() => "unexpected pass",
            Outcome::Fail(_) | Outcome::Warn(_) if result.expected.is_some() => "known deviation",
            Outcome::Fail(_) => "failure",
            Outcome::Warn(_) => "warning",
            Outcome::Note(_) => "note",
            Outcome::Pass | Outcome::Skipped(_) => continue,
        };
        write!(
            text,
            "\n## {head}: `{}` ({}, {})\n\n{}.\n",
            result.id,
            result.level.word(),
            plain(&result.peer),
            result.title
        )
        .expect("writing to a string");
        for requirement in requirements(result) {
            write!(text, "\n> {} ({}): {}\n", plain(&requirement.quote), requirement.place(), requirement.id)
                .expect("writing to a string");
        }
        if let Some(reason) = &result.expected {
            write!(text, "\nKnown: {}.\n", plain(reason)).expect("writing to a string");
        }
        if let Outcome::Note(words) = &result.outcome {
            write!(text, "\n{}.\n", plain(words)).expect("writing to a string");
        }
        if let Some(difference) = result.outcome.difference() {
            write!(
                text,
                "\n~~~text\nsent      {}\nexpected  {}\ngot       {}\nagain     {}\n\n{}\n~~~\n",
                difference.sent,
                difference.expected,
                difference.got,
                run.again(result),
                result.dialogue.lines().join("\n")
            )
            .expect("writing to a string");
        }
    }
    text
}

/// Text that means nothing to Markdown.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        if "\\`*_[]<>|#".contains(letter) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}
