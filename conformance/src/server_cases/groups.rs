//! The nine mistakes that recur in POP3 software, on the server's side: groups 1 to 6.

use super::houses;
use super::reading::{challenge, mechanism, shown};
use super::rfc2595::never_executed;
use super::steps::keywords;
use crate::case::{Judged, ServerCase, Start, Talk, fail, skip};
use crate::mailbox::Mail;
use crate::octets;
use crate::peer::Upgrade;

/// The cases, group by group.
pub(super) const CASES: &[ServerCase] = &[
    // 1. A command split over packets.
    ServerCase::must(
        "group/1/server-octet-by-octet",
        "Commands that come octet by octet are answered as those that come at once",
        &["RFC1939-3-007"],
        |s| {
            let at_once = (s.ok("STAT")?.first, s.multi("LIST")?.raw);
            s.octet_by_octet(b"STAT\r\n")?;
            let stat = s.expect_ok()?.first;
            s.octet_by_octet(b"LIST\r\n")?;
            let list = s.expect_multi()?.raw;
            s.same(at_once.0, stat)?;
            s.same(at_once.1, list)?;
            s.octet_by_octet(b"QUIT\r\n")?;
            s.expect_ok()?;
            s.closed()
        },
    ),
    ServerCase::must(
        "group/1/server-crlf-split",
        "A command waits for its CRLF, also where CR and LF come in two packets",
        &["RFC1939-3-007"],
        |s| {
            s.raw(b"STAT\r")?;
            s.quiet()?;
            s.raw(b"\nNO")?;
            let stat = s.expect_ok()?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())?;
            s.quiet()?;
            s.raw(b"OP")?;
            s.quiet()?;
            s.raw(b"\r\n")?;
            s.expect_ok()?;
            s.quiet()
        },
    ),
    ServerCase::must(
        "group/1/server-every-split",
        "A command split anywhere is one command",
        &["RFC1939-3-007", "RFC1939-5-002"],
        |s| {
            let whole = b"LIST\r\n";
            let rows = s.multi("LIST")?.raw;
            for at in 1..whole.len() {
                let (head, tail) = whole.split_at(at);
                s.pieces(&[head, tail])?;
                let split = s.expect_multi()?.raw;
                s.same(&rows, split)?;
            }
            s.quiet()
        },
    ),
    ServerCase::must(
        "group/1/server-login-split",
        "A login that comes octet by octet is a login",
        &["RFC1939-3-007"],
        |s| {
            let account = s.account();
            s.octet_by_octet(format!("USER {}\r\n", account.user).as_bytes())?;
            if s.reply()?.is_err() {
                return skip("the server refuses USER");
            }
            s.octet_by_octet(format!("PASS {}\r\n", account.password).as_bytes())?;
            s.expect_ok()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    // 2. Stuffing.
    ServerCase::must(
        "group/2/server-first-octet",
        "A message whose first octet is a dot has that dot stuffed, by RETR and by TOP",
        &["RFC1939-3-024", "RFC1939-5-025", "RFC1939-7-009"],
        |s| {
            let number = s.number(Mail::Dots)?;
            let sent = [&octets::stuffed(&Mail::Dots.octets())[..], b".\r\n"].concat();
            for line in [format!("RETR {number}"), format!("TOP {number} 99")] {
                let reply = s.ask(&line)?;
                if reply.is_err() && line.starts_with("TOP") {
                    s.note("the server has no TOP");
                    continue;
                }
                let reply = s.data(reply)?;
                s.same(&sent, &reply.raw[reply.first.len() + 2..])?;
            }
            // Whatever was left unstuffed is read as an answer now.
            s.quiet()?;
            let stat = s.ok("STAT")?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())
        },
    )
    .with(&[Mail::Dots]),
    ServerCase::must(
        "group/2/server-odd-messages",
        "Messages of dots, of line ends and of nothing come whole, and their end is where it is",
        &["RFC1939-3-024", "RFC1939-3-025", "RFC2449-3-005"],
        |s| {
            for (at, (_, sent)) in houses::ODD.iter().enumerate() {
                let message = s.multi(&format!("RETR {}", at + 1))?.message();
                s.same(sent, message)?;
                s.quiet()?;
                let size = s.ok(&format!("LIST {}", at + 1))?;
                s.check(size.number(2) == Some(sent.len() as u64), format!("{} octets", sent.len()), size.shown())?;
            }
            s.quit()?;
            Ok(())
        },
    )
    .house(houses::odd_messages),
    ServerCase::must(
        "group/2/server-odd-messages-top",
        "TOP sends messages of dots and line ends with the same care as RETR",
        &["RFC1939-7-009", "RFC1939-7-010"],
        |s| {
            for (at, (_, sent)) in houses::ODD.iter().enumerate() {
                let message = s.multi(&format!("TOP {} 99", at + 1))?.message();
                s.same(sent, message)?;
                s.quiet()?;
            }
            s.quit()?;
            Ok(())
        },
    )
    .house(houses::odd_messages)
    .needs(&["TOP"]),
    // 3. Bodies are octets.
    ServerCase::must(
        "group/3/server-octets",
        "NUL, bare CR, 8-bit octets and long lines come as they are stored",
        &["RFC1939-5-024"],
        |s| {
            for mail in [Mail::Raw, Mail::EightBit, Mail::LongLine] {
                let number = s.number(mail)?;
                let reply = s.ask(&format!("RETR {number}"))?;
                if reply.is_err() && mail == Mail::EightBit && !s.strict() {
                    s.note("the server refuses the message with UTF-8 in its header");
                    continue;
                }
                s.check(reply.is_ok(), "+OK", reply.shown())?;
                let message = s.data(reply)?.message();
                if mail == Mail::EightBit && message != mail.octets() && keywords(s)?.iter().any(|tag| tag == "UTF8") {
                    s.note("before UTF8, the message with UTF-8 in its header is sent in another form (RFC 6856 section 5)");
                    continue;
                }
                s.same(mail.octets(), message)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::Raw, Mail::EightBit, Mail::LongLine]),
    ServerCase::must(
        "group/3/server-last-line-end",
        "The last line end of a message is neither lost nor doubled",
        &["RFC1939-3-025", "RFC1939-5-024"],
        |s| {
            let number = s.number(Mail::Second)?;
            let reply = s.multi(&format!("RETR {number}"))?;
            s.same(Mail::Second.octets(), reply.message())?;
            s.check(reply.raw.ends_with(b"\r\n.\r\n"), "CRLF . CRLF", shown(&reply.raw))
        },
    )
    .with(&[Mail::Second]),
    // 4. No bound.
    ServerCase::must(
        "group/4/server-endless-line",
        "A line without an end is refused once, and its tail is no command",
        &["RFC1939-3-037", "RFC2449-4-003"],
        |s| {
            let piece = b"NOOP ".repeat(2000);
            for _ in 0..30 {
                // Closing is an answer too.
                if s.raw(&piece).is_err() {
                    return Ok(());
                }
            }
            if s.raw(b"x\r\n").is_err() {
                return Ok(());
            }
            let mut refused = 0;
            while let Some(said) = s.leftover() {
                let text = String::from_utf8_lossy(&said).into_owned();
                if text.contains("+OK") {
                    return fail("-ERR", text);
                }
                refused += text.matches("-ERR").count();
            }
            if s.is_closed() {
                return Ok(());
            }
            s.check(refused == 1 || !s.strict(), "-ERR once", format!("-ERR {refused} times"))?;
            s.ok("STAT")?;
            Ok(())
        },
    ),
    ServerCase::must(
        "group/4/server-long-batch",
        "Thousands of commands in a batch are answered one by one, none left out",
        &["RFC2449-6.6-001"],
        |s| {
            s.raw(&b"NOOP\r\n".repeat(3000))?;
            for _ in 0..3000 {
                s.expect_ok()?;
            }
            s.quiet()?;
            s.quit()?;
            Ok(())
        },
    )
    .needs(&["PIPELINING"]),
    ServerCase::must(
        "group/4/server-long-listing",
        "A listing has a line for each message, however many there are",
        &["RFC1939-5-012", "RFC1939-7-015"],
        |s| {
            let list = s.multi("LIST")?.rows;
            s.check(list.len() == 3000, "3000 lines", format!("{}", list.len()))?;
            let unique = s.multi("UIDL")?.rows;
            s.check(unique.len() == 3000, "3000 lines", format!("{}", unique.len()))?;
            s.multi("RETR 3000")?;
            s.err("RETR 3001")?;
            Ok(())
        },
    )
    .house(houses::many_messages)
    .needs(&["UIDL"]),
    // 5. The end of the connection.
    ServerCase::must(
        "group/5/server-quit-without-line-end",
        "QUIT without its CRLF is no QUIT: nothing is removed",
        &["RFC1939-6-003", "RFC1939-3-007"],
        |s| {
            let before = s.ok("STAT")?;
            s.ok("DELE 1")?;
            s.raw(b"QUIT")?;
            gone(s);
            s.begin(Start::Transaction)?;
            let after = s.ok("STAT")?;
            s.same(before.first, after.first)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "group/5/server-lost-after-dele",
        "A connection that is lost behind DELE removes nothing, and the maildrop is free again",
        &["RFC1939-6-003"],
        |s| {
            let before = s.ok("STAT")?;
            s.ok("DELE 1")?;
            gone(s);
            s.begin(Start::Transaction)?;
            let after = s.ok("STAT")?;
            s.same(before.first, after.first)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "group/5/server-lost-in-login",
        "A connection that is lost in the middle of a login logs nobody in",
        &["RFC1939-6-003", "RFC1939-3-007"],
        |s| {
            let account = s.account();
            s.ask(&format!("USER {}", account.user))?;
            s.raw(format!("PASS {}", account.password).as_bytes())?;
            gone(s);
            s.begin(Start::Transaction)?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "group/5/server-lost-in-auth",
        "A connection that is lost in the middle of a SASL exchange logs nobody in",
        &["RFC5034-4-026"],
        |s| {
            mechanism(s, "PLAIN")?;
            challenge(s, "AUTH PLAIN")?;
            s.raw(super::reading::credentials(s, true).as_bytes())?;
            gone(s);
            s.begin(Start::Transaction)?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::quirk(
        "group/5/server-half-closed",
        "Commands that came before the client's end are answered",
        &["RFC1939-5-002"],
        |s| {
            s.raw(b"STAT\r\nNOOP\r\nQUIT\r\n")?;
            s.finish();
            s.expect_ok()?;
            s.expect_ok()?;
            s.expect_ok()?;
            s.closed()
        },
    )
    .needs(&["PIPELINING"]),
    // 6. What is left in the clear behind STLS.
    ServerCase::must(
        "group/6/server-line-behind-stls",
        "A line in the clear behind STLS is not answered over TLS",
        &["RFC2595-4-006"],
        |s| never_executed(s, b"STLS\r\nCAPA\r\n"),
    )
    .from(Start::Greeted),
    ServerCase::must(
        "group/6/server-login-behind-stls",
        "A login in the clear behind STLS logs nobody in",
        &["RFC2595-4-006", "RFC2595-4-010"],
        |s| {
            let account = s.account();
            let lines = format!("STLS\r\nUSER {}\r\nPASS {}\r\n", account.user, account.password);
            never_executed(s, lines.as_bytes())
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "group/6/server-half-line-behind-stls",
        "Half a line in the clear behind STLS is no beginning of the first line over TLS",
        &["RFC2595-4-006"],
        |s| never_executed(s, b"STLS\r\nX"),
    )
    .from(Start::Greeted),
    ServerCase::must(
        "group/6/server-line-end-behind-stls",
        "A line end in the clear behind STLS is not answered over TLS",
        &["RFC2595-4-006"],
        |s| never_executed(s, b"STLS\r\n\r\n"),
    )
    .from(Start::Greeted),
    ServerCase::must(
        "group/6/server-packet-behind-stls",
        "A line in the clear that comes after +OK to STLS is no command",
        &["RFC2595-4-006", "RFC2595-2.5-001"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            s.ok("STLS")?;
            if s.raw(b"NOOP\r\nCAPA\r\n").is_err() {
                return Ok(());
            }
            let said = s.leftover().unwrap_or_default();
            s.check(!said.starts_with(b"+") && !said.starts_with(b"-"), "no answer in the clear", shown(&said))
        },
    )
    .from(Start::Greeted)
    .needs(&["STLS"]),
];

/// The client's end, and the server's behind it.
pub(super) fn gone(s: &mut Talk<'_>) {
    s.finish();
    for _ in 0..50 {
        if s.is_closed() {
            break;
        }
    }
    s.hang_up();
}

/// STAT must be answered, and as STAT is: the answers are where they belong.
pub(super) fn in_step(s: &mut Talk<'_>) -> Judged {
    s.quiet()?;
    let stat = s.ok("STAT")?;
    s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())
}
