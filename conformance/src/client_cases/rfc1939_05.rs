//! RFC 1939 §5: the TRANSACTION state.

use super::judge::{all_stored, retrieved, with_rows};
use crate::case::{ClientCase, skip};
use crate::mailbox::Mail;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc1939/5/client-stat-more",
        "Whatever follows the maildrop size is ignored",
        &["RFC1939-5-006"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Second]);
            c.serve_with(|_, line| (line.verb == "STAT").then(|| b"+OK 2 320 9 extra words 7\r\n".to_vec()))?;
            if !c.has_given("STAT") {
                return skip("the client gave no STAT");
            }
            all_stored(c)
        },
    ),
    ClientCase::must(
        "rfc1939/5/client-list-more",
        "Whatever follows the message size in a scan listing is ignored",
        &["RFC1939-5-016"],
        |c| {
            c.serve_with(|honest, line| {
                (line.verb == "LIST" && line.rest.is_empty())
                    .then(|| with_rows(honest, line, |row| format!("{row} 99 foo bar")))
            })?;
            if !c.has_given("LIST") {
                return skip("the client gave no LIST");
            }
            all_stored(c)
        },
    ),
    ClientCase::must(
        "rfc1939/5/client-list-one-more",
        "Whatever follows the message size in the answer to LIST with an argument is ignored",
        &["RFC1939-5-016"],
        |c| {
            let line = c.until("LIST")?;
            if line.rest.is_empty() {
                return skip("the client gave LIST without an argument");
            }
            let mut answer = c.honest.answer(line.text());
            answer.truncate(answer.len() - 2);
            answer.extend_from_slice(b" 99 foo\r\n");
            c.say(&answer)?;
            c.serve()?;
            super::judge::ends_well(c)
        },
    )
    .job(|job| job.commands = ["LIST 1", "NOOP"].map(str::to_owned).to_vec()),
    ClientCase::must(
        "rfc1939/5/client-list-gaps",
        "Messages marked as deleted are not listed: a listing may have gaps",
        &["RFC1939-5-019"],
        |c| {
            // A session begins without marks, and a client that has set none itself need not expect any.
            c.weighs(crate::case::Level::Quirk);
            c.honest.keep(&[Mail::First, Mail::Spare3, Mail::Spare, Mail::Spare2, Mail::Second]);
            let mut marked = false;
            c.serve_with(|honest, _| {
                if honest.logged_in && !marked {
                    marked = true;
                    honest.deleted = vec![true, false, true, true, false];
                }
                None
            })?;
            if !c.has_given("LIST") && !c.has_given("UIDL") {
                return skip("the client gave neither LIST nor UIDL");
            }
            c.check(retrieved(c) == [2, 5], "RETR 2 and RETR 5", format!("RETR of {:?}", retrieved(c)))?;
            super::judge::ends_well(c)?;
            c.has_stored(&Mail::Spare3.octets())?;
            c.has_stored(&Mail::Second.octets())
        },
    ),
    ClientCase::must("rfc1939/5/client-list-empty", "An empty listing is one", &["RFC1939-5-019"], |c| {
        c.honest.messages.clear();
        c.serve()?;
        if !c.has_given("LIST") {
            // It was told which message to fetch, perhaps, and asks for that.
            return crate::case::skip("the client gave no LIST");
        }
        c.check(!c.has_given("RETR"), "no RETR", "RETR")?;
        super::judge::ends_well(c)
    }),
];
