//! RFC 2595: STLS, and RFC 6186 §6.

use super::judge::{all_stored, each, fails, fetches_all, no_login_was_tried};
use crate::case::{ClientCase, Judged, Line, Play, skip};
use crate::mailbox::Mail;
use crate::octets::escape;
use crate::peer::Upgrade;
use crate::peer::fetcher::JobLogin;
use std::time::Duration;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc2595/2.3/client-no-cleartext-user",
        "The client can be set to refuse USER and PASS in the clear",
        &["RFC2595-2.3-001", "RFC2595-2.2-001"],
        in_the_clear,
    )
    .job(|job| job.config = |_| Default::default()),
    ClientCase::must(
        "rfc2595/2.3/client-no-cleartext-plain",
        "The client can be set to refuse AUTH PLAIN in the clear",
        &["RFC2595-2.3-001", "RFC2595-2.2-001"],
        in_the_clear,
    )
    .job(|job| {
        job.config = |_| Default::default();
        job.login = JobLogin::Plain;
    }),
    ClientCase::must(
        "rfc2595/2.3/client-no-cleartext-login",
        "The client can be set to refuse AUTH LOGIN in the clear",
        &["RFC2595-2.3-001", "RFC2595-2.2-001"],
        in_the_clear,
    )
    .job(|job| {
        job.config = |_| Default::default();
        job.login = JobLogin::Login;
    }),
    ClientCase::must(
        "rfc2595/2.3/client-no-cleartext-token",
        "The client can be set to send no bearer token in the clear",
        &["RFC2595-2.3-001", "RFC7628-3-001"],
        in_the_clear,
    )
    .job(|job| {
        job.config = |_| Default::default();
        job.login = JobLogin::Oauthbearer;
    }),
    ClientCase::must(
        "rfc2595/2.5/client-stls-refused",
        "-ERR to STLS, where TLS is wanted, ends the session without a login",
        &["RFC2595-2.5-001", "RFC6186-6-001"],
        |c| {
            needs_stls(c)?;
            c.until("STLS")?;
            c.say(b"-ERR TLS is not available\r\n")?;
            c.serve_with(|_, line| (line.verb == "STLS").then(|| b"-ERR TLS is not available\r\n".to_vec()))?;
            no_login_was_tried(c)?;
            fails(c).map(drop)
        },
    ),
    ClientCase::must(
        "rfc2595/2.5/client-stls-not-announced",
        "A capability list without STLS, where TLS is wanted, leads to no login",
        &["RFC2595-2.5-001", "RFC6186-6-001"],
        |c| {
            needs_stls(c)?;
            c.honest.stls = false;
            c.serve()?;
            no_login_was_tried(c)?;
            fails(c).map(drop)
        },
    ),
    ClientCase::must(
        "rfc2595/2.5/client-handshake-fails",
        "A TLS negotiation that fails ends the session without a login",
        &["RFC2595-2.5-001"],
        |c| {
            needs_stls(c)?;
            c.until("STLS")?;
            c.say(b"+OK begin TLS\r\n")?;
            c.hang_up();
            fails(c)?;
            no_login_was_tried(c)
        },
    ),
    ClientCase::must(
        "rfc2595/2.5/client-no-tls-behind-ok",
        "Where no TLS follows the +OK to STLS there is no login either",
        &["RFC2595-2.5-001", "RFC2595-4-007"],
        |c| {
            needs_stls(c)?;
            c.until("STLS")?;
            c.say(b"+OK begin TLS\r\n")?;
            c.say(b"+OK never mind, go on\r\n")?;
            let sent =
                |c: &Play<'_>| ["USER ", "PASS ", "AUTH "].into_iter().find(|word| holds(c.sent(), word.as_bytes()));
            fails(c)?;
            c.check(sent(c).is_none(), "no login", sent(c).unwrap_or_default())
        },
    ),
    ClientCase::must(
        "rfc2595/4/client-cleartext-behind-ok",
        "What comes in the clear behind the +OK to STLS is not taken as a response inside TLS",
        &["RFC2595-4-007"],
        |c| {
            let behind: [&[u8]; 5] =
                [b"+OK injected\r\n", b"+OK\r\nUIDL\r\n.\r\n", b"-ERR injected\r\n", b"+OK inj", b"+"];
            each(c, &behind, |c, behind| {
                needs_stls(c)?;
                let line = c.until("STLS")?;
                let answer = c.honest.answer(line.text());
                c.say(&[&answer[..], behind].concat())?;
                if c.handshake().is_err() {
                    return fails(c).map(drop);
                }
                // The client has dropped those octets, then: it waits for the answer to what it asks.
                if let Some(line) = c.command()? {
                    c.quiet()?;
                    c.answer(&line)?;
                    return fetches_all(c);
                }
                fails(c).map(drop)
            })
        },
    ),
    ClientCase::must(
        "rfc2595/4/client-nothing-behind-stls",
        "Behind STLS the client sends nothing before the response is there and TLS is on",
        &["RFC2595-4-009"],
        |c| {
            needs_stls(c)?;
            let line = c.until("STLS")?;
            c.silent(Duration::from_secs(1))?;
            // The handshake fails if the client says anything but TLS now.
            c.answer(&line)?;
            fetches_all(c)
        },
    ),
    ClientCase::must(
        "rfc2595/4/client-forgets-capabilities",
        "After the handshake the client discards what it knew of the capabilities",
        &["RFC2595-4-012", "RFC2595-9-003"],
        |c| {
            needs_stls(c)?;
            c.honest.keep(&[Mail::First, Mail::Second]);
            c.honest.capabilities.get_or_insert_default().push("PIPELINING".to_owned());
            let line = c.until("STLS")?;
            c.answer(&line)?;
            while !c.honest.over {
                let Some(line) = c.command()? else { break };
                c.quiet()?;
                if line.verb == "CAPA" {
                    c.say(b"-ERR no such command any more\r\n")?;
                    continue;
                }
                let initial = line.verb == "AUTH" && line.rest.contains(&b' ');
                c.check(!initial, "AUTH without an initial response", line.shown())?;
                c.answer(&line)?;
            }
            all_stored(c)
        },
    )
    .job(|job| (job.pipelining, job.login) = (true, JobLogin::Plain)),
    ClientCase::must(
        "rfc2595/4/client-forgets-timestamp",
        "The greeting's timestamp from before TLS is not used for APOP inside it",
        &["RFC2595-4-012", "RFC2595-4-015"],
        |c| {
            needs_stls(c)?;
            c.serve()?;
            c.check(!c.has_given("APOP"), "no APOP", "APOP")
        },
    )
    .job(|job| job.login = JobLogin::Apop),
    ClientCase::should(
        "rfc2595/4/client-asks-again",
        "After the handshake the client asks CAPA again",
        &["RFC2595-4-013", "RFC2595-8-002"],
        |c| {
            needs_stls(c)?;
            let line = c.until("STLS")?;
            c.answer(&line)?;
            let Some(line) = c.command()? else { return skip("the client leaves") };
            c.check(line.verb == "CAPA", "CAPA", line.shown())?;
            c.answer(&line)?;
            c.serve()
        },
    ),
    ClientCase::must(
        "rfc2595/4/client-stls-once",
        "STLS is given once, before the login, and with no argument",
        &["RFC2595-4-009"],
        |c| {
            c.serve()?;
            let stls: Vec<_> = c.lines().iter().filter(|line| line.verb == "STLS").map(Line::shown).collect();
            let wanted = usize::from(c.upgrade() == Upgrade::Stls);
            c.check(stls.len() == wanted, format!("{wanted} times STLS"), stls.join(" "))?;
            let alone = stls.iter().all(|line| line == &escape(b"STLS\r\n"));
            c.check(alone || !c.ours(), "STLS alone", stls.join(" "))
        },
    ),
];

/// The client wants STLS in this run.
pub(super) fn needs_stls(c: &Play<'_>) -> Judged {
    if c.upgrade() == Upgrade::Stls { Ok(()) } else { skip("the client does not want STLS in this run") }
}

/// Without TLS there is no login. Only our own client can be set up like this, and only in a run without TLS.
fn in_the_clear(c: &mut Play<'_>) -> Judged {
    if !c.ours() || c.upgrade() != Upgrade::None {
        return skip("it needs a client that wants TLS, in a run without it");
    }
    c.serve()?;
    no_login_was_tried(c)?;
    fails(c).map(drop)
}

fn holds(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|at| at == wanted)
}
