//! What goes wrong in whole sessions, where a cell of the matrix, one command and one fault, is too small.

use super::super::groups::{gone, in_step};
use super::super::houses;
use super::super::reading::{base64, challenge, credentials, mechanism, shown};
use crate::case::{ServerCase, Start, skip};
use crate::mailbox::Mail;
use crate::peer::Login;

/// The cases, point by point: authorization, user (USER was accepted), exchange (within AUTH), transaction, dele (a
/// message is marked as deleted), retr, batch, quit.
pub(crate) const SESSION: &[ServerCase] = &[
    // greeting
    ServerCase::must(
        "fault/greeting/server-early-commands",
        "Commands that come before the greeting is read are answered behind it",
        &["RFC1939-3-002", "RFC2449-6.6-001"],
        |s| {
            s.raw(b"CAPA\r\nNOSUCH\r\nQUIT\r\n")?;
            s.greeting()?;
            let first = s.reply()?;
            if first.is_ok() {
                s.data(first)?;
            }
            s.expect_err()?;
            s.expect_ok()?;
            s.closed()
        },
    )
    .from(Start::Connected)
    .needs(&["PIPELINING"]),
    // authorization
    ServerCase::must(
        "fault/authorization/server-failed-logins",
        "A login that fails, time and again, logs nobody in, and the right one logs in behind it",
        &["RFC1939-4-012", "RFC1939-7-042"],
        |s| {
            let account = s.account();
            for _ in 0..3 {
                if s.ask(&format!("USER {}", account.user))?.is_err() {
                    return skip("the server refuses USER");
                }
                s.err(&format!("PASS {}-wrong", account.password))?;
                if s.is_closed() {
                    s.begin(Start::Authorization)?;
                }
                s.err("STAT")?;
            }
            s.login()?;
            in_step(s)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "fault/authorization/server-cut-anywhere",
        "A session that is cut at any octet before its last removes nothing, and leaves the maildrop free",
        &["RFC1939-6-003", "RFC1939-3-007"],
        |s| {
            let account = s.account();
            if account.login != Login::User {
                return skip("this user does not log in by USER");
            }
            s.login()?;
            let before = s.ok("STAT")?;
            s.quit()?;
            let session = format!("USER {}\r\nPASS {}\r\nDELE 1\r\nQUIT\r\n", account.user, account.password);
            // Each cut is a session of its own; of a server that is far away not all are tried.
            for cut in (0..session.len()).step_by(if s.strict() { 1 } else { 5 }) {
                s.begin(Start::Authorization)?;
                s.raw(&session.as_bytes()[..cut])?;
                gone(s);
            }
            s.begin(Start::Transaction)?;
            let after = s.ok("STAT")?;
            s.same(before.first, after.first)
        },
    )
    .from(Start::Authorization)
    .needs(&["PIPELINING"]),
    ServerCase::must(
        "fault/authorization/server-one-write",
        "A whole session in one write is served from its login to its goodbye",
        &["RFC2449-6.6-001"],
        |s| {
            let account = s.account();
            if account.login != Login::User {
                return skip("this user does not log in by USER");
            }
            let lines = format!("USER {}\r\nPASS {}\r\nSTAT\r\nLIST\r\nQUIT\r\n", account.user, account.password);
            s.raw(lines.as_bytes())?;
            s.expect_ok()?;
            s.expect_ok()?;
            let stat = s.expect_ok()?;
            let rows = s.expect_multi()?.rows.len() as u64;
            s.check(stat.number(1) == Some(rows), stat.shown(), format!("{rows} scan listings"))?;
            s.expect_ok()?;
            s.closed()
        },
    )
    .from(Start::Authorization)
    .needs(&["PIPELINING"]),
    ServerCase::must(
        "fault/authorization/server-limits",
        "Lines around the limits of a command are answered once each, taken or refused",
        &["RFC2449-4-001", "RFC2449-4-003", "RFC1939-5-002"],
        |s| {
            // 255 octets with CRLF are a command; 512 is where many a buffer ends.
            for octets in [254, 255, 256, 511, 512, 513, 1023, 1024, 1025, 2550, 4096, 8191, 8192, 8193] {
                s.send(&format!("USER {}", "a".repeat(octets - 7)))?;
                let reply = s.reply()?;
                s.check(reply.is_ok() || reply.is_err(), "one answer", reply.shown())?;
                s.check(reply.raw.len() <= 512, "512 octets at most", format!("{} octets", reply.raw.len()))?;
                if s.is_closed() {
                    s.check(octets > 255, "an open connection", format!("closed behind {octets} octets"))?;
                    s.begin(Start::Authorization)?;
                }
                s.err("STAT")?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    // user
    ServerCase::must(
        "fault/user/server-command-between",
        "A command between USER and PASS: whether it counts or not, a wrong PASS logs nobody in",
        &["RFC1939-7-038", "RFC1939-7-040"],
        |s| {
            let account = s.account();
            for between in ["NOOP", "STAT", "NOSUCH", "USER pop3-conformance-nosuchuser", ""] {
                s.begin(Start::Authorization)?;
                if s.ask(&format!("USER {}", account.user))?.is_err() {
                    return skip("the server refuses USER");
                }
                s.ask(between)?;
                let reply = s.ask(&format!("PASS {}", account.password))?;
                if reply.is_ok() {
                    s.check(!s.strict(), "-ERR: PASS does not follow USER", reply.shown())?;
                    s.note(format!("lenient: USER is remembered across {between}"));
                    s.quit()?;
                }
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    // exchange
    ServerCase::must(
        "fault/exchange/server-quit",
        "A command within a SASL exchange is a response that is no base64, and is not executed",
        &["RFC5034-4-019"],
        |s| {
            mechanism(s, "PLAIN")?;
            for line in ["STAT x", "NOOP ", "*x", "* ", "-ERR", "+OK"] {
                challenge(s, "AUTH PLAIN")?;
                let reply = s.err(line)?;
                s.check(reply.is_err(), "-ERR", reply.shown())?;
                if s.is_closed() {
                    s.begin(Start::Authorization)?;
                }
            }
            s.err("STAT")?;
            s.login()?;
            in_step(s)
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    ServerCase::must(
        "fault/exchange/server-cut-anywhere",
        "A SASL exchange that is cut at any octet logs nobody in, and leaves the maildrop free",
        &["RFC5034-4-026", "RFC1939-3-007"],
        |s| {
            mechanism(s, "PLAIN")?;
            let response = credentials(s, true);
            for cut in (0..=response.len()).step_by(if s.strict() { 1 } else { 5 }) {
                s.begin(Start::Authorization)?;
                challenge(s, "AUTH PLAIN")?;
                s.raw(&response.as_bytes()[..cut])?;
                gone(s);
            }
            s.begin(Start::Transaction)?;
            in_step(s)
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    ServerCase::must(
        "fault/exchange/server-half-a-message",
        "A PLAIN message with a field too few or too many is refused",
        &["RFC4616-2-001", "RFC5034-4-025"],
        |s| {
            mechanism(s, "PLAIN")?;
            let account = s.account();
            let (user, password) = (account.user, account.password);
            let messages = [
                String::new(),
                "\0".into(),
                "\0\0".into(),
                user.clone(),
                format!("{user}\0{password}"),
                format!("\0{user}"),
                format!("\0{user}\0"),
                format!("\0\0{password}"),
                format!("\0{user}\0{password}\0"),
                format!("pop3-conformance-nosuchuser\0{user}\0{password}"),
            ];
            for message in messages {
                challenge(s, "AUTH PLAIN")?;
                s.err(&base64(message.as_bytes()))?;
                if !s.is_closed() {
                    s.err("STAT")?;
                }
                s.begin(Start::Authorization)?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    ServerCase::must(
        "fault/exchange/server-endless-response",
        "A response without an end is refused or ends the connection, and its tail is no command",
        &["RFC5034-4-023"],
        |s| {
            mechanism(s, "PLAIN")?;
            challenge(s, "AUTH PLAIN")?;
            let piece = vec![b'A'; 16 * 1024];
            for _ in 0..20 {
                if s.raw(&piece).is_err() {
                    return Ok(());
                }
            }
            if s.raw(b"\r\n").is_err() {
                return Ok(());
            }
            let said = s.leftover().unwrap_or_default();
            s.check(!said.starts_with(b"+OK"), "-ERR, or the end", shown(&said))?;
            if s.is_closed() {
                return Ok(());
            }
            s.err("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    // transaction
    ServerCase::quirk(
        "fault/transaction/server-leading-zeros",
        "A message-number with zeros in front is refused, or is that message",
        &["RFC1939-5-011"],
        |s| {
            let plain = s.ok("LIST 1")?.number(2);
            for number in ["01", "0000000001"] {
                let reply = s.ask(&format!("LIST {number}"))?;
                let same = reply.is_err() || reply.number(2) == plain && reply.word(1) == b"1";
                s.check(same, "-ERR, or the scan listing of message 1", reply.shown())?;
            }
            in_step(s)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "fault/transaction/server-garbage",
        "Octets that are no command are refused, one -ERR a line, and the session goes on",
        &["RFC1939-3-009", "RFC1939-3-035", "RFC1939-3-037"],
        |s| {
            for line in [
                &b"\xff\xfe\xfd\r\n"[..],
                b"STAT\xe4\r\n",
                b"\tSTAT\r\n",
                b" STAT\r\n",
                b"STAT\tx\r\n",
                b"LIST  1\r\n",
                b"RETR 1 1\r\n",
                b"\x1b[2J\r\n",
                b".\r\n",
                b"+OK\r\n",
                b"A1 LOGIN a b\r\n",
            ] {
                s.raw(line)?;
                let reply = s.reply()?;
                if reply.is_ok() {
                    s.check(!s.strict(), "-ERR", reply.shown())?;
                    s.note(format!("lenient: {} is answered +OK", shown(line)));
                    s.leftover();
                }
                in_step(s)?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "fault/transaction/server-two-sessions",
        "A session that is lost does not disturb one that goes on",
        &["RFC1939-4-006", "RFC1939-6-003"],
        |s| {
            let before = s.ok("STAT")?.first;
            let mut second = s.second(Start::Authorization)?;
            let account = s.account();
            second.ask(&format!("USER {}", account.user))?;
            second.ask(&format!("PASS {}", account.password))?;
            gone(&mut second);
            let after = s.ok("STAT")?.first;
            s.same(before, after)?;
            s.quit()?;
            Ok(())
        },
    ),
    // dele
    ServerCase::must(
        "fault/dele/server-garbage",
        "Garbage behind DELE neither removes the message nor takes the mark off",
        &["RFC1939-5-031", "RFC1939-3-037"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            let marked = s.ok("STAT")?.first;
            for line in ["NOSUCH", "RSETX", "DELE x", "RETR 0", "QUITX", ""] {
                s.err(line)?;
                let after = s.ok("STAT")?.first;
                s.same(&marked, after)?;
            }
            s.ok("RSET")?;
            s.multi(&format!("RETR {number}"))?;
            Ok(())
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "fault/dele/server-removal-fails",
        "Where the removal fails, QUIT is answered -ERR, the connection ends, and the maildrop is free again",
        &["RFC1939-6-005", "RFC1939-6-008"],
        |s| {
            s.ok("DELE 1")?;
            s.err("QUIT")?;
            s.closed()?;
            s.begin(Start::Transaction)?;
            in_step(s)
        },
    )
    .house(|house| house.removal_fails = true),
    // retr
    ServerCase::must(
        "fault/retr/server-false-end",
        "No message holds an end that a reader may take for the end of the answer",
        &["RFC1939-3-024", "RFC1939-3-023"],
        |s| {
            for at in 1..=houses::ODD.len() {
                let reply = s.multi(&format!("RETR {at}"))?;
                let body = &reply.raw[reply.first.len() + 2..reply.raw.len() - 3];
                let early = body.windows(5).any(|part| part == b"\r\n.\r\n") || body.starts_with(b".\r\n");
                s.check(!early, "one termination octet", shown(body))?;
                let bare = body.windows(3).any(|part| part == b"\n.\n");
                s.check(!bare, "no LF . LF", shown(body))?;
                s.quiet()?;
            }
            Ok(())
        },
    )
    .house(houses::odd_messages),
    // batch
    ServerCase::must(
        "fault/batch/server-behind-a-failed-login",
        "Commands in a batch behind a login that fails do nothing",
        &["RFC2449-6.6-001", "RFC1939-3-038"],
        |s| {
            let account = s.account();
            let lines = format!("USER {}\r\nPASS {}-wrong\r\nSTAT\r\nRETR 1\r\n", account.user, account.password);
            s.raw(lines.as_bytes())?;
            if s.reply()?.is_err() {
                return skip("the server refuses USER");
            }
            s.expect_err()?;
            let mut said = Vec::new();
            while let Some(more) = s.leftover() {
                said.extend(more);
            }
            // Two times -ERR, or the end of the connection.
            let done = said.windows(3).any(|part| part == b"+OK");
            s.check(!done, "nothing but -ERR", shown(&said))
        },
    )
    .from(Start::Authorization)
    .needs(&["PIPELINING"]),
    ServerCase::must(
        "fault/batch/server-behind-quit",
        "What comes behind QUIT is not executed",
        &["RFC1939-3-034", "RFC1939-6-001"],
        |s| {
            s.raw(b"QUIT\r\nSTAT\r\nNOOP\r\n")?;
            s.expect_ok()?;
            s.closed()
        },
    )
    .needs(&["PIPELINING"]),
    // quit
    ServerCase::must(
        "fault/quit/server-before-login",
        "QUIT before the login is answered +OK, and ends the connection",
        &["RFC1939-4-018", "RFC1939-6-002"],
        |s| {
            s.quit()?;
            s.begin(Start::Transaction)?;
            in_step(s)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "fault/quit/server-answer-unread",
        "A client that leaves without reading the answer to QUIT has quit all the same",
        &["RFC1939-6-001", "RFC1939-6-008"],
        |s| {
            s.send("QUIT")?;
            gone(s);
            s.begin(Start::Transaction)?;
            in_step(s)
        },
    ),
];
