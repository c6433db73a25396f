//! The fault matrix of a run: each point of a session and each fault, for servers and for clients.
//!
//! A cell is a case that was run (`fault/POINT/server-FAULT`, `fault/POINT/client-FAULT`), or one that there is not, for
//! a reason that the list of blank cells gives.

use super::Run;
use crate::case::Role;
use crate::fault_matrix::place;
use crate::run::{Outcome, Result};
use crate::{client_cases, server_cases};

/// One cell, on one peer.
///
/// ```
/// use pop3_conformance::case::Role;
/// use pop3_conformance::output::{Run, matrix};
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("fault/stat/server-"), &Ours::in_memory()[..1], 2, &|| {});
/// let run = Run { subject: "", command: "", strict: true, results: &results };
/// let cells = matrix::cells(&run);
/// let tried = cells.iter().filter(|cell| cell.peer.is_some());
/// assert!(tried.clone().all(|cell| cell.role == Role::Server && cell.point == "stat"));
/// // The others are no cases, and each says why.
/// assert!(cells.iter().any(|cell| cell.peer.is_none()) && cells.iter().all(|cell| cell.peer.is_some() || cell.reason.is_some()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell<'r> {
    /// Who is checked.
    pub role: Role,
    /// Where in the session: `greeting`, `retr`, `after-quit`.
    pub point: &'r str,
    /// What goes wrong: `cut`, `limits`.
    pub fault: &'r str,
    /// On which peer; `None`, where no peer can have such a case.
    pub peer: Option<&'r str>,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it does not apply; what was noted; what was expected and what came.
    pub reason: Option<String>,
}

/// What became of a cell.
///
/// ```
/// use pop3_conformance::output::matrix::Verdict;
///
/// assert_eq!([Verdict::Pass, Verdict::Fail, Verdict::NotApplicable].map(Verdict::word), ["pass", "fail", "n/a"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// Not as it should be.
    Fail,
    /// Not run, or there is nothing to run.
    NotApplicable,
}

impl Verdict {
    /// `pass`, `fail` or `n/a`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "n/a",
        }
    }
}

/// All cells of the roles for which the run has any; none, if it has no cell at all.
#[must_use]
pub fn cells<'r>(run: &Run<'r>) -> Vec<Cell<'r>> {
    let mut cells = Vec::new();
    for (role, blank) in [(Role::Server, server_cases::faults::BLANK), (Role::Client, client_cases::faults::BLANK)] {
        let of_role = run.results.iter().filter(|result| result.role == role);
        let before = cells.len();
        cells.extend(of_role.filter_map(cell));
        if cells.len() == before {
            continue;
        }
        for blank in blank {
            let (fault, verdict) = (blank.fault, Verdict::NotApplicable);
            let reason = || Some(blank.why.to_owned());
            cells.extend(blank.points().map(|point| Cell {
                role,
                point,
                fault,
                peer: None,
                verdict,
                reason: reason(),
            }));
        }
    }
    cells
}

fn cell(result: &Result) -> Option<Cell<'_>> {
    let (point, fault) = place(result.id, result.role)?;
    let in_matrix = match result.role {
        Role::Client => true,
        Role::Server => {
            let is_cell = |case: &&crate::case::ServerCase| case.id == result.id;
            server_cases::faults::CELLS.iter().find(is_cell).is_some() || fault == "false-end"
        }
    };
    let (verdict, reason) = match &result.outcome {
        Outcome::Pass => (Verdict::Pass, None),
        Outcome::Note(words) => (Verdict::Pass, Some(words.clone())),
        Outcome::Skipped(why) => (Verdict::NotApplicable, Some(why.clone())),
        Outcome::Fail(difference) | Outcome::Warn(difference) => {
            (Verdict::Fail, Some(format!("expected {}, got {}", difference.expected, difference.got)))
        }
    };
    let Result { role, peer, .. } = result;
    in_matrix.then_some(Cell { role: *role, point, fault, peer: Some(peer), verdict, reason })
}
