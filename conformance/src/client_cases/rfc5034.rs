//! RFC 5034: the AUTH command, and the mechanisms that clients have.

use super::judge::{all_stored, commands, each, fails, fetches_all, gives_up};
use crate::case::{ClientCase, Judged, Line, Play, fail, skip};
use crate::digest;
use crate::mailbox::Mail;
use crate::octets::escape;
use crate::peer::Upgrade;
use crate::peer::fetcher::JobLogin;
use base64ct::{Base64, Encoding as _};

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::should(
        "rfc5034/3/client-no-capability",
        "Without the SASL capability the client does not begin with AUTH",
        &["RFC5034-3-002"],
        |c| {
            c.honest.capabilities.get_or_insert_default().retain(|line| !line.starts_with("SASL"));
            c.serve()?;
            if !c.has_given("CAPA") {
                return skip("the client gave no CAPA");
            }
            c.check(!c.has_given("AUTH"), "another login", "AUTH")
        },
    ),
    ClientCase::must(
        "rfc5034/3/client-no-initial-response",
        "AUTH that is tried all the same carries no initial response",
        &["RFC5034-3-003"],
        |c| {
            c.honest.capabilities = None;
            let line = c.until("AUTH")?;
            c.check(!line.rest.contains(&b' '), "AUTH and a mechanism alone", line.shown())?;
            c.honest.capabilities = Some(vec!["SASL PLAIN LOGIN".to_owned()]);
            c.answer(&line)?;
            c.honest.capabilities = None;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/3/client-no-initial-response-without-sasl",
        "Where the capability list has no SASL, AUTH carries no initial response",
        &["RFC5034-3-003"],
        |c| {
            c.honest.capabilities = Some(vec!["USER".to_owned()]);
            let line = c.until("AUTH")?;
            c.check(!line.rest.contains(&b' '), "AUTH and a mechanism alone", line.shown())
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/4/client-initial-response",
        "An initial response is Base64, or the single character =",
        &["RFC5034-4-001"],
        |c| {
            let line = c.until("AUTH")?;
            if let Some(initial) = initial(&line) {
                let base64 = std::str::from_utf8(&initial).is_ok_and(|text| Base64::decode_vec(text).is_ok());
                c.check(initial == b"=" || base64 && !initial.is_empty(), "Base64, or =", line.shown())?;
            }
            c.answer(&line)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/4/client-no-auth-after-success",
        "After a successful AUTH there is no other in the session",
        &["RFC5034-4-003"],
        |c| {
            let line = c.until("AUTH")?;
            c.answer(&line)?;
            c.serve()?;
            let auths = commands(c).iter().filter(|line| line.verb == "AUTH").count();
            c.check(auths == 1, "one AUTH", format!("{auths}"))?;
            all_stored(c)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/4/client-response-is-base64",
        "A client response is one line of Base64",
        &["RFC5034-4-008"],
        |c| {
            c.until("AUTH").and_then(|line| c.answer(&line))?;
            c.serve()?;
            let responses: Vec<_> = c.lines().iter().filter(|line| line.verb.is_empty()).cloned().collect();
            if responses.is_empty() {
                return skip("the client gave no response");
            }
            for line in responses {
                c.check(line.raw.ends_with(b"\r\n") && is_base64(line.text()), "a line of Base64", line.shown())?;
            }
            all_stored(c)
        },
    )
    .job(|job| job.login = JobLogin::Login),
    ClientCase::must(
        "rfc5034/4/client-cancels",
        "To cancel, the client sends a line with a single *",
        &["RFC5034-4-009"],
        |c| {
            c.until("AUTH")?;
            // More challenges than any mechanism has: a client must give up some time.
            c.honest.capabilities = Some(vec!["SASL PLAIN LOGIN".to_owned()]);
            let mut count = 0;
            loop {
                c.say(b"+ \r\n")?;
                let Some(line) = c.command()? else { return fails(c).map(drop) };
                if !is_base64(line.text()) {
                    c.check(line.raw == b"*\r\n", "*", line.shown())?;
                    break;
                }
                count += 1;
                c.check(count < 50, "* after some time", "50 responses to empty challenges")?;
            }
            c.say(b"-ERR cancelled\r\n")?;
            after_refusal(c)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/4/client-long-initial-response",
        "An initial response that makes AUTH longer than 255 octets goes behind an empty challenge",
        &["RFC5034-4-014"],
        |c| {
            let line = c.until("AUTH")?;
            c.check(line.raw.len() <= 255, "255 octets at most", format!("{} octets", line.raw.len()))?;
            if !c.ours() {
                return c.answer(&line).and_then(|()| c.serve());
            }
            c.check(line.raw == b"AUTH PLAIN\r\n", "AUTH PLAIN", line.shown())?;
            c.honest.account.password = "p".repeat(240);
            c.answer(&line)?;
            fetches_all(c)
        },
    )
    .job(|job| (job.login, job.password) = (JobLogin::Plain, "p".repeat(240))),
    ClientCase::must(
        "rfc5034/4/client-auth-253",
        "An AUTH line with its initial response may be as long as 255 octets allow",
        &["RFC5034-4-015"],
        |c| {
            if !c.ours() {
                return skip("the password cannot be chosen");
            }
            let line = c.until("AUTH")?;
            // 180 octets are 240 characters of Base64; 4 more would be 257 octets.
            c.check(line.raw.len() == 253, "a line of 253 octets", format!("{}: {}", line.raw.len(), line.shown()))?;
            c.honest.account.password = "p".repeat(173);
            c.answer(&line)?;
            fetches_all(c)
        },
    )
    .job(|job| (job.login, job.password) = (JobLogin::Plain, "p".repeat(180 - "\0mrose\0".len()))),
    ClientCase::must(
        "rfc5034/4/client-auth-257",
        "An AUTH line of 257 octets is not sent: its response goes behind an empty challenge",
        &["RFC5034-4-014", "RFC5034-4-015"],
        |c| {
            let line = c.until("AUTH")?;
            c.check(line.raw.len() <= 255, "255 octets at most", format!("{} octets", line.raw.len()))?;
            if !c.ours() {
                return skip("the password cannot be chosen");
            }
            c.check(line.raw == b"AUTH PLAIN\r\n", "AUTH PLAIN", line.shown())?;
            c.honest.account.password = "p".repeat(174);
            c.answer(&line)?;
            fetches_all(c)
        },
    )
    .job(|job| (job.login, job.password) = (JobLogin::Plain, "p".repeat(181 - "\0mrose\0".len()))),
    ClientCase::must(
        "rfc5034/4/client-empty-initial-response",
        "A zero-length initial response is sent as =, and not as a space at the line's end",
        &["RFC5034-4-016", "RFC5034-4-001", "RFC8314-5.5-002"],
        |c| {
            c.honest.capabilities = Some(vec!["SASL EXTERNAL".to_owned(), "UIDL".to_owned()]);
            let line = c.until("AUTH")?;
            if !line.rest.to_ascii_uppercase().starts_with(b"EXTERNAL") {
                return skip("the client does not choose EXTERNAL");
            }
            let trailing = line.text().ends_with(b" ");
            c.check(!trailing && initial(&line).is_none_or(|initial| !initial.is_empty()), "=", line.shown())?;
            c.check(line.raw == b"AUTH EXTERNAL =\r\n" || !c.ours(), "AUTH EXTERNAL =", line.shown())?;
            c.answer(&line)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::External),
    ClientCase::must(
        "rfc5034/4/client-empty-response",
        "A zero-length response to a challenge is an empty line",
        &["RFC5034-4-008", "RFC5034-4-016"],
        |c| {
            c.honest.capabilities = None;
            let line = c.until("AUTH")?;
            if !line.rest.eq_ignore_ascii_case(b"EXTERNAL") {
                return skip("the client does not choose EXTERNAL");
            }
            c.say(b"+ \r\n")?;
            let Some(line) = c.command()? else { return fail("a response", "the end of the connection") };
            c.check(line.raw == b"\r\n", "an empty line", line.shown())?;
            log_in(c)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::External),
    ClientCase::must(
        "rfc5034/4/client-challenge-no-base64",
        "A challenge that is no Base64 makes the client cancel with *",
        &["RFC5034-4-020", "RFC5034-4-009"],
        |c| {
            let challenges = ["***not base64***", "PDE4OTYu=NjE+", "A", "PDE4OTYuNjk3MTc=x", "!"];
            each(c, &challenges, |c, challenge| {
                c.honest.capabilities = Some(vec!["SASL CRAM-MD5".to_owned(), "UIDL".to_owned()]);
                c.until("AUTH")?;
                c.say(format!("+ {challenge}\r\n").as_bytes())?;
                let Some(line) = c.command()? else { return fails(c).map(drop) };
                c.check(line.raw == b"*\r\n", "*", line.shown())?;
                c.say(b"-ERR cancelled\r\n")?;
                after_refusal(c)
            })
        },
    )
    .job(|job| job.login = JobLogin::CramMd5),
    ClientCase::must(
        "rfc5034/4/client-challenge-no-base64-strict",
        "Without any tolerance, PLAIN cancels with * at a challenge that is no Base64, too",
        &["RFC5034-4-020"],
        |c| {
            c.honest.capabilities = None;
            c.until("AUTH")?;
            c.say(b"+ ***not base64***\r\n")?;
            let Some(line) = c.command()? else { return fail("*", "the end of the connection") };
            c.check(line.raw == b"*\r\n", "*", line.shown())?;
            c.say(b"-ERR cancelled\r\n")?;
            after_refusal(c)
        },
    )
    .job(|job| {
        job.login = JobLogin::Plain;
        job.config = |config| config.strict();
    }),
    ClientCase::must(
        "rfc5034/4/client-long-challenge",
        "A challenge of 16 KiB is handled",
        &["RFC5034-4-023", "RFC5034-4-024"],
        |c| {
            c.honest.capabilities = Some(vec!["SASL CRAM-MD5".to_owned(), "UIDL".to_owned()]);
            let line = c.until("AUTH")?;
            let challenge = format!("<{}@long.example>", "1".repeat(12 * 1024));
            c.say(format!("+ {}\r\n", Base64::encode_string(challenge.as_bytes())).as_bytes())?;
            let Some(response) = c.command()? else { return fail("a response", "the end of the connection") };
            c.check(is_base64(response.text()) && !response.text().is_empty(), "a response", response.shown())?;
            if line.rest.eq_ignore_ascii_case(b"CRAM-MD5") {
                cram_md5(c, challenge.as_bytes(), &response)?;
            }
            log_in(c)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::CramMd5),
    ClientCase::must(
        "rfc5034/4/client-long-response",
        "A response of 11 KiB is sent whole, on one line",
        &["RFC5034-4-023", "RFC5034-4-024"],
        |c| {
            c.honest.capabilities = Some(vec!["SASL XOAUTH2".to_owned(), "UIDL".to_owned()]);
            c.until("AUTH")?;
            if !c.ours() {
                return skip("the token cannot be chosen");
            }
            c.say(b"+ \r\n")?;
            let Some(line) = c.command()? else { return fail("a response", "the end of the connection") };
            let token = decoded(&line);
            let whole =
                token.as_ref().is_some_and(|token| token.windows(8192).any(|at| at.iter().all(|&octet| octet == b't')));
            c.check(whole, "the token in one line of Base64", format!("{} octets", line.raw.len()))?;
            log_in(c)?;
            // The limit for other commands holds again.
            let before = c.lines().len();
            c.serve()?;
            for line in &c.lines()[before..] {
                c.check(line.raw.len() <= 255, "255 octets at most", format!("{}", line.raw.len()))?;
            }
            all_stored(c)
        },
    )
    .job(|job| (job.login, job.password) = (JobLogin::Xoauth2, "t".repeat(8192))),
    ClientCase::must(
        "rfc5034/4/client-layer-begins",
        "A security layer takes effect for the client right behind the CRLF of its last response",
        &["RFC5034-4-029"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("SASL GSSAPI".to_owned());
            c.until("AUTH")?;
            c.say(b"+ \r\n")?;
            if c.command()?.is_none() {
                return fail("a response", "the end of the connection");
            }
            // Nothing in the clear between the last response and the layer.
            c.quiet()?;
            log_in(c)?;
            c.quiet()?;
            c.layer()?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::Gssapi)
    .memory_only("over sockets TLS stands for the layer, and speaks at once"),
    ClientCase::must(
        "rfc5034/4/client-layer-cleartext",
        "What comes in the clear behind the +OK that begins a security layer is not taken as protected by it",
        &["RFC5034-4-029"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("SASL GSSAPI".to_owned());
            let line = c.until("AUTH")?;
            if !line.rest.to_ascii_uppercase().starts_with(b"GSSAPI") {
                return skip("the client does not choose GSSAPI");
            }
            c.say(b"+ \r\n")?;
            let _ = c.command()?;
            c.say(b"+OK welcome\r\n+OK injected\r\n")?;
            if c.layer().is_ok() {
                // Dropped: then the client waits for what it asks for.
                if c.command()?.is_some() {
                    c.quiet()?;
                }
                return Ok(());
            }
            fails(c).map(drop)
        },
    )
    .job(|job| job.login = JobLogin::Gssapi),
    ClientCase::must(
        "rfc5034/4/client-layer-forgets",
        "Behind a security layer the client forgets the capability list",
        &["RFC5034-4-032"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("PIPELINING".to_owned());
            c.honest.keep(&[Mail::First, Mail::Second]);
            begin_layer(c)?;
            // From here on there is no CAPA, so that nobody knows of PIPELINING.
            c.honest.capabilities = None;
            c.greet()?;
            while !c.honest.over {
                let Some(line) = c.command()? else { break };
                c.quiet()?;
                c.answer(&line)?;
            }
            all_stored(c)
        },
    )
    .job(|job| (job.login, job.pipelining) = (JobLogin::Gssapi, true)),
    ClientCase::must(
        "rfc5034/4/client-layer-inside-tls",
        "A security layer of a SASL mechanism works inside TLS",
        &["RFC5034-4-033"],
        |c| {
            if c.upgrade() == Upgrade::None {
                return skip("it needs TLS");
            }
            begin_layer(c)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::Gssapi)
    .memory_only("TLS within TLS stands for the layer over TCP"),
    ClientCase::must(
        "rfc5034/4/client-final-challenge",
        "A last challenge that only carries data is answered with an empty line",
        &["RFC5034-4-035"],
        |c| {
            c.honest.capabilities = Some(vec!["SASL XOAUTH2".to_owned(), "UIDL".to_owned()]);
            let line = c.until("AUTH")?;
            if !line.rest.to_ascii_uppercase().starts_with(b"XOAUTH2") {
                return skip("the client does not choose XOAUTH2");
            }
            if initial(&line).is_none() {
                c.say(b"+ \r\n")?;
                let _ = c.command()?;
            }
            c.say(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n")?;
            let Some(line) = c.command()? else { return fail("an empty line", "the end of the connection") };
            c.check(line.raw == b"\r\n", "an empty line", line.shown())?;
            c.say(b"-ERR [AUTH] no\r\n")?;
            after_refusal(c)
        },
    )
    .job(|job| job.login = JobLogin::Xoauth2),
    ClientCase::must(
        "rfc5034/4/client-refused-token",
        "After the reason why its token is refused, OAUTHBEARER goes on with one octet 0x01, or cancels",
        &["RFC7628-3.2.3-001"],
        |c| {
            c.honest.capabilities = Some(vec!["SASL OAUTHBEARER".to_owned(), "UIDL".to_owned()]);
            let line = c.until("AUTH")?;
            if !line.rest.to_ascii_uppercase().starts_with(b"OAUTHBEARER") {
                return skip("the client does not choose OAUTHBEARER");
            }
            if initial(&line).is_none() {
                c.say(b"+ \r\n")?;
                let _ = c.command()?;
            }
            c.say(b"+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n")?;
            let Some(line) = c.command()? else { return fail("AQ==", "the end of the connection") };
            c.check(line.raw == b"AQ==\r\n" || line.raw == b"*\r\n", "AQ==, or *", line.shown())?;
            c.say(b"-ERR [AUTH] no\r\n")?;
            after_refusal(c)
        },
    )
    .job(|job| job.login = JobLogin::Oauthbearer),
    ClientCase::should(
        "rfc5034/4/client-next-mechanism",
        "After a failed AUTH the client is in the AUTHORIZATION state, and may try another mechanism",
        &["RFC5034-4-037"],
        |c| {
            let line = c.until("AUTH")?;
            let first = line.rest.clone();
            c.say(b"-ERR [AUTH] not that one\r\n")?;
            let Some(line) = c.command()? else { return fails(c).map(drop) };
            let next = matches!(line.verb.as_str(), "AUTH" | "USER" | "APOP" | "CAPA" | "QUIT");
            c.check(next && (line.rest != first || line.verb != "AUTH"), "another login, or QUIT", line.shown())?;
            c.answer(&line)?;
            c.serve()?;
            if c.honest.logged_in { all_stored(c) } else { fails(c).map(drop) }
        },
    )
    .job(|job| (job.login, job.fall_back) = (JobLogin::Plain, vec![JobLogin::Login, JobLogin::User])),
    ClientCase::must(
        "rfc5034/4/client-plain-over-tls",
        "The client has the PLAIN mechanism, over TLS",
        &["RFC5034-4-039"],
        |c| {
            if c.upgrade() == Upgrade::None {
                return skip("it needs TLS");
            }
            let line = c.until("AUTH")?;
            c.check(c.honest.tls, "AUTH inside TLS", "AUTH in the clear")?;
            plain(c, line)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/5/client-continue-outside-auth",
        "The response + belongs to AUTH alone",
        &["RFC5034-5-003"],
        |c| {
            each(c, &["PASS", "STAT", "RETR", "USER"], |c, verb| {
                c.until(verb)?;
                c.say(b"+ \r\n")?;
                gives_up(c).map(drop)
            })
        },
    ),
    ClientCase::should(
        "rfc5034/5/client-plus-alone",
        "A + without the space behind it is taken as an empty challenge within AUTH",
        &["RFC5034-5-003"],
        |c| {
            c.honest.capabilities = None;
            c.until("AUTH")?;
            c.say(b"+\r\n")?;
            let Some(line) = c.command()? else { return fail("a response", "the end of the connection") };
            c.check(decoded(&line).is_some_and(|message| message.len() > 2), "a response", line.shown())?;
            log_in(c)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/6/client-example-plain",
        "PLAIN in one line: AUTH PLAIN with the message in Base64, +OK",
        &["RFC5034-6-001"],
        |c| {
            let line = c.until("AUTH")?;
            if initial(&line).is_none() {
                return skip("the client sends no initial response");
            }
            plain(c, line)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/6/client-example-challenge",
        "PLAIN in two lines: AUTH PLAIN, + and a space, the message in Base64, +OK",
        &["RFC5034-6-001"],
        |c| {
            c.honest.capabilities = None;
            let line = c.until("AUTH")?;
            plain(c, line)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc5034/6/client-cram-md5",
        "The response of CRAM-MD5 is the user, a space and the keyed digest in lower-case hexadecimal",
        &["RFC2195-2-002"],
        |c| {
            c.honest.capabilities = Some(vec!["SASL CRAM-MD5".to_owned(), "UIDL".to_owned()]);
            let line = c.until("AUTH")?;
            if !line.rest.eq_ignore_ascii_case(b"CRAM-MD5") {
                return skip("the client does not choose CRAM-MD5");
            }
            let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
            c.say(format!("+ {}\r\n", Base64::encode_string(challenge)).as_bytes())?;
            let Some(response) = c.command()? else { return fail("a response", "the end of the connection") };
            cram_md5(c, challenge, &response)?;
            log_in(c)?;
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::CramMd5),
];

/// Honest up to the +OK of a mechanism that begins a security layer, and the layer.
pub(super) fn begin_layer(c: &mut Play<'_>) -> Judged {
    c.honest.capabilities.get_or_insert_default().push("SASL GSSAPI".to_owned());
    let line = c.until("AUTH")?;
    if !line.rest.to_ascii_uppercase().starts_with(b"GSSAPI") {
        return skip("the client does not choose GSSAPI");
    }
    c.say(b"+ \r\n")?;
    if c.command()?.is_none() {
        return fail("a response", "the end of the connection");
    }
    log_in(c)?;
    c.layer()
}

/// The login succeeds, whatever the client said.
pub(super) fn log_in(c: &mut Play<'_>) -> Judged {
    c.honest.logged_in = true;
    c.honest.deleted = vec![false; c.honest.messages.len()];
    c.say(b"+OK maildrop locked and ready\r\n")
}

/// No login succeeds any more; the client reports a failure in the end.
pub(super) fn after_refusal(c: &mut Play<'_>) -> Judged {
    c.serve_with(|_, line| {
        matches!(line.verb.as_str(), "PASS" | "AUTH" | "APOP").then(|| b"-ERR [AUTH] no\r\n".to_vec())
    })?;
    fails(c).map(drop)
}

/// The initial response of an AUTH line.
fn initial(line: &Line) -> Option<Vec<u8>> {
    let space = line.rest.iter().position(|&octet| octet == b' ')?;
    Some(line.rest[space + 1..].to_vec())
}

fn is_base64(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| Base64::decode_vec(text).is_ok())
}

fn decoded(line: &Line) -> Option<Vec<u8>> {
    std::str::from_utf8(line.text()).ok().and_then(|text| Base64::decode_vec(text).ok())
}

/// The message of PLAIN, with the command or behind an empty challenge, is right, and the session goes on well.
fn plain(c: &mut Play<'_>, line: Line) -> Judged {
    if !line.rest.to_ascii_uppercase().starts_with(b"PLAIN") {
        return skip("the client does not choose PLAIN");
    }
    let message = match initial(&line) {
        Some(initial) => std::str::from_utf8(&initial).ok().and_then(|text| Base64::decode_vec(text).ok()),
        None => {
            c.say(b"+ \r\n")?;
            c.command()?.and_then(|line| decoded(&line))
        }
    };
    let account = c.account();
    let wanted = format!("\0{}\0{}", account.user, account.password);
    let message = message.unwrap_or_default();
    let fields: Vec<_> = message.split(|&octet| octet == 0).collect();
    let right = fields.len() == 3 && fields[1..] == [account.user.as_bytes(), account.password.as_bytes()];
    c.check(right, escape(wanted.as_bytes()), escape(&message))?;
    log_in(c)?;
    fetches_all(c)
}

fn cram_md5(c: &Play<'_>, challenge: &[u8], response: &Line) -> Judged {
    let account = c.account();
    let wanted = format!("{} {}", account.user, digest::cram_md5(challenge, &account.password));
    let got = decoded(response).unwrap_or_default();
    c.check(got == wanted.as_bytes(), wanted, escape(&got))
}
