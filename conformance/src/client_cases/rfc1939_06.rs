//! RFC 1939 §6: the UPDATE state.

use super::judge::{ends_well, fails};
use crate::case::{ClientCase, Judged, Level, Play, skip};

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc1939/6/client-quit-refused",
        "-ERR to QUIT means that deletions may be incomplete, and the session is over all the same",
        &["RFC1939-6-009"],
        |c| {
            deleted(c)?;
            c.say(b"-ERR some deleted messages not removed\r\n")?;
            let next = c.command()?;
            c.check(next.is_none(), "nothing more", next.map(|line| line.shown()).unwrap_or_default())?;
            // RFC 1939 §6 says what the server answers, and not what a client makes of it.
            c.weighs(Level::Should);
            fails(c).map(drop)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc1939/6/client-quit-unanswered",
        "Without an answer to QUIT the client does not report its deletions as done",
        &["RFC1939-6-009"],
        |c| {
            deleted(c)?;
            c.hang_up();
            c.weighs(Level::Should);
            fails(c).map(drop)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc1939/6/client-quit-waits",
        "The client waits for the answer to QUIT",
        &["RFC1939-6-009"],
        |c| {
            let line = deleted(c)?;
            c.quiet()?;
            c.check(c.has_given("QUIT"), "an open connection", "its end")?;
            c.answer(&line)?;
            ends_well(c)
        },
    )
    .job(|job| job.delete = true),
];

/// Honest up to QUIT, which is not answered, with DELE before it.
fn deleted(c: &mut Play<'_>) -> Judged<crate::case::Line> {
    let line = c.until("QUIT")?;
    if c.has_given("DELE") { Ok(line) } else { skip("the client gave no DELE") }
}
