//! The report as one page that needs nothing else: a matrix of cases and peers, filters, and the dialogue of each.

use super::{Run, human, section};
use crate::case::Role;
use crate::run::{Outcome, Result};
use std::fmt::Write as _;

/// The report as a page.
///
/// # Panics
///
/// Never: it writes to a string.
#[must_use]
pub fn report(run: &Run<'_>) -> String {
    let totals = run.totals();
    let verdict = if totals.conforms() { "conforms" } else { "does not conform" };
    let mut peers: Vec<(Role, &str)> = Vec::new();
    for result in run.results {
        if !peers.contains(&(result.role, result.peer.as_str())) {
            peers.push((result.role, &result.peer));
        }
    }
    peers.sort_by_key(|(role, _)| *role);
    let mut rows: Vec<(&str, Role, Vec<Option<&Result>>)> = Vec::new();
    for result in run.results {
        let column = peers.iter().position(|peer| *peer == (result.role, result.peer.as_str())).unwrap_or_default();
        let at = rows.iter().position(|(id, role, _)| *id == result.id && *role == result.role);
        let at = at.unwrap_or_else(|| {
            rows.push((result.id, result.role, vec![None; peers.len()]));
            rows.len() - 1
        });
        rows[at].2[column] = Some(result);
    }

    let subject = escaped(run.subject);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>POP3 conformance: {subject}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>POP3 conformance: {subject} {verdict}</h1>\n<p id=\"totals\">{} cases: {}.</p>\n",
        totals.all(),
        escaped(&totals.to_string())
    );
    page.push_str("<form id=\"filters\">\n<label>Search <input id=\"search\" type=\"search\" placeholder=\"RETR, RFC1939-5, stls\"></label>\n");
    for (word, label) in WORDS {
        let checked = if *word == "skip" { "" } else { " checked" };
        writeln!(page, "<label class=\"{word}\"><input type=\"checkbox\" value=\"{word}\"{checked}> {label}</label>")
            .expect("writing to a string");
    }
    page.push_str("<label>Level <select id=\"level\"><option value=\"\">all</option><option>MUST</option><option>SHOULD</option><option>quirk</option></select></label>\n</form>\n");
    page.push_str("<table>\n<thead><tr><th>case</th><th>level</th>");
    for (role, peer) in &peers {
        write!(page, "<th>{}<br>{}</th>", role.word(), escaped(peer)).expect("writing to a string");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    let mut last = "";
    for (id, _, cells) in &rows {
        if section(id) != last {
            last = section(id);
            writeln!(page, "<tr class=\"section\"><th colspan=\"{}\">{}</th></tr>", peers.len() + 2, escaped(last))
                .expect("writing to a string");
        }
        row(&mut page, run, cells);
    }
    write!(page, "</tbody>\n</table>\n<script>{SCRIPT}</script>\n</body>\n</html>\n").expect("writing to a string");
    page
}

fn row(page: &mut String, run: &Run<'_>, cells: &[Option<&Result>]) {
    let Some(first) = cells.iter().flatten().next() else { return };
    let words: Vec<_> = cells.iter().flatten().map(|result| word(result)).collect();
    let text = format!("{} {} {}", first.id, first.title, first.requirements.join(" ")).to_lowercase();
    write!(
        page,
        "<tr class=\"case\" data-words=\"{}\" data-level=\"{}\" data-text=\"{}\"><td><code>{}</code><br>{}</td><td>{}</td>",
        words.join(" "),
        first.level.word(),
        escaped(&text),
        escaped(first.id),
        escaped(first.title),
        first.level.word()
    )
    .expect("writing to a string");
    for cell in cells {
        let Some(result) = cell else {
            page.push_str("<td></td>");
            continue;
        };
        let word = word(result);
        write!(
            page,
            "<td class=\"{word}\"><details><summary>{word}</summary><pre>{}</pre></details></td>",
            escaped(&detail(run, result))
        )
        .expect("writing to a string");
    }
    page.push_str("</tr>\n");
}

fn detail(run: &Run<'_>, result: &Result) -> String {
    let mut text = human::explanation(run, result);
    match &result.outcome {
        Outcome::Note(words) => writeln!(text, "note:     {words}"),
        Outcome::Skipped(words) => writeln!(text, "skipped:  {words}"),
        _ => Ok(()),
    }
    .expect("writing to a string");
    if let Some(reason) = &result.expected {
        writeln!(text, "known:    {reason}").expect("writing to a string");
    }
    format!("{text}\n{}", result.dialogue.lines().join("\n"))
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const WORDS: &[(&str, &str)] = &[
    ("fail", "failed"),
    ("warn", "warned"),
    ("known", "known"),
    ("note", "noted"),
    ("pass", "passed"),
    ("skip", "skipped"),
];

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 1.5rem; }
h1 { font-size: 1.4rem; }
form { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; margin: 1rem 0; align-items: center; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
thead th { position: sticky; top: 0; background: Canvas; }
tr.section th { background: #8882; }
td.pass { color: #187a32; } td.fail { color: #fff; background: #b3202c; } td.warn, td.known { background: #f5c84255; }
td.note { background: #62a0ea33; } td.skip { opacity: .55; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60rem; font-size: .85rem; }
summary { cursor: pointer; }
";

const SCRIPT: &str = "
const filters = document.getElementById('filters');
function filter() {
  const text = document.getElementById('search').value.trim().toLowerCase();
  const level = document.getElementById('level').value;
  const on = new Set([...filters.querySelectorAll('input:checked')].map(box => box.value));
  for (const row of document.querySelectorAll('tr.case')) {
    const words = row.dataset.words.split(' ');
    row.hidden = !(words.some(word => on.has(word)) && row.dataset.text.includes(text) && (!level || row.dataset.level === level));
  }
  for (const head of document.querySelectorAll('tr.section')) {
    let next = head.nextElementSibling, any = false;
    while (next && next.classList.contains('case')) { any = any || !next.hidden; next = next.nextElementSibling; }
    head.hidden = !any;
  }
}
filters.addEventListener('input', filter);
filters.addEventListener('submit', event => event.preventDefault());
filter();
";
