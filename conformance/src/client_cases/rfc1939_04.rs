//! RFC 1939 §4: the greeting and the AUTHORIZATION state.

use super::judge::{each, fails, fetches_all, gives_up};
use crate::case::ClientCase;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc1939/4/client-any-positive-greeting",
        "The greeting can be any positive response",
        &["RFC1939-4-003"],
        |c| {
            let long = format!("+OK {}", "a".repeat(506));
            let greetings: [&[u8]; 7] =
                [b"+OK", b"+OK ", b"+OK <x", b"+OK [foo] bar", b"+OK >< <> <<>>", b"+OK \xE9\xFF", long.as_bytes()];
            each(c, &greetings, |c, greeting| {
                c.say(&[greeting, b"\r\n"].concat())?;
                fetches_all(c)
            })
        },
    ),
    ClientCase::must(
        "rfc1939/4/client-refused-by-greeting",
        "A greeting that is not positive is a refusal, and no command follows it",
        &["RFC1939-4-003"],
        |c| {
            let greetings =
                ["-ERR busy", "-ERR", "* OK IMAP4rev1 ready", "220 x ESMTP", "HTTP/1.1 400 Bad Request", ""];
            each(c, &greetings, |c, greeting| {
                c.say(format!("{greeting}\r\n").as_bytes())?;
                gives_up(c).map(drop)
            })
        },
    ),
    ClientCase::must(
        "rfc1939/4/client-login-refused-and-closed",
        "After -ERR to the login and the end of the connection, the client reports the refusal",
        &["RFC1939-4-013"],
        |c| {
            c.until("PASS")?;
            c.say(b"-ERR [AUTH] invalid password\r\n")?;
            c.hang_up();
            let why = fails(c)?;
            let refusal = why.contains("Credentials") || why.contains("PASS") || !c.ours();
            c.check(refusal, "a failure that names the login", why)
        },
    ),
    ClientCase::must(
        "rfc1939/4/client-login-closed",
        "The end of the connection in place of an answer to the login is no success",
        &["RFC1939-4-013"],
        |c| {
            c.until("PASS")?;
            c.hang_up();
            fails(c).map(drop)
        },
    ),
    ClientCase::must(
        "rfc1939/4/client-login-refused-then-quit",
        "After a refused login the client may quit, and reports the refusal",
        &["RFC1939-4-013"],
        |c| {
            c.until("PASS")?;
            c.say(b"-ERR [AUTH] invalid password\r\n")?;
            c.serve_with(|_, line| {
                matches!(line.verb.as_str(), "PASS" | "AUTH" | "APOP").then(|| b"-ERR no\r\n".to_vec())
            })?;
            fails(c).map(drop)
        },
    ),
];
