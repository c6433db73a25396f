//! RFC 1939 §8 to §13: scaling, the command summary, the example session, message format, security; and RFC 1957.

use super::steps::{Told, alike, drop_and_relogin, keywords, scan_listings, stat};
use crate::case::{ServerCase, Start, fail};
use crate::mailbox::Mail;
use crate::octets::escape;
use crate::peer::Upgrade;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc1939/8/retr-connection-lost",
        "Messages that were retrieved are not deleted where the connection is lost",
        &["RFC1939-8-005"],
        |s| {
            let before = (stat(s)?, scan_listings(s)?);
            let number = s.number(Mail::First)?;
            s.multi(&format!("RETR {number}"))?;
            drop_and_relogin(s)?;
            let after = (stat(s)?, scan_listings(s)?);
            alike(s, &before, &after)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/8/download-and-delete",
        "QUIT deletes nothing that was not marked, unless the server announces EXPIRE 0 and the message was retrieved",
        &["RFC1939-8-006", "RFC1939-6-007"],
        |s| {
            let capabilities = s.capabilities()?.unwrap_or_default();
            let expires = capabilities.iter().any(|line| line.to_ascii_uppercase().starts_with("EXPIRE 0"));
            let (count, _) = stat(s)?;
            let number = if expires { s.spare()? } else { s.number(Mail::Second)? };
            s.multi("LIST")?;
            // LIST, UIDL and TOP are no downloads.
            for line in ["UIDL".to_owned(), format!("TOP {number} 0")] {
                let reply = s.ask(&line)?;
                if reply.is_ok() {
                    s.data(reply)?;
                }
            }
            s.quit()?;
            s.begin(Start::Transaction)?;
            let (now, _) = stat(s)?;
            s.check(now == count, format!("{count} messages"), now.to_string())?;
            s.multi(&format!("RETR {number}"))?;
            s.quit()?;
            s.begin(Start::Transaction)?;
            let (now, _) = stat(s)?;
            if expires && now == count.wrapping_sub(1) {
                s.note("a message that was retrieved is deleted at QUIT, as EXPIRE 0 says");
                return Ok(());
            }
            s.check(now == count, format!("{count} messages"), now.to_string())
        },
    ),
    ServerCase::quirk(
        "rfc1939/8/top-disabled",
        "TOP is refused where the capability list does not hold it",
        &["RFC1939-8-007"],
        |s| {
            let number = s.number(Mail::First)?;
            let announced = keywords(s)?.iter().any(|word| word == "TOP");
            let reply = s.ask(&format!("TOP {number} 0"))?;
            s.check(reply.is_ok() == announced, if announced { "+OK" } else { "-ERR" }, reply.shown())
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/9/user-where-listed",
        "USER is implemented where the capability list holds it",
        &["RFC1939-9-001"],
        |s| {
            let account = s.account();
            if !keywords(s)?.iter().any(|word| word == "USER") {
                s.note("the capability list has no USER");
                return Ok(());
            }
            s.ok(&format!("USER {}", account.user))?;
            s.quit().map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc1939/9/replies", "The only replies are +OK and -ERR", &["RFC1939-9-002"], |s| {
        let mut replies = vec![s.greeting()?];
        if s.upgrade() == Upgrade::Stls {
            s.stls()?;
        }
        for line in ["XYZW", "USER"] {
            replies.push(s.ask(line)?);
        }
        s.login()?;
        for line in ["STAT", "LIST 1", "RETR 0", "NOOP", "RSET", "UIDL 1", "TOP", "USER x", "+ x", "QUIT"] {
            replies.push(s.ask(line)?);
        }
        // A challenge belongs to AUTH, and AUTH was not sent.
        match replies.iter().find(|reply| !reply.is_ok() && !reply.is_err()) {
            Some(reply) => fail("+OK or -ERR", reply.shown()),
            None => s.closed(),
        }
    })
    .from(Start::Connected),
    ServerCase::must("rfc1939/10/example", "The example session goes as the RFC shows it", &["RFC1939-10-001"], |s| {
        let account = s.account();
        let Some(digest) = s.digest(&account.password) else {
            return fail("a timestamp in the greeting", "none");
        };
        s.ok(&format!("APOP {} {digest}", account.user))?;
        let total = stat(s)?;
        s.check(total == (2, 320), "+OK 2 320", format!("+OK {}", total.told()))?;
        let listed = scan_listings(s)?;
        s.check(listed == [(1, 120), (2, 200)], "1 120, 2 200", listed.told())?;
        let message = s.multi("RETR 1")?.message();
        s.same(Mail::First.octets(), message)?;
        s.ok("DELE 1")?;
        let message = s.multi("RETR 2")?.message();
        s.same(Mail::Second.octets(), message)?;
        s.ok("DELE 2")?;
        s.quit()?;
        s.begin(Start::Transaction)?;
        let total = stat(s)?;
        s.check(total == (0, 0), "+OK 0 0", format!("+OK {}", total.told()))
    })
    .from(Start::Greeted)
    .house(|house| house.messages.truncate(2)),
    ServerCase::should(
        "rfc1939/11/message-format",
        "A message has a header, an empty line, and lines that end in CRLF",
        &["RFC1939-11-001"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            let rows = s.multi(&format!("RETR {number}"))?.rows;
            let Some(empty) = rows.iter().position(Vec::is_empty) else {
                return fail("an empty line behind the header", "none");
            };
            let field = |row: &Vec<u8>| {
                let name = row.split(|&octet| octet == b':').next().unwrap_or_default();
                let named = name.len() < row.len() && !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
                named || row.starts_with(b" ") || row.starts_with(b"\t")
            };
            if let Some(row) = rows[..empty].iter().find(|row| !field(row)) {
                return fail("a header field", escape(row));
            }
            match rows.iter().find(|row| row.contains(&b'\n')) {
                Some(row) => fail("lines that end in CRLF", escape(row)),
                None => Ok(()),
            }
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::quirk(
        "rfc1939/11/message-octets",
        "NUL and bare CR in a message are sent as they are stored",
        &["RFC1939-11-001"],
        |s| {
            let number = s.number(Mail::Raw)?;
            let message = s.multi(&format!("RETR {number}"))?.message();
            // A CR that stands alone in a line is the line end of a file whose lines end in CRLF: it may go.
            let without = String::from_utf8_lossy(&Mail::Raw.octets()).replace("\r\r\n", "\r\n");
            if message == without.as_bytes() { Ok(()) } else { s.same(Mail::Raw.octets(), message) }
        },
    )
    .with(&[Mail::Raw]),
    ServerCase::must(
        "rfc1939/11/line-ends-count-two",
        "Sizes count each line end as two octets, however it is stored",
        &["RFC1939-11-002"],
        |s| {
            let (number, size) = (s.number(Mail::TwelveLines)?, Mail::TwelveLines.octets().len());
            let listed = s.ok(&format!("LIST {number}"))?;
            s.check(listed.number(2) == Some(size as u64), format!("+OK {number} {size}"), listed.shown())
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::must(
        "rfc1939/11/line-ends-example",
        "Ten lines that are stored with LF have ten octets more on the wire, and so has the maildrop",
        &["RFC1939-11-002"],
        |s| {
            let listed = scan_listings(s)?;
            s.check(listed == [(1, 50), (2, 50)], "1 50, 2 50", listed.told())?;
            let total = stat(s)?;
            s.check(total == (2, 100), "+OK 2 100", format!("+OK {}", total.told()))
        },
    )
    .house(|house| {
        house.messages = vec![("lf".to_owned(), b"A:b\n".repeat(10)), ("crlf".to_owned(), b"A:b\r\n".repeat(10))];
    }),
    ServerCase::must(
        "rfc1939/11/stuffing-not-counted",
        "The octets of byte-stuffing are not counted in sizes, nor is the termination octet",
        &["RFC1939-11-003"],
        |s| {
            let number = s.number(Mail::TwelveLines)?;
            let listed = s.ok(&format!("LIST {number}"))?;
            let size = Mail::TwelveLines.octets().len();
            s.check(listed.number(2) == Some(size as u64), format!("+OK {number} {size}"), listed.shown())?;
            let message = s.multi(&format!("RETR {number}"))?.message();
            s.check(message.len() == size, format!("{size} octets"), format!("{} octets", message.len()))
        },
    )
    .with(&[Mail::TwelveLines]),
    ServerCase::quirk(
        "rfc1939/13/one-method",
        "A user who has a secret for APOP cannot log in with USER and PASS",
        &["RFC1939-13-001"],
        |s| {
            let account = s.account();
            let apop = match s.digest(&account.password) {
                Some(digest) => s.ask(&format!("APOP {} {digest}", account.user))?.is_ok(),
                None => false,
            };
            if !apop {
                return Ok(());
            }
            s.quit()?;
            s.begin(Start::Authorization)?;
            if s.ask(&format!("USER {}", account.user))?.is_ok() {
                s.err(&format!("PASS {}", account.password))?;
            }
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::should(
        "rfc1939/13/user-names",
        "The answer to USER does not tell which names exist",
        &["RFC1939-13-002"],
        |s| {
            let user = s.account().user;
            let nobody = "pop3-conformance-nobody";
            let known = s.ask(&format!("USER {user}"))?.first;
            s.begin(Start::Authorization)?;
            let unknown = s.ask(&format!("USER {nobody}"))?.first;
            // The name itself may be repeated.
            let known = String::from_utf8_lossy(&known).replace(&user, "NAME");
            let unknown = String::from_utf8_lossy(&unknown).replace(nobody, "NAME");
            s.check(known == unknown, known, unknown)
        },
    )
    .needs(&["USER"])
    .from(Start::Authorization),
    ServerCase::quirk(
        "rfc1957/1/text-behind-status",
        "A space and a text stand behind the status indicator: some clients need them",
        &["RFC1957-Observations-001"],
        |s| {
            let mut bare = Vec::new();
            for line in ["NOOP", "RSET", "XYZW", "LIST 0"] {
                let reply = s.ask(line)?;
                if reply.text().is_empty() {
                    bare.push(format!("{line}: {}", reply.shown()));
                }
            }
            let list = s.multi("LIST")?;
            if list.text().is_empty() {
                bare.push(format!("LIST: {}", list.shown()));
            }
            s.check(bare.is_empty(), "a text behind the status indicator", bare.join(", "))
        },
    ),
];
