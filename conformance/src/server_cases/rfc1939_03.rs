//! RFC 1939 §3: commands and the lines of responses. The rest of §3 is in `rfc1939_03_states`.

use super::steps::{behind_first_line, on_the_wire};
use crate::case::{Judged, ServerCase, Start, Talk, fail};
use crate::mailbox::Mail;
use crate::octets::escape;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc1939/3/greeting-first",
        "The server speaks first: it sends its greeting when the connection is established",
        &["RFC1939-3-002"],
        |s| s.greeting().map(drop),
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/3/keyword-case",
        "Keywords are case-insensitive, before the login",
        &["RFC1939-3-004"],
        |s| {
            for quit in ["quit", "QuIt", "QUIT"] {
                s.begin(Start::Authorization)?;
                s.ok(quit)?;
                s.closed()?;
            }
            Ok(())
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/3/keyword-case-transaction",
        "Keywords are case-insensitive, after the login",
        &["RFC1939-3-004"],
        |s| {
            s.ok("sTaT")?;
            s.multi("list")?;
            s.ok("Noop")?;
            s.ok("rseT")?;
            s.ok("qUIT")?;
            s.closed()
        },
    ),
    ServerCase::must(
        "rfc1939/3/keyword-case-login",
        "USER and PASS are keywords like the others: case-insensitive",
        &["RFC1939-3-004"],
        |s| {
            let account = s.account();
            s.ok(&format!("user {}", account.user))?;
            s.ok(&format!("pAsS {}", account.password))?;
            s.ok("STAT").map(drop)
        },
    )
    .needs(&["USER"])
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/3/command-octets",
        "A command is answered once, when its CRLF has come, however it is cut",
        &["RFC1939-3-007"],
        |s| {
            s.octet_by_octet(b"NOOP\r")?;
            s.quiet()?;
            s.raw(b"\n")?;
            s.expect_ok()?;
            s.pieces(&[b"ST", b"AT\r", b"\n"])?;
            let stat = s.expect_ok()?;
            s.check(stat.number(1).is_some(), "+OK nn mm", stat.shown())?;
            s.quiet()
        },
    ),
    ServerCase::must(
        "rfc1939/3/commands-together",
        "Commands that come in one piece are answered one after the other",
        &["RFC1939-3-007"],
        |s| {
            s.raw(b"NOOP\r\nXYZW\r\nLIST\r\nRETR 0\r\nSTAT\r\n")?;
            s.expect_ok()?;
            s.expect_err()?;
            s.expect_multi()?;
            s.expect_err()?;
            let stat = s.expect_ok()?;
            s.check(stat.number(1).is_some(), "+OK nn mm", stat.shown())?;
            s.quiet()
        },
    ),
    ServerCase::must("rfc1939/3/command-lf", "A command ends in CRLF, and not in LF alone", &["RFC1939-3-007"], |s| {
        s.raw(b"NOOP\n")?;
        match s.leftover() {
            Some(answer) if s.strict() => fail("nothing before CRLF", escape(&answer)),
            Some(_) => {
                s.note("lenient: LF alone ends a command");
                Ok(())
            }
            None => {
                // The line is over now; it holds a LF, and is one line.
                s.raw(b"\r\n")?;
                s.expect_err()?;
                s.ok("NOOP").map(drop)
            }
        }
    }),
    ServerCase::must(
        "rfc1939/3/command-not-printable",
        "A keyword or an argument that is not printable makes the command invalid",
        &["RFC1939-3-009"],
        |s| {
            for octets in [&b"NO\0OP\r\n"[..], b"LIST \x01\r\n", b"\xFF\xFE\r\n", b"NO\rOP\r\n"] {
                s.raw(octets)?;
                s.expect_err()?;
            }
            s.ok("NOOP").map(drop)
        },
    ),
    ServerCase::must(
        "rfc1939/3/command-control-behind",
        "Control characters behind a keyword are not overlooked",
        &["RFC1939-3-009"],
        |s| {
            for line in ["NOOP\0", "NOOP\0 x", "NOOP\x07", "NOOP\r", "NOOP\t"] {
                s.refused(line)?;
            }
            s.ok("NOOP").map(drop)
        },
    ),
    ServerCase::must(
        "rfc1939/3/argument-two-spaces",
        "Keyword and argument are separated by a single space",
        &["RFC1939-3-011"],
        |s| {
            let number = s.number(Mail::First)?;
            for line in [format!("LIST  {number}"), format!("LIST\t{number}"), format!("LIST \t{number}")] {
                s.refused(&line)?;
                // If it were taken for a LIST without an argument, there would be more.
                s.ok("NOOP")?;
            }
            Ok(())
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/3/space-around",
        "Spaces before a keyword and behind a command make it invalid",
        &["RFC1939-3-011"],
        |s| {
            let number = s.number(Mail::First)?;
            for line in [" NOOP".to_owned(), "NOOP ".to_owned(), "STAT  ".to_owned(), format!("LIST {number} ")] {
                s.refused(&line)?;
                s.ok("NOOP")?;
            }
            Ok(())
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/3/keyword-length",
        "A keyword that is too short or too long is no other keyword",
        &["RFC1939-3-013"],
        |s| {
            for line in ["NO", "N", "NOO", "NOOPS", "NOOPNOOPNOOPNOOP", "STATS"] {
                s.err(line)?;
            }
            s.ok("NOOP").map(drop)
        },
    ),
    ServerCase::must("rfc1939/3/argument-40", "An argument of 40 characters is taken", &["RFC1939-3-014"], |s| {
        s.ask(&format!("USER {}", "a".repeat(40)))?;
        s.quit().map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/3/argument-40-digits",
        "A message-number of 40 digits is read to its end",
        &["RFC1939-3-014"],
        |s| {
            s.err(&format!("LIST 1{}", "0".repeat(39)))?;
            let number = s.number(Mail::Second)?;
            let reply = s.ask(&format!("LIST {number:040}"))?;
            if reply.is_ok() {
                s.check(
                    reply.number(1) == Some(number.into()),
                    format!("+OK {number} and its size, in one line"),
                    reply.shown(),
                )?;
            } else {
                s.check(!s.strict(), "+OK", reply.shown())?;
                s.note("a message-number with leading zeros is refused");
            }
            s.err(&format!("RETR {}", "9".repeat(40)))?;
            s.ok("NOOP").map(drop)
        },
    )
    .with(&[Mail::Second]),
    ServerCase::must(
        "rfc1939/3/response-crlf",
        "Every response line ends with CRLF, and holds no other CR or LF",
        &["RFC1939-3-017"],
        |s| {
            let mut lines = vec![s.greeting()?.first];
            if s.upgrade() == crate::peer::Upgrade::Stls {
                s.stls()?;
            }
            lines.push(s.err("XYZW")?.first);
            s.login()?;
            for line in ["NOOP", "STAT", "RSET"] {
                lines.push(s.ok(line)?.first);
            }
            let list = s.multi("LIST")?;
            lines.push(list.first);
            lines.extend(list.rows);
            lines.push(s.err("RETR 0")?.first);
            lines.push(s.quit()?.first);
            match lines.iter().find(|line| line.contains(&b'\r') || line.contains(&b'\n')) {
                Some(line) => fail("a line without CR and LF inside", escape(line)),
                None => Ok(()),
            }
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/3/response-512",
        "The first line of a response has at most 512 octets, whatever the command was",
        &["RFC1939-3-018"],
        |s| {
            let long = "a".repeat(240);
            for line in [format!("USER {long}"), format!("XXXX {long}")] {
                s.begin(Start::Authorization)?;
                let reply = s.ask(&line)?;
                fits(s, &reply.first)?;
            }
            s.begin(Start::Transaction)?;
            for line in [format!("XXXX {long}"), format!("RETR {long}"), "9".repeat(240)] {
                let reply = s.err(&line)?;
                fits(s, &reply.first)?;
            }
            let goodbye = s.quit()?;
            fits(s, &goodbye.first)
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/3/status-upper-case",
        "The status indicators are +OK and -ERR, in upper case, for themselves or before a space",
        &["RFC1939-3-021"],
        |s| {
            // What begins otherwise fails where it is read.
            let greeting = s.greeting()?;
            s.check(greeting.first.starts_with(b"+OK"), "+OK", greeting.shown())?;
            if s.upgrade() == crate::peer::Upgrade::Stls {
                s.stls()?;
            }
            s.err("XYZW")?;
            s.err("STAT")?;
            s.login()?;
            s.ok("STAT")?;
            s.multi("LIST")?;
            s.err("LIST 0")?;
            s.err("xyzw")?;
            s.ok("noop")?;
            s.quit().map(drop)
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/3/multi-line-crlf",
        "Each line of a multi-line response ends with CRLF, however the message is stored",
        &["RFC1939-3-022"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            for line in ["LIST".to_owned(), format!("RETR {number}")] {
                let reply = s.multi(&line)?;
                whole_lines(&reply.rows)?;
            }
            for line in ["UIDL".to_owned(), format!("TOP {number} 3"), "CAPA".to_owned()] {
                let reply = s.ask(&line)?;
                if reply.is_ok() {
                    whole_lines(&s.data(reply)?.rows)?;
                }
            }
            s.quit().map(drop)
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/3/multi-line-end",
        "A multi-line response ends with a line that holds the termination octet alone, and only there",
        &["RFC1939-3-023"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            for line in ["LIST".to_owned(), format!("RETR {number}")] {
                s.multi(&line)?;
                s.ok("NOOP")?;
            }
            for line in ["UIDL".to_owned(), format!("TOP {number} 1"), "CAPA".to_owned()] {
                let reply = s.ask(&line)?;
                if reply.is_ok() {
                    s.data(reply)?;
                }
                s.ok("NOOP")?;
            }
            s.quiet()
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/3/multi-line-end-empty",
        "A multi-line response without lines is the termination octet alone",
        &["RFC1939-3-023"],
        |s| {
            let list = s.multi("LIST")?;
            s.same(b".\r\n", behind_first_line(&list))?;
            s.ok("NOOP")?;
            s.quiet()
        },
    )
    .empty(),
    ServerCase::must(
        "rfc1939/3/stuffing",
        "A line that begins with the termination octet is byte-stuffed",
        &["RFC1939-3-024"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            let reply = s.multi(&format!("RETR {number}"))?;
            s.same(on_the_wire(&Mail::TwelveLines.octets()), behind_first_line(&reply))
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/3/stuffing-first-octet",
        "A dot is byte-stuffed also where it is the first octet of the message or its last line",
        &["RFC1939-3-024", "RFC1939-5-025"],
        |s| {
            let number = s.number(Mail::Dots)?;
            let reply = s.multi(&format!("RETR {number}"))?;
            s.same(on_the_wire(&Mail::Dots.octets()), behind_first_line(&reply))?;
            s.ok("NOOP").map(drop)
        },
    )
    .with(&[Mail::Dots]),
    ServerCase::must(
        "rfc1939/3/stuffing-one-dot",
        "A message that is a dot and nothing else is byte-stuffed and gets a line end",
        &["RFC1939-3-024", "RFC1939-3-025"],
        |s| {
            let reply = s.multi("RETR 1")?;
            s.same(b"..\r\n.\r\n", behind_first_line(&reply))?;
            s.ok("NOOP").map(drop)
        },
    )
    .house(|house| house.messages = vec![("one".to_owned(), b".".to_vec())]),
    ServerCase::must(
        "rfc1939/3/no-final-line-end",
        "The response ends with CRLF.CRLF also where the message does not end with a line end",
        &["RFC1939-3-025"],
        |s| {
            for (number, ending) in
                [(1, "\r\nno line end\r\n.\r\n"), (2, "\r\n..\r\n.\r\n"), (3, "\r\na CR\r\r\n.\r\n")]
            {
                let reply = s.multi(&format!("RETR {number}"))?;
                let from = reply.raw.len().saturating_sub(ending.len());
                s.same(ending, &reply.raw[from..])?;
                s.ok("NOOP")?;
            }
            Ok(())
        },
    )
    .house(|house| {
        let message = |end: &str| format!("Subject: x\n\nbody\n{end}").into_bytes();
        house.messages = vec![
            ("one".to_owned(), message("no line end")),
            ("two".to_owned(), message(".")),
            ("three".to_owned(), message("a CR\r")),
        ];
    }),
    ServerCase::must(
        "rfc1939/3/empty-message",
        "A message of no octets is the first line and the termination octet",
        &["RFC1939-3-025"],
        |s| {
            let reply = s.multi("RETR 1")?;
            s.same(b".\r\n", behind_first_line(&reply))?;
            let list = s.ok("LIST 1")?;
            s.check(list.number(2) == Some(0), "+OK 1 0", list.shown())?;
            s.ok("NOOP").map(drop)
        },
    )
    .house(|house| house.messages = vec![("one".to_owned(), Vec::new())]),
];

/// 512 octets with CRLF.
fn fits(s: &Talk<'_>, first: &[u8]) -> Judged {
    s.check(first.len() <= 510, "at most 512 octets, CRLF included", format!("{} octets", first.len() + 2))
}

/// No row holds the line end of the store.
fn whole_lines(rows: &[Vec<u8>]) -> Judged {
    match rows.iter().find(|row| row.contains(&b'\n')) {
        Some(row) => fail("lines that end in CRLF", escape(row)),
        None => Ok(()),
    }
}
