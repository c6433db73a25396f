//! RFC 1939 §7: TOP and UIDL. USER, PASS and APOP are in `rfc1939_07_login`.

use super::steps::{
    Told, alike, all_refused, all_refused_or_meant, behind_first_line, drop_and_relogin, is_one_to, is_unique_id,
    keywords, on_the_wire, stat, unique_id, unique_ids,
};
use crate::case::{Judged, ServerCase, Start, Talk, fail};
use crate::fixture::top;
use crate::mailbox::Mail;
use crate::octets::escape;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc1939/7/minimal",
        "STAT, LIST, RETR, DELE, NOOP, RSET and QUIT are implemented",
        &["RFC1939-7-001"],
        |s| {
            let number = s.number(Mail::First)?;
            stat(s)?;
            s.multi("LIST")?;
            s.multi(&format!("RETR {number}"))?;
            s.ok("NOOP")?;
            s.ok("RSET")?;
            s.ok(&format!("DELE {number}"))?;
            s.ok("RSET")?;
            s.quit().map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::should("rfc1939/7/optional-commands", "TOP and UIDL are implemented", &["RFC1939-7-002"], |s| {
        let announced = keywords(s)?;
        let number = s.number(Mail::First)?;
        for (keyword, line) in [("TOP", format!("TOP {number} 0")), ("UIDL", "UIDL".to_owned())] {
            if !announced.iter().any(|word| word == keyword) {
                s.multi(&line)?;
            }
        }
        Ok(())
    })
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/7/top-arguments",
        "TOP has two arguments, a message-number and a number of lines",
        &["RFC1939-7-003"],
        |s| {
            let number = s.number(Mail::First)?;
            all_refused(s, &["TOP".to_owned(), format!("TOP {number}")])?;
            all_refused_or_meant(s, &[format!("TOP {number} 2 3")])?;
            s.multi(&format!("TOP {number} 2")).map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/7/top-count",
        "The number of lines is not negative, and digits alone",
        &["RFC1939-7-004"],
        |s| {
            let number = s.number(Mail::First)?;
            all_refused(s, &["-1", "x"].map(|count| format!("TOP {number} {count}")))?;
            all_refused_or_meant(s, &["+1", "1x", "1.0"].map(|count| format!("TOP {number} {count}")))?;
            s.multi(&format!("TOP {number} 0")).map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/7/top-deleted",
        "TOP of a message marked as deleted is refused",
        &["RFC1939-7-006"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            all_refused(s, &[format!("TOP {number} 0")])?;
            s.ok("RSET")?;
            s.multi(&format!("TOP {number} 0")).map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/7/top-state", "TOP is for the TRANSACTION state alone", &["RFC1939-7-007"], |s| {
        s.err("TOP 1 0")?;
        s.quit().map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/7/top",
        "TOP sends the header, the blank line, and that many lines of the body",
        &["RFC1939-7-008"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            for lines in [0, 1, 3, 11, 12] {
                let reply = s.multi(&format!("TOP {number} {lines}"))?;
                s.same(top(&Mail::TwelveLines.octets(), lines), reply.message())?;
            }
            s.ok("NOOP").map(drop)
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/7/top-header-only",
        "TOP of a message without a body sends its header",
        &["RFC1939-7-008"],
        |s| {
            let number = s.number(Mail::HeaderOnly)?;
            let header = Mail::HeaderOnly.octets();
            for lines in [0, 5] {
                let message = s.multi(&format!("TOP {number} {lines}"))?.message();
                if !s.strict() && message == [&header[..], b"\r\n"].concat() {
                    s.note("a blank line is added to a message that has none");
                    continue;
                }
                s.same(&header, message)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::HeaderOnly]),
    ServerCase::must(
        "rfc1939/7/top-both-forms",
        "TOP counts the same lines whether they are stored with LF or with CRLF",
        &["RFC1939-7-008"],
        |s| {
            for lines in [0, 1, 2, 3] {
                for number in [1, 2] {
                    let message = s.multi(&format!("TOP {number} {lines}"))?.message();
                    s.same(top(b"A: b\r\n\r\n\r\none\r\n\r\n", lines), message)?;
                }
            }
            Ok(())
        },
    )
    .house(|house| {
        let crlf = b"A: b\r\n\r\n\r\none\r\n\r\n".to_vec();
        house.messages = vec![("lf".to_owned(), b"A: b\n\n\none\n\n".to_vec()), ("crlf".to_owned(), crlf)];
    }),
    ServerCase::must("rfc1939/7/top-stuffing", "TOP byte-stuffs", &["RFC1939-7-009"], |s| {
        for lines in [0, 1, 5] {
            stuffed_top(s, Mail::TwelveLines, lines)?;
        }
        Ok(())
    })
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/7/top-stuffing-header",
        "TOP byte-stuffs in the header too, and from the first octet on",
        &["RFC1939-7-009"],
        |s| {
            for lines in [0, 1, 5] {
                stuffed_top(s, Mail::Dots, lines)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::Dots]),
    ServerCase::must(
        "rfc1939/7/top-more-lines",
        "With more lines than the body has, TOP sends the entire message",
        &["RFC1939-7-010"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            let message = s.multi(&format!("RETR {number}"))?.message();
            for lines in ["13", "999999999"] {
                let reply = s.multi(&format!("TOP {number} {lines}"))?;
                s.same(&message, reply.message())?;
            }
            // Numbers that wrap may be refused, but must not be taken for smaller ones.
            for lines in
                ["4294967296", "4294967297", "9223372036854775808", "18446744073709551615", "18446744073709551617"]
            {
                let reply = s.ask(&format!("TOP {number} {lines}"))?;
                if reply.is_err() {
                    s.check(!s.strict() || lines.len() == 20, "+OK", reply.shown())?;
                    continue;
                }
                let top = s.data(reply)?.message();
                s.same(&message, top)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/7/top-unknown",
        "TOP of a message that does not exist is refused",
        &["RFC1939-7-011"],
        |s| {
            let beyond = (stat(s)?.0.saturating_add(1)).to_string();
            let numbers = [&beyond[..], "0", "-1", "4294967297", "18446744073709551617", "x"];
            all_refused(s, &numbers.map(|number| format!("TOP {number} 3")))
        },
    ),
    ServerCase::must(
        "rfc1939/7/uidl-deleted",
        "UIDL with a message marked as deleted is refused",
        &["RFC1939-7-012"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            all_refused(s, &[format!("UIDL {number}")])?;
            s.ok("RSET")?;
            s.ok(&format!("UIDL {number}")).map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/7/uidl-state", "UIDL is for the TRANSACTION state alone", &["RFC1939-7-013"], |s| {
        s.err("UIDL")?;
        s.quiet()?;
        s.err("UIDL 1")?;
        s.quit().map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/7/uidl-one",
        "UIDL with an argument is answered with one line, the unique-id listing of that message",
        &["RFC1939-7-014"],
        |s| {
            let number = s.number(Mail::Second)?;
            let listed = unique_ids(s)?;
            let one = s.ok(&format!("UIDL {number}"))?;
            s.quiet()?;
            let found = unique_id(one.first.get(4..).unwrap_or_default())?;
            s.check(found.0 == u64::from(number), format!("+OK {number} and its unique-id"), one.shown())?;
            s.check(listed.contains(&found), "the unique-id that UIDL lists", one.shown())
        },
    )
    .with(&[Mail::Second]),
    ServerCase::must(
        "rfc1939/7/uidl",
        "UIDL without an argument is answered with a unique-id listing for each message",
        &["RFC1939-7-015"],
        |s| {
            let (count, _) = stat(s)?;
            let mut numbers: Vec<u64> = unique_ids(s)?.into_iter().map(|(number, _)| number).collect();
            numbers.sort_unstable();
            s.check(is_one_to(&numbers, count), format!("1 to {count}"), numbers.told())
        },
    ),
    ServerCase::must(
        "rfc1939/7/uidl-empty",
        "UIDL of an empty maildrop is a positive response and the termination octet",
        &["RFC1939-7-015"],
        |s| {
            let reply = s.multi("UIDL")?;
            s.same(b".\r\n", behind_first_line(&reply))?;
            s.err("UIDL 1")?;
            s.ok("NOOP").map(drop)
        },
    )
    .empty(),
    ServerCase::must(
        "rfc1939/7/unique-id-listing",
        "A unique-id listing is the message-number, one space, the unique-id, and nothing behind it",
        &["RFC1939-7-016", "RFC1939-7-017"],
        |s| {
            let rows = s.multi("UIDL")?.rows;
            for row in &rows {
                let (_, id) = unique_id(row)?;
                s.check(is_unique_id(&id), "message-number, SP, unique-id", escape(row))?;
            }
            let number = s.number(Mail::First)?;
            let one = s.ok(&format!("UIDL {number}"))?;
            let words = one.first.split(|&octet| octet == b' ').count();
            s.check(words == 3, "+OK, message-number, unique-id", one.shown())
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/7/unique-id-octets",
        "A unique-id is one to 70 characters from 0x21 to 0x7E",
        &["RFC1939-7-018"],
        |s| match unique_ids(s)?.into_iter().find(|(_, id)| !is_unique_id(id)) {
            Some((number, id)) => fail("1 to 70 octets from 0x21 to 0x7E", format!("{number} {}", escape(&id))),
            None => Ok(()),
        },
    ),
    ServerCase::must(
        "rfc1939/7/unique-id-70",
        "A unique-id of one character or of 70 is listed as it is",
        &["RFC1939-7-018"],
        |s| {
            let listed = unique_ids(s)?;
            let expected = vec![(1, b"!".to_vec()), (2, vec![b'~'; 70]), (3, b".".to_vec())];
            s.check(listed == expected, "the unique-ids of the maildrop", listed.told())?;
            s.ok("NOOP").map(drop)
        },
    )
    .house(|house| {
        let ids = ["!".to_owned(), "~".repeat(70), ".".to_owned()];
        house.messages = ids.into_iter().map(|id| (id, b"A: b\n\nc\n".to_vec())).collect();
    }),
    ServerCase::must(
        "rfc1939/7/unique-id-too-long",
        "A unique-id of 71 characters is never sent",
        &["RFC1939-7-018"],
        never_sent,
    )
    .from(Start::Authorization)
    .house(|house| house.messages = vec![("a".repeat(71), b"A: b\n\nc\n".to_vec())]),
    ServerCase::must(
        "rfc1939/7/unique-id-space",
        "A unique-id with a space in it is never sent",
        &["RFC1939-7-018"],
        never_sent,
    )
    .from(Start::Authorization)
    .house(|house| house.messages = vec![("a b".to_owned(), b"A: b\n\nc\n".to_vec())]),
    ServerCase::must(
        "rfc1939/7/unique-id-empty",
        "A unique-id of no characters is never sent",
        &["RFC1939-7-018"],
        never_sent,
    )
    .from(Start::Authorization)
    .house(|house| house.messages = vec![(String::new(), b"A: b\n\nc\n".to_vec())]),
    ServerCase::must(
        "rfc1939/7/unique-id-unique",
        "A unique-id identifies one message of the maildrop",
        &["RFC1939-7-020"],
        |s| {
            let listed = unique_ids(s)?;
            for (at, (number, id)) in listed.iter().enumerate() {
                let Some((other, _)) = listed[..at].iter().find(|(_, other)| other == id) else { continue };
                let one = s.multi(&format!("RETR {other}"))?.message();
                let two = s.multi(&format!("RETR {number}"))?.message();
                s.check(one == two, "different unique-ids", format!("{other} and {number} have {}", escape(id)))?;
                s.note(format!("{other} and {number} are copies and share a unique-id"));
            }
            Ok(())
        },
    ),
    ServerCase::must("rfc1939/7/unique-id-persists", "Unique-ids persist across sessions", &["RFC1939-7-021"], |s| {
        let before = unique_ids(s)?;
        s.quit()?;
        s.begin(Start::Transaction)?;
        let after = unique_ids(s)?;
        alike(s, &before, &after)
    }),
    ServerCase::must(
        "rfc1939/7/unique-id-persists-without-update",
        "Unique-ids persist also where a session ends without the UPDATE state",
        &["RFC1939-7-022"],
        |s| {
            let before = unique_ids(s)?;
            drop_and_relogin(s)?;
            let after = unique_ids(s)?;
            alike(s, &before, &after)
        },
    ),
    ServerCase::must(
        "rfc1939/7/uidl-leaves-out-deleted",
        "UIDL leaves out the messages marked as deleted",
        &["RFC1939-7-026"],
        |s| {
            let number = s.number(Mail::First)?;
            let mut listed = unique_ids(s)?;
            s.ok(&format!("DELE {number}"))?;
            listed.retain(|(listed, _)| *listed != u64::from(number));
            let now = unique_ids(s)?;
            alike(s, &listed, &now)?;
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/7/uidl-unknown",
        "UIDL of a message that does not exist is refused",
        &["RFC1939-7-027"],
        |s| {
            let beyond = (stat(s)?.0.saturating_add(1)).to_string();
            let numbers = [&beyond[..], "0", "-1", "4294967297", "18446744073709551617", "x"];
            all_refused(s, &numbers.map(|number| format!("UIDL {number}")))
        },
    ),
];

/// TOP, as it has to be on the wire.
fn stuffed_top(s: &mut Talk<'_>, mail: Mail, lines: usize) -> Judged {
    let number = s.number(mail)?;
    let reply = s.multi(&format!("TOP {number} {lines}"))?;
    s.same(on_the_wire(&top(&mail.octets(), lines)), behind_first_line(&reply))?;
    s.ok("NOOP").map(drop)
}

/// The maildrop holds a message whose unique-id is none. It may be refused at the login, or listed under another one.
fn never_sent(s: &mut Talk<'_>) -> Judged {
    if s.login().is_err() {
        return Ok(());
    }
    s.send("UIDL")?;
    let Ok(reply) = s.reply() else { return Ok(()) };
    if reply.is_ok() {
        for row in s.data(reply)?.rows {
            let (_, id) = unique_id(&row)?;
            s.check(is_unique_id(&id), "1 to 70 octets from 0x21 to 0x7E", escape(&row))?;
        }
    }
    Ok(())
}
