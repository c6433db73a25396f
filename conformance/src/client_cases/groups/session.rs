//! What belongs to what: (6) octets around STLS, (7) line ends in arguments, (8) replies that shift.

use super::super::judge::{
    all_stored, each, end, ends, ends_well, fails, fetches_all, gives_up, no_login_was_tried, retrieved, until_quiet,
    with_rows,
};
use super::super::rfc2595::needs_stls;
use crate::case::{ClientCase, Ended, Judged, Level, Play, skip};
use crate::mailbox::Mail;
use crate::octets::escape;
use crate::peer::fetcher::JobLogin;

/// The cases, group by group.
pub(crate) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "group/6/client-complete-line",
        "A whole line in the clear behind the +OK to STLS is no response inside TLS",
        &["RFC2595-4-007"],
        |c| {
            // What a client would ask for next inside TLS: the list, the login.
            let lines: [&[u8]; 4] = [
                b"+OK\r\nSASL PLAIN\r\nPIPELINING\r\n.\r\n",
                b"+OK\r\n.\r\n+OK send PASS\r\n+OK in\r\n",
                b"-ERR\r\n",
                b"-ERR no capabilities\r\n+OK\r\n",
            ];
            each(c, &lines, |c, line| leftover(c, line, true))
        },
    ),
    ClientCase::must(
        "group/6/client-half-a-line",
        "Half a line in the clear behind the +OK to STLS does not become the beginning of a response inside TLS",
        &["RFC2595-4-007"],
        |c| {
            let halves: [&[u8]; 5] = [b"+", b"+OK", b"-ERR inj", b"+OK\r\nSASL", b"\n"];
            each(c, &halves, |c, half| leftover(c, half, true))
        },
    ),
    ClientCase::must(
        "group/6/client-next-segment",
        "What comes in the clear in a segment of its own, behind the +OK to STLS, is no response inside TLS",
        &["RFC2595-4-007"],
        |c| {
            let octets: [&[u8]; 3] = [b"+OK injected\r\n", b"-E", b"+OK\r\n.\r\n"];
            each(c, &octets, |c, octets| leftover(c, octets, false))
        },
    ),
    ClientCase::must(
        "group/6/client-before-the-ok",
        "An answer that comes before STLS was given is no answer to it",
        &["RFC2595-4-007", "RFC2595-4-009"],
        |c| {
            needs_stls(c)?;
            let line = c.until("CAPA")?;
            let answer = c.honest.answer(line.text());
            c.say(&[&answer[..], b"+OK begin TLS\r\n"].concat())?;
            // Whoever takes that for the answer begins with TLS at once, and never sees the real one.
            let Some(line) = c.command()? else { return fails(c).map(drop) };
            if line.verb == "QUIT" {
                return fails(c).map(drop);
            }
            c.say(b"-ERR no TLS here\r\n")?;
            fails(c)?;
            no_login_was_tried(c)
        },
    ),
    ClientCase::must(
        "group/7/client-user-crlf",
        "CR LF in a user's name puts no second line on the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.user = "mrose\r\nDELE 1".to_owned()),
    ClientCase::must(
        "group/7/client-user-lf",
        "LF in a user's name puts no second line on the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.user = "mrose\nDELE 1".to_owned()),
    ClientCase::must(
        "group/7/client-user-cr",
        "CR in a user's name does not reach the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.user = "mrose\rDELE 1".to_owned()),
    ClientCase::must(
        "group/7/client-user-nul",
        "NUL in a user's name does not reach the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.user = "mrose\0DELE 1".to_owned()),
    ClientCase::must(
        "group/7/client-user-space",
        "A space in a user's name does not make a second argument",
        &["RFC1939-3-010"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.user = "mrose DELE".to_owned()),
    ClientCase::must(
        "group/7/client-password-crlf",
        "CR LF in a password puts no second line on the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.password = "tanstaaf\r\nDELE 1".to_owned()),
    ClientCase::must(
        "group/7/client-password-lf",
        "LF in a password puts no second line on the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.password = "tanstaaf\nDELE 1".to_owned()),
    ClientCase::must(
        "group/7/client-password-nul",
        "NUL in a password does not reach the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| job.password = "tanstaaf\0DELE 1".to_owned()),
    ClientCase::must(
        "group/7/client-apop-crlf",
        "CR LF in the name that goes with APOP puts no second line on the wire",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "DELE"),
    )
    .job(|job| (job.user, job.login) = ("mrose\r\nDELE 1".to_owned(), JobLogin::Apop)),
    ClientCase::must(
        "group/7/client-plain-nul",
        "NUL in a name or a password does not become a field of PLAIN",
        &["RFC4616-2-001"],
        |c| no_second_line(c, "AUTH"),
    )
    .job(|job| (job.password, job.login) = ("tan\0staaf".to_owned(), JobLogin::Plain)),
    ClientCase::must(
        "group/7/client-token-control",
        "Control characters in a token do not become fields of the message around it",
        &["RFC1939-3-008"],
        |c| no_second_line(c, "AUTH"),
    )
    .job(|job| (job.password, job.login) = ("token\x01auth=Bearer other".to_owned(), JobLogin::Xoauth2)),
    ClientCase::must(
        "group/7/client-password-with-spaces",
        "Spaces in a password, in front of it and behind it, are sent as they are",
        &["RFC1939-7-029"],
        |c| {
            if !c.ours() {
                return skip("the password cannot be chosen");
            }
            c.honest.account.password = " two  words ".to_owned();
            let line = c.until("PASS")?;
            c.check(line.raw == b"PASS  two  words \r\n", "PASS  two  words ", line.shown())?;
            c.answer(&line)?;
            fetches_all(c)
        },
    )
    .job(|job| job.password = " two  words ".to_owned()),
    ClientCase::must(
        "group/8/client-unknown-capability",
        "Unknown lines of a capability list shift nothing",
        &["RFC2449-5-007"],
        |c| {
            let lines =
                ["X-NEW a=b;c", "XTND XMIT", "+OK", "-ERR", "STLS2", "USER", "UIDL", "TOP", "EXPIRE NEVER USER"];
            c.honest.capabilities = Some(lines.map(str::to_owned).to_vec());
            fetches_all(c)
        },
    ),
    ClientCase::must(
        "group/8/client-more-on-a-row",
        "More on the lines of a listing shifts nothing",
        &["RFC1939-5-016"],
        |c| {
            c.serve_with(|honest, line| {
                (line.verb == "LIST" && line.rest.is_empty())
                    .then(|| with_rows(honest, line, |row| format!("{row} +OK -ERR .")))
            })?;
            all_stored(c)
        },
    ),
    ClientCase::must(
        "group/8/client-refused-in-the-middle",
        "A message that is refused shifts none of those behind it",
        &["RFC1939-3-029"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Spare3, Mail::Second, Mail::HeaderOnly]);
            c.serve_with(|_, line| (line.verb == "RETR" && line.rest == b"2").then(|| b"-ERR gone\r\n".to_vec()))?;
            if !retrieved(c).contains(&3) {
                return skip("the client gives up at a message that is refused");
            }
            ends(c)?;
            in_place(c, &[Mail::First, Mail::Second, Mail::HeaderOnly])
        },
    ),
    ClientCase::must(
        "group/8/client-bad-row",
        "A line of a listing that makes no sense shifts nothing",
        &["RFC1939-5-019"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Second]);
            let rows = ["-ERR no such message", "x y z", "", "0 0", "+OK 1 120", "99999999999999999999 1", " 1 120"];
            each(c, &rows, |c, row| {
                c.honest.keep(&[Mail::First, Mail::Second]);
                let line = c.until("UIDL")?;
                let answer = c.honest.answer(line.text());
                let at = answer.iter().position(|&octet| octet == b'\n').map_or(0, |lf| lf + 1);
                c.say(&[&answer[..at], row.as_bytes(), b"\r\n", &answer[at..]].concat())?;
                // Waiting for the answer to the next command, nobody takes the listing for it.
                let Some(line) = c.command()? else { return ends(c) };
                c.quiet()?;
                c.answer(&line)?;
                c.serve()?;
                ends(c)?;
                if retrieved(c).len() == 2 {
                    in_place(c, &[Mail::First, Mail::Second])?;
                }
                Ok(())
            })
        },
    ),
    ClientCase::must(
        "group/8/client-one-answer-more",
        "An answer that no command asked for is not taken as the answer to the next",
        &["RFC2449-6.6-002"],
        |c| {
            for verb in ["UIDL", "RETR"] {
                c.honest.keep(&[Mail::First, Mail::Spare3, Mail::Second]);
                let line = c.until(verb)?;
                let answer = c.honest.answer(line.text());
                c.say(&[&answer[..], b"+OK one more\r\n"].concat())?;
                shifted(c)?;
                c.start_again()?;
            }
            Ok(())
        },
    ),
    ClientCase::must(
        "group/8/client-late-answer-more",
        "The same, when it comes in a segment of its own",
        &["RFC2449-6.6-002"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Spare3, Mail::Second]);
            let line = c.until("STAT")?;
            c.answer(&line)?;
            // The next command is on its way, and its answer looks like this one. No client can tell; what it stores
            // must be right all the same.
            c.say(b"-ERR one more\r\n")?;
            c.serve()?;
            ends(c)
        },
    ),
    ClientCase::must(
        "group/8/client-listing-for-one",
        "A whole listing in place of the one line that answers UIDL with an argument is not read as the next answers",
        &["RFC1939-3-029"],
        |c| {
            let line = c.until("UIDL")?;
            if line.rest.is_empty() {
                return skip("the client gave UIDL without an argument");
            }
            c.say(b"+OK listing follows\r\n1 uid-first\r\n2 uid-second\r\n.\r\n")?;
            gives_up(c).map(drop)
        },
    )
    .job(|job| job.commands = ["UIDL 1", "NOOP"].map(str::to_owned).to_vec()),
    ClientCase::must(
        "group/8/client-answers-at-once",
        "Answers to commands that were not given yet are none",
        &["RFC1939-3-003"],
        |c| {
            c.honest.keep(&[Mail::First]);
            c.say(b"+OK ready\r\n+OK\r\nUSER\r\n.\r\n+OK send PASS\r\n+OK in\r\n+OK 1 120\r\n+OK\r\n1 x\r\n.\r\n+OK\r\n1 120\r\n.\r\n+OK\r\ninjected\r\n.\r\n+OK\r\n")?;
            let _ = until_quiet(c)?;
            let ended = end(c);
            if !c.ours() {
                // A client that reads from a socket may not be able to tell.
                if ended == Ended::Well {
                    c.note("answers that came before their commands are taken for answers");
                }
                return c.check(ended != Ended::Hung, "a client that ends", "one that hangs");
            }
            c.check(matches!(ended, Ended::Failed(_)), "a failure", format!("{ended:?}"))?;
            let injected = c.stored().iter().any(|stored| stored.starts_with(b"injected"));
            c.check(!injected, "nothing stored of what was not asked for", "it is stored")
        },
    ),
    ClientCase::must(
        "group/8/client-dele-with-more",
        "Words behind the +OK to DELE, or none, shift nothing",
        &["RFC1939-3-016"],
        |c| {
            let mut count = 0;
            c.serve_with(|honest, line| {
                (line.verb == "DELE").then(|| {
                    let _ = honest.answer(line.text());
                    count += 1;
                    [&b"+OK\r\n"[..], b"+OK \r\n", b"+OK 2 120\r\n", b"+OK +OK -ERR .\r\n"][count % 4].to_vec()
                })
            })?;
            if count == 0 {
                return skip("the client gave no DELE");
            }
            all_stored(c)
        },
    )
    .job(|job| job.delete = true),
];

/// Octets in the clear behind the +OK to STLS: the client fails, or drops them.
fn leftover(c: &mut Play<'_>, octets: &[u8], together: bool) -> Judged {
    needs_stls(c)?;
    let line = c.until("STLS")?;
    let answer = c.honest.answer(line.text());
    if together {
        c.say(&[&answer[..], octets].concat())?;
    } else {
        c.say(&answer)?;
        c.say(octets)?;
    }
    if c.handshake().is_err() {
        fails(c)?;
        return no_login_was_tried(c);
    }
    let Some(line) = c.command()? else { return fails(c).map(drop) };
    c.quiet()?;
    c.answer(&line)?;
    fetches_all(c)
}

/// The argument cannot be sent: neither a line of its own, nor a part of it, comes. Only our own client can be given it.
fn no_second_line(c: &mut Play<'_>, verb: &str) -> Judged {
    if !c.ours() {
        return skip("the name and the password cannot be chosen");
    }
    c.serve()?;
    c.check(!c.has_given(verb), format!("no {verb}"), escape(c.sent()))?;
    let odd = c.sent().iter().any(|octet| !matches!(octet, b'\r' | b'\n' | b' '..=b'~'));
    c.check(!odd, "printable ASCII and CRLF", escape(c.sent()))?;
    for line in c.lines() {
        let known = matches!(line.verb.as_str(), "CAPA" | "STLS" | "QUIT" | "USER");
        c.check(known && line.raw.ends_with(b"\r\n"), "CAPA, STLS, USER or QUIT", line.shown())?;
    }
    fails(c).map(drop)
}

/// Each of these messages is stored, and our own client has stored nothing else.
fn in_place(c: &Play<'_>, mail: &[Mail]) -> Judged {
    mail.iter().try_for_each(|mail| c.has_stored(&mail.octets()))?;
    let stored = c.stored().len();
    c.check(stored == mail.len() || !c.ours(), format!("{} messages", mail.len()), format!("{stored}"))
}

/// There was one answer too many. The client gives up, or waits for the answer to its next command all the same.
fn shifted(c: &mut Play<'_>) -> Judged {
    // The server is wrong, and no RFC says how a client finds out.
    c.weighs(Level::Quirk);
    while let Some(line) = c.command()? {
        if line.verb == "QUIT" {
            break;
        }
        c.quiet()?;
        c.answer(&line)?;
    }
    let ended = end(c);
    let stored = c.stored();
    let wrong = stored.iter().find(|stored| Mail::find(stored).is_none());
    c.check(
        wrong.is_none() || !c.ours(),
        "messages as they are",
        wrong.map(|octets| escape(octets)).unwrap_or_default(),
    )?;
    c.check(ended != Ended::Hung, "a client that ends", "one that hangs")?;
    if ended == Ended::Well { ends_well(c) } else { Ok(()) }
}
