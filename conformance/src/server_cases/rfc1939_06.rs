//! RFC 1939 §6: the UPDATE state.

use super::steps::{Told, alike, relogin, scan_listings, stat, unique_ids};
use crate::case::{Judged, ServerCase, Start, Talk, skip};
use crate::mailbox::Mail;

/// The cases, in the order of the text. Those that remove nothing come first: they need no message that may go.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc1939/6/quit-authorization",
        "QUIT in the AUTHORIZATION state does not lead to the UPDATE state",
        &["RFC1939-6-002"],
        |s| {
            let before = stat(s)?;
            s.quit()?;
            s.begin(Start::Authorization)?;
            s.err("DELE 1")?;
            s.quit()?;
            s.begin(Start::Transaction)?;
            let after = stat(s)?;
            alike(s, &before, &after)
        },
    ),
    ServerCase::must(
        "rfc1939/6/connection-lost",
        "A session whose connection is lost removes nothing",
        &["RFC1939-6-003", "RFC8314-3.4-002"],
        |s| {
            unchanged(s, |s| {
                s.hang_up();
                Ok(())
            })
        },
    ),
    ServerCase::must("rfc1939/6/half-close", "The end of the client's octets is no QUIT", &["RFC1939-6-003"], |s| {
        unchanged(s, |s| {
            s.finish();
            s.hang_up();
            Ok(())
        })
    }),
    ServerCase::must(
        "rfc1939/6/quit-without-crlf",
        "A QUIT whose CRLF never came is no QUIT",
        &["RFC1939-6-003"],
        |s| {
            for octets in [&b"QUIT"[..], b"QUIT\r"] {
                unchanged(s, |s| {
                    s.raw(octets)?;
                    s.quiet()?;
                    s.finish();
                    s.hang_up();
                    Ok(())
                })?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc1939/6/quit-invalid",
        "A QUIT that is refused does not lead to the UPDATE state",
        &["RFC1939-6-003"],
        |s| {
            // Nothing is marked yet: where it is a QUIT, it removes nothing.
            let reply = s.ask("QUIT now")?;
            if reply.is_ok() {
                s.check(!s.strict(), "-ERR", reply.shown())?;
                return skip("QUIT with an argument is a QUIT there");
            }
            unchanged(s, |s| {
                s.err("QUIT now")?;
                s.hang_up();
                Ok(())
            })
        },
    )
    .with(&[Mail::Second]),
    ServerCase::must(
        "rfc1939/6/bad-commands",
        "A session that ends for too many bad commands removes nothing",
        &["RFC1939-6-003"],
        |s| {
            unchanged(s, |s| {
                // Many servers close after some twenty of them.
                for _ in 0..30 {
                    if s.ask("XYZW").is_err() {
                        break;
                    }
                }
                s.hang_up();
                Ok(())
            })
        },
    ),
    ServerCase::must(
        "rfc1939/6/removal-fails",
        "Where messages cannot be removed, QUIT gets a negative response, and the connection is closed",
        &["RFC1939-6-005", "RFC1939-6-006", "RFC1939-6-008"],
        |s| {
            let before = scan_listings(s)?;
            s.ok("DELE 2")?;
            s.err("QUIT")?;
            s.closed()?;
            s.begin(Start::Transaction)?;
            // Some or none of the marked messages are removed, and no other.
            let after: Vec<u64> = scan_listings(s)?.into_iter().map(|(_, size)| size).collect();
            let all: Vec<u64> = before.iter().map(|(_, size)| *size).collect();
            let others: Vec<u64> = before.iter().filter(|(number, _)| *number != 2).map(|(_, size)| *size).collect();
            s.check(after == all || after == others, format!("{} or {}", all.told(), others.told()), after.told())?;
            // The lock was released; and without a mark nothing fails.
            s.quit().map(drop)
        },
    )
    .house(|house| house.removal_fails = true),
    ServerCase::must(
        "rfc1939/6/quit-releases",
        "QUIT releases the lock and closes the connection",
        &["RFC1939-6-008"],
        |s| {
            for _ in 0..3 {
                s.quit()?;
                s.begin(Start::Transaction)?;
            }
            s.quit().map(drop)
        },
    ),
    ServerCase::must(
        "rfc1939/6/quit-updates",
        "QUIT removes the messages marked as deleted, gets a positive response, and closes the connection",
        &["RFC1939-6-001", "RFC1939-6-005", "RFC1939-6-008"],
        |s| {
            let (count, octets) = stat(s)?;
            let number = s.spare()?;
            let size = scan_listings(s)?.into_iter().find(|(listed, _)| *listed == u64::from(number));
            let size = size.map(|(_, size)| size).unwrap_or_default();
            s.ok(&format!("DELE {number}"))?;
            s.quit()?;
            s.begin(Start::Transaction)?;
            let (now, expected) = (stat(s)?, (count.wrapping_sub(1), octets.wrapping_sub(size)));
            s.check(now == expected, format!("+OK {} {}", expected.0, expected.1), format!("+OK {}", now.told()))
        },
    ),
    ServerCase::must(
        "rfc1939/6/removes-what-is-marked",
        "The UPDATE state removes the messages marked as deleted and no others; unique-ids stay as they were",
        &["RFC1939-6-004", "RFC1939-6-007", "RFC1939-7-021"],
        |s| {
            let number = s.spare()?;
            let first = s.number(Mail::First)?;
            let mut ids = unique_ids(s)?;
            // What was retrieved, and what was marked and unmarked, is not marked.
            s.multi(&format!("RETR {first}"))?;
            s.ok(&format!("DELE {first}"))?;
            s.ok("RSET")?;
            s.ok(&format!("DELE {number}"))?;
            s.quit()?;
            s.begin(Start::Transaction)?;
            ids.retain(|(listed, _)| *listed != u64::from(number));
            let expected: Vec<String> = ids.iter().map(|(_, id)| String::from_utf8_lossy(id).into_owned()).collect();
            let now = unique_ids(s)?;
            let now: Vec<String> = now.iter().map(|(_, id)| String::from_utf8_lossy(id).into_owned()).collect();
            s.check(now == expected, expected.join(" "), now.join(" "))?;
            let first = if first > number { first - 1 } else { first };
            let message = s.multi(&format!("RETR {first}"))?.message();
            s.same(Mail::First.octets(), message)
        },
    )
    .with(&[Mail::First]),
];

/// Marks a message (one that may go, if there still is one), ends the session like that, and finds the maildrop as it was.
fn unchanged(s: &mut Talk<'_>, end: impl Fn(&mut Talk<'_>) -> Judged) -> Judged {
    let before = (stat(s)?, scan_listings(s)?);
    let number = s.spare().or_else(|_| s.number(Mail::Second))?;
    s.ok(&format!("DELE {number}"))?;
    end(s)?;
    relogin(s)?;
    let after = (stat(s)?, scan_listings(s)?);
    alike(s, &before, &after)
}
