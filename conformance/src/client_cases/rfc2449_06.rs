//! RFC 2449 §6 and §7: the capabilities.

use super::judge::{
    all_stored, can_do_without_capa, each, end, ends_well, fetches_all, retrieved, until_quiet, with_rows,
};
use crate::case::{ClientCase, Judged, Play, skip};
use crate::mailbox::Mail;
use crate::octets::escape;
use crate::peer::fetcher::JobLogin;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc2449/6/client-apop-by-greeting",
        "APOP is told by the greeting: a capability of that name means nothing",
        &["RFC2449-6-001"],
        |c| {
            c.honest.greeting = "POP3 server ready".to_owned();
            c.honest.capabilities.get_or_insert_default().push("APOP".to_owned());
            c.serve()?;
            c.check(!c.has_given("APOP"), "no APOP", "APOP")
        },
    )
    .job(|job| job.login = JobLogin::Apop),
    ClientCase::must(
        "rfc2449/6/client-apop-without-capability",
        "A timestamp in the greeting is enough for APOP: no capability is needed",
        &["RFC2449-6-001"],
        |c| {
            let line = c.until("APOP")?;
            c.answer(&line)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::Apop),
    ClientCase::must(
        "rfc2449/6.6/client-matches-responses",
        "A pipelining client matches responses to commands in order",
        &["RFC2449-6.6-002"],
        |c| {
            pipelining(c);
            c.honest.keep(&[Mail::First, Mail::Spare3, Mail::Second, Mail::HeaderOnly]);
            let mut most = 0;
            c.greet()?;
            while !c.honest.over {
                let lines = until_quiet(c)?;
                most = most.max(lines.len());
                if lines.is_empty() {
                    break;
                }
                let mut answers = Vec::new();
                for line in &lines {
                    // The second message is refused, in the middle of the others.
                    let refused = line.verb == "RETR" && line.rest == b"2";
                    answers.extend(if refused { b"-ERR gone\r\n".to_vec() } else { c.honest.answer(line.text()) });
                }
                c.say(&answers)?;
                if c.honest.wants_tls() {
                    c.handshake()?;
                }
            }
            if most < 2 {
                return skip("the client does not pipeline");
            }
            let ended = end(c);
            c.check(ended != crate::case::Ended::Hung, "a client that ends", "one that hangs")?;
            if !c.ours() && matches!(ended, crate::case::Ended::Failed(_)) {
                // That is not to mistake one response for another.
                c.note("the client gives up when one of its commands is refused");
                return c.has_stored(&Mail::First.octets());
            }
            for mail in [Mail::First, Mail::Second, Mail::HeaderOnly] {
                c.has_stored(&mail.octets())?;
            }
            let refused = c.stored().iter().any(|stored| Mail::find(stored) == Some(Mail::Spare3));
            c.check(!refused, "nothing stored of the message that was refused", "it is stored")
        },
    )
    .job(|job| job.pipelining = true),
    ClientCase::must(
        "rfc2449/6.6/client-waits",
        "Without PIPELINING the client waits for each response",
        &["RFC2449-6.6-003"],
        one_at_a_time,
    )
    .job(|job| (job.pipelining, job.delete) = (true, true)),
    ClientCase::must(
        "rfc2449/6.6/client-waits-without-capa",
        "Where CAPA is refused the client waits for each response",
        &["RFC2449-6.6-003"],
        |c| {
            can_do_without_capa(c)?;
            c.honest.capabilities = None;
            one_at_a_time(c)
        },
    )
    .job(|job| (job.pipelining, job.delete) = (true, true)),
    ClientCase::must(
        "rfc2449/6.6/client-window",
        "What the client sends ahead is bounded: nobody waits for ever for the other to read",
        &["RFC2449-6.6-004"],
        |c| {
            pipelining(c);
            let message =
                |number: usize| (format!("uid-{number}"), format!("Subject: {number}\r\n\r\nx\r\n").into_bytes());
            c.honest.messages = (1..=900).map(message).collect();
            let line = c.until("RETR")?;
            let more = until_quiet(c)?;
            if more.is_empty() {
                return skip("the client does not pipeline");
            }
            let octets: usize = line.raw.len() + more.iter().map(|line| line.raw.len()).sum::<usize>();
            c.check(
                octets <= 8192,
                "8192 octets ahead at most",
                format!("{octets} octets in {} commands", more.len()),
            )?;
            // And all of it is answered at last.
            c.answer(&line)?;
            more.iter().try_for_each(|line| c.answer(line))?;
            c.serve()?;
            ends_well(c)?;
            c.check(retrieved(c).len() == 900 || !c.ours(), "900 messages", format!("{}", retrieved(c).len()))
        },
    )
    .job(|job| job.pipelining = true),
    ClientCase::must(
        "rfc2449/6.6/client-barriers",
        "Behind STLS, AUTH and QUIT nothing is sent ahead",
        &["RFC2449-6.6-002", "RFC2595-4-009"],
        |c| {
            pipelining(c);
            c.greet()?;
            while !c.honest.over {
                let Some(line) = c.command()? else { break };
                if matches!(line.verb.as_str(), "STLS" | "AUTH" | "QUIT" | "") {
                    c.quiet()?;
                }
                c.answer(&line)?;
            }
            ends_well(c)
        },
    )
    .job(|job| (job.pipelining, job.login) = (true, JobLogin::Plain)),
    ClientCase::must(
        "rfc2449/6.9/client-implementation",
        "The client does not change its behaviour by the name of an implementation",
        &["RFC2449-6.9-004"],
        |c| {
            let names = ["Acme-POP3-1.0", "Dovecot", "Microsoft Exchange Server 2003", "Cyrus POP3 v2.4", "Gpop"];
            let mut first: Option<Vec<u8>> = None;
            each(c, &names, |c, name| {
                c.honest.keep(&[Mail::First, Mail::Spare3]);
                // No timestamp, whose digest would differ.
                c.honest.greeting = format!("{name} ready");
                c.honest.capabilities.get_or_insert_default().push(format!("IMPLEMENTATION {name}"));
                c.serve()?;
                ends_well(c)?;
                let sent = c.sent().to_vec();
                let wanted = first.get_or_insert_with(|| sent.clone());
                c.check(*wanted == sent, escape(wanted), escape(&sent))
            })
        },
    ),
    ClientCase::must(
        "rfc2449/7/client-no-extension",
        "The client requires no extension: it fetches and deletes where there is none",
        &["RFC2449-7-001", "RFC1957-Observations-003"],
        |c| {
            can_do_without_capa(c)?;
            c.honest.capabilities = None;
            // No timestamp: it would promise APOP (RFC 1939 §7).
            c.honest.greeting = "POP3 server ready".to_owned();
            c.serve_with(|_, line| {
                matches!(line.verb.as_str(), "UIDL" | "TOP" | "APOP" | "AUTH")
                    .then(|| b"-ERR what is that?\r\n".to_vec())
            })?;
            if c.ours() {
                c.check(c.has_given("DELE"), "DELE", "none")?;
            }
            all_stored(c)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::should(
        "rfc2449/6.8/client-listing-in-any-order",
        "Listings need not be in order, and say the same",
        &["RFC1939-5-019", "RFC1939-7-019"],
        |c| {
            c.serve_with(|honest, line| {
                if !matches!(line.verb.as_str(), "LIST" | "UIDL") || !line.rest.is_empty() {
                    return None;
                }
                let answer = with_rows(honest, line, str::to_owned);
                let text = String::from_utf8_lossy(&answer).into_owned();
                let mut lines: Vec<_> = text.split_inclusive("\r\n").collect();
                let last = lines.len() - 1;
                lines[1..last].reverse();
                Some(lines.concat().into_bytes())
            })?;
            all_stored(c)
        },
    ),
];

fn pipelining(c: &mut Play<'_>) {
    c.honest.capabilities.get_or_insert_default().push("PIPELINING".to_owned());
}

/// Before each answer nothing more comes.
fn one_at_a_time(c: &mut Play<'_>) -> Judged {
    c.honest.keep(&[Mail::First, Mail::Second]);
    c.greet()?;
    while !c.honest.over {
        let Some(line) = c.command()? else { break };
        c.quiet()?;
        c.answer(&line)?;
    }
    if !c.ours() && retrieved(c).is_empty() {
        return skip("the client gave no RETR");
    }
    all_stored(c)
}
