//! RFC 1939 §5: the TRANSACTION state.

use super::steps::{
    Told, alike, all_refused, behind_first_line, drop_and_relogin, on_the_wire, refused_before_login, scan_listing,
    scan_listings, stat,
};
use crate::case::{Judged, ServerCase, Start, Talk, fail};
use crate::mailbox::Mail;
use crate::octets::escape;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc1939/5/repeated",
        "Commands may be repeated, and are answered as before",
        &["RFC1939-5-001"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            let total = stat(s)?;
            let listed = scan_listings(s)?;
            let message = s.multi(&format!("RETR {number}"))?.message();
            for _ in 0..2 {
                let (now, again) = (stat(s)?, scan_listings(s)?);
                alike(s, &total, &now)?;
                alike(s, &listed, &again)?;
                let once_more = s.multi(&format!("RETR {number}"))?.message();
                s.same(&message, once_more)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must("rfc1939/5/one-response", "The server responds to each command, once", &["RFC1939-5-002"], |s| {
        for _ in 0..4 {
            stat(s)?;
            s.err("XYZW")?;
            s.ok("NOOP")?;
            s.multi("LIST")?;
            s.err("RETR 0")?;
        }
        s.quiet()
    }),
    ServerCase::must("rfc1939/5/stat-argument", "STAT has no argument", &["RFC1939-5-003"], |s| {
        s.refused("STAT 1")?;
        s.ok("NOOP").map(drop)
    }),
    ServerCase::must("rfc1939/5/stat-state", "STAT is for the TRANSACTION state alone", &["RFC1939-5-004"], |s| {
        refused_before_login(s, &["STAT"])
    })
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/5/stat",
        "STAT is answered +OK, the number of messages, and their octets",
        &["RFC1939-5-005"],
        |s| {
            let (count, octets) = stat(s)?;
            let listed = scan_listings(s)?;
            s.check(listed.len() as u64 == count, format!("{count} scan listings"), format!("{}", listed.len()))?;
            let sum = listed.iter().fold(0, |sum: u64, (_, size)| sum.saturating_add(*size));
            s.check(sum == octets, format!("{octets} octets, as STAT says"), format!("{sum} octets in the listings"))?;
            let known = u64::from(s.count()?);
            s.check(count == known, format!("+OK {known} mm"), format!("+OK {count} {octets}"))
        },
    ),
    ServerCase::must(
        "rfc1939/5/stat-example",
        "The drop listing of two messages of 120 and 200 octets is 2 320",
        &["RFC1939-5-005"],
        |s| {
            let stat = stat(s)?;
            s.check(stat == (2, 320), "+OK 2 320", format!("+OK {}", stat.told()))
        },
    )
    .house(|house| house.messages.truncate(2)),
    ServerCase::must("rfc1939/5/stat-empty", "STAT of an empty maildrop is 0 0", &["RFC1939-5-005"], |s| {
        let stat = stat(s)?;
        s.check(stat == (0, 0), "+OK 0 0", format!("+OK {}", stat.told()))
    })
    .empty(),
    ServerCase::should(
        "rfc1939/5/stat-nothing-behind",
        "Nothing follows the size of the maildrop",
        &["RFC1939-5-007"],
        |s| {
            let reply = s.ok("STAT")?;
            let words = reply.first.split(|&octet| octet == b' ').count();
            s.check(words == 3, "+OK nn mm", reply.shown())
        },
    ),
    ServerCase::must(
        "rfc1939/5/stat-deleted",
        "Messages marked as deleted are not counted, neither in number nor in octets",
        &["RFC1939-5-008"],
        |s| {
            let (count, octets) = stat(s)?;
            let number = s.number(Mail::Second)?;
            let (_, size) = one_listing(s, number)?;
            s.ok(&format!("DELE {number}"))?;
            let (now, expected) = (stat(s)?, (count.wrapping_sub(1), octets.wrapping_sub(size)));
            s.check(now == expected, format!("+OK {} {}", expected.0, expected.1), format!("+OK {}", now.told()))?;
            s.ok("RSET")?;
            let now = stat(s)?;
            s.check(now == (count, octets), format!("+OK {count} {octets}"), now.told())
        },
    )
    .with(&[Mail::Second]),
    ServerCase::must(
        "rfc1939/5/list-deleted",
        "LIST with a message marked as deleted is refused",
        &["RFC1939-5-009"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            all_refused(s, &[format!("LIST {number}")])?;
            s.ok("RSET")?;
            one_listing(s, number).map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/5/list-state",
        "LIST is for the TRANSACTION state alone, with an argument and without",
        &["RFC1939-5-010"],
        |s| {
            s.err("LIST")?;
            s.quiet()?;
            s.err("LIST 1")?;
            s.quit().map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/5/list-one",
        "LIST with an argument is answered with one line, the scan listing of that message",
        &["RFC1939-5-011"],
        |s| {
            let number = s.number(Mail::Second)?;
            let listed = scan_listings(s)?;
            let (_, size) = one_listing(s, number)?;
            s.quiet()?;
            s.check(
                listed.contains(&(number.into(), size)),
                format!("as LIST says: {}", listed.told()),
                format!("{number} {size}"),
            )
        },
    )
    .with(&[Mail::Second]),
    ServerCase::must(
        "rfc1939/5/list",
        "LIST without an argument is answered with a scan listing for each message",
        &["RFC1939-5-012"],
        |s| {
            let (count, _) = stat(s)?;
            let mut listed = scan_listings(s)?;
            s.check(listed.len() as u64 == count, format!("{count} scan listings"), listed.told())?;
            listed.sort_unstable();
            listed.dedup_by_key(|(number, _)| *number);
            s.check(listed.len() as u64 == count, "each message once", listed.told())?;
            for (number, size) in listed {
                let now = one_listing(s, u32::try_from(number).unwrap_or(u32::MAX))?;
                s.check(now == (number, size), format!("+OK {number} {size}"), now.told())?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc1939/5/list-empty",
        "LIST of an empty maildrop is a positive response and the termination octet",
        &["RFC1939-5-013"],
        |s| {
            let list = s.multi("LIST")?;
            s.check(list.rows.is_empty(), "no scan listing", escape(&list.raw))?;
            s.err("LIST 1")?;
            s.ok("NOOP").map(drop)
        },
    )
    .empty(),
    ServerCase::must(
        "rfc1939/5/list-all-deleted",
        "Where all messages are marked as deleted, LIST is as of an empty maildrop",
        &["RFC1939-5-013"],
        |s| {
            let (count, _) = stat(s)?;
            for number in 1..=count {
                s.ok(&format!("DELE {number}"))?;
            }
            let list = s.multi("LIST")?;
            s.check(list.rows.is_empty(), "no scan listing", escape(&list.raw))?;
            let now = stat(s)?;
            s.check(now == (0, 0), "+OK 0 0", format!("+OK {}", now.told()))?;
            s.ok("RSET")?;
            let listed = scan_listings(s)?;
            s.check(listed.len() as u64 == count, format!("{count} scan listings"), listed.told())
        },
    ),
    ServerCase::must(
        "rfc1939/5/scan-listing",
        "A scan listing is the message-number, one space, and the size",
        &["RFC1939-5-014"],
        |s| {
            for row in &s.multi("LIST")?.rows {
                scan_listing(row)?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc1939/5/size-exact",
        "The size in a scan listing is the exact size of the message in octets",
        &["RFC1939-5-015"],
        |s| {
            // Servers that forget to stuff a first octet are found elsewhere; here, that message would hide the others.
            // One with UTF-8 in its header may be sent in another form (RFC 6856 §2.1, §5).
            let others = if s.strict() { Vec::new() } else { vec![Mail::Dots, Mail::EightBit] };
            let others: Vec<_> = others.into_iter().filter_map(|mail| s.number(mail).ok()).map(u64::from).collect();
            for (number, size) in scan_listings(s)? {
                if others.contains(&number) {
                    continue;
                }
                let reply = s.ask(&format!("RETR {number}"))?;
                if reply.is_err() {
                    // [UTF8], say: a server may keep such a message back.
                    s.note(format!("RETR {number} is refused: {}", reply.shown()));
                    continue;
                }
                let octets = s.data(reply)?.message().len();
                s.check(octets as u64 == size, format!("{size} octets, as LIST {number} says"), format!("{octets}"))?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc1939/5/size-exact-odd",
        "The size is exact also of messages without a final line end, with mixed line ends, or with nothing in them",
        &["RFC1939-5-015"],
        |s| {
            for (number, size) in scan_listings(s)? {
                let octets = s.multi(&format!("RETR {number}"))?.message().len();
                s.check(octets as u64 == size, format!("{size} octets, as LIST {number} says"), format!("{octets}"))?;
            }
            Ok(())
        },
    )
    .house(|house| {
        let odd: [&[u8]; 7] = [b"", b"x", b"\n", b"a\nb\r\nc", b"\r\n\n\r\n", b"a\r", b".\n..\n.a"];
        house.messages = odd.iter().enumerate().map(|(at, octets)| (format!("id{at}"), octets.to_vec())).collect();
    }),
    ServerCase::should(
        "rfc1939/5/list-nothing-behind",
        "Nothing follows the size in a scan listing",
        &["RFC1939-5-017"],
        |s| {
            let number = s.number(Mail::First)?;
            let one = s.ok(&format!("LIST {number}"))?;
            let words = |line: &[u8]| line.split(|&octet| octet == b' ').count();
            s.check(words(&one.first) == 3, "+OK, message-number, size", one.shown())?;
            match s.multi("LIST")?.rows.iter().find(|row| words(row) != 2) {
                Some(row) => fail("message-number and size", escape(row)),
                None => Ok(()),
            }
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/5/list-leaves-out-deleted",
        "LIST leaves out the messages marked as deleted",
        &["RFC1939-5-018"],
        |s| {
            let number = s.number(Mail::First)?;
            let mut listed = scan_listings(s)?;
            s.ok(&format!("DELE {number}"))?;
            listed.retain(|(listed, _)| *listed != u64::from(number));
            let now = scan_listings(s)?;
            alike(s, &listed, &now)?;
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/5/list-unknown",
        "LIST of a message that does not exist is refused, numbers of more than 32 and 64 bits too",
        &["RFC1939-5-020"],
        |s| unknown_refused(s, "LIST"),
    ),
    ServerCase::must("rfc1939/5/retr-argument", "RETR has an argument", &["RFC1939-5-021"], |s| {
        all_refused(s, &["RETR".to_owned()])?;
        s.refused("RETR ")?;
        s.ok("NOOP").map(drop)
    }),
    ServerCase::must(
        "rfc1939/5/retr-deleted",
        "RETR of a message marked as deleted is refused",
        &["RFC1939-5-022"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            s.err(&format!("RETR {number}"))?;
            s.ok("RSET")?;
            s.multi(&format!("RETR {number}"))?;
            s.quit()?;
            Ok(())
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/5/retr-state", "RETR is for the TRANSACTION state alone", &["RFC1939-5-023"], |s| {
        s.err("RETR 1")?;
        s.quiet()?;
        s.quit().map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must("rfc1939/5/retr-octets", "RETR sends the message, octet for octet", &["RFC1939-5-024"], |s| {
        for mail in [Mail::Second, Mail::TwelveLines] {
            let number = s.number(mail)?;
            let message = s.multi(&format!("RETR {number}"))?.message();
            s.same(mail.octets(), message)?;
        }
        Ok(())
    })
    .with(&[Mail::Second, Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/5/retr-long-line",
        "RETR sends a line of 5000 octets as it is",
        &["RFC1939-5-024"],
        |s| {
            let number = s.number(Mail::LongLine)?;
            let message = s.multi(&format!("RETR {number}"))?.message();
            s.same(Mail::LongLine.octets(), message)
        },
    )
    .with(&[Mail::LongLine]),
    ServerCase::must(
        "rfc1939/5/retr-both-forms",
        "RETR sends the same octets whether the lines are stored with LF or with CRLF",
        &["RFC1939-5-024"],
        |s| {
            let stored_with_lf = s.multi("RETR 1")?.message();
            let stored_with_crlf = s.multi("RETR 2")?.message();
            s.same(Mail::TwelveLines.octets(), stored_with_lf)?;
            s.same(Mail::TwelveLines.octets(), stored_with_crlf)?;
            let listed = scan_listings(s)?;
            s.check(matches!(listed[..], [(1, one), (2, two)] if one == two), "the same size twice", listed.told())
        },
    )
    .house(|house| {
        let mail = Mail::TwelveLines;
        house.messages = vec![("lf".to_owned(), mail.stored()), ("crlf".to_owned(), mail.octets())];
    }),
    ServerCase::must("rfc1939/5/retr-stuffing", "RETR byte-stuffs", &["RFC1939-5-025"], |s| {
        let number = s.number(Mail::TwelveLines)?;
        let reply = s.multi(&format!("RETR {number}"))?;
        s.same(Mail::TwelveLines.octets(), reply.message())?;
        s.same(on_the_wire(&Mail::TwelveLines.octets()), behind_first_line(&reply))
    })
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/5/retr-unknown",
        "RETR of a message that does not exist is refused, numbers of more than 32 and 64 bits too",
        &["RFC1939-5-026"],
        |s| unknown_refused(s, "RETR"),
    ),
    ServerCase::must("rfc1939/5/dele-argument", "DELE has an argument", &["RFC1939-5-027"], |s| {
        let before = stat(s)?;
        s.err("DELE")?;
        s.refused("DELE ")?;
        let now = stat(s)?;
        alike(s, &before, &now)
    }),
    ServerCase::must(
        "rfc1939/5/dele-twice",
        "DELE of a message already marked as deleted is refused",
        &["RFC1939-5-028"],
        |s| {
            let number = s.number(Mail::Second)?;
            s.ok(&format!("DELE {number}"))?;
            let once = stat(s)?;
            s.err(&format!("DELE {number}"))?;
            let twice = stat(s)?;
            alike(s, &once, &twice)?;
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::Second]),
    ServerCase::must("rfc1939/5/dele-state", "DELE is for the TRANSACTION state alone", &["RFC1939-5-029"], |s| {
        s.err("DELE 1")?;
        s.login()?;
        s.ok("LIST 1")?;
        s.quit().map(drop)
    })
    .from(Start::Authorization)
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/5/dele-reference",
        "Any further reference to the number of a message marked as deleted is an error",
        &["RFC1939-5-030"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            let lines = [
                format!("LIST {number}"),
                format!("RETR {number}"),
                format!("DELE {number}"),
                format!("TOP {number} 0"),
                format!("UIDL {number}"),
            ];
            all_refused(s, &lines)?;
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/5/dele-later", "DELE does not delete before the UPDATE state", &["RFC1939-5-031"], |s| {
        let before = scan_listings(s)?;
        let number = s.number(Mail::First)?;
        s.ok(&format!("DELE {number}"))?;
        s.ok("RSET")?;
        s.multi(&format!("RETR {number}"))?;
        s.ok(&format!("DELE {number}"))?;
        drop_and_relogin(s)?;
        let after = scan_listings(s)?;
        alike(s, &before, &after)
    })
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/5/dele-unknown",
        "DELE of a message that does not exist is refused and marks nothing",
        &["RFC1939-5-032"],
        |s| {
            let before = stat(s)?;
            unknown_refused(s, "DELE")?;
            let number = s.number(Mail::First)?;
            s.err(&format!("DELE {number} {number}"))?;
            s.err(&format!("DELE -{number}"))?;
            let after = stat(s)?;
            alike(s, &before, &after)?;
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/5/noop-argument", "NOOP has no argument", &["RFC1939-5-033"], |s| {
        s.refused("NOOP x")?;
        s.ok("NOOP").map(drop)
    }),
    ServerCase::must("rfc1939/5/noop-state", "NOOP is for the TRANSACTION state alone", &["RFC1939-5-034"], |s| {
        s.err("NOOP")?;
        // It has not become a login, either.
        if s.ask("STAT")?.is_ok() { fail("-ERR to STAT before the login", "+OK") } else { Ok(()) }
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/5/noop",
        "NOOP is answered with a positive response and does nothing",
        &["RFC1939-5-035"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            let before = stat(s)?;
            s.ok("NOOP")?;
            s.quiet()?;
            let after = stat(s)?;
            alike(s, &before, &after)?;
            s.err(&format!("LIST {number}"))?;
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/5/rset-argument", "RSET has no argument", &["RFC1939-5-036"], |s| {
        s.refused("RSET x")?;
        s.ok("NOOP").map(drop)
    }),
    ServerCase::must(
        "rfc1939/5/rset-argument-marks",
        "A RSET that is refused unmarks nothing",
        &["RFC1939-5-036"],
        |s| {
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            let marked = stat(s)?;
            if s.ask("RSET x")?.is_ok() {
                s.check(!s.strict(), "-ERR", "+OK")?;
                s.note("lenient: RSET x is answered +OK");
            } else {
                let now = stat(s)?;
                alike(s, &marked, &now)?;
            }
            s.ok("RSET").map(drop)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/5/rset-state", "RSET is for the TRANSACTION state alone", &["RFC1939-5-037"], |s| {
        s.err("RSET")?;
        s.quit().map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must("rfc1939/5/rset", "RSET unmarks every message", &["RFC1939-5-038"], |s| {
        let (first, second) = (s.number(Mail::First)?, s.number(Mail::Second)?);
        let before = (stat(s)?, scan_listings(s)?);
        s.ok(&format!("DELE {first}"))?;
        s.ok(&format!("DELE {second}"))?;
        s.ok("RSET")?;
        let now = (stat(s)?, scan_listings(s)?);
        alike(s, &before, &now)?;
        s.multi(&format!("RETR {first}"))?;
        s.quit()?;
        s.begin(Start::Transaction)?;
        let next = (stat(s)?, scan_listings(s)?);
        alike(s, &before, &next)
    })
    .with(&[Mail::First, Mail::Second]),
    ServerCase::must(
        "rfc1939/5/rset-nothing",
        "RSET is answered with a positive response, also where nothing is marked",
        &["RFC1939-5-039"],
        |s| {
            let before = stat(s)?;
            s.ok("RSET")?;
            s.ok("RSET")?;
            let after = stat(s)?;
            alike(s, &before, &after)
        },
    ),
];

/// The scan listing that LIST with an argument gives.
fn one_listing(s: &mut Talk<'_>, number: u32) -> Judged<(u64, u64)> {
    let reply = s.ok(&format!("LIST {number}"))?;
    match (reply.number(1), reply.number(2)) {
        (Some(listed), Some(size)) if listed == u64::from(number) => Ok((listed, size)),
        _ => fail(format!("+OK {number} and its size, in one line"), reply.shown()),
    }
}

/// Numbers that no message has; some of them are small once they are cut to 32 or 64 bits.
fn unknown_refused(s: &mut Talk<'_>, keyword: &str) -> Judged {
    let beyond = stat(s)?.0.saturating_add(1);
    for number in [&beyond.to_string()[..], "0", "4294967296", "4294967297", "18446744073709551617"] {
        s.err(&format!("{keyword} {number}"))?;
        s.ok("NOOP")?;
    }
    all_refused(s, &[format!("{keyword} x"), format!("{keyword} -1")])
}
