//! Bugs planted in the naive reader: our own machines catch each of them, as the reader catches theirs
//! (`tests/mutants.rs`). Without that, a reader that is wrong could pass whoever is wrong in the same way.

use crate::peer::Upgrade;
use crate::peer::memory::Memory;
use crate::replay::{Effort, Side};
use crate::run::{self, Outcome};
use crate::self_check::{self, Entry, selected};
use crate::server_cases;
use std::cell::Cell;

/// One bug of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A line ends at CR, whatever stands behind it.
    EndsAtCarriageReturn,
    /// Any line that begins with a dot ends a response.
    AnyDotEnds,
    /// Stuffing is not taken out.
    KeepsStuffing,
    /// Any status is `+OK`.
    TakesAnything,
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Whether the reader has this bug, in this thread.
pub(crate) fn planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// The cases that fail on our own server, in memory, and how many transcripts fail on our own client.
fn caught(bug: Option<Bug>) -> (Vec<&'static str>, usize) {
    PLANTED.set(bug);
    let peer = Memory::new(Upgrade::None);
    let cases = server_cases::all().filter(|case| !case.id.starts_with("fault/"));
    let results = cases.map(|case| run::server(case, &peer));
    let failed = results.filter(|result| matches!(result.outcome, Outcome::Fail(_))).map(|result| result.id).collect();
    let transcripts = selected("rfc1939-05").unwrap();
    let replays = transcripts.iter().map(|transcript| self_check::check(transcript, Side::Client, Effort::LITTLE));
    // A reader that is wrong may find no session in a transcript at all.
    let passes = |entry: &std::result::Result<Entry, _>| {
        entry.as_ref().is_ok_and(|entry| matches!(entry.outcome, self_check::Outcome::Passed { .. }))
    };
    let failed_replays = replays.filter(|entry| !passes(entry)).count();
    PLANTED.set(None);
    (failed, failed_replays)
}

#[test]
fn each_bug_of_the_naive_reader_is_caught_by_our_own_server() {
    assert_eq!(caught(None), (Vec::new(), 0));
    for bug in [Bug::EndsAtCarriageReturn, Bug::AnyDotEnds, Bug::KeepsStuffing, Bug::TakesAnything] {
        let (cases, replays) = caught(Some(bug));
        println!("{bug:?}: {replays} replays, {cases:?}");
        assert!(!cases.is_empty(), "no case shows {bug:?}");
    }
}
