//! Where a response ends: (1) ends that are split over reads, (4) bounds, (5) the end of the connection.

use super::super::judge::{all_stored, each, ends, ends_well, fails, fetches_all, retrieved, until_quiet};
use crate::case::{ClientCase, Ended, Judged, Line, Play, skip};
use crate::mailbox::Mail;

/// The cases, group by group.
pub(crate) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "group/1/client-octet-by-octet",
        "A session whose every octet comes by itself is the same session",
        &["RFC1939-3-026"],
        |c| {
            c.honest.keep(&[Mail::Spare3, Mail::HeaderOnly, Mail::First]);
            c.say_octet_by_octet(b"+OK POP3 server ready\r\n")?;
            while !c.honest.over {
                let Some(line) = c.command()? else { break };
                if line.verb == "STLS" {
                    c.answer(&line)?;
                    continue;
                }
                let answer = c.honest.answer(line.text());
                c.say_octet_by_octet(&answer)?;
            }
            all_stored(c)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "group/1/client-every-cut-of-a-message",
        "A message that comes in two pieces is the same, wherever the cut stands",
        &["RFC1939-3-026"],
        |c| {
            let message = |number: usize| {
                format!("Subject: {number:02}\r\n\r\n..\r\n.\r\n\r\n.x\r\nlast {number:02}\r\n").into_bytes()
            };
            let length = 72;
            c.honest.messages = (1..=length).map(|number| (format!("cut-{number}"), message(number))).collect();
            let mut count = 0;
            c.greet()?;
            while !c.honest.over {
                let Some(line) = c.command()? else { break };
                if line.verb != "RETR" {
                    c.answer(&line)?;
                    continue;
                }
                let answer = c.honest.answer(line.text());
                count += 1;
                let at = count.min(answer.len());
                c.say(&answer[..at])?;
                // So that TCP does not join them again, now and then.
                if count % 16 == 0 && at < answer.len() {
                    c.quiet()?;
                }
                c.say(&answer[at..])?;
            }
            all_stored(c)
        },
    ),
    ClientCase::must(
        "group/1/client-piece-without-line-end",
        "A piece without a line's end is the beginning of a line, and not lost",
        &["RFC1939-3-026"],
        |c| {
            c.honest.only(b"Subject: in pieces\r\n\r\na line that comes in four pieces\r\n");
            c.until("RETR")?;
            let body =
                ["\nSubject: in pie", "ces\r\n\r\na line ", "that comes in ", "four pieces", "\r", "\n", ".", "\r"];
            for piece in ["+O", "K mess", "age\r"].into_iter().chain(body) {
                c.say(piece.as_bytes())?;
                c.quiet()?;
            }
            c.say(b"\n")?;
            fetches_all(c)
        },
    ),
    ClientCase::must(
        "group/1/client-two-answers-in-one",
        "The end of one answer and the whole next one may come in one piece",
        &["RFC1939-3-028", "RFC2449-6.6-002"],
        |c| {
            c.honest.keep(&[Mail::Spare3, Mail::First]);
            c.honest.capabilities.get_or_insert_default().push("PIPELINING".to_owned());
            c.greet()?;
            while !c.honest.over {
                let lines = until_quiet(c)?;
                if lines.is_empty() {
                    break;
                }
                let mut answers = Vec::new();
                for line in &lines {
                    answers.extend(c.honest.answer(line.text()));
                }
                // All but the last octet, and then that.
                let last = answers.len() - 1;
                c.say(&answers[..last])?;
                c.say(&answers[last..])?;
                if c.honest.wants_tls() {
                    c.handshake()?;
                }
            }
            all_stored(c)
        },
    )
    .job(|job| job.pipelining = true),
    ClientCase::should(
        "group/4/client-endless-greeting",
        "A greeting that does not end is given up",
        &["RFC1939-3-019"],
        |c| endless(c, b"+OK "),
    ),
    ClientCase::should(
        "group/4/client-endless-status-line",
        "A response whose first line does not end is given up",
        &["RFC1939-3-019"],
        |c| {
            c.until("PASS")?;
            endless(c, b"+OK ")
        },
    ),
    ClientCase::should(
        "group/4/client-endless-capability",
        "A capability line that does not end is given up",
        &["RFC2449-5-013"],
        |c| {
            c.until("CAPA")?;
            endless(c, b"+OK\r\nSASL ")
        },
    ),
    ClientCase::should(
        "group/4/client-endless-row",
        "A line of a unique-id listing that does not end is given up",
        &["RFC1939-3-019"],
        |c| {
            c.until("UIDL")?;
            endless(c, b"+OK\r\n1 ")
        },
    ),
    ClientCase::quirk(
        "group/4/client-endless-listing",
        "A listing that does not end is given up",
        &["RFC1939-5-019"],
        |c| {
            c.until("LIST")?;
            c.say(b"+OK\r\n")?;
            // Our own client is set to at most 1000 lines.
            let most = if c.ours() { 1200 } else { 2_000_000 };
            let mut number = 0;
            while number < most {
                let rows: Vec<u8> =
                    (1..=400).flat_map(|row| format!("{} 120\r\n", number + row).into_bytes()).collect();
                c.say(&rows)?;
                number += 400;
            }
            let next = c.command()?;
            c.check(next.is_none(), "the end of the connection", next.map(|line| line.shown()).unwrap_or_default())?;
            fails(c).map(drop)
        },
    )
    .job(|job| job.config = |config| config.rows(1000)),
    ClientCase::must(
        "group/4/client-tail-of-a-long-line",
        "The tail of a line that is too long is never taken for the next response",
        &["RFC1939-3-019"],
        |c| {
            // Whoever reads in pieces of a power of two finds "+OK" at the beginning of each.
            c.honest.keep(&[Mail::First, Mail::Second]);
            c.until("STAT")?;
            let line = format!("+OK 2 32{}\r\n", "+OK 7 7 ".repeat(8 * 1024));
            c.say(line.as_bytes())?;
            let Ok(lines) = until_quiet(c) else { return skip("the client sends no whole line") };
            let shown: Vec<_> = lines.iter().map(Line::shown).collect();
            c.check(lines.len() <= 1, "one command at most", shown.join(" "))?;
            ends(c)
        },
    ),
    ClientCase::should(
        "group/4/client-long-line-in-a-message",
        "A line of a message may have any length",
        &["RFC5322-2.1.1-002"],
        |c| {
            let message = [b"Subject: long\r\n\r\n".to_vec(), vec![b'x'; 1_000_000], b"\r\nend\r\n".to_vec()].concat();
            c.honest.only(&message);
            let line = c.until("RETR")?;
            let answer = c.honest.answer(line.text());
            answer.chunks(4096).try_for_each(|chunk| c.say(chunk))?;
            c.serve()?;
            ends_well(c)?;
            let longest = c.stored().iter().map(Vec::len).max().unwrap_or_default();
            c.check(
                longest >= message.len() - 3 || !c.ours(),
                format!("{} octets", message.len()),
                format!("{longest}"),
            )
        },
    ),
    ClientCase::must(
        "group/5/client-end-before-greeting",
        "The end of the connection before the greeting, or in it, is a failure",
        &["RFC1939-4-003"],
        |c| {
            each(c, &["", "+", "+OK", "+OK ready", "+OK ready\r"], |c, greeting| {
                c.say(greeting.as_bytes())?;
                c.hang_up();
                fails(c).map(drop)
            })
        },
    ),
    ClientCase::must(
        "group/5/client-end-in-place-of-an-answer",
        "The end of the connection in place of an answer is a failure, whatever the command",
        &["RFC1939-4-013"],
        |c| {
            each(c, &["CAPA", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR"], |c, verb| {
                if c.until(verb).is_ok() {
                    c.hang_up();
                    fails(c)?;
                }
                Ok(())
            })
        },
    ),
    ClientCase::must(
        "group/5/client-end-in-a-listing",
        "A listing that the end of the connection cuts is no listing",
        &["RFC1939-3-028"],
        |c| {
            let listings =
                ["+OK\r\n", "+OK\r\n1 120\r\n", "+OK\r\n1 1", "+OK\r\n1 120\r\n2 200\r\n.", "+OK\r\n1 120\r\n.\r"];
            each(c, &listings, |c, listing| {
                c.until("LIST")?;
                c.say(listing.as_bytes())?;
                c.hang_up();
                fails(c)?;
                c.check(!c.has_given("RETR"), "no RETR", "RETR")
            })
        },
    ),
    ClientCase::must(
        "group/5/client-end-in-a-message",
        "A message that the end of the connection cuts is none",
        &["RFC1939-3-028"],
        |c| {
            let cuts: [&[u8]; 8] = [
                b"+OK",
                b"+OK\r\n",
                b"+OK\r\nSubject: cut\r\n",
                b"+OK\r\nSubject: cut\r\n\r\nhalf a li",
                b"+OK\r\nSubject: cut\r\n\r\na line\r",
                b"+OK\r\nSubject: cut\r\n\r\na line\r\n",
                b"+OK\r\nSubject: cut\r\n\r\na line\r\n.",
                b"+OK\r\nSubject: cut\r\n\r\na line\r\n.\r",
            ];
            each(c, &cuts, |c, cut| {
                c.until("RETR")?;
                c.say(cut)?;
                c.hang_up();
                fails(c)?;
                // (A program that writes as it reads has said in its exit status what its output is worth.)
                c.check(!c.ours() || c.stored().is_empty(), "no message", "one is stored")
            })
        },
    ),
    ClientCase::must(
        "group/5/client-no-deletion-of-a-cut-message",
        "A message that did not come whole is not deleted",
        &["RFC1939-8-004"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Second]);
            c.until("RETR")?;
            c.say(b"-ERR the message is away\r\n")?;
            c.serve_with(|_, line| (line.verb == "RETR").then(|| b"-ERR the message is away\r\n".to_vec()))?;
            c.check(!c.has_given("DELE"), "no DELE", "DELE")?;
            let asked = retrieved(c);
            c.check(!asked.is_empty(), "RETR", "none")?;
            ends(c)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "group/5/client-end-in-sasl",
        "The end of the connection in the middle of a SASL exchange is a failure",
        &["RFC1939-4-013"],
        |c| {
            each(c, &["", "+", "+ ", "+ \r\n", "+ VXNlcm5hbWU6\r\n"], |c, words| {
                c.until("AUTH")?;
                c.say(words.as_bytes())?;
                c.hang_up();
                fails(c).map(drop)
            })
        },
    )
    .job(|job| job.login = crate::peer::fetcher::JobLogin::Login),
    ClientCase::must(
        "group/5/client-close-with-a-word",
        "A server that says why it closes, and closes, between two commands, is no success",
        &["RFC1939-3-029"],
        |c| {
            let line = c.until("LIST")?;
            let answer = c.honest.answer(line.text());
            c.say(&[&answer[..], b"-ERR autologout\r\n"].concat())?;
            c.hang_up();
            fails(c).map(drop)
        },
    ),
    ClientCase::should(
        "group/5/client-patience",
        "A server that falls silent is given up some time",
        &["RFC1939-4-003"],
        |c| {
            each(c, &["", "CAPA", "PASS", "LIST", "RETR", "QUIT"], |c, verb| {
                if verb.is_empty() {
                    c.accept()?;
                } else {
                    c.until(verb)?;
                }
                let ended = c.wait_for_end();
                c.check(matches!(ended, Ended::Failed(_)), "a failure", format!("{ended:?}"))
            })
        },
    )
    .memory_only("it takes as long as the client's patience"),
];

/// More than a megabyte without a line's end: the client closes by itself.
fn endless(c: &mut Play<'_>, beginning: &[u8]) -> Judged {
    c.say(beginning)?;
    let piece = vec![b'a'; 64 * 1024];
    for _ in 0..20 {
        c.say(&piece)?;
    }
    let next = c.command()?;
    c.check(next.is_none(), "the end of the connection", next.map(|line| line.shown()).unwrap_or_default())?;
    fails(c).map(drop)
}
