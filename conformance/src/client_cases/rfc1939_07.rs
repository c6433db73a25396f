//! RFC 1939 §7: the optional commands.

use super::judge::{all_stored, commands, ends_well, gives_up, with_rows};
use crate::case::{ClientCase, skip};
use crate::mailbox::Mail;
use crate::peer::fetcher::JobLogin;
use md5::Digest as _;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc1939/7/client-top-arguments",
        "TOP has a message-number and a non-negative number of lines, both required",
        &["RFC1939-7-005"],
        |c| {
            c.until("TOP")?;
            c.say(b"-ERR no\r\n")?;
            c.serve()?;
            for line in commands(c).into_iter().filter(|line| line.verb == "TOP") {
                let words = String::from_utf8_lossy(&line.rest).into_owned();
                let digits = |word: &str| !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_digit());
                let both = words
                    .split_once(' ')
                    .is_some_and(|(number, lines)| digits(number) && !number.starts_with('0') && digits(lines));
                c.check(both, "TOP, a message-number and a number of lines", line.shown())?;
            }
            Ok(())
        },
    )
    .job(|job| job.top = Some(3)),
    ClientCase::must(
        "rfc1939/7/client-top-none",
        "TOP with no lines of the body has its second argument, too",
        &["RFC1939-7-005"],
        |c| {
            let line = c.until("TOP")?;
            c.check(line.rest.contains(&b' '), "two arguments", line.shown())?;
            c.answer(&line)?;
            c.serve()?;
            ends_well(c)
        },
    )
    .job(|job| job.top = Some(0)),
    ClientCase::must(
        "rfc1939/7/client-unique-id-opaque",
        "A unique-id is an arbitrary string: ids that only look alike are kept apart",
        &["RFC1939-7-019"],
        |c| {
            let long = "~".repeat(70);
            let ids = ["00012", "12", "a/../b", "+OK", "-ERR", ".", "..", "aB", "ab", "%2e", "\"", "\\", "1", &long];
            let message = |id: &str| format!("Subject: id {}\r\n\r\nbody of it\r\n", id.len()).into_bytes();
            c.honest.messages = ids
                .iter()
                .enumerate()
                .map(|(index, id)| ((*id).to_owned(), [message(id), format!("{index}!\r\n").into_bytes()].concat()))
                .collect();
            c.serve()?;
            all_stored(c)?;
            let asked = super::judge::retrieved(c).len();
            if asked < ids.len() && !c.has_given("UIDL") {
                return skip("the client does not ask for unique-ids");
            }
            c.check(asked == ids.len() || !c.ours(), format!("{} messages", ids.len()), format!("{asked}"))
        },
    ),
    ClientCase::should(
        "rfc1939/7/client-unique-id-twice",
        "Two messages may have the same unique-id",
        &["RFC1939-7-025"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Second, Mail::Spare3]);
            for message in &mut c.honest.messages {
                message.0 = "same".to_owned();
            }
            c.serve()?;
            if !c.has_given("UIDL") {
                return skip("the client gave no UIDL");
            }
            // A client that takes the second for the first may leave it out, but may neither crash nor mix numbers up.
            ends_well(c)?;
            if c.ours() { all_stored(c) } else { Ok(()) }
        },
    ),
    ClientCase::quirk(
        "rfc1939/7/client-unique-id-odd",
        "Unique-ids beyond the RFC's limits: long, with spaces, not ASCII",
        &["RFC1939-7-019"],
        |c| {
            c.serve_with(|honest, line| {
                (line.verb == "UIDL" && line.rest.is_empty())
                    .then(|| with_rows(honest, line, |row| format!("{row} with spaces \u{fc} {}", "x".repeat(90))))
            })?;
            if !c.has_given("UIDL") {
                return skip("the client gave no UIDL");
            }
            all_stored(c)
        },
    ),
    ClientCase::must(
        "rfc1939/7/client-mailbox-name",
        "The name of the mailbox is of significance only to the server, and sent as it is",
        &["RFC1939-7-029"],
        |c| {
            let name = if c.ours() { ODD_NAME.to_owned() } else { c.account().user };
            let line = c.until("USER")?;
            c.check(line.rest == name.as_bytes(), format!("USER {name}"), line.shown())?;
            c.answer(&line)?;
            c.serve()
        },
    )
    .job(|job| job.user = ODD_NAME.to_owned()),
    ClientCase::must(
        "rfc1939/7/client-user-before-pass",
        "The client must first issue the USER command",
        &["RFC1939-7-032"],
        |c| {
            c.until("PASS")?;
            let verbs: Vec<_> = commands(c).iter().map(|line| line.verb.clone()).collect();
            let before = verbs.len().checked_sub(2).map(|at| verbs[at].as_str());
            c.check(before == Some("USER"), "USER just before PASS", verbs.join(", "))?;
            c.say(b"-ERR no\r\n")?;
            // Whoever tries again begins with USER again.
            c.serve_with(|_, line| (line.verb == "PASS").then(|| b"-ERR no\r\n".to_vec()))?;
            let verbs: Vec<_> = commands(c).iter().map(|line| line.verb.clone()).collect();
            for (at, _) in verbs.iter().enumerate().filter(|(_, verb)| *verb == "PASS") {
                c.check(at > 0 && verbs[at - 1] == "USER", "USER just before PASS", verbs.join(", "))?;
            }
            Ok(())
        },
    ),
    ClientCase::must("rfc1939/7/client-after-user", "After +OK to USER comes PASS or QUIT", &["RFC1939-7-033"], |c| {
        let line = c.until("USER")?;
        c.answer(&line)?;
        let Some(line) = c.command()? else { return Ok(()) };
        c.check(matches!(line.verb.as_str(), "PASS" | "QUIT"), "PASS or QUIT", line.shown())?;
        c.answer(&line)?;
        c.serve()
    }),
    ClientCase::must(
        "rfc1939/7/client-after-user-refused",
        "After -ERR to USER comes another login or QUIT, and no PASS",
        &["RFC1939-7-034"],
        |c| {
            c.until("USER")?;
            c.say(b"-ERR never heard of mrose\r\n")?;
            let Some(line) = c.command()? else { return super::judge::fails(c).map(drop) };
            let login = matches!(line.verb.as_str(), "USER" | "APOP" | "AUTH" | "QUIT");
            c.check(login, "USER, APOP, AUTH or QUIT", line.shown())?;
            c.say(b"-ERR no\r\n")?;
            if line.verb != "QUIT" {
                c.serve_with(|_, line| (line.verb != "QUIT").then(|| b"-ERR no\r\n".to_vec()))?;
            }
            super::judge::fails(c).map(drop)
        },
    ),
    ClientCase::must(
        "rfc1939/7/client-apop-no-timestamp",
        "Without a timestamp in the greeting there is no APOP",
        &["RFC1939-7-047"],
        |c| {
            c.honest.greeting = "POP3 server ready".to_owned();
            c.serve()?;
            c.check(!c.has_given("APOP"), "no APOP", "APOP")
        },
    )
    .job(|job| job.login = JobLogin::Apop),
    ClientCase::should(
        "rfc1939/7/client-apop-odd-timestamp",
        "A timestamp that is no msg-id, or is there twice, is none",
        &["RFC1939-7-049"],
        |c| {
            let greetings: [&[u8]; 6] = [
                b"+OK <> ready",
                b"+OK <a b@c> ready",
                b"+OK <no-at> ready",
                b"+OK <\x80@x> ready",
                b"+OK <1.2@x> <3.4@x> ready",
                b"+OK 1896.697170952@dbc.mtview.ca.us> ready",
            ];
            super::judge::each(c, &greetings, |c, greeting| {
                c.say(&[greeting, b"\r\n"].concat())?;
                c.serve()?;
                c.check(!c.has_given("APOP"), "no APOP", "APOP")
            })
        },
    )
    .job(|job| job.login = JobLogin::Apop),
    ClientCase::must(
        "rfc1939/7/client-apop-digest",
        "The digest is MD5 of the timestamp, angle brackets included, and the shared secret",
        &["RFC1939-7-051"],
        |c| {
            let line = c.until("APOP")?;
            let account = c.account();
            let stamp = "<1896.697170952@dbc.mtview.ca.us>";
            let hash = md5::Md5::new().chain_update(stamp).chain_update(&account.password).finalize();
            let digits: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
            let wanted = format!("{} {digits}", account.user);
            let got = String::from_utf8_lossy(&line.rest).to_ascii_lowercase();
            c.check(got == wanted.to_ascii_lowercase(), format!("APOP {wanted}"), line.shown())?;
            c.answer(&line)?;
            c.serve()
        },
    )
    .job(|job| job.login = JobLogin::Apop),
    ClientCase::must(
        "rfc1939/7/client-apop-lower-case",
        "The digest is sent as 32 digits of hexadecimal, in lower case",
        &["RFC1939-7-052"],
        |c| {
            let line = c.until("APOP")?;
            let digest = line.rest.rsplit(|&octet| octet == b' ').next().unwrap_or_default().to_vec();
            let lower = digest.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'));
            c.check(digest.len() == 32 && lower, "32 of 0 to 9 and a to f", line.shown())?;
            c.answer(&line)?;
            c.serve()
        },
    )
    .job(|job| job.login = JobLogin::Apop),
    ClientCase::must(
        "rfc1939/7/client-pass-refused",
        "-ERR to PASS is no login, whatever the text says",
        &["RFC1939-7-034", "RFC1939-9-003"],
        |c| {
            c.until("PASS")?;
            c.say(b"-ERR +OK maildrop locked and ready\r\n")?;
            c.serve_with(|_, line| matches!(line.verb.as_str(), "PASS" | "AUTH").then(|| b"-ERR no\r\n".to_vec()))?;
            c.check(!c.has_given("STAT") && !c.has_given("RETR"), "no STAT and no RETR", "one")?;
            gives_up(c).map(drop)
        },
    ),
];

/// A name with what other protocols would quote or split at.
const ODD_NAME: &str = "DOM\\joe+b=x@example.com";
