//! RFC 2449 §5: CAPA.

use super::reading::{find, list, shown};
use crate::case::{ServerCase, Start, fail};
use crate::mailbox::Mail;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc2449/5/capa-in-both-states",
        "CAPA is there in the AUTHORIZATION and in the TRANSACTION state",
        &["RFC2449-5-001"],
        |s| {
            s.multi("CAPA")?;
            s.login()?;
            s.multi("CAPA")?;
            // It is no login, and no end of one.
            s.ok("STAT")?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/5/announced-in-both-states",
        "What is announced in the AUTHORIZATION state is announced in the TRANSACTION state too",
        &["RFC2449-5-003"],
        |s| {
            let before = list(s)?;
            s.login()?;
            let after = list(s)?;
            let tag = |line: &String| line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let missing: Vec<_> = before
                .iter()
                .map(tag)
                // RFC 2595 §4 and §8 say otherwise of this one.
                .filter(|tag| tag != "STLS" && find(&after, tag).is_none())
                .collect();
            s.check(missing.is_empty(), "every tag of before the login", format!("no {}", missing.join(", no ")))
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc2449/5/capa-no-argument", "CAPA takes no argument", &["RFC2449-5-008"], |s| {
        let reply = s.ask("CAPA x")?;
        if reply.is_ok() {
            s.data(reply.clone())?;
            s.check(!s.strict(), "-ERR", reply.shown())?;
            s.note("lenient: CAPA with an argument is answered with the list");
        }
        s.multi("CAPA")?;
        Ok(())
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/5/one-per-line",
        "+OK is followed by a list of capabilities, one a line",
        &["RFC2449-5-010"],
        |s| {
            for line in list(s)? {
                let mut words = line.split(' ');
                let tag = words.next().unwrap_or_default().to_ascii_uppercase();
                // These have no parameters: a second word would be a second capability.
                let alone = ["TOP", "UIDL", "USER", "STLS", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "LANG"];
                let bad = tag.is_empty() || alone.contains(&tag.as_str()) && words.next().is_some();
                s.check(!bad, "one capability", shown(line.as_bytes()))?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/5/line-of-512-octets",
        "A line of the capability list has 512 octets at most, CRLF included",
        &["RFC2449-5-012"],
        |s| {
            for _ in 0..2 {
                for row in s.multi("CAPA")?.rows {
                    let octets = row.len() + 2;
                    s.check(octets <= 512, "512 octets at most", format!("{octets} octets: {}", shown(&row)))?;
                }
                if s.ask("STAT")?.is_err() {
                    s.login()?;
                }
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/5/termination-octet",
        "The capability list ends with a line of the termination octet and CRLF, and nothing comes behind it",
        &["RFC2449-5-014"],
        |s| {
            let reply = s.multi("CAPA")?;
            s.check(reply.raw.ends_with(b"\r\n.\r\n"), "CRLF . CRLF", shown(&reply.raw))?;
            s.quiet()?;
            // Once more, for one that comes late.
            let stat = s.ok("STAT")?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())
        },
    )
    .needs(&["CAPA"]),
    ServerCase::should(
        "rfc2449/5/tag-is-keyword",
        "A tag that is a command's keyword announces that command",
        &["RFC2449-5-006"],
        |s| {
            let number = s.number(Mail::First)?;
            let list = list(s)?;
            for (tag, line) in [("TOP", format!("TOP {number} 0")), ("UIDL", "UIDL".into()), ("LANG", "LANG".into())] {
                if find(&list, tag).is_none() {
                    continue;
                }
                let reply = s.ask(&line)?;
                if reply.is_err() {
                    return fail(format!("{tag}, which is announced"), reply.shown());
                }
                s.data(reply)?;
            }
            Ok(())
        },
    )
    .with(&[Mail::First]),
];
