//! The report as one page that needs nothing else: a matrix of cases and peers, filters, and the dialogue of each cell.

use super::{Run, requirements, section};
use crate::case::{Level, Role};
use crate::run::{Outcome, Result};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt::Write as _;

/// The report as a page.
///
/// Every result has its dialogue behind its cell. In a run of many results those of passed and skipped cases are left
/// out, so that a browser is not made to load them all; the JSON report has them.
///
/// # Panics
///
/// Never: it writes to a string.
#[must_use]
pub fn report(run: &Run<'_>) -> String {
    let totals = run.totals();
    let (verdict, word) = if totals.conforms() { ("conforms", "pass") } else { ("does not conform", "fail") };
    let subject = escaped(run.subject);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>POP3 conformance: {subject} {verdict}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>POP3 conformance: {subject} <span class=\"verdict {word}\">{verdict}</span></h1>\n\
         <p id=\"totals\">{} results: {}.</p>\n",
        totals.all(),
        escaped(&totals.to_string())
    );
    filters(&mut page, run);
    let mut data = Data::default();
    for (role, name) in [(Role::Server, "Server"), (Role::Client, "Client")] {
        let rows = Matrix::of(run, role);
        if !rows.cases.is_empty() {
            write(&mut page, format_args!("<section class=\"role\">\n<h2>{name}</h2>\n<div class=\"scroll\">\n"));
            rows.table(&mut page, run, &mut data);
            page.push_str("</div>\n</section>\n");
        }
    }
    page.push_str(
        "<noscript><p>Filters and dialogues need JavaScript; the JSON report has all of it.</p></noscript>\n\
         <dialog id=\"detail\" aria-label=\"What was said\"><div>\
         <form method=\"dialog\" class=\"close\"><button aria-label=\"Close\">\u{2715}</button></form>\
         <div id=\"content\"></div></div></dialog>\n",
    );
    // In a script element `<` could end it, or begin a comment.
    let json = serde_json::to_string(&data).expect("text and numbers").replace('<', "\\u003c");
    write(&mut page, format_args!("<script type=\"application/json\" id=\"data\">{json}</script>\n"));
    write(&mut page, format_args!("<script>\n{SCRIPT}</script>\n</body>\n</html>\n"));
    page
}

fn filters(page: &mut String, run: &Run<'_>) {
    page.push_str(
        "<form id=\"filters\" aria-label=\"Filters\">\n\
         <input id=\"search\" type=\"search\" placeholder=\"RETR, RFC1939-5, stls\" aria-label=\"Search in names and titles\">\n",
    );
    for (word, label) in WORDS {
        let count = run.results.iter().filter(|result| self::word(result) == *word).count();
        if count > 0 {
            write(
                page,
                format_args!(
                    "<label class=\"chip {word}\"><input type=\"checkbox\" value=\"{word}\" checked>{label} <b>{count}</b></label>\n"
                ),
            );
        }
    }
    page.push_str(
        "<select id=\"level\" aria-label=\"Level\"><option value=\"\">every level</option><option>MUST</option>\
         <option>SHOULD</option><option>quirk</option></select>\n\
         <select id=\"role\" aria-label=\"Role\"><option value=\"\">server and client</option><option>server</option>\
         <option>client</option></select>\n\
         <button type=\"button\" id=\"open\">Open all</button>\n<button type=\"button\" id=\"shut\">Close all</button>\n\
         <output id=\"count\" class=\"quiet\"></output>\n</form>\n",
    );
}

/// The cases of one role, and what became of each on every peer.
struct Matrix<'r> {
    role: Role,
    peers: Vec<&'r str>,
    cases: Vec<(&'r str, Vec<Option<&'r Result>>)>,
}

impl<'r> Matrix<'r> {
    fn of(run: &Run<'r>, role: Role) -> Self {
        let mut matrix = Self { role, peers: Vec::new(), cases: Vec::new() };
        let mut places = HashMap::new();
        let results = || run.results.iter().filter(|result| result.role == role);
        for result in results() {
            if !matrix.peers.contains(&result.peer.as_str()) {
                matrix.peers.push(&result.peer);
            }
        }
        for result in results() {
            let column = matrix.peers.iter().position(|peer| *peer == result.peer).unwrap_or_default();
            let row = *places.entry(result.id).or_insert_with(|| {
                matrix.cases.push((result.id, vec![None; matrix.peers.len()]));
                matrix.cases.len() - 1
            });
            matrix.cases[row].1[column] = Some(result);
        }
        matrix
    }

    fn table(&self, page: &mut String, run: &Run<'r>, data: &mut Data<'r>) {
        page.push_str("<table>\n<thead><tr><th scope=\"col\">case</th><th scope=\"col\">level</th>");
        for peer in &self.peers {
            write(page, format_args!("<th scope=\"col\" class=\"peer\">{}</th>", escaped(peer)));
        }
        page.push_str("</tr></thead>\n");
        for (name, role, _) in run.sections() {
            let rows: Vec<_> = self.cases.iter().filter(|(id, _)| section(id) == name).collect();
            if role != self.role || rows.is_empty() {
                continue;
            }
            let stands_out = |result: &&Result| matches!(word(result), "fail" | "warn" | "known");
            let open = rows.iter().flat_map(|(_, cells)| cells.iter().flatten()).any(stands_out);
            write(
                page,
                format_args!(
                    "<tbody>\n<tr><th scope=\"rowgroup\" class=\"section\" colspan=\"2\">\
                     <button type=\"button\" aria-expanded=\"{open}\">{} <span class=\"quiet\">{}</span></button></th>",
                    escaped(&name),
                    rows.len()
                ),
            );
            for column in 0..self.peers.len() {
                sum(page, rows.iter().filter_map(|(_, cells)| cells[column]));
            }
            page.push_str("</tr>\n");
            for (_, cells) in rows {
                self.row(page, run, cells, data);
            }
            page.push_str("</tbody>\n");
        }
        page.push_str("</table>\n");
    }

    fn row(&self, page: &mut String, run: &Run<'r>, cells: &[Option<&'r Result>], data: &mut Data<'r>) {
        let Some(first) = cells.iter().flatten().next() else { return };
        let words: Vec<_> = cells.iter().flatten().map(|result| word(result)).collect();
        let text = format!("{} {} {}", first.id, first.title, first.requirements.join(" ")).to_lowercase();
        write(
            page,
            format_args!(
                "<tr class=\"case\" data-words=\"{}\" data-level=\"{}\" data-role=\"{}\" data-text=\"{}\">\
                 <td class=\"name\"><code>{}</code><br><span>{}</span></td><td class=\"level\">{}</td>",
                words.join(" "),
                first.level.word(),
                self.role.word(),
                escaped(&text),
                escaped(first.id),
                escaped(first.title),
                first.level.word()
            ),
        );
        let number = data.case(first);
        for cell in cells {
            let Some(result) = cell else {
                page.push_str("<td class=\"cell\"></td>");
                continue;
            };
            let word = word(result);
            write(
                page,
                format_args!(
                    "<td class=\"cell\"><button type=\"button\" class=\"{word}\" data-result=\"{}\" title=\"{word}\" aria-label=\"{word}: {}, {}\">{}</button></td>",
                    data.results.len(),
                    escaped(result.id),
                    escaped(&result.peer),
                    sign(word)
                ),
            );
            data.result(run, result, number);
        }
        page.push_str("</tr>\n");
    }
}

/// A section on one peer: how many cases became what, passes only where there is nothing else.
fn sum<'r>(page: &mut String, results: impl Iterator<Item = &'r Result>) {
    let words: Vec<_> = results.map(word).collect();
    page.push_str("<td class=\"sum\">");
    for (word, label) in WORDS {
        let count = words.iter().filter(|known| *known == word).count();
        if count > 0 && *word != "note" {
            write(page, format_args!("<b class=\"{word}\" title=\"{count} {label}\">{} {count}</b> ", sign(word)));
        }
    }
    page.push_str("</td>");
}

/// What the page's script knows.
#[derive(Default, Serialize)]
struct Data<'r> {
    cases: Vec<Case<'r>>,
    results: Vec<Cell<'r>>,
}

#[derive(Serialize)]
struct Case<'r> {
    id: &'r str,
    title: &'r str,
    level: &'static str,
    role: &'static str,
    requirements: Vec<Requirement>,
}

#[derive(Serialize)]
struct Requirement {
    place: String,
    id: &'static str,
    quote: &'static str,
}

#[derive(Serialize)]
struct Cell<'r> {
    case: usize,
    word: &'static str,
    peer: &'r str,
    reason: Option<&'r str>,
    known: Option<&'r str>,
    sent: Option<&'r str>,
    expected: Option<&'r str>,
    got: Option<&'r str>,
    again: String,
    dialogue: Vec<String>,
    left_out: bool,
}

impl<'r> Data<'r> {
    fn case(&mut self, result: &'r Result) -> usize {
        let Result { id, title, .. } = *result;
        let level: Level = result.level;
        let requirements =
            requirements(result).map(|known| Requirement { place: known.place(), id: &known.id, quote: &known.quote });
        let requirements = requirements.collect();
        self.cases.push(Case { id, title, level: level.word(), role: result.role.word(), requirements });
        self.cases.len() - 1
    }

    fn result(&mut self, run: &Run<'_>, result: &'r Result, case: usize) {
        let difference = result.outcome.difference();
        let word = word(result);
        let left_out = run.results.len() > MANY && matches!(word, "pass" | "skip");
        self.results.push(Cell {
            case,
            word,
            peer: &result.peer,
            reason: match &result.outcome {
                Outcome::Note(words) | Outcome::Skipped(words) => Some(words),
                _ if result.is_unexpected_pass() => Some("a known deviation did not show"),
                _ => None,
            },
            known: result.expected.as_deref(),
            sent: difference.map(|difference| difference.sent.as_str()),
            expected: difference.map(|difference| difference.expected.as_str()),
            got: difference.map(|difference| difference.got.as_str()),
            again: run.again(result),
            dialogue: if left_out { Vec::new() } else { result.dialogue.lines() },
            left_out,
        });
    }
}

fn word(result: &Result) -> &'static str {
    match &result.outcome {
        _ if result.is_unexpected_pass() => "fail",
        Outcome::Fail(_) | Outcome::Warn(_) if result.expected.is_some() => "known",
        Outcome::Fail(_) => "fail",
        Outcome::Warn(_) => "warn",
        Outcome::Note(_) => "note",
        Outcome::Pass => "pass",
        Outcome::Skipped(_) => "skip",
    }
}

/// Whoever sees no colours sees these.
fn sign(word: &str) -> &'static str {
    match word {
        "fail" => "\u{2715}",
        "warn" => "!",
        "known" => "\u{2248}",
        "note" => "i",
        "pass" => "\u{2713}",
        _ => "\u{2013}",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write(page: &mut String, words: std::fmt::Arguments<'_>) {
    page.write_fmt(words).expect("writing to a string");
}

/// More results than this, and the dialogues of passed cases are left out.
const MANY: usize = 1500;

/// The outcomes, the gravest first.
const WORDS: &[(&str, &str)] = &[
    ("fail", "failed"),
    ("warn", "warned"),
    ("known", "known"),
    ("note", "noted"),
    ("pass", "passed"),
    ("skip", "skipped"),
];

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");
