//! The report for programs, in JSON.
//!
//! Its form is that of `conformance/report.schema.json` ([`SCHEMA`]), which explains each field. `version` is the form's
//! number: it grows when a field changes its meaning; new fields do not change it.
//!
//! ```text
//! {
//!   "version": 1,
//!   "tool": "pop3-conformance 0.1.0",
//!   "subject": "127.0.0.1:110",        who was checked
//!   "conforms": false,
//!   "totals": { "passed": 1, "noted": 0, "warned": 0, "failed": 1, "known": 0, "unexpected": 0, "skipped": 0 },
//!   "results": [ {
//!     "id": "rfc1939/5/retr-deleted",
//!     "title": "RETR of a message marked as deleted is refused",
//!     "requirements": [ "RFC1939-5-022" ],
//!     "level": "MUST",                 or SHOULD, quirk
//!     "role": "server",                or client
//!     "peer": "tcp",                   which of the subjects, where there are several
//!     "outcome": "fail",               or pass, note, warn, skip
//!     "fails": true,                   whether it fails the run
//!     "expected_deviation": null,      the reason from the expectations file
//!     "reason": null,                  why it was skipped; the note
//!     "sent": "RETR 1\\r\\n",          \r, \n, \\ and \xNN stand for octets; null unless fail or warn
//!     "expected": "-ERR",
//!     "got": "+OK",
//!     "milliseconds": 3,
//!     "dialogue": [ "C: RETR 1\\r\\n" ]   C: the client, S: the server, --: an event; 2C: in the second session
//!   } ],
//!   "fault_matrix": [ {
//!     "role": "server",
//!     "point": "retr",                 where in the session
//!     "fault": "cut",                  what goes wrong there
//!     "peer": "tcp",                   null where no peer can have such a case
//!     "verdict": "pass",               or fail, n/a
//!     "reason": null                   why it does not apply, what was noted, what was different
//!   } ]
//! }
//! ```

use super::{Run, matrix};
use crate::run::Outcome;
use serde::Serialize;

/// The JSON Schema (draft 2020-12) of the report.
pub const SCHEMA: &str = include_str!("../../report.schema.json");

#[derive(Serialize)]
struct Report<'r> {
    version: u32,
    tool: String,
    subject: &'r str,
    conforms: bool,
    totals: Totals,
    results: Vec<Entry<'r>>,
    fault_matrix: Vec<Cell<'r>>,
}

#[derive(Serialize)]
struct Cell<'r> {
    role: &'r str,
    point: &'r str,
    fault: &'r str,
    peer: Option<&'r str>,
    verdict: &'r str,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Totals {
    passed: usize,
    noted: usize,
    warned: usize,
    failed: usize,
    known: usize,
    unexpected: usize,
    skipped: usize,
}

#[derive(Serialize)]
struct Entry<'r> {
    id: &'r str,
    title: &'r str,
    requirements: &'r [&'r str],
    level: &'r str,
    role: &'r str,
    peer: &'r str,
    outcome: String,
    fails: bool,
    expected_deviation: Option<&'r str>,
    reason: Option<&'r str>,
    sent: Option<&'r str>,
    expected: Option<&'r str>,
    got: Option<&'r str>,
    milliseconds: u128,
    dialogue: Vec<String>,
}

/// The report as JSON.
///
/// # Panics
///
/// Never: all of it is text and numbers.
#[must_use]
pub fn report(run: &Run<'_>) -> String {
    let super::Totals { passed, noted, warned, failed, known, unexpected, skipped } = run.totals();
    let report = Report {
        version: 1,
        tool: format!("pop3-conformance {}", env!("CARGO_PKG_VERSION")),
        subject: run.subject,
        conforms: run.totals().conforms(),
        totals: Totals { passed, noted, warned, failed, known, unexpected, skipped },
        results: run
            .results
            .iter()
            .map(|result| {
                let difference = result.outcome.difference();
                Entry {
                    id: result.id,
                    title: result.title,
                    requirements: result.requirements,
                    level: result.level.word(),
                    role: result.role.word(),
                    peer: &result.peer,
                    outcome: result.outcome.word().to_lowercase(),
                    fails: result.fails(run.strict),
                    expected_deviation: result.expected.as_deref(),
                    reason: match &result.outcome {
                        Outcome::Note(words) | Outcome::Skipped(words) => Some(words),
                        _ => None,
                    },
                    sent: difference.map(|difference| difference.sent.as_str()),
                    expected: difference.map(|difference| difference.expected.as_str()),
                    got: difference.map(|difference| difference.got.as_str()),
                    milliseconds: result.took.as_millis(),
                    dialogue: result.dialogue.lines(),
                }
            })
            .collect(),
        fault_matrix: matrix::cells(run)
            .into_iter()
            .map(|cell| {
                let matrix::Cell { role, point, fault, peer, verdict, reason } = cell;
                Cell { role: role.word(), point, fault, peer, verdict: verdict.word(), reason }
            })
            .collect(),
    };
    serde_json::to_string_pretty(&report).expect("text and numbers")
}
