//! RFC 2449 §6: the capabilities.

use super::houses;
use super::reading::{announced, code, code_is_well_formed, credentials, find, list, mechanism, shown};
use crate::case::{Judged, ServerCase, Start, Talk, fail, skip};
use crate::mailbox::Mail;
use crate::peer::Login;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc2449/6.1/top",
        "TOP is there where it is announced",
        &["RFC2449-6.1-001"],
        |s| {
            announced(s, "TOP")?;
            let number = s.number(Mail::First)?;
            let reply = s.multi(&format!("TOP {number} 0"))?;
            s.check(!reply.rows.is_empty(), "the header of the message", "no line")
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc2449/6.2/user",
        "USER and PASS are there where USER is announced",
        &["RFC2449-6.2-001"],
        |s| {
            announced(s, "USER")?;
            let account = s.account();
            if account.login != Login::User {
                return skip("this user logs in by AUTH; USER need not be there for everybody");
            }
            s.ok(&format!("USER {}", account.user))?;
            s.ok(&format!("PASS {}", account.password))?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/6.3/initial-response",
        "AUTH takes an initial response where SASL is announced",
        &["RFC2449-6.3-001"],
        |s| {
            mechanism(s, "PLAIN")?;
            let right = credentials(s, true);
            s.ok(&format!("AUTH PLAIN {right}"))?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/6.4/bracket-is-a-code",
        "With RESP-CODES, a text that begins with [ is a response code, and no echo of a command",
        &["RFC2449-6.4-001"],
        |s| {
            announced(s, "RESP-CODES")?;
            for line in ["[foo", "[FOO] bar", "STAT [FOO]", "RETR [FOO]", "LIST [", "NOOP [x/y]"] {
                let reply = s.ask(line)?;
                code_is_well_formed(&reply)?;
                let text = reply.text().to_ascii_uppercase();
                s.check(!text.starts_with("[FOO") && !text.starts_with("[X/Y"), "no echo", reply.shown())?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc2449/6.5/login-delay",
        "LOGIN-DELAY has an integer behind it, and USER at most",
        &["RFC2449-6.5-001"],
        |s| {
            login_delay(s)?;
            s.login()?;
            login_delay(s)?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::should(
        "rfc2449/6.5/enforced",
        "A login within LOGIN-DELAY of the one before is refused",
        &["RFC2449-6.5-003", "RFC2449-6.5-007"],
        |s| {
            let (seconds, _) = login_delay(s)?;
            s.quit()?;
            s.begin(Start::Authorization)?;
            let account = s.account();
            if account.login != Login::User {
                return skip("this user does not log in by USER");
            }
            s.ok(&format!("USER {}", account.user))?;
            let reply = s.ask(&format!("PASS {}", account.password))?;
            s.check(reply.is_ok() || seconds > 0, "+OK, as there is no delay", reply.shown())?;
            s.check(reply.is_err() || seconds == 0, format!("-ERR for {seconds} s"), reply.shown())?;
            let silent = code(&reply).is_none_or(|code| code == "LOGIN-DELAY");
            s.check(silent || reply.is_ok(), "[LOGIN-DELAY], or no code", reply.shown())
        },
    ),
    ServerCase::must(
        "rfc2449/6.5/largest-value",
        "The LOGIN-DELAY announced before the login is at least that of after it",
        &["RFC2449-6.5-004", "RFC2449-6.5-006"],
        |s| {
            let (before, _) = login_delay(s)?;
            s.login()?;
            let (after, _) = login_delay(s)?;
            s.check(before >= after, format!("{after} at least"), format!("{before} before the login"))
        },
    )
    .from(Start::Authorization),
    ServerCase::should(
        "rfc2449/6.5/per-user",
        "A LOGIN-DELAY that may differ from user to user has USER behind it before the login, and not after it",
        &["RFC2449-6.5-005"],
        |s| {
            let before = login_delay(s)?;
            s.login()?;
            let after = login_delay(s)?;
            s.check(before.0 == after.0 || before.1, "USER, as the values differ", format!("{before:?} and {after:?}"))?;
            s.check(!after.1, "no USER after the login", "USER")
        },
    )
    .from(Start::Authorization),
    ServerCase::should(
        "rfc2449/6.5/per-user-ours",
        "USER stands behind LOGIN-DELAY and EXPIRE until the user is known",
        &["RFC2449-6.5-005", "RFC2449-6.5-006", "RFC2449-6.7-007", "RFC2449-6.7-008"],
        |s| {
            let (delay, days) = (login_delay(s)?, expire(s)?);
            s.check(delay == (60, true) && days == (7, true), "60 USER and 7 USER", format!("{delay:?}, {days:?}"))?;
            s.login()?;
            let (delay, days) = (login_delay(s)?, expire(s)?);
            s.check(delay == (60, false) && days == (7, false), "60 and 7", format!("{delay:?}, {days:?}"))
        },
    )
    .from(Start::Authorization)
    .house(houses::values_per_user),
    ServerCase::must(
        "rfc2449/6.6/each-in-turn",
        "Commands that come in a batch are processed in turn",
        &["RFC2449-6.6-001"],
        |s| {
            let number = s.number(Mail::First)?;
            s.raw(format!("STAT\r\nLIST\r\nNOOP\r\nRETR {number}\r\nRSET\r\nLIST {number}\r\nSTAT\r\nQUIT\r\n").as_bytes())?;
            let stat = s.expect_ok()?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())?;
            let rows = s.expect_multi()?.rows.len();
            s.check(Some(rows as u64) == stat.number(1), "a scan listing for each message", format!("{rows} lines"))?;
            s.expect_ok()?;
            let message = s.expect_multi()?.message();
            s.same(Mail::First.octets(), message)?;
            s.expect_ok()?;
            let listing = s.expect_ok()?;
            s.check(listing.number(1) == Some(number.into()), "the answer to LIST", listing.shown())?;
            let again = s.expect_ok()?;
            s.same(stat.first, again.first)?;
            s.expect_ok()?;
            s.closed()
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc2449/6.6/each-in-turn-dele",
        "A DELE in a batch is done before the STAT behind it, and RSET before the RETR behind it",
        &["RFC2449-6.6-001"],
        |s| {
            let number = s.number(Mail::First)?;
            let batch = format!(
                "STAT\r\nLIST\r\nUIDL\r\nNOOP\r\nDELE {number}\r\nSTAT\r\nRETR {number}\r\nRSET\r\nRETR {number}\r\nQUIT\r\n"
            );
            s.raw(batch.as_bytes())?;
            let before = s.expect_ok()?.number(1);
            s.expect_multi()?;
            let unique_ids = s.reply()?;
            if unique_ids.is_ok() {
                s.data(unique_ids)?;
            }
            s.expect_ok()?;
            s.expect_ok()?;
            let after = s.expect_ok()?.number(1);
            let one_less = before.zip(after).is_some_and(|(before, after)| before == after + 1);
            s.check(one_less, "one message less behind DELE", format!("{before:?} and {after:?}"))?;
            s.expect_err()?;
            s.expect_ok()?;
            let message = s.expect_multi()?.message();
            s.same(Mail::First.octets(), message)?;
            s.expect_ok()?;
            s.closed()
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc2449/6.6/no-deadlock",
        "Hundreds of RETR that come before any answer is read are all answered in full",
        &["RFC2449-6.6-004"],
        |s| {
            let number = s.number(Mail::LongLine)?;
            // Two kilooctets of commands fit into any window; their answers of a megaoctet do not.
            let line = format!("RETR {number}\r\n");
            s.raw(line.repeat(200).as_bytes())?;
            for _ in 0..200 {
                let message = s.expect_multi()?.message();
            s.same(Mail::LongLine.octets(), message)?;
            }
            s.quit()?;
            Ok(())
        },
    )
    .with(&[Mail::LongLine])
    .needs(&["PIPELINING"]),
    ServerCase::should(
        "rfc2449/6.6/command-within-a-response",
        "A command may come while a long response is on its way",
        &["RFC2449-6.6-005"],
        |s| {
            let number = s.number(Mail::LongLine)?;
            s.send(&format!("RETR {number}"))?;
            s.send("STAT")?;
            let message = s.expect_multi()?.message();
            s.same(Mail::LongLine.octets(), message)?;
            let stat = s.expect_ok()?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())
        },
    )
    .with(&[Mail::LongLine]),
    ServerCase::must(
        "rfc2449/6.7/expire",
        "EXPIRE has a number of days or NEVER behind it, and USER at most",
        &["RFC2449-6.7-001"],
        |s| {
            expire(s)?;
            s.login()?;
            expire(s)?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/6.7/never",
        "A server that announces EXPIRE NEVER deletes no message by itself",
        &["RFC2449-6.7-003"],
        |s| {
            let (days, _) = expire(s)?;
            if days != u64::MAX {
                return skip("the server announces a number of days");
            }
            all_are_kept(s, "RETR")
        },
    ),
    ServerCase::must(
        "rfc2449/6.7/zero-and-top",
        "With EXPIRE 0, TOP is no reason to delete a message",
        &["RFC2449-6.7-002"],
        |s| {
            let (days, _) = expire(s)?;
            s.check(days == 0, "EXPIRE 0", format!("{days}"))?;
            all_are_kept(s, "TOP")
        },
    )
    .house(houses::expire_at_once)
    .needs(&["EXPIRE", "TOP"]),
    ServerCase::must(
        "rfc2449/6.7/smallest-value",
        "The EXPIRE announced before the login is at most that of after it",
        &["RFC2449-6.7-006", "RFC2449-6.7-008"],
        |s| {
            let (before, _) = expire(s)?;
            s.login()?;
            let (after, _) = expire(s)?;
            s.check(before <= after, format!("{after} at most"), format!("{before} before the login"))
        },
    )
    .from(Start::Authorization),
    ServerCase::should(
        "rfc2449/6.7/per-user",
        "An EXPIRE that may differ from user to user has USER behind it before the login, and not after it",
        &["RFC2449-6.7-007"],
        |s| {
            let before = expire(s)?;
            s.login()?;
            let after = expire(s)?;
            s.check(before.0 == after.0 || before.1, "USER, as the values differ", format!("{before:?} and {after:?}"))?;
            s.check(!after.1, "no USER after the login", "USER")
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/6.8/uidl",
        "UIDL is there where it is announced",
        &["RFC2449-6.8-001"],
        |s| {
            announced(s, "UIDL")?;
            let rows = s.multi("UIDL")?.rows.len();
            let messages = s.ok("STAT")?.number(1);
            s.check(messages == Some(rows as u64), format!("{messages:?} lines"), format!("{rows} lines"))
        },
    ),
    ServerCase::must(
        "rfc2449/6.9/implementation",
        "IMPLEMENTATION has one or more words behind it",
        &["RFC2449-6.9-001"],
        |s| {
            let words = announced(s, "IMPLEMENTATION")?;
            let good = |word: &String| !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_graphic());
            s.check(!words.is_empty() && words.iter().all(good), "a word at least", format!("{words:?}"))
        },
    ),
    ServerCase::quirk(
        "rfc2449/6.9/implementation-before-login",
        "IMPLEMENTATION may be kept for the TRANSACTION state, but does not change there",
        &["RFC2449-6.9-002"],
        |s| {
            let before = find(&list(s)?, "IMPLEMENTATION").map(|words| words.join(" "));
            s.login()?;
            let after = find(&list(s)?, "IMPLEMENTATION").map(|words| words.join(" "));
            let same = before.is_none() || before == after;
            s.check(same, format!("IMPLEMENTATION {before:?}"), format!("{after:?} after the login"))
        },
    )
    .from(Start::Authorization),
];

/// The value of LOGIN-DELAY and whether USER stands behind it.
fn login_delay(s: &mut Talk<'_>) -> Judged<(u64, bool)> {
    let words = announced(s, "LOGIN-DELAY")?;
    match value(&words) {
        Some((Some(seconds), user)) => Ok((seconds, user)),
        _ => fail("LOGIN-DELAY, digits, and USER at most", format!("LOGIN-DELAY {}", words.join(" "))),
    }
}

/// The value of EXPIRE, where NEVER is the largest number there is, and whether USER stands behind it.
fn expire(s: &mut Talk<'_>) -> Judged<(u64, bool)> {
    let words = announced(s, "EXPIRE")?;
    match value(&words) {
        Some((Some(days), user)) => Ok((days, user)),
        Some((None, user)) if words[0].eq_ignore_ascii_case("NEVER") => Ok((u64::MAX, user)),
        _ => fail("EXPIRE, digits or NEVER, and USER at most", format!("EXPIRE {}", shown(words.join(" ").as_bytes()))),
    }
}

/// A number, if the first word is one, and USER.
fn value(words: &[String]) -> Option<(Option<u64>, bool)> {
    let (first, user) = match words {
        [first] => (first, false),
        [first, user] if user.eq_ignore_ascii_case("USER") => (first, true),
        _ => return None,
    };
    let digits = !first.is_empty() && first.bytes().all(|octet| octet.is_ascii_digit());
    Some((first.parse().ok().filter(|_| digits), user))
}

/// Fetches every message, and finds all of them again in the next session.
fn all_are_kept(s: &mut Talk<'_>, how: &str) -> Judged {
    let before = s.ok("STAT")?;
    for number in 1..=before.number(1).unwrap_or_default() {
        let lines = if how == "TOP" { " 9999" } else { "" };
        s.multi(&format!("{how} {number}{lines}"))?;
    }
    s.quit()?;
    s.begin(Start::Transaction)?;
    let after = s.ok("STAT")?;
    s.check(before.number(1) == after.number(1), before.shown(), after.shown())
}
