//! RFC 6856: UTF-8 and languages.

use super::judge::{all_stored, ends_well, fails, no_login_was_tried, with_first_line};
use crate::case::{ClientCase, skip};
use crate::mailbox::Mail;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc6856/2/client-octets",
        "Octets beyond ASCII pass, in responses and in messages, as they are",
        &["RFC6856-2-004"],
        |c| {
            let message = "Subject: Gr\u{fc}\u{df}e \u{4e2d}\r\nFrom: j\u{f6}rg@example.org\r\n\r\n\u{1f4ec} \u{e9}\r\n".as_bytes();
            c.honest.messages = vec![("only-one".to_owned(), message.to_vec())];
            c.serve_with(|honest, line| {
                (line.verb == "RETR").then(|| with_first_line(&honest.answer(line.text()), "+OK \u{fc}ber".as_bytes()))
            })?;
            all_stored(c)
        },
    ),
    ClientCase::must(
        "rfc6856/2.1/client-stls-before-utf8",
        "The client gives no STLS after UTF8",
        &["RFC6856-2.1-011"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("UTF8 USER".to_owned());
            c.serve()?;
            let place = |verb: &str| c.lines().iter().position(|line| line.verb == verb);
            let wrong = place("UTF8").zip(place("STLS")).is_some_and(|(utf8, stls)| utf8 < stls);
            c.check(!wrong, "STLS before UTF8", "UTF8 before STLS")
        },
    ),
    ClientCase::quirk(
        "rfc6856/2.2/client-utf8-user",
        "With UTF8 USER the client may send a name in UTF-8",
        &["RFC6856-2.2-007"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("UTF8 USER".to_owned());
            if !c.ours() {
                return skip("the user's name cannot be chosen");
            }
            let line = c.until("USER")?;
            c.check(line.raw == b"USER j\xC3\xB6rg\r\n", "USER j\\xC3\\xB6rg", line.shown())?;
            c.answer(&line)?;
            c.serve()
        },
    )
    .job(|job| job.user = "j\u{f6}rg".to_owned()),
    ClientCase::must(
        "rfc6856/2.2/client-utf8-without-user",
        "With UTF8, and not UTF8 USER, the client sends no name in UTF-8",
        &["RFC6856-2.2-008"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("UTF8".to_owned());
            if !c.ours() {
                return skip("the user's name cannot be chosen");
            }
            c.serve()?;
            no_login_was_tried(c)?;
            fails(c).map(drop)
        },
    )
    .job(|job| job.user = "j\u{f6}rg".to_owned()),
    ClientCase::must(
        "rfc6856/2.2/client-utf8-password-without-user",
        "With UTF8, and not UTF8 USER, the client sends no password in UTF-8",
        &["RFC6856-2.2-008"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("UTF8".to_owned());
            if !c.ours() {
                return skip("the password cannot be chosen");
            }
            c.serve()?;
            c.check(!c.has_given("PASS"), "no PASS", "PASS")?;
            fails(c).map(drop)
        },
    )
    .job(|job| job.password = "gr\u{fc}n".to_owned()),
    ClientCase::must(
        "rfc6856/3.2/client-languages-in-any-order",
        "The client does not depend on the order of the language listing",
        &["RFC6856-3.2-009"],
        |c| {
            let line = c.until("LANG")?;
            if !line.rest.is_empty() {
                return skip("the client gave LANG with an argument");
            }
            c.say("+OK Language listing follows:\r\nsv svenska\r\nen English\r\n* any\r\nde Deutsch \u{df}\r\ni-default Default\r\n.\r\n".as_bytes())?;
            c.serve()?;
            c.check(c.has_given("NOOP") || !c.ours(), "NOOP behind it", "none")?;
            ends_well(c)
        },
    )
    .job(|job| job.commands = ["LANG", "NOOP"].map(str::to_owned).to_vec()),
    ClientCase::must(
        "rfc6856/3.2/client-languages-refused",
        "-ERR to a request for the languages is an answer, and the session goes on",
        &["RFC6856-3.2-010"],
        |c| {
            c.until("LANG")?;
            c.say(b"-ERR Server is unable to list languages\r\n")?;
            c.serve()?;
            c.check(c.has_given("NOOP") || !c.ours(), "NOOP behind it", "none")
        },
    )
    .job(|job| job.commands = ["LANG", "NOOP"].map(str::to_owned).to_vec()),
    ClientCase::should(
        "rfc6856/5/client-utf8-code",
        "-ERR with the UTF8 code to RETR is about that message alone",
        &["RFC6856-5-002"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::EightBit, Mail::Second]);
            c.serve_with(|_, line| {
                (line.verb == "RETR" && line.rest == b"2").then(|| b"-ERR [UTF8] try again in UTF-8 mode\r\n".to_vec())
            })?;
            let asked = super::judge::retrieved(c);
            if !asked.contains(&2) {
                return skip("the client did not ask for the message");
            }
            fails(c)?;
            if asked.contains(&3) {
                c.has_stored(&Mail::First.octets())?;
                c.has_stored(&Mail::Second.octets())?;
            }
            let stored = c.stored().iter().any(|stored| Mail::find(stored) == Some(Mail::EightBit));
            c.check(!stored, "nothing stored of the message that was refused", "it is stored")
        },
    ),
    ClientCase::should(
        "rfc6856/7/client-stls-before-lang",
        "Where TLS is wanted, STLS comes before LANG",
        &["RFC6856-7-002"],
        |c| {
            c.serve()?;
            let place = |verb: &str| c.lines().iter().position(|line| line.verb == verb);
            let wrong = place("LANG").zip(place("STLS")).is_some_and(|(lang, stls)| lang < stls);
            c.check(!wrong, "STLS before LANG", "LANG before STLS")
        },
    )
    .job(|job| job.commands = vec!["LANG".to_owned()]),
];
