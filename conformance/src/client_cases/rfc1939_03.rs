//! RFC 1939 §3: lines, responses, byte-stuffing, timers.

use super::judge::{
    all_stored, can_do_without_capa, commands, each, end, ends_well, fails, fetches_all, gives_up, is_free_text,
    no_login_was_tried, with_first_line,
};
use crate::case::{ClientCase, Ended, Judged, Level, Play, skip};
use crate::mailbox::Mail;
use crate::octets::escape;
use std::time::Duration;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc1939/3/client-waits-for-greeting",
        "The client sends nothing before the greeting",
        &["RFC1939-3-003"],
        |c| {
            c.silent(Duration::from_secs(1))?;
            c.serve()
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-waits-for-greeting-line",
        "The client sends nothing before the greeting's line has ended",
        &["RFC1939-3-003"],
        |c| {
            c.say(b"+OK ready")?;
            c.quiet()?;
            c.say(b"\r")?;
            c.quiet()?;
            c.say(b"\n")?;
            fetches_all(c)
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-keyword-and-arguments",
        "A command is a keyword and its arguments, on one line",
        &["RFC1939-3-005"],
        |c| {
            c.serve()?;
            for line in commands(c) {
                let keyword = line.text().split(|&octet| octet == b' ').next().unwrap_or_default();
                let letters = !keyword.is_empty() && keyword.iter().all(u8::is_ascii_graphic);
                c.check(letters, "a keyword", line.shown())?;
                let arguments = match line.verb.as_str() {
                    "STAT" | "NOOP" | "RSET" | "QUIT" | "CAPA" | "STLS" => 0..=0,
                    "RETR" | "DELE" | "USER" => 1..=1,
                    "LIST" | "UIDL" => 0..=1,
                    "TOP" | "APOP" => 2..=2,
                    "AUTH" => 1..=2,
                    _ => 0..=usize::MAX,
                };
                let count = line.text().iter().filter(|&&octet| octet == b' ').count();
                c.check(arguments.contains(&count), format!("{arguments:?} arguments"), line.shown())?;
            }
            Ok(())
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must("rfc1939/3/client-crlf", "The client ends every command with CR LF", &["RFC1939-3-006"], |c| {
        c.serve()?;
        for line in c.lines() {
            let bare = line.text().iter().any(|octet| matches!(octet, b'\r' | b'\n'));
            c.check(line.raw.ends_with(b"\r\n") && !bare, "a line that ends in CR LF", line.shown())?;
        }
        Ok(())
    }),
    ClientCase::must(
        "rfc1939/3/client-printable",
        "Keywords and arguments consist of printable ASCII characters",
        &["RFC1939-3-008"],
        |c| {
            c.serve()?;
            for line in commands(c) {
                let printable = line.text().iter().all(|octet| matches!(octet, b' '..=b'~'));
                c.check(printable, "printable ASCII", line.shown())?;
            }
            Ok(())
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc1939/3/client-printable-tab",
        "A TAB in the user's name does not reach the wire",
        &["RFC1939-3-008"],
        unsendable,
    )
    .job(|job| job.user = "a\tb".to_owned()),
    ClientCase::must(
        "rfc1939/3/client-printable-line-end",
        "A line's end in the user's name does not reach the wire",
        &["RFC1939-3-008"],
        unsendable,
    )
    .job(|job| job.user = "a\r\nDELE 1".to_owned()),
    ClientCase::must(
        "rfc1939/3/client-printable-eight-bit",
        "An octet beyond ASCII in the user's name does not reach a server without UTF8 USER",
        &["RFC1939-3-008", "RFC6856-2.2-008"],
        unsendable,
    )
    .job(|job| job.user = "\u{e9}".to_owned()),
    ClientCase::must(
        "rfc1939/3/client-single-space",
        "Keyword and arguments are each separated by a single SPACE character",
        &["RFC1939-3-010"],
        |c| {
            c.serve()?;
            for line in commands(c) {
                let text = if line.verb == "PASS" { &line.text()[..5.min(line.text().len())] } else { line.text() };
                let odd = text.windows(2).any(|pair| pair == b"  ") || text.contains(&b'\t');
                let around = text.starts_with(b" ") || line.verb != "PASS" && text.ends_with(b" ");
                c.check(!odd && !around, "single spaces between words, and none around them", line.shown())?;
            }
            Ok(())
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc1939/3/client-keyword-length",
        "Keywords are three or four characters long",
        &["RFC1939-3-012"],
        |c| {
            c.serve()?;
            for line in commands(c) {
                let word = line.verb.bytes().all(|octet| octet.is_ascii_graphic());
                c.check((3..=4).contains(&line.verb.len()) && word, "three or four characters", line.shown())?;
            }
            Ok(())
        },
    )
    .job(|job| job.delete = true),
    ClientCase::quirk(
        "rfc1939/3/client-argument-of-40",
        "To a server without CAPA no argument is longer than 40 characters",
        &["RFC1939-3-015"],
        |c| {
            c.honest.capabilities = None;
            c.serve()?;
            for line in commands(c) {
                let long = line.rest.split(|&octet| octet == b' ').any(|argument| argument.len() > 40);
                c.check(!long || line.verb == "AUTH", "arguments of at most 40 characters", line.shown())?;
            }
            Ok(())
        },
    )
    .job(|job| job.user = "u".repeat(41)),
    ClientCase::must(
        "rfc1939/3/client-bare-ok",
        "A status indicator without any text is a response",
        &["RFC1939-3-016", "RFC1957-Observations-002"],
        |c| {
            c.say(b"+OK\r\n")?;
            c.serve_with(|honest, line| {
                if !is_free_text(line) || line.verb == "STLS" {
                    return None;
                }
                let answer = honest.answer(line.text());
                Some(if answer.starts_with(b"+OK") { with_first_line(&answer, b"+OK") } else { answer })
            })?;
            all_stored(c)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must("rfc1939/3/client-bare-err", "-ERR without any text is a response", &["RFC1939-3-016"], |c| {
        c.serve_with(|_, line| matches!(line.verb.as_str(), "UIDL" | "TOP" | "CAPA").then(|| b"-ERR\r\n".to_vec()))?;
        if !c.has_given("CAPA") && !c.has_given("UIDL") {
            return skip("the client gave no optional command");
        }
        all_stored(c)
    }),
    ClientCase::must(
        "rfc1939/3/client-response-512",
        "A response of 512 characters, CRLF included, is one line",
        &["RFC1939-3-019"],
        |c| {
            let long = format!("+OK {}", "a".repeat(506));
            c.say(format!("{long}\r\n").as_bytes())?;
            c.serve_with(|honest, line| {
                if !is_free_text(line) || line.verb == "STLS" || line.verb == "AUTH" {
                    return None;
                }
                let answer = honest.answer(line.text());
                Some(if answer.starts_with(b"+OK") { with_first_line(&answer, long.as_bytes()) } else { answer })
            })?;
            all_stored(c)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc1939/3/client-status-indicator",
        "Whatever begins with neither +OK nor -ERR is no success",
        &["RFC1939-3-020"],
        |c| {
            c.until("PASS")?;
            c.say(b"+OKAY maildrop locked and ready\r\n")?;
            // A client that takes it for a success goes on as if it were logged in. RFC 1939 knows two indicators, and does
            // not say that anything parts them from what follows: that came with RFC 2449 §3.
            c.weighs(Level::Quirk);
            while let Some(line) = c.command()? {
                c.check(line.verb == "QUIT", "QUIT or the end of the connection", line.shown())?;
                c.say(b"+OK\r\n")?;
            }
            let ended = end(c);
            c.check(matches!(ended, Ended::Failed(_)), "a client that reports a failure", format!("{ended:?}"))
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-status-of-others",
        "What other protocols and careless servers say for a success is none",
        &["RFC1939-3-020"],
        |c| {
            each(c, &["OK 2 320", "* OK 2 320", "250 ok", "+ OK 2 320", "2 320", "", "++OK 2 320"], |c, answer| {
                c.until("STAT")?;
                c.say(format!("{answer}\r\n").as_bytes())?;
                gives_up(c).map(drop)
            })
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-terminator-split",
        "A message is the same however its octets are cut",
        &["RFC1939-3-026"],
        |c| {
            let message = b"Subject: x\r\n\r\n.\r\n..\r\nend\r\n";
            c.honest.only(message);
            let line = c.until("RETR")?;
            let answer = c.honest.answer(line.text());
            c.say_octet_by_octet(&answer)?;
            c.serve()?;
            let ended = end(c);
            c.check(ended == Ended::Well, "a client that ends well", format!("{ended:?} {}", escape(c.sent())))?;
            c.has_stored(message)
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-terminator-cut-anywhere",
        "The termination octet is found wherever a cut stands between CR, LF, the dot, CR and LF",
        &["RFC1939-3-026"],
        |c| {
            // Each message is cut at another octet, counted from its end.
            let message =
                |number: usize| format!("Subject: {number}\r\n\r\n..\r\n.\r\n.x\r\nlast {number}\r\n").into_bytes();
            c.honest.messages = (1..=24).map(|number| (format!("cut-{number}"), message(number))).collect();
            c.greet()?;
            let mut cut = 0;
            while !c.honest.over {
                let Some(line) = c.command()? else { break };
                if !matches!(line.verb.as_str(), "RETR" | "LIST" | "UIDL") {
                    c.answer(&line)?;
                    continue;
                }
                cut += 1;
                let answer = c.honest.answer(line.text());
                let at = answer.len().saturating_sub(cut);
                c.say(&answer[..at])?;
                if cut < 6 {
                    c.quiet()?;
                }
                c.say(&answer[at..])?;
            }
            all_stored(c)
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-unstuffs",
        "One leading dot is taken off each line, also where the server forgot to stuff",
        &["RFC1939-3-027"],
        |c| {
            c.honest.only(b"Subject: x\r\n\r\nbody\r\n");
            c.until("RETR")?;
            c.say(b"+OK\r\nSubject: x\r\n\r\n..\r\n..x\r\n...\r\n.y\r\n.\r\n")?;
            c.serve()?;
            end(c);
            c.has_stored(b"\r\n.\r\n.x\r\n..\r\ny\r\n")
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-terminator-is-no-part",
        "The line with the termination octet is no part of the response, and what follows belongs to the next",
        &["RFC1939-3-028"],
        |c| {
            let message = b"Subject: x\r\n\r\nthe last line\r\n";
            c.honest.only(message);
            fetches_all(c)?;
            for stored in c.stored() {
                let dot = [&b"last line\r\n."[..], b"last line\n."]
                    .iter()
                    .any(|end| stored.windows(end.len()).any(|at| at == *end));
                c.check(!dot, "a message without the termination octet", escape(&stored))?;
            }
            let exact = c.stored().iter().any(|stored| stored == message);
            c.check(exact || !c.ours(), escape(message), "something more, or less")
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-err-is-one-line",
        "-ERR to a command with a multi-line response is one line",
        &["RFC1939-3-029"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Second]);
            c.until("RETR")?;
            c.say(b"-ERR no such message\r\n")?;
            // A client that waits for the termination octet falls silent.
            c.serve()?;
            fails(c).map(drop)
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-argument-is-one-line",
        "The response to LIST and UIDL with an argument is one line",
        &["RFC1939-3-029"],
        |c| {
            for verb in ["LIST", "UIDL"] {
                let line = c.until(verb)?;
                if line.rest.is_empty() {
                    return skip(format!("the client gave {verb} without an argument"));
                }
                c.answer(&line)?;
            }
            c.serve()?;
            c.check(c.has_given("NOOP") || !c.ours(), "NOOP behind them", "no NOOP")?;
            ends_well(c)
        },
    )
    .job(|job| job.commands = ["LIST 1", "UIDL 1", "NOOP"].map(str::to_owned).to_vec()),
    ClientCase::must(
        "rfc1939/3/client-authorization-first",
        "Before the login the client asks for nothing from the maildrop",
        &["RFC1939-3-030", "RFC1939-3-031"],
        |c| {
            c.greet()?;
            while !c.honest.logged_in && !c.honest.over {
                let Some(line) = c.command()? else { break };
                let maildrop = ["STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL"];
                c.check(!maildrop.contains(&line.verb.as_str()), "a login first", line.shown())?;
                c.answer(&line)?;
            }
            if c.honest.logged_in { c.serve() } else { skip("the client does not log in") }
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-login-refused",
        "After a refused login the client is not in the TRANSACTION state",
        &["RFC1939-3-030", "RFC1939-3-031"],
        |c| {
            c.until("PASS")?;
            c.say(b"-ERR no\r\n")?;
            c.serve_with(|_, line| matches!(line.verb.as_str(), "PASS" | "AUTH").then(|| b"-ERR no\r\n".to_vec()))?;
            for line in c.lines() {
                let maildrop = ["STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL"];
                c.check(!maildrop.contains(&line.verb.as_str()), "a login first", line.shown())?;
            }
            fails(c).map(drop)
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-optional-refused",
        "-ERR to CAPA and UIDL leaves the session usable",
        &["RFC1939-3-039"],
        |c| {
            can_do_without_capa(c)?;
            c.honest.capabilities = None;
            c.serve_with(|_, line| (line.verb == "UIDL").then(|| b"-ERR unknown command\r\n".to_vec()))?;
            if !c.has_given("CAPA") && !c.has_given("UIDL") {
                return skip("the client gave no optional command");
            }
            all_stored(c)
        },
    ),
    ClientCase::must(
        "rfc1939/3/client-top-refused",
        "-ERR to TOP leaves the session usable",
        &["RFC1939-3-039"],
        |c| {
            c.until("TOP")?;
            c.say(b"-ERR unknown command\r\n")?;
            c.serve_with(|_, line| (line.verb == "TOP").then(|| b"-ERR unknown command\r\n".to_vec()))?;
            c.check(c.has_given("QUIT") || !c.ours(), "a session that goes on to QUIT", "no QUIT")
        },
    )
    .job(|job| job.top = Some(0)),
    ClientCase::must(
        "rfc1939/3/client-apop-refused",
        "-ERR to APOP leaves the session usable",
        &["RFC1939-3-039"],
        |c| {
            c.until("APOP")?;
            c.say(b"-ERR unknown command\r\n")?;
            let next = c.command()?;
            c.check(next.is_some() || !c.ours(), "another command", "the end of the connection")?;
            match next {
                Some(line) => c.answer(&line).and_then(|()| c.serve()),
                None => Ok(()),
            }
        },
    )
    .job(|job| job.login = crate::peer::fetcher::JobLogin::Apop),
];

/// The user's name is none that can be sent: no login, and a failure. Only our own client can be given such a name.
fn unsendable(c: &mut Play<'_>) -> Judged {
    if !c.ours() {
        return skip("the user's name cannot be chosen");
    }
    c.serve()?;
    no_login_was_tried(c)?;
    for line in c.lines() {
        let known = matches!(line.verb.as_str(), "CAPA" | "STLS" | "QUIT");
        c.check(known, "CAPA, STLS or QUIT", line.shown())?;
    }
    fails(c).map(drop)
}
