//! The nine mistakes that recur in POP3 software, on the server's side: groups 7 to 9.

use super::groups::in_step;
use super::reading::{credentials, mechanism, plain, shown};
use crate::case::{Judged, Reply, ServerCase, Start, Talk};
use crate::mailbox::Mail;

/// The cases, group by group.
pub(super) const CASES: &[ServerCase] = &[
    // 7. CR, LF and NUL where they are no line end.
    ServerCase::must(
        "group/7/server-control-octets",
        "CR and NUL within a command are a syntax error: one -ERR, and no second command",
        &["RFC1939-3-009", "RFC1939-3-037"],
        |s| {
            for line in [&b"STAT\0\r\n"[..], b"STAT\0x\r\n", b"NOOP\rSTAT\r\n", b"ST\rAT\r\n", b"LIST 1\0\r\n"] {
                s.raw(line)?;
                let reply = s.reply()?;
                if reply.is_ok() {
                    s.check(!s.strict(), "-ERR", reply.shown())?;
                    s.note(format!("lenient: {} is answered +OK", shown(line)));
                }
                in_step(s)?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "group/7/server-echo",
        "An answer holds no CR, LF or NUL of the command that it answers",
        &["RFC2449-3-006"],
        |s| {
            for line in [&b"NOSUCH\rSTAT\r\n"[..], b"NO\0SUCH\r\n", b"LIST x\ry\r\n", b"NOSUCH\r+OK\r\n"] {
                s.raw(line)?;
                let reply = s.reply()?;
                one_line(s, &reply)?;
            }
            in_step(s)
        },
    ),
    ServerCase::quirk("group/7/server-bare-lf", "A bare LF is no line end", &["RFC1939-3-009", "RFC1939-3-007"], |s| {
        s.raw(b"NOOP\nSTAT\r\n")?;
        let reply = s.reply()?;
        s.check(reply.is_err(), "-ERR to the whole of it", reply.shown())?;
        in_step(s)
    }),
    ServerCase::must(
        "group/7/server-names",
        "A user name with CR or NUL puts no second line on the wire",
        &["RFC1939-3-009", "RFC1939-5-002"],
        |s| {
            for line in [&b"USER a\rb\r\n"[..], b"USER a\0b\r\n", b"USER \r\r\n", b"PASS a\0\r\n", b"APOP a\0b c\r\n"] {
                s.raw(line)?;
                let reply = s.reply()?;
                one_line(s, &reply)?;
                s.quiet()?;
            }
            s.err("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must("group/7/server-password-with-nul", "A password does not end at a NUL", &["RFC1939-3-009"], |s| {
        let account = s.account();
        if s.ask(&format!("USER {}", account.user))?.is_err() {
            return crate::case::skip("the server refuses USER");
        }
        s.raw(format!("PASS {}\0x\r\n", account.password).as_bytes())?;
        let reply = s.expect_err()?;
        one_line(s, &reply)
    })
    .from(Start::Authorization),
    ServerCase::must(
        "group/7/server-sasl-names",
        "A decoded identity with CR, LF or NUL is refused, and puts no second line on the wire",
        &["RFC4616-2-001"],
        |s| {
            mechanism(s, "PLAIN")?;
            let account = s.account();
            for name in [format!("{}\r\n+OK", account.user), format!("{}\nSTAT", account.user), "\r\n.\r\n".into()] {
                let reply = s.err(&format!("AUTH PLAIN {}", plain(&name, &account.password)))?;
                one_line(s, &reply)?;
                if s.is_closed() {
                    s.begin(Start::Authorization)?;
                }
            }
            s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    // 8. Answers stay with their commands.
    ServerCase::must(
        "group/8/server-one-answer-each",
        "Each line has one answer, whatever is wrong with it",
        &["RFC1939-5-002", "RFC1939-3-035", "RFC1939-3-037"],
        |s| {
            for line in ["NOSUCH", "", " ", "LIST 0", "RETR", "RETR 0", "DELE x", "TOP", "X Y Z", "USER x", "PASS"] {
                s.err(line)?;
                in_step(s)?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "group/8/server-one-answer-each-in-a-batch",
        "Each line of a batch has one answer, in the order of the lines",
        &["RFC1939-5-002", "RFC2449-6.6-001"],
        |s| {
            s.raw(b"NOSUCH\r\nSTAT\r\n\r\nLIST\r\nLIST 0\r\nRETR\r\nSTAT\r\nNOOP x\r\nSTAT\r\n")?;
            s.expect_err()?;
            let first = s.expect_ok()?.first;
            s.expect_err()?;
            s.expect_multi()?;
            s.expect_err()?;
            s.expect_err()?;
            let second = s.expect_ok()?.first;
            s.same(&first, second)?;
            let argument = s.reply()?;
            s.check(argument.is_err() || !s.strict(), "-ERR", argument.shown())?;
            let third = s.expect_ok()?.first;
            s.same(&first, third)?;
            s.quiet()
        },
    )
    .needs(&["PIPELINING"]),
    ServerCase::must(
        "group/8/server-single-lines",
        "LIST and UIDL of one message are answered with one line",
        &["RFC1939-5-011", "RFC1939-7-014"],
        |s| {
            let number = s.number(Mail::First)?;
            let list = s.ok(&format!("LIST {number}"))?;
            s.check(
                list.number(1) == Some(number.into()),
                format!("+OK {number} and the size, in one line"),
                list.shown(),
            )?;
            in_step(s)?;
            let unique = s.ask(&format!("UIDL {number}"))?;
            let fits = unique.is_err() || unique.number(1) == Some(number.into());
            s.check(fits, format!("+OK {number} and the unique-id"), unique.shown())?;
            in_step(s)
        },
    )
    .with(&[Mail::First]),
    // 9. What TOP counts.
    ServerCase::must(
        "group/9/server-no-lines",
        "TOP with 0 lines sends the header and the empty line, once",
        &["RFC1939-7-008"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            let sent = s.multi(&format!("TOP {number} 0"))?.message();
            s.same(top(Mail::TwelveLines, 0), sent)
        },
    )
    .with(&[Mail::TwelveLines])
    .needs(&["TOP"]),
    ServerCase::must(
        "group/9/server-body-lines",
        "TOP counts lines of the body, and none of the header",
        &["RFC1939-7-008", "RFC1939-7-009"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            for lines in [1, 2, 3, 11, 12] {
                let sent = s.multi(&format!("TOP {number} {lines}"))?.message();
                s.same(top(Mail::TwelveLines, lines), sent)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::TwelveLines])
    .needs(&["TOP"]),
    ServerCase::must(
        "group/9/server-header-only",
        "TOP of a message without an empty line sends what there is",
        &["RFC1939-7-008", "RFC1939-7-010"],
        |s| {
            let number = s.number(Mail::HeaderOnly)?;
            for lines in [0, 1, 99] {
                let sent = s.multi(&format!("TOP {number} {lines}"))?.message();
                // An empty line that the server adds is no mistake that harms.
                let same = sent == Mail::HeaderOnly.octets();
                let added = sent == [&Mail::HeaderOnly.octets()[..], b"\r\n"].concat();
                s.check(same || added && !s.strict(), "the header, as it is", shown(&sent))?;
                if added {
                    s.note("an empty line is added behind a header that has none");
                }
            }
            Ok(())
        },
    )
    .with(&[Mail::HeaderOnly])
    .needs(&["TOP"]),
    ServerCase::must(
        "group/9/server-many-lines",
        "TOP with more lines than the body has sends the whole message, however large the number",
        &["RFC1939-7-010"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            for lines in ["13", "9999", "2147483648", "4294967295", "4294967296", "18446744073709551615"] {
                let reply = s.ask(&format!("TOP {number} {lines}"))?;
                if reply.is_err() && lines.len() > 9 && !s.strict() {
                    s.note(format!("{lines} lines are refused"));
                    continue;
                }
                s.check(reply.is_ok(), "+OK", reply.shown())?;
                let sent = s.data(reply)?.message();
                s.same(Mail::TwelveLines.octets(), sent)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::TwelveLines])
    .needs(&["TOP"]),
    ServerCase::must(
        "group/9/server-no-number",
        "A count of lines that is negative, missing or no number is refused",
        &["RFC1939-7-003", "RFC1939-7-004"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            for line in [format!("TOP {number} -1"), format!("TOP {number}"), "TOP".into(), format!("TOP {number} x")] {
                s.err(&line)?;
                in_step(s)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::TwelveLines])
    .needs(&["TOP"]),
];

/// A message's header, the empty line, and so many lines of its body.
fn top(mail: Mail, lines: usize) -> Vec<u8> {
    let octets = mail.octets();
    let body = octets.windows(4).position(|part| part == b"\r\n\r\n").map_or(octets.len(), |at| at + 4);
    let mut end = body;
    for line in octets[body..].split_inclusive(|&octet| octet == b'\n').take(lines) {
        end += line.len();
    }
    octets[..end].to_vec()
}

/// The answer holds no octet that somebody else may take for a line end.
fn one_line(s: &Talk<'_>, reply: &Reply) -> Judged {
    let odd = reply.first.iter().any(|octet| b"\r\n\0".contains(octet));
    s.check(!odd, "no CR, LF or NUL in the answer", reply.shown())
}
