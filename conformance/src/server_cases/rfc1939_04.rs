//! RFC 1939 §4: the AUTHORIZATION state.

use super::steps::{
    Told, admitted, alike, all_refused, all_refused_or_meant, drop_and_relogin, is_one_to, keywords, relogin,
    scan_listing, scan_listings, stat,
};
use crate::case::{Judged, ServerCase, Start, Talk, fail, skip};
use crate::mailbox::Mail;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc1939/4/greeting-one-line",
        "The greeting is one line, and then the server waits",
        &["RFC1939-4-001"],
        |s| {
            let greeting = s.greeting()?;
            let inside = greeting.first.iter().any(|octet| b"\r\n".contains(octet));
            s.check(!inside, "one line", greeting.shown())?;
            s.quiet()
        },
    )
    .from(Start::Connected),
    ServerCase::must("rfc1939/4/greeting-positive", "The greeting is a positive response", &["RFC1939-4-002"], |s| {
        let greeting = s.reply()?;
        let ok = greeting.first == b"+OK" || greeting.first.starts_with(b"+OK ");
        s.check(ok, "+OK, and a space before any text", greeting.shown())
    })
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/4/mechanism",
        "The server supports at least one authentication mechanism",
        &["RFC1939-4-004"],
        |s| {
            let announced = keywords(s)?;
            if announced.iter().any(|word| word == "USER" || word == "SASL") {
                return Ok(());
            }
            let apop = s.timestamp().is_some();
            let user = s.account().user;
            if apop || s.ask(&format!("USER {user}"))?.is_ok() {
                return Ok(());
            }
            fail("USER or SASL among the capabilities, a timestamp, or +OK to USER", "none of them")
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/4/lock",
        "No other session removes messages below a session that has the maildrop open",
        &["RFC1939-4-005", "RFC1939-4-006"],
        |s| {
            let first = s.number(Mail::First)?;
            let mut other = s.second(Start::Authorization)?;
            if !admitted(&mut other)? {
                return s.ok("NOOP").map(drop);
            }
            // No lock. Then what the other session removes must not be noticed here, or be gone by its number.
            let spare = s.spare()?;
            let listed = scan_listings(s)?;
            let before = s.multi(&format!("RETR {spare}"))?.message();
            other.ok(&format!("DELE {spare}"))?;
            other.quit()?;
            s.note("the server admits two sessions to one maildrop");
            for (number, size) in listed.into_iter().filter(|(number, _)| *number != u64::from(spare)) {
                let now = scan_listing(s.ok(&format!("LIST {number}"))?.first.get(4..).unwrap_or_default())?;
                s.check(now == (number, size), format!("{number} {size}"), now.told())?;
            }
            let now = retrieved(s, first)?;
            s.same(Mail::First.octets(), now)?;
            let reply = s.ask(&format!("RETR {spare}"))?;
            if reply.is_ok() {
                let now = s.data(reply)?.message();
                s.same(before, now)?;
            }
            s.ok("NOOP").map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/4/login",
        "A login that opens the maildrop gets a positive response, and the session is in the TRANSACTION state",
        &["RFC1939-4-007"],
        |s| {
            s.login()?;
            stat(s)?;
            s.multi("LIST").map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/4/no-message-marked",
        "A session begins with no message marked as deleted",
        &["RFC1939-4-008"],
        |s| {
            let before = scan_listings(s)?;
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            drop_and_relogin(s)?;
            let after = scan_listings(s)?;
            alike(s, &before, &after)?;
            s.multi(&format!("RETR {number}")).map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/4/locked",
        "Where the maildrop is locked, the login gets a negative response, and the state stays AUTHORIZATION",
        &["RFC1939-4-009"],
        |s| {
            let mut other = s.second(Start::Authorization)?;
            if admitted(&mut other)? {
                s.check(!s.strict(), "-ERR while another session has the maildrop", "+OK")?;
                return skip("the server admits two sessions to one maildrop");
            }
            other.err("STAT")?;
            s.quit()?;
            if other.is_closed() {
                s.note("the server closes after a refused login");
                return Ok(());
            }
            other.login()?;
            stat(&mut other).map(drop)
        },
    ),
    ServerCase::must(
        "rfc1939/4/maildrop-not-open",
        "Where the maildrop cannot be opened, the login gets a negative response, and the state stays AUTHORIZATION",
        &["RFC1939-4-009"],
        |s| {
            let refused = !admitted(s)?;
            s.check(refused, "-ERR", "+OK")?;
            s.err("STAT")?;
            s.err("LIST")?;
            s.quit().map(drop)
        },
    )
    .from(Start::Authorization)
    .house(|house| house.system_fails = true),
    ServerCase::must(
        "rfc1939/4/refusal-releases",
        "A login that is refused leaves no lock behind: the lock is released before the negative response",
        &["RFC1939-4-010"],
        |s| {
            let refused = !admitted(s)?;
            s.check(refused, "-ERR", "+OK")?;
            // The first connection stays open; the second one must be refused for the same reason and no other.
            let mut other = s.second(Start::Authorization)?;
            match other.login() {
                Err(crate::case::Stop::Fail { got, .. }) if got.starts_with("-ERR") => {
                    s.check(!got.contains("IN-USE") && !got.contains("lock"), "-ERR, as before", got)
                }
                Err(stop) => Err(stop),
                Ok(()) => fail("-ERR", "+OK"),
            }
        },
    )
    .from(Start::Authorization)
    .house(|house| house.system_fails = true),
    ServerCase::must(
        "rfc1939/4/wrong-password-releases",
        "A wrong password leaves no lock behind",
        &["RFC1939-4-010"],
        |s| {
            let user = s.account().user;
            s.ok(&format!("USER {user}"))?;
            s.err("PASS pop3-conformance-wrong")?;
            let mut other = s.second(Start::Transaction)?;
            other.quit().map(drop)
        },
    )
    .needs(&["USER"])
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/4/login-again",
        "After a negative response to the login, the connection is closed or another login is accepted",
        &["RFC1939-4-011", "RFC1939-4-012"],
        |s| {
            wrong_password(s)?;
            if s.is_closed() {
                s.note("the server closes after a wrong password");
                return relogin(s);
            }
            s.err("STAT")?;
            s.login()?;
            stat(s).map(drop)
        },
    )
    .needs(&["USER"])
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/4/login-failed-quit",
        "After a negative response to the login, the connection is closed or QUIT is accepted",
        &["RFC1939-4-012", "RFC1939-4-020"],
        |s| {
            wrong_password(s)?;
            if s.is_closed() {
                s.note("the server closes after a wrong password");
                return Ok(());
            }
            s.quit().map(drop)
        },
    )
    .needs(&["USER"])
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/4/message-numbers",
        "The messages are numbered from 1 to n without gaps",
        &["RFC1939-4-014"],
        |s| {
            let (count, _) = stat(s)?;
            let mut numbers: Vec<u64> = scan_listings(s)?.into_iter().map(|(number, _)| number).collect();
            if !numbers.is_sorted() {
                s.check(!s.strict(), "ascending message-numbers", numbers.told())?;
                s.note("LIST is not in ascending order");
                numbers.sort_unstable();
            }
            s.check(is_one_to(&numbers, count), format!("1 to {count}"), numbers.told())?;
            all_refused(s, &["RETR 0".to_owned(), format!("RETR {}", count.saturating_add(1))])
        },
    ),
    ServerCase::must(
        "rfc1939/4/message-numbers-fixed",
        "A message keeps its number for the whole session, whatever is marked as deleted before it",
        &["RFC1939-4-015"],
        |s| {
            let (first, second) = (s.number(Mail::First)?, s.number(Mail::Second)?);
            let mut listed = scan_listings(s)?;
            s.ok(&format!("DELE {first}"))?;
            listed.retain(|(number, _)| *number != u64::from(first));
            let now = scan_listings(s)?;
            alike(s, &listed, &now)?;
            let now = retrieved(s, second)?;
            s.same(Mail::Second.octets(), now)?;
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::First, Mail::Second]),
    ServerCase::must(
        "rfc1939/4/sizes-fixed",
        "The size of a message does not change while the maildrop is open",
        &["RFC1939-4-016"],
        |s| {
            let (total, number) = (stat(s)?, s.number(Mail::TwelveLines)?);
            let before = scan_listings(s)?;
            s.multi(&format!("RETR {number}"))?;
            let after = scan_listings(s)?;
            alike(s, &before, &after)?;
            let now = stat(s)?;
            alike(s, &total, &now)
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/4/decimal-sent",
        "Message-numbers and sizes are sent in base-10: digits alone",
        &["RFC1939-4-017"],
        |s| {
            stat(s)?;
            scan_listings(s)?;
            let number = s.number(Mail::First)?;
            let one = s.ok(&format!("LIST {number}"))?;
            s.check(
                one.number(1) == Some(number.into()),
                format!("+OK {number} and its size, in one line"),
                one.shown(),
            )?;
            s.check(one.number(2).is_some(), format!("+OK {number} and its size, in one line"), one.shown())
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/4/decimal-taken",
        "A message-number is digits alone: no sign, no fraction, no other base",
        &["RFC1939-4-017"],
        |s| {
            let number = s.number(Mail::First)?;
            let odd = [
                format!("0x{number}"),
                format!("{number}.0"),
                format!("+{number}"),
                format!("-{number}"),
                format!("{number}x"),
                format!("{number},"),
                format!("{number}e0"),
            ];
            let (negative, meant): (Vec<_>, Vec<_>) =
                odd.iter().map(|odd| format!("RETR {odd}")).partition(|line| line.contains('-'));
            all_refused(s, &negative)?;
            all_refused_or_meant(s, &meant)
        },
    )
    .with(&[Mail::First]),
    ServerCase::quirk(
        "rfc1939/4/leading-zeros",
        "A message-number with leading zeros is the same message, or none",
        &["RFC1939-4-017"],
        |s| {
            let number = s.number(Mail::First)?;
            let reply = s.ask(&format!("LIST 00{number}"))?;
            if reply.is_err() {
                s.note("a message-number with leading zeros is refused");
                return Ok(());
            }
            s.check(
                reply.number(1) == Some(number.into()),
                format!("+OK {number} and its size, in one line"),
                reply.shown(),
            )
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/4/quit",
        "QUIT in the AUTHORIZATION state gets a positive response, and the connection is closed",
        &["RFC1939-4-018"],
        |s| s.quit().map(drop),
    )
    .from(Start::Authorization),
    ServerCase::must("rfc1939/4/quit-argument", "QUIT has no argument", &["RFC1939-4-019"], |s| {
        let reply = s.ask("QUIT now")?;
        if reply.is_ok() && !s.strict() {
            s.note("lenient: QUIT with an argument is answered +OK");
            return s.closed();
        }
        s.check(reply.is_err(), "-ERR", reply.shown())?;
        s.quit().map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/4/quit-argument-transaction",
        "QUIT with an argument does not end the session, nor does a longer keyword",
        &["RFC1939-4-019"],
        |s| {
            s.err("QUITS")?;
            let reply = s.ask("QUIT now")?;
            if reply.is_ok() && !s.strict() {
                s.note("lenient: QUIT with an argument is answered +OK");
                return s.closed();
            }
            s.check(reply.is_err(), "-ERR", reply.shown())?;
            s.ok("NOOP").map(drop)
        },
    ),
    ServerCase::must("rfc1939/4/quit-any-state", "QUIT is accepted behind USER as well", &["RFC1939-4-020"], |s| {
        let user = s.account().user;
        s.ok(&format!("USER {user}"))?;
        s.quit().map(drop)
    })
    .needs(&["USER"])
    .from(Start::Authorization),
];

/// USER and a PASS that must be refused.
fn wrong_password(s: &mut Talk<'_>) -> Judged {
    let user = s.account().user;
    s.ok(&format!("USER {user}"))?;
    s.err("PASS pop3-conformance-wrong").map(drop)
}

/// The message that RETR sends.
fn retrieved(s: &mut Talk<'_>, number: u32) -> Judged<Vec<u8>> {
    Ok(s.multi(&format!("RETR {number}"))?.message())
}
